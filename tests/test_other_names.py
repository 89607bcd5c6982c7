"""What people write who come from other libraries, and wrong types: each gets an error that says what to write here."""

from __future__ import annotations

import copy
import pickle
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from ailib_sync import AiClient, ConfigurationError, Message, Timeout
from ailib_sync.registry.models import with_provider

if TYPE_CHECKING:
    from collections.abc import Callable

pytestmark = pytest.mark.quick

client: Any = AiClient("embedded/echo")
chat: Any = client.chat().user("Hello")
response: Any = chat.execute()


@pytest.mark.parametrize(
    ("attempt", "advice"),
    [
        (lambda: client.chat.completions.create(model="gpt-4o", messages=[]), "client.chat()"),
        (lambda: client.messages.create(), "client.chat()"),
        (lambda: client.stream("Hello"), ".stream()"),
        (lambda: client.embeddings, "client.embed(texts)"),
        (lambda: chat.send(), "execute()"),
        (lambda: chat.create(), "execute()"),
        (lambda: chat.max_retries(3), "retry=n"),
        (lambda: chat.max_output_tokens(5), "max_tokens(n)"),
        (lambda: response.choices[0].message.content, "response.content"),
        (lambda: response.text, "response.content"),
        (lambda: response.model_dump(), "response.raw"),
        (lambda: response.usage.input_tokens, "usage.prompt_tokens"),
        (lambda: [event.choices for event in chat.stream()], "event.is_content_delta"),
        (lambda: chat.stream().text_stream, "stream.text()"),
    ],
)
def test_an_attribute_of_another_library_names_ours(attempt: Callable[[], object], advice: str) -> None:
    with pytest.raises(AttributeError) as caught:
        attempt()
    assert "; here it is " in str(caught.value)
    assert advice in str(caught.value)


@pytest.mark.parametrize("value", [client, chat, response, response.usage])
def test_other_attributes_do_not_exist_either(value: object) -> None:
    with pytest.raises(AttributeError, match=r"has no attribute 'nothing'$"):
        value.nothing  # type: ignore[attr-defined]
    assert not hasattr(value, "choices")
    assert copy.copy(value) is not None
    assert pickle.loads(pickle.dumps(value)) is not None


@pytest.mark.parametrize(
    ("options", "advice"),
    [
        ({"max_retries": 3}, "retry=3"),
        ({"api_base": "https://example.com"}, "base_url="),
        ({"temperature": 0}, "client.chat().temperature(0)"),
        ({"apikey": "secret-canary"}, "api_key="),
        ({"fallbcks": []}, "did you mean fallbacks?"),
    ],
)
def test_an_argument_of_another_library_names_ours(options: dict[str, Any], advice: str) -> None:
    with pytest.raises(TypeError) as caught:
        AiClient("embedded/echo", **options)
    assert advice in str(caught.value)
    assert "canary" not in str(caught.value)


@pytest.mark.parametrize(
    ("name", "meant"),
    [
        ("gpt-4o", ["openai/gpt-4o"]),
        ("openai:gpt-4o", ["openai/gpt-4o"]),
        ("claude-3-5-sonnet", ["anthropic/claude-3-5-sonnet"]),
        ("gpt-4.1-minni", ["openai/gpt-4.1-mini"]),
        ("zzz", []),
    ],
)
def test_a_model_without_a_provider_gets_a_suggestion(name: str, meant: list[str]) -> None:
    found = with_provider(name)
    assert found[:1] == meant
    with pytest.raises(ConfigurationError, match="provider/model") as caught:
        AiClient(name)
    assert all(repr(model) in str(caught.value) for model in found)


def test_the_only_position_of_timeout_is_the_total() -> None:
    assert Timeout(30) == Timeout(total=30) == Timeout.of(30)
    with pytest.raises(TypeError):
        Timeout(5, 60)  # type: ignore[misc]


def test_an_empty_key_is_no_key(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "from-the-environment")
    with pytest.raises(ConfigurationError, match="no API key: api_key is an empty text"):
        AiClient("openai/gpt-4o", api_key="").chat().user("Hello").execute()
    assert "Authorization" not in AiClient("ollama/llama3.3", api_key="").chat().user("Hello").explain().headers


@pytest.mark.parametrize(
    ("model", "base_url"),
    [
        ("openai/gpt-4o", "http://127.0.0.1:1/v1/chat/completions"),
        ("anthropic/claude-sonnet-5-5", "http://127.0.0.1:1/v1/messages/"),
        ("cohere/command-a-03-2025", "http://127.0.0.1:1/v2/chat"),
        ("ollama/llama3.3", "http://127.0.0.1:1/v1/chat/completions"),
    ],
)
def test_a_base_url_with_the_path_of_the_operation_is_an_error(model: str, base_url: str) -> None:
    with pytest.raises(ConfigurationError, match="pass the URL without this end"):
        AiClient(model, api_key="key", base_url=base_url).chat().user("Hello").explain()


def test_a_response_is_accepted_where_a_message_is() -> None:
    continued = client.chat().user("Hello").message(response).messages([response]).user("And now?")
    assert "And now?" in continued.execute().content


@pytest.mark.parametrize(
    ("content", "advice"),
    [
        ({"role": "user", "content": "Hello"}, r"message\(…\)"),
        (Path("picture.png"), "Image.from_path"),
        (b"\x89PNG", "Image.from_bytes"),
        (response, r"message\(…\)"),
        (5, "must be text"),
    ],
)
def test_content_of_a_wrong_type_names_the_right_one(content: object, advice: str) -> None:
    with pytest.raises(ConfigurationError, match=advice):
        client.chat().user(content)


def test_text_among_messages_names_user() -> None:
    with pytest.raises(ConfigurationError, match="user"):
        client.chat().messages([Message.user("Hello"), "text"])


def test_a_type_is_no_response_format() -> None:
    with pytest.raises(ConfigurationError, match="response_format"):
        chat.response_format(dict)
