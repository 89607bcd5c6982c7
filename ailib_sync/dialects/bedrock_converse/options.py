"""Amazon Bedrock's Converse API: requests, and the record of the dialect. Blocks, answers and streams are its neighbours'.

https://docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_Converse.html

Guardrails, service tier, prompt variables and the like go through `extra`, whose objects join ours.
"""

from __future__ import annotations

import json

from ...types.messages import ToolResult
from ...types.tools import ToolCall
from ..options import allows, join, place, render_options, settle_format
from .messages import NAME, cache_point, render_messages
from .reasoning import FIELDS, render_reasoning, thinks, without_sampling

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from typing import Any

    from ...registry.manifest import Manifest
    from ...types.messages import Message
    from ...types.request import ChatRequest, Ledger, ResponseFormat, ToolChoice
    from ...types.tools import Tool

PARAMETERS: Mapping[str, str | None] = {
    "temperature": "inferenceConfig.temperature",
    "max_tokens": "inferenceConfig.maxTokens",
    "top_p": "inferenceConfig.topP",
    "top_k": None,  # every model family has its own place for it under additionalModelRequestFields
    "stop": "inferenceConfig.stopSequences",
    "seed": None,
    "frequency_penalty": None,
    "presence_penalty": None,
    "tool_choice": "toolConfig.toolChoice",
    "parallel_tool_calls": None,
    "response_format": "outputConfig.textFormat",
    "reasoning": FIELDS,
}


def render_body(request: ChatRequest, manifest: Manifest, ledger: Ledger) -> dict[str, Any]:
    """The body; the model's id stands in the path."""
    system, messages = render_messages(request.messages, manifest.has("mid_conversation_system"))
    body: dict[str, Any] = {"messages": messages}
    if system:
        body["system"] = system
    if thinks(request, manifest) and (manifest.reasoning or {}).get("no_sampling"):
        request = without_sampling(request, manifest, ledger)
    join(body, render_options(request, manifest, PARAMETERS, ledger))
    if request.options.reasoning is not None and allows("reasoning", manifest, PARAMETERS, ledger):
        render_reasoning(body, request.options.reasoning, manifest, ledger)
    if request.options.parallel_tool_calls is not None:
        allows("parallel_tool_calls", manifest, PARAMETERS, ledger)
    _render_tools(body, request, manifest, ledger)
    form = settle_format(request, manifest, PARAMETERS, ledger, kinds=("json_schema",))
    if form is not None:
        place(body, "outputConfig.textFormat", _render_format(form))
    join(body, request.extra)
    return body


def _render_format(wanted: ResponseFormat) -> dict[str, Any]:
    # The schema is a text here: https://docs.aws.amazon.com/bedrock/latest/userguide/structured-output.html
    return {
        "type": "json_schema",
        "structure": {"jsonSchema": {"name": wanted.name, "schema": json.dumps(wanted.schema)}},
    }


def _render_tools(body: dict[str, Any], request: ChatRequest, manifest: Manifest, ledger: Ledger) -> None:
    choice: ToolChoice | None = request.options.tool_choice
    tools = [spec for tool in request.tools for spec in _render_tool(tool)]
    # "The toolConfig field must be defined when using toolUse and toolResult content blocks."
    spoken_of = _tools_in(request.messages)
    if not tools and spoken_of:
        ledger.changed("tools", "are declared by name alone, since Converse wants those of earlier calls declared", NAME)
        tools = [{"toolSpec": {"name": name, "inputSchema": {"json": {"type": "object"}}}} for name in spoken_of]
    rendered = None
    if choice is not None and choice.mode == "none":
        # "none" has no form. Without tools no tool is called; with earlier calls they cannot be left out.
        if not spoken_of:
            ledger.note("tool_choice", "sent", "none: the tools are left out", NAME)
            return
        ledger.dropped("tool_choice", "none has no form in Converse, which wants the tools of earlier calls declared", NAME)
    elif choice is not None and not tools:
        ledger.dropped("tool_choice", "is left out, since there are no tools", NAME)
    elif choice is not None and allows("tool_choice", manifest, PARAMETERS, ledger):
        by_budget = thinks(request, manifest) and (manifest.reasoning or {}).get("style") == "budget"
        rendered = _render_tool_choice(choice, by_budget, manifest, ledger)
    if tools:
        body["toolConfig"] = {"tools": tools, **({"toolChoice": rendered} if rendered else {})}


def _render_tool(tool: Tool) -> list[dict[str, Any]]:
    """The tool, and a cache point after it where its `extra` asks for one."""
    extra = dict(tool.extra)
    point = cache_point(extra)
    spec: dict[str, Any] = {"name": tool.name}
    if tool.description:
        spec["description"] = tool.description
    spec["inputSchema"] = {"json": tool.parameters}
    if tool.strict is not None:
        spec["strict"] = tool.strict
    return [{"toolSpec": {**spec, **extra}}, *point]


def _tools_in(messages: Iterable[Message]) -> list[str]:
    """The names of the tools the history speaks of, each once; a result that stands alone may not know its tool's."""
    blocks = [block for message in messages for block in message.blocks]
    names = [block.name for block in blocks if isinstance(block, (ToolCall, ToolResult)) and block.name]
    if not names and any(isinstance(block, ToolResult) for block in blocks):
        names = ["tool"]
    return list(dict.fromkeys(names))


def _render_tool_choice(
    choice: ToolChoice, thinks_by_budget: bool, manifest: Manifest, ledger: Ledger
) -> dict[str, Any] | None:
    """`toolChoice`; a mode that the model does not take becomes the nearest it takes, or is left out."""
    source = f"{manifest.id}: tool_choice"
    mode = choice.mode
    if mode == "tool" and mode not in manifest.tool_choice and "required" in manifest.tool_choice:
        ledger.changed("tool_choice", f"is required: {manifest.name} takes no named tool for this model", source)
        mode = "required"
    if thinks_by_budget and mode != "auto":
        # https://platform.claude.com/docs/en/build-with-claude/extended-thinking#extended-thinking-with-tool-use
        ledger.changed("tool_choice", "is auto: while this model thinks it cannot be made to call a tool", source)
        mode = "auto"
    if mode not in manifest.tool_choice:
        ledger.dropped("tool_choice", f"{mode} is not supported by {manifest.name} for this model", source)
        return None
    ledger.note("tool_choice", "sent", mode, source)
    return {"tool": {"name": choice.name}} if mode == "tool" else {_TOOL_CHOICES[mode]: {}}


_TOOL_CHOICES = {"auto": "auto", "required": "any"}
