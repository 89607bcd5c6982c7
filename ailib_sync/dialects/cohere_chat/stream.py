"""Cohere's stream of typed events → events.

https://docs.cohere.com/v2/docs/streaming. The plan before tool calls (`tool_plan`) and the citations are kept in
`Message.extra`, and are sent back from there. A plan is part of the response, not thinking.
"""

from __future__ import annotations

from ...framing.json import complete_json
from ...types.events import ContentDelta, Metadata, PartialToolCall, StreamEnd, ToolCallEnded, ToolCallStarted
from ...types.json_values import child, parse_arguments, text_of, text_or_none, word
from ...types.messages import Opaque
from ...types.tools import ToolCall
from ..dialect import wrong_shape
from ..errors import error_in_response
from ..stream import GrowingValue, interrupted
from .errors import ERROR_WORDS, parse_error, raise_if_error
from .reasoning import parse_thinking
from .usage import parse_usage

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping
    from typing import Any

    from ...framing.json import Frame
    from ...registry.manifest import Manifest
    from ...types.events import StreamingEvent

#: https://docs.cohere.com/reference/chat. A word that is not here, such as TIMEOUT, is passed on unchanged.
FINISH_REASONS: Mapping[str, str] = {
    "COMPLETE": "end_turn",
    "STOP_SEQUENCE": "stop_sequence",
    "MAX_TOKENS": "max_tokens",
    "TOOL_CALL": "tool_use",
    "ERROR_TOXIC": "content_filter",
    "ERROR_LIMIT": "max_tokens",
    "ERROR": "error",
    "TIMEOUT": "error",
}


def parse_stream(frames: Iterable[Frame], manifest: Manifest) -> Iterator[StreamingEvent]:
    """The events of a stream. Its end mark `message-end` has the finish reason; a `[DONE]` after it is ignored."""
    reader = StreamReader()
    for name, data in frames:
        if data is None:
            break
        if not isinstance(data, dict):
            raise wrong_shape(manifest, "an event is not an object", data)
        kind = text_or_none(data.get("type")) or name
        if kind == "message-end":
            delta = child(data, "delta")
            raise_if_error(delta, manifest)
            yield from reader.end()
            if isinstance(delta.get("usage"), dict):
                yield Metadata(parse_usage(delta["usage"]))
            yield parse_end(delta, manifest)
            return
        read = reader.readers.get(kind)
        if read is not None:
            yield from read(data, child(child(data, "delta"), "message"))
        elif kind == "error" or "error" in data or ("type" not in data and "message" in data):
            raise error_in_response(data, parse_error(None, data), ERROR_WORDS, manifest)
    raise interrupted("message-end", manifest)


def delta_of(data: Any, manifest: Manifest) -> tuple[str, str] | None:
    """The text of a frame from which nothing else is read, and its kind or its call (see dialect.Streaming)."""
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
    """Whether an unfinished last block is a complete `message-end` or `[DONE]`."""
    return data.strip() == "[DONE]" or ('"message-end"' in data and complete_json(data) is not None)


class StreamReader:
    """What later events of a stream need: the calls that have not ended, the plan and the citations so far.

    `readers` has a method for each type of event. It gets the event and its `delta.message`.
    """

    __slots__ = ("_calls", "_citations", "_cited", "_plan", "_planned", "_positions", "readers")

    def __init__(self) -> None:
        self._calls: list[tuple[ToolCall, list[str]]] = []
        #: The event's `index` of each call that has not ended → its position in `_calls`.
        self._positions: dict[str, int] = {}
        self._plan: list[str] = []
        self._planned = GrowingValue()
        self._citations: list[dict[str, Any]] = []
        self._cited = GrowingValue()
        self.readers: dict[str, Callable[[dict[str, Any], dict[str, Any]], Iterator[StreamingEvent]]] = {
            "message-start": self._read_start,
            "content-start": self._read_content,
            "content-delta": self._read_content,
            "tool-plan-delta": self._read_plan,
            "tool-call-start": self._start_call,
            "tool-call-delta": self._read_arguments,
            "tool-call-end": self._end_call,
            "citation-start": self._read_citation,
        }

    def end(self) -> Iterator[StreamingEvent]:
        """The ends of calls without `tool-call-end`; the plan and the citations, if they have grown since their last event."""
        if self._planned.flush():
            yield Metadata(message_extra={"tool_plan": "".join(self._plan)})
        if self._cited.flush():
            yield Metadata(message_extra={"citations": [*self._citations]})
        for position in sorted(self._positions.values()):
            yield self._ended(position)
        self._positions.clear()

    def _read_start(self, data: dict[str, Any], message: dict[str, Any]) -> Iterator[StreamingEvent]:
        if isinstance(data.get("id"), str):
            yield Metadata(id=data["id"])

    def _read_content(self, data: dict[str, Any], message: dict[str, Any]) -> Iterator[StreamingEvent]:
        return parse_content(child(message, "content"))

    def _read_plan(self, data: dict[str, Any], message: dict[str, Any]) -> Iterator[StreamingEvent]:
        self._plan.append(text_of(message.get("tool_plan")))
        if self._planned.grow():
            yield Metadata(message_extra={"tool_plan": "".join(self._plan)})

    def _read_citation(self, data: dict[str, Any], message: dict[str, Any]) -> Iterator[StreamingEvent]:
        self._citations.append(child(message, "citations"))
        if self._cited.grow():
            yield Metadata(message_extra={"citations": [*self._citations]})

    def _start_call(self, data: dict[str, Any], message: dict[str, Any]) -> Iterator[StreamingEvent]:
        index, position = str(data.get("index")), len(self._calls)
        if index in self._positions:
            yield self._ended(self._positions.pop(index))
        call = parse_call(child(message, "tool_calls"))
        self._positions[index] = position
        self._calls.append((call, []))
        yield ToolCallStarted(position, call.id, call.name)
        yield from self._read_arguments(data, message)

    def _read_arguments(self, data: dict[str, Any], message: dict[str, Any]) -> Iterator[StreamingEvent]:
        position = self._positions.get(str(data.get("index")))
        fragment = text_of(child(child(message, "tool_calls"), "function").get("arguments"))
        if position is not None and fragment:
            self._calls[position][1].append(fragment)
            yield PartialToolCall(position, fragment)

    def _end_call(self, data: dict[str, Any], message: dict[str, Any]) -> Iterator[StreamingEvent]:
        position = self._positions.pop(str(data.get("index")), None)
        if position is not None:
            yield self._ended(position)

    def _ended(self, position: int) -> ToolCallEnded:
        call, fragments = self._calls[position]
        raw = "".join(fragments)
        return ToolCallEnded(position, ToolCall(call.id, call.name, parse_arguments(raw), raw))


def parse_call(call: dict[str, Any]) -> ToolCall:
    """A tool call, without its arguments."""
    return ToolCall(word(call.get("id")) or "", word(child(call, "function").get("name")) or "", None)


def parse_content(part: dict[str, Any]) -> Iterator[StreamingEvent]:
    """The event of a content part, of its start (mostly empty), or of a fragment of it, which has no type."""
    if part.get("type") not in (None, "text", "thinking"):
        yield Metadata(block=Opaque(part))
    elif (thinking := parse_thinking(part)) is not None:
        yield thinking
    elif text := text_of(part.get("text")):
        yield ContentDelta(text)


def parse_end(body: dict[str, Any], manifest: Manifest) -> StreamEnd:
    """The last event, from a response or from the `delta` of `message-end`."""
    reason = text_or_none(body.get("finish_reason"))
    return StreamEnd(manifest.finish_reason(reason, FINISH_REASONS), reason)
