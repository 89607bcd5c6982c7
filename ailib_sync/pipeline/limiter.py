"""`Limiter`: how many requests, tokens and calls at once a program allows itself. Waits; knows nothing of HTTP.

A slot is given back by whatever ends a call, and that may be the garbage collector, in any thread and at any point, this
module's own critical section included. So giving back takes no lock: it appends to a deque, which the next look drains, and
opens the gate of the first in the queue. Only those who wait take the lock.
"""

from __future__ import annotations

from _thread import TIMEOUT_MAX, allocate_lock
from collections import deque
from contextlib import suppress
from time import monotonic

from .._forks import reset_in_children
from ..errors import ConfigurationError, PoolTimeout
from ..http.timeouts import FOREVER

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from ..http.timeouts import CallClock

#: Seconds that "per minute" looks back over.
WINDOW = 60.0


class Limiter:
    """Bounds what all calls through it may use, over all threads; clients that are given the same one share it.

        limiter = Limiter(requests_per_minute=500, tokens_per_minute=200_000, max_in_flight=20)
        client = AiClient("openai/gpt-4o", limiter=limiter)

    - `requests_per_minute`: in no 60 seconds do more requests begin. A retry is a request.
    - `tokens_per_minute`: no request begins while the answers of the last 60 seconds have used as many tokens. What a request
      costs is known from its answer alone, so the calls under way at that moment may pass the bound.
    - `max_in_flight`: requests under way at once. A stream is under way until it ends, is closed or is dropped.

    Calls wait in the order they came, within their `Timeout.total` and at most `max_wait` seconds; PoolTimeout is raised where
    that is too short, at once if it can be foreseen. Every process counts for itself.
    """

    __slots__ = (
        "__weakref__", "_begun", "_in_flight", "_lock", "_queue", "_returned", "_spent", "_used",
        "max_in_flight", "max_wait", "requests_per_minute", "tokens_per_minute",
    )  # fmt: skip

    def __init__(
        self,
        *,
        requests_per_minute: int | None = None,
        tokens_per_minute: int | None = None,
        max_in_flight: int | None = None,
        max_wait: float | None = None,
    ) -> None:
        bounds = {
            "requests_per_minute": requests_per_minute,
            "tokens_per_minute": tokens_per_minute,
            "max_in_flight": max_in_flight,
        }
        for name, value in bounds.items():
            if value is not None and (isinstance(value, bool) or not isinstance(value, int) or value < 1):
                raise ConfigurationError(f"Limiter: {name} must be a whole number of at least 1 or None, not {value!r}")
        if all(value is None for value in bounds.values()):
            raise ConfigurationError(f"Limiter: give at least one of {', '.join(bounds)}")
        self.requests_per_minute = requests_per_minute
        self.tokens_per_minute = tokens_per_minute
        self.max_in_flight = max_in_flight
        self.max_wait = max_wait
        self._begun: deque[float] = deque()
        self._spent: deque[tuple[float, int]] = deque()
        self._used = 0
        self.reset_after_fork()
        reset_in_children(self)

    def reset_after_fork(self) -> None:
        """Forgets who is under way and who waits: in a forked child they are the parent's."""
        self._lock = allocate_lock()
        self._queue: deque[_Waiter] = deque()
        self._returned: deque[tuple[float, int]] = deque()
        self._in_flight = 0

    def acquire(self, clock: CallClock) -> Slot:
        """Waits until a request may begin. Raises PoolTimeout, or Cancelled when the call is."""
        waiter = _Waiter()
        until = monotonic() + (FOREVER if self.max_wait is None else self.max_wait)
        with self._lock:
            self._queue.append(waiter)
        clock.waker = waiter.wake
        try:
            while True:
                wait, reason = self._look(waiter)
                if not wait:
                    return Slot(self)
                if clock.cancelled:
                    clock.check()
                left = min(clock.left(), until - monotonic())
                if left <= 0 or left < wait < FOREVER:
                    raise PoolTimeout(f"the limiter lets no request begin in time: {reason}")
                waiter.wait(min(wait, left))
        finally:
            clock.waker = None
            with self._lock:
                self._queue.remove(waiter)
            self._wake_first()

    def _look(self, waiter: _Waiter) -> tuple[float, str]:
        """0 where the request has begun; else the seconds until it is worth to look again, and what stands in the way."""
        with self._lock:
            now = monotonic()
            self._settle(now)
            if self._queue[0] is not waiter:
                return FOREVER, "other calls wait before this one"
            if self.max_in_flight is not None and self._in_flight >= self.max_in_flight:
                return FOREVER, f"{self._in_flight} requests are under way (max_in_flight)"
            if self.requests_per_minute is not None and len(self._begun) >= self.requests_per_minute:
                wait = self._begun[0] + WINDOW - now
                return wait, f"{len(self._begun)} began in the last minute, the next may in {wait:.1f} s (requests_per_minute)"
            if self.tokens_per_minute is not None and self._used >= self.tokens_per_minute:
                wait = self._spent[0][0] + WINDOW - now
                return wait, f"{self._used} tokens were used in the last minute (tokens_per_minute)"
            self._in_flight += 1
            if self.requests_per_minute is not None:
                self._begun.append(now)
            return 0.0, ""

    def _settle(self, now: float) -> None:
        """Takes in what was given back, and drops what is older than a minute."""
        while self._returned:
            when, tokens = self._returned.popleft()
            self._in_flight -= 1
            if tokens and self.tokens_per_minute is not None:
                self._spent.append((when, tokens))
                self._used += tokens
        while self._begun and self._begun[0] <= now - WINDOW:
            self._begun.popleft()
        while self._spent and self._spent[0][0] <= now - WINDOW:
            self._used -= self._spent.popleft()[1]

    def _wake_first(self) -> None:
        with suppress(IndexError):
            self._queue[0].wake()

    def __reduce__(self) -> tuple[Any, ...]:
        names = ("requests_per_minute", "tokens_per_minute", "max_in_flight", "max_wait")
        return _limiter, ({name: getattr(self, name) for name in names},)

    def __repr__(self) -> str:
        names = ("requests_per_minute", "tokens_per_minute", "max_in_flight", "max_wait")
        given = [(name, getattr(self, name)) for name in names]
        return f"Limiter({', '.join(f'{name}={value}' for name, value in given if value is not None)})"


def _limiter(bounds: dict[str, Any]) -> Limiter:
    return Limiter(**bounds)


class Slot:
    """One request under way. Given back once, however often `release` is called; it takes no lock."""

    __slots__ = ("_held",)

    def __init__(self, limiter: Limiter) -> None:
        self._held = [limiter]

    def release(self, tokens: int = 0) -> None:
        """The request is over and has used this many tokens."""
        try:
            limiter = self._held.pop()
        except IndexError:
            return
        limiter._returned.append((monotonic(), tokens))
        limiter._wake_first()


class _Waiter:
    """A thread in the queue, in front of its gate: a bare lock, which may be opened from a finalizer."""

    __slots__ = ("_gate",)

    def __init__(self) -> None:
        self._gate = allocate_lock()
        self._gate.acquire()

    def wait(self, seconds: float) -> None:
        self._gate.acquire(timeout=min(seconds, TIMEOUT_MAX))

    def wake(self) -> None:
        with suppress(RuntimeError):  # it stands open already
            self._gate.release()
