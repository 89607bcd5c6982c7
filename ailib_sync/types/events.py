"""What a stream yields. Every event answers `is_<kind>` and `as_<kind>`; `match` on the classes works too."""

from __future__ import annotations

from .._dataclass import dataclass
from .messages import Opaque
from .response import Usage
from .tools import ToolCall

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any


class StreamingEvent:
    """One step of a stream. Trouble is raised, never an event."""

    __slots__ = ()

    is_content_delta = False
    is_thinking_delta = False
    is_tool_call_started = False
    is_partial_tool_call = False
    is_tool_call_ended = False
    is_metadata = False
    is_stream_end = False

    def _refuse(self, kind: str) -> Any:
        raise TypeError(f"this event is a {type(self).__name__}, not a {kind}; ask is_… first")

    @property
    def as_content_delta(self) -> ContentDelta:
        return self if isinstance(self, ContentDelta) else self._refuse("ContentDelta")

    @property
    def as_thinking_delta(self) -> ThinkingDelta:
        return self if isinstance(self, ThinkingDelta) else self._refuse("ThinkingDelta")

    @property
    def as_tool_call_started(self) -> ToolCallStarted:
        return self if isinstance(self, ToolCallStarted) else self._refuse("ToolCallStarted")

    @property
    def as_partial_tool_call(self) -> PartialToolCall:
        return self if isinstance(self, PartialToolCall) else self._refuse("PartialToolCall")

    @property
    def as_tool_call_ended(self) -> ToolCallEnded:
        return self if isinstance(self, ToolCallEnded) else self._refuse("ToolCallEnded")

    @property
    def as_metadata(self) -> Metadata:
        return self if isinstance(self, Metadata) else self._refuse("Metadata")

    @property
    def as_stream_end(self) -> StreamEnd:
        return self if isinstance(self, StreamEnd) else self._refuse("StreamEnd")


# The events are not frozen: a frozen dataclass takes 3.5 times as long to make, and a stream makes thousands.


@dataclass(slots=True)
class ContentDelta(StreamingEvent):
    """A piece of the answer's text. `extra` is what the provider wants back with the text block.

    `starts` says that a new text block begins here; without it, text goes on where it was.
    """

    text: str
    extra: dict[str, Any] | None = None
    starts: bool = False
    is_content_delta = True

    @property
    def content(self) -> str:
        """The same as `text` (the AI-Lib runtime's name for it)."""
        return self.text


@dataclass(slots=True)
class ThinkingDelta(StreamingEvent):
    """A piece of the model's thinking. `signature`, `redacted` and `extra` complete the block they arrive in.

    `starts` says that a new thinking block begins here. `index` names the block where a provider may go on with one after
    another block has begun; without it, the last one goes on.
    """

    text: str = ""
    signature: str | None = None
    redacted: str | None = None
    extra: dict[str, Any] | None = None
    starts: bool = False
    index: int | None = None
    is_thinking_delta = True


@dataclass(slots=True)
class ToolCallStarted(StreamingEvent):
    """The model begins a tool call; `index` counts the calls of this answer from 0."""

    index: int
    id: str
    name: str
    is_tool_call_started = True


@dataclass(slots=True)
class PartialToolCall(StreamingEvent):
    """A fragment of a call's arguments, as it came."""

    index: int
    arguments: str
    is_partial_tool_call = True


@dataclass(slots=True)
class ToolCallEnded(StreamingEvent):
    """The call is complete."""

    index: int
    tool_call: ToolCall
    is_tool_call_ended = True


@dataclass(slots=True)
class Metadata(StreamingEvent):
    """Facts about the answer as they come: only what is not None is new.

    `message_extra` joins `Message.extra` of the folded answer; `block` is a provider's own block, kept for the way back.
    """

    usage: Usage | None = None
    id: str | None = None
    model: str | None = None
    message_extra: dict[str, Any] | None = None
    block: Opaque | None = None
    is_metadata = True


@dataclass(slots=True)
class StreamEnd(StreamingEvent):
    """The last event of a stream that ended as its provider ends them: exactly one."""

    finish_reason: str | None = None
    raw_finish_reason: str | None = None
    stop_sequence: str | None = None
    refusal: str | None = None
    is_stream_end = True
