"""One provider and model, resolved: its manifest, address, key and dialect, and the request made of them. No network."""

from __future__ import annotations

import json
import os
from re import Pattern, compile, escape

from ._version import __version__
from .auth import authorize, find_key
from .dialect import find
from .errors import ConfigurationError
from .explanation import REDACTED, Explanation
from .manifest import Manifest
from .proxies import is_loopback
from .request import Ledger
from .wire import HttpRequest

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

    from .auth import Secret
    from .dialect import Dialect
    from .request import ChatRequest

USER_AGENT = f"ailib-sync/{__version__}"
MAX_MODEL = 512
_URL = compile(r"(https?)://(?:([^/@?#]*)@)?(\[[0-9A-Fa-f:.]+\]|[^/:?#\[\]]+)(?::(\d{1,5}))?([^?#]*)(\?[^#]*)?")
_VARIABLE = compile(r"\{(\w+)\}")
_UNRESERVED = frozenset("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~")


class Headers(dict[str, str]):
    """Headers on their way out; what shows local values shows only their names."""

    def __repr__(self) -> str:
        return f"Headers({', '.join(self)})"

    def copy(self) -> Headers:
        return Headers(self)


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
        "_base_headers", "_ending", "_key", "_own_address", "_urls", "_variables", "dialect", "manifest", "model", "seam",
    )  # fmt: skip

    def __init__(
        self,
        model: str,
        manifest: Manifest,
        *,
        dialect: str | None = None,
        key: Secret | None = None,
        base_url: str | None = None,
        headers: Mapping[str, str] | None = None,
        variables: Mapping[str, str] | None = None,
    ) -> None:
        if manifest.status in ("retired", "not_chat"):
            raise ConfigurationError(_farewell(manifest), provider=manifest.id)
        self.model = model
        self.manifest = manifest.for_model(model, dialect)
        self.dialect: Dialect = find(self.manifest.dialect)
        self._key = key
        self._ending: str | None = None
        self._own_address = base_url is None
        self._variables = variables_of(self.manifest, variables or {}, base_url is None)
        base = checked_url(filled(base_url or self.manifest.base_url, self._variables).rstrip("/"), self.manifest)
        self._urls = tuple(base + self._path(kind) for kind in ("chat", "stream"))
        self.seam = "embedded" if base.startswith(EMBEDDED) else None
        constant = {name: filled(value, self._variables) for name, value in self.manifest.headers.items()}
        self._base_headers = {"Content-Type": "application/json", "User-Agent": USER_AGENT, **constant, **(headers or {})}

    def _path(self, kind: str) -> str:
        paths = {**self.dialect.paths, **self.manifest.paths}
        path = paths.get(kind) or paths["chat"]
        return filled(path, {**self._variables, "model": quoted(self.model)})

    def render(self, request: ChatRequest, ledger: Ledger) -> dict[str, Any]:
        """The body, with the manifest's constants and the caller's `extra` in it."""
        if not request.messages:
            raise ConfigurationError("the conversation is empty: add a message, as in .user('Hello')")
        body = self.dialect.render_body(request, self.manifest, ledger)
        return self.manifest.complete(body, {**self._variables, "model": self.model})

    def http_request(self, request: ChatRequest, body: dict[str, Any], idempotency_key: str | None) -> HttpRequest:
        """The request as it goes out, authorized."""
        headers = Headers(self._base_headers)
        headers["Accept"] = ACCEPT[self.dialect.framing] if request.stream else "application/json"
        headers["Accept-Encoding"] = "identity" if request.stream else "gzip"
        if idempotency_key is not None and self.manifest.idempotency_header:
            headers[self.manifest.idempotency_header] = idempotency_key
        headers.update(request.headers)
        made = HttpRequest("POST", self._urls[request.stream], headers, encoded(body))
        authorize(made, self.manifest, self.key(), self._variables)
        return made

    def ending(self) -> str | None:
        """A sentence where the model has ended or ends within 30 days."""
        if self._ending is None:
            from .endings import ending

            self._ending = ending(self.manifest.id, self.model) or ""
        if not self._ending:
            return None
        from .endings import warning

        return warning(f"{self.manifest.id}/{self.model}", self._ending)

    def key(self) -> Secret | None:
        """The key in use. Raises ConfigurationError where one is needed and there is none."""
        if not self._own_address and self._key is None and is_loopback(host_of(self._urls[0])):
            return None  # a server on this machine: a key is sent only if it was given by hand
        return find_key(self.manifest, self._key, may_use_environment=self._own_address)

    def explain(self, request: ChatRequest) -> Explanation:
        """The request without its key. Works without a key too."""
        ledger = Ledger()
        body = self.render(request, ledger)
        headers = dict(self._base_headers)
        headers["Accept"] = ACCEPT[self.dialect.framing] if request.stream else "application/json"
        headers.update(request.headers)
        auth = self.manifest.auth
        if auth.get("scheme", "bearer") != "none":
            headers[auth.get("header", "Authorization")] = REDACTED
        url = self._urls[request.stream]
        ledger_entries = tuple(ledger.entries)
        return Explanation(self.manifest.id, self.model, self.dialect.name, "POST", url, headers, body, ledger_entries)


ACCEPT = {"sse": "text/event-stream", "ndjson": "application/x-ndjson", "aws": "application/vnd.amazon.eventstream"}
#: The address that stands for the provider inside this package.
EMBEDDED = "http://embedded.invalid"


def encoded(body: dict[str, Any]) -> bytes:
    """The body as JSON bytes. Raises ConfigurationError for what JSON cannot hold."""
    try:
        return json.dumps(body, ensure_ascii=False, allow_nan=False, separators=(",", ":")).encode()
    except UnicodeEncodeError:
        raise ConfigurationError("the request holds half a surrogate pair, which is no text that can be sent") from None
    except (TypeError, ValueError, RecursionError) as error:
        raise ConfigurationError(f"the request is not JSON: {error}") from None


def variables_of(manifest: Manifest, given: Mapping[str, str], needed: bool) -> dict[str, str]:
    """The manifest's variables: given by hand, from the environment, or their defaults."""
    unknown = [name for name in given if name not in manifest.variables]
    if unknown:
        known = ", ".join(manifest.variables) or "none"
        raise ConfigurationError(f"{manifest.id} has no variable {unknown[0]!r}; it has {known}", provider=manifest.id)
    values: dict[str, str] = {}
    for name, spec in manifest.variables.items():
        value = given.get(name) or next((os.environ[env] for env in spec.get("env", ()) if os.environ.get(env)), None)
        value = value or spec.get("default")
        if value is not None:
            values[name] = _allowed(name, value, spec, manifest)
        elif needed:
            where = " or ".join(spec.get("env", ())) or "nothing in the environment"
            raise ConfigurationError(
                f"{name} is needed: set {where}, or pass variables={{{name!r}: …}}", provider=manifest.id
            )  # fmt: skip
    return values


def _allowed(name: str, value: str, spec: Mapping[str, Any], manifest: Manifest) -> str:
    """The value, if the manifest allows it. A host often comes with its scheme (`DATABRICKS_HOST`), which goes."""
    allowed = spec.get("allowed")
    if allowed is None:
        return value
    host = value.removeprefix("https://").rstrip("/")
    if any(_glob(pattern).fullmatch(host) for pattern in allowed):
        return host
    raise ConfigurationError(f"{name} must be like {' or '.join(allowed)}, not {value[:100]!r}", provider=manifest.id)


def _glob(pattern: str) -> Pattern[str]:
    """`*` stands for letters, digits, dots and hyphens: a value cannot leave the host of an address."""
    return compile(escape(pattern).replace(r"\*", r"[A-Za-z0-9.-]+"))


def filled(template: str, values: Mapping[str, str]) -> str:
    return _VARIABLE.sub(lambda match: values.get(match[1], match[0]), template) if "{" in template else template


def quoted(segment: str) -> str:
    """Percent-encoded as one segment of a path: a model's name cannot leave its place in the URL."""
    if _UNRESERVED.issuperset(segment):
        return segment
    return "".join(c if c in _UNRESERVED else "".join(f"%{b:02X}" for b in c.encode("utf-8", "replace")) for c in segment)


def checked_url(url: str, manifest: Manifest) -> str:
    """The base URL, if a key may travel to it. Raises ConfigurationError."""
    match = _URL.fullmatch(url)
    if match is None or not url.isascii() or not url.isprintable() or " " in url:
        raise ConfigurationError(f"{url[:200]!r} is not an http or https address", provider=manifest.id)
    if match[2] is not None:
        raise ConfigurationError("base_url must not hold a user name or password", provider=manifest.id)
    if "{" in url:
        missing = _VARIABLE.search(url)
        raise ConfigurationError(f"base_url needs {missing[0] if missing else '{…}'}", provider=manifest.id)
    if match[1] == "http" and not is_loopback(match[3]) and not url.startswith(EMBEDDED):
        raise ConfigurationError(
            f"{url[:200]} is plain http, where a key would travel in the clear; use https (http goes to this machine only)",
            provider=manifest.id,
        )
    return url


def host_of(url: str) -> str:
    match = _URL.match(url)
    return match[3] if match else ""


def _farewell(manifest: Manifest) -> str:
    facts = manifest.retired or {}
    if manifest.status == "not_chat":
        return f"{manifest.name} is not a chat service. {facts.get('use', '')}".rstrip()
    return f"{manifest.name} has been retired since {facts.get('since', '?')}. Use instead: {facts.get('use', '?')}"
