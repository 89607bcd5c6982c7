"""A complete response of Chat Completions → `ChatResponse`. It is read as a stream of one chunk: stream.py."""

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
    """Raises RemoteError if the body contains an error, ProtocolError if it is no response."""
    reader = StreamReader(manifest)
    events = reader.read(body)
    if reader.error is not None:
        raise reader.error
    if not reader.begun:
        raise wrong_shape(manifest, "it has no choice with a message", body)
    response = accumulate([*events, *reader.end()])
    response.raw = body
    return response
