"""`ChatStream`: the events of one answer as they come, and what they add up to.

The generator that yields them does not know the stream object, so nothing here is a cycle: dropping the stream, or leaving a
loop over it, closes the connection at once, without the garbage collector.
"""

from __future__ import annotations

from _thread import get_ident
from time import monotonic

from ..dialects.accumulator import Accumulator
from ..errors import AiLibError, Cancelled, ConnectionLost, StreamConsumed, StreamInterrupted
from ..types.events import ContentDelta, Metadata, StreamEnd
from ..types.response import CallStats

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Iterator
    from types import TracebackType

    from typing_extensions import Self

    from ..http.message import HttpResponse
    from ..http.timeouts import CallClock
    from ..types.events import StreamingEvent
    from ..types.response import ChatResponse, RateLimit, Response


class Outcome:
    """What is known of a streamed answer so far: its events folded, and the facts of the call."""

    __slots__ = (
        "attempts", "clock", "ended_at", "first_content_at", "fold", "model", "origin", "provider", "rate_limit",
        "request_id", "secrets", "warnings",
    )  # fmt: skip

    def __init__(self, clock: CallClock, provider: str, model: str, origin: str) -> None:
        self.clock = clock
        self.provider = provider
        self.model = model
        self.origin = origin
        self.fold = Accumulator()
        self.warnings: list[str] = []
        self.request_id: str | None = None
        self.secrets: Callable[[], list[str]] = list
        self.rate_limit: RateLimit | None = None
        self.attempts = 1
        self.first_content_at: float | None = None
        self.ended_at: float | None = None

    def end(self) -> None:
        """The call is over, whichever way. Takes no lock: finalizers call it."""
        if self.fold.usage is not None:
            self.clock.tokens_used = self.fold.usage.total_tokens or 0
        self.clock.end()

    def response(self) -> ChatResponse:
        response = self.fold.response(self.origin)
        response.provider = self.provider
        response.request_id = self.request_id
        response.warnings = list(self.warnings)
        response.rate_limit = self.rate_limit
        return response

    def stats(self) -> CallStats:
        first = self.first_content_at
        return stats_of(self.response(), self.clock.started, self.ended_at, first, self.attempts, self.model)


def stats_of(
    response: Response, started: float, ended: float | None, first: float | None, attempts: int, model: str
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


def pull_first(events: Iterator[StreamingEvent], outcome: Outcome) -> list[StreamingEvent]:
    """The events up to the first that is more than metadata. They are pulled while the call may still be tried again."""
    pulled: list[StreamingEvent] = []
    try:
        for event in events:
            pulled.append(event)
            if not isinstance(event, Metadata):
                outcome.first_content_at = monotonic()
                return pulled
    except ConnectionLost as error:
        lost = interrupted(error)
    else:
        lost = StreamInterrupted("the stream ended without an event")
    raise lost


def interrupted(error: ConnectionLost) -> StreamInterrupted:
    """A connection that breaks in a stream is a stream that was cut."""
    return StreamInterrupted(f"the stream was cut: {error.uncut.get('message', error.message)}")


def relay(
    pulled: list[StreamingEvent], events: Iterator[StreamingEvent], http: HttpResponse, outcome: Outcome
) -> Generator[StreamingEvent, None, None]:
    """Yields the events while folding them. Whatever ends it, the connection is given back or dropped.

    The path of a content delta is the hot loop of the package: no call but the buffer's write.
    """
    fold, clock = outcome.fold, outcome.clock
    write = None
    failure: AiLibError | None = None
    try:
        for source in (pulled, events):
            for event in source:
                if isinstance(event, ContentDelta) and event.extra is None and not event.starts:
                    if write is None:
                        write = fold.text_writer()
                    write(event.text)
                    clock.progress = True
                    yield event
                    continue
                write = None
                fold.add(event)
                if not isinstance(event, Metadata):
                    clock.progress = True
                if isinstance(event, StreamEnd):
                    http.finish()
                    outcome.ended_at = monotonic()
                    outcome.end()
                    yield event
                    return
                yield event
    except ConnectionLost as error:
        failure = interrupted(error)
    except AiLibError as error:
        failure = error
    finally:
        http.close()
        outcome.end()
    from ..http.redaction import redact_error  # few streams fail

    if failure is None:
        failure = StreamInterrupted("the stream ended without its last event")
    redact_error(failure, outcome.secrets())
    failure.partial = outcome.response()
    failure.provider = failure.provider or outcome.provider
    failure.model = failure.model or outcome.model
    raise failure


class ChatStream:
    """One streamed answer: iterate it, once. `with` closes it on every path.

    Raises, while it is read, whatever goes wrong, with everything that arrived in `error.partial`.
    """

    __slots__ = ("_events", "_http", "_outcome", "_reader", "_started")

    def __init__(self, events: Generator[StreamingEvent, None, None], http: HttpResponse, outcome: Outcome) -> None:
        self._events = events
        self._http = http
        self._outcome = outcome
        self._reader = get_ident()
        self._started = False

    def __iter__(self) -> Iterator[StreamingEvent]:
        if self.ended:
            raise StreamConsumed("the stream has been read; its answer is in stream.response")
        if self._outcome.clock.cancelled:
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
            if self._outcome.clock.cancelled and not self.ended:
                raise self._closed() from None
            raise
        except ValueError as error:
            if isinstance(error, AiLibError):
                raise
            raise RuntimeError("another thread is reading this stream; a stream has one reader") from None

    def text(self) -> Iterator[str]:
        """The pieces of the answer's text alone."""
        for event in self:
            if event.is_content_delta:
                yield event.as_content_delta.text

    def collect(self) -> ChatResponse:
        """Reads to the end: the same response that `execute()` would have given."""
        if not self.ended:
            for _ in self:
                pass
        return self.response

    @property
    def ended(self) -> bool:
        """Whether the last event has been read."""
        return self._outcome.ended_at is not None

    @property
    def response(self) -> ChatResponse:
        """The whole answer, after the end. Raises StreamConsumed before it."""
        if not self.ended:
            raise StreamConsumed("the stream has not ended; stream.partial is what has arrived so far")
        return self._outcome.response()

    @property
    def partial(self) -> ChatResponse:
        """What has arrived so far, at any time."""
        return self._outcome.response()

    @property
    def stats(self) -> CallStats:
        """The figures of the call, after the end."""
        if not self.ended:
            raise StreamConsumed("the stream has not ended; its figures come with the last event")
        return self._outcome.stats()

    @property
    def warnings(self) -> list[str]:
        """One sentence for each thing that was asked for and is not done as asked."""
        return list(self._outcome.warnings)

    @property
    def provider(self) -> str:
        """Who answers (a fallback may)."""
        return self._outcome.provider

    @property
    def request_id(self) -> str | None:
        return self._outcome.request_id

    def _closed(self) -> Cancelled:
        error = Cancelled("the stream was closed before its end", provider=self._outcome.provider, model=self._outcome.model)
        error.partial = self._outcome.response()
        return error

    def close(self) -> None:
        """Ends the stream, at any time and from any thread; in the thread that reads it, the next wait raises Cancelled."""
        if self.ended:
            return
        self._outcome.clock.cancel()
        self._http.close()
        if self._reader != get_ident():
            return  # its reader would take a closed generator for the end of the answer; it closes everything as it wakes
        try:
            self._events.close()
        except ValueError:
            return  # called by a signal handler in the middle of a read, which ends by itself now
        self._outcome.clock.end()

    def cancel(self) -> None:
        """The same as `close`."""
        self.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.close()

    def __del__(self) -> None:
        # A generator that never ran does not run its `finally`.
        if not self._started:
            self._http.close()
            self._outcome.clock.end()

    def __repr__(self) -> str:
        state = "ended" if self.ended else "open"
        return f"ChatStream({self._outcome.provider}/{self._outcome.model}, {state})"
