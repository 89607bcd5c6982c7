"""Chat Completions for tests: a plain manifest, rendered requests, chunks and their bytes, parsed responses."""

from __future__ import annotations

import json
from typing import Any

from ailib_sync.dialects.accumulator import accumulate
from ailib_sync.dialects.openai_chat.dialect import DIALECT
from ailib_sync.dialects.openai_chat.response import parse_body
from ailib_sync.registry.manifest import Manifest
from ailib_sync.types.messages import Message
from ailib_sync.types.request import Ledger
from ailib_sync.types.response import ChatResponse
from tests.chat_values import chat_request, stream_events

SSE = {"content-type": "text/event-stream"}


def manifest(*quirks: str, **keys: Any) -> Manifest:
    return Manifest(id="acme", name="Acme", dialect="openai_chat", base_url="https://acme.invalid/v1", quirks=quirks, **keys)


def render(*messages: Message, to: Manifest | None = None, ledger: Ledger | None = None, **fields: Any) -> dict[str, Any]:
    request = chat_request("m-1", messages or (Message.user("Hi"),), **fields)
    return DIALECT.chat.render(request, to or manifest(), ledger if ledger is not None else Ledger())


def chunk(delta: dict[str, Any] | None = None, finish: str | None = None, **keys: Any) -> dict[str, Any]:
    choices = [] if delta is None else [{"index": 0, "delta": delta, "finish_reason": finish}]
    return {"id": "c-1", "model": "m-1", "choices": choices, **keys}


def sse(*chunks: Any, done: bool = True) -> bytes:
    lines = [f"data: {json.dumps(chunk)}\n\n" for chunk in chunks] + ["data: [DONE]\n\n"] * done
    return "".join(lines).encode()


def events(*chunks: Any, of: Manifest | None = None, done: bool = True) -> list[Any]:
    return list(stream_events([sse(*chunks, done=done)], SSE, DIALECT, of or manifest()))


def from_stream(*chunks: Any, of: Manifest | None = None, done: bool = True) -> ChatResponse:
    return accumulate(events(*chunks, of=of, done=done))


def from_body(
    message: dict[str, Any] | None, finish: str | None = "stop", of: Manifest | None = None, **keys: Any
) -> ChatResponse:
    choice = {"index": 0, "finish_reason": finish, **({} if message is None else {"message": message})}
    return parse_body({"id": "c-1", "model": "m-1", "choices": [choice], **keys}, of or manifest())


COUNTS = {"prompt_tokens": 10, "completion_tokens": 4, "total_tokens": 14}
