"""Cohere's stream of typed events → events.

The plan of a turn with tools (`tool_plan`) and the citations are kept in `Message.extra`, from where they go back; a plan
is a part of the answer, not thinking.
"""

from __future__ import annotations

import json

from ...errors import StreamInterrupted
from ...framing.json import whole_json
from ...types.events import ContentDelta, Metadata, PartialToolCall, StreamEnd, ThinkingDelta, ToolCallEnded, ToolCallStarted
from ...types.json_values import child, parse_arguments, text_or_none
from ...types.messages import Opaque
from ...types.tools import ToolCall
from ..dialect import wrong_shape
from .errors import ERROR_WORDS, parse_error, raise_if_error
from .usage import parse_usage

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from typing import Any

    from ...framing.json import Frame
    from ...registry.manifest import Manifest
    from ...types.events import StreamingEvent


#: https://docs.cohere.com/reference/chat; TIMEOUT, and what is absent here, is given as it is.
FINISH_REASONS = {
    "COMPLETE": "end_turn",
    "STOP_SEQUENCE": "stop_sequence",
    "MAX_TOKENS": "max_tokens",
    "TOOL_CALL": "tool_use",
    "ERROR_TOXIC": "content_filter",
    "ERROR_LIMIT": "max_tokens",
}


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
            raise_if_error(delta, manifest)
            yield from answer.end_calls()
            if isinstance(delta.get("usage"), dict):
                yield Metadata(parse_usage(delta["usage"]))
            yield parse_end(delta, manifest)
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


def is_end_mark(event: str, data: str) -> bool:
    """Whether an unfinished last block is a whole `message-end` or `[DONE]`."""
    return data.strip() == "[DONE]" or ('"message-end"' in data and whole_json(data) is not None)


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
        return parse_content(child(message, "content"))

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
        call = parse_call(child(message, "tool_calls"))
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


def parse_call(entry: dict[str, Any]) -> ToolCall:
    return ToolCall(str(entry.get("id") or ""), str(child(entry, "function").get("name") or ""), None)


def parse_content(block: dict[str, Any]) -> Iterator[StreamingEvent]:
    """A content block, its start (mostly empty), or a piece of it, which does not name its type."""
    if block.get("type") not in (None, "text", "thinking"):
        yield Metadata(block=Opaque(block))
    elif thinking := text_or_none(block.get("thinking")):
        yield ThinkingDelta(thinking)
    elif text := text_or_none(block.get("text")):
        yield ContentDelta(text)


def parse_end(body: dict[str, Any], manifest: Manifest) -> StreamEnd:
    word = text_or_none(body.get("finish_reason"))
    return StreamEnd(manifest.finish_reason(word, FINISH_REASONS), word)
