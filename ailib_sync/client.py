"""`AiClient`: a model with its key, connections, retries and fallbacks. It connects all the packages."""

from __future__ import annotations

from ._arguments import no_attribute
from ._dataclass import replace
from .errors import ConfigurationError
from .http.message import Headers, checked_headers
from .http.timeouts import DEFAULT_TIMEOUT, CallClock, Timeout
from .http.transport import Transport
from .operations import Operations
from .pipeline.auth import Secret
from .pipeline.endpoint import Endpoints, split_model
from .pipeline.retry import RetryBudget, RetryPolicy
from .pipeline.route import Route
from .pipeline.url import Url
from .registry.manifest import Manifest

TYPE_CHECKING = False
if TYPE_CHECKING:
    import os
    from collections.abc import Callable, Iterable, Mapping
    from types import TracebackType
    from typing import Any

    from typing_extensions import Never, Self

    from .builder import ChatBuilder
    from .errors import AiLibError
    from .http.timeouts import CancelToken, Limits
    from .http.transport import Http, SSLContext
    from .pipeline.breaker import CircuitBreaker
    from .pipeline.endpoint import Endpoint
    from .pipeline.explanation import Explanation
    from .pipeline.limiter import Limiter
    from .pipeline.stream import ChatStream
    from .registry.models import ModelInfo
    from .types.messages import Message
    from .types.request import ChatRequest, Request
    from .types.response import CallStats, ChatResponse

    ManifestLike = Manifest | Mapping[str, Any] | str | os.PathLike[str]


class AiClient(Operations):
    """A client for one model; `chat()` starts a conversation. It can be shared by any number of threads.

        client = AiClient("openai/gpt-4o")
        print(client.chat().user("Hello, world!").execute().content)

    `model` is `provider/model`, split at the first slash. No key is read and no connection is made before the first call.

    - `api_key`: the key, or a function that returns it, called for each request. Without it the environment variables of the
      manifest are read.
    - `base_url`: another URL of the same API. Its key must be passed as `api_key`; a server on this machine or in a private
      network needs none. `allow_http`: a key may be sent over plain http to a public host too.
    - `manifest`: your own provider, as a dict, a path or a `Manifest`. `dialect`: another wire format of the provider.
      `variables`: values of the manifest's variables (`{"region": "eu-central-1"}`).
    - `timeout`: seconds for a call with all its attempts, or a `Timeout`. `limits`: `Limits` of sizes.
    - `retry`: a `RetryPolicy`, or the number of retries. `on_retry(error, attempt, wait)` is called before each wait;
      an exception in it is a warning, and does not end the call.
    - `fallbacks`: models or clients that are tried in order if this one fails before anything has reached the caller.
    - `limiter`: a `Limiter` of requests, tokens, and requests in flight. `breaker`: a `CircuitBreaker`, which sends nothing to
      a failing provider for a time. Several clients can share them.
    - `strict`: raise ConfigurationError for an option that is not supported, instead of a warning.
    - `headers`: sent with each request. `http`: your own pool, any object with urllib3's `urlopen`.
    - `trust_env`: whether the proxy and CA variables of the environment are read.
    - `ca_bundle`: a file or folder of CA certificates. `ssl_context`: an `ssl.SSLContext` instead, for example with a client
      certificate.
    - `max_connections`: how many idle connections are kept for each origin. `max_connection_age`: seconds after which one is
      not reused (None: no limit); one that was idle for 5 seconds is not reused either.
    """

    #: For the repr of a client that could not be created, in a traceback.
    provider = model = "?"

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
        limiter: Limiter | None = None,
        breaker: CircuitBreaker | None = None,
        strict: bool = False,
        headers: Mapping[str, str] | None = None,
        http: Http | None = None,
        trust_env: bool = True,
        ca_bundle: str | None = None,
        ssl_context: SSLContext | None = None,
        max_connections: int = 100,
        max_connection_age: float | None = 60.0,
        allow_http: bool = False,
        **unknown: Never,
    ) -> None:
        if unknown:
            raise _no_argument(unknown)
        if api_key is None:
            api_key = _defaults.api_key
        # What may hold a secret is replaced by a value that does not show it, before anything can fail in this frame.
        api_key = secret = Secret.of(api_key)  # type: ignore[assignment]
        headers = given_headers = Headers.of(headers)
        base_url = Url.of(base_url)
        provider, name, named_dialect = split_model(model)
        self.provider = provider
        self.model = name
        self.timeout = Timeout.of(timeout)
        endpoints = Endpoints(
            provider,
            _manifest_of(provider, manifest),
            dialect=dialect or named_dialect,
            key=secret,
            base_url=base_url,
            headers=given_headers and checked_headers(given_headers),
            variables=variables,
            allow_http=allow_http,
        )
        endpoint = endpoints.check(name)
        transport = Transport(
            http or _defaults.http or _embedded_pool(endpoint),
            limits=limits,
            trust_env=trust_env,
            ca_bundle=ca_bundle,
            ssl_context=ssl_context,
            max_connections=max_connections,
            max_connection_age=max_connection_age,
        )
        policy = RetryPolicy.of(retry)
        self._route = Route(endpoints, transport, policy, RetryBudget(), limiter, breaker, on_retry, strict)
        self._fallbacks = tuple(self._fallback(item) for item in _several(fallbacks))

    @property
    def retry(self) -> RetryPolicy:
        return self._route.retry

    @property
    def on_retry(self) -> Callable[[AiLibError, int, float], object] | None:
        return self._route.on_retry

    @property
    def limiter(self) -> Limiter | None:
        return self._route.limiter

    @property
    def breaker(self) -> CircuitBreaker | None:
        return self._route.breaker

    @property
    def strict(self) -> bool:
        return self._route.strict

    @classmethod
    def create(cls, model: str, **options: Any) -> Self:
        """The same as `AiClient(model, …)`."""
        for name, kind in (("api_key", Secret), ("headers", Headers), ("base_url", Url)):
            options[name] = kind.of(options.pop(name, None))
        return cls(model, **options)

    @classmethod
    def for_provider(cls, provider: str, **options: Any) -> Self:
        """A client without a model, for what needs none: `AiClient.for_provider("openai").list_models()`."""
        client = cls.create(f"{provider}/none", **options)
        client.model = ""
        return client

    # the conversation

    def chat(self, messages: Iterable[Message | Mapping[str, Any]] = ()) -> ChatBuilder:
        """Starts a chat, perhaps with messages; the methods of the builder add the rest."""
        from .builder import ChatBuilder
        from .types.request import ChatRequest

        builder = ChatBuilder(self, ChatRequest(self.model))
        return builder.messages(messages) if messages else builder

    def resolve_model(self, model: str) -> str:
        """The name of a model without the prefix of this client's provider. Any other prefix is part of the name."""
        provider, slash, name = model.partition("/")
        manifest = self._route.endpoints.manifest
        if slash and provider in (self.provider, manifest.id, *manifest.aliases):
            model = name
        self._route.endpoints.check(model)
        return model

    def model_info(self, model: str | None = None) -> ModelInfo | None:
        """Facts about the model (context window, prices, retirement), or None. Calls do not need them."""
        from .registry.models import model_info

        return model_info(self._route.endpoints.manifest.id, model or self.model)

    # sending: the builder calls these

    def send(
        self, request: ChatRequest, timeout: Timeout | None = None, cancel: CancelToken | None = None
    ) -> tuple[ChatResponse, CallStats]:
        """A complete response and the figures of the call."""
        sent: tuple[ChatResponse, CallStats] = self._send("chat", request, timeout, cancel)
        return sent

    def open(self, request: ChatRequest, timeout: Timeout | None = None, cancel: CancelToken | None = None) -> ChatStream:
        """A stream, read up to its first event with content."""
        from .pipeline.call import open_stream

        return open_stream(self._routes(request.model), request, CallClock(timeout or self.timeout, stream=True, token=cancel))

    def explain(self, request: ChatRequest, *, stream: bool = False) -> Explanation:
        """The request that would be sent, with its secrets redacted."""
        endpoints = self._route.endpoints
        plain = endpoints.find(request.model)
        endpoint = endpoints.serving(request, plain)
        home = plain.manifest.dialect if endpoint is not plain else None
        return endpoint.explain(replace(request, stream=stream), home)

    def _send(
        self,
        operation: str,
        request: Request,
        timeout: float | Timeout | None,
        cancel: CancelToken | None,
        *,
        fallbacks: bool = True,
    ) -> Any:
        from .pipeline.call import send  # imports responses, events and messages: 15 ms that creating a client must not cost

        routes = self._routes(request.model) if fallbacks else ((self._route, request.model),)
        limits = self.timeout if timeout is None else Timeout.of(timeout)
        return send(routes, operation, request, CallClock(limits, stream=False, token=cancel))

    def _routes(self, model: str) -> tuple[tuple[Route, str], ...]:
        """The routes of a call, in the order in which they are tried, each with its model."""
        own = (self._route, model)
        return (own, *((client._route, client.model) for client in self._fallbacks)) if self._fallbacks else (own,)

    def close(self) -> None:
        """Closes the idle connections. The client can still be used; calls in other threads are not disturbed."""
        self._route.transport.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.close()

    def __repr__(self) -> str:
        return f"AiClient({f'{self.provider}/{self.model}'!r})"

    if not TYPE_CHECKING:
        __getattr__ = no_attribute

    def _fallback(self, item: str | AiClient) -> AiClient:
        """The client of a fallback: it has its own key, URL, manifest and connections, and shares the other settings."""
        if isinstance(item, AiClient):
            return item
        route, transport = self._route, self._route.transport
        return AiClient(
            item,
            timeout=self.timeout,
            limits=transport.limits,
            retry=route.retry,
            on_retry=route.on_retry,
            strict=route.strict,
            trust_env=transport.trust_env,
            ca_bundle=transport.ca_bundle,
            ssl_context=transport.ssl_context,
            max_connections=transport.max_connections,
            max_connection_age=transport.max_connection_age,
        )


def _manifest_of(provider: str, manifest: ManifestLike | None) -> Manifest:
    if manifest is None:
        return Manifest.load(provider)
    if not isinstance(manifest, Manifest):
        manifest = Manifest.from_dict(manifest) if hasattr(manifest, "keys") else Manifest.from_path(manifest)  # type: ignore[arg-type]
    if provider != manifest.id and provider not in manifest.aliases:
        raise ConfigurationError(f"the manifest describes {manifest.id!r}, the model names {provider!r}")
    return manifest


class Completions:
    """What openai-python has at `client.chat.completions`: its attributes raise an error that says what to write here."""

    __slots__ = ()

    if not TYPE_CHECKING:
        __getattr__ = no_attribute


AiClient.chat.completions = Completions()  # type: ignore[attr-defined]


def _no_argument(given: Mapping[str, object]) -> TypeError:
    from ._other_names import no_argument

    return no_argument("AiClient", given, AiClient.__init__)


def _several(fallbacks: Iterable[str | AiClient]) -> Iterable[str | AiClient]:
    return (fallbacks,) if isinstance(fallbacks, (str, AiClient)) else fallbacks


def _embedded_pool(endpoint: Endpoint) -> Any:
    """The pool to use instead of the network, if the URL is that of the provider inside this package."""
    if not endpoint.is_embedded:
        return None
    from .embedded import EmbeddedPool

    return EmbeddedPool()


class ClientDefaults:
    """What a client uses if its caller passes none: the pool and the key.

    `ailib_sync.testing.offline` uses it to keep a whole program off the network. It applies to the process, and is not for
    concurrent use; a client keeps what it was created with.
    """

    __slots__ = ("api_key", "http")

    def __init__(self, http: Http | None = None, api_key: Callable[[], str] | None = None) -> None:
        self.http = http
        self.api_key = api_key


_defaults = ClientDefaults()


def replace_defaults(defaults: ClientDefaults) -> ClientDefaults:
    """Sets the defaults of clients that are created from now on, and returns those before."""
    global _defaults
    before, _defaults = _defaults, defaults
    return before
