"""Retired models and announced retirements, for the warnings of calls. An excerpt of the model list, read at the first call."""

from __future__ import annotations

import os
from functools import lru_cache

from .files import read_json

TYPE_CHECKING = False
if TYPE_CHECKING:
    from datetime import date

PATH = os.path.join(os.path.dirname(os.path.dirname(__file__)), "data", "retirements.json")
#: A call is warned from this many days before the retirement.
NOTICE_DAYS = 30


def retirement(provider: str, model: str) -> str | None:
    """The retirement day of the model with exactly this id (2026-01-31); `shutdown` if it is retired and the day is unknown."""
    return _retirements().get(provider, {}).get(model)


def retirement_warning(who: str, end: str, today: date | None = None) -> str | None:
    """A warning if the model is retired or will be within 30 days, otherwise None. `who` is provider/model."""
    if end == "shutdown":
        return f"{who} was shut down; use another model"
    from datetime import date

    day = date.fromisoformat(end)
    days = (day - (today or date.today())).days
    if days > NOTICE_DAYS:
        return None
    if days < 0:
        return f"{who} was retired on {day}, as its provider announced; use another model"
    return f"{who} will be retired on {day}, in {days} day{'s' * (days != 1)}"


@lru_cache(maxsize=1)
def _retirements() -> dict[str, dict[str, str]]:
    return read_json(PATH)
