"""Chat requests and responses as the tests of dialects write them: options as a dict, a body without its headers."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from ailib_sync.dialects.dialect import Dialect, Received
from ailib_sync.http.timeouts import Limits
from ailib_sync.pipeline.decode import error_response, parse_response, response_events
from ailib_sync.registry.manifest import Manifest
from ailib_sync.types.events import StreamingEvent
from ailib_sync.types.request import ChatOptions, ChatRequest
from ailib_sync.types.response import ChatResponse

MAX_EVENT_BYTES = Limits().event


def chat_request(
    model: str = "m", *rest: Any, options: Mapping[str, Any] | ChatOptions | None = None, **fields: Any
) -> ChatRequest:
    """A `ChatRequest`; its options may be a dict (the fourth positional argument too)."""
    if len(rest) > 2:
        options, rest = rest[2], (*rest[:2], None, *rest[3:])
    made = options if isinstance(options, ChatOptions) else ChatOptions(**(options or {}))
    if len(rest) > 2:
        return ChatRequest(model, *rest[:2], made, *rest[3:], **fields)
    return ChatRequest(model, *rest, options=made, **fields)


def parse_body(dialect: Dialect, body: Any, manifest: Manifest) -> ChatResponse:
    """A complete chat response, read by the dialect."""
    response = dialect.chat.parse(Received(body, {}, ChatRequest("m")), manifest)
    assert isinstance(response, ChatResponse)
    return response


def stream_events(
    chunks: Iterable[bytes],
    headers: Mapping[str, str],
    dialect: Dialect,
    manifest: Manifest,
    max_event: int = MAX_EVENT_BYTES,
) -> Iterator[StreamingEvent]:
    """The events of a streamed chat response."""
    return response_events(dialect.chat, ChatRequest("m", stream=True), headers, chunks, manifest, max_event)


def read_response(status: int, headers: Mapping[str, str], raw: bytes, dialect: Dialect, manifest: Manifest) -> ChatResponse:
    """A complete chat response. Raises RemoteError where the status is an error."""
    if status >= 300:
        raise error_response(status, headers, raw, dialect, manifest)
    response = parse_response(dialect.chat, ChatRequest("m"), headers, raw, manifest)
    assert isinstance(response, ChatResponse)
    return response
