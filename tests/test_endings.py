"""Models that end soon: the excerpt agrees with the model list, and a call is warned."""

from __future__ import annotations

from datetime import date

import pytest

from ailib_sync import models
from ailib_sync.registry.retirements import ending, warning


def test_the_excerpt_agrees_with_the_model_list() -> None:
    for info in models(shutdown=True):
        end = info.retires.isoformat() if info.retires else "shutdown" if info.status == "shutdown" else None
        assert ending(info.provider, info.id) == end


@pytest.mark.parametrize(
    ("today", "expected"),
    [
        (date(2026, 10, 1), None),
        (date(2026, 10, 31), "a/b ends on 2026-11-30, in 30 days"),
        (date(2026, 11, 29), "a/b ends on 2026-11-30, in 1 day"),
        (date(2026, 11, 30), "a/b ends on 2026-11-30, in 0 days"),
        (date(2026, 12, 1), "a/b ended on 2026-11-30, as its provider announced"),
    ],
)
def test_a_warning_is_given_thirty_days_ahead_and_ever_after(today: date, expected: str | None) -> None:
    assert warning("a/b", "2026-11-30", today) == expected


def test_an_end_without_a_day_warns_always() -> None:
    assert warning("a/b", "shutdown") == "a/b was shut down by its provider"
