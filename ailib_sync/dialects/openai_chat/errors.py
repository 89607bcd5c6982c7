"""Errors in the OpenAI format: the many shapes of error bodies, and errors inside responses with status 200."""

from __future__ import annotations

import json

from ...errors import ErrorDetails
from ...types.json_values import child, text_or_none
from ..errors import SHARED_WORDS, error_in_response, status_in, text_message

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

    from ...errors import RemoteError
    from ...registry.manifest import Manifest

#: Words that are more exact than the status they come with. Words that only repeat a status (`invalid_request_error`) are not
#: here: hosts send them with any status, for example 401 (https://api-docs.deepseek.com/quick_start/error_codes).
ERROR_WORDS: Mapping[str, str] = {
    **SHARED_WORDS,
    "credit_balance_exhausted": "quota_exhausted",
    "organization_spend_limit_exceeded": "quota_exhausted",
    "project_spend_limit_exceeded": "quota_exhausted",
    "organization_usage_limit_exceeded": "quota_exhausted",
    "billing_hard_limit_reached": "quota_exhausted",
    "billing_not_active": "quota_exhausted",
    "exceeded_current_quota_error": "quota_exhausted",
    "insufficient_balance": "quota_exhausted",
    "authentication_error": "authentication",
    "invalid_authentication_error": "authentication",
    "engine_overloaded_error": "overloaded",
    "overloaded_error": "overloaded",
}

#: In a response with status 200 there is only the word.
WORDS_WITHOUT_STATUS: Mapping[str, str] = {
    **ERROR_WORDS,
    "invalid_request_error": "invalid_request",
    "BadRequestError": "invalid_request",
    "content_filter": "invalid_request",
    "content_policy_violation": "invalid_request",
    "not_found_error": "not_found",
    "permission_error": "permission_denied",
    "permission_denied": "permission_denied",
    "rate_limit_exceeded": "rate_limited",
    "rate_limit_error": "rate_limited",
    "slow_down": "overloaded",
    "overloaded": "overloaded",
    "service_unavailable": "overloaded",
    "timeout": "timeout",
    "timeout_error": "timeout",
}

_MESSAGE_KEYS = ("message", "msg", "detail", "error_msg", "status_msg", "description", "title", "error", "errors", "Message")
_FAILURE_KEYS = ("detail", "errors", "error_code", "error_msg")


def parse_error(status: int | None, body: Any) -> ErrorDetails:
    """The details of an error body. Known shapes: `{"error": {…}}`, `{"error": "…", "code": …}`, the error's keys at the top
    level, `{"detail": …}` (FastAPI), `{"errors": […]}`, `{"base_resp": {…}}` (MiniMax), a list of these, plain text."""
    node = body[0] if isinstance(body, list) and body else body
    if not isinstance(node, dict):
        return ErrorDetails(_message(node))
    outer = node
    for key in ("error", "base_resp", "detail"):
        if isinstance(outer.get(key), dict):
            node = outer[key]
            break
    else:
        if isinstance(outer.get("errors"), list) and outer["errors"] and isinstance(outer["errors"][0], dict):
            node = outer["errors"][0]
    code = next((node[key] for key in ("code", "error_code", "status_code", "key") if node.get(key) is not None), None)
    # Google's `status` is a word; for others it is a number. https://cloud.google.com/apis/design/errors#http_mapping
    kind = node.get("type") or text_or_none(node.get("status"))
    return ErrorDetails(
        _message(node) or _message(outer),
        str(kind) if kind else None,
        None if code is None else str(code),
        reason=text_or_none(node.get("reason")),
        # https://openrouter.ai/docs/api-reference/errors#provider-errors
        upstream=text_or_none(child(node, "metadata").get("raw")) or "",
    )


def _message(node: Any, depth: int = 8) -> str:
    """The first text meant for people, at most `depth` levels deep."""
    if isinstance(node, str):
        return text_message(node)
    if depth == 0:
        return ""
    if isinstance(node, list):
        return "; ".join(filter(None, (_message(item, depth - 1) for item in node)))
    if isinstance(node, dict):
        for key in _MESSAGE_KEYS:
            if node.get(key):
                return _message(node[key], depth - 1)
        return json.dumps(node, ensure_ascii=False) if node else ""
    return ""


def find_error(chunk: dict[str, Any], event: str = "message") -> dict[str, Any] | None:
    """The object with the error in a response with status 200, or in one chunk of a stream; None if there is no error.

    Tolerance error_with_status_200.
    """
    if chunk.get("error") or chunk.get("object") == "error" or event == "error":
        return chunk
    base = chunk.get("base_resp")
    if isinstance(base, dict) and base.get("status_code"):
        return chunk
    groq = chunk.get("x_groq")
    if isinstance(groq, dict) and groq.get("error"):
        return groq
    choices = chunk.get("choices")
    if isinstance(choices, list):
        return next((choice for choice in choices if isinstance(choice, dict) and choice.get("error")), None)
    if any(chunk.get(key) for key in _FAILURE_KEYS) or (chunk.get("message") and chunk.get("code")):
        return chunk
    return None


def remote_error(error: dict[str, Any], manifest: Manifest) -> RemoteError:
    """The exception for an error in a response with status 200. A status inside the error counts as the HTTP status."""
    details = parse_error(None, error)
    status = status_in(error)
    words = ERROR_WORDS if status else WORDS_WITHOUT_STATUS
    return error_in_response(error, details, words, manifest, status)
