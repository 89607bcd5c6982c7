"""`dataclass(slots=True)` without importing `dataclasses`, which imports inspect, ast and tokenize and is slow for each class.

This saves a third of the time from the start of a process to its first response. The result is a dataclass:
`dataclasses.fields`, `replace`, `asdict` and `match` work, and type checkers see the standard library's decorator.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from dataclasses import dataclass as dataclass
    from dataclasses import field as field
    from dataclasses import replace as replace
    from typing import Any

_MISSING = object()


class _Field:
    """The arguments of `field(…)` for one attribute."""

    __slots__ = ("compare", "default", "factory", "kw_only", "repr")

    def __init__(self, default: Any, factory: Callable[[], Any] | None, repr: bool, compare: bool, kw_only: bool) -> None:
        self.default = default
        self.factory = factory
        self.repr = repr
        self.compare = compare
        self.kw_only = kw_only


class _StandardFields:
    """`__dataclass_fields__`, made by the standard library at its first use."""

    __slots__ = ("_fields", "_made")

    def __init__(self, fields: dict[str, tuple[str, _Field]]) -> None:
        self._fields = fields
        self._made: dict[str, Any] = {}

    def __get__(self, instance: object, owner: type) -> dict[str, Any]:
        if self._made:
            return self._made
        import dataclasses

        specified = []
        for name, (kind, spec) in self._fields.items():
            options: dict[str, Any] = {"repr": spec.repr, "compare": spec.compare, "kw_only": spec.kw_only}
            if spec.factory is not None:
                options["default_factory"] = spec.factory
            elif spec.default is not _MISSING:
                options["default"] = spec.default
            specified.append((name, kind, dataclasses.field(**options)))
        self._made = dataclasses.make_dataclass(owner.__name__, specified).__dict__["__dataclass_fields__"]
        return self._made


def _with_slots(cls: type, frozen: bool, kw_only: bool) -> type:
    """A new class with slots and the methods of a dataclass: slots cannot be added to an existing class."""
    content = dict(cls.__dict__)
    annotations = content.get("__annotations__", {})
    fields: dict[str, tuple[str, _Field]] = {}
    for base in reversed(cls.__mro__[1:]):
        fields.update(getattr(base, "_field_specs", {}))
    inherited = frozenset(fields)
    for name, kind in annotations.items():
        default = content.pop(name, _MISSING)
        spec = default if isinstance(default, _Field) else _Field(default, None, True, True, False)
        spec.kw_only = kw_only or spec.kw_only
        fields[name] = (kind, spec)
    for key in ("__dict__", "__weakref__"):
        content.pop(key, None)
    content.update(
        __slots__=tuple(name for name in annotations if name not in inherited),
        __qualname__=cls.__qualname__,
        __match_args__=tuple(name for name, (_, spec) in fields.items() if not spec.kw_only),
        __dataclass_fields__=_StandardFields(fields),
        _field_specs=fields,
    )
    content.setdefault("__repr__", _repr)
    if frozen:
        content.update(_FROZEN)
        content.setdefault("__hash__", _hash)
    elif "__eq__" not in content:
        content["__hash__"] = None
    content.setdefault("__eq__", _equal)
    content["__init__"] = _initializer(fields, frozen, hasattr(cls, "__post_init__"))
    return type(cls)(cls.__name__, cls.__bases__, content)


def _initializer(fields: dict[str, tuple[str, _Field]], frozen: bool, has_post_init: bool) -> Any:
    known: dict[str, Any] = {"_missing": _MISSING, "_set": object.__setattr__}
    parameters, lines = ["self"], []
    for name, (_, spec) in sorted(fields.items(), key=lambda item: item[1][1].kw_only):
        if spec.kw_only and "*" not in parameters:
            parameters.append("*")
        value = name
        if spec.factory is not None:
            known["_" + name] = spec.factory
            parameters.append(f"{name}=_missing")
            value = f"_{name}() if {name} is _missing else {name}"
        elif spec.default is not _MISSING:
            known["_" + name] = spec.default
            parameters.append(f"{name}=_{name}")
        else:
            parameters.append(name)
        lines.append(f" _set(self, {name!r}, {value})" if frozen else f" self.{name} = {value}")
    if has_post_init:
        lines.append(" self.__post_init__()")
    # Generated source, as in the standard library: an initializer that loops over the fields is slower.
    exec(f"def __init__({', '.join(parameters)}):\n" + "\n".join(lines or [" pass"]), known)  # noqa: S102
    initializer = known["__init__"]
    initializer.__annotations__ = {name: kind for name, (kind, _) in fields.items()}
    return initializer


def _repr_names(value: Any) -> list[str]:
    return [name for name, (_, spec) in value._field_specs.items() if spec.repr]


def _compared_values(value: Any) -> tuple[Any, ...]:
    return tuple([getattr(value, name) for name, (_, spec) in value._field_specs.items() if spec.compare])


def _repr(self: Any) -> str:
    return f"{type(self).__qualname__}({', '.join([f'{name}={getattr(self, name)!r}' for name in _repr_names(self)])})"


def _equal(self: Any, other: Any) -> Any:
    return _compared_values(self) == _compared_values(other) if other.__class__ is self.__class__ else NotImplemented


def _hash(self: Any) -> int:
    return hash(_compared_values(self))


def _frozen_setattr(self: Any, name: str, value: Any) -> None:
    from dataclasses import FrozenInstanceError

    raise FrozenInstanceError(f"cannot assign to field {name!r}")


def _frozen_delattr(self: Any, name: str) -> None:
    from dataclasses import FrozenInstanceError

    raise FrozenInstanceError(f"cannot delete field {name!r}")


def _state(self: Any) -> list[Any]:
    return [getattr(self, name) for name in self._field_specs]


def _restore(self: Any, state: list[Any]) -> None:
    for name, value in zip(self._field_specs, state, strict=True):
        object.__setattr__(self, name, value)


_FROZEN = {
    "__setattr__": _frozen_setattr,
    "__delattr__": _frozen_delattr,
    "__getstate__": _state,
    "__setstate__": _restore,
}

if not TYPE_CHECKING:

    def dataclass(*, slots: bool, frozen: bool = False, kw_only: bool = False) -> Callable[[type], type]:
        """Like `dataclasses.dataclass`. `slots=True` is required, so that readers and type checkers see it."""
        return lambda cls: _with_slots(cls, frozen, kw_only)

    def field(
        *, default: Any = _MISSING, default_factory: Any = None, repr: bool = True, compare: bool = True, kw_only: bool = False
    ) -> Any:
        """Like `dataclasses.field`."""
        return _Field(default, default_factory, repr, compare, kw_only)

    def replace(value: Any, /, **changes: Any) -> Any:
        """Like `dataclasses.replace`: a copy with some fields changed."""
        return type(value)(**{name: getattr(value, name) for name in value._field_specs} | changes)
