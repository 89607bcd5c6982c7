"""Gemini's errors: error bodies (google.rpc.Status), and errors inside responses with status 200.

https://cloud.google.com/apis/design/errors
"""

from __future__ import annotations

from ...errors import ErrorDetails
from ...types.json_values import text_or_none, word
from ..errors import error_in_response, text_message

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from ...registry.manifest import Manifest

#: The words of `error.status` (google.rpc.Code), and the one of `_reason`.
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
    "input too long": "request_too_large",
}


def parse_error(status: int | None, body: Any) -> ErrorDetails:
    """`{"error": {code, message, status, details}}`, alone or in a list. `with_google_details` reads the details."""
    if isinstance(body, list):
        body = next((item for item in body if isinstance(item, dict)), {})
    error = body.get("error") if isinstance(body, dict) else body
    if not isinstance(error, dict):
        return ErrorDetails(text_message(error))
    message = str(error.get("message") or "")
    return ErrorDetails(message, text_or_none(error.get("status")), word(error.get("code")), reason=_reason(message))


def _reason(message: str) -> str | None:
    """A more exact word than the status, for an error whose code, status and details are those of any invalid request.

    https://github.com/google-gemini/gemini-cli/issues/6678
    """
    return "input too long" if "exceeds the maximum number of tokens allowed" in message else None


def raise_if_error(chunk: dict[str, Any], manifest: Manifest) -> None:
    """Raises RemoteError for a response, or a chunk of a stream, that is an error."""
    if "error" in chunk:
        raise error_in_response(chunk, parse_error(None, chunk), ERROR_WORDS, manifest)
