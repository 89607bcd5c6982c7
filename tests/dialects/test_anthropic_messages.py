"""What goes out in the format of Anthropic Messages: bodies, and what the ledger says of options that could not go as asked."""

from __future__ import annotations

import base64
from typing import Any

import pytest

from ailib_sync.dialects.dialect import find
from ailib_sync.errors import ConfigurationError
from ailib_sync.registry.manifest import Manifest
from ailib_sync.types.messages import Audio, Document, Image, Message, Opaque, Text, Thinking, ToolResult
from ailib_sync.types.request import Ledger, Reasoning, ResponseFormat, ToolChoice
from ailib_sync.types.tools import Tool, ToolCall
from tests.chat_values import chat_request

DIALECT = find("anthropic_messages")
ADAPTIVE = {"style": "adaptive", "efforts": ["low", "medium", "high", "max"], "off": "disabled"}
WEATHER = Tool("weather", "Looks out of the window.", {"type": "object", "properties": {"city": {"type": "string"}}})


def a_manifest(**keys: Any) -> Manifest:
    """One that knows nothing particular, so that each test says what it needs."""
    values = {"id": "host", "name": "Host", "dialect": "anthropic_messages", "base_url": "https://host.invalid/v1"}
    return Manifest(**{**values, "defaults": {"max_tokens": 1000}, **keys})


def render(
    *messages: Message, manifest: Manifest | None = None, tools: tuple[Tool, ...] = (), **options: Any
) -> tuple[dict[str, Any], list[str]]:
    """(body, warnings)."""
    ledger = Ledger()
    request = chat_request("m-1", messages or (Message.user("Hi"),), tools, options)
    return DIALECT.chat.render(request, manifest or a_manifest(), ledger), ledger.warnings


def turns(*messages: Message, manifest: Manifest | None = None) -> Any:
    return render(*messages, manifest=manifest)[0]["messages"]


def test_a_plain_question_is_no_more_than_it_must_be() -> None:
    assert render() == ({"model": "m-1", "max_tokens": 1000, "messages": [{"role": "user", "content": "Hi"}]}, [])


def test_max_tokens_is_always_sent_because_the_service_requires_it() -> None:
    assert render(manifest=a_manifest(defaults={}))[0]["max_tokens"] == 4096
    assert render(max_tokens=7)[0]["max_tokens"] == 7


def test_plain_options_go_under_their_wire_names_and_the_unknown_are_dropped_with_a_warning() -> None:
    body, warnings = render(temperature=0.5, top_p=0.9, top_k=40, stop=("END", "###"), seed=1, presence_penalty=0.1)
    assert {key: body[key] for key in ("temperature", "top_p", "top_k", "stop_sequences")} == {
        "temperature": 0.5,
        "top_p": 0.9,
        "top_k": 40,
        "stop_sequences": ["END", "###"],
    }
    assert [warning.split()[0] for warning in warnings] == ["seed", "presence_penalty"]


def test_the_model_is_left_out_where_the_address_names_it() -> None:
    assert "model" not in render(manifest=a_manifest(paths={"chat": "/models/{model}:rawPredict"}))[0]


def test_a_stream_is_requested_and_extra_joins_last() -> None:
    extra = {"metadata": {"user_id": "u"}, "output_config": {"effort": "low"}, "max_tokens": 5}
    schema = {"type": "object", "properties": {}, "additionalProperties": False}
    request = chat_request(
        "m", (Message.user("Hi"),), options={"response_format": ResponseFormat("json_schema", schema)},
        extra=extra, stream=True,
    )
    body = DIALECT.chat.render(request, a_manifest(), Ledger())
    assert body["stream"] is True
    assert body["metadata"] == {"user_id": "u"}
    assert body["max_tokens"] == 5
    assert body["output_config"] == {"format": {"type": "json_schema", "schema": schema}, "effort": "low"}
    assert extra["output_config"] == {"effort": "low"}


# System messages

A, U, S = Message.assistant, Message.user, Message.system
MID = {"quirks": ("mid_conversation_system",)}


def test_leading_system_messages_go_to_the_top_in_order() -> None:
    body, warnings = render(S("One."), S([Text("Two.", {"cache_control": {"type": "ephemeral"}})]), U("Hi"))
    assert body["system"] == [
        {"type": "text", "text": "One."},
        {"type": "text", "text": "Two.", "cache_control": {"type": "ephemeral"}},
    ]
    assert [turn["role"] for turn in body["messages"]] == ["user"]
    assert warnings == []
    assert render(S("One."), U("Hi"))[0]["system"] == "One."


@pytest.mark.parametrize(
    ("messages", "roles", "top"),
    [
        ([U("a"), S("s"), A("b"), U("c")], ["user", "system", "assistant", "user"], None),
        ([U("a"), A("b"), U("c"), S("s")], ["user", "assistant", "user", "system"], None),
        ([U("a"), S("s"), U("b")], ["user", "system"], None),
        ([U("a"), A("b"), S("s"), U("c")], ["user", "assistant", "user", "system"], None),
        ([U("a"), A("b"), S("s"), A("c")], ["user", "assistant"], "s"),
        ([S("t"), U("a"), S("s"), S("r")], ["user", "system"], "t"),
    ],
)
def test_a_system_message_in_the_middle_stands_after_a_complete_user_turn(messages: Any, roles: Any, top: Any) -> None:
    body, _ = render(*messages, manifest=a_manifest(**MID))
    assert [turn["role"] for turn in body["messages"]] == roles
    assert body.get("system") == top


def test_a_system_message_in_the_middle_goes_to_the_top_aloud_where_the_model_takes_none() -> None:
    body, warnings = render(S("t"), U("a"), A("b"), U("c"), S("s"))
    assert [block["text"] for block in body["system"]] == ["t", "s"]
    assert [turn["role"] for turn in body["messages"]] == ["user", "assistant", "user"]
    assert len(warnings) == 1
    assert "at the top" in warnings[0]


def test_a_system_message_holds_text_only() -> None:
    with pytest.raises(ConfigurationError, match="text only"):
        render(S([Image.from_url("https://host.invalid/a.png")]))


# Turns


def test_neighbours_of_one_role_become_one_turn() -> None:
    assert turns(U("a"), U("b"), A("c"), A("d")) == [
        {"role": "user", "content": [{"type": "text", "text": "a"}, {"type": "text", "text": "b"}]},
        {"role": "assistant", "content": [{"type": "text", "text": "c"}, {"type": "text", "text": "d"}]},
    ]


def test_the_results_of_a_turn_stand_in_one_user_turn_before_what_else_it_says() -> None:
    calls = [ToolCall("t1", "weather", {"city": "Ulm"}), ToolCall("t2", "weather", {"city": "Köln"})]
    _, asked, answered = turns(
        U("Weather?"), A("I look.", calls), U("Be quick."), Message.tool("t2", "rain"), Message.tool("t1", "sun")
    )
    assert asked["content"] == [
        {"type": "text", "text": "I look."},
        {"type": "tool_use", "id": "t1", "name": "weather", "input": {"city": "Ulm"}},
        {"type": "tool_use", "id": "t2", "name": "weather", "input": {"city": "Köln"}},
    ]
    assert answered == {
        "role": "user",
        "content": [
            {"type": "tool_result", "tool_use_id": "t2", "content": "rain"},
            {"type": "tool_result", "tool_use_id": "t1", "content": "sun"},
            {"type": "text", "text": "Be quick."},
        ],
    }


def test_empty_texts_and_turns_are_left_out_because_the_service_rejects_them() -> None:
    assert turns(U("a"), A(""), A([Text(" \n")]), U([Text(""), Text("b")])) == [
        {"role": "user", "content": [{"type": "text", "text": "a"}, {"type": "text", "text": "b"}]}
    ]


@pytest.mark.parametrize(
    ("block", "wire"),
    [
        (
            Image.from_bytes(b"\x89PNG", "image/png"),
            {"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": "iVBORw=="}},
        ),
        (
            Image(url="https://host.invalid/a.png", extra={"cache_control": {"type": "ephemeral"}}),
            {
                "type": "image",
                "source": {"type": "url", "url": "https://host.invalid/a.png"},
                "cache_control": {"type": "ephemeral"},
            },
        ),
        (
            Document(media_type="application/pdf", data=b"%PDF-1.4", name="Bill", extra={"citations": {"enabled": True}}),
            {
                "type": "document",
                "source": {
                    "type": "base64",
                    "media_type": "application/pdf",
                    "data": base64.b64encode(b"%PDF-1.4").decode(),
                },
                "title": "Bill",
                "citations": {"enabled": True},
            },
        ),
        (
            Document.from_url("https://host.invalid/a.pdf"),
            {"type": "document", "source": {"type": "url", "url": "https://host.invalid/a.pdf"}},
        ),
        (
            Document.from_bytes("Grüße".encode(), "text/markdown"),
            {"type": "document", "source": {"type": "text", "media_type": "text/plain", "data": "Grüße"}},
        ),
        (
            ToolResult("t1", [Text("see"), Image.from_url("https://host.invalid/a.png")], is_error=True),
            {
                "type": "tool_result",
                "tool_use_id": "t1",
                "content": [
                    {"type": "text", "text": "see"},
                    {"type": "image", "source": {"type": "url", "url": "https://host.invalid/a.png"}},
                ],
                "is_error": True,
            },
        ),
        (ToolResult("t1"), {"type": "tool_result", "tool_use_id": "t1", "content": ""}),
        (
            Opaque({"type": "container_upload", "file_id": "f1"}),
            {"type": "container_upload", "file_id": "f1"},
        ),
    ],
)
def test_a_block_of_a_user_has_its_wire_form(block: Any, wire: Any) -> None:
    assert turns(U([block]))[0]["content"] == [wire]


def test_audio_is_rejected_before_anything_is_sent() -> None:
    with pytest.raises(ConfigurationError, match="no audio"):
        render(U([Audio.from_bytes(b"RIFF", "audio/wav")]))


OWN = [
    Thinking("Hm.", "sig==", extra={"kept": 1}),
    Thinking(redacted="blob"),
    Opaque({"type": "server_tool_use", "id": "s1", "name": "web_search", "input": {}}),
    Text("So.", {"citations": [{"cited_text": "x"}]}),
    ToolCall("t1", "weather", {}, extra={"caller": {"type": "direct"}}),
]


def test_what_the_service_wrote_goes_back_byte_for_byte() -> None:
    message = Message("assistant", list(OWN), origin="anthropic_messages", extra={"container": {"id": "c1"}})
    assert turns(U("a"), message)[1] == {
        "role": "assistant",
        "content": [
            {"type": "thinking", "thinking": "Hm.", "signature": "sig==", "kept": 1},
            {"type": "redacted_thinking", "data": "blob"},
            {"type": "server_tool_use", "id": "s1", "name": "web_search", "input": {}},
            {"type": "text", "text": "So.", "citations": [{"cited_text": "x"}]},
            {"type": "tool_use", "id": "t1", "name": "weather", "input": {}, "caller": {"type": "direct"}},
        ],
    }


def test_what_is_opaque_in_the_words_of_another_service_stays_behind() -> None:
    message = Message("assistant", list(OWN), origin="openai_chat", extra={"reasoning_details": []})
    assert turns(U("a"), message)[1] == {
        "role": "assistant",
        "content": [
            {"type": "text", "text": "So."},
            {"type": "tool_use", "id": "t1", "name": "weather", "input": {}},
        ],
    }


@pytest.mark.parametrize(
    ("thinking", "origin", "wire"),
    [
        (Thinking("Hm."), None, None),
        (Thinking("Hm."), "anthropic_messages", {"type": "thinking", "thinking": "Hm."}),
        (Thinking("Hm.", ""), "anthropic_messages", {"type": "thinking", "thinking": "Hm.", "signature": ""}),
        (Thinking("", "sig"), None, {"type": "thinking", "thinking": "", "signature": "sig"}),
    ],
)
def test_unsigned_thinking_goes_back_only_to_the_service_that_left_it_so(thinking: Any, origin: Any, wire: Any) -> None:
    content = turns(U("a"), Message("assistant", [thinking, Text("b")], origin=origin))[1]["content"]
    assert content == ("b" if wire is None else [wire, {"type": "text", "text": "b"}])


@pytest.mark.parametrize(
    ("call", "arguments"),
    [
        (ToolCall("t", "f", None, '{"city": "Ul'), {"INVALID_JSON": '{"city": "Ul'}),
        (ToolCall("t", "f", None, None), {}),
        (ToolCall("t", "f", {"a": 1}, '{"a":1}'), {"a": 1}),
    ],
)
def test_the_input_of_a_call_is_always_an_object(call: ToolCall, arguments: Any) -> None:
    assert turns(U("a"), A("", [call]))[1]["content"][0]["input"] == arguments


def test_ids_from_elsewhere_are_made_to_fit_equally_in_call_and_result() -> None:
    _, call, result = turns(U("a"), A("", [ToolCall("functions.f:0", "f")]), Message.tool("functions.f:0", "ok"))
    assert call["content"][0]["id"] == result["content"][0]["tool_use_id"] == "functions_f_0"


def test_rendering_leaves_the_messages_of_the_caller_as_they_were() -> None:
    messages = [U([Text("a", {"k": {}})]), Message("assistant", list(OWN), origin="anthropic_messages"), U("b"), U("c")]
    before = repr(messages)
    body, _ = render(*messages)
    body["messages"][0]["content"][0]["more"] = 1
    body["messages"][1]["content"].append("x")
    assert repr(messages) == before


# Tools


def test_a_tool_has_its_schema_and_its_extra() -> None:
    tool = Tool("f", parameters={"properties": {}}, strict=True, extra={"cache_control": {"type": "ephemeral"}})
    hosted = Tool("web_search", extra={"type": "web_search_20250305", "max_uses": 2})
    assert render(tools=(WEATHER, tool, hosted))[0]["tools"] == [
        {"name": "weather", "description": "Looks out of the window.", "input_schema": dict(WEATHER.parameters)},
        {
            "name": "f",
            "input_schema": {"type": "object", "properties": {}, "additionalProperties": False},
            "strict": True,
            "cache_control": {"type": "ephemeral"},
        },
        {"name": "web_search", "type": "web_search_20250305", "max_uses": 2},
    ]


def test_strict_is_dropped_with_a_warning_where_it_is_not_taken() -> None:
    body, warnings = render(tools=(Tool("f", strict=True),), manifest=a_manifest(quirks=("no_strict_tools",)))
    assert "strict" not in body["tools"][0]
    assert len(warnings) == 1


ALL, FREE = ("auto", "none", "required", "tool"), ("auto", "none")


@pytest.mark.parametrize(
    ("allowed", "options", "choice", "warned"),
    [
        (ALL, {"tool_choice": ToolChoice("auto")}, {"type": "auto"}, []),
        (ALL, {"tool_choice": ToolChoice("none")}, {"type": "none"}, []),
        (ALL, {"tool_choice": ToolChoice("required")}, {"type": "any"}, []),
        (ALL, {"tool_choice": ToolChoice("tool", "weather")}, {"type": "tool", "name": "weather"}, []),
        (ALL, {"parallel_tool_calls": False}, {"type": "auto", "disable_parallel_tool_use": True}, []),
        (ALL, {"parallel_tool_calls": True}, {"type": "auto", "disable_parallel_tool_use": False}, []),
        (
            ALL,
            {"tool_choice": ToolChoice("required"), "parallel_tool_calls": False},
            {"type": "any", "disable_parallel_tool_use": True},
            [],
        ),
        (ALL, {"tool_choice": ToolChoice("none"), "parallel_tool_calls": False}, {"type": "none"}, []),
        (FREE, {"tool_choice": ToolChoice("required")}, {"type": "auto"}, ["tool_choice"]),
        (FREE, {"tool_choice": ToolChoice("tool", "weather")}, {"type": "auto"}, ["tool_choice"]),
    ],
)
def test_a_tool_choice_goes_as_the_model_takes_it(allowed: Any, options: Any, choice: Any, warned: Any) -> None:
    body, warnings = render(tools=(WEATHER,), manifest=a_manifest(tool_choice=allowed), **options)
    assert body["tool_choice"] == choice
    assert [warning.split()[0] for warning in warnings] == warned


def test_where_none_is_not_taken_the_tools_are_not_shown() -> None:
    body, _ = render(tools=(WEATHER,), manifest=a_manifest(tool_choice=("auto",)), tool_choice=ToolChoice("none"))
    assert "tools" not in body
    assert "tool_choice" not in body


def test_a_tool_choice_without_tools_is_dropped_with_a_warning() -> None:
    body, warnings = render(tool_choice=ToolChoice("auto"), parallel_tool_calls=False)
    assert "tool_choice" not in body
    assert len(warnings) == 2


def test_a_tool_cannot_be_forced_while_the_model_thinks_where_the_manifest_says_so() -> None:
    manifest = a_manifest(reasoning={"style": "budget"}, quirks=("no_forced_tools_while_thinking",))
    forced = {"tools": (WEATHER,), "manifest": manifest, "tool_choice": ToolChoice("required")}
    body, warnings = render(**forced, reasoning=Reasoning("low"), max_tokens=9000)
    assert body["tool_choice"] == {"type": "auto"}
    assert len(warnings) == 1
    assert render(**forced)[0]["tool_choice"] == {"type": "any"}


# Format of the answer


@pytest.mark.parametrize(
    ("kinds", "wanted", "config", "warned"),
    [
        (("text", "json_schema"), ResponseFormat("text"), None, 0),
        (("text", "json_schema"), ResponseFormat("json"), None, 1),
        (("text",), ResponseFormat("json_schema", {"type": "object"}), None, 1),
        (
            ("text", "json_schema"),
            ResponseFormat("json_schema", {"type": "object", "properties": {}}, "who"),
            {"format": {"type": "json_schema", "schema": {"type": "object", "properties": {}, "additionalProperties": False}}},
            0,
        ),
    ],
)
def test_a_format_goes_into_output_config_or_is_dropped_with_a_warning(
    kinds: Any, wanted: Any, config: Any, warned: int
) -> None:
    body, warnings = render(manifest=a_manifest(response_format=kinds), response_format=wanted)
    assert body.get("output_config") == config
    assert len(warnings) == warned


# Reasoning

BUDGET = {"style": "budget", "off": "disabled", "no_sampling": True}


def think(rules: Any, asked: Reasoning, **options: Any) -> tuple[Any, Any, int, list[str]]:
    """(thinking, output_config, max_tokens, warnings)."""
    manifest = a_manifest(reasoning=rules, limits={"max_tokens": [1, 20000]})
    body, warnings = render(manifest=manifest, reasoning=asked, **options)
    return body.get("thinking"), body.get("output_config"), body["max_tokens"], warnings


def on(tokens: int) -> dict[str, Any]:
    return {"type": "enabled", "budget_tokens": tokens}


@pytest.mark.parametrize(
    ("rules", "asked", "options", "thinking", "config", "max_tokens", "warned"),
    [
        # A budget, and room for it: max_tokens counts thinking too.
        (BUDGET, Reasoning("low"), {}, on(2048), None, 3048, 0),
        (BUDGET, Reasoning(budget_tokens=3000), {}, on(3000), None, 4000, 0),
        (BUDGET, Reasoning(), {}, on(8192), None, 9192, 0),
        (BUDGET, Reasoning(budget_tokens=1024), {"max_tokens": 1025}, on(1024), None, 1025, 0),
        (BUDGET, Reasoning(budget_tokens=100), {"max_tokens": 5000}, on(1024), None, 5000, 1),
        # The caller's own limit stands; the thinking gives way, and so it does at the model's limit.
        (BUDGET, Reasoning("high"), {"max_tokens": 4000}, on(3000), None, 4000, 1),
        (BUDGET, Reasoning("high"), {"max_tokens": 1100}, on(1024), None, 1100, 1),
        (BUDGET, Reasoning("high"), {"max_tokens": 500}, None, None, 500, 1),
        (BUDGET, Reasoning("max"), {}, on(15000), None, 20000, 1),
        (BUDGET, Reasoning("none"), {}, {"type": "disabled"}, None, 1000, 0),
        (BUDGET, Reasoning(budget_tokens=0), {}, {"type": "disabled"}, None, 1000, 0),
        (BUDGET, Reasoning("loud"), {}, None, None, 1000, 1),
        (BUDGET, Reasoning(visible=True), {}, on(8192), None, 9192, 0),
        (BUDGET, Reasoning(visible=False), {}, None, None, 1000, 0),
        (BUDGET, Reasoning("low", visible=False), {}, on(2048), None, 3048, 1),
        ({**BUDGET, "efforts": ["low", "high"]}, Reasoning("low"), {}, on(2048), {"effort": "low"}, 3048, 0),
        # An effort.
        (ADAPTIVE, Reasoning("high"), {}, {"type": "adaptive"}, {"effort": "high"}, 1000, 0),
        (ADAPTIVE, Reasoning("minimal"), {}, {"type": "adaptive"}, {"effort": "low"}, 1000, 1),
        (ADAPTIVE, Reasoning("xhigh"), {}, {"type": "adaptive"}, {"effort": "high"}, 1000, 1),
        (ADAPTIVE, Reasoning(), {}, {"type": "adaptive"}, None, 1000, 0),
        (ADAPTIVE, Reasoning(budget_tokens=8000), {}, {"type": "adaptive"}, {"effort": "medium"}, 1000, 1),
        (ADAPTIVE, Reasoning(budget_tokens=10**6), {}, {"type": "adaptive"}, {"effort": "max"}, 1000, 1),
        (ADAPTIVE, Reasoning("low", 8000), {}, {"type": "adaptive"}, {"effort": "low"}, 1000, 1),
        (ADAPTIVE, Reasoning("none"), {}, {"type": "disabled"}, None, 1000, 0),
        (ADAPTIVE, Reasoning(visible=True), {}, {"type": "adaptive", "display": "summarized"}, None, 1000, 0),
        (ADAPTIVE, Reasoning("low", visible=False), {}, {"type": "adaptive", "display": "omitted"}, {"effort": "low"}, 1000, 0),
        ({**ADAPTIVE, "budget": True}, Reasoning(budget_tokens=3000), {}, on(3000), None, 4000, 0),
        ({**ADAPTIVE, "budget": True}, Reasoning("low"), {}, {"type": "adaptive"}, {"effort": "low"}, 1000, 0),
        ({**ADAPTIVE, "off": "between_tools"}, Reasoning("none"), {}, {"type": "between_tools"}, None, 1000, 0),
        ({**ADAPTIVE, "off": True}, Reasoning("none"), {}, {"type": "disabled"}, None, 1000, 0),
        ({**ADAPTIVE, "off": None}, Reasoning("none"), {}, None, {"effort": "low"}, 1000, 1),
        ({"style": "adaptive"}, Reasoning("none"), {}, None, None, 1000, 1),
        ({"style": "adaptive"}, Reasoning("high"), {}, {"type": "adaptive"}, None, 1000, 1),
        (None, Reasoning("high"), {}, None, None, 1000, 1),
    ],
)
def test_reasoning_goes_as_the_model_takes_it(
    rules: Any, asked: Reasoning, options: Any, thinking: Any, config: Any, max_tokens: int, warned: int
) -> None:
    got = think(rules, asked, **options)
    assert got[:3] == (thinking, config, max_tokens)
    assert len(got[3]) == warned, got[3]


def test_sampling_is_dropped_with_a_warning_while_a_model_thinks_that_rejects_it() -> None:
    manifest = a_manifest(reasoning=BUDGET)
    body, warnings = render(manifest=manifest, reasoning=Reasoning("low"), temperature=0.2, top_p=0.9, top_k=1)
    assert not {"temperature", "top_p", "top_k"} & body.keys()
    assert len(warnings) == 3
    body, warnings = render(manifest=manifest, reasoning=Reasoning("low"), temperature=1.0)
    assert (body["temperature"], warnings) == (1.0, [])
    body, warnings = render(manifest=manifest, reasoning=Reasoning("none"), temperature=0.2)
    assert (body["temperature"], warnings) == (0.2, [])


def test_every_option_leaves_a_line_in_the_ledger() -> None:
    options = {
        "temperature": 1,
        "max_tokens": 9000,
        "top_p": 1,
        "top_k": 5,
        "stop": ("x",),
        "seed": 1,
        "frequency_penalty": 0.1,
        "presence_penalty": 0.1,
        "tool_choice": ToolChoice("auto"),
        "parallel_tool_calls": True,
        "response_format": ResponseFormat("json_schema", {}),
        "reasoning": Reasoning("low"),
    }
    ledger = Ledger()
    request = chat_request("m", (Message.user("Hi"),), (WEATHER,), options)
    DIALECT.chat.render(request, a_manifest(reasoning=ADAPTIVE), ledger)
    assert {entry.option for entry in ledger.entries} >= options.keys()
