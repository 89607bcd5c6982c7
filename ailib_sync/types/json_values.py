"""Untrusted JSON values: objects, texts, counts, tool arguments, `data:` URLs. Pure functions.

The only place of these rules, so that every dialect and every message format of users reads a value in the same way.
"""

from __future__ import annotations

import json

from .._signals import reraise_from_signal

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

#: Nesting levels allowed in untrusted JSON. Far below the interpreter's recursion limit, so that code which later copies,
#: prints or serializes such a value does not exceed it. No service nests its responses half as deep.
MAX_DEPTH = 200


def is_too_deep(text: str | bytes, value: Any) -> bool:
    """Whether `value`, parsed from `text`, has more than `MAX_DEPTH` levels. Text with few brackets needs no walk."""
    brackets = text.count("[") + text.count("{") if isinstance(text, str) else text.count(b"[") + text.count(b"{")
    if brackets <= MAX_DEPTH:
        return False
    level = [value]
    for _ in range(MAX_DEPTH):
        inside = [item.values() if isinstance(item, dict) else item for item in level if isinstance(item, (dict, list))]
        if not inside:
            return False
        level = [item for items in inside for item in items]
    return any(isinstance(item, (dict, list)) for item in level)


def child(parent: Mapping[str, Any], key: str) -> dict[str, Any]:
    """The JSON object under `key`; {} if there is none."""
    value = parent.get(key)
    return value if isinstance(value, dict) else {}


def children(parent: Mapping[str, Any], key: str) -> list[dict[str, Any]]:
    """The JSON objects in the list under `key`; other items are ignored."""
    return objects(parent.get(key))


def objects(value: Any) -> list[dict[str, Any]]:
    """The JSON objects in a list; other items are ignored. [] if `value` is not a list."""
    return [item for item in value if isinstance(item, dict)] if isinstance(value, list) else []


def text_of(value: Any) -> str:
    """The value if it is text, otherwise ""."""
    return value if isinstance(value, str) else ""


def text_or_none(value: Any) -> str | None:
    """The value if it is text, otherwise None."""
    return value if isinstance(value, str) else None


def required_text(value: Any) -> str:
    """The value, which must be text. Raises TypeError, which dialects turn into a ProtocolError."""
    if isinstance(value, str):
        return value
    raise TypeError


def word(value: Any) -> str | None:
    """A short text (an id, a reason, a model's name). A number becomes its text; anything else is None."""
    if isinstance(value, str):
        return value
    return str(value) if isinstance(value, (int, float)) and not isinstance(value, bool) else None


#: More tokens than any model, batch or account can use; a larger figure is an error of the service.
MAX_COUNT = 10**12


def count(value: Any) -> int | None:
    """A number of tokens. JSON has one number type, so 12.0 is 12 (RFC 8259, section 6). Anything else is None, also a negative
    or an absurd number."""
    if value is None:
        return None  # most often
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    return value if isinstance(value, int) and not isinstance(value, bool) and 0 <= value <= MAX_COUNT else None


def total(*counts: Any) -> int | None:
    """The sum of the values that are numbers of tokens; None if none is."""
    known = [number for value in counts if (number := count(value)) is not None]
    return sum(known) if known else None


def total_if_known(*counts: int | None) -> int | None:
    """The sum of the counts; None if one of them is None."""
    known = [number for number in counts if number is not None]
    return sum(known) if len(known) == len(counts) else None


def parse_arguments(raw: str) -> dict[str, Any] | None:
    """A tool call's argument text as an object. "" is {} (a call without arguments); None where it is not a JSON object."""
    if not raw.strip():
        return {}
    try:
        value = json.loads(raw)
    except (ValueError, RecursionError) as error:
        reraise_from_signal(error)
        return None
    if not isinstance(value, dict) or is_too_deep(raw, value):
        return None
    return repaired(value) if may_have_surrogates(raw) else value


def may_have_surrogates(raw: str | bytes) -> bool:
    """Whether a JSON text has an escape of a surrogate (`\\ud83d`), paired or not."""
    return ("\\ud" in raw or "\\uD" in raw) if isinstance(raw, str) else (b"\\ud" in raw or b"\\uD" in raw)


def may_have_unpaired_surrogates(raw: bytes) -> bool:
    """Whether a JSON text may have a surrogate without its pair: as an escape, or encoded by itself (RFC 3629 3 forbids it)."""
    if b"\xed" in raw:  # the first byte of an encoded surrogate, and of Korean syllables
        try:
            raw.decode()
        except UnicodeDecodeError:
            return True
    if b"\\ud" not in raw and b"\\uD" not in raw:
        return False
    if b"\\\\u" in raw:
        return True  # after an escaped backslash, `ud83d` is not an escape
    # A high surrogate (d800 to dbff) is followed by three more characters and a low one (dc00 to dfff).
    is_low = False
    for half in raw.lower().split(b"\\ud")[1:]:
        if (half[:1] >= b"c") is not is_low:
            return True
        is_low = not is_low
        if is_low and len(half) != 3:
            return True
    return is_low


def has_unpaired_surrogate(text: str) -> bool:
    """Whether UTF-8 cannot encode the text."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return True
    return False


def repaired(value: Any) -> Any:
    """A JSON value without unpaired surrogates. RFC 8259 8.2 allows them in JSON, but text that is sent cannot contain them. A
    server that cuts by UTF-16 code units leaves one at the end of a text."""
    if isinstance(value, dict):
        return {repaired(key): repaired(inner) for key, inner in value.items()}
    if isinstance(value, list):
        return [repaired(inner) for inner in value]
    if isinstance(value, str) and has_unpaired_surrogate(value):
        return value.encode("utf-16", "surrogatepass").decode("utf-16", "ignore")
    return value


def parse_data_url(url: str, *, base64_only: bool = False) -> tuple[str, bytes] | None:
    """(media type, bytes) of a `data:` URL; None for any other URL. Raises ValueError if its data cannot be decoded.

    RFC 2397: the media type may be absent (text/plain); the data is base64 or percent-encoded. RFC 3986, section 3.1: the case
    of the scheme does not matter.
    """
    if url[:5].lower() != "data:":
        return None
    head, comma, body = url[5:].partition(",")
    if not comma:
        raise ValueError("the data: URL has no comma before its data")
    media_type = head.partition(";")[0] or "text/plain"
    if head.lower().endswith(";base64"):
        try:
            return media_type, parse_base64(body)
        except ValueError:
            raise ValueError("the data: URL is not base64") from None
    if base64_only:
        raise ValueError("the data: URL is not base64")
    from urllib.parse import unquote_to_bytes

    return media_type, unquote_to_bytes(body)


def parse_base64(value: Any) -> bytes:
    """The bytes of base64 text. Raises ValueError if it is not base64."""
    from base64 import b64decode

    try:
        return b64decode(value, validate=True)
    except (ValueError, TypeError):
        raise ValueError("the data is not base64") from None
