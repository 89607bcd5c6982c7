"""Cohere's errors: error bodies, and errors inside responses with status 200.

https://docs.cohere.com/reference/errors
"""

from __future__ import annotations

from ...errors import ErrorDetails
from ...types.json_values import child, text_or_none
from ..errors import SHARED_WORDS, error_in_response, message_in, text_message

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

    from ...registry.manifest import Manifest

#: The words of `error_type`, and the two of `parse_error`.
ERROR_WORDS = {
    **SHARED_WORDS,
    "TOO_MANY_TOKENS": "request_too_large",
    "quota of the month": "quota_exhausted",
    "invalid token": "authentication",
}


def parse_error(status: int | None, body: Any) -> ErrorDetails:
    """`{"message": …, "error_type"?: …}`, or the text of a proxy."""
    if not isinstance(body, dict):
        return ErrorDetails(text_message(body))
    error: Mapping[str, Any] = child(body, "error") or body
    message = message_in(error, body) or text_message(body.get("error"))
    reason = "invalid token" if status == 498 else None
    # A trial key has two limits with the same status: calls per minute, and calls per month, for which a retry is useless.
    # https://docs.cohere.com/docs/rate-limits
    if status == 429 and "/ month" in message:
        reason = "quota of the month"
    return ErrorDetails(message, type=text_or_none(error.get("error_type")), reason=reason)


def raise_if_error(body: dict[str, Any], manifest: Manifest) -> None:
    """Raises RemoteError if the generation failed after the status line: `finish_reason` is ERROR, or there is an `error`."""
    error = body.get("error")
    if error or body.get("finish_reason") == "ERROR":
        text = error if isinstance(error, str) else child(body, "error").get("message")
        details = ErrorDetails(str(text or "the generation failed"), type=text_or_none(body.get("error_type")))
        raise error_in_response(body, details, ERROR_WORDS, manifest)
