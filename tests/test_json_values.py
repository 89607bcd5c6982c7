"""JSON values that a service sends are read the same everywhere: counts, words, arguments, `data:` URLs."""

from __future__ import annotations

import math
from typing import Any

import pytest

from ailib_sync.types.json_values import (
    MAX_COUNT,
    count,
    may_have_unpaired_surrogates,
    parse_arguments,
    parse_data_url,
    repaired,
    total,
    word,
)


@pytest.mark.parametrize(
    ("value", "read"),
    [
        (0, 0), (12, 12), (12.0, 12), (MAX_COUNT, MAX_COUNT),
        (-1, None), (-0.5, None), (12.5, None), (MAX_COUNT + 1, None), (1e300, None),
        (math.inf, None), (math.nan, None), (True, None), ("12", None), (None, None), ([12], None),
    ],
)  # fmt: skip
def test_a_count_is_a_number_of_tokens_or_nothing(value: Any, read: int | None) -> None:
    assert count(value) == read
    assert type(count(value)) in (int, type(None))


def test_a_total_leaves_out_what_is_no_count() -> None:
    assert total(1, 2.0, None, "x", -5) == 3
    assert total(None, -1) is None


@pytest.mark.parametrize(("value", "read"), [("a", "a"), (5, "5"), (True, None), (None, None), ({}, None)])
def test_a_word_is_a_text_or_a_number(value: Any, read: str | None) -> None:
    assert word(value) == read


@pytest.mark.parametrize(
    ("raw", "read"), [("", {}), (" ", {}), ('{"a": 1}', {"a": 1}), ("[1]", None), ("{", None), ("[" * 300 + "]" * 300, None)]
)
def test_arguments_are_an_object_or_none(raw: str, read: dict[str, Any] | None) -> None:
    assert parse_arguments(raw) == read


@pytest.mark.parametrize(
    ("url", "read"),
    [
        ("https://x.example/a.png", None),
        ("data:image/png;base64,aGk=", ("image/png", b"hi")),
        ("DATA:image/png;BASE64,aGk=", ("image/png", b"hi")),
        ("data:text/plain;charset=utf-8;base64,aGk=", ("text/plain", b"hi")),
        ("data:,a%20b", ("text/plain", b"a b")),
    ],
)
def test_a_data_url_holds_a_media_type_and_bytes(url: str, read: tuple[str, bytes] | None) -> None:
    assert parse_data_url(url) == read


@pytest.mark.parametrize("url", ["data:image/png;base64", "data:image/png;base64,???", "data:image/png;base64,a"])
def test_a_data_url_that_cannot_be_read_is_an_error(url: str) -> None:
    with pytest.raises(ValueError, match="the data: URL"):
        parse_data_url(url)


def test_unpaired_surrogates_are_removed_and_pairs_joined() -> None:
    value = {"a\ud83d": ["Hi \ud83d", "\ude00", "\ud83d\ude00", {"b": "ok"}], "n": 1}
    assert repaired(value) == {"a": ["Hi ", "", "\U0001f600", {"b": "ok"}], "n": 1}
    assert parse_arguments('{"text": "cut \\ud83d"}') == {"text": "cut "}


@pytest.mark.parametrize(
    ("raw", "unpaired"),
    [
        (rb'"\ud83d\ude00 \uD83D\uDE00"', False),
        ('"\ud55c\uad6d\uc5b4 \U0001f600"'.encode(), False),  # Korean, whose bytes begin as those of surrogates do
        (rb'"\ud83d"', True),
        (rb'"\ude00"', True),
        (rb'"\ud83d\ud83d\ude00"', True),
        (rb'"\ud83d\ude00\ude00"', True),
        (rb'"\ud83dx\ude00"', True),
        (rb'"\\ud83d\ude00"', True),  # the first backslash escapes the second
        (b'"\xed\xa0\xbd"', True),
        (b'"\xed\xa0\xbd\xed\xb8\x80"', True),
        (b'{"a": 1}', False),
    ],
)
def test_unpaired_surrogates_are_seen_in_the_bytes(raw: bytes, unpaired: bool) -> None:
    assert may_have_unpaired_surrogates(raw) is unpaired
