"""Ollama's errors: error bodies, and lines of a stream that are an error."""

from __future__ import annotations

import json

from ...errors import ErrorDetails
from ...types.json_values import word

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from ...registry.manifest import Manifest


def parse_error(status: int | None, body: Any) -> ErrorDetails:
    """`{"error": "…"}`; gateways before it may write an object there."""
    error = body.get("error", body) if isinstance(body, dict) else body
    if isinstance(error, dict):
        return ErrorDetails(str(error.get("message", "")), word(error.get("type")), word(error.get("code")))
    return ErrorDetails(str(error).strip())


def raise_if_error(body: Any, manifest: Manifest) -> None:
    """A refusal in the middle of a stream is a line of its own, with status 200 kept. https://docs.ollama.com/api/errors"""
    if isinstance(body, dict) and body.get("error"):
        raise manifest.error(None, parse_error(None, body), {}, body=json.dumps(body))
