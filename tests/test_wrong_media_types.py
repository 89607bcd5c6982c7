"""Responses of another kind than their media type says, or than requested: streams as JSON, complete responses as streams."""

from __future__ import annotations

import json
from typing import Any

import pytest

from ailib_sync import AiClient, ProtocolError, ServerError

from . import wire
from .local_server import LocalServer, Peer, Request


def sse(*events: Any) -> bytes:
    texts = (event if isinstance(event, bytes) else json.dumps(event).encode() for event in events)
    return b"".join(b"data: " + text + b"\n\n" for text in texts)


def chunk(text: str | None = None, finish: str | None = None) -> dict[str, Any]:
    return {"id": "c", "choices": [{"index": 0, "delta": {"content": text} if text else {}, "finish_reason": finish}]}


OPENAI = sse(chunk("Hel"), chunk("lo"), chunk(None, "stop"), b"[DONE]")
GEMINI = sse({"candidates": [{"content": {"role": "model", "parts": [{"text": "Hello"}]}, "finishReason": "STOP"}]})
OLLAMA = b'{"message":{"content":"Hel"},"done":false}\n{"message":{"content":"lo"},"done":true,"done_reason":"stop"}\n'


def answer(model: str, body: bytes, kind: str | None, stream: bool, parts: int = 1) -> Any:
    """The text that a client reads of this body, which arrives in `parts` chunks."""
    headers = {} if kind is None else {"Content-Type": kind}

    def play(peer: Peer, request: Request) -> bool:
        if parts == 1:
            peer.send(wire.reply(200, body, headers))
            return True
        head = "".join(f"{name}: {value}\r\n" for name, value in headers.items()).encode()
        peer.send(b"HTTP/1.1 200 OK\r\n" + head + b"Transfer-Encoding: chunked\r\n\r\n")
        for byte in body:
            peer.send(wire.chunk(bytes([byte])))
        peer.send(wire.LAST_CHUNK)
        return True

    with LocalServer(play) as server:
        chat = AiClient(model, base_url=server.url, api_key="k", retry=0).chat().user("x")
        return "".join(chat.stream().text()) if stream else chat.execute().content


@pytest.mark.parametrize("kind", ["application/json", "application/json; charset=utf-8", "text/html", "text/plain", "", None])
@pytest.mark.parametrize(("model", "body"), [("openai/gpt-4o", OPENAI), ("gemini/gemini-3-flash", GEMINI)])
@pytest.mark.parametrize("parts", [1, 2])
def test_a_stream_under_another_media_type(kind: str | None, model: str, body: bytes, parts: int) -> None:
    assert answer(model, body, kind, True, parts) == "Hello"
    assert answer(model, b"\xef\xbb\xbf\n" + body, kind, True) == "Hello"


@pytest.mark.parametrize(
    ("model", "body", "kind"),
    [
        ("openai/gpt-4o", OPENAI, "text/event-stream"),
        ("openai/gpt-4o", OPENAI, "application/json"),
        ("openai/gpt-4o", OPENAI, None),
        ("gemini/gemini-3-flash", GEMINI, "text/event-stream"),
        ("ollama/x?dialect=ollama_chat", OLLAMA, "application/x-ndjson"),
        ("ollama/x?dialect=ollama_chat", OLLAMA, "application/json"),
    ],
)
def test_a_complete_response_that_comes_as_a_stream(model: str, body: bytes, kind: str | None) -> None:
    assert answer(model, body, kind, False) == "Hello"


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize("kind", ["text/html", None])
def test_a_login_page_is_an_error(stream: bool, kind: str | None) -> None:
    with pytest.raises(ProtocolError):
        answer("openai/gpt-4o", b"<html>log in: data:</html>", kind, stream)


def test_a_failed_stream_in_place_of_a_complete_response_is_an_error_with_its_part() -> None:
    with pytest.raises(ServerError) as caught:
        answer("openai/gpt-4o", sse(chunk("Hel"), chunk(None, "error")), "text/event-stream", False)
    assert caught.value.partial is not None
    assert caught.value.partial.content == "Hel"


def test_a_model_that_only_streams_is_asked_for_a_stream() -> None:
    def play(peer: Peer, request: Request) -> bool:
        assert request.streams
        peer.send(wire.reply(200, OPENAI, {"Content-Type": "text/event-stream"}))
        return True

    with LocalServer(play) as server:
        chat = AiClient("qwen/qwen3-8b", base_url=server.url, api_key="k", retry=0).chat().user("x")
        assert chat.execute().content == "Hello"
        assert chat.explain().body["stream"] is True
        assert server.requests[0].headers["accept"] == "text/event-stream"
        assert "stream" not in AiClient("qwen/qwen-max", api_key="k").chat().user("x").explain().body


@pytest.mark.parametrize(
    ("text", "thinking", "content"),
    [
        ("Hm.\n</think>\n\nHello", "Hm.", "Hello"),
        ("<think>Hm.</think>Hello", "Hm.", "Hello"),
        ("The tag </think> ends it.", None, "The tag </think> ends it."),
        ("Hello", None, "Hello"),
    ],
)
def test_the_think_tags_of_local_servers(text: str, thinking: str | None, content: str) -> None:
    with LocalServer(lambda peer, request: peer.send(wire.reply(200, wire.completion(text))) or True) as server:
        response = AiClient("vllm/m", base_url=server.url).chat().user("x").execute()
    assert (response.thinking, response.content) == (thinking, content)
