"""Errors of Bedrock's Converse API: the body of an error response, and the error frame of a stream."""

from __future__ import annotations

from ...errors import ErrorDetails
from ...types.json_values import text_of, word
from ..errors import SHARED_WORDS, error_in_response, message_in, text_message

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

    from ...errors import RemoteError
    from ...registry.manifest import Manifest


def _both_spellings(**words: str) -> dict[str, str]:
    """The type of an error begins with a capital letter in a header, with a small letter in a stream."""
    return {spelling: name for word, name in words.items() for spelling in (word, word[0].lower() + word[1:])}


ERROR_WORDS: Mapping[str, str] = SHARED_WORDS | _both_spellings(
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
    """`{"message": …}`. The type is in a header (see pipeline.decode.error_response), or next to the message in a stream. A
    gateway may put both into an `error`, or send the text of a proxy."""
    if isinstance(body, list) and body:
        body = body[0]
    if not isinstance(body, dict):
        return ErrorDetails(text_message(body))
    error = body.get("error", body)
    if not isinstance(error, dict):
        return ErrorDetails(text_message(error))
    message = message_in(error, body) or text_of(error.get("Message")) or text_of(error.get("originalMessage"))
    kind = word(error.get("type") or error.get("__type"))
    return ErrorDetails(message, kind.rpartition("#")[2] if kind else None)


def stream_error(error: dict[str, Any], manifest: Manifest) -> RemoteError:
    """The exception for an error frame of a stream."""
    return error_in_response(error, parse_error(None, error), ERROR_WORDS, manifest)
