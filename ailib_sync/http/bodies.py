"""Bodies as they come off a connection: blocks of bytes, however HTTP frames them, and the connection's fate at their end.

What http.client and urllib3 leave open, and is closed here: bytes behind a body that would answer the next request, and a chunk
size that `int()` takes and RFC 9112 does not.
"""

from __future__ import annotations

from contextlib import suppress

from ..errors import ConnectionLost, ProtocolError, ResponseTooLarge, printable
from .connections import Answer, waker_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any

    from .timeouts import CallClock

BLOCK = 65536
MAX_LINE = 65536
#: Compressed parts behind one another. Each costs a copy of what follows it, so that many small ones would cost minutes.
MAX_MEMBERS = 100
HEX = b"0123456789abcdefABCDEF"


def body_of(response: Any, clock: CallClock) -> Body:
    """The body of a response: over its socket where it is ours, over `read1` where a foreign pool made it."""
    return SocketBody(response, clock) if isinstance(response, Answer) else Body(response, clock)


class Body:
    """A body read through urllib3. `decodes`: its blocks are decompressed already."""

    decodes = True

    def __init__(self, response: Any, clock: CallClock) -> None:
        self._response = response
        self._clock = clock

    def fields(self) -> dict[str, str]:
        """The headers, their names in lower case."""
        return {name.lower(): value for name, value in self._response.headers.items()}

    def blocks(self) -> Iterator[bytes]:
        read1, patience = self._response.read1, self._clock.patience
        while True:
            patience()
            block = read1(BLOCK)
            if not block:
                return
            yield block

    def release(self) -> None:
        self._response.release_conn()

    def discard(self) -> None:
        self._response.close()

    def wake(self) -> None:
        with suppress(ValueError, RuntimeError, OSError, AttributeError):
            self._response.shutdown()


class SocketBody(Body):
    """A body read from the response's own buffer, one system call a block: urllib3's work per chunk costs as much as JSON."""

    decodes = False

    def __init__(self, response: Answer, clock: CallClock) -> None:
        super().__init__(response, clock)
        self._fp: Any = response.fp
        self._wake = waker_of(response.reader._sock)

    def fields(self) -> dict[str, str]:
        fields: dict[str, str] = self._response.fields
        return fields

    def blocks(self) -> Iterator[bytes]:
        response = self._response
        if response.fp is None or response.status in (204, 304):
            return iter(())
        te = response.fields.get("transfer-encoding", "").strip().lower()
        if te and te != "chunked":
            raise ProtocolError(f"the answer has transfer-encoding {printable(te, 60)!r}")
        if te:
            return dechunked(self._fp)
        if response.length is None:
            return to_close(self._fp)
        return sized(self._fp, response.length)

    def release(self) -> None:
        """Back to the pool, unless bytes lie behind the body: they would answer the next request."""
        self._clock.waker = None  # whoever cancels this call from now on must not wake the next one on the socket
        response = self._response
        if response.fp is not None:
            reader, fields = response.reader, response.fields
            reader.frozen = True
            # Both headers together are how one answer is smuggled behind another (RFC 9112 6.3).
            if reader.overrun or self._fp.peek(1) or ("transfer-encoding" in fields and "content-length" in fields):
                self.discard()
                return
            response.close()
        response.release_conn()

    def discard(self) -> None:
        """Closes the socket. Takes no lock and touches no pool: finalizers call it."""
        self._clock.waker = None
        self._wake()  # the descriptor may have a copy in a forked child: closing ours would not end the connection
        self._response.close()
        connection = self._response._connection
        if connection is not None:
            self._response._connection = None
            connection.close()

    def wake(self) -> None:
        self._wake()


def sized(fp: Any, length: int) -> Iterator[bytes]:
    """A body of a known length."""
    while length > 0:
        block = fp.read1(min(length, BLOCK))
        if not block:
            raise ConnectionLost(f"the connection ended {length} bytes before the end of the answer")
        length -= len(block)
        yield block


def to_close(fp: Any) -> Iterator[bytes]:
    """A body that ends with its connection."""
    while block := fp.read1(BLOCK):
        yield block


def dechunked(fp: Any) -> Iterator[bytes]:
    """A chunked body (RFC 9112 7.1), one block for all that one read brought. Raises ConnectionLost where it is cut."""
    read1 = fp.read1
    data = b""
    left = 0  # of the current chunk, its CRLF not counted
    in_chunk = False
    sizes: dict[bytes, int] = {}  # by their whole lines: the chunks of a stream have few lengths
    width = 0  # of the last such line; a shorter one is met in its place only where nothing lies behind it
    failure: ProtocolError | None = None
    while True:
        pieces: list[bytes] = []
        at, end = 0, len(data)
        while at < end:
            if in_chunk:
                if left:
                    piece = data[at : at + left]
                    pieces.append(piece)
                    at += len(piece)
                    left -= len(piece)
                    continue
                if end - at < 2:
                    break
                if data[at : at + 2] != b"\r\n":
                    failure = ProtocolError("a chunk of the answer does not end where it says")
                    break
                at += 2
                in_chunk = False
                continue
            size = sizes.get(data[at : at + width])
            if size is None:
                newline = data.find(b"\n", at)
                if newline < 0:
                    if end - at > MAX_LINE:
                        failure = ProtocolError("a chunk size line of the answer is longer than 64 KiB")
                    break
                size = chunk_size(data[at:newline])
                if size is None:
                    shown = printable(data[at : min(newline, at + 40)])
                    failure = ProtocolError(f"a chunk of the answer has the size {shown!r}")
                    break
                width = newline + 1 - at
                if width < 12 and len(sizes) < 1000:
                    sizes[data[at : newline + 1]] = size
            left = size
            at += width
            stop = at + size
            if left and data[stop : stop + 2] == b"\r\n":  # the whole chunk is here
                pieces.append(data[at:stop])
                at = stop + 2
                continue
            if left == 0:
                if pieces:
                    yield pieces[0] if len(pieces) == 1 else b"".join(pieces)
                return skip_trailers(fp, data[at:])
            in_chunk = True
        rest = data[at:]
        if pieces:
            yield pieces[0] if len(pieces) == 1 else b"".join(pieces)
        if failure is not None:  # raised only now: what arrived before it is not lost
            raise failure
        block = read1(BLOCK)
        if not block:
            raise ConnectionLost("the connection ended in the middle of the answer")
        data = rest + block if rest else block


def chunk_size(line: bytes) -> int | None:
    """The size of a chunk by its line, None where it is none."""
    size = line.partition(b";")[0].strip(b" \t\r")
    return int(size, 16) if 0 < len(size) <= 16 and not size.strip(HEX) else None


def skip_trailers(fp: Any, rest: bytes) -> None:
    """Reads the trailer up to its blank line; what lies behind it is an overrun."""
    size = len(rest)
    while True:
        line, newline, after = rest.partition(b"\n")
        if newline:
            if line in (b"", b"\r"):
                fp.raw.overrun = bool(after)
                return
            rest = after
            continue
        if size > MAX_LINE:
            raise ProtocolError("the trailer of the answer is longer than 64 KiB")
        block = fp.read1(BLOCK)
        if not block:
            raise ConnectionLost("the connection ended in the middle of the answer")
        size += len(block)
        rest += block


def inflated(blocks: Iterator[bytes], encoding: str, limit: int) -> Iterator[bytes]:
    """Decompressed blocks, each at most 256 KiB, however much one compressed block expands to."""
    import zlib

    # 47 = zlib or gzip, told apart by its header; "deflate" may also come raw (RFC 9110 8.4.1.2 says zlib, some send raw).
    inflate = zlib.decompressobj(47)
    first = True
    total = sent = members = 0
    for block in blocks:
        sent += len(block)
        if sent > limit:
            raise ResponseTooLarge(f"the answer is larger than {limit} bytes as it was sent (Limits.response)")
        while block:
            try:
                out = inflate.decompress(block, 262144)
            except zlib.error:
                if not (first and encoding == "deflate"):
                    raise ProtocolError(f"the answer's {encoding} compression is broken") from None
                inflate, first = zlib.decompressobj(-15), False
                continue
            first = False
            block = inflate.unconsumed_tail
            if inflate.eof:
                members += 1
                if members > MAX_MEMBERS:
                    raise ProtocolError(f"the answer's compression has more than {MAX_MEMBERS} parts")
                block = inflate.unused_data
                inflate = zlib.decompressobj(47)
            total += len(out)
            if total > limit:
                raise ResponseTooLarge(f"the answer is larger than {limit} bytes when decompressed (Limits.response)")
            if out:
                yield out
            elif not block:
                break
