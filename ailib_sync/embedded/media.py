"""Images, sounds and documents in request bodies → blocks; base64, checked. Pure functions."""

from __future__ import annotations

from re import fullmatch

from ..types.messages import Audio, Document, Image

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any


def decode(data: str) -> bytes | None:
    """The bytes of standard or URL-safe base64 (RFC 4648, sections 4 and 5); None if it is not base64."""
    from binascii import a2b_base64

    standard = data.translate({ord("-"): "+", ord("_"): "/"})
    if len(standard) % 4 or not fullmatch(r"[A-Za-z0-9+/]*={0,2}", standard):
        return None
    return a2b_base64(standard)


def split_data_url(url: str) -> tuple[str, str] | None:
    """(media type, base64 text) of a `data:` URL (RFC 2397); None for any other URL."""
    found = fullmatch(r"data:([\w.+-]+/[\w.+-]+)(?:;[\w=.-]+)*;base64,(.*)", url)
    return (found[1], found[2]) if found else None


def medium(kind: type[Image] | type[Audio] | type[Document], url: str | None, media_type: str | None, data: str | None) -> Any:
    """A block of this kind from a URL, `data:` included, or from base64 text."""
    found = split_data_url(url) if url else None
    if found:
        media_type, data = found
    if data is None:
        return kind(media_type=media_type, url=url or "")
    return kind(media_type=media_type or "application/octet-stream", data=decode(data) or b"")
