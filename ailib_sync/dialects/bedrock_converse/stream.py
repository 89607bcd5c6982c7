"""The event stream of Bedrock's Converse API: frames in, events out. framing_aws makes the frames.

A stream is whole with `messageStop`; `metadata`, which carries the usage, follows it and is waited for.
"""

from __future__ import annotations

import json

from ..._dataclass import dataclass, field
from ...errors import StreamInterrupted
from ...types.events import ContentDelta, Metadata, PartialToolCall, StreamEnd, ThinkingDelta, ToolCallEnded, ToolCallStarted
from ...types.json_values import parse_arguments, required_text, word
from ...types.messages import Opaque
from ...types.tools import ToolCall
from ..dialect import wrong_shape
from .errors import ERROR_WORDS, parse_error
from .response import FINISH_REASONS, is_hosted, stop_sequence
from .usage import parse_usage

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from typing import Any

    from ...framing.json import Frame
    from ...registry.manifest import Manifest
    from ...types.events import StreamingEvent


def parse_stream(frames: Iterable[Frame], manifest: Manifest) -> Iterator[StreamingEvent]:
    stream = _Stream()
    end: StreamEnd | None = None
    for event, data in frames:
        try:
            if event == "contentBlockDelta":
                yield from stream.delta(data["contentBlockIndex"], data["delta"])
            elif event == "contentBlockStart":
                yield from stream.start(data["contentBlockIndex"], data["start"])
            elif event == "contentBlockStop":
                yield from stream.stop(data["contentBlockIndex"])
            elif event == "messageStop":
                yield from stream.stop_all()
                reason = word(data.get("stopReason"))
                end = StreamEnd(manifest.finish_reason(reason, FINISH_REASONS), reason, stop_sequence(data))
            elif event == "metadata":
                yield Metadata(usage=parse_usage(data.get("usage")))
                if end is not None:
                    break
            elif event == "error":
                raise manifest.error(None, parse_error(None, data["error"]), ERROR_WORDS, body=json.dumps(data["error"]))
        except (AttributeError, KeyError, TypeError, ValueError):
            raise wrong_shape(manifest, f"a {event} that cannot be read", data) from None
    if end is None:
        raise StreamInterrupted("the stream ended without messageStop", provider=manifest.id)
    yield end


@dataclass(slots=True)
class _Open:
    """A block that has begun: what `start` said of it, the call's number (None: the provider's own), its pieces so far."""

    kind: str
    start: dict[str, Any]
    call: int | None = None
    pieces: list[Any] = field(default_factory=list)


class _Stream:
    """The blocks of one answer. A block is begun by its `start` or, text and thoughts, by its first delta."""

    __slots__ = ("_begun", "_calls", "_citations", "_open")

    def __init__(self) -> None:
        self._open: dict[int, _Open] = {}
        self._begun: set[int] = set()
        self._citations: dict[int, list[Any]] = {}
        self._calls = 0

    def start(self, index: int, start: dict[str, Any]) -> Iterator[StreamingEvent]:
        for kind, said in start.items():
            if kind == "toolUse" and not is_hosted(said):
                self._open[index] = _Open(kind, said, self._calls)
                yield ToolCallStarted(self._calls, required_text(said["toolUseId"]), required_text(said["name"]))
                self._calls += 1
            else:
                self._open[index] = _Open(kind, said)

    def delta(self, index: int, delta: dict[str, Any]) -> Iterator[StreamingEvent]:
        if "text" in delta:
            yield ContentDelta(required_text(delta["text"]), starts=self._begins(index))
        elif "reasoningContent" in delta:
            said = delta["reasoningContent"]
            signature, redacted = said.get("signature"), said.get("redactedContent")
            yield ThinkingDelta(
                required_text(said.get("text", "")), word(signature), word(redacted), starts=self._begins(index)
            )
        elif "citation" in delta:
            cited = self._citations.setdefault(index, [])
            cited.append(delta["citation"])
            yield ContentDelta("", {"citations": list(cited)}, starts=self._begins(index))
        else:
            for kind, said in delta.items():
                block = self._open[index]
                block.pieces.append(required_text(said["input"]) if kind == "toolUse" else said)
                if block.call is not None:
                    yield PartialToolCall(block.call, said["input"])

    def _begins(self, index: int) -> bool:
        if index in self._begun:
            return False
        self._begun.add(index)
        return True

    def stop(self, index: int) -> Iterator[StreamingEvent]:
        block = self._open.pop(index, None)
        if block is None:
            return
        if block.call is not None:
            raw = "".join(block.pieces)
            call = ToolCall(block.start["toolUseId"], block.start["name"], parse_arguments(raw), raw)
            yield ToolCallEnded(block.call, call)
        else:
            yield Metadata(block=Opaque({block.kind: _whole(block)}))

    def stop_all(self) -> Iterator[StreamingEvent]:
        for index in list(self._open):
            yield from self.stop(index)


def _whole(block: _Open) -> dict[str, Any]:
    """The provider's own block as an answer without streaming has it."""
    if block.kind == "toolUse":
        return {**block.start, "input": parse_arguments("".join(block.pieces)) or {}}
    if block.kind == "toolResult":
        return {**block.start, "content": [part for piece in block.pieces for part in piece]}
    whole = dict(block.start)
    for piece in block.pieces:
        whole.update(piece)
    return whole
