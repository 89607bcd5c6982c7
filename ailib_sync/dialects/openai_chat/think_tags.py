"""Inline thinking: `<think>…</think>` at the start of an answer's text, parted from it piece by piece. No JSON."""

from __future__ import annotations

from ...types.events import ContentDelta, ThinkingDelta

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ...types.events import StreamingEvent

TAGS = (("<think>", "</think>"), ("<thinking>", "</thinking>"))


class ThinkTags:
    """Takes an answer's text in pieces, cut anywhere; `open` turns False once the rest is plain text."""

    __slots__ = ("_close", "_held", "_inside", "open")

    def __init__(self) -> None:
        self.open = True
        self._inside = False
        self._held = ""
        self._close = ""

    def split(self, piece: str) -> list[StreamingEvent]:
        """The events of the next piece; what may be half a tag is held back."""
        if not self.open:
            return [ContentDelta(piece)] if piece else []
        self._held += piece
        if self._inside:
            return self._think()
        return self._after() if self._close else self._begin()

    def end(self) -> list[StreamingEvent]:
        """What was held back when the answer ended."""
        held, self._held = self._held, ""
        if not held or (self._close and not self._inside):
            return []
        return [ThinkingDelta(held) if self._inside else ContentDelta(held)]

    def _begin(self) -> list[StreamingEvent]:
        start = self._held.lstrip()
        for tag, close in TAGS:
            if start.startswith(tag):
                self._inside, self._close, self._held = True, close, start[len(tag) :]
                return self._think()
            if tag.startswith(start):
                return []
        self.open = False
        text, self._held = self._held, ""
        return [ContentDelta(text)]

    def _think(self) -> list[StreamingEvent]:
        thought, mark, rest = self._held.partition(self._close)
        if mark:
            self._inside, self._held = False, rest
            return [*([ThinkingDelta(thought)] if thought else []), *self._after()]
        keep = next((n for n in range(len(self._close) - 1, 0, -1) if thought.endswith(self._close[:n])), 0)
        cut = len(thought) - keep
        self._held = thought[cut:]
        return [ThinkingDelta(thought[:cut])] if cut else []

    def _after(self) -> list[StreamingEvent]:
        """The white space between the closing tag and the answer belongs to neither."""
        text = self._held.lstrip()
        self._held = ""
        if not text:
            return []
        self.open = False
        return [ContentDelta(text)]
