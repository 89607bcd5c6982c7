"""The one step that removes secrets from what a service repeats: error bodies, headers, texts of errors. Pure functions.

`Transport.secrets` names the secrets of a request. `redact_error` runs once for each error of a call, before any of its texts
is cut. The content of a successful response is never changed. This module is imported with the first error.

A service may write a secret in another form than it was sent: with the escapes of JSON, of URLs or of HTML, in base64, one form
inside another, or only its beginning. All of these are found.
"""

from __future__ import annotations

import re

from .secret_headers import REDACTED

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Sequence

    from ..errors import AiLibError

    #: A part of a text: where it begins and ends.
    Span = tuple[int, int]

#: A shorter value is no key: it would be found in ordinary text.
SHORTEST_SECRET_CHARACTERS = 4
#: A shorter secret counts only as a whole word: `test` is in `latest`.
WHOLE_WORD_CHARACTERS = 8
#: The beginning of a secret counts if it is this long: the keys of a service share a shorter one (`sk-ant-api03-`) ...
FRAGMENT_CHARACTERS = 16
#: ... or this long, where the text is cut.
CUT_FRAGMENT_CHARACTERS = 8
#: How many escapes can be inside one another: JSON in a string of JSON in a string of JSON.
MAX_ESCAPES = 3
#: The texts of an error that can repeat what a service sent.
_TEXTS = ("message", "body", "error_type", "error_code", "request_id")
#: JSON (RFC 8259, section 7), percent-encoding (RFC 3986, section 2.1), and the characters that HTML escapes.
_ESCAPE = re.compile(
    r"""\\u([0-9a-fA-F]{4}) | \\x([0-9a-fA-F]{2}) | %([0-9a-fA-F]{2}) | &\#[xX]0*([0-9a-fA-F]{1,4});
    | &\#0*([0-9]{1,5}); | \\(["'\\/]) | \\([bfnrt]) | &(amp|lt|gt|quot|apos);""",
    re.VERBOSE,
)
_ENTITIES = {"amp": "&", "lt": "<", "gt": ">", "quot": '"', "apos": "'"}
#: Where a text is cut: at its end or at the mark that `printable` sets, perhaps in the middle of an escape.
_CUT = re.compile(r"(?:\\(?:u[0-9a-fA-F]{0,3}|x[0-9a-fA-F]?)?|%[0-9a-fA-F]?|&\#?[0-9a-zA-Z]{0,5})?(?:…|\Z)")


def redact(text: str, secrets: Iterable[str]) -> str:
    """The text without the secrets, in any form in which they are written."""
    spans = sorted(_spans(text, secrets))
    if not spans:
        return text
    parts: list[str] = []
    at = 0
    for start, end in spans:
        if start >= at:
            parts += (text[at:start], REDACTED)
        at = max(at, end)
    return "".join((*parts, text[at:]))


def redact_error(error: AiLibError, secrets: Collection[str]) -> None:
    """Removes the secrets from the texts of an error.

    The frames and exceptions behind it go too: their values show what the service sent, and more of it than the texts do.
    """
    for name in _TEXTS:
        text = error.uncut.get(name, getattr(error, name, None))
        if isinstance(text, str):
            clean = redact(text, secrets)
            if clean != text:
                error.replace_text(name, clean)
    error.uncut = {}
    error.__cause__ = error.__context__ = error.__traceback__ = None


def _spans(text: str, secrets: Iterable[str]) -> Iterator[Span]:
    """Where the secrets are in the text, as it is and with its escapes resolved, up to MAX_ESCAPES times."""
    forms = {form for secret in secrets if len(secret) >= SHORTEST_SECRET_CHARACTERS for form in _forms(secret)}
    offsets: Sequence[int] = range(len(text) + 1)  # where each character is in the text as given
    for _ in range(MAX_ESCAPES + 1 if forms else 0):
        for form in forms:
            for start, end in _occurrences(text, form):
                yield offsets[start], offsets[end]
        resolved, offsets = _resolved(text, offsets)
        if resolved == text:
            return
        text = resolved


def _forms(secret: str) -> Iterator[str]:
    """The secret, also as resolving its escapes changes it (it may look like one: `%41`), its UTF-8 bytes as Latin-1 (headers,
    percent-encoding), and how it looks inside a text in base64, where three bytes become four characters (RFC 4648, section 4)
    and the secret may begin at any of the three."""
    yield secret
    resolved = secret
    for _ in range(MAX_ESCAPES):
        resolved, _ = _resolved(resolved, range(len(resolved) + 1))
        yield resolved
    if not secret.isascii():
        yield secret.encode().decode("latin-1")
    if len(secret) < FRAGMENT_CHARACTERS:
        return
    from binascii import b2a_base64

    raw = secret.encode()
    for before in range(3):
        encoded = b2a_base64(bytes(before) + raw, newline=False).decode()
        first, last = -(-before * 8 // 6), (before + len(raw)) * 8 // 6  # the characters that the secret alone decides
        yield encoded[first:last]
        yield encoded[first:last].replace("+", "-").replace("/", "_")


def _resolved(text: str, offsets: Sequence[int]) -> tuple[str, Sequence[int]]:
    """The text with its escapes resolved once, and the offsets of its characters."""
    parts: list[str] = []
    moved: list[int] = []
    at = 0
    for escape in _ESCAPE.finditer(text):
        start, end = escape.span()
        parts += (text[at:start], _character(escape))
        moved += offsets[at : start + 1]
        at = end
    return "".join((*parts, text[at:])), [*moved, *offsets[at:]]


def _character(escape: re.Match[str]) -> str:
    *hexadecimal, decimal, plain, control, entity = escape.groups()
    digits = next(filter(None, hexadecimal), None)
    if digits is not None:
        return chr(int(digits, 16))
    if decimal is not None:
        return chr(int(decimal))
    return " " if control is not None else plain or _ENTITIES[entity]


def _occurrences(text: str, secret: str) -> Iterator[Span]:
    """Where the secret is in the text: all of it, a long beginning, or a shorter one where the text is cut."""
    needle = secret[:CUT_FRAGMENT_CHARACTERS]
    at = text.find(needle)
    while at >= 0:
        end = at + len(needle)
        while end - at < len(secret) and text[end : end + 1] == secret[end - at]:
            end += 1
        if end - at == len(secret):
            counts = len(secret) >= WHOLE_WORD_CHARACTERS or _is_word(text, at, end)
        else:
            counts = end - at >= FRAGMENT_CHARACTERS or _CUT.match(text, end) is not None
        if counts:
            yield at, end
        at = text.find(needle, end)


def _is_word(text: str, start: int, end: int) -> bool:
    """Whether no letter, digit or underscore is next to this part of the text."""
    return not re.match(r"\w", text[end : end + 1]) and not re.match(r"\w", text[max(0, start - 1) : start])
