"""Ollama's own chat format: requests, complete responses, streams and errors."""

from __future__ import annotations

import json
from typing import Any

import pytest

from ailib_sync.dialects.accumulator import accumulate
from ailib_sync.dialects.dialect import find
from ailib_sync.errors import (
    ConfigurationError,
    InvalidRequest,
    NotFound,
    ProtocolError,
    RemoteError,
    ServerError,
    StreamInterrupted,
)
from ailib_sync.registry.manifest import Manifest
from ailib_sync.types.events import ContentDelta, Metadata, StreamEnd, ThinkingDelta, ToolCallEnded
from ailib_sync.types.messages import Audio, Block, Document, Image, Message, Opaque, Text, Thinking, ToolResult
from ailib_sync.types.request import Ledger, Reasoning, ResponseFormat, ToolChoice
from ailib_sync.types.tools import Tool, ToolCall
from tests.chat_values import chat_request, read_response, stream_events

DIALECT = find("ollama_chat")
MANIFEST = Manifest.load("ollama").for_dialect("ollama_chat")
TOOL = Tool("weather", "The weather.", {"type": "object", "properties": {}})


def render(*messages: Message, ledger: Ledger | None = None, manifest: Manifest = MANIFEST, **fields: Any) -> dict[str, Any]:
    body = DIALECT.chat.render(chat_request("qwen3:4b", messages, **fields), manifest, ledger or Ledger())
    json.dumps(body)
    return body


# --- Requests -----------------------------------------------------------------------------------------------------------


def test_a_conversation_is_rendered() -> None:
    history = (
        Message.system("Be brief."),
        Message.user([Text("What is "), Text("this?"), Image("image/png", b"\1\2")]),
        Message("assistant", [Thinking("hm"), Text("I look."), ToolCall("call_1", "weather", {"city": "Oslo"})]),  # type: ignore[arg-type]
        Message.tool("call_1", "rain"),
    )
    body = render(*history, tools=(TOOL,))
    assert body == {
        "model": "qwen3:4b",
        "stream": False,
        "messages": [
            {"role": "system", "content": "Be brief."},
            {"role": "user", "content": "What is this?", "images": ["AQI="]},
            {
                "role": "assistant",
                "content": "I look.",
                "thinking": "hm",
                "tool_calls": [{"id": "call_1", "function": {"name": "weather", "arguments": {"city": "Oslo"}}}],
            },
            {"role": "tool", "content": "rain", "tool_name": "weather", "tool_call_id": "call_1"},
        ],
        "tools": [
            {
                "type": "function",
                "function": {"name": "weather", "description": "The weather.", "parameters": TOOL.parameters},
            }
        ],
    }
    assert render(*history, stream=True)["stream"] is True


def test_a_generated_id_is_not_sent_back() -> None:
    response = parse({**RESPONSE, "message": {"role": "assistant", "content": "", "tool_calls": [{"function": {"name": "f"}}]}})
    (call,) = response.tool_calls
    body = render(response.message, Message.tool(call.id, "x"))
    assert body["messages"] == [
        {"role": "assistant", "content": "", "tool_calls": [{"function": {"name": "f", "arguments": {}}}]},
        {"role": "tool", "content": "x", "tool_name": "f"},
    ]


def test_each_result_is_a_message_of_its_own() -> None:
    first, second = ToolResult("1", [Text("a"), Image("image/png", b"\1\2")]), ToolResult("2", "b", name="g")
    body = render(Message.user([Text("and"), first, second]))
    assert body["messages"] == [
        {"role": "tool", "content": "a", "images": ["AQI="], "tool_call_id": "1"},
        {"role": "tool", "content": "b", "tool_name": "g", "tool_call_id": "2"},
        {"role": "user", "content": "and"},
    ]


@pytest.mark.parametrize(
    "block", [Image(url="https://example.com/x.png"), Audio("audio/wav", b"x"), Document("application/pdf", b"x")], ids=str
)
def test_unsupported_blocks_raise_before_anything_is_sent(block: Block) -> None:
    with pytest.raises(ConfigurationError):
        render(Message.user([block]))


def test_fields_of_another_dialect_are_not_sent() -> None:
    content: list[Block] = [Thinking("hm", "sig"), Text("a"), Opaque({"x": 1}), ToolCall("1", "f", extra={"index": 0})]
    message = {"role": "assistant", "content": "a", "tool_calls": [{"id": "1", "function": {"name": "f", "arguments": {}}}]}
    foreign = render(Message("assistant", content, origin="openai_chat", extra={"z": 1}))  # type: ignore[arg-type]
    assert foreign["messages"] == [message]
    own = render(Message("assistant", content, origin="ollama_chat", extra={"z": 1}))["messages"][0]  # type: ignore[arg-type]
    assert own == {**message, "thinking": "hm", "x": 1, "z": 1, "tool_calls": [{**message["tool_calls"][0], "index": 0}]}  # type: ignore[dict-item]


@pytest.mark.parametrize(("raw", "arguments"), [("{oops", {"INVALID_JSON": "{oops"}), (None, {})])
def test_arguments_that_are_not_an_object_are_sent_back_in_one(raw: str | None, arguments: dict[str, Any]) -> None:
    body = render(Message.assistant("", [ToolCall("1", "f", None, raw)]))
    assert body["messages"][0]["tool_calls"][0]["function"]["arguments"] == arguments


def test_options_are_in_their_object_and_extra_is_joined_with_them() -> None:
    ledger = Ledger()
    options = {
        "temperature": 0,
        "max_tokens": 9,
        "top_p": 0.5,
        "top_k": 3,
        "stop": ("a",),
        "seed": 1,
        "frequency_penalty": 0.1,
        "presence_penalty": 0.2,
        "parallel_tool_calls": False,
    }
    body = render(
        Message.user("x"), ledger=ledger, options=options, extra={"keep_alive": "5m", "options": {"num_ctx": 8192, "top_k": 4}}
    )
    assert body["options"] == {
        "temperature": 0,
        "num_predict": 9,
        "top_p": 0.5,
        "top_k": 4,
        "stop": ["a"],
        "seed": 1,
        "frequency_penalty": 0.1,
        "presence_penalty": 0.2,
        "num_ctx": 8192,
    }
    assert body["keep_alive"] == "5m"
    assert [warning.split()[0] for warning in ledger.warnings] == ["parallel_tool_calls"]


@pytest.mark.parametrize(
    ("choice", "sent", "warnings"),
    [
        (ToolChoice("auto"), True, 0),
        (ToolChoice("none"), False, 0),
        (ToolChoice("required"), True, 1),
        (ToolChoice("tool", "weather"), True, 1),
    ],
    ids=str,
)
def test_tool_choice_is_not_supported(choice: ToolChoice, sent: bool, warnings: int) -> None:
    ledger = Ledger()
    body = render(Message.user("x"), ledger=ledger, tools=(TOOL,), options={"tool_choice": choice})
    assert ("tools" in body) is sent
    assert "tool_choice" not in body
    assert len(ledger.warnings) == warnings


def test_a_response_format_is_the_word_json_or_a_schema() -> None:
    def sent(format: ResponseFormat) -> Any:
        return render(Message.user("x"), options={"response_format": format}).get("format")

    assert sent(ResponseFormat("json")) == "json"
    assert sent(ResponseFormat("json_schema", {"type": "object"})) == {"type": "object"}
    assert sent(ResponseFormat("text")) is None


@pytest.mark.parametrize(
    ("reasoning", "think", "warnings"),
    [
        (Reasoning(), True, 0),
        (Reasoning("none"), False, 0),
        (Reasoning(budget_tokens=0), False, 0),
        (Reasoning("high"), "high", 0),
        (Reasoning("max"), "high", 1),
        (Reasoning("minimal"), "low", 1),
        (Reasoning(budget_tokens=99), True, 1),
    ],
    ids=str,
)
def test_thinking_is_a_switch_or_an_effort(reasoning: Reasoning, think: Any, warnings: int) -> None:
    ledger = Ledger()
    assert render(Message.user("x"), ledger=ledger, options={"reasoning": reasoning})["think"] == think
    assert len(ledger.warnings) == warnings


def test_a_model_that_cannot_stop_thinking_and_one_without_efforts() -> None:
    ledger = Ledger()
    always = Manifest("o", "O", "ollama_chat", "http://localhost", reasoning={"style": "think", "efforts": ["low"]})
    assert "think" not in render(Message.user("x"), ledger=ledger, manifest=always, options={"reasoning": Reasoning("none")})
    assert len(ledger.warnings) == 1
    switch = Manifest("o", "O", "ollama_chat", "http://localhost", reasoning={"style": "think", "off": False})
    assert render(Message.user("x"), manifest=switch, options={"reasoning": Reasoning("low")})["think"] is True
    unknown = Manifest("o", "O", "ollama_chat", "http://localhost")
    assert render(Message.user("x"), manifest=unknown, options={"reasoning": Reasoning("low")})["think"] == "low"


# --- Responses ----------------------------------------------------------------------------------------------------------

COUNTS = {"total_duration": 9, "load_duration": 1, "prompt_eval_count": 5, "prompt_eval_duration": 2, "eval_count": 7}
CALLS = [
    {"id": "call_a", "function": {"index": 0, "name": "weather", "arguments": {"city": "Oslo"}}},
    {"function": {"name": "ping", "arguments": {}}},
]
MESSAGE = {"role": "assistant", "content": "Hé 😀", "thinking": "hmm", "tool_calls": CALLS}
CREATED = "2026-08-07T06:08:09.3Z"
RESPONSE: dict[str, Any] = {
    "model": "qwen3:4b",
    "created_at": CREATED,
    "message": MESSAGE,
    "done": True,
    "done_reason": "stop",
    **COUNTS,
}


def parse(body: Any, status: int = 200) -> Any:
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    return read_response(status, {"content-type": "application/json"}, raw, DIALECT, MANIFEST)


def test_a_complete_response() -> None:
    response = parse(RESPONSE)
    assert (response.content, response.thinking, response.model) == ("Hé 😀", "hmm", "qwen3:4b")
    assert [(call.name, call.arguments) for call in response.tool_calls] == [("weather", {"city": "Oslo"}), ("ping", {})]
    given, generated = (call.id for call in response.tool_calls)
    assert given == "call_a"
    assert generated.startswith("ailib_")
    assert generated.endswith("_1")
    usage = response.usage
    assert (usage.prompt_tokens, usage.completion_tokens, usage.total_tokens) == (5, 7, 12)
    assert (usage.cached_tokens, usage.reasoning_tokens) == (None, None)
    assert usage.raw == COUNTS


def test_a_completely_cached_prompt_is_not_counted_as_zero() -> None:
    usage = parse({**RESPONSE, "prompt_eval_count": None}).usage
    assert (usage.prompt_tokens, usage.completion_tokens, usage.total_tokens) == (None, 7, None)


@pytest.mark.parametrize(
    ("word", "calls", "expected"),
    [
        ("stop", [], "end_turn"),
        ("stop", CALLS, "tool_use"),
        ("length", [], "max_tokens"),
        ("length", CALLS, "max_tokens"),
        ("load", [], "load"),
        (None, [], None),
        (None, CALLS, "tool_use"),
    ],
)
def test_finish_reasons(word: str | None, calls: list[Any], expected: str | None) -> None:
    response = parse({**RESPONSE, "done_reason": word, "message": {**MESSAGE, "tool_calls": calls}})
    assert (response.finish_reason, response.raw_finish_reason) == (expected, word)


@pytest.mark.parametrize(
    "body",
    [[], "x", None, {}, {"message": "x"}, {"message": {"tool_calls": [7]}}, {"message": {"tool_calls": [{"function": {}}]}}],
    ids=str,
)
def test_json_that_is_no_response_is_a_protocol_error(body: Any) -> None:
    with pytest.raises(ProtocolError):
        parse(body)


# --- Streams ------------------------------------------------------------------------------------------------------------


def line(done: bool = False, **fields: Any) -> dict[str, Any]:
    end = {"done_reason": "stop", **COUNTS} if done else {}
    message = {"role": "assistant", "content": "", **fields}
    return {"model": "qwen3:4b", "created_at": CREATED, "message": message, "done": done, **end}


LINES = [
    line(thinking="h"),
    line(thinking="mm"),
    line(content="Hé "),
    line(content="😀"),
    line(tool_calls=CALLS[:1]),
    line(tool_calls=CALLS[1:]),
    line(done=True),
]


def raw_lines(lines: list[Any]) -> bytes:
    return b"".join(json.dumps(one).encode() + b"\n" for one in lines)


def stream(raw: bytes, size: int | None = None) -> list[Any]:
    chunks = [raw[i : i + (size or len(raw))] for i in range(0, len(raw), size or len(raw) or 1)]
    return list(stream_events(chunks, {"content-type": "application/x-ndjson"}, DIALECT, MANIFEST))


@pytest.mark.parametrize("size", [1, 7, None])
def test_a_stream_gives_the_same_as_a_complete_response(size: int | None) -> None:
    streamed, complete = accumulate(stream(raw_lines(LINES), size), "ollama_chat"), parse(RESPONSE)
    assert streamed.message == complete.message
    assert streamed.usage == complete.usage
    assert (streamed.model, streamed.finish_reason, streamed.raw_finish_reason) == (complete.model, "tool_use", "stop")


def test_events_come_in_the_order_of_the_lines() -> None:
    events = stream(raw_lines(LINES))
    assert events[:4] == [Metadata(model="qwen3:4b"), ThinkingDelta("h"), ThinkingDelta("mm"), ContentDelta("Hé ")]
    assert [event.index for event in events if isinstance(event, ToolCallEnded)] == [0, 1]
    assert events[-1] == StreamEnd("tool_use", "stop")


def test_the_stream_ends_at_done_and_reads_no_more() -> None:
    frames = iter([("message", one) for one in [*LINES, "more"]])
    assert isinstance(list(DIALECT.chat.stream.parse(frames, MANIFEST))[-1], StreamEnd)
    assert next(frames) == ("message", "more")


def test_done_ends_the_stream_of_an_old_server_without_a_reason() -> None:
    assert stream(raw_lines([line(content="a"), {"done": True}]))[-1] == StreamEnd(None, None)


def test_the_last_line_may_have_text_and_no_line_end() -> None:
    events = stream(json.dumps(line(done=True, content="all")).encode())
    assert events[1:] == [ContentDelta("all"), events[2], StreamEnd("end_turn", "stop")]


@pytest.mark.parametrize("cut", range(1, len(LINES)))
def test_a_stream_without_done_is_interrupted(cut: int) -> None:
    for raw in (raw_lines(LINES[:cut]), raw_lines(LINES[:cut]) + b'{"model": "q', raw_lines(LINES)[: -cut - 1]):
        with pytest.raises(StreamInterrupted):
            stream(raw)


@pytest.mark.parametrize("raw", [b"[1]\n", b"7\n", b"<html>\n", b'{"message": {"tool_calls": [7]}}\n'])
def test_a_line_of_the_wrong_shape_is_a_protocol_error(raw: bytes) -> None:
    with pytest.raises(ProtocolError):
        stream(raw)


# --- Errors -------------------------------------------------------------------------------------------------------------


def test_an_error_line_is_raised_after_the_events_before_it() -> None:
    got: list[Any] = []
    lines = [("message", one) for one in (LINES[2], {"error": "the model crashed"})]
    with pytest.raises(ServerError, match="the model crashed"):
        got.extend(DIALECT.chat.stream.parse(lines, MANIFEST))
    assert got[-1] == ContentDelta("Hé ")


@pytest.mark.parametrize(
    ("status", "body", "kind", "message"),
    [
        (404, {"error": "model 'x' not found"}, NotFound, "model 'x' not found"),
        (400, {"error": "x does not support tools"}, InvalidRequest, "x does not support tools"),
        (500, b"out of memory\n", ServerError, "out of memory"),
        (502, {"error": {"message": "m", "type": "t", "code": "c"}}, ServerError, "m"),
        (200, {"error": "late"}, ServerError, "late"),
    ],
)
def test_error_bodies(status: int, body: Any, kind: type[RemoteError], message: str) -> None:
    with pytest.raises(RemoteError) as caught:
        parse(body, status)
    assert type(caught.value) is kind
    assert caught.value.message == message
