"""JSON → the bytes of one event: server-sent events, NDJSON lines, AWS event-stream frames. Writing only; `framing` reads."""

from __future__ import annotations

import json

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from ..types.tools import ToolCall


def compact(value: Any) -> str:
    """JSON without spaces."""
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def arguments_of(call: ToolCall) -> str:
    """The arguments of a call as text: the scripted text, or JSON of the values."""
    return call.arguments_raw if call.arguments_raw is not None else json.dumps(call.arguments or {}, ensure_ascii=False)


def sse(data: Any, event: str | None = None) -> bytes:
    """One server-sent event; `data` is text, or a value that becomes compact JSON."""
    text = data if isinstance(data, str) else compact(data)
    head = f"event: {event}\n" if event else ""
    return f"{head}data: {text}\n\n".encode()


def ndjson(value: Any) -> bytes:
    """One line of NDJSON."""
    return compact(value).encode() + b"\n"


def aws_event(event_type: str, payload: Any, message_type: str = "event") -> bytes:
    """One AWS event-stream frame: lengths, CRC of the prelude, string headers, JSON payload, CRC of all before it
    (https://smithy.io/2.0/aws/amazon-eventstream.html)."""
    from binascii import crc32

    name = ":exception-type" if message_type == "exception" else ":event-type"
    headers = b"".join(
        _aws_header(key, value)
        for key, value in ((name, event_type), (":content-type", "application/json"), (":message-type", message_type))
    )
    body = compact(payload).encode()
    prelude = (16 + len(headers) + len(body)).to_bytes(4, "big") + len(headers).to_bytes(4, "big")
    frame = prelude + crc32(prelude).to_bytes(4, "big") + headers + body
    return frame + crc32(frame).to_bytes(4, "big")


def _aws_header(name: str, value: str) -> bytes:
    raw = value.encode()
    return bytes((len(name),)) + name.encode() + b"\x07" + len(raw).to_bytes(2, "big") + raw
