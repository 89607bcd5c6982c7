"""The JSON files of manifests: read, listed, laid over what they extend. Knows nothing of what is in them."""

from __future__ import annotations

import json
import os
from functools import lru_cache

from ..errors import ManifestError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

FOLDER = os.path.join(os.path.dirname(os.path.dirname(__file__)), "manifests")
MAX_BYTES = 1 << 20

_FIRST = frozenset("abcdefghijklmnopqrstuvwxyz0123456789")
_LATER = _FIRST | frozenset("._-")

#: What else stands in the folder.
_OTHERS = frozenset(("schema", "index"))


def is_id(text: str) -> bool:
    """Whether the text can be a provider's id: a file's name that leads nowhere else."""
    return 0 < len(text) <= 64 and text[0] in _FIRST and _LATER.issuperset(text)


def builtin_path(provider: str) -> str | None:
    """The file of the built-in manifest with this id."""
    path = os.path.join(FOLDER, f"{provider}.json")
    return path if is_id(provider) and provider not in _OTHERS and os.path.exists(path) else None


def provider_ids() -> list[str]:
    """The ids of the built-in manifests, sorted."""
    stems = (name[:-5] for name in os.listdir(FOLDER) if name.endswith(".json"))
    return sorted(stem for stem in stems if stem not in _OTHERS)


@lru_cache(maxsize=1)
def index() -> dict[str, Any]:
    """`aliases` (alias → id) and `keys` (environment variable → hosts it may be sent to) of all built-in manifests."""
    return read_json(os.path.join(FOLDER, "index.json"))


def unknown_provider(provider: str) -> ManifestError:
    """The error that names the nearest known ids and aliases."""
    from difflib import get_close_matches

    near = get_close_matches(provider, [*provider_ids(), *index()["aliases"]], 3)
    hint = f"did you mean {' or '.join(near)}?" if near else "`python -m ailib_sync providers` lists the known ones."
    message = f"unknown provider {provider!r}: {hint} A provider of your own needs manifest=… or a file in AILIB_MANIFESTS."
    return ManifestError(message)


def extended(data: Mapping[str, Any], depth: int = 0) -> dict[str, Any]:
    """`data` over the built-in manifest named by its `extends`, objects merged by key; a format or rule of null is left out.

    Aliases, docs and status of the other manifest are not taken over.
    """
    if not hasattr(data, "keys"):
        raise ManifestError(f"a manifest must be a JSON object, not {type(data).__name__}")
    own = dict(data)
    parent = own.pop("extends", None)
    merged: dict[str, Any] = {}
    if parent is not None:
        if not isinstance(parent, str) or depth > 4:
            raise ManifestError(f"extends must name a built-in manifest, not {parent!r}")
        path = builtin_path(parent)
        if path is None:
            raise unknown_provider(parent)
        merged = extended(read_json(path), depth + 1)
        for personal in ("aliases", "docs", "status", "retired"):
            merged.pop(personal, None)
    for key, value in own.items():
        if isinstance(value, dict) and isinstance(merged.get(key), dict):
            value = {**merged[key], **value}
        if key in ("dialects", "models") and isinstance(value, dict):
            value = {name: entry for name, entry in value.items() if entry is not None}
        merged[key] = value
    return merged


def read_json(path: str) -> dict[str, Any]:
    """One JSON object from a file of at most 1 MiB."""
    try:
        with open(path, "rb") as file:
            raw = file.read(MAX_BYTES + 1)
    except OSError as error:
        raise ManifestError(f"{path}: {error.strerror or error}") from None
    if len(raw) > MAX_BYTES:
        raise ManifestError(f"{path}: larger than 1 MiB")
    try:
        data = json.loads(raw, parse_constant=_no_constant)
    except RecursionError:
        raise ManifestError(f"{path}: nested too deeply") from None
    except ValueError as error:
        raise ManifestError(f"{path}: not JSON: {error}") from None
    if not isinstance(data, dict):
        raise ManifestError(f"{path}: must be a JSON object")
    return data


def _no_constant(word: str) -> Any:
    raise ValueError(f"{word} is not JSON")
