"""`CircuitBreaker`: stops requests to a provider that keeps failing. Does not wait and does not send."""

from __future__ import annotations

from _thread import allocate_lock
from time import monotonic

from .._arguments import whole
from .._forks import reset_in_children
from ..errors import AiLibError, Cancelled, CircuitOpen, ConfigurationError, DeadlineExceeded, PoolTimeout, RemoteError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Literal


class CircuitBreaker:
    """After `failures` failed requests in a row, calls fail immediately with CircuitOpen for `cooldown` seconds, or go to their
    fallbacks. Then one request is admitted as a probe; if it succeeds, all requests are admitted again.

        client = AiClient("openai/gpt-4o", breaker=CircuitBreaker(), fallbacks=["anthropic/claude-sonnet-4-5"])

    Failures are the errors that a fallback is tried after (an outage, a lost connection, a rate limit, an exhausted quota), and
    a deadline that passed. An error response to a bad request is not a failure, nor is an error after the first event of a
    stream. Threads, and clients that are given the same breaker, share it; each process counts for itself.
    """

    __slots__ = ("__weakref__", "_count", "_last", "_lock", "_open_until", "_probe_until", "cooldown", "failures")

    def __init__(self, failures: int = 5, cooldown: float = 30.0) -> None:
        if isinstance(cooldown, bool) or not isinstance(cooldown, (int, float)) or not cooldown > 0:
            raise ConfigurationError(f"CircuitBreaker: cooldown must be a number of seconds above 0, not {cooldown!r}")
        self.failures = whole("CircuitBreaker: failures", failures, 1)
        self.cooldown = cooldown
        self._count = 0
        self._last = ""
        self._open_until: float | None = None
        self.reset_after_fork()
        reset_in_children(self)

    def reset_after_fork(self) -> None:
        """In a forked child the lock is free, and no probe is in flight."""
        self._lock = allocate_lock()
        self._probe_until = 0.0

    @property
    def state(self) -> Literal["closed", "open", "half_open"]:
        """`half_open`: the cooldown has passed, and the probe has not ended yet."""
        until = self._open_until
        if until is None:
            return "closed"
        return "open" if monotonic() < until else "half_open"

    def admit(self) -> None:
        """Raises CircuitOpen unless a request may be sent now. Each admission must be followed by one `note`."""
        if self._open_until is None:
            return
        with self._lock:
            if self._open_until is None:
                return
            now = monotonic()
            wait = self._open_until - now
            if wait <= 0 and now >= self._probe_until:
                self._probe_until = now + self.cooldown  # if this probe never ends, another is admitted then
                return
        when = f"the next is sent in {wait:.1f} s" if wait > 0 else "a probe is in flight"
        raise CircuitOpen(f"no request is sent after {self._count} failures in a row; {when}. The last was {self._last}")

    def note(self, error: BaseException | None) -> None:
        """Records how an admitted request ended: the error, or None for a response."""
        if error is None and self._count == 0:
            return
        with self._lock:
            self._probe_until = 0.0
            if error is None or (isinstance(error, RemoteError) and not error.fallbackable):
                self._count, self._open_until = 0, None
            elif _is_failure(error):
                self._count += 1
                self._last = f"{type(error).__name__}: {error}"
                if self._count >= self.failures:
                    self._open_until = monotonic() + self.cooldown

    def __reduce__(self) -> tuple[Any, ...]:
        return CircuitBreaker, (self.failures, self.cooldown)

    def __repr__(self) -> str:
        return f"CircuitBreaker(failures={self.failures}, cooldown={self.cooldown}, {self.state})"


def _is_failure(error: BaseException) -> bool:
    """Whether the error comes from the provider. A wait for our own limiter and a cancelled call do not."""
    if isinstance(error, (PoolTimeout, Cancelled)) or not isinstance(error, AiLibError):
        return False
    return error.fallbackable or isinstance(error, DeadlineExceeded)
