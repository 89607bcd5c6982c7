"""The template path: frames that differ from one before them only inside the text, read without parsing. No I/O.

In a fast stream most frames are alike byte for byte, but for one JSON string. Once a frame has gone the plain way (framing,
JSON, dialect) and was seen to be a text and nothing else, the bytes before and after its text are a template. A frame behind
it with the same bytes around one whole JSON string is the same JSON with another text there, so its event is known and the
plain way need not see it. Any other frame goes the plain way, and so must the next text after it be seen to. The plain way
stays the rule: tests hold the two against each other on any cut of any stream.
"""

from __future__ import annotations

from json import JSONDecoder

from .errors import AiLibError, ProtocolError
from .events import ContentDelta
from .framing import decode_json, parse_sse
from .torn import is_torn

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from typing import Any

    from .events import StreamingEvent

BLANK = b"\n\n"
#: The beginning of a frame is kept back, until the rest is here, up to this size.
MAX_HELD = 16384
#: Frames that do not fit a template, in a row, before it is given up; templates, and texts that make none, before no other
#: is looked for.
MAX_MISSES = 4
MAX_TEMPLATES = 6
MAX_FAILURES = 12


def template_events(
    chunks: Iterable[bytes],
    read: Callable[[Iterator[bytes]], Iterator[StreamingEvent]],
    text_of: Callable[[Any], str | None],
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
        "_chunks", "_error", "_failures", "_misses", "_rest", "_template", "_templates", "_text_of",
        "frame", "in_text", "stopped",
    )  # fmt: skip

    def __init__(self, chunks: Iterable[bytes], text_of: Callable[[Any], str | None]) -> None:
        self._chunks = iter(chunks)
        self._text_of = text_of
        self._template: Template | None = None
        self._templates = self._misses = self._failures = 0
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
        if event.extra is not None or event.starts or self.stopped:
            return None
        if self._template is None:
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
        self._misses += 1
        if self._misses >= MAX_MISSES:
            self._template = None
            self.stopped = self._templates >= MAX_TEMPLATES
        return None


class Template:
    """What stands before and after the text in each of the frames."""

    __slots__ = ("_joint", "_prefix", "_suffix")

    def __init__(self, prefix: bytes, suffix: bytes) -> None:
        self._prefix = prefix
        self._suffix = suffix
        self._joint = (suffix + prefix).decode()

    @classmethod
    def of(cls, frame: bytes, text: str, text_of: Callable[[Any], str | None]) -> Template | None:
        """The template of a frame, which must be whole and hold this text. None where its place is not found.

        The place is proven: with another string there, the frame's JSON holds that string as its text.
        """
        raw = b'"' + text.encode() + b'"'
        at = frame.find(raw)
        while at >= 0 and b"\r" not in frame:
            prefix, suffix = frame[: at + 1], frame[at + len(raw) - 1 :]
            if _text_in(prefix + PROBE.encode() + suffix, text_of) == PROBE:
                return cls(prefix, suffix)
            at = frame.find(raw, at + 1)
        return None

    def may_begin(self, part: bytes) -> bool:
        """Whether the part can be the beginning of a frame that fits, and holds no whole one."""
        if len(part) <= len(self._prefix):
            return self._prefix.startswith(part)
        return len(part) <= MAX_HELD and part.startswith(self._prefix) and BLANK not in part and b"\r" not in part

    def read(self, block: bytes) -> tuple[list[str], int]:
        """The texts of the frames that fit, from the block's beginning, and where they end."""
        prefix, suffix = self._prefix, self._suffix
        end = block.rfind(suffix)
        if end < len(prefix) or not block.startswith(prefix):
            return [], 0
        try:
            pieces = block[len(prefix) : end].decode().split(self._joint)
        except UnicodeDecodeError:
            return [], 0
        if all(pieces) and not _needs_escapes("".join(pieces)):
            return pieces, end + len(suffix)
        texts = _unescaped(pieces)
        if not texts:
            return [], 0
        return texts, len(prefix) + len(self._joint.join(pieces[: len(texts)]).encode()) + len(suffix)


#: Stands for a text in a trial: no stream sends it.
PROBE = "\ue000 a probe \ue000"


def _text_in(frame: bytes, text_of: Callable[[Any], str | None]) -> str | None:
    try:
        values = [value for _, value in decode_json(parse_sse([frame]))]
    except ProtocolError:
        return None
    return text_of(values[0]) if len(values) == 1 else None


def _needs_escapes(text: str) -> bool:
    """Whether a JSON string may spell the text otherwise than by itself."""
    return '"' in text or "\\" in text or not text.isprintable()


def _unescaped(pieces: list[str]) -> list[str]:
    """The strings that the pieces spell, up to the first piece which is not the inside of one whole string, or an empty one."""
    read = JSONDecoder().raw_decode
    texts: list[str] = []
    for piece in pieces:
        try:
            text, end = read(f'"{piece}"')
        except ValueError:
            break
        if end != len(piece) + 2 or not text or is_torn(text):
            break
        texts.append(text)
    return texts
