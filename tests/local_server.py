"""The one server of the tests: raw sockets on loopback, a thread for each connection, just enough HTTP to break it.

A test gives it a function that answers a request, and that function may send any bytes, wait, or reset the connection:

    with LocalServer(replies(wire.reply(503), wire.reply(200, wire.completion()))) as server:
        AiClient("openai/gpt-4o", base_url=server.url, api_key="k").chat().user("Hello").execute()
    assert len(server.requests) == 2
"""

from __future__ import annotations

import json
import select
import socket
import ssl
import struct
import threading
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from time import monotonic
from typing import Any

from . import wire
from .time_limits import scaled

#: Answers one request; True keeps the connection for the next one.
Play = Callable[["Peer", "Request"], "bool | None"]
#: Does something to a connection before a request is read; True goes on to the requests.
Greeting = Callable[["Peer"], "bool | None"]


@dataclass
class Request:
    """One request as it arrived. `number` counts the server's requests, `connection` its connections, both from 1.

    `raw` is the head and the body as they arrived, `headers` has names in lower case.
    """

    number: int
    connection: int
    line: str
    headers: dict[str, str]
    body: bytes
    raw: bytes = field(repr=False)

    @property
    def json(self) -> Any:
        """The body as JSON."""
        return json.loads(self.body)

    @property
    def prompt(self) -> str:
        """The text of the last message, in any of the formats."""
        body = self.json
        last = (body.get("messages") or body["contents"])[-1]
        content = last.get("content") or last["parts"]
        return content if isinstance(content, str) else content[0]["text"]

    @property
    def streams(self) -> bool:
        return bool(self.json.get("stream"))


class Peer:
    """The server's end of one connection."""

    def __init__(self, server: LocalServer, sock: Any, number: int) -> None:
        self.server = server
        self.sock = sock
        self.number = number
        self.gone_at: float | None = None
        self._read = b""

    def send(self, data: bytes) -> None:
        self.sock.sendall(data)

    def drip(self, data: bytes, seconds: float) -> None:
        """One byte at a time."""
        for byte in data:
            self.send(bytes((byte,)))
            self.server.over.wait(seconds)

    def repeat(self, data: bytes, seconds: float = 0.0, limit: int = 1 << 62) -> None:
        """The same bytes until the client leaves, the server closes, or `limit` bytes are sent."""
        while limit > 0 and not self.server.over.wait(seconds) if seconds else limit > 0 and not self.server.over.is_set():
            self.send(data)
            limit -= len(data)

    def wait(self, seconds: float = scaled(30.0)) -> None:
        """Sends nothing until the client leaves, at most `seconds`."""
        until = monotonic() + seconds
        while monotonic() < until and not self.server.over.is_set():
            if select.select([self.sock], [], [], 0.02)[0]:
                try:
                    if not self.sock.recv(65536):
                        break
                except OSError:
                    break
        self.gone_at = monotonic()

    def reset(self) -> None:
        """Closes with RST, as an overloaded load balancer or a crashed process does."""
        self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.sock.close()

    def fin(self) -> None:
        """Closes with FIN; under TLS without a close_notify."""
        socket.socket.shutdown(self.sock, socket.SHUT_WR)

    def secure(self) -> None:
        if self.server.tls is not None:
            self.sock = self.server.tls.wrap_socket(self.sock, server_side=True)

    def head(self) -> bytes | None:
        """The request line and headers; None where the client closed the connection instead."""
        while b"\r\n\r\n" not in self._read:
            data = self.sock.recv(65536)
            if not data:
                self.gone_at = monotonic()
                return None
            self._read += data
        head, _, self._read = self._read.partition(b"\r\n\r\n")
        return head

    def take_rest(self) -> int:
        """Drops the bytes of a body that arrived with its head, and returns how many they were."""
        size, self._read = len(self._read), b""
        return size

    def request(self) -> Request | None:
        head = self.head()
        if head is None:
            return None
        line, *lines = head.decode("latin-1").split("\r\n")
        headers = {name.lower(): value.strip() for name, _, value in (each.partition(":") for each in lines)}
        length = int(headers.get("content-length", 0)) if self.server.reads_bodies else 0
        pieces, have = [self._read], len(self._read)
        while have < length:
            data = self.sock.recv(1 << 20)
            if not data:
                return None
            pieces.append(data)
            have += len(data)
        body = b"".join(pieces)
        body, self._read = body[:length], body[length:]
        return self.server.note(Request(0, self.number, line, headers, body, head + b"\r\n\r\n" + body))


def replies(*responses: bytes, keep: bool = False) -> Play:
    """Sends these bytes in order, one response for each request, and the last one from then on.

    `keep`: the connection stays open for another request.
    """

    def play(peer: Peer, request: Request) -> bool:
        peer.send(responses[min(request.number, len(responses)) - 1])
        return keep

    return play


def free_ports(count: int) -> list[int]:
    """Ports of 127.0.0.1 that nobody listens on now."""
    sockets = [socket.create_server(("127.0.0.1", 0)) for _ in range(count)]
    ports: list[int] = [sock.getsockname()[1] for sock in sockets]
    for sock in sockets:
        sock.close()
    return ports


class LocalServer:
    """Listens on a free port of `host` and answers each request with `play`; after `heal()` with a healthy response.

    `greet` acts on each connection before its first request. `tls` makes it an HTTPS server. `listens=False` refuses every
    connection, `backlog=0` lets none be established. `reads_bodies=False` leaves the bodies of requests in the socket.
    `requests` are those that arrived, `peers` the connections, `errors` what a `play` raised by mistake: the first one is
    raised again at the end of `with`. `receive_buffer` fixes the kernel's buffer, in bytes: on some systems it grows to 32 MiB,
    and a body fits into it that nobody reads.
    """

    def __init__(
        self,
        play: Play,
        *,
        greet: Greeting | None = None,
        tls: ssl.SSLContext | None = None,
        listens: bool = True,
        backlog: int = 128,
        host: str = "127.0.0.1",
        reads_bodies: bool = True,
        remembers: bool = True,
        receive_buffer: int | None = None,
    ) -> None:
        self.play = play
        self.greet = greet
        self.tls = tls
        self.reads_bodies = reads_bodies
        self.remembers = remembers  # False: for hours of requests, `requests` and `peers` stay empty
        self.requests: list[Request] = []
        self.peers: list[Peer] = []
        self.errors: list[BaseException] = []
        self.over = threading.Event()
        self.healed = False
        self._lock = threading.Lock()
        self._threads: list[threading.Thread] = []
        self._plugs: list[socket.socket] = []
        self._listener = socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET)
        if receive_buffer is not None:
            self._listener.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)
        self._listener.bind((host, 0))
        self.port = self._listener.getsockname()[1]
        self.host = f"[{host}]" if ":" in host else host
        self._serving: threading.Thread | None = None
        if backlog == 0:
            self._plug()
        elif listens:
            self._serve(backlog)

    @property
    def url(self) -> str:
        return f"http{'s' if self.tls else ''}://{self.host}:{self.port}/v1"

    def _plug(self) -> None:
        """Fills the backlog, so that the kernel drops every further SYN, as a firewall does."""
        self._listener.listen(0)
        for _ in range(3):
            plug = socket.socket()
            plug.setblocking(False)
            plug.connect_ex((self.host, self.port))
            self._plugs.append(plug)

    def _serve(self, backlog: int) -> None:
        self._listener.listen(backlog)
        self._listener.settimeout(0.05)
        self._serving = threading.Thread(target=self._accept, daemon=True)
        self._serving.start()

    def heal(self) -> None:
        self.healed = self.reads_bodies = True
        for plug in self._plugs:
            plug.close()
        if self._serving is None:
            self._serve(128)

    def _accept(self) -> None:
        while not self.over.is_set():
            try:
                sock, _ = self._listener.accept()
            except TimeoutError:
                continue
            except OSError:
                return
            sock.settimeout(None)
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            peer = Peer(self, sock, len(self.peers) + 1)
            thread = threading.Thread(target=self._converse, args=(peer,), daemon=True)
            if self.remembers:  # before the thread runs: a test may look for it as soon as it has a response
                self.peers.append(peer)
            thread.start()
            if self.remembers:
                self._threads.append(thread)

    def _converse(self, peer: Peer) -> None:
        try:
            if not self.healed and self.greet is not None and self.greet(peer) is not True:
                return
            peer.secure()
            while (request := peer.request()) is not None:
                if (wire.healthy if self.healed else self.play)(peer, request) is not True:
                    return
        except (OSError, ValueError):
            peer.gone_at = peer.gone_at or monotonic()  # the client closed the connection
        except BaseException as error:  # a mistake in `play` must fail its test
            self.errors.append(error)
        finally:
            peer.sock.close()
            peer.gone_at = peer.gone_at or monotonic()

    def note(self, request: Request) -> Request:
        with self._lock:
            if self.remembers:
                self.requests.append(request)
                request.number = len(self.requests)
            return request

    def saw_close(self, connection: int, seconds: float = 1.0) -> bool:
        """Whether the client closes a connection within `seconds`, scaled for this machine."""
        until = monotonic() + scaled(seconds)
        while self.peers[connection - 1].gone_at is None:
            if monotonic() > until:
                return False
            self.over.wait(0.005)
        return True

    def close(self) -> None:
        self.over.set()
        with suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)  # wakes `accept` on Linux; elsewhere its timeout does
        self._listener.close()
        for plug in self._plugs:
            plug.close()
        for peer in self.peers:
            with suppress(OSError):
                socket.socket.shutdown(peer.sock, socket.SHUT_RDWR)
        for thread in [*self._threads, *([self._serving] if self._serving else [])]:
            thread.join(scaled(5))

    def __enter__(self) -> LocalServer:
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        self.close()
        if kind is None and self.errors:
            raise self.errors[0]
