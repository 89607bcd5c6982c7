"""Errors of OpenAI Responses: the body of an error response, and an error inside a complete response or a stream."""

from __future__ import annotations

from ...errors import ErrorDetails
from ...types.json_values import word
from ..errors import SHARED_WORDS, error_in_response, message_in, status_in, text_message

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

    from ...errors import RemoteError
    from ...registry.manifest import Manifest

#: https://platform.openai.com/docs/guides/error-codes, and the codes of `response.error`.
ERROR_WORDS: Mapping[str, str] = {
    **SHARED_WORDS,
    "invalid_prompt": "invalid_request",
    "content_filter": "invalid_request",
    "content_policy_violation": "invalid_request",
    "image_content_policy_violation": "invalid_request",
    "failed_to_download_image": "invalid_request",
    "invalid_authentication": "authentication",
    "DeploymentNotFound": "not_found",
    "string_above_max_length": "request_too_large",
    "image_too_large": "request_too_large",
    "image_file_too_large": "request_too_large",
    "rate_limit_exceeded": "rate_limited",
    "slow_down": "rate_limited",
    "billing_hard_limit_reached": "quota_exhausted",
    "credit_balance_exhausted": "quota_exhausted",
    "organization_spend_limit_exceeded": "quota_exhausted",
    "project_spend_limit_exceeded": "quota_exhausted",
    "organization_usage_limit_exceeded": "quota_exhausted",
    "server_is_overloaded": "overloaded",
    "engine_overloaded": "overloaded",
    "vector_store_timeout": "timeout",
}


#: The types of errors inside a response, which have no status. A code is more exact than a type.
ERROR_TYPES: Mapping[str, str] = {
    "invalid_request_error": "invalid_request",
    "authentication_error": "authentication",
    "permission_error": "permission_denied",
    "not_found_error": "not_found",
    "rate_limit_error": "rate_limited",
    "server_error": "server_error",
}


def parse_error(status: int | None, body: Any) -> ErrorDetails:
    """`{"error": {"message", "type", "code"}}`; in streams also without `error`; or `{"code", "error": "text"}`."""
    if isinstance(body, list) and body:
        body = body[0]
    if not isinstance(body, dict):
        return ErrorDetails(text_message(body))
    error = body.get("error") or body
    if not isinstance(error, dict):
        return ErrorDetails(text_message(error), word(body.get("type")), word(body.get("code")))
    kind = error.get("type") if error.get("type") != "error" else None
    code = error.get("code") if error.get("code") is not None else body.get("code")
    return ErrorDetails(message_in(error, body), word(kind), word(code))


def response_error(response: dict[str, Any], manifest: Manifest) -> RemoteError:
    """The exception for an error inside a response with status 200, or inside a frame of a stream."""
    details = parse_error(None, response)
    if not details.message:
        details = ErrorDetails("the response failed; the provider gave no message", details.type, details.code)
    return error_in_response(response, details, {**ERROR_TYPES, **ERROR_WORDS}, manifest, status_in(response))
