"""How deep JSON from outside may be nested. Values only.

The bound is far below what the interpreter can read, so that all that copies, shows and writes such a value later has room. No
service nests its answers half as deep.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

MAX_DEPTH = 200


def is_too_deep(text: str | bytes, value: Any) -> bool:
    """Whether `value`, read from `text`, is nested deeper than `MAX_DEPTH`. One with few brackets is not looked at further."""
    brackets = text.count("[") + text.count("{") if isinstance(text, str) else text.count(b"[") + text.count(b"{")
    if brackets <= MAX_DEPTH:
        return False
    level = [value]
    for _ in range(MAX_DEPTH):
        inside = [item.values() if isinstance(item, dict) else item for item in level if isinstance(item, (dict, list))]
        if not inside:
            return False
        level = [item for items in inside for item in items]
    return any(isinstance(item, (dict, list)) for item in level)
