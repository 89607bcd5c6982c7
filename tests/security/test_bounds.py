"""Answers without end, and small ones that grow: memory stays within bounds, each in a process of its own."""

from __future__ import annotations

import gzip
import json
import subprocess
import sys
import zlib
from pathlib import Path
from typing import Any

import pytest

from ailib_sync import AiClient
from ailib_sync.errors import ProtocolError, ResponseTooLarge
from ailib_sync.framing.json import load_json
from ailib_sync.framing.ndjson import parse_ndjson
from ailib_sync.framing.sse import parse_sse
from ailib_sync.http.bodies import decompressed
from ailib_sync.http.timeouts import Limits
from ailib_sync.types.json_values import MAX_DEPTH

from .. import wire
from ..local_server import LocalServer, Peer, Request, replies
from ..time_limits import scaled
from .exposure import caught

ROOT = Path(__file__).parents[2]

#: Makes one call in a process of its own, and prints the exception and by how many MiB the process grew.
PROGRAM = """
import json, resource, sys
from ailib_sync import AiClient
from ailib_sync.http.timeouts import Limits
from ailib_sync.errors import AiLibError

url, way, limit, seconds = json.loads(sys.argv[1])
client = AiClient("openai/m", api_key="k-1", base_url=url, retry=0, timeout=seconds, limits=Limits(limit))
chat = client.chat().user("Hi")
try:
    client.chat().user("Hi").explain()
    import ailib_sync.http.connections
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    (chat.execute if way == "whole" else lambda: list(chat.stream()))()
    kind, text = "none", ""
except AiLibError as error:
    kind, text = type(error).__name__, str(error)
grown = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) / 1024
print(json.dumps([kind, text, grown]))
"""

JSON_HEAD = "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"
SSE_HEAD = "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n"
GZIP = "Content-Encoding: gzip\r\n\r\n\x1f\x8b\x08\0\0\0\0\0\0\x03"
MEMBERS = "Content-Encoding: gzip\r\n\r\n"
MIB = 1 << 20
ERROR_HEAD = "HTTP/1.1 400 No\r\n"


#: What a server repeats without end.
BLOCKS: dict[str, bytes] = {
    "x": b"x" * 65536,
    "line": b"data: " + b"x" * 65530,
    "gzip": wire.gzip_bomb(1)[10:],
    "members": gzip.compress(b"", 9, mtime=0) * 3000,
    "pings": b": ping\n\n" * 8000,
    "blank": b"\n" * 65536,
    "chunk": wire.chunk(b"x" * 65536),
    "size": b"0" * 65536,
    "header": b"X-A: " + b"b" * 60000 + b"\r\n",
}

#: (head, the block that repeats, whole or streamed, the exception).
ENDLESS: dict[str, tuple[str, str, str, str]] = {
    "endless body": (JSON_HEAD + "\r\n", "x", "whole", "ResponseTooLarge"),
    "endless chunks": (JSON_HEAD + "Transfer-Encoding: chunked\r\n\r\n", "chunk", "whole", "ResponseTooLarge"),
    "endless chunk size": (JSON_HEAD + "Transfer-Encoding: chunked\r\n\r\n", "size", "whole", "ProtocolError"),
    "endless line": (SSE_HEAD + "\r\n", "line", "stream", "ResponseTooLarge"),
    "endless pings": (SSE_HEAD + "\r\n", "pings", "stream", "ResponseTooLarge"),
    "endless blank lines": (SSE_HEAD + "\r\n", "blank", "stream", "ResponseTooLarge"),
    "endless bomb": (JSON_HEAD + GZIP, "gzip", "whole", "ResponseTooLarge"),
    "endless bomb in a stream": (SSE_HEAD + GZIP, "gzip", "stream", "ResponseTooLarge"),
    "endless empty members": (JSON_HEAD + MEMBERS, "members", "whole", "ProtocolError"),
    "endless headers": (JSON_HEAD, "header", "whole", "ProtocolError"),
    "endless error": (ERROR_HEAD + "\r\n", "x", "whole", "InvalidRequest"),
    "endless bomb as an error": (ERROR_HEAD + GZIP, "gzip", "whole", "InvalidRequest"),
}


@pytest.mark.skipif(sys.platform == "win32", reason="the standard library measures no memory there")
@pytest.mark.parametrize("name", ENDLESS)
def test_an_endless_response_ends_within_bounds(name: str) -> None:
    head, body, way, kind = ENDLESS[name]
    limit = 8 * MIB if body in ("pings", "blank") else 64 * MIB  # lines cost time and no memory

    def play(peer: Peer, request: Request) -> None:
        peer.send(head.encode("latin-1"))
        peer.repeat(BLOCKS[body], limit=2 << 30)

    with LocalServer(play) as server:
        arguments = [sys.executable, "-c", PROGRAM, json.dumps([server.url, way, limit, scaled(40)])]
        run = subprocess.run(arguments, capture_output=True, text=True, cwd=ROOT, timeout=scaled(90), check=False)
    assert run.returncode == 0, run.stderr
    got, text, grown = json.loads(run.stdout)
    assert got == kind, text
    assert len(text) <= 2048
    assert grown < 200, f"{grown} MiB"


def test_a_bomb_of_a_gigabyte_is_left_at_its_bound() -> None:
    bomb = wire.gzip_bomb(64)
    assert len(bomb) < 2 * MIB
    sizes: list[int] = []
    with pytest.raises(ResponseTooLarge):
        sizes.extend(map(len, decompressed(iter([bomb]), "gzip", 64 * MIB)))
    assert max(sizes) <= 262144
    assert sum(sizes) <= 64 * MIB


@pytest.mark.parametrize(
    ("limits", "body", "headers"),
    [
        (Limits(response=1000), b" " * 2000, {}),
        (Limits(response=1000), gzip.compress(b" " * 2000, mtime=0), {"Content-Encoding": "gzip"}),
        (Limits(response=1000), zlib.compress(b" " * 2000), {"Content-Encoding": "deflate"}),
    ],
)
def test_the_limit_on_a_body_counts_what_was_sent_and_what_it_becomes(
    limits: Limits, body: bytes, headers: dict[str, str]
) -> None:
    with LocalServer(replies(wire.reply(200, body, {"Content-Type": "application/json", **headers}, close=True))) as server:
        client = AiClient("openai/m", api_key="k-1", base_url=server.url, limits=limits, retry=0)
        error = caught(lambda: client.chat().user("Hi").execute())
    assert isinstance(error, ResponseTooLarge)
    assert len(server.requests) == 1


@pytest.mark.parametrize("line", [b"data: " + b"x" * 200, b"data: xx\n" * 200, b"event: " + b"x" * 200])
def test_one_event_is_bounded_with_and_without_its_end(line: bytes) -> None:
    with pytest.raises(ResponseTooLarge):
        list(parse_sse([line], max_event=100))
    with pytest.raises(ResponseTooLarge):
        list(parse_sse([line[i : i + 3] for i in range(0, len(line), 3)], max_event=100))


def test_one_line_of_ndjson_is_bounded() -> None:
    with pytest.raises(ResponseTooLarge):
        list(parse_ndjson([b'{"a":"' + b"x" * 200 + b'"}\n'], max_event=100))


@pytest.mark.parametrize("depth", [MAX_DEPTH + 1, 5000, 1_000_000])
def test_json_nested_too_deeply_is_an_response_that_cannot_be_read(depth: int) -> None:
    with pytest.raises(ProtocolError, match="nested deeper than"):
        load_json("[" * depth + "]" * depth)


def test_json_may_be_nested_as_deep_as_any_service_does() -> None:
    value: Any = load_json("[" * MAX_DEPTH + "]" * MAX_DEPTH)
    assert len(value) == 1
    assert len(load_json("[" + ",".join(["{}"] * 5000) + "]")) == 5000


@pytest.mark.parametrize("number", ["1" * 5000, "-" + "1" * 5000])
def test_a_number_too_long_for_the_interpreter_is_an_response_that_cannot_be_read(number: str) -> None:
    with pytest.raises(ProtocolError):
        load_json(f'{{"a":{number}}}')


def test_a_long_error_response_is_kept_and_shown_in_part() -> None:
    body = json.dumps(
        {"error": {"message": "é" * 100_000, "code": "c" * 9000, "type": "t" * 9000}}, ensure_ascii=False
    ).encode()
    headers = {"Content-Type": "application/json", "x-request-id": "r" * 5000}
    with LocalServer(replies(wire.reply(400, body, headers, close=True))) as server:
        client = AiClient("openai/m", api_key="k-1", base_url=server.url, retry=0)
        error: Any = caught(lambda: client.chat().user("Hi").execute())
    assert len(str(error)) <= 2048
    assert len(error.body.encode()) <= 65536 + 2
