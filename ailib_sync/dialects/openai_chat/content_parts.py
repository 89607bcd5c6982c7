"""What stands in a message of Chat Completions beside text and calls: thinking in parts, and what is kept for the way back."""

from __future__ import annotations

from ...types.events import ThinkingDelta
from ...types.json_values import word

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

#: What an answer's message may hold beside text and calls, kept in `Message.extra` → the quirk that sends it back
#: ("" = it is only for the caller to read).
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


def keep(kept: dict[str, Any], key: str, value: Any) -> None:
    """Adds what a chunk holds: fragments of lists join entry by entry, fragments of objects key by key."""
    old = kept.get(key)
    if isinstance(value, list):
        kept[key] = _joined_entries(old if isinstance(old, list) else [], value)
    elif isinstance(value, dict):
        if any(value.values()):
            kept[key] = _joined_objects(old if isinstance(old, dict) else {}, value)
    else:
        kept[key] = value


def text_of_details(details: Any) -> str:
    if not isinstance(details, list):
        return ""
    return "".join(str(entry.get("text") or entry.get("summary") or "") for entry in details if isinstance(entry, dict))


def thinking_of_part(part: dict[str, Any]) -> ThinkingDelta:
    """Mistral's `thinking` part or Databricks' `reasoning` part."""
    inner = part.get("summary" if part["type"] == "reasoning" else "thinking")
    pieces = inner if isinstance(inner, list) else [inner]
    entries = [piece if isinstance(piece, dict) else {"text": piece} for piece in pieces]
    text = "".join(str(entry.get("text") or "") for entry in entries)
    signature = part.get("signature") or next((entry["signature"] for entry in entries if entry.get("signature")), None)
    extra = {key: value for key, value in part.items() if key not in ("thinking", "summary", "signature")}
    return ThinkingDelta(text, word(signature), extra=extra)


def _joined_entries(old: list[Any], new: list[Any]) -> list[Any]:
    """A list whose entries come in fragments: a fragment goes on with the entry of its type and index, if one came before."""
    joined = list(old)
    for entry in new:
        at = next((i for i in range(len(old) - 1, -1, -1) if _continues(entry, old[i])), None)
        if at is None:
            joined.append(entry)
        else:
            joined[at] = _joined_objects(joined[at], entry)
    return joined


def _continues(entry: Any, old: Any) -> bool:
    if not isinstance(entry, dict) or not isinstance(old, dict):
        return False
    kind = entry.get("type")
    fragments = isinstance(kind, str) and kind.startswith(("reasoning.", "thinking"))
    new_id, old_id = entry.get("id"), old.get("id")
    same_id = new_id is None or old_id is None or new_id == old_id
    return fragments and kind == old.get("type") and entry.get("index") == old.get("index") and same_id


_PIECES = ("text", "summary", "data", "thinking", "signature", "transcript")


def _joined_objects(old: dict[str, Any], new: dict[str, Any]) -> dict[str, Any]:
    joined = dict(old)
    for key, value in new.items():
        if key in _PIECES and isinstance(value, str) and isinstance(joined.get(key), str):
            joined[key] += value
        elif value is not None:
            joined[key] = value
        else:
            joined.setdefault(key, None)
    return joined
