"""The rate limits of an account, as the headers of a response give them. Pure."""

from __future__ import annotations

from re import compile

from ..types.response import RateLimit

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

_UNITS = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0}
_DURATION = compile(r"(\d+(?:\.\d+)?)(ms|[smhd])")
_COMPLETE_DURATION = compile(r"(?:\d+(?:\.\d+)?(?:ms|[smhd]))+")
#: The two forms in use: OpenAI's (https://platform.openai.com/docs/guides/rate-limits#rate-limits-in-headers), which most
#: others copy, and Anthropic's (https://docs.anthropic.com/en/api/rate-limits#response-headers).
_PREFIXES = ("x-ratelimit-{what}-{unit}", "anthropic-ratelimit-{unit}-{what}")


def rate_limit(headers: Mapping[str, str]) -> RateLimit | None:
    """The limits in the headers, None if there are none."""
    if not any("ratelimit" in name for name in headers):
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
    """Seconds until the reset: `6m0s`, `13ms`, `1.5`, or an RFC 3339 time compared with the response's own `Date`."""
    text = text.strip()
    if _COMPLETE_DURATION.fullmatch(text):
        return sum(float(number) * _UNITS[unit] for number, unit in _DURATION.findall(text))
    try:
        seconds = float(text)
    except ValueError:
        return _until(text, headers)
    return seconds if 0 <= seconds < 1e9 else None


def _until(text: str, headers: Mapping[str, str]) -> float | None:
    from datetime import datetime, timezone
    from email.utils import parsedate_to_datetime

    try:
        moment = datetime.fromisoformat(text.replace("Z", "+00:00"))
        if moment.tzinfo is None:
            return None
        date = headers.get("date")
        now = parsedate_to_datetime(date) if date else datetime.now(timezone.utc)
        return max((moment - now).total_seconds(), 0.0)
    except (TypeError, ValueError, OverflowError):
        return None
