"""Pictures, sounds and documents as they stand in request bodies → blocks. Refuses base64 that is none."""

from __future__ import annotations

from re import fullmatch

from ..types.messages import Audio, Document, Image

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any


def decode(data: str) -> bytes | None:
    """The bytes behind standard or URL-safe base64; None where it is not base64."""
    from binascii import a2b_base64

    standard = data.translate({ord("-"): "+", ord("_"): "/"})
    if len(standard) % 4 or not fullmatch(r"[A-Za-z0-9+/]*={0,2}", standard):
        return None
    return a2b_base64(standard)


def split_data_url(url: str) -> tuple[str, str] | None:
    """(media type, base64 text) of a `data:` address; None for any other."""
    found = fullmatch(r"data:([\w.+-]+/[\w.+-]+)(?:;[\w=.-]+)*;base64,(.*)", url)
    return (found[1], found[2]) if found else None


def medium(kind: type[Image] | type[Audio] | type[Document], url: str | None, media_type: str | None, data: str | None) -> Any:
    """A block of this kind from an address (`data:` too) or base64 text."""
    found = split_data_url(url) if url else None
    if found:
        media_type, data = found
    if data is None:
        return kind(media_type=media_type, url=url or "")
    return kind(media_type=media_type or "application/octet-stream", data=decode(data) or b"")
