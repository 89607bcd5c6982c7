"""A template: the bytes around the values in which the frames of a stream differ. No I/O.

The text is one of these values; the others are values that nobody reads: a sequence number, padding against traffic analysis
(`obfuscation`, or spaces before a brace). None of this is guessed: a value may differ only if two frames differed in it, and if
trial frames with other values in its position were parsed and gave the same text.
"""

from __future__ import annotations

import re
from json import JSONDecoder, dumps

from ..._signals import reraise_from_signal
from ...errors import ProtocolError
from ...types.json_values import has_unpaired_surrogate
from ..sse import BLANK_LINE, parse_sse_json

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    #: A frame as (literals, values): the text before, between and after the values, and the values.
    SplitFrame = tuple[list[str], list[str]]
    #: The JSON of a frame → (text, kind) if it is one delta and nothing else that is read, otherwise None.
    DeltaOf = Callable[[Any], tuple[str, object] | None]

#: A larger frame has too many values to try them out.
MAX_FRAME_BYTES = 4096
#: The beginning of a frame is kept back up to this size, until the rest has arrived.
MAX_PENDING_BYTES = 16384
#: What one character of a JSON string takes at most: a control character is an escape.
MAX_BYTES_PER_CHARACTER = 6

#: A frame's values: strings, numbers, the spaces (or none) before a closing bracket. A key matches too, but is not a value.
_VALUE = re.compile(
    r'"(?:[^"\\\n]|\\.)*" *:|("(?:[^"\\\n]|\\.)*")|(?<=[:,\[ ])(-?[0-9]+(?:\.[0-9]+)?)(?=[ ,\]}\n])|( *)(?=[}\]])'
)
#: Kinds of values: (what may be in such a position, two examples of it, its quote). The first example is the shortest value,
#: the second one a value that matters if any does.
_STRING = (r'[^"\\\x00-\x1f]*', ('""', '"error"'), '"')
_NUMBER = (r"-?(?:0|[1-9][0-9]{0,15})(?:\.[0-9]{1,20})?", ("0", "-7654321.5"), "")
_SPACES = (" *", ("", "   "), "")
#: The inside of the text's JSON string: escapes are allowed in it.
_TEXT = r'([^"\\\x00-\x1f]*(?:\\.[^"\\\x00-\x1f]*)*)'
#: The text of a trial frame: no stream sends it (U+E000 is for private use).
_PROBE = "\ue000 a probe \ue000"
_decode = JSONDecoder().raw_decode


class Template:
    """Made from one frame that the plain path read as one delta.

    `kind` is what `delta_of` returns with the text, `text_at` the index of the text among the frame's values, `variable` the
    indexes of the other values that may differ.
    """

    __slots__ = (
        "_kind", "_literals", "_match_between", "_prefix", "_separator", "_suffix", "_text_at", "_values", "_variable",
    )  # fmt: skip

    def __init__(self, kind: object, literals: list[str], values: list[str], text_at: int, variable: set[int]) -> None:
        self._kind = kind
        self._literals = literals
        self._values = values
        self._text_at = text_at
        self._variable = variable
        fixed, pattern = [""], ""
        for index, value in enumerate(values):
            fixed[-1] += literals[index]
            if index == text_at or index in variable:
                allowed, _, quote = _kind_of(value)
                fixed[-1] += quote
                pattern += (re.escape(fixed[-1]) if pattern else "") + (_TEXT if index == text_at else allowed)
                fixed.append(quote)
            else:
                fixed[-1] += value
        fixed[-1] += literals[-1]
        self._prefix = fixed[0].encode()
        self._suffix = fixed[-1].encode()
        #: Between the last value that differs in one frame and the first one in the next frame.
        self._separator = fixed[-1] + fixed[0]
        #: Matches what is between two separators; None if that is the text alone.
        self._match_between = re.compile(pattern).fullmatch if variable else None

    @classmethod
    def of(cls, frame: SplitFrame, text: str, delta_of: DeltaOf) -> Template | None:
        """The template of a complete frame with this text; None if the position of the text is not found.

        The position is proven: with another string there, `delta_of` gives that string as the text.
        """
        literals, values = frame
        delta = _parsed_delta(literals, values, delta_of)
        for index, value in enumerate(values):
            if delta is not None and _is_string_of(value, text):
                template = cls(delta[1], literals, values, index, set())
                if template._is_proven(values, delta_of):
                    return template
        return None

    def widened(self, frame: SplitFrame, text: str, delta_of: DeltaOf) -> Template | None:
        """A template that this frame matches too; None if it differs in more than values that do not matter."""
        literals, values = frame
        if literals != self._literals or not _is_string_of(values[self._text_at], text):
            return None
        pairs = list(zip(values, self._values, strict=True))
        if any(_kind_of(value) is not _kind_of(old) for value, old in pairs):
            return None
        different = {index for index, (value, old) in enumerate(pairs) if value != old and index != self._text_at}
        wider = Template(self._kind, literals, values, self._text_at, self._variable | different)
        return wider if wider._is_proven(values, delta_of) else None

    def frames(self, text: str, max_event: int) -> list[bytes]:
        """Frames that have this text together, each of at most `max_event` bytes.

        Their variable values are the shortest ones, so a frame with one character is never larger than the one in which the
        character came.
        """
        values = [_kind_of(value)[1][0] if index in self._variable else value for index, value in enumerate(self._values)]
        before, after = values[: self._text_at], values[self._text_at + 1 :]
        empty = _frame(self._literals, [*before, '""', *after])
        size = max(1, (max_event - len(empty)) // MAX_BYTES_PER_CHARACTER)
        strings = (dumps(text[at : at + size], ensure_ascii=False) for at in range(0, len(text), size))
        return [_frame(self._literals, [*before, string, *after]) for string in strings]

    def _is_proven(self, values: list[str], delta_of: DeltaOf) -> bool:
        """Whether the text is in its position, with any values in the variable ones: tried with two examples each."""
        for number in range(2 if self._variable else 1):
            trial = [_kind_of(value)[1][number] if index in self._variable else value for index, value in enumerate(values)]
            trial[self._text_at] = f'"{_PROBE}"'
            if _parsed_delta(self._literals, trial, delta_of) != (_PROBE, self._kind):
                return False
        return True

    def may_begin(self, part: bytes) -> bool:
        """Whether the part may be the beginning of a frame that matches; it has no complete one."""
        if len(part) <= len(self._prefix):
            return self._prefix.startswith(part)
        return len(part) <= MAX_PENDING_BYTES and part.startswith(self._prefix) and BLANK_LINE not in part

    def texts_in(self, block: bytes) -> tuple[list[str], int]:
        """The texts of the frames at the beginning of the block that match, and the end of these frames in bytes."""
        prefix, suffix = self._prefix, self._suffix
        end = block.rfind(suffix)
        if end < len(prefix) or not block.startswith(prefix):
            return [], 0
        try:
            fragments = block[len(prefix) : end].decode().split(self._separator)
        except UnicodeDecodeError:
            return [], 0
        texts = fragments if self._match_between is None else _matched_texts(fragments, self._match_between)
        if not all(texts) or _may_have_escapes("".join(texts)):
            texts = _unescaped(texts)
        if len(texts) == len(fragments):
            return texts, end + len(suffix)
        if not texts:
            return [], 0
        return texts, len(prefix) + len(self._separator.join(fragments[: len(texts)]).encode()) + len(suffix)


def split_values(frame: bytes) -> SplitFrame:
    """A frame as literals and values. A frame that is too large or not UTF-8 gives no values."""
    try:
        text = frame.decode() if len(frame) <= MAX_FRAME_BYTES else ""
    except UnicodeDecodeError:
        text = ""
    literals, values, end = [], [], 0
    for found in _VALUE.finditer(text):
        if found.lastindex is not None:
            literals.append(text[end : found.start()])
            values.append(found[0])
            end = found.end()
    return [*literals, text[end:]], values


def _kind_of(value: str) -> tuple[str, tuple[str, str], str]:
    if value.startswith('"'):
        return _STRING
    return _SPACES if not value.strip(" ") else _NUMBER


def _frame(literals: list[str], values: list[str]) -> bytes:
    return "".join(part for pair in zip(literals, [*values, ""], strict=True) for part in pair).encode()


def _parsed_delta(literals: list[str], values: list[str], delta_of: DeltaOf) -> tuple[str, object] | None:
    frame = _frame(literals, values)
    try:
        parsed = [value for _, value in parse_sse_json([frame], max_event=len(frame))]
    except ProtocolError:
        return None
    return delta_of(parsed[0]) if len(parsed) == 1 else None


def _is_string_of(value: str, text: str) -> bool:
    """Whether the value is a JSON string of this text."""
    return value.startswith('"') and (value[1:-1] == text or ("\\" in value and _unescaped([value[1:-1]]) == [text]))


def _matched_texts(fragments: list[str], match: Callable[[str], re.Match[str] | None]) -> list[str]:
    """The texts, escapes included, up to the first fragment that does not match."""
    texts = []
    for found in map(match, fragments):
        if found is None:
            break
        texts.append(found[1])
    return texts


def _may_have_escapes(text: str) -> bool:
    """Whether the inside of a JSON string may differ from its text, or be invalid."""
    return '"' in text or "\\" in text or not text.isprintable()


def _unescaped(fragments: list[str]) -> list[str]:
    """The texts, up to the first fragment that is not the inside of one complete JSON string, or is empty."""
    texts: list[str] = []
    for fragment in fragments:
        try:
            text, end = _decode(f'"{fragment}"')
        except ValueError as error:
            reraise_from_signal(error)
            break
        if end != len(fragment) + 2 or not text or has_unpaired_surrogate(text):
            break
        texts.append(text)
    return texts
