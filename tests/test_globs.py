"""The globs and templates of a manifest, compared with regular expressions, and the hosts of addresses."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ailib_sync.pipeline.url import host_of
from ailib_sync.registry.manifest import filled, matches


def _as_regex(pattern: str) -> str:
    return "".join({"*": ".*", "?": "."}.get(c, re.escape(c)) for c in pattern)


@given(st.text("ab*?-.", max_size=8), st.text("ab-.", max_size=8))
def test_a_glob_matches_like_its_regular_expression(pattern: str, text: str) -> None:
    assert matches(pattern, text) == bool(re.fullmatch(_as_regex(pattern), text, re.DOTALL))


def test_one_matching_glob_is_enough() -> None:
    assert matches("o1*|gpt-?", "gpt-4")
    assert not matches("o1*|gpt-?", "gpt-4o")


def test_known_names_in_a_template_are_replaced() -> None:
    assert filled("https://{a}.x/{b}/{c", {"a": "1"}) == "https://1.x/{b}/{c"
    assert filled("{a}{a}", {"a": "{b}", "b": "no"}) == "{b}{b}"


@pytest.mark.parametrize(
    ("address", "host"),
    [
        ("a.example", "a.example"),
        ("a.example:8080", "a.example"),
        ("[::1]", "[::1]"),
        ("[::1]:80", "[::1]"),
        ("a:b", ""),
        ("a:", ""),
        ("a:123456", ""),
        ("::1", ""),
        ("[x]", ""),
        ("[]", ""),
        ("", ""),
        (":80", ""),
        ("a]b", ""),
    ],
)
def test_the_host_of_an_address(address: str, host: str) -> None:
    assert host_of(address) == host
