"""Server-sent events read slowly, rule by rule, from the whole of the bytes: what the fast decoder is held against.

https://html.spec.whatwg.org/multipage/server-sent-events.html#event-stream-interpretation, one step of it a line here.
"""

from __future__ import annotations


def events_of(raw: bytes) -> list[tuple[str, str]]:
    """(event name, data) of every block that a blank line ended."""
    text = raw.decode("utf-8", "replace")
    if text.startswith("\ufeff"):
        text = text[1:]
    found: list[tuple[str, str]] = []
    event, data, seen = "", "", False
    for line in lines_of(text):
        if line == "":
            if seen:
                found.append((event or "message", data[:-1]))
            event, data, seen = "", "", False
        elif line[0] == ":":
            continue
        else:
            name, value = (line[: line.index(":")], line[line.index(":") + 1 :]) if ":" in line else (line, "")
            if value.startswith(" "):
                value = value[1:]
            if name == "event":
                event = value
            elif name == "data":
                data += value + "\n"
                seen = True
    return found


def lines_of(text: str) -> list[str]:
    """The lines that have an end: CRLF, LF or CR. What follows the last end is no line."""
    lines: list[str] = []
    line = ""
    at = 0
    while at < len(text):
        if text[at] == "\r":
            lines.append(line)
            line = ""
            at += 2 if text[at + 1 : at + 2] == "\n" else 1
        elif text[at] == "\n":
            lines.append(line)
            line = ""
            at += 1
        else:
            line += text[at]
            at += 1
    return lines
