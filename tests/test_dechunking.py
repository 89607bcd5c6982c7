"""A chunked body is complete however its bytes are split, and an invalid one is an error."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ailib_sync.errors import ConnectionLost, ProtocolError
from ailib_sync.http.bodies import read_chunked


def _fp(blocks: list[bytes]) -> Any:
    """What `read_chunked` reads from: one block for each read, then the end."""
    left = iter([block for block in blocks if block])
    return SimpleNamespace(read1=lambda size: next(left, b""), raw=SimpleNamespace(has_extra_bytes=False))


def _cut(raw: bytes, places: list[int]) -> list[bytes]:
    points = sorted(place % (len(raw) + 1) for place in places)
    return [raw[a:b] for a, b in zip([0, *points], [*points, len(raw)], strict=True)]


PIECES = st.lists(st.binary(min_size=1, max_size=40) | st.sampled_from([b"\r\n", b"0\r\n\r\n", b"a" * 300]), max_size=12)
PLACES = st.lists(st.integers(0, 5000), max_size=10)
EXTENSIONS = st.sampled_from([b"", b";a=b", b" ", b";" + b"x" * 20])


@given(PIECES, PLACES, EXTENSIONS, st.sampled_from([b"", b"T: 1\r\n"]))
def test_the_body_is_complete_for_any_split(pieces: list[bytes], places: list[int], extension: bytes, trailer: bytes) -> None:
    raw = b"".join(b"%x%b\r\n%b\r\n" % (len(piece), extension, piece) for piece in pieces) + b"0\r\n" + trailer + b"\r\n"
    fp = _fp(_cut(raw, places))
    assert b"".join(read_chunked(fp)) == b"".join(pieces)
    assert not fp.raw.has_extra_bytes


@given(PIECES.filter(bool), PLACES, st.integers(1, 10_000))
def test_a_truncated_body_is_an_error(pieces: list[bytes], places: list[int], missing: int) -> None:
    whole = b"".join(b"%X\r\n%b\r\n" % (len(piece), piece) for piece in pieces) + b"0\r\n\r\n"
    raw = whole[: -(missing % len(whole)) or -1]
    with pytest.raises(ConnectionLost):
        list(read_chunked(_fp(_cut(raw, places))))


@pytest.mark.parametrize("cut", [1, 1000])
@pytest.mark.parametrize("raw", [b"3\r\nabcX\r\n", b"3\r\nabc\n\n0\r\n\r\n", b"3\r\nabc\r\n+3\r\nabc\r\n", b"g\r\n", b"\r\n"])
def test_chunks_before_an_invalid_one_are_yielded(raw: bytes, cut: int) -> None:
    blocks = read_chunked(_fp([raw[at : at + cut] for at in range(0, len(raw), cut)]))
    seen: list[bytes] = []
    with pytest.raises(ProtocolError):
        seen.extend(blocks)
    assert b"".join(seen) == (b"abc" if raw[:1] == b"3" else b"")


def test_bytes_after_the_end_are_reported() -> None:
    fp = _fp([b"3\r\nabc\r\n0\r\n\r\nHTTP/1.1 200 OK"])
    assert b"".join(read_chunked(fp)) == b"abc"
    assert fp.raw.has_extra_bytes


def test_a_size_line_without_its_end_is_incomplete() -> None:
    seen: list[bytes] = []
    with pytest.raises(ConnectionLost):
        seen.extend(read_chunked(_fp([b"1\r\na\r\n1\rX"])))
    assert b"".join(seen) == b"a"
