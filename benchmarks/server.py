"""The provider of the benchmarks: sends prepared bytes over loopback, in one thread, and parses only the request's first lines.

The first part of a path is what is sent, the last part is the wire format: `/json/…`, `/stream-10000/…` (one HTTP chunk per
event), `/varied-10000/…` (each event also has a different number), `/plain-10000/…` (each event also has a different key),
`/thought-10000/…` and `/arguments-10000/…` (thinking, or the arguments of a tool call, instead of text), `/block-10000/…` (HTTP
chunks of 64 KiB), `/paced-200x5/…` (one event every 5 ms; its text is the monotonic time in ns at which it was sent).
"""

from __future__ import annotations

import heapq
import json
import re
import selectors
import socket
import sys
import time
from collections.abc import Callable
from functools import cache

WORDS = ("The", " quick", " brown", " fox", " jumps", " over", " the", " lazy", " dog", ".", " Größe", " 日本", " 🙂")
OK = b"HTTP/1.1 200 OK\r\nContent-Type: "


def word(number: int) -> str:
    return WORDS[number % len(WORDS)]


def text_of(number: int) -> str:
    """The text of a response with this number of events."""
    return "".join(map(word, range(number)))


def openai(text: str, kind: str = "") -> bytes:
    deltas = {
        "thought": {"content": None, "reasoning_content": text},
        "arguments": {"tool_calls": [{"index": 0, "function": {"arguments": text}}]},
    }
    return _chunk(deltas.get(kind, {"content": text}))


def _chunk(delta: dict[str, object], finish: str | None = None) -> bytes:
    choice = {"index": 0, "delta": delta, "logprobs": None, "finish_reason": finish}
    chunk = {"id": "chatcmpl-9f2c0e6bb1d04c4d", "object": "chat.completion.chunk", "created": 1764000000, "model": "gpt-4o"}
    event = {**chunk, "service_tier": "default", "system_fingerprint": "fp_560af6e559", "choices": [choice], "usage": None}
    return b"data: " + json.dumps(event, ensure_ascii=False, separators=(",", ":")).encode() + b"\n\n"


def anthropic(text: str, kind: str = "") -> bytes:
    deltas = {
        "thought": {"type": "thinking_delta", "thinking": text},
        "arguments": {"type": "input_json_delta", "partial_json": text},
    }
    delta = deltas.get(kind, {"type": "text_delta", "text": text})
    event = {"type": "content_block_delta", "index": 0, "delta": delta}
    return b"event: content_block_delta\ndata: " + json.dumps(event, ensure_ascii=False).encode() + b"\n\n"


def varied(event: bytes, number: int) -> bytes:
    """The event with a value that no other event has, like OpenAI's `obfuscation` and `sequence_number`."""
    return event.replace(b"data: {", b'data: {"number": %d, ' % number, 1)


def unlike(event: bytes, number: int) -> bytes:
    """The event with a key that no other event has."""
    return event.replace(b"data: {", b'data: {"number_%d": 0, ' % number, 1)


def _named(event: dict[str, object]) -> bytes:
    return f"event: {event['type']}\ndata: {json.dumps(event)}\n\n".encode()


def start(form: str, kind: str = "") -> list[bytes]:
    """The events before the first text."""
    if form == "openai":
        call = {"index": 0, "id": "t1", "type": "function", "function": {"name": "f", "arguments": ""}}
        return [_chunk({"tool_calls": [call]})] if kind == "arguments" else []
    blocks: dict[str, dict[str, object]] = {
        "thought": {"type": "thinking", "thinking": "", "signature": ""},
        "arguments": {"type": "tool_use", "id": "t1", "name": "f", "input": {}},
    }
    return [
        _named({"type": "message_start", "message": {
            "id": "msg_1", "type": "message", "role": "assistant", "model": "claude", "content": [], "stop_reason": None,
            "stop_sequence": None, "usage": {"input_tokens": 12, "output_tokens": 1}}}),
        _named({"type": "content_block_start", "index": 0, "content_block": blocks.get(kind, {"type": "text", "text": ""})}),
    ]  # fmt: skip


END = {
    "openai": [_chunk({}, "stop"), b"data: [DONE]\n\n"],
    "anthropic": [
        _named({"type": "content_block_stop", "index": 0}),
        _named({"type": "message_delta", "delta": {"stop_reason": "end_turn", "stop_sequence": None},
                "usage": {"output_tokens": 99}}),
        _named({"type": "message_stop"}),
    ],
}  # fmt: skip
EVENT: dict[str, Callable[..., bytes]] = {"openai": openai, "anthropic": anthropic}
COMPLETE = {
    "openai": {
        "id": "chatcmpl-9f2c0e6bb1d04c4d", "object": "chat.completion", "created": 1764000000, "model": "gpt-4o",
        "choices": [{"index": 0, "message": {"role": "assistant", "content": text_of(40), "refusal": None},
                     "logprobs": None, "finish_reason": "stop"}],
        "usage": {"prompt_tokens": 12, "completion_tokens": 40, "total_tokens": 52},
    },
    "anthropic": {
        "id": "msg_1", "type": "message", "role": "assistant", "model": "claude", "stop_reason": "end_turn",
        "stop_sequence": None, "content": [{"type": "text", "text": text_of(40)}],
        "usage": {"input_tokens": 12, "output_tokens": 40},
    },
}  # fmt: skip


def chunk(data: bytes) -> bytes:
    return b"%X\r\n%b\r\n" % (len(data), data)


@cache
def body(kind: str, number: int, form: str) -> bytes:
    """All bytes of a response that is not paced."""
    if kind == "json":
        data = json.dumps(COMPLETE[form]).encode()
        return OK + b"application/json\r\nContent-Length: %d\r\n\r\n" % len(data) + data
    events = [*start(form, kind), *(EVENT[form](word(i), kind) for i in range(number)), *END[form]]
    if kind == "varied":
        events = [varied(event, number) for number, event in enumerate(events)]
    elif kind == "plain":
        events = [unlike(event, number) for number, event in enumerate(events)]
    elif kind == "block":
        text = b"".join(events)
        events = [text[at : at + 65536] for at in range(0, len(text), 65536)]
    return head() + b"".join(map(chunk, events)) + b"0\r\n\r\n"


def head() -> bytes:
    return OK + b"text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n"


class Connection:
    """One client: the bytes it has sent, and those still to be sent to it."""

    def __init__(self, sock: socket.socket, server: Server) -> None:
        self.sock = sock
        self.server = server
        self.received = b""
        self.pending = memoryview(b"")

    def readable(self) -> None:
        try:
            data = self.sock.recv(65536)
        except OSError:
            data = b""
        if not data:
            self.server.drop(self)
            return
        self.received += data
        request_head, blank, rest = self.received.partition(b"\r\n\r\n")
        length = re.search(rb"(?i)\ncontent-length: *(\d+)", request_head)
        if blank and length and len(rest) >= int(length[1]):
            self.received = b""
            self.serve(request_head.split()[1].decode())

    def serve(self, path: str) -> None:
        kind, _, size = path.split("/")[1].partition("-")
        form = "anthropic" if path.endswith("messages") else "openai"
        if kind == "paced":
            number, _, interval = size.partition("x")
            self.send(head() + b"".join(map(chunk, start(form))))
            self.server.pace(self, form, int(number), float(interval) / 1000)
        else:
            self.send(body(kind, int(size or 0), form))

    def send(self, data: bytes) -> None:
        self.pending = memoryview(bytes(self.pending) + data if self.pending else data)
        self.writable()

    def writable(self) -> None:
        try:
            while self.pending:
                self.pending = self.pending[self.sock.send(self.pending[: 1 << 20]) :]
        except BlockingIOError:
            pass
        except OSError:
            self.server.drop(self)
            return
        self.server.watch(self, bool(self.pending))


class Server:
    """Serves until it is killed."""

    def __init__(self) -> None:
        self.selector = selectors.DefaultSelector()
        self.listener = socket.create_server(("127.0.0.1", 0), backlog=1024)
        self.listener.setblocking(False)
        self.selector.register(self.listener, selectors.EVENT_READ)
        self.due: list[tuple[float, int, Connection, str, int, float]] = []
        self.order = 0

    def run(self) -> None:
        print(self.listener.getsockname()[1], flush=True)
        while True:
            wait = max(self.due[0][0] - time.monotonic(), 0) if self.due else None
            for key, mask in self.selector.select(wait):
                if key.data is None:
                    self.accept()
                elif mask & selectors.EVENT_WRITE:
                    key.data.writable()
                else:
                    key.data.readable()
            while self.due and self.due[0][0] <= time.monotonic():
                self.send_due()

    def accept(self) -> None:
        sock, _ = self.listener.accept()
        sock.setblocking(False)
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.selector.register(sock, selectors.EVENT_READ, Connection(sock, self))

    def pace(self, connection: Connection, form: str, number: int, interval: float) -> None:
        self.order += 1
        heapq.heappush(self.due, (time.monotonic() + interval, self.order, connection, form, number, interval))

    def send_due(self) -> None:
        when, order, connection, form, number, interval = heapq.heappop(self.due)
        if connection.sock.fileno() < 0:
            return
        if number == 0:
            connection.send(b"".join(map(chunk, END[form])) + b"0\r\n\r\n")
            return
        connection.send(chunk(EVENT[form](f"{time.monotonic_ns()} ")))
        heapq.heappush(self.due, (when + interval, order, connection, form, number - 1, interval))

    def watch(self, connection: Connection, write: bool) -> None:
        events = selectors.EVENT_READ | (selectors.EVENT_WRITE if write else 0)
        if connection.sock.fileno() >= 0:
            self.selector.modify(connection.sock, events, connection)

    def drop(self, connection: Connection) -> None:
        if connection.sock.fileno() >= 0:
            self.selector.unregister(connection.sock)
            connection.sock.close()


if __name__ == "__main__":
    sys.stdout.reconfigure(line_buffering=True)  # type: ignore[union-attr]
    Server().run()
