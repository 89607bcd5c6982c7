"""`offline()`: clients made inside get their responses in the process, as from their provider; given options are kept."""

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
def test_every_provider_responds(model: str) -> None:
    with offline():
        ai = AiClient(model)
        assert ai.chat().user("Hello").execute().content.endswith("You said: Hello")
        assert "".join(ai.chat().user("Hello").stream().text()).endswith("You said: Hello")
        assert pickle.loads(pickle.dumps(ai)).chat().user("Hello").execute().provider == ai.provider


def test_a_provider_rejects_what_the_real_one_rejects() -> None:
    with offline(), pytest.raises(InvalidRequest, match="nonsense"):
        AiClient("openai/gpt-4o").chat().user("Hello").extra(nonsense=1).execute()


def test_a_provider_of_ones_own_accepts_anything() -> None:
    with offline():
        response = AiClient("acme/m-1", manifest=ACME).chat().user("Hello").extra(nonsense=1).execute()
    assert (response.provider, response.content[-5:]) == ("acme", "Hello")


def test_a_script_replaces_the_echo() -> None:
    with offline(lambda request, digest: ChatResponse(Message.assistant(request.model), finish_reason="end_turn")):
        assert AiClient("mistral/m-7").chat().user("Hello").execute().content == "m-7"


def test_fallbacks_are_offline_too() -> None:
    with offline():
        ai = AiClient("anyscale-like/x", manifest={**ACME, "id": "anyscale-like"}, fallbacks=["xai/grok-4.3"])
        assert ai._fallbacks[0].chat().user("Hello").execute().provider == "xai"


def test_given_options_are_kept() -> None:
    with offline(), FakeProvider("openai") as fake:
        scripted, pool = client()
        assert scripted.chat().user("Hello").execute().content == "Hi"
        assert pool.headers["Authorization"] == "Bearer k-1"
        assert fake.client("gpt-4o").chat().user("Hello").execute().content.endswith("Hello")
        assert len(fake.requests) == 1


def test_the_defaults_are_restored_afterwards(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("OPENAI_API_KEY", raising=False)
    with pytest.raises(ZeroDivisionError), offline():
        raise ZeroDivisionError
    with pytest.raises(ConfigurationError, match="no API key"):
        AiClient("openai/gpt-4o").chat().user("Hello").execute()


def test_an_earlier_client_does_not_change() -> None:
    ai, pool = client()
    with offline():
        ai.chat().user("Hello").execute()
    assert len(pool.sent) == 1
