"""Errors of Anthropic Messages: the body of an error response, and an error inside a complete response or a stream."""

from __future__ import annotations

from ...errors import ErrorDetails
from ...types.json_values import word
from ..errors import SHARED_WORDS, error_in_response, message_in, status_in, text_message

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

    from ...registry.manifest import Manifest

#: https://platform.claude.com/docs/en/api/errors
ERROR_WORDS: Mapping[str, str] = {
    **SHARED_WORDS,
    "invalid_request_error": "invalid_request",
    "authentication_error": "authentication",
    "billing_error": "quota_exhausted",
    "permission_error": "permission_denied",
    "not_found_error": "not_found",
    "conflict_error": "conflict",
    "request_too_large": "request_too_large",
    "rate_limit_error": "rate_limited",
    "enforced_spend_limit_reached": "quota_exhausted",
    "api_error": "server_error",
    "timeout_error": "timeout",
    "overloaded_error": "overloaded",
}


def parse_error(status: int | None, body: Any) -> ErrorDetails:
    """`{"type": "error", "error": {"type", "message", "details": {"error_code"}}}`, or what gateways send in its place."""
    if isinstance(body, list) and body:
        body = body[0]
    if not isinstance(body, dict):
        return ErrorDetails(text_message(body))
    error = body.get("error") or body
    if not isinstance(error, dict):
        return ErrorDetails(text_message(error), word(body.get("type")))
    details = error.get("details")
    code = details.get("error_code") if isinstance(details, dict) else None
    return ErrorDetails(
        message_in(error, body),
        word(error.get("type") or error.get("status")),
        word(code or error.get("code")),
    )


def raise_if_error(data: dict[str, Any], manifest: Manifest) -> None:
    """Raises RemoteError for a response with status 200, or a frame of a stream, that is an error; also in OpenAI's form."""
    if data.get("type") == "error" or data.get("object") == "error" or data.get("error"):
        raise error_in_response(data, parse_error(None, data), ERROR_WORDS, manifest, status_in(data))
