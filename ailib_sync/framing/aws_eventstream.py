"""AWS event streams (`application/vnd.amazon.eventstream`): byte chunks in, messages or frames out. No I/O.

A message (https://smithy.io/2.0/aws/amazon-eventstream.html, https://docs.aws.amazon.com/transcribe/latest/dg/event-stream.html),
integers big endian:

    total length u32 | headers length u32 | CRC32 of these 8 bytes | headers | payload | CRC32 of everything before it

and a header: name length u8, name, value type u8, value.

Invariant: no length is used, and no memory is reserved for it, before the checksum that covers it has been verified.
"""

from __future__ import annotations

from binascii import a2b_base64
from functools import lru_cache
from struct import Struct, error
from zlib import crc32

from .._signals import reraise_from_signal
from ..errors import ProtocolError, ResponseTooLarge, StreamInterrupted
from .json import load_json
from .surrogates import SurrogateJoiner

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping
    from typing import Any, TypeAlias

    from .json import Frame

    Header: TypeAlias = bool | int | str | bytes

#: The limit that AWS's own parsers have (botocore.eventstream).
MAX_HEADERS_BYTES = 128 << 10
PRELUDE_BYTES = 12
#: The prelude and the checksum of the message.
OVERHEAD_BYTES = PRELUDE_BYTES + 4

_PRELUDE = Struct(">III")
_U16 = Struct(">H")
_U32 = Struct(">I")


def parse_frames(chunks: Iterable[bytes], max_event: int) -> Iterator[Frame]:
    """(event type, JSON of the payload) of each event.

    An error in the stream (`:message-type` exception or error) has the form that every dialect knows:
    `("error", {"type": "error", "error": {"type": "throttlingException", "message": …, …}})`. Of an event `chunk` (Bedrock's
    InvokeModelWithResponseStream: the JSON of another format in base64) the JSON inside is yielded, under its own `type`, or
    "message". Raises what `parse_messages` raises, and ProtocolError for an unknown message type.
    """
    join = SurrogateJoiner().join
    for headers, payload in parse_messages(chunks, max_event):
        message_type = headers.get(":message-type")
        if message_type == "event":
            event = str(headers.get(":event-type", ""))
            body = load_json(payload) if payload else {}
            if event == "chunk":
                event, body = _invoked_event(body)
            yield event, join(payload.decode("utf-8", "replace"), body)
        elif message_type in ("exception", "error"):
            yield "error", {"type": "error", "error": _error_of(headers, payload)}
        else:
            raise ProtocolError(f"the stream has a message of the unknown type {message_type!r}")


def _invoked_event(body: Any) -> Frame:
    """The event of an invoked model inside `{"bytes": base64, "p": padding}`.

    https://docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_PayloadPart.html
    """
    try:
        event = load_json(a2b_base64(body["bytes"]))
    except (KeyError, TypeError, ValueError) as error:
        reraise_from_signal(error)
        raise ProtocolError("the stream has a chunk without base64 bytes") from None
    return str(event.get("type", "message")) if isinstance(event, dict) else "message", event


def _error_of(headers: Mapping[str, Header], payload: bytes) -> dict[str, Any]:
    """The error object of a message. A modeled exception has a type and a JSON payload, an unmodeled error has a code and a
    text, both in headers."""
    try:
        body = load_json(payload) if payload else {}
    except ProtocolError:
        body = {"message": payload.decode("utf-8", "replace")}
    details = body if isinstance(body, dict) else {"message": str(body)}
    return {
        "message": headers.get(":error-message", ""),
        **details,
        "type": headers.get(":exception-type") or headers.get(":error-code") or "unknown",
    }


def parse_messages(chunks: Iterable[bytes], max_event: int) -> Iterator[tuple[Mapping[str, Header], bytes]]:
    """(headers, payload) of each message, as soon as its last byte has arrived.

    Raises StreamInterrupted if the stream ends inside a message, ResponseTooLarge if one announces more than `max_event` bytes
    (or 128 KiB of headers), ProtocolError for everything else that is not this format.
    """
    buffer = bytearray()  # deletion at its front costs nothing: CPython moves the start
    total = headers_length = 0
    for chunk in chunks:
        buffer += chunk
        while len(buffer) >= (total or PRELUDE_BYTES):
            if not total:
                total, headers_length = _parse_prelude(buffer, max_event)
                continue
            message = bytes(buffer[:total])
            del buffer[:total]
            yield _parse_message(message, headers_length)
            total = 0
    if buffer:
        raise StreamInterrupted("the stream ends inside an event")


def _parse_prelude(buffer: bytearray, max_event: int) -> tuple[int, int]:
    """(total length, headers length) in bytes, verified."""
    total, headers_length, checksum = _PRELUDE.unpack_from(buffer)
    if crc32(buffer[:8]) != checksum:
        raise ProtocolError("the stream is not an AWS event stream, or is damaged: the checksum of a prelude does not match")
    if total > max_event:
        raise ResponseTooLarge(f"one event of the stream announces {total} bytes, more than {max_event} (Limits.event)")
    if headers_length > MAX_HEADERS_BYTES:
        raise ResponseTooLarge(f"one event of the stream announces {headers_length} bytes of headers")
    if total < OVERHEAD_BYTES + headers_length:
        raise ProtocolError(f"one event of the stream announces {total} bytes, fewer than its parts have")
    return total, headers_length


def _parse_message(message: bytes, headers_length: int) -> tuple[Mapping[str, Header], bytes]:
    if crc32(message[:-4]) != _U32.unpack_from(message, len(message) - 4)[0]:
        raise ProtocolError("the stream is damaged: the checksum of an event does not match")
    end = PRELUDE_BYTES + headers_length
    return _parse_headers(message[PRELUDE_BYTES:end]), message[end:-4]


@lru_cache(maxsize=16)
def _parse_headers(block: bytes) -> Mapping[str, Header]:
    """Cached, because the events of a stream have few different header blocks."""
    headers: dict[str, Header] = {}
    offset = 0
    try:
        while offset < len(block):
            raw_name, offset = _slice(block, offset + 1, block[offset])
            value, offset = _VALUES[block[offset]](block, offset + 1)
            name = raw_name.decode()
            if name in headers:
                raise ProtocolError(f"an event of the stream has the header {name} twice")
            headers[name] = value
    except (error, IndexError, KeyError, UnicodeDecodeError) as broken:
        reraise_from_signal(broken)
        raise ProtocolError("an event of the stream has headers that cannot be parsed") from None
    return headers


def _slice(block: bytes, start: int, length: int) -> tuple[bytes, int]:
    """`length` bytes from `start`, and their end. Raises IndexError if the block is shorter."""
    if start + length > len(block):
        raise IndexError
    return block[start : start + length], start + length


def _constant(value: bool) -> Callable[[bytes, int], tuple[Header, int]]:
    return lambda block, start: (value, start)


def _number(layout: str) -> Callable[[bytes, int], tuple[Header, int]]:
    number = Struct(layout)
    return lambda block, start: (number.unpack_from(block, start)[0], start + number.size)


def _byte_array(block: bytes, start: int) -> tuple[bytes, int]:
    return _slice(block, start + 2, _U16.unpack_from(block, start)[0])


def _string(block: bytes, start: int) -> tuple[str, int]:
    raw, end = _byte_array(block, start)
    return raw.decode(), end


#: Header value type → its parser: (block, start) → (value, end). A timestamp is in milliseconds since 1970, a UUID is 16 bytes.
_VALUES: Mapping[int, Callable[[bytes, int], tuple[Header, int]]] = {
    0: _constant(True),
    1: _constant(False),
    2: _number(">b"),
    3: _number(">h"),
    4: _number(">i"),
    5: _number(">q"),
    6: _byte_array,
    7: _string,
    8: _number(">q"),
    9: lambda block, start: _slice(block, start, 16),
}
