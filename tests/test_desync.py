"""Bytes after the end of a response are never read as the response to another request.

Matrix: the framing of the response × the extra bytes × how they arrive × complete call or stream, over plain TCP and TLS.
"""

from __future__ import annotations

import gzip
import json
import threading
import zlib
from dataclasses import dataclass
from time import sleep
from typing import Any

import pytest

from ailib_sync import AiClient, RetryPolicy
from ailib_sync.errors import AiLibError

from . import wire
from .faults.certificates import bundle, server_context
from .local_server import LocalServer, Peer, Request
from .time_limits import scaled

FORGED = "FORGED"


@dataclass
class Message:
    """The bytes of one response: head and body. `ok`: whether it is a success."""

    head: bytes
    body: bytes
    ok: bool = True


def chunked(*blocks: bytes, trailer: bytes = b"") -> bytes:
    return b"".join(wire.chunk(block) for block in blocks) + b"0\r\n" + trailer + b"\r\n"


def halves(data: bytes) -> tuple[bytes, bytes]:
    return data[: len(data) // 2], data[len(data) // 2 :]


def headers(kind: str, **more: str) -> dict[str, str]:
    return {"Content-Type": kind, **{name.replace("_", "-"): value for name, value in more.items()}}


def body_of(text: str, stream: bool) -> tuple[bytes, str]:
    if stream:
        return b"".join(wire.events([text])), "text/event-stream"
    return json.dumps(wire.completion(text)).encode(), "application/json"


def with_length(text: str, stream: bool) -> Message:
    body, kind = body_of(text, stream)
    return Message(wire.head(200, headers(kind, Content_Length=str(len(body)))), body)


def with_two_equal_lengths(text: str, stream: bool) -> Message:
    body, kind = body_of(text, stream)
    head = wire.head(200, headers(kind, Content_Length=str(len(body))))
    return Message(head[:-2] + b"content-length: %d\r\n\r\n" % len(body), body)


def with_chunks(text: str, stream: bool) -> Message:
    body, kind = body_of(text, stream)
    return Message(wire.head(200, headers(kind, Transfer_Encoding="chunked")), chunked(*halves(body)))


def with_chunk_extensions(text: str, stream: bool) -> Message:
    body, kind = body_of(text, stream)
    head = wire.head(200, headers(kind, Transfer_Encoding="chunked"))
    return Message(head, b"%x;a=b\r\n%b\r\n0;z\r\n\r\n" % (len(body), body))


def with_a_trailer(text: str, stream: bool) -> Message:
    body, kind = body_of(text, stream)
    return Message(wire.head(200, headers(kind, Transfer_Encoding="chunked")), chunked(body, trailer=b"X-T: 1\r\n"))


def with_chunks_and_length(text: str, stream: bool) -> Message:
    body, kind = body_of(text, stream)
    body = chunked(body)
    return Message(wire.head(200, headers(kind, Transfer_Encoding="chunked", Content_Length=str(len(body)))), body)


def compressed(text: str, stream: bool) -> Message:
    body, kind = body_of(text, stream)
    body = gzip.compress(body)
    return Message(wire.head(200, headers(kind, Content_Encoding="gzip", Content_Length=str(len(body)))), body)


def compressed_in_chunks(text: str, stream: bool) -> Message:
    body, kind = body_of(text, stream)
    body = zlib.compress(body)
    return Message(
        wire.head(200, headers(kind, Content_Encoding="deflate", Transfer_Encoding="chunked")), chunked(*halves(body))
    )


def after_an_interim_response(text: str, stream: bool) -> Message:
    message = with_length(text, stream)
    return Message(b"HTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\n" + message.head, message.body)


def in_http_1_0(text: str, stream: bool) -> Message:
    message = with_length(text, stream)
    return Message(message.head.replace(b"HTTP/1.1", b"HTTP/1.0")[:-2] + b"Connection: keep-alive\r\n\r\n", message.body)


def an_error(text: str, stream: bool) -> Message:
    body = json.dumps(wire.error_body(text)).encode()
    return Message(wire.head(400, headers("application/json", Content_Length=str(len(body)))), body, ok=False)


def an_error_in_chunks(text: str, stream: bool) -> Message:
    body = json.dumps(wire.error_body(text)).encode()
    return Message(wire.head(503, headers("application/json", Transfer_Encoding="chunked")), chunked(*halves(body)), ok=False)


def a_long_error(text: str, stream: bool) -> Message:
    body = json.dumps(wire.error_body(text + "x" * 100_000)).encode()
    return Message(wire.head(500, headers("application/json", Content_Length=str(len(body)))), body, ok=False)


def a_redirect(text: str, stream: bool) -> Message:
    return Message(wire.head(307, {"Location": "https://elsewhere.example/", "Content-Length": "5"}), b"moved", ok=False)


def without_content(text: str, stream: bool) -> Message:
    return Message(wire.head(204, {"Content-Type": "application/json"}), b"", ok=False)


def an_empty_body(text: str, stream: bool) -> Message:
    return Message(wire.head(429, headers("application/json", Content_Length="0")), b"", ok=False)


FRAMINGS = [
    with_length, with_two_equal_lengths, with_chunks, with_chunk_extensions, with_a_trailer, with_chunks_and_length, compressed,
    compressed_in_chunks, after_an_interim_response, in_http_1_0, an_error, an_error_in_chunks, a_long_error, a_redirect,
    without_content, an_empty_body,
]  # fmt: skip


def forged(stream: bool) -> bytes:
    message = with_length(FORGED, stream)
    return message.head + message.body


def extra_bytes(stream: bool) -> dict[str, bytes]:
    second = forged(stream)
    return {
        "a second response": second,
        "a blank line and a second response": b"\r\n" + second,
        "100 Continue and a second response": b"HTTP/1.1 100 Continue\r\n\r\n" + second,
        "two responses": second * 2,
        "the start of a response": second[:40],
        "CRLF": b"\r\n",
        "one byte": b"H",
        "a chunk": b"5\r\nhello\r\n0\r\n\r\n",
        "20 KB": b"x" * 20_000,
    }


def all_in_one(peer: Peer, message: Message, extra: bytes) -> None:
    peer.send(message.head + message.body + extra)


def head_apart(peer: Peer, message: Message, extra: bytes) -> None:
    peer.send(message.head)
    sleep(0.005)
    peer.send(message.body + extra)


def extra_in_the_last_byte(peer: Peer, message: Message, extra: bytes) -> None:
    peer.send(message.head + message.body[:-1])
    sleep(0.005)
    peer.send(message.body[-1:] + extra)


def extra_apart(peer: Peer, message: Message, extra: bytes) -> None:
    """In a TLS record of their own, which the client does not need to read."""
    peer.send(message.head + message.body)
    peer.send(extra)


ARRIVALS = [all_in_one, head_apart, extra_in_the_last_byte, extra_apart]


def outcome(client: AiClient, prompt: str, stream: bool) -> str:
    chat = client.chat().user(prompt)
    try:
        return (chat.stream().collect() if stream else chat.execute()).content
    except AiLibError as error:
        return f"{type(error).__name__}: {error}"


class Script:
    """Sends extra bytes after the response to the first request of each client, and clean responses to the others."""

    case: tuple[Any, ...]

    def __init__(self) -> None:
        self.sent = threading.Event()

    def __call__(self, peer: Peer, request: Request) -> bool:
        framing, extra, arrival, stream = self.case
        if request.prompt == "first":
            try:
                arrival(peer, framing("first", stream), extra)
            finally:
                self.sent.set()
            return True
        message = with_length(request.prompt, stream)
        peer.send(message.head + message.body)
        return True


@pytest.mark.parametrize("stream", [False, True], ids=["complete", "stream"])
@pytest.mark.parametrize("tls", [False, True], ids=["plain", "tls"])
@pytest.mark.parametrize("framing", FRAMINGS, ids=lambda framing: framing.__name__)
def test_extra_bytes_never_become_the_next_response(framing: Any, tls: bool, stream: bool, tmp_path: Any) -> None:
    script = Script()
    options: dict[str, Any] = {"ca_bundle": bundle(tmp_path)} if tls else {}
    wrong = []
    with LocalServer(script, tls=server_context("good") if tls else None) as server:
        for name, extra in extra_bytes(stream).items():
            for arrival in ARRIVALS:
                script.case = (framing, extra, arrival, stream)
                client = AiClient("openai/gpt-4o", base_url=server.url, api_key="k", retry=RetryPolicy(0), **options)
                script.sent.clear()
                outcome(client, "first", stream)
                # Bytes that arrive after the next request is sent cannot be told from its response.
                assert script.sent.wait(scaled(10))
                seen = [outcome(client, prompt, stream) for prompt in ("second", "third")]
                if seen != ["second", "third"]:
                    wrong.append((name, arrival.__name__, seen))
                client.close()
        assert not server.errors
    assert not wrong


@pytest.mark.parametrize("stream", [False, True], ids=["complete", "stream"])
@pytest.mark.parametrize("tls", [False, True], ids=["plain", "tls"])
@pytest.mark.parametrize("framing", FRAMINGS, ids=lambda framing: framing.__name__)
def test_without_extra_bytes_the_connection_is_reused(framing: Any, tls: bool, stream: bool, tmp_path: Any) -> None:
    script = Script()
    script.case = (framing, b"", all_in_one, stream)
    options: dict[str, Any] = {"ca_bundle": bundle(tmp_path)} if tls else {}
    with LocalServer(script, tls=server_context("good") if tls else None) as server:
        client = AiClient("openai/gpt-4o", base_url=server.url, api_key="k", retry=RetryPolicy(0), **options)
        for prompt in ("first", "second"):
            outcome(client, prompt, stream)
        reused = {request.connection for request in server.requests} == {1}
    assert reused == (framing is not with_chunks_and_length)
