"""Gemini's format: requests, complete responses, streams of chunks, errors of all shapes."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator
from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ailib_sync.dialects.accumulator import accumulate
from ailib_sync.dialects.gemini_generate.dialect import DIALECT
from ailib_sync.dialects.gemini_generate.options import PARAMETERS
from ailib_sync.dialects.gemini_generate.stream import is_end_mark
from ailib_sync.errors import (
    AiLibError,
    AuthenticationError,
    Cancelled,
    ConfigurationError,
    ConnectionLost,
    InvalidRequest,
    NotFound,
    Overloaded,
    PermissionDenied,
    ProtocolError,
    QuotaExhausted,
    RateLimited,
    RequestTooLarge,
    ServerError,
    StreamInterrupted,
)
from ailib_sync.registry.manifest import Manifest
from ailib_sync.types.events import ContentDelta, StreamEnd, ToolCallEnded
from ailib_sync.types.messages import Audio, Document, Image, Message, Opaque, Text, Thinking, ToolResult
from ailib_sync.types.request import OPTIONS, Ledger, Reasoning, ResponseFormat, ToolChoice
from ailib_sync.types.response import ChatResponse
from ailib_sync.types.tools import Tool, ToolCall
from tests.chat_values import chat_request, parse_body, read_response, stream_events

from .fragments import Fragment, fragments, outcome_of

SIGNED = "c2lnbmF0dXJl"
PLACEHOLDER = "skip_thought_signature_validator"
WEATHER = Tool("weather", "The weather now", {"type": "object", "properties": {"city": {"type": "string"}}})


def manifest(**keys: Any) -> Manifest:
    return Manifest(id="g", name="G", dialect="gemini_generate", base_url="https://g.test/v1beta", **keys)


def render(*messages: Message, m: Manifest | None = None, **fields: Any) -> tuple[dict[str, Any], Ledger]:
    ledger = Ledger()
    request = chat_request("gemini-3-flash", messages, **fields)
    return DIALECT.chat.render(request, m or manifest(), ledger), ledger


def contents(*messages: Message, m: Manifest | None = None) -> list[dict[str, Any]]:
    return list(render(*messages, m=m)[0]["contents"])


def response_body(*parts: dict[str, Any], finish: str | None = "STOP", **fields: Any) -> dict[str, Any]:
    candidate: dict[str, Any] = {"content": {"role": "model", "parts": list(parts)}, "index": 0}
    if finish:
        candidate["finishReason"] = finish
    return {"candidates": [candidate], "modelVersion": "gemini-3-flash", "responseId": "r1", **fields}


def parse(body: Any) -> ChatResponse:
    return parse_body(DIALECT, body, manifest())


def from_stream(*chunks: Any) -> ChatResponse:
    return accumulate(DIALECT.chat.stream.parse([("message", chunk) for chunk in chunks], manifest()), DIALECT.name)


# --- Requests -----------------------------------------------------------------------------------------------------------


def test_roles_are_user_and_model_and_the_system_text_is_separate() -> None:
    body, _ = render(Message.system("Be brief."), Message.user("Hi"), Message.assistant("Hello"), Message.system("Be kind."))
    assert body["systemInstruction"] == {"parts": [{"text": "Be brief."}, {"text": "Be kind."}]}
    assert body["contents"] == [
        {"role": "user", "parts": [{"text": "Hi"}]},
        {"role": "model", "parts": [{"text": "Hello"}]},
    ]
    assert "model" not in body


def test_adjacent_messages_with_the_same_role_share_a_content() -> None:
    assert contents(Message.user("a"), Message.user("b"), Message.assistant("x"), Message.assistant("y")) == [
        {"role": "user", "parts": [{"text": "a"}, {"text": "b"}]},
        {"role": "model", "parts": [{"text": "x"}, {"text": "y"}]},
    ]


def test_a_message_without_parts_makes_no_content() -> None:
    assert contents(Message.user("a"), Message.assistant(""), Message.user("b")) == [
        {"role": "user", "parts": [{"text": "a"}, {"text": "b"}]}
    ]


def test_a_model_without_system_instruction_gets_it_in_the_first_user_turn() -> None:
    model = manifest(quirks=("system_in_first_user",))
    body, _ = render(Message.system("Be brief."), Message.user("Hi"), m=model)
    assert body == {"contents": [{"role": "user", "parts": [{"text": "Be brief."}, {"text": "Hi"}]}]}
    assert contents(Message.system("s"), Message.assistant("a"), m=model)[0] == {"role": "user", "parts": [{"text": "s"}]}


@pytest.mark.parametrize(
    ("block", "part"),
    [
        (Image.from_bytes(b"\x89PNG", "image/png"), {"inlineData": {"mimeType": "image/png", "data": "iVBORw=="}}),
        (Audio.from_bytes(b"RIFF", "audio/wav"), {"inlineData": {"mimeType": "audio/wav", "data": "UklGRg=="}}),
        (Document.from_bytes(b"%PDF", "application/pdf"), {"inlineData": {"mimeType": "application/pdf", "data": "JVBERg=="}}),
        (
            Image.from_url("https://a.test/b.jpg?x=1"),
            {"fileData": {"mimeType": "image/jpeg", "fileUri": "https://a.test/b.jpg?x=1"}},
        ),
        (Document.from_url("gs://b/c", "video/mp4"), {"fileData": {"mimeType": "video/mp4", "fileUri": "gs://b/c"}}),
        (Image.from_url("https://files.test/abc"), {"fileData": {"fileUri": "https://files.test/abc"}}),
        (Image.from_url("data:image/gif;base64,R0lG"), {"inlineData": {"mimeType": "image/gif", "data": "R0lG"}}),
        (Text("x", {"videoMetadata": {"fps": 1}}), {"text": "x", "videoMetadata": {"fps": 1}}),
    ],
)
def test_blocks_become_parts(block: Any, part: dict[str, Any]) -> None:
    assert contents(Message.user([block]))[0]["parts"] == [part]


def test_a_data_url_that_is_not_base64_raises_before_sending() -> None:
    with pytest.raises(ConfigurationError, match="base64"):
        contents(Message.user([Image.from_url("data:text/plain,hi")]))


def calls(*ids: str, origin: str | None = None, **fields: Any) -> Message:
    made = [ToolCall(id, f"f_{n}", {"n": n}, **fields) for n, id in enumerate(ids)]
    message = Message.assistant("", made)
    message.origin = origin
    return message


def test_a_result_is_named_after_its_call_and_keeps_the_providers_id() -> None:
    sent = contents(Message.user("q"), calls("zi06"), Message.tool("zi06", "sunny"))
    assert sent[1]["parts"] == [{"functionCall": {"id": "zi06", "name": "f_0", "args": {"n": 0}}}]
    assert sent[2] == {
        "role": "user",
        "parts": [{"functionResponse": {"id": "zi06", "name": "f_0", "response": {"output": "sunny"}}}],
    }


def test_a_generated_id_is_never_sent() -> None:
    response = parse(response_body({"functionCall": {"name": "weather", "args": {}}}, {"functionCall": {"name": "weather"}}))
    first, second = response.tool_calls
    assert first.id != second.id
    sent = contents(Message.user("q"), response.message, Message.tool(second.id, "2"), Message.tool(first.id, "1"))
    assert "id" not in json.dumps(sent)
    # Without ids, only the order of the calls distinguishes results with the same name.
    assert [part["functionResponse"]["response"] for part in sent[2]["parts"]] == [{"output": "1"}, {"output": "2"}]


def test_a_service_without_ids_gets_none() -> None:
    service = manifest(quirks=("no_function_call_ids",))
    sent = contents(calls("a", "b"), Message.tool("b", "2"), Message.tool("a", "1"), m=service)
    assert [part["functionCall"] for part in sent[0]["parts"]] == [
        {"name": "f_0", "args": {"n": 0}},
        {"name": "f_1", "args": {"n": 1}},
    ]
    assert [part["functionResponse"]["name"] for part in sent[1]["parts"]] == ["f_0", "f_1"]


def test_an_error_of_a_tool_is_sent_as_an_error() -> None:
    sent = contents(calls("a"), Message.tool("a", "no network", is_error=True))
    assert sent[1]["parts"][0]["functionResponse"]["response"] == {"error": "no network"}


def test_a_result_without_a_known_name_raises_before_sending() -> None:
    with pytest.raises(ConfigurationError, match="'x' needs the tool's name"):
        contents(Message.user("q"), Message.tool("x", "1"))
    named = contents(Message.user("q"), Message.tool("x", "1", name="f"))
    assert named[0]["parts"][0]["functionResponse"]["name"] == "f"


@pytest.mark.parametrize("inside", [True, False])
def test_images_of_a_result_are_sent_where_the_model_supports_them(inside: bool) -> None:
    image = {"inlineData": {"mimeType": "image/png", "data": base64.b64encode(b"x").decode()}}
    result = ToolResult("a", [Text("see"), Image.from_bytes(b"x", "image/png")])
    m = manifest(quirks=("media_in_function_response",) if inside else ())
    parts = contents(calls("a", "b"), Message("tool", [result]), Message.tool("b", "2"), m=m)[1]["parts"]  # type: ignore[arg-type]
    assert [part["functionResponse"]["response"] for part in parts[:2]] == [{"output": "see"}, {"output": "2"}]
    assert parts[0]["functionResponse"].get("parts") == ([image] if inside else None)
    assert parts[2:] == ([] if inside else [image])


def test_signatures_are_sent_back_on_their_own_parts() -> None:
    body = response_body(
        {"text": "Let me see", "thought": True, "thoughtSignature": "t"},
        {"text": "I look.", "thoughtSignature": "x"},
        {"functionCall": {"id": "1", "name": "f", "args": {"a": 1}}, "thoughtSignature": SIGNED},
        {"functionCall": {"id": "2", "name": "g", "args": {}}},
        {"toolCall": {"id": "3", "toolType": "GOOGLE_SEARCH_WEB"}, "thoughtSignature": "s"},
    )
    required = manifest(quirks=("thought_signatures_required",))
    message = read_response(200, {}, json.dumps(body).encode(), DIALECT, manifest()).message
    assert contents(message, m=required)[0]["parts"] == body["candidates"][0]["content"]["parts"]


@pytest.mark.parametrize("origin", [None, "openai_chat", "gemini_generate"])
def test_a_turn_without_signature_gets_the_placeholder_on_its_first_call(origin: str | None) -> None:
    required = manifest(quirks=("thought_signatures_required",))
    parts = contents(calls("a", "b", origin=origin), m=required)[0]["parts"]
    assert [part.get("thoughtSignature") for part in parts] == [PLACEHOLDER, None]
    assert "thoughtSignature" not in contents(calls("a", origin=origin))[0]["parts"][0]


def test_fields_of_another_dialect_are_not_sent() -> None:
    foreign = Message.assistant(
        [Thinking("hm", "sig"), Text("Hi", {"cache_control": {}}), Opaque({"type": "server_tool_use"})],
        [ToolCall("a", "f", {}, signature="sig", extra={"k": 1})],
    )
    foreign.origin = "anthropic_messages"
    assert contents(foreign)[0]["parts"] == [{"text": "Hi"}, {"functionCall": {"id": "a", "name": "f", "args": {}}}]


def test_a_summary_of_thoughts_is_not_sent_back() -> None:
    message = parse(response_body({"text": "Hm", "thought": True}, {"text": "Yes"})).message
    assert contents(message)[0]["parts"] == [{"text": "Yes"}]


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
    body, ledger = render(Message.user("q"), options=options)
    assert body["generationConfig"] == {
        "temperature": 0.5,
        "maxOutputTokens": 9,
        "topP": 0.9,
        "topK": 4,
        "stopSequences": ["END"],
        "seed": 7,
        "frequencyPenalty": 0.1,
        "presencePenalty": 0.2,
    }
    assert ledger.warnings == []
    assert set(PARAMETERS) <= set(OPTIONS)


def test_tools_are_declared_with_their_json_schema() -> None:
    body, _ = render(Message.user("q"), tools=(WEATHER,))
    declaration = {"name": "weather", "description": "The weather now", "parametersJsonSchema": WEATHER.parameters}
    assert body["tools"] == [{"functionDeclarations": [declaration]}]
    assert "toolConfig" not in body


@pytest.mark.parametrize(
    ("choice", "strict", "config"),
    [
        (ToolChoice("auto"), None, {"mode": "AUTO"}),
        (ToolChoice("none"), True, {"mode": "NONE"}),
        (ToolChoice("required"), None, {"mode": "ANY"}),
        (ToolChoice("tool", "weather"), None, {"mode": "ANY", "allowedFunctionNames": ["weather"]}),
        (ToolChoice("auto"), True, {"mode": "VALIDATED"}),
        (None, True, {"mode": "VALIDATED"}),
    ],
)
def test_tool_choice_is_a_mode(choice: ToolChoice | None, strict: bool | None, config: dict[str, Any]) -> None:
    tool = Tool("weather", strict=strict)
    body, ledger = render(Message.user("q"), tools=(tool,), options={"tool_choice": choice} if choice else {})
    assert body["toolConfig"] == {"functionCallingConfig": config}
    assert ledger.warnings == []


@pytest.mark.parametrize(
    ("options", "keys", "warning"),
    [
        ({"tool_choice": ToolChoice("required")}, {"tools": ()}, "tool_choice is left out: the request has no tools"),
        ({"tool_choice": ToolChoice("required")}, {"tool_choice": ("auto",)}, "tool_choice 'required' is not supported by G"),
        ({"parallel_tool_calls": False}, {}, "parallel_tool_calls is not supported by G"),
        ({"reasoning": Reasoning("high")}, {}, "reasoning is not supported by G"),
        ({"top_k": 3}, {"parameters": {"top_k": None}}, "top_k is not supported by G"),
        (
            {"response_format": ResponseFormat("json")},
            {"quirks": ("no_response_format_with_tools",)},
            "response_format is left out: G does not support it together with tools",
        ),
        (
            {"response_format": ResponseFormat("json_schema", {})},
            {"response_format": ("text", "json")},
            "response_format is sent without its schema",
        ),
        (
            {"response_format": ResponseFormat("json")},
            {"response_format": ("text",)},
            "response_format 'json' is not supported by G",
        ),
    ],
)
def test_unsupported_options_become_a_warning(options: dict[str, Any], keys: dict[str, Any], warning: str) -> None:
    tools = keys.pop("tools", (WEATHER,))
    _, ledger = render(Message.user("q"), m=manifest(**keys), tools=tools, options=options)
    assert [sentence[: len(warning)] for sentence in ledger.warnings] == [warning]


def test_a_json_response_format_is_sent_with_its_schema() -> None:
    schema = {"type": "object", "properties": {"a": {"type": "integer"}}}
    body, _ = render(Message.user("q"), options={"response_format": ResponseFormat("json_schema", schema)})
    assert body["generationConfig"] == {"responseMimeType": "application/json", "responseJsonSchema": schema}
    body, _ = render(Message.user("q"), options={"response_format": ResponseFormat("json")})
    assert body["generationConfig"] == {"responseMimeType": "application/json"}
    body, ledger = render(Message.user("q"), options={"response_format": ResponseFormat("text")})
    assert "generationConfig" not in body
    assert ledger.warnings == []


BUDGET = {"style": "budget", "budget": [128, 24576], "off": 0}
PRO = {"style": "budget", "budget": [128, 32768]}
LEVEL = {"style": "level", "efforts": ["low", "medium", "high"]}


@pytest.mark.parametrize(
    ("rules", "requested", "config", "warned"),
    [
        (BUDGET, Reasoning("none"), {"thinkingBudget": 0}, False),
        (BUDGET, Reasoning(budget_tokens=0, visible=True), {"thinkingBudget": 0}, False),
        (PRO, Reasoning("none"), {"thinkingBudget": 128}, True),
        (BUDGET, Reasoning("medium"), {"thinkingBudget": 8192}, False),
        (BUDGET, Reasoning("max"), {"thinkingBudget": 24576}, False),
        (PRO, Reasoning("max"), {"thinkingBudget": 32768}, False),
        (BUDGET, Reasoning(budget_tokens=4096, visible=True), {"thinkingBudget": 4096, "includeThoughts": True}, False),
        (BUDGET, Reasoning(budget_tokens=99999), {"thinkingBudget": 24576}, True),
        (BUDGET, Reasoning(budget_tokens=-1), {"thinkingBudget": -1}, False),
        (BUDGET, Reasoning(), {"thinkingBudget": -1}, False),
        (BUDGET, Reasoning(visible=False), {"includeThoughts": False}, False),
        (LEVEL, Reasoning("high", visible=True), {"thinkingLevel": "high", "includeThoughts": True}, False),
        (LEVEL, Reasoning("minimal"), {"thinkingLevel": "low"}, True),
        (LEVEL, Reasoning("max"), {"thinkingLevel": "high"}, True),
        (LEVEL, Reasoning("none"), {"thinkingLevel": "low"}, True),
        ({**LEVEL, "off": "off"}, Reasoning("none"), {"thinkingLevel": "off"}, False),
        (LEVEL, Reasoning(budget_tokens=8000), {"thinkingLevel": "medium"}, True),
        (LEVEL, Reasoning(budget_tokens=-1), None, False),
        (LEVEL, Reasoning(visible=True), {"includeThoughts": True}, False),
        ({"style": "level", "efforts": []}, Reasoning("low"), None, True),
    ],
)
def test_thinking_is_a_budget_or_a_level(
    rules: dict[str, Any], requested: Reasoning, config: dict[str, Any] | None, warned: bool
) -> None:
    body, ledger = render(Message.user("q"), m=manifest(reasoning=rules), options={"reasoning": requested})
    assert body.get("generationConfig", {}).get("thinkingConfig") == config
    assert bool(ledger.warnings) == warned


def test_extra_is_joined_with_nested_objects_and_adds_hosted_tools() -> None:
    extra = {"generationConfig": {"responseModalities": ["TEXT"]}, "tools": [{"googleSearch": {}}], "cachedContent": "c/1"}
    body, _ = render(Message.user("q"), tools=(WEATHER,), options={"temperature": 0}, extra=extra)
    assert body["generationConfig"] == {"temperature": 0, "responseModalities": ["TEXT"]}
    assert [list(tool) for tool in body["tools"]] == [["functionDeclarations"], ["googleSearch"]]
    assert body["cachedContent"] == "c/1"
    assert extra["tools"] == [{"googleSearch": {}}]
    assert render(Message.user("q"), extra={"tools": [{"googleSearch": {}}]})[0]["tools"] == [{"googleSearch": {}}]


# --- Responses ----------------------------------------------------------------------------------------------------------

USAGE = {
    "promptTokenCount": 10,
    "toolUsePromptTokenCount": 5,
    "candidatesTokenCount": 3,
    "thoughtsTokenCount": 4,
    "cachedContentTokenCount": 8,
    "totalTokenCount": 22,
}
RESPONSE = response_body(
    {"text": "Hm.", "thought": True},
    {"text": "It is "},
    {"text": "sunny.", "thoughtSignature": SIGNED},
    {"functionCall": {"name": "f", "args": {"é": [1]}}, "thoughtSignature": "s2"},
    {"functionCall": {"id": "q1", "name": "g"}},
    {"executableCode": {"language": "PYTHON", "code": "1"}},
    {"inlineData": {"mimeType": "image/png", "data": "AA=="}},
    usageMetadata=USAGE,
)


def test_every_field_of_a_complete_response_is_read() -> None:
    response = parse(RESPONSE)
    assert response.content == "It is sunny."
    assert response.thinking == "Hm."
    assert response.finish_reason == "tool_use"
    assert response.raw_finish_reason == "STOP"
    assert (response.id, response.model, response.raw) == ("r1", "gemini-3-flash", RESPONSE)
    assert [(call.name, call.arguments, call.arguments_raw, call.signature) for call in response.tool_calls] == [
        ("f", {"é": [1]}, None, "s2"),
        ("g", {}, None, None),
    ]
    assert response.tool_calls[1].id == "q1"
    assert response.message.blocks[1] == Text("It is sunny.", {"thoughtSignature": SIGNED})
    assert response.message.blocks[-2:] == [
        Opaque({"executableCode": {"language": "PYTHON", "code": "1"}}),
        Opaque({"inlineData": {"mimeType": "image/png", "data": "AA=="}}),
    ]


def test_usage_counts_thoughts_and_the_prompts_of_hosted_tools() -> None:
    usage = parse(RESPONSE).usage
    assert (usage.prompt_tokens, usage.completion_tokens, usage.total_tokens) == (15, 7, 22)
    assert (usage.cached_tokens, usage.reasoning_tokens, usage.raw) == (8, 4, USAGE)
    without = parse(response_body({"text": "x"}, usageMetadata={"trafficType": "ON_DEMAND"})).usage
    assert (without.prompt_tokens, without.completion_tokens, without.cached_tokens) == (None, None, None)


def test_a_stream_of_fragments_gives_the_same_as_a_complete_response() -> None:
    parts = RESPONSE["candidates"][0]["content"]["parts"]
    chunks = [response_body(part, finish=None, usageMetadata={"promptTokenCount": 10}) for part in parts]
    streamed, complete = from_stream(*chunks, response_body(usageMetadata=USAGE)), parse(RESPONSE)
    complete.raw = None
    assert streamed == complete
    assert streamed.usage.raw == USAGE


def test_a_late_signature_belongs_to_the_text_before_it() -> None:
    streamed = from_stream(
        response_body({"text": "The"}, finish=None),
        response_body({"text": " end"}, finish=None),
        response_body({"text": "", "thoughtSignature": SIGNED}),
    )
    assert streamed.message.blocks == [Text("The end", {"thoughtSignature": SIGNED})]
    assert from_stream(response_body({"text": "x"}, {"thoughtSignature": SIGNED})).message.blocks == [
        Text("x", {"thoughtSignature": SIGNED})
    ]


def test_nothing_is_appended_to_a_signed_part() -> None:
    parts = [
        {"text": "a", "thought": True, "thoughtSignature": "1"},
        {"text": "b", "thought": True, "thoughtSignature": "2"},
        {"text": "b'", "thought": True},
        {"text": "c", "thoughtSignature": "3"},
        {"text": "d", "thoughtSignature": "4"},
        {"text": "e"},
    ]
    expected = [
        Thinking("a", "1"),
        Thinking("b", "2"),
        Thinking("b'"),
        Text("c", {"thoughtSignature": "3"}),
        Text("d", {"thoughtSignature": "4"}),
        Text("e"),
    ]
    assert parse(response_body(*parts)).message.blocks == expected
    assert from_stream(*[response_body(part, finish=None) for part in parts], response_body()).message.blocks == expected


#: Parts of chunks that are read fast, and parts that look like them. Below: further fields of the candidate and of the chunk.
FRAGMENTS: list[Any] = [
    [{"text": "a"}],
    [{"text": "t", "thought": True}],
    [{"text": "a", "thought": False}],
    [{"text": "a", "thoughtSignature": SIGNED}],
    [{"text": "t", "thought": True, "thoughtSignature": SIGNED}],
    [{"text": ""}],
    [{"text": 1}],
    [{"text": "a"}, {"text": "b"}],
    [{"functionCall": {"name": "f", "args": {}}}],
    [],
    "a",
]
IN_CANDIDATE = {"index": 1, "finishReason": "STOP", "citationMetadata": {"a": 1}, "safetyRatings": []}
IN_CHUNK = {
    "usageMetadata": {"promptTokenCount": 3}, "error": {"message": "No"}, "promptFeedback": {"blockReason": "SAFETY"},
    "responseId": "r-2", "modelVersion": "m-2", "other": 1,
}  # fmt: skip


@pytest.mark.slow
@settings(max_examples=300)
@given(fragments(FRAGMENTS, IN_CANDIDATE, IN_CHUNK), st.booleans())
def test_the_fast_path_reads_fragments_like_the_slow_one(drawn: list[Fragment], named: bool) -> None:
    chunks: list[dict[str, Any]] = [{"candidates": [{"content": {"parts": [{"text": "x"}]}}]}]
    chunks[0].update({"responseId": "r", "modelVersion": "m"} if named else {})
    for parts, in_candidate, in_chunk in drawn:
        candidate = {"content": {"parts": parts}, **{key: IN_CANDIDATE[key] for key in in_candidate}}
        chunks.append({"candidates": [candidate], **{key: IN_CHUNK[key] for key in in_chunk}})

    frames = [("message", chunk) for chunk in (*chunks, response_body())]
    fast = outcome_of(DIALECT.chat.stream.parse(frames, manifest()))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("ailib_sync.dialects.gemini_generate.stream.StreamReader.read_fragment", lambda self, chunk: None)
        assert fast == outcome_of(DIALECT.chat.stream.parse(frames, manifest()))


def test_empty_text_makes_no_event() -> None:
    frames = [("message", response_body({"text": ""}))]
    assert not [event for event in DIALECT.chat.stream.parse(frames, manifest()) if isinstance(event, ContentDelta)]


@pytest.mark.parametrize(
    ("word", "calls", "expected"),
    [
        ("STOP", False, "end_turn"),
        ("STOP", True, "tool_use"),
        ("MAX_TOKENS", False, "max_tokens"),
        ("MAX_TOKENS", True, "max_tokens"),
        ("CONTINUATION", False, "max_tokens"),
        *[
            (word, False, "content_filter")
            for word in (
                "SAFETY",
                "RECITATION",
                "LANGUAGE",
                "BLOCKLIST",
                "PROHIBITED_CONTENT",
                "SPII",
                "MODEL_ARMOR",
                "IMAGE_SAFETY",
                "IMAGE_PROHIBITED_CONTENT",
                "IMAGE_RECITATION",
            )
        ],
        ("A_NEW_WORD", False, "A_NEW_WORD"),
    ],
)
def test_finish_reasons(word: str, calls: bool, expected: str) -> None:
    part: dict[str, Any] = {"functionCall": {"name": "f", "args": {}}} if calls else {"text": "x"}
    for response in (parse(response_body(part, finish=word)), from_stream(response_body(part, finish=word))):
        assert (response.finish_reason, response.raw_finish_reason) == (expected, word)


BLOCKED = {
    "promptFeedback": {"blockReason": "PROHIBITED_CONTENT", "blockReasonMessage": "Not this."},
    "usageMetadata": {"promptTokenCount": 6},
    "responseId": "r2",
}


def test_a_blocked_prompt_is_a_response_with_the_reason() -> None:
    complete, streamed = parse(BLOCKED), from_stream(BLOCKED)
    complete.raw = None
    assert complete == streamed
    assert (complete.finish_reason, complete.raw_finish_reason) == ("content_filter", "PROHIBITED_CONTENT")
    assert (complete.refusal, complete.content, complete.usage.prompt_tokens) == ("Not this.", "", 6)
    assert complete.message.extra["promptFeedback"] == BLOCKED["promptFeedback"]


def test_grounding_is_kept_and_not_sent_back() -> None:
    body = response_body({"text": "x"})
    body["candidates"][0].update(groundingMetadata={"webSearchQueries": ["q"]}, finishMessage="done")
    message = parse(body).message
    message.origin = DIALECT.name
    assert message.extra == {"groundingMetadata": {"webSearchQueries": ["q"]}, "finishMessage": "done"}
    assert contents(message) == [{"role": "model", "parts": [{"text": "x"}]}]


def test_only_the_first_candidate_is_read() -> None:
    other = {"content": {"parts": [{"text": "other"}]}, "index": 1, "finishReason": "STOP"}
    body = response_body({"text": "first"})
    body["candidates"].insert(0, other)
    assert parse(body).content == "first"
    with pytest.raises(StreamInterrupted):
        from_stream({"candidates": [other]})


def test_arguments_that_are_not_an_object_are_kept_as_text() -> None:
    call = parse(response_body({"functionCall": {"name": "f", "args": [1]}})).tool_calls[0]
    assert (call.arguments, call.arguments_raw) == (None, "[1]")


def test_a_response_without_finish_reason_is_read_but_a_stream_is_interrupted() -> None:
    assert parse(response_body({"text": "x"}, finish=None)).finish_reason is None
    with pytest.raises(StreamInterrupted, match="finishReason"):
        from_stream(response_body({"text": "x"}, finish=None))
    with pytest.raises(StreamInterrupted):
        from_stream(response_body({"text": "x"}, finish=None), None)


def breaking(error: Exception, *chunks: Any) -> Iterator[tuple[str, Any]]:
    for chunk in chunks:
        yield "message", chunk
    raise error


def test_a_connection_lost_after_the_finish_reason_loses_nothing() -> None:
    events = list(DIALECT.chat.stream.parse(breaking(ConnectionLost("reset"), response_body({"text": "x"})), manifest()))
    assert events[-1] == StreamEnd("end_turn", "STOP")


@pytest.mark.parametrize(
    ("error", "finish"), [(ConnectionLost("reset"), None), (Cancelled("closed"), "STOP"), (ProtocolError("not JSON"), "STOP")]
)
def test_other_errors_are_raised(error: AiLibError, finish: str | None) -> None:
    with pytest.raises(type(error)):
        list(DIALECT.chat.stream.parse(breaking(error, response_body({"text": "x"}, finish=finish)), manifest()))


def test_a_chunk_after_the_finish_reason_is_read() -> None:
    assert from_stream(response_body({"text": "x"}), {"usageMetadata": USAGE}).usage.total_tokens == 22


def test_calls_are_counted_over_the_complete_stream() -> None:
    chunk = response_body({"functionCall": {"name": "f", "args": {}}}, finish=None)
    events = list(DIALECT.chat.stream.parse([("message", chunk), ("message", chunk), ("message", response_body())], manifest()))
    ended = [event for event in events if isinstance(event, ToolCallEnded)]
    assert [event.index for event in ended] == [0, 1]
    assert len({event.tool_call.id for event in ended}) == 2


@pytest.mark.parametrize("content_type", ["application/json", "text/event-stream"])
def test_a_stream_comes_as_events_or_as_one_list(content_type: str) -> None:
    chunks = [response_body({"text": "Hel"}, finish=None), response_body({"text": "lo"})]
    as_list = json.dumps(chunks, indent=1).encode()
    as_events = b"".join(b"data: " + json.dumps(chunk).encode() + b"\r\n\r\n" for chunk in chunks)
    raw = as_list if content_type == "application/json" else as_events
    cut = [raw[i : i + 5] for i in range(0, len(raw), 5)]
    events = list(stream_events(cut, {"content-type": content_type}, DIALECT, manifest()))
    assert "".join(event.text for event in events if isinstance(event, ContentDelta)) == "Hello"
    assert events[-1] == StreamEnd("end_turn", "STOP")
    assert parse(chunks).content == "Hello"


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        (json.dumps(response_body({"text": "x"})), True),
        (json.dumps(response_body({"text": "x"}))[:-1], False),
        (json.dumps(response_body({"text": "x"}, finish=None)), False),
    ],
)
def test_a_last_block_without_its_blank_line_counts_if_it_is_the_end(data: str, expected: bool) -> None:
    assert is_end_mark("message", data) is expected


def failure(status: int, word: str, *details: dict[str, Any], message: str = "No.") -> dict[str, Any]:
    return {"error": {"code": status, "message": message, "status": word, "details": list(details)}}


def violation(quota: str) -> dict[str, Any]:
    return {"@type": "type.googleapis.com/google.rpc.QuotaFailure", "violations": [{"quotaId": quota, "quotaValue": "20"}]}


TOO_LONG = "exceeds the maximum number of tokens allowed"
RETRY = {"@type": "type.googleapis.com/google.rpc.RetryInfo", "retryDelay": "36.5s"}
KEY_INVALID = {"@type": "type.googleapis.com/google.rpc.ErrorInfo", "reason": "API_KEY_INVALID", "domain": "googleapis.com"}


@pytest.mark.parametrize(
    ("status", "body", "kind"),
    [
        (400, failure(400, "INVALID_ARGUMENT"), InvalidRequest),
        (400, failure(400, "INVALID_ARGUMENT", KEY_INVALID), AuthenticationError),
        (400, failure(400, "INVALID_ARGUMENT", message=f"The input token count (9) {TOO_LONG} (8)."), RequestTooLarge),
        (401, failure(401, "UNAUTHENTICATED"), AuthenticationError),
        (403, failure(403, "PERMISSION_DENIED"), PermissionDenied),
        (404, failure(404, "NOT_FOUND"), NotFound),
        (429, failure(429, "RESOURCE_EXHAUSTED", RETRY), RateLimited),
        (429, failure(429, "RESOURCE_EXHAUSTED", violation("RequestsPerMinutePerProject"), RETRY), RateLimited),
        (429, failure(429, "RESOURCE_EXHAUSTED", RETRY, violation("RequestsPerDayPerProject")), QuotaExhausted),
        (429, failure(429, "RESOURCE_EXHAUSTED", {"reason": "MODEL_CAPACITY_EXHAUSTED"}), Overloaded),
        (500, failure(500, "INTERNAL"), ServerError),
        (503, failure(503, "UNAVAILABLE"), Overloaded),
        (418, failure(418, "A_NEW_WORD"), InvalidRequest),
    ],
)
@pytest.mark.parametrize("in_list", [False, True])
def test_error_bodies_have_their_class(status: int, body: Any, kind: type[AiLibError], in_list: bool) -> None:
    raw = json.dumps([body] if in_list else body).encode()
    with pytest.raises(kind) as caught:
        read_response(status, {"content-type": "application/json"}, raw, DIALECT, manifest())
    error = caught.value
    assert type(error) is kind
    assert error.message == body["error"]["message"]
    assert (error.status_code, error.error_type) == (status, body["error"]["status"])  # type: ignore[attr-defined]
    assert f" ({status}, {body['error']['status']}" in str(error)


def test_the_retry_delay_of_an_error_is_kept() -> None:
    def retry_after(detail: dict[str, Any]) -> float | None:
        raw = json.dumps(failure(429, "RESOURCE_EXHAUSTED", detail)).encode()
        with pytest.raises(RateLimited) as caught:
            read_response(429, {"content-type": "application/json"}, raw, DIALECT, manifest())
        return caught.value.retry_after

    assert retry_after(RETRY) == 36.5
    for odd in ("soon", "xs", 7, None):
        assert retry_after({"retryDelay": odd}) is None


def test_an_error_inside_a_stream_is_raised_after_the_events_before_it() -> None:
    frames = [("message", response_body({"text": "x"}, finish=None)), ("message", failure(503, "UNAVAILABLE"))]
    events = DIALECT.chat.stream.parse(frames, manifest())
    texts = []
    with pytest.raises(Overloaded) as caught:
        texts += [event.text for event in events if isinstance(event, ContentDelta)]
    assert caught.value.status_code is None
    with pytest.raises(Overloaded):
        parse([failure(503, "UNAVAILABLE")])


@pytest.mark.parametrize(
    ("body", "message"),
    [
        ("upstream connect error", "upstream connect error"),
        ("<html>502</html>", "the provider responded with status 502 and no message"),
        ({"error": "invalid_grant"}, "invalid_grant"),
        ([], "the provider responded with status 502 and no message"),
        (None, "the provider responded with status 502 and no message"),
        ({"error": {"message": None}}, "the provider responded with status 502 and no message"),
    ],
)
def test_error_bodies_of_other_shapes_give_their_message(body: Any, message: str) -> None:
    assert manifest().error(502, DIALECT.parse_error(502, body), DIALECT.error_words).message == message


@pytest.mark.parametrize("body", [{}, {"choices": []}, "text", 3, None, [], [1]])
def test_json_of_another_format_is_a_protocol_error(body: Any) -> None:
    with pytest.raises(ProtocolError):
        parse(body)


KEYS = [
    *("candidates", "content", "parts", "text", "thought", "thoughtSignature", "functionCall", "name", "args", "finishReason"),
    *("index", "error", "details", "message", "code", "status", "promptFeedback", "blockReason", "usageMetadata"),
    *("promptTokenCount", "responseId", "modelVersion"),
]
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=3),
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


@given(st.lists(JSON, max_size=3))
def test_any_json_only_raises_our_errors(chunks: list[Any]) -> None:
    for body in chunks:
        DIALECT.parse_error(500, body)
    for attempt in (lambda: parse(chunks), lambda: from_stream(*chunks)):
        with suppress(AiLibError):
            attempt()
