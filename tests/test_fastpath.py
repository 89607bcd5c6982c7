"""The template path gives exactly what the plain path gives, on any cut of any stream, and never later."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ailib_sync.dialects.dialect import find
from ailib_sync.errors import AiLibError, ConnectionLost, ResponseTooLarge
from ailib_sync.framing.fastpath import feed as fastpath
from ailib_sync.framing.fastpath.templates import Template, parted
from ailib_sync.pipeline.decode import frames_of
from ailib_sync.registry.manifest import Manifest
from ailib_sync.types.events import ContentDelta, PartialToolCall, StreamingEvent, ThinkingDelta
from tests.chat_values import MAX_EVENT_BYTES, stream_events

from .conformance.recordings import DIALECTS, body_of, manifest_of, needs_conformance, recordings


@pytest.fixture(autouse=True, scope="module")
def _at_once() -> Iterator[None]:
    """Templates are made of the first texts: the streams of these tests are short."""
    few, many = fastpath.FEW, fastpath.MANY
    fastpath.FEW = fastpath.MANY = 0
    yield
    fastpath.FEW, fastpath.MANY = few, many


SSE = {"content-type": "text/event-stream"}


def _data(value: Any, name: str = "") -> bytes:
    event = f"event: {name}\n" if name else ""
    return f"{event}data: {json.dumps(value, ensure_ascii=False)}\n\n".encode()


def _openai(text: str, **more: Any) -> bytes:
    choice = {"index": 0, "delta": {"content": text}, "finish_reason": None}
    return _data({"id": "c1", "object": "chat.completion.chunk", "model": "m", "choices": [choice], **more})


def _anthropic(text: str) -> bytes:
    delta = {"type": "text_delta", "text": text}
    return _data({"type": "content_block_delta", "index": 0, "delta": delta}, "content_block_delta")


def _gemini(text: str) -> bytes:
    return _data({"candidates": [{"content": {"parts": [{"text": text}], "role": "model"}}], "modelVersion": "m"})


def _cohere(text: str) -> bytes:
    return _data({"type": "content-delta", "index": 0, "delta": {"message": {"content": {"text": text}}}})


def _responses(text: str) -> bytes:
    return _data({"type": "response.output_text.delta", "item_id": "i", "output_index": 0, "delta": text})


def _openai_thought(text: str) -> bytes:
    delta = {"content": None, "reasoning_content": text}
    return _data({"id": "c1", "model": "m", "choices": [{"index": 0, "delta": delta, "finish_reason": None}]})


def _anthropic_thought(text: str) -> bytes:
    delta = {"type": "thinking_delta", "thinking": text}
    return _data({"type": "content_block_delta", "index": 0, "delta": delta}, "content_block_delta")


def _gemini_thought(text: str) -> bytes:
    return _data({"candidates": [{"content": {"parts": [{"thought": True, "text": text}], "role": "model"}}]})


def _cohere_thought(text: str) -> bytes:
    return _data({"type": "content-delta", "index": 0, "delta": {"message": {"content": {"thinking": text}}}})


def _responses_thought(text: str) -> bytes:
    place = {"item_id": "rs", "output_index": 7, "summary_index": 0}
    return _data({"type": "response.reasoning_summary_text.delta", **place, "delta": text})


THOUGHTS = {
    "openai_chat": _openai_thought,
    "anthropic_messages": _anthropic_thought,
    "gemini_generate": _gemini_thought,
    "cohere_chat": _cohere_thought,
    "openai_responses": _responses_thought,
}

def _openai_call(text: str) -> bytes:
    delta = {"tool_calls": [{"index": 0, "function": {"arguments": text}}]}
    return _data({"id": "c1", "model": "m", "choices": [{"index": 0, "delta": delta, "finish_reason": None}]})


def _anthropic_call(text: str) -> bytes:
    delta = {"type": "input_json_delta", "partial_json": text}
    return _data({"type": "content_block_delta", "index": 5, "delta": delta}, "content_block_delta")


def _cohere_call(text: str) -> bytes:
    message = {"tool_calls": {"function": {"arguments": text}}}
    return _data({"type": "tool-call-delta", "index": 5, "delta": {"message": message}})


def _responses_call(text: str) -> bytes:
    return _data({"type": "response.function_call_arguments.delta", "item_id": "fc", "output_index": 5, "delta": text})


#: Gemini's calls come whole.
CALLS = {
    "openai_chat": _openai_call,
    "anthropic_messages": _anthropic_call,
    "cohere_chat": _cohere_call,
    "openai_responses": _responses_call,
}
#: dialect → (a frame of text, its first frames, frames that may come in between, its last frames)
FORMATS: dict[str, tuple[Any, list[bytes], list[bytes], list[bytes]]] = {
    "openai_chat": (
        _openai,
        [
            _data({"id": "c1", "choices": [{"index": 0, "delta": {"role": "assistant", "content": ""}}]}),
            *(_data({"id": "c1", "choices": [{"index": 0, "delta": {"tool_calls": [
                {"index": index, "id": f"t{index}", "type": "function", "function": {"name": "f", "arguments": ""}}]}}]})
              for index in (1, 0)),
        ],
        [
            _openai_call("1").replace(b'"index": 0, "function"', b'"index": 1, "function"'),
            _openai_call("1").replace(b'"index": 0, "function"', b'"index": 2, "function"'),
            _openai_call("1").replace(b'"function": {', b'"id": "u", "function": {"name": "g", '),
            _openai("also", usage={"prompt_tokens": 3, "completion_tokens": 1}),
            _openai("other", id="c2"),
            _openai("cited", citations=["https://a.example"]),
            _data({"id": "c1", "choices": [{"index": 1, "delta": {"content": "second choice"}}]}),
            _data({"id": "c1", "choices": [{"index": 0, "delta": {"content": "a", "annotations": [{"type": "x"}]}}]}),
            _data({"id": "c1", "choices": [{"index": 0, "delta": {"reasoning_content": "hm"}}]}),
            _data({"id": "c1", "choices": [{"index": 0, "delta": {"reasoning": "hm", "reasoning_details": [{"text": "hm"}]}}]}),
            _data({"id": "c1", "choices": [{"index": 0, "delta": {"reasoning": "hm", "content": "a"}}]}),
            _data({"error": {"message": "overloaded", "type": "server_error"}}),
        ],
        [_data({"id": "c1", "choices": [{"index": 0, "delta": {}, "finish_reason": "stop"}]}), b"data: [DONE]\n\n"],
    ),
    "anthropic_messages": (
        _anthropic,
        [
            _data({"type": "message_start", "message": {"id": "m1", "model": "m", "usage": {"input_tokens": 3}}}),
            _data({"type": "content_block_start", "index": 0, "content_block": {"type": "text", "text": ""}}),
            *(_data({"type": "content_block_start", "index": index,
                     "content_block": {"type": "tool_use", "id": "t", "name": "f"}})
              for index in (4, 5)),
        ],
        [
            _data({"type": "content_block_stop", "index": 5}),
            _data({"type": "content_block_start", "index": 5, "content_block": {"type": "tool_use", "id": "u", "name": "g"}}),
            _data({"type": "ping"}, "ping"),
            _data({"type": "content_block_delta", "index": 0, "delta": {"type": "citations_delta", "citation": {"a": 1}}}),
            _data({"type": "content_block_delta", "index": 0, "delta": {"type": "signature_delta", "signature": "AA=="}}),
            _data({"type": "content_block_stop", "index": 0}),
            _data({"type": "content_block_start", "index": 0, "content_block": {"type": "thinking", "thinking": ""}}),
            _data({"type": "content_block_start", "index": 1, "content_block": {"type": "text", "text": "new"}}),
            _data({"type": "error", "error": {"type": "overloaded_error", "message": "busy"}}, "error"),
        ],
        [
            _data({"type": "message_delta", "delta": {"stop_reason": "end_turn"}, "usage": {"output_tokens": 9}}),
            _data({"type": "message_stop"}, "message_stop"),
        ],
    ),
    "gemini_generate": (
        _gemini,
        [],
        [
            _data({"candidates": [{"content": {"parts": [{"text": "s", "thoughtSignature": "AA=="}], "role": "model"}}]}),
            _data({"candidates": [{"content": {"parts": [{"text": "t", "thought": True}], "role": "model"}}]}),
            _data({"candidates": [{"content": {"parts": [{"thought": True, "text": "t", "thoughtSignature": "AA=="}]}}]}),
            _data({"candidates": [], "usageMetadata": {"promptTokenCount": 3}}),
        ],
        [_data({"candidates": [{"content": {"parts": [{"text": "."}]}, "finishReason": "STOP"}]})],
    ),
    "cohere_chat": (
        _cohere,
        [
            _data({"type": "message-start", "id": "r1", "delta": {"message": {"role": "assistant"}}}),
            *(_data({"type": "tool-call-start", "index": index, "delta": {"message": {
                "tool_calls": {"id": "t", "type": "function", "function": {"name": "f", "arguments": ""}}}}})
              for index in (4, 5)),
        ],
        [
            _data({"type": "tool-call-end", "index": 5}),
            _data({"type": "citation-start", "index": 0, "delta": {"message": {"citations": {"start": 0, "end": 2}}}}),
        ],
        [_data({"type": "message-end", "delta": {"finish_reason": "COMPLETE", "usage": {"tokens": {"output_tokens": 2}}}})],
    ),
    "openai_responses": (
        _responses,
        [
            _data({"type": "response.output_item.added", "output_index": 0, "item": {"type": "message", "id": "i"}}),
            *(_data({"type": "response.output_item.added", "output_index": index, "item": {
                "type": "function_call", "id": "fc", "call_id": "t", "name": "f", "arguments": ""}})
              for index in (4, 5)),
        ],
        [
            _data({"type": "response.output_item.done", "output_index": 5, "item": {
                "type": "function_call", "id": "fc", "call_id": "t", "name": "f", "arguments": "{}"}}),
            _data({"type": "response.content_part.added", "output_index": 0, "part": {"type": "output_text", "text": ""}}),
            _responses_thought("another paragraph").replace(b'"summary_index": 0', b'"summary_index": 1'),
            _responses_thought("another thought").replace(b'"output_index": 7', b'"output_index": 8'),
            _data({"type": "response.output_item.done", "output_index": 7, "item": {"type": "reasoning", "id": "rs"}}),
        ],
        [_data({"type": "response.completed", "response": {"id": "r1", "status": "completed", "output": []}})],
    ),
}  # fmt: skip

#: What makes frames of text, of thinking, of arguments.
WRITERS: dict[str, list[Any]] = {name: [FORMATS[name][0], THOUGHTS[name], CALLS.get(name, THOUGHTS[name])] for name in FORMATS}

#: Frames of no format: comments, other line ends, bytes that are no UTF-8, JSON that is none.
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


#: Values that differ from frame to frame beside the text; most are read by nobody.
VALUES = ("0", "7", "12", "-1.5", "1e5", "007", "null", '""', '"x"', '"error"', '"a\\u0062"', '"\\ud83d"', '"é"', '"7, "', "[]")


def _varied(frame: bytes, kind: str, value: str) -> bytes:
    """The frame with a value of its own in a place of this kind."""
    if kind == "first":
        return frame.replace(b"data: {", b'data: {"number": %b, ' % value.encode(), 1)
    if kind == "last":
        return frame.removesuffix(b"}\n\n") + b', "obfuscation": %b}\n\n' % value.encode()
    if kind == "padding":
        return frame.removesuffix(b"}\n\n") + b" " * len(value) + b"}\n\n"
    if kind == "key":
        return frame.replace(b"data: {", b'data: {"k%d": 0, ' % len(value), 1)
    if kind == "line":
        return b"id: %b\n%b" % (value.encode(), frame)
    return frame.replace(b'"%b": ' % kind.encode(), b'"%b": %b, "was": ' % (kind.encode(), value.encode()), 1)


KINDS = (
    *("first", "last", "padding", "key", "line", "id", "index", "type", "object", "finish_reason", "modelVersion", "item_id"),
    *("output_index", "summary_index", "thought", "content"),
)


@st.composite
def _streams(draw: st.DrawFn) -> tuple[str, list[bytes]]:
    """A dialect, and its stream as chunks cut anywhere."""
    name = draw(st.sampled_from(sorted(FORMATS)))
    _, first, between, last = FORMATS[name]
    kinds = draw(st.lists(st.sampled_from(KINDS), max_size=2))
    values = st.sampled_from(draw(st.sampled_from((VALUES, VALUES[:3], VALUES[7:9]))))

    @st.composite
    def one(draw: st.DrawFn, make: Callable[[str], bytes]) -> bytes:
        frame = make(draw(TEXTS))
        for kind in kinds:
            frame = _varied(frame, kind, draw(values))
        return frame

    texts, thoughts, calls = (st.lists(one(make), min_size=1, max_size=12) for make in WRITERS[name])
    rare = st.sampled_from(between + ODD).map(lambda frame: [frame])
    runs = draw(st.lists(st.one_of(texts, thoughts, calls, texts, thoughts, calls, rare), max_size=8))
    raw = b"".join([*first, *(frame for run in runs for frame in run), *(last if draw(st.booleans()) else last[:-1])])
    raw = raw.replace(b"\n", draw(st.sampled_from([b"\n", b"\n", b"\r\n", b"\r"])))
    cuts = sorted(draw(st.lists(st.integers(0, len(raw)), max_size=8)))
    return name, [raw[a:b] for a, b in zip([0, *cuts], [*cuts, len(raw)], strict=True)]


def _manifest(dialect: str, *quirks: str) -> Manifest:
    return Manifest("test", "Test", dialect, "https://test.example", quirks=quirks)


def _delta_of(chunk: Any) -> tuple[str, object] | None:
    delta_of = find("openai_chat").chat.stream.delta_of
    assert delta_of is not None
    return delta_of(chunk, _manifest("openai_chat"))


def _plain(
    chunks: Iterator[bytes], dialect: str, manifest: Manifest, max_event: int = MAX_EVENT_BYTES
) -> Iterator[StreamingEvent]:
    stream = find(dialect).chat.stream
    return stream.parse(frames_of(chunks, stream, max_event), manifest)


def _fast(
    chunks: Iterator[bytes], dialect: str, manifest: Manifest, max_event: int = MAX_EVENT_BYTES
) -> Iterator[StreamingEvent]:
    return stream_events(chunks, SSE, find(dialect), manifest, max_event)


def _seen(path: Any, chunks: list[bytes], dialect: str, manifest: Manifest, cut: bool, *limit: int) -> list[Any]:
    """Each event with the number of chunks that had been read when it came, and how it ended."""
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
        for event in path(source(), dialect, manifest, *limit):
            seen.append((read, event))
    except AiLibError as error:
        seen.append((read, type(error), str(error)))
    return seen


LIMITS = st.sampled_from((MAX_EVENT_BYTES, MAX_EVENT_BYTES, 100, 120, 140, 160, 180, 200, 400))


@settings(max_examples=600, deadline=None)
@given(_streams(), st.booleans(), st.booleans(), LIMITS)
def test_it_gives_what_the_plain_path_gives_and_as_early(
    stream: tuple[str, list[bytes]], cut: bool, tags: bool, limit: int
) -> None:
    dialect, chunks = stream
    manifest = _manifest(dialect, *(("think_tags",) if tags else ()))
    assert _seen(_fast, chunks, dialect, manifest, cut, limit) == _seen(_plain, chunks, dialect, manifest, cut, limit)


@pytest.mark.parametrize("dialect", sorted(FORMATS))
@pytest.mark.parametrize("size", [1, 7, 64, 1000, 10_000_000])
def test_a_long_stream_is_the_same_in_blocks_of_any_size(dialect: str, size: int) -> None:
    text, first, between, last = FORMATS[dialect]
    words = [f"wörd {i}" if i % 7 else f'"{i}"\n' for i in range(200)]
    raw = b"".join([*first, *map(text, words), between[0], *map(text, words), *last])
    chunks = [raw[at : at + size] for at in range(0, len(raw), size)]
    manifest = _manifest(dialect)
    assert _seen(_fast, chunks, dialect, manifest, False) == _seen(_plain, chunks, dialect, manifest, False)


@pytest.fixture
def parsed(monkeypatch: pytest.MonkeyPatch) -> list[bytes]:
    """The blocks that go the plain way."""
    parsed: list[bytes] = []
    blocks_of = fastpath.Feed.blocks

    def watched(self: fastpath.Feed) -> Iterator[bytes]:
        for block in blocks_of(self):
            parsed.append(block)
            yield block

    monkeypatch.setattr(fastpath.Feed, "blocks", watched)
    return parsed


@pytest.mark.parametrize("dialect", sorted(FORMATS))
@pytest.mark.parametrize("together", [1, 2, 100])
@pytest.mark.parametrize("kind", ["none", "first", "last", "padding", "line", "line ends"])
@pytest.mark.parametrize("writer", [0, 1, 2])
def test_it_is_really_taken(dialect: str, together: int, kind: str, writer: int, parsed: list[bytes]) -> None:
    """Once a template is found, no frame of text goes the plain way, however many come in a block, and whatever differs."""
    _, first, _, last = FORMATS[dialect]
    text = WRITERS[dialect][writer]
    frames = [_varied(text(f"word {i}"), kind, str(10 ** (i % 7))) for i in range(203)]
    needed = 2 if kind in ("none", "line ends") else 3
    seen, frames = frames[:needed], frames[needed:]
    blocks = [*first, *seen, *(b"".join(frames[at : at + together]) for at in range(0, len(frames), together)), *last]
    if kind == "line ends":
        blocks = [block.replace(b"\n", b"\r\n") for block in blocks]
    events = list(_fast(iter(blocks), dialect, _manifest(dialect)))
    others = b"".join(parsed).removeprefix(b"".join([*first, *seen])).removesuffix(b"".join(last))
    assert others.count(b"data: ") == (text is CALLS.get(dialect))  # the arguments once more, in one frame
    assert sum(isinstance(event, (ContentDelta, ThinkingDelta, PartialToolCall)) for event in events) >= 202


@pytest.mark.parametrize("dialect", sorted(FORMATS))
def test_kinds_that_take_turns_have_a_template_each(dialect: str, parsed: list[bytes]) -> None:
    _, first, _, last = FORMATS[dialect]
    turns = [make(f"word {turn} {n}") for turn in range(30) for make in WRITERS[dialect] for n in range(20)]
    events = list(_fast(iter([*first, *turns, *last]), dialect, _manifest(dialect)))
    assert events == list(_plain(iter([*first, *turns, *last]), dialect, _manifest(dialect)))
    assert sum(b"word" in block for block in parsed) < 300  # of 1800: two or three at each turn


@pytest.mark.parametrize("kind", ["none", "last"])
def test_it_begins_when_it_pays(kind: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fastpath, "FEW", 5)
    monkeypatch.setattr(fastpath, "MANY", 20)
    frames = [_varied(_openai(f"word {i}"), kind, str(i)) for i in range(100)]
    read = 0

    def parse(blocks: Iterator[bytes]) -> Iterator[StreamingEvent]:
        for event in _plain(blocks, "openai_chat", _manifest("openai_chat")):
            nonlocal read
            read += isinstance(event, ContentDelta)
            yield event

    events = list(fastpath.template_events(iter([*frames, *FORMATS["openai_chat"][3]]), parse, _delta_of, MAX_EVENT_BYTES))
    assert sum(isinstance(event, ContentDelta) for event in events) == 100
    assert read == (7 if kind == "none" else 22)


@pytest.mark.parametrize("dialect", sorted(CALLS))
def test_long_arguments_are_told_in_parts(dialect: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """As one frame they would be too large to be read."""
    monkeypatch.setattr(fastpath, "MAX_UNTOLD", 100_000)
    _, first, _, last = FORMATS[dialect]
    chunks = [*first, *(CALLS[dialect]("x" * 1000) for _ in range(1000)), *last]
    manifest = _manifest(dialect)
    assert list(_fast(iter(chunks), dialect, manifest, 200_000)) == list(_plain(iter(chunks), dialect, manifest, 200_000))


@pytest.mark.parametrize("dialect", sorted(CALLS))
@pytest.mark.parametrize("text", ["x", '"', "\n", "\x01", "é", "😀"])
def test_arguments_larger_than_one_event_may_be_are_told_in_several(dialect: str, text: str, parsed: list[bytes]) -> None:
    _, first, _, last = FORMATS[dialect]
    frames = [CALLS[dialect](text * 20) for _ in range(100)]
    limit = max(map(len, [*first, *frames, *last]))
    chunks, manifest = [*first, *frames, *last], _manifest(dialect)
    assert list(_fast(iter(chunks), dialect, manifest, limit)) == list(_plain(iter(chunks), dialect, manifest, limit))
    assert sum(block.count(b"\n\n") for block in parsed) > len(first) + len(last) + 5


@pytest.mark.parametrize("dialect", sorted(FORMATS))
@pytest.mark.parametrize("writer", [0, 1, 2])
@pytest.mark.parametrize("together", [1, 3, 1000])
def test_an_event_too_large_is_refused_on_both_paths(dialect: str, writer: int, together: int) -> None:
    """The frame fits the template, but for its size."""
    _, first, _, last = FORMATS[dialect]
    make = WRITERS[dialect][writer]
    size = len(make(""))
    limit = max(size + 200, *map(len, [*first, *last]))
    for length, fits in ((limit - size + 2, True), (limit - size + 3, False)):
        frames = [*(make(f"word {n}") for n in range(100)), make("x" * length), *(make("more") for _ in range(5))]
        chunks = [*first, *(b"".join(frames[at : at + together]) for at in range(0, len(frames), together)), *last]
        seen = _seen(_fast, chunks, dialect, _manifest(dialect), False, limit)
        assert seen == _seen(_plain, chunks, dialect, _manifest(dialect), False, limit)
        failure = f"one event of the stream is larger than {limit} bytes (Limits.event)"
        assert (seen[-1][1:] == (ResponseTooLarge, failure)) == (not fits)
        texts = [e for _, e, *_ in seen if isinstance(e, (ContentDelta, ThinkingDelta, PartialToolCall))]
        assert len(texts) >= (105 if fits else 100)


def test_it_stops_trying_where_every_frame_is_different() -> None:
    frames = [_openai(f"word {i}", **{f"key{i}": 0}) for i in range(400)]
    made: list[fastpath.Feed] = []

    def read(blocks: Iterator[bytes]) -> Iterator[StreamingEvent]:
        made.append(blocks.gi_frame.f_locals["self"])  # type: ignore[attr-defined]
        return _plain(blocks, "openai_chat", _manifest("openai_chat"))

    events = fastpath.template_events(iter([*frames, *FORMATS["openai_chat"][3]]), read, _delta_of, MAX_EVENT_BYTES)
    assert sum(isinstance(event, ContentDelta) for event in events) == 400
    assert made[0].stopped


@pytest.mark.parametrize(
    "chunks",
    [
        pytest.param([_openai("d")[:-4] + b"\r\r", _openai("e")], id="a blank line of other line ends is not waited behind"),
        pytest.param([b"event: error\n", _openai("d"), _openai("e")], id="the name of an event may have come before"),
        pytest.param([b"data: 1\n", _openai("d"), _openai("e")], id="the data of an event may have come before"),
        pytest.param([_openai("d" * 40_000)[:30_000], _openai("d" * 40_000)[30_000:], _openai("e")], id="a huge text"),
    ],
)
def test_what_a_template_does_not_see(chunks: list[bytes]) -> None:
    chunks = [_openai("a"), _openai("b"), _openai("c"), *chunks, *FORMATS["openai_chat"][3]]
    manifest = _manifest("openai_chat")
    plain = _seen(_plain, chunks, "openai_chat", manifest, False)
    assert _seen(_fast, chunks, "openai_chat", manifest, False) == plain


def test_a_text_that_also_stands_elsewhere_is_told_apart() -> None:
    """The place of the text is proven, not guessed: here the id and the model hold the same letters."""
    template = Template.of(parted(_openai("c1")), "c1", _delta_of)
    assert template is not None
    assert template.read(_openai("x") + _openai("y"))[0] == ["x", "y"]
    assert template.read(_openai("x", id="x"))[0] == []


def test_a_value_that_is_read_may_not_differ() -> None:
    """Which choice a text belongs to is a number like the others: only a trial tells them apart."""
    template = Template.of(parted(_openai("a")), "a", _delta_of)
    assert template is not None
    other = _openai("b").replace(b'"index": 0', b'"index": 1')
    assert template.widened(parted(other), "b", _delta_of) is None
    numbered = template.widened(parted(_openai("b", id="c2")), "b", _delta_of)
    assert numbered is not None
    assert numbered.read(_openai("x", id="c3") + _openai("y", id="c4") + other)[0] == ["x", "y"]


STREAMS = [r for r in recordings() if r["stream"] and r["status"] < 400 and DIALECTS[r["dialect"]] in FORMATS]


@needs_conformance
@pytest.mark.parametrize("size", [1, 100, 3000, 1 << 20])
def test_recordings_are_the_same_on_both_paths(size: int) -> None:
    assert len(STREAMS) > 80
    for recording in STREAMS:
        raw, manifest = body_of(recording), manifest_of(recording)
        chunks = [raw[at : at + size] for at in range(0, len(raw), size)]
        fast = _seen(_fast, chunks, manifest.dialect, manifest, False)
        assert fast == _seen(_plain, chunks, manifest.dialect, manifest, False), recording["id"]


@pytest.mark.parametrize("name", sorted(set(DIALECTS.values())))
def test_only_dialects_over_server_sent_events_have_templates(name: str) -> None:
    dialect = find(name)
    assert (dialect.chat.stream.delta_of is not None) == (dialect.chat.stream.framing == "sse")
