"""Cohere's request body: options, tools, tool choice and response format.

https://docs.cohere.com/reference/chat. Documents to answer from are sent with `extra={"documents": [{"data": {...}}, ...]}`, as
are `citation_options` and `safety_mode`.
"""

from __future__ import annotations

from ...errors import ConfigurationError
from ..options import allows, render_options, settle_format
from ..portable import with_portable_parts
from ..tools import parameters_of, render_parallel, settle_tools, with_sendable_names
from .messages import render_messages
from .reasoning import render_reasoning

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

    from ...registry.manifest import Manifest
    from ...types.request import ChatRequest, Ledger, ToolChoiceMode
    from ...types.tools import Tool

PARAMETERS: Mapping[str, str] = {
    "temperature": "temperature",
    "max_tokens": "max_tokens",
    "top_p": "p",
    "top_k": "k",
    "stop": "stop_sequences",
    "seed": "seed",
    "frequency_penalty": "frequency_penalty",
    "presence_penalty": "presence_penalty",
    "tool_choice": "tool_choice",
    "response_format": "response_format",
    "reasoning": "thinking",
}


#: Cohere has no word for `auto`, and none for one tool by its name.
CHOICES: Mapping[ToolChoiceMode, str] = {"required": "REQUIRED", "tool": "REQUIRED", "none": "NONE"}


def render_body(request: ChatRequest, manifest: Manifest, ledger: Ledger) -> dict[str, Any]:
    """The JSON body of a request."""
    request = with_portable_parts(with_sendable_names(request), manifest, ledger)
    body: dict[str, Any] = {"model": request.model, "messages": render_messages(request.messages, manifest)}
    if request.stream:
        body["stream"] = True
    body.update(render_options(request, manifest, PARAMETERS, ledger))
    render_parallel(body, request, manifest, PARAMETERS, ledger)
    _render_tools(body, request, manifest, ledger)
    response_format = settle_format(request, manifest, PARAMETERS, ledger)
    if response_format is not None:
        body["response_format"] = {"type": "json_object"}
        if response_format.kind == "json_schema":
            body["response_format"]["json_schema"] = response_format.schema
    if request.options.reasoning is not None and allows("reasoning", manifest, PARAMETERS, ledger):
        body.update(render_reasoning(request.options.reasoning, manifest, ledger))
    body.update(request.extra)
    return body


def _render_tools(body: dict[str, Any], request: ChatRequest, manifest: Manifest, ledger: Ledger) -> None:
    """`tools`, `strict_tools` and `tool_choice`. To choose one tool, it is the only one that is sent."""
    tools, choice = settle_tools(request, manifest, PARAMETERS, ledger, declared=bool(request.tools))
    if choice is not None and choice.mode == "tool":
        tools = tuple(tool for tool in tools if tool.name == choice.name)
        if not tools:
            raise ConfigurationError(f"tool_choice names {choice.name!r}, which is not among the tools")
    if tools:
        body["tools"] = [_render_tool(tool) for tool in tools]
        if any(tool.strict for tool in tools):
            body["strict_tools"] = True
    if choice is not None and choice.mode in CHOICES:
        body["tool_choice"] = CHOICES[choice.mode]


def _render_tool(tool: Tool) -> dict[str, Any]:
    function = {"name": tool.name, "description": tool.description, "parameters": parameters_of(tool)}
    return {"type": "function", "function": function, **tool.extra}
