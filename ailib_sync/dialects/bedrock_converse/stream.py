"""A stream of Bedrock's Converse API → events. framing.aws_eventstream makes the frames. No I/O.

https://docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_ConverseStream.html. `messageStop` completes a response;
`metadata`, with the usage, follows it.
"""

from __future__ import annotations

from ..._dataclass import dataclass, field
from ..._signals import reraise_from_signal
from ...types.events import ContentDelta, Metadata, PartialToolCall, StreamEnd, ThinkingDelta, ToolCallEnded, ToolCallStarted
from ...types.json_values import parse_arguments, required_text, word
from ...types.messages import Opaque
from ...types.tools import ToolCall
from ..dialect import wrong_shape
from ..stream import UntilFinished
from .errors import stream_error
from .response import is_run_by_provider, parse_end
from .usage import parse_usage

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from typing import Any

    from ...framing.json import Frame
    from ...registry.manifest import Manifest
    from ...types.events import StreamingEvent


def parse_stream(frames: Iterable[Frame], manifest: Manifest) -> Iterator[StreamingEvent]:
    """The events of a stream."""
    reader = StreamReader(manifest)
    with UntilFinished(reader, manifest, "messageStop"):
        for event, data in frames:
            try:
                if event == "contentBlockDelta":
                    yield from reader.read_delta(data["contentBlockIndex"], data["delta"])
                elif event == "contentBlockStart":
                    yield from reader.start_block(data["contentBlockIndex"], data["start"])
                elif event == "contentBlockStop":
                    yield from reader.end_block(data["contentBlockIndex"])
                elif event == "messageStop":
                    yield from reader.end_blocks()
                    reader.end = parse_end(data, manifest)
                elif event == "metadata":
                    yield Metadata(usage=parse_usage(data.get("usage")))
                    if reader.end is not None:
                        break
                elif event == "error":
                    raise stream_error(data["error"], manifest)
            except (AttributeError, KeyError, TypeError, ValueError) as error:
                reraise_from_signal(error)
                raise wrong_shape(manifest, f"a {event} that cannot be read", data) from None
    yield reader.end or StreamEnd()


@dataclass(slots=True)
class _OpenBlock:
    """A block that has not ended: the value of its `start`, the number of its call (None: a block of the provider's own), and
    the fragments so far."""

    kind: str
    start: dict[str, Any]
    call: int | None = None
    fragments: list[Any] = field(default_factory=list)


class StreamReader:
    """The state of one stream, and the events of its frames. A block begins with its `start`; text and thinking, which have
    none, with their first delta."""

    __slots__ = ("_calls", "_citations", "_open", "_started", "end")

    def __init__(self, manifest: Manifest) -> None:
        self._open: dict[int, _OpenBlock] = {}
        self._started: set[int] = set()
        self._citations: dict[int, list[Any]] = {}
        self._calls = 0
        #: The last event, after `messageStop`.
        self.end: StreamEnd | None = None

    @property
    def begun(self) -> bool:
        return bool(self._started)

    @property
    def finished(self) -> bool:
        return self.end is not None

    def start_block(self, index: int, start: dict[str, Any]) -> Iterator[StreamingEvent]:
        for kind, value in start.items():
            if kind == "toolUse" and not is_run_by_provider(value):
                self._open[index] = _OpenBlock(kind, value, self._calls)
                yield ToolCallStarted(self._calls, required_text(value["toolUseId"]), required_text(value["name"]))
                self._calls += 1
            else:
                self._open[index] = _OpenBlock(kind, value)

    def read_delta(self, index: int, delta: dict[str, Any]) -> Iterator[StreamingEvent]:
        if "text" in delta:
            yield ContentDelta(required_text(delta["text"]), starts=self._is_first(index))
        elif "reasoningContent" in delta:
            thinking = delta["reasoningContent"]
            signature, redacted = word(thinking.get("signature")), word(thinking.get("redactedContent"))
            yield ThinkingDelta(required_text(thinking.get("text", "")), signature, redacted, starts=self._is_first(index))
        elif "citation" in delta:
            citations = self._citations.setdefault(index, [])
            citations.append(delta["citation"])
            yield ContentDelta("", {"citations": list(citations)}, starts=self._is_first(index))
        else:
            for kind, value in delta.items():
                block = self._open[index]
                block.fragments.append(required_text(value["input"]) if kind == "toolUse" else value)
                if block.call is not None:
                    yield PartialToolCall(block.call, value["input"])

    def _is_first(self, index: int) -> bool:
        """Whether this is the first delta of the block."""
        if index in self._started:
            return False
        self._started.add(index)
        return True

    def end_block(self, index: int) -> Iterator[StreamingEvent]:
        block = self._open.pop(index, None)
        if block is None:
            return
        if block.call is not None:
            raw = "".join(block.fragments)
            call = ToolCall(block.start["toolUseId"], block.start["name"], parse_arguments(raw), raw)
            yield ToolCallEnded(block.call, call)
        else:
            yield Metadata(block=Opaque({block.kind: _complete(block)}))

    def end_blocks(self) -> Iterator[StreamingEvent]:
        for index in list(self._open):
            yield from self.end_block(index)


def _complete(block: _OpenBlock) -> dict[str, Any]:
    """A block of the provider's own, as a response without streaming contains it."""
    if block.kind == "toolUse":
        return {**block.start, "input": parse_arguments("".join(block.fragments)) or {}}
    if block.kind == "toolResult":
        return {**block.start, "content": [part for fragment in block.fragments for part in fragment]}
    complete = dict(block.start)
    for fragment in block.fragments:
        complete.update(fragment)
    return complete
