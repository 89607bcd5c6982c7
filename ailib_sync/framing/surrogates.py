"""Characters that a stream tears in two: half of a surrogate pair waits for its other half in the next frame. Values only.

A server that cuts text by UTF-16 units (JavaScript's, Java's) may end one frame's text with `\\ud83d` and begin the next one's
with `\\ude00`. Neither is text that Python can write out; together they are one character.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    #: The place of a string in a frame's JSON.
    Path = tuple[str | int, ...]


def is_torn(text: str) -> bool:
    """Whether the text holds half a character."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return True
    return False


class Halves:
    """The first halves that a stream's frames ended with, each by its place in the JSON."""

    __slots__ = ("_held",)

    def __init__(self) -> None:
        self._held: dict[Path, str] = {}

    def mend(self, raw: str, value: Any) -> Any:
        """The frame's `value`, read from `raw`, with whole characters only; a half whose other one never comes is dropped."""
        if "\\ud" in raw or "\\uD" in raw:
            return self._mend(value, ())
        return value

    def _mend(self, value: Any, path: Path) -> Any:
        if isinstance(value, dict):
            return {key: self._mend(inner, (*path, key)) for key, inner in value.items()}
        if isinstance(value, list):
            return [self._mend(inner, (*path, index)) for index, inner in enumerate(value)]
        if not isinstance(value, str) or not is_torn(value):
            return value
        value = self._held.pop(path, "") + value
        if "\ud800" <= value[-1] <= "\udbff":
            self._held[path] = value[-1]
            value = value[:-1]
        return value.encode("utf-16", "surrogatepass").decode("utf-16", "ignore")
