"""Every exception that this package raises, and how an error response is classified. Reads no HTTP and no JSON.

AiLibError
├── ConfigurationError          the call is wrong, and nothing was sent
│   ├── ManifestError           a manifest is wrong: the file, the key and the allowed values
│   └── StreamConsumed          a stream is read twice, or its result is requested before it ended
├── TransportError              no complete response arrived
│   ├── ConnectError            no connection was made (refused, unreachable, name not found)
│   │   ├── TlsError            the certificate was rejected or the handshake failed; never retried
│   │   └── ProxyError          the proxy was unreachable or rejected the connection
│   ├── ConnectionLost          the connection broke before the response was complete
│   ├── CallTimeout             a time limit passed (also a builtin TimeoutError)
│   │   ├── ConnectTimeout      no connection within `connect` seconds
│   │   ├── WriteTimeout        the provider stopped reading the request
│   │   ├── ReadTimeout         no byte for `read` seconds
│   │   ├── ContentTimeout      no event with content for `content` seconds
│   │   ├── DeadlineExceeded    the call took more than `total` seconds
│   │   └── PoolTimeout         no free connection, or no free slot of a Limiter, in time
│   ├── CircuitOpen             a CircuitBreaker blocks requests to a failing provider; nothing was sent
│   ├── StreamInterrupted       a stream ended without its last event
│   └── Cancelled               cancel() or close() was called during the call
├── ProtocolError               the response does not have the form of its dialect
│   ├── RedirectRefused         the response is a redirect; redirects are never followed
│   └── ResponseTooLarge        the response exceeds one of the `Limits`
└── RemoteError                 the provider reported an error
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

The codes are those of AI-Protocol: https://github.com/ailib-official/ai-protocol
"""

from __future__ import annotations

from ._dataclass import dataclass

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from typing import Any

    from .types.response import ChatResponse, RateLimit

MAX_MESSAGE_CHARACTERS = 2000
#: Of a body that an error keeps.
MAX_BODY_CHARACTERS = 65536


def printable(text: object, limit: int = MAX_MESSAGE_CHARACTERS) -> str:
    """Text from outside, safe to print: control characters are escaped; at most `limit` characters."""
    cut = _cut(str(text), limit)
    if cut.isprintable():
        return cut
    escaped = "".join(c if c.isprintable() else c.encode("unicode_escape", "backslashreplace").decode() for c in cut)
    return _cut(escaped, limit)


def add_notes(error: BaseException, notes: Iterable[str]) -> None:
    """Adds notes, which a traceback shows after the message (PEP 678). Python 3.10 keeps them and shows nothing."""
    for note in notes:
        if hasattr(error, "add_note"):
            error.add_note(note)
        else:
            vars(error).setdefault("__notes__", []).append(note)


def _cut(text: str, limit: int) -> str:
    return text if len(text) <= limit else text[: limit - 1] + "…"


@dataclass(frozen=True, slots=True)
class Attempt:
    """One request of a call. Times are in seconds: `started` counts from the start of the call, `duration` is the time of the
    request, `waited` the pause after it (None: no retry followed). `error` is None for the request that succeeded."""

    provider: str
    model: str
    started: float
    duration: float
    error: str | None
    status_code: int | None = None
    waited: float | None = None


def _outcome(attempt: Attempt) -> str:
    """The error status, or the name of the error."""
    status = attempt.status_code
    return str(status) if status is not None and status >= 300 else (attempt.error or "").partition(":")[0]


class AiLibError(Exception):
    """The base of all errors of this package.

    `partial` is the part of the response that arrived before the error. `attempts` lists the requests of the call.
    `vectors`, of an embedding in several requests: the vectors that arrived, None for each text without one.
    `retryable`: another attempt may succeed. `fallbackable`: another provider may succeed.
    """

    standard_code = "E9999"
    retryable = False
    fallbackable = False

    def __init__(self, message: str = "", *, provider: str | None = None, model: str | None = None) -> None:
        self.message = printable(message)
        super().__init__(self.message)
        #: Texts as they were before they were cut or escaped, until secrets have been removed from them (http/redaction.py).
        self.uncut: dict[str, str] = {} if self.message == message else {"message": str(message)[:MAX_BODY_CHARACTERS]}
        self.provider = provider
        self.model = model
        self.partial: ChatResponse | None = None
        self.vectors: list[list[float] | None] | None = None
        self.attempts: tuple[Attempt, ...] = ()

    def __str__(self) -> str:
        """Provider, message, facts and earlier attempts, in at most 2,000 characters."""
        who = f"{self.provider}: " if self.provider else ""
        facts = self._facts() + self._earlier_attempts()
        return who + printable(self.message, MAX_MESSAGE_CHARACTERS - len(who) - len(facts)) + facts

    def replace_text(self, name: str, text: str) -> None:
        """Sets one of the error's texts, made safe to print if it is the message."""
        if name == "message":
            text = printable(text)
            self.args = (text,)
        setattr(self, name, text)

    def _facts(self) -> str:
        return ""

    def _earlier_attempts(self) -> str:
        """One short entry for each attempt; "" if there was only one."""
        if len(self.attempts) < 2:
            return ""
        entries = [f"{a.provider}/{a.model} {_outcome(a)}" for a in self.attempts]
        return printable(f" after {len(entries)} attempts ({', '.join(entries)})", 800)

    def __reduce__(self) -> tuple[Any, ...]:
        # BaseException pickles `args` alone, and calls __init__ with them.
        return _unpickle, (type(self), {**self.__dict__, "uncut": {}})


def _unpickle(cls: type[AiLibError], state: dict[str, Any]) -> AiLibError:
    error = cls.__new__(cls)
    error.args = (state.get("message", ""),)
    error.__dict__.update(state)
    return error


class ConfigurationError(AiLibError, ValueError):
    """The call is wrong, and nothing was sent: an unknown provider, no API key, a value out of range, an unsupported option."""

    standard_code = "E1001"


class ManifestError(ConfigurationError):
    """A manifest is wrong. The message names the file, the key and the allowed values."""


class StreamConsumed(ConfigurationError):
    """A stream is read twice, or its response is requested before the stream ended. Send the request again to read it again."""


class TransportError(AiLibError):
    """No complete response arrived."""

    standard_code = "E3001"
    retryable = True
    fallbackable = True


class ConnectError(TransportError):
    """No connection was made, so nothing was sent. Check the network and the provider's address."""


class TlsError(ConnectError):
    """The certificate was rejected, or the TLS handshake failed. A retry does not help."""

    retryable = False


class ProxyError(ConnectError):
    """The proxy was unreachable, or rejected the connection. Check the proxy's address and credentials."""

    retryable = False


class ConnectionLost(TransportError):
    """The connection broke before the response was complete."""


class CallTimeout(TransportError, TimeoutError):
    """One of the limits of `Timeout` passed."""

    standard_code = "E3003"


class ConnectTimeout(CallTimeout):
    """No connection was made within `Timeout.connect` seconds."""


class WriteTimeout(CallTimeout):
    """The provider stopped reading the request before its end."""


class ReadTimeout(CallTimeout):
    """No byte arrived for `Timeout.read` seconds."""


class ContentTimeout(CallTimeout):
    """No event with content arrived for `Timeout.content` seconds (pings and comments do not count)."""


class DeadlineExceeded(CallTimeout):
    """The call, with all its attempts, took longer than `Timeout.total` seconds."""

    retryable = False
    fallbackable = False


class PoolTimeout(CallTimeout):
    """No connection of the pool, or no slot of a `Limiter`, was free in time. Allow more connections or send fewer calls."""

    retryable = False


class CircuitOpen(TransportError):
    """A `CircuitBreaker` blocks requests to a provider that failed several times in a row. Nothing was sent."""

    standard_code = "E3002"
    retryable = False


class StreamInterrupted(TransportError):
    """A stream ended without its last event. `partial` is what arrived."""


class Cancelled(TransportError):
    """The caller cancelled the call."""

    standard_code = "E4002"
    retryable = False
    fallbackable = False


class ProtocolError(AiLibError):
    """The response does not have the form of its dialect (HTML with status 200, broken JSON, a missing field)."""

    standard_code = "E3001"
    retryable = True
    fallbackable = True

    def __init__(self, message: str = "", *, body: str | None = None, **kwargs: Any) -> None:
        super().__init__(message, **kwargs)
        self.body = body


class RedirectRefused(ProtocolError):
    """The response is a redirect. It is never followed, because the API key would go to another host. Correct `base_url`."""

    retryable = False


class ResponseTooLarge(ProtocolError):
    """The response exceeds one of the `Limits`. Raise the limit if the response is legitimate."""

    retryable = False
    fallbackable = False


class RemoteError(AiLibError):
    """The provider reported an error.

    `error_type` and `error_code` are the provider's own names, `retry_after` is its retry hint in seconds, `body` is the
    response as text (at most 64 KiB), `rate_limit` holds the account's limits from the headers, `standard_code` is
    AI-Protocol's code.
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
        # Google's `error.code` repeats the HTTP status: https://cloud.google.com/apis/design/errors#http_mapping
        code = self.error_code if self.error_code != str(self.status_code) else None
        facts += [printable(word, 100) for word in (code or self.error_type,) if word]
        facts += [f"request {printable(self.request_id, 100)}"] if self.request_id else []
        facts += [f"retry after {self.retry_after:g} s"] if self.retry_after else []
        return f" ({', '.join(facts)})" if facts else ""


class InvalidRequest(RemoteError):
    """The request is invalid. Change it before you send it again."""

    standard_code = "E1001"


class RequestTooLarge(InvalidRequest):
    """The request or its prompt exceeds the provider's limit. Shorten it, or use a model with a larger context."""

    standard_code = "E1005"


class AuthenticationError(RemoteError):
    """The API key is missing, wrong or expired."""

    standard_code = "E1002"
    fallbackable = True


class PermissionDenied(RemoteError):
    """The API key does not permit this request."""

    standard_code = "E1003"


class NotFound(RemoteError):
    """The model or the URL does not exist."""

    standard_code = "E1004"


class RateLimited(RemoteError):
    """Too many requests or tokens in a period. Wait `retry_after` seconds where it is set."""

    standard_code = "E2001"
    retryable = True
    fallbackable = True


class QuotaExhausted(RemoteError):
    """The account has no credit or has reached its spending limit. A retry does not help."""

    standard_code = "E2002"
    fallbackable = True


class ServerError(RemoteError):
    """The provider failed."""

    standard_code = "E3001"
    retryable = True
    fallbackable = True


class Overloaded(ServerError):
    """The provider is overloaded."""

    standard_code = "E3002"


class ProviderTimeout(ServerError):
    """The provider took too long to compute the response and gave up."""

    standard_code = "E3003"


class Conflict(RemoteError):
    """The request conflicts with another one. A retry may succeed."""

    standard_code = "E4001"
    retryable = True


#: AI-Protocol's standard name, as in a manifest's `errors` tables → the class raised.
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

#: HTTP status → standard name, unless the body or the manifest gives a better one. RFC 9110, section 15; 425: RFC 8470,
#: section 5.2; 429: RFC 6585, section 4; 520 to 524: Cloudflare
#: (https://developers.cloudflare.com/support/troubleshooting/http-status-codes/cloudflare-5xx-errors/); 529: Anthropic
#: (https://platform.claude.com/docs/en/api/errors).
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
    """The facts that a dialect reads from an error body; `retry_after` in seconds, if the body contains it.

    `reason` is more specific than code and type, and used for classification only (Google's ErrorInfo.reason, for example).
    So is `upstream`, the text of another service's error that a router passes on.
    """

    message: str
    type: str | None = None
    code: str | None = None
    retry_after: float | None = None
    reason: str | None = None
    upstream: str = ""


def classify(status: int | None, details: ErrorDetails, words: Mapping[str, str], statuses: Mapping[int, str]) -> str:
    """The standard name of an error response (`status` None: of an error in a stream).

    The first that is known decides: the body's reason, code and type (in `words`), the status in `statuses`, the status in
    `STATUSES`, the class of the status. `words` and `statuses` are the tables of the dialect and the manifest, merged.
    """
    for word in (details.reason, details.code, details.type):
        if word is not None and word in words:
            return words[word]
    if status is None:
        return "server_error"
    return statuses.get(status) or STATUSES.get(status) or ("server_error" if status >= 500 else "invalid_request")
