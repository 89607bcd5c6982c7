"""`AiClient`: a model, its keys, connections, retries and fallbacks. The only module that sees every layer below."""

from __future__ import annotations

from time import monotonic

from .bounds import DEFAULT_TIMEOUT, CallClock, Timeout
from .errors import AiLibError, Attempt, ConfigurationError, RedirectRefused, RemoteError
from .manifest import Manifest
from .request import ChatRequest, Ledger
from .retry import RetryBudget, RetryPolicy
from .target import Target, split_model
from .transport import Transport

TYPE_CHECKING = False
if TYPE_CHECKING:
    import os
    from collections.abc import Callable, Iterable, Mapping
    from types import TracebackType
    from typing import Any, TypeVar

    from typing_extensions import Self

    from .bounds import CancelToken, Limits
    from .builder import ChatBuilder
    from .catalogue import ModelInfo
    from .explanation import Explanation
    from .messages import Message
    from .response import CallStats, ChatResponse
    from .stream import ChatStream
    from .transport import Http
    from .wire import HttpRequest, HttpResponse

    T = TypeVar("T")
    ManifestLike = Manifest | Mapping[str, Any] | str | os.PathLike[str]


class AiClient:
    """Talks to one model; `chat()` begins a conversation. Share it between any number of threads.

        client = AiClient("openai/gpt-4o")
        print(client.chat().user("Hello, world!").execute().content)

    `model` is `provider/model`, parted at the first slash. Before the first call no key is looked for and nothing is connected.

    - `api_key`: the key, or a function asked at each request; without it the manifest's environment variables are read.
    - `base_url`: another address for the same API; its key must then be given as `api_key` (loopback needs none).
    - `manifest`: a provider of your own, as a dict, a path or a `Manifest`. `dialect`: another format the provider speaks.
      `variables`: values for the manifest's variables (`{"region": "eu-central-1"}`).
    - `timeout`: seconds for a whole call, or a `Timeout`. `limits`: a `Limits`, the bounds on size.
    - `retry`: a `RetryPolicy`, or how many retries. `on_retry(error, attempt, wait)` is called before each wait.
    - `fallbacks`: models (or clients) tried in order when this one cannot answer, before anything has reached the caller.
    - `strict`: raise where an option is not taken, instead of leaving it out with a warning.
    - `headers`: sent with every request. `http`: your own pool, anything with urllib3's `urlopen`.
    - `trust_env`: whether proxy and CA variables of the environment count. `ca_bundle`: a file or folder of CA certificates.
    """

    def __init__(
        self,
        model: str,
        *,
        api_key: str | Callable[[], str] | None = None,
        base_url: str | None = None,
        manifest: ManifestLike | None = None,
        dialect: str | None = None,
        variables: Mapping[str, str] | None = None,
        timeout: float | Timeout | None = DEFAULT_TIMEOUT,
        limits: Limits | None = None,
        retry: RetryPolicy | int = 2,
        on_retry: Callable[[AiLibError, int, float], object] | None = None,
        fallbacks: Iterable[str | AiClient] = (),
        strict: bool = False,
        headers: Mapping[str, str] | None = None,
        http: Http | None = None,
        trust_env: bool = True,
        ca_bundle: str | None = None,
        max_connections: int = 100,
    ) -> None:
        api_key = secret = _secret(api_key)  # the plain key leaves the frame before anything can fail in it
        provider, name, named_dialect = split_model(model)
        self.provider = provider
        self.model = name
        self.strict = strict
        self.timeout = Timeout.of(timeout)
        self.retry = RetryPolicy.of(retry)
        self.on_retry = on_retry
        self._secret = secret
        self._base_url = base_url
        self._manifest = _manifest_of(provider, manifest)
        self._dialect = dialect or named_dialect
        self._variables = dict(variables or {})
        self._headers = _checked(headers)
        self._budget = RetryBudget()
        self._targets: dict[str, Target] = {}
        self._target(name)
        self._fallbacks = tuple(self._fallback(item) for item in _several(fallbacks))
        self._transport = Transport(
            http or _seam(self._target(name)),
            limits=limits,
            trust_env=trust_env,
            ca_bundle=ca_bundle,
            max_connections=max_connections,
        )

    @classmethod
    def create(cls, model: str, **options: Any) -> Self:
        """The same as `AiClient(model, …)`."""
        return cls(model, **options)

    # the conversation

    def chat(self, messages: Iterable[Message | Mapping[str, Any]] = ()) -> ChatBuilder:
        """Begins a chat; everything else is said on the builder."""
        from .builder import ChatBuilder

        builder = ChatBuilder(self, ChatRequest(self.model))
        return builder.messages(messages) if messages else builder

    def resolve_model(self, model: str) -> str:
        """A model's name for this client: its own provider's prefix is taken off, another provider's is refused."""
        provider, slash, name = model.partition("/")
        if slash and (provider == self.provider or provider == self._manifest.id):
            model = name
        self._target(model)
        return model

    def model_info(self, model: str | None = None) -> ModelInfo | None:
        """What is known of the model (context window, prices, retirement), None where nothing is. Never needed for a call."""
        from .catalogue import model_info

        return model_info(self._manifest.id, model or self.model)

    # sending: the builder calls these

    def send(
        self, request: ChatRequest, timeout: Timeout | None = None, cancel: CancelToken | None = None
    ) -> tuple[ChatResponse, CallStats]:
        """A whole answer and its figures."""
        from .stream import stats_of

        clock = CallClock(timeout or self.timeout, stream=False, token=cancel)
        try:
            call = _Call(self, request, clock)
            response = call.run(_read_whole)
        finally:
            clock.end()
        return response, stats_of(response, clock.started, None, None, call.count, request.model)

    def open(
        self, request: ChatRequest, timeout: Timeout | None = None, cancel: CancelToken | None = None
    ) -> ChatStream:
        """A stream, opened as far as its first event."""
        from dataclasses import replace

        clock = CallClock(timeout or self.timeout, stream=True, token=cancel)
        try:
            return _Call(self, replace(request, stream=True), clock).run(_open_stream)
        except BaseException:
            clock.end()
            raise

    def explain(self, request: ChatRequest, *, stream: bool = False) -> Explanation:
        """The exact request that would be sent, without its key."""
        from dataclasses import replace

        return self._target(request.model).explain(replace(request, stream=stream))

    def close(self) -> None:
        """Closes the idle connections; the client can go on being used."""
        self._transport.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.close()

    def __repr__(self) -> str:
        return f"AiClient({f'{self.provider}/{self.model}'!r})"

    def __getstate__(self) -> dict[str, Any]:
        return {**self.__dict__, "_targets": {}}

    def _target(self, model: str) -> Target:
        target = self._targets.get(model)
        if target is None:
            _, model, _ = split_model(f"{self.provider}/{model}")
            target = self._targets[model] = Target(
                model,
                self._manifest,
                dialect=self._dialect,
                key=self._secret,
                base_url=self._base_url,
                headers=self._headers,
                variables=self._variables,
            )
        return target

    def _fallback(self, item: str | AiClient) -> AiClient:
        """Each fallback is a client of its own: its own key, address, manifest and connections."""
        if isinstance(item, AiClient):
            return item
        return AiClient(item, timeout=self.timeout, retry=self.retry, strict=self.strict, trust_env=self._transport.trust_env)


class _Call:
    """One call: attempts at one target after another, until one answers."""

    def __init__(self, client: AiClient, request: ChatRequest, clock: CallClock) -> None:
        self.client = client
        self.request = request
        self.clock = clock
        self.attempts: list[Attempt] = []
        self.count = 0

    def run(self, finish: Callable[[_Attempt], T]) -> T:
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

    def _try_target(self, client: AiClient, model: str, finish: Callable[[_Attempt], T]) -> T:
        """One target, with its retries. Raises the last failure there."""
        attempt = _Attempt(client, client._target(model), self.request, self.clock)
        retries = taken = 0
        while True:
            self.clock.begin_attempt()
            started = monotonic()
            self.count += 1
            attempt.number = self.count
            try:
                value = finish(attempt)
            except AiLibError as error:
                failure = error
            else:
                client._budget.give_back(taken)
                return value
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
        if not client.retry.allows(failure, retries):
            return None, 0
        from random import uniform

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


class _Attempt:
    """A request at one target, ready to be sent any number of times."""

    def __init__(self, client: AiClient, target: Target, request: ChatRequest, clock: CallClock) -> None:
        from dataclasses import replace

        ledger = Ledger()
        self.client = client
        self.target = target
        self.clock = clock
        self.number = 0
        self.request = request if request.model == target.model else replace(request, model=target.model)
        self.body = target.render(self.request, ledger)
        self.warnings = ledger.warnings
        if client.strict and self.warnings:
            raise ConfigurationError(f"strict: {'; '.join(self.warnings)}", provider=target.manifest.id)
        ending = target.ending()
        if ending:
            self.warnings.append(ending)
        self.idempotency_key = _new_key() if target.manifest.idempotency_header else None

    def http_request(self) -> HttpRequest:
        return self.target.http_request(self.request, self.body, self.idempotency_key)

    def send(self) -> HttpResponse:
        """The answer's head, if it promises an answer. Raises RemoteError for a refusal, RedirectRefused for a redirect."""
        response = self.client._transport.send(self.http_request(), self.clock)
        if response.status < 300:
            return response
        from .answer import refusal
        from .retry import should_retry_header

        raw = response.read_error()
        if response.status < 400:
            raise RedirectRefused(
                f"the answer is a redirect ({response.status}); none is ever followed, since the key would travel with it"
            )
        error = refusal(response.status, response.headers, raw, self.target.dialect, self.target.manifest)
        wish = should_retry_header(response.headers)
        if wish is not None:
            error.retryable = wish
        raise error


def _read_whole(attempt: _Attempt) -> ChatResponse:
    from .answer import read_answer
    from .rate_limits import rate_limit

    http = attempt.send()
    target = attempt.target
    response = read_answer(http.status, http.headers, http.read(), target.dialect, target.manifest)
    response.warnings = attempt.warnings + response.warnings
    response.rate_limit = rate_limit(http.headers)
    return response


def _open_stream(attempt: _Attempt) -> ChatStream:
    from .answer import answer_events, request_id
    from .rate_limits import rate_limit
    from .stream import ChatStream, Outcome, pull_first, relay

    target, clock = attempt.target, attempt.clock
    http = attempt.send()
    clock.start_content()
    outcome = Outcome(clock, target.manifest.id, target.model, target.dialect.name)
    outcome.warnings = attempt.warnings
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


def _secret(key: str | Callable[[], str] | None) -> Any:
    from .auth import Secret

    if key is None or isinstance(key, Secret):
        return key
    return Secret(key) if callable(key) else Secret.literal(key)


def _manifest_of(provider: str, manifest: ManifestLike | None) -> Manifest:
    if manifest is None:
        return Manifest.load(provider)
    if not isinstance(manifest, Manifest):
        manifest = Manifest.from_dict(manifest) if hasattr(manifest, "keys") else Manifest.from_path(manifest)  # type: ignore[arg-type]
    if provider != manifest.id and provider not in manifest.aliases:
        raise ConfigurationError(f"the manifest describes {manifest.id!r}, the model names {provider!r}")
    return manifest


def _several(fallbacks: Iterable[str | AiClient]) -> Iterable[str | AiClient]:
    return (fallbacks,) if isinstance(fallbacks, (str, AiClient)) else fallbacks


def _checked(headers: Mapping[str, str] | None) -> dict[str, str]:
    if not headers:
        return {}
    from .builder import checked_headers

    return checked_headers(headers)


def _seam(target: Target) -> Any:
    """The pool that stands in for the network, where the address is the one inside this package."""
    if target.seam is None:
        return None
    from .embedded import EmbeddedPool

    return EmbeddedPool()


def _new_key() -> str:
    import os

    return os.urandom(16).hex()
