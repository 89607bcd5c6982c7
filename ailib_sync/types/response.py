"""What a call gives back: `ChatResponse`, `Usage`, `CallStats`, `RateLimit`. Values only."""

from __future__ import annotations

from .._dataclass import dataclass, field
from .messages import Message, MessageRole, Thinking
from .tools import ToolCall

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Literal, TypeAlias

    FinishReason: TypeAlias = Literal["end_turn", "max_tokens", "tool_use", "stop_sequence", "content_filter"]


@dataclass(slots=True)
class Usage:
    """Tokens, `None` where the provider reports nothing.

    `prompt_tokens` is the whole prompt, cached or not, and `completion_tokens` counts reasoning too, for every provider;
    `cached_tokens` and `cache_write_tokens` are parts of the one, `reasoning_tokens` of the other. `raw` is the
    provider's own object.
    """

    prompt_tokens: int | None = None
    completion_tokens: int | None = None
    total_tokens: int | None = None
    cached_tokens: int | None = None
    cache_write_tokens: int | None = None
    reasoning_tokens: int | None = None
    raw: dict[str, Any] | None = field(default=None, repr=False, compare=False)


@dataclass(slots=True)
class RateLimit:
    """What the answer's headers say of the account's limits; `reset_*` in seconds from the answer on."""

    limit_requests: int | None = None
    remaining_requests: int | None = None
    reset_requests: float | None = None
    limit_tokens: int | None = None
    remaining_tokens: int | None = None
    reset_tokens: float | None = None


@dataclass(slots=True, kw_only=True)
class Response:
    """What every operation's response has; the pipeline fills it in.

    `model` is the one that answered, `raw` the provider's JSON (None for a streamed response). `warnings` has one sentence for
    each thing that was requested and is not done as requested.
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

    `finish_reason` is `end_turn`, `max_tokens`, `tool_use`, `stop_sequence`, `content_filter`, or the provider's own
    word where it is none of these; `raw_finish_reason` is always the provider's. `message` is ready to append to a
    history and holds everything that the provider wants back.
    """

    message: Message = field(default_factory=lambda: Message(MessageRole.ASSISTANT, []))
    finish_reason: FinishReason | str | None = None
    raw_finish_reason: str | None = None
    stop_sequence: str | None = None
    refusal: str | None = None

    @property
    def content(self) -> str:
        """The text of the answer; "" where there is none."""
        return self.message.text

    @property
    def thinking(self) -> str | None:
        """What the model thought, where it says so."""
        parts = [block.text for block in self.message.blocks if isinstance(block, Thinking) and block.text]
        return "".join(parts) if parts else None

    @property
    def tool_calls(self) -> list[ToolCall]:
        return self.message.tool_calls

    def __str__(self) -> str:
        return self.content

    def _repr_markdown_(self) -> str:
        """How a notebook shows the answer."""
        return self.content


@dataclass(slots=True)
class CallStats:
    """The usage of a call and what it cost in time.

    `latency_ms` runs from the call to its last byte, retries and their waits included; `time_to_first_token_ms` to the first
    event with content (streams only).
    """

    prompt_tokens: int | None = None
    completion_tokens: int | None = None
    total_tokens: int | None = None
    cached_tokens: int | None = None
    cache_write_tokens: int | None = None
    reasoning_tokens: int | None = None
    latency_ms: float = 0.0
    time_to_first_token_ms: float | None = None
    attempts: int = 1
    provider: str | None = None
    model: str | None = None
    request_id: str | None = None
