"""Faults of a stream that has started: truncated, stalled, invalid, endless, or with an unusual end."""

from __future__ import annotations

import json
import struct
import zlib
from typing import TYPE_CHECKING, Any

from ailib_sync.errors import (
    ContentTimeout,
    DeadlineExceeded,
    Overloaded,
    ProtocolError,
    RateLimited,
    ReadTimeout,
    RemoteError,
    ResponseTooLarge,
    StreamInterrupted,
)
from ailib_sync.http.timeouts import Limits, Timeout

from .. import wire
from ..time_limits import scaled
from ..wire import DONE, HALF, LAST_CHUNK, SSE_HEAD, TEXTS, chunk, delta, deltas, event
from .register import STREAM, Fault, first, says, streams

if TYPE_CHECKING:
    from ..local_server import Peer, Request

BEGUN = deltas(TEXTS[:3])
ALL = deltas(TEXTS)
FINISH = delta(None, "stop")
TO_CLOSE = wire.head(200, {"Content-Type": "text/event-stream", "Connection": "close"})
OVERLOADED = event({"error": {"message": "Overloaded", "type": "overloaded_error", "code": 529}})
LIMITED = Timeout(connect=5, read=0.4, content=0.9, total=20)
BRIEF = Timeout(connect=5, read=0.4, total=0.9)
#: The clock of a stream stops while its reader works.
SLOW_READER = Timeout(connect=5, read=0.3, total=0.9)
#: Enough to make a template.
MANY = tuple(f"piece {number} " for number in range(100))


def paced(peer: Peer, request: Request) -> bool:
    """A healthy stream with an event every 0.2 s."""
    peer.send(SSE_HEAD)
    for block in wire.events():
        peer.server.over.wait(scaled(0.2))
        peer.send(chunk(block))
    peer.send(LAST_CHUNK)
    return True


def cut(peer: Peer, request: Request) -> bool:
    """Ends the connection after three events."""
    peer.send(SSE_HEAD + b"".join(chunk(block) for block in BEGUN))
    peer.fin()
    return False


def cut_to_close(peer: Peer, request: Request) -> bool:
    peer.send(TO_CLOSE + b"".join(BEGUN))
    peer.fin()
    return False


def reset(peer: Peer, request: Request) -> bool:
    peer.send(SSE_HEAD + b"".join(chunk(block) for block in BEGUN))
    peer.server.over.wait(scaled(0.1))  # data that is sent directly before a reset may be lost
    peer.reset()
    return False


def stall(peer: Peer, request: Request) -> bool:
    peer.send(SSE_HEAD + b"".join(chunk(block) for block in BEGUN))
    peer.wait()
    return False


def open_after_done(peer: Peer, request: Request) -> bool:
    peer.send(SSE_HEAD + b"".join(chunk(block) for block in wire.events()))
    peer.wait()
    return False


def begun_then(block: bytes, seconds: float = 0.0) -> Any:
    def play(peer: Peer, request: Request) -> bool:
        peer.send(SSE_HEAD + b"".join(chunk(each) for each in BEGUN))
        peer.repeat(chunk(block), seconds)
        return False

    return play


def endless_line(peer: Peer, request: Request) -> bool:
    peer.send(SSE_HEAD + b"".join(chunk(each) for each in BEGUN) + chunk(b"data: "))
    peer.repeat(chunk(b"x" * 65536))
    return False


def head_then_fin(peer: Peer, request: Request) -> bool:
    peer.send(SSE_HEAD)
    return False


def single_bytes(pieces: list[bytes], chunked: bool) -> Any:
    """Each byte is its own TCP segment and its own HTTP chunk."""

    def play(peer: Peer, request: Request) -> bool:
        peer.send(SSE_HEAD)
        for byte in b"".join(pieces):
            peer.send(chunk(bytes((byte,))))
            peer.server.over.wait(0.0005)
        peer.send(LAST_CHUNK)
        return True

    return play


def compressed(peer: Peer, request: Request) -> bool:
    """Gzip, flushed after each event, with 0.15 s between two events."""
    gzip = zlib.compressobj(wbits=31)
    peer.send(wire.head(200, {"Content-Type": "text/event-stream", "Transfer-Encoding": "chunked", "Content-Encoding": "gzip"}))
    for block in wire.events():
        peer.server.over.wait(scaled(0.15))
        peer.send(chunk(gzip.compress(block) + gzip.flush(zlib.Z_SYNC_FLUSH)))
    peer.send(chunk(gzip.flush()) + LAST_CHUNK)
    return True


def many_lines(count: int) -> bytes:
    """One event in `count` lines of data: JSON may have a line end at any place where it may have a space."""
    return b"".join(b"data: " + b" " * 100 + b"\n" for _ in range(count)) + delta("x")


def ndjson(*lines: bytes) -> Any:
    return says(wire.reply(200, b"".join(lines), {"Content-Type": "application/x-ndjson"}))


def ollama(text: str) -> bytes:
    return json.dumps({"model": "m", "message": {"role": "assistant", "content": text}, "done": False}).encode() + b"\n"


def aws(kind: str, payload: dict[str, Any], message: str = "event") -> bytes:
    """A message of an AWS event stream."""
    names = {":message-type": message, ":content-type": "application/json", f":{message}-type": kind}
    head = b"".join(
        bytes((len(name),)) + name.encode() + b"\7" + struct.pack(">H", len(value)) + value.encode()
        for name, value in names.items()
    )
    body = json.dumps(payload).encode()
    prelude = struct.pack(">II", len(head) + len(body) + 16, len(head))
    message_bytes = prelude + struct.pack(">I", zlib.crc32(prelude)) + head + body
    return message_bytes + struct.pack(">I", zlib.crc32(message_bytes))


def aws_text(text: str) -> bytes:
    return aws("contentBlockDelta", {"contentBlockIndex": 0, "delta": {"text": text}})


def aws_stream(*blocks: bytes) -> Any:
    return says(wire.reply(200, b"".join(blocks), {"Content-Type": "application/vnd.amazon.eventstream"}))


def bad_checksum(message: bytes) -> bytes:
    at = len(message) - 8
    return message[:at] + bytes((message[at] ^ 1,)) + message[at + 1 :]


def event_too_large(error: ResponseTooLarge) -> bool:
    return "Limits.event" in error.message


AWS_BEGUN = tuple(map(aws_text, TEXTS[:3]))
HUGE = struct.pack(">II", 0xFFFFFFFF, 16)
HUGE_PRELUDE = HUGE + struct.pack(">I", zlib.crc32(HUGE))
OLLAMA = "ollama/llama3.3?dialect=ollama_chat"
BEDROCK = "bedrock/anthropic.claude-sonnet-4-5-20250929-v1:0"
TOOL = {"index": 0, "id": "t1", "type": "function", "function": {"name": "f", "arguments": '{"a": '}}
TOOL_DELTA = event({"choices": [{"index": 0, "delta": {"tool_calls": [TOOL]}, "finish_reason": None}]})
USAGE = event({"choices": [], "usage": {"prompt_tokens": 3, "completion_tokens": 5, "total_tokens": 8}})
BOTH_FINISHED = event(
    {"choices": [{"index": 0, "delta": {}, "finish_reason": "error"}], "error": {"code": 502, "message": "upstream failed"}}
)


def fault(id: str, what: str, play: Any, raises: Any = None, connection: str = "discard", **more: Any) -> Fault:
    text = more.pop("text", wire.TEXT if raises is None else HALF)
    return Fault(id, what, play, raises, more.pop("requests", 1), connection, STREAM, text, **more)


FAULTS = (
    fault(
        "stream-clean-eof-no-finish",
        "three events, a normal end of the body, no finish reason and no `[DONE]`",
        streams(*BEGUN),
        StreamInterrupted,
        "either",
    ),
    fault("stream-finish-no-done", "a finish reason but no `[DONE]`", streams(*ALL, FINISH), None, "reuse"),
    fault(
        "stream-done-no-finish",
        "`[DONE]` but no finish reason",
        streams(*ALL, DONE),
        None,
        "reuse",
        check=lambda response: response.raw_finish_reason is None,
        note="`raw_finish_reason` is None",
    ),
    fault("stream-fin-mid", "three events, then the connection ends", cut, StreamInterrupted),
    fault("stream-rst-mid", "three events, then a reset", reset, StreamInterrupted),
    fault(
        "stream-eof-delimited-cut",
        "the same, in a body that is delimited by the end of the connection",
        cut_to_close,
        StreamInterrupted,
    ),
    fault("tls-eof-no-close-notify", "the same over TLS, without close_notify", cut_to_close, StreamInterrupted, tls="good"),
    fault(
        "stream-cut-inside-event",
        "three events and half an event, then a normal end of the body",
        streams(*BEGUN, ALL[3][:-20]),
        StreamInterrupted,
        "either",
    ),
    fault(
        "stream-truncated-json-event",
        "three events, then an event with truncated JSON",
        streams(*BEGUN, ALL[3][:40] + b"\n\n"),
        ProtocolError,
    ),
    fault("stream-stall", "three events, then nothing", stall, ReadTimeout, took=(0.4, 0.4)),
    fault(
        "stream-comment-keepalive-forever",
        "three events, then comments without end",
        begun_then(b": ping\n\n", 0.05),
        ContentTimeout,
        timeout=LIMITED,
        took=(0.9, 0.9),
    ),
    fault(
        "stream-ping-event-forever",
        "three events, then `ping` events without end",
        begun_then(b'event: ping\ndata: {"type": "ping"}\n\n', 0.05),
        DeadlineExceeded,
        timeout=BRIEF,
        took=(0.9, 0.9),
    ),
    fault(
        "stream-byte-drip",
        "each byte is an HTTP chunk",
        single_bytes(wire.events(), True),
        None,
        "reuse",
        took=(0, 4),
        timeout=Timeout(9, connect=5, read=1, content=9),
    ),
    fault("stream-error-mid", "three events, then an error", streams(*BEGUN, OVERLOADED), Overloaded),
    fault("stream-error-first", "an error as the first event", streams(OVERLOADED), Overloaded, text="", requests=3),
    fault("stream-error-first-once", "the same, the first time only", first(1, streams(OVERLOADED)), None, "reuse", requests=2),
    fault(
        "stream-error-string",
        "three events, then an error that is a string",
        streams(*BEGUN, event({"error": "boom"}), DONE),
        RemoteError,
    ),
    fault(
        "stream-vllm-error-object",
        "three events, then vLLM's error object and `[DONE]`",
        streams(*BEGUN, event({"object": "error", "message": "boom", "type": "InternalServerError", "code": 500}), DONE),
        RemoteError,
    ),
    fault(
        "stream-finish-error", "three events, then the finish reason `error`", streams(*BEGUN, BOTH_FINISHED, DONE), RemoteError
    ),
    fault(
        "stream-invalid-utf8",
        "a byte that is not UTF-8",
        streams(*ALL[:3], ALL[3].replace(b"four", b"fo\xffr"), ALL[4], FINISH, DONE),
        None,
        "reuse",
        text=wire.TEXT.replace("four", "fo\ufffdr"),
        note="shown as U+FFFD",
    ),
    fault(
        "stream-split-every-byte-utf8",
        "characters of four bytes, each byte in its own TCP segment",
        single_bytes(wire.events(("é😀", "é😀")), True),
        None,
        "reuse",
        text="é😀é😀",
        took=(0, 4),
        timeout=Timeout(9, connect=5, read=1, content=9),
    ),
    fault(
        "stream-json-instead-of-sse",
        "a complete response in JSON instead of a stream",
        says(wire.reply(200, wire.completion())),
        None,
        "reuse",
    ),
    fault(
        "stream-json-error-instead-of-sse",
        "an error in JSON, with status 200, instead of a stream",
        says(wire.reply(200, wire.error_body("overloaded", code=503))),
        RemoteError,
        "reuse",
        text="",
        requests=(1, 3),
    ),
    fault(
        "stream-open-after-done",
        "a complete stream, but the body does not end",
        open_after_done,
        took=(0, 0.3),
        note="the connection is dropped 50 ms after the last event",
    ),
    fault("stream-done-no-newline", "the last line has no line end", streams(*ALL, FINISH, b"data: [DONE]"), None, "reuse"),
    fault(
        "stream-bom-crlf",
        "a byte order mark and CRLF",
        streams(b"\xef\xbb\xbf" + b"".join(wire.events()).replace(b"\n", b"\r\n")),
        None,
        "reuse",
    ),
    fault(
        "stream-endless-line",
        "three events, then a line without end",
        endless_line,
        ResponseTooLarge,
        limits=Limits(event=1 << 20),
        took=(0, 3),
    ),
    fault(
        "stream-event-too-large",
        "three events, then one that is larger than `Limits.event`",
        streams(*BEGUN, delta("x" * 2000)),
        ResponseTooLarge,
        limits=Limits(event=2000),
        check=event_too_large,
    ),
    fault(
        "stream-event-too-large-templates",
        "the same after 100 similar events, which are read without parsing",
        streams(*deltas(MANY), delta("x" * 2000), *deltas(MANY)),
        ResponseTooLarge,
        text="".join(MANY),
        limits=Limits(event=2000),
        check=event_too_large,
    ),
    fault(
        "stream-event-too-large-one-write",
        "the same, all in one write",
        streams(b"".join((*deltas(MANY), delta("x" * 2000), *deltas(MANY)))),
        ResponseTooLarge,
        text="".join(MANY),
        limits=Limits(event=2000),
        check=event_too_large,
    ),
    fault(
        "stream-larger-than-an-event",
        "a stream larger than `Limits.event`, each event smaller",
        streams(*deltas(MANY), FINISH, DONE),
        None,
        "reuse",
        text="".join(MANY),
        limits=Limits(event=2000),
    ),
    fault(
        "stream-json-larger-than-an-event",
        "a complete response in JSON instead of a stream, larger than `Limits.event`",
        says(wire.reply(200, wire.completion())),
        None,
        "reuse",
        limits=Limits(event=100),
        note="`Limits.response` bounds it",
    ),
    fault(
        "stream-endless-deltas",
        "events without end",
        begun_then(delta("x") * 200),
        ResponseTooLarge,
        text="*",
        limits=Limits(response=4 << 20),
        took=(0, 3),
    ),
    fault(
        "stream-multiline-100k",
        "an event of 10 MB in 100,000 lines",
        streams(many_lines(100_000), *wire.events()),
        None,
        "reuse",
        text="x" + wire.TEXT,
        took=(0, 3),
    ),
    fault(
        "stream-slow-consumer-ok",
        "a reader slower than the time limits",
        paced,
        None,
        "reuse",
        pause=0.25,
        timeout=SLOW_READER,
        took=(1.0, 2.2),
    ),
    fault(
        "stream-empty-choices-usage",
        "a last event that has only the usage",
        streams(*ALL, FINISH, USAGE, DONE),
        None,
        "reuse",
        check=lambda response: response.usage.total_tokens == 8,
    ),
    fault(
        "stream-fin-before-first-event-once",
        "the connection ends before the first event, once",
        first(1, head_then_fin),
        None,
        "reuse",
        requests=2,
    ),
    fault("gzip-sse", "a compressed stream", compressed, None, "reuse", took=(0.9, 1.5)),
    fault(
        "ndjson-cut-line",
        "NDJSON with a truncated last line",
        ndjson(*map(ollama, TEXTS[:3]), ollama("four")[:20]),
        StreamInterrupted,
        "either",
        model=OLLAMA,
    ),
    fault(
        "ndjson-no-done",
        "NDJSON that ends without `done`",
        ndjson(*map(ollama, TEXTS[:3])),
        StreamInterrupted,
        "either",
        model=OLLAMA,
    ),
    fault(
        "ndjson-error-line",
        "NDJSON with an error as its last line",
        ndjson(*map(ollama, TEXTS[:3]), b'{"error": "boom"}\n'),
        RemoteError,
        "either",
        model=OLLAMA,
    ),
    fault(
        "ndjson-line-too-large",
        "NDJSON with a line larger than `Limits.event`",
        ndjson(*map(ollama, MANY), ollama("x" * 2000), *map(ollama, MANY)),
        ResponseTooLarge,
        text="".join(MANY),
        limits=Limits(event=2000),
        model=OLLAMA,
        check=event_too_large,
    ),
    fault(
        "aws-message-too-large",
        "an AWS message larger than `Limits.event`",
        aws_stream(*map(aws_text, MANY), aws_text("x" * 2000), *map(aws_text, MANY)),
        ResponseTooLarge,
        text="".join(MANY),
        limits=Limits(event=2000),
        model=BEDROCK,
        check=event_too_large,
    ),
    fault(
        "aws-bad-crc",
        "an AWS event stream with a flipped bit",
        aws_stream(*AWS_BEGUN, bad_checksum(AWS_BEGUN[0])),
        ProtocolError,
        "either",
        model=BEDROCK,
    ),
    fault(
        "aws-cut-frame",
        "an AWS event stream that ends inside a message",
        aws_stream(*AWS_BEGUN, AWS_BEGUN[0][:-9]),
        StreamInterrupted,
        "either",
        model=BEDROCK,
    ),
    fault(
        "aws-exception-frame",
        "an AWS event stream with an exception",
        aws_stream(*AWS_BEGUN, aws("throttlingException", {"message": "slow down"}, "exception")),
        RateLimited,
        "either",
        model=BEDROCK,
    ),
    fault(
        "aws-oversized-prelude",
        "an AWS message with a length of 4 GB",
        aws_stream(*AWS_BEGUN, HUGE_PRELUDE),
        ProtocolError,
        "either",
        model=BEDROCK,
    ),
    fault(
        "tool-args-cut",
        "the stream ends inside the arguments of a tool call",
        streams(*BEGUN, TOOL_DELTA),
        StreamInterrupted,
        "either",
        check=lambda error: error.partial.tool_calls[0].arguments_raw == '{"a": ',
        note="the text so far is in `error.partial`, unchanged",
    ),
    fault(
        "finish-length",
        "the response ends because it reached `max_tokens`",
        streams(*ALL, delta(None, "length"), DONE),
        None,
        "reuse",
        check=lambda response: response.finish_reason == "max_tokens",
    ),
    fault(
        "finish-content-filter",
        "a content filter ends the response",
        streams(*BEGUN, delta(None, "content_filter"), DONE),
        None,
        "reuse",
        text=HALF,
        check=lambda response: response.finish_reason == "content_filter",
    ),
)
