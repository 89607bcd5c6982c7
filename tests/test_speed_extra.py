"""The optional extra `speed`: with msgspec or without, a stream's frames are the same."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ailib_sync.errors import AiLibError
from ailib_sync.framing import sse as framing
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


def _outcome(texts: list[str], plenty: int) -> list[Any]:
    stream = b"".join(b"data: %b\n\n" % text.encode("utf-8", "surrogatepass") for text in texts)
    seen: list[Any] = []
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(framing, "PLENTY", plenty)
        try:
            seen += map(repr, framing.parse_sse_json([stream], MAX_EVENT_BYTES))  # repr tells 1 from 1.0, and 0.0 from -0.0
        except AiLibError as error:
            seen.append((type(error), str(error)))
    return seen


@given(st.lists(_texts, max_size=4))
def test_the_fast_parser_gives_what_json_gives(texts: list[str]) -> None:
    assert _outcome(texts, plenty=0) == _outcome(texts, plenty=1000)


def test_a_long_stream_asks_for_it(monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[bytes] = []
    monkeypatch.setattr(framing, "_fast_parser", lambda: lambda data: seen.append(data) or json.loads(data))
    values = list(framing.parse_sse_json((b"data: %d\n\n" % n for n in range(framing.PLENTY + 2)), MAX_EVENT_BYTES))
    assert values == [("message", n) for n in range(framing.PLENTY + 2)]
    assert seen == [b"%d" % framing.PLENTY, b"%d" % (framing.PLENTY + 1)]


def test_without_it_json_goes_on(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(__import__("sys").modules, "msgspec", None)
    assert framing._fast_parser.__wrapped__() is None
