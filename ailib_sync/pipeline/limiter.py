"""`Limiter`: how many requests, tokens and concurrent calls a program allows itself. Waits; knows nothing of HTTP.

Two rules keep it usable however a call ends:

- A slot counts only while its object is alive. An exception of a signal handler can end a call between any two instructions;
  the slot is then dropped with the call's frames. Waiters are in the queue in the same way.
- `release` takes no lock, because the garbage collector may call it in any thread and at any point, even inside this module's
  critical section. It uses atomic methods of dict and deque, and wakes the first waiter. A lost wake-up costs MAX_WAIT_SECONDS.
"""

from __future__ import annotations

from _thread import allocate_lock
from _weakref import ref
from collections import deque
from contextlib import suppress
from functools import partial
from itertools import count
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
#: A waiter checks the limits this often, even if nobody wakes it.
MAX_WAIT_SECONDS = 1.0


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
        "__weakref__", "_lock", "_queue", "_released", "_slots", "_started", "_tokens",
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
        #: When, how many tokens, and the sum of them all since the deque was empty.
        self._tokens: deque[tuple[float, int, int]] = deque()
        self.reset_after_fork()
        reset_in_children(self)

    def reset_after_fork(self) -> None:
        """Forgets the requests in flight and the waiters: in a forked child they belong to the parent."""
        self._lock = allocate_lock()
        self._queue: deque[ref[_Waiter]] = deque()
        self._slots: dict[int, ref[Slot]] = {}
        self._released: deque[tuple[float, int]] = deque()

    def acquire(self, clock: CallClock) -> Slot:
        """Waits until a request may start. Raises PoolTimeout, Cancelled or DeadlineExceeded.

        The slot is in `clock.slot` before it counts, so that the end of the call releases it, however it ends.
        """
        waiter = _Waiter()
        slot = clock.slot = Slot(self)
        until = monotonic() + (NO_LIMIT if self.max_wait is None else self.max_wait)
        try:
            self._queue.append(ref(waiter))
            clock.waker = waiter.wake
            while True:
                wait, reason = self._try_start(waiter, slot)
                if not wait:
                    return slot
                if clock.cancelled:
                    clock.check()
                left = min(clock.remaining(), until - monotonic())
                if left <= 0 or left < wait < NO_LIMIT:
                    raise PoolTimeout(f"the limiter allows no request to start in time: {reason}")
                waiter.wait(min(wait, left, MAX_WAIT_SECONDS))
        finally:
            waiter.done = True
            clock.waker = None
            self._wake_first()

    def _try_start(self, waiter: _Waiter, slot: Slot) -> tuple[float, str]:
        """0 if the request has started; else the seconds until the next attempt makes sense, and the limit that prevents it."""
        with self._lock:
            now = monotonic()
            self._collect(now)
            first = self._queue[0]()
            if first is not waiter:
                return NO_LIMIT, "other calls wait before this one"
            if self.max_in_flight is not None and len(self._slots) >= self.max_in_flight:
                return NO_LIMIT, f"{len(self._slots)} requests are in flight (max_in_flight)"
            if self.requests_per_minute is not None and len(self._started) >= self.requests_per_minute:
                wait = self._started[0] + WINDOW_SECONDS - now
                started = len(self._started)
                return wait, f"{started} started in the last minute, the next may start in {wait:.1f} s (requests_per_minute)"
            if self.tokens_per_minute is not None and self._used() >= self.tokens_per_minute:
                wait = self._tokens[0][0] + WINDOW_SECONDS - now
                return wait, f"{self._used()} tokens were used in the last minute (tokens_per_minute)"
            if self.requests_per_minute is not None:
                self._started.append(now)
            self._slots[slot.number] = ref(slot)
            return 0.0, ""

    def _collect(self, now: float) -> None:
        """Drops slots and waiters that are gone, counts the tokens of released slots, and forgets what is a minute old.

        Needs the lock.
        """
        while (waiter := self._queue[0]()) is None or waiter.done:
            self._queue.popleft()
        if self.max_in_flight is not None and len(self._slots) >= self.max_in_flight:
            for number, slot in list(self._slots.items()):
                if slot() is None:
                    self._slots.pop(number, None)
        while self._released:
            when, tokens = self._released.popleft()
            total = self._tokens[-1][2] if self._tokens else 0
            self._tokens.append((when, tokens, total + tokens))
        while self._started and self._started[0] <= now - WINDOW_SECONDS:
            self._started.popleft()
        while self._tokens and self._tokens[0][0] <= now - WINDOW_SECONDS:
            self._tokens.popleft()

    def _used(self) -> int:
        """The tokens of the last minute. There is no sum that an interrupt between two steps could make wrong."""
        if not self._tokens:
            return 0
        _, first, first_total = self._tokens[0]
        return self._tokens[-1][2] - first_total + first

    def _wake_first(self) -> None:
        for waiting in list(self._queue):
            waiter = waiting()
            if waiter is not None and not waiter.done:
                waiter.wake()
                return

    def __reduce__(self) -> tuple[Any, ...]:
        return partial(Limiter, **self._arguments()), ()

    def __repr__(self) -> str:
        given = [f"{name}={value}" for name, value in self._arguments().items() if value is not None]
        return f"Limiter({', '.join(given)})"

    def _arguments(self) -> dict[str, Any]:
        names = ("requests_per_minute", "tokens_per_minute", "max_in_flight", "max_wait")
        return {name: getattr(self, name) for name in names}


_numbers = count()


class Slot:
    """One request in flight. Only the first `release` has an effect. Takes no lock."""

    __slots__ = ("__weakref__", "_limiter", "number")

    def __init__(self, limiter: Limiter) -> None:
        self._limiter = limiter
        self.number = next(_numbers)

    def release(self, tokens: int = 0) -> None:
        """The request has ended and has used this many tokens."""
        limiter = self._limiter
        # The atomic `pop` is the release, and decides which call of `release` is the first.
        if limiter._slots.pop(self.number, None) is None:
            return
        if tokens > 0 and limiter.tokens_per_minute is not None:
            limiter._released.append((monotonic(), tokens))
        limiter._wake_first()

    def __del__(self) -> None:
        # Not needed for the count, but the next waiter need not wait for MAX_WAIT_SECONDS.
        self.release()


class _Waiter:
    """A waiting thread. Its gate is a plain lock, which a finalizer may release."""

    __slots__ = ("__weakref__", "_gate", "done")

    def __init__(self) -> None:
        self.done = False
        self._gate = allocate_lock()
        self._gate.acquire()

    def wait(self, seconds: float) -> None:
        self._gate.acquire(timeout=seconds)

    def wake(self) -> None:
        with suppress(RuntimeError):  # the gate is already open
            self._gate.release()
