"""A server on loopback that misbehaves as told: raw sockets, a thread for each connection, just enough HTTP to break it."""

from __future__ import annotations

import json
import select
import socket
import ssl
import struct
import threading
from contextlib import suppress
from dataclasses import dataclass
from time import monotonic
from typing import TYPE_CHECKING, Any

from . import wire

if TYPE_CHECKING:
    from collections.abc import Callable

    #: Answers one request; True keeps the connection for the next one.
    Play = Callable[["Peer", "Request"], "bool | None"]
    #: Does something to a connection before a request is read; True goes on to the requests.
    Greeting = Callable[["Peer"], "bool | None"]


@dataclass
class Request:
    """One request as it came, `number` counted over the server, `connection` the connection it came on (both from 1)."""

    number: int
    connection: int
    line: str
    headers: dict[str, str]
    body: bytes

    @property
    def prompt(self) -> str:
        """The text of the last message, in any of the formats."""
        body = json.loads(self.body)
        last = (body.get("messages") or body["contents"])[-1]
        content = last.get("content") or last["parts"]
        return content if isinstance(content, str) else content[0]["text"]

    @property
    def streams(self) -> bool:
        return bool(json.loads(self.body).get("stream"))


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
        """The same bytes until the client goes, the server is closed, or `limit` bytes are sent."""
        while limit > 0 and not self.server.over.wait(seconds) if seconds else limit > 0 and not self.server.over.is_set():
            self.send(data)
            limit -= len(data)

    def wait(self, seconds: float = 30.0) -> None:
        """Says nothing until the client goes."""
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
        """RST: what an overloaded balancer or a crashed process sends."""
        self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.sock.close()

    def fin(self) -> None:
        """TCP's orderly end, under TLS without its close_notify."""
        socket.socket.shutdown(self.sock, socket.SHUT_WR)

    def secure(self) -> None:
        if self.server.tls is not None:
            self.sock = self.server.tls.wrap_socket(self.sock, server_side=True)

    def head(self) -> bytes | None:
        """The request line and headers, None where the client went instead."""
        while b"\r\n\r\n" not in self._read:
            data = self.sock.recv(65536)
            if not data:
                self.gone_at = monotonic()
                return None
            self._read += data
        head, _, self._read = self._read.partition(b"\r\n\r\n")
        return head

    def take_rest(self) -> int:
        """Bytes of a body that came with its head, dropped."""
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
        return self.server.note(self.number, line, headers, body)


class LocalServer:
    """Listens on loopback; each request is answered by `play` until `heal()`, and in good health after it."""

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
    ) -> None:
        self.play = play
        self.greet = greet
        self.tls = tls
        self.reads_bodies = reads_bodies
        self.requests: list[Request] = []
        self.peers: list[Peer] = []
        self.errors: list[BaseException] = []
        self.over = threading.Event()
        self.healed = False
        self._lock = threading.Lock()
        self._threads: list[threading.Thread] = []
        self._plugs: list[socket.socket] = []
        self._listener = socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET)
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
        """A full backlog: the kernel drops every further SYN, as a firewall does."""
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
            self.peers.append(peer)
            thread = threading.Thread(target=self._converse, args=(peer,), daemon=True)
            thread.start()
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
            peer.gone_at = peer.gone_at or monotonic()  # the client went away in the middle
        except BaseException as error:  # a mistake in a fault must fail its test
            self.errors.append(error)
        finally:
            peer.sock.close()
            peer.gone_at = peer.gone_at or monotonic()

    def note(self, connection: int, line: str, headers: dict[str, str], body: bytes) -> Request:
        with self._lock:
            request = Request(len(self.requests) + 1, connection, line, headers, body)
            self.requests.append(request)
            return request

    def saw_close(self, connection: int, seconds: float = 1.0) -> bool:
        """Whether the client's end of a connection closes within `seconds`."""
        until = monotonic() + seconds
        while self.peers[connection - 1].gone_at is None:
            if monotonic() > until:
                return False
            self.over.wait(0.005)
        return True

    def close(self) -> None:
        self.over.set()
        self._listener.close()
        for plug in self._plugs:
            plug.close()
        for peer in self.peers:
            with suppress(OSError):
                socket.socket.shutdown(peer.sock, socket.SHUT_RDWR)
        for thread in [*self._threads, *([self._serving] if self._serving else [])]:
            thread.join(5)

    def __enter__(self) -> LocalServer:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()
