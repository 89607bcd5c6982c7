"""The events of a stream. Every event has the properties `is_<kind>` and `as_<kind>`; `match` on the classes works too."""

from __future__ import annotations

from .._arguments import no_attribute
from .._dataclass import dataclass
from .messages import Opaque
from .response import Usage
from .tools import ToolCall

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any


class StreamingEvent:
    """One event of a stream. Errors are raised; there is no error event."""

    __slots__ = ()

    is_content_delta = False
    is_thinking_delta = False
    is_tool_call_started = False
    is_partial_tool_call = False
    is_tool_call_ended = False
    is_metadata = False
    is_stream_end = False

    if not TYPE_CHECKING:
        __getattr__ = no_attribute

    def _wrong_kind(self, kind: str) -> Any:
        raise TypeError(f"this event is a {type(self).__name__}, not a {kind}; check is_… first")

    @property
    def as_content_delta(self) -> ContentDelta:
        return self if isinstance(self, ContentDelta) else self._wrong_kind("ContentDelta")

    @property
    def as_thinking_delta(self) -> ThinkingDelta:
        return self if isinstance(self, ThinkingDelta) else self._wrong_kind("ThinkingDelta")

    @property
    def as_tool_call_started(self) -> ToolCallStarted:
        return self if isinstance(self, ToolCallStarted) else self._wrong_kind("ToolCallStarted")

    @property
    def as_partial_tool_call(self) -> PartialToolCall:
        return self if isinstance(self, PartialToolCall) else self._wrong_kind("PartialToolCall")

    @property
    def as_tool_call_ended(self) -> ToolCallEnded:
        return self if isinstance(self, ToolCallEnded) else self._wrong_kind("ToolCallEnded")

    @property
    def as_metadata(self) -> Metadata:
        return self if isinstance(self, Metadata) else self._wrong_kind("Metadata")

    @property
    def as_stream_end(self) -> StreamEnd:
        return self if isinstance(self, StreamEnd) else self._wrong_kind("StreamEnd")


# The events are not frozen: creating a frozen dataclass takes 3.5 times as long, and a stream has thousands of events.


@dataclass(slots=True)
class ContentDelta(StreamingEvent):
    """A fragment of the response's text. `extra` contains fields that the provider expects back with the text block.

    `starts` is True if a new text block begins here. Otherwise the fragment continues the last one.
    """

    text: str
    extra: dict[str, Any] | None = None
    starts: bool = False
    is_content_delta = True

    @property
    def content(self) -> str:
        """The same as `text`; the other AI-Lib runtimes use this name."""
        return self.text


@dataclass(slots=True)
class ThinkingDelta(StreamingEvent):
    """A fragment of the model's thinking. `signature`, `redacted` and `extra` belong to the block that the fragment is part of.

    `starts` is True if a new thinking block begins here. `index` identifies the block if the provider may continue an earlier
    block after another one began; without it, the fragment continues the last block.
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
    """A tool call begins. `index` counts the calls of this response from 0."""

    index: int
    id: str
    name: str
    is_tool_call_started = True


@dataclass(slots=True)
class PartialToolCall(StreamingEvent):
    """A fragment of a call's arguments: JSON text, as received."""

    index: int
    arguments: str
    is_partial_tool_call = True


@dataclass(slots=True)
class ToolCallEnded(StreamingEvent):
    """A tool call is complete."""

    index: int
    tool_call: ToolCall
    is_tool_call_ended = True


@dataclass(slots=True)
class Metadata(StreamingEvent):
    """Facts about the response. Only the attributes that are not None are new.

    `message_extra` is merged into `Message.extra` of the response; `block` is a provider-specific block of the message.
    """

    usage: Usage | None = None
    id: str | None = None
    model: str | None = None
    message_extra: dict[str, Any] | None = None
    block: Opaque | None = None
    is_metadata = True


@dataclass(slots=True)
class StreamEnd(StreamingEvent):
    """The last event of a complete stream. There is exactly one; a stream that breaks has none."""

    finish_reason: str | None = None
    raw_finish_reason: str | None = None
    stop_sequence: str | None = None
    refusal: str | None = None
    is_stream_end = True
