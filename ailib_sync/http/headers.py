"""Headers and bytes: an answer's read, without the e-mail parser where they are plain, a request's written. No I/O but lines.

http.client gives them to `email.parser`, which takes as long as everything else urllib3 does with an answer. Headers that are
not one `name: value` to a line (folded lines, lines without a colon, control characters) still go there, so that nothing is
read otherwise than before.
"""

from __future__ import annotations

import io
from http.client import HTTPException, HTTPMessage, LineTooLong, parse_headers

from urllib3.exceptions import InvalidHeader

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import BinaryIO

#: http.client's own bounds.
MAX_LINE = 65536
MAX_HEADERS = 100
_NAME = frozenset("!#$%&'*+-.^_`|~0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ")


def parse_head(fp: BinaryIO) -> HTTPMessage:
    """The headers up to the blank line. Raises HTTPException where a line is too long, or there are too many."""
    lines = []
    while True:
        line = fp.readline(MAX_LINE + 1)
        if len(line) > MAX_LINE:
            raise LineTooLong("header line")
        if line in (b"\r\n", b"\n", b""):
            break
        lines.append(line)
        if len(lines) > MAX_HEADERS:
            raise HTTPException(f"got more than {MAX_HEADERS} headers")
    return _plain(lines) or parse_headers(io.BytesIO(b"".join([*lines, line])))


def _plain(lines: list[bytes]) -> HTTPMessage | None:
    """The headers, None where a line is more, or less, than a name and a value."""
    message = HTTPMessage()
    for line in lines:
        name, colon, value = line.decode("iso-8859-1").partition(":")
        value = value.strip(" \t\r\n")
        if not colon or not name or not _NAME.issuperset(name) or not value.isprintable():
            return None
        message.set_raw(name, value)
    return message


def fields_of(headers: HTTPMessage) -> dict[str, str]:
    """The headers by their names in lower case. Of several alike the last counts, but what frames the body is joined."""
    fields: dict[str, str] = {}
    for name, value in headers.raw_items():
        name = name.lower()
        if "\n" in value:  # a folded line
            value = " ".join(value.split())
        if name in fields and name in ("content-length", "transfer-encoding"):
            value = f"{fields[name]}, {value}"
        fields[name] = value
    return fields


def length_of(fields: Mapping[str, str]) -> int | None:
    """The length that the headers name; None where it is none. Raises InvalidHeader where they name several (RFC 9112 6.3)."""
    text = fields.get("content-length", "")
    if "," in text:
        lengths = {part.strip() for part in text.split(",")}
        if len(lengths) > 1:
            raise InvalidHeader(f"content-length has several values: {text[:100]}")
        (text,) = lengths
    return int(text) if text.isascii() and text.isdigit() else None


def render_fields(headers: Mapping[str, str], length: int) -> bytes:
    """The headers of a request whose body has this length, to their blank line. Raises ValueError where one is not a line."""
    lines = [f"{name}: {value}\r\n" for name, value in headers.items()]
    text = "".join(lines)
    if text.count("\r") != len(lines) or text.count("\n") != len(lines) or not _NAME.issuperset("".join(headers)):
        raise ValueError("a header is not one line of a name and a value")
    return f"Content-Length: {length}\r\n{text}\r\n".encode("latin-1")
