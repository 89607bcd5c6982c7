"""Unpaired surrogates: characters that a provider splits over two frames are put together. Values only.

A server that cuts text by UTF-16 code units (JavaScript, Java) may end the text of one frame with `\\ud83d` and begin the next
one with `\\ude00`. RFC 8259 section 8.2 allows such strings in JSON, but Python cannot encode them. Together the two are one
character.
"""

from __future__ import annotations

from ..types.json_values import has_unpaired_surrogate, may_have_surrogates, repaired

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    #: The position of a string in a frame's JSON: keys and indexes from the root.
    Path = tuple[str | int, ...]


class SurrogateJoiner:
    """Joins the surrogates that one stream splits over frames: each waits for its pair at the same path of the JSON."""

    __slots__ = ("_waiting",)

    def __init__(self) -> None:
        self._waiting: dict[Path, str] = {}

    def join(self, raw: str, value: Any) -> Any:
        """The frame's `value`, parsed from `raw`, with complete characters only. A surrogate without its pair is dropped."""
        return self._join(value, ()) if may_have_surrogates(raw) else value

    def _join(self, value: Any, path: Path) -> Any:
        if isinstance(value, dict):
            return {key: self._join(inner, (*path, key)) for key, inner in value.items()}
        if isinstance(value, list):
            return [self._join(inner, (*path, index)) for index, inner in enumerate(value)]
        if not isinstance(value, str) or not has_unpaired_surrogate(value):
            return value
        value = self._waiting.pop(path, "") + value
        if "\ud800" <= value[-1] <= "\udbff":  # a high surrogate, the first of a pair
            self._waiting[path] = value[-1]
            value = value[:-1]
        return repaired(value)
