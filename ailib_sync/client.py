"""`AiClient`: a model, its keys, connections, retries and fallbacks. The only module that sees every layer below."""

from __future__ import annotations

from .errors import ConfigurationError
from .http.timeouts import DEFAULT_TIMEOUT, CallClock, Timeout
from .http.transport import Transport
from .pipeline.endpoint import Target, split_model
from .pipeline.retry import RetryBudget, RetryPolicy
from .registry.manifest import Manifest

TYPE_CHECKING = False
if TYPE_CHECKING:
    import os
    from collections.abc import Callable, Iterable, Mapping
    from types import TracebackType
    from typing import Any

    from typing_extensions import Self

    from .builder import ChatBuilder
    from .errors import AiLibError
    from .http.message import Headers
    from .http.timeouts import CancelToken, Limits
    from .http.transport import Http
    from .pipeline.breaker import CircuitBreaker
    from .pipeline.explanation import Explanation
    from .pipeline.limiter import Limiter
    from .pipeline.stream import ChatStream
    from .registry.models import ModelInfo
    from .types.messages import Message
    from .types.request import ChatRequest
    from .types.response import CallStats, ChatResponse

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
    - `limiter`: a `Limiter`, the requests, tokens and calls at once that are allowed. `breaker`: a `CircuitBreaker`, which
      leaves a failing provider alone for a while. Both can be shared by several clients.
    - `strict`: raise where an option is not taken, instead of leaving it out with a warning.
    - `headers`: sent with every request. `http`: your own pool, anything with urllib3's `urlopen`.
    - `trust_env`: whether proxy and CA variables of the environment count. `ca_bundle`: a file or folder of CA certificates.
    """

    #: Of a client whose making failed, which an error's traceback may show.
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
        max_connections: int = 100,
    ) -> None:
        api_key = secret = _secret(api_key)  # the plain key leaves the frame before anything can fail in it
        headers = _covered(headers)
        provider, name, named_dialect = split_model(model)
        self.provider = provider
        self.model = name
        self.strict = strict
        self.timeout = Timeout.of(timeout)
        self.retry = RetryPolicy.of(retry)
        self.on_retry = on_retry
        self.limiter = limiter
        self.breaker = breaker
        self._secret = secret
        self._base_url = base_url
        self._manifest = _manifest_of(provider, manifest)
        self._dialect = dialect or named_dialect
        self._variables = dict(variables or {})
        self._headers = _checked(headers)
        self._budget = RetryBudget()
        self._targets: dict[str, Target] = {}
        self._target(name)
        self._transport = Transport(
            http or _seam(self._target(name)),
            limits=limits,
            trust_env=trust_env,
            ca_bundle=ca_bundle,
            max_connections=max_connections,
        )
        self._fallbacks = tuple(self._fallback(item) for item in _several(fallbacks))

    @classmethod
    def create(cls, model: str, **options: Any) -> Self:
        """The same as `AiClient(model, …)`."""
        if "api_key" in options:
            options["api_key"] = _secret(options.pop("api_key"))
        options["headers"] = _covered(options.pop("headers", None))
        return cls(model, **options)

    # the conversation

    def chat(self, messages: Iterable[Message | Mapping[str, Any]] = ()) -> ChatBuilder:
        """Begins a chat; everything else is said on the builder."""
        from .builder import ChatBuilder
        from .types.request import ChatRequest

        builder = ChatBuilder(self, ChatRequest(self.model))
        return builder.messages(messages) if messages else builder

    def resolve_model(self, model: str) -> str:
        """A model's name for this client: its own provider's prefix is taken off. Any other is part of the name."""
        provider, slash, name = model.partition("/")
        if slash and provider in (self.provider, self._manifest.id, *self._manifest.aliases):
            model = name
        self._target(model)
        return model

    def model_info(self, model: str | None = None) -> ModelInfo | None:
        """What is known of the model (context window, prices, retirement), None where nothing is. Never needed for a call."""
        from .registry.models import model_info

        return model_info(self._manifest.id, model or self.model)

    # sending: the builder calls these

    def send(
        self, request: ChatRequest, timeout: Timeout | None = None, cancel: CancelToken | None = None
    ) -> tuple[ChatResponse, CallStats]:
        """A whole answer and its figures."""
        from .pipeline.call import send  # brings answers, events and messages: 15 ms that making a client must not cost

        return send(self, request, CallClock(timeout or self.timeout, stream=False, token=cancel))

    def open(self, request: ChatRequest, timeout: Timeout | None = None, cancel: CancelToken | None = None) -> ChatStream:
        """A stream, opened as far as its first event."""
        from .pipeline.call import open_stream

        return open_stream(self, request, CallClock(timeout or self.timeout, stream=True, token=cancel))

    def explain(self, request: ChatRequest, *, stream: bool = False) -> Explanation:
        """The exact request that would be sent, without its key."""
        from ._dataclass import replace

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
        transport = self._transport
        return AiClient(
            item,
            timeout=self.timeout,
            limits=transport.limits,
            retry=self.retry,
            on_retry=self.on_retry,
            strict=self.strict,
            trust_env=transport.trust_env,
            ca_bundle=transport.ca_bundle,
        )


def _secret(key: str | Callable[[], str] | None) -> Any:
    from .pipeline.auth import Secret

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


def _covered(headers: Mapping[str, str] | None) -> Headers | None:
    """The caller's headers, which may hold a key, as a value that does not show it."""
    if not headers:
        return None
    from .http.message import Headers

    return headers if isinstance(headers, Headers) else Headers(headers)


def _checked(headers: Headers | None) -> Headers | None:
    if headers is None:
        return None
    from .builder import checked_headers

    return checked_headers(headers)


def _seam(target: Target) -> Any:
    """The pool that stands in for the network, where the address is the one inside this package."""
    if target.seam is None:
        return None
    from .embedded import EmbeddedPool

    return EmbeddedPool()
