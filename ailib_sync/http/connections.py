"""Connections below urllib3's pools: subclasses that bound every read and write by the clock of the call.

The time limits of http.client and urllib3 are for single reads: headers that drip never end. The subclasses also skip work that
is a sixth of the cost of a call: headers checked and encoded one by one, and two objects for each response (responses.py).
Loaded with the first request.
"""

from __future__ import annotations

import errno
import http.client
import os
import socket
from time import monotonic

from urllib3 import HTTPConnectionPool, HTTPSConnectionPool
from urllib3 import connection as u3connection
from urllib3 import exceptions as u3
from urllib3.util.wait import wait_for_read

from .._signals import raised_by_signal_handler
from ..errors import Cancelled
from .connect import connect
from .headers import render_headers
from .responses import SocketResponse, current
from .sockets import has_decrypted_bytes, waker_for
from .timeouts import NO_LIMIT

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from .timeouts import CallClock

BLOCK_BYTES = 65536
#: How long to wait for a response after the request could not be sent completely: after a broken connection everything is here
#: already; after a write time-out something can be read, but over TLS it may be no more than a session ticket.
EARLY_RESPONSE_SECONDS = 2.0
STALLED_SECONDS = 0.05


def genuine(found: type, module: str) -> Any:
    """The class of this module, even while a recorder such as vcrpy has put a subclass of it in its place."""
    return next(each for each in found.__mro__ if each.__module__ == module)


if TYPE_CHECKING:
    from http.client import HTTPConnection as BaseConnection

    from urllib3.connection import HTTPConnection, HTTPSConnection
else:
    HTTPConnection = genuine(u3connection.HTTPConnection, "urllib3.connection")
    HTTPSConnection = genuine(u3connection.HTTPSConnection, "urllib3.connection")
    BaseConnection = genuine(HTTPConnection, "http.client")


def are_replaced() -> bool:
    """Whether urllib3's pools now make connections of other classes: those of a recorder, which must see the requests."""
    return HTTPConnectionPool.ConnectionCls is not HTTPConnection or HTTPSConnectionPool.ConnectionCls is not HTTPSConnection


class _Connection:
    """What our two connection classes add to urllib3's: the response class, and the clock's limits.

    Invariant: a connection is used by one thread at a time, the thread whose call took it from its pool.
    """

    response_class: Any = SocketResponse
    #: Never http.client's `debuglevel`: a program can set it for the whole process, and it prints every header with the key.
    debuglevel = 0
    sock: Any
    #: In seconds of the monotonic clock: the last `connect`, and the end of the last call (set by the pool, idle.py).
    opened_at = 0.0
    idle_since = 0.0
    #: Why the current request was not sent completely. The connection cannot be reused.
    send_error: OSError | None = None
    #: The pool's mark at the time when the connection was taken from it.
    generation: object = None
    _owner = 0
    #: While http.client may call `close` on a connection whose socket its response goes on to use.
    _is_handing_over = False
    _wake_copy: socket.socket | None = None
    _served_before = False
    #: Collects the head of a request until its headers and body follow; None while data is sent immediately.
    _head: bytes | None = None

    @property
    def is_connected(self) -> bool:
        """Whether an idle connection can be reused: it is open, and nothing can be read from it, not even its end."""
        return super().is_connected and not has_decrypted_bytes(self.sock)  # type: ignore[misc]

    def request(self, method: str, url: str, body: Any = b"", headers: Any = None, **_: Any) -> None:
        """Sends head and body in one write. `headers` are all headers except `Host` and `Content-Length`."""
        clock = current.clock
        if clock is not None:
            clock.connected = self.sock is not None
            clock.reused = clock.connected and self._served_before  # urllib3 connects TLS before it calls this
            if clock.reused:
                clock.waker = waker_for(self.sock)
        self._head = b""
        try:
            self.putrequest(method, url, skip_accept_encoding=True)  # type: ignore[attr-defined]
            self.endheaders()  # type: ignore[attr-defined]
            head = self._head
        finally:
            self._head = None
        if self.sock is None:
            self.connect()
        self.send_error = None
        try:
            self.send(head[:-2] + render_headers(headers or {}, len(body)) + body)
        except OSError as error:
            # RFC 9112 9.5: a server may respond before it has read the request, for example with 413, and close the connection
            # or stop reading. Its response is here then. Over TLS the failure is an SSLError, and urllib3 would not look.
            stalled = isinstance(error, TimeoutError)
            if clock is None or raised_by_signal_handler(error) or (stalled and not wait_for_read(self.sock, 0.0)):
                raise
            self.send_error = error.with_traceback(None) if stalled else ConnectionResetError(errno.ECONNRESET, str(error))
            clock.limit_to(STALLED_SECONDS if stalled else EARLY_RESPONSE_SECONDS)
        self._served_before = True

    def getresponse(self) -> Any:
        """http.client's method. urllib3's own would wrap our `SocketResponse` in another response."""
        self._is_handing_over = True
        failed = self.send_error
        try:
            response = BaseConnection.getresponse(self)  # type: ignore[arg-type]
        except (OSError, http.client.HTTPException):
            if failed is None:
                raise
            self.send_error = None  # its traceback refers to this connection: no cycle
            raise u3.ProtocolError("Connection aborted.", failed) from None  # there was no early response
        finally:
            self._is_handing_over = False
            del failed
        if self.send_error is not None and current.clock is not None:
            current.clock.limit_to(NO_LIMIT)
        # The response refers to its connection. Without this line they would be a cycle, and an unfinished response that is
        # dropped would keep its socket open until the garbage collector runs.
        self._HTTPConnection__response = None
        return response

    def send(self, data: Any) -> None:
        """Sends blocks of 64 KiB, each within the write limit. One limit for all would fail for an image on a slow line."""
        clock = current.clock
        if self._head is not None:
            self._head += data
            return
        if clock is None or hasattr(data, "read"):
            super().send(data)  # type: ignore[misc]
            return
        if self.sock is None:
            self.connect()
        view = data if len(data) <= BLOCK_BYTES else memoryview(data)
        for at in range(0, len(view), BLOCK_BYTES):
            self.sock.settimeout(clock.write_timeout())
            super().send(view[at : at + BLOCK_BYTES])  # type: ignore[misc]

    def _tunnel(self) -> None:
        """CONNECT through a proxy (RFC 9110 9.3.6). Its response and the TLS handshake share the connect limit."""
        clock, seconds, began = current.clock, self.sock.gettimeout(), monotonic()
        if clock is not None and seconds is not None:
            clock.limit_to(seconds)
        super()._tunnel()  # type: ignore[misc]
        if clock is not None:
            clock.limit_to(NO_LIMIT)
            clock.response_started = False
            self.sock.settimeout(None if seconds is None else max(seconds - (monotonic() - began), 0.001))

    def _new_conn(self) -> socket.socket:
        clock = current.clock
        if clock is None:
            return super()._new_conn()  # type: ignore[misc, no-any-return]
        sock = self.open_socket(clock)
        # TLS detaches the descriptor from this object before its handshake; a duplicate can still be woken.
        self._wake_copy = sock.dup()
        clock.waker = waker_for(self._wake_copy)
        if clock.cancelled:
            sock.close()
            raise Cancelled("the call was cancelled")
        return sock

    def open_socket(self, clock: CallClock) -> socket.socket:
        """A connected socket, before TLS. Raises what urllib3 raises for a connect, or Cancelled."""
        sock: socket.socket = connect(self, clock)
        return sock

    def connect(self) -> None:
        clock = current.clock
        self._served_before = False
        self._owner = os.getpid()
        failure: ConnectionError | None = None
        try:
            super().connect()  # type: ignore[misc]
        except ConnectionError as error:  # in the TLS handshake or the CONNECT: the request has not been sent
            if raised_by_signal_handler(error):
                raise
            failure = error
        finally:
            watch, self._wake_copy = self._wake_copy, None
            if watch is not None:
                watch.close()
        if failure is not None:
            raise u3.NewConnectionError(self, str(failure))  # type: ignore[arg-type]
        self.opened_at = monotonic()
        if clock is not None:
            clock.connected = True
            clock.waker = waker_for(self.sock)
            clock.check()

    def close(self) -> None:
        """Closes the socket. Takes no lock. In the process that opened it, also ends the connection.

        Without the shutdown, a copy of the descriptor in a forked child would keep the connection open.
        """
        if self.sock is not None and not self._is_handing_over and self._owner == os.getpid():
            waker_for(self.sock)()
        super().close()  # type: ignore[misc]

    def __del__(self) -> None:
        """Nobody refers to the connection any more: its call was interrupted, or its client was dropped."""
        if getattr(self, "sock", None) is not None:
            self.close()


class Connection(_Connection, HTTPConnection):
    pass


class TlsConnection(_Connection, HTTPSConnection):
    pass
