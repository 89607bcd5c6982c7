"""Which headers may contain a key, and what the secrets in their values are. Pure functions."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable

REDACTED = "<redacted>"
#: A header may contain a key if its name contains one of these ...
_SECRET_PARTS = ("authoriz", "authent", "auth-", "cookie", "key", "token", "secret", "passw", "credential", "jwt", "signature")
#: ... or one of these words.
_SECRET_WORDS = frozenset(("pass", "pwd", "pw", "bearer", "sig", "sas"))
#: A value after a name (`token=…`) that is shorter is no key: `SignedHeaders=host`.
SHORTEST_KEY_CHARACTERS = 16


def is_secret(name: str) -> bool:
    """Whether a header of this name may contain a key."""
    lower = name.lower().replace("_", "-")
    if lower.startswith("idempotency-"):
        return False
    if lower.endswith("auth") or any(part in lower for part in _SECRET_PARTS):
        return True
    return not _SECRET_WORDS.isdisjoint(lower.split("-"))


def secrets_in(name: str, value: str) -> list[str]:
    """The secrets in a header: `Bearer KEY` gives KEY, a cookie its value, Basic credentials (RFC 7617) user and password."""
    scheme, _, credentials = value.rpartition(" ")
    found = {credentials, _after_name(credentials)}
    if scheme.lower() == "basic":
        found.update(_basic(credentials))
    elif "cookie" in name.lower():
        found.update(cookie.partition("=")[2].strip(' "') for cookie in value.split(";"))
    elif "authorization" not in name.lower():
        found.add(value)
    return sorted(found)


def _basic(credentials: str) -> Iterable[str]:
    from binascii import a2b_base64

    try:
        pair = a2b_base64(credentials).decode("utf-8", "replace")
    except ValueError:
        return ()
    return pair, pair.partition(":")[2]


def _after_name(credentials: str) -> str:
    """KEY of `token=KEY` and `Signature=KEY`; "" for a value that has no name, or is too short for a key."""
    value = credentials.partition("=")[2].strip('"')
    return value if len(value) >= SHORTEST_KEY_CHARACTERS else ""
