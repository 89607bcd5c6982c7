"""The public interface, as a user writes it: every form of a call in all seven dialects, in process and over a real socket."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from ailib_sync import (
    AiClient,
    ChatResponse,
    ChatStream,
    ConfigurationError,
    ContentDelta,
    Document,
    Image,
    Message,
    MessageRole,
    StreamEnd,
    Text,
    Thinking,
    Tool,
    ToolCall,
    ToolCallEnded,
    ToolCallStarted,
    Usage,
)
from ailib_sync.dialects.dialect import NAMES
from ailib_sync.testing import FakeProvider, offline
from tests.dialects.samples import ALL

PLACES = ("embedded", "socket", "provider on a socket")


@pytest.fixture(params=[(place, dialect) for place in PLACES for dialect in NAMES], ids=lambda param: " ".join(param))
def client(request: pytest.FixtureRequest) -> Iterator[AiClient]:
    place, dialect = request.param
    if place == "embedded":
        yield AiClient(f"embedded/echo?dialect={dialect}")
    elif place == "socket":
        with FakeProvider(dialect) as fake, fake.client() as ai:
            yield ai
    else:
        provider, _, model = ALL[dialect].model.partition("/")
        with FakeProvider(provider) as fake, fake.client(model, dialect=dialect) as ai:
            yield ai


@pytest.fixture(params=NAMES)
def fake(request: pytest.FixtureRequest) -> Iterator[FakeProvider]:
    with FakeProvider(request.param) as made:
        yield made


def test_a_first_response(client: AiClient) -> None:
    response = client.chat().user("Hello, world!").execute()
    assert response.content.startswith("This is the embedded stand-in of ailib_sync, not a language model.")
    assert response.content.endswith("You said: Hello, world!")
    assert response.finish_reason == "end_turn"
    assert response.raw_finish_reason
    assert (response.message.role, response.warnings) == (MessageRole.ASSISTANT, [])
    assert isinstance(response.raw, dict)


def test_a_system_message(client: AiClient) -> None:
    assert client.chat().system("You are a tutor.").user("Explain closures").execute().content.endswith("Explain closures")


def test_a_history(client: AiClient) -> None:
    history = [
        Message.system("You are a tutor."),
        Message.user("What is recursion?"),
        Message.assistant("Recursion is when a function calls itself..."),
        Message.user("Can you show an example?"),
    ]
    before = [message.text for message in history]
    response = client.chat().messages(history).execute()
    assert response.content == "You said: Can you show an example?"
    assert [message.text for message in history] == before
    again = client.chat().messages([*history, response.message]).user("And another?").execute()
    assert again.content == "You said: And another?"


def test_parameters(client: AiClient) -> None:
    chat = client.chat().user("Write a poem").temperature(0.9).max_tokens(200).top_p(0.95).stop("poem", "###")
    response = chat.execute()
    if any(warning.startswith("stop ") for warning in response.warnings):
        assert response.content.endswith("Write a poem")
    else:
        assert response.content.endswith("Write a ")
    assert all(warning.split()[0] in ("temperature", "top_p", "stop") for warning in response.warnings)


def test_an_response_that_is_cut(client: AiClient) -> None:
    response, stats = client.chat().user("Write a poem about the sea, and make it long").max_tokens(16).execute_with_stats()
    assert response.finish_reason == "max_tokens"
    assert stats.completion_tokens == 16


def test_a_stream_of_events(client: AiClient) -> None:
    told = ""
    for event in client.chat().user("Tell me a story").stream():
        if event.is_content_delta:
            told += event.as_content_delta.text
    assert told.endswith("You said: Tell me a story")


def test_a_stream_can_be_matched_and_ends_once(client: AiClient) -> None:
    told, ends = [], []
    stream = client.chat().user("Tell me a story").stream()
    for event in stream:
        match event:
            case ContentDelta(text):
                assert not ends
                told.append(text)
            case StreamEnd(finish_reason):
                ends.append(finish_reason)
    assert ends == ["end_turn"]
    assert len(told) > 3
    assert stream.response.content == "".join(told)
    assert stream.stats.time_to_first_token_ms is not None


def test_stats(client: AiClient) -> None:
    response, stats = client.chat().user("Hello").execute_with_stats()
    assert stats.prompt_tokens
    assert stats.completion_tokens
    assert stats.total_tokens == stats.prompt_tokens + stats.completion_tokens
    assert stats.latency_ms > 0
    assert (len(stats.attempts), stats.provider) == (1, response.provider)


def test_a_stream_has_the_same_stats(client: AiClient) -> None:
    chat = client.chat().user("Hello")
    _, whole = chat.execute_with_stats()
    with chat.stream() as stream:
        stream.collect()
    assert (stream.stats.prompt_tokens, stream.stats.completion_tokens) == (whole.prompt_tokens, whole.completion_tokens)


def test_a_context_and_text_alone(client: AiClient) -> None:
    with client.chat().user("Hello").stream() as stream:
        assert "".join(stream.text()).endswith("You said: Hello")


def test_a_loop_may_be_left_and_another_call_made(client: AiClient) -> None:
    for event in client.chat().user("Tell me a story").stream():
        if event.is_content_delta:
            break
    assert client.chat().user("Hello").execute().content.endswith("You said: Hello")


def weather(city: str, days: int = 1) -> str:
    """Tells the weather."""
    return f"sunny in {city} for {days} days"


def population(city: str) -> str:
    """Tells how many people live there."""
    return f"2750000 in {city}"


@pytest.mark.parametrize("ask", [lambda chat: chat.execute(), lambda chat: chat.stream().collect()], ids=["whole", "streamed"])
def test_a_loop_of_tools(client: AiClient, ask: Callable[[Any], ChatResponse]) -> None:
    chat = client.chat().user("Use both tools, weather and population: what about Rome?").tools(weather, population)
    response = ask(chat)
    assert response.finish_reason == "tool_use"
    assert [call.name for call in response.tool_calls] == ["weather", "population"]
    assert all(isinstance(call.arguments, dict) and call.arguments["city"] == "Rome" for call in response.tool_calls)
    chat = chat.message(response.message)
    for call in response.tool_calls:
        chat = chat.tool_result(call.id, "sunny" if call.name == "weather" else "2750000", name=call.name)
    last = ask(chat)
    assert last.tool_calls == []
    assert "sunny" in last.content
    assert "2750000" in last.content


def test_tool_calls_as_they_are_written(client: AiClient) -> None:
    stream = client.chat().user("Use the weather tool for Rome").tools(weather).stream()
    events = list(stream)
    started = [event for event in events if isinstance(event, ToolCallStarted)]
    ended = [event for event in events if isinstance(event, ToolCallEnded)]
    assert [(event.index, event.name) for event in started] == [(0, "weather")]
    assert [event.tool_call for event in ended] == stream.response.tool_calls
    fragments = "".join(event.as_partial_tool_call.arguments for event in events if event.is_partial_tool_call)
    assert json.loads(fragments) == ended[0].tool_call.arguments


PNG = bytes.fromhex(
    "89504e470d0a1a0a0000000d4948445200000001000000010802000000907753de0000000c49444154789c63f8cfc000000301010"
    "0c9fe92ef0000000049454e44ae426082"
)


def test_a_picture(client: AiClient) -> None:
    response = client.chat().user(["What is this?", Image.from_bytes(PNG, "image/png")]).execute()
    assert "image/png" in response.content


def test_json_that_fits_a_schema(client: AiClient) -> None:
    schema = {
        "type": "object",
        "properties": {"city": {"type": "string"}},
        "required": ["city"],
        "additionalProperties": False,
    }
    response = client.chat().user("Where is the Colosseum? In Rome.").response_format(schema).execute()
    if response.warnings:
        assert [warning.split()[0] for warning in response.warnings] == ["response_format"]
    else:
        assert list(json.loads(response.content)) == ["city"]


def test_the_same_code_for_every_provider() -> None:
    with offline():
        for model in ("anthropic/claude-3-5-sonnet", "deepseek/deepseek-chat", "gemini/gemini-2.0-flash"):
            response = AiClient(model).chat().user("Same code, other provider").execute()
            assert (response.provider, response.content[-8:]) == (model.split("/")[0], "provider")


# --- A whole answer and a stream of it are the same ---------------------------------------------------------------------

ANSWERS: dict[str, dict[str, Any]] = {
    "text": {"text": "Grüße, 世界! \"quoted\" \\ and a\nnew line 🎉"},
    "nothing": {"text": ""},
    "thinking": {"text": "42", "thinking": "Six times seven."},
    "one call": {"tool_calls": [("weather", {"city": "Köln", "days": 3})]},
    "text and two calls": {"text": "Looking.", "tool_calls": [("weather", {"city": "A"}), ("weather", {"city": "B"})]},
    "thinking and a call": {"thinking": "I must look.", "tool_calls": [("weather", {"city": "A"})]},
    "arguments in depth": {"tool_calls": [("weather", {"city": "A", "a": {"b": [1, 2.5, None, True, "x\"y"]}})]},
    "usage": {"text": "Hi", "usage": Usage(100, 20, 120, cached_tokens=40)},
    "usage of thinking": {"text": "Hi", "thinking": "Hm.", "usage": Usage(100, 20, 120, reasoning_tokens=9)},
    "cut": {"text": "Hi", "finish_reason": "max_tokens"},
    "a refusal": {"text": "", "refusal": "I will not."},
    "a word of the provider's own": {"text": "Hi", "finish_reason": "cosmic_ray"},
}  # fmt: skip


def _facts(response: ChatResponse) -> dict[str, Any]:
    """What a program sees of an answer. Ids come from the request, and the two requests differ."""
    calls = [(call.name, call.arguments) for call in response.tool_calls]
    return {
        "content": response.content,
        "thinking": response.thinking,
        "calls": calls,
        "finish": (response.finish_reason, response.raw_finish_reason),
        "refusal": response.refusal,
        "usage": response.usage,
        "kinds": [type(block) for block in response.message.blocks],
        "origin": response.message.origin,
        "extra": sorted(response.message.extra),
        "who": (response.provider, response.model),
    }


@pytest.mark.parametrize("name", ANSWERS)
def test_a_collected_stream_equals_the_complete_response(fake: FakeProvider, name: str) -> None:
    chat = fake.client().chat().user("Hi").tools(Tool("weather", parameters={"type": "object"}))
    answer = ANSWERS[name]
    fake.reply(**answer, times=2)
    whole, streamed = chat.execute(), chat.stream().collect()
    assert _facts(streamed) == _facts(whole)
    assert (fake.unused, len(fake.requests)) == (0, 2)
    if answer.get("text"):  # Cohere writes what stands before its calls as their plan
        assert answer["text"] in (whole.content, whole.message.extra.get("tool_plan"))
    assert [(call.name, call.arguments) for call in whole.tool_calls] == answer.get("tool_calls", [])
    if "thinking" in answer and whole.thinking is not None:
        assert whole.thinking == answer["thinking"]
    if "usage" in answer:
        assert whole.usage.prompt_tokens == 100
        assert whole.usage.completion_tokens == 20


def test_what_a_provider_wants_back_goes_back(fake: FakeProvider) -> None:
    """Thinking with its signature, in the turn that called a tool, is taken by a service that checks it."""
    chat = fake.client().chat().user("Hi").tools(Tool("weather", parameters={"type": "object"})).reasoning("high")
    fake.reply(thinking="I must look.", tool_calls=[("weather", {"city": "Rome"})])
    first = chat.execute()
    (call,) = first.tool_calls
    second = chat.message(first.message).tool_result(call.id, "sunny", name=call.name).execute()
    assert second.finish_reason == "end_turn"
    assert "sunny" in second.content


PDF = Document("application/pdf", b"%PDF-1.4 x", name="report")


@pytest.mark.parametrize("dialect", [name for name in NAMES if "documents" not in ALL[name].unsupported])
def test_a_document_arrives(dialect: str) -> None:
    with FakeProvider(dialect) as fake:
        assert "document" in fake.client().chat().user(["Look:", PDF]).execute().content


@pytest.mark.parametrize("dialect", [name for name in NAMES if "documents" in ALL[name].unsupported])
def test_a_document_that_no_model_takes_is_not_sent(dialect: str) -> None:
    with FakeProvider(dialect) as fake:
        with pytest.raises(ConfigurationError, match="ocument"):
            fake.client().chat().user(["Look:", PDF]).execute()
        assert fake.requests == []


def test_a_stream_object_is_a_stream(client: AiClient) -> None:
    stream = client.chat().user("Hello").stream()
    assert isinstance(stream, ChatStream)
    assert repr(stream).endswith("open)")
    response = stream.collect()
    assert repr(stream).endswith("ended)")
    assert stream.collect() == response
    assert isinstance(response.message.blocks[-1], (Text, Thinking, ToolCall))
