"""Retry hints: wherever a provider says how long to wait, the error says it too, and a used-up quota is not retried."""

from __future__ import annotations

from typing import Any

import pytest

from ailib_sync import AiLibError, QuotaExhausted, RateLimited, RetryPolicy
from ailib_sync.dialects.dialect import NAMES
from ailib_sync.errors import ErrorDetails
from ailib_sync.pipeline.retry_hints import retry_hint
from ailib_sync.testing import FakeProvider

NOW = 1_795_762_800.0  # 2026-11-27T07:00:00Z
DATE = {"date": "Fri, 27 Nov 2026 07:00:00 GMT"}


def hint(headers: dict[str, str] | None = None, body: Any = None, message: str = "", status: int = 429) -> float | None:
    return retry_hint(status, headers or {}, body, ErrorDetails(message), lambda: NOW)


def anthropic(unit: str, reset: str) -> dict[str, str]:
    return {f"anthropic-ratelimit-{unit}-remaining": "0", f"anthropic-ratelimit-{unit}-reset": reset}


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({"x-ratelimit-remaining-requests": "0", "x-ratelimit-reset-requests": "6m0s"}, 360),
        ({"x-ratelimit-remaining-requests": "0", "x-ratelimit-reset-requests": "1h2m3.5s"}, 3723.5),
        ({"x-ratelimit-remaining-tokens": "0", "x-ratelimit-reset-tokens": "120ms"}, 0.12),
        ({"x-ratelimit-remaining-requests": "5", "x-ratelimit-reset-requests": "6m0s"}, None),
        (
            {"x-ratelimit-remaining-requests": "0", "x-ratelimit-reset-requests": "2s", "x-ratelimit-remaining-tokens": "0",
             "x-ratelimit-reset-tokens": "9s"},
            9,
        ),
        ({**DATE, **anthropic("requests", "2026-11-27T07:00:25Z")}, 25),
        (anthropic("input-tokens", "2026-11-27T07:00:30Z"), 30),
        (anthropic("requests", "2026-11-27T07:00:25"), None),
        ({"x-ratelimit-remaining": "0", "x-ratelimit-reset": str(int((NOW + 25) * 1000))}, 25),
        ({"x-ratelimit-remaining": "0", "x-ratelimit-reset": str(int(NOW + 25))}, 25),
        ({"ratelimit-remaining": "0", "ratelimit-reset": "25"}, 25),
        ({"ratelimit-remaining": "0", "ratelimit-reset": "soon"}, None),
        ({"retry-after": "3", "ratelimit-remaining": "0", "ratelimit-reset": "25"}, 3),
    ],
)  # fmt: skip
def test_rate_limit_headers_with_nothing_remaining(headers: dict[str, str], seconds: float | None) -> None:
    assert hint(headers) == (pytest.approx(seconds) if seconds is not None else None)


@pytest.mark.parametrize(
    ("message", "seconds"),
    [
        ("Rate limit reached on tokens per min (TPM). Please try again in 20s.", 20),
        ("Please try again in 1m30.5s. Visit", 90.5),
        ("try again in 120ms", 0.12),
        ("Please retry after 7 seconds.", 7),
        ("wait 2 minutes", 120),
        ("Please retry in 45.5s.", 45.5),
        ("try again later", None),
        ("limit 20 requests", None),
        ("try again in 5 smiles", None),
    ],
)
def test_words_of_the_message(message: str, seconds: float | None) -> None:
    assert hint(message=message) == seconds


def test_a_body_that_names_a_wait() -> None:
    assert hint(body={"error": {"message": "slow", "retry_after": 20}}) == 20
    passed_on = {"X-RateLimit-Remaining": "0", "X-RateLimit-Reset": str(int((NOW + 25) * 1000))}
    assert hint(body={"error": {"metadata": {"headers": passed_on}}}) == pytest.approx(25)


def test_an_error_that_is_no_matter_of_time_has_no_hint() -> None:
    assert hint({"x-ratelimit-remaining": "0", "x-ratelimit-reset": "25"}, status=400) is None
    assert hint(message="try again in 20s", status=401) is None


def google(quota: str, delay: str) -> dict[str, Any]:
    details = [
        {"@type": "type.googleapis.com/google.rpc.QuotaFailure", "violations": [{"quotaId": quota}]},
        {"@type": "type.googleapis.com/google.rpc.RetryInfo", "retryDelay": delay},
    ]
    return {"error": {"code": 429, "message": "quota", "status": "RESOURCE_EXHAUSTED", "details": details}}


@pytest.mark.parametrize("in_a_list", [False, True])
@pytest.mark.parametrize("dialect", NAMES)
def test_google_details_are_read_in_every_dialect(dialect: str, in_a_list: bool) -> None:
    with FakeProvider(dialect) as fake:
        client = fake.client(retry=RetryPolicy(2, base_delay=0.001, max_retry_after=1))
        for quota, kind in (("PerMinutePerModel", RateLimited), ("GenerateRequestsPerDayPerProject", QuotaExhausted)):
            body = google(quota, "45.5s")
            fake.fail(429, body=[body] if in_a_list else body)
            with pytest.raises(AiLibError) as caught:
                client.chat().user("Hi").execute()
            assert type(caught.value) is kind
            assert caught.value.retry_after == 45.5
        assert len(fake.requests) == 2


def test_a_wait_is_never_shorter_than_half_of_the_policys_first_delay() -> None:
    error = RateLimited("slow", retry_after=0.0)
    assert RetryPolicy(base_delay=0.5).delay(error, 0, max) == 0.25
    assert RetryPolicy(base_delay=0.5, min_delay=1.0).delay(error, 0, max) == 1.0
    error.retry_after = 3.0
    assert RetryPolicy(base_delay=0.5).delay(error, 0, max) == 3.0
