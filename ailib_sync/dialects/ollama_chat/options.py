"""Ollama's request body: options, tools, tool choice and response format.

Options that only Ollama has (`keep_alive`, `options.num_ctx`) go through `extra`, whose objects join ours.
"""

from __future__ import annotations

from ..options import allows, join, render_options, settle_format
from .messages import NAME, render_messages
from .reasoning import render_reasoning

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

    from ...registry.manifest import Manifest
    from ...types.request import ChatRequest, Ledger
    from ...types.tools import Tool

PARAMETERS: Mapping[str, str | None] = {
    "temperature": "options.temperature",
    "max_tokens": "options.num_predict",
    "top_p": "options.top_p",
    "top_k": "options.top_k",
    "stop": "options.stop",
    "seed": "options.seed",
    "frequency_penalty": "options.frequency_penalty",
    "presence_penalty": "options.presence_penalty",
    "tool_choice": None,
    "parallel_tool_calls": None,
    "response_format": "format",
    "reasoning": "think",
}


def render_body(request: ChatRequest, manifest: Manifest, ledger: Ledger) -> dict[str, Any]:
    body: dict[str, Any] = {
        "model": request.model,
        "messages": render_messages(request.messages),
        "stream": request.stream,  # absent means true
    }
    join(body, render_options(request, manifest, PARAMETERS, ledger))
    if request.options.parallel_tool_calls is not None:
        allows("parallel_tool_calls", manifest, PARAMETERS, ledger)
    if _sends_tools(request, manifest, ledger) and request.tools:
        body["tools"] = [_render_tool(tool) for tool in request.tools]
    form = settle_format(request, manifest, PARAMETERS, ledger)
    if form is not None:
        body["format"] = "json" if form.kind == "json" else form.schema
    if request.options.reasoning is not None and allows("reasoning", manifest, PARAMETERS, ledger):
        render_reasoning(body, request.options.reasoning, manifest, ledger)
    join(body, request.extra)
    return body


def _sends_tools(request: ChatRequest, manifest: Manifest, ledger: Ledger) -> bool:
    """There is no tool_choice: auto is what happens anyway, and none is met by leaving the tools out."""
    choice = request.options.tool_choice
    if choice is None:
        return True
    if not request.tools:
        ledger.note("tool_choice", "sent", "means nothing without tools", NAME)
    elif choice.mode in ("auto", "none"):
        ledger.note("tool_choice", "sent", "tools" if choice.mode == "auto" else "none: the tools are left out", NAME)
    else:
        allows("tool_choice", manifest, PARAMETERS, ledger)
    return bool(choice.mode != "none")


def _render_tool(tool: Tool) -> dict[str, Any]:
    function = {"name": tool.name, "description": tool.description, "parameters": tool.parameters}
    return {"type": "function", "function": function, **tool.extra}
