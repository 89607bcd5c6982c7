"""Another provider answers where the first cannot, with its own key, address and format; and the caller can tell who did."""

from __future__ import annotations

import json
from contextlib import ExitStack
from time import monotonic, sleep

import pytest

from ailib_sync import (
    AiClient,
    AiLibError,
    Cancelled,
    CircuitBreaker,
    CircuitOpen,
    ConfigurationError,
    ConnectError,
    DeadlineExceeded,
    InvalidRequest,
    Limiter,
    Overloaded,
    PoolTimeout,
    QuotaExhausted,
    RateLimited,
    RetryPolicy,
    StreamInterrupted,
    Timeout,
)

from . import wire
from .local_server import LocalServer
from .time_limits import scaled

ONCE = RetryPolicy(max_retries=0)


def claude(peer, request):
    """A healthy Anthropic Messages answer."""
    peer.send(
        wire.reply(
            200,
            {
                "id": "msg_1", "type": "message", "role": "assistant", "model": "claude", "stop_reason": "end_turn",
                "content": [{"type": "text", "text": "from Claude"}], "usage": {"input_tokens": 2, "output_tokens": 3},
            },
        )
    )  # fmt: skip
    return True


def says(status, **words):
    def play(peer, request):
        peer.send(wire.reply(status, wire.error_body(**words)))
        return True

    return play


@pytest.fixture
def serve():
    with ExitStack() as stack:
        yield lambda play: stack.enter_context(LocalServer(play))


def gpt(server, **options):
    options.setdefault("retry", ONCE)
    return AiClient("openai/gpt-4o", base_url=server.url, api_key="key-of-openai", **options)


def fallback(server, **options):
    options.setdefault("retry", ONCE)
    return AiClient("anthropic/claude-x", base_url=server.url, api_key="key-of-anthropic", **options)


def test_a_fallback_responds_with_its_own_key_address_and_format(serve):
    first, second = serve(says(503)), serve(claude)
    response, stats = gpt(first, fallbacks=[fallback(second)]).chat().user("Hello").max_tokens(9).execute_with_stats()
    assert response.content == "from Claude"
    assert (response.provider, stats.provider, stats.model, len(stats.attempts)) == ("anthropic", "anthropic", "claude", 2)
    assert stats.prompt_tokens == 2
    request = second.requests[0]
    assert request.headers["x-api-key"] == "key-of-anthropic"
    assert "authorization" not in request.headers
    assert first.requests[0].headers["authorization"] == "Bearer key-of-openai"
    assert json.loads(request.body)["model"] == "claude-x"
    assert not any("key-of-openai" in value for value in request.headers.values())


@pytest.mark.parametrize(
    ("play", "falls_back"),
    [
        (says(503), True),
        (says(500), True),
        (says(429), True),
        (says(429, code="insufficient_quota"), True),
        (says(401), True),
        (lambda peer, request: False, True),
        (lambda peer, request: peer.send(wire.reply(200, b"<html>", {"Content-Type": "text/html"})), True),
        (says(400), False),
        (says(403), False),
        (says(404), False),
    ],
    ids=["503", "500", "429", "quota", "401", "no answer", "html", "400", "403", "404"],
)
def test_which_failures_go_to_the_fallback(serve, play, falls_back):
    first, second = serve(play), serve(wire.healthy)
    chat = gpt(first, fallbacks=[gpt(second)]).chat().user("Hello")
    if falls_back:
        assert chat.execute().content == wire.TEXT
    else:
        with pytest.raises(AiLibError) as caught:
            chat.execute()
        assert len(caught.value.attempts) == 1
    assert len(second.requests) == falls_back


def test_a_target_is_retried_before_the_next_is_asked(serve):
    first, second = serve(says(503)), serve(wire.healthy)
    client = gpt(first, retry=RetryPolicy(base_delay=0.0), fallbacks=[gpt(second)])
    _, stats = client.chat().user("Hello").execute_with_stats()
    assert (len(first.requests), len(second.requests), len(stats.attempts)) == (3, 1, 4)


def test_a_stream_falls_back_before_its_first_event_only(serve):
    def cut(peer, request):
        peer.send(wire.SSE_HEAD)
        for block in wire.deltas(wire.TEXTS[: request.number - 1]):
            peer.send(wire.chunk(block))
        return False

    first, second = serve(cut), serve(wire.healthy)
    client = gpt(first, fallbacks=[gpt(second)])
    stream = client.chat().user("Hello").stream()
    assert stream.collect().content == wire.TEXT
    assert len(stream.stats.attempts) == 2
    with pytest.raises(StreamInterrupted) as caught:
        client.chat().user("Hello").stream().collect()
    assert caught.value.partial.content == wire.TEXTS[0]
    assert len(second.requests) == 1


def test_the_last_error_lists_every_attempt_in_its_text_too(serve):
    first, second, third = serve(says(503)), serve(says(500)), serve(says(429, code="insufficient_quota"))
    client = gpt(first, fallbacks=[fallback(second), gpt(third)])
    with pytest.raises(QuotaExhausted) as caught:
        client.chat().user("Hello").execute()
    tried = [(attempt.provider, attempt.status_code) for attempt in caught.value.attempts]
    assert tried == [("openai", 503), ("anthropic", 500), ("openai", 429)]
    assert "after 3 attempts (openai/gpt-4o 503, anthropic/claude-x 500, openai/gpt-4o 429)" in str(caught.value)


def test_an_error_response_of_the_fallback_ends_the_call(serve):
    first, second, third = serve(says(503)), serve(says(400)), serve(wire.healthy)
    with pytest.raises(InvalidRequest):
        gpt(first, fallbacks=[gpt(second), gpt(third)]).chat().user("Hello").execute()
    assert not third.requests


def test_a_fallback_without_a_key_is_passed_over(serve, monkeypatch):
    monkeypatch.delenv("DEEPSEEK_API_KEY", raising=False)
    first, second = serve(says(503)), serve(wire.healthy)
    client = gpt(first, fallbacks=["deepseek/deepseek-chat", gpt(second)])
    assert client.chat().user("Hello").execute().content == wire.TEXT


def test_where_no_fallback_has_a_key_the_error_still_shows_the_first(serve, monkeypatch):
    monkeypatch.delenv("DEEPSEEK_API_KEY", raising=False)
    first = serve(says(503))
    with pytest.raises(Overloaded) as caught:
        gpt(first, fallbacks=["deepseek/deepseek-chat"]).chat().user("Hello").execute()
    assert caught.value.attempts[0].status_code == 503


@pytest.mark.parametrize("stream", [False, True], ids=["plain", "stream"])
def test_a_fallback_that_cannot_be_used_leaves_the_first_error_and_is_a_note(serve, monkeypatch, stream):
    monkeypatch.delenv("DEEPSEEK_API_KEY", raising=False)
    client = gpt(serve(says(503, message="too busy")), fallbacks=["deepseek/deepseek-chat", "groq/x"])
    monkeypatch.delenv("GROQ_API_KEY", raising=False)
    with pytest.raises(Overloaded, match="too busy") as caught:
        client.chat().user("Hello").stream() if stream else client.chat().user("Hello").execute()
    assert caught.value.provider == "openai"
    assert [attempt.provider for attempt in caught.value.attempts] == ["openai"]
    assert [note.partition(":")[0] for note in caught.value.__notes__] == [
        "the fallback deepseek/deepseek-chat cannot be used", "the fallback groq/x cannot be used",
    ]  # fmt: skip
    assert "DEEPSEEK_API_KEY" in caught.value.__notes__[0]


def test_a_fallback_that_cannot_be_used_does_not_hide_the_error_of_another(serve, monkeypatch):
    monkeypatch.delenv("DEEPSEEK_API_KEY", raising=False)
    second = gpt(serve(says(429, message="slow down")))
    for fallbacks in (["deepseek/x", second], [second, "deepseek/x"]):
        with pytest.raises(RateLimited, match="slow down") as caught:
            gpt(serve(says(503)), fallbacks=fallbacks).chat().user("Hello").execute()
        assert [attempt.status_code for attempt in caught.value.attempts] == [503, 429]
        assert len(caught.value.__notes__) == 1


@pytest.mark.parametrize("stream", [False, True], ids=["plain", "stream"])
def test_a_fallback_that_answered_is_visible(serve, monkeypatch, stream):
    monkeypatch.delenv("DEEPSEEK_API_KEY", raising=False)
    first = serve(says(503, message="too busy"))
    fallbacks = ["deepseek/x", gpt(serve(wire.healthy))]
    client = gpt(first, retry=RetryPolicy(max_retries=1, base_delay=0.0), fallbacks=fallbacks)
    chat = client.chat().user("Hello")
    if stream:
        with chat.stream() as events:
            response = events.collect()
        stats = events.stats
    else:
        response, stats = chat.execute_with_stats()
    skipped, failed = response.warnings
    assert failed == "openai/gpt-4o failed, so a fallback was used (Overloaded: too busy)"
    assert skipped.startswith("the fallback deepseek/x cannot be used: ")
    assert [(a.provider, a.model, a.status_code, a.error) for a in stats.attempts] == [
        ("openai", "gpt-4o", 503, "Overloaded: too busy"),
        ("openai", "gpt-4o", 503, "Overloaded: too busy"),
        ("openai", "gpt-4o", 200, None),
    ]
    assert [a.waited for a in stats.attempts] == [0.0, None, None]
    starts = [a.started for a in stats.attempts]
    assert starts == sorted(starts)
    assert all(0 < a.duration <= stats.latency_ms / 1000 for a in stats.attempts)


def test_a_retry_at_the_same_provider_is_no_warning(serve):
    server = serve(lambda peer, request: (wire.healthy if request.number > 1 else says(503))(peer, request))
    client = gpt(server, retry=RetryPolicy(base_delay=0.0))
    response, stats = client.chat().user("Hello").execute_with_stats()
    assert response.warnings == []
    assert [attempt.status_code for attempt in stats.attempts] == [503, 200]


def test_the_error_of_a_broken_stream_has_the_attempts_before_it_too(serve):
    def cut(peer, request):
        peer.send(wire.SSE_HEAD + wire.chunk(wire.deltas(wire.TEXTS[:1])[0]))
        return False

    client = gpt(serve(says(503)), fallbacks=[gpt(serve(cut))])
    with pytest.raises(StreamInterrupted) as caught:
        client.chat().user("Hello").stream().collect()
    assert [attempt.error.partition(":")[0] for attempt in caught.value.attempts] == ["Overloaded", "StreamInterrupted"]
    assert "after 2 attempts (openai/gpt-4o 503, openai/gpt-4o StreamInterrupted)" in str(caught.value)


def test_an_unknown_fallback_is_reported_when_the_client_is_made(serve):
    with pytest.raises(ConfigurationError, match="nosuchprovider"):
        gpt(serve(wire.healthy), fallbacks="nosuchprovider/x")


def test_a_fallback_named_by_a_string_takes_the_client_s_policies():
    heard = []
    timeout, retry = Timeout(total=7), RetryPolicy(max_retries=1)
    options = {"timeout": timeout, "retry": retry, "on_retry": heard.append, "strict": True}
    client = AiClient("openai/gpt-4o", api_key="k", fallbacks="embedded/echo", **options)
    (named,) = client._fallbacks
    assert (named.timeout, named.retry, named.strict) == (timeout, retry, True)
    assert named.on_retry is client.on_retry
    assert named._route.endpoints.key is None


def test_fallbacks_share_the_call_s_total(serve):
    first, second = serve(says(503)), serve(lambda peer, request: peer.wait())
    started = monotonic()
    with pytest.raises(DeadlineExceeded) as caught:
        gpt(first, timeout=scaled(0.6), fallbacks=[gpt(second)]).chat().user("Hello").execute()
    assert monotonic() - started < scaled(0.6 + 0.25)
    assert [attempt.status_code for attempt in caught.value.attempts] == [503, None]


# the circuit breaker


def test_an_open_circuit_sends_nothing_and_hands_over_at_once(serve):
    first, second = serve(says(503)), serve(wire.healthy)
    breaker = CircuitBreaker(failures=2, cooldown=60)
    client = gpt(first, breaker=breaker, fallbacks=[gpt(second)])
    for _ in range(5):
        assert client.chat().user("Hello").execute().content == wire.TEXT
    assert breaker.state == "open"
    assert repr(breaker) == "CircuitBreaker(failures=2, cooldown=60, open)"
    assert (len(first.requests), len(second.requests)) == (2, 5)


def test_without_a_fallback_an_open_circuit_says_why_and_how_long(serve):
    server = serve(says(503, message="too busy"))
    client = gpt(server, breaker=CircuitBreaker(failures=1, cooldown=60))
    with pytest.raises(Overloaded):
        client.chat().user("Hello").execute()
    with pytest.raises(CircuitOpen, match=r"after 1 failures in a row; the next is sent in [56]\d\.\d s.*too busy") as caught:
        client.chat().user("Hello").stream()
    assert (caught.value.retryable, caught.value.fallbackable, caught.value.provider) == (False, True, "openai")
    assert len(server.requests) == 1


def test_the_circuit_that_opens_ends_the_retries_of_its_call(serve):
    server = serve(says(503))
    client = gpt(server, retry=RetryPolicy(max_retries=9, base_delay=0.0), breaker=CircuitBreaker(failures=3, cooldown=60))
    with pytest.raises(Overloaded) as caught:
        client.chat().user("Hello").execute()
    assert len(server.requests) == len(caught.value.attempts) == 3


def test_after_the_cooldown_one_request_tries_and_its_success_closes_the_circuit(serve):
    server = serve(says(503))
    breaker = CircuitBreaker(failures=1, cooldown=scaled(0.2))
    client = gpt(server, breaker=breaker)
    for kind in (Overloaded, CircuitOpen):
        with pytest.raises(kind):
            client.chat().user("Hello").execute()
    server.over.wait(scaled(0.25))
    assert breaker.state == "half_open"
    for kind in (Overloaded, CircuitOpen):  # the probe fails: open again
        with pytest.raises(kind):
            client.chat().user("Hello").execute()
    server.over.wait(scaled(0.25))
    server.heal()
    for _ in range(3):
        client.chat().user("Hello").execute()
    assert breaker.state == "closed"
    assert len(server.requests) == 5


def test_only_one_request_probes_at_a_time():
    breaker = CircuitBreaker(failures=1, cooldown=scaled(0.2))
    breaker.admit()
    breaker.note(Overloaded("x"))
    sleep(scaled(0.21))
    breaker.admit()  # and is never heard of again: after another cooldown the next may try
    with pytest.raises(CircuitOpen, match="a probe is in flight"):
        breaker.admit()
    sleep(scaled(0.21))
    breaker.admit()
    with pytest.raises(CircuitOpen, match="a probe is in flight"):
        breaker.admit()
    breaker.note(KeyboardInterrupt())  # the probe was given up, which says nothing of the provider
    breaker.admit()
    breaker.note(None)
    breaker.admit()
    assert breaker.state == "closed"


@pytest.mark.parametrize(
    ("error", "state"),
    [
        (Overloaded("x"), "open"),
        (ConnectError("x"), "open"),
        (QuotaExhausted("x"), "open"),
        (DeadlineExceeded("x"), "open"),
        (InvalidRequest("x"), "closed"),
        (ConfigurationError("x"), "closed"),
        (KeyboardInterrupt(), "closed"),
        (PoolTimeout("x"), "closed"),
        (Cancelled("x"), "closed"),
    ],
    ids=lambda value: type(value).__name__ if isinstance(value, BaseException) else value,
)
def test_what_counts_against_a_provider(error, state):
    breaker = CircuitBreaker(failures=2)
    for _ in range(2):
        breaker.admit()
        breaker.note(error)
    assert breaker.state == state


def test_a_call_that_the_limiter_stops_does_not_count_against_a_provider(serve):
    server = serve(wire.healthy)
    breaker = CircuitBreaker(failures=1)
    client = gpt(server, breaker=breaker, limiter=Limiter(max_in_flight=1, max_wait=0.01))
    with client.chat().user("Hello").stream() as stream:
        for _ in range(3):
            with pytest.raises(PoolTimeout):
                client.chat().user("Hello").execute()
        assert stream.collect().content == wire.TEXT
    assert breaker.state == "closed"
    assert client.chat().user("Hello").execute().content == wire.TEXT


def test_only_failures_in_a_row_open_the_circuit():
    breaker = CircuitBreaker(failures=2)
    for outcome in (Overloaded("x"), None, Overloaded("x"), InvalidRequest("an answer too"), Overloaded("x")):
        breaker.admit()
        breaker.note(outcome)
    assert breaker.state == "closed"


@pytest.mark.parametrize("options", [{"failures": 0}, {"failures": True}, {"cooldown": 0}, {"cooldown": "1"}], ids=str)
def test_a_breaker_that_cannot_be_is_rejected(options):
    with pytest.raises(ConfigurationError, match=next(iter(options))):
        CircuitBreaker(**options)
