"""Ollama's request body: options, tools, tool choice and response format.

https://docs.ollama.com/api/chat. Options that only Ollama has (`keep_alive`, `options.num_ctx`) are sent with `extra`, which is
joined object by object.
"""

from __future__ import annotations

from ..options import allows, join, render_options, settle_format
from ..portable import with_portable_parts
from ..tools import parameters_of, render_parallel, settle_tools
from .messages import render_messages
from .reasoning import render_reasoning

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

    from ...registry.manifest import Manifest
    from ...types.request import ChatRequest, Ledger
    from ...types.tools import Tool

PARAMETERS: Mapping[str, str] = {
    "temperature": "options.temperature",
    "max_tokens": "options.num_predict",
    "top_p": "options.top_p",
    "top_k": "options.top_k",
    "stop": "options.stop",
    "seed": "options.seed",
    "frequency_penalty": "options.frequency_penalty",
    "presence_penalty": "options.presence_penalty",
    "response_format": "format",
    "reasoning": "think",
}


def render_body(request: ChatRequest, manifest: Manifest, ledger: Ledger) -> dict[str, Any]:
    """The JSON body of a request."""
    request = with_portable_parts(request, manifest, ledger)
    body: dict[str, Any] = {
        "model": request.model,
        "messages": render_messages(request.messages),
        "stream": request.stream,  # absent means true
    }
    join(body, render_options(request, manifest, PARAMETERS, ledger))
    render_parallel(body, request, manifest, PARAMETERS, ledger)
    tools, _ = settle_tools(request, manifest, PARAMETERS, ledger, modes=())
    if tools:
        body["tools"] = [_render_tool(tool) for tool in tools]
    response_format = settle_format(request, manifest, PARAMETERS, ledger)
    if response_format is not None:
        body["format"] = "json" if response_format.kind == "json" else response_format.schema
    if request.options.reasoning is not None and allows("reasoning", manifest, PARAMETERS, ledger):
        render_reasoning(body, request.options.reasoning, manifest, ledger)
    join(body, request.extra)
    return body


def _render_tool(tool: Tool) -> dict[str, Any]:
    function = {"name": tool.name, "description": tool.description, "parameters": parameters_of(tool)}
    return {"type": "function", "function": function, **tool.extra}
