"""Checks of the numbers that callers pass, and the error for attributes that do not exist."""

from __future__ import annotations

from .errors import ConfigurationError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, NoReturn


def whole(name: str, value: Any, low: int | None) -> int:
    """The value, if it is a whole number of at least `low`. Raises ConfigurationError."""
    if isinstance(value, bool) or not isinstance(value, int) or (low is not None and value < low):
        allowed = "a whole number" if low is None else f"a whole number of at least {low}"
        raise ConfigurationError(f"{name} must be {allowed}, not {value!r}")
    return value


def number(name: str, value: Any, low: float, high: float) -> float:
    """The value, if it is a number between `low` and `high`. Raises ConfigurationError."""
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not low <= value <= high:
        raise ConfigurationError(f"{name} must be a number between {low} and {high}, not {value!r}")
    return value


def no_attribute(owner: object, name: str) -> NoReturn:
    """A `__getattr__`: raises AttributeError; for an attribute of another library, it says what to write here."""
    from ._other_names import no_attribute

    raise no_attribute(owner, name)
