"""The template path: frames that differ from one before them only in values are read without parsing. No I/O.

In a fast stream most frames are alike byte for byte, but for the text and a few values that nobody reads. Once a frame has
gone the plain way (framing, JSON, dialect) and was seen to be a text, a thought or a piece of a call's arguments and nothing
else, it makes a template (`templates.py`). A frame behind it with the same bytes around its values is the same JSON with
another text in it, so its event is known and the plain way need not see it. Any other frame goes the plain way, and so must the
next text after it be seen to. The plain way stays the rule: tests hold the two against each other on any cut of any stream.
"""

from __future__ import annotations

from functools import partial

from ...errors import AiLibError
from ...types.events import ContentDelta, PartialToolCall, ThinkingDelta
from ..sse import BLANK

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from ...types.events import StreamingEvent
    from .templates import DeltaOf, Template

    Delta = ContentDelta | ThinkingDelta | PartialToolCall

#: Texts in a row that fit no template before all is left to the plain way; templates that are kept, and times that one is made
#: or widened, in one stream.
MAX_MISSES = 6
MAX_TEMPLATES = 6
MAX_TRIES = 24
#: Texts that go the plain way before a template is made, and before it is widened: a short stream is over before either pays.
FEW = 16
MANY = 64
#: Characters of a call's arguments after which the plain way is told of them: as one frame, they must not be too large for it.
MAX_UNTOLD = 1 << 20


def template_events(
    chunks: Iterable[bytes],
    read: Callable[[Iterator[bytes]], Iterator[StreamingEvent]],
    delta_of: DeltaOf,
    max_event: int,
) -> Iterator[StreamingEvent]:
    """The same events as `read(chunks)`. Lines end with LF. `delta_of` tells the frames (their JSON) that `read` makes one
    event with a text of, and nothing else: see `Dialect.delta_of`."""
    feed = Feed(chunks, delta_of, max_event)
    events = read(feed.blocks())
    for event in events:
        if feed.retold:
            feed.retold -= 1
            continue
        yield event
        feed.in_text = False
        if isinstance(event, (ContentDelta, ThinkingDelta, PartialToolCall)):
            feed.in_text = True
            if feed.frame:
                yield from feed.run(event)
        if feed.stopped and not feed.retold:
            yield from events
            return


class Feed:
    """The blocks on their way to the plain path, without the frames that need not go there.

    `in_text`: the plain path's last event was one with a text. `frame` is what the plain path works on, if that is one whole
    frame and it had nothing else to work on. `retold`: as many of its next events bring together what has
    been yielded in pieces. `stopped`: every block goes as it is from now on.
    """

    __slots__ = (
        "_chunks", "_delta_of", "_error", "_max_event", "_misses", "_rest", "_templates", "_texts", "_tries",
        "frame", "in_text", "retold", "stopped",
    )  # fmt: skip

    def __init__(self, chunks: Iterable[bytes], delta_of: DeltaOf, max_event: int) -> None:
        self._chunks = iter(chunks)
        self._delta_of = delta_of
        self._max_event = max_event
        self._templates: list[Template] = []
        self._texts = self._misses = self._tries = 0
        self._rest = b""
        self._error: AiLibError | None = None
        self.frame = b""
        self.in_text = False
        self.retold = 0
        self.stopped = False

    def blocks(self) -> Iterator[bytes]:
        """What the plain path reads: frame by frame while it reads text, else block by block."""
        aligned = False  # whether the plain path stands between two frames
        while block := self._pull():
            if self.in_text and not self.stopped:
                end = block.find(BLANK) + len(BLANK)
                if end >= len(BLANK):
                    block, self._rest = block[:end], block[end:]
                    self.frame = block if aligned else b""
            aligned = block.endswith(BLANK)
            yield block
            self.frame = b""

    def run(self, event: Delta) -> Iterator[StreamingEvent]:
        """The texts behind `frame`, which the plain path has made this event of, as far as they fit its template.

        Whoever puts a call's arguments together has not seen these: they are told to the plain path in one frame, or a few.
        A block that may hold an event of more than `max_event` bytes goes the plain way, which counts.
        """
        self._texts += 1
        text, make = _taken_apart(event)
        template = self._template_of(text) if self._texts > FEW and make(text) == event else None
        untold: list[str] | None = [] if isinstance(event, PartialToolCall) else None
        size = 0
        held = b""
        while template is not None:
            try:
                chunk = self._pull()
            except AiLibError as error:  # raised again where the plain path asks: it knows whether the answer is whole
                self._error = error
                break
            if not chunk:
                break
            block = held + chunk if held else chunk
            if len(block) > self._max_event:
                held = block
                break
            texts, end = template.read(block)
            yield from map(make, texts)
            held = block[end:]
            if untold is not None:
                untold += texts
                size += sum(map(len, texts))
            if size > MAX_UNTOLD or (held and not template.may_begin(held)):
                break
        if template is not None and untold:
            frames = template.frames("".join(untold), self._max_event)
            self._rest = b"".join(frames) + held
            self.retold = len(frames)
        elif held:
            self._rest = held

    def _pull(self) -> bytes:
        """The next block, b"" at the end."""
        if self._rest:
            block, self._rest = self._rest, b""
            return block
        if self._error is not None:
            raise self._error
        return next(self._chunks, b"")

    def _template_of(self, text: str) -> Template | None:
        """The template that `frame`, which has this text, fits, or a new one made of it; None where there is none."""
        for template in self._templates:
            if template.read(self.frame)[1] == len(self.frame):
                self._misses = 0
                return template
        if self._templates and self._texts <= MANY:
            return None
        self._misses += 1
        self.stopped = self._misses == MAX_MISSES
        return self._another(text) if self._tries < MAX_TRIES else None

    def _another(self, text: str) -> Template | None:
        """A template that `frame` fits: one of those that are there, widened, or one made of it."""
        from .templates import Template, parted  # a millisecond that only a stream of many texts shall cost

        self._tries += 1
        frame = parted(self.frame)
        for position, template in enumerate(self._templates):
            wider = template.widened(frame, text, self._delta_of)
            if wider is not None:
                self._templates[position] = wider
                return wider
        made = Template.of(frame, text, self._delta_of) if len(self._templates) < MAX_TEMPLATES else None
        if made is not None:
            self._templates.append(made)
        return made


def _taken_apart(event: Delta) -> tuple[str, Callable[[str], StreamingEvent]]:
    """The event's text, and what makes others like it, if that is all it brings."""
    if isinstance(event, PartialToolCall):
        return event.arguments, partial(PartialToolCall, event.index)
    if isinstance(event, ThinkingDelta) and event.index is not None:
        return event.text, partial(ThinkingDelta, index=event.index)
    return event.text, type(event)
