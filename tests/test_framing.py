"""Bytes to frames: server-sent events, NDJSON, AWS event streams; wherever the bytes are cut, and in linear time."""

from __future__ import annotations

import base64
import hashlib
import json
import os
import struct
import time
import zlib
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ailib_sync.errors import ProtocolError, ResponseTooLarge, StreamInterrupted
from ailib_sync.framing.aws_eventstream import parse_frames, parse_messages
from ailib_sync.framing.ndjson import parse_ndjson
from ailib_sync.framing.sse import parse_sse, parse_sse_json
from tests.chat_values import MAX_EVENT_BYTES

ROOT = os.environ.get("AILIB_CONFORMANCE")
CASES = json.loads(Path(ROOT, "sse", "cases.json").read_text(encoding="utf-8"))["cases"] if ROOT else []
needs_cases = pytest.mark.skipif(not ROOT, reason="AILIB_CONFORMANCE does not name the conformance folder")


# --- the collected cases ------------------------------------------------------------------------------------------------


def _cases(format: str, key: str = "name") -> Any:
    """The cases of this format that have a value under `key`."""
    cases = [case for case in CASES if case["format"] == format and case.get(key)]
    return pytest.mark.parametrize("case", cases, ids=lambda case: case["name"])


def _chunks(case: dict[str, Any]) -> list[bytes]:
    chunks: list[bytes] = []
    for chunk in case["chunks"]:
        if isinstance(chunk, str):
            chunks.append(base64.b64decode(chunk))
            continue
        blob = base64.b64decode(chunk["b64"]) * chunk.get("repeat", 1)
        size = chunk.get("chunk_size") or len(blob) or 1
        chunks += [blob[at : at + size] for at in range(0, len(blob), size)]
    return chunks


def _deliveries(case: dict[str, Any]) -> Iterator[list[bytes]]:
    """The chunks of the case and, if it requests this, its bytes one by one and cut in two at every position."""
    chunks = _chunks(case)
    yield chunks
    if case.get("resplit"):
        raw = b"".join(chunks)
        yield [bytes([byte]) for byte in raw]
        for at in range(1, len(raw)):
            yield [raw[:at], raw[at:]]


def _drain(values: Iterable[Any]) -> tuple[list[Any], Exception | None]:
    got: list[Any] = []
    try:
        got.extend(iter(values))
    except Exception as error:
        return got, error
    return got, None


def _is_text(got: str, want: Any) -> bool:
    if isinstance(want, str):
        return got == want
    raw = got.encode("utf-8", "surrogatepass")
    return len(raw) == want["utf8_len"] and hashlib.sha256(raw).hexdigest() == want["sha256"]


@needs_cases
@_cases("sse")
def test_server_sent_events_follow_the_standard(case: dict[str, Any]) -> None:
    for chunks in _deliveries(case):
        got = list(parse_sse(iter(chunks), MAX_EVENT_BYTES))
        assert [event for event, _ in got] == [want["event"] for want in case["expected"]]
        assert all(_is_text(data, want["data"]) for (_, data), want in zip(got, case["expected"], strict=True))


@needs_cases
@_cases("sse", "prompt")
def test_an_event_is_yielded_before_the_next_chunk_is_requested(case: dict[str, Any]) -> None:
    out: list[Any] = []
    seen: list[int] = []

    def feed() -> Iterator[bytes]:
        for number, chunk in enumerate(_chunks(case)):
            if number:
                seen.append(len(out))
            yield chunk
        seen.append(len(out))

    for event in parse_sse(feed(), MAX_EVENT_BYTES):
        out.append(event)
    assert seen == case["prompt"]


#: The name of an error in the cases → the exception.
ERRORS: dict[str, type[Exception]] = {
    "malformed": ProtocolError,
    "checksum": ProtocolError,
    "too_large": ResponseTooLarge,
    "truncated": StreamInterrupted,
}


def _check_error(case: dict[str, Any], error: Exception | None) -> None:
    want = case["expected_error"]
    if want is None:
        assert error is None
    elif isinstance(want, list):
        assert isinstance(error, ProtocolError)
    else:
        assert type(error) is ERRORS[want]


@needs_cases
@_cases("ndjson")
def test_lines_of_json(case: dict[str, Any]) -> None:
    for chunks in _deliveries(case):
        got, error = _drain(parse_ndjson(iter(chunks), MAX_EVENT_BYTES))
        assert got == case["expected"]
        _check_error(case, error)


@needs_cases
@_cases("aws-eventstream")
def test_aws_messages(case: dict[str, Any]) -> None:
    for chunks in _deliveries(case):
        got, error = _drain(parse_messages(iter(chunks), MAX_EVENT_BYTES))
        assert [_plain(headers, payload) for headers, payload in got] == case["expected"]
        _check_error(case, error)


def _plain(headers: dict[str, Any], payload: bytes) -> dict[str, Any]:
    def shown(value: Any) -> Any:
        return {"b64": base64.b64encode(value).decode()} if isinstance(value, bytes) else value

    named = {name: shown(value) for name, value in headers.items()}
    return {"headers": named, "payload_b64": base64.b64encode(payload).decode()}


# --- server-sent events: what the cases do not cover -----------------------------------------------------------------------


def test_an_unfinished_block_counts_only_if_it_is_the_end_mark() -> None:
    def is_done(event: str, data: str) -> bool:
        return data.strip() == "[DONE]"

    assert list(parse_sse([b"data: a\n\ndata: [DONE]"], 100, is_done)) == [("message", "a"), ("message", "[DONE]")]
    assert list(parse_sse([b"data: a\n\ndata: b"], 100, is_done)) == [("message", "a")]
    assert list(parse_sse([b"data: a\n\ndata: [DONE]"], 100)) == [("message", "a")]


@pytest.mark.parametrize("raw", [b"data: " + b"x" * 101 + b"\n\n", b"data: " + b"x" * 60 + b"\ndata: " + b"x" * 60 + b"\n\n"])
def test_an_event_has_a_size_limit(raw: bytes) -> None:
    with pytest.raises(ResponseTooLarge):
        list(parse_sse([raw], max_event=100))


@pytest.mark.parametrize("start", [b"", b"\n", b"data: a\n\n", b"data: a\n\n\n\n", b"\r\n\r\n"])
@pytest.mark.parametrize(("size", "fits"), [(94, True), (95, False)])
def test_the_size_limit_does_not_depend_on_the_cuts(start: bytes, size: int, fits: bool) -> None:
    raw = start + b"data: " + b"x" * size + b"\n\n"
    outcomes = [_drain(parse_sse(_cut(raw, [*range(0, len(raw), step)]), max_event=100)) for step in (1, 2, 3, 7, len(raw))]
    assert [events for events, _ in outcomes] == [outcomes[0][0]] * 5
    assert all((error is None) == fits for _, error in outcomes)


def test_a_line_that_never_ends_is_not_kept() -> None:
    chunks_read = 0

    def endless() -> Iterator[bytes]:
        nonlocal chunks_read
        while True:
            chunks_read += 1
            yield b"x" * 1000

    with pytest.raises(ResponseTooLarge):
        list(parse_sse(endless(), max_event=10_000))
    assert chunks_read <= 11


@pytest.mark.parametrize(
    ("data", "value"),
    [('{"a": 1}', [{"a": 1}]), (' {"a": 1} ', [{"a": 1}]), ("[DONE]", [None]), (" [DONE]\t", [None]), ("", []), ("  ", [])],
)
def test_data_is_json_or_the_done_mark_or_nothing(data: str, value: list[Any]) -> None:
    assert list(parse_sse_json([f"data: {data}\n\n".encode()], MAX_EVENT_BYTES)) == [("message", item) for item in value]


@pytest.mark.parametrize("data", ["<html>", '{"a": NaN}', "[" * 100_000, '{"a": 1} {"b": 2}', '{"a": 1', "nul"])
def test_data_that_is_not_json_is_a_protocol_error(data: str) -> None:
    with pytest.raises(ProtocolError):
        list(parse_sse_json([f"data: {data}\n\n".encode()], MAX_EVENT_BYTES))


# --- NDJSON -------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("raw", "values"),
    [
        (b'{"a": 1}\r\n\r\n{"b": 2}\r\n', [{"a": 1}, {"b": 2}]),
        (b'  {"a": 1}  \n', [{"a": 1}]),
        (b'1\n"x"\nnull\n[]', [1, "x", None, []]),
        (b"\xef\xbb\xbf1\n2", [1, 2]),
        (b"\xef\xbb\xbf", []),
        (b"\xef\xbb\xbf7", [7]),
        (b"", []),
        (b" \r\n\t", []),
    ],
)
def test_each_line_is_a_value(raw: bytes, values: list[Any]) -> None:
    assert list(parse_ndjson([raw], MAX_EVENT_BYTES)) == values
    assert list(parse_ndjson((raw[at : at + 1] for at in range(len(raw))), MAX_EVENT_BYTES)) == values


@pytest.mark.parametrize("cut", ['{"a": ', '{"a": "x', "[1, 2", '{"a": 1}\n{"b'])
def test_an_incomplete_last_line_is_an_interruption(cut: str) -> None:
    got, error = _drain(parse_ndjson([cut.encode()], MAX_EVENT_BYTES))
    assert isinstance(error, StreamInterrupted)
    assert got == ([{"a": 1}] if "\n" in cut else [])


def test_a_last_line_that_is_not_json_is_a_protocol_error() -> None:
    with pytest.raises(ProtocolError) as caught:
        list(parse_ndjson([b"<html>502 Bad Gateway</html>"], MAX_EVENT_BYTES))
    assert "502" in (caught.value.body or "")


def test_a_byte_order_mark_is_removed_at_the_start_only() -> None:
    with pytest.raises(ProtocolError):
        list(parse_ndjson([b"1\n\xef\xbb\xbf2\n"], MAX_EVENT_BYTES))


@pytest.mark.parametrize(
    "chunks", [[b'"' + b"x" * 200 + b'"\n'], [b'"' + b"x" * 60, b"x" * 60], [b'"' + b"x" * 90, b"x" * 90 + b'"\n']]
)
def test_a_line_has_a_size_limit(chunks: list[bytes]) -> None:
    with pytest.raises(ResponseTooLarge):
        list(parse_ndjson(chunks, max_event=100))


# --- AWS event streams ----------------------------------------------------------------------------------------------------


def header(name: str, value: str) -> bytes:
    raw = value.encode()
    return bytes([len(name)]) + name.encode() + b"\x07" + struct.pack(">H", len(raw)) + raw


def message(headers: bytes | dict[str, str], payload: bytes = b"") -> bytes:
    """A message as the service writes it, made from the specification alone."""
    block = headers if isinstance(headers, bytes) else b"".join(header(*item) for item in headers.items())
    prelude = struct.pack(">II", 16 + len(block) + len(payload), len(block))
    raw = prelude + struct.pack(">I", zlib.crc32(prelude)) + block + payload
    return raw + struct.pack(">I", zlib.crc32(raw))


def event(kind: str, body: Any) -> bytes:
    return message({":message-type": "event", ":event-type": kind}, json.dumps(body).encode())


def test_an_event_gives_its_type_and_its_json() -> None:
    raw = event("messageStart", {"role": "assistant"}) + message({":message-type": "event", ":event-type": "ping"})
    assert list(parse_frames([raw], MAX_EVENT_BYTES)) == [("messageStart", {"role": "assistant"}), ("ping", {})]


EXCEPTION = {":message-type": "exception", ":exception-type": "throttlingException"}
ERROR_MESSAGES = [
    (message(EXCEPTION, b'{"message": "slow"}'), {"type": "throttlingException", "message": "slow"}),
    (message(EXCEPTION), {"type": "throttlingException", "message": ""}),
    (message(EXCEPTION, b"not json"), {"type": "throttlingException", "message": "not json"}),
    (message(EXCEPTION, b'"text"'), {"type": "throttlingException", "message": "text"}),
    (
        message({":message-type": "error", ":error-code": "InternalError", ":error-message": "boom"}),
        {"type": "InternalError", "message": "boom"},
    ),
    (message({":message-type": "error"}), {"type": "unknown", "message": ""}),
]


@pytest.mark.parametrize(("raw", "error"), ERROR_MESSAGES)
def test_an_error_message_has_the_form_that_every_dialect_knows(raw: bytes, error: dict[str, str]) -> None:
    assert list(parse_frames([raw], MAX_EVENT_BYTES)) == [("error", {"type": "error", "error": error})]


def test_the_event_of_an_invoked_model_is_unwrapped() -> None:
    def chunk(body: Any) -> bytes:
        return event("chunk", {"bytes": base64.b64encode(json.dumps(body).encode()).decode(), "p": "padding"})

    raw = chunk({"type": "message_stop"}) + chunk({"choices": []}) + chunk([1])
    assert list(parse_frames([raw], MAX_EVENT_BYTES)) == [
        ("message_stop", {"type": "message_stop"}),
        ("message", {"choices": []}),
        ("message", [1]),
    ]


@pytest.mark.parametrize("body", [{}, {"bytes": 7}, {"bytes": "x"}, [], {"bytes": "e30"}, {"bytes": "ew=="}])
def test_a_chunk_without_an_event_is_a_protocol_error(body: Any) -> None:
    with pytest.raises(ProtocolError):
        list(parse_frames([event("chunk", body)], MAX_EVENT_BYTES))


@pytest.mark.parametrize(
    "raw",
    [
        message({":message-type": "news"}, b"{}"),
        message(b"", b"{}"),
        message({":message-type": "event", ":event-type": "x"}, b"{"),
        message({":message-type": "event", ":event-type": "x"}, b"\xff\xff"),
        message(b"\x05ab"),
        message(b"\x01a\x07"),
        message(b"\x01a\x04\x00"),
        message(b"\x01a\x09" + b"x" * 15),
        message(b"\x01a\x0a"),
        message(b"\x01\xff\x00"),
        message(b"\x01a\x00\x01a\x01"),
    ],
    ids=["type", "no type", "json", "utf-8", "name", "no value", "int", "uuid", "kind", "name utf-8", "twice"],
)
def test_bytes_that_are_not_an_event_stream_are_a_protocol_error(raw: bytes) -> None:
    got, error = _drain(parse_frames([event("ok", {}), raw], MAX_EVENT_BYTES))
    assert got == [("ok", {})]
    assert type(error) is ProtocolError


@pytest.mark.parametrize("at", range(len(event("a", {"b": 1}))))
def test_a_flipped_bit_is_detected(at: int) -> None:
    raw = bytearray(event("a", {"b": 1}))
    raw[at] ^= 1
    got, error = _drain(parse_messages([bytes(raw), event("c", {})], MAX_EVENT_BYTES))
    assert got == []
    assert isinstance(error, ProtocolError)


def test_a_size_is_rejected_before_memory_is_used_for_it() -> None:
    prelude = struct.pack(">II", 17 << 20, 0)
    chunks_read = 0

    def chunks() -> Iterator[bytes]:
        nonlocal chunks_read
        for chunk in (prelude + struct.pack(">I", zlib.crc32(prelude)), b"x", b"x"):
            chunks_read += 1
            yield chunk

    with pytest.raises(ResponseTooLarge):
        list(parse_messages(chunks(), MAX_EVENT_BYTES))
    assert chunks_read == 1


# --- properties -----------------------------------------------------------------------------------------------------------


def _cut(raw: bytes, points: list[int]) -> list[bytes]:
    positions = sorted(point % (len(raw) + 1) for point in points)
    return [raw[a:b] for a, b in zip([0, *positions], [*positions, len(raw)], strict=True)]


FRAGMENTS = [b"data", b"event", b":", b" ", b"x", "é".encode(), "😀".encode(), b"\xff", b"\xef\xbb\xbf"]
FRAGMENTS += [b"\n", b"\r", b"\r\n", b"\n\n"]
POINTS = st.lists(st.integers(0, 1 << 16), max_size=8)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=6,
)


@given(st.lists(st.sampled_from(FRAGMENTS), max_size=40).map(b"".join), POINTS)
def test_sse_does_not_depend_on_the_cuts(raw: bytes, points: list[int]) -> None:
    assert list(parse_sse(_cut(raw, points), MAX_EVENT_BYTES)) == list(parse_sse([raw], MAX_EVENT_BYTES))


@given(st.lists(JSON, max_size=6), st.sampled_from([b"\n", b"\r\n"]), st.booleans(), POINTS)
def test_ndjson_round_trip(values: list[Any], end: bytes, ended: bool, points: list[int]) -> None:
    raw = end.join(json.dumps(value).encode() for value in values) + (end if ended else b"")
    assert list(parse_ndjson(_cut(raw, points), MAX_EVENT_BYTES)) == values


@given(st.lists(st.tuples(st.text(min_size=1, max_size=20), JSON), max_size=5), POINTS)
def test_aws_frames_round_trip(events: list[tuple[str, Any]], points: list[int]) -> None:
    events = [(kind, body) for kind, body in events if kind != "chunk"]
    raw = b"".join(event(kind, body) for kind, body in events)
    assert list(parse_frames(_cut(raw, points), MAX_EVENT_BYTES)) == events


@given(st.binary(max_size=200), POINTS)
def test_any_bytes_raise_only_our_errors(raw: bytes, points: list[int]) -> None:
    for parse in (parse_ndjson, parse_messages, parse_frames):
        _, error = _drain(parse(_cut(raw, points), MAX_EVENT_BYTES))
        assert error is None or isinstance(error, (ProtocolError, StreamInterrupted))
    list(parse_sse(_cut(raw, points), MAX_EVENT_BYTES))


# --- linear time ------------------------------------------------------------------------------------------------------------


def _sse_many_lines(size: int) -> bytes:
    return (b"data: " + b"x" * 94 + b"\n") * (size // 100) + b"\n"


def _sse_one_line(size: int) -> bytes:
    return b"data: " + b"x" * size + b"\n\n"


def _sse_many_events(size: int) -> bytes:
    return (b"data: " + b"x" * 93 + b"\n\n") * (size // 100)


def _ndjson_many_lines(size: int) -> bytes:
    return (b'"' + b"x" * 97 + b'"\n') * (size // 100)


def _ndjson_one_line(size: int) -> bytes:
    return b'"' + b"x" * size + b'"\n'


def _aws_many_messages(size: int) -> bytes:
    return message({":message-type": "event"}, b"x" * 60) * (size // 100)


def _aws_one_message(size: int) -> bytes:
    return message(b"", b"x" * size)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("parse", "make"),
    [
        (parse_sse, _sse_many_lines),
        (parse_sse, _sse_one_line),
        (parse_sse, _sse_many_events),
        (parse_ndjson, _ndjson_many_lines),
        (parse_ndjson, _ndjson_one_line),
        (parse_messages, _aws_many_messages),
        (parse_messages, _aws_one_message),
    ],
    ids=lambda value: value.__name__.strip("_"),
)
@pytest.mark.parametrize("chunk", [997, 1 << 24])
def test_ten_times_the_bytes_take_ten_times_the_time(
    parse: Callable[[Any, int], Any], make: Callable[[int], bytes], chunk: int
) -> None:
    """A quadratic parser takes a hundred times as long; the bound of 30 leaves room for a busy machine."""

    def seconds(size: int) -> float:
        raw = make(size)
        chunks = [raw[at : at + chunk] for at in range(0, len(raw), chunk)]
        best = float("inf")
        for _ in range(3):
            began = time.process_time()
            for _ in parse(chunks, MAX_EVENT_BYTES):
                pass
            best = min(best, time.process_time() - began)
        return best

    assert seconds(10_000_000) <= 30 * max(seconds(1_000_000), 0.001)
