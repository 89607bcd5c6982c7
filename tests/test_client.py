"""`AiClient`: model strings, keys and addresses, manifests, fallbacks, strictness, what may be shown and pickled."""

from __future__ import annotations

import json
import pickle
from pathlib import Path
from typing import Any

import pytest
from urllib3.exceptions import NewConnectionError, ProtocolError

from ailib_sync import (
    AiClient,
    AuthenticationError,
    ConfigurationError,
    ConnectError,
    InvalidRequest,
    Limits,
    Manifest,
    ManifestError,
    Message,
    Overloaded,
    RateLimited,
    RedirectRefused,
    RetryPolicy,
    ServerError,
    StreamInterrupted,
    Timeout,
)
from ailib_sync.pipeline.endpoint import encoded

from .scripted import Pool, chat, chat_stream, client, error_response

ACME = {"id": "acme", "name": "Acme", "dialect": "openai_chat", "base_url": "https://api.acme.invalid/v1"}
COLD = {**ACME, "parameters": {"temperature": None}}
CANARY = "sk-canary-1234567890"


@pytest.fixture(autouse=True)
def no_keys(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("OPENAI_API_KEY", "ANTHROPIC_API_KEY", "ACME_API_KEY", "AILIB_MANIFESTS"):
        monkeypatch.delenv(name, raising=False)


# --- Models -------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("model", "provider", "name"),
    [
        ("openai/gpt-4o", "openai", "gpt-4o"),
        ("openrouter/meta-llama/llama-3.3-70b", "openrouter", "meta-llama/llama-3.3-70b"),
        ("google/gemini-2.0-flash", "google", "gemini-2.0-flash"),
        ("groq/openai/gpt-oss-120b", "groq", "openai/gpt-oss-120b"),
        ("openai/ft:gpt-4o:acme::x1", "openai", "ft:gpt-4o:acme::x1"),
        ("embedded/echo?dialect=anthropic_messages", "embedded", "echo"),
    ],
)
def test_a_model_is_parted_at_its_first_slash(model: str, provider: str, name: str) -> None:
    ai = AiClient(model)
    assert (ai.provider, ai.model) == (provider, name)
    assert AiClient.create(model).model == name


@pytest.mark.parametrize(
    "model", ["gpt-4o", "openai/", "/gpt-4o", "", "openai/ x", "openai/a\nb", "openai/..", "openai/" + "x" * 513, None, 7]
)
def test_what_is_no_model_is_rejected(model: Any) -> None:
    with pytest.raises(ConfigurationError, match=r"a model is written provider/model|is not a model's name"):
        AiClient(model)


@pytest.mark.parametrize(
    ("model", "says"),
    [
        ("opnai/gpt-4o", "unknown provider 'opnai': did you mean openai"),
        ("Open AI/x", "'Open AI' is not a provider's id"),
        ("anyscale/llama", r"Anyscale.* has been retired since .* Use instead: "),
        ("stability/x", "is not a chat service"),
        ("openai/gpt-4o?dialect=morse", "openai has no dialect 'morse'; it has openai_chat"),
    ],
)
def test_a_provider_that_cannot_be_called_says_why(model: str, says: str) -> None:
    with pytest.raises(ConfigurationError, match=says):
        AiClient(model)


def test_resolve_model_takes_the_own_prefix_off_and_no_other() -> None:
    ai = AiClient("google/gemini-2.0-flash")
    for own in ("google/x", "gemini/x", "x"):
        assert ai.resolve_model(own) == "x"
    assert ai.resolve_model("openai/gpt-oss-120b") == "openai/gpt-oss-120b"
    with pytest.raises(ConfigurationError):
        ai.resolve_model("google/")


def test_a_model_may_only_be_spoken_to_in_another_format() -> None:
    ai, pool = client("openai/gpt-5-pro")
    ai.chat().user("x").explain()
    assert ai.chat().user("x").explain().dialect == "openai_responses"
    assert ai.chat().user("x").model("gpt-4o").explain().dialect == "openai_chat"
    assert AiClient("openai/gpt-4o", dialect="openai_responses").chat().user("x").explain().url.endswith("/responses")
    assert pool.sent == []


def test_a_models_name_stays_in_its_place_in_the_address() -> None:
    explained = AiClient("gemini/a?b#c/../d é", api_key="k").chat().user("x").explain()
    assert explained.url == (
        "https://generativelanguage.googleapis.com/v1beta/models/a%3Fb%23c%2F..%2Fd%20%C3%A9:generateContent"
    )


# --- Keys and addresses -------------------------------------------------------------------------------------------------


def test_no_key_is_looked_for_before_the_first_call(monkeypatch: pytest.MonkeyPatch) -> None:
    ai = AiClient("openai/gpt-4o", http=Pool())
    with pytest.raises(ConfigurationError, match=r"openai: no API key\. Set OPENAI_API_KEY or pass api_key=…"):
        ai.chat().user("x").execute()
    monkeypatch.setenv("OPENAI_API_KEY", "k-env")
    assert ai.chat().user("x").execute().content == "Hi"


def test_a_key_by_hand_goes_before_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "k-env")
    ai, pool = client(api_key="k-hand")
    ai.chat().user("x").execute()
    assert pool.headers["Authorization"] == "Bearer k-hand"


def test_a_key_is_requested_at_each_request() -> None:
    keys = iter(("k-1", "k-2"))
    ai, pool = client(api_key=lambda: next(keys))
    for _ in range(2):
        ai.chat().user("x").execute()
    assert [headers["Authorization"] for _, _, headers, _ in pool.sent] == ["Bearer k-1", "Bearer k-2"]


def test_a_key_in_the_environment_may_change_between_calls(monkeypatch: pytest.MonkeyPatch) -> None:
    ai, pool = client(api_key=None)
    for key in ("k-1", "k-2\n"):
        monkeypatch.setenv("OPENAI_API_KEY", key)
        ai.chat().user("x").execute()
    assert [headers["Authorization"] for _, _, headers, _ in pool.sent] == ["Bearer k-1", "Bearer k-2"]


def test_another_address_gets_no_key_from_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", CANARY)
    ai, pool = client(api_key=None, base_url="https://proxy.invalid/v1/")
    with pytest.raises(ConfigurationError, match=r"base_url is not the provider's own URL.*pass api_key=… too"):
        ai.chat().user("x").execute()
    own, pool = client(api_key="k", base_url="https://proxy.invalid/v1/")
    own.chat().user("x").execute()
    assert pool.url == "https://proxy.invalid/v1/chat/completions"


def test_loopback_needs_no_key_and_gets_none_from_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", CANARY)
    ai, pool = client(api_key=None, base_url="http://127.0.0.1:9/v1")
    ai.chat().user("x").execute()
    assert "Authorization" not in pool.headers


@pytest.mark.parametrize(
    ("url", "says"),
    [
        ("http://api.example.com/v1", "plain http, where a key would travel in the clear"),
        ("http://127.0.0.1.evil.invalid/v1", "plain http"),
        ("https://user:pass@x.invalid/v1", "must not hold a user name or password"),
        ("ftp://x.invalid", "is not an http or https address"),
        ("x.invalid/v1", "is not an http or https address"),
        ("https://x.invalid/a b", "is not an http or https address"),
        ("https://x.invalid/\u00e9", "is not an http or https address"),
        ("https://{host}.invalid/v1", "base_url needs {host}"),
    ],
)
def test_an_address_that_a_key_may_not_travel_to_is_rejected(url: str, says: str) -> None:
    with pytest.raises(ConfigurationError, match=says):
        AiClient("openai/gpt-4o", api_key="k", base_url=url)


def test_variables_fill_the_address(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AZURE_RESOURCE_NAME", "from-env")
    by_env = AiClient("azure/gpt-4o", api_key="k").chat().user("x").explain()
    assert by_env.url.startswith("https://from-env.")
    by_hand = AiClient("azure/gpt-4o", api_key="k", variables={"resource": "by-hand"}).chat().user("x").explain()
    assert by_hand.url.startswith("https://by-hand.")


def test_a_variable_that_is_missing_or_unknown_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("AZURE_RESOURCE_NAME", raising=False)
    with pytest.raises(ConfigurationError, match=r"azure: resource is needed: set AZURE_RESOURCE_NAME.*or pass variables="):
        AiClient("azure/gpt-4o")
    with pytest.raises(ConfigurationError, match="openai has no variable 'region'; it has none"):
        AiClient("openai/gpt-4o", variables={"region": "eu"})


@pytest.mark.parametrize("key", ["a b", "a\nb", "clé", "x" * 8193, 7])
def test_a_key_that_cannot_be_sent_is_not_shown(key: Any) -> None:
    ai, pool = client(api_key=lambda: key)
    with pytest.raises(ConfigurationError, match="must be printable ASCII without spaces") as caught:
        ai.chat().user("x").execute()
    assert pool.sent == []
    assert not key or str(key) not in str(caught.value)


# --- Manifests of one's own ---------------------------------------------------------------------------------------------


def test_a_manifest_as_a_dict_a_path_a_value_or_in_a_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "acme.json"
    path.write_text(json.dumps(ACME))
    for manifest in (ACME, str(path), path, Manifest.from_dict(ACME)):
        ai, pool = client("acme/m-1", manifest=manifest)
        assert ai.chat().user("x").execute().content == "Hi"
        assert pool.url == "https://api.acme.invalid/v1/chat/completions"
    monkeypatch.setenv("AILIB_MANIFESTS", str(tmp_path))
    ai, pool = client("acme/m-1")
    assert ai.chat().user("x").execute().provider == "acme"


def test_a_manifest_must_be_of_the_provider_that_is_named() -> None:
    with pytest.raises(ConfigurationError, match="the manifest describes 'acme', the model names 'openai'"):
        AiClient("openai/gpt-4o", manifest=ACME)
    assert AiClient("ac/x", manifest={**ACME, "aliases": ["ac"]}).provider == "ac"


def test_a_manifest_that_is_wrong_says_where() -> None:
    with pytest.raises(ManifestError, match=r"a dict: .*dialect"):
        AiClient("acme/x", manifest={**ACME, "dialect": "openai-chat"})


# --- What is sent and said ----------------------------------------------------------------------------------------------


def test_chat_begins_with_the_messages_given() -> None:
    ai, pool = client()
    ai.chat([Message.system("s"), {"role": "user", "content": "u"}]).execute()
    assert [m["content"] for m in pool.body["messages"]] == ["s", "u"]


def test_headers_and_body_are_what_explain_says() -> None:
    ai, pool = client(headers={"x-team": "a"})
    builder = ai.chat().user("x").max_tokens(5).header("x-trace", "1")
    explained = builder.explain()
    builder.execute()
    assert explained.body == pool.body
    assert (explained.method, explained.url) == pool.sent[0][:2]
    from_the_connection = {"Host": "api.openai.com", "Content-Length": str(len(encoded(pool.body)))}
    assert {**explained.headers, "Authorization": "Bearer k-1"} == {**from_the_connection, **pool.headers}
    assert explained.headers["Authorization"] == "<redacted>"


def test_explain_prints_the_request_and_the_ledger() -> None:
    text = str(AiClient("openai/o3", api_key=CANARY).chat().user("y" * 600).max_tokens(5).temperature(1).explain(stream=True))
    assert "openai, dialect openai_chat\nPOST https://api.openai.com/v1/chat/completions\n" in text
    assert "Authorization: <redacted>" in text
    assert "max_tokens   renamed  max_completion_tokens" in text
    assert "openai: parameters.max_tokens" in text
    assert "temperature  dropped" in text
    assert '"stream": true' in text
    assert "… (600 characters)" in text
    assert CANARY not in text


def test_explain_needs_neither_key_nor_network() -> None:
    assert AiClient("openai/gpt-4o").chat().user("x").explain().headers["Authorization"] == "<redacted>"
    assert "Authorization" not in AiClient("embedded/echo").chat().user("x").explain().headers


def test_an_option_that_is_not_taken_is_left_out_and_named() -> None:
    ai, pool = client("acme/m-1", chat(), chat_stream("a"), manifest=COLD)
    builder = ai.chat().user("x").temperature(0.5)
    assert builder.execute().warnings == ["temperature is not supported by Acme for this model"]
    assert "temperature" not in pool.body
    with builder.stream() as stream:
        assert stream.warnings == ["temperature is not supported by Acme for this model"]
        assert stream.collect().warnings == stream.warnings


@pytest.mark.parametrize("terminal", ["execute", "stream"])
def test_strict_raises_in_place_of_a_warning(terminal: str) -> None:
    ai, pool = client("acme/m-1", manifest=COLD, strict=True)
    with pytest.raises(ConfigurationError, match="strict: temperature is not supported by Acme for this model"):
        getattr(ai.chat().user("x").temperature(0.5), terminal)()
    assert pool.sent == []
    assert ai.chat().user("x").execute().content == "Hi"


def test_a_value_beyond_the_manifests_limits_is_not_sent() -> None:
    ai, pool = client()
    with pytest.raises(ConfigurationError, match="stop: OpenAI supports at most 4, not 5"):
        ai.chat().user("x").stop(*"abcde").execute()
    anthropic, _ = client("anthropic/claude-3-5-sonnet")
    with pytest.raises(ConfigurationError, match=r"temperature must be between 0 and 1 for Anthropic, not 1.5"):
        anthropic.chat().user("x").temperature(1.5).execute()
    assert pool.sent == []


@pytest.mark.parametrize(
    ("value", "says"), [("\ud800", "an unpaired surrogate"), ({1, 2}, "is not JSON"), (float("nan"), "is not JSON")]
)
def test_what_json_cannot_hold_is_not_sent(value: Any, says: str) -> None:
    ai, pool = client()
    with pytest.raises(ConfigurationError, match=says):
        ai.chat().user("x").extra(field=value).execute()
    assert pool.sent == []


def test_a_model_that_has_ended_gives_a_warning(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(
        "ailib_sync.registry.retirements.retirement", lambda provider, model: {"acme/m-1": "2020-01-31"}[f"{provider}/{model}"]
    )
    ai, _ = client("acme/m-1", chat(), chat_stream("a"), manifest=ACME)
    told = ["acme/m-1 was retired on 2020-01-31, as its provider announced; use another model"]
    assert ai.chat().user("x").execute().warnings == told
    assert ai.chat().user("x").stream().collect().warnings == told


def test_facts_about_the_model_are_at_hand() -> None:
    info = AiClient("openai/gpt-4o").model_info()
    assert info is not None
    assert (info.provider, info.id) == ("openai", "gpt-4o")
    assert AiClient("openai/gpt-4o").model_info("no-such-model") is None


# --- Refusals, retries and fallbacks ------------------------------------------------------------------------------------


def test_an_error_response_is_an_error_with_its_facts() -> None:
    ai, _ = client("openai/gpt-4o", error_response(401, "bad key", x_request_id="req_9"))
    with pytest.raises(AuthenticationError, match=r"openai: bad key \(401, request req_9\)") as caught:
        ai.chat().user("x").execute()
    error = caught.value
    assert (error.provider, error.model, error.standard_code, error.retryable) == ("openai", "gpt-4o", "E1002", False)
    assert [attempt.status_code for attempt in error.attempts] == [401]


def test_what_may_succeed_is_tried_again() -> None:
    waits: list[tuple[str, int, float]] = []
    ai, pool = client(
        "openai/gpt-4o", error_response(500), error_response(429, retry_after="0"), chat(),
        on_retry=lambda error, attempt, wait: waits.append((type(error).__name__, attempt, wait)),
    )  # fmt: skip
    _, stats = ai.chat().user("x").execute_with_stats()
    assert (len(stats.attempts), len(pool.sent)) == (3, 3)
    assert waits == [("ServerError", 1, 0.0), ("RateLimited", 2, 0.0)]


def test_retries_end_and_each_attempt_is_reported() -> None:
    ai, pool = client("openai/gpt-4o", error_response(500), retry=RetryPolicy(1, base_delay=0.0))
    with pytest.raises(ServerError) as caught:
        ai.chat().user("x").execute()
    assert [attempt.waited for attempt in caught.value.attempts] == [0.0, None]
    assert len(pool.sent) == 2


@pytest.mark.parametrize(("wish", "tries"), [("true", 2), ("false", 1)])
def test_the_providers_own_hint_about_retries_wins(wish: str, tries: int) -> None:
    status = 400 if wish == "true" else 500
    ai, pool = client("openai/gpt-4o", error_response(status, x_should_retry=wish), retry=RetryPolicy(1, base_delay=0.0))
    with pytest.raises((InvalidRequest, ServerError)):
        ai.chat().user("x").execute()
    assert len(pool.sent) == tries


def test_a_wait_that_is_too_long_is_not_waited_for() -> None:
    ai, pool = client("openai/gpt-4o", error_response(429, retry_after="3600"), timeout=1e6)
    with pytest.raises(RateLimited) as caught:
        ai.chat().user("x").execute()
    assert (caught.value.retry_after, len(pool.sent)) == (3600.0, 1)
    short, pool = client("openai/gpt-4o", error_response(429, retry_after="30"), timeout=5)
    with pytest.raises(RateLimited):
        short.chat().user("x").execute()
    assert len(pool.sent) == 1


def test_a_fallback_responds_where_the_first_cannot() -> None:
    second, other = client("anthropic/claude-3-5-sonnet", chat(), dialect=None, manifest=ANTHROPIC_LIKE)
    ai, pool = client("openai/gpt-4o", error_response(429), retry=0, fallbacks=[second])
    response, stats = ai.chat().user("x").execute_with_stats()
    assert (response.provider, stats.provider, len(stats.attempts)) == ("anthropic", "anthropic", 2)
    assert (len(pool.sent), other.body["model"]) == (1, "claude-3-5-sonnet")


ANTHROPIC_LIKE = {**ACME, "id": "anthropic", "auth": {"scheme": "none"}}


def test_a_fallback_may_stream_before_anything_reached_the_caller() -> None:
    second, _ = client("acme/m-2", chat_stream("b"), manifest=ACME)
    ai, _ = client("openai/gpt-4o", (200, {"content-type": "text/event-stream"}, b""), retry=0, fallbacks=second)
    stream = ai.chat().user("x").stream()
    assert (stream.provider, stream.collect().content) == ("acme", "b")


def test_no_fallback_is_asked_about_a_wrong_request() -> None:
    second, other = client("acme/m-2", manifest=ACME)
    ai, _ = client("openai/gpt-4o", error_response(400), fallbacks=[second])
    with pytest.raises(InvalidRequest):
        ai.chat().user("x").execute()
    assert other.sent == []


def test_a_fallback_without_a_key_is_passed_over(monkeypatch: pytest.MonkeyPatch) -> None:
    third, _ = client("acme/m-3", manifest=ACME)
    ai, _ = client("openai/gpt-4o", error_response(503), retry=0, fallbacks=["anthropic/claude-3-5-sonnet", third])
    assert ai.chat().user("x").execute().provider == "acme"


def test_the_last_failure_shows_all_attempts() -> None:
    second, _ = client("acme/m-2", error_response(529), retry=0, manifest=ACME)
    ai, _ = client("openai/gpt-4o", NewConnectionError(None, "refused"), retry=0, fallbacks=[second])  # type: ignore[arg-type]
    with pytest.raises(Overloaded) as caught:
        ai.chat().user("x").execute()
    assert [(a.provider, a.model, a.error.partition(":")[0]) for a in caught.value.attempts] == [
        ("openai", "gpt-4o", "ConnectError"),
        ("acme", "m-2", "Overloaded"),
    ]


def test_a_fallback_by_name_takes_over_how_to_try() -> None:
    ai = AiClient("openai/gpt-4o", fallbacks="anthropic/claude-3-5-sonnet", timeout=7, retry=1, strict=True, trust_env=False)
    (fallback,) = ai._fallbacks
    assert (fallback.timeout, fallback.retry, fallback.strict) == (Timeout(total=7), RetryPolicy(1), True)
    assert fallback._route.transport.trust_env is False


def test_foreign_exceptions_do_not_come_through() -> None:
    ai, _ = client("openai/gpt-4o", NewConnectionError(None, "refused"), retry=0)  # type: ignore[arg-type]
    with pytest.raises(ConnectError) as caught:
        ai.chat().user("x").execute()
    assert caught.value.__cause__ is None
    broken, _ = client("openai/gpt-4o", ProtocolError("broken"), retry=0)
    with pytest.raises(Exception, match="openai: ") as lost:
        broken.chat().user("x").execute()
    assert type(lost.value).__module__ == "ailib_sync.errors"


def test_a_redirect_is_not_followed() -> None:
    ai, pool = client("openai/gpt-4o", (302, {"location": "https://evil.invalid"}, b""))
    with pytest.raises(RedirectRefused, match="302"):
        ai.chat().user("x").execute()
    assert len(pool.sent) == 1


def test_a_stream_without_its_end_is_never_a_success() -> None:
    status, headers, body = chat_stream("Hel", "lo")
    ai, pool = client("openai/gpt-4o", (status, headers, body.split(b'data: {"choices"')[0]))
    stream = ai.chat().user("x").stream()
    with pytest.raises(StreamInterrupted) as caught:
        stream.collect()
    assert caught.value.partial is not None
    assert caught.value.partial.content == "Hello"
    assert len(pool.sent) == 1


def test_a_pool_of_ones_own_gets_the_limits() -> None:
    """Its own waits obey them too: ours hold only for what we read."""
    ai, pool = client(timeout=Timeout(connect=3, read=7))
    ai.chat().user("x").execute()
    (told,) = pool.timeouts
    assert (told.connect_timeout, told.total) == (3, None)
    told.start_connect()
    assert told.read_timeout == 7


# --- The client as a value ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("options", "says"),
    [
        ({"timeout": -1}, "timeout: total must be a number of seconds above 0"),
        ({"timeout": "5"}, "timeout must be a number of seconds or a Timeout"),
        ({"retry": -1}, "max_retries must be a whole number from 0 to 100, not -1"),
        ({"retry": True}, "max_retries must be"),
        ({"headers": {"x y": "1"}}, "is not a header name"),
        ({"headers": {"x": "a\nb"}}, "without control characters"),
        ({"fallbacks": ["nowhere/x"]}, "unknown provider 'nowhere'"),
        ({"manifest": "/no/such/file.json"}, "No such file"),
    ],
)
def test_a_wrong_option_raises_when_the_client_is_made(options: dict[str, Any], says: str) -> None:
    with pytest.raises(ConfigurationError, match=says):
        AiClient("openai/gpt-4o", **options)


def test_no_limit_at_all_is_written_none() -> None:
    ai, _ = client(timeout=None)
    assert ai.timeout.read is None
    assert ai.chat().user("x").execute().content == "Hi"


def test_an_response_beyond_the_limits_is_rejected() -> None:
    ai, _ = client("openai/gpt-4o", chat("x" * 2000), limits=Limits(response=1000))
    with pytest.raises(Exception, match=r"larger than 1000 bytes \(Limits.response\)"):
        ai.chat().user("x").execute()


def test_a_client_is_a_context_and_goes_on_after_its_close() -> None:
    with AiClient("embedded/echo") as ai:
        pass
    assert ai.chat().user("Hello").execute().finish_reason == "end_turn"


def test_nothing_that_shows_a_client_shows_its_key() -> None:
    ai, _ = client(api_key=CANARY)
    ai.chat().user("x").execute()
    endpoints = ai._route.endpoints
    shown = [repr(ai), str(vars(ai)), str(vars(endpoints)), repr(endpoints.find("gpt-4o").http_request), repr(ai._route)]
    assert repr(ai) == "AiClient('openai/gpt-4o')"
    assert not any(CANARY in text for text in shown)


def test_a_client_with_a_literal_key_does_not_pickle() -> None:
    with pytest.raises(ConfigurationError, match="cannot be pickled: the key would be in the pickle"):
        pickle.dumps(AiClient("openai/gpt-4o", api_key=CANARY))


def _key() -> str:
    return CANARY


def test_a_client_without_one_pickles_and_works(monkeypatch: pytest.MonkeyPatch) -> None:
    for options in ({}, {"api_key": _key}):
        monkeypatch.setenv("OPENAI_API_KEY", "k-env")
        ai = AiClient("openai/gpt-4o", fallbacks=["anthropic/claude-3-5-sonnet"], **options)
        data = pickle.dumps(ai)
        assert CANARY.encode() not in data
        copy = pickle.loads(data)
        assert copy.chat().user("x").explain() == ai.chat().user("x").explain()
    copy = pickle.loads(pickle.dumps(AiClient("embedded/echo")))
    assert "stand-in" in copy.chat().user("Hello").execute().content
