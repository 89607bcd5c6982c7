"""Chunks with one fragment, which a dialect reads fast, and chunks that look like one, to compare both ways of reading."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from hypothesis import strategies as st

from ailib_sync.errors import AiLibError
from ailib_sync.types.events import StreamingEvent

#: A fragment, and the keys of further fields that are added to its chunk, in two objects.
Fragment = tuple[Any, set[str], set[str]]


def fragments(values: list[Any], *objects: dict[str, Any]) -> st.SearchStrategy[list[Fragment]]:
    """A few of the fragments. Most have no further fields in the `objects`."""
    keys = [st.just(set()) | st.sets(st.sampled_from([*further])) for further in objects]
    return st.lists(st.tuples(st.sampled_from(values), *keys), max_size=8)  # type: ignore[arg-type]


def outcome_of(events: Iterable[StreamingEvent]) -> list[Any]:
    """The events, and the error that ended them, if any."""
    got: list[Any] = []
    try:
        got.extend(events)
    except AiLibError as error:
        got.append((type(error), error.message))
    return got
