"""Response bodies read from a connection as blocks of bytes, in any framing, and whether the connection can be reused.

Stricter than http.client and urllib3 in two points: a connection with extra bytes after a body is not reused (they would be
read as the next response), and a chunk size must be what RFC 9112 allows, not what `int()` accepts.
"""

from __future__ import annotations

from contextlib import suppress

from ..errors import ConnectionLost, ProtocolError, ResponseTooLarge, printable
from .responses import SocketResponse
from .sockets import has_decrypted_bytes, waker_for

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any

    from .timeouts import CallClock

BLOCK_BYTES = 65536
MAX_LINE_BYTES = 65536
#: Concatenated gzip members in one body (RFC 1952 2.2). Each costs a copy of the bytes after it: many small ones take minutes.
MAX_GZIP_MEMBERS = 100
HEX_DIGITS = b"0123456789abcdefABCDEF"


def body_for(response: Any, clock: CallClock) -> Body:
    """The body of a response: read from the socket if our pools made it, through `read1` if the user's pool did."""
    return SocketBody(response, clock) if isinstance(response, SocketResponse) else Body(response, clock)


class Body:
    """A body read through urllib3. `decodes`: its blocks are already decompressed."""

    decodes = True

    def __init__(self, response: Any, clock: CallClock) -> None:
        self._response = response
        self._clock = clock

    def headers(self) -> dict[str, str]:
        """The headers, with names in lower case."""
        return {name.lower(): value for name, value in self._response.headers.items()}

    def blocks(self) -> Iterator[bytes]:
        read1, read_timeout = self._response.read1, self._clock.read_timeout
        while True:
            read_timeout()
            block = read1(BLOCK_BYTES)
            if not block:
                return
            yield block

    def release(self) -> None:
        # The responses of some versions of vcrpy have no such method, and no connection to return.
        getattr(self._response, "release_conn", self._response.close)()

    def discard(self) -> None:
        self._response.close()

    def wake(self) -> None:
        with suppress(ValueError, RuntimeError, OSError, AttributeError):
            self._response.shutdown()


class SocketBody(Body):
    """A body read from the response's own buffer, one system call per block. urllib3's work per chunk costs as much as JSON."""

    decodes = False

    def __init__(self, response: SocketResponse, clock: CallClock) -> None:
        super().__init__(response, clock)
        self._fp: Any = response.fp
        self._wake = waker_for(response.reader._sock)

    def headers(self) -> dict[str, str]:
        headers: dict[str, str] = self._response.fields
        return headers

    def blocks(self) -> Iterator[bytes]:
        """The framing, in the order of RFC 9112 6.3: no body, chunked, Content-Length, until the connection closes."""
        response = self._response
        if response.fp is None or response.status in (204, 304):
            return iter(())
        te = response.fields.get("transfer-encoding", "").strip().lower()
        if te and te != "chunked":
            raise ProtocolError(f"the response has transfer-encoding {printable(te, 60)!r}")
        if te:
            return read_chunked(self._fp)
        if response.length is None:
            return read_until_close(self._fp)
        return read_sized(self._fp, response.length)

    def release(self) -> None:
        """Returns the connection to the pool, unless extra bytes follow the body: they would be read as the next response.

        RFC 9112 9.3 (reuse) and 6.3 (a user agent may discard what follows the last response, and should close).
        """
        # Must be the first step: a `cancel` of this call that comes later must not wake the next call on this socket.
        self._clock.waker = None
        response = self._response
        if response.fp is not None:
            reader, fields = response.reader, response.fields
            reader.at_end = True
            # Extra bytes can be in the chunked reader, in the buffer or in the TLS layer; those still in the kernel are found
            # when the connection is reused. RFC 9112 6.3: a message with both headers may be an attempt at
            # response splitting; close after it.
            if (
                reader.has_extra_bytes
                or self._fp.peek(1)
                or has_decrypted_bytes(reader._sock)
                or ("transfer-encoding" in fields and "content-length" in fields)
            ):
                self.discard()
                return
            response.close()
        response.release_conn()

    def discard(self) -> None:
        """Closes the socket. Takes no lock and does not touch the pool, because finalizers call it."""
        self._clock.waker = None
        self._wake()  # a forked child may have a copy of the descriptor: closing only ours would not end the connection
        self._response.close()
        connection = self._response._connection
        if connection is not None:
            self._response._connection = None
            connection.close()

    def wake(self) -> None:
        self._wake()


def read_sized(fp: Any, length: int) -> Iterator[bytes]:
    """A body with a Content-Length (RFC 9112 6.3). Raises ConnectionLost if it ends before."""
    while length > 0:
        block = fp.read1(min(length, BLOCK_BYTES))
        if not block:
            raise ConnectionLost(f"the connection ended {length} bytes before the end of the response")
        length -= len(block)
        yield block


def read_until_close(fp: Any) -> Iterator[bytes]:
    """A body that ends when the connection closes (RFC 9112 6.3, the last rule)."""
    while block := fp.read1(BLOCK_BYTES):
        yield block


def read_chunked(fp: Any) -> Iterator[bytes]:
    """A chunked body (RFC 9112 7.1). Yields one block for each read. Raises ConnectionLost if the connection ends early.

    Invariant: everything that arrived before a broken chunk is yielded before the error is raised.
    """
    read1 = fp.read1
    data = b""
    left = 0  # bytes left of the current chunk, without its CRLF
    in_chunk = False
    # Size line → size. The chunks of a stream have few different lengths, so most lines are found here.
    sizes: dict[bytes, int] = {}
    # Bytes of the last such line. A slice of this width is shorter than it only at the end of the data.
    width = 0
    failure: ProtocolError | None = None
    while True:
        fragments: list[bytes] = []
        at, end = 0, len(data)
        while at < end:
            if in_chunk:
                if left:
                    fragment = data[at : at + left]
                    fragments.append(fragment)
                    at += len(fragment)
                    left -= len(fragment)
                    continue
                if end - at < 2:
                    break
                if data[at : at + 2] != b"\r\n":
                    failure = ProtocolError("a chunk of the response is not followed by CRLF")
                    break
                at += 2
                in_chunk = False
                continue
            size = sizes.get(data[at : at + width])
            if size is None:
                newline = data.find(b"\n", at)
                if newline < 0:
                    if end - at > MAX_LINE_BYTES:
                        failure = ProtocolError("a chunk size line of the response is longer than 64 KiB")
                    break
                size = chunk_size(data[at:newline])
                if size is None:
                    shown = printable(data[at:newline].decode("latin-1"), 40)
                    failure = ProtocolError(f"a chunk of the response has the invalid size {shown!r}")
                    break
                width = newline + 1 - at
                if width < 12 and len(sizes) < 1000:
                    sizes[data[at : newline + 1]] = size
            left = size
            at += width
            stop = at + size
            if left and data[stop : stop + 2] == b"\r\n":  # the chunk is complete
                fragments.append(data[at:stop])
                at = stop + 2
                continue
            if left == 0:
                if fragments:
                    yield fragments[0] if len(fragments) == 1 else b"".join(fragments)
                return skip_trailers(fp, data[at:])
            in_chunk = True
        rest = data[at:]
        if fragments:
            yield fragments[0] if len(fragments) == 1 else b"".join(fragments)
        if failure is not None:
            raise failure
        block = read1(BLOCK_BYTES)
        if not block:
            raise ConnectionLost("the connection ended in the middle of the response")
        data = rest + block if rest else block


def chunk_size(line: bytes) -> int | None:
    """The size in a chunk's first line, None if it is invalid.

    RFC 9112 7.1: `chunk-size = 1*HEXDIG`, then optional extensions after ";". `int(x, 16)` also accepts "+3", "0x3", "1_0".
    """
    size = line.partition(b";")[0].strip(b" \t\r")
    return int(size, 16) if 0 < len(size) <= 16 and not size.strip(HEX_DIGITS) else None


def skip_trailers(fp: Any, rest: bytes) -> None:
    """Reads the trailer section up to its blank line (RFC 9112 7.1.2). Bytes after it are extra bytes."""
    size = len(rest)
    while True:
        line, newline, after = rest.partition(b"\n")
        if newline:
            if line in (b"", b"\r"):
                fp.raw.has_extra_bytes = bool(after)
                return
            rest = after
            continue
        if size > MAX_LINE_BYTES:
            raise ProtocolError("the trailer of the response is longer than 64 KiB")
        block = fp.read1(BLOCK_BYTES)
        if not block:
            raise ConnectionLost("the connection ended in the middle of the response")
        size += len(block)
        rest += block


def decompressed(blocks: Iterator[bytes], encoding: str, limit: int) -> Iterator[bytes]:
    """Decompressed blocks of at most 256 KiB each, however much one compressed block expands.

    `limit` bounds the body both as sent and as decompressed, in bytes. Raises ResponseTooLarge or ProtocolError.
    """
    import zlib

    # 47 = zlib or gzip, detected from the header. RFC 9110 8.4.1.2: "deflate" is the zlib format, but some servers send it raw.
    inflate = zlib.decompressobj(47)
    first = True
    total = sent = members = 0
    for block in blocks:
        sent += len(block)
        if sent > limit:
            raise ResponseTooLarge(f"the response is larger than {limit} bytes as sent (Limits.response)")
        while block:
            try:
                out = inflate.decompress(block, 262144)
            except zlib.error:
                if not (first and encoding == "deflate"):
                    raise ProtocolError(f"the {encoding} compression of the response is broken") from None
                inflate, first = zlib.decompressobj(-15), False
                continue
            first = False
            block = inflate.unconsumed_tail
            if inflate.eof:
                members += 1
                if members > MAX_GZIP_MEMBERS:
                    raise ProtocolError(f"the compressed response has more than {MAX_GZIP_MEMBERS} parts")
                block = inflate.unused_data
                inflate = zlib.decompressobj(47)
            total += len(out)
            if total > limit:
                raise ResponseTooLarge(f"the response is larger than {limit} bytes when decompressed (Limits.response)")
            if out:
                yield out
            elif not block:
                break
