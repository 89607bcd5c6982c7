"""Pieces that a dialect reads fast, and what looks like one: both ways of reading are held against each other."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from hypothesis import strategies as st

from ailib_sync.errors import AiLibError
from ailib_sync.types.events import StreamingEvent

#: A piece, and the keys of what stands beside it in two places.
Piece = tuple[Any, set[str], set[str]]


def pieces(some: list[Any], *places: dict[str, Any]) -> st.SearchStrategy[list[Piece]]:
    """A few of the pieces; beside each, in each place, mostly nothing."""
    beside = [st.just(set()) | st.sets(st.sampled_from([*place])) for place in places]
    return st.lists(st.tuples(st.sampled_from(some), *beside), max_size=8)  # type: ignore[arg-type]


def outcome_of(events: Iterable[StreamingEvent]) -> list[Any]:
    """The events, and how they ended."""
    got: list[Any] = []
    try:
        got.extend(events)
    except AiLibError as error:
        got.append((type(error), error.message))
    return got
