"""Responses of our connections: http.client's, whose head is read within the clock of the call. Loaded with the first request.

http.client takes 102 and 103 for the response (https://github.com/python/cpython/issues/86717); here they are skipped.
"""

from __future__ import annotations

import http.client
import io
import threading

from ..errors import Cancelled
from .headers import content_length, lowercase_headers, parse_head
from .timeouts import NO_LIMIT, CallClock

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

BLOCK_BYTES = 65536
MAX_INTERIM_RESPONSES = 20
MAX_STATUS_LINE_BYTES = 65536


class _Current(threading.local):
    """The clock of the call that this thread is sending. urllib3 has no argument through which it could reach a connection."""

    clock: CallClock | None = None


current = _Current()


class DeadlineReader(io.RawIOBase):
    """The bytes of a socket, each wait bounded by the clock.

    `at_end` makes reads return the end without touching the socket. `has_extra_bytes` means that bytes followed the end of the
    response, so the connection must not be reused.
    """

    def __init__(self, sock: Any, clock: CallClock) -> None:
        self._sock = sock
        self._raw = sock.makefile("rb", 0)  # keeps the socket open after the connection drops its own reference
        self._clock = clock
        self._set: float | None = -1.0
        self.at_end = False
        self.has_extra_bytes = False

    def makefile(self, mode: str) -> io.BufferedReader:
        """http.client calls this on the socket."""
        return io.BufferedReader(self, BLOCK_BYTES)

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        if self.at_end:
            return 0
        wait = self._clock.read_timeout()
        seconds = None if wait == NO_LIMIT else wait
        if seconds != self._set:
            self._sock.settimeout(seconds)
            self._set = seconds
        count: int = self._sock.recv_into(buffer)
        if self._clock.cancelled:
            raise Cancelled("the call was cancelled")
        if count:  # the end of the connection is not a response
            self._clock.response_started = True
        return count

    def close(self) -> None:
        if not self.closed:
            super().close()
            self._raw.close()


class SocketResponse(http.client.HTTPResponse):
    """http.client's response, which reads within the clock and skips 1xx responses.

    urllib3's pool returns it unchanged, so it has the attributes that the pool sets and logs. `fields`: the headers, with names
    in lower case. `fp`: a buffer over the socket.
    """

    retries: Any = None
    _connection: Any = None
    _pool: Any = None
    fields: dict[str, str]

    def __init__(self, sock: Any, *args: Any, **kwargs: Any) -> None:
        clock = current.clock
        assert clock is not None, "only Transport calls these pools"
        self.reader = DeadlineReader(sock, clock)
        super().__init__(self.reader, *args, **kwargs)  # type: ignore[arg-type]

    def begin(self) -> None:
        """Reads the head of the response: http.client's method with our header parser, and with 1xx responses skipped."""
        if self.headers is not None:
            return
        version, status, reason = self._read_status()
        if not version.startswith(("HTTP/1.", "HTTP/0.9")):
            raise http.client.UnknownProtocol(version)
        self.code = self.status = status
        self.reason = reason.strip()
        self.version = 10 if version in ("HTTP/1.0", "HTTP/0.9") else 11
        self.headers = self.msg = headers = parse_head(self.fp)
        self.fields = fields = lowercase_headers(headers)
        self.chunked = fields.get("transfer-encoding", "").lower() == "chunked"
        self.chunk_left = None
        self.length = None if self.chunked else content_length(fields)
        # RFC 9112 6.3: these responses have no body, also if their headers announce one.
        if status in (204, 304) or self._method == "HEAD":
            self.length = 0
        # RFC 9112 9.3: HTTP/1.1 connections persist unless a side sends "close", those of HTTP/1.0 only with "keep-alive".
        # RFC 9112 6.3: a body without a length ends with its connection.
        options = fields.get("connection", "").lower()
        persists = "close" not in options if self.version == 11 else "keep-alive" in options
        self.will_close = not persists or (self.length is None and not self.chunked)

    @property
    def version_string(self) -> str:
        return "HTTP/1.1" if self.version == 11 else "HTTP/1.0"

    @property
    def length_remaining(self) -> int | None:
        return self.length

    def release_conn(self) -> None:
        """Returns the connection to its pool."""
        connection, self._connection = self._connection, None
        pool, self._pool = self._pool, None
        if connection is not None:
            pool.put_back(connection)

    def _read_status(self) -> tuple[str, int, str]:
        """The status line of the final response. RFC 9110 15.2: any number of 1xx responses may come before it."""
        for _ in range(MAX_INTERIM_RESPONSES):
            version, status, reason = self._read_status_line()
            # RFC 9110 15.2.2: after 101 the connection is no longer HTTP. We never send Upgrade, so it is an error response.
            if status == 101 or not 100 <= status < 200:
                return version, status, reason
            parse_head(self.fp)
        raise http.client.HTTPException("too many 1xx responses")

    def _read_status_line(self) -> tuple[str, int, str]:
        """RFC 9112 4: the version, the status, and perhaps a reason.

        Not http.client's method: it expects ValueError, and would ignore one that a signal handler raises.
        """
        line = self.fp.readline(MAX_STATUS_LINE_BYTES + 1).decode("iso-8859-1")
        if len(line) > MAX_STATUS_LINE_BYTES:
            raise http.client.LineTooLong("status line")
        if not line:
            raise http.client.RemoteDisconnected("Remote end closed connection without response")
        version, status, reason = [*line.split(None, 2), "", "", ""][:3]
        if not (version.startswith("HTTP/") and len(status) == 3 and status.isascii() and status.isdigit() and status >= "100"):
            raise http.client.BadStatusLine(line)
        return version, int(status), reason
