"""A stream of OpenAI Responses, frame by frame → events. No I/O, nothing that goes out.

Each frame names its `type`. An item is added, its parts arrive as deltas, then it is done, and comes whole; the last frame
holds the answer once more (https://platform.openai.com/docs/api-reference/responses-streaming). Some hosts send no deltas,
some end an item after the next one has begun, some leave the last frame's output empty: of each text, the first frame that
holds it is taken. Folding the events gives what `parse_body` gives for the same answer. What is not known is passed over.
"""

from __future__ import annotations

from ...errors import StreamInterrupted
from ...framing.json import whole_json
from ...types.events import ContentDelta, Metadata, PartialToolCall, ThinkingDelta, ToolCallEnded, ToolCallStarted
from ...types.json_values import text_of, word
from ...types.messages import Opaque, Text
from ..dialect import wrong_shape
from .errors import refusal
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

ENDS = ("response.completed", "response.incomplete", "response.failed", "response.cancelled", "error")


def parse_stream(frames: Iterable[Frame], manifest: Manifest) -> Iterator[StreamingEvent]:
    """The events. The end is one of `ENDS`; what follows it (`[DONE]`, a broken connection) is not read."""
    reader = StreamReader(manifest)
    for event, data in frames:
        if type(data) is not dict:
            if data is None:  # `[DONE]` is no end: hosts that send it send it after one
                continue
            raise wrong_shape(manifest, "an event is no object", data)
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
    raise StreamInterrupted("the stream ended before response.completed", provider=manifest.id)


#: The deltas that are their text alone → what places them in their item, where a thought has paragraphs.
_TEXTS = {
    "response.output_text.delta": None,
    "response.reasoning_summary_text.delta": "summary_index",
    "response.reasoning_text.delta": "content_index",
    "response.function_call_arguments.delta": None,
    "response.custom_tool_call_input.delta": None,
}


def delta_of(data: Any, manifest: Manifest) -> tuple[str, object] | None:
    """The text of a frame that is a delta, and what decides where it goes."""
    kind = data.get("type") if type(data) is dict else None
    if type(kind) is not str or kind not in _TEXTS:
        return None
    delta = data.get("delta")
    return (delta, (kind, _key(data), data.get(_TEXTS[kind]))) if type(delta) is str else None


def is_end_mark(event: str, data: str) -> bool:
    """A last frame without its blank line, if it is an end and nothing of it is missing."""
    value = whole_json(data)
    return isinstance(value, dict) and (value.get("type") or event) in ENDS


class _Call:
    """A call that is still being written; `index` counts the calls of the answer."""

    __slots__ = ("index", "item", "pieces")

    def __init__(self, index: int, item: dict[str, Any]) -> None:
        self.index = index
        self.item = item
        self.pieces: list[str] = []


class _Thought:
    """A thought that is still growing; `part` is the paragraph that grew last."""

    __slots__ = ("index", "part")

    def __init__(self, index: int) -> None:
        self.index = index
        self.part: tuple[str, Any] | None = None


class StreamReader:
    """What must be remembered between the frames of one stream."""

    __slots__ = (
        "_calls", "_done", "_extra", "_head", "_manifest", "_message", "_open_calls", "_open_thoughts", "_refusal",
        "_text_is_last", "_thoughts", "_wrote", "opening",
    )  # fmt: skip

    def __init__(self, manifest: Manifest) -> None:
        self._manifest = manifest
        self._head: dict[str, Any] | None = None
        #: What the next text delta opens its block with; None while a block is open.
        self.opening: dict[str, Any] | None = {}
        self._message: dict[str, Any] = {}
        self._extra: dict[str, Any] = {}
        self._wrote = False
        self._text_is_last = False
        self._refusal: list[str] = []
        self._calls = 0
        self._open_calls: dict[Any, _Call] = {}
        self._thoughts = 0
        self._open_thoughts: dict[Any, _Thought] = {}
        self._done = 0

    # The answer

    def begin(self, data: dict[str, Any]) -> Iterator[StreamingEvent]:
        """Keeps id and model until there is something to say: before that, a failure can still be tried again."""
        response = data.get("response")
        if isinstance(response, dict):
            self._head = response
        return iter(())

    def _show_head(self) -> Iterator[StreamingEvent]:
        if self._head is not None:
            yield Metadata(id=word(self._head.get("id")), model=word(self._head.get("model")))
            self._head = None

    def end(self, kind: str, data: dict[str, Any]) -> Iterator[StreamingEvent]:
        """The last events; raises RemoteError where the answer failed."""
        answer = data.get("response")
        answer = answer if isinstance(answer, dict) else {}
        if kind == "response.failed" or answer.get("error"):
            raise refusal(answer, self._manifest)
        if kind not in ENDS or kind == "error":
            raise refusal(data, self._manifest)
        if not self._done:  # a host that tells of no items on the way has them here
            output = answer.get("output")
            for position, item in enumerate(output if isinstance(output, list) else ()):
                yield from self.end_item({"output_index": position, "item": item})
        for key, call in [*self._open_calls.items()]:
            yield from self._end_call(key, call.item)
        yield Metadata(parse_usage(answer.get("usage")), word(answer.get("id")), word(answer.get("model")))
        status = answer.get("status") or kind.removeprefix("response.")
        yield parse_end({**answer, "status": status}, "".join(self._refusal), bool(self._calls), self._manifest)

    # Items

    def add_item(self, data: dict[str, Any]) -> Iterator[StreamingEvent]:
        yield from self._show_head()
        item = data.get("item")
        if not isinstance(item, dict):
            return
        kind = item.get("type")
        if kind == "message":
            self._message, self._extra, self._wrote = item, {}, False
            self.opening = text_extra(item, {})
        elif kind in CALLS:
            yield self._start_call(_key(data, item), item)
        elif kind == "reasoning":
            self._open_thought(_key(data, item))

    def end_item(self, data: dict[str, Any]) -> Iterator[StreamingEvent]:
        yield from self._show_head()
        item = data.get("item")
        if not isinstance(item, dict):
            return
        self._done += 1
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
            rest = thought_text(item) if thought.part is None else ""
            yield ThinkingDelta(rest, extra={"item": item}, index=thought.index)
        else:
            self._text_is_last = False
            yield Metadata(block=Opaque(item))

    # Text

    def open_text(self, delta: str) -> ContentDelta:
        """The first delta of a text."""
        self._wrote, self._text_is_last, self._extra = True, True, self.opening or {}
        self.opening = None
        return ContentDelta(delta, self._extra or None, True)

    def add_part(self, data: dict[str, Any]) -> Iterator[StreamingEvent]:
        """A second text of one message is a block of its own."""
        part = data.get("part")
        if isinstance(part, dict) and part.get("type") == "output_text":
            self.opening = text_extra(self._message, {})
        return iter(())

    def end_part(self, data: dict[str, Any]) -> Iterator[StreamingEvent]:
        part = data.get("part")
        if isinstance(part, dict) and part.get("type") == "output_text" and self._wrote and self.opening is None:
            yield from self._complete_text(text_extra(self._message, part))

    def _complete_text(self, extra: dict[str, Any]) -> Iterator[StreamingEvent]:
        """What is only known of a text once it is whole; too late where another block has begun."""
        late = {key: value for key, value in extra.items() if self._extra.get(key) != value}
        if late and self._text_is_last:
            self._extra = {**self._extra, **late}
            yield ContentDelta("", late)

    def _end_message(self, item: dict[str, Any]) -> Iterator[StreamingEvent]:
        parts = text_parts(item)
        if self._wrote and parts:
            yield from self._complete_text(text_extra(item, parts[-1]))
        for block in parse_item(item):
            if isinstance(block, Opaque):
                self._text_is_last = False
                yield Metadata(block=block)
            elif isinstance(block, Text) and not self._wrote:
                yield ContentDelta(block.text, block.extra or None, True)
        self._refusal.append(refusal_text(item))
        self._wrote, self.opening = False, {}

    # Calls

    def _start_call(self, key: Any, item: dict[str, Any]) -> ToolCallStarted:
        call = self._open_calls[key] = _Call(self._calls, item)
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
        if call is not None and not call.pieces:
            yield from _write(call, data.get("arguments", data.get("input")))

    def _end_call(self, key: Any, item: dict[str, Any]) -> Iterator[StreamingEvent]:
        if key not in self._open_calls:
            yield self._start_call(key, item)
        call = self._open_calls.pop(key)
        parsed = parse_call(item, "".join(call.pieces))
        if not call.pieces:
            yield from _write(call, parsed.arguments_raw)
        yield ToolCallEnded(call.index, parsed)

    # Thoughts

    def _open_thought(self, key: Any) -> _Thought:
        thought = self._open_thoughts[key] = _Thought(self._thoughts)
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
        if thought.part not in (None, part):
            delta = "\n\n" + delta
        thought.part = part
        self._text_is_last = False
        yield ThinkingDelta(delta, index=thought.index)


def _write(call: _Call, fragment: Any) -> Iterator[PartialToolCall]:
    if fragment and isinstance(fragment, str):
        call.pieces.append(fragment)
        yield PartialToolCall(call.index, fragment)


def _key(data: dict[str, Any], item: dict[str, Any] | None = None) -> Any:
    """What names an item in every frame about it: its place in the output, its id where a host does not number them."""
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
