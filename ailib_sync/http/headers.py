"""Header bytes: parses those of a response, renders those of a request. No I/O except `readline`.

http.client uses `email.parser`, which takes as long as the rest of urllib3's work on a response. Here, headers of the form
`name: value`, one per line, are split directly. All others (folded lines, lines without a colon, control characters) still go
to the e-mail parser, so that the result is the same as http.client's.
"""

from __future__ import annotations

import io
from http.client import HTTPException, HTTPMessage, LineTooLong, parse_headers

from urllib3.exceptions import InvalidHeader

from ..errors import printable
from .message import TOKEN_CHARACTERS

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import BinaryIO

#: The limits of http.client.
MAX_LINE_BYTES = 65536
MAX_HEADERS = 100


def parse_head(fp: BinaryIO) -> HTTPMessage:
    """The headers up to the blank line. Raises HTTPException if a line is too long or there are too many headers."""
    lines = []
    while True:
        line = fp.readline(MAX_LINE_BYTES + 1)
        if len(line) > MAX_LINE_BYTES:
            raise LineTooLong("header line")
        if line in (b"\r\n", b"\n", b""):
            break
        lines.append(line)
        if len(lines) > MAX_HEADERS:
            raise HTTPException(f"got more than {MAX_HEADERS} headers")
    return _parse_plain(lines) or parse_headers(io.BytesIO(b"".join([*lines, line])))


def _parse_plain(lines: list[bytes]) -> HTTPMessage | None:
    """The headers, or None if any line is not a name, a colon and a value (RFC 9112 5, RFC 9110 5.5)."""
    message = HTTPMessage()
    for line in lines:
        name, colon, value = line.decode("iso-8859-1").partition(":")
        value = value.strip(" \t\r\n")
        if not colon or not name or not TOKEN_CHARACTERS.issuperset(name) or not value.isprintable():
            return None
        message.set_raw(name, value)
    return message


def lowercase_headers(headers: HTTPMessage) -> dict[str, str]:
    """The headers with names in lower case. Of several with one name the last counts.

    Those about the framing and the connection are joined with ", " instead (RFC 9110 5.3), so that no contradiction is lost.
    """
    fields: dict[str, str] = {}
    for name, value in headers.raw_items():
        name = name.lower()
        if "\n" in value:  # obs-fold (RFC 9112 5.2): replaced by a space
            value = " ".join(value.split())
        if name in fields and name in ("content-length", "transfer-encoding", "connection"):
            value = f"{fields[name]}, {value}"
        fields[name] = value
    return fields


def content_length(fields: Mapping[str, str]) -> int | None:
    """The Content-Length in bytes, None if it is absent or not a number.

    RFC 9112 6.3: a list of equal values counts as one; different values are an error (InvalidHeader).
    """
    text = fields.get("content-length", "")
    if "," in text:
        lengths = {part.strip() for part in text.split(",")}
        if len(lengths) > 1:
            raise InvalidHeader(f"content-length has several values: {printable(text, 100)}")
        (text,) = lengths
    return int(text) if text.isascii() and text.isdigit() else None


def render_headers(headers: Mapping[str, str], length: int) -> bytes:
    """The headers of a request with a body of this length, up to and including the blank line.

    Raises ValueError if a header contains a line break or its name is not a token, so that no value can add a header
    (RFC 9110 5.5), and UnicodeEncodeError for text that is not Latin-1.
    """
    lines = [f"{name}: {value}\r\n" for name, value in headers.items()]
    text = "".join(lines)
    if text.count("\r") != len(lines) or text.count("\n") != len(lines) or not TOKEN_CHARACTERS.issuperset("".join(headers)):
        raise ValueError("a header contains a line break, or its name is not a token")
    return f"Content-Length: {length}\r\n{text}\r\n".encode("latin-1")
