"""Tool calls of Chat Completions: put together from fragments, which hosts number and name in different ways."""

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

#: The keys of a call that are read; others are kept in `ToolCall.extra`.
_KEYS_OF_CALL = frozenset(("id", "type", "index", "function", "custom"))
_KEYS_OF_ARGUMENT_FRAGMENT = frozenset(("type", "index", "function"))


def calls_are_objects(delta: dict[str, Any]) -> bool:
    """Whether the calls in a delta have the shape that `ToolCalls.read` reads."""
    calls = delta.get("tool_calls") or []
    if not isinstance(calls, list) or not isinstance(delta.get("function_call") or {}, dict):
        return False
    inner = (call.get("custom") or call.get("function") or {} if isinstance(call, dict) else None for call in calls)
    return all(isinstance(function, dict) for function in inner)


def argument_fragment(calls: Any) -> tuple[str, int] | None:
    """The text and the index where `calls` is one fragment of one call's arguments and nothing else; otherwise None."""
    if not isinstance(calls, list) or len(calls) != 1 or not isinstance(calls[0], dict):
        return None
    call = calls[0]
    function, index = call.get("function"), call.get("index")
    if call.keys() - _KEYS_OF_ARGUMENT_FRAGMENT or not isinstance(function, dict) or function.get("name"):
        return None
    text = function.get("arguments")
    return (text, index) if isinstance(text, str) and isinstance(index, int) else None


class _PendingCall:
    """A call of which more fragments may come. `wire_id` is the id that the host sent, `id` that one or a generated one."""

    __slots__ = ("arguments", "extra", "fragments", "id", "name", "started", "wire_id")

    def __init__(self, wire_id: str | None, id: str) -> None:
        self.wire_id = wire_id
        self.id = id
        self.name = ""
        self.fragments: list[str] = []
        self.arguments: dict[str, Any] | None = None
        self.extra: dict[str, Any] = {}
        self.started = False

    @property
    def has_complete_arguments(self) -> bool:
        if self.arguments is not None:
            return True
        # The last fragment is looked at first, so that arguments in many fragments are not joined for each of them.
        may_be_complete = bool(self.fragments) and self.fragments[-1].rstrip().endswith("}")
        return may_be_complete and parse_arguments("".join(self.fragments)) is not None


class ToolCalls:
    """The calls of one response. True once there is one.

    With an index, a fragment belongs to the call with that index; without one (tolerance tool_index_missing), to the call with
    its id, otherwise to the last call. A fragment with a name begins a new call if the call with its index has another id
    (tolerance tool_index_shared), or if neither has an id and that call's arguments are complete.
    """

    __slots__ = ("_by_id", "_by_index", "_calls")

    def __init__(self) -> None:
        self._calls: list[_PendingCall] = []
        self._by_index: dict[int, int] = {}
        self._by_id: dict[str, int] = {}

    def __bool__(self) -> bool:
        return bool(self._calls)

    def read(self, delta: dict[str, Any], response_id: str | None) -> list[StreamingEvent]:
        """The events of the calls in a delta or message."""
        events: list[StreamingEvent] = []
        for call in delta.get("tool_calls") or ():
            self._read_call(call, response_id, events)
        legacy = delta.get("function_call")  # tolerance legacy_function_call
        if legacy and (legacy.get("name") or legacy.get("arguments")):
            self._read_call({"index": 0, "function": legacy}, response_id, events)
        return events

    def read_fragment(self, calls: Any) -> PartialToolCall | None:
        """The event of one fragment of arguments for a call that has started; None if `calls` has anything else."""
        text, index = argument_fragment(calls) or ("", None)
        number = self._by_index.get(index) if text and index is not None else None
        if number is None or not self._calls[number].started:
            return None
        self._calls[number].fragments.append(text)
        return PartialToolCall(number, text)

    def _read_call(self, wire: dict[str, Any], response_id: str | None, events: list[StreamingEvent]) -> None:
        custom = wire.get("custom")
        function = custom or wire.get("function") or {}
        name = str(function.get("name") or "")
        number = self._number_of(wire, name, response_id)
        call = self._calls[number]
        if custom:
            call.extra["type"] = "custom"
        for key, value in wire.items():
            if key not in _KEYS_OF_CALL and value is not None:
                call.extra[key] = value
        text = _argument_text(function.get("input" if custom else "arguments"), call)
        if text:
            call.fragments.append(text)
        if not call.started and name:
            call.name, call.started = name, True
            events.append(ToolCallStarted(number, call.id, name))
            text = "".join(call.fragments)
        if text and call.started:
            events.append(PartialToolCall(number, text))

    def _number_of(self, wire: dict[str, Any], name: str, response_id: str | None) -> int:
        """The position in `_calls` of the call that a fragment belongs to. A new call is added if the fragment begins one."""
        index = wire.get("index")
        id = str(wire.get("id") or "") or None  # tolerance tool_id_repeated_empty
        number: int | None = None
        if isinstance(index, int):
            number = self._by_index.get(index)
        elif id:
            number = self._by_id.get(id)
        elif self._calls:
            number = len(self._calls) - 1
        if number is not None and not self._begins_another(self._calls[number], id, name):
            return number
        number = len(self._calls)
        # Tolerance tool_id_missing. The response's id keeps generated ids of different responses apart.
        generated = f"call_{crc32((response_id or '').encode('utf-8', 'replace')):08x}_{number}"
        self._calls.append(_PendingCall(id, id or generated))
        if id:
            self._by_id.setdefault(id, number)
        if isinstance(index, int):
            self._by_index[index] = number
        return number

    @staticmethod
    def _begins_another(call: _PendingCall, id: str | None, name: str) -> bool:
        if not name:
            return False
        return id != call.wire_id if id else call.has_complete_arguments

    def end(self, truncated: bool, response_id: str | None) -> list[StreamingEvent]:
        """The ends of all calls. `truncated` means that a length limit ended the response: if the last call has no argument
        text yet, its arguments are unknown, not empty."""
        events: list[StreamingEvent] = []
        for number, call in enumerate(self._calls):
            raw = "".join(call.fragments)
            if not call.started:
                events.append(ToolCallStarted(number, call.id, call.name))
            arguments = call.arguments
            if arguments is None and call.extra.get("type") != "custom":
                last = number == len(self._calls) - 1
                arguments = None if truncated and last and not raw.strip() else parse_arguments(raw)
            made = ToolCall(call.id, call.name, arguments, None if call.arguments is not None else raw, extra=call.extra)
            events.append(ToolCallEnded(number, made))
        return events


def _argument_text(arguments: Any, call: _PendingCall) -> str:
    """A fragment of argument text. An object (tolerance tool_arguments_object) is also kept in the call."""
    if isinstance(arguments, str):
        return arguments
    if isinstance(arguments, dict):
        call.arguments = arguments
        return json.dumps(arguments, ensure_ascii=False)
    return "" if arguments is None else json.dumps(arguments, ensure_ascii=False)
