"""`Limiter`: how many requests, tokens and concurrent calls a program allows itself. Waits; knows nothing of HTTP.

A slot is released by whatever ends a call. That may be the garbage collector, in any thread and at any point, even inside this
module's critical section. So `release` takes no lock: it appends to a deque, which the next waiter empties, and wakes the first
waiter in the queue. Only waiters take the lock.
"""

from __future__ import annotations

from _thread import TIMEOUT_MAX, allocate_lock
from collections import deque
from contextlib import suppress
from time import monotonic

from .._forks import reset_in_children
from ..errors import ConfigurationError, PoolTimeout
from ..http.timeouts import NO_LIMIT

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from ..http.timeouts import CallClock

#: The length of a "minute".
WINDOW_SECONDS = 60.0


class Limiter:
    """Limits all calls that go through it, over all threads and all clients that share it.

        limiter = Limiter(requests_per_minute=500, tokens_per_minute=200_000, max_in_flight=20)
        client = AiClient("openai/gpt-4o", limiter=limiter)

    - `requests_per_minute`: no more requests than this start in any 60 seconds. A retry is a request.
    - `tokens_per_minute`: no request starts while the responses of the last 60 seconds have used this many tokens. The cost of
      a request is known only from its response, so requests that are in flight at that moment can exceed the limit.
    - `max_in_flight`: concurrent requests. A stream is in flight until it ends, is closed or is dropped.

    Calls wait in the order in which they came, within their `Timeout.total` and at most `max_wait` seconds. If that is too
    short, PoolTimeout is raised, immediately if this is known in advance. Each process counts for itself.
    """

    __slots__ = (
        "__weakref__", "_in_flight", "_lock", "_queue", "_released", "_started", "_token_sum", "_tokens",
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
        self._started: deque[float] = deque()
        self._tokens: deque[tuple[float, int]] = deque()
        self._token_sum = 0
        self.reset_after_fork()
        reset_in_children(self)

    def reset_after_fork(self) -> None:
        """Forgets the requests in flight and the waiters: in a forked child they belong to the parent."""
        self._lock = allocate_lock()
        self._queue: deque[_Waiter] = deque()
        self._released: deque[tuple[float, int]] = deque()
        self._in_flight = 0

    def acquire(self, clock: CallClock) -> Slot:
        """Waits until a request may start. Raises PoolTimeout, Cancelled or DeadlineExceeded."""
        waiter = _Waiter()
        until = monotonic() + (NO_LIMIT if self.max_wait is None else self.max_wait)
        with self._lock:
            self._queue.append(waiter)
        clock.waker = waiter.wake
        try:
            while True:
                wait, reason = self._try_start(waiter)
                if not wait:
                    return Slot(self)
                if clock.cancelled:
                    clock.check()
                left = min(clock.remaining(), until - monotonic())
                if left <= 0 or left < wait < NO_LIMIT:
                    raise PoolTimeout(f"the limiter allows no request to start in time: {reason}")
                waiter.wait(min(wait, left))
        finally:
            clock.waker = None
            with self._lock:
                self._queue.remove(waiter)
            self._wake_first()

    def _try_start(self, waiter: _Waiter) -> tuple[float, str]:
        """0 if the request has started; else the seconds until the next attempt makes sense, and the limit that prevents it."""
        with self._lock:
            now = monotonic()
            self._collect_released(now)
            if self._queue[0] is not waiter:
                return NO_LIMIT, "other calls wait before this one"
            if self.max_in_flight is not None and self._in_flight >= self.max_in_flight:
                return NO_LIMIT, f"{self._in_flight} requests are in flight (max_in_flight)"
            if self.requests_per_minute is not None and len(self._started) >= self.requests_per_minute:
                wait = self._started[0] + WINDOW_SECONDS - now
                started = len(self._started)
                return wait, f"{started} started in the last minute, the next may start in {wait:.1f} s (requests_per_minute)"
            if self.tokens_per_minute is not None and self._token_sum >= self.tokens_per_minute:
                wait = self._tokens[0][0] + WINDOW_SECONDS - now
                return wait, f"{self._token_sum} tokens were used in the last minute (tokens_per_minute)"
            self._in_flight += 1
            if self.requests_per_minute is not None:
                self._started.append(now)
            return 0.0, ""

    def _collect_released(self, now: float) -> None:
        """Counts the released slots, and drops what is older than a minute. Needs the lock."""
        while self._released:
            when, tokens = self._released.popleft()
            self._in_flight -= 1
            if tokens and self.tokens_per_minute is not None:
                self._tokens.append((when, tokens))
                self._token_sum += tokens
        while self._started and self._started[0] <= now - WINDOW_SECONDS:
            self._started.popleft()
        while self._tokens and self._tokens[0][0] <= now - WINDOW_SECONDS:
            self._token_sum -= self._tokens.popleft()[1]

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
    """One request in flight. Only the first `release` has an effect. Takes no lock."""

    __slots__ = ("_limiter",)

    def __init__(self, limiter: Limiter) -> None:
        self._limiter = [limiter]

    def release(self, tokens: int = 0) -> None:
        """The request has ended and has used this many tokens."""
        try:
            limiter = self._limiter.pop()
        except IndexError:
            return
        limiter._released.append((monotonic(), tokens))
        limiter._wake_first()


class _Waiter:
    """A waiting thread. Its gate is a plain lock, which a finalizer may release."""

    __slots__ = ("_gate",)

    def __init__(self) -> None:
        self._gate = allocate_lock()
        self._gate.acquire()

    def wait(self, seconds: float) -> None:
        self._gate.acquire(timeout=min(seconds, TIMEOUT_MAX))

    def wake(self) -> None:
        with suppress(RuntimeError):  # the gate is already open
            self._gate.release()
