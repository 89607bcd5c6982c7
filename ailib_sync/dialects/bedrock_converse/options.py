"""The body of Bedrock's Converse API: options, tools, tool choice and response format.

Guardrails, the service tier, prompt variables and so on are given in `extra`, whose objects are merged into the body
(https://docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_Converse.html).
"""

from __future__ import annotations

import json

from ...types.messages import ToolResult
from ...types.tools import ToolCall
from ..options import allows, join, place, render_options, settle_format
from ..portable import with_portable_parts
from ..strict_schema import closed_form, settle_closed_format, settle_strict
from ..tools import parameters_of, settle_parallel, settle_tools, with_sendable_names
from .messages import NAME, cache_point, render_messages
from .reasoning import FIELDS, render_reasoning

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from typing import Any

    from ...registry.manifest import Manifest
    from ...types.messages import Message
    from ...types.request import ChatRequest, Ledger, ToolChoiceMode
    from ...types.tools import Tool

#: Standard option → wire name. Manifests name that of `top_k`: each model family has its own in additionalModelRequestFields.
PARAMETERS: Mapping[str, str] = {
    "temperature": "inferenceConfig.temperature",
    "max_tokens": "inferenceConfig.maxTokens",
    "top_p": "inferenceConfig.topP",
    "stop": "inferenceConfig.stopSequences",
    "tool_choice": "toolConfig.toolChoice",
    "response_format": "outputConfig.textFormat",
    "reasoning": FIELDS,
}


#: The modes that Converse has; `none` is the absence of tools.
CHOICES: Mapping[ToolChoiceMode, str] = {"auto": "auto", "required": "any", "tool": "tool"}


def render_body(request: ChatRequest, manifest: Manifest, ledger: Ledger) -> dict[str, Any]:
    """The body of a request, without the model, which is in the URL; `request.extra` is merged into it last."""
    request = with_portable_parts(with_sendable_names(request), manifest, ledger)
    system, messages = render_messages(request.messages, manifest.has("mid_conversation_system"))
    body: dict[str, Any] = {"messages": messages}
    if system:
        body["system"] = system
    join(body, render_options(request, manifest, PARAMETERS, ledger))
    if request.options.reasoning is not None and allows("reasoning", manifest, PARAMETERS, ledger):
        render_reasoning(body, request.options.reasoning, manifest, ledger)
    settle_parallel(request, manifest, PARAMETERS, ledger)
    _render_tools(body, request, manifest, ledger)
    form = settle_format(request, manifest, PARAMETERS, ledger, kinds=("json_schema",))
    if form is not None:
        schema = settle_closed_format(form.schema or {}, manifest, ledger)
        if schema is not None:
            place(body, "outputConfig.textFormat", _render_format(form.name, schema))
    join(body, request.extra)
    return body


def _render_format(name: str, schema: Mapping[str, Any]) -> dict[str, Any]:
    # The schema is text here: https://docs.aws.amazon.com/bedrock/latest/userguide/structured-output.html
    return {
        "type": "json_schema",
        "structure": {"jsonSchema": {"name": name, "schema": json.dumps(schema)}},
    }


def _render_tools(body: dict[str, Any], request: ChatRequest, manifest: Manifest, ledger: Ledger) -> None:
    # "The toolConfig field must be defined when using toolUse and toolResult content blocks."
    called = _tools_in(request.messages)
    declared = bool(request.tools or called)
    tools, choice = settle_tools(
        request, manifest, PARAMETERS, ledger, modes=tuple(CHOICES), declared=declared, keep_tools=bool(called)
    )
    specs = [spec for tool in tools for spec in _render_tool(tool, manifest, ledger)]
    if not specs and called:
        ledger.changed("tools", "are declared by name only: Converse requires the tools of earlier calls", NAME)
        specs = [{"toolSpec": {"name": name, "inputSchema": {"json": {"type": "object"}}}} for name in called]
    if not specs:
        return
    body["toolConfig"] = {"tools": specs}
    if choice is not None:
        fields = {"name": choice.name} if choice.mode == "tool" else {}
        body["toolConfig"]["toolChoice"] = {CHOICES[choice.mode]: fields}


def _render_tool(tool: Tool, manifest: Manifest, ledger: Ledger) -> list[dict[str, Any]]:
    """The tool, and a cache point after it if its `extra` has one."""
    extra = dict(tool.extra)
    point = cache_point(extra)
    spec: dict[str, Any] = {"name": tool.name}
    if tool.description:
        spec["description"] = tool.description
    parameters: Mapping[str, Any] = parameters_of(tool) or {"type": "object", "properties": {}}
    if tool.strict is not None:
        name = f"tool {tool.name}"
        parameters, spec["strict"] = settle_strict(name, parameters, tool.strict, manifest, ledger, closed_form)
    spec["inputSchema"] = {"json": parameters}
    return [{"toolSpec": {**spec, **extra}}, *point]


def _tools_in(messages: Iterable[Message]) -> list[str]:
    """The names of the tools in the history, without duplicates. A result without its call may not know its tool's name."""
    blocks = [block for message in messages for block in message.blocks]
    names = [block.name for block in blocks if isinstance(block, (ToolCall, ToolResult)) and block.name]
    if not names and any(isinstance(block, ToolResult) for block in blocks):
        names = ["tool"]
    return list(dict.fromkeys(names))
