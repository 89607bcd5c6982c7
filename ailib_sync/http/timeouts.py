"""How long a call may take and how large its response may be: policies, and the clock of one call. No I/O except waiting."""

from __future__ import annotations

from _weakref import ref
from time import monotonic

from .._dataclass import dataclass, field
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
        """One request in a limiter; `pipeline.limiter.Slot` is one.

        `release` gets the tokens used. It takes no lock, and further calls have no effect.
        """

        def release(self, tokens: int = 0) -> None: ...


#: `Timeout.total` of a call without streaming, if it is None.
DEFAULT_TOTAL_SECONDS = 600.0
NO_LIMIT = float("inf")


@dataclass(frozen=True, slots=True)
class Timeout:
    """Seconds; None is no limit. `Timeout(30)` is `Timeout(total=30)`.

    - `connect` bounds name look-up, TCP and TLS together, and each write.
    - `read` bounds the wait for any byte.
    - `content` bounds the wait for the next event with content; pings and comments do not count.
    - `total` bounds the call: attempts, waits between them, fallbacks, headers and body. None is 600 s without streaming.

    The time that the reader of a stream takes for its own work does not count.
    """

    total: float | None = None
    connect: float | None = field(default=10.0, kw_only=True)
    read: float | None = field(default=120.0, kw_only=True)
    content: float | None = field(default=600.0, kw_only=True)

    def __post_init__(self) -> None:
        for name in ("connect", "read", "content", "total"):
            value = getattr(self, name)
            if value is None:
                continue
            if isinstance(value, bool) or not isinstance(value, (int, float)) or not value > 0:
                raise ConfigurationError(f"timeout: {name} must be a number of seconds above 0 or None, not {value!r}")

    @classmethod
    def of(cls, value: Timeout | float | None) -> Timeout:
        """A `Timeout` unchanged; a number as the total of the call."""
        if isinstance(value, Timeout):
            return value
        if value is None:
            return cls(NO_LIMIT, connect=None, read=None, content=None)
        if isinstance(value, bool) or not isinstance(value, (int, float)):
            raise ConfigurationError(f"timeout must be a number of seconds or a Timeout, not {value!r}")
        return cls(total=value)


DEFAULT_TIMEOUT = Timeout()


@dataclass(frozen=True, slots=True)
class Limits:
    """Bytes: `response` bounds a body as sent and as decompressed, `event` one event of a stream (the lines of a server-sent
    event, a line of NDJSON, an AWS message), `error_body` how much of the body of an error response is kept (it is read for
    at most 2 s)."""

    response: int = 64 << 20
    event: int = 16 << 20
    error_body: int = 64 << 10


class CancelToken:
    """Stops a call from another thread: `builder.execute(cancel=token)`, then `token.cancel()`.

    A cancelled call raises `Cancelled` within 100 ms, at any wait. A token can be given to several calls, and stays
    cancelled.
    """

    __slots__ = ("__weakref__", "_calls", "_cancelled")

    def __init__(self) -> None:
        self._cancelled = False
        # Weak, so that a call whose end was interrupted, and its slot in a limiter, do not live as long as the token.
        self._calls: dict[int, ref[CallClock | CancelToken]] = {}

    @property
    def cancelled(self) -> bool:
        return self._cancelled

    def cancel(self) -> None:
        self._cancelled = True
        for call in list(self._calls.values()):
            ends = call()
            if ends is not None:
                ends.cancel()

    def also_cancels(self, other: CancelToken) -> None:
        """Cancels `other` when this token is cancelled."""
        self._attach(other)
        if self._cancelled:
            other.cancel()

    def _attach(self, clock: CallClock | CancelToken) -> None:
        # Stores to and deletions from a dict are atomic. There is no lock, because a finalizer may call _detach at any point.
        self._calls[id(clock)] = ref(clock)

    def _detach(self, clock: CallClock) -> None:
        self._calls.pop(id(clock), None)


class CallClock:
    """The limits of one call over all its attempts, on the monotonic clock.

    Who writes what: the thread that runs the call owns every field, with three exceptions.

    - `cancelled` is set by `cancel`, from any thread or signal handler, and never reset.
    - `waker` is set by the calling thread and called from any thread; it must be safe to call at any time, and take no lock.
    - `slot`, `waker` and `_token` are also cleared by `end`, which a finalizer may call in any thread.

    Within the calling thread: each place that waits (a connection, a name look-up, the limiter, `sleep`) sets `waker`;
    connections.py sets `connected` and `reused`, responses.py `response_started`; bodies.py clears `waker` at the end of the
    body; the pipeline sets `slot`, `tokens_used` and `progress`.
    """

    __slots__ = (
        "__weakref__", "_content_deadline", "_deadline", "_paused_at", "_reason", "_short_deadline", "_token",
        "cancelled", "connected", "content", "progress", "response_started", "reused", "slot", "started", "timeout",
        "tokens_used", "waker",
    )  # fmt: skip

    def __init__(self, timeout: Timeout, *, stream: bool, token: CancelToken | None = None) -> None:
        total = timeout.total if timeout.total is not None or stream else DEFAULT_TOTAL_SECONDS
        self.timeout = timeout
        self.started = monotonic()
        self.content = timeout.content if stream and timeout.content is not None else NO_LIMIT
        self._deadline = self.started + total if total is not None else NO_LIMIT
        self._content_deadline = NO_LIMIT
        self._short_deadline = NO_LIMIT
        self._paused_at: float | None = None
        self._reason: type[CallTimeout] = ReadTimeout
        self._token = token
        #: Set when an event had content; read and cleared before the next wait.
        self.progress = False
        self.cancelled = False
        #: Ends the wait that the call is in. None while it does not wait.
        self.waker: Callable[[], None] | None = None
        #: Whether the connection is open, whether it has served an earlier request, whether a byte of the response arrived.
        self.connected = False
        self.reused = False
        self.response_started = False
        #: The slot in a `Limiter` of the current request, and the tokens it has used.
        self.slot: Slot | None = None
        self.tokens_used = 0
        if token is not None:
            token._attach(self)

    def start_content(self) -> None:
        """Starts the wait for the first content: the head of a streamed response has arrived."""
        self._content_deadline = monotonic() + self.content

    def read_timeout(self) -> float:
        """Seconds that the next read may wait. Raises TimeoutError if no time is left, Cancelled after `cancel`."""
        now = monotonic()
        if self._paused_at is not None:  # the reader of the stream was at work: that time does not count
            away = now - self._paused_at
            self._paused_at = None
            self._deadline += away
            self._content_deadline += away
        if self.progress:
            self.progress = False
            self._content_deadline = now + self.content
        wait, self._reason = self.timeout.read or NO_LIMIT, ReadTimeout
        if self._content_deadline - now < wait:
            wait, self._reason = self._content_deadline - now, ContentTimeout
        if self._deadline - now < wait:
            wait, self._reason = self._deadline - now, DeadlineExceeded
        if self._short_deadline - now < wait:
            wait, self._reason = self._short_deadline - now, ReadTimeout
        if self.cancelled:
            raise Cancelled("the call was cancelled")
        if wait <= 0:
            raise TimeoutError
        return wait

    def write_timeout(self) -> float | None:
        """Seconds that the next write may wait, None for no limit. Raises TimeoutError if no time is left."""
        wait = min(self.timeout.connect or NO_LIMIT, self.remaining())
        if wait <= 0:
            raise TimeoutError
        return None if wait == NO_LIMIT else wait

    def pause(self) -> None:
        """The reader of the stream takes over. Its time, until the next `read_timeout`, does not count."""
        self._paused_at = monotonic()

    def limit_to(self, seconds: float) -> None:
        """Sets a further limit for all reads from now on, in seconds (for error bodies and for draining)."""
        self._short_deadline = monotonic() + seconds

    def remaining(self) -> float:
        """Seconds until the total limit; may be negative."""
        return self._deadline - monotonic()

    def check(self) -> None:
        """Raises Cancelled if the call was cancelled, DeadlineExceeded if its total has passed."""
        if self.cancelled or (self._token is not None and self._token.cancelled):
            raise Cancelled("the call was cancelled")
        if self.remaining() <= 0:
            raise self.expired(DeadlineExceeded)

    def begin_attempt(self) -> None:
        """Resets what belongs to one attempt. Raises what `check` raises."""
        self.check()
        self._short_deadline = NO_LIMIT
        self._content_deadline = NO_LIMIT
        self._paused_at = None
        self.connected = self.reused = self.response_started = False

    def expired(self, kind: type[CallTimeout] | None = None) -> CallTimeout:
        """The exception for the limit that ended the last wait."""
        kind = kind or self._reason
        t = self.timeout
        text = {
            ConnectTimeout: f"no connection within {t.connect} s (timeout.connect)",
            WriteTimeout: f"the provider did not read the request within {t.connect} s (timeout.connect)",
            ReadTimeout: f"no byte arrived for {t.read} s (timeout.read); the provider may still work, and charge for it",
            ContentTimeout: f"no event with content arrived for {t.content} s (timeout.content)",
            DeadlineExceeded: f"the call took longer than {t.total or DEFAULT_TOTAL_SECONDS} s (timeout.total)",
        }[kind]
        return kind(text)

    def sleep(self, seconds: float) -> None:
        """Waits this many seconds, or until `cancel`. Raises what `check` raises."""
        from threading import Event

        self.check()
        event = Event()
        self.waker = event.set
        if not self.cancelled:
            event.wait(seconds)
        self.waker = None
        self.check()

    def cancel(self) -> None:
        """Ends the call with Cancelled as soon as it can be woken. May be called from any thread."""
        self.cancelled = True
        waker = self.waker
        if waker is not None:
            waker()

    def release(self) -> None:
        """Releases the limiter's slot: the current request has ended. Takes no lock."""
        slot, self.slot = self.slot, None
        if slot is not None:
            slot.release(self.tokens_used)

    def end(self) -> None:
        """Ends the call. Takes no lock, because finalizers call it."""
        self.waker = None
        self.release()
        if self._token is not None:
            self._token._detach(self)
            self._token = None
