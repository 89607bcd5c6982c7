"""Bytes → frames: server-sent events here; NDJSON and AWS event streams beside it. No I/O, and no meaning.

The rules of server-sent events (WHATWG HTML 9.2.5 and 9.2.6, https://html.spec.whatwg.org/multipage/server-sent-events.html):
bytes are UTF-8 with replacement, one leading U+FEFF is dropped; CRLF, LF and CR each end a line, a CR at once; a blank
line dispatches; `:` begins a comment; a field's value loses one leading space; several `data` lines join with LF; a block
without `data` yields nothing; a block that the end of the stream cuts is discarded (but see `is_end_mark`).
"""

from __future__ import annotations

import json
from codecs import getincrementaldecoder
from functools import lru_cache
from itertools import islice

from .errors import ProtocolError, ResponseTooLarge
from .nesting import MAX_DEPTH, is_too_deep
from .torn import Halves

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from typing import Any

MAX_EVENT = 16 << 20
#: A text shorter than this has not the brackets to be nested too deeply.
SHALLOW = 2 * MAX_DEPTH
#: Frames of one stream after which a faster parser is worth its import.
PLENTY = 1000


def parse_sse(
    chunks: Iterable[bytes], is_end_mark: Callable[[str, str], bool] | None = None, max_event: int = MAX_EVENT
) -> Iterator[tuple[str, str]]:
    """(event name, data) pairs, each as soon as its blank line has arrived.

    A service may leave out the blank line after its last block: where the chunks end with an unfinished block, it is
    yielded only if `is_end_mark(event, data)`. Raises ResponseTooLarge where one event passes `max_event` characters.
    """
    event = ""
    data: list[str] = []
    size = 0
    for lines in _sse_lines(chunks, max_event):
        for line in lines:
            if line:
                if line.startswith("data: "):
                    name, value = "data", line[6:]
                elif line.startswith("event: "):
                    event = line[7:]
                    continue
                else:
                    name, _, value = line.partition(":")
                    value = value.removeprefix(" ")
                if name == "data":
                    size += len(value)
                    if size > max_event:
                        raise ResponseTooLarge(f"one event of the stream is larger than {max_event} characters")
                    data.append(value)
                elif name == "event":
                    event = value
            else:
                if data:
                    joined = data[0] if len(data) == 1 else "\n".join(data)
                    data = []
                    yield event or "message", joined
                event, size = "", 0
    if data and is_end_mark is not None:
        joined = "\n".join(data)
        if is_end_mark(event or "message", joined):
            yield event or "message", joined


def _sse_lines(chunks: Iterable[bytes], limit: int) -> Iterator[list[str]]:
    """The lines that each chunk completes, without their ends; a last line that has no end is yielded too.

    The pieces of a line are kept in a list and joined once, so that a huge line costs linear time.
    """
    decode = getincrementaldecoder("utf-8")("replace").decode
    pieces: list[str] = []
    size = 0
    at_start, after_cr = True, False
    for chunk in chunks:
        text = decode(chunk)
        if not text:
            continue
        if at_start:
            at_start = False
            if text[0] == "\ufeff":
                text = text[1:]
        if after_cr and text[:1] == "\n":
            text = text[1:]
        after_cr = text[-1:] == "\r"
        if "\r" in text:
            text = text.replace("\r\n", "\n").replace("\r", "\n")
        lines = text.split("\n")
        rest = lines.pop()
        if lines:
            if pieces:
                pieces.append(lines[0])
                lines[0] = "".join(pieces)
                pieces = []
            size = 0
            yield lines
        if rest:
            pieces.append(rest)
            size += len(rest)
            if size > limit:
                raise ResponseTooLarge(f"one line of the stream is larger than {limit} characters")
    pieces.append(decode(b"", True))
    if any(pieces):
        yield ["".join(pieces)]


def decode_json(frames: Iterable[tuple[str, str]]) -> Iterator[tuple[str, Any]]:
    """Each frame with its data parsed; `[DONE]` becomes None, and a frame without data (a keep-alive) is passed over."""
    mend = Halves().mend
    frames = iter(frames)
    yield from _parsed(islice(frames, PLENTY), mend, None)
    yield from _parsed(frames, mend, _fast_parser())


def _parsed(
    frames: Iterable[tuple[str, str]], mend: Callable[[str, Any], Any], parse: Callable[[str], Any] | None
) -> Iterator[tuple[str, Any]]:
    """The frames parsed with `parse`, which may raise ValueError on what it cannot take, else with json's own scanner."""
    for event, data in frames:
        try:
            value, end = _scan(data, 0) if parse is None else (parse(data), len(data))
            if end == len(data) and (end < SHALLOW or not is_too_deep(data, value)):
                yield event, mend(data, value) if "\\u" in data else value
                continue
        except (ValueError, StopIteration, RecursionError):
            pass
        data = data.strip()
        if data == "[DONE]":
            yield event, None
        elif data:
            yield event, mend(data, load_json(data))


@lru_cache(maxsize=1)
def _fast_parser() -> Callable[[str], Any] | None:
    """msgspec's (the optional extra `speed`), which takes half of json's time and gives the same values. (orjson would too, but
    turns whole numbers beyond 64 bits into floats.) Its import takes 20 ms, so only a stream of many frames asks for it."""
    try:
        from msgspec import MsgspecError
        from msgspec.json import Decoder
    except ImportError:
        return None
    decode = Decoder().decode

    def parse(text: str) -> Any:
        try:
            return decode(text)
        except MsgspecError:
            raise ValueError from None  # json may still take it (half a surrogate pair), and words the error

    return parse


def load_json(text: str | bytes) -> Any:
    """JSON by the letter: no NaN, and any depth or number that Python cannot take is a ProtocolError too."""
    try:
        if isinstance(text, bytes):
            text = text.decode(json.detect_encoding(text), "surrogatepass")
        value = _decode(text)
        deep = is_too_deep(text, value)
    except RecursionError:
        deep = True
    except ValueError as error:
        shown = text[:2000] if isinstance(text, str) else text[:2000].decode("utf-8", "replace")
        raise ProtocolError(f"the answer is not JSON: {error}", body=shown) from None
    if deep:
        raise ProtocolError(f"the answer's JSON is nested deeper than {MAX_DEPTH} levels")
    return value


def whole_json(text: str) -> Any:
    """The JSON of a text that may be cut; None where it is."""
    try:
        return load_json(text)
    except ProtocolError:
        return None


def _no_constant(word: str) -> Any:
    raise ValueError(f"{word} is not JSON")


#: json.loads makes a decoder anew at each call, where it is told anything.
_decoder = json.JSONDecoder(parse_constant=_no_constant)
_decode = _decoder.decode
# raw_decode without its error text. The attribute has been there since Python 3.0; typeshed does not know it.
_scan: Callable[[str, int], tuple[Any, int]] = vars(_decoder)["scan_once"]
