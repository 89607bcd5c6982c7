"""Complete responses of Bedrock's Converse API → `ChatResponse`, and the parts that streams have too."""

from __future__ import annotations

from ..._signals import reraise_from_signal
from ...types.events import StreamEnd
from ...types.json_values import child, parse_arguments, required_text, text_or_none, word
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
    "malformed_model_output": "error",
    "malformed_tool_use": "error",
}


def parse_body(body: Any, manifest: Manifest) -> ChatResponse:
    """A complete response. Raises ProtocolError if it has another shape."""
    try:
        content = body["output"]["message"]["content"]
        blocks = [parse_block(block) for block in content]
    except (AttributeError, KeyError, TypeError) as error:
        reraise_from_signal(error)
        raise wrong_shape(manifest, "it has no output.message.content that can be read", body) from None
    end = parse_end(body, manifest)
    return ChatResponse(
        message=Message(MessageRole.ASSISTANT, blocks, origin=NAME),
        finish_reason=end.finish_reason,
        raw_finish_reason=end.raw_finish_reason,
        stop_sequence=end.stop_sequence,
        usage=parse_usage(body.get("usage")),
        raw=body,
    )


def parse_end(body: dict[str, Any], manifest: Manifest) -> StreamEnd:
    """The end of a response. `stop_sequence` is in it only if additionalModelResponseFieldPaths requests `/stop_sequence`."""
    reason = word(body.get("stopReason"))
    stop_sequence = text_or_none(child(body, "additionalModelResponseFields").get("stop_sequence"))
    return StreamEnd(manifest.finish_reason(reason, FINISH_REASONS), reason, stop_sequence)


def parse_block(block: dict[str, Any]) -> Block:
    """A block of a response. One without a common form (a call that the provider runs, its result, an image) is kept."""
    if isinstance(block.get("text"), str):
        return Text(block["text"])
    if "citationsContent" in block:
        cited = block["citationsContent"]
        text = "".join(required_text(part.get("text", "")) for part in cited.get("content") or ())
        return Text(text, {"citations": cited["citations"]} if cited.get("citations") else {})
    if "reasoningContent" in block:
        return _parse_thinking(block["reasoningContent"])
    call = block.get("toolUse")
    if call is not None and not is_run_by_provider(call):
        arguments = call.get("input", {})
        raw = arguments if isinstance(arguments, str) else None
        parsed = parse_arguments(raw) if raw is not None else arguments if isinstance(arguments, dict) else None
        return ToolCall(required_text(call["toolUseId"]), required_text(call["name"]), parsed, raw)
    return Opaque(block)


def _parse_thinking(reasoning: dict[str, Any]) -> Thinking:
    if "redactedContent" in reasoning:
        return Thinking(redacted=required_text(reasoning["redactedContent"]))
    thinking = reasoning.get("reasoningText") or {}
    return Thinking(required_text(thinking.get("text", "")), word(thinking.get("signature")))


def is_run_by_provider(call: Mapping[str, Any]) -> bool:
    """Whether the provider runs this tool call itself (Nova's code interpreter), so that the caller sends no result."""
    return call.get("type") == "server_tool_use"
