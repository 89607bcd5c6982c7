"""A complete response of Ollama → `ChatResponse`. A line of a stream has the same form."""

from __future__ import annotations

from ...types.json_values import child, required_text, word
from ...types.messages import Message, MessageRole, Text, Thinking
from ...types.response import ChatResponse
from ...types.tools import ToolCall
from ..dialect import wrong_shape
from .errors import raise_if_error
from .messages import NAME, own_id
from .usage import parse_usage

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

    from ...registry.manifest import Manifest
    from ...types.messages import Block

FINISH_REASONS: Mapping[str, str] = {"stop": "end_turn", "length": "max_tokens"}


def parse_body(body: Any, manifest: Manifest) -> ChatResponse:
    raise_if_error(body, manifest)
    if not isinstance(body, dict) or not isinstance(body.get("message"), dict):
        raise wrong_shape(manifest, "no message", body)
    thoughts, content = texts_of(body, manifest)
    blocks: list[Block] = [Thinking(thoughts)] if thoughts else []
    if content:
        blocks.append(Text(content))
    calls = parse_calls(body, manifest, 0)
    return ChatResponse(
        message=Message(MessageRole.ASSISTANT, [*blocks, *calls], origin=NAME),
        finish_reason=finish_reason_of(body, bool(calls), manifest),
        raw_finish_reason=word(body.get("done_reason")),
        usage=parse_usage(body),
        model=word(body.get("model")),
        raw=body,
    )


def texts_of(body: dict[str, Any], manifest: Manifest) -> tuple[str, str]:
    """The thoughts and the text of an answer or a line."""
    message = child(body, "message")
    try:
        return required_text(message.get("thinking") or ""), required_text(message.get("content") or "")
    except TypeError:
        raise wrong_shape(manifest, "a message whose content is no text", body) from None


def parse_calls(body: dict[str, Any], manifest: Manifest, first: int) -> list[ToolCall]:
    """The calls of an answer or a line; `first` is the number of the first among the answer's."""
    try:
        return [
            ToolCall(
                word(call.get("id")) or own_id(body.get("created_at"), index),
                required_text(call["function"]["name"]),
                child(call["function"], "arguments"),
            )
            for index, call in enumerate(child(body, "message").get("tool_calls") or (), first)
        ]
    except (AttributeError, KeyError, TypeError):
        raise wrong_shape(manifest, "tool_calls that cannot be read", body) from None


def finish_reason_of(body: dict[str, Any], called: bool, manifest: Manifest) -> str | None:
    """An answer that calls tools says "stop" like any other."""
    reason = word(body.get("done_reason"))
    return "tool_use" if called and reason in (None, "stop") else manifest.finish_reason(reason, FINISH_REASONS)
