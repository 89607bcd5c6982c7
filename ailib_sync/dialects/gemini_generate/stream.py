"""Gemini's stream → events. Each chunk is a GenerateContentResponse.

https://ai.google.dev/api/generate-content#v1beta.GenerateContentResponse. The format has no end mark: a response is complete
after a `finishReason`, or after the `blockReason` of a blocked prompt.
"""

from __future__ import annotations

import json

from ..._signals import reraise_from_signal
from ...framing.json import complete_json
from ...types.events import ContentDelta, Metadata, PartialToolCall, StreamEnd, ThinkingDelta, ToolCallEnded, ToolCallStarted
from ...types.json_values import child, children, text_or_none
from ...types.messages import Opaque
from ...types.tools import ToolCall
from ..dialect import wrong_shape
from ..snapshots import merged
from ..stream import UntilFinished
from .errors import raise_if_error
from .messages import generated_id
from .reasoning import parse_thought
from .usage import parse_usage

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from typing import Any

    from ...framing.json import Frame
    from ...registry.manifest import Manifest
    from ...types.events import StreamingEvent

#: https://ai.google.dev/api/generate-content#FinishReason. A word that is not here is passed on unchanged.
FINISH_REASONS = {
    "STOP": "end_turn",
    "MAX_TOKENS": "max_tokens",
    "CONTINUATION": "max_tokens",
    "SAFETY": "content_filter",
    "RECITATION": "content_filter",
    "LANGUAGE": "content_filter",
    "BLOCKLIST": "content_filter",
    "PROHIBITED_CONTENT": "content_filter",
    "SPII": "content_filter",
    "MODEL_ARMOR": "content_filter",
    "IMAGE_SAFETY": "content_filter",
    "IMAGE_PROHIBITED_CONTENT": "content_filter",
    "IMAGE_RECITATION": "content_filter",
    "MALFORMED_FUNCTION_CALL": "error",
    "MALFORMED_RESPONSE": "error",
    "UNEXPECTED_TOOL_CALL": "error",
    "TOO_MANY_TOOL_CALLS": "error",
    "MISSING_THOUGHT_SIGNATURE": "error",
    "IMAGE_OTHER": "error",
    "NO_IMAGE": "error",
}

#: The keys of a candidate that are read. Others (grounding, citations, safety ratings, log probabilities) are kept in
#: `Message.extra`.
_KEYS_OF_CANDIDATE = frozenset(("content", "finishReason", "index"))
#: The keys of the candidate and of the part in a chunk that has one fragment of text only.
_KEYS_OF_FRAGMENT = frozenset(("content", "index"))
_KEYS_OF_TEXT_PART = frozenset(("text", "thought"))
#: The keys that any part may have.
_KEYS_OF_EVERY_PART = frozenset(("thought", "thoughtSignature"))


def parse_stream(frames: Iterable[Frame], manifest: Manifest) -> Iterator[StreamingEvent]:
    """The events of a stream."""
    reader = StreamReader(manifest)
    with UntilFinished(reader, manifest, "a finishReason"):
        for _, chunk in frames:
            if chunk is None:
                break
            yield from reader.read_fragment(chunk) or reader.read(chunk)
    yield reader.end()


def delta_of(chunk: Any, manifest: Manifest) -> tuple[str, bool] | None:
    """The text of a chunk from which nothing else is read, and whether it is a thought (see dialect.Streaming)."""
    return _fragment(chunk) if isinstance(chunk, dict) and "usageMetadata" not in chunk else None


def _fragment(chunk: Any) -> tuple[str, bool] | None:
    """The text of a chunk from which nothing else is read except perhaps its usage, and whether it is a thought."""
    try:
        (candidate,) = chunk["candidates"]
        (part,) = candidate["content"]["parts"]
        text, thought = part["text"], part.get("thought", False)
        has_more = (
            not candidate.keys() <= _KEYS_OF_FRAGMENT
            or not part.keys() <= _KEYS_OF_TEXT_PART
            or "error" in chunk
            or "promptFeedback" in chunk
        )
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        reraise_from_signal(error)
        return None
    if has_more or candidate.get("index", 0) != 0 or not isinstance(text, str) or not isinstance(thought, bool):
        return None
    return text, thought


def is_end_mark(event: str, data: str) -> bool:
    """Whether an unfinished last block is a complete chunk with a finish reason."""
    return '"finishReason"' in data and complete_json(data) is not None


class StreamReader:
    """Reads chunks in order: `read` returns the events of one, `end` the last event of the response."""

    __slots__ = (
        "_block_reason", "_calls", "_finish_reason", "_id", "_manifest", "_model", "_refusal", "_text_is_signed",
        "_thought_is_signed", "_usage", "begun",
    )  # fmt: skip

    def __init__(self, manifest: Manifest) -> None:
        self._manifest = manifest
        self._calls = 0
        self._id: str | None = None
        self._model: str | None = None
        self._finish_reason: str | None = None
        self._block_reason: str | None = None
        self._refusal: str | None = None
        self._usage: dict[str, Any] = {}
        self._text_is_signed = False
        self._thought_is_signed = False
        self.begun = False

    @property
    def finished(self) -> bool:
        return self._finish_reason is not None or self._block_reason is not None

    def read_fragment(self, chunk: Any) -> tuple[StreamingEvent, ...] | None:
        """The events of a chunk that has one fragment of text or thinking, and perhaps usage, as most have. None for others."""
        text, thought = _fragment(chunk) or ("", False)
        if not text or not (self._id and self._model) or (self._thought_is_signed if thought else self._text_is_signed):
            return None
        event: StreamingEvent = ThinkingDelta(text) if thought else ContentDelta(text)
        usage = chunk.get("usageMetadata")
        if usage and not isinstance(usage, dict):
            return None
        return (Metadata(parse_usage(self._merge(usage))), event) if usage else (event,)

    def _merge(self, usage: dict[str, Any]) -> dict[str, Any]:
        """The counts so far. A chunk may lack the cached and the thought tokens of an earlier one."""
        if self._usage and not usage.keys() >= self._usage.keys():
            usage = merged(self._usage, usage)
        self._usage = usage
        return usage

    def read(self, chunk: Any) -> Iterator[StreamingEvent]:
        if not isinstance(chunk, dict):
            raise wrong_shape(self._manifest, "a chunk is not an object", chunk)
        raise_if_error(chunk, self._manifest)
        self.begun = self.begun or any(key in chunk for key in ("candidates", "promptFeedback", "usageMetadata"))
        # Further candidates (generationConfig.candidateCount) are only in `raw`.
        candidates = children(chunk, "candidates")
        candidate: dict[str, Any] = next((item for item in candidates if item.get("index", 0) == 0), {})
        extra = {key: value for key, value in candidate.items() if key not in _KEYS_OF_CANDIDATE}
        feedback = child(chunk, "promptFeedback")
        if feedback.get("blockReason"):
            self._block_reason = str(feedback["blockReason"])
            self._refusal = text_or_none(feedback.get("blockReasonMessage"))
            extra["promptFeedback"] = feedback
        yield from self._read_metadata(chunk, extra)
        for part in children(child(candidate, "content"), "parts"):
            yield from self._read_part(part)
        if candidate.get("finishReason"):
            self._finish_reason = str(candidate["finishReason"])

    def end(self) -> StreamEnd:
        """The last event. `STOP` is also the reason after function calls."""
        if self._finish_reason is None and self._block_reason is not None:
            return StreamEnd("content_filter", self._block_reason, refusal=self._refusal)
        reason = self._manifest.finish_reason(self._finish_reason, FINISH_REASONS)
        return StreamEnd("tool_use" if reason == "end_turn" and self._calls else reason, self._finish_reason)

    def _read_metadata(self, chunk: dict[str, Any], extra: dict[str, Any]) -> Iterator[Metadata]:
        """What is new in this chunk. Every chunk repeats the id and the model; the first ones are used."""
        usage = chunk.get("usageMetadata")
        counted = parse_usage(self._merge(usage)) if isinstance(usage, dict) else None
        event = Metadata(counted, message_extra=extra or None)
        id, model = text_or_none(chunk.get("responseId")), text_or_none(chunk.get("modelVersion"))
        if id and not self._id:
            self._id = event.id = id
        if model and not self._model:
            self._model = event.model = model
        if usage or extra or event.id or event.model:
            yield event

    def _read_part(self, part: dict[str, Any]) -> Iterator[StreamingEvent]:
        signature, text = text_or_none(part.get("thoughtSignature")), text_or_none(part.get("text"))
        if isinstance(part.get("functionCall"), dict):
            yield from self._read_call(part["functionCall"], part)
        elif (thought := parse_thought(part, starts=self._thought_is_signed)) is not None:
            # A signature is valid for its own part, so a signed part is never joined with the next one.
            # https://ai.google.dev/gemini-api/docs/thought-signatures
            yield thought
            self._thought_is_signed = thought.signature is not None
        elif text is not None or not part.keys() - _KEYS_OF_EVERY_PART:
            # The last chunk of a stream may have only the signature of the text before it.
            if text or signature:
                extra = {"thoughtSignature": signature} if signature else None
                yield ContentDelta(text or "", extra, starts=self._text_is_signed)
                self._text_is_signed = signature is not None
        else:
            yield Metadata(block=Opaque(part))

    def _read_call(self, call: dict[str, Any], part: dict[str, Any]) -> Iterator[StreamingEvent]:
        """A function call is always complete. It often has no id."""
        index, self._calls = self._calls, self._calls + 1
        name, arguments = str(call.get("name") or ""), call.get("args")
        call_id = str(call.get("id") or generated_id(self._id, index))
        is_object = isinstance(arguments, dict) or arguments is None
        raw = json.dumps(arguments or {}, ensure_ascii=False)
        yield ToolCallStarted(index, call_id, name)
        yield PartialToolCall(index, raw)
        made = ToolCall(call_id, name, (arguments or {}) if is_object else None, None if is_object else raw)
        made.signature = text_or_none(part.get("thoughtSignature"))
        made.extra = {key: value for key, value in part.items() if key not in _KEYS_OF_EVERY_PART and key != "functionCall"}
        yield ToolCallEnded(index, made)
