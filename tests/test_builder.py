"""`ChatBuilder`: nothing it does changes what it came from, wrong values raise before anything is sent, each option arrives."""

from __future__ import annotations

import math
import pickle
from typing import Any

import pytest

from ailib_sync import AiClient, CancelToken, ChatBuilder, ConfigurationError, Image, Message, Text, Timeout, Tool, ToolCall
from ailib_sync.errors import Cancelled, DeadlineExceeded
from ailib_sync.types.messages import MessageRole, ToolResult
from ailib_sync.types.request import ChatOptions, ChatRequest, Reasoning, ResponseFormat, ToolChoice

from .builder_steps import STEPS, Step
from .scripted import chat_stream, client


@pytest.fixture
def builder() -> ChatBuilder:
    return AiClient("openai/gpt-4o", api_key="k").chat()


def request(builder: ChatBuilder) -> ChatRequest:
    return builder._request


# --- Immutability -------------------------------------------------------------------------------------------------------

@pytest.mark.parametrize("step", STEPS, ids=lambda step: step.method)
def test_a_step_gives_a_new_builder_and_leaves_the_old_one(builder: ChatBuilder, step: Step) -> None:
    start = builder.user("Hello").temperature(0.1).stop("X").extra(a=1).header("x-a", "1")
    before = (pickle.dumps(request(start)), start._timeout)
    after = step(start)
    assert type(after) is ChatBuilder
    assert after is not start
    assert (pickle.dumps(request(start)), start._timeout) == before
    assert (pickle.dumps(request(after)), after._timeout) != before


def test_every_public_step_is_in_the_table() -> None:
    others = {"execute", "execute_with_stats", "stream", "explain", "count_tokens"}
    assert {name for name in vars(ChatBuilder) if not name.startswith("_")} - others == {step.method for step in STEPS}


def test_a_half_built_chat_can_be_used_twice() -> None:
    ai, pool = client()
    tutor = ai.chat().system("You are a tutor.")
    tutor.user("One").execute()
    tutor.user("Two").execute()
    assert [[m["content"] for m in body["messages"]] for *_, body in pool.sent] == [
        ["You are a tutor.", "One"],
        ["You are a tutor.", "Two"],
    ]


def test_the_callers_list_is_copied() -> None:
    ai, pool = client()
    history = [Message.user("One")]
    chat = ai.chat().messages(history)
    history.append(Message.user("Two"))
    chat.user("Three").execute()
    assert [m["content"] for m in pool.body["messages"]] == ["One", "Three"]
    assert [m.text for m in history] == ["One", "Two"]


def test_a_timeout_survives_the_steps_after_it(builder: ChatBuilder) -> None:
    assert builder.timeout(5).user("x").temperature(1)._timeout == Timeout(total=5)


# --- What is refused before anything is sent ----------------------------------------------------------------------------

REFUSED: list[tuple[str, tuple[Any, ...], dict[str, Any], str]] = [
    ("temperature", (5,), {}, "temperature must be a number between 0 and 2, not 5"),
    ("temperature", (-0.1,), {}, "between 0 and 2"),
    ("temperature", (math.nan,), {}, "between 0 and 2"),
    ("temperature", (True,), {}, "between 0 and 2, not True"),
    ("temperature", ("0.5",), {}, "between 0 and 2, not '0.5'"),
    ("top_p", (1.1,), {}, "top_p must be a number between 0 and 1"),
    ("top_k", (0,), {}, "top_k must be a whole number of at least 1"),
    ("max_tokens", (-1,), {}, "max_tokens must be a whole number of at least 1, not -1"),
    ("max_tokens", (0,), {}, "at least 1, not 0"),
    ("max_tokens", (1.0,), {}, "at least 1, not 1.0"),
    ("max_tokens", (True,), {}, "at least 1, not True"),
    ("stop", (3,), {}, "stop: every stop sequence must be a non-empty string, not 3"),
    ("stop", ("",), {}, "non-empty string, not ''"),
    ("stop", (), {}, "stop: give at least one"),
    ("stop", ([],), {}, "stop: give at least one"),
    ("seed", (1.5,), {}, "seed must be a whole number, not 1.5"),
    ("frequency_penalty", (2.1,), {}, "frequency_penalty must be a number between -2 and 2"),
    ("presence_penalty", (-2.1,), {}, "presence_penalty must be a number between -2 and 2"),
    ("tools", (7,), {}, "tools: must be Tool, an annotated function or a dict, not int"),
    ("tools", ({"type": "web_search"},), {}, "tools: a dict must be a function tool with a name"),
    ("tools", ({"type": "function", "function": {}},), {}, "with a name"),
    ("tools", (Tool("f"), Tool("f")), {}, "two tools have the same name in f, f"),
    ("tool_choice", (None,), {}, "tool_choice: must be auto, none, required or a tool's name"),
    ("tool_choice", ("",), {}, "tool_choice: must be"),
    ("response_format", ("yaml",), {}, "response_format: must be \"json\", \"text\" or a JSON Schema, not 'yaml'"),
    ("response_format", (7,), {}, "response_format: must be"),
    ("reasoning", ("huge",), {}, "reasoning: effort must be one of none, minimal, low"),
    ("reasoning", (), {"budget_tokens": -1}, "reasoning: budget_tokens must be a whole number of at least 0"),
    ("reasoning", (), {}, "reasoning: give an effort, a budget_tokens or visible"),
    ("user", (7,), {}, "user: must be text, a content block or a list of them, not int"),
    ("user", ([7],), {}, "int is not a content block"),
    ("message", ("Hello",), {}, "messages: must be Message, ChatResponse or dict, not str"),
    ("messages", ("Hello",), {}, "messages: must be a list of Message"),
    ("messages", (Message.user("x"),), {}, r"message\(\) adds a single one"),
    ("messages", (7,), {}, "messages: must be a list"),
    ("tool_result", ("", "x"), {}, "tool_result: the id of the tool call comes first"),
    ("tool_result", ("call_1", 7), {}, "tool_result: must be text"),
    ("header", ("x y", "1"), {}, "'x y' is not a header name"),
    ("header", ("", "1"), {}, "is not a header name"),
    ("header", ("Host", "evil"), {}, "Host is set by the transport"),
    ("header", ("x-a", "1\r\nx-b: 2"), {}, "the value of x-a must be text without control characters"),
    ("header", ("x-a", "\x7f"), {}, "without control characters"),
    ("header", ("x-a", "€"), {}, "without control characters"),
    ("header", ("x-a", 1), {}, "without control characters"),
    ("timeout", (0,), {}, "timeout: total must be a number of seconds above 0 or None, not 0"),
    ("timeout", ("5",), {}, "timeout must be a number of seconds or a Timeout, not '5'"),
    ("model", ("",), {}, "a model is written provider/model"),
]


@pytest.mark.parametrize(("name", "args", "kwargs", "says"), REFUSED, ids=[f"{r[0]}{r[1] or r[2]}" for r in REFUSED])
def test_a_wrong_value_raises_and_says_what_is_allowed(
    builder: ChatBuilder, name: str, args: tuple[Any, ...], kwargs: dict[str, Any], says: str
) -> None:
    with pytest.raises(ConfigurationError, match=says) as caught:
        getattr(builder, name)(*args, **kwargs)
    assert isinstance(caught.value, ValueError)


@pytest.mark.parametrize("terminal", ["execute", "execute_with_stats", "stream", "explain"])
def test_an_empty_conversation_is_not_sent(terminal: str) -> None:
    ai, pool = client()
    with pytest.raises(ConfigurationError, match="the conversation is empty"):
        getattr(ai.chat(), terminal)()
    assert pool.sent == []


# --- What each step makes -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("content", "blocks"),
    [
        ("Hello", [Text("Hello")]),
        (Text("Hello"), [Text("Hello")]),
        (["What?", Image.from_url("https://x.invalid/a.png")], [Text("What?"), Image(url="https://x.invalid/a.png")]),
        (("a", "b"), [Text("a"), Text("b")]),
    ],
    ids=["text", "a block", "text and a block", "a tuple"],
)
def test_content_is_text_a_block_or_both(builder: ChatBuilder, content: Any, blocks: list[Any]) -> None:
    assert request(builder.user(content)).messages[0].blocks == blocks


def test_messages_may_be_dicts(builder: ChatBuilder) -> None:
    made = request(builder.messages([{"role": "user", "content": "a"}, Message.assistant("b")])).messages
    assert [(m.role, m.text) for m in made] == [(MessageRole.USER, "a"), (MessageRole.ASSISTANT, "b")]
    assert request(builder.message({"role": "system", "content": "s"})).messages[0].role is MessageRole.SYSTEM


@pytest.mark.parametrize(
    ("content", "text"), [("rain", "rain"), ({"sky": "grün"}, '{"sky": "grün"}'), ([Text("a"), Text("b")], "ab")]
)
def test_a_tool_result_is_text_blocks_or_a_dict(builder: ChatBuilder, content: Any, text: str) -> None:
    (message,) = request(builder.tool_result("call_1", content, name="weather", is_error=True)).messages
    (block,) = message.blocks
    assert isinstance(block, ToolResult)
    assert (message.role, block.tool_call_id, block.text, block.name, block.is_error) == (
        MessageRole.TOOL, "call_1", text, "weather", True,
    )  # fmt: skip


@pytest.mark.parametrize("given", [("END", "###"), (["END", "###"],), (("END", "###"),)])
def test_stop_takes_words_or_a_list(builder: ChatBuilder, given: tuple[Any, ...]) -> None:
    assert request(builder.stop(*given)).options.stop == ("END", "###")


def weather(city: str) -> str:
    """Tells the weather."""
    return city


SCHEMA = {"type": "object", "properties": {"city": {"type": "string"}}}


@pytest.mark.parametrize(
    ("given", "tool"),
    [
        (Tool("f", "d"), Tool("f", "d")),
        ({"type": "function", "function": {"name": "f", "description": "d", "parameters": SCHEMA, "strict": True}},
         Tool("f", "d", SCHEMA, True)),
        ({"name": "f", "parameters": SCHEMA}, Tool("f", "", SCHEMA)),
        ({"type": "function", "function": {"name": "f", "description": None, "parameters": None}}, Tool("f")),
    ],
    ids=["a Tool", "OpenAI's dict", "the function alone", "nulls"],
)  # fmt: skip
def test_tools_in_every_form(builder: ChatBuilder, given: Any, tool: Tool) -> None:
    assert request(builder.tools(given)).tools == (tool,)
    assert request(builder.tools([given])).tools == (tool,)


def test_a_function_is_a_tool(builder: ChatBuilder) -> None:
    (tool,) = request(builder.tools(weather)).tools
    assert (tool.name, tool.description, tool.parameters["required"]) == ("weather", "Tells the weather.", ["city"])


def test_parallel_calls_are_requested_only_when_requested(builder: ChatBuilder) -> None:
    assert request(builder.tools(weather)).options.parallel_tool_calls is None
    assert request(builder.tools(weather, parallel=False)).options.parallel_tool_calls is False


@pytest.mark.parametrize(
    ("given", "choice"),
    [
        ("auto", ToolChoice("auto")),
        ("none", ToolChoice("none")),
        ("required", ToolChoice("required")),
        ("weather", ToolChoice("tool", "weather")),
        (Tool("weather"), ToolChoice("tool", "weather")),
    ],
)
def test_tool_choice(builder: ChatBuilder, given: Any, choice: ToolChoice) -> None:
    assert request(builder.tool_choice(given)).options.tool_choice == choice


@pytest.mark.parametrize(
    ("given", "kwargs", "format"),
    [
        ("json", {}, ResponseFormat("json")),
        ("json_object", {}, ResponseFormat("json")),
        ("text", {}, ResponseFormat("text")),
        ({"type": "json_object"}, {}, ResponseFormat("json")),
        ({"type": "text"}, {}, ResponseFormat("text")),
        (SCHEMA, {"name": "place", "strict": False}, ResponseFormat("json_schema", SCHEMA, "place", False)),
        ({"type": "json_schema", "json_schema": {"name": "p", "schema": SCHEMA, "strict": False}}, {},
         ResponseFormat("json_schema", SCHEMA, "p", False)),
        ({"type": "json_schema", "json_schema": {"schema": SCHEMA}}, {}, ResponseFormat("json_schema", SCHEMA, "answer", True)),
        ({"type": "text", "enum": ["a"]}, {}, ResponseFormat("json_schema", {"type": "text", "enum": ["a"]})),
    ],
)  # fmt: skip
def test_response_format(builder: ChatBuilder, given: Any, kwargs: dict[str, Any], format: ResponseFormat) -> None:
    assert request(builder.response_format(given, **kwargs)).options.response_format == format


@pytest.mark.parametrize(
    ("args", "kwargs", "asked", "off"),
    [
        (("high",), {}, Reasoning("high"), False),
        (("none",), {}, Reasoning("none"), True),
        ((), {"budget_tokens": 0}, Reasoning(None, 0), True),
        ((), {"budget_tokens": 100, "visible": True}, Reasoning(None, 100, True), False),
        ((), {"visible": False}, Reasoning(visible=False), False),
    ],
)
def test_reasoning(builder: ChatBuilder, args: tuple[str], kwargs: dict[str, Any], asked: Reasoning, off: bool) -> None:
    made = request(builder.reasoning(*args, **kwargs)).options.reasoning
    assert made == asked
    assert made.off is off


def test_every_plain_option_arrives_in_the_body() -> None:
    ai, pool = client("openai-compatible/m-1", base_url="https://x.invalid/v1")
    chat = ai.chat().user("x").temperature(0.9).max_tokens(200).top_p(0.95).stop("END", "###").seed(7)
    response = chat.frequency_penalty(0.1).presence_penalty(-0.1).extra(user="ann", temperature=0.8).execute()
    assert pool.body == {
        "model": "m-1", "messages": [{"role": "user", "content": "x"}], "temperature": 0.8, "max_tokens": 200, "top_p": 0.95,
        "stop": ["END", "###"], "seed": 7, "frequency_penalty": 0.1, "presence_penalty": -0.1, "user": "ann",
    }  # fmt: skip
    assert response.warnings == []


def test_the_last_value_of_an_option_counts(builder: ChatBuilder) -> None:
    assert request(builder.temperature(0.1).temperature(0.2)).options == ChatOptions(temperature=0.2)


def test_headers_of_the_request_go_over_the_clients() -> None:
    ai, pool = client(headers={"x-a": "client", "x-b": "client"})
    ai.chat().user("x").header("x-a", "chat\tñ").execute()
    assert (pool.headers["x-a"], pool.headers["x-b"]) == ("chat\tñ", "client")


def test_another_model_of_the_same_provider() -> None:
    ai, pool = client()
    for name in ("gpt-4.1", "openai/gpt-4.1", "gpt/gpt-4.1"):
        ai.chat().user("x").model(name).execute()
        assert pool.body["model"] == "gpt-4.1"


def test_repr_shows_no_content(builder: ChatBuilder) -> None:
    assert repr(builder.user("my secret").temperature(0.5)) == "ChatBuilder('gpt-4o', 1 messages, temperature)"
    assert repr(builder) == "ChatBuilder('gpt-4o', 0 messages, no options)"


# --- Sending ------------------------------------------------------------------------------------------------------------


def test_execute_with_stats_gives_the_response_and_its_figures() -> None:
    ai, _ = client()
    response, stats = ai.chat().user("x").execute_with_stats()
    assert response.content == "Hi"
    assert (stats.prompt_tokens, stats.completion_tokens, stats.total_tokens) == (3, 2, 5)
    assert (stats.provider, stats.model, stats.request_id, len(stats.attempts)) == ("openai", "m-1", "req_1", 1)
    assert stats.latency_ms > 0
    assert stats.time_to_first_token_ms is None


def test_stream_gives_events_and_then_the_complete() -> None:
    ai, pool = client("openai/gpt-4o", chat_stream("Hel", "lo"))
    stream = ai.chat().user("x").stream()
    assert list(stream.text()) == ["Hel", "lo"]
    assert pool.body["stream"] is True
    assert stream.response.content == "Hello"
    assert stream.stats.time_to_first_token_ms is not None


@pytest.mark.parametrize("terminal", ["execute", "stream"])
def test_a_cancelled_token_stops_a_call_before_it_is_sent(terminal: str) -> None:
    ai, pool = client()
    token = CancelToken()
    token.cancel()
    assert token.cancelled
    with pytest.raises(Cancelled):
        getattr(ai.chat().user("x"), terminal)(cancel=token)
    assert pool.sent == []


def test_the_builders_timeout_goes_over_the_clients() -> None:
    ai, _ = client(timeout=100)
    with pytest.raises(DeadlineExceeded, match=r"1e-09 s \(timeout.total\)"):
        ai.chat().user("x").timeout(1e-9).execute()


def test_a_builder_pickles_with_its_client() -> None:
    chat = AiClient("embedded/echo").chat().user("Hello").temperature(0.5)
    assert request(pickle.loads(pickle.dumps(chat))) == request(chat)


def test_a_response_s_message_goes_back_as_it_came() -> None:
    ai, pool = client()
    call = ToolCall("call_1", "weather", {"city": "Rome"}, '{"city": "Rome"}')
    ai.chat().user("x").message(Message.assistant("Looking", [call])).tool_result("call_1", "sun").execute()
    assert [m["role"] for m in pool.body["messages"]] == ["user", "assistant", "tool"]
    assert pool.body["messages"][1]["tool_calls"][0]["function"]["arguments"] == '{"city": "Rome"}'
