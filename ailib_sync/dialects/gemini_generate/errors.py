"""Gemini's error bodies: `google.rpc.Status` → `ErrorDetails`."""

from __future__ import annotations

from ...errors import ErrorDetails
from ...types.json_values import children, text_or_none

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any


#: `error.status` (google.rpc.Code), ErrorInfo's `reason`, and the two words of `_reason`.
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
        text = error if isinstance(error, str) and not error.lstrip().startswith("<") else ""
        return ErrorDetails(text.strip())
    details = children(error, "details")
    message = str(error.get("message") or "")
    code = error.get("code")
    return ErrorDetails(
        message,
        type=text_or_none(error.get("status")),
        code=None if code is None else str(code),
        retry_after=next((delay for detail in details if (delay := _seconds(detail.get("retryDelay"))) is not None), None),
        reason=_reason(message, details),
    )


def _reason(message: str, details: list[dict[str, Any]]) -> str | None:
    for detail in details:
        if any("PerDay" in str(violation.get("quotaId")) for violation in children(detail, "violations")):
            return "quota of the day"
    # The one refusal that neither code, status nor details tell apart: https://github.com/google-gemini/gemini-cli/issues/6678
    if "exceeds the maximum number of tokens allowed" in message:
        return "input too long"
    return next((str(detail["reason"]) for detail in details if detail.get("reason")), None)


def _seconds(delay: Any) -> float | None:
    """A google.protobuf.Duration in JSON: `"37s"`, `"0.5s"`."""
    try:
        return float(delay[:-1]) if isinstance(delay, str) and delay.endswith("s") else None
    except ValueError:
        return None
