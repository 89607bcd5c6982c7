"""One provider and model, resolved: its manifest, address, key and dialect, and the request made of them. No network."""

from __future__ import annotations

import json
from time import time

from .._version import __version__
from ..errors import ConfigurationError
from ..registry.manifest import Manifest, filled
from .auth import authorize, find_key
from .url import EMBEDDED, checked_url, quoted, variables_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

    from ..dialects.dialect import Dialect
    from ..http.message import Headers, HttpRequest
    from ..types.request import ChatRequest, Ledger
    from .auth import Secret
    from .explanation import Explanation

USER_AGENT = f"ailib-sync/{__version__}"
MAX_MODEL = 512


def split_model(model: str) -> tuple[str, str, str | None]:
    """`provider/model`, parted at the first slash, and the dialect of a `?dialect=` at its end."""
    if not isinstance(model, str):
        raise ConfigurationError(f"a model is written provider/model, as in openai/gpt-4o, not {model!r}")
    model, _, dialect = model.partition("?dialect=")
    provider, slash, name = model.partition("/")
    if not slash or not provider or not name:
        raise ConfigurationError(f"a model is written provider/model, as in openai/gpt-4o, not {model[:100]!r}")
    if len(name) > MAX_MODEL or not name.isprintable() or name.strip() != name or name in (".", ".."):
        raise ConfigurationError(f"{name[:60]!r} is not a model's name: at most {MAX_MODEL} printable characters")
    return provider, name, dialect or None


class Target:
    """Where a request goes. Made once for each model of a client; everything that does not change per call is done here."""

    __slots__ = (
        "_base", "_constant_headers", "_dialect", "_ending", "_given_headers", "_host", "_key", "_own_address", "_urls",
        "_variables", "manifest", "model", "seam",
    )  # fmt: skip

    def __init__(
        self,
        model: str,
        manifest: Manifest,
        *,
        dialect: str | None = None,
        key: Secret | None = None,
        base_url: str | None = None,
        headers: Headers | None = None,
        variables: Mapping[str, str] | None = None,
    ) -> None:
        if manifest.status in ("retired", "not_chat"):
            raise ConfigurationError(_farewell(manifest), provider=manifest.id)
        self.model = model
        self.manifest = manifest.for_model(model, dialect)
        self._dialect: Dialect | None = None
        self._key = key
        self._ending: tuple[int, str | None] | None = None
        self._own_address = base_url is None
        self._variables = variables_of(self.manifest, variables or {}, base_url is None)
        base = filled(base_url or self.manifest.base_url, self._variables).rstrip("/")
        self._base, self._host = checked_url(base, self.manifest)
        self._urls: tuple[str, str] | None = None
        self.seam = "embedded" if self._host == EMBEDDED else None
        constant = {name: filled(value, self._variables) for name, value in self.manifest.headers.items()}
        self._constant_headers = {"Content-Type": "application/json", "User-Agent": USER_AGENT, **constant}
        self._given_headers = headers

    @property
    def dialect(self) -> Dialect:
        """The format; its module is loaded when the first request is made."""
        if self._dialect is None:
            from ..dialects.dialect import find

            self._dialect = find(self.manifest.dialect)
        return self._dialect

    def url(self, stream: bool) -> str:
        if self._urls is None:
            self._urls = self._address("chat"), self._address("stream")
        return self._urls[stream]

    def _address(self, kind: str) -> str:
        paths = {**self.dialect.paths, **self.manifest.paths}
        path = paths.get(kind) or paths["chat"]
        return self._base + filled(path, {**self._variables, "model": quoted(self.model)})

    def render(self, request: ChatRequest, ledger: Ledger) -> dict[str, Any]:
        """The body, with the manifest's constants and the caller's `extra` in it."""
        if not request.messages:
            raise ConfigurationError("the conversation is empty: add a message, as in .user('Hello')")
        body = self.dialect.render_body(request, self.manifest, ledger)
        return self.manifest.complete(body, {**self._variables, "model": self.model})

    def http_request(self, request: ChatRequest, body: dict[str, Any], idempotency_key: str | None) -> HttpRequest:
        """The request as it goes out, authorized."""
        from ..http.message import Headers, HttpRequest

        headers = Headers(self._constant_headers)
        headers.update(self._given_headers or {})
        headers["Accept"] = ACCEPT[self.dialect.framing] if request.stream else "application/json"
        headers["Accept-Encoding"] = "identity" if request.stream else "gzip"
        if idempotency_key is not None and self.manifest.idempotency_header:
            headers[self.manifest.idempotency_header] = idempotency_key
        headers.update(request.headers)
        made = HttpRequest("POST", self.url(request.stream), headers, encoded(body))
        authorize(made, self.manifest, self.key(), self._variables)
        return made

    def ending(self) -> str | None:
        """A sentence where the model has ended or ends within 30 days."""
        today = int(time() // 86400)  # looked up once a day: a server may run for months
        if self._ending is None or self._ending[0] != today:
            from ..registry.retirements import ending, warning

            end = ending(self.manifest.id, self.model)
            self._ending = today, warning(f"{self.manifest.id}/{self.model}", end) if end else None
        return self._ending[1]

    def key(self) -> Secret | None:
        """The key in use. Raises ConfigurationError where one is needed and there is none."""
        if not self._own_address and self._key is None:
            from ..http.proxies import is_loopback

            if is_loopback(self._host):
                return None  # a server on this machine: a key is sent only if it was given by hand
        return find_key(self.manifest, self._key, may_use_environment=self._own_address)

    def explain(self, request: ChatRequest) -> Explanation:
        """The request without its key. Works without a key too."""
        from ..http.message import REDACTED, Headers
        from ..types.request import Ledger
        from .explanation import Explanation

        ledger = Ledger()
        body = self.render(request, ledger)
        headers = {**self._constant_headers, **Headers(self._given_headers or {}).shown()}
        headers["Accept"] = ACCEPT[self.dialect.framing] if request.stream else "application/json"
        headers.update(Headers(request.headers).shown())
        auth = self.manifest.auth
        if auth.get("scheme", "bearer") != "none":
            headers[auth.get("header", "Authorization")] = REDACTED
        url = self.url(request.stream)
        ledger_entries = tuple(ledger.entries)
        return Explanation(self.manifest.id, self.model, self.dialect.name, "POST", url, headers, body, ledger_entries)


ACCEPT = {"sse": "text/event-stream", "ndjson": "application/x-ndjson", "aws": "application/vnd.amazon.eventstream"}


_encode = json.JSONEncoder(ensure_ascii=False, allow_nan=False, separators=(",", ":")).encode


def encoded(body: dict[str, Any]) -> bytes:
    """The body as JSON bytes. Raises ConfigurationError for what JSON cannot hold."""
    try:
        return _encode(body).encode()
    except UnicodeEncodeError:
        raise ConfigurationError("the request holds half a surrogate pair, which is no text that can be sent") from None
    except (TypeError, ValueError, RecursionError) as error:
        raise ConfigurationError(f"the request is not JSON: {error}") from None


def _farewell(manifest: Manifest) -> str:
    facts = manifest.retired or {}
    if manifest.status == "not_chat":
        return f"{manifest.name} is not a chat service. {facts.get('use', '')}".rstrip()
    return f"{manifest.name} has been retired since {facts.get('since', '?')}. Use instead: {facts.get('use', '?')}"
