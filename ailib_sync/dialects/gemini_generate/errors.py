"""Gemini's errors: error bodies (google.rpc.Status), and errors inside responses with status 200.

https://cloud.google.com/apis/design/errors
"""

from __future__ import annotations

from ...errors import ErrorDetails
from ...types.json_values import children, text_or_none, word
from ..errors import error_in_response, text_message

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from ...registry.manifest import Manifest

#: The words of `error.status` (google.rpc.Code), of ErrorInfo's `reason`, and the two of `_reason`.
ERROR_WORDS = {
    "INVALID_ARGUMENT": "invalid_request",
    "FAILED_PRECONDITION": "invalid_request",
    "OUT_OF_RANGE": "invalid_request",
    "UNIMPLEMENTED": "invalid_request",
    "UNAUTHENTICATED": "authentication",
    "PERMISSION_DENIED": "permission_denied",
    "NOT_FOUND": "not_found",
    "RESOURCE_EXHAUSTED": "rate_limited",
    "ABORTED": "conflict",
    "ALREADY_EXISTS": "conflict",
    "INTERNAL": "server_error",
    "UNKNOWN": "server_error",
    "DATA_LOSS": "server_error",
    "CANCELLED": "server_error",
    "UNAVAILABLE": "overloaded",
    "DEADLINE_EXCEEDED": "timeout",
    "API_KEY_INVALID": "authentication",
    "API_KEY_EXPIRED": "authentication",
    "CREDENTIALS_MISSING": "authentication",
    "ACCESS_TOKEN_EXPIRED": "authentication",
    "BILLING_DISABLED": "quota_exhausted",
    "MODEL_CAPACITY_EXHAUSTED": "overloaded",
    "quota of the day": "quota_exhausted",
    "input too long": "request_too_large",
}


def parse_error(status: int | None, body: Any) -> ErrorDetails:
    """`{"error": {code, message, status, details}}`, alone or in a list."""
    if isinstance(body, list):
        body = next((item for item in body if isinstance(item, dict)), {})
    error = body.get("error") if isinstance(body, dict) else body
    if not isinstance(error, dict):
        return ErrorDetails(text_message(error))
    details = children(error, "details")
    message = str(error.get("message") or "")
    return ErrorDetails(
        message,
        type=text_or_none(error.get("status")),
        code=word(error.get("code")),
        retry_after=next((delay for detail in details if (delay := _seconds(detail.get("retryDelay"))) is not None), None),
        reason=_reason(message, details),
    )


def _reason(message: str, details: list[dict[str, Any]]) -> str | None:
    """A more exact word than the status. A quota of the day is exhausted for hours, other quotas for seconds."""
    for detail in details:
        if any("PerDay" in str(violation.get("quotaId")) for violation in children(detail, "violations")):
            return "quota of the day"
    # Code, status and details are those of any invalid request. https://github.com/google-gemini/gemini-cli/issues/6678
    if "exceeds the maximum number of tokens allowed" in message:
        return "input too long"
    return next((str(detail["reason"]) for detail in details if detail.get("reason")), None)


def _seconds(delay: Any) -> float | None:
    """A google.protobuf.Duration in JSON, for example `"37s"` or `"0.5s"`."""
    try:
        return float(delay[:-1]) if isinstance(delay, str) and delay.endswith("s") else None
    except ValueError:
        return None


def raise_if_error(chunk: dict[str, Any], manifest: Manifest) -> None:
    """Raises RemoteError for a response, or a chunk of a stream, that is an error."""
    if "error" in chunk:
        raise error_in_response(chunk, parse_error(None, chunk), ERROR_WORDS, manifest)
