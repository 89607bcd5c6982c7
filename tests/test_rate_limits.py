"""The rate limits of an account in the headers of a response, in each provider's form."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ailib_sync import AiClient, RateLimit
from ailib_sync.pipeline.rate_limits import rate_limit

from . import wire
from .local_server import LocalServer

OPENAI = {
    "x-ratelimit-limit-requests": "10000",
    "x-ratelimit-remaining-requests": "9999",
    "x-ratelimit-reset-requests": "8.64s",
    "x-ratelimit-limit-tokens": "200000",
    "x-ratelimit-remaining-tokens": "199984",
    "x-ratelimit-reset-tokens": "6m0s",
}
ANTHROPIC = {
    "date": "Wed, 21 Oct 2026 07:28:00 GMT",
    "anthropic-ratelimit-requests-limit": "50",
    "anthropic-ratelimit-requests-remaining": "49",
    "anthropic-ratelimit-requests-reset": "2026-10-21T07:28:02Z",
    "anthropic-ratelimit-tokens-limit": "40000",
    "anthropic-ratelimit-tokens-remaining": "39000",
    "anthropic-ratelimit-tokens-reset": "2026-10-21T07:29:00+00:00",
}


@pytest.mark.parametrize(
    ("headers", "limit"),
    [
        (OPENAI, RateLimit(10000, 9999, 8.64, 200000, 199984, 360.0)),
        (ANTHROPIC, RateLimit(50, 49, 2.0, 40000, 39000, 60.0)),
        ({"x-ratelimit-remaining-tokens": "0"}, RateLimit(remaining_tokens=0)),
        ({}, None),
        ({"content-type": "application/json"}, None),
        ({"x-ratelimit-limit-requests": "unlimited"}, None),
        ({"x-ratelimit-limit-requests": "-5", "x-ratelimit-remaining-requests": "3"}, RateLimit(remaining_requests=3)),
        ({"x-ratelimit-limit-requests": "9" * 30}, None),
        ({"x-ratelimit-limit-requests": "٣"}, None),
    ],
    ids=["openai", "anthropic", "one", "none", "other", "word", "negative", "huge", "arabic"],
)
def test_the_headers_are_read(headers, limit):
    assert rate_limit(headers) == limit


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("13ms", 0.013),
        ("1s", 1.0),
        ("1m30.5s", 90.5),
        ("2h", 7200.0),
        ("1d2h3m4s5ms", 93784.005),
        ("7", 7.0),
        ("1.5", 1.5),
        ("-1", None),
        ("nan", None),
        ("inf", None),
        ("soon", None),
        ("1x", None),
        ("", None),
        ("2026-10-21T07:28:02", None),
        ("2026-10-21T07:27:00Z", 0.0),
        ("2026-10-21T09:28:02+02:00", 2.0),
    ],
)
def test_every_form_of_a_reset_is_read(text, seconds):
    limit = rate_limit({"date": ANTHROPIC["date"], "x-ratelimit-remaining-requests": "1", "x-ratelimit-reset-requests": text})
    assert limit == RateLimit(remaining_requests=1, reset_requests=pytest.approx(seconds) if seconds is not None else None)


@given(st.dictionaries(st.sampled_from([*OPENAI, *ANTHROPIC]), st.text(max_size=30)))
def test_any_header_can_be_parsed(headers):
    limit = rate_limit(headers)
    assert limit is None or isinstance(limit, RateLimit)


@pytest.mark.parametrize("stream", [False, True], ids=["plain", "stream"])
def test_a_response_has_its_rate_limit(stream):
    def play(peer, request):
        if request.streams:
            peer.send(wire.head(200, {"Content-Type": "text/event-stream", "Connection": "close", **OPENAI}))
            for block in wire.events():
                peer.send(block)
            return False
        peer.send(wire.reply(200, wire.completion(), OPENAI))
        return True

    with LocalServer(play) as server:
        chat = AiClient("openai/gpt-4o", base_url=server.url, api_key="k").chat().user("Hello")
        response = chat.stream().collect() if stream else chat.execute()
    assert response.rate_limit == RateLimit(10000, 9999, 8.64, 200000, 199984, 360.0)
