"""Token counts over real sockets, in every format that has them, for exactly the prompt that a chat would send."""

from __future__ import annotations

import json
from typing import Any

import pytest

from ailib_sync import AiClient, AuthenticationError, ConfigurationError, Image, ProtocolError, RetryPolicy, Tool
from ailib_sync.testing import FakeProvider

from . import wire
from .local_server import LocalServer

#: One pixel.
PNG = bytes.fromhex(
    "89504e470d0a1a0a0000000d49484452000000010000000108060000001f15c4890000000d49444154789c6360000000000200015d0dc2b80000000049454e44"
    "ae426082"
)
LOOK = Tool("look_up", "Looks a word up.", {"type": "object", "properties": {"word": {"type": "string"}}, "required": ["word"]})
COMPLETE = ["anthropic", "gemini", "vertex", "bedrock", "openai"]
TEXT_ONLY = ["cohere", "llamacpp", "vllm"]


def chat(client: AiClient) -> Any:
    picture = Image(data=PNG, media_type="image/png")
    return client.chat().system("You are terse.").user(["What is in the picture?", picture]).tools(LOOK)


@pytest.mark.parametrize("provider", COMPLETE)
def test_system_tools_and_media_are_counted(provider: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_BEARER_TOKEN_BEDROCK", "test-key")
    with FakeProvider(provider) as fake:
        client = fake.client("claude-3-5-haiku" if provider in ("anthropic", "bedrock") else "m-1")
        bare = client.chat().user("What is in the picture?").count_tokens()
        complete = chat(client).count_tokens()
        assert complete > bare > 0
        body = json.dumps(fake.requests[-1].json)
        assert all(text in body for text in ("You are terse.", "look_up", "What is in the picture?"))
        response = client.chat().user("What is in the picture?").execute()
        assert response.usage.prompt_tokens == bare


@pytest.mark.parametrize("provider", TEXT_ONLY)
def test_an_endpoint_for_text_counts_text_alone(provider: str) -> None:
    with FakeProvider(provider) as fake:
        client = fake.client("m-1")
        assert client.chat().user("one two three").count_tokens() == 3
        sent = len(fake.requests)
        start = client.chat()
        for more in (start.system("a").user("b"), start.user("b").tools(LOOK), start.user("b").assistant("c")):
            with pytest.raises(ConfigurationError, match="counts the tokens of one text only"):
                more.count_tokens()
        assert len(fake.requests) == sent


@pytest.mark.parametrize("provider", ["groq", "ollama", "azure", "mistral"])
def test_a_provider_without_an_endpoint_is_an_error_not_an_estimate(provider: str) -> None:
    client = AiClient(f"{provider}/m", api_key="k", variables={"resource": "x"} if provider == "azure" else None)
    with pytest.raises(ConfigurationError, match="has no operation count_tokens"):
        client.chat().user("Hi").count_tokens()


def test_what_a_count_does_not_have_is_not_sent() -> None:
    with FakeProvider("anthropic") as fake:
        builder = fake.client("claude-opus-4-5").chat().user("Hi").max_tokens(4000).temperature(0.5).reasoning("low")
        assert builder.count_tokens() > 0
        assert fake.requests[0].target == "/v1/messages/count_tokens"
        assert not {"max_tokens", "temperature", "stream"} & set(fake.requests[0].json)
        assert "thinking" in fake.requests[0].json


def test_bedrock_counts_for_the_model_of_a_profile(monkeypatch: pytest.MonkeyPatch) -> None:
    with FakeProvider("bedrock") as fake:
        assert fake.client("us.anthropic.claude-sonnet-4-20250514-v1:0").chat().user("Hi").count_tokens() > 0
        assert fake.requests[0].target == "/model/anthropic.claude-sonnet-4-20250514-v1%3A0/count-tokens"


@pytest.mark.parametrize("body", [{}, {"input_tokens": None}, {"input_tokens": "many"}, {"input_tokens": -1}, []])
def test_a_response_without_a_count_is_a_protocol_error(body: Any) -> None:
    reply = wire.reply(200, json.dumps(body).encode())
    with LocalServer(lambda peer, request: peer.send(reply) or True) as server:
        client = AiClient("anthropic/claude-opus-4-5", base_url=server.url, api_key="k", retry=0)
        with pytest.raises(ProtocolError):
            client.chat().user("Hi").count_tokens()


def test_a_count_is_retried_and_its_errors_are_those_of_a_chat() -> None:
    with FakeProvider("anthropic") as fake:
        fake.fail(529)
        client = fake.client("claude-opus-4-5", retry=RetryPolicy(base_delay=0.001))
        assert client.chat().user("Hi").count_tokens() > 0
        with pytest.raises(AuthenticationError):
            fake.client("claude-opus-4-5", api_key="another-key").chat().user("Hi").count_tokens()
    with pytest.raises(ConfigurationError):
        AiClient("anthropic/claude-opus-4-5", api_key="k").chat().count_tokens()  # no message
