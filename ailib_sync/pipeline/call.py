"""One call: attempts at one target after another, until one answers. Holds nothing between calls."""

from __future__ import annotations

from os import urandom
from random import uniform
from time import monotonic

from .._dataclass import replace
from ..errors import AiLibError, Attempt, ConfigurationError, RedirectRefused, RemoteError
from ..types.request import Ledger
from .decode import answer_events, read_answer, refusal, request_id
from .rate_limits import rate_limit
from .retry import should_retry_header
from .stream import ChatStream, Outcome, pull_first, relay, stats_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import TypeVar

    from ..client import AiClient
    from ..http.message import Headers, HttpRequest, HttpResponse
    from ..http.timeouts import CallClock
    from ..types.request import ChatRequest
    from ..types.response import CallStats, ChatResponse
    from .endpoint import Target

    T = TypeVar("T")


def send(client: AiClient, request: ChatRequest, clock: CallClock) -> tuple[ChatResponse, CallStats]:
    """A whole answer and its figures."""
    call = Call(client, request, clock)
    try:
        response = call.run(_read_whole)
    finally:
        clock.end()
    return response, stats_of(response, clock.started, None, None, call.count, request.model)


def open_stream(client: AiClient, request: ChatRequest, clock: CallClock) -> ChatStream:
    """A stream, opened as far as its first event."""
    try:
        return Call(client, replace(request, stream=True), clock).run(_read_first)
    except BaseException:
        clock.end()
        raise


class Call:
    """One call: attempts at one target after another, until one answers."""

    def __init__(self, client: AiClient, request: ChatRequest, clock: CallClock) -> None:
        self.client = client
        self.request = request
        self.clock = clock
        self.attempts: list[Attempt] = []
        self.count = 0

    def run(self, finish: Callable[[Exchange], T]) -> T:
        """The first success. Raises the last failure, with the timeline of all attempts."""
        failure: AiLibError | None = None
        for position, client in enumerate((self.client, *self.client._fallbacks)):
            model = self.request.model if position == 0 else client.model
            try:
                return self._try_target(client, model, finish)
            except AiLibError as error:
                failure = error
            if not failure.fallbackable and not (position and isinstance(failure, ConfigurationError)):
                break
        assert failure is not None
        failure.attempts = tuple(self.attempts)
        raise failure

    def _try_target(self, client: AiClient, model: str, finish: Callable[[Exchange], T]) -> T:
        """One target, with its retries. Raises the last failure there."""
        attempt = Exchange(client, client._target(model), self.request, self.clock)
        retries = taken = 0
        while True:
            self.clock.begin_attempt()
            started = monotonic()
            self.count += 1
            attempt.number = self.count
            try:
                value = _admitted(attempt, finish)
            except AiLibError as error:
                failure = error
            else:
                client._budget.give_back(taken)
                return value
            if attempt.sent is not None:
                attempt.sent.cover(failure)
            failure.provider = failure.provider or attempt.target.manifest.id
            failure.model = failure.model or model
            wait, taken = self._wait(client, failure, retries)
            self._note(failure, started, wait)
            if wait is None:
                raise failure
            if client.on_retry is not None:
                client.on_retry(failure, self.count, wait)
            failure.__traceback__ = None
            self.clock.sleep(wait)
            retries += 1

    def _wait(self, client: AiClient, failure: AiLibError, retries: int) -> tuple[float | None, int]:
        """Seconds until the next attempt (None: there is none) and the tokens of the budget it took."""
        if not client.retry.allows(failure, retries) or (client.breaker is not None and client.breaker.state == "open"):
            return None, 0
        wait = client.retry.delay(failure, retries, uniform)
        if wait >= self.clock.left():
            return None, 0
        taken = client._budget.take(failure)
        return (wait if taken else None), taken

    def _note(self, failure: AiLibError, started: float, wait: float | None) -> None:
        self.attempts.append(
            Attempt(
                failure.provider or "",
                failure.model or "",
                started - self.clock.started,
                monotonic() - started,
                f"{type(failure).__name__}: {failure.message}",
                failure.status_code if isinstance(failure, RemoteError) else None,
                wait,
            )
        )


class Exchange:
    """A request at one target, ready to be sent any number of times."""

    def __init__(self, client: AiClient, target: Target, request: ChatRequest, clock: CallClock) -> None:
        ledger = Ledger()
        self.client = client
        self.target = target
        self.clock = clock
        self.number = 0
        self.sent: Headers | None = None
        self.request = request if request.model == target.model else replace(request, model=target.model)
        self.body = target.render(self.request, ledger)
        self.warnings = ledger.warnings
        if client.strict and self.warnings:
            raise ConfigurationError(f"strict: {'; '.join(self.warnings)}", provider=target.manifest.id)
        ending = target.ending()
        if ending:
            self.warnings.append(ending)
        self.idempotency_key = urandom(16).hex() if target.manifest.idempotency_header else None

    def http_request(self) -> HttpRequest:
        return self.target.http_request(self.request, self.body, self.idempotency_key)

    def send(self) -> HttpResponse:
        """The answer's head, if it promises an answer. Raises RemoteError for a refusal, RedirectRefused for a redirect."""
        request = self.http_request()
        self.sent = request.headers
        response = self.client._transport.send(request, self.clock)
        if response.status < 300:
            return response
        raw = request.headers.hidden_in(response.read_error())
        if response.status < 400:
            raise RedirectRefused(
                f"the answer is a redirect ({response.status}); none is ever followed, since the key would travel with it"
            )
        error = refusal(response.status, response.headers, raw, self.target.dialect, self.target.manifest)
        error.rate_limit = rate_limit(response.headers)
        wish = should_retry_header(response.headers)
        if wish is not None:
            error.retryable = wish
        raise error


def _admitted(attempt: Exchange, finish: Callable[[Exchange], T]) -> T:
    """One attempt, when the client's breaker and limiter let it begin. A stream keeps its place until its clock ends."""
    breaker, limiter, clock = attempt.client.breaker, attempt.client.limiter, attempt.clock
    if breaker is not None:
        breaker.admit()
    try:
        if limiter is not None:
            clock.slot = limiter.acquire(clock)
        value = finish(attempt)
    except BaseException as error:
        clock.leave()
        if breaker is not None:
            breaker.note(error)
        raise
    if breaker is not None:
        breaker.note(None)
    return value


def _read_whole(attempt: Exchange) -> ChatResponse:
    http = attempt.send()
    target = attempt.target
    response = read_answer(http.status, http.headers, http.read(), target.dialect, target.manifest)
    response.warnings = attempt.warnings + response.warnings
    response.rate_limit = rate_limit(http.headers)
    attempt.clock.spent = response.usage.total_tokens or 0
    return response


def _read_first(attempt: Exchange) -> ChatStream:
    target, clock = attempt.target, attempt.clock
    http = attempt.send()
    clock.start_content()
    outcome = Outcome(clock, target.manifest.id, target.model, target.dialect.name)
    outcome.warnings = attempt.warnings
    outcome.sent = attempt.sent
    outcome.attempts = attempt.number
    outcome.request_id = request_id(http.headers, target.manifest)
    outcome.rate_limit = rate_limit(http.headers)
    try:
        events = answer_events(http.chunks(), http.headers, target.dialect, target.manifest)
        pulled = pull_first(events, outcome)
    except BaseException:
        http.close()
        raise
    return ChatStream(relay(pulled, events, http, outcome), http, outcome)
