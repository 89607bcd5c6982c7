"""`CircuitBreaker`: a provider that fails again and again is left alone for a while. Neither waits nor sends."""

from __future__ import annotations

from _thread import allocate_lock
from time import monotonic

from .._forks import reset_in_children
from ..errors import AiLibError, Cancelled, CircuitOpen, ConfigurationError, DeadlineExceeded, PoolTimeout, RemoteError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Literal


class CircuitBreaker:
    """After `failures` failed requests in a row, calls fail at once with CircuitOpen for `cooldown` seconds (or go to the
    fallbacks, if there are any); then one request is let through, and its success lets all others follow.

        client = AiClient("openai/gpt-4o", breaker=CircuitBreaker(), fallbacks=["anthropic/claude-sonnet-4-5"])

    A failure is what a fallback would be asked after (an outage, a lost connection, a rate limit, an exhausted quota) and a
    deadline that passed; a refused request is an answer. What breaks a stream after its first event does not count. Threads,
    and clients that are given the same one, share it; every process counts for itself.
    """

    __slots__ = ("__weakref__", "_count", "_last", "_lock", "_open_until", "_probe_until", "cooldown", "failures")

    def __init__(self, failures: int = 5, cooldown: float = 30.0) -> None:
        if isinstance(failures, bool) or not isinstance(failures, int) or failures < 1:
            raise ConfigurationError(f"CircuitBreaker: failures must be a whole number of at least 1, not {failures!r}")
        if isinstance(cooldown, bool) or not isinstance(cooldown, (int, float)) or not cooldown > 0:
            raise ConfigurationError(f"CircuitBreaker: cooldown must be a number of seconds above 0, not {cooldown!r}")
        self.failures = failures
        self.cooldown = cooldown
        self._count = 0
        self._last = ""
        self._open_until: float | None = None
        self.reset_after_fork()
        reset_in_children(self)

    def reset_after_fork(self) -> None:
        """In a forked child: the lock is free, and nobody here is probing."""
        self._lock = allocate_lock()
        self._probe_until = 0.0

    @property
    def state(self) -> Literal["closed", "open", "half_open"]:
        """`half_open` is the time after the cooldown, until one request has shown whether the provider is back."""
        until = self._open_until
        if until is None:
            return "closed"
        return "open" if monotonic() < until else "half_open"

    def admit(self) -> None:
        """Raises CircuitOpen unless a request may be made now. Every admission must be followed by `note`."""
        if self._open_until is None:
            return
        with self._lock:
            if self._open_until is None:
                return
            now = monotonic()
            wait = self._open_until - now
            if wait <= 0 and now >= self._probe_until:
                self._probe_until = now + self.cooldown  # a probe that is never heard of again must not hold all others back
                return
        when = f"the next is tried in {wait:.1f} s" if wait > 0 else "one is being tried"
        raise CircuitOpen(f"no request is made after {self._count} failures in a row; {when}. The last was {self._last}")

    def note(self, error: BaseException | None) -> None:
        """How an admitted request ended: an error, or None for an answer."""
        if error is None and self._count == 0:
            return
        with self._lock:
            self._probe_until = 0.0
            if error is None or (isinstance(error, RemoteError) and not error.fallbackable):
                self._count, self._open_until = 0, None
            elif _counts(error):
                self._count += 1
                self._last = f"{type(error).__name__}: {error}"
                if self._count >= self.failures:
                    self._open_until = monotonic() + self.cooldown

    def __reduce__(self) -> tuple[Any, ...]:
        return CircuitBreaker, (self.failures, self.cooldown)

    def __repr__(self) -> str:
        return f"CircuitBreaker(failures={self.failures}, cooldown={self.cooldown}, {self.state})"


def _counts(error: BaseException) -> bool:
    """Whether the provider is to blame; a wait for our own limiter or a cancelled call says nothing of it."""
    if isinstance(error, (PoolTimeout, Cancelled)) or not isinstance(error, AiLibError):
        return False
    return error.fallbackable or isinstance(error, DeadlineExceeded)
