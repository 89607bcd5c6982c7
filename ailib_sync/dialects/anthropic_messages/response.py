"""Complete responses of Anthropic Messages → `ChatResponse`, and the parts that streams have too.

https://platform.claude.com/docs/en/api/messages
"""

from __future__ import annotations

import json

from ...types.events import StreamEnd
from ...types.json_values import parse_arguments, text_of, word
from ...types.messages import Message, MessageRole, Opaque, Text, Thinking
from ...types.response import ChatResponse
from ...types.tools import ToolCall
from ..dialect import wrong_shape
from .errors import raise_if_error
from .messages import NAME, RESPONSE_FIELDS
from .usage import parse_usage

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

    from ...registry.manifest import Manifest
    from ...types.messages import Block

#: `pause_turn` keeps its own word: a tool that the provider runs takes long, and the response continues after it is sent back
#: unchanged. The end of the context window truncates a response, as `max_tokens` does.
FINISH_REASONS: Mapping[str, str] = {
    "end_turn": "end_turn",
    "max_tokens": "max_tokens",
    "model_context_window_exceeded": "max_tokens",
    "stop_sequence": "stop_sequence",
    "tool_use": "tool_use",
    "refusal": "content_filter",
}


def parse_body(body: Any, manifest: Manifest) -> ChatResponse:
    """A complete response. Raises RemoteError if it is an error, ProtocolError if it has another shape."""
    if not isinstance(body, dict):
        raise wrong_shape(manifest, "it is not an object", body)
    content = body.get("content")
    if not isinstance(content, list):
        raise_if_error(body, manifest)
        raise wrong_shape(manifest, "it has no list of content", body)
    if not all(isinstance(item, dict) for item in content):
        raise wrong_shape(manifest, "a block of content is not an object", body)
    blocks = [block for block in map(_parse_block, content) if block is not None]
    end = parse_end(body, manifest)
    return ChatResponse(
        message=Message(MessageRole.ASSISTANT, blocks, origin=NAME, extra=response_fields(body)),
        finish_reason=end.finish_reason,
        raw_finish_reason=end.raw_finish_reason,
        stop_sequence=end.stop_sequence,
        refusal=end.refusal,
        usage=parse_usage(body.get("usage")),
        id=word(body.get("id")),
        model=word(body.get("model")),
        raw=body,
    )


def _parse_block(item: dict[str, Any]) -> Block | None:
    """A block of a response; None for an empty text."""
    kind = item.get("type")
    if kind == "text":
        text, extra = text_of(item.get("text")), other_keys(item, "text")
        return Text(text, extra) if text or extra else None
    if kind == "thinking":
        extra = other_keys(item, "thinking", "signature")
        return Thinking(text_of(item.get("thinking")), word(item.get("signature")), extra=extra)
    if kind == "redacted_thinking":
        return Thinking(redacted=text_of(item.get("data")), extra=other_keys(item, "data"))
    if kind == "tool_use":
        return parse_call(item, "")
    return Opaque(item)


def parse_call(item: dict[str, Any], raw: str) -> ToolCall:
    """A tool call from its block, and the text of its arguments; "" if they are in the block, as an object."""
    arguments: dict[str, Any] | None
    if raw:
        arguments = parse_arguments(raw)
    else:
        given = item.get("input") or {}
        arguments = given if isinstance(given, dict) else None
        raw = "" if arguments is not None else given if isinstance(given, str) else json.dumps(given)
    return ToolCall(
        text_of(item.get("id")),
        text_of(item.get("name")),
        arguments,
        raw or None,
        extra=other_keys(item, "id", "name", "input"),
    )


def parse_end(stop: dict[str, Any], manifest: Manifest) -> StreamEnd:
    """The end of a response, from `stop_reason`, `stop_sequence` and `stop_details`."""
    reason = word(stop.get("stop_reason"))
    details = stop.get("stop_details")
    refusal = None
    if reason == "refusal" and isinstance(details, dict):
        refusal = word(details.get("explanation")) or word(details.get("category"))
    return StreamEnd(manifest.finish_reason(reason, FINISH_REASONS), reason, word(stop.get("stop_sequence")), refusal)


def response_fields(data: dict[str, Any]) -> dict[str, Any]:
    return {key: data[key] for key in RESPONSE_FIELDS if data.get(key)}


def other_keys(item: dict[str, Any], *known: str) -> dict[str, Any]:
    """The other keys of a block, without empty values."""
    return {key: value for key, value in item.items() if key != "type" and key not in known and value not in (None, [], {})}
