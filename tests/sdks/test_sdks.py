"""Official SDKs against `FakeProvider`: what an SDK sends is evidence of what its service accepts. Needs `.[sdks]`."""

from __future__ import annotations

import pytest

from ailib_sync.testing import FakeProvider

pytestmark = pytest.mark.filterwarnings("ignore")


def test_anthropic_sends_plain_and_streamed_chats() -> None:
    anthropic = pytest.importorskip("anthropic")
    with FakeProvider("anthropic") as fake:
        fake.reply("Hello!", times=2)
        client = anthropic.Anthropic(base_url=fake.url, api_key=fake.api_key, max_retries=0)
        call = {"model": "claude-sonnet-5-5", "max_tokens": 50, "messages": [{"role": "user", "content": "Hi"}]}
        assert client.messages.create(**call).content[0].text == "Hello!"
        with client.messages.stream(**call) as stream:
            assert "".join(stream.text_stream) == "Hello!"


def test_anthropic_reports_a_wrong_key() -> None:
    anthropic = pytest.importorskip("anthropic")
    with FakeProvider("anthropic") as fake:
        client = anthropic.Anthropic(base_url=fake.url, api_key="other", max_retries=0)
        with pytest.raises(anthropic.AuthenticationError):
            client.messages.create(model="claude-sonnet-5-5", max_tokens=50, messages=[{"role": "user", "content": "Hi"}])


@pytest.mark.parametrize("is_streamed", [False, True])
def test_google_genai_calls_a_function(is_streamed: bool) -> None:
    genai = pytest.importorskip("google.genai")

    def weather(city: str) -> str:
        """The weather of a city."""
        return "sunny " + city

    with FakeProvider("gemini") as fake:
        client = genai.Client(api_key=fake.api_key, http_options={"base_url": fake.url, "api_version": "v1beta"})
        chat = client.chats.create(model="gemini-3.8-flash", config={"tools": [weather]})
        if is_streamed:
            text = "".join(chunk.text or "" for chunk in chat.send_message_stream("use weather"))
        else:
            text = chat.send_message("use weather").text
        assert "sunny" in text
