"""A provider that does what the prompt says: echoes in good health, or one of `FAULTS`. As a process, it prints its address."""

from __future__ import annotations

import sys
import threading
import zlib
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from ailib_sync.errors import (
    AiLibError,
    ConnectionLost,
    InvalidRequest,
    Overloaded,
    ProtocolError,
    QuotaExhausted,
    StreamInterrupted,
)

from .. import wire
from ..faults.certificates import authority, server_context
from ..local_server import LocalServer

if TYPE_CHECKING:
    from ..local_server import Peer, Play, Request


def says(status: int, body: object, headers: dict[str, str] | None = None) -> Play:
    def play(peer: Peer, request: Request) -> bool:
        peer.send(wire.reply(status, body, headers))  # type: ignore[arg-type]
        return True

    return play


def reset(peer: Peer, request: Request) -> None:
    peer.reset()


def silent_end(peer: Peer, request: Request) -> bool:
    return False


def cut(peer: Peer, request: Request) -> bool:
    """The connection ends in the middle of the answer."""
    if request.streams:
        peer.send(wire.SSE_HEAD + b"".join(map(wire.chunk, wire.deltas(wire.TEXTS[:3]))))
    else:
        peer.send(wire.reply(200, wire.completion())[:-20])
    return False


def unfinished(peer: Peer, request: Request) -> bool:
    """A clean end of the body without the end of the answer."""
    if request.streams:
        return wire.stream(peer, wire.deltas(wire.TEXTS[:3]))
    peer.send(wire.reply(200, b'{"id": "c1", "choices"', {"Content-Type": "application/json"}))
    return True


def broken_gzip(peer: Peer, request: Request) -> bool:
    body = zlib.compress(b"x" * 1000)[:-30] + b"garbage" * 5
    peer.send(wire.reply(200, body, {"Content-Type": "application/json", "Content-Encoding": "gzip"}))
    return True


def failed_in_stream(peer: Peer, request: Request) -> bool:
    if not request.streams:
        return says(503, wire.error_body("busy"))(peer, request) is True
    return wire.stream(peer, [*wire.deltas(wire.TEXTS[:3]), wire.event(wire.error_body("busy", code=503))])


def lingering(peer: Peer, request: Request) -> bool:
    """Healthy, but the body's end comes late, or not at all."""
    if not request.streams:
        return wire.healthy(peer, request)
    peer.send(wire.SSE_HEAD + b"".join(map(wire.chunk, wire.events((request.prompt,)))))
    peer.wait(1.0)
    return False


@dataclass(frozen=True)
class Trouble:
    """How a fault is made and what it raises, without retries; None where the answer is whole all the same."""

    play: Play
    plain: type[AiLibError] | None
    stream: type[AiLibError] | None
    partial: str = ""


def slow(peer: Peer, request: Request) -> bool:
    peer.server.over.wait(0.2)
    return wire.healthy(peer, request)


def stalled(peer: Peer, request: Request) -> None:
    """The head and a first piece, then silence until the client goes."""
    peer.send(wire.SSE_HEAD + wire.chunk(wire.delta("One ")))
    peer.wait()


def paused(peer: Peer, request: Request) -> bool:
    """A first piece, and half a second later the rest."""
    first, *rest = wire.events(("One ", request.prompt))
    peer.send(wire.SSE_HEAD + wire.chunk(first))
    peer.server.over.wait(0.5)
    peer.send(b"".join(map(wire.chunk, rest)) + wire.LAST_CHUNK)
    return True


def dripping(peer: Peer, request: Request) -> None:
    """Pieces for ever."""
    peer.send(wire.SSE_HEAD)
    peer.repeat(wire.chunk(wire.delta("One ")), 0.02)


#: What the other runs ask for.
MANNERS: dict[str, Play] = {"slow": slow, "stalled": stalled, "paused": paused, "dripping": dripping}

#: What the random runs draw from.
FAULTS = {
    "refused": Trouble(says(400, wire.error_body("bad")), InvalidRequest, InvalidRequest),
    "busy": Trouble(says(503, wire.error_body("busy")), Overloaded, Overloaded),
    "quota": Trouble(says(429, wire.error_body(code="insufficient_quota")), QuotaExhausted, QuotaExhausted),
    "reset": Trouble(reset, ConnectionLost, ConnectionLost),
    "silent end": Trouble(silent_end, ConnectionLost, ConnectionLost),
    "cut": Trouble(cut, ConnectionLost, StreamInterrupted, wire.HALF),
    "unfinished": Trouble(unfinished, ProtocolError, StreamInterrupted, wire.HALF),
    "html": Trouble(says(200, b"<html>", {"Content-Type": "text/html"}), ProtocolError, ProtocolError),
    "empty": Trouble(says(200, b""), ProtocolError, AiLibError),
    "broken gzip": Trouble(broken_gzip, ProtocolError, ProtocolError),
    "failed in stream": Trouble(failed_in_stream, Overloaded, AiLibError, wire.HALF),
    "lingering": Trouble(lingering, None, None),
}


def play(peer: Peer, request: Request) -> bool | None:
    """`echo <anything>[: <fault or manner>]`."""
    word = request.prompt.rpartition(": ")[2]
    trouble = FAULTS.get(word)
    return (trouble.play if trouble else MANNERS.get(word, wire.healthy))(peer, request)


def main() -> None:
    """With an argument, it is the file to write the CA certificate to, and the provider serves TLS."""
    threading.stack_size(256 * 1024)
    context = None
    if len(sys.argv) > 1:
        context = server_context("good")
        Path(sys.argv[1]).write_bytes(authority("ours").cert_pem.bytes())
    with LocalServer(play, backlog=1024, tls=context, remembers=False) as server:
        print(server.url, flush=True)
        sys.stdin.read()


if __name__ == "__main__":
    main()
