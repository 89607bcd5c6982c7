"""Cohere's answers: a whole one, or a stream of typed events, → events and values. The way in only.

The plan of a turn with tools (`tool_plan`) and the citations are kept in `Message.extra`, from where they go back; a plan
is a part of the answer, not thinking.
"""

from __future__ import annotations

import json

from ...errors import ErrorDetails, StreamInterrupted
from ...types.events import ContentDelta, Metadata, PartialToolCall, StreamEnd, ThinkingDelta, ToolCallEnded, ToolCallStarted
from ...types.json_values import child, children, parse_arguments, text_or_none, total
from ...types.messages import Opaque
from ...types.response import Usage
from ...types.tools import ToolCall
from ..accumulator import Fold
from ..dialect import wrong_shape

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping
    from typing import Any

    from ...framing.json import Frame
    from ...registry.manifest import Manifest
    from ...types.events import StreamingEvent
    from ...types.response import ChatResponse

NAME = "cohere_chat"

#: https://docs.cohere.com/reference/chat; TIMEOUT, and what is absent here, is given as it is.
FINISH_REASONS = {
    "COMPLETE": "end_turn",
    "STOP_SEQUENCE": "stop_sequence",
    "MAX_TOKENS": "max_tokens",
    "TOOL_CALL": "tool_use",
    "ERROR_TOXIC": "content_filter",
    "ERROR_LIMIT": "max_tokens",
}

#: `error_type` where the body has one, and the word of `parse_error`.
ERROR_WORDS = {
    "TOO_MANY_TOKENS": "request_too_large",
    "quota of the month": "quota_exhausted",
    "invalid token": "authentication",
}


def parse_body(body: Any, manifest: Manifest) -> ChatResponse:
    if not isinstance(body, dict):
        raise wrong_shape(manifest, "it is not an object", body)
    _raise_trouble(body, manifest)
    if not isinstance(body.get("message"), dict):
        if "message" in body:
            raise manifest.error(None, parse_error(None, body), ERROR_WORDS, body=json.dumps(body))
        raise wrong_shape(manifest, "it has no message", body)
    fold = Fold()
    for event in _events_of(body):
        fold.add(event)
    fold.add(_end(body, manifest))
    response = fold.response(NAME)
    response.raw = body
    return response


def _events_of(body: dict[str, Any]) -> Iterator[StreamingEvent]:
    message = body["message"]
    extra = {key: message[key] for key in ("tool_plan", "citations") if message.get(key)}
    yield Metadata(parse_usage(body.get("usage")), text_or_none(body.get("id")), message_extra=extra or None)
    content = message.get("content")
    for block in [{"type": "text", "text": content}] if isinstance(content, str) else children(message, "content"):
        yield from _content(block)
    for index, call in enumerate(children(message, "tool_calls")):
        raw = str(child(call, "function").get("arguments") or "")
        made = _call(call)
        yield ToolCallStarted(index, made.id, made.name)
        yield PartialToolCall(index, raw)
        yield ToolCallEnded(index, ToolCall(made.id, made.name, parse_arguments(raw), raw))


def parse_stream(frames: Iterable[Frame], manifest: Manifest) -> Iterator[StreamingEvent]:
    """Ends at `message-end`; a `[DONE]` after it is not waited for."""
    answer = _Stream()
    for name, data in frames:
        if data is None:
            break
        if not isinstance(data, dict):
            raise wrong_shape(manifest, "an event is not an object", data)
        kind = text_or_none(data.get("type")) or name
        if kind == "message-end":
            delta = child(data, "delta")
            _raise_trouble(delta, manifest)
            yield from answer.end_calls()
            if isinstance(delta.get("usage"), dict):
                yield Metadata(parse_usage(delta["usage"]))
            yield _end(delta, manifest)
            return
        read = answer.readers.get(kind)
        if read is not None:
            yield from read(data, child(child(data, "delta"), "message"))
        elif "type" not in data and ("message" in data or "error" in data):
            raise manifest.error(None, parse_error(None, data), ERROR_WORDS, body=json.dumps(data))
    raise StreamInterrupted("the stream ended without message-end", provider=manifest.id)


def delta_of(data: Any, manifest: Manifest) -> tuple[str, str] | None:
    """The text of a frame that is a delta; its kind, or the call it belongs to."""
    if not isinstance(data, dict):
        return None
    message = child(child(data, "delta"), "message")
    if data.get("type") == "tool-call-delta":
        arguments = child(child(message, "tool_calls"), "function").get("arguments")
        return (arguments, str(data.get("index"))) if isinstance(arguments, str) else None
    content = child(message, "content")
    if data.get("type") == "content-delta" and len(content) == 1:
        ((kind, text),) = content.items()
        if kind in ("text", "thinking") and isinstance(text, str):
            return text, kind
    return None


class _Stream:
    """What a stream's events leave behind for the later ones: the calls under way, the plan and the citations so far."""

    __slots__ = ("_calls", "_citations", "_plan", "_position", "readers")

    def __init__(self) -> None:
        self._calls: list[tuple[ToolCall, list[str]]] = []
        self._position: dict[Any, int] = {}
        self._plan = ""
        self._citations: list[dict[str, Any]] = []
        self.readers: dict[str, Callable[[dict[str, Any], dict[str, Any]], Iterator[StreamingEvent]]] = {
            "message-start": self._start,
            "content-start": self._add_content,
            "content-delta": self._add_content,
            "tool-plan-delta": self._add_plan,
            "tool-call-start": self._start_call,
            "tool-call-delta": self._add_arguments,
            "tool-call-end": self._end_call,
            "citation-start": self._add_citation,
        }

    def end_calls(self) -> Iterator[StreamingEvent]:
        """Ends the calls that the stream did not."""
        for index in sorted(self._position.values()):
            yield self._ended(index)
        self._position.clear()

    def _start(self, data: dict[str, Any], message: dict[str, Any]) -> Iterator[StreamingEvent]:
        if isinstance(data.get("id"), str):
            yield Metadata(id=data["id"])

    def _add_content(self, data: dict[str, Any], message: dict[str, Any]) -> Iterator[StreamingEvent]:
        return _content(child(message, "content"))

    def _add_plan(self, data: dict[str, Any], message: dict[str, Any]) -> Iterator[StreamingEvent]:
        self._plan += text_or_none(message.get("tool_plan")) or ""
        yield Metadata(message_extra={"tool_plan": self._plan})

    def _add_citation(self, data: dict[str, Any], message: dict[str, Any]) -> Iterator[StreamingEvent]:
        self._citations = [*self._citations, child(message, "citations")]
        yield Metadata(message_extra={"citations": self._citations})

    def _start_call(self, data: dict[str, Any], message: dict[str, Any]) -> Iterator[StreamingEvent]:
        wire, index = str(data.get("index")), len(self._calls)
        if wire in self._position:
            yield self._ended(self._position.pop(wire))
        call = _call(child(message, "tool_calls"))
        self._position[wire] = index
        self._calls.append((call, []))
        yield ToolCallStarted(index, call.id, call.name)
        yield from self._add_arguments(data, message)

    def _add_arguments(self, data: dict[str, Any], message: dict[str, Any]) -> Iterator[StreamingEvent]:
        index = self._position.get(str(data.get("index")))
        piece = text_or_none(child(child(message, "tool_calls"), "function").get("arguments"))
        if index is not None and piece:
            self._calls[index][1].append(piece)
            yield PartialToolCall(index, piece)

    def _end_call(self, data: dict[str, Any], message: dict[str, Any]) -> Iterator[StreamingEvent]:
        index = self._position.pop(str(data.get("index")), None)
        if index is not None:
            yield self._ended(index)

    def _ended(self, index: int) -> ToolCallEnded:
        call, pieces = self._calls[index]
        raw = "".join(pieces)
        return ToolCallEnded(index, ToolCall(call.id, call.name, parse_arguments(raw), raw))


def _call(entry: dict[str, Any]) -> ToolCall:
    return ToolCall(str(entry.get("id") or ""), str(child(entry, "function").get("name") or ""), None)


def _content(block: dict[str, Any]) -> Iterator[StreamingEvent]:
    """A content block, its start (mostly empty), or a piece of it, which does not name its type."""
    if block.get("type") not in (None, "text", "thinking"):
        yield Metadata(block=Opaque(block))
    elif thinking := text_or_none(block.get("thinking")):
        yield ThinkingDelta(thinking)
    elif text := text_or_none(block.get("text")):
        yield ContentDelta(text)


def _end(body: dict[str, Any], manifest: Manifest) -> StreamEnd:
    word = text_or_none(body.get("finish_reason"))
    return StreamEnd(manifest.finish_reason(word, FINISH_REASONS), word)


def _raise_trouble(body: dict[str, Any], manifest: Manifest) -> None:
    """Raises where the generation failed after the status line: `finish_reason` ERROR, or an `error` beside it."""
    error = body.get("error")
    if error or body.get("finish_reason") == "ERROR":
        text = error if isinstance(error, str) else child(body, "error").get("message")
        details = ErrorDetails(str(text or "the generation failed"), type=text_or_none(body.get("error_type")))
        raise manifest.error(None, details, ERROR_WORDS, body=json.dumps(body))


def parse_usage(usage: Any) -> Usage | None:
    """`tokens` is what the model read and wrote, pictures apart; `billed_units` leaves out the service's own preamble."""
    if not isinstance(usage, dict):
        return None
    tokens = child(usage, "tokens") or child(usage, "billed_units")
    prompt = total(tokens.get("input_tokens"), tokens.get("image_tokens"))
    completion = total(tokens.get("output_tokens"))
    return Usage(
        prompt_tokens=prompt,
        completion_tokens=completion,
        total_tokens=prompt + completion if prompt is not None and completion is not None else None,
        cached_tokens=total(usage.get("cached_tokens")),
        reasoning_tokens=total(tokens.get("reasoning_tokens")),
        raw=usage,
    )


def parse_error(status: int | None, body: Any) -> ErrorDetails:
    """`{"message": …, "error_type"?: …}`; a proxy in front may answer in text."""
    if not isinstance(body, dict):
        text = body if isinstance(body, str) and not body.lstrip().startswith("<") else ""
        return ErrorDetails(text.strip())
    error: Mapping[str, Any] = child(body, "error") or body
    message = str(error.get("message") or text_or_none(body.get("error")) or "")
    reason = "invalid token" if status == 498 else None
    # A trial key has two limits of one status: calls a minute, which pass, and calls a month, which do not.
    # https://docs.cohere.com/docs/rate-limits
    if status == 429 and "/ month" in message:
        reason = "quota of the month"
    return ErrorDetails(message, type=text_or_none(error.get("error_type")), reason=reason)
