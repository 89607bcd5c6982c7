"""Records are dataclasses to whoever asks: each question is put to a record and to the standard library's own."""

from __future__ import annotations

import copy
import dataclasses
import inspect
import pickle
import subprocess
import sys
from collections.abc import Callable
from typing import Any

import pytest

from ailib_sync import record
from ailib_sync.request import ChatRequest, LedgerEntry
from ailib_sync.response import Usage


def _family(dataclass: Callable[..., Any], field: Callable[..., Any]) -> dict[str, Any]:
    """The same classes, made by either."""

    @dataclass(slots=True)
    class Plain:
        """With a doc."""

        name: str
        count: int = 0
        tags: list[str] = field(default_factory=list)
        hidden: str = field(default="h", repr=False, compare=False)

        def shout(self) -> str:
            return self.name.upper()

    @dataclass(slots=True)
    class Child(Plain):
        extra: str = "e"

    @dataclass(frozen=True, slots=True)
    class Frozen:
        name: str
        pair: tuple[int, ...] = ()

    @dataclass(slots=True)
    class Checked:
        value: int

        def __post_init__(self) -> None:
            if self.value < 0:
                raise ValueError("below 0")

    @dataclass(slots=True)
    class CheckedChild(Checked):
        other: int = 1

    @dataclass(slots=True)
    class Shown:
        value: int

        def __repr__(self) -> str:
            return "shown"

        def __eq__(self, other: object) -> bool:
            return True

    return {cls.__name__: cls for cls in (Plain, Child, Frozen, Checked, CheckedChild, Shown)}


OURS = _family(record.dataclass, record.field)
THEIRS = _family(dataclasses.dataclass, dataclasses.field)

QUESTIONS: dict[str, Callable[[dict[str, Any]], Any]] = {
    "repr": lambda c: repr(c["Plain"]("a", 1, ["x"])),
    "repr of a child": lambda c: repr(c["Child"]("a", extra="z")),
    "an own repr": lambda c: repr(c["Shown"](1)),
    "defaults": lambda c: (c["Plain"]("a").count, c["Plain"]("a").tags, c["Plain"]("a").hidden),
    "defaults are not shared": lambda c: c["Plain"]("a").tags is c["Plain"]("a").tags,
    "equal": lambda c: c["Plain"]("a", hidden="x") == c["Plain"]("a", hidden="y"),
    "not equal": lambda c: c["Plain"]("a") == c["Plain"]("b"),
    "not equal to a child": lambda c: c["Plain"]("a") == c["Child"]("a"),
    "not equal to a tuple": lambda c: c["Frozen"]("a") == ("a", ()),
    "an own equality": lambda c: c["Shown"](1) == 7,
    "hash of a frozen one": lambda c: hash(c["Frozen"]("a", (1,))) == hash(c["Frozen"]("a", (1,))),
    "in a set": lambda c: len({c["Frozen"]("a"), c["Frozen"]("a"), c["Frozen"]("b")}),
    "no hash": lambda c: hash(c["Plain"]("a")),
    "no hash with an own equality": lambda c: hash(c["Shown"](1)),
    "a missing argument": lambda c: c["Plain"](),
    "an unknown argument": lambda c: c["Plain"]("a", nothing=1),
    "too many arguments": lambda c: c["Frozen"]("a", (), 3),
    "post_init": lambda c: c["Checked"](-1),
    "post_init of a parent": lambda c: c["CheckedChild"](-1),
    "no __dict__": lambda c: hasattr(c["Plain"]("a"), "__dict__"),
    "slots": lambda c: c["Plain"].__slots__,
    "slots of a child": lambda c: c["Child"].__slots__,
    "an unknown attribute": lambda c: setattr(c["Plain"]("a"), "nothing", 1),
    "setting": lambda c: _set(c["Plain"]("a"), "count", 5).count,
    "setting a frozen one": lambda c: setattr(c["Frozen"]("a"), "name", "b"),
    "deleting of a frozen one": lambda c: delattr(c["Frozen"]("a"), "name"),
    "match args": lambda c: c["Child"].__match_args__,
    "matching": lambda c: _matched(c["Plain"]("a", 5), c["Plain"]),
    "is a dataclass": lambda c: (dataclasses.is_dataclass(c["Plain"]), dataclasses.is_dataclass(c["Child"]("a"))),
    "fields": lambda c: [(f.name, f.type, f.repr, f.compare) for f in dataclasses.fields(c["Child"])],
    "field defaults": lambda c: [f.default for f in dataclasses.fields(c["Plain"])][1],
    "field factories": lambda c: dataclasses.fields(c["Plain"])[2].default_factory,
    "asdict": lambda c: dataclasses.asdict(c["Child"]("a", tags=["x"])),
    "astuple": lambda c: dataclasses.astuple(c["Plain"]("a")),
    "replace": lambda c: repr(dataclasses.replace(c["Child"]("a"), count=3)),
    "replace in a frozen one": lambda c: repr(dataclasses.replace(c["Frozen"]("a"), name="b")),
    "copy": lambda c: copy.copy(c["Frozen"]("a", (1,))) == c["Frozen"]("a", (1,)),
    "deep copy": lambda c: copy.deepcopy(c["Plain"]("a", tags=["x"])).tags,
    "methods": lambda c: c["Child"]("a").shout(),
    "doc": lambda c: c["Plain"].__doc__,
    "names": lambda c: (c["Plain"].__name__, c["Plain"].__qualname__.rpartition(".")[2], c["Plain"].__module__),
    "the signature's names": lambda c: list(inspect.signature(c["Child"]).parameters),
}  # fmt: skip


def _set(value: Any, name: str, new: Any) -> Any:
    setattr(value, name, new)
    return value


def _matched(value: Any, cls: Any) -> tuple[str, int]:
    match value:
        case cls(name, count):
            return name, count
    raise AssertionError("no match")


@pytest.mark.parametrize("question", QUESTIONS)
def test_a_record_answers_as_a_dataclass_does(question: str) -> None:
    def answer(classes: dict[str, Any]) -> Any:
        try:
            return QUESTIONS[question](classes)
        except Exception as error:
            return type(error)

    ours, theirs = answer(OURS), answer(THEIRS)
    if isinstance(theirs, str):
        ours, theirs = (text.replace("_family.<locals>.", "") for text in (ours, theirs))
    assert ours == theirs


@pytest.mark.parametrize(
    "value",
    [Usage(1, 2, raw={"a": 1}), LedgerEntry("a", "sent", "b", "c"), ChatRequest("m", options={"temperature": 1})],
    ids=lambda value: type(value).__name__,
)
def test_records_pickle(value: Any) -> None:
    for protocol in range(2, pickle.HIGHEST_PROTOCOL + 1):
        loaded = pickle.loads(pickle.dumps(value, protocol))
        assert loaded == value
        assert type(loaded) is type(value)


def test_our_own_replace_copies_with_changes() -> None:
    request = ChatRequest("m", stream=False)
    changed = record.replace(request, stream=True)
    assert (changed.stream, changed.model, request.stream) == (True, "m", False)
    with pytest.raises(TypeError):
        record.replace(request, nothing=1)


def test_making_records_loads_neither_dataclasses_nor_inspect() -> None:
    code = "import sys, ailib_sync.response; print([m for m in ('dataclasses', 'inspect', 'typing') if m in sys.modules])"
    run = subprocess.run([sys.executable, "-S", "-E", "-c", code], capture_output=True, text=True, check=False, env={},
                         cwd=record.__file__.rpartition("ailib_sync")[0])  # fmt: skip
    assert run.stdout.strip() == "[]", run.stderr
