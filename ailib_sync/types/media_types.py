"""Media types: the standard name for an alias, and the type of some content. Pure functions."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

#: Names that browsers, operating systems and `mimetypes` use → the name that services accept
#: (https://www.iana.org/assignments/media-types).
ALIASES: Mapping[str, str] = {
    "image/jpg": "image/jpeg",
    "image/pjpeg": "image/jpeg",
    "image/x-png": "image/png",
    "audio/wave": "audio/wav",
    "audio/x-wav": "audio/wav",
    "audio/vnd.wave": "audio/wav",
    "audio/x-pn-wav": "audio/wav",
    "audio/mp3": "audio/mpeg",
    "audio/x-mp3": "audio/mpeg",
    "audio/x-mpeg": "audio/mpeg",
    "audio/x-m4a": "audio/mp4",
    "audio/m4a": "audio/mp4",
    "audio/x-flac": "audio/flac",
    "audio/x-aiff": "audio/aiff",
    "application/x-pdf": "application/pdf",
    "text/x-markdown": "text/markdown",
}
#: How content begins → its media type.
BEGINNINGS: Mapping[bytes, str] = {
    b"\x89PNG\r\n\x1a\n": "image/png",
    b"\xff\xd8\xff": "image/jpeg",
    b"GIF87a": "image/gif",
    b"GIF89a": "image/gif",
    b"%PDF-": "application/pdf",
    b"ID3": "audio/mpeg",
    b"\xff\xfb": "audio/mpeg",
    b"\xff\xf3": "audio/mpeg",
    b"\xff\xf2": "audio/mpeg",
    b"fLaC": "audio/flac",
    b"OggS": "audio/ogg",
    b"II*\0": "image/tiff",
    b"MM\0*": "image/tiff",
}
#: The brand in the first box of an ISO media file (ISO/IEC 14496-12) → its media type. Other brands are videos.
BRANDS: Mapping[bytes, str] = {
    b"heic": "image/heic",
    b"heix": "image/heic",
    b"mif1": "image/heif",
    b"avif": "image/avif",
    b"M4A ": "audio/mp4",
    b"qt  ": "video/quicktime",
}


def standard_name(media_type: str) -> str:
    """The name that services accept; parameters are kept."""
    name, semicolon, parameters = media_type.partition(";")
    alias = ALIASES.get(name.strip().lower())
    return media_type if alias is None else alias + semicolon + parameters


def media_type_of(data: bytes) -> str | None:
    """The media type that the first bytes show; None for other content."""
    if data[:4] == b"RIFF":
        return {b"WEBP": "image/webp", b"WAVE": "audio/wav"}.get(data[8:12])
    if data[4:8] == b"ftyp":
        return BRANDS.get(data[8:12], "video/mp4")
    return next((media_type for beginning, media_type in BEGINNINGS.items() if data.startswith(beginning)), None)
