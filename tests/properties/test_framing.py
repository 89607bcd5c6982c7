"""Any bytes, cut anywhere: the parsers yield the same, and what the slow reference yields."""

from __future__ import annotations

from hypothesis import example, given, settings
from hypothesis import strategies as st

from ailib_sync.framing.sse import parse_sse
from tests.chat_values import MAX_EVENT_BYTES
from tests.fuzz.targets import check_aws, check_chunked, check_inflate, check_ndjson, check_sse, make_aws

from .promises import cut
from .sse_reference import events_of

#: Fragments that matter to a parser of lines.
FRAGMENTS = st.sampled_from(
    (
        *(b"data", b"data:", b"data: ", b":", b" ", b"event: x", b"id: 1", b"retry: 1", b"\r", b"\n", b"\r\n", b"\n\n"),
        *(b"\xef\xbb\xbf", b"\xe2\x80\xa8", b"\xc3", b"\xa9", b"\xff", b"\x85", b"\0"),
        *(b"[DONE]", b'{"a":1}', b"{", b"]", b"0\r\n\r\n", b"5\r\nhello\r\n", b"f"),
    )
)
NEARLY = st.lists(FRAGMENTS | st.binary(max_size=6), max_size=30).map(b"".join)
CUTS = st.lists(st.integers(0, 200), max_size=12)


@settings(max_examples=400, deadline=None)
@given(NEARLY, CUTS)
@example(b"data: a\r\rdata: b\r\n\r\n", [8, 9])
@example(b"\xef\xbb\xbf\xef\xbb\xbfdata: a\n\n", [1, 4])
def test_sse_follows_the_reference_wherever_it_is_cut(raw: bytes, points: list[int]) -> None:
    assert list(parse_sse(cut(raw, points), MAX_EVENT_BYTES)) == events_of(raw)


@settings(max_examples=150, deadline=None)
@given(NEARLY)
def test_any_bytes_are_events_or_one_of_our_errors(raw: bytes) -> None:
    for check in (check_sse, check_ndjson, check_aws, check_chunked, check_inflate):
        check(raw)


@settings(max_examples=200, deadline=None)
@given(st.binary(max_size=200))
def test_aws_messages_with_correct_checksums_are_events_or_one_of_our_errors(data: bytes) -> None:
    check_aws(make_aws(b"\0" + data))
