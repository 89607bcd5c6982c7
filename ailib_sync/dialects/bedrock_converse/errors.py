"""Errors of Bedrock's Converse API: the body of an error response, and the error frame of a stream."""

from __future__ import annotations

from ...errors import ErrorDetails

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any


def _both_spellings(**words: str) -> dict[str, str]:
    """A refusal's type begins with a capital in a header and a small letter in a stream."""
    return {spelling: name for word, name in words.items() for spelling in (word, word[0].lower() + word[1:])}


ERROR_WORDS: Mapping[str, str] = _both_spellings(
    ValidationException="invalid_request",
    AccessDeniedException="permission_denied",
    UnrecognizedClientException="authentication",
    InvalidSignatureException="authentication",
    IncompleteSignatureException="authentication",
    MissingAuthenticationTokenException="authentication",
    InvalidClientTokenId="authentication",
    ExpiredTokenException="authentication",
    ResourceNotFoundException="not_found",
    ThrottlingException="rate_limited",
    TooManyRequestsException="rate_limited",
    ServiceQuotaExceededException="quota_exhausted",
    ModelNotReadyException="overloaded",
    ServiceUnavailableException="overloaded",
    ModelTimeoutException="timeout",
    ModelErrorException="server_error",
    ModelStreamErrorException="server_error",
    InternalServerException="server_error",
)


def parse_error(status: int | None, body: Any) -> ErrorDetails:
    """`{"message": …}`; the type stands in a header (see answer.refusal), in a stream beside the message. A gateway in front
    may put both inside an `error`."""
    if not isinstance(body, dict):
        return ErrorDetails(str(body).strip())
    if isinstance(body.get("error"), dict):
        body = body["error"]
    message = body.get("message") or body.get("Message") or body.get("originalMessage") or ""
    kind = body.get("type") or body.get("__type")
    return ErrorDetails(str(message), str(kind).rpartition("#")[2] if kind else None)
