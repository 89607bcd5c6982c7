"""Validates a JSON value by a JSON Schema: problems out, each with its path. Supports what the schema of manifests uses.

The keywords in `KEYWORDS` behave as in JSON Schema 2020-12 (https://json-schema.org/draft/2020-12/json-schema-validation); the
messages name the allowed values and similar keys. An unknown keyword raises KeyError, so that no rule is silently ignored.
"""

from __future__ import annotations

from functools import lru_cache
from math import isfinite
from re import compile

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from re import Pattern
    from typing import Any

    Schema = Mapping[str, Any]

MAX_DEPTH = 16
MAX_VALUES = 20_000


def problems(value: Any, schema: Schema, path: str = "", root: Schema | None = None) -> Iterator[str]:
    """Every violation of `schema` in `value`, as `path: sentence`."""
    root = schema if root is None else root
    for keyword, expected in schema.items():
        yield from KEYWORDS[keyword](value, expected, schema, path, root)


def json_problem(value: Any) -> str | None:
    """Why the value is not JSON of a sensible size (types, NaN, depth, number of values); None if it is."""
    count = 0
    level = [value]
    for _ in range(MAX_DEPTH):
        deeper: list[Any] = []
        for item in level:
            if isinstance(item, dict):
                if not all(isinstance(key, str) for key in item):
                    return "has a key that is not text"
                deeper.extend(item.values())
            elif isinstance(item, list):
                deeper.extend(item)
            elif isinstance(item, float) and not isfinite(item):
                return f"contains {item}, which is not JSON"
            elif not (item is None or isinstance(item, (str, int, float))):
                return f"contains a {type(item).__name__}, which is not JSON"
        count += len(deeper)
        if count > MAX_VALUES:
            return f"contains more than {MAX_VALUES} values"
        if not deeper:
            return None
        level = deeper
    return f"is nested deeper than {MAX_DEPTH} levels"


def child_path(path: str, *keys: object) -> str:
    """The path below `path`: `models."gpt-5*".reasoning`, `aliases[0]`."""
    for key in keys:
        if isinstance(key, int):
            path = f"{path}[{key}]"
        else:
            name = str(key) if str(key).replace("_", "").isalnum() else f'"{key}"'
            path = f"{path}.{name}" if path else name
    return path


def suggestion(word: object, allowed: list[str]) -> str:
    """`; did you mean x?` if one of `allowed` is similar, otherwise ""."""
    from difflib import get_close_matches

    near = get_close_matches(str(word), allowed, 1, 0.6)
    return f"; did you mean {near[0]}?" if near else ""


_TYPES: Mapping[str, Callable[[Any], bool]] = {
    "object": lambda value: isinstance(value, dict),
    "array": lambda value: isinstance(value, list),
    "string": lambda value: isinstance(value, str),
    "boolean": lambda value: isinstance(value, bool),
    "null": lambda value: value is None,
    "number": lambda value: isinstance(value, (int, float)) and not isinstance(value, bool),
    "integer": lambda value: _TYPES["number"](value) and value == int(value),
}
_TYPE_NAMES = {
    "object": "an object",
    "array": "a list",
    "string": "text",
    "boolean": "true or false",
    "null": "null",
    "number": "a number",
    "integer": "a whole number",
}


def _type(value: Any, expected: str | list[str], schema: Schema, path: str, root: Schema) -> Iterator[str]:
    names = [expected] if isinstance(expected, str) else expected
    if not any(_TYPES[name](value) for name in names):
        yield f"{path}: must be {' or '.join(_TYPE_NAMES[name] for name in names)}, not {_shown(value)}"


def _enum(value: Any, expected: list[Any], schema: Schema, path: str, root: Schema) -> Iterator[str]:
    if not any(value == word and type(value) is type(word) for word in expected):
        words = [str(word) for word in expected]
        yield f"{path}: must be one of {', '.join(words)}, not {_shown(value)}{suggestion(value, words)}"


def _pattern(value: Any, expected: str, schema: Schema, path: str, root: Schema) -> Iterator[str]:
    if isinstance(value, str) and not _compiled(expected).search(value):
        meaning = f" ({schema['description']})" if "description" in schema else ""
        yield f"{path}: {_shown(value)} must match {expected}{meaning}"


@lru_cache(maxsize=64)
def _compiled(pattern: str) -> Pattern[str]:
    # In JSON Schema, patterns are those of ECMA-262: `$` matches at the end only. Python's also matches before a final \n.
    return compile(pattern[:-1] + r"\Z" if pattern.endswith("$") else pattern)


def _max_length(value: Any, expected: int, schema: Schema, path: str, root: Schema) -> Iterator[str]:
    if isinstance(value, str) and len(value) > expected:
        yield f"{path}: is longer than {expected} characters"


def _minimum(value: Any, expected: int, schema: Schema, path: str, root: Schema) -> Iterator[str]:
    if _TYPES["number"](value) and value < expected:
        yield f"{path}: must be at least {expected}, not {value}"


def _min_items(value: Any, expected: int, schema: Schema, path: str, root: Schema) -> Iterator[str]:
    if isinstance(value, list) and len(value) < expected:
        yield f"{path}: must have at least {expected} values"


def _max_items(value: Any, expected: int, schema: Schema, path: str, root: Schema) -> Iterator[str]:
    if isinstance(value, list) and len(value) > expected:
        yield f"{path}: must have at most {expected} values"


def _items(value: Any, expected: Schema, schema: Schema, path: str, root: Schema) -> Iterator[str]:
    if isinstance(value, list):
        for number, item in enumerate(value):
            yield from problems(item, expected, child_path(path, number), root)


def _properties(value: Any, expected: Schema, schema: Schema, path: str, root: Schema) -> Iterator[str]:
    if isinstance(value, dict):
        for key, child in expected.items():
            if key in value:
                yield from problems(value[key], child, child_path(path, key), root)


def _additional(value: Any, expected: Any, schema: Schema, path: str, root: Schema) -> Iterator[str]:
    if not isinstance(value, dict):
        return
    known = schema.get("properties", {})
    for key in value:
        if key in known:
            continue
        if expected is False:
            hint = suggestion(key, list(known)) or f"; the keys are {', '.join(known)}"
            yield f"{child_path(path, key)}: is not an allowed key{hint}"
        else:
            yield from problems(value[key], expected, child_path(path, key), root)


def _property_names(value: Any, expected: Schema, schema: Schema, path: str, root: Schema) -> Iterator[str]:
    if isinstance(value, dict):
        for key in value:
            yield from problems(key, expected, child_path(path, key), root)


def _required(value: Any, expected: list[str], schema: Schema, path: str, root: Schema) -> Iterator[str]:
    if isinstance(value, dict):
        for key in expected:
            if key not in value:
                yield f"{child_path(path, key)}: is missing"


def _any_of(value: Any, expected: list[Schema], schema: Schema, path: str, root: Schema) -> Iterator[str]:
    """The problems of the alternative that was probably meant: the first one with the right type, otherwise the first one."""
    found = [list(problems(value, alternative, path, root)) for alternative in expected]
    if all(found):
        yield from min(found, key=lambda texts: any(text.startswith(f"{path}: must be ") for text in texts))


def _ref(value: Any, expected: str, schema: Schema, path: str, root: Schema) -> Iterator[str]:
    yield from problems(value, root["$defs"][expected.removeprefix("#/$defs/")], path, root)


def _annotation(value: Any, expected: Any, schema: Schema, path: str, root: Schema) -> Iterator[str]:
    return iter(())


def _shown(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= 80 else text[:77] + "..."


KEYWORDS: Mapping[str, Callable[[Any, Any, Schema, str, Schema], Iterator[str]]] = {
    "type": _type,
    "enum": _enum,
    "pattern": _pattern,
    "maxLength": _max_length,
    "minimum": _minimum,
    "minItems": _min_items,
    "maxItems": _max_items,
    "items": _items,
    "properties": _properties,
    "additionalProperties": _additional,
    "propertyNames": _property_names,
    "required": _required,
    "anyOf": _any_of,
    "$ref": _ref,
    "$schema": _annotation,
    "$defs": _annotation,
    "title": _annotation,
    "description": _annotation,
}
