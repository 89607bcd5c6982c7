"""A template: what stands around the values in which the frames of a stream differ. No I/O.

The text is one of them; the others are values that nobody reads: a number in sequence, padding against
listeners (`obfuscation`, or spaces before a brace). None is guessed: a value may differ where two frames differed in it, and
where frames with other values in its place were parsed and gave the same text.
"""

from __future__ import annotations

import re
from json import JSONDecoder, dumps

from ...errors import ProtocolError
from ..sse import BLANK, parse_sse_json
from ..surrogates import is_torn

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    Parts = tuple[list[str], list[str]]
    DeltaOf = Callable[[Any], tuple[str, object] | None]

#: A frame larger than this has too many values to be tried out.
MAX_FRAME = 4096
#: The beginning of a frame is kept back, until the rest is here, up to this size.
MAX_HELD = 16384

#: What one character of a JSON string takes, at most: a control character is spelled as an escape.
MAX_BYTES_OF_CHARACTER = 6

#: A frame's values: strings, numbers, the spaces (or none) before a bracket's end. A key is passed over, it is no value.
_VALUE = re.compile(
    r'"(?:[^"\\\n]|\\.)*" *:|("(?:[^"\\\n]|\\.)*")|(?<=[:,\[ ])(-?[0-9]+(?:\.[0-9]+)?)(?=[ ,\]}\n])|( *)(?=[}\]])'
)
#: What may stand in a value's place, two examples of it (the shortest one; of words, the one that matters if any
#: does), and its quote.
_STRING = (r'[^"\\\x00-\x1f]*', ('""', '"error"'), '"')
_NUMBER = (r"-?(?:0|[1-9][0-9]{0,15})(?:\.[0-9]{1,20})?", ("0", "-7654321.5"), "")
_SPACES = (" *", ("", "   "), "")
#: The inside of a JSON string, as the text is read: escapes are allowed in it.
_TEXT = r'([^"\\\x00-\x1f]*(?:\\.[^"\\\x00-\x1f]*)*)'
#: Stands for a text in a trial: no stream sends it.
_PROBE = "\ue000 a probe \ue000"
_read = JSONDecoder().raw_decode


class Template:
    """Made of one frame that the plain way read as a text and nothing else. `kind` is what `delta_of` says beside the text,
    `at` the place of the text among the frame's values; `free` are the others that may differ."""

    __slots__ = ("_at", "_free", "_inside", "_joint", "_kind", "_literals", "_prefix", "_suffix", "_values")

    def __init__(self, kind: object, literals: list[str], values: list[str], at: int, free: set[int]) -> None:
        self._kind = kind
        self._literals = literals
        self._values = values
        self._at = at
        self._free = free
        fixed, pattern = [""], ""
        for index, value in enumerate(values):
            fixed[-1] += literals[index]
            if index == at or index in free:
                allowed, _, quote = _form(value)
                fixed[-1] += quote
                pattern += (re.escape(fixed[-1]) if pattern else "") + (_TEXT if index == at else allowed)
                fixed.append(quote)
            else:
                fixed[-1] += value
        fixed[-1] += literals[-1]
        self._prefix = fixed[0].encode()
        self._suffix = fixed[-1].encode()
        #: What parts two frames, and what one must be between two of these: None where it is the text alone.
        self._joint = fixed[-1] + fixed[0]
        self._inside = re.compile(pattern).fullmatch if free else None

    @classmethod
    def of(cls, frame: Parts, text: str, delta_of: DeltaOf) -> Template | None:
        """The template of a whole frame with this text. None where the place of the text is not found.

        The place is proven: with another string there, the frame's JSON holds that string as its text.
        """
        literals, values = frame
        delta = _delta_in(literals, values, delta_of)
        for at, value in enumerate(values):
            if delta is not None and _spells(value, text):
                template = cls(delta[1], literals, values, at, set())
                if template._holds(values, delta_of):
                    return template
        return None

    def widened(self, frame: Parts, text: str, delta_of: DeltaOf) -> Template | None:
        """A template that this frame fits too, None where what differs is more than values that do not matter."""
        literals, values = frame
        if literals != self._literals or not _spells(values[self._at], text):
            return None
        pairs = list(zip(values, self._values, strict=True))
        if any(_form(value) is not _form(old) for value, old in pairs):
            return None
        free = self._free | {index for index, (value, old) in enumerate(pairs) if value != old and index != self._at}
        wider = Template(self._kind, literals, values, self._at, free)
        return wider if wider._holds(values, delta_of) else None

    def frames(self, text: str, max_event: int) -> list[bytes]:
        """Frames that have this text together, each of at most `max_event` bytes.

        The values that may differ are the shortest ones: with one character, a frame is no larger than the one that the
        character came in.
        """
        values = [_form(value)[1][0] if index in self._free else value for index, value in enumerate(self._values)]
        before, after = values[: self._at], values[self._at + 1 :]
        size = max(1, (max_event - len(_frame(self._literals, [*before, '""', *after]))) // MAX_BYTES_OF_CHARACTER)
        spelled = (dumps(text[at : at + size], ensure_ascii=False) for at in range(0, len(text), size))
        return [_frame(self._literals, [*before, string, *after]) for string in spelled]

    def _holds(self, values: list[str], delta_of: DeltaOf) -> bool:
        """Whether a frame's text is at its place, whatever stands in the free ones: seen with two examples in each."""
        for number in range(2 if self._free else 1):
            trial = [_form(value)[1][number] if index in self._free else value for index, value in enumerate(values)]
            trial[self._at] = f'"{_PROBE}"'
            if _delta_in(self._literals, trial, delta_of) != (_PROBE, self._kind):
                return False
        return True

    def may_begin(self, part: bytes) -> bool:
        """Whether the part can be the beginning of a frame that fits, and holds no whole one."""
        if len(part) <= len(self._prefix):
            return self._prefix.startswith(part)
        return len(part) <= MAX_HELD and part.startswith(self._prefix) and BLANK not in part

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
        texts = pieces if self._inside is None else _spelled(pieces, self._inside)
        if not all(texts) or _needs_escapes("".join(texts)):
            texts = _unescaped(texts)
        if len(texts) == len(pieces):
            return texts, end + len(suffix)
        if not texts:
            return [], 0
        return texts, len(prefix) + len(self._joint.join(pieces[: len(texts)]).encode()) + len(suffix)


def parted(frame: bytes) -> Parts:
    """A frame's values, and what stands before, between and after them; nothing of a frame that is not to be taken apart."""
    try:
        text = frame.decode() if len(frame) <= MAX_FRAME else ""
    except UnicodeDecodeError:
        text = ""
    literals, values, at = [], [], 0
    for found in _VALUE.finditer(text):
        if found.lastindex is not None:
            literals.append(text[at : found.start()])
            values.append(found[0])
            at = found.end()
    return [*literals, text[at:]], values


def _form(value: str) -> tuple[str, tuple[str, str], str]:
    if value.startswith('"'):
        return _STRING
    return _SPACES if not value.strip(" ") else _NUMBER


def _frame(literals: list[str], values: list[str]) -> bytes:
    return "".join(part for pair in zip(literals, [*values, ""], strict=True) for part in pair).encode()


def _delta_in(literals: list[str], values: list[str], delta_of: DeltaOf) -> tuple[str, object] | None:
    frame = _frame(literals, values)
    try:
        told = [value for _, value in parse_sse_json([frame], max_event=len(frame))]
    except ProtocolError:
        return None
    return delta_of(told[0]) if len(told) == 1 else None


def _spells(value: str, text: str) -> bool:
    """Whether the value is a string that spells this text."""
    return value.startswith('"') and (value[1:-1] == text or ("\\" in value and _unescaped([value[1:-1]]) == [text]))


def _spelled(pieces: list[str], inside: Callable[[str], re.Match[str] | None]) -> list[str]:
    """The texts, as they are spelled, up to the first piece that does not fit."""
    texts = []
    for found in map(inside, pieces):
        if found is None:
            break
        texts.append(found[1])
    return texts


def _needs_escapes(text: str) -> bool:
    """Whether a JSON string may spell the text otherwise than by itself."""
    return '"' in text or "\\" in text or not text.isprintable()


def _unescaped(pieces: list[str]) -> list[str]:
    """The strings that the pieces spell, up to the first piece which is not the inside of one whole string, or an empty one."""
    texts: list[str] = []
    for piece in pieces:
        try:
            text, end = _read(f'"{piece}"')
        except ValueError:
            break
        if end != len(piece) + 2 or not text or is_torn(text):
            break
        texts.append(text)
    return texts
