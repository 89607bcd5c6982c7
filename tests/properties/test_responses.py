"""Any answer in any format: events or an AiLibError, the same wherever it is cut, with every field of its type."""

from __future__ import annotations

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ailib_sync.dialects.accumulator import Accumulator
from ailib_sync.dialects.dialect import NAMES, find
from ailib_sync.errors import ProtocolError
from ailib_sync.framing.json import load_json
from ailib_sync.registry.manifest import Manifest
from ailib_sync.types.events import StreamEnd
from tests.dialects.samples import ALL, ERRORS

from .encoding import dumped, encoded
from .mutate import Draw, damaged, damaged_frames
from .promises import CONTENT_TYPES, check_body, check_stream, cut, events_and_error, plain, speakers

SPEAKERS: dict[str, list[Manifest]] = {name: speakers(name) for name in NAMES}
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=6),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=6), inner, max_size=3),
    max_leaves=10,
)
dialects = pytest.mark.parametrize("name", NAMES)


def drawn(data: st.DataObject) -> Draw:
    return lambda n: data.draw(st.integers(0, n - 1))


@dialects
@settings(max_examples=60, deadline=None)
@given(st.data())
def test_a_right_stream_gives_the_same_events_wherever_it_is_cut(name: str, data: st.DataObject) -> None:
    kind = CONTENT_TYPES[find(name).chat.stream.framing]
    raw = encoded(data.draw(st.sampled_from(ALL[name].streams)), find(name).chat.stream.framing)
    manifest = data.draw(st.sampled_from(SPEAKERS[name]))
    points = data.draw(st.lists(st.integers(0, len(raw)), max_size=20))
    whole, pieces = events_and_error([raw], manifest, kind), events_and_error(cut(raw, points), manifest, kind)
    assert repr(pieces) == repr(whole)


@dialects
@settings(max_examples=120, deadline=None)
@given(st.data())
def test_a_damaged_stream_is_events_or_an_error_and_the_same_wherever_it_is_cut(name: str, data: st.DataObject) -> None:
    kind = CONTENT_TYPES[find(name).chat.stream.framing]
    frames = damaged_frames(data.draw(st.sampled_from(ALL[name].streams)), drawn(data))
    raw = encoded(frames, find(name).chat.stream.framing)
    manifest = data.draw(st.sampled_from(SPEAKERS[name]))
    whole = check_stream([raw], manifest, kind)
    points = data.draw(st.lists(st.integers(0, len(raw)), max_size=6))
    assert repr(check_stream(cut(raw, points), manifest, kind)) == repr(whole)


@dialects
@settings(max_examples=60, deadline=None)
@given(st.data())
def test_a_stream_that_breaks_off_is_an_error_with_what_had_come(name: str, data: st.DataObject) -> None:
    """Cut after any byte before the end mark, it never counts as whole, and its events are the first of the whole's."""
    kind = CONTENT_TYPES[find(name).chat.stream.framing]
    raw, manifest = encoded(ALL[name].streams[0], find(name).chat.stream.framing), plain(name)
    whole, error = events_and_error([raw], manifest, kind)
    assert error is None
    events, error = events_and_error([raw[: data.draw(st.integers(0, len(raw) - 1))]], manifest, kind)
    if error is None:  # all but what follows the end mark had come
        assert isinstance(events[-1], StreamEnd)
        assert _text(events) == _text(whole)
    else:
        assert _text(whole).startswith(_text(events))
        assert not any(isinstance(event, StreamEnd) for event in events)


def _text(events: list[object]) -> str:
    fold = Accumulator()
    for event in events:
        fold.add(event)  # type: ignore[arg-type]
    response = fold.response()
    return (response.thinking or "") + response.content


@dialects
@settings(max_examples=120, deadline=None)
@given(st.data())
def test_a_damaged_response_is_a_response_or_an_error(name: str, data: st.DataObject) -> None:
    manifest = data.draw(st.sampled_from(SPEAKERS[name]))
    raw = dumped(damaged(data.draw(st.sampled_from(ALL[name].responses)), drawn(data))).encode()
    check_body(200, raw, manifest)
    check_stream([raw], manifest, "application/json")


@dialects
@settings(max_examples=60, deadline=None)
@given(st.data())
def test_a_damaged_error_response_is_an_error_of_ours(name: str, data: st.DataObject) -> None:
    raw = dumped(damaged(data.draw(st.sampled_from(ERRORS)), drawn(data))).encode()
    check_body(data.draw(st.sampled_from([200, 302, 400, 404, 429, 500, 529])), raw, data.draw(st.sampled_from(SPEAKERS[name])))


@dialects
@settings(max_examples=60, deadline=None)
@given(JSON, st.binary(max_size=40))
def test_any_json_and_any_bytes_are_a_response_or_an_error(name: str, value: object, raw: bytes) -> None:
    for body in (json.dumps(value).encode(), raw):
        check_body(200, body, plain(name))
        check_body(500, body, plain(name))
        check_stream([body], plain(name), "application/json")
        check_stream([body], plain(name), CONTENT_TYPES[find(name).chat.stream.framing])


@dialects
@pytest.mark.parametrize("opened", ["[", '{"error":', '{"choices":[', '{"message":', '{"content":[', '{"output":'])
def test_no_depth_breaks_a_reader(name: str, opened: str) -> None:
    """The depths around the interpreter's own limit are the dangerous ones: read, but too deep to be shown."""
    kind = CONTENT_TYPES[find(name).chat.stream.framing]
    least = deepest(opened) - 45 // len(opened.split(":"))
    for depth in (50, 200, *range(least, least + 50), 5000, 100_000):
        raw = nested(opened, depth)
        check_body(200, raw, plain(name))
        check_body(400, raw, plain(name))
        check_stream([raw], plain(name), "application/json")
        check_stream([b"data: " + raw + b"\n\n" if find(name).chat.stream.framing == "sse" else raw], plain(name), kind)


def nested(opened: str, depth: int) -> bytes:
    closed = "".join({"[": "]", "{": "}"}[c] for c in reversed(opened) if c in "[{")
    return (opened * depth + "1" + closed * depth).encode()


def deepest(opened: str) -> int:
    """The greatest depth that is read here."""
    low, high = 1, 100_000
    while high - low > 1:
        middle = (low + high) // 2
        try:
            load_json(nested(opened, middle))
            low = middle
        except ProtocolError:
            high = middle
    return low
