"""Bytes → frames: server-sent events here; NDJSON and AWS event streams beside it. No I/O, and no meaning.

The rules of server-sent events (WHATWG HTML 9.2.5 and 9.2.6, https://html.spec.whatwg.org/multipage/server-sent-events.html):
bytes are UTF-8 with replacement, one leading U+FEFF is dropped; CRLF, LF and CR each end a line, a CR at once; a blank
line dispatches; `:` begins a comment; a field's value loses one leading space; several `data` lines join with LF; a block
without `data` yields nothing; a block that the end of the stream cuts is discarded (but see `is_end_mark`).
"""

from __future__ import annotations

from functools import lru_cache
from itertools import islice

from ..errors import ResponseTooLarge
from ..types.json_values import MAX_DEPTH, is_too_deep
from .json import load_json, scan_once
from .surrogates import Halves

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from typing import Any

BLANK = b"\n\n"
BOM = b"\xef\xbb\xbf"
#: A text shorter than this has not the brackets to be nested too deeply.
SHALLOW = 2 * MAX_DEPTH
#: Frames of one stream after which a faster parser is worth its import.
PLENTY = 1000


def parse_sse(
    chunks: Iterable[bytes], max_event: int, is_end_mark: Callable[[str, str], bool] | None = None
) -> Iterator[tuple[str, str]]:
    """(event name, data) pairs, each as soon as its blank line has arrived.

    A service may leave out the blank line after its last block: where the chunks end with an unfinished block, it is
    yielded only if `is_end_mark(event, data)`. Raises ResponseTooLarge where one event passes `max_event` bytes.
    """
    for block in _sse_blocks(chunks, max_event, is_end_mark):
        frame = _frame(block)
        if frame is not None:
            yield frame


def parse_sse_json(
    chunks: Iterable[bytes], max_event: int, is_end_mark: Callable[[str, str], bool] | None = None
) -> Iterator[tuple[str, Any]]:
    """What `parse_sse` gives, the data parsed; `[DONE]` becomes None, and a frame without data (a keep-alive) is passed over.

    A block as nearly all are, one line of data under a name or none, is taken in one step.
    """
    mend = Halves().mend
    blocks = _sse_blocks(chunks, max_event, is_end_mark)
    yield from _values(islice(blocks, PLENTY), mend, None)
    yield from _values(blocks, mend, _fast_parser())


def _values(
    blocks: Iterable[list[bytes]], mend: Callable[[str, Any], Any], parse: Callable[[bytes], Any] | None
) -> Iterator[tuple[str, Any]]:
    """The blocks parsed with `parse`, which may raise ValueError on what it cannot take, else with json's own scanner."""
    scan = scan_once
    name_line, name = b"", ""
    for block in blocks:
        if len(block) == 1:
            line, event = block[0], "message"
        elif len(block) == 2 and block[0] == name_line:
            line, event = block[1], name
        else:
            line = b""
        if line[:6] == b"data: ":
            try:
                text = line.decode()
                value, end = scan(text, 6) if parse is None else (parse(line[6:]), len(text))
                if end == len(text) and (end < SHALLOW or not is_too_deep(text, value)):
                    yield event, mend(text, value) if "\\" in text else value
                    continue
            except (ValueError, StopIteration, RecursionError):
                pass
        frame = _frame(block)
        if frame is None:
            continue
        event, data = frame
        if len(block) == 2 and block[0].startswith(b"event"):
            name_line, name = block[0], event
        data = data.strip()
        if data == "[DONE]":
            yield event, None
        elif data:
            yield event, mend(data, load_json(data))


def _frame(block: list[bytes]) -> tuple[str, str] | None:
    """The event name and the data of a block's lines, None where it has no data."""
    event, data = b"", []
    for line in block:
        name, _, value = line.partition(b":")
        if name == b"data":
            data.append(value.removeprefix(b" "))
        elif name == b"event":
            event = value.removeprefix(b" ")
    if not data:
        return None
    return event.decode("utf-8", "replace") or "message", b"\n".join(data).decode("utf-8", "replace")


def _sse_blocks(
    chunks: Iterable[bytes], max_event: int, is_end_mark: Callable[[str, str], bool] | None
) -> Iterator[list[bytes]]:
    """The lines of each block, as soon as it has ended. What has not is joined once, so that a huge one costs linear time."""
    pieces: list[bytes] = []
    size = 0
    at_start = True
    for chunk in with_lf(chunks):
        end = chunk.rfind(BLANK) + len(BLANK)  # 1 where it has no blank line: the end of one that began in the chunk before
        if end == 1 and not (pieces and pieces[-1].endswith(b"\n") and chunk.startswith(b"\n")):
            pieces.append(chunk)
            size += len(chunk)
            if size > max_event + 2:  # a line's end on either side
                raise _too_large(max_event)
            continue
        whole = b"".join((*pieces, chunk[:end])) if pieces else chunk[:end]
        size = len(chunk) - end
        pieces = [chunk[end:]] if size else []
        if at_start:
            at_start, whole = False, whole.removeprefix(BOM)
        may_be_too_large = len(whole) > max_event
        block: list[bytes] = []
        for line in whole.split(b"\n"):
            if line:
                block.append(line)
            elif block:
                if may_be_too_large and len(b"\n".join(block)) > max_event:
                    raise _too_large(max_event)
                yield block
                block = []
    if pieces and is_end_mark is not None:
        last = b"".join(pieces).removeprefix(BOM if at_start else b"")
        block = last.strip(b"\n").split(b"\n")
        frame = _frame(block)
        if frame is not None and is_end_mark(*frame):
            yield block


def with_lf(chunks: Iterable[bytes]) -> Iterator[bytes]:
    """The chunks with LF for each line end, without empty ones. A CR is an end at once, an LF behind it is none."""
    after_cr = False
    for chunk in filter(None, chunks):
        if after_cr or b"\r" in chunk:
            if after_cr and chunk.startswith(b"\n"):
                chunk = chunk[1:]
            after_cr = chunk.endswith(b"\r")
            chunk = chunk.replace(b"\r\n", b"\n").replace(b"\r", b"\n")
        if chunk:
            yield chunk


def _too_large(max_event: int) -> ResponseTooLarge:
    return ResponseTooLarge(f"one event of the stream is larger than {max_event} bytes (Limits.event)")


@lru_cache(maxsize=1)
def _fast_parser() -> Callable[[bytes], Any] | None:
    """msgspec's (the optional extra `speed`), which takes half of json's time and gives the same values. (orjson would too, but
    turns whole numbers beyond 64 bits into floats.) Its import takes 20 ms, so only a stream of many frames asks for it."""
    try:
        from msgspec import MsgspecError
        from msgspec.json import Decoder
    except ImportError:
        return None
    decode = Decoder().decode

    def parse(data: bytes) -> Any:
        try:
            return decode(data)
        except MsgspecError:
            raise ValueError from None  # json may still take it (half a surrogate pair), and words the error

    return parse
