"""The headers of an answer, read without the e-mail parser where they are plain. No I/O but reading lines.

http.client gives them to `email.parser`, which takes as long as everything else urllib3 does with an answer. Headers that are
not one `name: value` to a line (folded lines, lines without a colon, control characters) still go there, so that nothing is
read otherwise than before.
"""

from __future__ import annotations

import io
from http.client import HTTPException, HTTPMessage, LineTooLong, parse_headers

TYPE_CHECKING = False
if TYPE_CHECKING:
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
