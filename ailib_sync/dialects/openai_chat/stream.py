"""A stream of Chat Completions → events.

A complete response is read as a stream of one chunk (see response.py), so that both give the same message. What hosts do
differently, and the bytes show, is a tolerance (registry.quirks.TOLERANCES).
"""

from __future__ import annotations

import json

from ..._signals import reraise_from_signal
from ...types.events import ContentDelta, Metadata, PartialToolCall, StreamEnd, ThinkingDelta
from ...types.json_values import objects
from ...types.messages import Opaque
from ..dialect import wrong_shape
from ..snapshots import merged
from ..stream import UntilFinished
from .errors import find_error, remote_error
from .kept_fields import KEPT_OF_CHUNK, KEPT_OF_MESSAGE, KeptFields
from .reasoning import THINKING_KEYS, parse_thinking_part, text_of_details
from .think_tags import ThinkTags
from .tool_calls import ToolCalls, argument_fragment, calls_are_objects
from .usage import parse_usage

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping
    from typing import Any

    from ...errors import RemoteError
    from ...framing.json import Frame
    from ...registry.manifest import Manifest
    from ...types.events import StreamingEvent

#: https://platform.openai.com/docs/api-reference/chat/object, and the words of other hosts.
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
    "tool_call": "tool_use",
    "error": "error",
    "abort": "error",
    "network_error": "error",
    "insufficient_system_resource": "error",
}


def parse_stream(frames: Iterable[Frame], manifest: Manifest) -> Iterator[StreamingEvent]:
    """The events of a stream."""
    reader = StreamReader(manifest)
    fast = False
    with UntilFinished(reader, manifest, "[DONE] and without a finish reason"):  # tolerance done_or_finish_reason
        for event, chunk in frames:
            if fast:
                # The hot loop: a chunk that has one fragment and nothing else. `reader.read` reads every other chunk.
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
                            fragment: StreamingEvent | None = ContentDelta(text)
                        else:
                            fragment = reader.read_fragment(delta)
                        if fragment is not None:
                            usage = chunk.get("usage")
                            if usage and (counted := reader.read_usage(usage)):
                                yield counted
                            yield fragment
                            continue
                except (KeyError, IndexError, TypeError, AttributeError, ValueError) as error:
                    reraise_from_signal(error)
            if chunk is None:
                reader.done = True
                break
            yield from reader.read(chunk, event)
            if reader.error is not None:
                raise reader.error
            fast = reader.fast
    yield from reader.end()


def _message_of(choice: dict[str, Any]) -> Any:
    """The message of a complete choice. Hosts with tools of their own send all the messages of their loop (Mistral), and some
    the text alone, as in the old Completions."""
    message = choice.get("message")
    if message is None and isinstance(choice.get("messages"), list):
        message = next((one for one in reversed(objects(choice["messages"])) if one.get("role") == "assistant"), None)
    if message is None and isinstance(choice.get("text"), str):
        return {"content": choice["text"]}
    return message


#: What is read of a chunk, of its choice and of a message, apart from the text.
_READ_OF_CHUNK = frozenset(("usage", "x_groq", *KEPT_OF_CHUNK))
_READ_OF_CHOICE = frozenset(("finish_reason", "index", "usage"))
_READ_OF_MESSAGE = frozenset((
    *THINKING_KEYS, "content", "reasoning_details", "refusal", "tool_calls", "function_call", *KEPT_OF_MESSAGE,
))  # fmt: skip


def delta_of(chunk: Any, manifest: Manifest) -> tuple[str, object] | None:
    """The text of a chunk from which nothing else is read, and its kind or its call (see dialect.Streaming)."""
    if manifest.has("think_tags"):
        return None  # the kind of a text depends on the tags before it
    try:
        (choice,) = chunk["choices"]
        delta = choice["delta"]
        (key,) = (key for key in _READ_OF_MESSAGE if delta.get(key))
        has_more = (
            any(chunk.get(key) for key in _READ_OF_CHUNK)
            or any(choice.get(key) for key in _READ_OF_CHOICE)
            or find_error(chunk) is not None
        )
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        reraise_from_signal(error)
        return None
    if has_more:
        return None
    if key == "tool_calls":
        return argument_fragment(delta[key])
    if key not in ("content", *THINKING_KEYS) or not isinstance(delta[key], str):
        return None
    return delta[key], "text" if key == "content" else "thinking"


def is_end_mark(event: str, data: str) -> bool:
    """Whether an unfinished last block is a complete `[DONE]`."""
    return data.strip() == "[DONE]"


class StreamReader:
    """Reads chunks in order: `read` returns the events of one, `end` the last events of the response.

    `error` is the error that a chunk contains, to be raised after the chunk's events. `fast` means that the next chunk may be
    read without `read` if it has one fragment only.
    """

    __slots__ = (
        "_calls", "_kept", "_manifest", "_refusal", "_tags", "_thought", "_usage",
        "begun", "done", "error", "fast", "finish_reason", "id", "model",
    )  # fmt: skip

    def __init__(self, manifest: Manifest) -> None:
        self._manifest = manifest
        self._calls = ToolCalls()
        self._tags = ThinkTags() if manifest.has("think_tags") else None
        self._kept = KeptFields()
        self._refusal: list[str] = []
        self._usage: Any = None
        self._thought = False
        self.id: str | None = None
        self.model: str | None = None
        self.error: RemoteError | None = None
        self.finish_reason: str | None = None
        self.begun = False
        self.done = False
        self.fast = False

    @property
    def finished(self) -> bool:
        return self.done or self.finish_reason is not None

    def read(self, chunk: Any, event: str = "message") -> list[StreamingEvent]:
        if not isinstance(chunk, dict):
            raise wrong_shape(self._manifest, "it is not an object", chunk)
        error = find_error(chunk, event)
        events: list[StreamingEvent] = []
        choice = self._first_choice(chunk)
        self._read_metadata(chunk, choice, events)
        if choice is not None:
            self._read_choice(choice, events)
        if error is not None:
            self.error = remote_error(error, self._manifest)
        self.fast = self.begun and (self._tags is None or not self._tags.open)
        return events

    def read_usage(self, usage: Any) -> Metadata | None:
        """The event of a `usage` object; None if it equals the one before."""
        if not usage or not isinstance(usage, dict) or usage == self._usage:
            return None
        self._usage = usage = merged(self._usage, usage) if self._usage else usage
        return Metadata(parse_usage(usage, self._manifest))

    def read_fragment(self, delta: dict[str, Any]) -> ContentDelta | ThinkingDelta | PartialToolCall | None:
        """The event of a delta that has one fragment of text, thinking or arguments. None, or ValueError, for any other."""
        (key,) = (key for key, value in delta.items() if value and key != "role")
        value = delta[key]
        if key == "tool_calls":
            return self._calls.read_fragment(value)
        if not isinstance(value, str):
            return None
        if key == "content":
            return ContentDelta(value)
        if key in THINKING_KEYS:
            self._thought = True
            return ThinkingDelta(value)
        return None

    def _first_choice(self, chunk: dict[str, Any]) -> dict[str, Any] | None:
        """The choice with index 0. Further choices (the option `n`) are only in `raw`. Tolerance empty_choices."""
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
        # Tolerance first_id_wins.
        new_id = str(id) if id and not self.id else None
        new_model = str(model) if model and not self.model else None
        # Tolerance usage_elsewhere.
        usage = chunk.get("usage") or (choice and choice.get("usage"))
        if not usage and isinstance(chunk.get("x_groq"), dict):
            usage = chunk["x_groq"].get("usage")
        counted = self.read_usage(usage)
        if new_id or new_model or counted:
            self.id, self.model = new_id or self.id, new_model or self.model
            metadata = counted or Metadata()
            metadata.id, metadata.model = new_id, new_model
            events.append(metadata)
        for key in KEPT_OF_CHUNK:
            if chunk.get(key):
                self._kept.replace(key, chunk[key])

    def _read_choice(self, choice: dict[str, Any], events: list[StreamingEvent]) -> None:
        delta = choice.get("delta")
        if delta is None and not self.begun:
            delta = _message_of(choice)
        if delta is not None:
            if not isinstance(delta, dict):
                raise wrong_shape(self._manifest, "a message is not an object", choice)
            self._read_delta(delta, events)
        if choice.get("finish_reason"):  # tolerance finish_reason_empty
            self.finish_reason = str(choice["finish_reason"])
        # Tolerance message_missing: a response that a filter blocked, or the last chunk of a stream.
        blocked = self._manifest.finish_reason(self.finish_reason, FINISH_REASONS) == "content_filter"
        self.begun = self.begun or delta is not None or blocked

    def _read_delta(self, delta: dict[str, Any], events: list[StreamingEvent]) -> None:
        # Tolerance reasoning_in_four_places.
        thinking = next(filter(None, map(delta.get, THINKING_KEYS)), None)
        if isinstance(thinking, str):
            self._thought = True
            events.append(ThinkingDelta(thinking))
        elif delta.get("reasoning_details") and not self._thought:
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
                self._kept.add(key, delta[key])

    def _read_content(self, content: Any, events: list[StreamingEvent]) -> None:
        if isinstance(content, list):  # tolerance content_parts
            for part in content:
                self._read_part(part, events)
        elif not isinstance(content, str):  # tolerance content_object
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
            events.append(parse_thinking_part(part))
        elif kind == "refusal":
            self._refusal.append(str(part.get("refusal") or ""))
        else:
            events.append(Metadata(block=Opaque(part)))

    def end(self) -> list[StreamingEvent]:
        """The last events of a complete response."""
        raw = self.finish_reason
        events = self._tags.end() if self._tags else []
        reason = self._manifest.finish_reason(raw, FINISH_REASONS)
        events += self._calls.end(truncated=reason == "max_tokens", response_id=self.id)
        if self._kept:
            events.append(Metadata(message_extra=self._kept.values()))
        refusal = "".join(self._refusal) or None
        # Tolerance stop_after_tool_calls.
        if reason == "end_turn" and (self._calls or refusal):
            reason = "tool_use" if self._calls else "content_filter"
        events.append(StreamEnd(reason, raw, refusal=refusal))
        return events
