"""The body of a Chat Completions request: options, tools, tool choice and response format."""

from __future__ import annotations

from ..options import allows, place, render_options, wire_name
from .messages import render_messages
from .reasoning import render_reasoning

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

    from ...registry.manifest import Manifest
    from ...types.request import ChatRequest, Ledger, ToolChoice
    from ...types.tools import Tool


PARAMETERS: Mapping[str, str | None] = {
    "temperature": "temperature",
    "max_tokens": "max_tokens",
    "top_p": "top_p",
    "top_k": None,
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
    reasoning = request.options.reasoning
    messages = render_messages(request.messages, manifest, thinks=not (reasoning and reasoning.off))
    body: dict[str, Any] = {"model": request.model, "messages": messages}
    if request.stream:
        body["stream"] = True
        if not manifest.has("no_stream_usage"):
            body["stream_options"] = {"include_usage": True}
    body.update(render_options(request, manifest, PARAMETERS, ledger))
    if reasoning is not None and allows("reasoning", manifest, PARAMETERS, ledger):
        render_reasoning(body, reasoning, manifest, ledger)
    _render_tools(body, request, manifest, ledger)
    _render_choices(body, request, manifest, ledger)
    _render_format(body, request, manifest, ledger)
    body.update(request.extra)
    return body


def _render_tools(body: dict[str, Any], request: ChatRequest, manifest: Manifest, ledger: Ledger) -> None:
    if not request.tools:
        return
    strict = not manifest.has("no_strict_tools")
    if not strict and any(tool.strict for tool in request.tools):
        ledger.dropped("strict", f"of a tool is not supported by {manifest.name}", f"{manifest.id}: quirks.no_strict_tools")
    body["tools"] = [_render_tool(tool, strict) for tool in request.tools]


def _render_tool(tool: Tool, strict: bool) -> dict[str, Any]:
    function: dict[str, Any] = {"name": tool.name}
    if tool.description:
        function["description"] = tool.description
    function["parameters"] = tool.parameters
    if strict and tool.strict is not None:
        function["strict"] = tool.strict
    return {"type": "function", "function": function, **tool.extra}


def _render_choices(body: dict[str, Any], request: ChatRequest, manifest: Manifest, ledger: Ledger) -> None:
    """`tool_choice` and `parallel_tool_calls`. OpenAI rejects both in a request without tools."""
    has_tools = "tools" in body or "tools" in request.extra
    for option in ("parallel_tool_calls", "tool_choice"):
        value = getattr(request.options, option)
        if value is None or not allows(option, manifest, PARAMETERS, ledger):
            continue
        if not has_tools:
            ledger.dropped(option, "is omitted: the request has no tools", "openai_chat")
        elif option == "tool_choice":
            _render_tool_choice(body, value, request, manifest, ledger)
        else:
            place(body, wire_name(option, manifest, PARAMETERS)[0], value)
            ledger.note(option, "sent", option, "openai_chat")


def _render_tool_choice(
    body: dict[str, Any], choice: ToolChoice, request: ChatRequest, manifest: Manifest, ledger: Ledger
) -> None:
    mode: str = choice.mode
    source = f"{manifest.id}: tool_choice"
    allowed = manifest.tool_choice
    reasoning = request.options.reasoning
    if manifest.has("no_forced_tools_while_thinking") and not (reasoning and reasoning.off):
        allowed = tuple(word for word in allowed if word not in ("required", "tool"))
        source = f"{manifest.id}: quirks.no_forced_tools_while_thinking"
    if mode not in allowed:
        if mode == "none":
            body.pop("tools", None)
            ledger.changed("tool_choice", f"{mode!r} is not supported by {manifest.name}; the tools are omitted", source)
            return
        mode = next((word for word in ("required", "auto") if word in allowed), "")
        unsupported = f"{choice.mode!r} is not supported by {manifest.name} for this model"
        if not mode:
            ledger.dropped("tool_choice", unsupported, source)
            return
        ledger.changed("tool_choice", f"{unsupported}; {mode!r} is sent", source)
    value = {"type": "function", "function": {"name": choice.name}} if mode == "tool" else mode
    place(body, wire_name("tool_choice", manifest, PARAMETERS)[0], value)
    if mode == choice.mode:
        ledger.note("tool_choice", "sent", mode, "openai_chat")


def _render_format(body: dict[str, Any], request: ChatRequest, manifest: Manifest, ledger: Ledger) -> None:
    requested = request.options.response_format
    if requested is None or not allows("response_format", manifest, PARAMETERS, ledger):
        return
    source = f"{manifest.id}: response_format"
    kind: str = requested.kind
    schema = requested.schema
    if kind not in manifest.response_format and kind != "text":
        other = "json" if kind == "json_schema" else "json_schema"
        unsupported = f"{kind!r} is not supported by {manifest.name} for this model"
        if other not in manifest.response_format:
            ledger.dropped("response_format", unsupported, source)
            return
        detail = "put the schema into the prompt" if other == "json" else "with a schema that any object matches"
        ledger.changed("response_format", f"{unsupported}; {other!r} is sent: {detail}", source)
        kind, schema = other, {"type": "object"}
    else:
        ledger.note("response_format", "sent", kind, "openai_chat")
    value: dict[str, Any] = {"type": "json_object" if kind == "json" else kind}
    if kind == "json_schema":
        value["json_schema"] = {"name": requested.name, "schema": schema}
        if requested.strict is not None and requested.kind == kind:
            value["json_schema"]["strict"] = requested.strict
    place(body, wire_name("response_format", manifest, PARAMETERS)[0], value)
