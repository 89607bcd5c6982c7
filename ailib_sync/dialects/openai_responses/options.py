"""The body of OpenAI Responses: options, tools, tool choice and response format."""

from __future__ import annotations

from ..options import JSON_WORD, allows, join, needs_json_word, place, render_options, settle_format
from ..portable import with_portable_parts
from ..strict_schema import settle_strict
from ..tools import parameters_of, settle_parallel, settle_tools, with_sendable_names
from .messages import render_input
from .reasoning import render_reasoning, render_storage

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from typing import Any

    from ...registry.manifest import Manifest
    from ...types.request import ChatRequest, Ledger, ResponseFormat, ToolChoice
    from ...types.tools import Tool

#: Standard option → wire name.
PARAMETERS: Mapping[str, str] = {
    "temperature": "temperature",
    "max_tokens": "max_output_tokens",
    "top_p": "top_p",
    "tool_choice": "tool_choice",
    "parallel_tool_calls": "parallel_tool_calls",
    "response_format": "text.format",
    "reasoning": "reasoning",
}

#: The types of tools that the caller runs. The provider runs the others.
CALLER_TOOLS = ("function", "custom")


def render_body(request: ChatRequest, manifest: Manifest, ledger: Ledger) -> dict[str, Any]:
    """The body of a request; `request.extra` is merged into it last."""
    request = with_portable_parts(with_sendable_names(request), manifest, ledger)
    reasoning: dict[str, Any] = {}
    if request.options.reasoning is not None and allows("reasoning", manifest, PARAMETERS, ledger):
        reasoning = render_reasoning(request.options.reasoning, manifest, ledger)
    body: dict[str, Any] = {"model": request.model}
    storage = render_storage(reasoning, request, manifest, ledger)
    stored = request.extra.get("store", storage.get("store", True)) is not False
    instructions, body["input"] = render_input(request.messages, manifest, stored)
    if instructions is not None:
        body["instructions"] = instructions
    _render_tools(request, body, manifest, ledger)
    form = settle_format(request, manifest, PARAMETERS, ledger, kinds=("text", "json", "json_schema"))
    if form is not None:
        place(body, "text.format", _render_format(form, manifest, ledger))
        texts = [instructions, *(item.get("content") for item in body["input"])]
        if needs_json_word(form, texts, manifest, ledger):
            body["input"].insert(0, {"type": "message", "role": "developer", "content": JSON_WORD})
    if reasoning:
        body["reasoning"] = reasoning
    body |= render_options(request, manifest, PARAMETERS, ledger)
    body |= storage
    if request.stream:
        body["stream"] = True
    join(body, request.extra)
    return body


def render_tool(tool: Tool, manifest: Manifest, ledger: Ledger) -> dict[str, Any]:
    """A function of the caller. A `type` in its `extra` makes it another kind of tool: `custom` (free text instead of
    arguments), or one that the provider runs (`web_search`), without a name and a schema."""
    kind = tool.extra.get("type", "function")
    if kind not in CALLER_TOOLS:
        return dict(tool.extra)
    entry: dict[str, Any] = {"type": kind, "name": tool.name}
    if tool.description:
        entry["description"] = tool.description
    if kind == "function":
        entry["parameters"] = dict(parameters_of(tool))
        if not manifest.has("no_strict_tools"):
            # The default is true, and the service then changes the schema so that every parameter is required:
            # https://platform.openai.com/docs/guides/migrate-to-responses
            settled = settle_strict(f"tool {tool.name}", parameters_of(tool), tool.strict, manifest, ledger)
            entry["parameters"], entry["strict"] = dict(settled[0]), bool(settled[1])
        elif tool.strict:
            ledger.dropped(f"tool {tool.name}: strict", f"is not supported by {manifest.name}", f"{manifest.id}: quirks")
    return entry | dict(tool.extra)


def _render_tools(request: ChatRequest, body: dict[str, Any], manifest: Manifest, ledger: Ledger) -> None:
    tools, choice = settle_tools(request, manifest, PARAMETERS, ledger)
    parallel = settle_parallel(request, manifest, PARAMETERS, ledger)
    if tools:
        body["tools"] = [render_tool(tool, manifest, ledger) for tool in tools]
    if choice is not None:
        body["tool_choice"] = _render_choice(choice, tools)
    if parallel is not None:
        body["parallel_tool_calls"] = parallel


def _render_choice(choice: ToolChoice, tools: Sequence[Tool]) -> str | dict[str, Any]:
    """The mode, or the tool to call. A tool that the provider runs has no name: its type identifies it."""
    if choice.mode != "tool":
        return choice.mode
    kind = {tool.name: tool.extra.get("type", "function") for tool in tools}.get(choice.name or "", "function")
    return {"type": kind, "name": choice.name} if kind in CALLER_TOOLS else {"type": kind}


def _render_format(form: ResponseFormat, manifest: Manifest, ledger: Ledger) -> dict[str, Any]:
    if form.kind != "json_schema":
        return {"type": "json_object" if form.kind == "json" else form.kind}
    schema, strict = settle_strict("response_format", form.schema or {}, form.strict, manifest, ledger)
    rendered = {"type": form.kind, "name": form.name, "schema": dict(schema)}
    return rendered if strict is None else {**rendered, "strict": strict}
