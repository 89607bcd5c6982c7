"""Usage in streams: several snapshots of the same counts, of which later ones may lack figures. Pure functions."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any


def merged(before: Mapping[str, Any], after: Mapping[str, Any]) -> dict[str, Any]:
    """`before` with the figures of a later snapshot. An absent figure, null or 0 takes nothing back."""
    result = dict(before)
    for key, value in after.items():
        held = result.get(key)
        if isinstance(held, dict) and isinstance(value, dict):
            result[key] = merged(held, value)
        elif value or not held:
            result[key] = value
    return result
