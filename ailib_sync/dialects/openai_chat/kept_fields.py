"""Fields of a response's message that are neither text nor tool calls: kept in `Message.extra`, put together from fragments."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

#: The fields that are kept in `Message.extra` → the quirk that sends them back ("" = they are never sent back).
KEPT: Mapping[str, str] = {
    "reasoning_details": "replay_reasoning_details",
    "thinking_blocks": "replay_thinking_blocks",
    "extra_content": "replay_extra_content",
    "audio": "replay_audio",
    "annotations": "",
    "images": "",
    "citations": "",
    "search_results": "",
}
KEPT_OF_MESSAGE = ("reasoning_details", "thinking_blocks", "extra_content", "audio", "annotations", "images")
KEPT_OF_CHUNK = ("citations", "search_results")

#: The texts that come in fragments, in the entries of a list or in an object.
_FRAGMENTED = ("text", "summary", "data", "thinking", "signature", "transcript")


def keep(kept: dict[str, Any], key: str, value: Any) -> None:
    """Adds the value of one chunk to `kept`. Lists are joined entry by entry, objects key by key."""
    old = kept.get(key)
    if isinstance(value, list):
        kept[key] = _join_lists(old if isinstance(old, list) else [], value)
    elif isinstance(value, dict):
        if any(value.values()):
            kept[key] = _join_objects(old if isinstance(old, dict) else {}, value)
    else:
        kept[key] = value


def _join_lists(old: list[Any], new: list[Any]) -> list[Any]:
    """Appends the new entries. An entry that continues an old one is joined to it."""
    joined = list(old)
    for entry in new:
        position = next((i for i in range(len(old) - 1, -1, -1) if _continues(entry, old[i])), None)
        if position is None:
            joined.append(entry)
        else:
            joined[position] = _join_objects(joined[position], entry)
    return joined


def _continues(entry: Any, old: Any) -> bool:
    """Whether both entries are fragments of one: reasoning of the same type, index and id.

    https://openrouter.ai/docs/use-cases/reasoning-tokens
    """
    if not isinstance(entry, dict) or not isinstance(old, dict):
        return False
    kind = entry.get("type")
    fragmented = isinstance(kind, str) and kind.startswith(("reasoning.", "thinking"))
    new_id, old_id = entry.get("id"), old.get("id")
    same_id = new_id is None or old_id is None or new_id == old_id
    return fragmented and kind == old.get("type") and entry.get("index") == old.get("index") and same_id


def _join_objects(old: dict[str, Any], new: dict[str, Any]) -> dict[str, Any]:
    joined = dict(old)
    for key, value in new.items():
        if key in _FRAGMENTED and isinstance(value, str) and isinstance(joined.get(key), str):
            joined[key] += value
        elif value is not None:
            joined[key] = value
        else:
            joined.setdefault(key, None)
    return joined
