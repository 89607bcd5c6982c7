"""The one step that removes secrets from what a service repeats: error bodies, headers, texts of errors. Pure functions.

The secrets of a request are the values of its secret headers. The content of a successful response is never changed.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from re import Pattern

    from ..errors import AiLibError

REDACTED = "<redacted>"
#: A shorter value is no key: it would be found in ordinary text.
SHORTEST_SECRET_CHARACTERS = 4
#: A header whose name contains one of these may contain a key.
_SECRET_WORDS = ("auth", "cookie", "key", "token", "secret", "passw", "credential", "jwt", "signature")
#: The texts of an error that can repeat what a service sent.
_TEXTS = ("message", "body", "error_type", "error_code", "request_id")


def is_secret(name: str) -> bool:
    """Whether a header of this name may contain a key."""
    lower = name.lower()
    return any(word in lower for word in _SECRET_WORDS) and not lower.startswith("idempotency")


def secrets_of(headers: Mapping[str, str], named: Iterable[str] = ()) -> list[str]:
    """The secrets in these headers: the values of those that may contain a key by their name, and of those in `named`.

    A value is split into its words and cookies, so `Bearer KEY` gives KEY; of Basic credentials (RFC 7617), the user and the
    password are secrets too. The longest comes first: one secret can contain another.
    """
    found: set[str] = set()
    for name, value in headers.items():
        if is_secret(name) or name in named:
            scheme, _, credentials = value.rpartition(" ")
            found.update((credentials, *(part.strip().partition("=")[2] for part in value.split(";") if "=" in part)))
            if scheme.lower() == "basic":
                found.update(_basic(credentials))
    return sorted((secret for secret in found if len(secret) >= SHORTEST_SECRET_CHARACTERS), key=len, reverse=True)


def _basic(credentials: str) -> list[str]:
    from binascii import a2b_base64

    try:
        pair = a2b_base64(credentials).decode("utf-8", "replace")
    except ValueError:
        return []
    return [pair, pair.partition(":")[2]]


def redact(text: str, secrets: list[str]) -> str:
    """The text without the secrets, also where they are escaped as in JSON or percent-encoded, or cut by the text's end."""
    for secret in secrets:
        text = _pattern(secret).sub(REDACTED, text)
        text = _without_beginning(text, secret)
    return text


def redact_bytes(raw: bytes, secrets: list[str]) -> bytes:
    """The same for bytes, of which nothing else is changed, be they text or not."""
    if not secrets:
        return raw
    return redact(raw.decode("utf-8", "surrogateescape"), secrets).encode("utf-8", "surrogateescape")


def redact_error(error: AiLibError, secrets: list[str]) -> None:
    """Removes the secrets from the texts of an error. If one is found, the frames that hold the response are dropped too."""
    found = False
    for name in _TEXTS:
        text = getattr(error, name, None)
        if isinstance(text, str):
            complete = error.uncut.get(name, text)
            clean = redact(complete, secrets)
            found = found or clean != complete
            if clean != complete:
                error.replace_text(name, clean)
    error.uncut = {}
    if found:
        error.__context__ = error.__traceback__ = None


def _pattern(secret: str) -> Pattern[str]:
    """Matches the secret with any of its characters written as itself, with a backslash, as \\uXXXX, as %XX or as &#...;."""
    from re import compile, escape

    characters = []
    for character in secret:
        code = ord(character)
        encoded = "".join(f"%{byte:02x}" for byte in character.encode())
        characters.append(rf"(?:\\?{escape(character)}|\\u(?i:{code:04x})|(?i:{encoded})|&#{code};|&#x(?i:{code:x});)")
    return compile("".join(characters))


def _without_beginning(text: str, secret: str) -> str:
    """The text without a beginning of the secret at its end, where it was cut."""
    end = text.removesuffix("…")
    for length in range(min(len(secret) - 1, len(end)), SHORTEST_SECRET_CHARACTERS - 1, -1):
        if end.endswith(secret[:length]):
            return end[:-length] + REDACTED
    return text
