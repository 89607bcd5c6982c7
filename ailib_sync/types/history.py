"""Messages ↔ plain JSON values that lose nothing: for histories in a file or a database. For OpenAI's form see `message_dicts`.

A message is a dict of its `role`, its `content` and what else it has; a block is a dict of its `type` and its fields. What a
provider wants back (signatures, its own blocks, where a message came from) is kept; fields that hold their default are left
out.
"""

from __future__ import annotations

import dataclasses

from ..errors import ConfigurationError
from .messages import Audio, Document, Image, Message, MessageRole, Opaque, Text, Thinking, ToolResult
from .tools import ToolCall

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from typing import Any

BLOCK_TYPES: Mapping[str, type[Any]] = {
    "text": Text,
    "image": Image,
    "audio": Audio,
    "document": Document,
    "thinking": Thinking,
    "tool_call": ToolCall,
    "tool_result": ToolResult,
    "opaque": Opaque,
}
_TYPE_OF = {cls: name for name, cls in BLOCK_TYPES.items()}


def dump_messages(messages: Iterable[Message]) -> list[dict[str, Any]]:
    """The messages as values that `json.dumps` takes; bytes are base64 text."""
    return [_dump_fields(message) for message in messages]


def load_messages(data: Iterable[Mapping[str, Any]]) -> list[Message]:
    """The messages that `dump_messages` made `data` of. Raises ConfigurationError naming what is wrong and where."""
    if isinstance(data, (str, bytes)) or hasattr(data, "keys"):
        raise ConfigurationError("load_messages takes a list of dicts, as dump_messages gives it; text needs json.loads first")
    return [_load_fields(Message, item, f"message {number}") for number, item in enumerate(data)]


def _dump_fields(value: Any) -> dict[str, Any]:
    dumped: dict[str, Any] = {}
    for field in dataclasses.fields(value):
        held = getattr(value, field.name)
        default = field.default_factory() if field.default_factory is not dataclasses.MISSING else field.default
        if held != default:
            dumped[field.name] = _dump(held, f"{type(value).__name__}.{field.name}")
    return dumped


def _dump(value: Any, where: str) -> Any:
    """A copy made of plain values."""
    if type(value) in _TYPE_OF:
        return {"type": _TYPE_OF[type(value)], **_dump_fields(value)}
    if isinstance(value, MessageRole):
        return value.value
    if isinstance(value, bytes):
        from binascii import b2a_base64

        return b2a_base64(value, newline=False).decode("ascii")
    if hasattr(value, "keys"):
        return {key: _dump(value[key], where) for key in value}
    if isinstance(value, (list, tuple)):
        return [_dump(item, where) for item in value]
    if value is None or isinstance(value, (str, int, float, bool)):
        return value
    raise ConfigurationError(f"{where} holds a {type(value).__name__}, which has no JSON form")


def _load_fields(cls: type[Any], data: Any, where: str) -> Any:
    if not hasattr(data, "keys"):
        raise ConfigurationError(f"{where} must be an object, not {type(data).__name__}")
    fields = {field.name: field for field in dataclasses.fields(cls)}
    values: dict[str, Any] = {}
    for key, held in data.items():
        if key not in fields:
            raise ConfigurationError(f"{where}: {cls.__name__} has no {key!r}; it has {', '.join(fields)}")
        values[key] = _load(held, str(fields[key].type), f"{where}.{key}")
    try:
        return cls(**values)
    except TypeError:
        missing = dataclasses.MISSING
        needed = [f.name for f in fields.values() if f.default is missing and f.default_factory is missing]
        raise ConfigurationError(f"{where}: {cls.__name__} needs {', '.join(needed)}") from None


_KINDS: Mapping[str, type] = {"str": str, "MessageRole": str, "dict": dict, "bool": bool, "list": list, "None": type(None)}


def _load(value: Any, annotation: str, where: str) -> Any:
    """The value for a field, checked against its annotation (`str | None`, `dict[str, Any]`, `str | list[Block]`)."""
    kinds = [kind.partition("[")[0] for kind in annotation.split(" | ")]
    if "bytes" in kinds and isinstance(value, str):
        return _load_bytes(value, where)
    if not isinstance(value, tuple(_KINDS[kind] for kind in kinds if kind in _KINDS)):
        raise ConfigurationError(f"{where} must be {annotation}, not {type(value).__name__}")
    if isinstance(value, list):
        return [_load_block(item, f"{where}[{number}]") for number, item in enumerate(value)]
    return _dump(value, where)


def _load_bytes(text: str, where: str) -> bytes:
    from base64 import b64decode

    try:
        return b64decode(text, validate=True)
    except ValueError:
        raise ConfigurationError(f"{where} is not base64") from None


def _load_block(data: Any, where: str) -> Any:
    name = data.get("type") if hasattr(data, "keys") else None
    if not isinstance(name, str) or name not in BLOCK_TYPES:
        raise ConfigurationError(f"{where}: type must be one of {', '.join(BLOCK_TYPES)}, not {name!r}")
    return _load_fields(BLOCK_TYPES[name], {key: value for key, value in data.items() if key != "type"}, where)
