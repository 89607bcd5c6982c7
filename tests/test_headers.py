"""Our header parser returns what http.client would return."""

from __future__ import annotations

import io
from http.client import HTTPException, LineTooLong, parse_headers

import pytest
from hypothesis import given
from hypothesis import strategies as st
from urllib3.exceptions import InvalidHeader
from urllib3.util.response import assert_header_parsing

from ailib_sync.http.headers import MAX_HEADERS, MAX_LINE_BYTES, content_length, lowercase_headers, parse_head, render_headers


@pytest.mark.parametrize(
    "head",
    [
        pytest.param(b"Content-Type: application/json\r\nX-A: 1\r\nx-a: 2\r\n\r\n", id="plain"),
        pytest.param(b"A:1\nB: 2\n\n", id="bare line feeds"),
        pytest.param(b"Empty:\r\nB: 2\r\n\r\n", id="an empty value"),
        pytest.param(b"A: one\r\n two\r\nB: 2\r\n\r\n", id="a folded value"),
        pytest.param(b"A: 1\r\nno colon here\r\nB: 2\r\n\r\n", id="a line without a colon"),
        pytest.param(b": nameless\r\nB: 2\r\n\r\n", id="no name"),
        pytest.param(b"A : 1\r\nB: 2\r\n\r\n", id="a space after the name"),
        pytest.param(b"A: x\rB: 2\r\n\r\n", id="a bare carriage return"),
        pytest.param(b"A: gr\xfc\xdfe\r\n\r\n", id="Latin-1"),
        pytest.param(b"A: 1\r\nB: 2", id="no blank line"),
        pytest.param(b"\r\n", id="none"),
    ],
)
def test_it_reads_what_http_client_reads(head: bytes) -> None:
    rest = b"the body"
    ours, theirs = io.BytesIO(head + rest), io.BytesIO(head + rest)
    made = parse_head(ours)
    assert made.items() == parse_headers(theirs).items()
    assert ours.tell() == theirs.tell()


@given(st.lists(st.sampled_from([b"A: 1", b"b:2", b" x", b"\tz", b"C", b":", b"D:  e ", b"\x00: 1", b"F: \x1f"]), max_size=5))
def test_any_lines_are_read_as_http_client_reads_them(lines: list[bytes]) -> None:
    head = b"".join(line + b"\r\n" for line in lines) + b"\r\n"
    theirs = [(name, value.rstrip(" \t")) for name, value in parse_headers(io.BytesIO(head)).items()]
    assert [(name, value.rstrip(" \t")) for name, value in parse_head(io.BytesIO(head)).items()] == theirs


def test_urllib3_finds_nothing_wrong_with_it() -> None:
    assert_header_parsing(parse_head(io.BytesIO(b"A: 1\r\n\r\n")))


def test_header_size_is_bounded() -> None:
    with pytest.raises(LineTooLong):
        parse_head(io.BytesIO(b"A: " + b"x" * MAX_LINE_BYTES + b"\r\n\r\n"))
    with pytest.raises(HTTPException, match="more than 100 headers"):
        parse_head(io.BytesIO(b"A: 1\r\n" * (MAX_HEADERS + 1) + b"\r\n"))


@pytest.mark.parametrize(
    ("head", "fields"),
    [
        pytest.param(b"Content-Type: a/b\r\nX-ID: Q\r\n", {"content-type": "a/b", "x-id": "Q"}, id="names in lower case"),
        pytest.param(b"X: 1\r\nx: 2\r\n", {"x": "2"}, id="the last of several"),
        pytest.param(b"Content-Length: 5\r\ncontent-length: 7\r\n", {"content-length": "5, 7"}, id="two lengths stay two"),
        pytest.param(
            b"Transfer-Encoding: gzip\r\nTransfer-Encoding: chunked\r\n",
            {"transfer-encoding": "gzip, chunked"},
            id="two framings stay two",
        ),
        pytest.param(b"A: one\r\n\t two\r\n", {"a": "one two"}, id="a folded value is one line"),
    ],
)
def test_no_header_that_frames_the_body_is_lost(head: bytes, fields: dict[str, str]) -> None:
    assert lowercase_headers(parse_head(io.BytesIO(head + b"\r\n"))) == fields


@pytest.mark.parametrize(
    ("text", "length"),
    [("5", 5), ("5, 5", 5), ("0", 0), ("", None), ("-5", None), ("+5", None), ("5_0", None), ("five", None), ("\u0665", None)],
)
def test_a_length_is_digits(text: str, length: int | None) -> None:
    assert content_length({"content-length": text}) == length
    assert content_length({}) is None


def test_two_different_lengths_are_an_error() -> None:
    with pytest.raises(InvalidHeader, match="several"):
        content_length({"content-length": "5, 7"})


def test_a_request_s_headers_end_with_a_blank_line() -> None:
    sent = render_headers({"Content-Type": "a/b", "X": "gr\u00fc\u00df"}, 12)
    assert sent == b"Content-Length: 12\r\nContent-Type: a/b\r\nX: gr\xfc\xdf\r\n\r\n"
    assert render_headers({}, 0) == b"Content-Length: 0\r\n\r\n"


@pytest.mark.parametrize("headers", [
    {"X": "1\r\nY: 2"}, {"X": "1\nY: 2"}, {"X": "1\rY: 2"}, {"X": "1\r\n 2"}, {"X\r\nY": "1"}, {"X: 1\r\nY": "2", "Z": "3"},
    {"X:Y": "1"}, {"X Y": "1"}, {"X": "\u65e5"},
])  # fmt: skip
def test_no_header_smuggles_another(headers: dict[str, str]) -> None:
    with pytest.raises(ValueError):
        render_headers({"A": "1", **headers}, 0)
