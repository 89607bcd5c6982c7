"""Tool calls of Chat Completions, put together from their fragments, however a host numbers and names them."""

from __future__ import annotations

import json
from zlib import crc32

from ...types.events import PartialToolCall, ToolCallEnded, ToolCallStarted
from ...types.json_values import parse_arguments
from ...types.tools import ToolCall

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from ...types.events import StreamingEvent

_OWN_KEYS = frozenset(("id", "type", "index", "function", "custom"))
_KEYS_OF_A_PIECE = frozenset(("type", "index", "function"))


def calls_are_objects(delta: dict[str, Any]) -> bool:
    """Whether the calls in a delta have the shape that `ToolCalls.read` reads."""
    calls = delta.get("tool_calls") or []
    if not isinstance(calls, list) or not isinstance(delta.get("function_call") or {}, dict):
        return False
    inner = (call.get("custom") or call.get("function") or {} if isinstance(call, dict) else None for call in calls)
    return all(isinstance(function, dict) for function in inner)


def piece_of(fragments: Any) -> tuple[str, int] | None:
    """The text and the index of a lone fragment that brings a piece of a call's arguments and nothing else."""
    if not isinstance(fragments, list) or len(fragments) != 1 or not isinstance(fragments[0], dict):
        return None
    fragment = fragments[0]
    function, index = fragment.get("function"), fragment.get("index")
    if fragment.keys() - _KEYS_OF_A_PIECE or not isinstance(function, dict) or function.get("name"):
        return None
    text = function.get("arguments")
    return (text, index) if isinstance(text, str) and isinstance(index, int) else None


class _Open:
    """A call whose fragments are still coming. `sent` is the id the host gave it, if any."""

    __slots__ = ("arguments", "extra", "id", "name", "pieces", "sent", "started")

    def __init__(self, sent: str | None, id: str) -> None:
        self.sent = sent
        self.id = id
        self.name = ""
        self.pieces: list[str] = []
        self.arguments: dict[str, Any] | None = None
        self.extra: dict[str, Any] = {}
        self.started = False

    @property
    def is_whole(self) -> bool:
        return self.arguments is not None or bool(self.pieces and parse_arguments("".join(self.pieces)) is not None)


class ToolCalls:
    """The calls of one answer. True once there is one.

    A fragment belongs to the call with its index; to a new call where the index is taken by another id and a name comes
    with it, or where a name comes after whole arguments; without an index, to the call with its id, else to the last one.
    """

    __slots__ = ("_by_index", "_calls")

    def __init__(self) -> None:
        self._calls: list[_Open] = []
        self._by_index: dict[int, int] = {}

    def __bool__(self) -> bool:
        return bool(self._calls)

    def read(self, delta: dict[str, Any], answer: str | None) -> list[StreamingEvent]:
        """The events of the calls in a delta or message; `answer` is the answer's id, for ids of our own making."""
        events: list[StreamingEvent] = []
        for fragment in delta.get("tool_calls") or ():
            self._read_fragment(fragment, answer, events)
        legacy = delta.get("function_call")
        if legacy and (legacy.get("name") or legacy.get("arguments")):
            self._read_fragment({"index": 0, "function": legacy}, answer, events)
        return events

    def grow(self, fragments: Any) -> PartialToolCall | None:
        """The event of a fragment that adds a piece of its arguments to a call that has started; None where there is more."""
        text, index = piece_of(fragments) or ("", None)
        at = self._by_index.get(index) if text and index is not None else None
        if at is None or not self._calls[at].started:
            return None
        self._calls[at].pieces.append(text)
        return PartialToolCall(at, text)

    def _read_fragment(self, fragment: dict[str, Any], answer: str | None, events: list[StreamingEvent]) -> None:
        custom = fragment.get("custom")
        function = custom or fragment.get("function") or {}
        name = str(function.get("name") or "")
        at = self._find(fragment, name, answer)
        call = self._calls[at]
        if custom:
            call.extra["type"] = "custom"
        for key, value in fragment.items():
            if key not in _OWN_KEYS and value is not None:
                call.extra[key] = value
        text = _argument_text(function.get("input" if custom else "arguments"), call)
        if text:
            call.pieces.append(text)
        if not call.started and name:
            call.name, call.started = name, True
            events.append(ToolCallStarted(at, call.id, name))
            text = "".join(call.pieces)
        if text and call.started:
            events.append(PartialToolCall(at, text))

    def _find(self, fragment: dict[str, Any], name: str, answer: str | None) -> int:
        """The number of the call a fragment belongs to; a new one where it begins one."""
        index = fragment.get("index")
        id = str(fragment.get("id") or "") or None
        at: int | None = None
        if isinstance(index, int):
            at = self._by_index.get(index)
        elif id:
            at = next((n for n, call in enumerate(self._calls) if call.sent == id), None)
        elif self._calls:
            at = len(self._calls) - 1
        if at is not None and not self._begins_another(self._calls[at], id, name):
            return at
        at = len(self._calls)
        made_up = f"call_{crc32((answer or '').encode('utf-8', 'replace')):08x}_{at}"
        self._calls.append(_Open(id, id or made_up))
        if isinstance(index, int):
            self._by_index[index] = at
        return at

    @staticmethod
    def _begins_another(call: _Open, id: str | None, name: str) -> bool:
        if not name:
            return False
        return id != call.sent if id else call.is_whole

    def end(self, cut: bool, id: str | None) -> list[StreamingEvent]:
        """The ends of all calls. `cut` says that a length limit ended the answer: arguments that had not begun are then
        unknown, not empty."""
        events: list[StreamingEvent] = []
        for at, call in enumerate(self._calls):
            raw = "".join(call.pieces)
            if not call.started:
                events.append(ToolCallStarted(at, call.id, call.name))
            arguments = call.arguments
            if arguments is None and call.extra.get("type") != "custom":
                last = at == len(self._calls) - 1
                arguments = None if cut and last and not raw.strip() else parse_arguments(raw)
            whole = ToolCall(call.id, call.name, arguments, None if call.arguments is not None else raw, extra=call.extra)
            events.append(ToolCallEnded(at, whole))
        return events


def _argument_text(arguments: Any, call: _Open) -> str:
    """A fragment of argument text; an object, which some hosts send whole, is kept as it is."""
    if isinstance(arguments, str):
        return arguments
    if isinstance(arguments, dict):
        call.arguments = arguments
        return json.dumps(arguments, ensure_ascii=False)
    return "" if arguments is None else json.dumps(arguments, ensure_ascii=False)
