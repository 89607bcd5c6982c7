"""A stream of OpenAI Responses → events. No I/O.

Each frame has a `type`. An item is added, its parts arrive as deltas, then it is done and arrives complete; the last frame
contains the response again (https://platform.openai.com/docs/api-reference/responses-streaming). Some hosts send no deltas,
some end an item after the next one has begun, some have no output in the last frame: each text is read from the first frame
that contains it. Unknown frames are ignored. The accumulated events make the same response as `parse_body`.
"""

from __future__ import annotations

from ...framing.json import complete_json
from ...types.events import ContentDelta, Metadata, PartialToolCall, ThinkingDelta, ToolCallEnded, ToolCallStarted
from ...types.json_values import child, text_of, word
from ...types.messages import Opaque, Text
from ..dialect import wrong_shape
from ..stream import interrupted
from .errors import response_error
from .messages import CALLS
from .response import (
    parse_call,
    parse_end,
    parse_item,
    refusal_text,
    text_extra,
    text_parts,
    thought_text,
)
from .usage import parse_usage

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from typing import Any

    from ...framing.json import Frame
    from ...registry.manifest import Manifest
    from ...types.events import StreamingEvent

#: The types of the last frame.
ENDS = ("response.completed", "response.incomplete", "response.failed", "response.cancelled", "error")


def parse_stream(frames: Iterable[Frame], manifest: Manifest) -> Iterator[StreamingEvent]:
    """The events of a stream. It ends with one of `ENDS`; nothing after that is read."""
    reader = StreamReader(manifest)
    for event, data in frames:
        if type(data) is not dict:
            if data is None:  # hosts that send `[DONE]` send it after the end
                continue
            raise wrong_shape(manifest, "an event is not an object", data)
        kind = data.get("type") or event
        if kind == "response.output_text.delta":
            delta = data.get("delta")
            if delta and type(delta) is str:
                if reader.opening is None:
                    yield ContentDelta(delta)
                else:
                    yield reader.open_text(delta)
        elif type(kind) is str and kind in READERS:
            yield from READERS[kind](reader, data)
        elif kind in ENDS or event == "error" or data.get("error"):
            yield from reader.end(kind, data)
            return
    raise interrupted("response.completed", manifest)


#: The deltas that contain only a text → the key of their paragraph, for those of a thought.
_TEXTS = {
    "response.output_text.delta": None,
    "response.reasoning_summary_text.delta": "summary_index",
    "response.reasoning_text.delta": "content_index",
    "response.function_call_arguments.delta": None,
    "response.custom_tool_call_input.delta": None,
}


def delta_of(data: Any, manifest: Manifest) -> tuple[str, object] | None:
    """The text of a frame that is a delta, with its kind, its item and its paragraph (see dialect.Streaming)."""
    kind = data.get("type") if type(data) is dict else None
    if type(kind) is not str or kind not in _TEXTS:
        return None
    delta = data.get("delta")
    return (delta, (kind, _key(data), data.get(_TEXTS[kind]))) if type(delta) is str else None


def is_end_mark(event: str, data: str) -> bool:
    """Whether an unfinished last block is a complete frame of `ENDS`."""
    value = complete_json(data)
    return isinstance(value, dict) and (value.get("type") or event) in ENDS


class _OpenCall:
    """A call that has not ended. `index` is its number in the response."""

    __slots__ = ("fragments", "index", "item")

    def __init__(self, index: int, item: dict[str, Any]) -> None:
        self.index = index
        self.item = item
        self.fragments: list[str] = []


class _OpenThought:
    """A thought that has not ended. `paragraph` is the last one that got a fragment."""

    __slots__ = ("index", "paragraph")

    def __init__(self, index: int) -> None:
        self.index = index
        self.paragraph: tuple[str, Any] | None = None


class StreamReader:
    """The state of one stream, and the events of its frames."""

    __slots__ = (
        "_calls",
        "_extra",
        "_has_text",
        "_head",
        "_items_done",
        "_manifest",
        "_message",
        "_open_calls",
        "_open_thoughts",
        "_refusal",
        "_text_is_last",
        "_thoughts",
        "opening",
    )  # fmt: skip

    def __init__(self, manifest: Manifest) -> None:
        self._manifest = manifest
        self._head: dict[str, Any] | None = None
        #: The `extra` of the block that the next text delta begins; None while a block is open.
        self.opening: dict[str, Any] | None = {}
        self._message: dict[str, Any] = {}
        self._extra: dict[str, Any] = {}
        self._has_text = False
        self._text_is_last = False
        self._refusal: list[str] = []
        self._calls = 0
        self._open_calls: dict[Any, _OpenCall] = {}
        self._thoughts = 0
        self._open_thoughts: dict[Any, _OpenThought] = {}
        self._items_done = 0

    # Response

    def begin(self, data: dict[str, Any]) -> Iterator[StreamingEvent]:
        """Keeps the id and the model until the first item: a failure before any event can still be retried."""
        response = data.get("response")
        if isinstance(response, dict):
            self._head = response
        return iter(())

    def _metadata(self) -> Iterator[StreamingEvent]:
        if self._head is not None:
            yield Metadata(id=word(self._head.get("id")), model=word(self._head.get("model")))
            self._head = None

    def end(self, kind: str, data: dict[str, Any]) -> Iterator[StreamingEvent]:
        """The last events. Raises RemoteError if the response failed."""
        response = child(data, "response")
        if kind == "response.failed" or response.get("error"):
            raise response_error(response, self._manifest)
        if kind not in ENDS or kind == "error":
            raise response_error(data, self._manifest)
        if not self._items_done:  # some hosts send the items in the last frame only
            output = response.get("output")
            for position, item in enumerate(output if isinstance(output, list) else ()):
                yield from self.end_item({"output_index": position, "item": item})
        for key, call in [*self._open_calls.items()]:
            yield from self._end_call(key, call.item)
        yield Metadata(parse_usage(response.get("usage")), word(response.get("id")), word(response.get("model")))
        status = response.get("status") or kind.removeprefix("response.")
        yield parse_end({**response, "status": status}, "".join(self._refusal), bool(self._calls), self._manifest)

    # Items

    def add_item(self, data: dict[str, Any]) -> Iterator[StreamingEvent]:
        yield from self._metadata()
        item = data.get("item")
        if not isinstance(item, dict):
            return
        kind = item.get("type")
        if kind == "message":
            self._message, self._extra, self._has_text = item, {}, False
            self.opening = text_extra(item, {})
        elif kind in CALLS:
            yield self._start_call(_key(data, item), item)
        elif kind == "reasoning":
            self._open_thought(_key(data, item))

    def end_item(self, data: dict[str, Any]) -> Iterator[StreamingEvent]:
        yield from self._metadata()
        item = data.get("item")
        if not isinstance(item, dict):
            return
        self._items_done += 1
        kind = item.get("type")
        if kind == "message":
            yield from self._end_message(item)
        elif kind in CALLS:
            yield from self._end_call(_key(data, item), item)
        elif kind == "reasoning":
            key = _key(data, item)
            thought = self._open_thoughts.get(key) or self._open_thought(key)
            del self._open_thoughts[key]
            self._text_is_last = False
            rest = thought_text(item) if thought.paragraph is None else ""
            yield ThinkingDelta(rest, extra={"item": item}, index=thought.index)
        else:
            self._text_is_last = False
            yield Metadata(block=Opaque(item))

    # Text

    def open_text(self, delta: str) -> ContentDelta:
        """The first delta of a text."""
        self._has_text, self._text_is_last, self._extra = True, True, self.opening or {}
        self.opening = None
        return ContentDelta(delta, self._extra or None, True)

    def add_part(self, data: dict[str, Any]) -> Iterator[StreamingEvent]:
        """Each text of a message is a block of its own."""
        part = data.get("part")
        if isinstance(part, dict) and part.get("type") == "output_text":
            self.opening = text_extra(self._message, {})
        return iter(())

    def end_part(self, data: dict[str, Any]) -> Iterator[StreamingEvent]:
        part = data.get("part")
        if isinstance(part, dict) and part.get("type") == "output_text" and self._has_text and self.opening is None:
            yield from self._complete_text(text_extra(self._message, part))

    def _complete_text(self, extra: dict[str, Any]) -> Iterator[StreamingEvent]:
        """Adds what is known of a text only at its end; ignored if another block has begun."""
        late = {key: value for key, value in extra.items() if self._extra.get(key) != value}
        if late and self._text_is_last:
            self._extra = {**self._extra, **late}
            yield ContentDelta("", late)

    def _end_message(self, item: dict[str, Any]) -> Iterator[StreamingEvent]:
        parts = text_parts(item)
        if self._has_text and parts:
            yield from self._complete_text(text_extra(item, parts[-1]))
        for block in parse_item(item):
            if isinstance(block, Opaque):
                self._text_is_last = False
                yield Metadata(block=block)
            elif isinstance(block, Text) and not self._has_text:
                yield ContentDelta(block.text, block.extra or None, True)
        self._refusal.append(refusal_text(item))
        self._has_text, self.opening = False, {}

    # Calls

    def _start_call(self, key: Any, item: dict[str, Any]) -> ToolCallStarted:
        call = self._open_calls[key] = _OpenCall(self._calls, item)
        self._calls += 1
        self._text_is_last = False
        parsed = parse_call(item)
        return ToolCallStarted(call.index, parsed.id, parsed.name)

    def add_arguments(self, data: dict[str, Any]) -> Iterator[StreamingEvent]:
        call = self._open_calls.get(_key(data))
        if call is not None:
            yield from _write(call, data.get("delta"))

    def end_arguments(self, data: dict[str, Any]) -> Iterator[StreamingEvent]:
        call = self._open_calls.get(_key(data))
        if call is not None and not call.fragments:
            yield from _write(call, data.get("arguments", data.get("input")))

    def _end_call(self, key: Any, item: dict[str, Any]) -> Iterator[StreamingEvent]:
        if key not in self._open_calls:
            yield self._start_call(key, item)
        call = self._open_calls.pop(key)
        parsed = parse_call(item, "".join(call.fragments))
        if not call.fragments:
            yield from _write(call, parsed.arguments_raw)
        yield ToolCallEnded(call.index, parsed)

    # Thinking

    def _open_thought(self, key: Any) -> _OpenThought:
        thought = self._open_thoughts[key] = _OpenThought(self._thoughts)
        self._thoughts += 1
        return thought

    def add_summary(self, data: dict[str, Any]) -> Iterator[StreamingEvent]:
        return self._add_thought(data, ("summary", data.get("summary_index")))

    def add_thought(self, data: dict[str, Any]) -> Iterator[StreamingEvent]:
        return self._add_thought(data, ("content", data.get("content_index")))

    def _add_thought(self, data: dict[str, Any], part: tuple[str, Any]) -> Iterator[StreamingEvent]:
        key, delta = _key(data), data.get("delta")
        if not delta or not isinstance(delta, str):
            return
        thought = self._open_thoughts.get(key) or self._open_thought(key)
        if thought.paragraph not in (None, part):
            delta = "\n\n" + delta
        thought.paragraph = part
        self._text_is_last = False
        yield ThinkingDelta(delta, index=thought.index)


def _write(call: _OpenCall, fragment: Any) -> Iterator[PartialToolCall]:
    if fragment and isinstance(fragment, str):
        call.fragments.append(fragment)
        yield PartialToolCall(call.index, fragment)


def _key(data: dict[str, Any], item: dict[str, Any] | None = None) -> Any:
    """What identifies an item in all its frames: its position in the output, or its id, if a host sends no position."""
    index = data.get("output_index")
    if isinstance(index, int):
        return index
    return text_of(data.get("item_id")) or text_of((item or {}).get("id"))


READERS = {
    "response.created": StreamReader.begin,
    "response.queued": StreamReader.begin,
    "response.in_progress": StreamReader.begin,
    "response.output_item.added": StreamReader.add_item,
    "response.output_item.done": StreamReader.end_item,
    "response.content_part.added": StreamReader.add_part,
    "response.content_part.done": StreamReader.end_part,
    "response.function_call_arguments.delta": StreamReader.add_arguments,
    "response.function_call_arguments.done": StreamReader.end_arguments,
    "response.custom_tool_call_input.delta": StreamReader.add_arguments,
    "response.custom_tool_call_input.done": StreamReader.end_arguments,
    "response.reasoning_summary_text.delta": StreamReader.add_summary,
    "response.reasoning_text.delta": StreamReader.add_thought,
}
