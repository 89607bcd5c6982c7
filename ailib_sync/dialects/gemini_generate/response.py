"""A complete GenerateContentResponse → `ChatResponse`.

It is read as a stream of one chunk, so that both give the same message.
"""

from __future__ import annotations

from ..accumulator import Fold
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
    answer, fold = StreamReader(manifest), Fold()
    for chunk in body if isinstance(body, list) else [body]:
        for event in answer.events(chunk):
            fold.add(event)
    if not answer.begun:
        raise wrong_shape(manifest, "it has neither candidates nor promptFeedback", body)
    fold.add(answer.end())
    response = fold.response(NAME)
    response.raw = body if isinstance(body, dict) else None
    return response
