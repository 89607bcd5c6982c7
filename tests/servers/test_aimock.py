"""Against aimock, a mock of these APIs that nobody of this project wrote: what it sends was not made to fit our decoders.

A mock's habits are no provider's truth, so nothing here is about wording; npm install @copilotkit/aimock in <servers>/aimock.
"""

from __future__ import annotations

import json
from time import sleep
from typing import TYPE_CHECKING, Any
from urllib.request import Request, urlopen

import pytest

from ailib_sync import AiClient, RetryPolicy, Tool, errors
from ailib_sync.types.messages import Image
from tests.dialects.samples import ALL

from ..local_server import free_ports
from .process import installed, program, running

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

LONG = "A long answer, of which only the beginning arrives because the server gives up in the middle of it."
CITY = {"city": "Zürich", "days": [1, 2, 3]}


def _failing(status: int, type: str, code: str | None = None, **more: Any) -> dict[str, Any]:
    return {"error": {"message": "Not today", "type": type, **({"code": code} if code else {})}, "status": status, **more}


#: What the last user message holds → the answer; the first that fits is taken.
ANSWERS: list[tuple[dict[str, Any], dict[str, Any], dict[str, Any]]] = [
    ({"userMessage": "limit me"}, _failing(429, "rate_limit_error", "rate_limit_exceeded", retryAfter=7), {}),
    ({"userMessage": "overload"}, _failing(529, "overloaded_error"), {}),
    ({"userMessage": "out of order"}, _failing(503, "server_error"), {}),
    ({"userMessage": "bad request"}, _failing(400, "invalid_request_error", "invalid_value"), {}),
    ({"userMessage": "who am I"}, _failing(401, "authentication_error"), {}),
    ({"userMessage": "twice", "sequenceIndex": 0}, _failing(503, "server_error"), {}),
    ({"userMessage": "twice", "sequenceIndex": 1}, {"content": "The second time it works."}, {}),
    ({"userMessage": "weather", "hasToolResult": True}, {"content": "Sunny, 21 °C, at 13:37."}, {}),
    (
        {"userMessage": "weather"},
        {"toolCalls": [{"name": "get_weather", "arguments": CITY}, {"name": "get_time", "arguments": {}}]},
        {},
    ),
    ({"userMessage": "think"}, {"content": "42.", "reasoning": "Six by nine.", "reasoningSignature": "c2lnbmVk"}, {}),
    ({"userMessage": "cut"}, {"content": LONG}, {"latency": 15, "truncateAfterChunks": 6, "chunkSize": 5}),
    ({"userMessage": "length"}, {"content": "Too lo", "finishReason": "length"}, {}),
    ({"userMessage": "unicode"}, {"content": 'Grüße — 日本語 👩‍👩‍👧 "quoted" \\ back\nslash'}, {"chunkSize": 1}),
    ({"userMessage": "broken"}, {"content": "never"}, {"chaos": {"malformedRate": 1}}),
    ({"userMessage": "hang up"}, {"content": "never"}, {"chaos": {"disconnectRate": 1}}),
    ({}, {"content": "An answer in several pieces.", "usage": {"prompt_tokens": 12, "completion_tokens": 5}}, {"chunkSize": 6}),
]

#: What is spoken → (model, base path, options).
CLIENTS: dict[str, tuple[str, str, dict[str, Any]]] = {
    **{name: (*samples.aimock, {"dialect": name}) for name, samples in ALL.items() if samples.aimock is not None},
    "azure": ("azure/gpt-4o", "/openai/v1", {}),
    "openrouter": ("openrouter/deepseek/deepseek-r1", "/api/v1", {}),
    "groq": ("groq/llama-3.3-70b", "/openai/v1", {}),
}
BOTH = pytest.mark.parametrize("stream", [False, True], ids=["plain", "stream"])
WEATHER = Tool("get_weather", "The weather.", {"type": "object", "properties": {"city": {"type": "string"}}})
TIME = Tool("get_time", "The time.")
PNG = b"\x89PNG\r\n\x1a\n" + bytes(16)


@pytest.fixture(scope="module")
def aimock(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of a running aimock that takes the key "good-key" alone."""
    how = "npm install @copilotkit/aimock"
    script = installed("aimock/node_modules/@copilotkit/aimock/dist/cli.js", how)
    folder: Path = tmp_path_factory.mktemp("aimock")
    fixtures = [{"match": match, "response": response, **more} for match, response, more in ANSWERS]
    (folder / "answers.json").write_text(json.dumps({"fixtures": fixtures}), encoding="utf-8")
    (port,) = free_ports(1)
    command = [program("node", how), str(script), "-p", str(port), "-h", "127.0.0.1", "-f", str(folder / "answers.json")]
    with running([*command, "--log-level", "warn"], port, folder / "log", {"AIMOCK_API_KEYS": "good-key"}):
        yield f"http://127.0.0.1:{port}"


def _client(aimock: str, spoken: str, **options: Any) -> AiClient:
    model, path, own = CLIENTS[spoken]
    given = {"api_key": "good-key", "retry": 0, "trust_env": False, "timeout": 20, **own, **options}
    return AiClient(model, base_url=aimock + path, **given)


@pytest.fixture(params=CLIENTS)
def client(request: pytest.FixtureRequest, aimock: str) -> Iterator[AiClient]:
    with _client(aimock, request.param) as client:
        yield client


def _answer(chat: Any, stream: bool) -> Any:
    if not stream:
        return chat.execute()
    with chat.stream() as events:
        return events.collect()


@BOTH
def test_an_response(client: AiClient, stream: bool) -> None:
    answer = _answer(client.chat().system("Be kind").user("Anything"), stream)
    assert answer.content == "An answer in several pieces."
    assert answer.finish_reason == "end_turn"


def test_a_stream_comes_in_fragments(client: AiClient) -> None:
    with client.chat().user("Anything").stream() as stream:
        events = list(stream)
    pieces = [event.as_content_delta.text for event in events if event.is_content_delta]
    assert len(pieces) > 2
    assert "".join(pieces) == "An answer in several pieces."
    assert [event.is_stream_end for event in events] == [False] * (len(events) - 1) + [True]


@BOTH
def test_text_of_every_kind(client: AiClient, stream: bool) -> None:
    assert _answer(client.chat().user("unicode"), stream).content == 'Grüße — 日本語 👩‍👩‍👧 "quoted" \\ back\nslash'


@BOTH
def test_two_tools_and_back(client: AiClient, stream: bool) -> None:
    chat = client.chat().user("weather in Zürich?").tools(WEATHER, TIME)
    answer = _answer(chat, stream)
    assert [(call.name, call.arguments) for call in answer.tool_calls] == [("get_weather", CITY), ("get_time", {})]
    assert answer.finish_reason in ("tool_use", "FUNCTION_CALL")  # aimock's own word for Gemini, which says STOP
    chat = chat.message(answer.message)
    for call in answer.tool_calls:
        chat = chat.tool_result(call.id, "fine", name=call.name)
    assert _answer(chat, stream).content == "Sunny, 21 °C, at 13:37."


@BOTH
def test_thinking_is_no_text(client: AiClient, stream: bool) -> None:
    if client.provider == "cohere":
        pytest.skip("aimock writes the thoughts into Cohere's text")
    answer = _answer(client.chat().user("think").reasoning("low", visible=True), stream)
    assert answer.content == "42."
    assert answer.thinking in ("Six by nine.", None)


@BOTH
def test_an_response_that_is_too_long(client: AiClient, stream: bool) -> None:
    answer = _answer(client.chat().user("length"), stream)
    assert answer.content == "Too lo"
    # aimock gives no reason for an incomplete Response, and ends Ollama's answers with "stop": nothing is made up for it.
    assert answer.finish_reason == {"incomplete": "incomplete", "stop": "end_turn"}.get(answer.raw_finish_reason, "max_tokens")


def test_an_image(client: AiClient) -> None:
    assert client.chat().user(["What is this?", Image.from_bytes(PNG, "image/png")]).execute().content


@BOTH
@pytest.mark.parametrize(
    ("said", "expected"),
    [
        ("limit me", errors.RateLimited),
        ("overload", errors.Overloaded),
        ("out of order", errors.ServerError),
        ("bad request", errors.InvalidRequest),
        ("who am I", errors.AuthenticationError),
    ],
)
def test_an_error_response(client: AiClient, said: str, expected: type[errors.RemoteError], stream: bool) -> None:
    with pytest.raises(expected) as caught:
        _answer(client.chat().user(said), stream)
    assert "Not today" in str(caught.value)
    if expected is errors.RateLimited:
        assert caught.value.retry_after == 7


def test_a_wrong_key(aimock: str) -> None:
    with _client(aimock, "openai_chat", api_key="bad-key") as client, pytest.raises(errors.AuthenticationError) as caught:
        client.chat().user("Anything").execute()
    assert "bad-key" not in str(caught.value)


def test_a_stream_that_is_cut(client: AiClient) -> None:
    with pytest.raises(errors.TransportError) as caught, client.chat().user("cut").stream() as stream:
        list(stream)
    assert isinstance(caught.value, (errors.StreamInterrupted, errors.ConnectionLost))
    assert caught.value.partial is not None
    assert caught.value.partial.content
    assert LONG.startswith(caught.value.partial.content)


@BOTH
def test_an_response_that_is_no_json(client: AiClient, stream: bool) -> None:
    with pytest.raises((errors.ProtocolError, errors.StreamInterrupted)):
        _answer(client.chat().user("broken"), stream)


@BOTH
def test_a_server_that_hangs_up(client: AiClient, stream: bool) -> None:
    with pytest.raises(errors.TransportError):
        _answer(client.chat().user("hang up"), stream)


def test_a_retry_finds_the_second_response(aimock: str) -> None:
    with _client(aimock, "openai_chat", retry=RetryPolicy(base_delay=0.01)) as client:
        answer, stats = client.chat().user("twice").execute_with_stats()
    assert answer.content == "The second time it works."
    assert len(stats.attempts) == 2


def test_a_connection_that_the_server_has_closed_meanwhile_is_not_used_again(aimock: str) -> None:
    with _client(aimock, "openai_chat") as client:  # no retry: the pool itself must see that the connection is stale
        assert client.chat().user("Anything").execute().content
        sleep(5.6)  # aimock, as all of node's servers, closes a connection that was idle for five seconds
        assert client.chat().user("Anything").execute().content


def test_the_key_travels_in_a_header_alone(aimock: str) -> None:
    for spoken in CLIENTS:
        with _client(aimock, spoken) as client:
            client.chat().user("Anything").execute()
    with urlopen(Request(f"{aimock}/__aimock/journal", headers={"Authorization": "Bearer good-key"})) as answer:
        journal = json.load(answer)
    assert len(journal) >= len(CLIENTS)
    assert not any("good-key" in json.dumps([entry["path"], entry["body"]]) for entry in journal)
