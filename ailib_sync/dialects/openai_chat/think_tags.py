"""Inline thinking: `<think>…</think>` at the start of a response's text, separated from the text. Quirk think_tags. No JSON.

A closing tag alone is found only if the first fragment has it, as a complete response does: the text before it has been
emitted otherwise.
"""

from __future__ import annotations

from ...types.events import ContentDelta, ThinkingDelta

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ...types.events import StreamingEvent

TAGS = (("<think>", "</think>"), ("<thinking>", "</thinking>"))


class ThinkTags:
    """Reads a response's text in fragments, which may begin and end anywhere. `open` is False once the rest is plain text."""

    __slots__ = ("_closing_tag", "_held", "_inside", "open")

    def __init__(self) -> None:
        self.open = True
        self._inside = False
        self._held = ""
        self._closing_tag = ""

    def split(self, fragment: str) -> list[StreamingEvent]:
        """The events of the next fragment. Text that may be the beginning of a tag is held until the next one."""
        if not self.open:
            return [ContentDelta(fragment)] if fragment else []
        self._held += fragment
        if self._inside:
            return self._read_inside()
        return self._read_after() if self._closing_tag else self._read_before()

    def end(self) -> list[StreamingEvent]:
        """The events of the text that was held when the response ended."""
        held, self._held = self._held, ""
        if not held or (self._closing_tag and not self._inside):
            return []
        return [ThinkingDelta(held) if self._inside else ContentDelta(held)]

    def _read_before(self) -> list[StreamingEvent]:
        start = self._held.lstrip()
        for tag, closing_tag in TAGS:
            if start.startswith(tag):
                self._inside, self._closing_tag, self._held = True, closing_tag, start[len(tag) :]
                return self._read_inside()
            if tag.startswith(start):
                return []
            # The chat templates of some models end the prompt with the opening tag, so a response has the closing one alone.
            thought, found, rest = self._held.partition(f"\n{closing_tag}")
            if found:
                self._closing_tag, self._held = closing_tag, rest
                return [ThinkingDelta(thought), *self._read_after()]
        self.open = False
        text, self._held = self._held, ""
        return [ContentDelta(text)]

    def _read_inside(self) -> list[StreamingEvent]:
        thought, found, rest = self._held.partition(self._closing_tag)
        if found:
            self._inside, self._held = False, rest
            return [*([ThinkingDelta(thought)] if thought else []), *self._read_after()]
        tag = self._closing_tag
        keep = next((n for n in range(len(tag) - 1, 0, -1) if thought.endswith(tag[:n])), 0)
        cut = len(thought) - keep
        self._held = thought[cut:]
        return [ThinkingDelta(thought[:cut])] if cut else []

    def _read_after(self) -> list[StreamingEvent]:
        """White space between the closing tag and the text belongs to neither of them."""
        text = self._held.lstrip()
        self._held = ""
        if not text:
            return []
        self.open = False
        return [ContentDelta(text)]
