"""Answers and refusals of Bedrock's Converse API, read. Streams are _converse_stream's."""

from __future__ import annotations

from ...types.json_values import parse_arguments, required_text, word
from ...types.messages import Message, MessageRole, Opaque, Text, Thinking
from ...types.response import ChatResponse
from ...types.tools import ToolCall
from ..dialect import wrong_shape
from .messages import NAME
from .usage import parse_usage

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

    from ...registry.manifest import Manifest
    from ...types.messages import Block

FINISH_REASONS: Mapping[str, str] = {
    "end_turn": "end_turn",
    "tool_use": "tool_use",
    "max_tokens": "max_tokens",
    "model_context_window_exceeded": "max_tokens",
    "stop_sequence": "stop_sequence",
    "guardrail_intervened": "content_filter",
    "content_filtered": "content_filter",
}


def parse_body(body: Any, manifest: Manifest) -> ChatResponse:
    try:
        content = body["output"]["message"]["content"]
        blocks = [parse_block(block) for block in content]
    except (AttributeError, KeyError, TypeError):
        raise wrong_shape(manifest, "no output.message.content that can be read", body) from None
    reason = word(body.get("stopReason"))
    return ChatResponse(
        message=Message(MessageRole.ASSISTANT, blocks, origin=NAME),
        finish_reason=manifest.finish_reason(reason, FINISH_REASONS),
        raw_finish_reason=reason,
        stop_sequence=stop_sequence(body),
        usage=parse_usage(body.get("usage")),
        raw=body,
    )


def stop_sequence(body: Mapping[str, Any]) -> str | None:
    """Which sequence stopped the model: told only where additionalModelResponseFieldPaths asks for `/stop_sequence`."""
    fields = body.get("additionalModelResponseFields")
    found = fields.get("stop_sequence") if isinstance(fields, dict) else None
    return found if isinstance(found, str) else None


def parse_block(block: dict[str, Any]) -> Block:
    """A block of an answer; one without a common form (a hosted tool's call, its result, an image) stays as it came."""
    if isinstance(block.get("text"), str):
        return Text(block["text"])
    if "citationsContent" in block:
        cited = block["citationsContent"]
        said = "".join(required_text(part.get("text", "")) for part in cited.get("content") or ())
        return Text(said, {"citations": cited["citations"]} if cited.get("citations") else {})
    if "reasoningContent" in block:
        return _parse_thinking(block["reasoningContent"])
    call = block.get("toolUse")
    if call is not None and not is_hosted(call):
        arguments = call.get("input", {})
        raw = arguments if isinstance(arguments, str) else None
        parsed = parse_arguments(raw) if raw is not None else arguments if isinstance(arguments, dict) else None
        return ToolCall(required_text(call["toolUseId"]), required_text(call["name"]), parsed, raw)
    return Opaque(block)


def _parse_thinking(reasoning: dict[str, Any]) -> Thinking:
    if "redactedContent" in reasoning:
        return Thinking(redacted=required_text(reasoning["redactedContent"]))
    said = reasoning.get("reasoningText") or {}
    return Thinking(required_text(said.get("text", "")), word(said.get("signature")))


def is_hosted(call: Mapping[str, Any]) -> bool:
    """Whether the provider runs this tool call itself (Nova's code interpreter); the caller has nothing to answer then."""
    return call.get("type") == "server_tool_use"
