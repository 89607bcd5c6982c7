"""JSON values and streams → the bytes that a service sends, in each framing."""

from __future__ import annotations

import json
import struct
from typing import Any
from zlib import crc32

from tests.dialects.samples import Frames


def aws_message(headers: dict[str, Any], payload: bytes) -> bytes:
    """One message of an AWS event stream, with right checksums."""
    block = b"".join(
        struct.pack(">B", len(name.encode())) + name.encode() + struct.pack(">BH", 7, len(value.encode())) + value.encode()
        for name, value in headers.items()
    )
    prelude = struct.pack(">II", 16 + len(block) + len(payload), len(block))
    head = prelude + struct.pack(">I", crc32(prelude)) + block + payload
    return head + struct.pack(">I", crc32(head))


def dumped(value: Any) -> str:
    """JSON text. Infinity and NaN, which JSON does not have, become a number that overflows."""
    return (
        json.dumps(value, ensure_ascii=True).replace("-Infinity", "-1e999").replace("Infinity", "1e999").replace("NaN", "1e999")
    )


def encoded(frames: Frames, framing: str) -> bytes:
    """The bytes of a stream in one of the three framings."""
    if framing == "ndjson":
        return "".join(dumped(value) + "\n" for _, value in frames).encode()
    if framing == "aws":
        return b"".join(
            aws_message(
                {
                    ":message-type": "exception",
                    ":exception-type": str(value["error"].get("type", "x")).encode("ascii", "replace").decode()[:99],
                },
                dumped(value["error"]).encode(),
            )
            if event == "error" and isinstance(value, dict) and isinstance(value.get("error"), dict)
            else aws_message(
                {":message-type": "event", ":event-type": event.encode("utf-8", "replace").decode()}, dumped(value).encode()
            )
            for event, value in frames
        )
    named = (
        (f"event: {event}\n" if event != "message" else "", "[DONE]" if value is None else dumped(value))
        for event, value in frames
    )
    return "".join(f"{name}data: {data}\n\n" for name, data in named).encode()
