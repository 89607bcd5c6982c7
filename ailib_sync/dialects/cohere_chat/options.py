"""Cohere's request body: options, tools, tool choice and response format.

Documents to answer from go beside the messages: `extra={"documents": [{"data": {...}}, ...]}`, as do `citation_options`
and `safety_mode`.
"""

from __future__ import annotations

from ...errors import ConfigurationError
from ..options import allows, render_options, settle_format
from .messages import render_message
from .reasoning import render_reasoning

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from ...registry.manifest import Manifest
    from ...types.request import ChatRequest, Ledger
    from ...types.tools import Tool

PARAMETERS: dict[str, str | None] = {
    "temperature": "temperature",
    "max_tokens": "max_tokens",
    "top_p": "p",
    "top_k": "k",
    "stop": "stop_sequences",
    "seed": "seed",
    "frequency_penalty": "frequency_penalty",
    "presence_penalty": "presence_penalty",
    "tool_choice": "tool_choice",
    "parallel_tool_calls": None,
    "response_format": "response_format",
    "reasoning": "thinking",
}


def render_body(request: ChatRequest, manifest: Manifest, ledger: Ledger) -> dict[str, Any]:
    messages = [wire for message in request.messages for wire in render_message(message, manifest)]
    body: dict[str, Any] = {"model": request.model, "messages": messages}
    if request.stream:
        body["stream"] = True
    body.update(render_options(request, manifest, PARAMETERS, ledger))
    body.update(_render_tools(request, manifest, ledger))
    form = settle_format(request, manifest, PARAMETERS, ledger)
    if form is not None:
        body["response_format"] = {"type": "json_object"}
        if form.kind == "json_schema":
            body["response_format"]["json_schema"] = form.schema
    if request.options.reasoning is not None and allows("reasoning", manifest, PARAMETERS, ledger):
        body.update(render_reasoning(request.options.reasoning, manifest, ledger))
    body.update(request.extra)
    return body


def _render_tools(request: ChatRequest, manifest: Manifest, ledger: Ledger) -> dict[str, Any]:
    """`tools`, `strict_tools` and `tool_choice`. The one tool to call is the only one offered: its name has no form here."""
    if request.options.parallel_tool_calls is not None:
        allows("parallel_tool_calls", manifest, PARAMETERS, ledger)
    choice = request.options.tool_choice
    source = f"{manifest.id}: tool_choice"
    if choice is not None and not request.tools:
        ledger.dropped("tool_choice", "is left out: the request has no tools", source)
        return {}
    if choice is not None and choice.mode not in manifest.tool_choice:
        ledger.dropped("tool_choice", f"{choice.mode!r} is not supported by {manifest.name} for this model", source)
        choice = None
    elif choice is not None and not allows("tool_choice", manifest, PARAMETERS, ledger):
        choice = None
    if not request.tools:
        return {}
    tools = request.tools
    if choice is not None and choice.mode == "tool":
        tools = tuple(tool for tool in tools if tool.name == choice.name)
        if not tools:
            raise ConfigurationError(f"tool_choice names {choice.name!r}, which is not among the tools")
    fields: dict[str, Any] = {"tools": [_render_tool(tool) for tool in tools]}
    if any(tool.strict for tool in tools):
        fields["strict_tools"] = True
    if choice is not None:
        word = {"required": "REQUIRED", "tool": "REQUIRED", "none": "NONE"}.get(choice.mode)
        ledger.note("tool_choice", "renamed", word or "absent, which means auto", source)
        if word:
            fields["tool_choice"] = word
    return fields


def _render_tool(tool: Tool) -> dict[str, Any]:
    function = {"name": tool.name, "description": tool.description, "parameters": tool.parameters}
    return {"type": "function", "function": function, **tool.extra}
