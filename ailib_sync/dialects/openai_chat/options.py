"""The body of a Chat Completions request: options, tools, tool choice and response format."""

from __future__ import annotations

from ..options import JSON_WORD, allows, needs_json_word, place, render_options, settle_format, wire_name
from ..portable import with_portable_parts
from ..reasoning import thinks
from ..strict_schema import settle_strict
from ..tools import parameters_of, render_parallel, settle_tools, with_sendable_names
from .messages import render_messages
from .reasoning import render_reasoning, without_thinking_for_tools

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

    from ...registry.manifest import Manifest
    from ...types.request import ChatRequest, Ledger, ResponseFormat, ToolChoice
    from ...types.tools import Tool


PARAMETERS: Mapping[str, str] = {
    "temperature": "temperature",
    "max_tokens": "max_tokens",
    "top_p": "top_p",
    "stop": "stop",
    "seed": "seed",
    "frequency_penalty": "frequency_penalty",
    "presence_penalty": "presence_penalty",
    "tool_choice": "tool_choice",
    "parallel_tool_calls": "parallel_tool_calls",
    "response_format": "response_format",
    "reasoning": "reasoning",
}


def render_body(request: ChatRequest, manifest: Manifest, ledger: Ledger) -> dict[str, Any]:
    """The JSON body of a request."""
    request = with_portable_parts(with_sendable_names(request), manifest, ledger)
    request = without_thinking_for_tools(request, manifest, ledger)
    reasoning = request.options.reasoning
    messages = render_messages(request.messages, manifest, thinks(request, manifest, unknown=True))
    body: dict[str, Any] = {"model": request.model, "messages": messages}
    if request.stream:
        body["stream"] = True
        if not manifest.has("no_stream_usage"):
            body["stream_options"] = {"include_usage": True}
    body.update(render_options(request, manifest, PARAMETERS, ledger))
    if reasoning is not None and allows("reasoning", manifest, PARAMETERS, ledger):
        render_reasoning(body, reasoning, manifest, ledger)
    _render_tools(body, request, manifest, ledger)
    render_parallel(body, request, manifest, PARAMETERS, ledger)
    response_format = settle_format(request, manifest, PARAMETERS, ledger, ("text", "json", "json_schema"))
    if response_format is not None:
        place(body, wire_name("response_format", manifest, PARAMETERS)[0], _render_format(response_format, manifest, ledger))
        if needs_json_word(response_format, (entry.get("content") for entry in messages), manifest, ledger):
            role = "developer" if manifest.has("developer_role") else "system"
            messages.insert(0, {"role": role, "content": JSON_WORD})
    body.update(request.extra)
    return body


def _render_tools(body: dict[str, Any], request: ChatRequest, manifest: Manifest, ledger: Ledger) -> None:
    """`tools` and `tool_choice`. OpenAI rejects a choice in a request without tools."""
    thinking = thinks(request, manifest, unknown=True)
    tools, choice = settle_tools(request, manifest, PARAMETERS, ledger, thinking=thinking)
    strict = not manifest.has("no_strict_tools")
    if not strict and any(tool.strict for tool in tools):
        ledger.dropped("strict", f"of a tool is not supported by {manifest.name}", f"{manifest.id}: quirks.no_strict_tools")
    if tools:
        body["tools"] = [_render_tool(tool, strict, manifest, ledger) for tool in tools]
    if choice is not None:
        place(body, wire_name("tool_choice", manifest, PARAMETERS)[0], _render_choice(choice))


def _render_tool(tool: Tool, strict: bool, manifest: Manifest, ledger: Ledger) -> dict[str, Any]:
    function: dict[str, Any] = {"name": tool.name}
    if tool.description:
        function["description"] = tool.description
    function["parameters"] = parameters_of(tool)
    if strict and tool.strict is not None:
        settled = settle_strict(f"tool {tool.name}", parameters_of(tool), tool.strict, manifest, ledger)
        function["parameters"], function["strict"] = settled
    return {"type": "function", "function": function, **tool.extra}


def _render_choice(choice: ToolChoice) -> Any:
    return {"type": "function", "function": {"name": choice.name}} if choice.mode == "tool" else choice.mode


def _render_format(response_format: ResponseFormat, manifest: Manifest, ledger: Ledger) -> dict[str, Any]:
    if response_format.kind != "json_schema":
        return {"type": "json_object" if response_format.kind == "json" else response_format.kind}
    form, strict = settle_strict("response_format", response_format.schema or {}, response_format.strict, manifest, ledger)
    schema: dict[str, Any] = {"name": response_format.name, "schema": form}
    if strict is not None:
        schema["strict"] = strict
    return {"type": "json_schema", "json_schema": schema}
