"""A character that the server splits over two frames arrives complete or not at all; in every framing, on both paths."""

from __future__ import annotations

import json
from typing import Any

import pytest

from ailib_sync import AiClient
from ailib_sync.dialects.dialect import find
from ailib_sync.framing.ndjson import parse_ndjson
from ailib_sync.framing.sse import parse_sse_json
from ailib_sync.framing.surrogates import SurrogateJoiner
from ailib_sync.registry.manifest import Manifest
from ailib_sync.types.events import ContentDelta
from tests.chat_values import MAX_EVENT_BYTES, stream_events

SMILE, FAMILY = "😀", "👩‍👩‍👧"


def units(text: str) -> list[str]:
    """The text cut after every UTF-16 code unit, as JavaScript's `slice` can cut it."""
    raw = text.encode("utf-16-le")
    return [raw[at : at + 2].decode("utf-16-le", "surrogatepass") for at in range(0, len(raw), 2)]


def chat_chunks(fragments: list[str]) -> bytes:
    head = {"id": "c", "object": "chat.completion.chunk", "model": "m"}
    chunks = [{**head, "choices": [{"index": 0, "delta": {"content": text}, "finish_reason": None}]} for text in fragments]
    chunks.append({**head, "choices": [{"index": 0, "delta": {}, "finish_reason": "stop"}]})
    return b"".join(f"data: {json.dumps(chunk)}\n\n".encode() for chunk in chunks) + b"data: [DONE]\n\n"


def texts(raw: bytes, size: int) -> list[str]:
    manifest, headers = Manifest.load("openai"), {"content-type": "text/event-stream"}
    chunks = [raw[at : at + size] for at in range(0, len(raw), size)]
    events = stream_events(chunks, headers, find("openai_chat"), manifest)
    return [event.text for event in events if isinstance(event, ContentDelta)]


@pytest.mark.parametrize("size", [7, 150, 1000, 1 << 20])
def test_a_split_character_arrives_complete_with_its_second_surrogate(size: int) -> None:
    text = f'Plain words first, {SMILE}{SMILE} then {FAMILY} and "quotes" \\ and more plain words; {SMILE}'
    fragments = texts(chat_chunks(units(text)), size)
    assert "".join(fragments) == text
    assert all(fragment.encode() for fragment in fragments)  # an unpaired surrogate cannot be encoded


@pytest.mark.parametrize("size", [7, 1 << 20])
def test_an_unpaired_surrogate_is_dropped(size: int) -> None:
    assert "".join(texts(chat_chunks(["a", "b\ud83d", "c", "\ude00d", "e"]), size)) in ("abcde", "ab😀de", "abc😀de")
    assert "".join(texts(chat_chunks(["a", "b\ude00", "\ude00c", "d\ud83d"]), size)).encode()


def test_a_surrogate_waits_for_its_pair_at_the_same_path() -> None:
    joiner = SurrogateJoiner()

    def join(value: Any) -> Any:
        return joiner.join(json.dumps(value), value)

    assert join({"a": "x\ud83d", "b": ["y\ud83c"]}) == {"a": "x", "b": ["y"]}
    assert join({"b": ["\udf89!"]}) == {"b": ["🎉!"]}
    assert join({"a": "\ude00."}) == {"a": "😀."}
    assert join({"a": "\ud83d"}) == {"a": ""}
    assert join({"a": "\ude00\ud83d"}) == {"a": "😀"}
    assert join({"a": "\ude00"}) == {"a": "😀"}


def test_the_parsers_join_surrogates() -> None:
    lines = b"".join(json.dumps({"text": unit}).encode() + b"\n" for unit in units(SMILE))
    assert list(parse_ndjson([lines], MAX_EVENT_BYTES)) == [{"text": ""}, {"text": SMILE}]
    events = b"".join(b"data: " + json.dumps({"text": unit}).encode() + b"\n\n" for unit in units(SMILE))
    assert [value for _, value in parse_sse_json([events], MAX_EVENT_BYTES)] == [{"text": ""}, {"text": SMILE}]


@pytest.mark.parametrize(
    "written", [rb"Hi \ud83d", b"Hi \xed\xa0\xbd", rb"Hi \ud83d\ude00 \ude00"], ids=["escape", "bytes", "both"]
)
def test_a_complete_response_that_was_cut_inside_a_character_can_be_sent_back(written: bytes) -> None:
    from ailib_sync import Conversation
    from tests.local_server import LocalServer

    body = b'{"choices":[{"index":0,"message":{"role":"assistant","content":"%s"},"finish_reason":"length"}]}' % written

    def play(peer: Any, request: Any) -> bool:
        head = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n"
        peer.send(head % len(body) + body)
        return True

    with LocalServer(play) as server:
        talk = Conversation(AiClient("openai/gpt-4o", api_key="k", base_url=server.url))
        for _ in range(2):
            content = talk.say("one").content
            content.encode()
            assert content.startswith("Hi ")
        json.dumps(talk.dump(), ensure_ascii=False).encode()
        assert len(server.requests) == 2
