"""Answers and refusals of Bedrock's Converse API, read. Streams are _converse_stream's."""

from __future__ import annotations

from ...errors import ErrorDetails
from ...types.json_values import count, word
from ...types.messages import Message, MessageRole
from ...types.response import ChatResponse, Usage
from ..dialect import wrong_shape
from .messages import NAME, parse_block

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

    from ...registry.manifest import Manifest

FINISH_REASONS: Mapping[str, str] = {
    "end_turn": "end_turn",
    "tool_use": "tool_use",
    "max_tokens": "max_tokens",
    "model_context_window_exceeded": "max_tokens",
    "stop_sequence": "stop_sequence",
    "guardrail_intervened": "content_filter",
    "content_filtered": "content_filter",
}


def parse_body(body: Any, manifest: Manifest) -> ChatResponse:
    try:
        content = body["output"]["message"]["content"]
        blocks = [parse_block(block) for block in content]
    except (AttributeError, KeyError, TypeError):
        raise wrong_shape(manifest, "no output.message.content that can be read", body) from None
    reason = word(body.get("stopReason"))
    return ChatResponse(
        message=Message(MessageRole.ASSISTANT, blocks, origin=NAME),
        finish_reason=manifest.finish_reason(reason, FINISH_REASONS),
        raw_finish_reason=reason,
        stop_sequence=stop_sequence(body),
        usage=parse_usage(body.get("usage")),
        raw=body,
    )


def parse_usage(raw: Any) -> Usage:
    """`inputTokens` leaves out what the cache gave and took, and `totalTokens` counts both: they are added to the prompt.

    A recorded answer: inputTokens 10, cacheWriteInputTokens 7351, outputTokens 4, totalTokens 7365.
    """
    if not isinstance(raw, dict):
        return Usage()
    read, written = count(raw.get("cacheReadInputTokens")), count(raw.get("cacheWriteInputTokens"))
    fresh = count(raw.get("inputTokens"))
    return Usage(
        prompt_tokens=None if fresh is None else fresh + (read or 0) + (written or 0),
        completion_tokens=count(raw.get("outputTokens")),
        total_tokens=count(raw.get("totalTokens")),
        cached_tokens=read,
        cache_write_tokens=written,
        raw=raw,
    )


def stop_sequence(body: Mapping[str, Any]) -> str | None:
    """Which sequence stopped the model: told only where additionalModelResponseFieldPaths asks for `/stop_sequence`."""
    fields = body.get("additionalModelResponseFields")
    found = fields.get("stop_sequence") if isinstance(fields, dict) else None
    return found if isinstance(found, str) else None


def _both_spellings(**words: str) -> dict[str, str]:
    """A refusal's type begins with a capital in a header and a small letter in a stream."""
    return {spelling: name for word, name in words.items() for spelling in (word, word[0].lower() + word[1:])}


ERROR_WORDS: Mapping[str, str] = _both_spellings(
    ValidationException="invalid_request",
    AccessDeniedException="permission_denied",
    UnrecognizedClientException="authentication",
    InvalidSignatureException="authentication",
    IncompleteSignatureException="authentication",
    MissingAuthenticationTokenException="authentication",
    InvalidClientTokenId="authentication",
    ExpiredTokenException="authentication",
    ResourceNotFoundException="not_found",
    ThrottlingException="rate_limited",
    TooManyRequestsException="rate_limited",
    ServiceQuotaExceededException="quota_exhausted",
    ModelNotReadyException="overloaded",
    ServiceUnavailableException="overloaded",
    ModelTimeoutException="timeout",
    ModelErrorException="server_error",
    ModelStreamErrorException="server_error",
    InternalServerException="server_error",
)


def parse_error(status: int | None, body: Any) -> ErrorDetails:
    """`{"message": …}`; the type stands in a header (see answer.refusal), in a stream beside the message. A gateway in front
    may put both inside an `error`."""
    if not isinstance(body, dict):
        return ErrorDetails(str(body).strip())
    if isinstance(body.get("error"), dict):
        body = body["error"]
    message = body.get("message") or body.get("Message") or body.get("originalMessage") or ""
    kind = body.get("type") or body.get("__type")
    return ErrorDetails(str(message), str(kind).rpartition("#")[2] if kind else None)
