"""HTTP/1.1 over real sockets on a loopback port: requests in, bytes out. Knows no provider and no script."""

from __future__ import annotations

import json
import socket
import struct
import threading
from contextlib import suppress
from dataclasses import dataclass, field
from time import monotonic

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from ssl import SSLContext
    from typing import Any, BinaryIO

MAX_LINE = 65536


@dataclass(slots=True)
class RecordedRequest:
    """One request as it arrived.

    `target` is the path with its query, `headers` has lower-case names, `time` is in seconds of the monotonic clock,
    `connection` is the number of its connection, from 0, `status` that of the response (None: there was none), and
    `disconnected` whether the client closed the connection before the response was complete.
    """

    method: str
    target: str
    headers: dict[str, str]
    body: bytes
    time: float
    connection: int
    status: int | None = None
    disconnected: bool = field(default=False, repr=False)

    @property
    def path(self) -> str:
        """The target without its query."""
        return self.target.partition("?")[0]

    @property
    def json(self) -> Any:
        """The body as JSON."""
        return json.loads(self.body)


class Disconnected(Exception):
    """The client closed the connection, or the server was stopped."""


class Exchange:
    """One request and the connection for its response. `keeps_open`: whether another request may follow."""

    def __init__(self, sock: socket.socket, request: RecordedRequest, stopped: threading.Event) -> None:
        self.request = request
        self.keeps_open = request.headers.get("connection", "").lower() != "close"
        self._sock = sock
        self._stopped = stopped

    def send(self, data: bytes) -> None:
        try:
            self._sock.sendall(data)
        except OSError:
            self.request.disconnected = True
            raise Disconnected from None

    def head(self, status: int, headers: dict[str, str], version: str = "1.1") -> bytes:
        """Status line and headers."""
        from http import HTTPStatus

        self.request.status = status
        reason = HTTPStatus(status).phrase if status in HTTPStatus._value2member_map_ else "Unknown"
        lines = [f"HTTP/{version} {status} {reason}", *(f"{name}: {value}" for name, value in headers.items())]
        return "\r\n".join([*lines, "", ""]).encode("latin-1")

    def send_chunk(self, data: bytes) -> None:
        """One chunk of a chunked body (RFC 9112, section 7.1); b"" is the last."""
        self.send(b"%x\r\n%b\r\n" % (len(data), data))

    def sleep(self, seconds: float) -> None:
        """Waits. Raises Disconnected if the server is stopped."""
        if seconds > 0 and self._stopped.wait(seconds):
            raise Disconnected

    def wait_for_disconnect(self, seconds: float) -> None:
        """Sends nothing until the client disconnects, the server is stopped, or `seconds` have passed. Raises Disconnected."""
        end = monotonic() + seconds
        self._sock.settimeout(0.02)
        try:
            while monotonic() < end and not self._stopped.is_set():
                try:
                    if not self._sock.recv(1):
                        break
                except TimeoutError:
                    continue
        except OSError:
            pass
        self.request.disconnected = True
        raise Disconnected

    def reset(self) -> None:
        """Closes with RST instead of FIN: the client's read fails immediately."""
        self.keeps_open = False
        with suppress(OSError):
            self._sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))


class LoopbackServer:
    """Serves on a free port of 127.0.0.1, a thread for each connection, until `stop()`."""

    def __init__(self, respond: Callable[[Exchange], None], tls: SSLContext | None = None) -> None:
        self._respond = respond
        self._tls = tls
        self._listener = socket.create_server(("127.0.0.1", 0), backlog=128)
        self.port: int = self._listener.getsockname()[1]
        self._stopped = threading.Event()
        self._lock = threading.Lock()
        self._open: set[socket.socket] = set()
        self._threads: list[threading.Thread] = []
        self.connections = 0
        self._acceptor = threading.Thread(target=self._accept, name="ailib-sync-fake", daemon=True)
        self._acceptor.start()

    def _accept(self) -> None:
        while not self._stopped.is_set():
            try:
                sock, _ = self._listener.accept()
            except OSError:
                return
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            with self._lock:
                number, self.connections = self.connections, self.connections + 1
                thread = threading.Thread(target=self._serve, args=(sock, number), daemon=True)
                self._open.add(sock)
                self._threads = [other for other in self._threads if other.is_alive()]
                self._threads.append(thread)
                # Started under the lock, so that stop() can join every thread that it finds.
                thread.start()

    def _serve(self, raw: socket.socket, number: int) -> None:
        sock = raw
        try:
            if self._tls is not None:
                sock = self._tls.wrap_socket(raw, server_side=True)
                with self._lock:
                    self._open.discard(raw)  # wrapping has detached it
                    self._open.add(sock)
            with sock.makefile("rb") as reader:
                while self._serve_one(sock, reader, number):
                    pass
        except (OSError, Disconnected):
            pass
        finally:
            with self._lock:
                self._open.discard(raw)
                self._open.discard(sock)
            sock.close()

    def _serve_one(self, sock: socket.socket, reader: BinaryIO, number: int) -> bool:
        """Reads one request and responds to it. Returns whether the connection stays open."""
        request = read_request(reader, number)
        if request is None or self._stopped.is_set():
            return False
        exchange = Exchange(sock, request, self._stopped)
        self._respond(exchange)
        return exchange.keeps_open

    def stop(self) -> None:
        """Closes all connections and waits for the threads."""
        self._stopped.set()
        _shut(self._listener)
        self._listener.close()
        self._acceptor.join(5)  # first: it may be about to accept another connection
        with self._lock:
            still_open, threads = list(self._open), list(self._threads)
        for sock in still_open:
            _shut(sock)
        for thread in threads:
            thread.join(5)


def _shut(sock: socket.socket) -> None:
    """Wakes the threads that wait for the socket."""
    with suppress(OSError):
        socket.socket.shutdown(sock, socket.SHUT_RDWR)


def read_request(reader: BinaryIO, connection: int) -> RecordedRequest | None:
    """The next request of a connection; None if it ended or is not HTTP."""
    start = reader.readline(MAX_LINE).split()
    if len(start) != 3:
        return None
    headers: dict[str, str] = {}
    while line := reader.readline(MAX_LINE).rstrip(b"\r\n"):
        name, _, value = line.decode("latin-1").partition(":")
        headers[name.strip().lower()] = value.strip()
    body = _read_chunked(reader) if "chunked" in headers.get("transfer-encoding", "") else b""
    length = int(headers.get("content-length") or 0)
    if length:
        body = reader.read(length)
        if len(body) < length:
            return None
    return RecordedRequest(start[0].decode("latin-1"), start[1].decode("latin-1"), headers, body, monotonic(), connection)


def _read_chunked(reader: BinaryIO) -> bytes:
    chunks: list[bytes] = []
    while size := int(reader.readline(MAX_LINE).split(b";")[0], 16):
        chunks.append(reader.read(size))
        reader.readline(MAX_LINE)
    while reader.readline(MAX_LINE).strip():
        pass
    return b"".join(chunks)
