"""NDJSON: byte chunks in, one JSON value a line out. No I/O, and no meaning.

The rules (https://github.com/ndjson/ndjson-spec): UTF-8 (with replacement here, one leading U+FEFF dropped); LF ends a line,
a CR before it is white space; blank lines are passed over; the end of the stream ends a line too.
"""

from __future__ import annotations

from ..errors import ProtocolError, ResponseTooLarge, StreamInterrupted
from .json import load_json
from .sse import BOM
from .surrogates import Halves

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from typing import Any


def parse_ndjson(chunks: Iterable[bytes], max_event: int) -> Iterator[Any]:
    """The values, each as soon as its line has ended.

    A last line without LF counts where it is whole and raises StreamInterrupted where it was cut. Raises ProtocolError for a
    line that is not one JSON value, ResponseTooLarge where a line passes `max_event` bytes.
    """
    pieces: list[bytes] = []  # of the line that has not ended yet, joined once, so that a huge line costs linear time
    size = 0
    at_start = True
    mend = Halves().mend
    for chunk in chunks:
        *lines, rest = chunk.split(b"\n")
        if lines and pieces:
            pieces.append(lines[0])
            lines[0] = b"".join(pieces)
            pieces, size = [], 0
        for line in lines:
            if len(line) > max_event:
                raise _too_long(max_event)
            if at_start:
                line, at_start = line.removeprefix(BOM), False
            if line and not line.isspace():
                text = line.decode("utf-8", "replace")
                yield mend(text, load_json(text))
        if rest:
            pieces.append(rest)
            size += len(rest)
            if size > max_event:
                raise _too_long(max_event)
    last = b"".join(pieces)
    if at_start:
        last = last.removeprefix(BOM)
    if last and not last.isspace():
        text = last.decode("utf-8", "replace")
        yield mend(text, _last_value(text))


def _last_value(line: str) -> Any:
    """The value of a line that the end of the stream ended; what begins like one and is none was cut."""
    try:
        return load_json(line)
    except ProtocolError:
        if line.lstrip()[:1] in ("{", "["):
            raise StreamInterrupted("the stream ends inside a line") from None
        raise


def _too_long(max_event: int) -> ResponseTooLarge:
    return ResponseTooLarge(f"one line of the stream is larger than {max_event} bytes (Limits.event)")
