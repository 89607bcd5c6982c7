"""A chunked body comes out whole however its bytes are cut, and what is no chunked body is refused."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ailib_sync.errors import ConnectionLost, ProtocolError
from ailib_sync.http.bodies import dechunked


def _fp(blocks: list[bytes]) -> Any:
    """What `dechunked` reads from: one block for each read, then the end."""
    left = iter([block for block in blocks if block])
    return SimpleNamespace(read1=lambda size: next(left, b""), raw=SimpleNamespace(overrun=False))


def _cut(raw: bytes, places: list[int]) -> list[bytes]:
    points = sorted(place % (len(raw) + 1) for place in places)
    return [raw[a:b] for a, b in zip([0, *points], [*points, len(raw)], strict=True)]


PIECES = st.lists(st.binary(min_size=1, max_size=40) | st.sampled_from([b"\r\n", b"0\r\n\r\n", b"a" * 300]), max_size=12)
PLACES = st.lists(st.integers(0, 5000), max_size=10)
EXTENSIONS = st.sampled_from([b"", b";a=b", b" ", b";" + b"x" * 20])


@given(PIECES, PLACES, EXTENSIONS, st.sampled_from([b"", b"T: 1\r\n"]))
def test_the_pieces_come_out_on_any_cut(pieces: list[bytes], places: list[int], extension: bytes, trailer: bytes) -> None:
    raw = b"".join(b"%x%b\r\n%b\r\n" % (len(piece), extension, piece) for piece in pieces) + b"0\r\n" + trailer + b"\r\n"
    fp = _fp(_cut(raw, places))
    assert b"".join(dechunked(fp)) == b"".join(pieces)
    assert not fp.raw.overrun


@given(PIECES.filter(bool), PLACES, st.integers(1, 10_000))
def test_a_cut_body_is_no_whole_one(pieces: list[bytes], places: list[int], missing: int) -> None:
    whole = b"".join(b"%X\r\n%b\r\n" % (len(piece), piece) for piece in pieces) + b"0\r\n\r\n"
    raw = whole[: -(missing % len(whole)) or -1]
    with pytest.raises(ConnectionLost):
        list(dechunked(_fp(_cut(raw, places))))


@pytest.mark.parametrize("cut", [1, 1000])
@pytest.mark.parametrize("raw", [b"3\r\nabcX\r\n", b"3\r\nabc\n\n0\r\n\r\n", b"3\r\nabc\r\n+3\r\nabc\r\n", b"g\r\n", b"\r\n"])
def test_what_is_no_chunk_is_refused_after_what_was_one(raw: bytes, cut: int) -> None:
    blocks = dechunked(_fp([raw[at : at + cut] for at in range(0, len(raw), cut)]))
    seen: list[bytes] = []
    with pytest.raises(ProtocolError):
        seen.extend(blocks)
    assert b"".join(seen) == (b"abc" if raw[:1] == b"3" else b"")


def test_bytes_behind_the_end_are_told() -> None:
    fp = _fp([b"3\r\nabc\r\n0\r\n\r\nHTTP/1.1 200 OK"])
    assert b"".join(dechunked(fp)) == b"abc"
    assert fp.raw.overrun


def test_a_size_without_its_line_end_is_none_yet() -> None:
    seen: list[bytes] = []
    with pytest.raises(ConnectionLost):
        seen.extend(dechunked(_fp([b"1\r\na\r\n1\rX"])))
    assert b"".join(seen) == b"a"
