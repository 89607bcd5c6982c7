"""One call: attempts at one endpoint after another, until one succeeds. Keeps nothing between calls."""

from __future__ import annotations

from functools import partial
from random import uniform
from time import monotonic

from .._dataclass import replace
from ..errors import AiLibError, Attempt, ConfigurationError, RedirectRefused, RemoteError, add_notes, printable
from ..http.message import Headers
from ..types.request import Ledger
from .decode import error_response, parse_response, request_id, response_events
from .rate_limits import rate_limit
from .stream import ChatStream, StreamState, attempt_of, complete_error, pull_first, relay, stats_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from typing import TypeVar

    from ..http.message import HttpResponse
    from ..http.timeouts import CallClock
    from ..types.request import ChatRequest, Request
    from ..types.response import CallStats, Response
    from .endpoint import Endpoint
    from .route import Route

    T = TypeVar("T")
    #: Each route with the model to use on it, in the order in which they are tried.
    Routes = Sequence[tuple[Route, str]]


def send(routes: Routes, operation: str, request: Request, clock: CallClock) -> tuple[Response, CallStats]:
    """A complete response and the figures of the call."""
    call = Call(routes, operation, request, clock)
    try:
        response = call.run(_read_response)
    finally:
        clock.end()
    return response, stats_of(response, clock.started, None, None, call.timeline(), request.model)


def open_stream(routes: Routes, request: ChatRequest, clock: CallClock) -> ChatStream:
    """A streamed chat, read up to its first event with content."""
    try:
        return Call(routes, "chat", replace(request, stream=True), clock).run(_open_stream)
    except BaseException:
        clock.end()
        raise


class Call:
    """One call: a request, and where it is tried until an attempt succeeds."""

    def __init__(self, routes: Routes, operation: str, request: Request, clock: CallClock) -> None:
        self.routes = routes
        self.operation = operation
        self.request = request
        self.clock = clock
        self.attempts: list[Attempt] = []
        #: What the caller should know of the call, in addition to the warnings of its request.
        self.warnings: list[str] = []
        #: One sentence for each endpoint whose error made the call go on to a fallback.
        self.failed: list[str] = []
        self.exchange: Exchange | None = None

    def run(self, read: Callable[[Exchange], T]) -> T:
        """What `read` returns for the first attempt that succeeds. Raises the last error, with all attempts in it."""
        failure: AiLibError | None = None
        for route, model in self.routes:
            try:
                return self._try_route(route, model, read, is_fallback=failure is not None)
            except AiLibError as error:
                if failure is not None and isinstance(error, ConfigurationError):
                    # It does not keep the next fallback from being tried, and it does not hide why there was a fallback.
                    reason = printable(error.message, 200)
                    self.warnings.append(f"the fallback {route.endpoints.manifest.id}/{model} cannot be used: {reason}")
                    continue
                failure = error
            if not failure.fallbackable:
                break
            reason = printable(f"{type(failure).__name__}: {failure.message}", 200)
            self.failed.append(f"{failure.provider}/{failure.model} failed, so a fallback was used ({reason})")
        assert failure is not None
        failure.attempts = tuple(self.attempts)
        add_notes(failure, self.warnings)
        try:
            raise failure.with_traceback(None)
        finally:
            del failure  # an exception and a frame that refers to it are a cycle, and this one reaches the connections

    def _try_route(self, route: Route, model: str, read: Callable[[Exchange], T], *, is_fallback: bool) -> T:
        """One endpoint, with its retries. Raises the last error there."""
        plain = route.endpoints.find(model, self.operation)
        endpoint = route.endpoints.serving(self.request, plain)
        home = self._home() if is_fallback else plain.manifest.dialect if endpoint is not plain else None
        exchange = self.exchange = Exchange(route, endpoint, self.request, self.clock, home)
        exchange.earlier = self.attempts
        own_warnings = exchange.warnings
        retries = cost = 0
        while True:
            self.clock.begin_attempt()
            exchange.started = monotonic()
            exchange.warnings = self.warnings + own_warnings + self.failed
            try:
                value = exchange.attempt(read)
            except AiLibError as error:
                failure = error
            else:
                route.budget.refund(cost)
                return value
            failure.provider = failure.provider or endpoint.manifest.id
            failure.model = failure.model or model
            wait, cost = self._wait(route, failure, retries)
            if not isinstance(failure, ConfigurationError):  # nothing was sent
                status = failure.status_code if isinstance(failure, RemoteError) else None
                who = failure.provider or "", failure.model or ""
                self.attempts.append(attempt_of(*who, self.clock, exchange.started, failure, status, wait))
            if wait is None:
                raise failure
            if route.on_retry is not None:
                try:
                    route.on_retry(failure, len(self.attempts), wait)
                except Exception as error:  # noqa: BLE001  a fault of the hook must not end a call that may succeed
                    self.warnings.append(f"on_retry raised {type(error).__name__}: {printable(str(error), 200)}")
            failure.__traceback__ = None
            self.clock.sleep(wait)
            retries += 1

    def _home(self) -> str:
        """The dialect that the request was made for."""
        route, model = self.routes[0]
        return route.endpoints.find(model, self.operation).manifest.dialect

    def _wait(self, route: Route, failure: AiLibError, retries: int) -> tuple[float | None, int]:
        """Seconds until the next attempt (None: there is none), and what it costs of the retry budget."""
        if not route.retry.allows(failure, retries) or (route.breaker is not None and route.breaker.state == "open"):
            return None, 0
        wait = route.retry.delay(failure, retries, uniform)
        if wait >= self.clock.remaining():
            return None, 0
        cost = route.budget.take(failure)
        return (wait if cost else None), cost

    def timeline(self) -> tuple[Attempt, ...]:
        """All attempts of a call that succeeded; the last one is that which did."""
        exchange = self.exchange
        assert exchange is not None
        endpoint = exchange.endpoint
        last = attempt_of(endpoint.manifest.id, endpoint.model, self.clock, exchange.started, None, exchange.status)
        return (*self.attempts, last)


class Exchange:
    """A request to one endpoint, rendered once, that can be sent any number of times. Raises ConfigurationError.

    `home`: the dialect that the request was made for, if this endpoint may have another one.
    """

    def __init__(self, route: Route, endpoint: Endpoint, request: Request, clock: CallClock, home: str | None = None) -> None:
        ledger = Ledger()
        self.route = route
        self.endpoint = endpoint
        self.clock = clock
        #: When the current attempt began, its status, and the failed attempts before it.
        self.started = 0.0
        self.status: int | None = None
        self.earlier: list[Attempt] = []
        self.sent = Headers()
        self.received: Mapping[str, str] = {}
        if request.model != endpoint.model:
            request = replace(request, model=endpoint.model)  # type: ignore[type-var]  # every request is a dataclass
        self.request: Request = endpoint.settled(request, home, ledger)
        self.body = endpoint.render(self.request, ledger)
        self.warnings = ledger.warnings
        if route.strict and self.warnings:
            raise ConfigurationError(f"strict: {'; '.join(self.warnings)}", provider=endpoint.manifest.id)
        retirement = endpoint.retirement()
        if retirement:
            self.warnings.append(retirement)

    def attempt(self, read: Callable[[Exchange], T]) -> T:
        """Calls `read` when the breaker and the limiter of the route allow it. Errors are raised without the request's secrets.

        The slot in the limiter is released after an error; after a success, when the clock ends.
        """
        breaker, limiter, clock = self.route.breaker, self.route.limiter, self.clock
        if breaker is not None:
            breaker.admit()
        try:
            if limiter is not None:
                limiter.acquire(clock)
            value = read(self)
        except AiLibError as error:
            failure = error
        except BaseException as error:
            clock.release()
            if breaker is not None:
                breaker.note(error)
            raise
        else:
            if breaker is not None:
                breaker.note(None)
            return value
        clock.release()
        # First: the breaker keeps the error's text.
        complete_error(failure, request_id(self.received, self.endpoint.manifest), self.secrets())
        if breaker is not None:
            breaker.note(failure)
        try:
            raise failure
        finally:
            del failure  # see `Call.run`

    def send(self) -> HttpResponse:
        """The head of a response with a success status. Raises RemoteError for an error status, and RedirectRefused."""
        request = self.endpoint.http_request(self.request, self.body)
        self.sent = request.headers
        response = self.route.transport.send(request, self.clock)
        self.received = response.headers
        self.status = response.status
        if response.status < 300:
            return response
        raw = response.read_error()
        if response.status < 400:
            # RFC 9110 15.4 lets a client decide, and this request has credentials.
            raise RedirectRefused(
                f"the response is a redirect ({response.status}), which is not followed: it would get the key"
            )
        raise error_response(response.status, response.headers, raw, self.endpoint.dialect, self.endpoint.manifest)

    def secrets(self) -> Callable[[], list[str]]:
        """A function that returns the secrets in what was sent last."""
        return partial(self.route.transport.secrets, self.sent)


def _read_response(exchange: Exchange) -> Response:
    http = exchange.send()
    endpoint = exchange.endpoint
    response = parse_response(endpoint.operation, exchange.request, http.headers, http.read(), endpoint.manifest)
    response.warnings = exchange.warnings + response.warnings
    response.rate_limit = rate_limit(http.headers)
    exchange.clock.tokens_used = response.usage.total_tokens or 0
    return response


def _open_stream(exchange: Exchange) -> ChatStream:
    endpoint, clock = exchange.endpoint, exchange.clock
    http = exchange.send()
    clock.start_content()
    state = StreamState(clock, endpoint.manifest.id, endpoint.model, endpoint.dialect.name)
    state.warnings = exchange.warnings
    state.secrets = exchange.secrets()
    state.earlier = exchange.earlier
    state.started, state.status = exchange.started, exchange.status
    state.request_id = request_id(http.headers, endpoint.manifest)
    state.rate_limit = rate_limit(http.headers)
    max_event = exchange.route.transport.limits.event
    try:
        events = response_events(
            endpoint.operation, exchange.request, http.headers, http.chunks(), endpoint.manifest, max_event
        )
        pulled = pull_first(events, state)
    except BaseException:
        http.close()
        raise
    return ChatStream(relay(pulled, events, http, state), http, state)
