"""A JSON value against a JSON Schema, as far as the schema of manifests goes: problems out, each with its place.

A small part of JSON Schema 2020-12 (`KEYWORDS`), by the letter, with messages for people: the nearest key, what is allowed.
An unknown keyword is an error in the schema, so that nothing goes unchecked in silence.
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


def problems(value: Any, schema: Schema, place: str = "", root: Schema | None = None) -> Iterator[str]:
    """Every way in which `value` is not what `schema` says, as `place: sentence`."""
    root = schema if root is None else root
    for keyword, wanted in schema.items():
        yield from KEYWORDS[keyword](value, wanted, schema, place, root)


def is_json(value: Any) -> str | None:
    """What is wrong with a value that shall be JSON of sensible size, None for nothing: types, NaN, depth, count."""
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
                return f"holds {item}, which is not JSON"
            elif not (item is None or isinstance(item, (str, int, float))):
                return f"holds a {type(item).__name__}, which is not JSON"
        count += len(deeper)
        if count > MAX_VALUES:
            return f"holds more than {MAX_VALUES} values"
        if not deeper:
            return None
        level = deeper
    return f"is nested deeper than {MAX_DEPTH} levels"


def at(place: str, key: object) -> str:
    """The place of `key` under `place`: `models."gpt-5*".reasoning`, `aliases[0]`."""
    if isinstance(key, int):
        return f"{place}[{key}]"
    word = str(key) if str(key).replace("_", "").isalnum() else f'"{key}"'
    return f"{place}.{word}" if place else word


def nearest(word: object, allowed: list[str]) -> str:
    """`; did you mean x?` where something in `allowed` is near, else nothing."""
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
_WORDS = {
    "object": "an object",
    "array": "a list",
    "string": "text",
    "boolean": "true or false",
    "null": "null",
    "number": "a number",
    "integer": "a whole number",
}


def _type(value: Any, wanted: str | list[str], schema: Schema, place: str, root: Schema) -> Iterator[str]:
    names = [wanted] if isinstance(wanted, str) else wanted
    if not any(_TYPES[name](value) for name in names):
        yield f"{place}: must be {' or '.join(_WORDS[name] for name in names)}, not {_shown(value)}"


def _enum(value: Any, wanted: list[Any], schema: Schema, place: str, root: Schema) -> Iterator[str]:
    if not any(value == word and type(value) is type(word) for word in wanted):
        words = [str(word) for word in wanted]
        yield f"{place}: must be one of {', '.join(words)}, not {_shown(value)}{nearest(value, words)}"


def _pattern(value: Any, wanted: str, schema: Schema, place: str, root: Schema) -> Iterator[str]:
    if isinstance(value, str) and not _compiled(wanted).search(value):
        hint = schema.get("description", "").partition(":")[0]
        yield f"{place}: {_shown(value)} is not {hint[:1].lower() + hint[1:] or 'right'} (it must match {wanted})"


@lru_cache(maxsize=64)
def _compiled(pattern: str) -> Pattern[str]:
    # `$` means the very end in JSON Schema; Python's also stands before a last line feed, which would let one through.
    return compile(pattern[:-1] + r"\Z" if pattern.endswith("$") else pattern)


def _max_length(value: Any, wanted: int, schema: Schema, place: str, root: Schema) -> Iterator[str]:
    if isinstance(value, str) and len(value) > wanted:
        yield f"{place}: is longer than {wanted} characters"


def _minimum(value: Any, wanted: int, schema: Schema, place: str, root: Schema) -> Iterator[str]:
    if _TYPES["number"](value) and value < wanted:
        yield f"{place}: must be at least {wanted}, not {value}"


def _min_items(value: Any, wanted: int, schema: Schema, place: str, root: Schema) -> Iterator[str]:
    if isinstance(value, list) and len(value) < wanted:
        yield f"{place}: must hold at least {wanted} values"


def _max_items(value: Any, wanted: int, schema: Schema, place: str, root: Schema) -> Iterator[str]:
    if isinstance(value, list) and len(value) > wanted:
        yield f"{place}: must hold at most {wanted} values"


def _items(value: Any, wanted: Schema, schema: Schema, place: str, root: Schema) -> Iterator[str]:
    if isinstance(value, list):
        for number, item in enumerate(value):
            yield from problems(item, wanted, at(place, number), root)


def _properties(value: Any, wanted: Schema, schema: Schema, place: str, root: Schema) -> Iterator[str]:
    if isinstance(value, dict):
        for key, under in wanted.items():
            if key in value:
                yield from problems(value[key], under, at(place, key), root)


def _additional(value: Any, wanted: Any, schema: Schema, place: str, root: Schema) -> Iterator[str]:
    if not isinstance(value, dict):
        return
    known = schema.get("properties", {})
    for key in value:
        if key in known:
            continue
        if wanted is False:
            yield f"{at(place, key)}: is not a key here{nearest(key, list(known)) or '; the keys are ' + ', '.join(known)}"
        else:
            yield from problems(value[key], wanted, at(place, key), root)


def _property_names(value: Any, wanted: Schema, schema: Schema, place: str, root: Schema) -> Iterator[str]:
    if isinstance(value, dict):
        for key in value:
            yield from problems(key, wanted, at(place, key), root)


def _required(value: Any, wanted: list[str], schema: Schema, place: str, root: Schema) -> Iterator[str]:
    if isinstance(value, dict):
        for key in wanted:
            if key not in value:
                yield f"{at(place, key)}: is missing"


def _any_of(value: Any, wanted: list[Schema], schema: Schema, place: str, root: Schema) -> Iterator[str]:
    """The problems of the alternative that was meant: the first whose type is right, else the first."""
    found = [list(problems(value, under, place, root)) for under in wanted]
    if all(found):
        yield from min(found, key=lambda each: any(text.startswith(f"{place}: must be ") for text in each))


def _ref(value: Any, wanted: str, schema: Schema, place: str, root: Schema) -> Iterator[str]:
    yield from problems(value, root["$defs"][wanted.removeprefix("#/$defs/")], place, root)


def _nothing(value: Any, wanted: Any, schema: Schema, place: str, root: Schema) -> Iterator[str]:
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
    "$schema": _nothing,
    "$defs": _nothing,
    "title": _nothing,
    "description": _nothing,
}
