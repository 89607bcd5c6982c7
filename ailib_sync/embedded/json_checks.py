"""Schema checks of JSON: a check raises `Invalid` for the first wrong value. Knows no service and no message of one."""

from __future__ import annotations

from re import compile

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from typing import Any

    Path = tuple[str | int, ...]
    Check = Callable[[Any, Path], None]


class Invalid(Exception):
    """A wrong value at `path`.

    `kind` is `unknown`, `missing`, `type`, `low`, `high`, `choice`, `short`, `long`, `pattern`, or `unsupported`: the format
    has the field, this host does not. `expected` is a type's name, a bound, the allowed words, or the field to use instead.
    """

    def __init__(self, kind: str, path: Path, expected: Any = None, value: Any = None) -> None:
        super().__init__(f"{kind} at {dotted(path)}: expected {expected!r}, got {value!r}")
        self.kind = kind
        self.path = path
        self.expected = expected
        self.value = value


def dotted(path: Path) -> str:
    """`messages.0.content`"""
    return ".".join(str(step) for step in path)


def indexed(path: Path) -> str:
    """`messages[0].content`"""
    return "".join(f"[{step}]" if isinstance(step, int) else f".{step}" for step in path).lstrip(".")


def type_name(value: Any) -> str:
    """JSON's name for the type of a value."""
    if value is None:
        return "null"
    return _NAMES.get(type(value), type(value).__name__)


_NAMES = {bool: "boolean", int: "integer", float: "number", str: "string", list: "array", dict: "object"}


def anything(value: Any, path: Path) -> None:
    """Any value."""


def is_object(value: Any, path: Path) -> None:
    """Any JSON object."""
    if not isinstance(value, dict):
        raise Invalid("type", path, "object", value)


def boolean(value: Any, path: Path) -> None:
    """`true` or `false`."""
    if not isinstance(value, bool):
        raise Invalid("type", path, "boolean", value)


def string(shortest: int = 0, longest: int | None = None, pattern: str | None = None) -> Check:
    """Text of `shortest` to `longest` characters, which matches `pattern` completely."""
    regex = compile(pattern) if pattern else None

    def check(value: Any, path: Path) -> None:
        if not isinstance(value, str):
            raise Invalid("type", path, "string", value)
        _check_length(value, path, shortest, longest)
        if regex is not None and not regex.fullmatch(value):
            raise Invalid("pattern", path, pattern, value)

    return check


def number(low: float | None = None, high: float | None = None) -> Check:
    """A number from `low` to `high`, both included."""

    def check(value: Any, path: Path) -> None:
        if isinstance(value, bool) or not isinstance(value, (int, float)):
            raise Invalid("type", path, "number", value)
        _check_range(value, path, low, high)

    return check


def integer(low: int | None = None, high: int | None = None) -> Check:
    """An integer from `low` to `high`, both included."""

    def check(value: Any, path: Path) -> None:
        if isinstance(value, bool) or not isinstance(value, int):
            raise Invalid("type", path, "integer", value)
        _check_range(value, path, low, high)

    return check


def choice(*words: str) -> Check:
    """One of the words."""

    def check(value: Any, path: Path) -> None:
        if not isinstance(value, str):
            raise Invalid("type", path, "string", value)
        if value not in words:
            raise Invalid("choice", path, words, value)

    return check


def array(item: Check, shortest: int = 0, longest: int | None = None) -> Check:
    """A list of `shortest` to `longest` items, each of which `item` checks."""

    def check(value: Any, path: Path) -> None:
        if not isinstance(value, list):
            raise Invalid("type", path, "array", value)
        _check_length(value, path, shortest, longest)
        for index, element in enumerate(value):
            item(element, (*path, index))

    return check


class Record:
    """An object with only these keys; a missing key is reported before an unknown one."""

    def __init__(self, required: Mapping[str, Check], optional: Mapping[str, Check] | None = None) -> None:
        self.required = required
        self.known = {**(optional or {}), **required}

    def __call__(self, value: Any, path: Path) -> None:
        is_object(value, path)
        for key in self.required:
            if key not in value:
                raise Invalid("missing", (*path, key))
        for key in value:
            if key not in self.known:
                raise Invalid("unknown", (*path, key), tuple(self.known), value[key])
        for key, inner in value.items():
            self.known[key](inner, (*path, key))


record = Record


def tagged(key: str, variants: Mapping[str, Check]) -> Check:
    """An object whose `key` names its variant; the check of a variant does not see `key`."""

    def check(value: Any, path: Path) -> None:
        is_object(value, path)
        if key not in value:
            raise Invalid("missing", (*path, key))
        choice(*variants)(value[key], (*path, key))
        variants[value[key]]({name: inner for name, inner in value.items() if name != key}, path)

    return check


def one_key(variants: Mapping[str, Check], optional: Mapping[str, Check] | None = None) -> Check:
    """An object with exactly one of the keys of `variants`, and any keys of `optional`."""
    extra = optional or {}

    def check(value: Any, path: Path) -> None:
        is_object(value, path)
        present = [key for key in value if key in variants]
        for key in value:
            if key not in variants and key not in extra:
                raise Invalid("unknown", (*path, key), tuple(variants), value[key])
        if len(present) != 1:
            raise Invalid("short" if not present else "long", path, 1, present)
        for key, inner in value.items():
            (variants.get(key) or extra[key])(inner, (*path, key))

    return check


def union(**by_type: Check) -> Check:
    """One check for each JSON type allowed: `union(string=..., array=...)`."""

    def check(value: Any, path: Path) -> None:
        name = type_name(value)
        found = by_type.get(name) or (by_type.get("number") if name == "integer" else None)
        if found is None:
            raise Invalid("type", path, " or ".join(by_type), value)
        found(value, path)

    return check


def nullable(inner: Check) -> Check:
    """`inner`, or null."""

    def check(value: Any, path: Path) -> None:
        if value is not None:
            inner(value, path)

    return check


def _check_range(value: float, path: Path, low: float | None, high: float | None) -> None:
    if low is not None and value < low:
        raise Invalid("low", path, low, value)
    if high is not None and value > high:
        raise Invalid("high", path, high, value)


def _check_length(value: str | list[Any], path: Path, shortest: int, longest: int | None) -> None:
    if len(value) < shortest:
        raise Invalid("short", path, shortest, value)
    if longest is not None and len(value) > longest:
        raise Invalid("long", path, longest, value)
