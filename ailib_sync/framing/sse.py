"""Server-sent events: byte chunks in, (event name, data) pairs out, the data as text or as JSON. No I/O, no meaning.

The rules are those of the WHATWG HTML standard (https://html.spec.whatwg.org/multipage/server-sent-events.html), section 9.2.5
(parsing) and 9.2.6 (interpretation). The fields `id` and `retry` are ignored, because an LLM stream is never resumed. One
deviation: see `is_end_mark`.
"""

from __future__ import annotations

from functools import lru_cache
from itertools import islice

from .._signals import reraise_from_signal
from ..errors import ResponseTooLarge
from ..types.json_values import MAX_DEPTH, is_too_deep
from .json import load_json, scan_once
from .surrogates import SurrogateJoiner

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from typing import Any

BLANK_LINE = b"\n\n"
BYTE_ORDER_MARK = b"\xef\xbb\xbf"
#: A shorter text cannot have enough brackets to be nested too deeply.
CHARACTERS_BEFORE_DEPTH_CHECK = 2 * MAX_DEPTH
#: Frames of one stream after which msgspec (the optional extra `speed`) pays for its import.
FRAMES_BEFORE_MSGSPEC = 1000


def parse_sse(
    chunks: Iterable[bytes], max_event: int, is_end_mark: Callable[[str, str], bool] | None = None
) -> Iterator[tuple[str, str]]:
    """(event name, data) pairs, each as soon as its blank line has arrived.

    A service may leave out the blank line after its last block. If the chunks end with an unfinished block, it is yielded
    only if `is_end_mark(event name, data)`. Raises ResponseTooLarge if one event has more than `max_event` bytes; they are
    those of its lines, line ends between them included.
    """
    for block in _blocks(normalize(chunks), max_event, is_end_mark):
        event = _parse_block(block)
        if event is not None:
            yield event


def parse_sse_json(
    chunks: Iterable[bytes], max_event: int, is_end_mark: Callable[[str, str], bool] | None = None
) -> Iterator[tuple[str, Any]]:
    """The same as `parse_sse`, with the data parsed as JSON: `[DONE]` becomes None, an event without data (a keep-alive) is
    ignored."""
    return parse_normalized_json(normalize(chunks), max_event, is_end_mark)


def parse_normalized_json(
    chunks: Iterable[bytes], max_event: int, is_end_mark: Callable[[str, str], bool] | None = None
) -> Iterator[tuple[str, Any]]:
    """`parse_sse_json` for chunks that `normalize` made."""
    join = SurrogateJoiner().join
    blocks = _blocks(chunks, max_event, is_end_mark)
    yield from _frames(islice(blocks, FRAMES_BEFORE_MSGSPEC), join, None)
    yield from _frames(blocks, join, _msgspec_parser())


def normalize(chunks: Iterable[bytes]) -> Iterator[bytes]:
    """The chunks without the byte order mark, and with LF for each line end; none is empty.

    9.2.5: "Streams must be decoded using the UTF-8 decode algorithm", which removes one leading U+FEFF; and
    `end-of-line = ( cr lf / cr / lf )`. A CR ends its line immediately: an LF that follows it is ignored when it arrives.
    """
    start = b""
    chunks = filter(None, chunks)
    for chunk in chunks:
        start += chunk
        if len(start) >= len(BYTE_ORDER_MARK) or not BYTE_ORDER_MARK.startswith(start):
            break
    start = start.removeprefix(BYTE_ORDER_MARK)
    after_cr = start.endswith(b"\r")
    if start:
        yield start.replace(b"\r\n", b"\n").replace(b"\r", b"\n")
    for chunk in chunks:
        if after_cr or b"\r" in chunk:
            if after_cr and chunk.startswith(b"\n"):
                chunk = chunk[1:]
            after_cr = chunk.endswith(b"\r")
            chunk = chunk.replace(b"\r\n", b"\n").replace(b"\r", b"\n")
        if chunk:
            yield chunk


def _blocks(chunks: Iterable[bytes], max_event: int, is_end_mark: Callable[[str, str], bool] | None) -> Iterator[list[bytes]]:
    """The lines of each block, as soon as its blank line has arrived. The fragments of a block are joined once, so that a huge
    block costs linear time."""
    fragments: list[bytes] = []
    size = 0
    for chunk in chunks:
        # 1 if the chunk has no blank line inside. One that began in the chunk before may still end in this one.
        end = chunk.rfind(BLANK_LINE) + len(BLANK_LINE)
        if end == 1 and not (fragments and fragments[-1].endswith(b"\n") and chunk.startswith(b"\n")):
            fragments.append(chunk)
            size += len(chunk)
            if size > max_event + 2:  # the line end before the block and the one after it
                raise _too_large(max_event)
            continue
        complete = b"".join((*fragments, chunk[:end])) if fragments else chunk[:end]
        size = len(chunk) - end
        fragments = [chunk[end:]] if size else []
        may_be_too_large = len(complete) > max_event
        block: list[bytes] = []
        for line in complete.split(b"\n"):
            if line:
                block.append(line)
            elif block:
                if may_be_too_large and len(b"\n".join(block)) > max_event:
                    raise _too_large(max_event)
                yield block
                block = []
    # 9.2.6: "Once the end of the file is reached, any pending data must be discarded."
    if fragments and is_end_mark is not None:
        block = b"".join(fragments).strip(b"\n").split(b"\n")
        event = _parse_block(block)
        if event is not None and is_end_mark(*event):
            yield block


def _frames(
    blocks: Iterable[list[bytes]], join: Callable[[str, Any], Any], parse: Callable[[bytes], Any] | None
) -> Iterator[tuple[str, Any]]:
    """The blocks parsed with `parse`, which may raise ValueError for what it does not support, or with the scanner of json.

    The hot loop: a block of one line of data, under a name or none, as nearly all are, is parsed in one step.
    """
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
                if end == len(text) and (end < CHARACTERS_BEFORE_DEPTH_CHECK or not is_too_deep(text, value)):
                    yield event, join(text, value) if "\\" in text else value
                    continue
            except (ValueError, StopIteration, RecursionError) as error:
                reraise_from_signal(error)
        parsed = _parse_block(block)
        if parsed is None:
            continue
        event, data = parsed
        if len(block) == 2 and block[0].startswith(b"event"):
            name_line, name = block[0], event
        data = data.strip()
        if data == "[DONE]":
            yield event, None
        elif data:
            yield event, join(data, load_json(data))


def _parse_block(block: list[bytes]) -> tuple[str, str] | None:
    """(event name, data) of a block's lines; None if it has no data."""
    event, data = b"", []
    for line in block:
        # 9.2.6: the field name is what precedes the first ":"; a line that begins with ":" is a comment (an empty name here),
        # a line without ":" is a field with an empty value. "If value starts with a U+0020 SPACE character, remove it".
        name, _, value = line.partition(b":")
        if name == b"data":
            data.append(value.removeprefix(b" "))
        elif name == b"event":
            event = value.removeprefix(b" ")
    if not data:  # 9.2.6: "If the data buffer is an empty string", nothing is dispatched
        return None
    # 9.2.6: several data lines are joined with LF; the event's type is "message" unless the event field is set.
    return event.decode("utf-8", "replace") or "message", b"\n".join(data).decode("utf-8", "replace")


def _too_large(max_event: int) -> ResponseTooLarge:
    return ResponseTooLarge(f"one event of the stream is larger than {max_event} bytes (Limits.event)")


@lru_cache(maxsize=1)
def _msgspec_parser() -> Callable[[bytes], Any] | None:
    """msgspec's parser, which takes half the time of json's and gives the same values. None if msgspec is not installed.

    orjson is as fast, but turns integers beyond 64 bits into floats. The import takes 20 ms, so only a long stream does it.
    """
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
            raise ValueError from None  # json may support it (an unpaired surrogate), and has the better error message

    return parse
