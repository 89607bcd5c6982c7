"""Complete responses of OpenAI Responses → `ChatResponse`, and the parts that streams have too: items and the end."""

from __future__ import annotations

from ...types.events import StreamEnd
from ...types.json_values import child, objects, parse_arguments, text_of, word
from ...types.messages import Message, MessageRole, Opaque, Text, Thinking
from ...types.response import ChatResponse
from ...types.tools import ToolCall
from ..dialect import wrong_shape
from .errors import response_error
from .messages import CALLS, NAME
from .usage import parse_usage

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

    from ...registry.manifest import Manifest
    from ...types.messages import Block

#: `status`, or the reason of an `incomplete` one → normalised. `max_messages` and `steered` keep their own words.
FINISH_REASONS: Mapping[str, str] = {
    "completed": "end_turn",
    "max_output_tokens": "max_tokens",
    "content_filter": "content_filter",
}


def parse_body(body: Any, manifest: Manifest) -> ChatResponse:
    """A complete response. Raises RemoteError if it failed, ProtocolError if it has another shape."""
    if not isinstance(body, dict):
        raise wrong_shape(manifest, "it is not an object", body)
    if body.get("error") or body.get("status") == "failed":
        raise response_error(body, manifest)
    output = body.get("output")
    if not isinstance(output, list):
        raise wrong_shape(manifest, "it has no list of output", body)
    if not all(isinstance(item, dict) for item in output):
        raise wrong_shape(manifest, "an item of output is not an object", body)
    blocks = [block for item in output for block in parse_item(item)]
    calls = any(isinstance(block, ToolCall) for block in blocks)
    end = parse_end(body, "".join(map(refusal_text, output)), calls, manifest)
    return ChatResponse(
        message=Message(MessageRole.ASSISTANT, blocks, origin=NAME),
        finish_reason=end.finish_reason,
        raw_finish_reason=end.raw_finish_reason,
        refusal=end.refusal,
        usage=parse_usage(body.get("usage")),
        id=word(body.get("id")),
        model=word(body.get("model")),
        raw=body,
    )


def parse_item(item: dict[str, Any]) -> list[Block]:
    """The blocks of one item; none for an empty message."""
    kind = item.get("type")
    if kind == "message":
        return _parse_message(item)
    if kind == "reasoning":
        return [Thinking(thought_text(item), extra={"item": item})]
    if kind in CALLS:
        return [parse_call(item)]
    return [Opaque(item)]


def _parse_message(item: dict[str, Any]) -> list[Block]:
    texts: list[Block] = [Text(text_of(part.get("text")), text_extra(item, part)) for part in _parts(item) if _is_text(part)]
    others = [part for part in _parts(item) if not _is_text(part)]
    if not others:
        return texts
    if not texts:
        return [Opaque(item)]
    return [*texts, Opaque({"type": "message", "role": "assistant", "content": others})]


def text_extra(item: dict[str, Any], part: dict[str, Any]) -> dict[str, Any]:
    """What is sent back with a text: fields of its message, and its annotations (citations)."""
    extra = {key: item[key] for key in ("id", "phase") if item.get(key)}
    return {**extra, "annotations": part["annotations"]} if part.get("annotations") else extra


def thought_text(item: dict[str, Any]) -> str:
    """The text of a thought: its summary, then its content, which some hosts show; an empty line between paragraphs."""
    parts = [*objects(item.get("summary")), *objects(item.get("content"))]
    return "\n\n".join(filter(None, (text_of(part.get("text")) for part in parts)))


def parse_call(item: dict[str, Any], streamed: str = "") -> ToolCall:
    """A call from its item. `streamed` is the text of its arguments, if the item itself has none."""
    extra = {key: value for key, value in item.items() if key not in _CALL_KEYS and value is not None}
    id, name = text_of(item.get("call_id")) or text_of(item.get("id")), text_of(item.get("name"))
    if item.get("type") == "custom_tool_call":
        return ToolCall(id, name, None, text_of(item.get("input")) or streamed, extra={"type": "custom_tool_call", **extra})
    arguments = item.get("arguments")
    if isinstance(arguments, dict):
        return ToolCall(id, name, arguments, extra=extra)
    raw = text_of(arguments) or streamed
    return ToolCall(id, name, parse_arguments(raw), raw, extra=extra)


#: The keys of a call's item that are the call itself, or that are not sent back.
_CALL_KEYS = ("type", "call_id", "name", "arguments", "input", "status", "item_id", "output_index")


def refusal_text(item: dict[str, Any]) -> str:
    """The refusal that a message contains; "" if there is none."""
    return "".join(text_of(part.get("refusal")) for part in _parts(item) if part.get("type") == "refusal")


def text_parts(item: dict[str, Any]) -> list[dict[str, Any]]:
    """The parts of a message that are text."""
    return [part for part in _parts(item) if _is_text(part)]


def _parts(item: dict[str, Any]) -> list[dict[str, Any]]:
    return objects(item.get("content")) if item.get("type") == "message" else []


def _is_text(part: dict[str, Any]) -> bool:
    return part.get("type") in ("output_text", "text")


def parse_end(response: dict[str, Any], refusal: str, has_calls: bool, manifest: Manifest) -> StreamEnd:
    """The end of a response. `raw_finish_reason` is its `status`; the finish reason of an incomplete one is its own reason."""
    status = word(response.get("status"))
    reason = word(child(response, "incomplete_details").get("reason"))
    finish_reason = manifest.finish_reason(reason if status == "incomplete" and reason else status, FINISH_REASONS)
    if finish_reason == "end_turn":
        finish_reason = "content_filter" if refusal else "tool_use" if has_calls else finish_reason
    return StreamEnd(finish_reason, status, refusal=refusal or None)
