"""Ways for an answer to go wrong, by name: each writes what it must onto the wire. `FAULTS` at the bottom lists them.

`after` counts the events that arrive before the trouble; an answer that is no stream is cut in eight and its pieces count.
`seconds` is how long a stall, a drip or the like lasts at most.
"""

from __future__ import annotations

from dataclasses import dataclass

from ..embedded.exchange import Refused, Reply
from ..embedded.frames import compact
from ..embedded.service import speaker_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from .server import Exchange


@dataclass(slots=True)
class Trouble:
    """The settings of one fault, with the dialect its bytes are written in."""

    dialect: str
    after: int = 2
    seconds: float = 30.0
    #: Between two bytes or pings.
    pause: float = 0.05
    kind: str = "overloaded"
    message: str = "The service is overloaded; please try again later."
    location: str = "/elsewhere"


def pieces_of(reply: Reply) -> list[bytes]:
    """The events, or an eighth of the body each."""
    if reply.is_stream:
        return list(reply.chunks)
    body = b"".join(reply.chunks)
    step = max(1, -(-len(body) // 8))
    return [body[start : start + step] for start in range(0, len(body), step)]


def _begin(exchange: Exchange, reply: Reply, trouble: Trouble) -> list[bytes]:
    """Head and the first `after` pieces sent, as a chunked body; the pieces that are left."""
    pieces = pieces_of(reply)
    count = min(trouble.after, len(pieces) - 1)
    exchange.send(exchange.head(reply.status, {**reply.headers, "transfer-encoding": "chunked"}))
    for piece in pieces[:count]:
        exchange.send_chunk(piece)
    return pieces[count:]


# Before anything was answered


def close_before_response(exchange: Exchange, reply: Reply, trouble: Trouble) -> None:
    exchange.keeps_open = False


def reset_before_response(exchange: Exchange, reply: Reply, trouble: Trouble) -> None:
    exchange.reset()


def no_response(exchange: Exchange, reply: Reply, trouble: Trouble) -> None:
    exchange.keeps_open = False
    exchange.wait_for_peer(trouble.seconds)


# In the head


def garbage_status_line(exchange: Exchange, reply: Reply, trouble: Trouble) -> None:
    exchange.keeps_open = False
    exchange.send(b"\x16\x03\x01 this is not HTTP\r\n\r\n")


def close_after_headers(exchange: Exchange, reply: Reply, trouble: Trouble) -> None:
    exchange.keeps_open = False
    exchange.send(exchange.head(reply.status, {**reply.headers, "transfer-encoding": "chunked"}))


def headers_drip(exchange: Exchange, reply: Reply, trouble: Trouble) -> None:
    """The head comes byte by byte, then a header that never ends."""
    exchange.keeps_open = False
    for byte in exchange.head(reply.status, reply.headers)[:-2] + b"x-more: " + b"a" * int(trouble.seconds / trouble.pause):
        exchange.send(bytes((byte,)))
        exchange.sleep(trouble.pause)


def headers_endless(exchange: Exchange, reply: Reply, trouble: Trouble) -> None:
    exchange.keeps_open = False
    exchange.send(exchange.head(reply.status, reply.headers)[:-2])
    for number in range(1_000_000):
        exchange.send(b"x-filler-%d: %b\r\n" % (number, b"a" * 1000))


def early_hints(exchange: Exchange, reply: Reply, trouble: Trouble) -> None:
    """Two interim answers (100 and 103), then the real one."""
    exchange.send(b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nlink: </style.css>\r\n\r\n")
    deliver(exchange, reply)


def redirect(exchange: Exchange, reply: Reply, trouble: Trouble) -> None:
    exchange.send(exchange.head(307, {"location": trouble.location, "content-length": "0"}))


# In the body


def wrong_content_length(exchange: Exchange, reply: Reply, trouble: Trouble) -> None:
    """More bytes are promised than come."""
    body = b"".join(reply.chunks)
    exchange.keeps_open = False
    exchange.send(exchange.head(reply.status, {**reply.headers, "content-length": str(len(body) + 100)}) + body)


def two_content_lengths(exchange: Exchange, reply: Reply, trouble: Trouble) -> None:
    body = b"".join(reply.chunks)
    head = exchange.head(reply.status, {**reply.headers, "content-length": str(len(body))})
    exchange.keeps_open = False
    exchange.send(head[:-2] + b"content-length: %d\r\n\r\n" % (len(body) - 1) + body)


def extra_bytes(exchange: Exchange, reply: Reply, trouble: Trouble) -> None:
    """A second answer, which nobody asked for, behind the first."""
    body = b"".join(reply.chunks)
    forged = exchange.head(200, {"content-type": "application/json", "content-length": "2"}) + b"{}"
    exchange.send(exchange.head(reply.status, {**reply.headers, "content-length": str(len(body))}) + body + forged)


def bad_chunk_size(exchange: Exchange, reply: Reply, trouble: Trouble) -> None:
    _begin(exchange, reply, trouble)
    exchange.keeps_open = False
    exchange.send(b"not a size\r\n")


def html(exchange: Exchange, reply: Reply, trouble: Trouble) -> None:
    """Status 200 and a web page, as a captive portal or a proxy sends it."""
    body = b"<!DOCTYPE html><html><body><h1>Please log in</h1></body></html>"
    deliver(exchange, _whole(200, "text/html; charset=utf-8", body))


def empty(exchange: Exchange, reply: Reply, trouble: Trouble) -> None:
    deliver(exchange, _whole(200, reply.headers.get("content-type", "application/json"), b""))


def broken_json(exchange: Exchange, reply: Reply, trouble: Trouble) -> None:
    """The first half of a JSON document, properly ended; where a stream was asked for too."""
    body = b'{"choices": [{"index": 0}]}' if reply.is_stream else b"".join(reply.chunks)
    deliver(exchange, _whole(200, "application/json", body[: len(body) // 2]))


def wrong_shape(exchange: Exchange, reply: Reply, trouble: Trouble) -> None:
    deliver(exchange, _whole(200, "application/json", b'{"hello": ["world"]}'))


def error_with_status_200(exchange: Exchange, reply: Reply, trouble: Trouble) -> None:
    _, _, body = speaker_of(trouble.dialect).write_error(_refused(trouble), "0" * 40)
    deliver(exchange, _whole(200, "application/json", compact(body).encode()))


# In the middle of a stream


def close_mid_stream(exchange: Exchange, reply: Reply, trouble: Trouble) -> None:
    _begin(exchange, reply, trouble)
    exchange.keeps_open = False


def reset_mid_stream(exchange: Exchange, reply: Reply, trouble: Trouble) -> None:
    _begin(exchange, reply, trouble)
    exchange.sleep(0.05)  # RST throws away what the client has not read yet
    exchange.reset()


def truncate(exchange: Exchange, reply: Reply, trouble: Trouble) -> None:
    """The body ends as bodies do, but without the format's end mark."""
    _begin(exchange, reply, trouble)
    exchange.send_chunk(b"")


def cut_inside_event(exchange: Exchange, reply: Reply, trouble: Trouble) -> None:
    """The body ends properly, in the middle of an event."""
    rest = _begin(exchange, reply, trouble)
    exchange.send_chunk(rest[0][: max(1, len(rest[0]) // 2)])
    exchange.send_chunk(b"")


def no_end_mark(exchange: Exchange, reply: Reply, trouble: Trouble) -> None:
    """Everything but the last event (`[DONE]`, `message_stop` …)."""
    trouble.after = 1_000_000
    truncate(exchange, reply, trouble)


def stall(exchange: Exchange, reply: Reply, trouble: Trouble) -> None:
    _begin(exchange, reply, trouble)
    exchange.keeps_open = False
    exchange.wait_for_peer(trouble.seconds)


def open_after_end(exchange: Exchange, reply: Reply, trouble: Trouble) -> None:
    """Every event, then silence: the body is not ended."""
    exchange.send(exchange.head(reply.status, {**reply.headers, "transfer-encoding": "chunked"}))
    for piece in pieces_of(reply):
        exchange.send_chunk(piece)
    exchange.keeps_open = False
    exchange.wait_for_peer(trouble.seconds)


def drip(exchange: Exchange, reply: Reply, trouble: Trouble) -> None:
    """Every byte by itself, with a pause behind it."""
    exchange.send(exchange.head(reply.status, {**reply.headers, "transfer-encoding": "chunked"}))
    for byte in b"".join(reply.chunks):
        exchange.send_chunk(bytes((byte,)))
        exchange.sleep(trouble.pause)
    exchange.send_chunk(b"")


def endless_pings(exchange: Exchange, reply: Reply, trouble: Trouble) -> None:
    """Keep-alives for `seconds`, then the connection is dropped: bytes come, content never does."""
    _begin(exchange, reply, trouble)
    exchange.keeps_open = False
    for _ in range(int(trouble.seconds / trouble.pause)):
        exchange.send_chunk(speaker_of(trouble.dialect).ping)
        exchange.sleep(trouble.pause)


def error_event(exchange: Exchange, reply: Reply, trouble: Trouble) -> None:
    """The service says, in the stream, that it cannot go on."""
    _begin(exchange, reply, trouble)
    exchange.send_chunk(speaker_of(trouble.dialect).write_stream_error(_refused(trouble)))
    exchange.send_chunk(b"")


def invalid_utf8(exchange: Exchange, reply: Reply, trouble: Trouble) -> None:
    """A line that is no event and no text, between two events; the stream goes on."""
    rest = _begin(exchange, reply, trouble)
    exchange.send_chunk(b": \xff\xfe\xfa\n\n")
    for piece in rest:
        exchange.send_chunk(piece)
    exchange.send_chunk(b"")


def deliver(exchange: Exchange, reply: Reply, between: float = 0.0) -> None:
    """The reply as it is: chunked where it is a stream, with its length where it is not."""
    if not reply.is_stream:
        body = b"".join(reply.chunks)
        exchange.send(exchange.head(reply.status, {**reply.headers, "content-length": str(len(body))}) + body)
        return
    exchange.send(exchange.head(reply.status, {**reply.headers, "transfer-encoding": "chunked"}))
    for chunk in reply.chunks:
        exchange.send_chunk(chunk)
        exchange.sleep(between)
    exchange.send_chunk(b"")


def _whole(status: int, content_type: str, body: bytes) -> Reply:
    return Reply(status, {"content-type": content_type}, [body])


def _refused(trouble: Trouble) -> Refused:
    return Refused(trouble.message, trouble.kind)


#: Name → what it does to an answer.
FAULTS: dict[str, Callable[[Exchange, Reply, Trouble], None]] = {
    fault.__name__: fault
    for fault in (
        close_before_response,
        reset_before_response,
        no_response,
        garbage_status_line,
        close_after_headers,
        headers_drip,
        headers_endless,
        early_hints,
        redirect,
        wrong_content_length,
        two_content_lengths,
        extra_bytes,
        bad_chunk_size,
        html,
        empty,
        broken_json,
        wrong_shape,
        error_with_status_200,
        close_mid_stream,
        reset_mid_stream,
        truncate,
        cut_inside_event,
        no_end_mark,
        stall,
        open_after_end,
        drip,
        endless_pings,
        error_event,
        invalid_utf8,
    )
}
