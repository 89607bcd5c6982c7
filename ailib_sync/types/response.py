"""The results of a call: `ChatResponse`, `Usage`, `CallStats`, `RateLimit`. Values only."""

from __future__ import annotations

from .._arguments import no_attribute
from .._dataclass import dataclass, field
from .messages import Message, MessageRole, Thinking
from .tools import ToolCall

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Literal, TypeAlias

    from ..errors import Attempt

    FinishReason: TypeAlias = Literal["end_turn", "max_tokens", "tool_use", "stop_sequence", "content_filter"]


@dataclass(slots=True)
class Usage:
    """Numbers of tokens; None if the provider reports none.

    For every provider, `prompt_tokens` includes `cached_tokens` and `cache_write_tokens`, and `completion_tokens` includes
    `reasoning_tokens`. `raw` is the provider's own object.
    """

    prompt_tokens: int | None = None
    completion_tokens: int | None = None
    total_tokens: int | None = None
    cached_tokens: int | None = None
    cache_write_tokens: int | None = None
    reasoning_tokens: int | None = None
    raw: dict[str, Any] | None = field(default=None, repr=False, compare=False)

    if not TYPE_CHECKING:
        __getattr__ = no_attribute


@dataclass(slots=True)
class RateLimit:
    """The account's limits, from the headers of a response; `reset_*` in seconds after the response."""

    limit_requests: int | None = None
    remaining_requests: int | None = None
    reset_requests: float | None = None
    limit_tokens: int | None = None
    remaining_tokens: int | None = None
    reset_tokens: float | None = None


@dataclass(slots=True, kw_only=True)
class Response:
    """The attributes of every operation's response, set by the pipeline.

    `model` is the model that responded, `raw` is the provider's JSON (None for a streamed response). `warnings` has one
    sentence for each option that was not sent as requested.
    """

    id: str | None = None
    model: str | None = None
    provider: str | None = None
    request_id: str | None = None
    usage: Usage = field(default_factory=Usage)
    warnings: list[str] = field(default_factory=list)
    rate_limit: RateLimit | None = None
    raw: dict[str, Any] | None = field(default=None, repr=False)


@dataclass(slots=True)
class ChatResponse(Response):
    """The response of a chat.

    `finish_reason` is `end_turn`, `max_tokens`, `tool_use`, `stop_sequence`, `content_filter`, or else the provider's own word;
    `raw_finish_reason` is always the provider's. `message` can be appended to a history: it contains everything that the
    provider expects back. `refusal` is the text with which the model declined.
    """

    message: Message = field(default_factory=lambda: Message(MessageRole.ASSISTANT, []))
    finish_reason: FinishReason | str | None = None
    raw_finish_reason: str | None = None
    stop_sequence: str | None = None
    refusal: str | None = None

    @property
    def content(self) -> str:
        """The text of the response; "" if there is none."""
        return self.message.text

    @property
    def thinking(self) -> str | None:
        """The visible thinking; None if there is none."""
        parts = [block.text for block in self.message.blocks if isinstance(block, Thinking) and block.text]
        return "".join(parts) if parts else None

    @property
    def tool_calls(self) -> list[ToolCall]:
        return self.message.tool_calls

    if not TYPE_CHECKING:
        __getattr__ = no_attribute

    def __str__(self) -> str:
        return self.content

    def _repr_markdown_(self) -> str:
        """The text, which notebooks show as Markdown."""
        return self.content


@dataclass(slots=True)
class CallStats:
    """The usage and the duration of a call.

    `latency_ms` is the time from the call to the last byte of the response, including retries and pauses.
    `time_to_first_token_ms` is the time to the first event with content (streams only). `attempts` lists all requests of the
    call, as `error.attempts` does; the last one succeeded.
    """

    prompt_tokens: int | None = None
    completion_tokens: int | None = None
    total_tokens: int | None = None
    cached_tokens: int | None = None
    cache_write_tokens: int | None = None
    reasoning_tokens: int | None = None
    latency_ms: float = 0.0
    time_to_first_token_ms: float | None = None
    attempts: tuple[Attempt, ...] = ()
    provider: str | None = None
    model: str | None = None
    request_id: str | None = None
