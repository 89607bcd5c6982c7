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


#: Words that mean the same in every format. Hosts of a format pass on the words of other services, and Google sends its own
#: (google.rpc.ErrorInfo `reason`, and the one of `with_google_details`) in every format that it serves.
#: https://cloud.google.com/apis/design/errors#error_info
SHARED_WORDS: dict[str, str] = {
    "API_KEY_INVALID": "authentication",
    "API_KEY_EXPIRED": "authentication",
    "CREDENTIALS_MISSING": "authentication",
    "ACCESS_TOKEN_EXPIRED": "authentication",
    "BILLING_DISABLED": "quota_exhausted",
    "MODEL_CAPACITY_EXHAUSTED": "overloaded",
    "quota of the day": "quota_exhausted",
    "invalid_api_key": "authentication",
    "insufficient_quota": "quota_exhausted",
    "context_length_exceeded": "request_too_large",
    "exceed_context_size_error": "request_too_large",
    "model_max_prompt_tokens_exceeded": "request_too_large",
    "too_many_prompt_tokens": "request_too_large",
    "model_not_found": "not_found",
    "model_not_supported": "not_found",
    "invalid_model": "not_found",
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
    return replace(details, reason=reason or details.reason, retry_after=delay)


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
    return manifest.error(status, details, words, body=json.dumps(body, ensure_ascii=False)[:MAX_BODY_CHARACTERS])


def status_in(body: Any) -> int | None:
    """The HTTP status that an error inside a response contains, which counts as its status."""
    nodes = (body.get("error"), body) if isinstance(body, dict) else ()
    for node in nodes:
        if isinstance(node, dict):
            for key in ("status_code", "status", "code"):
                word = str(node.get(key))
                if word.isascii() and word.isdigit() and 400 <= int(word[:6]) < 600:
                    return int(word)
    return None


def message_in(error: Mapping[str, Any], body: Mapping[str, Any]) -> str:
    """The message of an error object, or the one next to it, which gateways send. FastAPI names it `detail`."""
    message = error.get("message") or error.get("detail") or body.get("message") or ""
    return text_message(message) if isinstance(message, str) else json.dumps(message, ensure_ascii=False)


def text_message(body: Any) -> str:
    """The message of an error body that is no JSON object: its text, but not an HTML page, which a proxy sends."""
    text = body.strip() if isinstance(body, str) else ""
    return "" if text.startswith("<") else text
