"""A `Reply` → a `urllib3.HTTPResponse` whose body comes piece by piece, as over a socket. Loaded with the first answer."""

from __future__ import annotations

import io

from urllib3 import HTTPHeaderDict, HTTPResponse

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from .exchange import Reply


class Pieces(io.RawIOBase):
    """A body of pieces. `read1` never joins two of them, so each event of a stream arrives by itself."""

    def __init__(self, chunks: Iterable[bytes]) -> None:
        self._chunks: Iterator[bytes] = iter(chunks)
        self._rest = b""

    def readable(self) -> bool:
        return True

    def read1(self, size: int = -1) -> bytes:
        """At most `size` bytes of the current piece; b"" at the end."""
        while not self._rest:
            piece = next(self._chunks, None)
            if piece is None:
                return b""
            self._rest = piece
        taken = self._rest if size < 0 else self._rest[:size]
        self._rest = self._rest[len(taken) :]
        return taken

    def read(self, size: int | None = -1) -> bytes:
        """`size` bytes, or all there are."""
        pieces: list[bytes] = []
        left = -1 if size is None else size
        while left != 0 and (piece := self.read1(left)):
            pieces.append(piece)
            left -= len(piece) if left > 0 else 0
        return b"".join(pieces)


def response_of(reply: Reply, method: str, url: str) -> HTTPResponse:
    """The reply as urllib3 would have it, unread."""
    return HTTPResponse(
        body=Pieces(reply.chunks),
        headers=HTTPHeaderDict(reply.headers),
        status=reply.status,
        reason="OK" if reply.status < 400 else "Refused",
        version=11,
        preload_content=False,
        request_method=method,
        request_url=url,
    )
