"""Cohere's error bodies, and errors inside responses with status 200."""

from __future__ import annotations

import json

from ...errors import ErrorDetails
from ...types.json_values import child, text_or_none

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

    from ...registry.manifest import Manifest

#: `error_type` where the body has one, and the word of `parse_error`.
ERROR_WORDS = {
    "TOO_MANY_TOKENS": "request_too_large",
    "quota of the month": "quota_exhausted",
    "invalid token": "authentication",
}


def parse_error(status: int | None, body: Any) -> ErrorDetails:
    """`{"message": …, "error_type"?: …}`; a proxy in front may answer in text."""
    if not isinstance(body, dict):
        text = body if isinstance(body, str) and not body.lstrip().startswith("<") else ""
        return ErrorDetails(text.strip())
    error: Mapping[str, Any] = child(body, "error") or body
    message = str(error.get("message") or text_or_none(body.get("error")) or "")
    reason = "invalid token" if status == 498 else None
    # A trial key has two limits of one status: calls a minute, which pass, and calls a month, which do not.
    # https://docs.cohere.com/docs/rate-limits
    if status == 429 and "/ month" in message:
        reason = "quota of the month"
    return ErrorDetails(message, type=text_or_none(error.get("error_type")), reason=reason)


def raise_if_error(body: dict[str, Any], manifest: Manifest) -> None:
    """Raises where the generation failed after the status line: `finish_reason` ERROR, or an `error` beside it."""
    error = body.get("error")
    if error or body.get("finish_reason") == "ERROR":
        text = error if isinstance(error, str) else child(body, "error").get("message")
        details = ErrorDetails(str(text or "the generation failed"), type=text_or_none(body.get("error_type")))
        raise manifest.error(None, details, ERROR_WORDS, body=json.dumps(body))
