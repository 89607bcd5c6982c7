"""Gemini's errors: error bodies (google.rpc.Status), and errors inside responses with status 200.

https://cloud.google.com/apis/design/errors
"""

from __future__ import annotations

from ...errors import ErrorDetails
from ...types.json_values import word
from ..errors import SHARED_WORDS, error_in_response, message_in, text_message

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from ...registry.manifest import Manifest

#: The words of `error.status` (google.rpc.Code).
ERROR_WORDS = {
    **SHARED_WORDS,
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
}


def parse_error(status: int | None, body: Any) -> ErrorDetails:
    """`{"error": {code, message, status, details}}`, alone or in a list, or what gateways send in its place.

    `with_google_details` reads the details."""
    if isinstance(body, list):
        body = next((item for item in body if isinstance(item, dict)), {})
    error = body.get("error", body) if isinstance(body, dict) else body
    if not isinstance(error, dict):
        return ErrorDetails(text_message(error))
    return ErrorDetails(message_in(error, {}), word(error.get("status") or error.get("type")), word(error.get("code")))


def raise_if_error(chunk: dict[str, Any], manifest: Manifest) -> None:
    """Raises RemoteError for a response, or a chunk of a stream, that is an error."""
    if "error" in chunk:
        raise error_in_response(chunk, parse_error(None, chunk), ERROR_WORDS, manifest)
