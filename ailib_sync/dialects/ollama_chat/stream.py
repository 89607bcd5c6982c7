"""Ollama's stream, one JSON object a line → events."""

from __future__ import annotations

import json

from ...errors import StreamInterrupted
from ...types.events import ContentDelta, Metadata, PartialToolCall, StreamEnd, ThinkingDelta, ToolCallEnded, ToolCallStarted
from ...types.json_values import word
from ..dialect import wrong_shape
from .errors import raise_if_error
from .response import finish_reason_of, parse_calls, texts_of
from .usage import parse_usage

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from ...framing.json import Frame
    from ...registry.manifest import Manifest
    from ...types.events import StreamingEvent


def parse_stream(frames: Iterable[Frame], manifest: Manifest) -> Iterator[StreamingEvent]:
    model = None
    calls = 0
    for _, line in frames:
        raise_if_error(line, manifest)
        if not isinstance(line, dict):
            raise wrong_shape(manifest, "a line that is no object", line)
        if model is None and (model := word(line.get("model"))):
            yield Metadata(model=model)
        thoughts, content = texts_of(line, manifest)
        if thoughts:
            yield ThinkingDelta(thoughts)
        if content:
            yield ContentDelta(content)
        for index, call in enumerate(parse_calls(line, manifest, calls), calls):
            yield ToolCallStarted(index, call.id, call.name)
            yield PartialToolCall(index, json.dumps(call.arguments))  # calls arrive whole
            yield ToolCallEnded(index, call)
            calls = index + 1
        if line.get("done"):
            yield Metadata(usage=parse_usage(line))
            yield StreamEnd(finish_reason_of(line, calls > 0, manifest), word(line.get("done_reason")))
            return
    raise StreamInterrupted('the stream ended without "done": true', provider=manifest.id)
