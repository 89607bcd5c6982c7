"""Bedrock Converse: what goes out, what comes in, whole and as a stream, and what is a refusal."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest

from ailib_sync._dataclass import replace
from ailib_sync.dialects.accumulator import Accumulator
from ailib_sync.dialects.dialect import find
from ailib_sync.errors import (
    AuthenticationError,
    ConfigurationError,
    ConnectionLost,
    InvalidRequest,
    NotFound,
    Overloaded,
    PermissionDenied,
    ProtocolError,
    ProviderTimeout,
    QuotaExhausted,
    RateLimited,
    RemoteError,
    ServerError,
    StreamInterrupted,
)
from ailib_sync.registry.manifest import Manifest
from ailib_sync.types.events import ContentDelta, Metadata, PartialToolCall, StreamEnd, ThinkingDelta, ToolCallEnded
from ailib_sync.types.messages import Audio, Block, Document, Image, Message, Opaque, Text, Thinking, ToolResult
from ailib_sync.types.request import Ledger, Reasoning, ResponseFormat, ToolChoice
from ailib_sync.types.tools import Tool, ToolCall
from tests.chat_values import chat_request, read_response, stream_events

DIALECT = find("bedrock_converse")
MANIFEST = Manifest.load("bedrock")
EVENTS = {"content-type": "application/vnd.amazon.eventstream"}
WEATHER = Tool("weather", "Says the weather.", {"type": "object", "properties": {"city": {"type": "string"}}})


def render(*messages: Message, ledger: Ledger | None = None, manifest: Manifest = MANIFEST, **fields: Any) -> dict[str, Any]:
    fields.setdefault("model", "amazon.titan-text-express-v1")
    request = chat_request(messages=messages, **fields)
    body = DIALECT.chat.render(request, manifest.for_model(request.model), ledger or Ledger())
    json.dumps(body)
    return body


def blocks(*content: Block, role: str = "user") -> list[dict[str, Any]]:
    return render(Message(role, list(content)))["messages"][0]["content"]  # type: ignore[arg-type]


# --- messages -----------------------------------------------------------------------------------------------------------


def test_a_conversation_in_converses_form() -> None:
    call = ToolCall("tooluse_1", "weather", {"city": "Oslo"})
    body = render(
        Message.system("Be brief."),
        Message.user("Weather?"),
        Message.assistant("I look.", [call]),
        Message.tool("tooluse_1", "rain"),
        Message.system("Be polite."),
        Message.user("And?"),
        tools=(WEATHER,),
    )
    assert body["system"] == [{"text": "Be brief."}, {"text": "Be polite."}]
    assert body["messages"] == [
        {"role": "user", "content": [{"text": "Weather?"}]},
        {
            "role": "assistant",
            "content": [
                {"text": "I look."},
                {"toolUse": {"toolUseId": "tooluse_1", "name": "weather", "input": {"city": "Oslo"}}},
            ],
        },
        {
            "role": "user",
            "content": [{"toolResult": {"toolUseId": "tooluse_1", "content": [{"text": "rain"}]}}, {"text": "And?"}],
        },
    ]
    spec = {"name": "weather", "description": "Says the weather.", "inputSchema": {"json": WEATHER.parameters}}
    assert body["toolConfig"] == {"tools": [{"toolSpec": spec}]}


def test_a_later_system_message_stays_in_its_place_where_the_model_takes_it_there() -> None:
    manifest = Manifest.from_dict({"extends": "bedrock", "id": "b", "name": "B", "quirks": ["mid_conversation_system"]})
    said = (Message.system("one"), Message.user("hi"), Message.system("two"), Message.user("go"))
    body = render(*said, manifest=manifest)
    assert body["system"] == [{"text": "one"}]
    assert [message["role"] for message in body["messages"]] == ["user", "system", "user"]


@pytest.mark.parametrize("text", ["", " ", "\n\t"])
def test_blank_text_is_left_out_since_converse_rejects_it(text: str) -> None:
    body = render(Message.user([Text(text), Text("x")]), Message.assistant(text), Message.user("y"))
    assert body["messages"] == [{"role": "user", "content": [{"text": "x"}, {"text": "y"}]}]


IMAGE = {"bytes": "AQI="}
MEDIA: list[tuple[Block, dict[str, Any]]] = [
    (Image("image/png", b"\1\2"), {"image": {"format": "png", "source": IMAGE}}),
    (Image("image/jpg", b"\1\2"), {"image": {"format": "jpeg", "source": IMAGE}}),
    (Image(url="s3://b/x.webp"), {"image": {"format": "webp", "source": {"s3Location": {"uri": "s3://b/x.webp"}}}}),
    (Audio("audio/mpeg", b"\1\2"), {"audio": {"format": "mp3", "source": IMAGE}}),
    (Audio("audio/x-wav", b"\1\2"), {"audio": {"format": "wav", "source": IMAGE}}),
    (Document("video/mp4", b"\1\2"), {"video": {"format": "mp4", "source": IMAGE}}),
    (Document("video/3gpp", b"\1\2"), {"video": {"format": "three_gp", "source": IMAGE}}),
    (Document("application/pdf", b"\1\2"), {"document": {"format": "pdf", "name": "document", "source": IMAGE}}),
    (
        Document("text/x-python", b"\1\2", name="my_code#1.py", extra={"citations": {"enabled": True}}),
        {"document": {"format": "txt", "name": "my_code 1", "source": IMAGE, "citations": {"enabled": True}}},
    ),
    (
        Document("application/vnd.openxmlformats-officedocument.wordprocessingml.document", b"\1\2", name="  A—(1) [b]  c "),
        {"document": {"format": "docx", "name": "A (1) [b] c", "source": IMAGE}},
    ),
]


@pytest.mark.parametrize(("block", "rendered"), MEDIA, ids=lambda value: str(value)[:40])
def test_media_go_out_with_their_format(block: Block, rendered: dict[str, Any]) -> None:
    text = [{"text": f"Documents: {rendered['document']['name']}"}] if "document" in rendered else []
    assert blocks(block) == [rendered, *text]


@pytest.mark.parametrize(
    "block",
    [
        Image(url="https://example.com/x.png"),
        Image("image/tiff", b"x"),
        Audio("audio/midi", b"x"),
        Document("application/zip", b"x"),
        Document("video/ogg", b"x"),
        Document(url="https://example.com/x.pdf"),
    ],
    ids=str,
)
def test_what_converse_cannot_carry_is_reported_before_anything_is_sent(block: Block) -> None:
    with pytest.raises(ConfigurationError):
        blocks(block)


def test_no_two_documents_of_a_request_have_one_name() -> None:
    def pdf(name: str | None) -> Document:
        return Document("application/pdf", b"x", name=name)

    result = ToolResult("1", [pdf("plan.pdf")])
    body = render(Message.user([pdf("Plan"), pdf(None), pdf("报告.pdf")]), Message.user([result, pdf("x" * 300)]))
    text = json.dumps(body["messages"])
    names = [part.split('"')[0] for part in text.split('"name": "')[1:]]
    assert names == ["Plan", "document", "document-2", "plan-2", "x" * 190]


def test_ids_of_other_providers_are_made_to_fit_the_same_way_in_call_and_result() -> None:
    id = "call|" + "é" * 100
    body = render(Message.assistant("", [ToolCall(id, "f")]), Message.tool(id, "x"))
    call = body["messages"][0]["content"][0]["toolUse"]["toolUseId"]
    assert call == body["messages"][1]["content"][0]["toolResult"]["toolUseId"] == "_" * 64


@pytest.mark.parametrize(
    ("result", "rendered"),
    [
        (ToolResult("1", "ok"), {"content": [{"text": "ok"}]}),
        (ToolResult("1", ""), {"content": []}),
        (ToolResult("1", "no", is_error=True), {"content": [{"text": "no"}], "status": "error"}),
        (ToolResult("1", [Opaque({"json": {"a": 1}}), Text("x")]), {"content": [{"json": {"a": 1}}, {"text": "x"}]}),
        (ToolResult("1", [Image("image/gif", b"\1\2")]), {"content": [{"image": {"format": "gif", "source": IMAGE}}]}),
    ],
    ids=str,
)
def test_tool_results_hold_text_json_pictures_and_failure(result: ToolResult, rendered: dict[str, Any]) -> None:
    assert blocks(result) == [{"toolResult": {"toolUseId": "1", **rendered}}]


@pytest.mark.parametrize(("raw", "input"), [("{oops", {"INVALID_JSON": "{oops"}), (None, {}), ("", {})])
def test_a_call_whose_arguments_are_no_object_goes_back_as_one(raw: str | None, input: dict[str, Any]) -> None:
    (block,) = blocks(ToolCall("1", "f", None, raw), role="assistant")
    assert block["toolUse"]["input"] == input


@pytest.mark.parametrize(
    ("extra", "point"),
    [
        ({"cachePoint": {"type": "default", "ttl": "1h"}}, {"type": "default", "ttl": "1h"}),
        ({"cache_control": {"type": "ephemeral", "ttl": "5m"}}, {"type": "default", "ttl": "5m"}),
        ({"cache_control": {"type": "ephemeral"}}, {"type": "default"}),
    ],
)
def test_a_cache_point_follows_its_block_and_its_tool(extra: dict[str, Any], point: dict[str, Any]) -> None:
    nova = "amazon.nova-pro-v1:0"
    content = render(Message.user([Text("x", dict(extra))]), model=nova)["messages"][0]["content"]
    assert content == [{"text": "x"}, {"cachePoint": point}]
    body = render(Message.system([Text("s", dict(extra))]), Message.user("x"), tools=(Tool("f", extra=extra),), model=nova)
    assert body["system"] == [{"text": "s"}, {"cachePoint": point}]
    assert body["toolConfig"]["tools"][1] == {"cachePoint": point}


def test_what_is_opaque_goes_back_to_converse_and_to_nobody_else() -> None:
    content: list[Block] = [
        Thinking("hm", "sig"),
        Thinking(redacted="xyz"),
        Thinking("unsigned"),
        Opaque({"toolUse": {"type": "server_tool_use"}}),
        Text("a", {"citations": [{"title": "t"}]}),
    ]
    own = render(Message("assistant", content, origin="bedrock_converse"))  # type: ignore[arg-type]
    assert own["messages"][0]["content"] == [
        {"reasoningContent": {"reasoningText": {"text": "hm", "signature": "sig"}}},
        {"reasoningContent": {"redactedContent": "xyz"}},
        {"toolUse": {"type": "server_tool_use"}},
        {"citationsContent": {"content": [{"text": "a"}], "citations": [{"title": "t"}]}},
    ]
    foreign = render(Message("assistant", content, origin="anthropic_messages", extra={"id": 1}))  # type: ignore[arg-type]
    assert foreign["messages"] == [{"role": "assistant", "content": [{"text": "a"}]}]


# --- options ------------------------------------------------------------------------------------------------------------


def test_options_stand_in_the_inference_config_and_extra_joins_them() -> None:
    ledger = Ledger()
    body = render(
        Message.user("x"),
        ledger=ledger,
        options={"temperature": 0.5, "max_tokens": 10, "top_p": 0.9, "stop": ("a", "b"), "seed": 1, "top_k": 5},
        extra={"guardrailConfig": {"guardrailIdentifier": "g"}, "inferenceConfig": {"new": 1}},
    )
    config = {"temperature": 0.5, "maxTokens": 10, "topP": 0.9, "stopSequences": ["a", "b"], "new": 1}
    assert body["inferenceConfig"] == config
    assert body["guardrailConfig"] == {"guardrailIdentifier": "g"}
    assert [warning.split()[0] for warning in ledger.warnings] == ["seed", "top_k"]
    assert "model" not in body
    assert "stream" not in body


@pytest.mark.parametrize(
    ("model", "where"),
    [
        ("us.anthropic.claude-haiku-4-5-20251001-v1:0", {"top_k": 5}),
        ("amazon.nova-lite-v1:0", {"inferenceConfig": {"topK": 5}}),
    ],
)
def test_top_k_goes_where_the_model_family_wants_it(model: str, where: dict[str, Any]) -> None:
    assert render(Message.user("x"), model=model, options={"top_k": 5})["additionalModelRequestFields"] == where


CHOICES = [
    (ToolChoice("auto"), {"auto": {}}, 0),
    (ToolChoice("required"), {"any": {}}, 0),
    (ToolChoice("tool", "weather"), {"tool": {"name": "weather"}}, 0),
]


@pytest.mark.parametrize(("choice", "rendered", "warnings"), CHOICES, ids=str)
def test_tool_choice(choice: ToolChoice, rendered: dict[str, Any], warnings: int) -> None:
    ledger = Ledger()
    body = render(Message.user("x"), ledger=ledger, tools=(WEATHER,), options={"tool_choice": choice})
    assert body["toolConfig"]["toolChoice"] == rendered
    assert len(ledger.warnings) == warnings


def test_no_tool_may_be_called_so_none_is_sent() -> None:
    ledger = Ledger()
    body = render(Message.user("x"), ledger=ledger, tools=(WEATHER,), options={"tool_choice": ToolChoice("none")})
    assert "toolConfig" not in body
    assert ledger.warnings == []


def test_tools_of_earlier_calls_are_declared_since_converse_requires_them() -> None:
    history = (Message.user("x"), Message.assistant("", [ToolCall("1", "f")]), Message.tool("1", "y"))
    ledger = Ledger()
    body = render(*history, ledger=ledger, tools=(WEATHER,), options={"tool_choice": ToolChoice("none")})
    assert len(body["toolConfig"]["tools"]) == 1
    assert "toolChoice" not in body["toolConfig"]
    assert len(ledger.warnings) == 1
    ledger = Ledger()
    body = render(*history, ledger=ledger)
    assert body["toolConfig"] == {"tools": [{"toolSpec": {"name": "f", "inputSchema": {"json": {"type": "object"}}}}]}
    assert len(ledger.warnings) == 1
    assert "toolConfig" in render(Message.tool("1", "y"))


def test_a_choice_without_tools_and_one_the_model_does_not_take_are_reported() -> None:
    ledger = Ledger()
    assert "toolConfig" not in render(Message.user("x"), ledger=ledger, options={"tool_choice": ToolChoice("auto")})
    assert len(ledger.warnings) == 1
    manifest = Manifest.from_dict({"extends": "bedrock", "id": "b", "name": "B", "tool_choice": ["auto", "required"]})
    for choice, rendered in ((ToolChoice("tool", "weather"), {"any": {}}), (ToolChoice("auto"), {"auto": {}})):
        body = render(Message.user("x"), manifest=manifest, tools=(WEATHER,), options={"tool_choice": choice})
        assert body["toolConfig"]["toolChoice"] == rendered
    ledger, none_taken = Ledger(), Manifest.from_dict({"extends": "bedrock", "id": "b", "name": "B", "tool_choice": []})
    options = {"tool_choice": ToolChoice("required")}
    body = render(Message.user("x"), ledger=ledger, manifest=none_taken, tools=(WEATHER,), options=options)
    assert "toolChoice" not in body["toolConfig"]
    assert len(ledger.warnings) == 1


def test_strict_tools_and_what_else_tools_have() -> None:
    body = render(Message.user("x"), tools=(Tool("f", strict=True, extra={"new": 1}),))
    schema = {"type": "object", "properties": {}, "additionalProperties": False}
    spec = {"name": "f", "inputSchema": {"json": schema}, "strict": True, "new": 1}
    assert body["toolConfig"]["tools"] == [{"toolSpec": spec}]


def test_a_schema_goes_out_as_text_and_any_json_is_not_taken() -> None:
    schema = {"type": "object", "properties": {"a": {"type": "string"}}}
    body = render(Message.user("x"), options={"response_format": ResponseFormat("json_schema", schema, "city")})
    text_format = body["outputConfig"]["textFormat"]
    definition = text_format["structure"]["jsonSchema"]
    assert text_format["type"] == "json_schema"
    assert definition["name"] == "city"
    assert json.loads(definition["schema"]) == {**schema, "additionalProperties": False}
    unsaid = replace(MANIFEST, response_format=("text", "json", "json_schema"))  # the format itself has no place for it
    for manifest in (MANIFEST, unsaid):
        for kind, warnings in (("json", 1), ("text", 0)):
            ledger, options = Ledger(), {"response_format": ResponseFormat(kind)}
            assert "outputConfig" not in render(Message.user("x"), ledger=ledger, manifest=manifest, options=options)
            assert len(ledger.warnings) == warnings


def test_a_gateways_error_is_read_where_it_puts_it() -> None:
    body = {"type": "error", "error": {"type": "rate_limit_error", "message": "Slow down"}}
    details = find("bedrock_converse").parse_error(429, body)
    assert (details.message, details.type) == ("Slow down", "rate_limit_error")


CLAUDE_4_5, CLAUDE_5, CLAUDE_5_5 = (
    "us.anthropic.claude-sonnet-4-5-20250929-v1:0",
    "us.anthropic.claude-sonnet-5",
    "anthropic.claude-opus-5-5",
)
NOVA_2, GPT_OSS = "us.amazon.nova-2-lite-v1:0", "openai.gpt-oss-120b-1:0"
REASONING: list[tuple[str, Reasoning, dict[str, Any], dict[str, Any], int]] = [
    (CLAUDE_4_5, Reasoning(budget_tokens=2000), {"thinking": {"type": "enabled", "budget_tokens": 2000}}, {}, 0),
    (CLAUDE_4_5, Reasoning("low"), {"thinking": {"type": "enabled", "budget_tokens": 2048}}, {}, 0),
    (CLAUDE_4_5, Reasoning(), {"thinking": {"type": "enabled", "budget_tokens": 8192}}, {}, 0),
    (CLAUDE_4_5, Reasoning(budget_tokens=10), {"thinking": {"type": "enabled", "budget_tokens": 1024}}, {}, 1),
    (CLAUDE_4_5, Reasoning("none"), {"thinking": {"type": "disabled"}}, {}, 0),
    (CLAUDE_5, Reasoning("high"), {"thinking": {"type": "adaptive"}}, {"effort": "high"}, 0),
    (CLAUDE_5, Reasoning(visible=True), {"thinking": {"type": "adaptive", "display": "summarized"}}, {}, 0),
    (CLAUDE_5, Reasoning("low", visible=False), {"thinking": {"type": "adaptive", "display": "omitted"}}, {"effort": "low"}, 0),
    (CLAUDE_5, Reasoning(visible=False), {}, {}, 0),
    (CLAUDE_5, Reasoning(budget_tokens=3000), {"thinking": {"type": "adaptive"}}, {"effort": "medium"}, 1),
    (CLAUDE_5, Reasoning("none"), {"thinking": {"type": "disabled"}}, {}, 0),
    (CLAUDE_5_5, Reasoning("none"), {}, {}, 1),
    (NOVA_2, Reasoning("max"), {"reasoningConfig": {"type": "enabled", "maxReasoningEffort": "high"}}, {}, 1),
    (NOVA_2, Reasoning(), {"reasoningConfig": {"type": "enabled", "maxReasoningEffort": "medium"}}, {}, 0),
    (NOVA_2, Reasoning("none"), {"reasoningConfig": {"type": "disabled"}}, {}, 0),
    (GPT_OSS, Reasoning("low"), {"reasoning_effort": "low"}, {}, 0),
    (GPT_OSS, Reasoning("none"), {}, {}, 1),
    ("amazon.titan-text-express-v1", Reasoning("low"), {}, {}, 1),
]


@pytest.mark.parametrize(("model", "reasoning", "fields", "output", "warnings"), REASONING)
def test_thinking_is_requested_as_the_model_wants_it(
    model: str, reasoning: Reasoning, fields: dict[str, Any], output: dict[str, Any], warnings: int
) -> None:
    ledger = Ledger()
    body = render(Message.user("x"), ledger=ledger, model=model, options={"reasoning": reasoning})
    assert body.get("additionalModelRequestFields", {}) == fields
    assert body.get("outputConfig", {}) == output
    assert len(ledger.warnings) == warnings, ledger.warnings


@pytest.mark.parametrize(
    ("style", "body"),
    [
        ("effort", {"outputConfig": {"effort": "high"}}),
        ("reasoning_object", {"additionalModelRequestFields": {"reasoning": {"effort": "high"}}}),
        ("reasoning_config", {"additionalModelRequestFields": {"reasoning_config": "high"}}),
    ],
)
def test_other_models_take_the_effort_elsewhere(style: str, body: dict[str, Any]) -> None:
    reasoning = {"style": style, "efforts": ["low", "high"]}
    own = {"extends": "bedrock", "id": "b", "name": "B", "models": {"x": {"reasoning": reasoning}}}
    manifest = Manifest.from_dict(own, trusted=True)
    said = [{"role": "user", "content": [{"text": "x"}]}]
    options = {"reasoning": Reasoning("high")}
    assert render(Message.user("x"), model="x", manifest=manifest, options=options) == {"messages": said, **body}


@pytest.mark.parametrize(("max_tokens", "budget"), [(4096, 3072), (1200, 1024), (1024, None)])
def test_the_budget_leaves_room_for_the_response(max_tokens: int, budget: int | None) -> None:
    ledger = Ledger()
    options = {"reasoning": Reasoning("high"), "max_tokens": max_tokens}
    body = render(Message.user("x"), ledger=ledger, model=CLAUDE_4_5, options=options)
    thinking = body.get("additionalModelRequestFields", {}).get("thinking", {})
    assert thinking.get("budget_tokens") == budget
    assert len(ledger.warnings) == 1


def test_a_thinking_model_is_sent_no_sampling_and_is_not_forced() -> None:
    ledger = Ledger()
    options = {"reasoning": Reasoning("low"), "temperature": 0.5, "tool_choice": ToolChoice("required")}
    body = render(Message.user("x"), ledger=ledger, model=CLAUDE_4_5, options=options, tools=(WEATHER,))
    assert "inferenceConfig" not in body
    assert body["toolConfig"]["toolChoice"] == {"auto": {}}
    assert [warning.split()[0] for warning in ledger.warnings] == ["temperature", "tool_choice"]


# --- answers --------------------------------------------------------------------------------------------------------------

CONTENT: list[dict[str, Any]] = [
    {"reasoningContent": {"reasoningText": {"text": "hmm", "signature": "sig"}}},
    {"reasoningContent": {"redactedContent": "blob"}},
    {"text": "It "},
    {"citationsContent": {"content": [{"text": "rains"}], "citations": [{"title": "t"}, {"title": "u"}]}},
    {"toolUse": {"toolUseId": "s1", "name": "nova_code_interpreter", "type": "server_tool_use", "input": {"a": 1}}},
    {"toolResult": {"toolUseId": "s1", "status": "success", "content": [{"json": {"b": 2}}, {"text": "x"}]}},
    {"image": {"format": "png", "source": {"bytes": "AQI="}}},
    {"toolUse": {"toolUseId": "t1", "name": "weather", "input": {"city": "Oslo"}}},
    {"toolUse": {"toolUseId": "t2", "name": "ping", "input": {}}},
]
USAGE = {"inputTokens": 10, "outputTokens": 4, "totalTokens": 7367, "cacheReadInputTokens": 2, "cacheWriteInputTokens": 7351}
ANSWER = {
    "output": {"message": {"role": "assistant", "content": CONTENT}},
    "stopReason": "tool_use",
    "usage": USAGE,
    "metrics": {"latencyMs": 1},
}


def parse(body: Any, status: int = 200, **headers: str) -> Any:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    return read_response(status, {"content-type": "application/json", **named}, raw, DIALECT, MANIFEST)


def test_every_block_of_an_response_is_kept_and_goes_back_as_it_came() -> None:
    response = parse(ANSWER)
    assert response.content == "It rains"
    assert response.thinking == "hmm"
    assert [(call.id, call.name, call.arguments, call.arguments_raw) for call in response.tool_calls] == [
        ("t1", "weather", {"city": "Oslo"}, None),
        ("t2", "ping", {}, None),
    ]
    assert response.finish_reason == response.raw_finish_reason == "tool_use"
    assert render(response.message)["messages"] == [{"role": "assistant", "content": CONTENT}]


def test_usage_counts_what_the_cache_gave_and_took() -> None:
    usage = parse(ANSWER).usage
    assert (usage.prompt_tokens, usage.completion_tokens, usage.total_tokens) == (7363, 4, 7367)
    assert (usage.cached_tokens, usage.cache_write_tokens, usage.reasoning_tokens) == (2, 7351, None)
    assert usage.raw == USAGE
    plain = parse({**ANSWER, "usage": {"inputTokens": 3, "outputTokens": 4, "totalTokens": 7}}).usage
    assert (plain.prompt_tokens, plain.cached_tokens, plain.cache_write_tokens) == (3, None, None)
    assert parse({**ANSWER, "usage": None}).usage.prompt_tokens is None


@pytest.mark.parametrize(
    ("word", "normal"),
    [
        ("end_turn", "end_turn"),
        ("max_tokens", "max_tokens"),
        ("model_context_window_exceeded", "max_tokens"),
        ("stop_sequence", "stop_sequence"),
        ("guardrail_intervened", "content_filter"),
        ("content_filtered", "content_filter"),
        ("new_word", "new_word"),
    ],
)
def test_stop_reasons(word: str, normal: str) -> None:
    response = parse({**ANSWER, "stopReason": word, "additionalModelResponseFields": {"stop_sequence": "END"}})
    assert (response.finish_reason, response.raw_finish_reason) == (normal, word)
    assert response.stop_sequence == "END"


@pytest.mark.parametrize(
    "body",
    [
        {},
        [],
        None,
        "x",
        {"output": None},
        {"output": {"message": {"content": [7]}}},
        {"output": {"message": {"content": [{"toolUse": {"name": "f"}}]}}},
        {"output": {"message": {"content": [{"reasoningContent": 7}]}}},
    ],
    ids=str,
)
def test_json_that_is_no_response_is_a_protocol_error(body: Any) -> None:
    with pytest.raises(ProtocolError):
        parse(body)


# --- streams --------------------------------------------------------------------------------------------------------------

Frame = tuple[str, Any]


def start(index: int, said: dict[str, Any]) -> Frame:
    return "contentBlockStart", {"contentBlockIndex": index, "start": said, "p": "abc"}


def delta(index: int, said: dict[str, Any]) -> Frame:
    return "contentBlockDelta", {"contentBlockIndex": index, "delta": said, "p": "abc"}


def stop(index: int) -> Frame:
    return "contentBlockStop", {"contentBlockIndex": index, "p": "abc"}


BLOCKS: list[Frame] = [
    ("messageStart", {"role": "assistant"}),
    delta(0, {"reasoningContent": {"text": "h"}}),
    delta(0, {"reasoningContent": {"text": "mm"}}),
    delta(0, {"reasoningContent": {"signature": "sig"}}),
    stop(0),
    delta(1, {"reasoningContent": {"redactedContent": "blob"}}),
    stop(1),
    delta(2, {"text": "I"}),
    delta(2, {"text": "t "}),
    stop(2),
    delta(3, {"citation": {"title": "t"}}),
    delta(3, {"text": "rains"}),
    delta(3, {"citation": {"title": "u"}}),
    stop(3),
    start(4, {"toolUse": {"toolUseId": "s1", "name": "nova_code_interpreter", "type": "server_tool_use"}}),
    delta(4, {"toolUse": {"input": '{"a":'}}),
    delta(4, {"toolUse": {"input": " 1}"}}),
    stop(4),
    start(5, {"toolResult": {"toolUseId": "s1", "status": "success"}}),
    delta(5, {"toolResult": [{"json": {"b": 2}}]}),
    delta(5, {"toolResult": [{"text": "x"}]}),
    stop(5),
    start(6, {"image": {"format": "png"}}),
    delta(6, {"image": {"source": {"bytes": "AQI="}}}),
    stop(6),
    start(7, {"toolUse": {"toolUseId": "t1", "name": "weather"}}),
    delta(7, {"toolUse": {"input": '{"city"'}}),
    delta(7, {"toolUse": {"input": ': "Oslo"}'}}),
    stop(7),
    start(8, {"toolUse": {"toolUseId": "t2", "name": "ping"}}),
    stop(8),
]
END: list[Frame] = [("messageStop", {"stopReason": "tool_use"}), ("metadata", {"usage": USAGE, "metrics": {}})]


def stream(frames: list[Frame]) -> list[Any]:
    return list(DIALECT.chat.stream.parse(iter(frames), MANIFEST))


def test_a_folded_stream_is_the_complete_response() -> None:
    fold = Accumulator()
    for event in stream([*BLOCKS, *END]):
        fold.add(event)
    folded, whole = fold.response("bedrock_converse"), parse(ANSWER)
    assert [call.arguments_raw for call in folded.tool_calls] == ['{"city": "Oslo"}', ""]
    for call in folded.tool_calls:
        call.arguments_raw = None  # a stream sends the arguments as text, an answer as an object
    assert folded.message == whole.message
    assert folded.usage == whole.usage
    assert (folded.finish_reason, folded.raw_finish_reason) == ("tool_use", "tool_use")


def test_events_come_as_the_frames_do() -> None:
    events = stream([delta(0, {"text": "a"}), delta(0, {"text": "b"}), stop(0), *BLOCKS[-6:], *END])
    assert events[:2] == [ContentDelta("a", starts=True), ContentDelta("b")]
    assert [event.arguments for event in events if isinstance(event, PartialToolCall)] == ['{"city"', ': "Oslo"}']
    assert [event.index for event in events if isinstance(event, ToolCallEnded)] == [0, 1]
    assert isinstance(events[-2], Metadata)
    assert events[-1] == StreamEnd("tool_use", "tool_use")
    assert stream([delta(0, {"reasoningContent": {"text": "a"}}), *END])[0] == ThinkingDelta("a", starts=True)


def test_the_stream_ends_at_its_metadata_and_asks_for_no_more() -> None:
    asked = iter([*BLOCKS, *END, ("contentBlockDelta", None)])
    assert isinstance(list(DIALECT.chat.stream.parse(asked, MANIFEST))[-1], StreamEnd)
    assert next(asked) == ("contentBlockDelta", None)


def test_a_stream_is_complete_with_message_stop_whatever_happens_to_the_metadata() -> None:
    assert stream([*BLOCKS, END[0]])[-1] == StreamEnd("tool_use", "tool_use")
    assert stream([*BLOCKS, END[1], END[0]])[-1] == StreamEnd("tool_use", "tool_use")


@pytest.mark.parametrize("cut", range(len(BLOCKS) + 1))
def test_a_stream_without_message_stop_was_interrupted(cut: int) -> None:
    with pytest.raises(StreamInterrupted):
        stream(BLOCKS[:cut])


def test_a_call_that_the_end_of_the_response_cut_is_ended_with_what_there_is() -> None:
    events = stream([start(0, {"toolUse": {"toolUseId": "1", "name": "f"}}), delta(0, {"toolUse": {"input": '{"a'}}), *END])
    (ended,) = (event for event in events if isinstance(event, ToolCallEnded))
    assert ended.tool_call == ToolCall("1", "f", None, '{"a')


def test_frames_of_later_versions_are_passed_over() -> None:
    assert stream([("news", {"a": 1}), *BLOCKS, *END]) == stream([*BLOCKS, *END])


@pytest.mark.parametrize(
    "frame",
    [
        ("contentBlockDelta", {}),
        ("contentBlockDelta", None),
        delta(0, {"toolUse": {"input": "x"}}),
        start(0, {"toolUse": {"name": "f"}}),
        ("messageStop", 7),
        ("error", {}),
    ],
    ids=str,
)
def test_a_frame_of_the_wrong_shape_is_a_protocol_error(frame: Frame) -> None:
    with pytest.raises(ProtocolError):
        stream([frame])


def test_a_complete_response_where_a_stream_was_requested() -> None:
    events = stream_events([json.dumps(ANSWER).encode()], {"content-type": "application/json"}, DIALECT, MANIFEST)
    fold = Accumulator()
    for event in events:
        fold.add(event)
    assert fold.response("bedrock_converse").message == parse(ANSWER).message


@pytest.mark.parametrize("is_complete", [True, False])
def test_a_connection_lost_after_message_stop_loses_only_the_usage(is_complete: bool) -> None:
    def frames() -> Iterator[Frame]:
        yield "contentBlockDelta", {"contentBlockIndex": 0, "delta": {"text": "Hi"}}
        if is_complete:
            yield "messageStop", {"stopReason": "end_turn"}
        raise ConnectionLost("gone")

    assert DIALECT.chat.stream is not None
    events = DIALECT.chat.stream.parse(frames(), MANIFEST)
    if is_complete:
        assert list(events)[-1] == StreamEnd("end_turn", "end_turn")
    else:
        with pytest.raises(ConnectionLost):
            list(events)


# --- refusals -------------------------------------------------------------------------------------------------------------

IN_STREAM = [
    ("throttlingException", RateLimited, True),
    ("modelStreamErrorException", ServerError, True),
    ("validationException", InvalidRequest, False),
    ("internalServerException", ServerError, True),
    ("serviceUnavailableException", Overloaded, True),
    ("modelTimeoutException", ProviderTimeout, True),
    ("newException", ServerError, True),
]


@pytest.mark.parametrize(("word", "kind", "retryable"), IN_STREAM)
def test_an_error_response_in_the_stream_is_raised_for_what_it_is(word: str, kind: type[RemoteError], retryable: bool) -> None:
    got: list[Any] = []
    frames = [delta(0, {"text": "a"}), ("error", {"type": "error", "error": {"type": word, "message": "m"}})]
    with pytest.raises(RemoteError) as caught:
        got.extend(DIALECT.chat.stream.parse(frames, MANIFEST))
    assert type(caught.value) is kind
    assert (caught.value.message, caught.value.error_type, caught.value.retryable) == ("m", word, retryable)
    assert got == [ContentDelta("a", starts=True)]


BY_STATUS = [
    (400, "ValidationException", InvalidRequest),
    (400, "ServiceQuotaExceededException", QuotaExhausted),
    (400, "ThrottlingException", RateLimited),
    (403, "AccessDeniedException", PermissionDenied),
    (403, "UnrecognizedClientException", AuthenticationError),
    (403, "ExpiredTokenException", AuthenticationError),
    (404, "ResourceNotFoundException", NotFound),
    (408, "ModelTimeoutException", ProviderTimeout),
    (424, "ModelErrorException", ServerError),
    (429, "ThrottlingException", RateLimited),
    (429, "ModelNotReadyException", Overloaded),
    (500, "InternalServerException", ServerError),
    (503, "ServiceUnavailableException", Overloaded),
]


@pytest.mark.parametrize(("status", "word", "kind"), BY_STATUS)
@pytest.mark.parametrize("around", ["{}", "{}:http://internal.amazon.com/coral/com.amazon.bedrock/", "aws.x#{}:http://y/"])
def test_the_type_of_an_error_response_stands_in_a_header(status: int, word: str, kind: type[RemoteError], around: str) -> None:
    with pytest.raises(RemoteError) as caught:
        parse({"message": "m"}, status, x_amzn_errortype=around.format(word), x_amzn_requestid="r1")
    assert type(caught.value) is kind
    assert (caught.value.error_type, caught.value.message, caught.value.request_id) == (word, "m", "r1")


@pytest.mark.parametrize(
    ("body", "message"),
    [
        ({"Message": "m"}, "m"),
        (b"Bad gateway\n", "Bad gateway"),
        (b"<html>", "the provider responded with status 400 and no message"),
        (["m"], "m"),
        ([{"message": "m"}], "m"),
        ({"error": "m"}, "m"),
        ({"__type": "a#ValidationException", "message": "m"}, "m"),
    ],
)
def test_error_responses_of_other_shapes_keep_their_message(body: Any, message: str) -> None:
    with pytest.raises(RemoteError) as caught:
        parse(body, 400)
    assert caught.value.message == message
    assert caught.value.error_type in (None, "ValidationException")
