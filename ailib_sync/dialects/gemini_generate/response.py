"""A complete GenerateContentResponse → `ChatResponse`.

It is read as a stream of one chunk, so that both give the same message.
"""

from __future__ import annotations

from ..accumulator import accumulate
from ..dialect import wrong_shape
from .messages import NAME
from .stream import StreamReader

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from ...registry.manifest import Manifest
    from ...types.response import ChatResponse


def parse_body(body: Any, manifest: Manifest) -> ChatResponse:
    """A whole answer: one GenerateContentResponse, or the list of them that a stream without `alt=sse` is."""
    reader = StreamReader(manifest)
    events = [event for chunk in (body if isinstance(body, list) else [body]) for event in reader.events(chunk)]
    if not reader.begun:
        raise wrong_shape(manifest, "it has neither candidates nor promptFeedback", body)
    response = accumulate([*events, reader.end()], NAME)
    response.raw = body if isinstance(body, dict) else None
    return response
