"""A `ServerResponse` → a `urllib3.HTTPResponse` whose body comes chunk by chunk, as over a socket."""

from __future__ import annotations

import io

from urllib3 import HTTPHeaderDict, HTTPResponse

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from .exchange import ServerResponse


class ChunkedBody(io.RawIOBase):
    """A body of chunks. `read1` never joins two of them, so each event of a stream arrives by itself."""

    def __init__(self, chunks: Iterable[bytes]) -> None:
        self._chunks: Iterator[bytes] = iter(chunks)
        self._rest = b""

    def readable(self) -> bool:
        return True

    def read1(self, size: int = -1) -> bytes:
        """At most `size` bytes of the current chunk; b"" at the end of the body."""
        while not self._rest:
            chunk = next(self._chunks, None)
            if chunk is None:
                return b""
            self._rest = chunk
        part = self._rest if size < 0 else self._rest[:size]
        self._rest = self._rest[len(part) :]
        return part

    def read(self, size: int | None = -1) -> bytes:
        """`size` bytes, or all that are left."""
        parts: list[bytes] = []
        left = -1 if size is None else size
        while left != 0 and (chunk := self.read1(left)):
            parts.append(chunk)
            left -= len(chunk) if left > 0 else 0
        return b"".join(parts)


def response_of(response: ServerResponse, method: str, url: str) -> HTTPResponse:
    """The response as urllib3 returns it, with an unread body."""
    return HTTPResponse(
        body=ChunkedBody(response.chunks),
        headers=HTTPHeaderDict(response.headers),
        status=response.status,
        reason="OK" if response.status < 400 else "Rejected",
        version=11,
        preload_content=False,
        request_method=method,
        request_url=url,
    )
