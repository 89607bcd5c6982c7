"""`ChatStream`: the events of one response as they arrive, and the response that they make.

The generator that yields the events has no reference to the stream, so there is no cycle: dropping the stream closes the
connection immediately, without the garbage collector.
"""

from __future__ import annotations

from _thread import get_ident
from time import monotonic

from .._arguments import no_attribute
from .._signals import reraise_from_signal
from ..dialects.accumulator import Accumulator
from ..dialects.stream import failed_generation
from ..errors import AiLibError, Attempt, Cancelled, ConnectionLost, RemoteError, StreamConsumed, StreamInterrupted
from ..types.events import ContentDelta, Metadata, StreamEnd
from ..types.response import CallStats

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Iterator, Sequence
    from types import TracebackType

    from typing_extensions import Self

    from ..http.message import HttpResponse
    from ..http.timeouts import CallClock
    from ..types.events import StreamingEvent
    from ..types.response import ChatResponse, RateLimit, Response


class StreamState:
    """What has arrived of a streamed response, and the facts of its call."""

    __slots__ = (
        "accumulator", "clock", "dialect", "earlier", "ended_at", "first_content_at", "model", "provider", "rate_limit",
        "request_id", "secrets", "started", "status", "warnings",
    )  # fmt: skip

    def __init__(self, clock: CallClock, provider: str, model: str, dialect: str) -> None:
        self.clock = clock
        self.provider = provider
        self.model = model
        self.dialect = dialect
        self.accumulator = Accumulator()
        self.warnings: list[str] = []
        self.request_id: str | None = None
        #: Returns the secrets of the request, to remove them from an error's texts.
        self.secrets: Callable[[], list[str]] = list
        self.rate_limit: RateLimit | None = None
        #: The failed attempts before this one, when it began, and its HTTP status.
        self.earlier: Sequence[Attempt] = ()
        self.started = clock.started
        self.status: int | None = None
        self.first_content_at: float | None = None
        self.ended_at: float | None = None

    def end(self) -> None:
        """The call is over, however it ended. Takes no lock: finalizers call it."""
        if self.accumulator.usage is not None:
            self.clock.tokens_used = self.accumulator.usage.total_tokens or 0
        self.clock.end()

    def complete(self, end: StreamEnd) -> None:
        """The last event has arrived. Raises RemoteError if it says that the generation failed."""
        self.raise_if_failed(end)
        self.ended_at = monotonic()
        self.end()

    def raise_if_failed(self, end: StreamEnd) -> None:
        failure = failed_generation(end.finish_reason, end.raw_finish_reason, self.provider)
        if failure is not None:
            raise failure

    def response(self) -> ChatResponse:
        response = self.accumulator.response(self.dialect)
        response.provider = self.provider
        response.request_id = self.request_id
        response.warnings = list(self.warnings)
        response.rate_limit = self.rate_limit
        return response

    def stats(self) -> CallStats:
        first = self.first_content_at
        return stats_of(self.response(), self.clock.started, self.ended_at, first, self.timeline(None), self.model)

    def timeline(self, failure: AiLibError | None) -> tuple[Attempt, ...]:
        """All attempts of the call; `failure` is the error of the last one."""
        last = attempt_of(self.provider, self.model, self.clock, self.started, failure, self.status, ended=self.ended_at)
        return (*self.earlier, last)


def stats_of(
    response: Response, started: float, ended: float | None, first: float | None, attempts: tuple[Attempt, ...], model: str
) -> CallStats:
    """The figures of one call."""
    usage = response.usage
    return CallStats(
        usage.prompt_tokens,
        usage.completion_tokens,
        usage.total_tokens,
        usage.cached_tokens,
        usage.cache_write_tokens,
        usage.reasoning_tokens,
        latency_ms=((ended if ended is not None else monotonic()) - started) * 1000,
        time_to_first_token_ms=(first - started) * 1000 if first is not None else None,
        attempts=attempts,
        provider=response.provider,
        model=response.model or model,
        request_id=response.request_id,
    )


def attempt_of(
    provider: str,
    model: str,
    clock: CallClock,
    started: float,
    failure: AiLibError | None,
    status: int | None,
    waited: float | None = None,
    ended: float | None = None,
) -> Attempt:
    """One request of a call, which began at `started` and ended now or at `ended`."""
    error = None if failure is None else f"{type(failure).__name__}: {failure.message}"
    duration = (monotonic() if ended is None else ended) - started
    return Attempt(provider, model, started - clock.started, duration, error, status, waited)


def pull_first(events: Iterator[StreamingEvent], state: StreamState) -> list[StreamingEvent]:
    """The events up to the first that is more than metadata. They are read while the call can still be retried."""
    pulled: list[StreamingEvent] = []
    try:
        for event in events:
            pulled.append(event)
            if isinstance(event, StreamEnd):
                state.raise_if_failed(event)
            if not isinstance(event, Metadata):
                state.first_content_at = monotonic()
                return pulled
    except ConnectionLost as error:
        lost = interrupted(error)
    else:
        lost = StreamInterrupted("the stream ended without an event")
    raise lost


def interrupted(error: ConnectionLost) -> StreamInterrupted:
    """The error for a connection that breaks in a stream."""
    return StreamInterrupted(f"the stream was cut: {error.uncut.get('message', error.message)}")


def relay(
    pulled: list[StreamingEvent], events: Iterator[StreamingEvent], http: HttpResponse, state: StreamState
) -> Generator[StreamingEvent, None, None]:
    """Yields the events and accumulates them. However it ends, the connection is returned to its pool or closed.

    The branch for a content delta is the hot loop of the package: its only call is the write to a buffer.
    """
    accumulator, clock = state.accumulator, state.clock
    write = None
    failure: AiLibError | None = None
    try:
        for source in (pulled, events):
            for event in source:
                if isinstance(event, ContentDelta) and event.extra is None and not event.starts:
                    if write is None:
                        write = accumulator.text_writer()
                    write(event.text)
                    clock.progress = True
                    yield event
                    continue
                write = None
                accumulator.add(event)
                if not isinstance(event, Metadata):
                    clock.progress = True
                if isinstance(event, StreamEnd):
                    http.finish()
                    state.complete(event)
                    yield event
                    return
                yield event
    except ConnectionLost as error:
        failure = interrupted(error)
    except AiLibError as error:
        failure = error
    finally:
        http.close()
        state.end()
    if failure is None:
        failure = StreamInterrupted("the stream ended without its last event")
    complete_error(failure, state.request_id, state.secrets)
    failure.partial = state.response()
    failure.provider = failure.provider or state.provider
    failure.model = failure.model or state.model
    failure.attempts = state.timeline(failure)
    raise failure


def complete_error(failure: AiLibError, request_id: str | None, secrets: Callable[[], list[str]]) -> None:
    """Adds the request id to an error inside a response with a success status, and removes the secrets from its texts."""
    from ..http.redaction import redact_error  # few calls fail

    if isinstance(failure, RemoteError):
        failure.request_id = failure.request_id or request_id
    redact_error(failure, secrets())


class ChatStream:
    """A streamed response. Iterate over it once; one thread reads it. `with` closes it in all cases.

    Iterating raises an AiLibError if something goes wrong, with everything that arrived in `error.partial`.
    """

    __slots__ = ("_events", "_http", "_reader", "_started", "_state")

    def __init__(self, events: Generator[StreamingEvent, None, None], http: HttpResponse, state: StreamState) -> None:
        self._events = events
        self._http = http
        self._state = state
        self._reader = get_ident()
        self._started = False

    def __iter__(self) -> Iterator[StreamingEvent]:
        if self.ended:
            raise StreamConsumed("the stream has been read; its response is in stream.response")
        if self._state.clock.cancelled:
            raise self._closed()
        self._reader = get_ident()
        self._started = True
        return self._events

    def __next__(self) -> StreamingEvent:
        self._reader = get_ident()
        self._started = True
        try:
            return next(self._events)
        except StopIteration:
            if self._state.clock.cancelled and not self.ended:
                raise self._closed() from None
            raise
        except ValueError as error:
            if isinstance(error, AiLibError):
                raise
            reraise_from_signal(error)
            raise RuntimeError("another thread is reading this stream; a stream has one reader") from None

    def text(self) -> Iterator[str]:
        """Only the text, in fragments."""
        for event in self:
            if event.is_content_delta:
                yield event.as_content_delta.text

    def collect(self) -> ChatResponse:
        """Reads to the end, and returns the same response as `execute()`."""
        if not self.ended:
            for _ in self:
                pass
        return self.response

    @property
    def ended(self) -> bool:
        """Whether the last event has been read."""
        return self._state.ended_at is not None

    @property
    def response(self) -> ChatResponse:
        """The complete response. Raises StreamConsumed before the end."""
        if not self.ended:
            raise StreamConsumed("the stream has not ended; stream.partial is what has arrived so far")
        return self._state.response()

    @property
    def partial(self) -> ChatResponse:
        """What has arrived so far, at any time."""
        return self._state.response()

    @property
    def stats(self) -> CallStats:
        """The figures of the call. Raises StreamConsumed before the end."""
        if not self.ended:
            raise StreamConsumed("the stream has not ended; its figures come with the last event")
        return self._state.stats()

    @property
    def warnings(self) -> list[str]:
        """One sentence for each option that is not sent as requested."""
        return list(self._state.warnings)

    @property
    def provider(self) -> str:
        """The provider that responds; it may be that of a fallback."""
        return self._state.provider

    @property
    def request_id(self) -> str | None:
        return self._state.request_id

    def _closed(self) -> Cancelled:
        error = Cancelled("the stream was closed before its end", provider=self._state.provider, model=self._state.model)
        error.partial = self._state.response()
        return error

    def close(self) -> None:
        """Ends the stream, at any time and from any thread. A thread that reads it gets Cancelled."""
        if self.ended:
            return
        self._state.clock.cancel()
        self._http.close()
        if self._reader != get_ident():
            return  # its reader would take a closed generator for the end of the response; it wakes and closes everything
        try:
            self._events.close()
        except ValueError:
            return  # called by a signal handler during a read, which now ends by itself
        self._state.clock.end()

    def cancel(self) -> None:
        """The same as `close`."""
        self.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.close()

    def __del__(self) -> None:
        # A generator that was never started does not run its `finally`.
        if not self._started:
            self._http.close()
            self._state.clock.end()

    if not TYPE_CHECKING:
        __getattr__ = no_attribute

    def __repr__(self) -> str:
        ended = "ended" if self.ended else "open"
        return f"ChatStream({self._state.provider}/{self._state.model}, {ended})"
