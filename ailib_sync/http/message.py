"""The two records that enter and leave the transport: a request and a response; and the headers of a request."""

from __future__ import annotations

from .._dataclass import dataclass
from ..errors import ConfigurationError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from ..errors import AiLibError


REDACTED = "<redacted>"
#: A shorter word is no key, and may stand anywhere.
SHORTEST = 8
_SECRET = ("authorization", "cookie", "key", "token", "secret", "password")


def is_secret(name: str) -> bool:
    """Whether a header of this name may contain a key."""
    lower = name.lower()
    return any(word in lower for word in _SECRET) and not lower.startswith("idempotency")


class Headers(dict[str, str]):
    """The headers of a request. `repr` shows only their names, and headers that may contain a key cannot be pickled."""

    def __repr__(self) -> str:
        return f"Headers({', '.join(self)})"

    def copy(self) -> Headers:
        return Headers(self)

    def __reduce__(self) -> tuple[type[Headers], tuple[dict[str, str]]]:
        if any(map(is_secret, self)):
            raise ConfigurationError("headers that may contain a key cannot be pickled: the key would be in the pickle")
        return Headers, (dict(self),)

    def shown(self) -> dict[str, str]:
        """For display: values that may contain a key are replaced."""
        return {name: REDACTED if is_secret(name) else value for name, value in self.items()}

    def hidden_in(self, raw: bytes) -> bytes:
        """A refusal's body without the keys that were sent, which a service may repeat in it."""
        for key in self._keys():
            raw = raw.replace(key.encode("latin-1", "replace"), REDACTED.encode())
        return raw

    def cover(self, error: AiLibError) -> None:
        """The same for the texts of an error that was met in an answer; the frames that hold the answer go too."""
        for key in self._keys():
            for field in ("message", "body", "error_type", "error_code", "request_id"):
                text = getattr(error, field, None)
                if isinstance(text, str) and key in text:
                    setattr(error, field, text.replace(key, REDACTED))
                    error.args, error.__context__, error.__traceback__ = (error.message,), None, None

    def _keys(self) -> list[str]:
        values = (self[name].rpartition(" ")[2] for name in self if is_secret(name))
        return [value for value in values if len(value) >= SHORTEST]


#: The characters of a token (RFC 9110 5.6.2).
_TOKEN_CHARACTERS = frozenset("!#$%&'*+-.^_`|~0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ")
_SET_BY_TRANSPORT = frozenset(("host", "content-length", "transfer-encoding", "connection", "content-encoding"))


def checked_headers(headers: Headers) -> Headers:
    """The headers, if they can be sent. Raises ConfigurationError.

    A name is a token (RFC 9110 5.1); a value is printable Latin-1 (RFC 9110 5.5); the transport sets some headers itself.
    """
    for name in headers:
        if not isinstance(name, str) or not name or not _TOKEN_CHARACTERS.issuperset(name):
            raise ConfigurationError(f"header: {str(name)[:60]!r} is not a header name")
        if name.lower() in _SET_BY_TRANSPORT:
            raise ConfigurationError(f"header: {name} is set by the transport")
        if not _is_header_value(headers[name]):
            raise ConfigurationError(f"header: the value of {name} must be text without control characters")
    return headers


def _is_header_value(value: object) -> bool:
    return isinstance(value, str) and all(" " <= c <= "~" or "\xa0" <= c <= "ÿ" or c == "\t" for c in value)


def _authority(url: str) -> str:
    """The value of `Host`: host and port, without the default port of the scheme (RFC 9110 7.2, 4.2.3)."""
    scheme, _, rest = url.partition("://")
    authority = rest.partition("/")[0].partition("?")[0].rpartition("@")[2]
    return authority.removesuffix(":443" if scheme == "https" else ":80")


@dataclass(slots=True)
class HttpRequest:
    """A request as bytes. `repr` shows neither headers nor body: they contain the key and the prompt."""

    method: str
    url: str
    headers: Headers
    body: bytes

    def wire_headers(self) -> dict[str, str]:
        """All headers in the order in which they are sent, with `Host` and `Content-Length`, which the connection adds."""
        return {"Host": _authority(self.url), "Content-Length": str(len(self.body)), **self.headers}

    def __repr__(self) -> str:
        return f"HttpRequest({self.method} {self.url}, {len(self.body)} bytes)"


@dataclass(slots=True)
class HttpResponse:
    """A response whose head has arrived. Header names are in lower case.

    `read()` returns the complete body, `read_error()` what arrives of it within two seconds, `chunks()` yields its fragments as
    they arrive. Each of them returns the connection to its pool at the end, or closes it. `finish()` ends the reading early:
    the connection is kept if the body ends within 50 ms. `close()` closes it immediately and wakes a thread that reads.
    """

    status: int
    headers: Mapping[str, str]
    read: Callable[[], bytes]
    read_error: Callable[[], bytes]
    chunks: Callable[[], Iterator[bytes]]
    finish: Callable[[], None]
    close: Callable[[], None]
