"""The template path: frames that differ from one before them only inside the text, read without parsing. No I/O.

In a fast stream most frames are alike byte for byte, but for one JSON string. Once a frame has gone the plain way (framing,
JSON, dialect) and was seen to hold a text and nothing else, the bytes before and after its text are a template. A later
frame with the same bytes around one whole JSON string is the same JSON with another text there, so its event is known. Such
frames are taken out of a block before the plain way sees it. All others, and the last of each run, go the plain way, which
stays the rule: tests hold the two against each other on any cut of any stream.
"""

from __future__ import annotations

from json import JSONDecoder

from .errors import ProtocolError
from .events import ContentDelta
from .framing import decode_json, parse_sse

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Iterable, Iterator
    from typing import Any

    from .events import StreamingEvent

BLANK = b"\n\n"
#: A frame's beginning is kept back (until the rest is here) up to this size.
MAX_HELD = 65536
#: Frames in a row that do not fit a template before it is given up, templates before no further one is looked for, and
#: frames of text that make no template before that.
MAX_MISSES = 4
MAX_TEMPLATES = 6
MAX_FAILURES = 6


def template_events(
    chunks: Iterable[bytes],
    read: Callable[[Iterator[bytes]], Iterator[StreamingEvent]],
    text_of: Callable[[Any], str | None],
) -> Iterator[StreamingEvent]:
    """The same events as `read(chunks)`. `text_of` gives the text of a frame (its JSON) that holds a text and nothing else."""
    feed = Feed(chunks, text_of)
    events = read(feed.blocks())
    for event in events:
        if feed.texts:
            yield from map(ContentDelta, feed.texts)
            feed.texts = []
        feed.event = event
        feed.count += 1
        yield event
        if feed.stopped:
            yield from events
            return


class Feed:
    """The blocks on their way to the plain path, without the frames that need not go there.

    `texts` are those of the frames taken out; they belong before the next event of the plain path. `event` is its last one,
    `count` how many there were. `stopped`: every block goes as it is from now on.
    """

    __slots__ = (
        "_chunks", "_confirmed", "_failures", "_misses", "_template", "_templates", "_text_of",
        "count", "event", "stopped", "texts",
    )  # fmt: skip

    def __init__(self, chunks: Iterable[bytes], text_of: Callable[[Any], str | None]) -> None:
        self._chunks = chunks
        self._text_of = text_of
        self._template: Template | None = None
        self._templates = self._misses = self._failures = 0
        self._confirmed = False
        self.texts: list[str] = []
        self.event: StreamingEvent | None = None
        self.count = 0
        self.stopped = False

    def blocks(self) -> Iterator[bytes]:
        held = b""  # the beginning of a frame; nothing of it is an event before its blank line is here
        aligned = False  # whether the plain path stands between two frames
        chunks = iter(self._chunks)
        for chunk in chunks:
            block, held = (held + chunk if held else chunk), b""
            while block and not self.stopped and (self._template is not None or isinstance(self.event, ContentDelta)):
                end = block.find(BLANK) + len(BLANK)
                if end < len(BLANK):
                    if aligned and self._template is not None and self._template.may_begin(block):
                        block, held = b"", block
                    break
                if not aligned:
                    aligned = True
                    yield block[:end]
                elif self._template is None:
                    yield from self._learn(block[:end])
                else:
                    end = yield from self._take(self._template, block, end)
                block = block[end:]
            if block:
                aligned, self._confirmed = block.endswith(BLANK), False
                yield block
            if self.stopped:
                yield from chunks
                return
        if held:
            yield held

    def _learn(self, frame: bytes) -> Iterator[bytes]:
        """Gives one frame to the plain path, and makes a template of it if it was a text."""
        yield from self._watch(frame)
        event = self.event
        if not isinstance(event, ContentDelta) or _needs_escapes(event.text):
            return
        if self._confirmed:
            self._template = Template.of(frame, event.text, self._text_of)
        if self._template is None:
            self._failures += 1
            self.stopped = self._failures > MAX_FAILURES
        else:
            self._templates += 1
            self._misses = 0

    def _take(self, template: Template, block: bytes, first: int) -> Generator[bytes, None, int]:
        """Gives the last of the frames that fit, from the block's beginning, to the plain path and keeps the others' texts; the
        first frame alone if it does not fit. Returns where that frame ends.

        After any frame that does not fit, the dialect may see the next text with other eyes (a new block begins with it, it
        carries what was noted): one that fits must go the plain way first and be seen to be a text and nothing else.
        """
        texts, start, end = template.read(block if self._confirmed else block[:first])
        if texts:
            self._misses = 0
            self.texts = texts[:-1]
            yield from self._watch(block[start:end])
            return end
        self._misses += 1
        if self._misses > MAX_MISSES:
            self._template = None
            self.stopped = self._templates >= MAX_TEMPLATES
        self._confirmed = False
        yield block[:first]
        return first

    def _watch(self, frame: bytes) -> Iterator[bytes]:
        """Gives one frame to the plain path, and notes whether it made one text of it and nothing else."""
        before = self.count
        yield frame
        event = self.event
        self._confirmed = (
            self.count == before + 1 and isinstance(event, ContentDelta) and event.extra is None and not event.starts
        )


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
        """Whether the part, which holds no blank line, can be the beginning of a frame that fits."""
        if len(part) > MAX_HELD:
            return False
        return self._prefix.startswith(part) or (part.startswith(self._prefix) and b"\r" not in part)

    def read(self, block: bytes) -> tuple[list[str], int, int]:
        """The texts of the frames that fit, from the block's beginning; where the last of them begins and ends."""
        prefix, suffix = self._prefix, self._suffix
        end = block.rfind(suffix) + len(suffix)
        if end < len(prefix) + len(suffix) or not block.startswith(prefix):
            return [], 0, 0
        try:
            pieces = block[len(prefix) : end - len(suffix)].decode().split(self._joint)
        except UnicodeDecodeError:
            return [], 0, 0
        texts = pieces if all(pieces) and not _needs_escapes("".join(pieces)) else _unescaped(pieces)
        if len(texts) < len(pieces):
            end = len(prefix) + len(self._joint.join(pieces[: len(texts)]).encode()) + len(suffix)
        start = block.rfind(BLANK, 0, end - len(BLANK)) + len(BLANK) if len(texts) > 1 else 0
        return texts, start, end


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
        if end != len(piece) + 2 or not text:
            break
        texts.append(text)
    return texts
