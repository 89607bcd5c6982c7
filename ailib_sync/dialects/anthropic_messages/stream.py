"""A stream of Anthropic Messages → events. No I/O.

It tells one answer (https://platform.claude.com/docs/en/build-with-claude/streaming): `message_start`, then for each block
a start, deltas and a stop, then `message_delta` with the stop reason and the usage, then `message_stop`. `ping` and what is
not known are passed over. Folding the events gives what `parse_body` gives for the same answer, but for
`ToolCall.arguments_raw`, which only a stream has.
"""

from __future__ import annotations

from ...errors import Cancelled, StreamInterrupted, TransportError
from ...framing.json import whole_json
from ...types.events import ContentDelta, Metadata, PartialToolCall, ThinkingDelta, ToolCallEnded, ToolCallStarted
from ...types.json_values import parse_arguments, text_of, word
from ...types.messages import Opaque
from ..dialect import wrong_shape
from .errors import is_error, refusal_of
from .response import facts_of, parse_call, parse_end, rest_of
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
    """The events. `message_stop` is the end; a stream that breaks off after its stop reason is whole all the same."""
    reader = _Reader(manifest)
    try:
        for _, data in frames:
            if type(data) is not dict:
                if data is None:  # some hosts close with OpenAI's [DONE]
                    break
                raise wrong_shape(manifest, "an event is no object", data)
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
                yield from reader.end()
                return
            else:
                yield from reader.read(kind, data)
    except Cancelled:
        raise
    except TransportError:
        if reader.stop.get("stop_reason") is None:
            raise
    if reader.stop.get("stop_reason") is None and "eof" not in manifest.stream_end:
        raise StreamInterrupted("the stream ended before its message_stop", provider=manifest.id)
    yield from reader.end()


#: The deltas that are their text alone → the key of that.
_TEXTS = {"text_delta": "text", "thinking_delta": "thinking", "input_json_delta": "partial_json"}


def delta_of(data: Any, manifest: Manifest) -> tuple[str, object] | None:
    """The text of a frame that is a delta, its kind and its block."""
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
    """A last `message_stop` without its blank line, if nothing of it is missing."""
    value = whole_json(data) if "message_stop" in data else None
    return isinstance(value, dict) and value.get("type") == "message_stop"


class _Open:
    """A block that is still growing: a tool call (`call` counts them), or one of the provider's own (None)."""

    __slots__ = ("block", "call", "pieces")

    def __init__(self, block: dict[str, Any], call: int | None) -> None:
        self.block = block
        self.call = call
        self.pieces: list[str] = []


class _Reader:
    """What must be remembered between the frames of one stream."""

    __slots__ = ("_after_text", "_calls", "_citations", "_manifest", "_open", "_usage", "stop")

    def __init__(self, manifest: Manifest) -> None:
        self._manifest = manifest
        self._open: dict[str | None, _Open] = {}
        self._calls = 0
        self._after_text = False
        self._citations: list[Any] = []
        self._usage: dict[str, Any] = {}
        #: What `message_delta` said: `stop_reason`, `stop_sequence`, `stop_details`.
        self.stop: dict[str, Any] = {}

    def read(self, kind: Any, data: dict[str, Any]) -> Iterator[StreamingEvent]:
        """The events of any frame that is not a delta."""
        if kind == "content_block_start":
            block = data.get("content_block")
            if isinstance(block, dict):
                yield from self._start_block(word(data.get("index")), block)
        elif kind == "content_block_stop":
            growing = self._open.pop(word(data.get("index")), None)
            if growing is not None:
                yield self._close(growing)
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
            extra = facts_of(delta)
            if usage or extra:
                yield Metadata(usage, message_extra=extra or None)
        elif is_error(data):
            raise refusal_of(data, self._manifest)

    def read_delta(self, index: str | None, delta: dict[str, Any]) -> StreamingEvent | None:
        """The event of a delta; None where it only adds to a block that is given whole."""
        kind = delta.get("type")
        if kind == "thinking_delta":
            return ThinkingDelta(text_of(delta.get("thinking")))
        if kind == "signature_delta":
            return ThinkingDelta(signature=text_of(delta.get("signature")))
        if kind == "citations_delta":
            self._citations.append(delta.get("citation"))
            return ContentDelta("", {"citations": [*self._citations]})
        growing = self._open.get(index)
        if growing is None:
            return None
        if kind != "input_json_delta":
            _grow(growing.block, delta)
            return None
        fragment = text_of(delta.get("partial_json"))
        if fragment:
            growing.pieces.append(fragment)
        return PartialToolCall(growing.call, fragment) if fragment and growing.call is not None else None

    def _start_block(self, index: str | None, block: dict[str, Any]) -> Iterator[StreamingEvent]:
        kind = block.get("type")
        after_text, self._after_text = self._after_text, kind == "text"
        if kind == "text":
            text, extra = text_of(block.get("text")), rest_of(block, "text")
            cited = extra.get("citations")
            self._citations = [*cited] if isinstance(cited, list) else []
            if text or extra or after_text:
                yield ContentDelta(text, extra, starts=after_text)
        elif kind == "thinking":
            text, signature = text_of(block.get("thinking")), word(block.get("signature"))
            extra = rest_of(block, "thinking", "signature")
            yield ThinkingDelta(text, signature, extra=extra or None, starts=True)
        elif kind == "redacted_thinking":
            extra = rest_of(block, "data")
            yield ThinkingDelta(redacted=text_of(block.get("data")), extra=extra or None, starts=True)
        elif kind == "tool_use":
            self._open[index] = _Open(block, self._calls)
            yield ToolCallStarted(self._calls, text_of(block.get("id")), text_of(block.get("name")))
            self._calls += 1
        else:
            self._open[index] = _Open(dict(block), None)

    def _close(self, growing: _Open) -> StreamingEvent:
        raw = "".join(growing.pieces)
        if growing.call is not None:
            return ToolCallEnded(growing.call, parse_call(growing.block, raw))
        if raw:
            arguments = parse_arguments(raw)
            growing.block["input"] = raw if arguments is None else arguments
        return Metadata(block=Opaque(growing.block))

    def _add_usage(self, usage: Any) -> Usage | None:
        """The figures so far: later ones are totals and stand over earlier ones."""
        if not isinstance(usage, dict):
            return None
        self._usage = {**self._usage, **{key: value for key, value in usage.items() if value is not None}}
        return parse_usage(self._usage)

    def end(self) -> Iterator[StreamingEvent]:
        """Closes what was left open, then the stream."""
        for growing in self._open.values():
            yield self._close(growing)
        self._open = {}
        yield parse_end(self.stop, self._manifest)


def _grow(block: dict[str, Any], delta: dict[str, Any]) -> None:
    """A delta of a kind of its own: texts are appended, anything else takes the place of what was there."""
    for key, value in delta.items():
        if key != "type":
            old = block.get(key)
            block[key] = old + value if isinstance(old, str) and isinstance(value, str) else value
