"""Every exception this package raises, and how a provider's refusal is classified. Knows nothing of HTTP or JSON.

AiLibError
├── ConfigurationError          nothing was sent
│   ├── ManifestError           a manifest is wrong: which file, which key, what is allowed
│   └── StreamConsumed          a stream that has ended is read again, or asked for its outcome too early
├── TransportError              no whole answer arrived
│   ├── ConnectError            no connection was made (refused, unreachable, name not found)
│   │   ├── TlsError            the certificate or the handshake was refused; never retried
│   │   └── ProxyError          the proxy refused or could not be reached
│   ├── ConnectionLost          the connection broke before a whole answer was read
│   ├── CallTimeout             one of the time limits passed (a builtin TimeoutError too)
│   │   ├── ConnectTimeout      no connection within `connect` seconds
│   │   ├── WriteTimeout        the provider stopped reading the request
│   │   ├── ReadTimeout         no byte for `read` seconds
│   │   ├── ContentTimeout      no event with content for `content` seconds
│   │   ├── DeadlineExceeded    the whole call took more than `total` seconds
│   │   └── PoolTimeout         no free connection, or a Limiter's turn does not come in time
│   ├── CircuitOpen             a CircuitBreaker holds requests back; nothing was sent
│   ├── StreamInterrupted       a stream ended without its terminal event
│   └── Cancelled               cancel() or close() was called while the call ran
├── ProtocolError               an answer arrived that is not what the dialect says
│   ├── RedirectRefused         redirects are never followed
│   └── ResponseTooLarge        a bound of `Limits` was passed
└── RemoteError                 the provider said no
    ├── InvalidRequest          E1001
    │   └── RequestTooLarge     E1005
    ├── AuthenticationError     E1002
    ├── PermissionDenied        E1003
    ├── NotFound                E1004
    ├── RateLimited             E2001
    ├── QuotaExhausted          E2002
    ├── ServerError             E3001
    │   ├── Overloaded          E3002
    │   └── ProviderTimeout     E3003
    └── Conflict                E4001
"""

from __future__ import annotations

from ._dataclass import dataclass

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

    from .types.response import ChatResponse, RateLimit

MAX_MESSAGE = 2000


def printable(text: object, limit: int = MAX_MESSAGE) -> str:
    """Foreign text made safe to show: control characters escaped, at most `limit` characters."""
    s = str(text)
    if len(s) > limit:
        s = s[: limit - 1] + "…"
    if s.isprintable():
        return s
    shown = "".join(c if c.isprintable() else c.encode("unicode_escape", "backslashreplace").decode() for c in s)
    return shown if len(shown) <= limit else shown[: limit - 1] + "…"


@dataclass(frozen=True, slots=True)
class Attempt:
    """One request of a call that failed. `started` is in seconds after the call began, `waited` the pause that followed."""

    provider: str
    model: str
    started: float
    duration: float
    error: str
    status_code: int | None = None
    waited: float | None = None


class AiLibError(Exception):
    """The root. `partial` is what had arrived (never lost), `attempts` the timeline of the requests that were made."""

    standard_code = "E9999"
    retryable = False
    fallbackable = False

    def __init__(self, message: str = "", *, provider: str | None = None, model: str | None = None) -> None:
        self.message = printable(message)
        super().__init__(self.message)
        self.provider = provider
        self.model = model
        self.partial: ChatResponse | None = None
        self.attempts: tuple[Attempt, ...] = ()

    def __str__(self) -> str:
        """Who, what, and what was tried before, in at most 2000 characters."""
        who = f"{self.provider}: " if self.provider else ""
        facts = self._facts() + self._tries()
        return who + printable(self.message, MAX_MESSAGE - len(who) - len(facts)) + facts

    def _facts(self) -> str:
        return ""

    def _tries(self) -> str:
        """Each attempt in a few words, where there were several."""
        if len(self.attempts) < 2:
            return ""
        tries = [f"{a.provider}/{a.model} {a.status_code or a.error.partition(':')[0]}" for a in self.attempts]
        return printable(f" after {len(tries)} attempts ({', '.join(tries)})", 800)

    def __reduce__(self) -> tuple[Any, ...]:
        return _unpickle, (type(self), dict(self.__dict__))


def _unpickle(cls: type[AiLibError], state: dict[str, Any]) -> AiLibError:
    error = cls.__new__(cls)
    error.args = (state.get("message", ""),)
    error.__dict__.update(state)
    return error


class ConfigurationError(AiLibError, ValueError):
    """Nothing was sent: an unknown provider, no key, a value out of range, an option that cannot be met."""

    standard_code = "E1001"


class ManifestError(ConfigurationError):
    """A manifest is wrong; the message names the file, the key and what is allowed."""


class StreamConsumed(ConfigurationError):
    """A stream can be read once, and asked for its outcome when it has ended."""


class TransportError(AiLibError):
    """No whole answer arrived."""

    standard_code = "E3001"
    retryable = True
    fallbackable = True


class ConnectError(TransportError):
    """No connection was made, so nothing was sent."""


class TlsError(ConnectError):
    """The certificate or the handshake was refused."""

    retryable = False


class ProxyError(ConnectError):
    """The proxy refused, or could not be reached."""

    retryable = False


class ConnectionLost(TransportError):
    """The connection broke before a whole answer was read."""


class CallTimeout(TransportError, TimeoutError):
    """One of the limits of `Timeout` passed."""

    standard_code = "E3003"


class ConnectTimeout(CallTimeout):
    """No connection within `Timeout.connect` seconds."""


class WriteTimeout(CallTimeout):
    """The provider stopped reading the request."""


class ReadTimeout(CallTimeout):
    """No byte arrived for `Timeout.read` seconds."""


class ContentTimeout(CallTimeout):
    """No event with content arrived for `Timeout.content` seconds (pings and comments do not count)."""


class DeadlineExceeded(CallTimeout):
    """The whole call took longer than `Timeout.total` seconds."""

    retryable = False
    fallbackable = False


class PoolTimeout(CallTimeout):
    """No free connection, or a `Limiter` let no request begin in time."""

    retryable = False


class CircuitOpen(TransportError):
    """A `CircuitBreaker` holds requests back from a provider that failed again and again; nothing was sent."""

    standard_code = "E3002"
    retryable = False


class StreamInterrupted(TransportError):
    """A stream ended without its terminal event; `partial` holds what arrived."""


class Cancelled(TransportError):
    """The call was cancelled by its caller."""

    standard_code = "E4002"
    retryable = False
    fallbackable = False


class ProtocolError(AiLibError):
    """An answer arrived that is not what the dialect says (HTML with status 200, broken JSON, a wrong shape)."""

    standard_code = "E3001"
    retryable = True
    fallbackable = True

    def __init__(self, message: str = "", *, body: str | None = None, **kwargs: Any) -> None:
        super().__init__(message, **kwargs)
        self.body = body


class RedirectRefused(ProtocolError):
    """The answer was a redirect; redirects are never followed, because a key would travel with them."""

    retryable = False


class ResponseTooLarge(ProtocolError):
    """The answer passed a bound of `Limits`."""

    retryable = False
    fallbackable = False


class RemoteError(AiLibError):
    """The provider said no.

    `error_type` and `error_code` are the provider's own words, `retry_after` the wait it asked for in seconds,
    `body` its answer as text (at most 64 KiB), `rate_limit` what its headers say of the account's limits, `standard_code` the
    AI-Protocol code.
    """

    def __init__(
        self,
        message: str = "",
        *,
        status_code: int | None = None,
        error_type: str | None = None,
        error_code: str | None = None,
        request_id: str | None = None,
        retry_after: float | None = None,
        body: str | None = None,
        provider: str | None = None,
        model: str | None = None,
    ) -> None:
        super().__init__(message, provider=provider, model=model)
        self.status_code = status_code
        self.error_type = error_type
        self.error_code = error_code
        self.request_id = request_id
        self.retry_after = retry_after
        self.body = body
        self.rate_limit: RateLimit | None = None

    def _facts(self) -> str:
        facts = [str(self.status_code)] if self.status_code else []
        code = self.error_code if self.error_code != str(self.status_code) else None  # Google repeats the status as its code
        facts += [printable(word, 100) for word in (code or self.error_type,) if word]
        facts += [f"request {printable(self.request_id, 100)}"] if self.request_id else []
        facts += [f"asks to wait {self.retry_after:g} s"] if self.retry_after else []
        return f" ({', '.join(facts)})" if facts else ""


class InvalidRequest(RemoteError):
    """The request is wrong as it stands."""

    standard_code = "E1001"


class RequestTooLarge(InvalidRequest):
    """The request, or its prompt, is larger than the provider takes."""

    standard_code = "E1005"


class AuthenticationError(RemoteError):
    """The key is missing, wrong or expired."""

    standard_code = "E1002"
    fallbackable = True


class PermissionDenied(RemoteError):
    """The key may not do this."""

    standard_code = "E1003"


class NotFound(RemoteError):
    """No such model or address."""

    standard_code = "E1004"


class RateLimited(RemoteError):
    """Too many requests or tokens for now."""

    standard_code = "E2001"
    retryable = True
    fallbackable = True


class QuotaExhausted(RemoteError):
    """The account has no credit or has reached its spend limit; waiting does not help."""

    standard_code = "E2002"
    fallbackable = True


class ServerError(RemoteError):
    """The provider failed."""

    standard_code = "E3001"
    retryable = True
    fallbackable = True


class Overloaded(ServerError):
    """The provider is too busy."""

    standard_code = "E3002"


class ProviderTimeout(ServerError):
    """The provider gave up waiting for itself."""

    standard_code = "E3003"


class Conflict(RemoteError):
    """The request collides with another; a retry may succeed."""

    standard_code = "E4001"
    retryable = True


#: The standard names a manifest's `errors` tables speak in (AI-Protocol) → the class raised.
CLASSES: Mapping[str, type[RemoteError]] = {
    "invalid_request": InvalidRequest,
    "authentication": AuthenticationError,
    "permission_denied": PermissionDenied,
    "not_found": NotFound,
    "request_too_large": RequestTooLarge,
    "rate_limited": RateLimited,
    "quota_exhausted": QuotaExhausted,
    "server_error": ServerError,
    "overloaded": Overloaded,
    "timeout": ProviderTimeout,
    "conflict": Conflict,
    "unknown": RemoteError,
}

STATUSES: Mapping[int, str] = {
    400: "invalid_request",
    401: "authentication",
    402: "quota_exhausted",
    403: "permission_denied",
    404: "not_found",
    405: "invalid_request",
    408: "timeout",
    409: "conflict",
    413: "request_too_large",
    415: "invalid_request",
    422: "invalid_request",
    425: "conflict",
    429: "rate_limited",
    500: "server_error",
    502: "server_error",
    503: "overloaded",
    504: "timeout",
    520: "server_error",
    521: "server_error",
    522: "timeout",
    523: "server_error",
    524: "timeout",
    529: "overloaded",
}


@dataclass(frozen=True, slots=True)
class ErrorDetails:
    """What a dialect reads out of an error body; `retry_after` in seconds where the body itself says it.

    `reason` is a finer word than code and type, for classifying only (Google's ErrorInfo.reason, a spend limit's name).
    """

    message: str
    type: str | None = None
    code: str | None = None
    retry_after: float | None = None
    reason: str | None = None


def classify(status: int | None, details: ErrorDetails, words: Mapping[str, str], statuses: Mapping[int, str]) -> str:
    """The standard name of a refusal: the body's own words, the finest first, then the manifest's status, then the standard's.

    `words` and `statuses` are the tables of the manifest over its dialect's.
    """
    for word in (details.reason, details.code, details.type):
        if word is not None and word in words:
            return words[word]
    if status is None:
        return "server_error"
    return statuses.get(status) or STATUSES.get(status) or ("server_error" if status >= 500 else "invalid_request")
