"""Faults before a response: names, TCP, TLS, proxies, and sending."""

from __future__ import annotations

import socket
import time
from typing import TYPE_CHECKING, Any

from ailib_sync.errors import (
    ConnectError,
    ConnectionLost,
    ConnectTimeout,
    DeadlineExceeded,
    ProxyError,
    RequestTooLarge,
    TlsError,
    WriteTimeout,
)
from ailib_sync.http.timeouts import Timeout

from .. import wire
from ..time_limits import scaled
from ..wire import healthy
from .register import PLAIN, Fault

if TYPE_CHECKING:
    from collections.abc import Callable

    from ..local_server import Peer, Request


def first_connection(do: Callable[[Peer], object]) -> Callable[[Peer], bool]:
    """Calls `do` for the first connection only."""

    def greet(peer: Peer) -> bool:
        if peer.number == 1:
            do(peer)
        return peer.number > 1

    return greet


def every_connection(do: Callable[[Peer], object]) -> Callable[[Peer], bool]:
    def greet(peer: Peer) -> bool:
        do(peer)
        return False

    return greet


def reset_after_hello(peer: Peer) -> None:
    peer.sock.recv(65536)
    peer.reset()


def respond_without_tls(peer: Peer) -> None:
    peer.sock.recv(65536)
    peer.send(wire.reply(400, b"a TLS hello is not HTTP"))


def refuse_proxy(peer: Peer) -> None:
    peer.head()
    peer.send(wire.reply(407, b"", {"Proxy-Authenticate": "Basic"}))


def drip_connect(peer: Peer) -> None:
    peer.head()
    peer.drip(b"HTTP/1.1 200 Connection established\r\nX-Padding: " + b"a" * 1000, 0.05)


def closes_after_response(peer: Peer, request: Request) -> bool:
    """Responds to the first request and closes the idle connection; responds to requests on other connections."""
    healthy(peer, request)
    if request.number > 1:
        return True
    peer.fin()
    return False


def closes_under_request(peer: Peer, request: Request) -> bool:
    """Reads a second request on the reused connection and closes it without a response."""
    return healthy(peer, request) if request.number != 2 else False


def never_reads(peer: Peer, request: Request) -> bool:
    while not (peer.server.healed or peer.server.over.is_set()):
        peer.server.over.wait(0.02)
    return False


def stops_reading(peer: Peer, request: Request) -> bool:
    """Responds to the first request, and then reads no further body."""
    if not peer.server.reads_bodies:
        return never_reads(peer, request)
    peer.server.reads_bodies = False
    return healthy(peer, request)


def reads_slowly(peer: Peer, request: Request) -> bool:
    """An eighth of the body every 0.1 s."""
    size = int(request.headers["content-length"])
    peer.sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 65536)
    have = peer.take_rest()
    while have < size:
        peer.server.over.wait(scaled(0.1))
        expected = min(have + size // 8, size)
        while have < expected:
            have += len(peer.sock.recv(expected - have))
    peer.send(wire.reply(200, wire.completion()))
    peer.server.reads_bodies = True
    return True


def rejects_upload(peer: Peer, request: Request) -> bool:
    peer.send(wire.reply(413, wire.error_body("too large"), {"Connection": "close"}))
    return False


class Resolver:
    """A name server that fails for the first queries: with an error, or with a delay of a second."""

    def __init__(self, failures: int, error: int | None) -> None:
        self.failures = failures
        self.error = error

    def __call__(self, real: Any, host: str, *args: Any) -> Any:
        self.failures -= 1
        if self.failures >= 0:
            if self.error is not None:
                raise socket.gaierror(self.error, "no answer for this name")
            time.sleep(scaled(1.0))
        return real("127.0.0.1", *args)


def dead_address_first(real: Any, host: str, port: int, *args: Any) -> Any:
    dead = (socket.AF_INET6, socket.SOCK_STREAM, 6, "", ("::1", port, 0, 0))
    return [dead, *real("127.0.0.1", port, *args)]


HURRIED = Timeout(connect=0.3, read=0.4, total=3)
BRIEF = Timeout(connect=5, read=5, total=0.8)
#: Only the limit of a write can end an upload before 9 s. A busy machine takes a second to make and encrypt one of 32 MB.
STALLED = Timeout(connect=0.3, read=9, total=20)

FAULTS = (
    Fault("connect-refused", "nothing listens on the port", healthy, ConnectError, 0, server={"listens": False}),
    Fault(
        "connect-blackhole",
        "a firewall drops every SYN",
        healthy,
        ConnectTimeout,
        0,
        modes=PLAIN,
        server={"backlog": 0},
        took=(0.9, 1.2),
        timeout=HURRIED,
    ),
    Fault(
        "connect-blackhole-deadline",
        "the same, and the total of the call ends before its attempts",
        healthy,
        DeadlineExceeded,
        0,
        modes=PLAIN,
        server={"backlog": 0},
        took=(0.8, 0.8),
        timeout=BRIEF,
    ),
    Fault(
        "accept-rst",
        "the connection is reset immediately after it is open",
        healthy,
        (ConnectionLost, ConnectError),
        0,
        greet=every_connection(lambda peer: peer.reset()),
        connections=3,
    ),
    Fault(
        "accept-rst-once",
        "the same, the first time only",
        healthy,
        None,
        1,
        "reuse",
        greet=first_connection(lambda peer: peer.reset()),
        connections=2,
    ),
    Fault("ipv6-literal", "the address is an IPv6 literal", healthy, None, 1, "reuse", server={"host": "::1"}),
    Fault(
        "dns-nxdomain",
        "the name does not exist",
        healthy,
        ConnectError,
        0,
        modes=PLAIN,
        check=lambda error: "no answer for this name" in str(error),
        resolver=Resolver(3, socket.EAI_NONAME),
    ),
    Fault(
        "dns-temporary-once",
        "the name server fails once",
        healthy,
        None,
        1,
        "either",
        PLAIN,
        resolver=Resolver(1, socket.EAI_AGAIN),
    ),
    Fault(
        "dns-first-address-dead",
        "the first of two addresses refuses the connection",
        healthy,
        None,
        1,
        "reuse",
        PLAIN,
        resolver=dead_address_first,
    ),
    Fault(
        "dns-stall",
        "the name server does not answer",
        healthy,
        ConnectTimeout,
        0,
        modes=PLAIN,
        resolver=Resolver(3, None),
        took=(0.9, 1.2),
        timeout=HURRIED,
    ),
    Fault(
        "stale-keepalive-fin",
        "the provider closes the idle connection between two calls",
        closes_after_response,
        None,
        2,
        "reuse",
        PLAIN,
        calls=2,
        retries=0,
        connections=2,
    ),
    Fault(
        "stale-keepalive-race",
        "the provider closes a reused connection when the second request arrives on it",
        closes_under_request,
        None,
        3,
        "reuse",
        PLAIN,
        calls=2,
        retries=0,
        connections=2,
        note="sent again immediately, without a wait",
    ),
    Fault(
        "tls-untrusted",
        "a certificate of an unknown authority",
        healthy,
        TlsError,
        0,
        modes=PLAIN,
        tls="untrusted",
        connections=1,
    ),
    Fault(
        "tls-wrong-host", "a certificate for another host", healthy, TlsError, 0, modes=PLAIN, tls="wrong-host", connections=1
    ),
    Fault("tls-expired", "a certificate that has expired", healthy, TlsError, 0, modes=PLAIN, tls="expired", connections=1),
    Fault(
        "tls-plaintext-server",
        "https to a server without TLS",
        healthy,
        TlsError,
        0,
        modes=PLAIN,
        tls="plaintext",
        greet=every_connection(respond_without_tls),
        connections=1,
    ),
    Fault(
        "tls-1.1-only",
        "a server that supports no TLS version after 1.1",
        healthy,
        TlsError,
        0,
        modes=PLAIN,
        tls="old",
        connections=1,
    ),
    Fault(
        "tls-handshake-stall",
        "the server sends nothing in the TLS handshake",
        healthy,
        ConnectTimeout,
        0,
        modes=PLAIN,
        tls="good",
        greet=every_connection(lambda peer: peer.wait()),
        took=(0.9, 1.2),
        timeout=HURRIED,
    ),
    Fault(
        "tls-handshake-rst",
        "a reset in the TLS handshake",
        healthy,
        ConnectError,
        0,
        modes=PLAIN,
        tls="good",
        greet=every_connection(reset_after_hello),
        connections=3,
    ),
    Fault(
        "tls-close-before-response",
        "the TLS connection ends before any byte of a response",
        lambda peer, request: False,
        ConnectionLost,
        3,
        modes=PLAIN,
        tls="good",
        connections=3,
    ),
    Fault(
        "proxy-connect-stall",
        "the proxy does not respond to CONNECT",
        healthy,
        ConnectTimeout,
        0,
        modes=PLAIN,
        proxied=True,
        greet=every_connection(lambda peer: peer.wait()),
        took=(0.9, 1.2),
        timeout=Timeout(connect=0.3, read=5, total=9),
    ),
    Fault(
        "upload-slow",
        "a request of 8 MB that takes longer than the limit of one write",
        reads_slowly,
        None,
        1,
        "reuse",
        modes=PLAIN,
        server={"reads_bodies": False},
        padding=8 << 20,
        took=(0.6, 2.5),
        timeout=Timeout(connect=0.5, read=5, total=20),
    ),
    Fault(
        "proxy-407",
        "the proxy requires another password",
        healthy,
        ProxyError,
        0,
        modes=PLAIN,
        proxied=True,
        greet=every_connection(refuse_proxy),
        connections=1,
        check=lambda e: "407" in str(e),
    ),
    Fault(
        "proxy-connect-drip",
        "the proxy's response to CONNECT arrives byte by byte",
        healthy,
        DeadlineExceeded,
        0,
        modes=PLAIN,
        proxied=True,
        greet=every_connection(drip_connect),
        took=(0.8, 0.8),
        timeout=BRIEF,
    ),
    Fault(
        "upload-stall",
        "the provider stops reading a request of 32 MB",
        never_reads,
        WriteTimeout,
        3,
        modes=PLAIN,
        server={"reads_bodies": False},
        padding=32 << 20,
        took=(0.9, 8),
        timeout=STALLED,
    ),
    Fault(
        "upload-stall-reused",
        "the same, on a connection that has served a call",
        stops_reading,
        WriteTimeout,
        2,
        modes=PLAIN,
        server={"receive_buffer": 1 << 18},
        padding=32 << 20,
        calls=2,
        retries=0,
        took=(0.3, 8),
        timeout=STALLED,
    ),
    Fault(
        "early-413-during-upload",
        "a request of 32 MB is rejected after its headers, and the connection is closed",
        rejects_upload,
        (RequestTooLarge, ConnectionLost),
        (1, 3),
        modes=PLAIN,
        server={"reads_bodies": False},
        padding=32 << 20,
        took=(0, 3),
    ),
)
