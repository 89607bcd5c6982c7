"""A complete response of Ollama → `ChatResponse`. Each line of a stream has the same form: stream.py."""

from __future__ import annotations

import json

from ..._signals import reraise_from_signal
from ...types.json_values import child, parse_arguments, required_text, word
from ...types.messages import Message, MessageRole, Text, Thinking
from ...types.response import ChatResponse
from ...types.tools import ToolCall
from ..dialect import wrong_shape
from .errors import raise_if_error
from .messages import NAME, generated_id
from .usage import parse_usage

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

    from ...registry.manifest import Manifest
    from ...types.messages import Block

#: A word that is not here is passed on unchanged.
FINISH_REASONS: Mapping[str, str] = {"stop": "end_turn", "length": "max_tokens"}


def parse_body(body: Any, manifest: Manifest) -> ChatResponse:
    """Raises RemoteError if the body contains an error, ProtocolError if it is no response."""
    raise_if_error(body, manifest)
    if not isinstance(body, dict) or not isinstance(body.get("message"), dict):
        raise wrong_shape(manifest, "it has no message", body)
    thinking, text = parse_texts(body, manifest)
    blocks: list[Block] = [Thinking(thinking)] if thinking else []
    if text:
        blocks.append(Text(text))
    calls = parse_calls(body, manifest, 0)
    return ChatResponse(
        message=Message(MessageRole.ASSISTANT, [*blocks, *calls], origin=NAME),
        finish_reason=finish_reason_of(body, bool(calls), manifest),
        raw_finish_reason=word(body.get("done_reason")),
        usage=parse_usage(body),
        model=word(body.get("model")),
        raw=body,
    )


def parse_texts(body: dict[str, Any], manifest: Manifest) -> tuple[str, str]:
    """(thinking, text) of a response or a line."""
    message = child(body, "message")
    try:
        return required_text(message.get("thinking") or ""), required_text(message.get("content") or "")
    except TypeError as error:
        reraise_from_signal(error)
        raise wrong_shape(manifest, "the content of the message is not text", body) from None


def parse_calls(body: dict[str, Any], manifest: Manifest, first: int) -> list[ToolCall]:
    """The calls of a response or a line. `first` is the index of the first one in the response."""
    try:
        return [
            ToolCall(
                word(call.get("id")) or generated_id(body.get("created_at"), index),
                required_text(call["function"]["name"]),
                *_arguments(call["function"].get("arguments")),
            )
            for index, call in enumerate(child(body, "message").get("tool_calls") or (), first)
        ]
    except (AttributeError, KeyError, TypeError) as error:
        reraise_from_signal(error)
        raise wrong_shape(manifest, "a tool call has no function with a name", body) from None


def _arguments(value: Any) -> tuple[dict[str, Any] | None, str | None]:
    """The arguments and their text. Some servers send JSON text instead of the object."""
    if value is None or isinstance(value, dict):
        return value or {}, None
    raw = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    return parse_arguments(raw), raw


def finish_reason_of(body: dict[str, Any], has_calls: bool, manifest: Manifest) -> str | None:
    """The standard finish reason. `done_reason` is also "stop" after tool calls."""
    reason = word(body.get("done_reason"))
    return "tool_use" if has_calls and reason in (None, "stop") else manifest.finish_reason(reason, FINISH_REASONS)
