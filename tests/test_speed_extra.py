"""The optional extra `speed`: with msgspec and without it, the frames of a stream are the same."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ailib_sync.errors import AiLibError
from ailib_sync.framing import sse
from tests.chat_values import MAX_EVENT_BYTES

pytest.importorskip("msgspec", reason="the optional extra `speed` is not installed")

_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=5), inner, max_size=4),
    max_leaves=12,
)
_texts = (
    _values.map(json.dumps)
    | _values.map(lambda value: json.dumps(value, ensure_ascii=False))
    | st.text(alphabet='{}[]":,\\u0123456789eE+-.dDfF tnrulase\ud83d', max_size=40)
    | st.sampled_from(["NaN", "1e400", "-0", "-0.0", "01", " 1 ", "1 x", '{"a":1,"a":2}', '"\\ud83d"', "[1,]", "[DONE]", ""])
    | st.just("9" * 5000)
)


def _outcome(texts: list[str], frames_before_msgspec: int) -> list[Any]:
    stream = b"".join(b"data: %b\n\n" % text.encode("utf-8", "surrogatepass") for text in texts)
    seen: list[Any] = []
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sse, "FRAMES_BEFORE_MSGSPEC", frames_before_msgspec)
        try:
            seen += map(repr, sse.parse_sse_json([stream], MAX_EVENT_BYTES))  # repr distinguishes 1 from 1.0, and 0.0 from -0.0
        except AiLibError as error:
            seen.append((type(error), str(error)))
    return seen


@given(st.lists(_texts, max_size=4))
def test_msgspec_gives_the_values_that_json_gives(texts: list[str]) -> None:
    assert _outcome(texts, 0) == _outcome(texts, 1000)


def test_a_long_stream_uses_it(monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[bytes] = []
    monkeypatch.setattr(sse, "_msgspec_parser", lambda: lambda data: seen.append(data) or json.loads(data))
    values = list(sse.parse_sse_json((b"data: %d\n\n" % n for n in range(sse.FRAMES_BEFORE_MSGSPEC + 2)), MAX_EVENT_BYTES))
    assert values == [("message", n) for n in range(sse.FRAMES_BEFORE_MSGSPEC + 2)]
    assert seen == [b"%d" % sse.FRAMES_BEFORE_MSGSPEC, b"%d" % (sse.FRAMES_BEFORE_MSGSPEC + 1)]


def test_without_it_json_is_used(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(__import__("sys").modules, "msgspec", None)
    assert sse._msgspec_parser.__wrapped__() is None
