"""Errors in responses: the rules that all dialects share."""

from __future__ import annotations

import json

from .._dataclass import replace
from ..errors import MAX_BODY_CHARACTERS
from ..types.json_values import child, children

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

    from ..errors import ErrorDetails, RemoteError
    from ..registry.manifest import Manifest


#: Google's words (google.rpc.ErrorInfo `reason`, and the one of `google_details`) → standard names. Google sends them in every
#: wire format that it serves, and routers pass them on. https://cloud.google.com/apis/design/errors#error_info
GOOGLE_WORDS: Mapping[str, str] = {
    "API_KEY_INVALID": "authentication",
    "API_KEY_EXPIRED": "authentication",
    "CREDENTIALS_MISSING": "authentication",
    "ACCESS_TOKEN_EXPIRED": "authentication",
    "BILLING_DISABLED": "quota_exhausted",
    "MODEL_CAPACITY_EXHAUSTED": "overloaded",
    "quota of the day": "quota_exhausted",
}


def with_google_details(details: ErrorDetails, body: Any) -> ErrorDetails:
    """The details with what Google's `error.details` add: a more exact reason (a quota of the day is exhausted for hours, other
    quotas for seconds) and the delay of RetryInfo."""
    outer = next((item for item in body if isinstance(item, dict)), {}) if isinstance(body, list) else body
    found = children(child(outer, "error"), "details") if isinstance(outer, dict) else []
    if not found:
        return details
    quotas = [str(violation.get("quotaId")) for detail in found for violation in children(detail, "violations")]
    reason = next((str(detail["reason"]) for detail in found if detail.get("reason")), None)
    if any("PerDay" in quota for quota in quotas):
        reason = "quota of the day"
    delay = next((delay for detail in found if (delay := _duration(detail.get("retryDelay"))) is not None), None)
    delay = delay if delay is not None else details.retry_after
    return replace(details, reason=details.reason or reason, retry_after=delay)


def _duration(value: Any) -> float | None:
    """A google.protobuf.Duration in JSON, for example `"37s"` or `"0.5s"`."""
    try:
        return float(value[:-1]) if isinstance(value, str) and value.endswith("s") else None
    except ValueError:
        return None


def error_in_response(
    body: Any, details: ErrorDetails, words: Mapping[str, str], manifest: Manifest, status: int | None = None
) -> RemoteError:
    """The exception for an error inside a response with status 200, or inside one chunk of a stream.

    `body` is the JSON that contains the error, `words` the dialect's error words, `status` the one in the error, if any.
    """
    details = with_google_details(details, body)
    return manifest.error(
        status, details, {**GOOGLE_WORDS, **words}, body=json.dumps(body, ensure_ascii=False)[:MAX_BODY_CHARACTERS]
    )


def message_in(error: Mapping[str, Any], body: Mapping[str, Any]) -> str:
    """The message of an error object, or the one next to it, which gateways send. FastAPI names it `detail`."""
    message = error.get("message") or error.get("detail") or body.get("message") or ""
    return message if isinstance(message, str) else json.dumps(message)


def text_message(body: Any) -> str:
    """The message of an error body that is no JSON object: its text, but not an HTML page, which a proxy sends."""
    text = body.strip() if isinstance(body, str) else ""
    return "" if text.startswith("<") else text
