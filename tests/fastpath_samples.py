"""Streams of every dialect over server-sent events, and both paths that read them, for the tests of the template path."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from typing import Any

from hypothesis import strategies as st

from ailib_sync.dialects.dialect import find
from ailib_sync.errors import AiLibError, ConnectionLost
from ailib_sync.pipeline.decode import frames_of
from ailib_sync.registry.manifest import Manifest
from ailib_sync.types.events import StreamingEvent
from tests.chat_values import MAX_EVENT_BYTES, stream_events

SSE = {"content-type": "text/event-stream"}


def data(value: Any, name: str = "") -> bytes:
    event = f"event: {name}\n" if name else ""
    return f"{event}data: {json.dumps(value, ensure_ascii=False)}\n\n".encode()


def openai_text(text: str, **more: Any) -> bytes:
    choice = {"index": 0, "delta": {"content": text}, "finish_reason": None}
    return data({"id": "c1", "object": "chat.completion.chunk", "model": "m", "choices": [choice], **more})


def anthropic_text(text: str) -> bytes:
    delta = {"type": "text_delta", "text": text}
    return data({"type": "content_block_delta", "index": 0, "delta": delta}, "content_block_delta")


def gemini_text(text: str) -> bytes:
    return data({"candidates": [{"content": {"parts": [{"text": text}], "role": "model"}}], "modelVersion": "m"})


def cohere_text(text: str) -> bytes:
    return data({"type": "content-delta", "index": 0, "delta": {"message": {"content": {"text": text}}}})


def responses_text(text: str) -> bytes:
    return data({"type": "response.output_text.delta", "item_id": "i", "output_index": 0, "delta": text})


def openai_thinking(text: str) -> bytes:
    delta = {"content": None, "reasoning_content": text}
    return data({"id": "c1", "model": "m", "choices": [{"index": 0, "delta": delta, "finish_reason": None}]})


def anthropic_thinking(text: str) -> bytes:
    delta = {"type": "thinking_delta", "thinking": text}
    return data({"type": "content_block_delta", "index": 0, "delta": delta}, "content_block_delta")


def gemini_thinking(text: str) -> bytes:
    return data({"candidates": [{"content": {"parts": [{"thought": True, "text": text}], "role": "model"}}]})


def cohere_thinking(text: str) -> bytes:
    return data({"type": "content-delta", "index": 0, "delta": {"message": {"content": {"thinking": text}}}})


def responses_thinking(text: str) -> bytes:
    path = {"item_id": "rs", "output_index": 7, "summary_index": 0}
    return data({"type": "response.reasoning_summary_text.delta", **path, "delta": text})


THINKING = {
    "openai_chat": openai_thinking,
    "anthropic_messages": anthropic_thinking,
    "gemini_generate": gemini_thinking,
    "cohere_chat": cohere_thinking,
    "openai_responses": responses_thinking,
}


def openai_call(text: str) -> bytes:
    delta = {"tool_calls": [{"index": 0, "function": {"arguments": text}}]}
    return data({"id": "c1", "model": "m", "choices": [{"index": 0, "delta": delta, "finish_reason": None}]})


def anthropic_call(text: str) -> bytes:
    delta = {"type": "input_json_delta", "partial_json": text}
    return data({"type": "content_block_delta", "index": 5, "delta": delta}, "content_block_delta")


def cohere_call(text: str) -> bytes:
    message = {"tool_calls": {"function": {"arguments": text}}}
    return data({"type": "tool-call-delta", "index": 5, "delta": {"message": message}})


def responses_call(text: str) -> bytes:
    return data({"type": "response.function_call_arguments.delta", "item_id": "fc", "output_index": 5, "delta": text})


#: Gemini's calls arrive complete.
CALLS = {
    "openai_chat": openai_call,
    "anthropic_messages": anthropic_call,
    "cohere_chat": cohere_call,
    "openai_responses": responses_call,
}
#: dialect → (a maker of text frames, the first frames, frames that may come in between, the last frames)
FORMATS: dict[str, tuple[Any, list[bytes], list[bytes], list[bytes]]] = {
    "openai_chat": (
        openai_text,
        [
            data({"id": "c1", "choices": [{"index": 0, "delta": {"role": "assistant", "content": ""}}]}),
            *(data({"id": "c1", "choices": [{"index": 0, "delta": {"tool_calls": [
                {"index": index, "id": f"t{index}", "type": "function", "function": {"name": "f", "arguments": ""}}]}}]})
              for index in (1, 0)),
        ],
        [
            openai_call("1").replace(b'"index": 0, "function"', b'"index": 1, "function"'),
            openai_call("1").replace(b'"index": 0, "function"', b'"index": 2, "function"'),
            openai_call("1").replace(b'"function": {', b'"id": "u", "function": {"name": "g", '),
            openai_text("also", usage={"prompt_tokens": 3, "completion_tokens": 1}),
            openai_text("other", id="c2"),
            openai_text("cited", citations=["https://a.example"]),
            data({"id": "c1", "choices": [{"index": 1, "delta": {"content": "second choice"}}]}),
            data({"id": "c1", "choices": [{"index": 0, "delta": {"content": "a", "annotations": [{"type": "x"}]}}]}),
            data({"id": "c1", "choices": [{"index": 0, "delta": {"reasoning_content": "hm"}}]}),
            data({"id": "c1", "choices": [{"index": 0, "delta": {"reasoning": "hm", "reasoning_details": [{"text": "hm"}]}}]}),
            data({"id": "c1", "choices": [{"index": 0, "delta": {"reasoning": "hm", "content": "a"}}]}),
            data({"error": {"message": "overloaded", "type": "server_error"}}),
        ],
        [data({"id": "c1", "choices": [{"index": 0, "delta": {}, "finish_reason": "stop"}]}), b"data: [DONE]\n\n"],
    ),
    "anthropic_messages": (
        anthropic_text,
        [
            data({"type": "message_start", "message": {"id": "m1", "model": "m", "usage": {"input_tokens": 3}}}),
            data({"type": "content_block_start", "index": 0, "content_block": {"type": "text", "text": ""}}),
            *(data({"type": "content_block_start", "index": index,
                     "content_block": {"type": "tool_use", "id": "t", "name": "f"}})
              for index in (4, 5)),
        ],
        [
            data({"type": "content_block_stop", "index": 5}),
            data({"type": "content_block_start", "index": 5, "content_block": {"type": "tool_use", "id": "u", "name": "g"}}),
            data({"type": "ping"}, "ping"),
            data({"type": "content_block_delta", "index": 0, "delta": {"type": "citations_delta", "citation": {"a": 1}}}),
            data({"type": "content_block_delta", "index": 0, "delta": {"type": "signature_delta", "signature": "AA=="}}),
            data({"type": "content_block_stop", "index": 0}),
            data({"type": "content_block_start", "index": 0, "content_block": {"type": "thinking", "thinking": ""}}),
            data({"type": "content_block_start", "index": 1, "content_block": {"type": "text", "text": "new"}}),
            data({"type": "error", "error": {"type": "overloaded_error", "message": "busy"}}, "error"),
        ],
        [
            data({"type": "message_delta", "delta": {"stop_reason": "end_turn"}, "usage": {"output_tokens": 9}}),
            data({"type": "message_stop"}, "message_stop"),
        ],
    ),
    "gemini_generate": (
        gemini_text,
        [],
        [
            data({"candidates": [{"content": {"parts": [{"text": "s", "thoughtSignature": "AA=="}], "role": "model"}}]}),
            data({"candidates": [{"content": {"parts": [{"text": "t", "thought": True}], "role": "model"}}]}),
            data({"candidates": [{"content": {"parts": [{"thought": True, "text": "t", "thoughtSignature": "AA=="}]}}]}),
            data({"candidates": [], "usageMetadata": {"promptTokenCount": 3}}),
        ],
        [data({"candidates": [{"content": {"parts": [{"text": "."}]}, "finishReason": "STOP"}]})],
    ),
    "cohere_chat": (
        cohere_text,
        [
            data({"type": "message-start", "id": "r1", "delta": {"message": {"role": "assistant"}}}),
            *(data({"type": "tool-call-start", "index": index, "delta": {"message": {
                "tool_calls": {"id": "t", "type": "function", "function": {"name": "f", "arguments": ""}}}}})
              for index in (4, 5)),
        ],
        [
            data({"type": "tool-call-end", "index": 5}),
            data({"type": "citation-start", "index": 0, "delta": {"message": {"citations": {"start": 0, "end": 2}}}}),
        ],
        [data({"type": "message-end", "delta": {"finish_reason": "COMPLETE", "usage": {"tokens": {"output_tokens": 2}}}})],
    ),
    "openai_responses": (
        responses_text,
        [
            data({"type": "response.output_item.added", "output_index": 0, "item": {"type": "message", "id": "i"}}),
            *(data({"type": "response.output_item.added", "output_index": index, "item": {
                "type": "function_call", "id": "fc", "call_id": "t", "name": "f", "arguments": ""}})
              for index in (4, 5)),
        ],
        [
            data({"type": "response.output_item.done", "output_index": 5, "item": {
                "type": "function_call", "id": "fc", "call_id": "t", "name": "f", "arguments": "{}"}}),
            data({"type": "response.content_part.added", "output_index": 0, "part": {"type": "output_text", "text": ""}}),
            responses_thinking("another paragraph").replace(b'"summary_index": 0', b'"summary_index": 1'),
            responses_thinking("another thought").replace(b'"output_index": 7', b'"output_index": 8'),
            data({"type": "response.output_item.done", "output_index": 7, "item": {"type": "reasoning", "id": "rs"}}),
        ],
        [data({"type": "response.completed", "response": {"id": "r1", "status": "completed", "output": []}})],
    ),
}  # fmt: skip

#: Makers of frames of text, of thinking, of arguments.
WRITERS: dict[str, list[Any]] = {name: [FORMATS[name][0], THINKING[name], CALLS.get(name, THINKING[name])] for name in FORMATS}

#: Frames of no format: comments, other line ends, bytes that are not UTF-8, text that is not JSON.
ODD = [
    b": keep-alive\n\n",
    b"\n",
    b"\r\n\r\n",
    b"data: {\r\r",
    b"event: x\n",
    b"data:\n\n",
    b"\xff\n\n",
    b'data: {"id": "c1", "choices": [{"index": 0, "delta": {"content": "\xff"}}]}\n\n',
    b'data: {"id": "c1", "choices": [{"index": 0, "delta": {"content": "a\x01"}, "finish_reason": null}]}\n\n',
    b"data: {\n\n",
    b"id: 7\ndata: {}\n\n",
]

TEXTS = st.sampled_from(["a", "b", "hello", " ", "", "é", "日本", "😀", 'say "', "\\", "\n", "\u2028", "\x7f", "id", "m"])


#: Values other than the text that differ from frame to frame; most are read by nobody.
VALUES = ("0", "7", "12", "-1.5", "1e5", "007", "null", '""', '"x"', '"error"', '"a\\u0062"', '"\\ud83d"', '"é"', '"7, "', "[]")


def varied(frame: bytes, position: str, value: str) -> bytes:
    """The frame with a value of its own in this position: a key of the JSON, or one of the words below."""
    if position == "first":
        return frame.replace(b"data: {", b'data: {"number": %b, ' % value.encode(), 1)
    if position == "last":
        return frame.removesuffix(b"}\n\n") + b', "obfuscation": %b}\n\n' % value.encode()
    if position == "padding":
        return frame.removesuffix(b"}\n\n") + b" " * len(value) + b"}\n\n"
    if position == "key":
        return frame.replace(b"data: {", b'data: {"k%d": 0, ' % len(value), 1)
    if position == "line":
        return b"id: %b\n%b" % (value.encode(), frame)
    return frame.replace(b'"%b": ' % position.encode(), b'"%b": %b, "was": ' % (position.encode(), value.encode()), 1)


POSITIONS = (
    *("first", "last", "padding", "key", "line", "id", "index", "type", "object", "finish_reason", "modelVersion", "item_id"),
    *("output_index", "summary_index", "thought", "content"),
)


@st.composite
def streams(draw: st.DrawFn) -> tuple[str, list[bytes]]:
    """A dialect, and a stream of it as chunks, cut anywhere."""
    name = draw(st.sampled_from(sorted(FORMATS)))
    _, first, between, last = FORMATS[name]
    positions = draw(st.lists(st.sampled_from(POSITIONS), max_size=2))
    values = st.sampled_from(draw(st.sampled_from((VALUES, VALUES[:3], VALUES[7:9]))))

    @st.composite
    def one(draw: st.DrawFn, make: Callable[[str], bytes]) -> bytes:
        frame = make(draw(TEXTS))
        for position in positions:
            frame = varied(frame, position, draw(values))
        return frame

    texts, thinking, calls = (st.lists(one(make), min_size=1, max_size=12) for make in WRITERS[name])
    rare = st.sampled_from(between + ODD).map(lambda frame: [frame])
    runs = draw(st.lists(st.one_of(texts, thinking, calls, texts, thinking, calls, rare), max_size=8))
    raw = b"".join([*first, *(frame for run in runs for frame in run), *(last if draw(st.booleans()) else last[:-1])])
    raw = raw.replace(b"\n", draw(st.sampled_from([b"\n", b"\n", b"\r\n", b"\r"])))
    cuts = sorted(draw(st.lists(st.integers(0, len(raw)), max_size=8)))
    return name, [raw[a:b] for a, b in zip([0, *cuts], [*cuts, len(raw)], strict=True)]


def manifest_with(dialect: str, *quirks: str) -> Manifest:
    return Manifest("test", "Test", dialect, "https://test.example", quirks=quirks)


def openai_delta_of(chunk: Any) -> tuple[str, object] | None:
    delta_of = find("openai_chat").chat.stream.delta_of
    assert delta_of is not None
    return delta_of(chunk, manifest_with("openai_chat"))


def plain_path(chunks: Iterator[bytes], manifest: Manifest, max_event: int = MAX_EVENT_BYTES) -> Iterator[StreamingEvent]:
    """The events without templates."""
    stream = find(manifest.dialect).chat.stream
    return stream.parse(frames_of(chunks, stream, max_event), manifest)


def template_path(chunks: Iterator[bytes], manifest: Manifest, max_event: int = MAX_EVENT_BYTES) -> Iterator[StreamingEvent]:
    """The events as a call reads them."""
    return stream_events(chunks, SSE, find(manifest.dialect), manifest, max_event)


def outcome(
    path: Any, chunks: list[bytes], manifest: Manifest, *, cut: bool = False, max_event: int = MAX_EVENT_BYTES
) -> list[Any]:
    """Each event with the number of chunks read before it, and the error at the end; `cut`: the connection is lost there."""
    read = 0

    def source() -> Iterator[bytes]:
        nonlocal read
        for chunk in chunks:
            read += 1
            yield chunk
        if cut:
            raise ConnectionLost("cut")

    seen: list[Any] = []
    try:
        for event in path(source(), manifest, max_event):
            seen.append((read, event))
    except AiLibError as error:
        seen.append((read, type(error), str(error)))
    return seen
