"""`offline()`: clients made inside are answered in the process, as their provider would; what is given by hand stays."""

from __future__ import annotations

import pickle

import pytest

from ailib_sync import AiClient, ChatResponse, ConfigurationError, InvalidRequest, Message
from ailib_sync.testing import FakeProvider, offline

from .scripted import client

ACME = {"id": "acme", "name": "Acme", "dialect": "openai_chat", "base_url": "https://api.acme.invalid/v1"}


@pytest.mark.parametrize(
    "model", ["openai/gpt-4o", "anthropic/claude-3-5-sonnet", "gemini/gemini-2.0-flash", "cohere/command-a", "bedrock/a.b-v1:0",
              "ollama/llama3.3", "openai/gpt-5-pro", "embedded/echo"],
)  # fmt: skip
def test_every_provider_answers(model: str) -> None:
    with offline():
        ai = AiClient(model)
        assert ai.chat().user("Hello").execute().content.endswith("You said: Hello")
        assert "".join(ai.chat().user("Hello").stream().text()).endswith("You said: Hello")
        assert pickle.loads(pickle.dumps(ai)).chat().user("Hello").execute().provider == ai.provider


def test_a_provider_refuses_what_it_would_refuse_in_earnest() -> None:
    with offline(), pytest.raises(InvalidRequest, match="nonsense"):
        AiClient("openai/gpt-4o").chat().user("Hello").extra(nonsense=1).execute()


def test_a_provider_of_ones_own_takes_anything() -> None:
    with offline():
        response = AiClient("acme/m-1", manifest=ACME).chat().user("Hello").extra(nonsense=1).execute()
    assert (response.provider, response.content[-5:]) == ("acme", "Hello")


def test_a_script_answers_in_place_of_the_echo() -> None:
    with offline(lambda asked, stamp: ChatResponse(Message.assistant(asked.model), finish_reason="end_turn")):
        assert AiClient("mistral/m-7").chat().user("Hello").execute().content == "m-7"


def test_fallbacks_are_answered_too() -> None:
    with offline():
        ai = AiClient("anyscale-like/x", manifest={**ACME, "id": "anyscale-like"}, fallbacks=["xai/grok-4.3"])
        assert ai._fallbacks[0].chat().user("Hello").execute().provider == "xai"


def test_what_is_given_by_hand_stays() -> None:
    with offline(), FakeProvider("openai") as fake:
        scripted, pool = client()
        assert scripted.chat().user("Hello").execute().content == "Hi"
        assert pool.headers["Authorization"] == "Bearer k-1"
        assert fake.client("gpt-4o").chat().user("Hello").execute().content.endswith("Hello")
        assert len(fake.requests) == 1


def test_all_is_as_before_afterwards(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("OPENAI_API_KEY", raising=False)
    with pytest.raises(ZeroDivisionError), offline():
        raise ZeroDivisionError
    with pytest.raises(ConfigurationError, match="no API key"):
        AiClient("openai/gpt-4o").chat().user("Hello").execute()


def test_a_client_made_before_is_not_touched() -> None:
    ai, pool = client()
    with offline():
        ai.chat().user("Hello").execute()
    assert len(pool.sent) == 1
