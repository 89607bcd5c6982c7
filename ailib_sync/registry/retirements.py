"""Which models end, and when: the part of the model list that a call is warned by. Read once, at the first call."""

from __future__ import annotations

import os
from functools import lru_cache

from .files import read_json

TYPE_CHECKING = False
if TYPE_CHECKING:
    from datetime import date

PATH = os.path.join(os.path.dirname(os.path.dirname(__file__)), "data", "endings.json")
#: How many days ahead a warning is given.
NOTICE_DAYS = 30


def ending(provider: str, model: str) -> str | None:
    """The announced end of the model with exactly this id, as 2026-01-31; `shutdown` where it has ended at an unknown day."""
    return _endings().get(provider, {}).get(model)


def warning(who: str, end: str, today: date | None = None) -> str | None:
    """A sentence where a model has ended or ends within 30 days; None otherwise. `who` is provider/model."""
    if end == "shutdown":
        return f"{who} was shut down by its provider"
    from datetime import date

    day = date.fromisoformat(end)
    days = (day - (today or date.today())).days
    if days > NOTICE_DAYS:
        return None
    if days < 0:
        return f"{who} ended on {day}, as its provider announced"
    return f"{who} ends on {day}, in {days} day{'s' * (days != 1)}"


@lru_cache(maxsize=1)
def _endings() -> dict[str, dict[str, str]]:
    return read_json(PATH)
