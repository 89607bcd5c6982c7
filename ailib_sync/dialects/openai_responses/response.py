"""Answers of OpenAI Responses → values: a whole body, its items, its end, its errors. Streams: see `_responses_stream`."""

from __future__ import annotations

import json

from ...errors import ErrorDetails
from ...types.events import StreamEnd
from ...types.json_values import count, objects, parse_arguments, text_of, word
from ...types.messages import Message, MessageRole, Opaque, Text, Thinking
from ...types.response import ChatResponse, Usage
from ...types.tools import ToolCall
from ..dialect import wrong_shape
from .messages import CALLS, NAME

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

    from ...errors import RemoteError
    from ...registry.manifest import Manifest
    from ...types.messages import Block

#: `status`, or the reason of an `incomplete` one → normalised. `max_messages` and `steered` keep their own words.
FINISH_REASONS: Mapping[str, str] = {
    "completed": "end_turn",
    "max_output_tokens": "max_tokens",
    "content_filter": "content_filter",
}

#: https://platform.openai.com/docs/guides/error-codes and the codes of `response.error`.
ERROR_WORDS: Mapping[str, str] = {
    "invalid_prompt": "invalid_request",
    "content_filter": "invalid_request",
    "content_policy_violation": "invalid_request",
    "image_content_policy_violation": "invalid_request",
    "failed_to_download_image": "invalid_request",
    "invalid_api_key": "authentication",
    "invalid_authentication": "authentication",
    "model_not_found": "not_found",
    "DeploymentNotFound": "not_found",
    "context_length_exceeded": "request_too_large",
    "string_above_max_length": "request_too_large",
    "image_too_large": "request_too_large",
    "image_file_too_large": "request_too_large",
    "rate_limit_exceeded": "rate_limited",
    "slow_down": "rate_limited",
    "insufficient_quota": "quota_exhausted",
    "billing_hard_limit_reached": "quota_exhausted",
    "credit_balance_exhausted": "quota_exhausted",
    "organization_spend_limit_exceeded": "quota_exhausted",
    "project_spend_limit_exceeded": "quota_exhausted",
    "organization_usage_limit_exceeded": "quota_exhausted",
    "server_is_overloaded": "overloaded",
    "engine_overloaded": "overloaded",
    "vector_store_timeout": "timeout",
}

#: An error inside an answer has no status to be judged by, so its general type must do.
_TYPES: Mapping[str, str] = {
    "invalid_request_error": "invalid_request",
    "authentication_error": "authentication",
    "permission_error": "permission_denied",
    "not_found_error": "not_found",
    "rate_limit_error": "rate_limited",
    "server_error": "server_error",
}


def parse_error(status: int | None, body: Any) -> ErrorDetails:
    """`{"error": {"message", "type", "code"}}`; the same without its wrapping, as in streams; `{"code", "error": "text"}`."""
    if isinstance(body, list) and body:
        body = body[0]
    if not isinstance(body, dict):
        return ErrorDetails(body.strip() if isinstance(body, str) else "")
    error = body.get("error") or body
    if not isinstance(error, dict):
        return ErrorDetails(str(error), word(body.get("type")), word(body.get("code")))
    message = error.get("message") or error.get("detail") or body.get("message") or ""
    kind = error.get("type") if error.get("type") != "error" else None
    code = error.get("code") if error.get("code") is not None else body.get("code")
    return ErrorDetails(message if isinstance(message, str) else json.dumps(message), word(kind), word(code))


def refusal(answer: dict[str, Any], manifest: Manifest) -> RemoteError:
    """The exception for an error that stands inside an answer or a stream."""
    details = parse_error(None, answer)
    if not details.message:
        details = ErrorDetails("the provider says that the answer failed, but not why", details.type, details.code)
    return manifest.error(None, details, {**_TYPES, **ERROR_WORDS}, body=json.dumps(answer)[:65536])


def parse_body(body: Any, manifest: Manifest) -> ChatResponse:
    """A whole answer. Raises RemoteError where it failed, ProtocolError where it is no answer."""
    if not isinstance(body, dict):
        raise wrong_shape(manifest, "not an object", body)
    if body.get("error") or body.get("status") == "failed":
        raise refusal(body, manifest)
    output = body.get("output")
    if not isinstance(output, list):
        raise wrong_shape(manifest, "no list of output", body)
    if not all(isinstance(item, dict) for item in output):
        raise wrong_shape(manifest, "an item of output is no object", body)
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


# Items


def parse_item(item: dict[str, Any]) -> list[Block]:
    """The blocks of one item; none for a message that says nothing."""
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
    """What goes back with a text: facts of its message, and its annotations (citations)."""
    extra = {key: item[key] for key in ("id", "phase") if item.get(key)}
    return {**extra, "annotations": part["annotations"]} if part.get("annotations") else extra


def thought_text(item: dict[str, Any]) -> str:
    """A thought in words: its summary, then its text where a host shows that; paragraphs apart."""
    parts = [*objects(item.get("summary")), *objects(item.get("content"))]
    return "\n\n".join(filter(None, (text_of(part.get("text")) for part in parts)))


def parse_call(item: dict[str, Any], streamed: str = "") -> ToolCall:
    """A call from its item; `streamed` is the text of its arguments where the item itself has none."""
    extra = {key: value for key, value in item.items() if key not in _CALL_KEYS and value is not None}
    id, name = text_of(item.get("call_id")) or text_of(item.get("id")), text_of(item.get("name"))
    if item.get("type") == "custom_tool_call":
        return ToolCall(id, name, None, text_of(item.get("input")) or streamed, extra={"type": "custom_tool_call", **extra})
    arguments = item.get("arguments")
    if isinstance(arguments, dict):
        return ToolCall(id, name, arguments, extra=extra)
    raw = text_of(arguments) or streamed
    return ToolCall(id, name, parse_arguments(raw), raw, extra=extra)


#: What a call's item holds that is either the call itself or nothing to send back.
_CALL_KEYS = ("type", "call_id", "name", "arguments", "input", "status", "item_id", "output_index")


def refusal_text(item: dict[str, Any]) -> str:
    """What a message says in place of an answer."""
    return "".join(text_of(part.get("refusal")) for part in _parts(item) if part.get("type") == "refusal")


def text_parts(item: dict[str, Any]) -> list[dict[str, Any]]:
    """The parts of a message that are its text."""
    return [part for part in _parts(item) if _is_text(part)]


def _parts(item: dict[str, Any]) -> list[dict[str, Any]]:
    return objects(item.get("content")) if item.get("type") == "message" else []


def _is_text(part: dict[str, Any]) -> bool:
    return part.get("type") in ("output_text", "text")


# The end


def parse_end(answer: dict[str, Any], refused: str, calls: bool, manifest: Manifest) -> StreamEnd:
    """How the answer ended. `raw_finish_reason` is its `status`; why it is incomplete decides the normalised word."""
    status = word(answer.get("status"))
    details = answer.get("incomplete_details")
    reason = word(details.get("reason")) if isinstance(details, dict) else None
    finish = manifest.finish_reason(reason if status == "incomplete" and reason else status, FINISH_REASONS)
    if finish == "end_turn":
        finish = "content_filter" if refused else "tool_use" if calls else finish
    return StreamEnd(finish, status, refusal=refused or None)


def parse_usage(raw: Any) -> Usage:
    """`input_tokens` counts the cached ones too, `output_tokens` the reasoning: nothing to convert."""
    if not isinstance(raw, dict):
        return Usage()
    into, out = raw.get("input_tokens_details"), raw.get("output_tokens_details")
    into, out = into if isinstance(into, dict) else {}, out if isinstance(out, dict) else {}
    return Usage(
        prompt_tokens=count(raw.get("input_tokens")),
        completion_tokens=count(raw.get("output_tokens")),
        total_tokens=count(raw.get("total_tokens")),
        cached_tokens=count(into.get("cached_tokens")),
        cache_write_tokens=count(into.get("cache_write_tokens")),
        reasoning_tokens=count(out.get("reasoning_tokens")),
        raw=raw,
    )
