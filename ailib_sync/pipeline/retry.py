"""When to try again, and after how long: policies as values. No clock, no sleep, no request."""

from __future__ import annotations

from _thread import allocate_lock
from time import time

from .._dataclass import dataclass
from .._forks import reset_in_children
from ..errors import AiLibError, ConfigurationError, ContentTimeout, ReadTimeout, RemoteError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from typing import Any


@dataclass(frozen=True, slots=True)
class RetryPolicy:
    """`max_retries` further attempts. The wait before the n-th is drawn evenly from `min_delay` to
    min(`base_delay` · 2ⁿ, `max_delay`) seconds (full jitter), unless the provider names one. A provider's wish beyond
    `max_retry_after` is not waited for: the error is raised at once and says it. `on_read_timeout`: also after silence from a
    provider that has the whole request (it may be billed twice).
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
        """A policy as it is; a number as its `max_retries`."""
        return value if isinstance(value, RetryPolicy) else cls(max_retries=value)

    def allows(self, error: AiLibError, retries: int) -> bool:
        """Whether another attempt may follow this error after `retries` of them."""
        if retries >= self.max_retries or not error.retryable:
            return False
        if isinstance(error, (ReadTimeout, ContentTimeout)):
            return self.on_read_timeout
        return not (isinstance(error, RemoteError) and (error.retry_after or 0) > self.max_retry_after)

    def delay(self, error: AiLibError, retries: int, draw: Callable[[float, float], float]) -> float:
        """Seconds to wait before the next attempt. `draw(a, b)` is `random.uniform`."""
        if isinstance(error, RemoteError) and error.retry_after is not None:
            return error.retry_after
        ceiling = min(self.base_delay * 2.0**retries, self.max_delay)
        if isinstance(error, RemoteError) and error.status_code in (429, 529):
            ceiling = min(ceiling * 2, self.max_delay)
        return draw(min(self.min_delay, ceiling), ceiling)


class RetryBudget:
    """A token bucket shared by all calls of a client, so that an outage is not multiplied by everybody's retries.

    Each retry takes `cost` tokens and a success gives what its retries took back (plus one); an empty bucket means no retry.
    The figures are botocore's (https://docs.aws.amazon.com/sdkref/latest/guide/feature-retry-behavior.html).
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
        """The tokens taken for one retry; 0 means that none may be made."""
        cost = self.THROTTLED if isinstance(error, RemoteError) and error.status_code == 429 else self.TRANSIENT
        with self._lock:
            if self.tokens < cost:
                return 0
            self.tokens -= cost
            return cost

    def give_back(self, tokens: int) -> None:
        if self.tokens < self.CAPACITY:
            with self._lock:
                self.tokens = min(self.CAPACITY, self.tokens + max(tokens, 1))


def should_retry_header(headers: Mapping[str, str]) -> bool | None:
    """What the provider itself says about trying again (`x-should-retry`), None where it says nothing."""
    return {"true": True, "false": False}.get(headers.get("x-should-retry", "").strip().lower())


def parse_retry_after(headers: Mapping[str, str], now: Callable[[], float] = time) -> float | None:
    """The wait a provider asks for, in seconds: `retry-after-ms`, or `Retry-After` in seconds or as an HTTP date (counted from
    the answer's own `Date`, so that a wrong clock on either side does not matter). Garbage, NaN and the past are None."""
    milliseconds = _seconds(headers.get("retry-after-ms"))
    if milliseconds is not None:
        return milliseconds / 1000
    wish = headers.get("retry-after")
    if wish is None:
        return None
    seconds = _seconds(wish)
    if seconds is not None:
        return seconds
    until = _timestamp(wish)
    if until is None:
        return None
    since = _timestamp(headers.get("date", ""))
    wait = until - (since if since is not None else now())
    return wait if wait > 0 else None


def _seconds(text: str | None) -> float | None:
    try:
        value = float(text or "")
    except ValueError:
        return None
    return value if value >= 0 else None  # NaN compares false


def _timestamp(text: str) -> float | None:
    from email.utils import parsedate_to_datetime  # urllib3 has loaded it already

    try:
        return parsedate_to_datetime(text).timestamp()
    except (TypeError, ValueError, OverflowError, IndexError):
        return None
