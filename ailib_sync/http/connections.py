"""Single connections, below urllib3's pools: classes of ours that bound every read and write by the clock of the call.

What http.client and urllib3 leave open, and is closed here: time-outs for single reads only (headers that drip never end), and
102 and 103 taken for the answer (https://github.com/python/cpython/issues/86717). What they do besides (each header checked and
encoded by itself, two records of one answer) is a sixth of what a call costs, and is spared. Loaded with the first request.
"""

from __future__ import annotations

import http.client
import io
import os
import socket
import ssl
import threading
from time import monotonic

import urllib3
from urllib3 import connection as u3connection
from urllib3 import exceptions as u3

from ..errors import Cancelled
from .connect import dial
from .headers import fields_of, length_of, parse_head, render_fields
from .timeouts import FOREVER, CallClock

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

BLOCK = 65536


class _Current(threading.local):
    """The clock that the connections used by this thread obey: urllib3 has no way to hand it down."""

    clock: CallClock | None = None


current = _Current()


class DeadlineReader(io.RawIOBase):
    """A socket's bytes, each wait bounded by the clock. `frozen` ends it without asking the socket again;
    `overrun` says that bytes came behind the end of the answer: the connection has lost its step."""

    def __init__(self, sock: Any, clock: CallClock) -> None:
        self._sock = sock
        self._raw = sock.makefile("rb", 0)  # holds the reference that keeps the socket open while the connection forgets it
        self._clock = clock
        self._set: float | None = -1.0
        self.frozen = False
        self.overrun = False

    def makefile(self, mode: str) -> io.BufferedReader:
        """What http.client asks a socket for."""
        return io.BufferedReader(self, BLOCK)

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
    """http.client's response, reading through the clock and passing over 1xx heads. It goes through urllib3's pool as it is:
    the attributes that the pool sets and logs are here.

    `fields` are the headers, their names in lower case; `fp` is a buffer over the socket.
    """

    retries: Any = None
    _connection: Any = None
    _pool: Any = None
    fields: dict[str, str]

    def __init__(self, sock: Any, *args: Any, **kwargs: Any) -> None:
        clock = current.clock
        assert clock is not None, "our pools are asked by our transport alone"
        self.reader = DeadlineReader(sock, clock)
        super().__init__(self.reader, *args, **kwargs)  # type: ignore[arg-type]

    def begin(self) -> None:
        """What http.client does here, but for who reads the headers and what is passed over."""
        if self.headers is not None:
            return
        version, status, reason = self._read_status()
        if not version.startswith(("HTTP/1.", "HTTP/0.9")):
            raise http.client.UnknownProtocol(version)
        self.code = self.status = status
        self.reason = reason.strip()
        self.version = 10 if version in ("HTTP/1.0", "HTTP/0.9") else 11
        self.headers = self.msg = headers = parse_head(self.fp)
        self.fields = fields = fields_of(headers)
        self.chunked = fields.get("transfer-encoding", "").lower() == "chunked"
        self.chunk_left = None
        self.length = None if self.chunked else length_of(fields)
        if status in (204, 304) or self._method == "HEAD":
            self.length = 0
        self.will_close = self._check_close() or (self.length is None and not self.chunked)

    @property
    def version_string(self) -> str:
        return "HTTP/1.1" if self.version == 11 else "HTTP/1.0"

    @property
    def length_remaining(self) -> int | None:
        return self.length

    def release_conn(self) -> None:
        """Gives the connection back to its pool."""
        connection, self._connection = self._connection, None
        if connection is not None:
            self._pool.give_back(connection)

    def _read_status(self) -> tuple[str, int, str]:
        for _ in range(20):
            version, status, reason = super()._read_status()  # type: ignore[misc]
            if status == 101 or not 100 <= status < 200:
                return version, status, reason
            parse_head(self.fp)
        raise http.client.HTTPException("too many 1xx answers")


class _Connection:
    """What our two connection classes add: the answer class, and a clock that knows the socket."""

    response_class: Any = Answer
    #: Not http.client's own, which prints every header, and so the key, where a program has turned it on for all.
    debuglevel = 0
    sock: Any
    _watch: socket.socket | None = None
    _has_served = False
    #: Where the head of a request waits for its headers and its body; None where nothing shall wait.
    _head: bytes | None = None

    def request(self, method: str, url: str, body: Any = b"", headers: Any = None, **_: Any) -> None:
        """Sends head and body together. `headers` are all there are, but for `Host` and the body's length."""
        clock = current.clock
        if clock is not None:
            clock.connected = self.sock is not None
            clock.reused = clock.connected and self._has_served  # urllib3 connects TLS before it asks
            if clock.reused:
                clock.waker = waker_of(self.sock)
        self._head = b""
        try:
            self.putrequest(method, url, skip_accept_encoding=True)  # type: ignore[attr-defined]
            self.endheaders()  # type: ignore[attr-defined]
            head = self._head
        finally:
            self._head = None
        self.send(head[:-2] + render_fields(headers or {}, len(body)) + body)
        self._has_served = True

    def getresponse(self) -> Any:
        """http.client's, whose `Answer` urllib3 would wrap in a response of its own."""
        return http.client.HTTPConnection.getresponse(self)  # type: ignore[arg-type]

    def send(self, data: Any) -> None:
        """In pieces, the limit for each: the socket's own would be for all, and a picture may take minutes on a slow line."""
        clock = current.clock
        if self._head is not None:
            self._head += data
            return
        if clock is None or hasattr(data, "read"):
            super().send(data)  # type: ignore[misc]
            return
        if self.sock is None:
            self.connect()
        view = data if len(data) <= BLOCK else memoryview(data)
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


class _Pool:
    """What our two pools add: a door for the answers that come back."""

    def give_back(self, connection: _Connection) -> None:
        self._put_conn(connection)  # type: ignore[attr-defined]


class Pool(_Pool, urllib3.HTTPConnectionPool):
    ConnectionCls = Connection


class TlsPool(_Pool, urllib3.HTTPSConnectionPool):
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
