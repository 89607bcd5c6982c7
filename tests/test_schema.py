"""Python functions → JSON Schema: every kind of annotation, errors, and that values match the schema of their type."""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import Enum, IntEnum
from typing import Annotated, Any, List, Literal, NewType, Optional, TypedDict, TypeVar, Union  # noqa: UP035

import pytest
from hypothesis import given
from hypothesis import strategies as st
from jsonschema import Draft202012Validator
from typing_extensions import NotRequired, Required

from ailib_sync.errors import ConfigurationError
from ailib_sync.types.function_schema import described_parameters, function_parameters
from ailib_sync.types.tools import Tool


class Color(Enum):
    RED = "red"
    BLUE = "blue"


class Level(IntEnum):
    LOW = 1
    HIGH = 2


class Mixed(Enum):
    ONE = 1
    TWO = "two"


class Odd(Enum):
    THING = object()


@dataclass
class Point:
    x: float
    y: float = 0.0
    label: Annotated[str, "the label"] = ""
    tags: list[str] = field(default_factory=list)
    length: float = field(init=False, default=0.0)


@dataclass
class Place:
    """A place on the map.

    It is on land.

    Attributes:
        name: the name
        at: where it is
    """

    name: str
    at: Point


@dataclass
class Tree:
    value: int
    children: list[Tree]


@dataclass
class Husband:
    wife: Wife | None = None


@dataclass
class Wife:
    husband: Husband


class Base(TypedDict):
    id: int
    nick: NotRequired[str]


class Options(Base, total=False):
    """The options."""

    color: Color
    note: str | None
    size: Required[int]


UserId = NewType("UserId", int)
Number = TypeVar("Number", bound=float)
Free = TypeVar("Free")


def point(required: list[str] | None = None, **properties: Any) -> dict[str, Any]:
    return {"type": "object", "properties": properties, "required": required or [], "additionalProperties": False}


POINT = point(
    ["x"],
    x={"type": "number"},
    y={"type": "number"},
    label={"type": "string", "description": "the label"},
    tags={"type": "array", "items": {"type": "string"}},
)
NULL, TEXT, WHOLE = {"type": "null"}, {"type": "string"}, {"type": "integer"}

TYPES: list[tuple[Any, dict[str, Any]]] = [
    (str, TEXT),
    (int, WHOLE),
    (float, {"type": "number"}),
    (bool, {"type": "boolean"}),
    (None, NULL),
    (Any, {}),
    (object, {}),
    (list, {"type": "array", "items": {}}),
    (list[int], {"type": "array", "items": WHOLE}),
    (List[int], {"type": "array", "items": WHOLE}),  # noqa: UP006
    (Sequence[list[str]], {"type": "array", "items": {"type": "array", "items": TEXT}}),
    (Iterable[int], {"type": "array", "items": WHOLE}),
    (set[int], {"type": "array", "items": WHOLE, "uniqueItems": True}),
    (frozenset, {"type": "array", "items": {}, "uniqueItems": True}),
    (tuple, {"type": "array", "items": {}}),
    (tuple[int, ...], {"type": "array", "items": WHOLE}),
    (tuple[int, int], {"type": "array", "items": WHOLE, "minItems": 2, "maxItems": 2}),
    (
        tuple[int, str],
        {
            "type": "array",
            "items": {"anyOf": [WHOLE, TEXT]},
            "minItems": 2,
            "maxItems": 2,
            "prefixItems": [WHOLE, TEXT],
        },
    ),
    (dict, {"type": "object"}),
    (dict[str, int], {"type": "object", "additionalProperties": WHOLE}),
    (Mapping[str, Any], {"type": "object", "additionalProperties": {}}),
    (Literal["a", "b"], {"enum": ["a", "b"], "type": "string"}),
    (Literal["a", 1, None], {"enum": ["a", 1, None]}),
    (Literal[True], {"enum": [True], "type": "boolean"}),
    (Literal[Color.RED], {"enum": ["red"], "type": "string"}),
    (Color, {"enum": ["red", "blue"], "type": "string"}),
    (Level, {"enum": [1, 2], "type": "integer"}),
    (Mixed, {"enum": [1, "two"]}),
    (Optional[int], {"anyOf": [WHOLE, NULL]}),  # noqa: UP045
    (int | None, {"anyOf": [WHOLE, NULL]}),
    (Union[int, str, None], {"anyOf": [WHOLE, TEXT, NULL]}),  # noqa: UP007
    (Annotated[int, "how many"], {"type": "integer", "description": "how many"}),
    (Annotated[int, 7, "how many"], {"type": "integer", "description": "how many"}),
    (list[Annotated[int, "one"]], {"type": "array", "items": {"type": "integer", "description": "one"}}),
    (UserId, WHOLE),
    (Number, {"type": "number"}),
    (Free, {}),
    (Point, POINT),
    (
        Place,
        {
            **point(
                ["name", "at"],
                name={**TEXT, "description": "the name"},
                at={**POINT, "description": "where it is"},
            ),
            "description": "A place on the map.",
        },
    ),
    (
        Options,
        {
            **point(
                ["id", "size"],
                id=WHOLE,
                nick=TEXT,
                color={"enum": ["red", "blue"], "type": "string"},
                note={"anyOf": [TEXT, NULL]},
                size=WHOLE,
            ),
            "description": "The options.",
        },
    ),
]


def of(hint: Any) -> dict[str, Any]:
    def function(value):  # type: ignore[no-untyped-def]
        raise AssertionError("the function must not be called")

    function.__annotations__ = {"value": hint}
    return function_parameters(function)


@pytest.mark.parametrize(("hint", "schema"), TYPES, ids=[str(hint) for hint, _ in TYPES])
def test_each_type_has_its_schema(hint: Any, schema: dict[str, Any]) -> None:
    made = of(hint)
    Draft202012Validator.check_schema(made)
    assert made == point(["value"], value=schema)


def test_a_recursive_type_becomes_a_definition() -> None:
    node = point(["value", "children"], value=WHOLE, children={"type": "array", "items": {"$ref": "#/$defs/Tree"}})
    assert of(Tree) == {**point(["value"], value={"$ref": "#/$defs/Tree"}), "$defs": {"Tree": node}}
    validator = Draft202012Validator(of(Tree))
    assert validator.is_valid({"value": {"value": 1, "children": [{"value": 2, "children": []}]}})
    assert not validator.is_valid({"value": {"value": 1, "children": [{"value": "2", "children": []}]}})


def test_mutually_recursive_types_become_one_definition() -> None:
    made = of(tuple[Husband, Husband])
    assert list(made["$defs"]) == ["Husband"]
    couple = {"wife": {"husband": {"wife": None}}}
    assert Draft202012Validator(made).is_valid({"value": [couple, couple]})
    assert not Draft202012Validator(made).is_valid({"value": [couple, {"wife": {}}]})


def test_two_types_with_the_same_name_get_two_definitions() -> None:
    @dataclass
    class Tree:
        other: list[Any]

    inner = Tree
    Tree.__annotations__["other"] = list[inner]
    Tree.__dataclass_fields__["other"].type = list[inner]  # type: ignore[assignment]
    made = of(tuple[globals()["Tree"], inner])
    assert sorted(made["$defs"]) == ["Tree", "Tree_2"]


# --- Functions --------------------------------------------------------------------------------------------------------


def weather(city: str, days: Annotated[int, "how far ahead"] = 1, *, units: Literal["c", "f"] = "c") -> str:
    """Reports the weather.

    For the next days.

    Args:
        city (str): the city, with its
            country: always
        days: not this one
        units: c or f

    Returns:
        city: not a parameter
    """
    return ""


WEATHER = point(
    ["city"],
    city={"type": "string", "description": "the city, with its country: always"},
    days={"type": "integer", "description": "how far ahead"},
    units={"enum": ["c", "f"], "type": "string", "description": "c or f"},
)


class Station:
    def read(self, sensor: str) -> float:
        return 0.0

    @classmethod
    def make(cls, name: str) -> Station:
        return cls()

    @staticmethod
    def name(sensor: str) -> str:
        return sensor

    def __call__(self, sensor: str) -> float:
        return 0.0


class Made:
    def __init__(self, sensor: str) -> None: ...


def decorated(function: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(function)
    def wrapper(*args: Any, **kwargs: Any) -> Any:
        return function(*args, **kwargs)

    return wrapper


def test_a_function_with_defaults_and_a_docstring() -> None:
    assert function_parameters(weather) == WEATHER
    assert function_parameters(decorated(weather)) == WEATHER


def test_a_function_without_parameters() -> None:
    assert function_parameters(lambda: None) == point()


@pytest.mark.parametrize("function", [Station().read, Station.name, Station(), Made, decorated(Station().read)])
def test_self_is_not_a_parameter(function: Callable[..., Any]) -> None:
    assert function_parameters(function) == point(["sensor"], sensor=TEXT)


def test_cls_and_bound_arguments_are_not_parameters() -> None:
    assert function_parameters(Station.make) == point(["name"], name=TEXT)
    assert list(function_parameters(functools.partial(weather, "Rome"))["properties"]) == ["days", "units"]


def test_creates_a_tool_from_a_function() -> None:
    tool = Tool.from_function(weather)
    assert (tool.name, tool.description, tool.parameters) == ("weather", "Reports the weather.", WEATHER)


def starred(*values: int) -> None: ...
def double_starred(**values: int) -> None: ...
def positional(value: int, /) -> None: ...
def unannotated(value) -> None: ...  # type: ignore[no-untyped-def]
def unresolved(value: Missing) -> None: ...  # type: ignore[name-defined]  # noqa: F821


@pytest.mark.parametrize(
    ("function", "message"),
    [
        (starred, r"\*values has no schema; name each argument"),
        (double_starred, r"\*\*values has no schema"),
        (positional, "positional-only"),
        (unannotated, "parameter 'value' has no annotation; add one"),
        (unresolved, "Missing"),
        (dict, "cannot inspect|has no schema"),
    ],
)
def test_a_function_that_a_model_cannot_call_is_an_error(function: Callable[..., Any], message: str) -> None:
    with pytest.raises(ConfigurationError, match=message):
        function_parameters(function)


@pytest.mark.parametrize(
    ("hint", "message"),
    [
        (bytes, "bytes"),
        (complex, "complex"),
        (Odd, "a value that is not a string"),
        (Literal[b"x"], "a value that is not a string"),
        (dict[int, str], "keys are not strings"),
        (Callable[[], int], "Callable"),
        (list[complex], "complex"),
    ],
)
def test_a_type_without_schema_is_an_error(hint: Any, message: str) -> None:
    with pytest.raises(ConfigurationError, match=f"parameter 'value'.*{message}"):
        of(hint)


def test_docstrings_in_other_styles() -> None:
    assert described_parameters("") == {}
    assert described_parameters("Args: none.") == {}
    assert described_parameters("Args:\n    *rest: the rest\n    a\n  b: c") == {"rest": "the rest a b: c"}
    doc = "Does.\n\nParameters:\n  x (Callable[[int], str]): how: so\n\n  y : why\nReturns:\n  z: no"
    assert described_parameters(doc) == {"x": "how: so", "y": "why"}


# --- Values -----------------------------------------------------------------------------------------------------------

JSON_TYPES: list[tuple[Any, st.SearchStrategy[Any]]] = [
    (str, st.text()),
    (int, st.integers()),
    (float, st.floats(allow_nan=False, allow_infinity=False)),
    (bool, st.booleans()),
    (Color, st.sampled_from([member.value for member in Color])),
]


def nested(kinds: st.SearchStrategy[tuple[Any, Any]]) -> st.SearchStrategy[tuple[Any, Any]]:
    return st.one_of(
        kinds.map(lambda k: (list[k[0]], st.lists(k[1], max_size=3))),  # type: ignore[valid-type, index]
        kinds.map(lambda k: (dict[str, k[0]], st.dictionaries(st.text(), k[1], max_size=3))),  # type: ignore[valid-type, index]
        kinds.map(lambda k: (Optional[k[0]], st.none() | k[1])),  # type: ignore[valid-type, index]  # noqa: UP045
        st.tuples(kinds, kinds).map(lambda p: (tuple[p[0][0], p[1][0]], st.tuples(p[0][1], p[1][1]).map(list))),  # type: ignore[misc, index, name-defined]
    )


@given(st.recursive(st.sampled_from(JSON_TYPES), nested, max_leaves=5), st.data())
def test_any_value_of_a_type_matches_its_schema(kind: tuple[Any, Any], data: st.DataObject) -> None:
    hint, values = kind
    schema = of(hint)
    Draft202012Validator.check_schema(schema)
    Draft202012Validator(schema).validate({"value": data.draw(values)})
