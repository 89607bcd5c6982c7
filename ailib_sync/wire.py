"""The two records that cross the border of the transport: a request going out and an answer coming in."""

from __future__ import annotations

from .record import dataclass

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping


@dataclass(slots=True)
class HttpRequest:
    """A request as bytes. `repr` shows neither headers nor body: a key stands in the one, a prompt in the other."""

    method: str
    url: str
    headers: dict[str, str]
    body: bytes

    def __repr__(self) -> str:
        return f"HttpRequest({self.method} {self.url}, {len(self.body)} bytes)"


@dataclass(slots=True)
class HttpResponse:
    """An answer whose head has arrived. Header names are in lower case.

    `read()` gives the whole body, `read_error()` what can be had of it in two seconds, `chunks()` its pieces as they
    arrive; each gives the connection back or discards it at its end. `finish()` says that no more of the body is wanted
    (the connection is kept if the body ends within 50 ms), `close()` drops the connection at once and wakes a reader.
    """

    status: int
    headers: Mapping[str, str]
    read: Callable[[], bytes]
    read_error: Callable[[], bytes]
    chunks: Callable[[], Iterator[bytes]]
    finish: Callable[[], None]
    close: Callable[[], None]
