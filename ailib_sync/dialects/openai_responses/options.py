"""The body of OpenAI Responses: options, tools, tool choice and response format."""

from __future__ import annotations

from ..options import allows, join, place, render_options
from ..reasoning import thinks
from .messages import NAME, render_input
from .reasoning import render_reasoning, render_storage

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

    from ...registry.manifest import Manifest
    from ...types.request import ChatRequest, Ledger
    from ...types.tools import Tool

#: Standard option → wire name.
PARAMETERS: Mapping[str, str | None] = {
    "temperature": "temperature",
    "max_tokens": "max_output_tokens",
    "top_p": "top_p",
    "top_k": None,
    "stop": None,
    "seed": None,
    "frequency_penalty": None,
    "presence_penalty": None,
    "tool_choice": "tool_choice",
    "parallel_tool_calls": "parallel_tool_calls",
    "response_format": "text.format",
    "reasoning": "reasoning",
}


def render_body(request: ChatRequest, manifest: Manifest, ledger: Ledger) -> dict[str, Any]:
    """The body; `request.extra` joins it last."""
    reasoning: dict[str, Any] = {}
    if request.options.reasoning is not None and allows("reasoning", manifest, PARAMETERS, ledger):
        reasoning = render_reasoning(request.options.reasoning, manifest, ledger)
    body: dict[str, Any] = {"model": request.model}
    storage = render_storage(reasoning, request, manifest, ledger)
    stored = request.extra.get("store", storage.get("store", True)) is not False
    instructions, body["input"] = render_input(request.messages, manifest, stored)
    if instructions is not None:
        body["instructions"] = instructions
    if request.tools:
        body["tools"] = [render_tool(tool, manifest, ledger) for tool in request.tools]
    _render_tool_options(request, body, manifest, ledger)
    _render_format(request, body, manifest, ledger)
    if reasoning:
        body["reasoning"] = reasoning
    body |= render_options(request, manifest, PARAMETERS, ledger)
    body |= storage
    if request.stream:
        body["stream"] = True
    join(body, request.extra)
    return body


# Thinking


# Tools and formats


def render_tool(tool: Tool, manifest: Manifest, ledger: Ledger) -> dict[str, Any]:
    """A function of the caller's. A tool whose `extra` names another `type` is that: `custom` (free text in place of
    arguments), or one the provider runs itself (`web_search`), which has neither name nor schema."""
    kind = tool.extra.get("type", "function")
    if kind not in ("function", "custom"):
        return dict(tool.extra)
    entry: dict[str, Any] = {"type": kind, "name": tool.name}
    if tool.description:
        entry["description"] = tool.description
    if kind == "function":
        entry["parameters"] = dict(tool.parameters)
        if not manifest.has("no_strict_tools"):
            # Left out it means true here, and the service then rewrites the schema so that every parameter is required:
            # https://platform.openai.com/docs/guides/migrate-to-responses
            entry["strict"] = bool(tool.strict)
        elif tool.strict:
            ledger.dropped(f"tool {tool.name}: strict", f"is not supported by {manifest.name}", f"{manifest.id}: quirks")
    return entry | dict(tool.extra)


def _render_tool_options(request: ChatRequest, body: dict[str, Any], manifest: Manifest, ledger: Ledger) -> None:
    for option in ("tool_choice", "parallel_tool_calls"):
        value: Any = getattr(request.options, option)
        if value is None or not allows(option, manifest, PARAMETERS, ledger):
            continue
        if not request.tools and "tools" not in request.extra:
            ledger.dropped(option, "means nothing without tools", f"{NAME}: tools")
            continue
        if option == "tool_choice":
            value = _tool_choice(request, manifest, ledger)
        if value is not None:
            body[option] = value
            ledger.note(option, "sent", option, f"{NAME}: parameters.{option}")


def _tool_choice(request: ChatRequest, manifest: Manifest, ledger: Ledger) -> str | dict[str, Any] | None:
    choice = request.options.tool_choice
    assert choice is not None
    mode: str = choice.mode
    forced = mode in ("required", "tool")
    if forced and manifest.has("no_forced_tools_while_thinking") and thinks(request, manifest):
        detail = f"{mode!r} is not supported while the model thinks; auto is sent"
        ledger.changed("tool_choice", detail, f"{manifest.id}: quirks")
        return "auto"
    if mode not in manifest.tool_choice:
        detail, source = f"{mode!r} is not supported by {manifest.name} for this model", f"{manifest.id}: tool_choice"
        if forced and "auto" in manifest.tool_choice:
            ledger.changed("tool_choice", f"{detail}; auto is sent", source)
            return "auto"
        ledger.dropped("tool_choice", detail, source)
        return None
    if mode != "tool":
        return mode
    kinds = {tool.name: tool.extra.get("type", "function") for tool in request.tools}
    kind = kinds.get(choice.name or "", "function")
    return {"type": kind, "name": choice.name} if kind in ("function", "custom") else {"type": kind}


def _render_format(request: ChatRequest, body: dict[str, Any], manifest: Manifest, ledger: Ledger) -> None:
    wanted = request.options.response_format
    if wanted is None or not allows("response_format", manifest, PARAMETERS, ledger):
        return
    kind, source = wanted.kind, f"{manifest.id}: response_format"
    if kind not in manifest.response_format:
        detail = f"of kind {kind} is not supported by {manifest.name} for this model"
        if kind != "json_schema" or "json" not in manifest.response_format:
            ledger.dropped("response_format", detail, source)
            return
        ledger.changed("response_format", f"{detail}; any JSON is asked for", source)
        kind = "json"
    form: dict[str, Any] = {"type": "json_object" if kind == "json" else kind}
    if kind == "json_schema":
        form |= {"name": wanted.name, "schema": dict(wanted.schema or {})}
        if wanted.strict is not None:
            form["strict"] = wanted.strict
    place(body, "text.format", form)
    ledger.note("response_format", "sent", "text.format", f"{NAME}: parameters.response_format")
