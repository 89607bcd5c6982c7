"""Errors in responses: the rules that all dialects share."""

from __future__ import annotations

import json

from ..errors import MAX_BODY_CHARACTERS

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

    from ..errors import ErrorDetails, RemoteError
    from ..registry.manifest import Manifest


def error_in_response(
    body: Any, details: ErrorDetails, words: Mapping[str, str], manifest: Manifest, status: int | None = None
) -> RemoteError:
    """The exception for an error inside a response with status 200, or inside one chunk of a stream.

    `body` is the JSON that contains the error, `words` the dialect's error words, `status` the one in the error, if any.
    """
    return manifest.error(status, details, words, body=json.dumps(body, ensure_ascii=False)[:MAX_BODY_CHARACTERS])


def text_message(body: Any) -> str:
    """The message of an error body that is no JSON object: its text, but not an HTML page, which a proxy sends."""
    text = body.strip() if isinstance(body, str) else ""
    return "" if text.startswith("<") else text
