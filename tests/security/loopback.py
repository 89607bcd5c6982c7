"""A loopback server that answers every connection with given bytes, and what can be seen of an exception by anybody."""

from __future__ import annotations

import contextlib
import io
import pickle
import socket
import threading
import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

#: What must be seen nowhere. Tests name these constants, so that no line of source shown in a traceback holds a value.
KEY = "sk-" + "CANARY0" * 5
PROMPT = "PROMPT" + "CANARY1" * 3
PASSWORD = "PASSWORD" + "CANARY2" * 2


def http(body: bytes, status: str = "200 OK", kind: str = "application/json", *headers: str) -> bytes:
    """A whole answer, closed behind."""
    head = [f"HTTP/1.1 {status}", f"Content-Type: {kind}", "Connection: close", *headers]
    if b"<AUTHORIZATION>" not in body:  # which the server replaces
        head.append(f"Content-Length: {len(body)}")
    return "\r\n".join([*head, "", ""]).encode() + body


class Loopback:
    """Listens on 127.0.0.1 and gives its answers in order, the last for ever; `<AUTHORIZATION>` in one is the key that came.

    `linger` keeps the connection open after the bytes, `reset` ends it with a reset, `deaf` answers what is no request.
    `requests` are those that came.
    """

    def __init__(self, *answers: bytes, linger: bool = False, reset: bool = False, deaf: bool = False) -> None:
        self.deaf = deaf
        self.answers = list(answers)
        self.linger = linger
        self.reset = reset
        self.requests: list[bytes] = []
        self.over = threading.Event()
        self.socket = socket.create_server(("127.0.0.1", 0))
        self.port: int = self.socket.getsockname()[1]
        self.threads: list[threading.Thread] = [threading.Thread(target=self._serve, daemon=True)]
        self.threads[0].start()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/v1"

    def _serve(self) -> None:
        while not self.over.is_set():
            try:
                peer, _ = self.socket.accept()
            except OSError:
                return
            thread = threading.Thread(target=self._answer, args=(peer,), daemon=True)
            self.threads.append(thread)
            thread.start()

    def _answer(self, peer: socket.socket) -> None:
        with peer, contextlib.suppress(OSError):
            request = b""
            while not self._is_whole(request):
                piece = peer.recv(65536)
                if not piece:
                    return
                request += piece
            self.requests.append(request)
            answer = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0] if self.answers else b""
            peer.sendall(answer.replace(b"<AUTHORIZATION>", _authorization(request)))
            if self.linger:
                self.over.wait(5)
            if self.reset:
                peer.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")

    def _is_whole(self, request: bytes) -> bool:
        head, end, body = request.partition(b"\r\n\r\n")
        return bool(request) if self.deaf else bool(end) and len(body) >= _length(head)

    def close(self) -> None:
        self.over.set()
        with contextlib.suppress(OSError):
            self.socket.shutdown(socket.SHUT_RDWR)
        self.socket.close()
        for thread in self.threads:
            thread.join(5)


def _length(head: bytes) -> int:
    for line in head.split(b"\r\n"):
        name, _, value = line.partition(b":")
        if name.lower() == b"content-length":
            return int(value)
    return 0


def _authorization(request: bytes) -> bytes:
    """The key as it was sent, for services that repeat it."""
    found = [line for line in request.split(b"\r\n") if line.lower().startswith(b"authorization:")]
    return found[0].rpartition(b" ")[2] if found else b""


@contextmanager
def loopback(*answers: bytes, **ways: bool) -> Iterator[Loopback]:
    server = Loopback(*answers, **ways)
    try:
        yield server
    finally:
        server.close()


def chain(error: BaseException) -> Iterator[BaseException]:
    """The exception and every other that it knows of."""
    seen: set[int] = set()
    left: list[BaseException | None] = [error]
    while left:
        one = left.pop()
        if one is None or id(one) in seen:
            continue
        seen.add(id(one))
        yield one
        left += [one.__cause__, one.__context__]


def shown(error: BaseException) -> dict[str, str]:
    """Everything that a log, an error tracker or a worker's result backend might keep of an exception."""
    found: dict[str, str] = {}
    for number, one in enumerate(chain(error)):
        found[f"{number} str"] = str(one)
        found[f"{number} repr"] = repr(one)
        found[f"{number} args"] = repr(one.args)
        found[f"{number} vars"] = repr(vars(one))
        found[f"{number} pickle"] = repr(pickle.dumps(one))
    found["traceback"] = "".join(traceback.format_exception(error))
    with_locals = traceback.TracebackException.from_exception(error, capture_locals=True)
    found["locals"] = "".join(with_locals.format())
    out = io.StringIO()
    traceback.print_exception(error, file=out)
    found["printed"] = out.getvalue()
    return found


def leaks(texts: dict[str, str], secret: str) -> list[str]:
    """Where the secret, or its greater part, is to be seen."""
    part = secret[4:-4]
    return [
        f"{where}: …{text[max(0, text.index(part) - 200) : text.index(part) + 40]}"
        for where, text in texts.items()
        if part in text
    ]


def caught(act: Any) -> BaseException:
    """The exception that `act()` ends with, out of reach of the caller's own frame."""
    try:
        act()
    except BaseException as error:
        return error
    raise AssertionError("nothing was raised")
