"""What is fuzzed: a target makes wire bytes of a fuzzer's bytes, and holds what reads them to its promises.

Half of the inputs are taken as they are; the other half are seeds of a generator that damages a right answer, since blind
bytes seldom get past a JSON parser. `wire(data)` is what was fed, so a find can be kept as a small literal.
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from ailib_sync.dialects.dialect import NAMES, find
from ailib_sync.errors import AiLibError
from ailib_sync.framing.aws_eventstream import parse_frames
from ailib_sync.framing.json import load_json
from ailib_sync.framing.ndjson import parse_ndjson
from ailib_sync.framing.sse import parse_sse, parse_sse_json
from ailib_sync.framing.surrogates import SurrogateJoiner
from ailib_sync.registry.manifest import Manifest
from tests.chat_values import MAX_EVENT_BYTES
from tests.dialects.samples import ALL, ERRORS
from tests.properties.encoding import aws_message, dumped, encoded
from tests.properties.mutate import Draw, any_value, damaged, damaged_frames
from tests.properties.promises import CONTENT_TYPES, check_body, check_error, check_stream, cut, speakers
from tests.properties.sse_reference import events_of


@dataclass(frozen=True)
class Target:
    """`make` turns a fuzzer's bytes into wire bytes, `check` reads them and raises AssertionError (or lets a foreign
    exception through) where a promise is broken, `seeds` are wire bytes to begin with."""

    make: Callable[[bytes], bytes]
    check: Callable[[bytes], None]
    seeds: Callable[[], list[bytes]]


def drawn_from(data: bytes) -> Draw:
    """The bytes as a source of numbers; zero when they are used up."""
    rest = iter(data)

    def draw(n: int) -> int:
        value = next(rest, 0)
        if n > 256:
            value = value << 8 | next(rest, 0)
        return value % n

    return draw


def same(data: bytes) -> bytes:
    return data


def outcome(make: Callable[[], Iterator[Any]]) -> tuple[list[Any], str | None]:
    """All that comes out, and the name of the AiLibError that ended it."""
    found: list[Any] = []
    try:
        for item in make():
            found.append(item)
    except AiLibError as error:
        check_error(error)
        return found, type(error).__name__
    return found, None


def any_cut_gives_the_same(raw: bytes, read: Callable[[Iterator[bytes]], Iterator[Any]]) -> tuple[list[Any], str | None]:
    whole = outcome(lambda: read(iter([raw])))
    seven = outcome(lambda: read(cut(raw, range(0, len(raw), 7))))
    assert repr(seven) == repr(whole), (seven, whole)
    ones = outcome(lambda: read(cut(raw[:300], range(300)))) if len(raw) <= 300 else whole
    assert repr(ones) == repr(whole), (ones, whole)
    return whole


def check_sse(raw: bytes) -> None:
    events, error = any_cut_gives_the_same(raw, lambda chunks: parse_sse(chunks, MAX_EVENT_BYTES))
    assert error is None
    assert events == events_of(raw), (events, events_of(raw))
    values = any_cut_gives_the_same(raw, lambda chunks: parse_sse_json(chunks, MAX_EVENT_BYTES))
    assert repr(values) == repr(outcome(lambda: frame_by_frame(raw))), values


def frame_by_frame(raw: bytes) -> Iterator[tuple[str, Any]]:
    """What `parse_sse_json` must yield, in two steps."""
    join = SurrogateJoiner().join
    for event, data in parse_sse([raw], MAX_EVENT_BYTES):
        if data := data.strip():
            yield event, None if data == "[DONE]" else join(data, load_json(data))


def check_ndjson(raw: bytes) -> None:
    any_cut_gives_the_same(raw, lambda chunks: parse_ndjson(chunks, MAX_EVENT_BYTES))


def check_aws(raw: bytes) -> None:
    any_cut_gives_the_same(raw, lambda chunks: parse_frames(chunks, MAX_EVENT_BYTES))


def make_aws(data: bytes) -> bytes:
    """Messages with correct checksums, whatever else is wrong with them."""
    if not data or data[0] & 1:
        return data[1:]
    draw = drawn_from(data[1:])
    messages = []
    for _ in range(draw(4)):
        block = b""
        for _ in range(draw(5)):
            name = (b":message-type", b":event-type", b":exception-type", b":error-code", b"x\xff", b"")[draw(6)]
            value = (b"event", b"exception", b"error", b"chunk", b"\xff\xfe", b"")[draw(6)]
            kind = draw(12)
            sized = struct.pack(">H", draw(300) if draw(4) == 0 else len(value)) + value
            block += bytes((len(name),)) + name + bytes((kind,)) + (sized if kind in (6, 7) else bytes(draw(17)))
        if draw(2):
            block = b"\x0d:message-type\x07\x00\x05event\x0b:event-type\x07\x00\x05chunk"
        payload = bytes((draw(256),)) * draw(9)
        if draw(3):
            payload = dumped({"bytes": any_value(draw)} if draw(2) else any_value(draw)).encode()
        message = bytearray(aws_message({}, payload))
        if block:
            message = bytearray(_with_headers(block, payload))
        if draw(8) == 0:
            message[draw(len(message))] ^= 1 << draw(8)
        messages.append(bytes(message))
    return b"".join(messages)


def _with_headers(block: bytes, payload: bytes) -> bytes:
    from zlib import crc32

    prelude = struct.pack(">II", 16 + len(block) + len(payload), len(block))
    head = prelude + struct.pack(">I", crc32(prelude)) + block + payload
    return head + struct.pack(">I", crc32(head))


def check_chunked(raw: bytes) -> None:
    """A chunked body: any cut gives the same bytes."""
    from ailib_sync.http.bodies import read_chunked

    def read(chunks: Iterator[bytes]) -> Iterator[bytes]:
        return read_chunked(_Reader(chunks))

    whole, seven = outcome(lambda: read(iter([raw]))), outcome(lambda: read(cut(raw, range(0, len(raw), 7))))
    assert (b"".join(whole[0]), whole[1]) == (b"".join(seven[0]), seven[1])


class _Reader:
    """A buffered reader's `read1`, over given pieces."""

    has_extra_bytes = False

    def __init__(self, chunks: Iterator[bytes]) -> None:
        self._chunks = chunks
        self.raw = self

    def read1(self, size: int) -> bytes:
        return next(filter(None, self._chunks), b"")


def check_inflate(raw: bytes) -> None:
    """A compressed body never passes its bound, and ends in bytes or an AiLibError."""
    from ailib_sync.http.bodies import decompressed

    for encoding in ("gzip", "deflate"):
        found, _ = outcome(lambda encoding=encoding: decompressed(iter([raw[:40], raw[40:]]), encoding, 1 << 20))  # type: ignore[misc]
        assert sum(map(len, found)) <= 1 << 20


def make_manifest(data: bytes) -> bytes:
    if not data or data[0] & 1:
        return data[1:]
    draw = drawn_from(data[1:])
    return dumped(damaged(_MANIFESTS[draw(len(_MANIFESTS))], draw, 5)).encode()


def check_manifest(raw: bytes) -> None:
    """Any JSON is a manifest that can be used, or a ManifestError."""
    import json

    from ailib_sync.pipeline.endpoint import Endpoint

    try:
        data = json.loads(raw)
        Endpoint("m/x", Manifest.from_dict(data))
    except AiLibError as error:
        check_error(error)
    except (ValueError, RecursionError):
        return


_MANIFESTS: list[Any] = [
    {"id": "acme", "name": "Acme", "dialect": "openai_chat", "base_url": "https://api.acme.example/v1"},
    {
        "extends": "azure",
        "id": "corp",
        "variables": {"resource": {"env": ["CORP_RESOURCE"], "default": "corp", "allowed": ["corp*"]}},
        "auth": {"scheme": "header", "header": "api-key", "env": ["CORP_KEY"]},
        "paths": {"chat": "/chat/{model}"},
        "parameters": {"seed": None, "max_tokens": "a.b"},
        "limits": {"temperature": [0, 1], "stop": 4},
        "models": {"a*|b": {"quirks": ["string_content"], "reasoning": {"style": "effort", "efforts": ["low"]}}},
        "errors": {"codes": {"1": "rate_limited"}, "statuses": {"498": "overloaded"}},
        "body": {"x": "{model}"},
    },
]


@lru_cache
def _speakers(dialect: str) -> list[Manifest]:
    return speakers(dialect)


def dialect_target(name: str) -> Target:
    """One byte says which of five ways in, one which manifest; then the wire."""
    dialect = find(name)
    kind = CONTENT_TYPES[dialect.chat.stream.framing]

    def make(data: bytes) -> bytes:
        head, rest = data[:2].ljust(2, b"\0"), data[2:]
        if head[0] & 128:
            return head + rest
        draw = drawn_from(rest)
        way = head[0] % 5
        if way < 2:
            streams = ALL[name].streams
            return head + encoded(damaged_frames(streams[draw(len(streams))], draw), dialect.chat.stream.framing)
        if way < 4:
            return head + dumped(damaged(ALL[name].responses[draw(len(ALL[name].responses))], draw)).encode()
        return head + dumped(damaged(ERRORS[draw(len(ERRORS))], draw)).encode()

    def check(wire: bytes) -> None:
        way, manifest, raw = wire[0] % 5, _speakers(name)[wire[1] % len(_speakers(name))], wire[2:]
        if way == 0:
            check_stream([raw], manifest, kind)
        elif way == 1:
            events, error = check_stream([raw], manifest, kind)
            again, error_again = check_stream(cut(raw, range(0, len(raw), 5)), manifest, kind)
            assert repr((events, error)) == repr((again, error_again))
        elif way == 2:
            check_body(200, raw, manifest)
        elif way == 3:
            check_stream([raw], manifest, "application/json")
        else:
            check_body((400, 404, 429, 500)[wire[1] % 4], raw, manifest)

    def seeds() -> list[bytes]:
        streams = [bytes((128 + 0, 0)) + encoded(frames, dialect.chat.stream.framing) for frames in ALL[name].streams]
        bodies = [bytes((130 + 2, 0)) + dumped(body).encode() for body in ALL[name].responses]
        return [*streams, *bodies, *(bytes((134, 0)) + dumped(error).encode() for error in ERRORS)]

    return Target(make, check, seeds)


def _gzip() -> list[bytes]:
    import gzip
    import zlib

    raw = zlib.compress(b"c")[2:-4]  # without zlib's header and checksum
    return [gzip.compress(b"a" * 100), zlib.compress(b"b" * 100), raw, gzip.compress(b"") * 3]


TARGETS: dict[str, Target] = {
    "sse": Target(same, check_sse, lambda: [encoded(frames, "sse") for name in NAMES for frames in ALL[name].streams]),
    "ndjson": Target(same, check_ndjson, lambda: [encoded(frames, "ndjson") for frames in ALL["ollama_chat"].streams]),
    "aws": Target(make_aws, check_aws, lambda: [b"\1" + encoded(frames, "aws") for frames in ALL["bedrock_converse"].streams]),
    "chunked": Target(
        same, check_chunked, lambda: [b"5\r\nhello\r\n1;x=y\r\n!\r\n0\r\nt: v\r\n\r\n", b"0\r\n\r\nHTTP/1.1 200"]
    ),
    "inflate": Target(same, check_inflate, _gzip),
    "manifest": Target(make_manifest, check_manifest, lambda: [b"\1" + dumped(each).encode() for each in _MANIFESTS]),
    **{name: dialect_target(name) for name in NAMES},
}
