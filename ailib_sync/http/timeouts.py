"""How long a call may take and how large its answer may be: the policies, and the clock of one call. No I/O but waiting."""

from __future__ import annotations

from time import monotonic

from .._dataclass import dataclass
from ..errors import (
    CallTimeout,
    Cancelled,
    ConfigurationError,
    ConnectTimeout,
    ContentTimeout,
    DeadlineExceeded,
    ReadTimeout,
    WriteTimeout,
)

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Protocol

    class Slot(Protocol):
        """The place of one request in a limiter. `release` takes the tokens used, no lock, and may be called twice."""

        def release(self, tokens: int = 0) -> None: ...


#: The limit on a whole call without streaming, where nothing was said.
PLAIN_TOTAL = 600.0
FOREVER = float("inf")


@dataclass(frozen=True, slots=True)
class Timeout:
    """Seconds; None is no limit.

    `connect` bounds name look-up, TCP and TLS, and each write; `read` the wait for any byte; `content` the wait for the
    next event with content (pings and comments do not count); `total` the whole call: attempts, waits, fallbacks, headers,
    body. The clocks of a stream stand still while its reader works. A call without streaming has `total=600` where it is None.
    """

    connect: float | None = 10.0
    read: float | None = 120.0
    content: float | None = 600.0
    total: float | None = None

    def __post_init__(self) -> None:
        for name in ("connect", "read", "content", "total"):
            value = getattr(self, name)
            if value is None:
                continue
            if isinstance(value, bool) or not isinstance(value, (int, float)) or not value > 0:
                raise ConfigurationError(f"timeout: {name} must be a number of seconds above 0 or None, not {value!r}")

    @classmethod
    def of(cls, value: Timeout | float | None) -> Timeout:
        """A `Timeout` as it is; a number as the total of the call."""
        if isinstance(value, Timeout):
            return value
        if value is None:
            return cls(None, None, None, FOREVER)
        if isinstance(value, bool) or not isinstance(value, (int, float)):
            raise ConfigurationError(f"timeout must be a number of seconds or a Timeout, not {value!r}")
        return cls(total=value)


DEFAULT_TIMEOUT = Timeout()


@dataclass(frozen=True, slots=True)
class Limits:
    """Bytes: `response` bounds a whole body as sent and as decompressed, `event` one event of a stream, `error_body` what is
    kept of an error's body (read for at most 2 s)."""

    response: int = 64 << 20
    event: int = 16 << 20
    error_body: int = 64 << 10


class CancelToken:
    """Stops a call from another thread: `builder.execute(cancel=token)`, then `token.cancel()`.

    A cancelled call raises `Cancelled` within 100 ms, wherever it waits. A token may be given to several calls and stays
    cancelled.
    """

    __slots__ = ("_cancelled", "_wakers")

    def __init__(self) -> None:
        self._cancelled = False
        self._wakers: dict[int, Callable[[], None]] = {}

    @property
    def cancelled(self) -> bool:
        return self._cancelled

    def cancel(self) -> None:
        self._cancelled = True
        for wake in list(self._wakers.values()):
            wake()

    def _attach(self, key: int, wake: Callable[[], None]) -> None:
        # dict stores and deletes are atomic: no lock, so that a finalizer may call _detach at any point.
        self._wakers[key] = wake

    def _detach(self, key: int) -> None:
        self._wakers.pop(key, None)


class CallClock:
    """The limits of one call, over all its attempts, on the monotonic clock. Not shared between threads, but for `cancel`."""

    __slots__ = (
        "_content_deadline", "_deadline", "_grace", "_left_at", "_reason", "_token",
        "answered", "cancelled", "connected", "content", "progress", "reused", "slot", "spent", "started", "timeout", "waker",
    )  # fmt: skip

    def __init__(self, timeout: Timeout, *, stream: bool, token: CancelToken | None = None) -> None:
        total = timeout.total if timeout.total is not None or stream else PLAIN_TOTAL
        self.timeout = timeout
        self.started = monotonic()
        self.content = timeout.content if stream and timeout.content is not None else FOREVER
        self._deadline = self.started + total if total is not None else FOREVER
        self._content_deadline = FOREVER
        self._grace = FOREVER
        self._left_at: float | None = None
        self._reason: type[CallTimeout] = ReadTimeout
        self._token = token
        #: Set by whoever reads the events when one had content; asked for (and cleared) before the next wait.
        self.progress = False
        self.cancelled = False
        #: Closes what this call waits on; set by the transport, called from other threads.
        self.waker: Callable[[], None] | None = None
        #: Whether a connection stands, whether it had served an earlier request, whether a byte of the answer has arrived.
        self.connected = False
        self.reused = False
        self.answered = False
        #: The place in a `Limiter` that the request under way holds, and the tokens it has used.
        self.slot: Slot | None = None
        self.spent = 0
        if token is not None:
            token._attach(id(self), self.cancel)

    def start_content(self) -> None:
        """The head of a streamed answer is here: the wait for its first content begins."""
        self._content_deadline = monotonic() + self.content

    def patience(self) -> float:
        """Seconds the next read may wait. Raises TimeoutError where no time is left, Cancelled after `cancel`."""
        now = monotonic()
        if self._left_at is not None:  # the reader of the stream was at work: its time is not the provider's
            away = now - self._left_at
            self._left_at = None
            self._deadline += away
            self._content_deadline += away
        if self.progress:
            self.progress = False
            self._content_deadline = now + self.content
        wait, self._reason = self.timeout.read or FOREVER, ReadTimeout
        if self._content_deadline - now < wait:
            wait, self._reason = self._content_deadline - now, ContentTimeout
        if self._deadline - now < wait:
            wait, self._reason = self._deadline - now, DeadlineExceeded
        if self._grace - now < wait:
            wait, self._reason = self._grace - now, ReadTimeout
        if self.cancelled:
            raise Cancelled("the call was cancelled")
        if wait <= 0:
            raise TimeoutError
        return wait

    def write_patience(self) -> float | None:
        """Seconds the next write may wait. Raises TimeoutError where no time is left."""
        wait = min(self.timeout.connect or FOREVER, self.left())
        if wait <= 0:
            raise TimeoutError
        return None if wait == FOREVER else wait

    def pause(self) -> None:
        """The reader of the stream takes over; the next `patience` leaves its time out."""
        self._left_at = monotonic()

    def allow(self, seconds: float) -> None:
        """From now on at most this much longer, whatever else holds (for error bodies and for draining)."""
        self._grace = monotonic() + seconds

    def left(self) -> float:
        """Seconds until the total limit."""
        return self._deadline - monotonic()

    def check(self) -> None:
        """Raises where the call was cancelled or its total is used up."""
        if self.cancelled or (self._token is not None and self._token.cancelled):
            raise Cancelled("the call was cancelled")
        if self.left() <= 0:
            raise self.expired(DeadlineExceeded)

    def begin_attempt(self) -> None:
        self.check()
        self._grace = FOREVER
        self._content_deadline = FOREVER
        self._left_at = None
        self.connected = self.reused = self.answered = False

    def expired(self, kind: type[CallTimeout] | None = None) -> CallTimeout:
        """The exception for the limit that passed in the last wait."""
        kind = kind or self._reason
        t = self.timeout
        text = {
            ConnectTimeout: f"no connection within {t.connect} s (timeout.connect)",
            WriteTimeout: f"the provider did not read the request within {t.connect} s (timeout.connect)",
            ReadTimeout: f"no byte arrived for {t.read} s (timeout.read); the provider may still work, and charge for it",
            ContentTimeout: f"no event with content arrived for {t.content} s (timeout.content)",
            DeadlineExceeded: f"the call took longer than {t.total or PLAIN_TOTAL} s (timeout.total)",
        }[kind]
        return kind(text)

    def sleep(self, seconds: float) -> None:
        """Waits, but wakes for `cancel`."""
        from threading import Event

        self.check()
        event = Event()
        self.waker = event.set
        if not self.cancelled:
            event.wait(seconds)
        self.waker = None
        self.check()

    def cancel(self) -> None:
        """Called from any thread: the call raises Cancelled as soon as it can be woken."""
        self.cancelled = True
        waker = self.waker
        if waker is not None:
            waker()

    def leave(self) -> None:
        """The request under way is over: its place is free for another. Takes no lock."""
        slot, self.slot = self.slot, None
        if slot is not None:
            slot.release(self.spent)

    def end(self) -> None:
        """The call is over. Takes no lock: finalizers call it."""
        self.waker = None
        self.leave()
        if self._token is not None:
            self._token._detach(id(self))
            self._token = None
