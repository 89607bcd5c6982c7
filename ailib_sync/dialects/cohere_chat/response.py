"""A complete response of Cohere → `ChatResponse`."""

from __future__ import annotations

from ...types.events import Metadata, PartialToolCall, ToolCallEnded, ToolCallStarted
from ...types.json_values import child, children, parse_arguments, text_or_none
from ...types.tools import ToolCall
from ..accumulator import accumulate
from ..dialect import wrong_shape
from ..errors import error_in_response
from .errors import ERROR_WORDS, parse_error, raise_if_error
from .stream import parse_call, parse_content, parse_end
from .usage import parse_usage

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any

    from ...registry.manifest import Manifest
    from ...types.events import StreamingEvent
    from ...types.response import ChatResponse


def parse_body(body: Any, manifest: Manifest) -> ChatResponse:
    """Raises RemoteError if the body contains an error, ProtocolError if it is no response."""
    if not isinstance(body, dict):
        raise wrong_shape(manifest, "it is not an object", body)
    raise_if_error(body, manifest)
    if not isinstance(body.get("message"), dict):
        if "message" in body:  # the form of an error body
            raise error_in_response(body, parse_error(None, body), ERROR_WORDS, manifest)
        raise wrong_shape(manifest, "it has no message", body)
    response = accumulate([*_events_of(body), parse_end(body, manifest)])
    response.raw = body
    return response


def _events_of(body: dict[str, Any]) -> Iterator[StreamingEvent]:
    """The events that a stream of this response would have."""
    message = body["message"]
    extra = {key: message[key] for key in ("tool_plan", "citations") if message.get(key)}
    yield Metadata(parse_usage(body.get("usage")), text_or_none(body.get("id")), message_extra=extra or None)
    content = message.get("content")
    for part in [{"type": "text", "text": content}] if isinstance(content, str) else children(message, "content"):
        yield from parse_content(part)
    for index, wire in enumerate(children(message, "tool_calls")):
        raw = str(child(wire, "function").get("arguments") or "")
        call = parse_call(wire)
        yield ToolCallStarted(index, call.id, call.name)
        yield PartialToolCall(index, raw)
        yield ToolCallEnded(index, ToolCall(call.id, call.name, parse_arguments(raw), raw))
