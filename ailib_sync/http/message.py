"""The two records that enter and leave the transport: a request and a response; and their headers."""

from __future__ import annotations

from .._dataclass import dataclass
from ..errors import ConfigurationError
from .secret_headers import REDACTED, is_secret, secrets_in

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping


class Headers(dict[str, str]):
    """The headers of a request. `repr` shows only their names, and headers that may contain a key cannot be pickled.

    `key_prefixes` names the headers that contain the API key by any name, and what is before the key in them.
    """

    key_prefixes: Mapping[str, str] = {}  # replaced, never changed

    @classmethod
    def of(cls, headers: Mapping[str, str] | None) -> Headers | None:
        """The caller's headers, which may contain a key, as a value that does not show it; None if there are none."""
        return headers if isinstance(headers, Headers) else cls(headers) if headers else None

    def put(self, name: str, value: str) -> None:
        """Sets a header. It replaces one whose name differs only in case (RFC 9110 5.1)."""
        if name not in self and name.lower() in map(str.lower, self):
            del self[next(other for other in self if other.lower() == name.lower())]
        self[name] = value

    def put_all(self, headers: Mapping[str, str]) -> None:
        for name, value in headers.items():
            self.put(name, value)

    def put_key(self, name: str, prefix: str, key: str) -> None:
        """Sets the header that the API key is in."""
        self.put(name, prefix + key)
        self.key_prefixes = {**self.key_prefixes, name: prefix}

    def __repr__(self) -> str:
        return f"Headers({', '.join(self)})"

    def copy(self) -> Headers:
        copy = Headers(self)
        if self.key_prefixes:
            copy.key_prefixes = self.key_prefixes
        return copy

    def __reduce__(self) -> tuple[type[Headers], tuple[dict[str, str]]]:
        if any(map(self.is_secret, self)):
            raise ConfigurationError("headers that may contain a key cannot be pickled: the key would be in the pickle")
        return Headers, (dict(self),)

    def is_secret(self, name: str) -> bool:
        """Whether the header contains a key, or may by its name or its value (`Bearer …`)."""
        scheme = self[name].partition(" ")[0].lower()
        return name in self.key_prefixes or is_secret(name) or scheme in ("bearer", "basic")

    def shown(self) -> dict[str, str]:
        """For display: values that may contain a key are replaced."""
        return {name: REDACTED if self.is_secret(name) else value for name, value in self.items()}

    def secrets(self) -> list[str]:
        """The keys in these headers, for `redaction.redact`."""
        keys = [self[name].removeprefix(prefix) for name, prefix in self.key_prefixes.items()]
        return keys + [secret for name in self if self.is_secret(name) for secret in secrets_in(name, self[name])]


class ResponseHeaders(dict[str, str]):
    """The headers of a response, their names in lower case. `repr` shows only the names: a service may repeat a key in a value,
    and tracebacks show values."""

    def __repr__(self) -> str:
        return f"ResponseHeaders({', '.join(self)})"


#: The characters of a token (RFC 9110 5.6.2). A header name is a token (RFC 9110 5.1).
TOKEN_CHARACTERS = frozenset("!#$%&'*+-.^_`|~0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ")
_SET_BY_TRANSPORT = frozenset(("host", "content-length", "transfer-encoding", "connection", "content-encoding"))


def checked_headers(headers: Headers) -> Headers:
    """The headers, if they can be sent. Raises ConfigurationError.

    A name is a token (RFC 9110 5.1); a value is printable Latin-1 (RFC 9110 5.5); the transport sets some headers itself.
    """
    for name in headers:
        if not isinstance(name, str) or not name or not TOKEN_CHARACTERS.issuperset(name):
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

    def shown_headers(self) -> dict[str, str]:
        """For display: all headers in the order in which they are sent, with `Host` and `Content-Length`, which the connection
        adds; values that may contain a key are replaced."""
        return {"Host": _authority(self.url), "Content-Length": str(len(self.body)), **self.headers.shown()}

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
