"""Ollama's stream, one JSON object per line → events.

https://docs.ollama.com/api/streaming
"""

from __future__ import annotations

import json

from ...types.events import ContentDelta, Metadata, PartialToolCall, StreamEnd, ThinkingDelta, ToolCallEnded, ToolCallStarted
from ...types.json_values import word
from ..dialect import wrong_shape
from ..stream import interrupted
from .errors import raise_if_error
from .response import finish_reason_of, parse_calls, parse_texts
from .usage import parse_usage

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from ...framing.json import Frame
    from ...registry.manifest import Manifest
    from ...types.events import StreamingEvent


def parse_stream(frames: Iterable[Frame], manifest: Manifest) -> Iterator[StreamingEvent]:
    """The events of a stream. Its last line has `"done": true` and the finish reason."""
    model = None
    calls = 0
    for _, line in frames:
        raise_if_error(line, manifest)
        if not isinstance(line, dict):
            raise wrong_shape(manifest, "a line is not an object", line)
        if model is None and (model := word(line.get("model"))):
            yield Metadata(model=model)
        thinking, text = parse_texts(line, manifest)
        if thinking:
            yield ThinkingDelta(thinking)
        if text:
            yield ContentDelta(text)
        for index, call in enumerate(parse_calls(line, manifest, calls), calls):
            yield ToolCallStarted(index, call.id, call.name)
            raw = call.arguments_raw
            yield PartialToolCall(index, raw if raw is not None else json.dumps(call.arguments))  # a call is always complete
            yield ToolCallEnded(index, call)
            calls = index + 1
        if line.get("done"):
            yield Metadata(usage=parse_usage(line))
            yield StreamEnd(finish_reason_of(line, calls > 0, manifest), word(line.get("done_reason")))
            return
    raise interrupted('"done": true', manifest)
