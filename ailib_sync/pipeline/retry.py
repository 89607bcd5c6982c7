"""When to retry and how long to wait: policies as values. No sleep, no request."""

from __future__ import annotations

from _thread import allocate_lock

from .._dataclass import dataclass
from .._forks import reset_in_children
from ..errors import AiLibError, ConfigurationError, ContentTimeout, ReadTimeout, RemoteError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from typing import Any


@dataclass(frozen=True, slots=True)
class RetryPolicy:
    """How a failed request is retried. Delays are in seconds.

    - `max_retries`: how many further attempts are made.
    - `base_delay`, `max_delay`, `min_delay`: the wait before retry n (from 0) is random between `min_delay` and
      min(`base_delay` · 2ⁿ, `max_delay`), unless the provider sends a Retry-After.
      (Full jitter: https://aws.amazon.com/blogs/architecture/exponential-backoff-and-jitter/)
    - `max_retry_after`: a longer Retry-After is not honoured. The error is raised immediately, with it in `error.retry_after`.
    - `on_read_timeout`: also retry after a read timeout. The provider has the request, and may charge for both.
    """

    max_retries: int = 2
    base_delay: float = 0.5
    max_delay: float = 8.0
    min_delay: float = 0.0
    max_retry_after: float = 60.0
    on_read_timeout: bool = False

    def __post_init__(self) -> None:
        if isinstance(self.max_retries, bool) or not isinstance(self.max_retries, int) or not 0 <= self.max_retries <= 100:
            raise ConfigurationError(f"max_retries must be a whole number from 0 to 100, not {self.max_retries!r}")

    @classmethod
    def of(cls, value: RetryPolicy | int) -> RetryPolicy:
        """A policy unchanged; a number as `max_retries`."""
        return value if isinstance(value, RetryPolicy) else cls(max_retries=value)

    def allows(self, error: AiLibError, retries: int) -> bool:
        """Whether another attempt may follow this error, after `retries` retries."""
        if retries >= self.max_retries or not error.retryable:
            return False
        if isinstance(error, (ReadTimeout, ContentTimeout)):
            return self.on_read_timeout
        return not (isinstance(error, RemoteError) and (error.retry_after or 0) > self.max_retry_after)

    def delay(self, error: AiLibError, retries: int, draw: Callable[[float, float], float]) -> float:
        """Seconds to wait before the next attempt. `draw(a, b)` is `random.uniform`."""
        if isinstance(error, RemoteError) and error.retry_after is not None:
            # Never sooner than the policy's own shortest wait: a hint of 0 would make a loop without a pause.
            return max(error.retry_after, self.min_delay, min(self.base_delay, self.max_delay) / 2)
        ceiling = min(self.base_delay * 2.0**retries, self.max_delay)
        if isinstance(error, RemoteError) and error.status_code in (429, 529):
            ceiling = min(ceiling * 2, self.max_delay)
        return draw(min(self.min_delay, ceiling), ceiling)


class RetryBudget:
    """A token bucket shared by all calls of a client, so that retries do not multiply the load of an outage.

    Each retry takes tokens. A success refunds the tokens of its last retry, at least one. Without tokens there is no retry.
    The numbers are botocore's (https://docs.aws.amazon.com/sdkref/latest/guide/feature-retry-behavior.html).
    """

    CAPACITY = 500
    TRANSIENT = 14
    THROTTLED = 5

    __slots__ = ("__weakref__", "_lock", "tokens")

    def __init__(self) -> None:
        self.tokens = self.CAPACITY
        self.reset_after_fork()
        reset_in_children(self)

    def reset_after_fork(self) -> None:
        self._lock = allocate_lock()

    def __reduce__(self) -> tuple[Any, ...]:
        return RetryBudget, ()

    def take(self, error: AiLibError) -> int:
        """Takes the tokens for one retry and returns how many. 0 means that no retry is allowed."""
        cost = self.THROTTLED if isinstance(error, RemoteError) and error.status_code == 429 else self.TRANSIENT
        with self._lock:
            if self.tokens < cost:
                return 0
            self.tokens -= cost
            return cost

    def refund(self, tokens: int) -> None:
        """Puts the tokens of a retry back after a success, at least one."""
        if self.tokens < self.CAPACITY:
            with self._lock:
                self.tokens = min(self.CAPACITY, self.tokens + max(tokens, 1))


def should_retry_header(headers: Mapping[str, str]) -> bool | None:
    """The `x-should-retry` header that OpenAI and Anthropic send, None if it is absent or unknown."""
    return {"true": True, "false": False}.get(headers.get("x-should-retry", "").strip().lower())
