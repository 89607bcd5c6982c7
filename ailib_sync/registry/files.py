"""The JSON files of manifests: reading, listing, `extends`. Does not know their keys."""

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

_FIRST_CHARACTER = frozenset("abcdefghijklmnopqrstuvwxyz0123456789")
_LATER_CHARACTERS = _FIRST_CHARACTER | frozenset("._-")

#: Files in the folder that are not manifests.
_NOT_MANIFESTS = frozenset(("schema", "index"))


def is_id(text: str) -> bool:
    """Whether the text can be a provider's id. It is also a file name, so it must not contain a path separator."""
    return 0 < len(text) <= 64 and text[0] in _FIRST_CHARACTER and _LATER_CHARACTERS.issuperset(text)


def builtin_path(provider: str) -> str | None:
    """The path of the built-in manifest with this id; None if there is none."""
    path = os.path.join(FOLDER, f"{provider}.json")
    return path if is_id(provider) and provider not in _NOT_MANIFESTS and os.path.exists(path) else None


def provider_ids() -> list[str]:
    """The ids of the built-in manifests, sorted."""
    stems = (name[:-5] for name in os.listdir(FOLDER) if name.endswith(".json"))
    return sorted(stem for stem in stems if stem not in _NOT_MANIFESTS)


@lru_cache(maxsize=1)
def index() -> dict[str, Any]:
    """The index of all built-in manifests, written by docs/make_providers.py.

    `aliases`: alias → id. `keys`: environment variable → hosts that its key may be sent to. `variables`: name → environment
    variables.
    """
    return read_json(os.path.join(FOLDER, "index.json"))


def unknown_provider(provider: str) -> ManifestError:
    """The error for an unknown provider, with similar ids and aliases."""
    from difflib import get_close_matches

    near = get_close_matches(provider, [*provider_ids(), *index()["aliases"]], 3)
    hint = f"did you mean {' or '.join(near)}?" if near else "`python -m ailib_sync providers` lists the known ones."
    advice = "For a provider of your own, pass manifest=… or put a file into the folder AILIB_MANIFESTS."
    return ManifestError(f"unknown provider {provider!r}: {hint} {advice}")


def extended(data: Mapping[str, Any], depth: int = 0) -> dict[str, Any]:
    """`data`, merged into the built-in manifest that it `extends`. A dialect, a model rule or an operation of null is removed.

    Objects are merged by key, other values replaced. Aliases, docs, status, `retired`, `base_url_env` and
    `allow_http` are not inherited.
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
        for key in ("aliases", "docs", "status", "retired", "base_url_env", "allow_http"):
            merged.pop(key, None)
    for key, value in own.items():
        # The other keys of `auth` belong to its scheme.
        is_replaced = key == "auth" and "scheme" in value
        if isinstance(value, dict) and isinstance(merged.get(key), dict) and not is_replaced:
            value = {**merged[key], **value}
        if key in ("dialects", "models", "operations") and isinstance(value, dict):
            value = {name: entry for name, entry in value.items() if entry is not None}
        merged[key] = value
    return merged


def read_json(path: str, *, unique_keys: bool = False) -> dict[str, Any]:
    """The JSON object in a file of at most 1 MiB. Raises ManifestError with the path.

    `unique_keys`: a key that is given twice in an object is an error; the first one would be lost silently. For files from
    outside; a test checks ours.
    """
    try:
        with open(path, "rb") as file:
            raw = file.read(MAX_BYTES + 1)
    except OSError as error:
        raise ManifestError(f"{path}: {error.strerror or error}") from None
    if len(raw) > MAX_BYTES:
        raise ManifestError(f"{path}: larger than 1 MiB")
    try:
        data = json.loads(raw, parse_constant=_no_constant, object_pairs_hook=_unique if unique_keys else None)
    except RecursionError:
        raise ManifestError(f"{path}: nested too deeply") from None
    except ValueError as error:
        raise ManifestError(f"{path}: not JSON: {error}") from None
    if not isinstance(data, dict):
        raise ManifestError(f"{path}: must be a JSON object")
    return data


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """The object of these pairs. Raises ValueError for a key that is given twice (RFC 8259 4: names should be unique)."""
    data = dict(pairs)
    if len(data) < len(pairs):
        keys = [key for key, _ in pairs]
        raise ValueError(f"the key {next(key for key in keys if keys.count(key) > 1)!r} is given twice")
    return data


def _no_constant(word: str) -> Any:
    raise ValueError(f"{word} is not JSON")
