"""One operation at one provider for one model: its URL, headers, key and wire format, and the requests to it. No network."""

from __future__ import annotations

import json
from time import time

from .._dataclass import replace
from .._signals import reraise_from_signal
from .._version import __version__
from ..errors import ConfigurationError
from ..http.message import Headers, HttpRequest
from ..registry.manifest import Manifest, filled
from .auth import authorize, authorize_for_display, find_key
from .url import (
    EMBEDDED,
    Url,
    base_url_in_environment,
    check_plain_http,
    checked_url,
    moved_url,
    quoted,
    variables_of,
    warned_defaults,
    with_query,
)

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

    from ..dialects.dialect import Dialect, Operation
    from ..types.request import Ledger, Request
    from .auth import Secret
    from .explanation import Explanation

USER_AGENT = f"ailib-sync/{__version__}"
MAX_MODEL_CHARACTERS = 512
SECONDS_OF_A_DAY = 86400
#: The framing of a stream → the media type to accept.
ACCEPT = {"sse": "text/event-stream", "ndjson": "application/x-ndjson", "aws": "application/vnd.amazon.eventstream"}


def split_model(model: str) -> tuple[str, str, str | None]:
    """`provider/model`, split at the first slash, and the dialect in a `?dialect=…` at the end."""
    if not isinstance(model, str):
        raise ConfigurationError(f"a model is written provider/model, as in openai/gpt-4o, not {model!r}")
    model, _, dialect = model.partition("?dialect=")
    provider, slash, name = model.partition("/")
    if not slash or not provider or not name:
        raise _no_provider(model[:100])
    if len(name) > MAX_MODEL_CHARACTERS or not name.isprintable() or name.strip() != name or name in (".", ".."):
        raise ConfigurationError(f"{name[:60]!r} is not a model's name: at most {MAX_MODEL_CHARACTERS} printable characters")
    return provider, name, dialect or None


def _no_provider(model: str) -> ConfigurationError:
    from ..registry.models import with_provider

    near = with_provider(model)
    hint = f"; did you mean {' or '.join(map(repr, near))}?" if near else ""
    return ConfigurationError(f"a model is written provider/model, as in openai/gpt-4o, not {model!r}{hint}")


class Endpoints:
    """The endpoints of one client: one for each operation and model, made when it is first used and kept."""

    def __init__(
        self,
        provider: str,
        manifest: Manifest,
        *,
        dialect: str | None = None,
        key: Secret | None = None,
        base_url: str | None = None,
        headers: Headers | None = None,
        variables: Mapping[str, str] | None = None,
        allow_http: bool = False,
    ) -> None:
        self.manifest = manifest
        self.key = key
        self._provider = provider
        self._dialect = dialect
        self._base_url = base_url
        self._headers = headers
        self._variables = dict(variables or {})
        self._allow_http = allow_http
        self._made: dict[tuple[str, str, str | None], Endpoint] = {}

    def serving(self, request: Request, plain: Endpoint) -> Endpoint:
        """The endpoint for a request: `plain`, that of its model, or one in the dialect that alone supports the request.

        See `reasoning.with_tools` of manifests. A dialect that the caller named is always used.
        """
        if plain.with_tools is None or self._dialect is not None:
            return plain
        from ..dialects.reasoning import thinks

        chat: Any = request
        return self.find(plain.model, "chat", plain.with_tools) if chat.tools and thinks(chat, plain.manifest) else plain

    def find(self, model: str, operation: str = "chat", dialect: str | None = None) -> Endpoint:
        """Raises ConfigurationError if the model's name or the URL is wrong, or there is no such operation."""
        endpoint = self._made.get((model, operation, dialect))
        if endpoint is None:
            if model or operation != "models":  # the list of models belongs to none
                _, model, _ = split_model(f"{self._provider}/{model}")
            endpoint = self._made[model, operation, dialect] = Endpoint(
                model,
                self.manifest,
                operation,
                dialect=dialect or self._dialect,
                key=self.key,
                base_url=self._base_url,
                headers=self._headers,
                variables=self._variables,
                allow_http=self._allow_http,
            )
        return endpoint

    def check(self, model: str) -> Endpoint:
        """The endpoint of the provider's first operation. Raises ConfigurationError if the model's name or the URL is wrong."""
        return self.find(model, (*self.manifest.operation_names(), "chat")[0])

    def __getstate__(self) -> dict[str, Any]:
        return {**self.__dict__, "_made": {}}


def _other_dialect_with_tools(manifest: Manifest) -> str | None:
    dialect: str | None = (manifest.reasoning or {}).get("with_tools")
    return None if dialect == manifest.dialect else dialect


class Endpoint:
    """Where the requests of one operation are sent, for one model. What is the same for each call is computed once, here."""

    __slots__ = (
        "_base_url", "_checks_http", "_defaulted", "_dialect", "_given_headers", "_headers", "_host", "_is_own_url", "_key",
        "_operation", "_operation_name", "_retirement", "_urls", "_variables", "manifest", "model", "url_source", "with_tools",
    )  # fmt: skip

    def __init__(
        self,
        model: str,
        manifest: Manifest,
        operation: str = "chat",
        *,
        dialect: str | None = None,
        key: Secret | None = None,
        base_url: str | None = None,
        headers: Headers | None = None,
        variables: Mapping[str, str] | None = None,
        allow_http: bool = False,
    ) -> None:
        self.model = model
        resolved = manifest.for_operation(operation, model)
        self.manifest = resolved.for_model(model, dialect) if operation == "chat" else resolved
        self._operation_name = operation
        #: The dialect for requests with tools while the model thinks, if this one does not support them.
        self.with_tools = _other_dialect_with_tools(self.manifest) if operation == "chat" else None
        self._dialect: Dialect | None = None
        self._operation: Operation | None = None
        self._key = key
        self._is_own_url = base_url is None
        self.url_source = "base_url"
        if base_url is None:
            # Such an address may use the key of the environment, as in the provider's own SDK.
            self.url_source, base_url = base_url_in_environment(manifest) or (f"{manifest.id}: base_url", None)
        self._variables = variables_of(self.manifest, variables or {}, base_url is None)
        self._defaulted = () if base_url else warned_defaults(self.manifest, self._variables, variables or {})
        base = base_url or self.manifest.base_url
        if base_url is not None and (operation != "chat" or self._is_own_url):
            chat = manifest if self._is_own_url else manifest.for_model(model, dialect)
            base = moved_url(base_url, chat.base_url, self.manifest.base_url)
        url = Url(filled(base, self._variables).rstrip("/"))
        self._base_url, self._host = checked_url(url, self.manifest, self.url_source if base_url else "base_url")
        allows_http = allow_http or self.manifest.allow_http or not self._base_url.startswith("http:") or self.is_embedded
        self._checks_http = not allows_http
        if key is not None and self._checks_http:
            check_plain_http(self._host, self.manifest)
        self._given_headers = headers
        #: The URL and the headers, without the key, of a request that is not streamed and of one that is.
        self._urls: dict[bool, str] = {}
        self._headers: dict[bool, Headers] = {}
        self._retirement: tuple[int, str | None] | None = None

    @property
    def is_embedded(self) -> bool:
        """Whether the URL is that of the provider inside this package."""
        return self._host == EMBEDDED

    @property
    def dialect(self) -> Dialect:
        """The wire format. Its module is imported for the first request."""
        if self._dialect is None:
            from ..dialects.dialect import find

            self._dialect = find(self.manifest.dialect)
        return self._dialect

    @property
    def operation(self) -> Operation:
        """Raises ConfigurationError if the wire format has no such operation."""
        if self._operation is None:
            name, manifest = self._operation_name, self.manifest
            operation = self.dialect.operations.get(name)
            if operation is None:
                raise ConfigurationError(f"{manifest.name}: {manifest.dialect} has no operation {name}", provider=manifest.id)
            self._operation = operation
        return self._operation

    def url(self, stream: bool = False) -> str:
        from ..dialects.dialect import path_of

        path = path_of(self.operation, self.manifest, stream=stream)
        if len(path) > 1 and self._base_url.endswith(path):
            raise ConfigurationError(
                f"base_url ends in {path}, which is added to it: pass the URL without this end", provider=self.manifest.id
            )
        model = quoted(self.operation.model_in_path(self.model))
        url = self._urls[stream] = self._base_url + filled(path, {**self._variables, "model": model})
        return url

    def settled(self, request: Request, home: str | None, ledger: Ledger) -> Request:
        """The request to send: a stream if the model supports nothing else (quirk streams_only), and without fields that only
        `home` has, the dialect that it was made for."""
        if self._operation_name != "chat":
            return request
        chat: Any = request
        if self.manifest.has("streams_only") and not request.stream:
            chat = replace(chat, stream=True)
        if home is not None:
            from ..dialects.portable import without_foreign_extra

            chat = without_foreign_extra(chat, home, self.manifest, ledger)
        return chat  # type: ignore[no-any-return]

    def render(self, request: Request, ledger: Ledger) -> dict[str, Any] | None:
        """The body, with the constants of the manifest and the caller's `extra`."""
        body = self.operation.render(request, self.manifest, ledger)
        for name, value in self._defaulted:
            ledger.changed(name, f"is {value}, because none is set", f"{self.manifest.id}: variables.{name}")
        return body and self.manifest.add_constants(body, {**self._variables, "model": self.model})

    def http_request(self, request: Request, body: dict[str, Any] | None) -> HttpRequest:
        """The request to send, with the key in it."""
        made = self._request_without_key(request, body)
        authorize(made, self.manifest, self.key(), self._variables)
        if self._checks_http and any(map(made.headers.is_secret, made.headers)):
            check_plain_http(self._host, self.manifest)
        return made

    def explain(self, request: Request, home: str | None = None) -> Explanation:
        """The request that `http_request` makes, with its secrets redacted, and the ledger. Needs no key."""
        from ..types.request import Ledger
        from .explanation import Explanation

        ledger = Ledger()
        request = self.settled(request, home, ledger)
        body = self.render(request, ledger)
        made = self._request_without_key(request, body)
        try:
            has_key = self.key() is not None
        except ConfigurationError:
            has_key = True  # there is none, and one is needed: shown as if there were one
        authorize_for_display(made, self.manifest, has_key, self._variables)
        return Explanation(
            provider=self.manifest.id,
            model=self.model,
            dialect=self.dialect.name,
            method=made.method,
            url=made.url,
            url_source=self.url_source,
            headers=made.shown_headers(),
            body=body or {},
            ledger=tuple(ledger.entries),
        )

    def _request_without_key(self, request: Request, body: dict[str, Any] | None) -> HttpRequest:
        stream = request.stream
        headers = (self._headers.get(stream) or self._fixed_headers(stream)).copy()
        if request.headers:
            headers.put_all(request.headers)
        url = self._urls.get(stream) or self.url(stream)
        operation = self.operation
        if operation.query is not None:
            url = with_query(url, operation.query(request))
        return HttpRequest(operation.method, url, headers, b"" if body is None else encoded(body))

    def _fixed_headers(self, stream: bool) -> Headers:
        """Ours, the manifest's and the client's, without the key. Accept and Accept-Encoding say what this package can read."""
        streaming = self.operation.stream if stream else None
        headers = Headers({"Content-Type": "application/json", "User-Agent": USER_AGENT})
        headers.put_all({name: filled(value, self._variables) for name, value in self.manifest.headers.items()})
        headers.put_all(self._given_headers or {})
        headers.put("Accept", ACCEPT[streaming.framing] if streaming else "application/json")
        headers.put("Accept-Encoding", "identity" if stream else "gzip")  # a compressor would hold events back
        self._headers[stream] = headers
        return headers

    def key(self) -> Secret | None:
        """The key to use. Raises ConfigurationError if one is needed and there is none."""
        if not self._is_own_url and self._key is None:
            from ..http.hosts import is_private

            if is_private(self._host):
                return None  # a server of the user's own gets a key only from `api_key`
        return find_key(self.manifest, self._key, may_use_environment=self._is_own_url)

    def retirement(self) -> str | None:
        """A warning if the model is retired, or will be within 30 days."""
        today = int(time() // SECONDS_OF_A_DAY)  # looked up once a day: a server may run for months
        if self._retirement is None or self._retirement[0] != today:
            from ..registry.retirements import retirement, retirement_warning

            found = retirement(self.manifest.id, self.model)
            self._retirement = today, retirement_warning(f"{self.manifest.id}/{self.model}", found) if found else None
        return self._retirement[1]


_encode = json.JSONEncoder(ensure_ascii=False, allow_nan=False, separators=(",", ":")).encode


def encoded(body: dict[str, Any]) -> bytes:
    """The body as JSON in UTF-8 (RFC 8259, without NaN). Raises ConfigurationError for a value that JSON does not have."""
    try:
        return _encode(body).encode()
    except UnicodeEncodeError:
        raise ConfigurationError("the request has an unpaired surrogate, which is not text that can be sent") from None
    except (TypeError, ValueError, RecursionError) as error:
        reraise_from_signal(error)
        raise ConfigurationError(f"the request is not JSON: {error}") from None
