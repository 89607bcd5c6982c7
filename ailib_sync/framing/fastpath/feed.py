"""The feed between the chunks and the plain path: it reads frames by template and passes on the others. No I/O.

The contract is in the docstring of the package.
"""

from __future__ import annotations

from functools import partial

from ...errors import AiLibError
from ...types.events import ContentDelta, PartialToolCall, ThinkingDelta
from ..sse import BLANK_LINE, normalize

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from ...types.events import StreamingEvent
    from .templates import DeltaOf, Template

    Delta = ContentDelta | ThinkingDelta | PartialToolCall

#: Deltas in a row that match no template, after which the rest of the stream takes the plain path.
MAX_MISSES = 6
#: Templates kept in one stream.
MAX_TEMPLATES = 6
#: How often a template is made or widened in one stream.
MAX_BUILDS = 24
#: Deltas that take the plain path before a template is made, and before one is widened: a short stream ends before either pays.
DELTAS_BEFORE_TEMPLATE = 16
DELTAS_BEFORE_WIDENING = 64
#: Characters of a tool call's arguments after which the plain path catches up, so that they are not kept twice.
MAX_UNSEEN_CHARACTERS = 1 << 20


def template_events(
    chunks: Iterable[bytes],
    read: Callable[[Iterator[bytes]], Iterator[StreamingEvent]],
    delta_of: DeltaOf,
    max_event: int,
) -> Iterator[StreamingEvent]:
    """The same events as `read(normalize(chunks))`. `delta_of` gives (text, kind) for the JSON of each frame of which `read`
    makes one delta and nothing else: see `Streaming.delta_of`."""
    feed = Feed(normalize(chunks), delta_of, max_event)
    events = read(feed.blocks())
    for event in events:
        if feed.events_to_drop:
            feed.events_to_drop -= 1
            continue
        yield event
        feed.after_delta = False
        if isinstance(event, (ContentDelta, ThinkingDelta, PartialToolCall)):
            feed.after_delta = True
            if feed.frame:
                yield from feed.template_deltas(event)
        if feed.stopped and not feed.events_to_drop:
            yield from events
            return


class Feed:
    """The blocks on their way to the plain path, without the frames that a template reads.

    `after_delta`: the last event of the plain path was a delta. `frame`: what the plain path works on, if that is one complete
    frame and nothing else; otherwise b"". `events_to_drop`: how many of the next events of the plain path come from catch-up
    frames, whose text has been yielded already. `stopped`: every block takes the plain path from now on.
    """

    __slots__ = (
        "_builds", "_chunks", "_delta_of", "_deltas", "_error", "_max_event", "_misses", "_rest", "_templates",
        "after_delta", "events_to_drop", "frame", "stopped",
    )  # fmt: skip

    def __init__(self, chunks: Iterable[bytes], delta_of: DeltaOf, max_event: int) -> None:
        self._chunks = iter(chunks)
        self._delta_of = delta_of
        self._max_event = max_event
        self._templates: list[Template] = []
        self._deltas = self._misses = self._builds = 0
        self._rest = b""  # of a block that has been taken from the chunks
        self._error: AiLibError | None = None
        self.frame = b""
        self.after_delta = False
        self.events_to_drop = 0
        self.stopped = False

    def blocks(self) -> Iterator[bytes]:
        """What the plain path reads: frame by frame while it reads deltas, otherwise block by block."""
        aligned = False  # whether the plain path is between two frames
        while block := self._next_block():
            if self.after_delta and not self.stopped:
                end = block.find(BLANK_LINE) + len(BLANK_LINE)
                if end >= len(BLANK_LINE):
                    block, self._rest = block[:end], block[end:]
                    self.frame = block if aligned else b""
            aligned = block.endswith(BLANK_LINE)
            yield block
            self.frame = b""

    def template_deltas(self, event: Delta) -> Iterator[StreamingEvent]:
        """The deltas after `frame`, of which the plain path has made this event, as far as they match its template.

        The plain path has not seen them. It accumulates a tool call's arguments, so it gets these again, in catch-up frames.
        """
        self._deltas += 1
        text, make = _text_and_maker(event)
        # Rule 4: equality decides.
        is_pure = self._deltas > DELTAS_BEFORE_TEMPLATE and make(text) == event
        template = self._template_of(text) if is_pure else None
        unseen: list[str] | None = [] if isinstance(event, PartialToolCall) else None
        size = 0
        pending = b""
        chunks, max_event = self._chunks, self._max_event
        while template is not None:
            try:
                # No error waits to be raised here: after one, the plain path gets no further frame.
                chunk = self._next_block() if self._rest else next(chunks, b"")
            except AiLibError as error:  # raised again when the plain path asks: it knows whether the response is complete
                self._error = error
                break
            if not chunk:
                break
            block = pending + chunk if pending else chunk
            if len(block) > max_event:  # rule 5: the plain path counts
                pending = block
                break
            texts, end = template.texts_in(block)
            yield from map(make, texts)
            pending = block[end:]
            if unseen is not None:
                unseen += texts
                size += sum(map(len, texts))
            if size > MAX_UNSEEN_CHARACTERS or (pending and not template.may_begin(pending)):
                break
        if template is not None and unseen:
            frames = template.frames("".join(unseen), self._max_event)
            self._rest = b"".join(frames) + pending
            self.events_to_drop = len(frames)
        elif pending:
            self._rest = pending

    def _next_block(self) -> bytes:
        """The next block; b"" at the end."""
        if self._rest:
            block, self._rest = self._rest, b""
            return block
        if self._error is not None:
            raise self._error
        return next(self._chunks, b"")

    def _template_of(self, text: str) -> Template | None:
        """The template that `frame`, which has this text, matches, or a new one made from it; None if there is none."""
        for template in self._templates:
            if template.texts_in(self.frame)[1] == len(self.frame):
                self._misses = 0
                return template
        if self._templates and self._deltas <= DELTAS_BEFORE_WIDENING:
            return None
        self._misses += 1
        self.stopped = self._misses == MAX_MISSES
        return self._build_template(text) if self._builds < MAX_BUILDS else None

    def _build_template(self, text: str) -> Template | None:
        """A template that `frame` matches: an existing one, widened, or a new one."""
        from .templates import Template, split_values  # takes a millisecond, so only a long stream does it

        self._builds += 1
        frame = split_values(self.frame)
        for position, template in enumerate(self._templates):
            wider = template.widened(frame, text, self._delta_of)
            if wider is not None:
                self._templates[position] = wider
                return wider
        made = Template.of(frame, text, self._delta_of) if len(self._templates) < MAX_TEMPLATES else None
        if made is not None:
            self._templates.append(made)
        return made


def _text_and_maker(event: Delta) -> tuple[str, Callable[[str], StreamingEvent]]:
    """The event's text, and what makes an event like it from another text."""
    if isinstance(event, PartialToolCall):
        return event.arguments, partial(PartialToolCall, event.index)
    if isinstance(event, ThinkingDelta) and event.index is not None:
        return event.text, partial(ThinkingDelta, index=event.index)
    return event.text, type(event)
