"""Faults of responses, by name: each writes its bytes to the connection. `FAULTS` at the bottom lists them.

`after` is the number of events that arrive before the fault; a response that is not a stream is split into eight chunks, which
count instead. `seconds` limits how long a stall, a drip and the like last.
"""

from __future__ import annotations

from dataclasses import dataclass

from ..embedded.exchange import Rejected, ServerResponse
from ..embedded.frames import compact
from ..embedded.service import service_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from .server import Exchange


@dataclass(slots=True)
class FaultOptions:
    """The options of one fault, and the dialect of its bytes."""

    dialect: str
    after: int = 2
    seconds: float = 30.0
    #: Seconds between two bytes or pings.
    pause: float = 0.05
    kind: str = "overloaded"
    message: str = "The service is overloaded; please try again later."
    location: str = "/elsewhere"


def chunks_of(response: ServerResponse) -> list[bytes]:
    """The events of a stream; for a complete body, eight chunks."""
    if response.is_stream:
        return list(response.chunks)
    body = b"".join(response.chunks)
    step = max(1, -(-len(body) // 8))
    return [body[start : start + step] for start in range(0, len(body), step)]


def _begin(exchange: Exchange, response: ServerResponse, options: FaultOptions) -> list[bytes]:
    """Sends the head and the first `after` chunks, as a chunked body. Returns the chunks that are left."""
    chunks = chunks_of(response)
    count = min(options.after, len(chunks) - 1)
    exchange.send(exchange.head(response.status, {**response.headers, "transfer-encoding": "chunked"}))
    for chunk in chunks[:count]:
        exchange.send_chunk(chunk)
    return chunks[count:]


# Before the response


def close_before_response(exchange: Exchange, response: ServerResponse, options: FaultOptions) -> None:
    exchange.keeps_open = False


def reset_before_response(exchange: Exchange, response: ServerResponse, options: FaultOptions) -> None:
    exchange.reset()


def no_response(exchange: Exchange, response: ServerResponse, options: FaultOptions) -> None:
    exchange.keeps_open = False
    exchange.wait_for_disconnect(options.seconds)


# In the head


def garbage_status_line(exchange: Exchange, response: ServerResponse, options: FaultOptions) -> None:
    exchange.keeps_open = False
    exchange.send(b"\x16\x03\x01 this is not HTTP\r\n\r\n")


def close_after_headers(exchange: Exchange, response: ServerResponse, options: FaultOptions) -> None:
    exchange.keeps_open = False
    exchange.send(exchange.head(response.status, {**response.headers, "transfer-encoding": "chunked"}))


def headers_drip(exchange: Exchange, response: ServerResponse, options: FaultOptions) -> None:
    """The head comes byte by byte, then a header without end."""
    exchange.keeps_open = False
    endless = b"x-more: " + b"a" * int(options.seconds / options.pause)
    for byte in exchange.head(response.status, response.headers)[:-2] + endless:
        exchange.send(bytes((byte,)))
        exchange.sleep(options.pause)


def headers_endless(exchange: Exchange, response: ServerResponse, options: FaultOptions) -> None:
    exchange.keeps_open = False
    exchange.send(exchange.head(response.status, response.headers)[:-2])
    for number in range(1_000_000):
        exchange.send(b"x-filler-%d: %b\r\n" % (number, b"a" * 1000))


def early_hints(exchange: Exchange, response: ServerResponse, options: FaultOptions) -> None:
    """Two interim responses (100 and 103; RFC 9110, section 15.2), then the final one."""
    exchange.send(b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nlink: </style.css>\r\n\r\n")
    deliver(exchange, response)


def redirect(exchange: Exchange, response: ServerResponse, options: FaultOptions) -> None:
    exchange.send(exchange.head(307, {"location": options.location, "content-length": "0"}))


# In the body


def wrong_content_length(exchange: Exchange, response: ServerResponse, options: FaultOptions) -> None:
    """The content length is larger than the body."""
    body = b"".join(response.chunks)
    exchange.keeps_open = False
    exchange.send(exchange.head(response.status, {**response.headers, "content-length": str(len(body) + 100)}) + body)


def two_content_lengths(exchange: Exchange, response: ServerResponse, options: FaultOptions) -> None:
    body = b"".join(response.chunks)
    head = exchange.head(response.status, {**response.headers, "content-length": str(len(body))})
    exchange.keeps_open = False
    exchange.send(head[:-2] + b"content-length: %d\r\n\r\n" % (len(body) - 1) + body)


def extra_bytes(exchange: Exchange, response: ServerResponse, options: FaultOptions) -> None:
    """After the response comes a second one, for no request."""
    body = b"".join(response.chunks)
    forged = exchange.head(200, {"content-type": "application/json", "content-length": "2"}) + b"{}"
    exchange.send(exchange.head(response.status, {**response.headers, "content-length": str(len(body))}) + body + forged)


def bad_chunk_size(exchange: Exchange, response: ServerResponse, options: FaultOptions) -> None:
    _begin(exchange, response, options)
    exchange.keeps_open = False
    exchange.send(b"not a size\r\n")


def html(exchange: Exchange, response: ServerResponse, options: FaultOptions) -> None:
    """Status 200 and a web page, as from a captive portal or a proxy."""
    body = b"<!DOCTYPE html><html><body><h1>Please log in</h1></body></html>"
    deliver(exchange, _complete(200, "text/html; charset=utf-8", body))


def empty(exchange: Exchange, response: ServerResponse, options: FaultOptions) -> None:
    deliver(exchange, _complete(200, response.headers.get("content-type", "application/json"), b""))


def broken_json(exchange: Exchange, response: ServerResponse, options: FaultOptions) -> None:
    """The first half of a JSON document, in a complete body; also for a stream."""
    body = b'{"choices": [{"index": 0}]}' if response.is_stream else b"".join(response.chunks)
    deliver(exchange, _complete(200, "application/json", body[: len(body) // 2]))


def wrong_shape(exchange: Exchange, response: ServerResponse, options: FaultOptions) -> None:
    deliver(exchange, _complete(200, "application/json", b'{"hello": ["world"]}'))


def error_with_status_200(exchange: Exchange, response: ServerResponse, options: FaultOptions) -> None:
    _, _, body = service_of(options.dialect).write_error(_error(options), "0" * 40)
    deliver(exchange, _complete(200, "application/json", compact(body).encode()))


# In the middle of a stream


def close_mid_stream(exchange: Exchange, response: ServerResponse, options: FaultOptions) -> None:
    _begin(exchange, response, options)
    exchange.keeps_open = False


def reset_mid_stream(exchange: Exchange, response: ServerResponse, options: FaultOptions) -> None:
    _begin(exchange, response, options)
    exchange.sleep(0.05)  # RST discards what the client has not read yet (RFC 9293, section 3.10.7.4)
    exchange.reset()


def truncate(exchange: Exchange, response: ServerResponse, options: FaultOptions) -> None:
    """The body is complete, but without the end mark of the format."""
    _begin(exchange, response, options)
    exchange.send_chunk(b"")


def cut_inside_event(exchange: Exchange, response: ServerResponse, options: FaultOptions) -> None:
    """The body is complete, but ends in the middle of an event."""
    rest = _begin(exchange, response, options)
    exchange.send_chunk(rest[0][: max(1, len(rest[0]) // 2)])
    exchange.send_chunk(b"")


def no_end_mark(exchange: Exchange, response: ServerResponse, options: FaultOptions) -> None:
    """Everything but the last event (`[DONE]`, `message_stop` …)."""
    options.after = 1_000_000
    truncate(exchange, response, options)


def stall(exchange: Exchange, response: ServerResponse, options: FaultOptions) -> None:
    _begin(exchange, response, options)
    exchange.keeps_open = False
    exchange.wait_for_disconnect(options.seconds)


def open_after_end(exchange: Exchange, response: ServerResponse, options: FaultOptions) -> None:
    """Every event, then nothing: the body does not end."""
    exchange.send(exchange.head(response.status, {**response.headers, "transfer-encoding": "chunked"}))
    for chunk in chunks_of(response):
        exchange.send_chunk(chunk)
    exchange.keeps_open = False
    exchange.wait_for_disconnect(options.seconds)


def drip(exchange: Exchange, response: ServerResponse, options: FaultOptions) -> None:
    """Each byte in its own chunk, with a pause after it."""
    exchange.send(exchange.head(response.status, {**response.headers, "transfer-encoding": "chunked"}))
    for byte in b"".join(response.chunks):
        exchange.send_chunk(bytes((byte,)))
        exchange.sleep(options.pause)
    exchange.send_chunk(b"")


def endless_pings(exchange: Exchange, response: ServerResponse, options: FaultOptions) -> None:
    """Pings for `seconds`, without content; then the connection is closed."""
    _begin(exchange, response, options)
    exchange.keeps_open = False
    for _ in range(int(options.seconds / options.pause)):
        exchange.send_chunk(service_of(options.dialect).ping)
        exchange.sleep(options.pause)


def error_event(exchange: Exchange, response: ServerResponse, options: FaultOptions) -> None:
    """An error event in the stream."""
    _begin(exchange, response, options)
    exchange.send_chunk(service_of(options.dialect).write_stream_error(_error(options)))
    exchange.send_chunk(b"")


def invalid_utf8(exchange: Exchange, response: ServerResponse, options: FaultOptions) -> None:
    """A comment that is not UTF-8 between two events; the stream continues."""
    rest = _begin(exchange, response, options)
    exchange.send_chunk(b": \xff\xfe\xfa\n\n")
    for chunk in rest:
        exchange.send_chunk(chunk)
    exchange.send_chunk(b"")


def deliver(exchange: Exchange, response: ServerResponse, between: float = 0.0) -> None:
    """Sends the response without a fault: a stream is chunked, a complete body has its content length."""
    if not response.is_stream:
        body = b"".join(response.chunks)
        exchange.send(exchange.head(response.status, {**response.headers, "content-length": str(len(body))}) + body)
        return
    exchange.send(exchange.head(response.status, {**response.headers, "transfer-encoding": "chunked"}))
    for chunk in response.chunks:
        exchange.send_chunk(chunk)
        exchange.sleep(between)
    exchange.send_chunk(b"")


def _complete(status: int, content_type: str, body: bytes) -> ServerResponse:
    return ServerResponse(status, {"content-type": content_type}, [body])


def _error(options: FaultOptions) -> Rejected:
    return Rejected(options.message, options.kind)


#: Name → the fault.
FAULTS: dict[str, Callable[[Exchange, ServerResponse, FaultOptions], None]] = {
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
