"""Gemini's stream → events. Each chunk is a GenerateContentResponse.

There is no end mark: a stream is complete when a `finishReason` (or the `blockReason` of a refused prompt) has been seen.
"""

from __future__ import annotations

import json

from ...errors import Cancelled, StreamInterrupted, TransportError
from ...framing.json import whole_json
from ...types.events import ContentDelta, Metadata, PartialToolCall, StreamEnd, ThinkingDelta, ToolCallEnded, ToolCallStarted
from ...types.json_values import child, children, text_or_none
from ...types.messages import Opaque
from ...types.tools import ToolCall
from ..dialect import wrong_shape
from .errors import ERROR_WORDS, parse_error
from .messages import own_id
from .usage import parse_usage

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from typing import Any

    from ...framing.json import Frame
    from ...registry.manifest import Manifest
    from ...types.events import StreamingEvent


#: https://ai.google.dev/api/generate-content#FinishReason; a word that is absent here is given as it is.
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
}

#: What of a candidate is read; the rest (grounding, citations, safety ratings, log probabilities) is kept in `Message.extra`.
_READ = frozenset(("content", "finishReason", "index"))

_PLACE = frozenset(("content", "index"))

_TEXT = frozenset(("text", "thought"))

_FLAGS = frozenset(("thought", "thoughtSignature"))


def parse_stream(frames: Iterable[Frame], manifest: Manifest) -> Iterator[StreamingEvent]:
    answer = StreamReader(manifest)
    try:
        for _, chunk in frames:
            if chunk is None:
                break
            yield from answer.piece(chunk) or answer.events(chunk)
    except Cancelled:
        raise
    except TransportError:
        if not answer.complete:
            raise
    if not answer.complete:
        raise StreamInterrupted("the stream ended without a finishReason", provider=manifest.id)
    yield answer.end()


def delta_of(chunk: Any, manifest: Manifest) -> tuple[str, bool] | None:
    """The text of a chunk that holds nothing else which is read, and whether it is a thought."""
    return _lone_text(chunk) if isinstance(chunk, dict) and "usageMetadata" not in chunk else None


def _lone_text(chunk: Any) -> tuple[str, bool] | None:
    """The text of a chunk that holds nothing else which is read, but perhaps a count of tokens, and whether it is a thought."""
    try:
        (candidate,) = chunk["candidates"]
        (part,) = candidate["content"]["parts"]
        text, thought = part["text"], part.get("thought", False)
        odd = not candidate.keys() <= _PLACE or not part.keys() <= _TEXT or "error" in chunk or "promptFeedback" in chunk
    except (KeyError, TypeError, ValueError, AttributeError):
        return None
    if odd or candidate.get("index", 0) != 0 or not isinstance(text, str) or not isinstance(thought, bool):
        return None
    return text, thought


def is_end_mark(event: str, data: str) -> bool:
    """Whether an unfinished last block is a whole chunk with the finish reason in it."""
    return '"finishReason"' in data and whole_json(data) is not None


class StreamReader:
    """What has been learnt of one answer. `begun`: it has the format's shape; `complete`: its end has been seen."""

    __slots__ = (
        "_block_reason",
        "_calls",
        "_finish",
        "_id",
        "_manifest",
        "_model",
        "_refusal",
        "_signed_text",
        "_signed_thought",
        "begun",
    )

    def __init__(self, manifest: Manifest) -> None:
        self._manifest = manifest
        self._calls = 0
        self._id: str | None = None
        self._model: str | None = None
        self._finish: str | None = None
        self._block_reason: str | None = None
        self._refusal: str | None = None
        self._signed_text = False
        self._signed_thought = False
        self.begun = False

    @property
    def complete(self) -> bool:
        return self._finish is not None or self._block_reason is not None

    def piece(self, chunk: Any) -> tuple[StreamingEvent, ...] | None:
        """The events of a chunk that is a piece of text, or of a thought, and perhaps a count of tokens, as nearly all are.
        None of any other."""
        text, thought = _lone_text(chunk) or ("", False)
        if not text or not (self._id and self._model) or (self._signed_thought if thought else self._signed_text):
            return None
        event: StreamingEvent = ThinkingDelta(text) if thought else ContentDelta(text)
        usage = chunk.get("usageMetadata")
        if usage and not isinstance(usage, dict):
            return None
        return (Metadata(parse_usage(usage)), event) if usage else (event,)

    def events(self, chunk: Any) -> Iterator[StreamingEvent]:
        if not isinstance(chunk, dict):
            raise wrong_shape(self._manifest, "a chunk is not an object", chunk)
        if "error" in chunk:
            raise self._manifest.error(None, parse_error(None, chunk), ERROR_WORDS, body=json.dumps(chunk))
        self.begun = self.begun or any(key in chunk for key in ("candidates", "promptFeedback", "usageMetadata"))
        # Other candidates (generationConfig.candidateCount) stay in `raw`.
        candidates = children(chunk, "candidates")
        candidate: dict[str, Any] = next((item for item in candidates if item.get("index", 0) == 0), {})
        extra = {key: value for key, value in candidate.items() if key not in _READ}
        feedback = child(chunk, "promptFeedback")
        if feedback.get("blockReason"):
            self._block_reason = str(feedback["blockReason"])
            self._refusal = text_or_none(feedback.get("blockReasonMessage"))
            extra["promptFeedback"] = feedback
        yield from self._metadata(chunk, extra)
        for part in children(child(candidate, "content"), "parts"):
            yield from self._part(part)
        if candidate.get("finishReason"):
            self._finish = str(candidate["finishReason"])

    def end(self) -> StreamEnd:
        """The last event. `STOP` is said of function calls too."""
        if self._finish is None and self._block_reason is not None:
            return StreamEnd("content_filter", self._block_reason, refusal=self._refusal)
        reason = self._manifest.finish_reason(self._finish, FINISH_REASONS)
        return StreamEnd("tool_use" if reason == "end_turn" and self._calls else reason, self._finish)

    def _metadata(self, chunk: dict[str, Any], extra: dict[str, Any]) -> Iterator[Metadata]:
        """What is new in this chunk; every chunk repeats the id and the model, the first of which stand."""
        usage = chunk.get("usageMetadata")
        event = Metadata(parse_usage(usage) if isinstance(usage, dict) else None, message_extra=extra or None)
        name, model = text_or_none(chunk.get("responseId")), text_or_none(chunk.get("modelVersion"))
        if name and not self._id:
            self._id = event.id = name
        if model and not self._model:
            self._model = event.model = model
        if usage or extra or event.id or event.model:
            yield event

    def _part(self, part: dict[str, Any]) -> Iterator[StreamingEvent]:
        signature, text = text_or_none(part.get("thoughtSignature")), text_or_none(part.get("text"))
        if isinstance(part.get("functionCall"), dict):
            yield from self._call(part["functionCall"], part)
        elif text is not None and part.get("thought"):
            # Each signature belongs to its own part, so nothing is added to a signed one.
            yield ThinkingDelta(text, signature, starts=self._signed_thought)
            self._signed_thought = signature is not None
        elif text is not None or not part.keys() - _FLAGS:
            # A stream's last chunk may bring nothing but the signature of the text before it.
            if text or signature:
                extra = {"thoughtSignature": signature} if signature else None
                yield ContentDelta(text or "", extra, starts=self._signed_text)
                self._signed_text = signature is not None
        else:
            yield Metadata(block=Opaque(part))

    def _call(self, call: dict[str, Any], part: dict[str, Any]) -> Iterator[StreamingEvent]:
        """Function calls come whole. Their ids are often absent."""
        index, self._calls = self._calls, self._calls + 1
        name, arguments = str(call.get("name") or ""), call.get("args")
        call_id = str(call.get("id") or own_id(self._id, index))
        known = isinstance(arguments, dict) or arguments is None
        raw = json.dumps(arguments or {}, ensure_ascii=False)
        yield ToolCallStarted(index, call_id, name)
        yield PartialToolCall(index, raw)
        made = ToolCall(call_id, name, (arguments or {}) if known else None, None if known else raw)
        made.signature = text_or_none(part.get("thoughtSignature"))
        made.extra = {key: value for key, value in part.items() if key not in _FLAGS and key != "functionCall"}
        yield ToolCallEnded(index, made)
