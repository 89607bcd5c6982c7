"""A stream of Chat Completions → events.

`StreamReader` takes chunks in order and knows every deviation of compatible hosts that can be told from the bytes (they are
listed with their reasons in quirks.TOLERANCES).
"""

from __future__ import annotations

import json

from ...errors import Cancelled, StreamInterrupted, TransportError
from ...types.events import ContentDelta, Metadata, PartialToolCall, StreamEnd, ThinkingDelta
from ...types.messages import Opaque
from ..dialect import wrong_shape
from .content_parts import KEPT_OF_CHUNK, KEPT_OF_MESSAGE, keep, text_of_details, thinking_of_part
from .errors import error_in, refusal_in_answer
from .think_tags import ThinkTags
from .tool_calls import ToolCalls, calls_are_objects, piece_of
from .usage import parse_usage

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping
    from typing import Any

    from ...errors import RemoteError
    from ...framing.json import Frame
    from ...registry.manifest import Manifest
    from ...types.events import StreamingEvent

#: Where hosts put the thinking in a message.
THINKING = ("reasoning_content", "reasoning", "reasoning_text")

FINISH_REASONS: Mapping[str, str] = {
    "stop": "end_turn",
    "length": "max_tokens",
    "tool_calls": "tool_use",
    "function_call": "tool_use",
    "content_filter": "content_filter",
    "end": "end_turn",
    "eos": "end_turn",
    "normal": "end_turn",
    "model_length": "max_tokens",
    "model_context_window_exceeded": "max_tokens",
    "time_limit": "max_tokens",
    "sensitive": "content_filter",
    "blacklist": "content_filter",
}


def parse_stream(frames: Iterable[Frame], manifest: Manifest) -> Iterator[StreamingEvent]:
    """The events of a stream. It is complete with `[DONE]` or a finish reason, whichever comes; with `eof` in the
    manifest's `stream_end`, with its last chunk."""
    reader = StreamReader(manifest)
    plain = done = False
    try:
        for event, chunk in frames:
            if plain:
                # The hot loop: a chunk that holds a piece of one thing and nothing else. Whatever is odd is read with care.
                try:
                    choice = chunk["choices"][0]
                    delta = choice["delta"]
                    if (
                        not choice.get("finish_reason")
                        and not choice.get("index")
                        and "usage" not in choice
                        and "error" not in choice
                        and "error" not in chunk
                        and "x_groq" not in chunk
                        and "base_resp" not in chunk
                        and "citations" not in chunk
                        and "search_results" not in chunk
                    ):
                        text = delta.get("content")
                        if text.__class__ is str and text and (len(delta) == 1 or (len(delta) == 2 and "role" in delta)):
                            piece: StreamingEvent | None = ContentDelta(text)
                        else:
                            piece = reader.piece(delta)
                        if piece is not None:
                            usage = chunk.get("usage")
                            if usage and (counted := reader.count(usage)):
                                yield counted
                            yield piece
                            continue
                except (KeyError, IndexError, TypeError, AttributeError, ValueError):
                    pass
            if chunk is None:
                done = True
                break
            yield from reader.read(chunk, event)
            if reader.error is not None:
                raise reader.error
            plain = reader.plain
    except Cancelled:
        raise
    except TransportError:
        if reader.finish_reason is None:
            raise
    yield from reader.end(done)


#: What is read of a chunk, of its choice and of a message beside the text.
_READ_OF_CHUNK = frozenset(("usage", "x_groq", *KEPT_OF_CHUNK))

_READ_OF_CHOICE = frozenset(("finish_reason", "index", "usage"))

_READ_OF_MESSAGE = frozenset((
    *THINKING, "content", "reasoning_details", "refusal", "tool_calls", "function_call", *KEPT_OF_MESSAGE,
))  # fmt: skip


def delta_of(chunk: Any, manifest: Manifest) -> tuple[str, object] | None:
    """The text of a chunk that holds nothing else which is read, and its kind or its call; None too where tags in the text may
    part it."""
    if manifest.has("think_tags"):
        return None
    try:
        (choice,) = chunk["choices"]
        delta = choice["delta"]
        (key,) = (key for key in _READ_OF_MESSAGE if delta.get(key))
        read = (
            any(chunk.get(key) for key in _READ_OF_CHUNK)
            or any(choice.get(key) for key in _READ_OF_CHOICE)
            or error_in(chunk) is not None
        )
    except (KeyError, TypeError, ValueError, AttributeError):
        return None
    if read:
        return None
    if key == "tool_calls":
        return piece_of(delta[key])
    if key not in ("content", *THINKING) or not isinstance(delta[key], str):
        return None
    return delta[key], "text" if key == "content" else "thinking"


class StreamReader:
    """Reads chunks in order: `read` gives the events of one, `end` those that close the answer.

    `error` is the refusal a chunk held, to be raised after that chunk's events; `plain` says that from here on a chunk
    with text alone needs no reading.
    """

    __slots__ = (
        "_calls", "_kept", "_manifest", "_reasoned", "_refusal", "_tags", "_usage",
        "error", "finish_reason", "has_choice", "id", "model", "plain",
    )  # fmt: skip

    def __init__(self, manifest: Manifest) -> None:
        self._manifest = manifest
        self._calls = ToolCalls()
        self._tags = ThinkTags() if manifest.has("think_tags") else None
        self._kept: dict[str, Any] = {}
        self._refusal: list[str] = []
        self._usage: Any = None
        self._reasoned = False
        self.id: str | None = None
        self.model: str | None = None
        self.error: RemoteError | None = None
        self.finish_reason: str | None = None
        self.has_choice = False
        self.plain = False

    def read(self, chunk: Any, event: str = "message") -> list[StreamingEvent]:
        if not isinstance(chunk, dict):
            raise wrong_shape(self._manifest, "it is not an object", chunk)
        error = error_in(chunk, event)
        events: list[StreamingEvent] = []
        choice = self._choice(chunk)
        self._read_metadata(chunk, choice, events)
        if choice is not None:
            self._read_choice(choice, events)
        if error is not None:
            self.error = refusal_in_answer(error, self._manifest)
        self.plain = self.has_choice and (self._tags is None or not self._tags.open)
        return events

    def count(self, usage: Any) -> Metadata | None:
        """The event of a count of tokens, if it is not the one before."""
        if not usage or not isinstance(usage, dict) or usage == self._usage:
            return None
        self._usage = usage
        return Metadata(parse_usage(usage, self._manifest))

    def piece(self, delta: dict[str, Any]) -> ContentDelta | ThinkingDelta | PartialToolCall | None:
        """The event of a delta that is a piece of text, of thinking, or of arguments. None, or ValueError, of any other."""
        (key,) = (key for key, value in delta.items() if value and key != "role")
        value = delta[key]
        if key == "tool_calls":
            return self._calls.grow(value)
        if not isinstance(value, str):
            return None
        if key == "content":
            return ContentDelta(value)
        if key in THINKING:
            self._reasoned = True
            return ThinkingDelta(value)
        return None

    def _choice(self, chunk: dict[str, Any]) -> dict[str, Any] | None:
        """The first choice; others, which `n` asks for, are left in `raw`."""
        choices = chunk.get("choices")
        if not choices:
            return None
        if not isinstance(choices, list):
            raise wrong_shape(self._manifest, "choices is not a list", chunk)
        for choice in choices:
            if not isinstance(choice, dict):
                raise wrong_shape(self._manifest, "a choice is not an object", chunk)
            if not choice.get("index"):
                return choice
        return None

    def _read_metadata(self, chunk: dict[str, Any], choice: dict[str, Any] | None, events: list[StreamingEvent]) -> None:
        id, model = chunk.get("id"), chunk.get("model")
        # The first id and model stand: a router may give others in its last chunks.
        new_id = str(id) if id and not self.id else None
        new_model = str(model) if model and not self.model else None
        usage = chunk.get("usage") or (choice and choice.get("usage"))
        if not usage and isinstance(chunk.get("x_groq"), dict):
            usage = chunk["x_groq"].get("usage")
        counted = self.count(usage)
        if new_id or new_model or counted:
            self.id, self.model = new_id or self.id, new_model or self.model
            told = counted or Metadata()
            told.id, told.model = new_id, new_model
            events.append(told)
        for key in KEPT_OF_CHUNK:
            if chunk.get(key):
                self._kept[key] = chunk[key]

    def _read_choice(self, choice: dict[str, Any], events: list[StreamingEvent]) -> None:
        delta = choice.get("delta")
        if delta is None and not self.has_choice:
            delta = choice.get("message")
        if delta is not None:
            if not isinstance(delta, dict):
                raise wrong_shape(self._manifest, "a message is not an object", choice)
            self._read_delta(delta, events)
        if choice.get("finish_reason"):  # some hosts send "" in place of null
            self.finish_reason = str(choice["finish_reason"])
        # Azure leaves the message out of an answer that its filter blocked.
        self.has_choice = self.has_choice or delta is not None or self.finish_reason is not None

    def _read_delta(self, delta: dict[str, Any], events: list[StreamingEvent]) -> None:
        thinking = next(filter(None, map(delta.get, THINKING)), None)
        if isinstance(thinking, str):
            self._reasoned = True
            events.append(ThinkingDelta(thinking))
        elif delta.get("reasoning_details") and not self._reasoned:
            thinking = text_of_details(delta["reasoning_details"])
            if thinking:
                events.append(ThinkingDelta(thinking))
        content = delta.get("content")
        if content:
            self._read_content(content, events)
        if delta.get("refusal"):
            self._refusal.append(str(delta["refusal"]))
        if not calls_are_objects(delta):
            raise wrong_shape(self._manifest, "a tool call is not an object", delta)
        events += self._calls.read(delta, self.id)
        for key in KEPT_OF_MESSAGE:
            if delta.get(key):
                keep(self._kept, key, delta[key])

    def _read_content(self, content: Any, events: list[StreamingEvent]) -> None:
        if isinstance(content, list):
            for part in content:
                self._read_part(part, events)
        elif not isinstance(content, str):
            events.append(ContentDelta(json.dumps(content, ensure_ascii=False)))
        elif self._tags is None:
            events.append(ContentDelta(content))
        else:
            events += self._tags.split(content)

    def _read_part(self, part: Any, events: list[StreamingEvent]) -> None:
        if isinstance(part, str):
            self._read_content(part, events)
            return
        if not isinstance(part, dict):
            raise wrong_shape(self._manifest, "a content part is not an object", part)
        kind = part.get("type")
        if kind in ("text", "output_text"):
            if part.get("text"):
                self._read_content(str(part["text"]), events)
        elif kind in ("thinking", "reasoning"):
            events.append(thinking_of_part(part))
        elif kind == "refusal":
            self._refusal.append(str(part.get("refusal") or ""))
        else:
            events.append(Metadata(block=Opaque(part)))

    def end(self, done: bool) -> list[StreamingEvent]:
        """The closing events. Raises StreamInterrupted where the answer is not complete."""
        manifest, raw = self._manifest, self.finish_reason
        if not done and raw is None and not ("eof" in manifest.stream_end and self.has_choice):
            raise StreamInterrupted("the stream ended without [DONE] and without a finish reason", provider=manifest.id)
        events = self._tags.end() if self._tags else []
        reason = manifest.finish_reason(raw, FINISH_REASONS)
        events += self._calls.end(cut=reason == "max_tokens", id=self.id)
        if self._kept:
            events.append(Metadata(message_extra=self._kept))
        refusal = "".join(self._refusal) or None
        # Several hosts say `stop` after tool calls (https://docs.x.ai/docs/guides/function-calling).
        if reason == "end_turn" and (self._calls or refusal):
            reason = "tool_use" if self._calls else "content_filter"
        events.append(StreamEnd(reason, raw, refusal=refusal))
        return events
