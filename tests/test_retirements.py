"""Retired models: the excerpt matches the model list, and a call is warned."""

from __future__ import annotations

from datetime import date

import pytest

from ailib_sync import models
from ailib_sync.registry.retirements import retirement, retirement_warning


def test_the_excerpt_matches_the_model_list() -> None:
    for info in models(shutdown=True):
        end = info.retires.isoformat() if info.retires else "shutdown" if info.status == "shutdown" else None
        assert retirement(info.provider, info.id) == end


@pytest.mark.parametrize(
    ("today", "expected"),
    [
        (date(2026, 10, 1), None),
        (date(2026, 10, 31), "a/b will be retired on 2026-11-30, in 30 days"),
        (date(2026, 11, 29), "a/b will be retired on 2026-11-30, in 1 day"),
        (date(2026, 11, 30), "a/b will be retired on 2026-11-30, in 0 days"),
        (date(2026, 12, 1), "a/b was retired on 2026-11-30, as its provider announced; use another model"),
    ],
)
def test_a_warning_is_given_from_thirty_days_before_the_retirement(today: date, expected: str | None) -> None:
    assert retirement_warning("a/b", "2026-11-30", today) == expected


def test_a_retirement_without_a_day_always_warns() -> None:
    assert retirement_warning("a/b", "shutdown") == "a/b was shut down; use another model"
