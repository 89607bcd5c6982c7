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


class KeptFields:
    """The kept fields so far. Lists are joined entry by entry, objects key by key, in time linear in the response."""

    __slots__ = ("_fields",)

    def __init__(self) -> None:
        self._fields: dict[str, Any] = {}

    def __bool__(self) -> bool:
        return bool(self._fields)

    def replace(self, key: str, value: Any) -> None:
        self._fields[key] = value

    def add(self, key: str, value: Any) -> None:
        """Adds the value of one chunk."""
        old = self._fields.get(key)
        if isinstance(value, list):
            if not isinstance(old, _Entries):
                old = self._fields[key] = _Entries()
            old.add(value)
        elif isinstance(value, dict):
            if any(value.values()):
                if not isinstance(old, _Object):
                    old = self._fields[key] = _Object()
                old.add(value)
        else:
            self._fields[key] = value

    def values(self) -> dict[str, Any]:
        return {key: _value(field) for key, field in self._fields.items()}


class _Object:
    """An object whose texts come in fragments."""

    __slots__ = ("_fields", "_fragments")

    def __init__(self) -> None:
        self._fields: dict[str, Any] = {}
        self._fragments: dict[str, list[str]] = {}

    @property
    def id(self) -> Any:
        return self._fields.get("id")

    def add(self, new: dict[str, Any]) -> None:
        for key, value in new.items():
            if key in _FRAGMENTED and isinstance(value, str) and isinstance(self._fields.get(key), str):
                self._fragments.setdefault(key, []).append(value)
            elif value is not None:
                self._fields[key] = value
                self._fragments.pop(key, None)
            else:
                self._fields.setdefault(key, None)

    def value(self) -> dict[str, Any]:
        joined = {key: self._fields[key] + "".join(fragments) for key, fragments in self._fragments.items()}
        return {**self._fields, **joined}


class _Entries:
    """A list whose entries come in fragments: of reasoning, those with the same type, index and id are one.

    https://openrouter.ai/docs/use-cases/reasoning-tokens
    """

    __slots__ = ("_entries", "_last", "_positions")

    def __init__(self) -> None:
        self._entries: list[Any] = []
        #: (type, index) → the position of the last such entry.
        self._last: dict[tuple[Any, Any], int] = {}
        #: (type, index, id) → the positions of such entries, in order.
        self._positions: dict[tuple[Any, Any, Any], list[int]] = {}

    def add(self, entries: list[Any]) -> None:
        """The entries of one chunk. An entry that continues an earlier one is joined to it; one without an id continues any."""
        # What is found is registered afterwards: entries of one chunk do not continue each other.
        found: list[tuple[tuple[Any, Any], int]] = []
        for entry in entries:
            group = _group_of(entry)
            position = None if group is None else self._find(group, _hashable(entry.get("id")))
            if position is None:
                position = len(self._entries)
                self._entries.append(entry if group is None else _Object())
            if group is not None:
                found.append((group, position))
                self._entries[position].add(entry)
        for group, position in found:
            self._register(group, position)

    def _find(self, group: tuple[Any, Any], id: Any) -> int | None:
        if id is None:
            return self._last.get(group)
        positions = [self._positions.get((*group, same)) for same in (id, None)]
        return max((found[-1] for found in positions if found), default=None)

    def _register(self, group: tuple[Any, Any], position: int) -> None:
        self._last[group] = max(position, self._last.get(group, 0))
        id = _hashable(self._entries[position].id)
        positions = self._positions.setdefault((*group, id), [])
        if positions and positions[-1] == position:
            return
        without_id = self._positions.get((*group, None))
        if id is not None and without_id and without_id[-1] == position:
            without_id.pop()  # its id has come
        positions.append(position)

    def value(self) -> list[Any]:
        return [_value(entry) for entry in self._entries]


def _value(field: Any) -> Any:
    return field.value() if isinstance(field, (_Object, _Entries)) else field


def _group_of(entry: Any) -> tuple[Any, Any] | None:
    """(type, index) of an entry that can be a fragment, None for another."""
    kind = entry.get("type") if isinstance(entry, dict) else None
    if not isinstance(kind, str) or not kind.startswith(("reasoning.", "thinking")):
        return None
    return kind, _hashable(entry.get("index"))


def _hashable(value: Any) -> Any:
    return repr(value) if isinstance(value, (dict, list)) else value
