"""Faults of complete responses: statuses, headers, Retry-After, framing, sizes, wrong JSON."""

from __future__ import annotations

import json
import math
from datetime import datetime, timedelta, timezone
from email.utils import format_datetime
from typing import TYPE_CHECKING, Any

from ailib_sync.errors import (
    AuthenticationError,
    ConnectionLost,
    DeadlineExceeded,
    InvalidRequest,
    NotFound,
    PermissionDenied,
    ProtocolError,
    QuotaExhausted,
    RateLimited,
    ReadTimeout,
    RedirectRefused,
    RemoteError,
    RequestTooLarge,
    ResponseTooLarge,
    ServerError,
    StreamInterrupted,
)
from ailib_sync.http.timeouts import Limits, Timeout

from .. import wire
from ..time_limits import scaled
from ..wire import completion, head, healthy, reply
from .register import BOTH, PLAIN, Fault, first, says

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ..local_server import Peer, Request

BRIEF = Timeout(connect=5, read=0.6, total=0.9)
SMALL = Limits(response=4 << 20)
HTML = "<html><body>" + "Please log in. " * 10 + "</body></html>"


def refused(status: int, headers: dict[str, str] | None = None, **more: Any) -> Any:
    return says(reply(status, wire.error_body(**more), headers))


def limited(retry_after: str, name: str = "Retry-After", **headers: str) -> Any:
    return refused(429, {name: retry_after, **headers})


def in_two_seconds(peer: Peer, request: Request) -> bool:
    """A Retry-After date, relative to the response's own date, which is wrong by an hour."""
    now = datetime.now(timezone.utc) - timedelta(hours=1)
    peer.send(
        reply(
            429,
            wire.error_body(),
            {"Date": format_datetime(now, True), "Retry-After": format_datetime(now + timedelta(seconds=1), True)},
        )
    )
    return True


def soon(peer: Peer, request: Request) -> bool:
    """A Retry-After date in two seconds, without a Date header. A date has whole seconds, so one to two are left."""
    date = format_datetime(datetime.now(timezone.utc) + timedelta(seconds=2), usegmt=True)
    peer.send(reply(429, wire.error_body(), {"Retry-After": date}))
    return True


def then_silence(response: bytes) -> Any:
    def play(peer: Peer, request: Request) -> bool:
        peer.send(response)
        peer.wait()
        return False

    return play


def then_reset(peer: Peer, request: Request) -> bool:
    peer.reset()
    return False


def close(peer: Peer, request: Request) -> bool:
    return False


def dripped(response: bytes, seconds: float) -> Any:
    def play(peer: Peer, request: Request) -> bool:
        peer.drip(response, seconds)
        return True

    return play


def endless(start: bytes, block: bytes, seconds: float = 0.0) -> Any:
    def play(peer: Peer, request: Request) -> bool:
        peer.send(start)
        peer.repeat(block, seconds)
        return False

    return play


def forged() -> bytes:
    """A response without a request. A client that accepts it is out of step with its requests."""
    return reply(200, completion("forged"))


def unsolicited(peer: Peer, request: Request) -> bool:
    healthy(peer, request)
    if request.number == 1:
        peer.send(forged())
    return True


def extra_bytes(peer: Peer, request: Request) -> bool:
    response = reply(200, completion())
    peer.send(response + forged() if request.number == 1 else response)
    return True


def chunked_and_sized(peer: Peer, request: Request) -> bool:
    both = {"Content-Type": "application/json", "Content-Length": "5", "Transfer-Encoding": "chunked"}
    peer.send(head(200, both) + wire.chunk(json.dumps(completion()).encode()) + wire.LAST_CHUNK)
    return True


def redirect(status: int, location: str) -> Any:
    return says(reply(status, b"", {"Location": location}), keeps=True)


def interim(status: int, **headers: str) -> Any:
    def play(peer: Peer, request: Request) -> bool:
        peer.send(head(status, headers))
        return healthy(peer, request)

    return play


def newlines_first(peer: Peer, request: Request) -> bool:
    """What DeepSeek sends while a call without streaming waits in its queue."""
    peer.send(wire.JSON_CHUNKED_HEAD)
    for _ in range(6):
        peer.send(wire.chunk(b"\n"))
        peer.server.over.wait(scaled(0.15))
    peer.send(wire.chunk(json.dumps(completion()).encode()) + wire.LAST_CHUNK)
    return True


def raw(*lines: str, body: bytes = b"") -> bytes:
    return "\r\n".join((*lines, "", "")).encode("latin-1") + body


def bomb(peer: Peer, request: Request) -> bool:
    """1 MB that expands to 1 GiB."""
    peer.send(reply(200, wire.gzip_bomb(64), {"Content-Type": "application/json", "Content-Encoding": "gzip"}))
    return True


def has_retry_after(seconds: float | None) -> Any:
    return lambda error: error.retry_after == seconds


HALF_BODY = reply(200, completion())[:-40]
HALF_CHUNKED = wire.JSON_CHUNKED_HEAD + wire.chunk(json.dumps(completion())[:40].encode())
TO_CLOSE = head(200, {"Content-Type": "application/json", "Connection": "close"})

STATUSES: Mapping[int, type[RemoteError]] = {
    400: InvalidRequest,
    401: AuthenticationError,
    402: QuotaExhausted,
    403: PermissionDenied,
    404: NotFound,
    413: RequestTooLarge,
    422: InvalidRequest,
}
PASSING = (408, 409, 429, 500, 502, 503, 504, 529)

HEADS = (
    Fault("ok", "nothing: the provider works", healthy, None, 1, "reuse"),
    Fault("close-before-response", "the connection ends before any byte of a response", close, ConnectionLost, 3),
    Fault("close-before-response-once", "the same, the first time only", first(1, close), None, 2, "reuse"),
    Fault("rst-before-response", "the connection is reset before a response", then_reset, ConnectionLost, 3, modes=PLAIN),
    Fault(
        "no-response",
        "the provider reads the request and never responds",
        then_silence(b""),
        ReadTimeout,
        1,
        took=(0.4, 0.4),
        note="not sent again: the provider may still work on it, and charge for it",
    ),
    Fault(
        "unsolicited-bytes-keepalive",
        "a second response arrives on the idle connection",
        unsolicited,
        None,
        2,
        "reuse",
        PLAIN,
        calls=2,
        connections=2,
    ),
    Fault(
        "extra-bytes-after-body",
        "a forged response directly after the first one",
        extra_bytes,
        None,
        2,
        "reuse",
        PLAIN,
        calls=2,
        connections=2,
    ),
    *(
        Fault(f"status-{status}", f"status {status}", refused(status), error, 1, "reuse", PLAIN)
        for status, error in STATUSES.items()
    ),
    *(
        Fault(
            f"status-{status}-once",
            f"status {status}, the first time only",
            first(1, refused(status)),
            None,
            2,
            "reuse",
            BOTH if status in (429, 529) else PLAIN,
        )
        for status in PASSING
    ),
    Fault("status-503-always", "status 503, always", refused(503), ServerError, 3, "reuse", PLAIN),
    Fault("stream-429-then-ok", "429 for a stream, the first time only", first(1, refused(429)), None, 2, "reuse", ("stream",)),
    Fault(
        "retry-after-1",
        "429 with Retry-After: 1 s",
        first(1, limited("1")),
        None,
        2,
        "reuse",
        PLAIN,
        took=(1.0, 1.5),
    ),
    Fault(
        "retry-after-date",
        "429 with a Retry-After date in two seconds",
        first(1, soon),
        None,
        2,
        "reuse",
        PLAIN,
        took=(0.9, 2.2),
    ),
    Fault(
        "date-skew",
        "the same, from a provider whose clock is an hour slow",
        first(1, in_two_seconds),
        None,
        2,
        "reuse",
        PLAIN,
        took=(1.0, 1.5),
    ),
    Fault(
        "retry-after-ms",
        "429 with `retry-after-ms: 700` and Retry-After: 30 s",
        first(1, limited("700", "Retry-After-Ms", **{"Retry-After": "30"})),
        None,
        2,
        "reuse",
        PLAIN,
        took=(0.7, 1.2),
    ),
    Fault(
        "retry-after-1day",
        "429 with Retry-After: one day",
        limited("86400"),
        RateLimited,
        1,
        "reuse",
        PLAIN,
        check=has_retry_after(86400.0),
        note="it is in `error.retry_after`",
    ),
    Fault(
        "retry-after-inf",
        "429 with Retry-After: `inf`",
        limited("inf"),
        RateLimited,
        1,
        "reuse",
        PLAIN,
        check=has_retry_after(math.inf),
    ),
    Fault("retry-after-nan", "429 with Retry-After: `nan`", first(1, limited("nan")), None, 2, "reuse", PLAIN),
    Fault("retry-after-garbage", "429 with Retry-After: `soon`", first(1, limited("soon")), None, 2, "reuse", PLAIN),
    Fault(
        "retry-after-overflow-date",
        "429 with a Retry-After date in the year 99999",
        first(1, limited("Fri, 31 Dec 99999 23:59:59 GMT")),
        None,
        2,
        "reuse",
        PLAIN,
    ),
    Fault(
        "retry-after-date-past",
        "429 with a Retry-After date long ago",
        first(1, limited("Mon, 01 Jan 2001 00:00:00 GMT")),
        None,
        2,
        "reuse",
        PLAIN,
    ),
    Fault(
        "retry-after-negative",
        "503 with Retry-After: -5",
        first(1, refused(503, {"Retry-After": "-5"})),
        None,
        2,
        "reuse",
        PLAIN,
    ),
    Fault(
        "quota-429",
        "429 because the account has no credit left",
        refused(429, code="insufficient_quota"),
        QuotaExhausted,
        1,
        "reuse",
        PLAIN,
    ),
    Fault(
        "x-should-retry-false",
        "500 with `x-should-retry: false`",
        refused(500, {"x-should-retry": "false"}),
        ServerError,
        1,
        "reuse",
        PLAIN,
    ),
    Fault(
        "x-should-retry-true",
        "400 with `x-should-retry: true`",
        first(1, refused(400, {"x-should-retry": "true"})),
        None,
        2,
        "reuse",
        PLAIN,
    ),
    Fault(
        "ratelimit-reset-headers",
        "429 whose headers say when the rate limits are reset",
        refused(429, {"x-ratelimit-reset-requests": "6m0s", "x-ratelimit-remaining-requests": "0"}),
        RateLimited,
        1,
        "reuse",
        PLAIN,
        check=lambda error: error.rate_limit.reset_requests == 360.0,
        note="a reset beyond `max_retry_after` is not waited for: it is in `error.retry_after` and `error.rate_limit`",
    ),
    Fault(
        "gemini-retryinfo",
        "429 with 40 s in Google's `RetryInfo`",
        says(
            reply(
                429,
                {
                    "error": {
                        "code": 429,
                        "status": "RESOURCE_EXHAUSTED",
                        "message": "slow down",
                        "details": [{"@type": "type.googleapis.com/google.rpc.RetryInfo", "retryDelay": "40s"}],
                    }
                },
            )
        ),
        RateLimited,
        1,
        "reuse",
        PLAIN,
        model="gemini/gemini-2.5-flash",
        check=has_retry_after(40.0),
    ),
    Fault(
        "redirect-302-to-get",
        "a redirect that would change POST to GET",
        redirect(302, "/other"),
        RedirectRefused,
        1,
        "reuse",
        PLAIN,
    ),
    Fault(
        "redirect-loop",
        "a redirect to the same URL",
        redirect(307, "/v1/chat/completions"),
        RedirectRefused,
        1,
        "reuse",
        PLAIN,
    ),
    Fault(
        "headers-drip",
        "the headers arrive byte by byte",
        endless(b"HTTP/1.1 200 OK\r\nX-Slow: ", b"a", 0.05),
        DeadlineExceeded,
        1,
        modes=PLAIN,
        timeout=BRIEF,
        took=(0.9, 0.9),
    ),
    Fault(
        "headers-endless",
        "headers without end",
        endless(b"HTTP/1.1 200 OK\r\n", b"X-More: and more\r\n" * 100),
        ProtocolError,
        3,
        modes=PLAIN,
    ),
    Fault(
        "header-line-1MB",
        "one header of 1 MB",
        says(reply(200, completion(), {"X-Big": "b" * 1_000_000}), False),
        ProtocolError,
        3,
        modes=PLAIN,
    ),
    Fault(
        "garbage-status-line",
        "the greeting of another protocol",
        says(b"SSH-2.0-OpenSSH_9.6\r\n", False),
        ProtocolError,
        3,
        modes=PLAIN,
    ),
    Fault(
        "early-hints-103", "103 Early Hints before the response", interim(103, Link="</a.css>; rel=preload"), None, 1, "reuse"
    ),
    Fault("continue-100", "100 Continue before the response", interim(100), None, 1, "reuse", PLAIN),
    Fault(
        "cl-and-te",
        "both Content-Length and Transfer-Encoding: chunked",
        chunked_and_sized,
        None,
        1,
        "discard",
        PLAIN,
        note="the chunks count",
    ),
    Fault(
        "two-content-lengths",
        "two different values of Content-Length",
        says(raw("HTTP/1.1 200 OK", "Content-Length: 5", "Content-Length: 7", body=b"1234567")),
        ProtocolError,
        3,
        modes=PLAIN,
    ),
    Fault(
        "request-id-garbage",
        "a request id of 60 KB",
        says(reply(200, completion(), {"x-request-id": "r" * 60_000})),
        None,
        1,
        "reuse",
        PLAIN,
        check=lambda response: len(response.request_id) == 200,
        note="the first 200 characters are kept",
    ),
)

BODIES = (
    Fault(
        "error-body-endless",
        "status 500 whose body never ends",
        endless(head(500, {"Transfer-Encoding": "chunked"}), wire.chunk(b"x" * 20_000), 0.02),
        ServerError,
        3,
        modes=PLAIN,
        took=(0, 3),
    ),
    Fault(
        "error-body-stall",
        "status 500, half of its body, then nothing",
        then_silence(reply(500, wire.error_body("n" * 200))[:-50]),
        ServerError,
        3,
        modes=PLAIN,
        took=(1.2, 1.6),
        note="the body of an error is read for at most 2 s, here 0.4 s (`read`)",
    ),
    Fault(
        "error-body-html-100k",
        "status 502 with 100 KB of HTML",
        says(reply(502, "<p>" + "bad gateway " * 9000)),
        ServerError,
        3,
        "reuse",
        PLAIN,
    ),
    Fault(
        "bad-gzip",
        "`Content-Encoding: gzip` with a body that is not gzip",
        says(reply(200, completion(), {"Content-Encoding": "gzip"})),
        ProtocolError,
        3,
        "either",
        PLAIN,
    ),
    Fault(
        "truncated-content-length",
        "the body ends 40 bytes early",
        says(HALF_BODY, False),
        ConnectionLost,
        3,
        modes=PLAIN,
    ),
    Fault(
        "truncated-chunked", "the body ends without its last chunk", says(HALF_CHUNKED, False), ConnectionLost, 3, modes=PLAIN
    ),
    Fault(
        "truncated-eof-json",
        "JSON without Content-Length is truncated",
        says(TO_CLOSE + json.dumps(completion())[:60].encode(), False),
        ProtocolError,
        3,
        modes=PLAIN,
    ),
    Fault(
        "body-stall", "half of the body, then nothing", then_silence(HALF_BODY), ReadTimeout, 1, modes=PLAIN, took=(0.4, 0.4)
    ),
    Fault(
        "body-drip",
        "the body arrives byte by byte",
        dripped(reply(200, completion("slow " * 400)), 0.02),
        DeadlineExceeded,
        1,
        modes=PLAIN,
        timeout=BRIEF,
        took=(0.9, 0.9),
    ),
    Fault(
        "body-huge",
        "a body without end",
        endless(wire.JSON_CHUNKED_HEAD + wire.chunk(b'{"a":"'), wire.chunk(b"b" * 65536)),
        ResponseTooLarge,
        1,
        modes=PLAIN,
        limits=SMALL,
    ),
    Fault("gzip-bomb", "1 MB that expands to 1 GB", bomb, ResponseTooLarge, 1, modes=PLAIN, took=(0, 2.5)),
    Fault("bad-chunk-size", "a chunk of size `zz`", says(wire.SSE_HEAD + b"zz\r\nabc\r\n"), ProtocolError, 3),
    Fault(
        "chunk-size-line-endless",
        "a chunk size without end",
        endless(wire.JSON_CHUNKED_HEAD, b"1" * 4096),
        ProtocolError,
        3,
        modes=PLAIN,
    ),
    Fault(
        "nonstream-newline-keepalive",
        "empty lines for longer than the read timeout, then the response",
        newlines_first,
        None,
        1,
        "reuse",
        PLAIN,
    ),
    Fault("json-wrong-shape", "JSON of another form", says(reply(200, {"choices": None})), ProtocolError, 3, "reuse", PLAIN),
    Fault(
        "json-error-200",
        "an error with status 200",
        says(reply(200, wire.error_body("overloaded", code=503))),
        RemoteError,
        (1, 3),
        "reuse",
        PLAIN,
    ),
    Fault(
        "html-200",
        "a login page with status 200",
        says(reply(200, HTML, {"Content-Type": "text/html"})),
        ProtocolError,
        3,
        "reuse",
    ),
    Fault("empty-200", "status 200 and nothing else", says(reply(200)), (ProtocolError, StreamInterrupted), 3, "reuse"),
    Fault(
        "json-deep",
        "JSON nested 200,000 deep",
        says(reply(200, "[" * 200_000, {"Content-Type": "application/json"})),
        ProtocolError,
        3,
        "reuse",
        PLAIN,
    ),
    Fault(
        "log-injection",
        "an error message of 1 MB with line ends and escape sequences",
        says(reply(400, wire.error_body("bad\r\nFAKE LOG LINE\x1b[2J\u2028" + "x" * 1_000_000))),
        InvalidRequest,
        1,
        "either",
        PLAIN,
        check=lambda error: str(error).isprintable() and len(str(error)) < 2300,
    ),
    Fault(
        "tool-args-invalid",
        "a tool call whose arguments are not JSON",
        says(
            reply(
                200,
                {
                    "choices": [
                        {
                            "index": 0,
                            "finish_reason": "tool_calls",
                            "message": {
                                "role": "assistant",
                                "content": None,
                                "tool_calls": [
                                    {"id": "t1", "type": "function", "function": {"name": "f", "arguments": '{"a": '}}
                                ],
                            },
                        }
                    ]
                },
            )
        ),
        None,
        1,
        "reuse",
        PLAIN,
        text="*",
        check=lambda response: response.tool_calls[0].arguments_raw == '{"a": ',
        note="the text is in `arguments_raw`, unchanged",
    ),
)

#: Statuses to which one provider gives another meaning.
PARTICULAR = (
    Fault(
        "status-498-groq",
        "Groq's 498: no capacity for the flexible tier",
        first(1, refused(498)),
        None,
        2,
        "reuse",
        PLAIN,
        model="groq/llama-3.3-70b-versatile",
    ),
    Fault(
        "status-424-bedrock",
        "Bedrock's 424: the model failed during its work",
        refused(424),
        ServerError,
        3,
        "reuse",
        PLAIN,
        model="bedrock/anthropic.claude-sonnet-4-5-20250929-v1:0",
    ),
    Fault("status-499", "status 499", refused(499), RemoteError, 1, "reuse", PLAIN),
    *(
        Fault(f"status-{status}", f"Cloudflare's {status}", first(1, refused(status)), None, 2, "reuse", PLAIN)
        for status in (*range(520, 525), 530)
    ),
)

FAULTS = (*HEADS, *BODIES, *PARTICULAR)
