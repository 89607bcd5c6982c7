"""Damage that is drawn: JSON values and streams that are nearly right, from any source of whole numbers.

`draw(n)` gives a number from 0 to n - 1: hypothesis, a fuzzer's bytes, or a plain random generator.
"""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any

from tests.dialects.samples import ALL, ERRORS, Frames

Draw = Callable[[int], int]

DEEP: Any = "x"
for _ in range(220):
    DEEP = [DEEP]

#: What may stand where something else is expected.
VALUES: tuple[Any, ...] = (
    None, True, False, 0, -1, 7, 10**30, -(10**30), 1.5, float("inf"), float("-inf"), "", "x", "7", "é\u2028", "\ud800", "\x00",
    "a" * 5000, [], {}, [None], [[]], [{}], ["x"], [1], {"x": 1}, {"": None}, {"type": "text"}, {"type": None}, {"type": ["x"]},
    {"text": 1}, {"message": None}, {"message": {"message": "x"}}, {"code": {}}, DEEP,
)  # fmt: skip


def words() -> list[str]:
    """Every key and every short text of the samples."""
    found: set[str] = set()

    def walk(value: Any) -> None:
        if isinstance(value, dict):
            found.update(value)
            for inner in value.values():
                walk(inner)
        elif isinstance(value, (list, tuple)):
            for inner in value:
                walk(inner)
        elif isinstance(value, str) and len(value) < 40:
            found.add(value)

    walk([[samples.responses, samples.streams] for samples in ALL.values()] + [ERRORS])
    return sorted(found)


WORDS = words()


def places(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """The paths to everything inside a value, down to a depth at which deep parts do not add up to what Python cannot copy."""
    found = [path] if path else []
    if len(path) == 20:
        return found
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, item in inner:
        found += places(item, (*path, key))
    return found


def any_value(draw: Draw) -> Any:
    """A strange value, or a part of a sample where it does not belong."""
    if draw(4):
        return copy.deepcopy(VALUES[draw(len(VALUES))])
    pool = ALL[sorted(ALL)[draw(len(ALL))]].responses if draw(2) else ERRORS
    value: Any = pool[draw(len(pool))]
    for _ in range(draw(5)):
        inner = list(value.values()) if isinstance(value, dict) else value if isinstance(value, list) else []
        if not inner:
            break
        value = inner[draw(len(inner))]
    return copy.deepcopy(value)


def damage(value: Any, draw: Draw) -> Any:
    """`value` with one thing in it replaced, taken out, renamed or added."""
    here = places(value)
    if not here:
        return any_value(draw)
    *parents, last = here[draw(len(here))]
    part = value
    for key in parents:
        part = part[key]
    way = draw(8)
    if way < 5:
        part[last] = any_value(draw)
    elif way == 5:
        del part[last]
    elif isinstance(part, dict):
        part[WORDS[draw(len(WORDS))]] = part.pop(last) if way == 6 else any_value(draw)
    else:
        part.insert(last, copy.deepcopy(part[last]))
    return value


def damaged(value: Any, draw: Draw, most: int = 4) -> Any:
    """A copy with up to `most` damages."""
    value = copy.deepcopy(value)
    for _ in range(draw(most + 1)):
        value = damage(value, draw)
    return value


def damaged_frames(frames: Frames, draw: Draw) -> Frames:
    """A stream whose frames are damaged, repeated, dropped, swapped, renamed or cut off."""
    frames = [(event, copy.deepcopy(value)) for event, value in frames]
    for _ in range(draw(5)):
        if not frames:
            break
        at = draw(len(frames))
        event, value = frames[at]
        way = draw(10)
        if way < 5:
            frames[at] = (event, damage(value, draw) if value is not None else any_value(draw))
        elif way == 5:
            del frames[at]
        elif way == 6:
            frames.insert(draw(len(frames) + 1), (event, copy.deepcopy(value)))
        elif way == 7:
            other = frames[draw(len(frames))]
            frames[at] = (other[0], copy.deepcopy(other[1]))
        elif way == 8:
            frames[at] = (WORDS[draw(len(WORDS))].replace("\n", ""), value)
        else:
            del frames[at:]
    return frames
