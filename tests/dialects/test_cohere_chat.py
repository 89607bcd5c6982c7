"""Cohere's format: requests, complete responses, streams of typed events, errors of all shapes."""

from __future__ import annotations

import json
from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ailib_sync.dialects.accumulator import Accumulator, accumulate
from ailib_sync.dialects.cohere_chat.dialect import DIALECT
from ailib_sync.dialects.cohere_chat.options import PARAMETERS
from ailib_sync.dialects.cohere_chat.stream import is_end_mark
from ailib_sync.errors import (
    AiLibError,
    AuthenticationError,
    ConfigurationError,
    ConnectionLost,
    InvalidRequest,
    NotFound,
    ProtocolError,
    QuotaExhausted,
    RateLimited,
    RequestTooLarge,
    ServerError,
    StreamInterrupted,
)
from ailib_sync.registry.manifest import Manifest
from ailib_sync.types.events import ContentDelta, PartialToolCall, StreamEnd, ThinkingDelta, ToolCallEnded, ToolCallStarted
from ailib_sync.types.messages import Document, Image, Message, Opaque, Text, Thinking, ToolResult
from ailib_sync.types.request import OPTIONS, Ledger, Reasoning, ResponseFormat, ToolChoice
from ailib_sync.types.response import ChatResponse
from ailib_sync.types.tools import Tool, ToolCall
from tests.chat_values import chat_request, parse_body, read_response, stream_events

WEATHER = Tool("weather", "The weather now", {"type": "object", "properties": {"city": {"type": "string"}}})
TIME = Tool("time", strict=True)


def manifest(**keys: Any) -> Manifest:
    return Manifest(id="c", name="C", dialect="cohere_chat", base_url="https://c.test/v2", **keys)


def render(*messages: Message, m: Manifest | None = None, **fields: Any) -> tuple[dict[str, Any], Ledger]:
    ledger = Ledger()
    return DIALECT.chat.render(chat_request("command-a", messages, **fields), m or manifest(), ledger), ledger


def wire(*messages: Message, m: Manifest | None = None) -> list[dict[str, Any]]:
    return list(render(*messages, m=m)[0]["messages"])


def parse(body: Any) -> ChatResponse:
    return parse_body(DIALECT, body, manifest())


def from_stream(*events: Any) -> ChatResponse:
    return accumulate(stream(*events), DIALECT.name)


def stream(*events: Any) -> list[Any]:
    frames = [(event["type"] if isinstance(event, dict) and "type" in event else "message", event) for event in events]
    return list(DIALECT.chat.stream.parse(frames, manifest()))


# --- Requests -----------------------------------------------------------------------------------------------------------


def test_messages_keep_their_roles_and_plain_text_is_a_string() -> None:
    body, _ = render(Message.system("Be brief."), Message.user("Hi"), Message.assistant("Hello"), stream=True)
    assert body == {
        "model": "command-a",
        "messages": [
            {"role": "system", "content": "Be brief."},
            {"role": "user", "content": "Hi"},
            {"role": "assistant", "content": "Hello"},
        ],
        "stream": True,
    }
    assert "stream" not in render(Message.user("Hi"))[0]


def test_images_are_parts() -> None:
    image = Image.from_bytes(b"x", "image/png")
    image.detail = "low"
    assert wire(Message.user([Text("see"), image, Image.from_url("https://a.test/b.png")]))[0]["content"] == [
        {"type": "text", "text": "see"},
        {"type": "image_url", "image_url": {"url": "data:image/png;base64,eA==", "detail": "low"}},
        {"type": "image_url", "image_url": {"url": "https://a.test/b.png"}},
    ]


def test_unsupported_blocks_raise_before_sending_with_advice() -> None:
    with pytest.raises(ConfigurationError, match=r"C does not support Document in a message.*documents"):
        wire(Message.user([Document.from_bytes(b"%PDF", "application/pdf")]))
    with pytest.raises(ConfigurationError, match="text and documents in a tool result, not Image"):
        wire(Message.tool("a", [Image.from_bytes(b"x", "image/png")]))


def test_calls_and_results_are_matched_by_id() -> None:
    calling = Message.assistant("", [ToolCall("a", "weather", {"city": "Köln"}), ToolCall("b", "time", {}, arguments_raw="")])
    calling.extra["tool_plan"] = "I look."
    document = {"type": "document", "document": {"data": {"t": "5"}}}
    results = Message("tool", [ToolResult("a", "15 °C"), ToolResult("b", [Text("noon"), Opaque(document)])])  # type: ignore[arg-type]
    assert wire(calling, results, Message.user([ToolResult("c", "1"), Text("go on")])) == [
        {
            "role": "assistant",
            "tool_calls": [
                {"id": "a", "type": "function", "function": {"name": "weather", "arguments": '{"city": "Köln"}'}},
                {"id": "b", "type": "function", "function": {"name": "time", "arguments": "{}"}},
            ],
            "tool_plan": "I look.",
        },
        {"role": "tool", "tool_call_id": "a", "content": "15 °C"},
        {"role": "tool", "tool_call_id": "b", "content": [{"type": "text", "text": "noon"}, document]},
        {"role": "tool", "tool_call_id": "c", "content": "1"},
        {"role": "user", "content": "go on"},
    ]


def test_arguments_are_sent_back_as_the_model_wrote_them_if_they_are_json() -> None:
    call = ToolCall("a", "f", {"x": 1}, arguments_raw='{"x":1}')
    broken = ToolCall("b", "f", None, arguments_raw='{"x":')
    sent = wire(Message.assistant("", [call, broken]))[0]["tool_calls"]
    assert [entry["function"]["arguments"] for entry in sent] == ['{"x":1}', '{"INVALID_JSON": "{\\"x\\":"}']


def test_an_empty_assistant_message_is_left_out() -> None:
    assert wire(Message.user("a"), Message.assistant(""), Message.user("b")) == [
        {"role": "user", "content": "a"},
        {"role": "user", "content": "b"},
    ]


def test_an_empty_user_message_is_an_empty_string() -> None:
    assert wire(Message.user("")) == [{"role": "user", "content": ""}]


@pytest.mark.parametrize("origin", [None, "cohere_chat", "openai_chat"])
@pytest.mark.parametrize("thinks", [True, False])
def test_thinking_is_only_sent_back_to_a_thinking_model_of_the_same_dialect(origin: str | None, thinks: bool) -> None:
    message = Message.assistant([Thinking("hm"), Text("Yes")])
    message.origin = origin
    sent = wire(message, m=manifest(reasoning={"style": "budget"} if thinks else None))[0]["content"]
    complete = [{"type": "thinking", "thinking": "hm"}, {"type": "text", "text": "Yes"}]
    assert sent == (complete if thinks and origin == "cohere_chat" else "Yes")


def test_fields_of_another_dialect_are_not_sent() -> None:
    foreign = Message.assistant([Text("Hi", {"cache_control": {}}), Opaque({"type": "x"})])
    foreign.origin = "anthropic_messages"
    foreign.extra["refusal"] = "r"
    assert wire(foreign) == [{"role": "assistant", "content": [{"type": "text", "text": "Hi"}]}]


def test_every_option_has_its_wire_name() -> None:
    options = {
        "temperature": 0.5,
        "max_tokens": 9,
        "top_p": 0.9,
        "top_k": 4,
        "stop": ("END",),
        "seed": 7,
        "frequency_penalty": 0.1,
        "presence_penalty": 0.2,
    }
    body, ledger = render(Message.user("q"), options=options, extra={"documents": [{"data": {"t": "x"}}]})
    assert {key: value for key, value in body.items() if key not in ("model", "messages")} == {
        "temperature": 0.5,
        "max_tokens": 9,
        "p": 0.9,
        "k": 4,
        "stop_sequences": ["END"],
        "seed": 7,
        "frequency_penalty": 0.1,
        "presence_penalty": 0.2,
        "documents": [{"data": {"t": "x"}}],
    }
    assert ledger.warnings == []
    assert set(PARAMETERS) <= set(OPTIONS)


@pytest.mark.parametrize(
    ("choice", "word", "sent"),
    [
        (None, None, ["weather", "time"]),
        (ToolChoice("auto"), None, ["weather", "time"]),
        (ToolChoice("none"), "NONE", ["weather", "time"]),
        (ToolChoice("required"), "REQUIRED", ["weather", "time"]),
        (ToolChoice("tool", "weather"), "REQUIRED", ["weather"]),
    ],
)
def test_tool_choice_is_a_word_or_fewer_tools(choice: ToolChoice | None, word: str | None, sent: list[str]) -> None:
    body, ledger = render(Message.user("q"), tools=(WEATHER, TIME), options={"tool_choice": choice} if choice else {})
    assert body.get("tool_choice") == word
    assert [tool["function"]["name"] for tool in body["tools"]] == sent
    assert body.get("strict_tools") == (True if "time" in sent else None)
    assert body["tools"][0] == {
        "type": "function",
        "function": {"name": "weather", "description": "The weather now", "parameters": WEATHER.parameters},
    }
    assert ledger.warnings == []


def test_a_choice_of_an_unknown_tool_raises_before_sending() -> None:
    with pytest.raises(ConfigurationError, match="'stocks'"):
        render(Message.user("q"), tools=(WEATHER,), options={"tool_choice": ToolChoice("tool", "stocks")})


def test_a_json_response_format_is_sent_with_its_schema() -> None:
    schema = {"type": "object"}
    for requested, expected in (
        (ResponseFormat("json"), {"type": "json_object"}),
        (ResponseFormat("json_schema", schema), {"type": "json_object", "json_schema": schema}),
        (ResponseFormat("text"), None),
    ):
        body, ledger = render(Message.user("q"), options={"response_format": requested})
        assert body.get("response_format") == expected
        assert ledger.warnings == []


@pytest.mark.parametrize(
    ("requested", "thinking", "warning"),
    [
        (Reasoning(), {"type": "enabled"}, ""),
        (Reasoning(budget_tokens=100), {"type": "enabled", "token_budget": 100}, ""),
        (Reasoning("none"), {"type": "disabled"}, ""),
        (Reasoning(budget_tokens=0), {"type": "disabled"}, ""),
        (Reasoning("high"), {"type": "enabled"}, "reasoning effort 'high' is not supported by C: thinking is switched on"),
    ],
)
def test_thinking_is_on_or_off_with_a_budget(requested: Reasoning, thinking: dict[str, Any], warning: str) -> None:
    m = manifest(reasoning={"style": "budget", "off": "disabled"})
    body, ledger = render(Message.user("q"), m=m, options={"reasoning": requested})
    assert body["thinking"] == thinking
    assert ledger.warnings == ([warning] if warning else [])


@pytest.mark.parametrize(
    ("options", "keys", "warning"),
    [
        ({"tool_choice": ToolChoice("required")}, {"tools": ()}, "tool_choice is left out: the request has no tools"),
        ({"tool_choice": ToolChoice("required")}, {"tool_choice": ("auto",)}, "tool_choice 'required' is not supported by C"),
        ({"parallel_tool_calls": True}, {}, "parallel_tool_calls is not supported by C"),
        ({"reasoning": Reasoning("high")}, {}, "reasoning is not supported by C"),
        ({"reasoning": Reasoning("none")}, {"reasoning": {"style": "budget"}}, "reasoning cannot be switched off"),
        (
            {"response_format": ResponseFormat("json")},
            {"quirks": ("no_response_format_with_tools",)},
            "response_format is left out: C does not support it together with tools",
        ),
    ],
)
def test_unsupported_options_become_a_warning(options: dict[str, Any], keys: dict[str, Any], warning: str) -> None:
    tools = keys.pop("tools", (WEATHER,))
    body, ledger = render(Message.user("q"), m=manifest(**keys), tools=tools, options=options)
    assert [sentence[: len(warning)] for sentence in ledger.warnings] == [warning]
    assert not {"tool_choice", "response_format", "thinking"} & body.keys()


# --- Responses ----------------------------------------------------------------------------------------------------------

CITATION = {"start": 0, "end": 2, "text": "It", "sources": [{"type": "document", "id": "d"}]}
USAGE = {
    "billed_units": {"input_tokens": 8, "output_tokens": 9},
    "tokens": {"input_tokens": 34, "output_tokens": 12.0, "image_tokens": 259, "reasoning_tokens": 5},
    "cached_tokens": 16,
}
RESPONSE = {
    "id": "i1",
    "finish_reason": "TOOL_CALL",
    "message": {
        "role": "assistant",
        "tool_plan": "I look.",
        "content": [{"type": "thinking", "thinking": "Hm."}, {"type": "text", "text": "It is so."}],
        "tool_calls": [
            {"id": "a", "type": "function", "function": {"name": "f", "arguments": '{"x":1}'}},
            {"id": "b", "type": "function", "function": {"name": "g", "arguments": ""}},
        ],
        "citations": [CITATION],
    },
    "usage": USAGE,
}


def event(kind: str, index: int | None = None, **message: Any) -> dict[str, Any]:
    position = {} if index is None else {"index": index}
    return {"type": kind, **position, "delta": {"message": message}}


def end(word: str = "COMPLETE", **fields: Any) -> dict[str, Any]:
    return {"type": "message-end", "delta": {"finish_reason": word, **fields}}


START = {"id": "i1", "type": "message-start", "delta": {"message": {"role": "assistant", "content": [], "tool_plan": ""}}}
STREAM = [
    START,
    event("tool-plan-delta", tool_plan="I "),
    event("tool-plan-delta", tool_plan="look."),
    event("content-start", 0, content={"type": "thinking", "thinking": ""}),
    event("content-delta", 0, content={"thinking": "Hm"}),
    event("content-delta", 0, content={"thinking": "."}),
    {"type": "content-end", "index": 0},
    event("content-start", 1, content={"type": "text", "text": ""}),
    event("content-delta", 1, content={"text": "It is"}),
    event("content-delta", 1, content={"text": " so."}),
    event("citation-start", 0, citations=CITATION),
    {"type": "citation-end", "index": 0},
    {"type": "content-end", "index": 1},
    event("tool-call-start", 0, tool_calls={"id": "a", "type": "function", "function": {"name": "f", "arguments": ""}}),
    event("tool-call-delta", 0, tool_calls={"function": {"arguments": '{"x"'}}),
    event("tool-call-delta", 0, tool_calls={"function": {"arguments": ":1}"}}),
    {"type": "tool-call-end", "index": 0},
    event("tool-call-start", 1, tool_calls={"id": "b", "type": "function", "function": {"name": "g", "arguments": ""}}),
    {"type": "tool-call-end", "index": 1},
    {"type": "debug", "prompt": "…"},
    end("TOOL_CALL", usage=USAGE),
]


def test_every_field_of_a_complete_response_is_read() -> None:
    response = parse(RESPONSE)
    assert (response.content, response.thinking, response.id) == ("It is so.", "Hm.", "i1")
    assert (response.finish_reason, response.raw_finish_reason) == ("tool_use", "TOOL_CALL")
    assert response.tool_calls == [ToolCall("a", "f", {"x": 1}, '{"x":1}'), ToolCall("b", "g", {}, "")]
    assert response.message.extra == {"tool_plan": "I look.", "citations": [CITATION]}
    assert response.raw is RESPONSE
    assert (response.model, response.usage.raw) == (None, USAGE)


def test_usage_counts_images_and_the_preamble() -> None:
    usage = parse(RESPONSE).usage
    assert (usage.prompt_tokens, usage.completion_tokens, usage.total_tokens) == (293, 12, 305)
    assert (usage.cached_tokens, usage.reasoning_tokens) == (16, 5)
    billed = parse({**RESPONSE, "usage": {"billed_units": {"input_tokens": 8, "output_tokens": 9}}}).usage
    assert (billed.prompt_tokens, billed.completion_tokens, billed.cached_tokens) == (8, 9, None)
    without = parse({**RESPONSE, "usage": {}}).usage
    assert (without.prompt_tokens, without.total_tokens) == (None, None)
    assert parse({key: value for key, value in RESPONSE.items() if key != "usage"}).usage.raw is None


def test_a_stream_gives_the_same_as_a_complete_response() -> None:
    complete = parse(RESPONSE)
    complete.raw = None
    assert from_stream(*STREAM) == complete


def test_the_events_of_a_stream_come_in_order() -> None:
    events = [e for e in stream(*STREAM) if not e.is_metadata]
    assert events == [
        ThinkingDelta("Hm"),
        ThinkingDelta("."),
        ContentDelta("It is"),
        ContentDelta(" so."),
        ToolCallStarted(0, "a", "f"),
        PartialToolCall(0, '{"x"'),
        PartialToolCall(0, ":1}"),
        ToolCallEnded(0, ToolCall("a", "f", {"x": 1}, '{"x":1}')),
        ToolCallStarted(1, "b", "g"),
        ToolCallEnded(1, ToolCall("b", "g", {}, "")),
        StreamEnd("tool_use", "TOOL_CALL"),
    ]


def test_calls_without_an_end_event_are_ended() -> None:
    started = [event("tool-call-start", n, tool_calls={"id": i, "function": {"name": "f"}}) for n, i in enumerate("ab")]
    assert [call.id for call in from_stream(START, *started, end()).tool_calls] == ["a", "b"]
    again = event("tool-call-start", 0, tool_calls={"id": "c", "function": {"name": "g", "arguments": "{}"}})
    assert [(call.id, call.arguments) for call in from_stream(started[0], again, end()).tool_calls] == [("a", {}), ("c", {})]


def test_the_text_of_a_start_event_is_read() -> None:
    assert from_stream(START, event("content-start", 0, content={"type": "text", "text": "Hi"}), end()).content == "Hi"


def test_nothing_after_the_end_is_read() -> None:
    def frames() -> Any:
        yield "message-end", end()
        raise ConnectionLost("reset")

    assert list(DIALECT.chat.stream.parse(frames(), manifest()))[-1] == StreamEnd("end_turn", "COMPLETE")


@pytest.mark.parametrize("events", [[], [START], STREAM[:-1], [START, None], [None, end()]])
def test_a_stream_without_its_end_is_interrupted(events: list[Any]) -> None:
    with pytest.raises(StreamInterrupted, match="message-end"):
        stream(*events)


@pytest.mark.parametrize(
    ("word", "expected"),
    [
        ("COMPLETE", "end_turn"),
        ("STOP_SEQUENCE", "stop_sequence"),
        ("MAX_TOKENS", "max_tokens"),
        ("TOOL_CALL", "tool_use"),
        ("A_NEW_WORD", "A_NEW_WORD"),
    ],
)
def test_finish_reasons(word: str, expected: str) -> None:
    for response in (parse({**RESPONSE, "finish_reason": word}), from_stream(end(word))):
        assert (response.finish_reason, response.raw_finish_reason) == (expected, word)


def test_content_of_an_unknown_type_is_kept() -> None:
    block = {"type": "chart", "data": [1]}
    body = {**RESPONSE, "message": {"role": "assistant", "content": [block]}}
    streamed = from_stream(event("content-start", 0, content=block), end())
    assert parse(body).message.blocks == streamed.message.blocks == [Opaque(block)]
    assert parse({**RESPONSE, "message": {"content": "plain"}}).content == "plain"


FAILURE = {"error": "the tools were wrong", "error_type": "INVALID_TOOL_GENERATION", "usage": {}}


def test_a_failed_generation_is_raised_after_the_events_before_it() -> None:
    accumulator = Accumulator()
    frames = [("message", STREAM[1]), ("message", end("ERROR", **FAILURE))]
    events = DIALECT.chat.stream.parse(frames, manifest())
    accumulator.add(next(events))
    with pytest.raises(ServerError, match="the tools were wrong") as caught:
        next(events)
    assert (caught.value.error_type, caught.value.status_code) == ("INVALID_TOOL_GENERATION", None)
    assert accumulator.response().message.extra == {"tool_plan": "I "}
    with pytest.raises(ServerError, match="the tools were wrong"):
        parse({**RESPONSE, "finish_reason": "ERROR", **FAILURE})
    with pytest.raises(ServerError, match="the generation failed"):
        parse({**RESPONSE, "finish_reason": "ERROR"})


def test_an_error_body_inside_a_200_is_raised() -> None:
    for attempt in (lambda: parse({"id": "x", "message": "broken"}), lambda: stream({"message": "broken"})):
        with pytest.raises(ServerError, match="broken"):
            attempt()


@pytest.mark.parametrize(
    ("status", "body", "kind"),
    [
        (400, {"message": "bad request"}, InvalidRequest),
        (400, {"message": "too many tokens", "error_type": "TOO_MANY_TOKENS"}, RequestTooLarge),
        (401, {"message": "no key"}, AuthenticationError),
        (404, {"message": "no model"}, NotFound),
        (422, {"message": "bad field"}, InvalidRequest),
        (429, {"message": "You are using a Trial key, which is limited to 20 API calls / minute."}, RateLimited),
        (429, {"message": "You are using a Trial key, which is limited to 1000 API calls / month."}, QuotaExhausted),
        (498, {"message": "invalid token"}, AuthenticationError),
        (500, {"message": "internal"}, ServerError),
    ],
)
def test_error_bodies_have_their_class(status: int, body: dict[str, Any], kind: type[AiLibError]) -> None:
    with pytest.raises(kind) as caught:
        read_response(status, {"content-type": "application/json"}, json.dumps(body).encode(), DIALECT, manifest())
    assert type(caught.value) is kind
    assert caught.value.message == body["message"]


@pytest.mark.parametrize(
    ("body", "message"),
    [
        ("no healthy upstream", "no healthy upstream"),
        ("<html>502</html>", "the provider responded with status 502 and no message"),
        ({"error": "gone"}, "gone"),
        ({"error": {"message": "gone"}}, "gone"),
        ([], "the provider responded with status 502 and no message"),
        (None, "the provider responded with status 502 and no message"),
    ],
)
def test_error_bodies_of_other_shapes_give_their_message(body: Any, message: str) -> None:
    assert manifest().error(502, DIALECT.parse_error(502, body), DIALECT.error_words).message == message


@pytest.mark.parametrize("body", [{}, {"choices": []}, "text", 3, None, []])
def test_json_of_another_format_is_a_protocol_error(body: Any) -> None:
    with pytest.raises(ProtocolError):
        parse(body)


@pytest.mark.parametrize(
    ("data", "expected"),
    [("[DONE]", True), (json.dumps(end()), True), (json.dumps(end())[:-1], False), (json.dumps(START), False)],
)
def test_a_last_block_without_its_blank_line_counts_if_it_is_the_end(data: str, expected: bool) -> None:
    assert is_end_mark("message", data) is expected


@pytest.mark.parametrize("size", [1, 7, 10_000])
@pytest.mark.parametrize("done", ["", "data: [DONE]\n\n"])
def test_the_bytes_of_a_stream_may_be_cut_anywhere(size: int, done: str) -> None:
    text = "".join(f"event: {e['type']}\ndata: {json.dumps(e, ensure_ascii=False)}\n\n" for e in STREAM) + done
    raw = text.encode()
    chunks = [raw[i : i + size] for i in range(0, len(raw), size)]
    assert list(stream_events(chunks, {"content-type": "text/event-stream"}, DIALECT, manifest())) == stream(*STREAM)


KINDS = [*{e["type"] for e in STREAM}, "COMPLETE", "ERROR", "text", "thinking", "f"]
KEYS = [
    *("type", "index", "delta", "message", "content", "text", "thinking", "tool_calls", "function", "name", "arguments"),
    *("id", "tool_plan", "citations", "usage", "tokens", "input_tokens", "finish_reason", "error"),
]
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.sampled_from(sorted(KINDS)),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(KEYS),
            inner,
            max_size=4,
        )
    ),
    max_leaves=12,
)


@given(st.lists(JSON, max_size=4))
def test_any_json_only_raises_our_errors(values: list[Any]) -> None:
    for value in values:
        DIALECT.parse_error(500, value)
        with suppress(AiLibError):
            parse(value)
    with suppress(AiLibError):
        list(DIALECT.chat.stream.parse([("message", value) for value in values], manifest()))
