"""Streams of every dialect over server-sent events, and both paths that read them, for the tests of the template path."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from hypothesis import strategies as st

from ailib_sync.dialects.dialect import find
from ailib_sync.errors import AiLibError, ConnectionLost
from ailib_sync.pipeline.decode import frames_of
from ailib_sync.registry.manifest import Manifest
from ailib_sync.types.events import StreamingEvent
from tests.chat_values import MAX_EVENT_BYTES, stream_events
from tests.dialects.samples import FAST
from tests.dialects.samples.openai_chat import text_frame

SSE = {"content-type": "text/event-stream"}


#: Makers of frames of text, of thinking, of arguments.
WRITERS: dict[str, list[Callable[[str], bytes]]] = {
    name: [fast.text, fast.thinking, fast.arguments or fast.thinking] for name, fast in FAST.items()
}
#: The dialects whose calls have fragments of arguments, and a maker of their frames.
CALLS = {name: fast.arguments for name, fast in FAST.items() if fast.arguments is not None}

openai_text = text_frame

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
    name = draw(st.sampled_from(sorted(FAST)))
    fast = FAST[name]
    positions = draw(st.lists(st.sampled_from(POSITIONS), max_size=2))
    values = st.sampled_from(draw(st.sampled_from((VALUES, VALUES[:3], VALUES[7:9]))))

    @st.composite
    def one(draw: st.DrawFn, make: Callable[[str], bytes]) -> bytes:
        frame = make(draw(TEXTS))
        for position in positions:
            frame = varied(frame, position, draw(values))
        return frame

    texts, thinking, calls = (st.lists(one(make), min_size=1, max_size=12) for make in WRITERS[name])
    rare = st.sampled_from(fast.between + ODD).map(lambda frame: [frame])
    runs = draw(st.lists(st.one_of(texts, thinking, calls, texts, thinking, calls, rare), max_size=8))
    last = fast.last if draw(st.booleans()) else fast.last[:-1]
    raw = b"".join([*fast.first, *(frame for run in runs for frame in run), *last])
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
