"""The bytes of responses, complete and broken, most in the OpenAI format. The only I/O is a peer's `send`."""

from __future__ import annotations

import json
import zlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable

    from .local_server import Peer, Request

TEXTS = ("One ", "two ", "three ", "four ", "five.")
TEXT = "".join(TEXTS)
#: The text that has arrived when a stream breaks in its middle.
HALF = "".join(TEXTS[:3])
REASONS = {200: "OK", 429: "Too Many Requests"}


def reply(
    status: int,
    body: bytes | str | dict[str, Any] = b"",
    headers: dict[str, str] | None = None,
    *,
    close: bool = False,
) -> bytes:
    """A complete response with its length; `close` announces that the connection ends after it."""
    headers = {**(headers or {}), **({"Connection": "close"} if close else {})}
    if isinstance(body, dict):
        body, headers = json.dumps(body).encode(), {"Content-Type": "application/json", **headers}
    elif isinstance(body, str):
        body = body.encode()
    return head(status, {**headers, "Content-Length": str(len(body))}) + body


def head(status: int, headers: dict[str, str]) -> bytes:
    lines = [f"HTTP/1.1 {status} {REASONS.get(status, 'Whatever')}", *(f"{name}: {value}" for name, value in headers.items())]
    return "\r\n".join((*lines, "", "")).encode("latin-1")


def chunk(data: bytes) -> bytes:
    return b"%x\r\n%s\r\n" % (len(data), data)


def gzip_bomb(blocks: int) -> bytes:
    """A gzip stream, without its checksum, that expands to 16 MiB of zeros for each block of 16 KB."""
    compressor = zlib.compressobj(9, zlib.DEFLATED, -15)
    block = compressor.compress(bytes(1 << 24)) + compressor.flush(zlib.Z_FULL_FLUSH)
    return b"\x1f\x8b\x08\0\0\0\0\0\0\x03" + block * blocks


LAST_CHUNK = b"0\r\n\r\n"
SSE_HEAD = head(200, {"Content-Type": "text/event-stream", "Transfer-Encoding": "chunked"})
JSON_CHUNKED_HEAD = head(200, {"Content-Type": "application/json", "Transfer-Encoding": "chunked"})
DONE = b"data: [DONE]\n\n"


def event(data: dict[str, Any] | str) -> bytes:
    return b"data: " + (data if isinstance(data, str) else json.dumps(data, ensure_ascii=False)).encode() + b"\n\n"


def delta(text: str | None = None, finish: str | None = None, **more: Any) -> bytes:
    choice = {"index": 0, "delta": {} if text is None else {"content": text}, "finish_reason": finish}
    return event({"id": "c1", "object": "chat.completion.chunk", "model": "m", "choices": [choice], **more})


def deltas(pieces: Iterable[str]) -> list[bytes]:
    return [delta(piece) for piece in pieces]


def events(text_pieces: Iterable[str] = TEXTS) -> list[bytes]:
    """The events of a correct stream."""
    return [*deltas(text_pieces), delta(None, "stop"), DONE]


def completion(text: str = TEXT) -> dict[str, Any]:
    return {
        "id": "c1",
        "object": "chat.completion",
        "model": "m",
        "choices": [{"index": 0, "message": {"role": "assistant", "content": text}, "finish_reason": "stop"}],
        "usage": {"prompt_tokens": 3, "completion_tokens": 5, "total_tokens": 8},
    }


def stream(peer: Peer, blocks: Iterable[bytes], end: bytes = LAST_CHUNK) -> bool:
    """Sends an event stream of these blocks, one chunk each."""
    peer.send(SSE_HEAD)
    for block in blocks:
        peer.send(chunk(block))
    peer.send(end)
    return True


def healthy(peer: Peer, request: Request) -> bool:
    """A correct response: TEXT, or the prompt itself where it begins with `echo`."""
    prompt = request.prompt
    pieces = (prompt,) if prompt.startswith("echo") else TEXTS
    if request.streams:
        return stream(peer, events(pieces))
    peer.send(reply(200, whole(request.line, "".join(pieces))))
    return True


def whole(line: str, text: str) -> dict[str, Any]:
    """The body of a complete response in the format of the request's path."""
    path = line.split(" ")[1]
    if path.endswith("/converse"):
        message = {"role": "assistant", "content": [{"text": text}]}
        return {"output": {"message": message}, "stopReason": "end_turn", "usage": {}}
    if path.endswith(":generateContent"):
        return {"candidates": [{"content": {"role": "model", "parts": [{"text": text}]}, "finishReason": "STOP"}]}
    if path.endswith("/completions"):
        return completion(text)
    return {"model": "m", "message": {"role": "assistant", "content": text}, "done": True, "done_reason": "stop"}


def error_body(message: str = "no", **more: Any) -> dict[str, Any]:
    return {"error": {"message": message, "type": "some_error", **more}}
