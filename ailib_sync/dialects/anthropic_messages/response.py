"""Whole answers of Anthropic Messages → values, and the parts of them that streams have too. Nothing that goes out.

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
from .errors import is_error, refusal_of
from .messages import ANSWER_FACTS, NAME
from .usage import parse_usage

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

    from ...registry.manifest import Manifest
    from ...types.messages import Block

#: `pause_turn` keeps its own word: a hosted tool ran long, and the answer goes on when it is sent back as it is. An answer cut
#: by the end of the context window is cut all the same, so it is `max_tokens`.
FINISH_REASONS: Mapping[str, str] = {
    "end_turn": "end_turn",
    "max_tokens": "max_tokens",
    "model_context_window_exceeded": "max_tokens",
    "stop_sequence": "stop_sequence",
    "tool_use": "tool_use",
    "refusal": "content_filter",
}


def parse_body(body: Any, manifest: Manifest) -> ChatResponse:
    """A whole answer. Raises RemoteError where it is an error after all, ProtocolError where it is no answer."""
    if not isinstance(body, dict):
        raise wrong_shape(manifest, "not an object", body)
    content = body.get("content")
    if not isinstance(content, list):
        raise refusal_of(body, manifest) if is_error(body) else wrong_shape(manifest, "no list of content", body)
    if not all(isinstance(item, dict) for item in content):
        raise wrong_shape(manifest, "a block of content is no object", body)
    blocks = [block for block in map(_parse_block, content) if block is not None]
    end = parse_end(body, manifest)
    return ChatResponse(
        message=Message(MessageRole.ASSISTANT, blocks, origin=NAME, extra=facts_of(body)),
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
    """One block of an answer; None for a text that says nothing."""
    kind = item.get("type")
    if kind == "text":
        text, extra = text_of(item.get("text")), rest_of(item, "text")
        return Text(text, extra) if text or extra else None
    if kind == "thinking":
        extra = rest_of(item, "thinking", "signature")
        return Thinking(text_of(item.get("thinking")), word(item.get("signature")), extra=extra)
    if kind == "redacted_thinking":
        return Thinking(redacted=text_of(item.get("data")), extra=rest_of(item, "data"))
    if kind == "tool_use":
        return parse_call(item, "")
    return Opaque(item)


def parse_call(item: dict[str, Any], raw: str) -> ToolCall:
    """A tool call from its block and the text of its arguments; "" where they stand in the block, as an object."""
    arguments: dict[str, Any] | None
    if raw:
        arguments = parse_arguments(raw)
    else:
        given = item.get("input") or {}
        arguments = given if isinstance(given, dict) else None
        raw = "" if arguments is not None else given if isinstance(given, str) else json.dumps(given)
    return ToolCall(
        text_of(item.get("id")), text_of(item.get("name")), arguments, raw or None, extra=rest_of(item, "id", "name", "input")
    )


def parse_end(stop: dict[str, Any], manifest: Manifest) -> StreamEnd:
    reason = word(stop.get("stop_reason"))
    details = stop.get("stop_details")
    refusal = None
    if reason == "refusal" and isinstance(details, dict):
        refusal = word(details.get("explanation")) or word(details.get("category"))
    return StreamEnd(manifest.finish_reason(reason, FINISH_REASONS), reason, word(stop.get("stop_sequence")), refusal)


def facts_of(data: dict[str, Any]) -> dict[str, Any]:
    return {key: data[key] for key in ANSWER_FACTS if data.get(key)}


def rest_of(item: dict[str, Any], *known: str) -> dict[str, Any]:
    """What else a block holds; what is empty says nothing."""
    return {key: value for key, value in item.items() if key != "type" and key not in known and value not in (None, [], {})}
