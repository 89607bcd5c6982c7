"""Writes `docs/quirks.md` from quirks.py and the manifests: `python docs/make_quirks.py`. A test compares them."""

from __future__ import annotations

import os
import sys

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
sys.path.insert(0, ROOT)

from ailib_sync.registry.manifest import Manifest, builtin_manifests  # noqa: E402
from ailib_sync.registry.quirks import QUIRKS, TOLERANCES, Quirk  # noqa: E402

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

PAGE = os.path.join(ROOT, "docs", "quirks.md")
HEAD = """\
# Quirks

<!-- Written by docs/make_quirks.py from ailib_sync/registry/quirks.py; do not edit. -->

Deviations of services from their format. A **quirk** is listed in a manifest, for a provider or for some of its models, and
changes rendering or parsing for them only. A **tolerance** is visible in the bytes, so every decoder accepts it for every
provider.

| name | kind | reason | used by |
|---|---|---|---|
"""


def make_page(manifests: list[Manifest]) -> str:
    quirks = [_row(name, "quirk", quirk, _users(name, manifests)) for name, quirk in QUIRKS.items()]
    tolerances = [_row(name, "tolerance", quirk, "any") for name, quirk in TOLERANCES.items()]
    return HEAD + "".join((*quirks, *tolerances))


def _row(name: str, kind: str, quirk: Quirk, users: str) -> str:
    reason = quirk.reason.replace("|", "\\|")
    return f"| `{name}` | {kind} | {reason} [source]({quirk.link}) | {users} |\n"


def _users(quirk: str, manifests: list[Manifest]) -> str:
    """The providers whose manifest lists the quirk, for any model, in any dialect."""
    users = [m.id for m in manifests if any(quirk in part.get("quirks", ()) for part in _parts(m))]
    shown = ", ".join(f"`{user}`" for user in users[:6])
    return shown + (f" and {len(users) - 6} more" if len(users) > 6 else "") or "users' manifests"


def _parts(manifest: Manifest) -> list[dict[str, Any]]:
    own: dict[str, Any] = {"quirks": manifest.quirks}
    formats = [dict(entry) for entry in manifest.dialects.values()]
    tables = (manifest.models, *(entry.get("models", {}) for entry in formats))
    return [own, *formats, *(dict(rule) for table in tables for rule in table.values() if rule)]


def main() -> None:
    with open(PAGE, "w", encoding="utf-8") as file:
        file.write(make_page(list(builtin_manifests())))


if __name__ == "__main__":
    main()
