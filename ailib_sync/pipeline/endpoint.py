"""One operation at one provider, for one model: its address, key and wire format, and the request made of them. No network."""

from __future__ import annotations

import json
from time import time

from .._version import __version__
from ..errors import ConfigurationError
from ..registry.manifest import Manifest, filled
from .auth import authorize, authorize_redacted, find_key
from .url import EMBEDDED, Url, checked_url, quoted, variables_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

    from ..dialects.dialect import Dialect, Operation
    from ..http.message import Headers, HttpRequest
    from ..types.request import Ledger, Request
    from .auth import Secret
    from .explanation import Explanation

USER_AGENT = f"ailib-sync/{__version__}"
MAX_MODEL = 512


def split_model(model: str) -> tuple[str, str, str | None]:
    """`provider/model`, split at the first slash, and the dialect of a `?dialect=` at its end."""
    if not isinstance(model, str):
        raise ConfigurationError(f"a model is written provider/model, as in openai/gpt-4o, not {model!r}")
    model, _, dialect = model.partition("?dialect=")
    provider, slash, name = model.partition("/")
    if not slash or not provider or not name:
        raise ConfigurationError(f"a model is written provider/model, as in openai/gpt-4o, not {model[:100]!r}")
    if len(name) > MAX_MODEL or not name.isprintable() or name.strip() != name or name in (".", ".."):
        raise ConfigurationError(f"{name[:60]!r} is not a model's name: at most {MAX_MODEL} printable characters")
    return provider, name, dialect or None


class Endpoints:
    """The endpoints of one client: one for each operation and model, made when it is first used."""

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
    ) -> None:
        self.manifest = manifest
        self.key = key
        self._provider = provider
        self._dialect = dialect
        self._base_url = base_url
        self._headers = headers
        self._variables = dict(variables or {})
        self._made: dict[tuple[str, str], Endpoint] = {}

    def find(self, model: str, operation: str = "chat") -> Endpoint:
        """Raises ConfigurationError where the model's name or the address is wrong, or there is no such operation."""
        endpoint = self._made.get((model, operation))
        if endpoint is None:
            _, model, _ = split_model(f"{self._provider}/{model}")
            endpoint = self._made[model, operation] = Endpoint(
                model,
                self.manifest,
                operation,
                dialect=self._dialect,
                key=self.key,
                base_url=self._base_url,
                headers=self._headers,
                variables=self._variables,
            )
        return endpoint

    def check(self, model: str) -> Endpoint:
        """The endpoint of the provider's first operation: what is wrong with the model or the address is found here."""
        return self.find(model, (*self.manifest.operation_names(), "chat")[0])

    def __getstate__(self) -> dict[str, Any]:
        return {**self.__dict__, "_made": {}}


class Endpoint:
    """Where the requests of one operation go, for one model. Everything that does not change per call is done once, here."""

    __slots__ = (
        "_base", "_constant_headers", "_dialect", "_given_headers", "_host", "_key", "_operation", "_own_address",
        "_retirement", "_urls", "_variables", "manifest", "model", "operation_name", "seam",
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
    ) -> None:
        self.model = model
        self.operation_name = operation
        resolved = manifest.for_operation(operation, model)
        self.manifest = resolved.for_model(model, dialect) if operation == "chat" else resolved
        self._dialect: Dialect | None = None
        self._operation: Operation | None = None
        self._key = key
        self._retirement: tuple[int, str | None] | None = None
        self._own_address = base_url is None
        self._variables = variables_of(self.manifest, variables or {}, base_url is None)
        base = Url(filled(base_url or self.manifest.base_url, self._variables).rstrip("/"))
        self._base, self._host = checked_url(base, self.manifest)
        self._urls: dict[bool, str] = {}
        self.seam = "embedded" if self._host == EMBEDDED else None
        constant = {name: filled(value, self._variables) for name, value in self.manifest.headers.items()}
        self._constant_headers = {"Content-Type": "application/json", "User-Agent": USER_AGENT, **constant}
        self._given_headers = headers

    @property
    def dialect(self) -> Dialect:
        """The wire format; its module is loaded when the first request is made."""
        if self._dialect is None:
            from ..dialects.dialect import find

            self._dialect = find(self.manifest.dialect)
        return self._dialect

    @property
    def operation(self) -> Operation:
        if self._operation is None:
            self._operation = operation_of(self.dialect, self.operation_name, self.manifest)
        return self._operation

    def url(self, stream: bool = False) -> str:
        url = self._urls.get(stream)
        if url is None:
            from ..dialects.dialect import path_of

            path = path_of(self.operation, self.manifest, stream=stream)
            url = self._urls[stream] = self._base + filled(path, {**self._variables, "model": quoted(self.model)})
        return url

    def render(self, request: Request, ledger: Ledger) -> dict[str, Any] | None:
        """The body, with the manifest's constants and the caller's `extra` in it."""
        body = self.operation.render(request, self.manifest, ledger)
        return body and self.manifest.add_constants(body, {**self._variables, "model": self.model})

    def http_request(self, request: Request, body: dict[str, Any] | None) -> HttpRequest:
        """The request as it is sent, authorized."""
        made = self._unauthorized(request, body)
        authorize(made, self.manifest, self.key(), self._variables)
        return made

    def _unauthorized(self, request: Request, body: dict[str, Any] | None) -> HttpRequest:
        from ..http.message import Headers, HttpRequest

        streaming = self.operation.stream
        headers = Headers(self._constant_headers)
        headers.update(self._given_headers or {})
        headers["Accept"] = ACCEPT[streaming.framing] if request.stream and streaming else "application/json"
        headers["Accept-Encoding"] = "identity" if request.stream else "gzip"
        headers.update(request.headers)
        return HttpRequest(self.operation.method, self.url(request.stream), headers, b"" if body is None else encoded(body))

    def retirement(self) -> str | None:
        """A sentence where the model has been retired, or will be within 30 days."""
        today = int(time() // 86400)  # looked up once a day: a server may run for months
        if self._retirement is None or self._retirement[0] != today:
            from ..registry.retirements import retirement, retirement_warning

            end = retirement(self.manifest.id, self.model)
            self._retirement = today, retirement_warning(f"{self.manifest.id}/{self.model}", end) if end else None
        return self._retirement[1]

    def key(self) -> Secret | None:
        """The key in use. Raises ConfigurationError where one is needed and there is none."""
        if not self._own_address and self._key is None:
            from ..http.proxies import is_loopback

            if is_loopback(self._host):
                return None  # a server on this machine: a key is sent only if it was given in code
        return find_key(self.manifest, self._key, may_use_environment=self._own_address)

    def explain(self, request: Request) -> Explanation:
        """The request that would be sent, made as it is made for sending, with its secrets redacted. Needs no key."""
        from ..http.secret_headers import REDACTED
        from ..types.request import Ledger
        from .explanation import Explanation

        ledger = Ledger()
        body = self.render(request, ledger)
        made = self._unauthorized(request, body)
        try:
            has_key = self.key() is not None
        except ConfigurationError:
            has_key = True  # none is set: shown as if there were one
        secret_headers = authorize_redacted(made, self.manifest, has_key, self._variables)
        headers = {name: REDACTED if name in secret_headers else value for name, value in made.wire_headers().items()}
        return Explanation(
            self.manifest.id, self.model, self.dialect.name, made.method, made.url, headers, body or {}, tuple(ledger.entries)
        )


def operation_of(dialect: Dialect, name: str, manifest: Manifest) -> Operation:
    """Raises ConfigurationError where the wire format has no such operation, or none is known yet."""
    operation = dialect.operations.get(name)
    if operation is None:
        raise ConfigurationError(f"{manifest.name}: {dialect.name} has no operation {name}", provider=manifest.id)
    return operation


ACCEPT = {"sse": "text/event-stream", "ndjson": "application/x-ndjson", "aws": "application/vnd.amazon.eventstream"}


_encode = json.JSONEncoder(ensure_ascii=False, allow_nan=False, separators=(",", ":")).encode


def encoded(body: dict[str, Any]) -> bytes:
    """The body as JSON bytes. Raises ConfigurationError for what JSON cannot hold."""
    try:
        return _encode(body).encode()
    except UnicodeEncodeError:
        raise ConfigurationError("the request holds an unpaired surrogate, which is not text that can be sent") from None
    except (TypeError, ValueError, RecursionError) as error:
        raise ConfigurationError(f"the request is not JSON: {error}") from None
