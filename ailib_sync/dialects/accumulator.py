"""Events → one `ChatResponse`, equal to the response of the same call without streaming."""

from __future__ import annotations

from io import StringIO

from .._dataclass import replace
from ..types.events import ContentDelta, Metadata, PartialToolCall, StreamEnd, ThinkingDelta, ToolCallEnded, ToolCallStarted
from ..types.messages import Message, MessageRole, Text, Thinking
from ..types.response import ChatResponse, Usage
from ..types.tools import ToolCall

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from typing import Any

    from ..types.events import StreamingEvent
    from ..types.messages import Block


class Accumulator:
    """Collects the events of a stream. `response()` works at any time, also after a stream that was interrupted.

    Text and thinking are written to a buffer: a long response takes linear time, and its fragments take no memory of their own.
    """

    __slots__ = (
        "_blocks",
        "_buffer",
        "_calls",
        "_end",
        "_fragments",
        "_open",
        "_positions",
        "_sealed",
        "_thought_fragments",
        "_thoughts",
        "extra",
        "id",
        "model",
        "usage",
    )  # fmt: skip

    def __init__(self) -> None:
        self._blocks: list[Block] = []
        #: The last block, while more of it may come. Its text so far is in the buffer.
        self._open: Text | Thinking | None = None
        self._buffer = StringIO()
        self._thoughts: dict[int, Thinking] = {}
        #: Text of thinking blocks that are not the last block, by their index: joined once, at the end.
        self._thought_fragments: dict[int, list[str]] = {}
        #: Further fragments of signatures and redacted data, by the block's identity and the attribute.
        self._sealed: dict[tuple[int, str], tuple[Thinking, list[str]]] = {}
        self._calls: dict[int, ToolCall] = {}
        #: The position of each tool call in `_blocks`, by the call's index.
        self._positions: dict[int, int] = {}
        #: The arguments so far of each tool call that has not ended, by the call's index.
        self._fragments: dict[int, list[str]] = {}
        self._end: StreamEnd | None = None
        self.usage: Usage | None = None
        self.id: str | None = None
        self.model: str | None = None
        self.extra: dict[str, Any] = {}

    def add(self, event: StreamingEvent) -> None:
        if isinstance(event, ContentDelta):
            if event.starts:
                self._close_block()
            self.text_writer()(event.text)
            if event.extra:
                self._blocks[-1].extra.update(event.extra)  # type: ignore[union-attr]
        elif isinstance(event, ThinkingDelta):
            self._add_thinking(event)
        elif isinstance(event, ToolCallStarted):
            self._close_block()
            call = ToolCall(event.id, event.name, None)
            self._fragments[event.index] = []
            self._append_call(event.index, call)
        elif isinstance(event, PartialToolCall):
            self._fragments.setdefault(event.index, []).append(event.arguments)
        elif isinstance(event, ToolCallEnded):
            self._fragments.pop(event.index, None)
            self._end_call(event)
        elif isinstance(event, Metadata):
            self._add_metadata(event)
        elif isinstance(event, StreamEnd):
            self._end = event

    def text_writer(self) -> Callable[[str], object]:
        """The function that appends text to the response. pipeline.stream.relay calls it directly, in its hot loop."""
        if not isinstance(self._open, Text):
            self._begin(Text(""))
        return self._buffer.write

    def _begin(self, block: Text | Thinking) -> None:
        self._close_block()
        self._open = block
        self._buffer = _buffer()
        self._blocks.append(block)

    def _add_thinking(self, event: ThinkingDelta) -> None:
        block = self._thinking_block(event)
        if block is self._open:
            self._buffer.write(event.text)
        elif event.index is not None:
            self._thought_fragments.setdefault(event.index, []).append(event.text)
        if event.signature is not None:
            self._extend(block, "signature", event.signature)
        if event.redacted is not None:
            self._extend(block, "redacted", event.redacted)
        if event.extra:
            block.extra.update(event.extra)

    def _extend(self, block: Thinking, name: str, text: str) -> None:
        """Appends to the signature or the redacted data of a block. Further fragments are joined once, at the end."""
        if getattr(block, name) is None:
            setattr(block, name, text)
        else:
            self._sealed.setdefault((id(block), name), (block, []))[1].append(text)

    def _thinking_block(self, event: ThinkingDelta) -> Thinking:
        """The block the event belongs to: the one with its index, the last one, or a new one."""
        if event.index is not None and event.index in self._thoughts:
            return self._thoughts[event.index]
        if isinstance(self._open, Thinking) and not event.starts and event.index is None:
            return self._open
        block = Thinking()
        self._begin(block)
        if event.index is not None:
            self._thoughts[event.index] = block
        return block

    def _end_call(self, event: ToolCallEnded) -> None:
        position = self._positions.get(event.index)
        if position is None:
            self._close_block()
            self._append_call(event.index, event.tool_call)
        else:
            self._blocks[position] = self._calls[event.index] = event.tool_call

    def _append_call(self, index: int, call: ToolCall) -> None:
        self._calls[index] = call
        self._positions[index] = len(self._blocks)
        self._blocks.append(call)

    def _add_metadata(self, event: Metadata) -> None:
        if event.usage is not None:
            self.usage = event.usage
        if event.id is not None:
            self.id = event.id
        if event.model is not None:
            self.model = event.model
        if event.message_extra:
            self.extra.update(event.message_extra)
        if event.block is not None:
            self._close_block()
            self._blocks.append(event.block)

    def _close_block(self) -> None:
        block, self._open = self._open, None
        if block is not None:
            block.text = self._buffer.getvalue()
            if _is_empty(block):
                self._blocks.pop()

    def _blocks_so_far(self) -> list[Block]:
        """All blocks. Those that may still grow are copies, so that a response does not change after it was returned."""
        for (_, name), (block, texts) in self._sealed.items():
            setattr(block, name, getattr(block, name) + "".join(texts))
            texts.clear()
        for index, pending in self._thought_fragments.items():
            thought = self._thoughts[index]
            thought.text += "".join(pending)
            pending.clear()
        blocks = list(self._blocks)
        if self._open is not None:
            last = replace(self._open, text=self._buffer.getvalue(), extra=dict(self._open.extra))
            blocks[-1:] = [] if _is_empty(last) else [last]
        for index, fragments in self._fragments.items():
            call = self._calls.get(index)
            if call is not None:
                blocks[self._positions[index]] = ToolCall(call.id, call.name, None, "".join(fragments))
        return blocks

    def response(self, origin: str | None = None) -> ChatResponse:
        """The response so far; more events may follow. A tool call that has not ended has `arguments` None and its text so far
        in `arguments_raw`. `origin` is the dialect that parsed the message."""
        end = self._end or StreamEnd()
        return ChatResponse(
            message=Message(MessageRole.ASSISTANT, self._blocks_so_far(), origin=origin, extra=dict(self.extra)),
            finish_reason=end.finish_reason,
            raw_finish_reason=end.raw_finish_reason,
            stop_sequence=end.stop_sequence,
            refusal=end.refusal,
            usage=self.usage or Usage(),
            id=self.id,
            model=self.model,
        )


def _is_empty(block: Text | Thinking) -> bool:
    return isinstance(block, Text) and not block.text and not block.extra


def _buffer() -> StringIO:
    """A StringIO that stores characters. One that is created empty can store a list of the strings written to it (CPython's
    Modules/_io/stringio.c, "accumulating state"), which takes more memory than their text."""
    buffer = StringIO(" ")
    buffer.truncate(0)
    return buffer


def accumulate(events: Iterable[StreamingEvent], origin: str | None = None) -> ChatResponse:
    """The response that all these events make."""
    accumulator = Accumulator()
    for event in events:
        accumulator.add(event)
    return accumulator.response(origin)
