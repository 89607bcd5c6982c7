"""JSON against a declared shape: the first thing that is wrong, as a `Bad` with its place. Knows no service and no wording."""

from __future__ import annotations

from re import compile

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from typing import Any

    Path = tuple[str | int, ...]
    Check = Callable[[Any, Path], None]


class Bad(Exception):
    """What is wrong and where.

    `kind` is `unknown`, `missing`, `type`, `low`, `high`, `choice`, `short`, `long`, `pattern`, or `unsupported` (known, but
    not taken here); `want` is what was expected: a type's name, a bound, the allowed words, the field to use instead.
    """

    def __init__(self, kind: str, path: Path, want: Any = None, value: Any = None) -> None:
        super().__init__(f"{kind} at {dotted(path)}: want {want!r}, got {value!r}")
        self.kind = kind
        self.path = path
        self.want = want
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
    """No demand."""


def is_object(value: Any, path: Path) -> None:
    """Any JSON object."""
    if not isinstance(value, dict):
        raise Bad("type", path, "object", value)


def boolean(value: Any, path: Path) -> None:
    """`true` or `false`."""
    if not isinstance(value, bool):
        raise Bad("type", path, "boolean", value)


def string(least: int = 0, most: int | None = None, pattern: str | None = None) -> Check:
    """Text of at least `least` and at most `most` characters that matches all of `pattern`."""
    regex = compile(pattern) if pattern else None

    def check(value: Any, path: Path) -> None:
        if not isinstance(value, str):
            raise Bad("type", path, "string", value)
        _check_length(value, path, least, most)
        if regex is not None and not regex.fullmatch(value):
            raise Bad("pattern", path, pattern, value)

    return check


def number(low: float | None = None, high: float | None = None) -> Check:
    """A number within the bounds, both included."""

    def check(value: Any, path: Path) -> None:
        if isinstance(value, bool) or not isinstance(value, (int, float)):
            raise Bad("type", path, "number", value)
        _check_range(value, path, low, high)

    return check


def integer(low: int | None = None, high: int | None = None) -> Check:
    """A whole number within the bounds, both included."""

    def check(value: Any, path: Path) -> None:
        if isinstance(value, bool) or not isinstance(value, int):
            raise Bad("type", path, "integer", value)
        _check_range(value, path, low, high)

    return check


def choice(*words: str) -> Check:
    """One of the words."""

    def check(value: Any, path: Path) -> None:
        if not isinstance(value, str):
            raise Bad("type", path, "string", value)
        if value not in words:
            raise Bad("choice", path, words, value)

    return check


def array(item: Check, least: int = 0, most: int | None = None) -> Check:
    """A list of `item`s."""

    def check(value: Any, path: Path) -> None:
        if not isinstance(value, list):
            raise Bad("type", path, "array", value)
        _check_length(value, path, least, most)
        for index, element in enumerate(value):
            item(element, (*path, index))

    return check


class Record:
    """An object with exactly these keys; a missing key is reported before an unknown one."""

    def __init__(self, required: Mapping[str, Check], optional: Mapping[str, Check] | None = None) -> None:
        self.required = required
        self.known = {**(optional or {}), **required}

    def __call__(self, value: Any, path: Path) -> None:
        is_object(value, path)
        for key in self.required:
            if key not in value:
                raise Bad("missing", (*path, key))
        for key in value:
            if key not in self.known:
                raise Bad("unknown", (*path, key), tuple(self.known), value[key])
        for key, inner in value.items():
            self.known[key](inner, (*path, key))


record = Record


def tagged(key: str, variants: Mapping[str, Check]) -> Check:
    """An object whose `key` says which of the variants it is; the variants themselves do not mention `key`."""

    def check(value: Any, path: Path) -> None:
        is_object(value, path)
        if key not in value:
            raise Bad("missing", (*path, key))
        choice(*variants)(value[key], (*path, key))
        variants[value[key]]({name: inner for name, inner in value.items() if name != key}, path)

    return check


def one_key(variants: Mapping[str, Check], besides: Mapping[str, Check] | None = None) -> Check:
    """An object with exactly one of the keys of `variants`, and any of `besides`."""
    extra = besides or {}

    def check(value: Any, path: Path) -> None:
        is_object(value, path)
        present = [key for key in value if key in variants]
        for key in value:
            if key not in variants and key not in extra:
                raise Bad("unknown", (*path, key), tuple(variants), value[key])
        if len(present) != 1:
            raise Bad("short" if not present else "long", path, 1, present)
        for key, inner in value.items():
            (variants.get(key) or extra[key])(inner, (*path, key))

    return check


def union(**by_type: Check) -> Check:
    """One check for each JSON type allowed: `union(string=..., array=...)`."""

    def check(value: Any, path: Path) -> None:
        name = type_name(value)
        found = by_type.get(name) or (by_type.get("number") if name == "integer" else None)
        if found is None:
            raise Bad("type", path, " or ".join(by_type), value)
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
        raise Bad("low", path, low, value)
    if high is not None and value > high:
        raise Bad("high", path, high, value)


def _check_length(value: str | list[Any], path: Path, least: int, most: int | None) -> None:
    if len(value) < least:
        raise Bad("short", path, least, value)
    if most is not None and len(value) > most:
        raise Bad("long", path, most, value)
