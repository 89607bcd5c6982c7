"""Ollama's errors: error bodies, and errors inside responses with status 200.

https://docs.ollama.com/api/errors
"""

from __future__ import annotations

from ...errors import ErrorDetails
from ...types.json_values import word
from ..errors import SHARED_WORDS, error_in_response, message_in, status_in, text_message

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

    from ...registry.manifest import Manifest

#: The format has no error words of its own.
ERROR_WORDS: Mapping[str, str] = SHARED_WORDS


def parse_error(status: int | None, body: Any) -> ErrorDetails:
    """`{"error": "…"}`, or an object in place of the text, from a gateway."""
    error = body.get("error", body) if isinstance(body, dict) else body
    if isinstance(error, dict):
        return ErrorDetails(message_in(error, {}), word(error.get("type")), word(error.get("code")))
    return ErrorDetails(text_message(error))


def raise_if_error(body: Any, manifest: Manifest) -> None:
    """Raises RemoteError for a response, or a line of a stream, that is an error."""
    if isinstance(body, dict) and body.get("error"):
        raise error_in_response(body, parse_error(None, body), ERROR_WORDS, manifest, status_in(body))
