"""`ChatRequest` → the body of Anthropic Messages: options and tools here, the conversation and the thinking beside it.

https://platform.claude.com/docs/en/api/messages
"""

from __future__ import annotations

from ..options import allows, join, render_options
from .messages import NAME, render_messages, shortest
from .reasoning import render_reasoning

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

    from ...registry.manifest import Manifest
    from ...types.request import ChatRequest, Ledger, ResponseFormat
    from ...types.tools import Tool

#: Standard option → wire name.
PARAMETERS: Mapping[str, str | None] = {
    "temperature": "temperature",
    "max_tokens": "max_tokens",
    "top_p": "top_p",
    "top_k": "top_k",
    "stop": "stop_sequences",
    "seed": None,
    "frequency_penalty": None,
    "presence_penalty": None,
    "tool_choice": "tool_choice",
    "parallel_tool_calls": "tool_choice.disable_parallel_tool_use",
    "response_format": "output_config.format",
    "reasoning": "thinking",
}

#: The service refuses a body without max_tokens; a manifest names a better number (`defaults`).
MAX_TOKENS = 4096

CHOICES: Mapping[str, str] = {"auto": "auto", "none": "none", "required": "any", "tool": "tool"}


def render_body(request: ChatRequest, manifest: Manifest, ledger: Ledger) -> dict[str, Any]:
    """The body; `request.extra` joins it last."""
    # Where the address names the model (Google, Amazon), the body may not.
    body: dict[str, Any] = {} if "{model}" in manifest.paths.get("chat", "") else {"model": request.model}
    body |= render_options(request, manifest, PARAMETERS, ledger)
    if "max_tokens" not in body:
        body["max_tokens"] = MAX_TOKENS
        ledger.note("max_tokens", "defaulted", f"max_tokens = {MAX_TOKENS}", f"{NAME}: max_tokens is required")
    system, body["messages"] = render_messages(request.messages, manifest, ledger)
    if system:
        body["system"] = shortest(system)
    thinks = _asks("reasoning", request, manifest, ledger) and render_reasoning(request, body, manifest, ledger)
    if thinks and manifest.reasoning and manifest.reasoning.get("no_sampling"):
        _drop_sampling(body, manifest, ledger)
    _render_tools(request, body, manifest, thinks, ledger)
    if request.options.response_format and _asks("response_format", request, manifest, ledger):
        _render_format(request.options.response_format, body, manifest, ledger)
    if request.stream:
        body["stream"] = True
    join(body, request.extra)
    return body


def _asks(option: str, request: ChatRequest, manifest: Manifest, ledger: Ledger) -> bool:
    return getattr(request.options, option) is not None and allows(option, manifest, PARAMETERS, ledger)


def _drop_sampling(body: dict[str, Any], manifest: Manifest, ledger: Ledger) -> None:
    for option in ("temperature", "top_p", "top_k"):
        if option in body and (option == "top_k" or body[option] != 1):
            del body[option]
            ledger.dropped(option, "is not supported while the model thinks", f"{manifest.id}: reasoning.no_sampling")


def _render_format(wanted: ResponseFormat, body: dict[str, Any], manifest: Manifest, ledger: Ledger) -> None:
    if wanted.kind == "text":
        source = f"{NAME}: output_config.format"
        ledger.note("response_format", "sent", "text is what an answer is unless told otherwise", source)
    if wanted.kind == "json":
        detail = 'of kind "json" has no form here: ask for JSON in the prompt, or give a schema'
        ledger.dropped("response_format", detail, f"{NAME}: output_config.format")
    elif wanted.kind == "json_schema":
        if "json_schema" not in manifest.response_format:
            detail = f"of kind json_schema is not supported by {manifest.name} for this model"
            ledger.dropped("response_format", detail, f"{manifest.id}: response_format")
            return
        body.setdefault("output_config", {})["format"] = {"type": "json_schema", "schema": dict(wanted.schema or {})}
        ledger.note("response_format", "sent", "output_config.format", f"{NAME}: parameters.response_format")


# Tools


def _render_tools(request: ChatRequest, body: dict[str, Any], manifest: Manifest, thinks: bool, ledger: Ledger) -> None:
    if request.tools:
        body["tools"] = [render_tool(tool, manifest, ledger) for tool in request.tools]
    asked = [option for option in ("tool_choice", "parallel_tool_calls") if _asks(option, request, manifest, ledger)]
    if not asked:
        return
    if not request.tools and "tools" not in request.extra:
        for option in asked:  # "tool_choice may only be specified while providing tools"
            ledger.dropped(option, "means nothing without tools", f"{NAME}: tool_choice")
        return
    choice: dict[str, Any] = {"type": "auto"}
    if "tool_choice" in asked:
        choice = _tool_choice(request, manifest, thinks, ledger)
    if choice["type"] == "none":
        if "parallel_tool_calls" in asked:
            ledger.note("parallel_tool_calls", "sent", "means nothing where no tool may be called", f"{NAME}: parameters")
        if "none" not in manifest.tool_choice:
            body.pop("tools", None)  # a model that is shown no tools calls none
            ledger.note("tool_choice", "sent", "no tools", f"{manifest.id}: tool_choice")
            return
    elif "parallel_tool_calls" in asked:
        choice["disable_parallel_tool_use"] = not request.options.parallel_tool_calls
        ledger.note("parallel_tool_calls", "renamed", "tool_choice.disable_parallel_tool_use", f"{NAME}: parameters")
    body["tool_choice"] = choice


def _tool_choice(request: ChatRequest, manifest: Manifest, thinks: bool, ledger: Ledger) -> dict[str, Any]:
    wanted = request.options.tool_choice
    assert wanted is not None
    forced = wanted.mode in ("required", "tool")
    if forced and wanted.mode not in manifest.tool_choice:
        detail = f"{wanted.mode!r} is not supported by {manifest.name} for this model; auto is sent"
        ledger.changed("tool_choice", detail, f"{manifest.id}: tool_choice")
    elif forced and thinks and manifest.has("no_forced_tools_while_thinking"):
        detail = f"{wanted.mode!r} is not supported while the model thinks; auto is sent"
        ledger.changed("tool_choice", detail, f"{manifest.id}: quirks")
    else:
        ledger.note("tool_choice", "sent", "tool_choice", f"{NAME}: parameters.tool_choice")
        choice: dict[str, Any] = {"type": CHOICES[wanted.mode]}
        return choice | {"name": wanted.name} if wanted.mode == "tool" else choice
    return {"type": "auto"}


def render_tool(tool: Tool, manifest: Manifest, ledger: Ledger) -> dict[str, Any]:
    """A tool of the caller's; one whose `extra` names a `type` is the provider's own (`web_search_…`) and has no schema."""
    if tool.extra.get("type", "custom") != "custom":
        return {"name": tool.name, **tool.extra}
    entry: dict[str, Any] = {"name": tool.name}
    if tool.description:
        entry["description"] = tool.description
    entry["input_schema"] = {"type": "object", **tool.parameters}
    if tool.strict is not None:
        if manifest.has("no_strict_tools"):
            ledger.dropped(f"tool {tool.name}: strict", f"is not supported by {manifest.name}", f"{manifest.id}: quirks")
        else:
            entry["strict"] = tool.strict
    return entry | dict(tool.extra)
