"""One call: attempts at one endpoint after another, until one succeeds. Keeps nothing between calls."""

from __future__ import annotations

from functools import partial
from random import uniform
from time import monotonic

from .._dataclass import replace
from ..errors import AiLibError, Attempt, ConfigurationError, RedirectRefused, RemoteError
from ..http.message import Headers
from ..types.request import Ledger
from .decode import error_response, parse_response, request_id, response_events
from .rate_limits import rate_limit
from .retry import should_retry_header
from .stream import ChatStream, Outcome, pull_first, relay, stats_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from typing import TypeVar

    from ..http.message import HttpResponse
    from ..http.timeouts import CallClock
    from ..types.request import ChatRequest, Request
    from ..types.response import CallStats, Response
    from .endpoint import Endpoint
    from .route import Route

    T = TypeVar("T")
    #: Each route with the model to use there, in the order in which they are tried.
    Routes = Sequence[tuple[Route, str]]


def send(routes: Routes, operation: str, request: Request, clock: CallClock) -> tuple[Response, CallStats]:
    """A complete response and its figures."""
    call = Call(routes, operation, request, clock)
    try:
        response = call.run(_read_response)
    finally:
        clock.end()
    return response, stats_of(response, clock.started, None, None, call.count, request.model)


def open_stream(routes: Routes, request: ChatRequest, clock: CallClock) -> ChatStream:
    """A stream of a chat, opened as far as its first event."""
    try:
        return Call(routes, "chat", replace(request, stream=True), clock).run(_read_first)
    except BaseException:
        clock.end()
        raise


class Call:
    """One call: attempts at one endpoint after another, until one succeeds."""

    def __init__(self, routes: Routes, operation: str, request: Request, clock: CallClock) -> None:
        self.routes = routes
        self.operation = operation
        self.request = request
        self.clock = clock
        self.attempts: list[Attempt] = []
        self.count = 0

    def run(self, finish: Callable[[Exchange], T]) -> T:
        """The first success. Raises the last failure, with the timeline of all attempts."""
        failure: AiLibError | None = None
        for position, (route, model) in enumerate(self.routes):
            try:
                return self._try_route(route, model, finish)
            except AiLibError as error:
                failure = error
            if not failure.fallbackable and not (position and isinstance(failure, ConfigurationError)):
                break
        assert failure is not None
        failure.attempts = tuple(self.attempts)
        try:
            raise failure.with_traceback(None)
        finally:
            del failure  # an exception and a frame that refers to it are a cycle, and this one reaches the connections

    def _try_route(self, route: Route, model: str, finish: Callable[[Exchange], T]) -> T:
        """One endpoint, with its retries. Raises the last failure there."""
        endpoint = route.endpoints.find(model, self.operation)
        exchange = Exchange(route, endpoint, self.request, self.clock)
        retries = taken = 0
        while True:
            self.clock.begin_attempt()
            started = monotonic()
            self.count += 1
            exchange.number = self.count
            try:
                value = _admitted(exchange, finish)
            except AiLibError as error:
                failure = error
            else:
                route.budget.refund(taken)
                return value
            exchange.redact(failure)
            failure.provider = failure.provider or endpoint.manifest.id
            failure.model = failure.model or model
            wait, taken = self._wait(route, failure, retries)
            self._note(failure, started, wait)
            if wait is None:
                raise failure
            if route.on_retry is not None:
                route.on_retry(failure, self.count, wait)
            failure.__traceback__ = None
            self.clock.sleep(wait)
            retries += 1

    def _wait(self, route: Route, failure: AiLibError, retries: int) -> tuple[float | None, int]:
        """Seconds until the next attempt (None: there is none) and the tokens of the budget it took."""
        if not route.retry.allows(failure, retries) or (route.breaker is not None and route.breaker.state == "open"):
            return None, 0
        wait = route.retry.delay(failure, retries, uniform)
        if wait >= self.clock.remaining():
            return None, 0
        taken = route.budget.take(failure)
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
    """A request at one endpoint, ready to be sent any number of times."""

    def __init__(self, route: Route, endpoint: Endpoint, request: Request, clock: CallClock) -> None:
        ledger = Ledger()
        self.route = route
        self.endpoint = endpoint
        self.clock = clock
        self.number = 0
        self.sent = Headers()
        self.request: Request = request
        if request.model != endpoint.model:
            self.request = replace(request, model=endpoint.model)  # type: ignore[type-var]  # every request is a dataclass
        self.body = endpoint.render(self.request, ledger)
        self.warnings = ledger.warnings
        if route.strict and self.warnings:
            raise ConfigurationError(f"strict: {'; '.join(self.warnings)}", provider=endpoint.manifest.id)
        retirement = endpoint.retirement()
        if retirement:
            self.warnings.append(retirement)

    def redact(self, failure: AiLibError) -> None:
        """Removes the secrets of what was sent from the texts of an error."""
        from ..http.redaction import redact_error  # few calls fail

        redact_error(failure, self.secrets())

    def secrets(self) -> list[str]:
        return self.route.transport.secrets(self.sent)

    def send(self) -> HttpResponse:
        """The response's head, where its status is a success. Raises RemoteError for an error status, RedirectRefused."""
        request = self.endpoint.http_request(self.request, self.body)
        self.sent = request.headers
        response = self.route.transport.send(request, self.clock)
        if response.status < 300:
            return response
        raw = response.read_error()
        if response.status < 400:
            raise RedirectRefused(
                f"the response is a redirect ({response.status}); none is ever followed, since the key would travel with it"
            )
        error = error_response(response.status, response.headers, raw, self.endpoint.dialect, self.endpoint.manifest)
        error.rate_limit = rate_limit(response.headers)
        hint = should_retry_header(response.headers)
        if hint is not None:
            error.retryable = hint
        raise error


def _admitted(exchange: Exchange, finish: Callable[[Exchange], T]) -> T:
    """One attempt, when the route's breaker and limiter let it begin. A stream keeps its place until its clock ends."""
    breaker, limiter, clock = exchange.route.breaker, exchange.route.limiter, exchange.clock
    if breaker is not None:
        breaker.admit()
    try:
        if limiter is not None:
            limiter.acquire(clock)
        value = finish(exchange)
    except BaseException as error:
        clock.release()
        if breaker is not None:
            breaker.note(error)
        raise
    if breaker is not None:
        breaker.note(None)
    return value


def _read_response(exchange: Exchange) -> Response:
    http = exchange.send()
    endpoint = exchange.endpoint
    response = parse_response(endpoint.operation, exchange.request, http.headers, http.read(), endpoint.manifest)
    response.warnings = exchange.warnings + response.warnings
    response.rate_limit = rate_limit(http.headers)
    exchange.clock.tokens_used = response.usage.total_tokens or 0
    return response


def _read_first(exchange: Exchange) -> ChatStream:
    endpoint, clock = exchange.endpoint, exchange.clock
    http = exchange.send()
    clock.start_content()
    outcome = Outcome(clock, endpoint.manifest.id, endpoint.model, endpoint.dialect.name)
    outcome.warnings = exchange.warnings
    outcome.secrets = partial(exchange.route.transport.secrets, exchange.sent)
    outcome.attempts = exchange.number
    outcome.request_id = request_id(http.headers, endpoint.manifest)
    outcome.rate_limit = rate_limit(http.headers)
    try:
        max_event = exchange.route.transport.limits.event
        events = response_events(
            endpoint.operation, exchange.request, http.headers, http.chunks(), endpoint.manifest, max_event
        )
        pulled = pull_first(events, outcome)
    except BaseException:
        http.close()
        raise
    return ChatStream(relay(pulled, events, http, outcome), http, outcome)
