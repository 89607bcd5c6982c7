"""Annotated parameters of a function → JSON Schema. Reads annotations and docstrings, never calls the function.

Supported annotations (https://json-schema.org/draft/2020-12):

    str, int, float, bool, None, Any          the JSON types; Any allows every value
    list, Sequence, set, tuple, dict, Mapping  arrays and objects of the types in brackets
    Literal, Enum                              an enum of the values
    X | Y, Optional, Union                     anyOf
    dataclass, TypedDict                       objects; a recursive type becomes a definition in `$defs`
    Annotated[X, "…"]                          X with a description

The model's arguments are JSON: for a dataclass or an Enum, the function receives a dict or the value of the Enum's member.
"""

from __future__ import annotations

import dataclasses
from collections import abc
from enum import Enum

from ..errors import ConfigurationError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping
    from inspect import Parameter
    from typing import Any


def function_parameters(function: Callable[..., Any]) -> dict[str, Any]:
    """The schema of the function's arguments, as one object. Raises ConfigurationError if a parameter has no schema.

    A parameter with a default is optional. Its description comes from `Annotated`, otherwise from the docstring's "Args:".
    """
    import inspect

    name = getattr(function, "__name__", type(function).__name__)
    try:
        parameters = inspect.signature(function).parameters
    except (TypeError, ValueError):
        raise ConfigurationError(f"{name}: Python cannot inspect its parameters; pass Tool(name, parameters=…)") from None
    hints = _hints(_annotated(function), name)
    described = described_parameters(inspect.getdoc(function) or "")
    types = _Types(name)
    properties: dict[str, Any] = {}
    required: list[str] = []
    for parameter in parameters.values():
        types.location = f"{name}: parameter {parameter.name!r}"
        _check_kind(parameter, types.location)
        if parameter.name not in hints:
            raise ConfigurationError(f"{types.location} has no annotation; add one, or pass Tool(name, parameters=…)")
        properties[parameter.name] = _with_description(types.schema(hints[parameter.name]), described.get(parameter.name))
        if parameter.default is parameter.empty:
            required.append(parameter.name)
    return _object(properties, required) | ({"$defs": types.definitions} if types.definitions else {})


def _annotated(function: Callable[..., Any]) -> Any:
    """The function with the annotations: without decorators and partials; `__init__` of a class, `__call__` of an object."""
    import functools
    import inspect

    while isinstance(function, functools.partial):
        function = function.func
    function = inspect.unwrap(function)
    if inspect.isclass(function):
        return function.__init__
    return function if inspect.isroutine(function) else type(function).__call__


def _hints(annotated: Any, name: str) -> dict[str, Any]:
    import typing

    try:
        return typing.get_type_hints(annotated, include_extras=True)
    except (NameError, AttributeError, TypeError) as error:
        detail = f"an annotation cannot be resolved ({error}); import the type in the module of {name}"
        raise ConfigurationError(f"{name}: {detail}") from None


def _check_kind(parameter: Parameter, location: str) -> None:
    kind = parameter.kind
    if kind is parameter.VAR_POSITIONAL or kind is parameter.VAR_KEYWORD:
        stars = "*" if kind is parameter.VAR_POSITIONAL else "**"
        advice = "name each argument, or pass Tool(name, parameters=…)"
        raise ConfigurationError(f"{location}: {stars}{parameter.name} has no schema; {advice}")
    if kind is parameter.POSITIONAL_ONLY:
        raise ConfigurationError(f"{location} is positional-only, but a model names its arguments; remove the /")


def _object(properties: dict[str, Any], required: list[str]) -> dict[str, Any]:
    return {"type": "object", "properties": properties, "required": required, "additionalProperties": False}


def _with_description(schema: dict[str, Any], description: str | None) -> dict[str, Any]:
    return {**schema, "description": description} if description and "description" not in schema else schema


# --- Docstrings -------------------------------------------------------------------------------------------------------

#: https://google.github.io/styleguide/pyguide.html#383-functions-and-methods
_HEADINGS = ("Args:", "Arguments:", "Parameters:", "Attributes:")


def described_parameters(doc: str) -> dict[str, str]:
    """Name → description, from the "Args:" section of a docstring in Google's style, whose indentation is removed."""
    import re

    entry = re.compile(r"\*{0,2}(\w+)(?:\s*\(.*?\))?\s*:\s*(.*)")
    found: dict[str, str] = {}
    lines = iter(doc.splitlines())
    if not any(line in _HEADINGS for line in lines):  # leaves `lines` after the heading
        return found
    name, indent = "", 0
    for line in lines:
        depth = len(line) - len(line.lstrip())
        if line.strip() and depth == 0:
            break
        indent = indent or depth
        match = entry.match(line.strip()) if depth == indent else None
        if match:
            name = match[1]
            found[name] = match[2]
        elif name and line.strip():
            found[name] = f"{found[name]} {line.strip()}".strip()
    return found


# --- Types ------------------------------------------------------------------------------------------------------------

_PLAIN: Mapping[type, str] = {str: "string", bool: "boolean", int: "integer", float: "number", type(None): "null"}
_LISTS = (list, abc.Sequence, abc.MutableSequence, abc.Collection, abc.Iterable)
_SETS = (set, frozenset, abc.Set, abc.MutableSet)
_DICTS = (dict, abc.Mapping, abc.MutableMapping)
_SUPPORTED = "str, int, float, bool, list, tuple, set, dict, Literal, Enum, unions, dataclasses and TypedDicts"


class _Types:
    """Types → schemas. `definitions` collects the recursive types; `location` is the parameter, for messages."""

    def __init__(self, location: str) -> None:
        self.location = location
        self.definitions: dict[str, Any] = {}
        self._open: list[Any] = []
        self._names: dict[int, str] = {}

    def schema(self, hint: Any) -> dict[str, Any]:
        import types
        import typing

        if hint is typing.Any or hint is object:
            return {}
        if hint is None or (isinstance(hint, type) and hint in _PLAIN):
            return {"type": _PLAIN[type(None) if hint is None else hint]}
        origin, arguments = typing.get_origin(hint), typing.get_args(hint)
        if origin is typing.Annotated:
            return _with_description(self.schema(arguments[0]), _first_text(arguments[1:]))
        if origin is typing.Literal:
            return self._enum(arguments)
        if origin is typing.Union or origin is types.UnionType:
            return {"anyOf": [self.schema(argument) for argument in arguments]}
        if getattr(origin, "_name", None) in ("Required", "NotRequired", "ReadOnly"):
            return self.schema(arguments[0])
        container = self._container(origin or hint, arguments)
        return container if container is not None else self._named(hint)

    def _enum(self, values: Iterable[Any]) -> dict[str, Any]:
        allowed = [value.value if isinstance(value, Enum) else value for value in values]
        kinds = {_PLAIN.get(type(value)) for value in allowed}
        if None in kinds:
            raise self._no_schema("a value that is not a string, a number, a boolean or None")
        return {"enum": allowed, "type": kinds.pop()} if len(kinds) == 1 else {"enum": allowed}

    def _container(self, kind: Any, arguments: tuple[Any, ...]) -> dict[str, Any] | None:
        if kind is tuple:
            return self._tuple(arguments)
        if kind in _LISTS:
            return {"type": "array", "items": self.schema(arguments[0]) if arguments else {}}
        if kind in _SETS:
            return {"type": "array", "items": self.schema(arguments[0]) if arguments else {}, "uniqueItems": True}
        if kind in _DICTS:
            if not arguments:
                return {"type": "object"}
            if self.schema(arguments[0]).get("type") != "string":
                raise self._no_schema("a dict whose keys are not strings")
            return {"type": "object", "additionalProperties": self.schema(arguments[1])}
        return None

    def _tuple(self, arguments: tuple[Any, ...]) -> dict[str, Any]:
        if not arguments:
            return {"type": "array", "items": {}}
        if len(arguments) == 2 and arguments[1] is Ellipsis:
            return {"type": "array", "items": self.schema(arguments[0])}
        members = [self.schema(argument) for argument in arguments]
        distinct = [schema for i, schema in enumerate(members) if schema not in members[:i]]
        # Many services do not support `prefixItems`, so `items` allows all members' types.
        items = distinct[0] if len(distinct) == 1 else {"anyOf": distinct}
        schema = {"type": "array", "items": items, "minItems": len(members), "maxItems": len(members)}
        return schema if len(distinct) == 1 else {**schema, "prefixItems": members}

    def _named(self, hint: Any) -> dict[str, Any]:
        """A class, NewType or alias. A recursive one becomes a definition, with references to it."""
        if id(hint) in self._names:
            return {"$ref": f"#/$defs/{self._names[id(hint)]}"}
        if any(hint is opened for opened in self._open):
            return {"$ref": f"#/$defs/{self._name(hint)}"}
        self._open.append(hint)
        schema = self._build(hint)
        self._open.pop()
        if id(hint) not in self._names:
            return schema
        self.definitions[self._names[id(hint)]] = schema
        return {"$ref": f"#/$defs/{self._names[id(hint)]}"}

    def _name(self, hint: Any) -> str:
        name: str = hint.__name__
        number = 1
        while name in self._names.values():
            number += 1
            name = f"{hint.__name__}_{number}"
        self._names[id(hint)] = name
        return name

    def _build(self, hint: Any) -> dict[str, Any]:
        if isinstance(hint, type) and issubclass(hint, Enum):
            return self._enum(hint)
        if isinstance(hint, type) and dataclasses.is_dataclass(hint):
            return self._dataclass(hint)
        if isinstance(hint, type) and issubclass(hint, dict) and hasattr(hint, "__total__"):
            return self._typed_dict(hint)
        if hasattr(hint, "__supertype__"):  # NewType
            return self.schema(hint.__supertype__)
        if type(hint).__name__ == "TypeAliasType":  # type X = …
            return self.schema(hint.__value__)
        if type(hint).__name__ == "TypeVar":
            return self.schema(hint.__bound__ or object)
        raise self._no_schema(getattr(hint, "__name__", repr(hint)))

    def _dataclass(self, cls: Any) -> dict[str, Any]:
        fields = [field for field in dataclasses.fields(cls) if field.init]
        missing = dataclasses.MISSING
        required = [f.name for f in fields if f.default is missing and f.default_factory is missing]
        doc = cls.__doc__ or ""
        return self._fields(cls, [field.name for field in fields], required, "" if doc.startswith(f"{cls.__name__}(") else doc)

    def _typed_dict(self, cls: Any) -> dict[str, Any]:
        hints = _hints(cls, cls.__name__)
        # With postponed annotations, `__required_keys__` ignores Required and NotRequired:
        # https://docs.python.org/3/library/typing.html#typing.TypedDict.__required_keys__
        marks = {key: getattr(getattr(hint, "__origin__", None), "_name", None) for key, hint in hints.items()}
        required = {key for key in cls.__required_keys__ if marks.get(key) != "NotRequired"}
        required |= {key for key, mark in marks.items() if mark == "Required"}
        return self._fields(cls, list(hints), [key for key in hints if key in required], cls.__doc__ or "")

    def _fields(self, cls: Any, names: list[str], required: list[str], doc: str) -> dict[str, Any]:
        import inspect

        hints, doc = _hints(cls, cls.__name__), inspect.cleandoc(doc)
        described = described_parameters(doc)
        properties = {name: _with_description(self.schema(hints[name]), described.get(name)) for name in names}
        summary = " ".join(doc.split("\n\n")[0].split())
        return _with_description(_object(properties, required), summary)

    def _no_schema(self, what: str) -> ConfigurationError:
        advice = f"use {_SUPPORTED}, or pass Tool(name, parameters=…)"
        return ConfigurationError(f"{self.location}: {what} has no JSON Schema; {advice}")


def _first_text(metadata: Iterable[Any]) -> str | None:
    """The first description in `Annotated`: text, or `typing_extensions.Doc`."""
    for item in metadata:
        text = item if isinstance(item, str) else getattr(item, "documentation", None)
        if isinstance(text, str):
            return text
    return None
