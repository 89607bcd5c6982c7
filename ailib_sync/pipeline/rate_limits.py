"""The rate limits of an account, as the headers of a response give them. Pure."""

from __future__ import annotations

from time import time

from ..types.response import RateLimit

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

#: The two forms in use: OpenAI's (https://platform.openai.com/docs/guides/rate-limits#rate-limits-in-headers), which most
#: others copy, and Anthropic's (https://docs.anthropic.com/en/api/rate-limits#response-headers).
_PREFIXES = ("x-ratelimit-{what}-{unit}", "anthropic-ratelimit-{unit}-{what}")


def rate_limit(headers: Mapping[str, str]) -> RateLimit | None:
    """The limits in the headers, None if there are none."""
    if "ratelimit" not in "".join(headers):  # quicker than to look at each
        return None
    values: dict[str, int | float | None] = {}
    for unit in ("requests", "tokens"):
        for what in ("limit", "remaining", "reset"):
            text = next((headers[n] for p in _PREFIXES if (n := p.format(what=what, unit=unit)) in headers), None)
            if text is not None:
                values[f"{what}_{unit}"] = _reset(text, headers) if what == "reset" else _count(text)
    found = RateLimit(**values)  # type: ignore[arg-type]
    return found if any(value is not None for value in values.values()) else None


def _count(text: str) -> int | None:
    return int(text) if text.isascii() and text.isdigit() and len(text) < 19 else None


def _reset(text: str, headers: Mapping[str, str]) -> float | None:
    """Seconds until the reset."""
    from .retry_hints import wait_seconds  # compiles patterns; not every service sends such headers

    wait = wait_seconds(text, time, headers.get("date"))
    return wait if wait is not None and wait < 1e9 else None
