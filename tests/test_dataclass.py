"""The dataclasses of this package behave like the standard library's: each test compares both."""

from __future__ import annotations

import copy
import dataclasses
import pickle
from typing import Any

import pytest

from ailib_sync import _dataclass as own


def _pair(frozen: bool) -> list[Any]:
    classes = []
    for dataclass, field in ((own.dataclass, own.field), (dataclasses.dataclass, dataclasses.field)):

        @dataclass(slots=True, frozen=frozen)
        class Point:
            """A point."""

            x: int
            y: int = 2
            tags: list[str] = field(default_factory=list)
            note: str | None = field(default=None, repr=False, compare=False)
            is_point = True

            def __post_init__(self) -> None:
                if self.x < 0:
                    raise ValueError("x")

        classes.append(Point)
    return classes


@pytest.mark.parametrize("frozen", [False, True])
@pytest.mark.parametrize(
    "expression",
    [
        lambda cls: repr(cls(1, note="n")).rpartition(".")[2],
        lambda cls: cls(1) == cls(1, note="other"),
        lambda cls: cls(1) == cls(2),
        lambda cls: cls(1) == (1, 2),
        lambda cls: cls.__match_args__,
        lambda cls: cls.__slots__,
        lambda cls: cls.__doc__,
        lambda cls: cls(1).is_point,
        lambda cls: cls(1).tags is cls(1).tags,
        lambda cls: cls(-1),
        lambda cls: cls(),
        lambda cls: cls(1, z=3),
        lambda cls: setattr(cls(1), "x", 5),
        lambda cls: delattr(cls(1), "x"),
        lambda cls: cls(1).__dict__,
        lambda cls: hash(cls(1)),
        lambda cls: hash(cls(1, 2, (), "n")) == hash(cls(1, 2, (), "other")),
        lambda cls: dataclasses.is_dataclass(cls),
        lambda cls: [(f.name, f.repr, f.compare, f.type, f.init) for f in dataclasses.fields(cls)],
        lambda cls: dataclasses.asdict(cls(1, tags=["a"])),
        lambda cls: dataclasses.astuple(cls(1)),
        lambda cls: dataclasses.replace(cls(1, note="n"), y=3).note,
        lambda cls: dataclasses.replace(cls(1), z=3),
        lambda cls: copy.copy(cls(1, 5)).y,
        lambda cls: copy.deepcopy(cls(1, tags=["a"])).tags,
    ],
)
def test_it_behaves_like_the_standard_library(frozen: bool, expression: Any) -> None:
    ours, theirs = [_result(expression, cls) for cls in _pair(frozen)]
    assert ours == theirs


@pytest.mark.parametrize("frozen", [False, True])
def test_an_unknown_attribute_cannot_be_set(frozen: bool) -> None:
    with pytest.raises(AttributeError):
        _pair(frozen)[0](1).z = 5


def _result(expression: Any, cls: Any) -> Any:
    try:
        return expression(cls)
    except Exception as error:
        return type(error)


@own.dataclass(slots=True, frozen=True)
class Pinned:
    a: int
    b: tuple[int, ...] = ()


@own.dataclass(slots=True)
class Parent:
    a: int
    b: int = 1


@own.dataclass(slots=True)
class Child(Parent):
    b: int = 7
    c: int = 3


def test_values_can_be_pickled() -> None:
    for protocol in range(2, pickle.HIGHEST_PROTOCOL + 1):
        assert pickle.loads(pickle.dumps(Pinned(1, (2,)), protocol)) == Pinned(1, (2,))
        assert pickle.loads(pickle.dumps(Child(1, 2, 4), protocol)) == Child(1, 2, 4)


def test_the_fields_of_the_parent_come_first() -> None:
    assert Child.__match_args__ == ("a", "b", "c")
    assert (Child(0).b, Child(0).c, Child.__slots__) == (7, 3, ("c",))
    assert [field.name for field in dataclasses.fields(Child)] == ["a", "b", "c"]
    assert repr(Child(0)) == "Child(a=0, b=7, c=3)"
    assert Child(0) != Parent(0)


def test_replace_returns_a_changed_copy() -> None:
    old = Pinned(1, (2,))
    assert own.replace(old, a=5) == Pinned(5, (2,))
    assert old == Pinned(1, (2,))
    with pytest.raises(TypeError):
        own.replace(old, c=1)
