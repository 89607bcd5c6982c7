"""A complete response of Gemini → `ChatResponse`. It is read as a stream of one chunk: stream.py."""

from __future__ import annotations

from ..accumulator import accumulate
from ..dialect import wrong_shape
from .stream import StreamReader

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from ...registry.manifest import Manifest
    from ...types.response import ChatResponse


def parse_body(body: Any, manifest: Manifest) -> ChatResponse:
    """One GenerateContentResponse, or a list of them: what a stream without `alt=sse` sends.

    Raises RemoteError if the body contains an error, ProtocolError if it is no response.
    """
    reader = StreamReader(manifest)
    events = [event for chunk in (body if isinstance(body, list) else [body]) for event in reader.read(chunk)]
    if not reader.begun:
        raise wrong_shape(manifest, "it has neither candidates nor promptFeedback", body)
    response = accumulate([*events, reader.end()])
    response.raw = body if isinstance(body, dict) else None
    return response
