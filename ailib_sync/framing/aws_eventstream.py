"""AWS event streams (`application/vnd.amazon.eventstream`): byte chunks in, messages or frames out. No I/O.

A message (https://docs.aws.amazon.com/transcribe/latest/dg/event-stream.html, https://smithy.io/2.0/aws/amazon-eventstream.html),
big endian:

    total length u32 | headers length u32 | CRC32 of these 8 bytes | headers | payload | CRC32 of all before it

and a header: name length u8, name, type u8, value. Lengths are believed, and room is taken for them, only after their own
checksum has been seen to agree.
"""

from __future__ import annotations

from binascii import a2b_base64
from functools import lru_cache
from struct import Struct, error
from zlib import crc32

from ..errors import ProtocolError, ResponseTooLarge, StreamInterrupted
from .json import load_json
from .surrogates import Halves

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping
    from typing import Any, TypeAlias

    from .json import Frame

    Header: TypeAlias = bool | int | str | bytes

MAX_HEADERS = 128 << 10
PRELUDE_LENGTH = 12
OVERHEAD = PRELUDE_LENGTH + 4

_PRELUDE = Struct(">III")
_U16 = Struct(">H")
_U32 = Struct(">I")


def parse_frames(chunks: Iterable[bytes], max_event: int) -> Iterator[Frame]:
    """(event type, payload) of each event.

    A refusal in the stream (`:message-type` exception or error) has the one form that every dialect knows:
    `("error", {"type": "error", "error": {"type": "throttlingException", "message": …, …}})`. An event of an invoked model
    (`chunk`, another format's JSON in base64) is opened: its name is its own `type`, or "message".
    """
    mend = Halves().mend
    for headers, payload in parse_messages(chunks, max_event):
        kind = headers.get(":message-type")
        if kind == "event":
            event = str(headers.get(":event-type", ""))
            body = load_json(payload) if payload else {}
            if event == "chunk":
                event, body = _opened(body)
            yield event, mend(payload.decode("utf-8", "replace"), body)
        elif kind in ("exception", "error"):
            yield "error", {"type": "error", "error": _refusal(headers, payload)}
        else:
            raise ProtocolError(f"the stream holds a message of the unknown type {kind!r}")


def _opened(body: Any) -> Frame:
    """The event of an invoked model; `{"bytes": base64, "p": padding}` is what carries it."""
    try:
        event = load_json(a2b_base64(body["bytes"]))
    except (KeyError, TypeError, ValueError):
        raise ProtocolError("the stream holds a chunk without base64 bytes") from None
    return str(event.get("type", "message")) if isinstance(event, dict) else "message", event


def _refusal(headers: Mapping[str, Header], payload: bytes) -> dict[str, Any]:
    """An exception is modelled (a type and a JSON payload), an error is not (a code and a text, both in headers)."""
    try:
        body = load_json(payload) if payload else {}
    except ProtocolError:
        body = {"message": payload.decode("utf-8", "replace")}
    said = body if isinstance(body, dict) else {"message": str(body)}
    return {
        "message": headers.get(":error-message", ""),
        **said,
        "type": headers.get(":exception-type") or headers.get(":error-code") or "unknown",
    }


def parse_messages(chunks: Iterable[bytes], max_event: int) -> Iterator[tuple[Mapping[str, Header], bytes]]:
    """(headers, payload) of each message, as soon as its last byte has arrived.

    Raises StreamInterrupted where the stream ends inside a message, ResponseTooLarge where one announces more than `max_event`
    bytes (or 128 KiB of headers), ProtocolError for everything else that is not this format.
    """
    buffer = bytearray()  # deleting at its front costs nothing: CPython moves the start
    total = headers_length = 0
    for chunk in chunks:
        buffer += chunk
        while len(buffer) >= (total or PRELUDE_LENGTH):
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
    """(total length, headers length), checked."""
    total, headers_length, checksum = _PRELUDE.unpack_from(buffer)
    if crc32(buffer[:8]) != checksum:
        raise ProtocolError("the stream is no AWS event stream, or was damaged: a prelude's checksum does not agree")
    if total > max_event:
        raise ResponseTooLarge(f"one event of the stream announces {total} bytes, more than {max_event} (Limits.event)")
    if headers_length > MAX_HEADERS:
        raise ResponseTooLarge(f"one event of the stream announces {headers_length} bytes of headers, more than {MAX_HEADERS}")
    if total < OVERHEAD + headers_length:
        raise ProtocolError(f"an event of the stream announces {total} bytes, fewer than its parts have")
    return total, headers_length


def _parse_message(message: bytes, headers_length: int) -> tuple[Mapping[str, Header], bytes]:
    if crc32(message[:-4]) != _U32.unpack_from(message, len(message) - 4)[0]:
        raise ProtocolError("the stream was damaged: an event's checksum does not agree")
    end = PRELUDE_LENGTH + headers_length
    return _parse_headers(message[PRELUDE_LENGTH:end]), message[end:-4]


@lru_cache(maxsize=16)
def _parse_headers(block: bytes) -> Mapping[str, Header]:
    """Kept, since the events of a stream have few kinds of headers."""
    headers: dict[str, Header] = {}
    at = 0
    try:
        while at < len(block):
            raw_name, at = _sized(block, at + 1, block[at])
            value, at = _VALUES[block[at]](block, at + 1)
            name = raw_name.decode()
            if name in headers:
                raise ProtocolError(f"an event of the stream has the header {name} twice")
            headers[name] = value
    except (error, IndexError, KeyError, UnicodeDecodeError):
        raise ProtocolError("an event of the stream has headers that cannot be read") from None
    return headers


def _sized(block: bytes, at: int, length: int) -> tuple[bytes, int]:
    """`length` bytes at `at`, and where they end. Raises IndexError where the block is shorter."""
    if at + length > len(block):
        raise IndexError
    return block[at : at + length], at + length


def _constant(value: bool) -> Callable[[bytes, int], tuple[Header, int]]:
    return lambda block, at: (value, at)


def _number(layout: str) -> Callable[[bytes, int], tuple[Header, int]]:
    form = Struct(layout)
    return lambda block, at: (form.unpack_from(block, at)[0], at + form.size)


def _bytes(block: bytes, at: int) -> tuple[bytes, int]:
    return _sized(block, at + 2, _U16.unpack_from(block, at)[0])


def _string(block: bytes, at: int) -> tuple[str, int]:
    raw, at = _bytes(block, at)
    return raw.decode(), at


#: The types of a header's value; a timestamp is in milliseconds since 1970, a uuid its 16 bytes.
_VALUES: Mapping[int, Callable[[bytes, int], tuple[Header, int]]] = {
    0: _constant(True),
    1: _constant(False),
    2: _number(">b"),
    3: _number(">h"),
    4: _number(">i"),
    5: _number(">q"),
    6: _bytes,
    7: _string,
    8: _number(">q"),
    9: lambda block, at: _sized(block, at, 16),
}
