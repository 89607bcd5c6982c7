"""What is retried, when, how often, and what the caller sees of it."""

from __future__ import annotations

import pickle
from time import monotonic

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ailib_sync import (
    AiClient,
    Attempt,
    AuthenticationError,
    Cancelled,
    CircuitOpen,
    ConfigurationError,
    ConnectError,
    ContentTimeout,
    DeadlineExceeded,
    InvalidRequest,
    Overloaded,
    QuotaExhausted,
    RateLimited,
    ReadTimeout,
    RetryPolicy,
    ServerError,
    StreamInterrupted,
    Timeout,
)
from ailib_sync.errors import AiLibError
from ailib_sync.pipeline.retry import RetryBudget, should_retry_header
from ailib_sync.pipeline.retry_hints import parse_retry_after

from . import wire
from .local_server import LocalServer
from .time_limits import scaled

NO_DELAY = RetryPolicy(base_delay=0.0)


def rejects(status, *, times=9999, headers=None, **words):
    """This error response for the first `times` requests, a normal response after them."""

    def play(peer, request):
        if request.number > times:
            return wire.healthy(peer, request)
        peer.send(wire.reply(status, wire.error_body(**words), headers))
        return True

    return play


def client_of(server, **options):
    options.setdefault("retry", NO_DELAY)
    return AiClient("openai/gpt-4o", base_url=server.url, api_key="k", **options)


def failure_of(server, **options):
    with pytest.raises(AiLibError) as caught:
        client_of(server, **options).chat().user("Hello").execute()
    return caught.value


# the policy


@given(retries=st.integers(0, 50), base=st.floats(0, 10), most=st.floats(0, 60), least=st.floats(0, 5))
def test_the_wait_is_random_below_a_ceiling_that_doubles(retries, base, most, least):
    policy = RetryPolicy(base_delay=base, max_delay=most, min_delay=least)
    drawn = []
    policy.delay(ServerError("x", status_code=500), retries, lambda low, high: drawn.append((low, high)) or 0.0)
    ceiling = min(base * 2**retries, most)
    assert drawn == [(min(least, ceiling), ceiling)]


def test_a_throttled_request_waits_up_to_twice_as_long():
    spans = [
        RetryPolicy().delay(kind("x", status_code=status), 0, lambda low, high: high)
        for kind, status in ((ServerError, 500), (RateLimited, 429), (Overloaded, 529))
    ]
    assert spans == [0.5, 1.0, 1.0]


@pytest.mark.parametrize("value", [-1, 101, 1.5, True, "2"])
def test_an_invalid_number_of_retries_is_an_error(value):
    with pytest.raises(ConfigurationError, match="max_retries"):
        RetryPolicy(max_retries=value)


@pytest.mark.parametrize(
    ("error", "allowed"),
    [
        (ServerError("x"), True),
        (ConnectError("x"), True),
        (StreamInterrupted("x"), True),
        (InvalidRequest("x"), False),
        (AuthenticationError("x"), False),
        (QuotaExhausted("x"), False),
        (DeadlineExceeded("x"), False),
        (Cancelled("x"), False),
        (CircuitOpen("x"), False),
        (ReadTimeout("x"), False),
        (ContentTimeout("x"), False),
    ],
    ids=lambda value: type(value).__name__ if isinstance(value, Exception) else str(value),
)
def test_which_errors_a_policy_retries(error, allowed):
    assert RetryPolicy().allows(error, 0) is allowed
    assert not RetryPolicy().allows(error, 2)


def test_a_read_timeout_is_retried_only_on_request():
    assert RetryPolicy(on_read_timeout=True).allows(ReadTimeout("x"), 0)
    assert RetryPolicy(on_read_timeout=True).allows(ContentTimeout("x"), 0)


# Retry-After

DATE = "Wed, 21 Oct 2026 07:28:00 GMT"


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({}, None),
        ({"retry-after": "7"}, 7.0),
        ({"retry-after": "0"}, 0.0),
        ({"retry-after": " 1.5 "}, 1.5),
        ({"retry-after-ms": "250"}, 0.25),
        ({"retry-after-ms": "250", "retry-after": "7"}, 0.25),
        ({"retry-after-ms": "0", "retry-after": "1"}, 1.0),
        ({"retry-after-ms": "2500", "retry-after": "1"}, 2.5),
        ({"retry-after": "30s"}, 30.0),
        ({"retry-after": "1m30s"}, 90.0),
        ({"retry-after-ms": "soon", "retry-after": "7"}, 7.0),
        ({"retry-after": "Wed, 21 Oct 2026 07:28:30 GMT", "date": DATE}, 30.0),
        ({"retry-after": "Wed, 21 Oct 2026 07:28:30 GMT", "date": "nonsense"}, 130.0),
        ({"retry-after": "Wed, 21 Oct 2026 07:28:30 GMT"}, 130.0),
        ({"retry-after": "Wed, 21 Oct 2026 07:27:00 GMT", "date": DATE}, None),
        ({"retry-after": "Wednesday, 21-Oct-26 07:28:30 GMT", "date": DATE}, 30.0),
        ({"retry-after": "-5"}, None),
        ({"retry-after": "nan"}, None),
        ({"retry-after": "in a while"}, None),
        ({"retry-after": ""}, None),
        ({"retry-after": "Wed, 99 Foo 2026 99:99:99 GMT"}, None),
        ({"retry-after": "1e999"}, float("inf")),
    ],
    ids=str,
)
def test_every_form_of_retry_after_is_read(headers, seconds):
    now = 1792567580.0  # 100 s before DATE
    assert parse_retry_after(headers, lambda: now) == (pytest.approx(seconds) if seconds is not None else None)


@given(st.dictionaries(st.sampled_from(["retry-after", "retry-after-ms", "date"]), st.text(max_size=40)))
def test_any_retry_after_can_be_parsed(headers):
    wait = parse_retry_after(headers)
    assert wait is None or wait >= 0


@pytest.mark.parametrize(("text", "hint"), [("true", True), ("FALSE", False), (" true ", True), ("yes", None), ("", None)])
def test_x_should_retry_is_read(text, hint):
    assert should_retry_header({"x-should-retry": text}) is hint


def test_the_wait_that_the_provider_requests_is_kept():
    with LocalServer(rejects(429, times=1, headers={"Retry-After": "0.3"})) as server:
        started = monotonic()
        _, stats = client_of(server).chat().user("Hello").execute_with_stats()
        assert 0.3 <= monotonic() - started < 0.3 + scaled(1.0)
        assert len(stats.attempts) == 2


@pytest.mark.parametrize("hint", [{"Retry-After": "86400"}, {"retry-after-ms": "86400000"}, {"Retry-After": "1e999"}], ids=str)
def test_a_retry_after_beyond_the_cap_is_not_honoured_but_reported(hint):
    with LocalServer(rejects(429, headers=hint)) as server:
        started = monotonic()
        error = failure_of(server)
        assert monotonic() - started < scaled(1)
        assert isinstance(error, RateLimited)
        assert error.retry_after >= 86400
        assert f"retry after {error.retry_after:g} s" in str(error)
        assert len(server.requests) == 1


def test_a_wait_beyond_the_total_is_not_started():
    with LocalServer(rejects(503, headers={"Retry-After": "30"})) as server:
        started = monotonic()
        error = failure_of(server, timeout=Timeout(total=5))
        assert monotonic() - started < scaled(1)
        assert error.retry_after == 30
        assert len(server.requests) == 1


# how many requests reach the provider


@pytest.mark.parametrize(
    ("status", "words", "requests"),
    [
        *((status, {}, 1) for status in (400, 401, 402, 403, 404, 405, 413, 422)),
        *((status, {}, 3) for status in (408, 409, 425, 429, 500, 502, 503, 504, 520, 529, 599)),
        (429, {"code": "insufficient_quota"}, 1),
        (429, {"type": "insufficient_quota"}, 1),
    ],
    ids=str,
)
def test_how_many_requests_each_status_causes(status, words, requests):
    with LocalServer(rejects(status, **words)) as server:
        error = failure_of(server)
        assert len(server.requests) == len(error.attempts) == requests
        assert error.status_code == status
        assert {request.connection for request in server.requests} == {1}


@pytest.mark.parametrize(("status", "hint", "requests"), [(400, "true", 3), (503, "false", 1), (429, "false", 1)])
def test_x_should_retry_wins_over_the_status(status, hint, requests):
    with LocalServer(rejects(status, headers={"x-should-retry": hint})) as server:
        failure_of(server)
        assert len(server.requests) == requests


@pytest.mark.parametrize(
    ("status", "means", "kind", "requests"),
    [
        (418, "overloaded", Overloaded, 3),
        (503, "quota_exhausted", QuotaExhausted, 1),
        (500, "invalid_request", InvalidRequest, 1),
    ],
)
def test_a_manifest_defines_what_a_status_means(status, means, kind, requests):
    with LocalServer(rejects(status)) as server:
        manifest = {
            "id": "acme", "name": "Acme", "dialect": "openai_chat", "base_url": server.url,
            "auth": {"scheme": "none"}, "errors": {"statuses": {str(status): means}},
        }  # fmt: skip
        with pytest.raises(kind):
            AiClient("acme/x", manifest=manifest, retry=NO_DELAY).chat().user("Hello").execute()
        assert len(server.requests) == requests


def cut_after(pieces):
    def play(peer, request):
        if request.number == 1:
            peer.send(wire.SSE_HEAD)
            for block in wire.deltas(pieces):
                peer.send(wire.chunk(block))
            return False
        return wire.healthy(peer, request)

    return play


def test_a_stream_cut_before_its_first_event_is_retried():
    with LocalServer(cut_after(())) as server:
        stream = client_of(server).chat().user("Hello").stream()
        assert "".join(stream.text()) == wire.TEXT
        assert len(stream.stats.attempts) == len(server.requests) == 2


def test_a_stream_cut_after_its_first_event_is_never_retried():
    with LocalServer(cut_after(wire.TEXTS[:3])) as server:
        texts = []
        stream = client_of(server).chat().user("Hello").stream()
        with pytest.raises(StreamInterrupted) as caught:
            texts.extend(stream.text())
        assert "".join(texts) == caught.value.partial.content == wire.HALF
        assert len(server.requests) == 1


# the budget


def test_retries_do_not_multiply_an_outage():
    """At most 1.2 requests for each call; the policies alone would make three."""
    with LocalServer(rejects(503)) as server:
        client = client_of(server)
        calls = 250
        for _ in range(calls):
            with pytest.raises(Overloaded):
                client.chat().user("Hello").execute()
        assert calls < len(server.requests) <= 1.2 * calls


def test_the_budget_fills_again_with_success():
    with LocalServer(rejects(503)) as server:
        client = client_of(server)
        client._route.budget.tokens = 0
        assert len(failure_of_client(client).attempts) == 1
        server.heal()
        for _ in range(RetryBudget.TRANSIENT):
            client.chat().user("Hello").execute()
        server.healed = False
        assert len(failure_of_client(client).attempts) == 2


def failure_of_client(client):
    with pytest.raises(AiLibError) as caught:
        client.chat().user("Hello").execute()
    return caught.value


def test_a_retry_that_succeeds_refunds_its_tokens():
    with LocalServer(rejects(503, times=2)) as server:
        client = client_of(server)
        client.chat().user("Hello").execute()
        assert client._route.budget.tokens >= RetryBudget.CAPACITY - RetryBudget.TRANSIENT


# what the caller learns


def test_the_hook_is_called_before_each_wait():
    heard = []
    with LocalServer(rejects(503, headers={"Retry-After": "0.01"})) as server:
        failure_of(server, on_retry=lambda error, attempt, wait: heard.append((type(error), attempt, wait)))
    assert heard == [(Overloaded, 1, 0.01), (Overloaded, 2, 0.01)]


@pytest.mark.parametrize("stream", [False, True])
def test_an_exception_in_the_hook_does_not_replace_the_response(stream):
    def hook(error, attempt, wait):
        raise ZeroDivisionError("one by zero")

    def play(peer, request):
        if request.number == 1:
            peer.send(wire.reply(503, wire.error_body()))
            return True
        return wire.healthy(peer, request)

    with LocalServer(play) as server:
        chat = client_of(server, on_retry=hook).chat().user("Hello")
        if stream:
            *_, _ = events = chat.stream()
        response = events.response if stream else chat.execute()
    assert response.content
    assert response.warnings == ["on_retry raised ZeroDivisionError: one by zero"]


def test_an_exception_in_the_hook_is_a_note_of_the_error():
    def hook(error, attempt, wait):
        raise ZeroDivisionError("one by zero")

    with LocalServer(rejects(503, headers={"Retry-After": "0.01"})) as server:
        error = failure_of(server, on_retry=hook)
    assert isinstance(error, Overloaded)
    assert error.__notes__ == ["on_retry raised ZeroDivisionError: one by zero"] * 2


@pytest.mark.parametrize("kind", [KeyboardInterrupt, SystemExit])
def test_a_hook_can_end_the_program(kind):
    def hook(error, attempt, wait):
        raise kind

    with LocalServer(rejects(503)) as server, pytest.raises(kind):
        client_of(server, on_retry=hook).chat().user("Hello").execute()


def test_the_error_has_the_timeline_of_its_attempts():
    with LocalServer(rejects(503, headers={"Retry-After": "0.05"}, message="too busy")) as server:
        error = failure_of(server)
    assert [(a.provider, a.model, a.status_code, a.waited) for a in error.attempts] == [
        ("openai", "gpt-4o", 503, 0.05), ("openai", "gpt-4o", 503, 0.05), ("openai", "gpt-4o", 503, None),
    ]  # fmt: skip
    assert all("too busy" in attempt.error for attempt in error.attempts)
    starts = [attempt.started for attempt in error.attempts]
    assert starts[1] - starts[0] >= 0.05
    assert starts[2] - starts[1] >= 0.05
    assert "after 3 attempts" in str(error)


def test_a_single_attempt_is_not_counted_in_the_message():
    with LocalServer(rejects(400)) as server:
        error = failure_of(server)
    assert len(error.attempts) == 1
    assert "attempt" not in str(error)


@pytest.mark.parametrize("message", ["x" * 5000, "界" * 5000, "\x00\x1b" * 3000, ""], ids=["long", "wide", "control", "none"])
@pytest.mark.parametrize("attempts", [0, 1, 300])
def test_the_text_of_an_error_is_short_whatever_it_contains(message, attempts):
    error = RateLimited(message, status_code=429, error_type="t" * 999, request_id="r" * 999, retry_after=9.0, provider="acme")
    error.attempts = (Attempt("acme", "m" * 500, 0.0, 0.1, "RateLimited: " + "y" * 999, 429),) * attempts
    assert len(str(error)) <= 2000
    assert str(error).isprintable()
    assert "retry after 9 s" in str(error)


def test_an_exception_can_be_pickled_with_all_its_fields():
    with LocalServer(rejects(503, headers={"Retry-After": "0.01", "x-request-id": "req_1"})) as server:
        error = failure_of(server)
    again = pickle.loads(pickle.dumps(error))
    assert type(again) is Overloaded
    assert str(again) == str(error)
    assert again.args == error.args
    assert again.__dict__ == error.__dict__
    assert again.attempts[2].status_code == 503
    assert (again.request_id, again.retry_after) == ("req_1", 0.01)


@pytest.mark.parametrize("kind", [value for value in vars(__import__("ailib_sync.errors").errors).values()
                                  if isinstance(value, type) and issubclass(value, AiLibError)])  # fmt: skip
def test_every_exception_pickles(kind):
    error = kind("what happened", provider="acme")
    error.attempts = (Attempt("acme", "m", 0.0, 0.1, "x"),)
    again = pickle.loads(pickle.dumps(error))
    assert (type(again), str(again), again.__dict__) == (kind, str(error), error.__dict__)
