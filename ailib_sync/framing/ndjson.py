"""NDJSON: byte chunks in, one JSON value per line out. No I/O, no meaning.

The rules (https://github.com/ndjson/ndjson-spec): section 3.1, UTF-8, and LF ends a line, with an optional CR before it;
section 3.2, a parser may silently ignore empty lines. Here bytes that are not UTF-8 are replaced, one leading U+FEFF is
dropped, and the end of the stream ends a line too.
"""

from __future__ import annotations

from ..errors import ProtocolError, ResponseTooLarge, StreamInterrupted
from .json import load_json
from .sse import BYTE_ORDER_MARK
from .surrogates import SurrogateJoiner

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from typing import Any


def parse_ndjson(chunks: Iterable[bytes], max_event: int) -> Iterator[Any]:
    """The values, each as soon as its line has ended.

    A last line without LF is yielded if it is complete JSON. Raises StreamInterrupted if it is not, ProtocolError for a line
    that is not one JSON value, ResponseTooLarge if a line has more than `max_event` bytes.
    """
    fragments: list[bytes] = []  # of the line that has not ended yet; joined once, so that a huge line costs linear time
    size = 0
    at_start = True
    join = SurrogateJoiner().join
    for chunk in chunks:
        *lines, rest = chunk.split(b"\n")
        if lines and fragments:
            fragments.append(lines[0])
            lines[0] = b"".join(fragments)
            fragments, size = [], 0
        for line in lines:
            if len(line) > max_event:
                raise _too_large(max_event)
            if at_start:
                line, at_start = line.removeprefix(BYTE_ORDER_MARK), False
            if line and not line.isspace():
                text = line.decode("utf-8", "replace")
                yield join(text, load_json(text))
        if rest:
            fragments.append(rest)
            size += len(rest)
            if size > max_event:
                raise _too_large(max_event)
    last = b"".join(fragments)
    if at_start:
        last = last.removeprefix(BYTE_ORDER_MARK)
    if last and not last.isspace():
        text = last.decode("utf-8", "replace")
        yield join(text, _last_value(text))


def _last_value(line: str) -> Any:
    """The value of a line that the end of the stream ended. A line that begins as JSON but does not parse is incomplete."""
    try:
        return load_json(line)
    except ProtocolError:
        if line.lstrip()[:1] in ("{", "["):
            raise StreamInterrupted("the stream ends inside a line") from None
        raise


def _too_large(max_event: int) -> ResponseTooLarge:
    return ResponseTooLarge(f"one line of the stream is larger than {max_event} bytes (Limits.event)")
