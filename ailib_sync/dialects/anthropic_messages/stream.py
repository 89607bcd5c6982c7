"""A stream of Anthropic Messages → events. No I/O.

The frames of a response (https://platform.claude.com/docs/en/build-with-claude/streaming) are `message_start`, then a start,
deltas and a stop for each block, then `message_delta` with the stop reason and the usage, then `message_stop`. `ping` and
unknown frames are ignored. The accumulated events make the same response as `parse_body`, except for `ToolCall.arguments_raw`,
which only a stream has.
"""

from __future__ import annotations

from ...framing.json import complete_json
from ...types.events import ContentDelta, Metadata, PartialToolCall, ThinkingDelta, ToolCallEnded, ToolCallStarted
from ...types.json_values import parse_arguments, text_of, word
from ...types.messages import Opaque
from ..dialect import wrong_shape
from ..stream import GrowingValue, UntilFinished
from .errors import raise_if_error
from .response import other_keys, parse_call, parse_end, response_fields
from .usage import parse_usage

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from typing import Any

    from ...framing.json import Frame
    from ...registry.manifest import Manifest
    from ...types.events import StreamingEvent
    from ...types.response import Usage


def parse_stream(frames: Iterable[Frame], manifest: Manifest) -> Iterator[StreamingEvent]:
    """The events of a stream."""
    reader = StreamReader(manifest)
    with UntilFinished(reader, manifest, "a message_stop"):
        for _, data in frames:
            if type(data) is not dict:
                if data is None:  # some hosts end with OpenAI's [DONE]
                    break
                raise wrong_shape(manifest, "an event is not an object", data)
            kind = data.get("type")
            if kind == "content_block_delta":
                delta = data.get("delta")
                if type(delta) is dict:
                    text = delta.get("text")
                    if type(text) is str and delta.get("type") == "text_delta":
                        yield ContentDelta(text)
                    else:
                        event = reader.read_delta(word(data.get("index")), delta)
                        if event is not None:
                            yield event
            elif kind == "message_stop":
                reader.stopped = True
                break
            else:
                yield from reader.read(kind, data)
    yield from reader.end()


#: The deltas that contain only a text → its key.
_TEXTS = {"text_delta": "text", "thinking_delta": "thinking", "input_json_delta": "partial_json"}


def delta_of(data: Any, manifest: Manifest) -> tuple[str, object] | None:
    """The text of a frame that is a delta, with its kind and its block (see dialect.Streaming)."""
    if type(data) is not dict or data.get("type") != "content_block_delta":
        return None
    delta = data.get("delta")
    if type(delta) is not dict:
        return None
    kind = delta.get("type")
    if type(kind) is not str or kind not in _TEXTS:
        return None
    text = delta.get(_TEXTS[kind])
    return (text, (kind, word(data.get("index")))) if type(text) is str else None


def is_end_mark(event: str, data: str) -> bool:
    """Whether an unfinished last block is a complete `message_stop`."""
    value = complete_json(data) if "message_stop" in data else None
    return isinstance(value, dict) and value.get("type") == "message_stop"


class _OpenBlock:
    """A block that has not ended: a tool call, with its number `call`, or a block of the provider's own (None)."""

    __slots__ = ("call", "data", "fragments", "texts")

    def __init__(self, data: dict[str, Any], call: int | None) -> None:
        self.data = data
        self.call = call
        self.fragments: list[str] = []
        #: Further fragments of the texts in `data`, by key.
        self.texts: dict[str, list[str]] = {}


class StreamReader:
    """The state of one stream, and the events of its frames."""

    __slots__ = ("_after_text", "_calls", "_citations", "_cited", "_manifest", "_open", "_usage", "begun", "stop", "stopped")

    def __init__(self, manifest: Manifest) -> None:
        self._manifest = manifest
        self._open: dict[str | None, _OpenBlock] = {}
        self._calls = 0
        self._after_text = False
        self._citations: list[Any] = []
        self._cited = GrowingValue()
        self._usage: dict[str, Any] = {}
        #: The fields of `message_delta`: `stop_reason`, `stop_sequence`, `stop_details`.
        self.stop: dict[str, Any] = {}
        #: Whether `message_stop` has arrived.
        self.stopped = False
        self.begun = False

    @property
    def finished(self) -> bool:
        return self.stopped or self.stop.get("stop_reason") is not None

    def read(self, kind: Any, data: dict[str, Any]) -> Iterator[StreamingEvent]:
        """The events of any frame that is not a delta."""
        self.begun = self.begun or kind in ("message_start", "content_block_start")
        if kind == "content_block_start":
            block = data.get("content_block")
            if isinstance(block, dict):
                yield from self._other_citations()
                yield from self._start_block(word(data.get("index")), block)
        elif kind == "content_block_stop":
            yield from self._other_citations()
            ended = self._open.pop(word(data.get("index")), None)
            if ended is not None:
                yield self._close(ended)
        elif kind == "message_start":
            message = data.get("message")
            if isinstance(message, dict):
                usage = self._add_usage(message.get("usage"))
                yield Metadata(usage, word(message.get("id")), word(message.get("model")))
        elif kind == "message_delta":
            delta = data.get("delta")
            delta = delta if isinstance(delta, dict) else {}
            self.stop.update((key, value) for key, value in delta.items() if value is not None)
            usage = self._add_usage(data.get("usage"))
            extra = response_fields(delta)
            if usage or extra:
                yield Metadata(usage, message_extra=extra or None)
        else:
            raise_if_error(data, self._manifest)

    def read_delta(self, index: str | None, delta: dict[str, Any]) -> StreamingEvent | None:
        """The event of a delta; None if it only adds to a block of the provider's own, whose event comes at its end."""
        kind = delta.get("type")
        if kind == "thinking_delta":
            return ThinkingDelta(text_of(delta.get("thinking")))
        if kind == "signature_delta":
            return ThinkingDelta(signature=text_of(delta.get("signature")))
        if kind == "citations_delta":
            self._citations.append(delta.get("citation"))
            return ContentDelta("", {"citations": [*self._citations]}) if self._cited.grow() else None
        open_block = self._open.get(index)
        if open_block is None:
            return None
        if kind != "input_json_delta":
            _add_delta(open_block, delta)
            return None
        fragment = text_of(delta.get("partial_json"))
        if fragment:
            open_block.fragments.append(fragment)
        return PartialToolCall(open_block.call, fragment) if fragment and open_block.call is not None else None

    def _start_block(self, index: str | None, block: dict[str, Any]) -> Iterator[StreamingEvent]:
        kind = block.get("type")
        after_text, self._after_text = self._after_text, kind == "text"
        if kind == "text":
            text, extra = text_of(block.get("text")), other_keys(block, "text")
            cited = extra.get("citations")
            self._citations = [*cited] if isinstance(cited, list) else []
            self._cited = GrowingValue(len(self._citations))
            if text or extra or after_text:
                yield ContentDelta(text, extra, starts=after_text)
        elif kind == "thinking":
            text, signature = text_of(block.get("thinking")), word(block.get("signature"))
            extra = other_keys(block, "thinking", "signature")
            yield ThinkingDelta(text, signature, extra=extra or None, starts=True)
        elif kind == "redacted_thinking":
            extra = other_keys(block, "data")
            yield ThinkingDelta(redacted=text_of(block.get("data")), extra=extra or None, starts=True)
        elif kind == "tool_use":
            self._open[index] = _OpenBlock(block, self._calls)
            yield ToolCallStarted(self._calls, text_of(block.get("id")), text_of(block.get("name")))
            self._calls += 1
        else:
            self._open[index] = _OpenBlock(dict(block), None)

    def _other_citations(self) -> Iterator[StreamingEvent]:
        """The citations of a text block, at its end, if some have not been emitted."""
        if self._cited.flush():
            yield ContentDelta("", {"citations": [*self._citations]})

    def _close(self, open_block: _OpenBlock) -> StreamingEvent:
        raw = "".join(open_block.fragments)
        for key, texts in open_block.texts.items():
            open_block.data[key] += "".join(texts)
        if open_block.call is not None:
            return ToolCallEnded(open_block.call, parse_call(open_block.data, raw))
        if raw:
            arguments = parse_arguments(raw)
            open_block.data["input"] = raw if arguments is None else arguments
        return Metadata(block=Opaque(open_block.data))

    def _add_usage(self, usage: Any) -> Usage | None:
        """The usage so far. Counts are totals: a later one replaces an earlier one."""
        if not isinstance(usage, dict):
            return None
        self._usage = {**self._usage, **{key: value for key, value in usage.items() if value is not None}}
        return parse_usage(self._usage)

    def end(self) -> Iterator[StreamingEvent]:
        """The last events: the ends of the blocks that are still open, and of the stream."""
        yield from self._other_citations()
        for open_block in self._open.values():
            yield self._close(open_block)
        self._open = {}
        yield parse_end(self.stop, self._manifest)


def _add_delta(open_block: _OpenBlock, delta: dict[str, Any]) -> None:
    """Adds a delta of an unknown kind: texts are appended, other values replace the earlier ones."""
    for key, value in delta.items():
        if key == "type":
            continue
        if isinstance(open_block.data.get(key), str) and isinstance(value, str):
            open_block.texts.setdefault(key, []).append(value)
        else:
            open_block.data[key] = value
            open_block.texts.pop(key, None)
