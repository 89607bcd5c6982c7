"""Models that take tools and thinking together in one of two formats: the request goes there, or thinking is switched off."""

from __future__ import annotations

import pytest

from ailib_sync import AiClient, ConfigurationError, InvalidRequest, ManifestError, Tool
from ailib_sync.registry.manifest import Manifest
from ailib_sync.testing import FakeProvider

WEATHER = Tool("get_weather", "w", {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]})
OFF = "reasoning is switched off: "
#: Model, effort (None: the model's default) → whether the format with both is needed.
ROWS = [
    ("gpt-4o", None, False),
    ("gpt-5.1", "low", False),
    ("gpt-5.2", None, False),
    ("gpt-5.2", "low", True),
    ("gpt-5.4-mini", "high", True),
    ("gpt-5.4", "none", False),
    ("gpt-5.5", None, True),
    ("gpt-5.6-terra", None, True),
    ("gpt-5.6", "none", False),
    ("gpt-6-luna", "medium", True),
    ("gpt-6-astra", None, True),
]


def chat_of(client: AiClient, effort: str | None, tools: bool = True):
    chat = client.chat().user("Use get_weather")
    chat = chat.tools(WEATHER) if tools else chat
    return chat if effort is None else chat.reasoning(effort)


@pytest.fixture(params=["openai", "azure"])
def fake(request):
    with FakeProvider(request.param) as fake:
        yield fake


@pytest.mark.parametrize(("model", "effort", "moves"), ROWS)
@pytest.mark.parametrize("stream", [False, True], ids=["plain", "stream"])
def test_a_request_with_tools_goes_where_the_model_may_think(fake, model, effort, moves, stream) -> None:
    client = fake.client(model)
    chat = chat_of(client, effort)
    if stream:
        with chat.stream() as events:
            response = events.collect()
    else:
        response = chat.execute()
    assert [call.name for call in response.tool_calls] == ["get_weather"]
    assert response.warnings == []
    assert fake.requests[-1].target.endswith("/responses" if moves else "/chat/completions")
    assert chat.explain().url.endswith("/responses" if moves else "/chat/completions")
    chat_of(client, effort, tools=False).execute()
    assert fake.requests[-1].target.endswith("/chat/completions")


def test_a_conversation_with_tools_goes_on_there(fake) -> None:
    chat = chat_of(fake.client("gpt-5.6"), "low")
    response = chat.execute()
    chat = chat.message(response.message).tool_result(response.tool_calls[0].id, "21 °C")
    assert "21 °C" in chat.execute().content
    assert {request.target.rpartition("/")[2] for request in fake.requests} == {"responses"}


@pytest.mark.parametrize(("model", "effort", "moves"), ROWS[:-1])
def test_where_the_caller_names_the_other_format_thinking_is_switched_off(fake, model, effort, moves) -> None:
    chat = chat_of(fake.client(model, dialect="openai_chat"), effort)
    response = chat.execute()
    assert fake.requests[-1].target.endswith("/chat/completions")
    assert [warning.startswith(OFF) for warning in response.warnings] == [True] * moves
    if moves:
        assert fake.requests[-1].json["reasoning_effort"] == "none"
        with pytest.raises(ConfigurationError, match="strict: reasoning is switched off"):
            chat_of(fake.client(model, dialect="openai_chat", strict=True), effort).execute()


def test_the_callers_own_field_is_sent_and_the_double_rejects_it_like_the_service(fake) -> None:
    chat = chat_of(fake.client("gpt-5.6", dialect="openai_chat"), None)
    with pytest.raises(InvalidRequest, match=r"Function tools with reasoning_effort are not supported for gpt-5\.6"):
        chat.extra(reasoning_effort="low").execute()
    assert chat.extra(reasoning_effort="none").execute().warnings == []
    with pytest.raises(InvalidRequest, match="are not supported for gpt-6-astra"):  # it cannot be switched off
        chat_of(fake.client("gpt-6-astra", dialect="openai_chat"), None).execute()


def test_a_fallback_goes_there_too(fake) -> None:
    fake.fail(503)
    client = fake.client("gpt-4o", retry=0, fallbacks=[fake.client("gpt-5.6")])
    response = chat_of(client, None).execute()
    assert response.tool_calls
    assert [request.target.rpartition("/")[2] for request in fake.requests] == ["completions", "responses"]


def test_the_named_dialect_must_be_one_of_the_manifest() -> None:
    data = {
        "id": "acme", "name": "Acme", "dialect": "openai_chat", "base_url": "https://acme.example/v1",
        "reasoning": {"style": "effort", "with_tools": "openai_responses"},
    }  # fmt: skip
    with pytest.raises(ManifestError, match=r"reasoning\.with_tools: openai_responses is not a dialect of this manifest"):
        Manifest.from_dict(data)
    assert Manifest.from_dict({**data, "dialects": {"openai_responses": {}}}).reasoning == data["reasoning"]
