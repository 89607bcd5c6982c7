"""urllib3 below the transport: our connection classes, which bound every read, and the translation of foreign exceptions.

What http.client and urllib3 leave open, and is closed here: time-outs for single reads only (headers or a body that drip
never end), 102 and 103 taken for the answer (https://github.com/python/cpython/issues/86717), bytes behind a body that would
answer the next request, a chunk size that `int()` takes and RFC 9112 does not. Loaded with the first request.
"""

from __future__ import annotations

import http.client
import io
import os
import socket
import ssl
import threading
from contextlib import suppress
from time import monotonic
from urllib.parse import unquote

import urllib3
from urllib3 import connection as u3connection
from urllib3 import exceptions as u3
from urllib3.util import parse_url

from .bounds import FOREVER, CallClock
from .dial import dial
from .errors import (
    AiLibError,
    Cancelled,
    ConnectError,
    ConnectionLost,
    ConnectTimeout,
    DeadlineExceeded,
    PoolTimeout,
    ProtocolError,
    ProxyError,
    TlsError,
    TransportError,
    WriteTimeout,
    printable,
)

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from typing import Any

#: Everything that urllib3, http.client, ssl and socket raise; ValueError is "read of closed file".
FOREIGN = (u3.HTTPError, http.client.HTTPException, OSError, ValueError)
BLOCK = 65536
MAX_LINE = 65536
HEX = b"0123456789abcdefABCDEF"


class _Current(threading.local):
    """The clock that the connections used by this thread obey: urllib3 has no way to hand it down."""

    clock: CallClock | None = None


current = _Current()


def timeout(clock: CallClock) -> urllib3.Timeout:
    """urllib3's own time-outs: they bound connecting and writing, and reading where a foreign pool is used."""
    left = max(clock.left(), 0.001)
    connect = min(clock.timeout.connect or FOREVER, left)
    read = min(clock.timeout.read or FOREVER, left)
    return urllib3.Timeout(connect=None if connect == FOREVER else connect, read=None if read == FOREVER else read)


class DeadlineReader(io.RawIOBase):
    """A socket's bytes, each wait bounded by the clock. `frozen` ends it without asking the socket again;
    `overrun` says that bytes came behind the end of the answer: the connection has lost its step."""

    def __init__(self, sock: Any, raw: Any, clock: CallClock) -> None:
        self._sock = sock
        self._raw = raw  # holds the reference that keeps the socket open while the connection forgets it
        self._clock = clock
        self._set: float | None = -1.0
        self.frozen = False
        self.overrun = False

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        if self.frozen:
            return 0
        wait = self._clock.patience()
        seconds = None if wait == FOREVER else wait
        if seconds != self._set:
            self._sock.settimeout(seconds)
            self._set = seconds
        count: int = self._sock.recv_into(buffer)
        if self._clock.cancelled:
            raise Cancelled("the call was cancelled")
        if count:  # an end is no answer
            self._clock.answered = True
        return count

    def close(self) -> None:
        if not self.closed:
            super().close()
            self._raw.close()


class Answer(http.client.HTTPResponse):
    """http.client's response, reading through the clock and passing over 1xx heads."""

    def __init__(self, sock: Any, *args: Any, **kwargs: Any) -> None:
        super().__init__(sock, *args, **kwargs)
        clock = current.clock
        if clock is not None:
            self.reader = DeadlineReader(sock, self.fp.detach(), clock)
            self.fp = io.BufferedReader(self.reader, BLOCK)

    def _read_status(self) -> tuple[str, int, str]:
        for _ in range(20):
            version, status, reason = super()._read_status()  # type: ignore[misc]
            if not (101 < status < 200):
                return version, status, reason
            http.client.parse_headers(self.fp)
        raise http.client.HTTPException("too many 1xx answers")


class _Connection:
    """What our two connection classes add: the answer class, and a clock that knows the socket."""

    response_class: Any = Answer
    #: Not http.client's own, which prints every header, and so the key, where a program has turned it on for all.
    debuglevel = 0
    sock: Any
    _watch: socket.socket | None = None
    _has_served = False
    #: The head of a request that waits for its body, so that both go out together; None where nothing shall wait.
    _head: bytes | None = None

    def request(self, *args: Any, **kwargs: Any) -> None:
        clock = current.clock
        if clock is not None:
            clock.connected = self.sock is not None
            clock.reused = clock.connected and self._has_served  # urllib3 connects TLS before it asks
            if clock.reused:
                clock.waker = waker_of(self.sock)
        self._head = b""
        try:
            super().request(*args, **kwargs)  # type: ignore[misc]
            alone, self._head = self._head, None
            if alone:
                self.send(alone)
        finally:
            self._head = None
        self._has_served = True

    def send(self, data: Any) -> None:
        """In pieces, the limit for each: the socket's own would be for all, and a picture may take minutes on a slow line."""
        clock = current.clock
        if self._head is not None and isinstance(data, bytes):
            if not self._head:
                self._head = data
                return
            data, self._head = self._head + data, None
        if clock is None or hasattr(data, "read"):
            super().send(data)  # type: ignore[misc]
            return
        if self.sock is None:
            self.connect()
        view = memoryview(data)
        for at in range(0, len(view), BLOCK):
            self.sock.settimeout(clock.write_patience())
            super().send(view[at : at + BLOCK])  # type: ignore[misc]

    def _tunnel(self) -> None:
        """The proxy's answer belongs to the time to connect, and TLS has what is left of it."""
        clock, seconds, began = current.clock, self.sock.gettimeout(), monotonic()
        if clock is not None and seconds is not None:
            clock.allow(seconds)
        super()._tunnel()  # type: ignore[misc]
        if clock is not None:
            clock.allow(FOREVER)
            clock.answered = False
            self.sock.settimeout(None if seconds is None else max(seconds - (monotonic() - began), 0.001))

    def _new_conn(self) -> socket.socket:
        clock = current.clock
        if clock is None:
            return super()._new_conn()  # type: ignore[misc, no-any-return]
        sock = dial(self, clock)
        # TLS takes the descriptor out of this object before it shakes hands; a copy can still be woken.
        self._watch = sock.dup()
        clock.waker = waker_of(self._watch)
        if clock.cancelled:
            sock.close()
            raise Cancelled("the call was cancelled")
        return sock

    def connect(self) -> None:
        clock = current.clock
        self._has_served = False
        failure: ConnectionError | None = None
        try:
            super().connect()  # type: ignore[misc]
        except ConnectionError as error:  # in the TLS handshake, or while a proxy was asked: nothing has been sent
            failure = error
        finally:
            watch, self._watch = self._watch, None
            if watch is not None:
                watch.close()
        if failure is not None:
            raise u3.NewConnectionError(self, str(failure))  # type: ignore[arg-type]
        if clock is not None:
            clock.connected = True
            clock.waker = waker_of(self.sock)
            clock.check()


class Connection(_Connection, u3connection.HTTPConnection):
    pass


class TlsConnection(_Connection, u3connection.HTTPSConnection):
    pass


class Pool(urllib3.HTTPConnectionPool):
    ConnectionCls = Connection


class TlsPool(urllib3.HTTPSConnectionPool):
    ConnectionCls = TlsConnection


def waker_of(sock: Any) -> Any:
    """A function that wakes a thread blocked on the socket. `close()` would not: only a shutdown does.

    In a forked child it does nothing: a shutdown there would end the parent's connection too.
    """
    owner = os.getpid()

    def wake() -> None:
        if os.getpid() != owner:
            return
        # Below SSLSocket, whose own shutdown() takes the TLS state from under the reading thread. (Eventlet's hide theirs.)
        below = getattr(socket.socket, "shutdown", None) if isinstance(sock, ssl.SSLSocket) else None
        try:
            if below is None:
                sock.shutdown(socket.SHUT_RDWR)
            else:
                below(sock, socket.SHUT_RDWR)
        except OSError:
            pass

    return wake


class Pools:
    """urllib3's pools of one process: one for each origin, behind a proxy where the environment names one."""

    def __init__(self, trust_env: bool, ca_bundle: str | None, size: int) -> None:
        self._trust_env = trust_env
        self._ca_bundle = ca_bundle
        self._size = size
        self._managers: dict[tuple[str | None, bool], urllib3.PoolManager] = {}
        self._found: dict[str, tuple[Any, str]] = {}
        self._context: ssl.SSLContext | None = None
        self._lock = threading.Lock()

    def find(self, url: str) -> tuple[Any, str]:
        """What to call `urlopen` on, and with which address: the origin's own pool with a path (cheaper than the manager),
        or the manager of a proxy with the whole address."""
        found = self._found.get(url)
        if found is None:
            with self._lock:
                found = self._found.get(url) or self._search(url)
                if len(self._found) > 1000:
                    self._found.clear()
                self._found[url] = found
        return found

    def _search(self, url: str) -> tuple[Any, str]:
        parsed = parse_url(url)
        proxy = self._proxy_for(parsed)
        tls = parsed.scheme == "https" or (proxy or "").startswith("https:")
        manager = self._managers.get((proxy, tls))
        if manager is None:
            manager = self._managers[proxy, tls] = self._manager(proxy, tls)
        if proxy is not None:
            return manager, url
        pool = manager.connection_from_host(parsed.host, parsed.port, parsed.scheme)
        return pool, parsed.request_uri

    def _proxy_for(self, parsed: Any) -> str | None:
        if not self._trust_env:
            return None
        from .proxies import proxy_for

        return proxy_for(parsed.scheme, parsed.host, parsed.port)

    def _manager(self, proxy: str | None, tls: bool) -> urllib3.PoolManager:
        keep_alive = (socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
        options: dict[str, Any] = {
            "num_pools": 100,
            "maxsize": self._size,
            "socket_options": [*u3connection.HTTPConnection.default_socket_options, keep_alive],
        }
        if tls:
            options["ssl_context"] = self._tls()
        if proxy is None:
            manager = urllib3.PoolManager(**options)
        elif proxy.startswith("socks"):
            try:
                from urllib3.contrib.socks import SOCKSProxyManager
            except ImportError:
                raise ProxyError("a SOCKS proxy needs PySocks: pip install 'ailib-sync[socks]'") from None
            return _proxied(SOCKSProxyManager, proxy, options)
        else:
            manager = _proxied(_proxy_manager, proxy, options)
        manager.pool_classes_by_scheme = {"http": Pool, "https": TlsPool}
        return manager

    def _tls(self) -> ssl.SSLContext:
        """One context for all connections: making one reads the whole CA bundle (20 ms)."""
        if self._context is None:
            self._context = tls_context(self._ca_bundle, self._trust_env)
        return self._context

    def close(self) -> None:
        """Closes what is idle now, and each connection in use when it comes back. (`clear` alone leaves that to the garbage
        collector.)"""
        for manager in self._managers.values():
            for key in list(manager.pools.keys()):  # a view that iterates only so
                pool = manager.pools.get(key)
                if pool is not None:
                    pool.close()
            manager.clear()


def _proxied(make: Callable[..., urllib3.PoolManager], proxy: str, options: dict[str, Any]) -> urllib3.PoolManager:
    """The manager for a proxy. What is wrong with its address is not told in urllib3's words, which hold its password."""
    with suppress(u3.HTTPError, ValueError):
        return make(proxy, **options)
    raise ProxyError("the proxy that the environment names is no address that can be used")


def _proxy_manager(proxy: str, **options: Any) -> urllib3.ProxyManager:
    parsed = parse_url(proxy)
    headers = urllib3.make_headers(proxy_basic_auth=unquote(parsed.auth)) if parsed.auth else None
    address = parsed._replace(auth=None).url
    return urllib3.ProxyManager(address, proxy_headers=headers, proxy_ssl_context=options.get("ssl_context"), **options)


def tls_context(ca_bundle: str | None, trust_env: bool) -> ssl.SSLContext:
    """TLS 1.2 or later. A bundle, given or named by the environment, is all that is trusted; without one, what the system
    trusts, or certifi where it has nothing."""
    bundle = ca_bundle
    if bundle is None and trust_env:
        bundle = os.environ.get("REQUESTS_CA_BUNDLE") or os.environ.get("CURL_CA_BUNDLE") or None
    try:
        where: dict[str, Any] = {} if bundle is None else {"capath" if os.path.isdir(bundle) else "cafile": bundle}
        context = ssl.create_default_context(**where)
    except OSError as error:
        raise TlsError(f"the CA bundle {bundle} cannot be read: {error}") from None
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    if bundle is None and not context.get_ca_certs() and not _has_ca_folder():
        try:
            import certifi
        except ImportError:
            return context
        context.load_verify_locations(certifi.where())
    return context


def _has_ca_folder() -> bool:
    folder = ssl.get_default_verify_paths().capath
    return bool(folder and os.path.isdir(folder) and os.listdir(folder))


def body_of(response: Any, clock: CallClock) -> Body:
    """The body of a response: over its socket where it is ours, over `read1` where a foreign pool made it."""
    original = getattr(response, "_original_response", None)
    if isinstance(original, Answer) and hasattr(original, "reader"):
        return SocketBody(response, original, clock)
    return Body(response, clock)


class Body:
    """A body read through urllib3. `decodes`: its blocks are decompressed already."""

    decodes = True

    def __init__(self, response: Any, clock: CallClock) -> None:
        self._response = response
        self._clock = clock

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

    def __init__(self, response: Any, original: Answer, clock: CallClock) -> None:
        super().__init__(response, clock)
        self._original = original
        self._fp: Any = original.fp
        self._wake = waker_of(original.reader._sock)

    def blocks(self) -> Iterator[bytes]:
        original, response = self._original, self._response
        if original.fp is None or response.status in (204, 304):
            return iter(())
        te = response.headers.get("transfer-encoding", "").strip().lower()
        if te and te != "chunked":
            raise ProtocolError(f"the answer has transfer-encoding {printable(te, 60)!r}")
        if te:
            return dechunked(self._fp)
        length = response.length_remaining
        if length is None:
            return to_close(self._fp)
        return sized(self._fp, length)

    def release(self) -> None:
        """Back to the pool, unless bytes lie behind the body: they would answer the next request."""
        self._clock.waker = None  # whoever cancels this call from now on must not wake the next one on the socket
        if self._original.fp is not None:
            reader, headers = self._original.reader, self._response.headers
            reader.frozen = True
            # Both headers together are how one answer is smuggled behind another (RFC 9112 6.3).
            if reader.overrun or self._fp.peek(1) or ("transfer-encoding" in headers and "content-length" in headers):
                self.discard()
                return
            self._original.close()
        self._response.release_conn()

    def discard(self) -> None:
        """Closes the socket. Takes no lock and touches no pool: finalizers call it."""
        self._clock.waker = None
        self._wake()  # the descriptor may have a copy in a forked child: closing ours would not end the connection
        self._original.close()
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
            newline = data.find(b"\n", at)
            if newline < 0:
                if end - at > MAX_LINE:
                    failure = ProtocolError("a chunk size line of the answer is longer than 64 KiB")
                break
            size = chunk_size(data[at:newline])
            if size is None:
                failure = ProtocolError(f"a chunk of the answer has the size {printable(data[at : min(newline, at + 40)])!r}")
                break
            left = size
            at = newline + 1
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


def translate(error: BaseException, clock: CallClock) -> AiLibError:
    """Our exception for one of urllib3's, http.client's, ssl's or socket's; ours as they are. Foreign texts hold no headers."""
    if isinstance(error, AiLibError):
        return error
    if clock.cancelled:
        return Cancelled("the call was cancelled")
    if clock.left() <= 0:
        return clock.expired(DeadlineExceeded)
    for kind, make in TRANSLATIONS:
        if isinstance(error, kind):
            return make(error, clock)
    raise error


def _reason(error: BaseException) -> str:
    reason = getattr(error, "reason", None) or (error.args[-1] if error.args else error)
    text = reason if isinstance(reason, str) else f"{type(reason).__name__}: {reason}"
    return printable(text, 300)


def _connect(error: BaseException, clock: CallClock) -> AiLibError:
    # urllib3 puts the repr of the connection before its message.
    return ConnectError(f"cannot connect: {printable(getattr(error, '_message', None) or _reason(error), 300)}")


def _tls(error: BaseException, clock: CallClock) -> AiLibError:
    return TlsError(f"TLS failed: {_reason(error)}")


def _timed_out(error: BaseException, clock: CallClock) -> AiLibError:
    """A wait that was too long; in the TLS handshake urllib3 calls it a read time-out too."""
    return clock.expired() if clock.connected else clock.expired(ConnectTimeout)


def _broken(error: BaseException, clock: CallClock) -> AiLibError:
    """A connection that broke, or an answer that is no HTTP; the cause tells which."""
    cause: BaseException = error
    while isinstance(cause, u3.HTTPError):
        inner = next((a for a in reversed(cause.args) if isinstance(a, BaseException)), None)
        if inner is None:
            break
        cause = inner
    if isinstance(cause, AiLibError):
        return cause
    if isinstance(cause, TimeoutError):
        return clock.expired(WriteTimeout if clock.connected else ConnectTimeout)
    if isinstance(cause, (http.client.RemoteDisconnected, http.client.IncompleteRead)) or not isinstance(
        cause, (http.client.HTTPException, u3.HTTPError)
    ):
        return ConnectionLost(f"the connection broke: {_reason(cause)}")
    return ProtocolError(f"the answer is not HTTP: {_reason(cause)}")


#: The special ones first: NewConnectionError and NameResolutionError are ConnectTimeoutErrors too.
TRANSLATIONS: tuple[tuple[Any, Callable[[BaseException, CallClock], AiLibError]], ...] = (
    (u3.ProxyError, lambda error, clock: ProxyError(f"the proxy failed: {_reason(error)}")),
    ((u3.SSLError, ssl.SSLError), _tls),
    ((u3.NewConnectionError, u3.NameResolutionError), _connect),
    (u3.ConnectTimeoutError, lambda error, clock: clock.expired(ConnectTimeout)),
    (u3.ClosedPoolError, lambda error, clock: ConnectError("the client was closed while the call began")),
    (u3.EmptyPoolError, lambda error, clock: PoolTimeout("no connection became free in time")),
    (u3.ReadTimeoutError, _timed_out),
    (u3.InvalidChunkLength, lambda error, clock: ProtocolError("a chunk of the answer has no valid size")),
    (u3.InvalidHeader, lambda error, clock: ProtocolError(f"the answer's head contradicts itself: {_reason(error)}")),
    (u3.DecodeError, lambda error, clock: ProtocolError("the answer's compression is broken")),
    (u3.LocationValueError, lambda error, clock: ConnectError(f"cannot connect: {_reason(error)}")),
    ((u3.ProtocolError, u3.HTTPError, http.client.HTTPException), _broken),
    (TimeoutError, _timed_out),
    (OSError, _broken),
    (ValueError, lambda error, clock: TransportError("the connection was closed while it was read")),
)
