"""How long a provider asks to wait: in `Retry-After`, in rate limit headers, in the body or the message of an error. Pure."""

from __future__ import annotations

from re import IGNORECASE, compile
from time import time

from ..types.json_values import child

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from typing import Any

    from ..errors import ErrorDetails

#: Statuses whose responses carry hints: too many requests, not available, overloaded (Anthropic), capacity exceeded (Groq).
_STATUSES = frozenset((429, 503, 529, 498))
#: In a reset header, a larger number is a moment (seconds since 1970), and one above the second bound a moment in milliseconds.
_MAX_WAIT_SECONDS = 366 * 86400
_FIRST_MILLISECONDS = 1e11
_UNITS = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0}
_UNIT = r"(ms|milliseconds?|s|secs?|seconds?|m|mins?|minutes?|h|hours?|d|days?)"
_PART = compile(rf"(\d+(?:\.\d+)?)\s*{_UNIT}(?![a-z])", IGNORECASE)
_DURATION = compile(rf"\s*(?:\d+(?:\.\d+)?\s*{_UNIT}\s*)+", IGNORECASE)
#: "Please try again in 20s", "retry after 1m30s", "wait 5 seconds": a duration close to these words.
_WORDS = compile(rf"(?:try again|retry|wait)\D{{0,30}}?((?:\d+(?:\.\d+)?\s*{_UNIT}(?![a-z])\s*)+)", IGNORECASE)
#: Headers with what is left and when it is reset, as (remaining, reset). The one that lasts longest counts.
#: https://platform.openai.com/docs/guides/rate-limits https://docs.anthropic.com/en/api/rate-limits
#: https://datatracker.ietf.org/doc/draft-ietf-httpapi-ratelimit-headers/ https://openrouter.ai/docs/api-reference/limits
_RESETS = (
    *((f"x-ratelimit-remaining-{unit}", f"x-ratelimit-reset-{unit}") for unit in ("requests", "tokens")),
    *(
        (f"anthropic-ratelimit-{unit}-remaining", f"anthropic-ratelimit-{unit}-reset")
        for unit in ("requests", "tokens", "input-tokens", "output-tokens")
    ),
    ("ratelimit-remaining", "ratelimit-reset"),
    ("x-ratelimit-remaining", "x-ratelimit-reset"),
)


def retry_hint(
    status: int, headers: Mapping[str, str], body: Any, details: ErrorDetails, now: Callable[[], float] = time
) -> float | None:
    """Seconds that an error response asks to wait, None if it does not. The first of these that has one decides:

    `Retry-After`; the body (Google's RetryInfo, `error.retry_after`, headers that a router passes on in
    `error.metadata.headers`); rate limit headers with nothing remaining; the words of the message.
    """
    found = parse_retry_after(headers, now)
    if found is not None or status not in _STATUSES:
        return found if found is not None else details.retry_after
    error = child(body, "error") if isinstance(body, dict) else {}
    passed_on = {str(name).lower(): str(value) for name, value in child(child(error, "metadata"), "headers").items()}
    hints = (
        details.retry_after,
        wait_seconds(error.get("retry_after"), now, None),
        parse_retry_after(passed_on, now),
        reset_hint(passed_on, now),
        reset_hint(headers, now),
        _in_words(details.message),
    )
    return next((hint for hint in hints if hint is not None), None)


def parse_retry_after(headers: Mapping[str, str], now: Callable[[], float] = time) -> float | None:
    """The Retry-After of a response in seconds: `retry-after-ms`, which is more exact, otherwise `Retry-After`.

    `Retry-After` is a number of seconds or a date (RFC 9110 10.2.3); some gateways write a duration (`30s`). A
    `retry-after-ms` of 0 is ignored if there is a `Retry-After`: a recorded response has `retry-after: 1` with
    `retry-after-ms: 0`, and a retry without a pause is rejected again. Invalid values, NaN and past dates are None.
    """
    # Not the larger of the two: the providers' own SDKs read `retry-after-ms` first, so that is what the providers test. With
    # 700 ms and `Retry-After: 30` the wait is 0.7 s (tests/faults). `RetryPolicy.delay` applies the policy's minimum to both.
    # https://github.com/openai/openai-python/blob/main/src/openai/_base_client.py (_parse_retry_after_header)
    milliseconds, value = _number(headers.get("retry-after-ms")), headers.get("retry-after")
    seconds = None if value is None else wait_seconds(value, now, headers.get("date"))
    if seconds == 0 and _number(value) is None:
        seconds = None
    if milliseconds is None or (milliseconds == 0 and seconds is not None):
        return seconds
    return milliseconds / 1000


def reset_hint(headers: Mapping[str, str], now: Callable[[], float] = time) -> float | None:
    """Seconds until the limit that has nothing remaining is reset."""
    date = headers.get("date")
    used_up = [headers.get(reset) for remaining, reset in _RESETS if _number(headers.get(remaining)) == 0]
    waits = [wait_seconds(reset, now, date, epoch=True) for reset in used_up]
    return max((wait for wait in waits if wait), default=None)


def wait_seconds(value: Any, now: Callable[[], float], date: str | None, *, epoch: bool = False) -> float | None:
    """A wait in seconds, given as a number, as a duration (`6m0s`, `30s`, `13ms`), or as a moment: an HTTP date, an RFC 3339
    time, or (`epoch`) a large number of seconds or milliseconds since 1970. A moment in the past is 0.

    A date is compared with `date`, the response's own, so that a wrong clock on either side does not matter.
    """
    text = str(value).strip() if isinstance(value, (str, int, float)) and not isinstance(value, bool) else ""
    number = _number(text)
    if number is not None:
        if not epoch or number <= _MAX_WAIT_SECONDS:
            return number
        return max((number / 1000 if number > _FIRST_MILLISECONDS else number) - now(), 0.0)
    if _DURATION.fullmatch(text):
        return _duration(text)
    until = _moment(text)
    if until is None:
        return None
    since = _moment(date or "")
    return max(until - (since if since is not None else now()), 0.0)


def _number(text: str | None) -> float | None:
    try:
        value = float(text or "")
    except ValueError:
        return None
    return value if value >= 0 else None  # false for NaN


def _duration(text: str) -> float:
    """The sum of the parts of a duration. The first letter of a unit names it, except in `ms` and `milliseconds`."""
    total = 0.0
    for number, unit in _PART.findall(text.lower()):
        total += float(number) * _UNITS["ms" if unit == "ms" or unit.startswith("milli") else unit[0]]
    return total


def _in_words(message: str) -> float | None:
    found = _WORDS.search(message[:2000])
    return _duration(found[1]) if found else None


def _moment(text: str) -> float | None:
    """An HTTP date (RFC 9110 5.6.7) or an RFC 3339 time, in seconds since the epoch."""
    from datetime import datetime
    from email.utils import parsedate_to_datetime  # urllib3 has already loaded it

    try:
        moment = parsedate_to_datetime(text)
    except (TypeError, ValueError, IndexError):
        try:
            moment = datetime.fromisoformat(text.replace("Z", "+00:00"))
        except ValueError:
            return None
        if moment.tzinfo is None:
            return None  # a local time of a machine that is not this one
    try:
        return moment.timestamp()
    except (ValueError, OverflowError):
        return None
