"""The template path: frames that differ from one before them only in values are read without parsing. No I/O.

In a fast stream most frames are alike byte for byte, but for the text and a few values that nobody reads. Once a frame has
gone the plain way (framing, JSON, dialect) and was seen to be a text and nothing else, it makes a template (`templates.py`). A
frame behind it with the same bytes around its values is the same JSON with another text in it, so its event is known and the
plain way need not see it. Any other frame goes the plain way, and so must the next text after it be seen to. The plain way
stays the rule: tests hold the two against each other on any cut of any stream.
"""

from __future__ import annotations

from .errors import AiLibError
from .events import ContentDelta
from .framing import BLANK

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from .events import StreamingEvent
    from .templates import Template, TextOf

#: Frames that do not fit a template, in a row, before it is given up; templates, and texts that make none, before no other
#: is looked for.
MAX_MISSES = 3
MAX_TEMPLATES = 6
MAX_FAILURES = 12
#: Texts that go the plain way before a template is made, and before it is widened: a short stream is over before either pays.
FEW = 16
MANY = 64


def template_events(
    chunks: Iterable[bytes],
    read: Callable[[Iterator[bytes]], Iterator[StreamingEvent]],
    text_of: TextOf,
) -> Iterator[StreamingEvent]:
    """The same events as `read(chunks)`. `text_of` gives the text of a frame (its JSON) that `read` makes one ContentDelta of,
    and nothing else."""
    feed = Feed(chunks, text_of)
    events = read(feed.blocks())
    for event in events:
        yield event
        feed.in_text = False
        if isinstance(event, ContentDelta):
            feed.in_text = True
            if feed.frame:
                yield from feed.run(event)
        if feed.stopped:
            yield from events
            return


class Feed:
    """The blocks on their way to the plain path, without the frames that need not go there.

    `in_text`: the plain path's last event was a piece of text. `frame` is what the plain path works on, if that is one whole
    frame and it had nothing else to work on. `stopped`: every block goes as it is from now on.
    """

    __slots__ = (
        "_chunks", "_error", "_failures", "_misses", "_rest", "_template", "_templates", "_text_of", "_texts",
        "frame", "in_text", "stopped",
    )  # fmt: skip

    def __init__(self, chunks: Iterable[bytes], text_of: TextOf) -> None:
        self._chunks = iter(chunks)
        self._text_of = text_of
        self._template: Template | None = None
        self._templates = self._misses = self._failures = self._texts = 0
        self._rest = b""
        self._error: AiLibError | None = None
        self.frame = b""
        self.in_text = False
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

    def run(self, event: ContentDelta) -> Iterator[ContentDelta]:
        """The texts behind `frame`, which the plain path has made this event of, as far as they fit its template."""
        template = self._template_of(event)
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
            texts, end = template.read(block)
            yield from map(ContentDelta, texts)
            held = block[end:]
            if held and not template.may_begin(held):
                break
        if held:
            self._rest = held

    def _pull(self) -> bytes:
        """The next block, b"" at the end."""
        if self._rest:
            block, self._rest = self._rest, b""
            return block
        if self._error is not None:
            raise self._error
        return next(filter(None, self._chunks), b"")

    def _template_of(self, event: ContentDelta) -> Template | None:
        """The template that `frame` fits, or a new one made of it; None where it carries more than its text."""
        self._texts += 1
        if self._texts <= FEW or event.extra is not None or event.starts or self.stopped:
            return None
        if self._template is None:
            from .templates import Template  # a millisecond that only a stream of many texts shall cost

            self._template = Template.of(self.frame, event.text, self._text_of)
            if self._template is None:
                self._failures += 1
                self.stopped = self._failures >= MAX_FAILURES
            self._templates += 1
            self._misses = 0
            return self._template
        if self._template.read(self.frame)[1] == len(self.frame):
            self._misses = 0
            return self._template
        if self._texts <= MANY:
            return None
        wider = self._template.widened(self.frame, event.text, self._text_of)
        if wider is not None:
            self._template, self._misses = wider, 0
            return wider
        self._misses += 1
        if self._misses >= MAX_MISSES:
            self._template = None
            self.stopped = self._templates >= MAX_TEMPLATES
        return None
