"""One `ChatResponse` → the events that a stream of it would have, for services that ignore `stream` and send JSON."""

from __future__ import annotations

import json

from ..types.events import ContentDelta, Metadata, PartialToolCall, StreamEnd, ThinkingDelta, ToolCallEnded, ToolCallStarted
from ..types.messages import Opaque, Text, Thinking
from ..types.tools import ToolCall

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from ..types.events import StreamingEvent
    from ..types.response import ChatResponse


def events_of(response: ChatResponse) -> Iterator[StreamingEvent]:
    """The events. `accumulator.accumulate` makes an equal response of them."""
    index = 0
    yield Metadata(id=response.id, model=response.model, message_extra=response.message.extra or None)
    for block in response.message.blocks:
        if isinstance(block, Text):
            yield ContentDelta(block.text, block.extra or None, starts=True)
        elif isinstance(block, Thinking):
            yield ThinkingDelta(block.text, block.signature, block.redacted, block.extra or None, starts=True)
        elif isinstance(block, ToolCall):
            yield ToolCallStarted(index, block.id, block.name)
            raw = block.arguments_raw
            yield PartialToolCall(index, raw if raw is not None else json.dumps(block.arguments))
            yield ToolCallEnded(index, block)
            index += 1
        elif isinstance(block, Opaque):
            yield Metadata(block=block)
    yield Metadata(usage=response.usage)
    yield StreamEnd(response.finish_reason, response.raw_finish_reason, response.stop_sequence, response.refusal)
