"""What an answer and an error promise whatever arrived: types, one end, text that can be shown. For properties and fuzzing."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import suppress
from typing import Any

from ailib_sync.dialects.accumulator import Accumulator
from ailib_sync.dialects.dialect import find
from ailib_sync.errors import AiLibError, RemoteError
from ailib_sync.pipeline.endpoint import encoded
from ailib_sync.registry.manifest import Manifest, builtin_manifests
from ailib_sync.registry.quirks import QUIRKS
from ailib_sync.types.events import (
    ContentDelta,
    Metadata,
    PartialToolCall,
    StreamEnd,
    StreamingEvent,
    ThinkingDelta,
    ToolCallEnded,
    ToolCallStarted,
)
from ailib_sync.types.messages import Message, MessageRole, Opaque, Text, Thinking
from ailib_sync.types.request import ChatRequest, Ledger
from ailib_sync.types.response import ChatResponse, Usage
from ailib_sync.types.tools import ToolCall
from tests.chat_values import read_response, stream_events

CONTENT_TYPES = {"sse": "text/event-stream", "ndjson": "application/x-ndjson", "aws": "application/vnd.amazon.eventstream"}
TOKENS = [name for name in Usage.__dataclass_fields__ if name != "raw"]
LONGEST_MESSAGE = 2048


def plain(dialect: str, **keys: Any) -> Manifest:
    return Manifest(id="acme", name="Acme", dialect=dialect, base_url="https://acme.invalid", **keys)


def speakers(dialect: str) -> list[Manifest]:
    """A plain manifest, one with every quirk there is, and every built-in one that has habits of its own in this format."""
    own = [m.for_dialect(dialect) for m in builtin_manifests() if m.dialect == dialect or dialect in m.dialects]
    seen: dict[tuple[Any, ...], Manifest] = {}
    for manifest in own:
        seen.setdefault((manifest.quirks, manifest.stream_end, str(manifest.finish_reasons)), manifest)
    return [plain(dialect), plain(dialect, quirks=tuple(QUIRKS)), *seen.values()]


def check_response(response: ChatResponse, dialect: str) -> None:
    """Every field is of its type, and the message can go out again as JSON."""
    for name in ("finish_reason", "raw_finish_reason", "stop_sequence", "refusal", "id", "model", "provider", "request_id"):
        assert isinstance(getattr(response, name), (str, type(None))), (name, getattr(response, name))
    assert isinstance(response.content, str)
    assert isinstance(response.thinking, (str, type(None)))
    for name in TOKENS:
        count = getattr(response.usage, name)
        assert count is None or type(count) is int, (name, count)
    assert isinstance(response.usage.raw, (dict, type(None)))
    for block in response.message.blocks:
        check_block(block)
    with suppress(RecursionError):  # an answer may be nested as deep as the interpreter reads; showing it takes more
        repr(response)
    message = Message(MessageRole.ASSISTANT, response.message.content, origin=dialect, extra=response.message.extra)
    manifest = plain(dialect)
    history = (Message.user("a"), message, Message.user("b"))
    with suppress(AiLibError):
        encoded(find(dialect).chat.render(ChatRequest("m", history), manifest, Ledger()))


def check_block(block: Any) -> None:
    if isinstance(block, Text):
        assert isinstance(block.text, str)
        assert isinstance(block.extra, dict)
    elif isinstance(block, Thinking):
        assert isinstance(block.text, str)
        assert isinstance(block.signature, (str, type(None)))
        assert isinstance(block.redacted, (str, type(None)))
        assert isinstance(block.extra, dict)
    elif isinstance(block, ToolCall):
        assert isinstance(block.id, str)
        assert isinstance(block.name, str)
        assert isinstance(block.arguments, (dict, type(None)))
        assert isinstance(block.arguments_raw, (str, type(None)))
    elif isinstance(block, Opaque):
        assert isinstance(block.data, dict)


def check_event(event: StreamingEvent) -> None:
    if isinstance(event, (ContentDelta, ThinkingDelta)):
        assert isinstance(event.text, str), event
        assert isinstance(event.extra, (dict, type(None))), event
    elif isinstance(event, ToolCallStarted):
        assert type(event.index) is int, event
        assert isinstance(event.id, str), event
        assert isinstance(event.name, str), event
    elif isinstance(event, PartialToolCall):
        assert type(event.index) is int, event
        assert isinstance(event.arguments, str), event
    elif isinstance(event, ToolCallEnded):
        check_block(event.tool_call)
    elif isinstance(event, Metadata):
        assert isinstance(event.message_extra, (dict, type(None))), event


def check_error(error: AiLibError) -> None:
    """It can be shown, pickled in parts, and its facts are of their types."""
    shown = str(error)
    assert len(shown) <= LONGEST_MESSAGE, len(shown)
    assert shown.isprintable()
    assert repr(error)
    if isinstance(error, RemoteError):
        for name in ("error_type", "error_code", "request_id", "body"):
            assert isinstance(getattr(error, name), (str, type(None))), (name, getattr(error, name))
        assert isinstance(error.retry_after, (int, float, type(None)))
        assert error.retry_after is None or error.retry_after >= 0


def events_and_error(chunks: Iterable[bytes], manifest: Manifest, kind: str) -> tuple[list[StreamingEvent], AiLibError | None]:
    """A stream read to its end; any exception but ours goes through."""
    events: list[StreamingEvent] = []
    try:
        for event in stream_events(iter(chunks), {"content-type": kind}, find(manifest.dialect), manifest):
            events.append(event)
    except AiLibError as error:
        return events, error
    return events, None


def check_stream(chunks: Iterable[bytes], manifest: Manifest, kind: str) -> tuple[list[StreamingEvent], AiLibError | None]:
    """Reads a stream and holds it to what every stream promises: exactly one end, last, or an error."""
    events, error = events_and_error(chunks, manifest, kind)
    fold = Accumulator()
    for event in events:
        check_event(event)
        fold.add(event)
    ends = [event for event in events if isinstance(event, StreamEnd)]
    if error is None:
        assert ends == events[-1:], events
    else:
        check_error(error)
        assert not ends, events
    check_response(fold.response(manifest.dialect), manifest.dialect)
    return events, error


def check_body(status: int, raw: bytes, manifest: Manifest, headers: dict[str, str] | None = None) -> None:
    """Reads a whole answer, or a refusal, and holds it to what each promises."""
    try:
        response = read_response(status, headers or {"content-type": "application/json"}, raw, find(manifest.dialect), manifest)
    except AiLibError as error:
        check_error(error)
        return
    check_response(response, manifest.dialect)


def cut(raw: bytes, points: Iterable[int]) -> Iterator[bytes]:
    """`raw` in pieces that part at the given places; pieces may be empty."""
    at = 0
    for point in sorted(min(p, len(raw)) for p in points):
        yield raw[at:point]
        at = point
    yield raw[at:]
