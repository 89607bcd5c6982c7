"""Messages ↔ JSON values, without loss: for histories in a file or a database. OpenAI's form is in `openai_messages`.

A message is a dict of its fields; a block is a dict of its `type` and its fields. Fields with their default value are omitted.
Signatures, provider-specific blocks and the origin of a message are kept.
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
    """The messages as values for `json.dumps`; bytes become base64 text."""
    return [_dump_fields(message) for message in messages]


def load_messages(data: Iterable[Mapping[str, Any]]) -> list[Message]:
    """The messages from the result of `dump_messages`. Raises ConfigurationError with the path and the problem."""
    if isinstance(data, (str, bytes)) or hasattr(data, "keys"):
        raise ConfigurationError("load_messages needs a list of dicts, as from dump_messages; parse text with json.loads first")
    return [_load_fields(Message, item, f"message {number}") for number, item in enumerate(data)]


def _dump_fields(value: Any) -> dict[str, Any]:
    dumped: dict[str, Any] = {}
    for field in dataclasses.fields(value):
        current = getattr(value, field.name)
        default = field.default_factory() if field.default_factory is not dataclasses.MISSING else field.default
        if current != default:
            dumped[field.name] = _dump(current, f"{type(value).__name__}.{field.name}")
    return dumped


def _dump(value: Any, path: str) -> Any:
    """A deep copy of JSON values only."""
    if type(value) in _TYPE_OF:
        return {"type": _TYPE_OF[type(value)], **_dump_fields(value)}
    if isinstance(value, MessageRole):
        return value.value
    if isinstance(value, bytes):
        from binascii import b2a_base64

        return b2a_base64(value, newline=False).decode("ascii")
    if hasattr(value, "keys"):
        return {key: _dump(value[key], path) for key in value}
    if isinstance(value, (list, tuple)):
        return [_dump(item, path) for item in value]
    if value is None or isinstance(value, (str, int, float, bool)):
        return value
    raise ConfigurationError(f"{path} contains a {type(value).__name__}, which cannot be JSON")


def _load_fields(cls: type[Any], data: Any, path: str) -> Any:
    if not hasattr(data, "keys"):
        raise ConfigurationError(f"{path} must be an object, not {type(data).__name__}")
    fields = {field.name: field for field in dataclasses.fields(cls)}
    values: dict[str, Any] = {}
    for key, item in data.items():
        if key not in fields:
            raise ConfigurationError(f"{path}: {cls.__name__} has no field {key!r}; its fields are {', '.join(fields)}")
        values[key] = _load(item, str(fields[key].type), f"{path}.{key}")
    try:
        return cls(**values)
    except TypeError:
        missing = dataclasses.MISSING
        required = [f.name for f in fields.values() if f.default is missing and f.default_factory is missing]
        raise ConfigurationError(f"{path}: {cls.__name__} needs {', '.join(required)}") from None


#: Name in an annotation → type of the JSON value.
_JSON_TYPES: Mapping[str, type] = {"str": str, "MessageRole": str, "dict": dict, "bool": bool, "list": list, "None": type(None)}


def _load(value: Any, annotation: str, path: str) -> Any:
    """The value for a field, checked against its annotation (`str | None`, `dict[str, Any]`, `str | list[Block]`)."""
    names = [name.partition("[")[0] for name in annotation.split(" | ")]
    if "bytes" in names and isinstance(value, str):
        return _load_bytes(value, path)
    if not isinstance(value, tuple(_JSON_TYPES[name] for name in names if name in _JSON_TYPES)):
        raise ConfigurationError(f"{path} must be {annotation}, not {type(value).__name__}")
    if isinstance(value, list):
        return [_load_block(item, f"{path}[{number}]") for number, item in enumerate(value)]
    return _dump(value, path)


def _load_bytes(text: str, path: str) -> bytes:
    from base64 import b64decode

    try:
        return b64decode(text, validate=True)
    except ValueError:
        raise ConfigurationError(f"{path} is not base64") from None


def _load_block(data: Any, path: str) -> Any:
    name = data.get("type") if hasattr(data, "keys") else None
    if not isinstance(name, str) or name not in BLOCK_TYPES:
        raise ConfigurationError(f"{path}: type must be one of {', '.join(BLOCK_TYPES)}, not {name!r}")
    return _load_fields(BLOCK_TYPES[name], {key: value for key, value in data.items() if key != "type"}, path)
