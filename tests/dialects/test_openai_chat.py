"""Chat Completions, requests: messages, options, and thinking that is sent back."""

from __future__ import annotations

from typing import Any

import pytest

from ailib_sync.errors import ConfigurationError
from ailib_sync.types.messages import Audio, Document, Image, Message, Opaque, Text, Thinking, ToolResult
from ailib_sync.types.request import Ledger, Reasoning, ResponseFormat, ToolChoice
from ailib_sync.types.tools import Tool, ToolCall

from .openai_chat_bytes import manifest, render

# --- Messages -----------------------------------------------------------------------------------------------------------


def test_a_conversation_with_tools_is_rendered() -> None:
    call = ToolCall("call_a", "weather", {"city": "Köln"})
    body = render(
        Message.system("Be brief."),
        Message("user", "How is it?", name="ann"),
        Message.assistant("Looking.", [call, ToolCall("call_b", "time", {}, "")]),
        Message.tool("call_a", "rain"),
        Message.tool("call_b", [Text("12:00")]),
        tools=(Tool("weather", "Tells it", {"type": "object"}, strict=True), Tool("time")),
    )
    assert body == {
        "model": "m-1",
        "messages": [
            {"role": "system", "content": "Be brief."},
            {"role": "user", "content": "How is it?", "name": "ann"},
            {
                "role": "assistant",
                "content": "Looking.",
                "tool_calls": [
                    {"id": "call_a", "type": "function", "function": {"name": "weather", "arguments": '{"city": "Köln"}'}},
                    {"id": "call_b", "type": "function", "function": {"name": "time", "arguments": "{}"}},
                ],
            },
            {"role": "tool", "tool_call_id": "call_a", "content": "rain"},
            {"role": "tool", "tool_call_id": "call_b", "content": "12:00"},
        ],
        "tools": [
            {"type": "function", "function": {"name": "weather", "description": "Tells it", "parameters": {"type": "object"},
                                              "strict": True}},
            {"type": "function", "function": {"name": "time", "parameters": {"type": "object", "properties": {}}}},
        ],
    }  # fmt: skip


@pytest.mark.parametrize(
    ("block", "part"),
    [
        (Image.from_url("https://x.invalid/a.png"), {"type": "image_url", "image_url": {"url": "https://x.invalid/a.png"}}),
        (Image("image/png", b"\x00\x01", detail="low"),
         {"type": "image_url", "image_url": {"url": "data:image/png;base64,AAE=", "detail": "low"}}),
        (Audio("audio/mpeg", b"\x00\x01"), {"type": "input_audio", "input_audio": {"data": "AAE=", "format": "mp3"}}),
        (Audio("audio/x-wav", b"\x00\x01"), {"type": "input_audio", "input_audio": {"data": "AAE=", "format": "wav"}}),
        (Document("application/pdf", b"\x00\x01", name="a.pdf"),
         {"type": "file", "file": {"filename": "a.pdf", "file_data": "data:application/pdf;base64,AAE="}}),
        (Document("text/plain", b"line", name="a.txt"), {"type": "text", "text": "a.txt:\n\nline"}),
        (Text("x", {"cache_control": {"type": "ephemeral"}}),
         {"type": "text", "text": "x", "cache_control": {"type": "ephemeral"}}),
        (Opaque({"type": "video_url", "video_url": {"url": "u"}}), {"type": "video_url", "video_url": {"url": "u"}}),
    ],
)  # fmt: skip
def test_each_block_becomes_a_part(block: Any, part: dict[str, Any]) -> None:
    body = render(Message.user(["Look:", block]), to=manifest("cache_control"))
    assert body["messages"][0]["content"] == [{"type": "text", "text": "Look:"}, part]


def test_an_image_in_a_tool_result_is_sent_in_a_user_message_after_all_results() -> None:
    image = Image.from_url("https://x.invalid/a.png")
    calls = [ToolCall("a", "shot"), ToolCall("b", "time")]
    body = render(Message.assistant("", calls), Message.tool("a", [Text("Here"), image]), Message.tool("b", "noon"))
    assert [entry["role"] for entry in body["messages"]] == ["assistant", "tool", "tool", "user"]
    assert body["messages"][1]["content"] == "Here"
    assert body["messages"][3]["content"][1] == {"type": "image_url", "image_url": {"url": "https://x.invalid/a.png"}}


def test_results_inside_a_user_message_become_tool_messages_before_it() -> None:
    body = render(Message.user([ToolResult("a", "1"), Text("And now?")]))
    assert body["messages"] == [
        {"role": "tool", "tool_call_id": "a", "content": "1"},
        {"role": "user", "content": "And now?"},
    ]


@pytest.mark.parametrize(
    ("message", "quirks", "message_text"),
    [
        (Message("tool", "12"), (), "the id of its call"),
        (Message.user([Audio.from_url("https://x.invalid/a.mp3")]), (), "Audio"),
        (Message.user([Document("application/pdf", b"1")]), ("no_file_parts",), "Acme does not support documents"),
    ],
)
def test_unsupported_content_raises_before_anything_is_sent(message: Message, quirks: tuple[str], message_text: str) -> None:
    with pytest.raises(ConfigurationError, match=message_text):
        render(message, to=manifest(*quirks))


def roles_and_content(*messages: Message, quirks: tuple[str, ...]) -> list[tuple[str, Any]]:
    return [(entry["role"], entry["content"]) for entry in render(*messages, to=manifest(*quirks))["messages"]]


def test_quirks_of_roles() -> None:
    talk = (Message.user("1"), Message.system("A"), Message.user("2"), Message.system("B"), Message.assistant("3"))
    assert roles_and_content(*talk, quirks=("system_first", "merge_adjacent_roles")) == [
        ("system", "A\n\nB"), ("user", "1\n\n2"), ("assistant", "3"),
    ]  # fmt: skip
    assert roles_and_content(Message.system("A"), quirks=("developer_role",)) == [("developer", "A")]


def test_merging_keeps_parts_and_calls_and_does_not_merge_tool_messages() -> None:
    image = Image.from_url("u")
    body = render(
        Message.user("1"), Message.user([image]),
        Message.assistant("x", [ToolCall("a", "f")]), Message.assistant("", [ToolCall("b", "g")]),
        Message.tool("a", "1"), Message.tool("b", "2"),
        to=manifest("merge_adjacent_roles"),
    )["messages"]  # fmt: skip
    assert [entry["role"] for entry in body] == ["user", "assistant", "tool", "tool"]
    assert body[0]["content"] == [{"type": "text", "text": "1"}, {"type": "image_url", "image_url": {"url": "u"}}]
    assert body[1]["content"] == "x"
    assert [call["id"] for call in body[1]["tool_calls"]] == ["a", "b"]


def test_quirks_of_content() -> None:
    two = Message.user([Text("1", {"cache_control": {}}), Text("2")])
    calls = Message.assistant("", [ToolCall("a", "f")])
    assert roles_and_content(two, quirks=("string_content",)) == [("user", "1\n\n2")]
    assert roles_and_content(calls, quirks=()) == [("assistant", None)]
    assert roles_and_content(calls, quirks=("empty_tool_content",)) == [("assistant", "")]
    assert render(Message.assistant("Once"), to=manifest("prefill_prefix"))["messages"][-1]["prefix"] is True
    assert "prefix" not in render(Message.assistant("Once"), Message.user("?"), to=manifest("prefill_prefix"))["messages"][0]
    audio = render(Message.user([Audio("audio/wav", b"\0")]), to=manifest("audio_data_uri"))["messages"][0]["content"]
    assert audio[0]["input_audio"]["data"] == "data:audio/wav;base64,AA=="


def test_nine_character_ids_agree_between_call_and_result() -> None:
    call = Message.assistant("", [ToolCall("toolu_0123", "f"), ToolCall("abcDEF123", "g")])
    results = Message.tool("toolu_0123", "1", "f"), Message.tool("abcDEF123", "2", "g")
    body = render(call, *results, to=manifest("nine_character_ids", "tool_result_name"))["messages"]
    first, second = (entry["id"] for entry in body[0]["tool_calls"])
    assert len(first) == 9
    assert first.isalnum()
    assert second == "abcDEF123"
    assert [(entry["tool_call_id"], entry["name"]) for entry in body[1:]] == [(first, "f"), (second, "g")]


# --- Thinking that is sent back -----------------------------------------------------------------------------------------

THOUGHT = [Thinking("Hm.", "sig", extra={"type": "thinking"}), Text("So."), ToolCall("a", "f", {}, extra={"extra_content": 1})]
DETAILS = [{"type": "reasoning.encrypted", "data": "x"}]


def replayed(*quirks: str, origin: str | None = "openai_chat", **fields: Any) -> dict[str, Any]:
    message = Message("assistant", THOUGHT, origin=origin, extra={"reasoning_details": DETAILS, "annotations": [1]})
    return render(message, Message.tool("a", "1"), to=manifest(*quirks, **fields))["messages"][0]


def test_thinking_and_kept_fields_are_not_sent_without_a_quirk() -> None:
    assert replayed() == {
        "role": "assistant",
        "content": "So.",
        "tool_calls": [{"id": "a", "type": "function", "function": {"name": "f", "arguments": "{}"}}],
    }


@pytest.mark.parametrize(
    ("quirk", "key", "value"),
    [
        ("replay_reasoning_content", "reasoning_content", "Hm."),
        ("replay_reasoning", "reasoning", "Hm."),
        ("replay_reasoning_details", "reasoning_details", DETAILS),
        ("replay_think_tags", "content", "<think>Hm.</think>\n\nSo."),
        ("replay_thinking_parts", "content", [
            {"type": "thinking", "thinking": [{"type": "text", "text": "Hm."}], "signature": "sig"},
            {"type": "text", "text": "So."},
        ]),
        ("replay_extra_content", "tool_calls", [
            {"id": "a", "type": "function", "function": {"name": "f", "arguments": "{}"}, "extra_content": 1},
        ]),
    ],
)  # fmt: skip
def test_each_quirk_that_sends_thinking_back(quirk: str, key: str, value: Any) -> None:
    assert replayed(quirk)[key] == value


def test_opaque_blocks_are_not_sent_to_another_dialect() -> None:
    quirks = ("replay_reasoning", "replay_reasoning_details", "replay_thinking_parts", "replay_extra_content")
    assert replayed(*quirks, origin="anthropic_messages") == replayed()
    # While the model thinks, every message with tool calls needs the field, also one of another dialect.
    assert replayed("replay_reasoning_content", origin="anthropic_messages")["reasoning_content"] == ""


def test_reasoning_content_is_not_required_if_thinking_is_off_or_no_tool_was_called() -> None:
    to = manifest("replay_reasoning_content", reasoning={"style": "thinking_type", "off": "disabled"})
    plain = Message("assistant", [Text("x")], origin="openai_chat")
    calls = Message("assistant", [ToolCall("a", "f")], origin="openai_chat")
    assert "reasoning_content" not in render(plain, Message.user("?"), to=to)["messages"][0]
    off = render(calls, Message.tool("a", "1"), to=to, options={"reasoning": Reasoning("none")})
    assert "reasoning_content" not in off["messages"][0]
    assert off["thinking"] == {"type": "disabled"}


def test_extra_of_the_caller_is_sent_unchanged() -> None:
    message = Message("assistant", [ToolCall("a", "f", extra={"index": 3})], extra={"reasoning_details": DETAILS})
    entry = render(message, Message.tool("a", "1"))["messages"][0]
    assert entry["reasoning_details"] == DETAILS
    assert entry["tool_calls"][0]["index"] == 3


# --- Options ------------------------------------------------------------------------------------------------------------


def test_options_stream_and_extra() -> None:
    options = {"temperature": 0.5, "max_tokens": 9, "top_k": 3, "stop": ("a", "b"), "seed": 1}
    ledger = Ledger()
    body = render(options=options, stream=True, extra={"store": True, "seed": 2}, ledger=ledger,
                  to=manifest(parameters={"max_tokens": "max_completion_tokens"}))  # fmt: skip
    del body["messages"]
    assert body == {
        "model": "m-1", "stream": True, "stream_options": {"include_usage": True},
        "temperature": 0.5, "max_completion_tokens": 9, "stop": ["a", "b"], "seed": 2, "store": True,
    }  # fmt: skip
    assert ledger.warnings == ["top_k is not supported by Acme for this model"]
    assert "stream_options" not in render(stream=True, to=manifest("no_stream_usage"))


NAMED = ToolChoice("tool", "f")


@pytest.mark.parametrize(
    ("choice", "allowed", "sent", "warning"),
    [
        (ToolChoice("required"), ("auto", "none", "required", "tool"), "required", ""),
        (NAMED, ("auto", "none", "required", "tool"), {"type": "function", "function": {"name": "f"}}, ""),
        (ToolChoice("required"), ("auto", "none"), "auto", "'required' is not supported by Acme for this model; auto is sent"),
        (NAMED, ("auto", "required"), "required", "'tool' is not supported by Acme for this model; required is sent"),
        (ToolChoice("auto"), (), None, "'auto' is not supported by Acme"),
    ],
)
def test_tool_choice_is_sent_as_the_host_supports_it(choice: ToolChoice, allowed: tuple[str], sent: Any, warning: str) -> None:
    ledger = Ledger()
    body = render(tools=(Tool("f"),), options={"tool_choice": choice}, to=manifest(tool_choice=allowed), ledger=ledger)
    assert body.get("tool_choice") == sent
    assert warning in " ".join(ledger.warnings)
    assert bool(ledger.warnings) == bool(warning)


def test_an_unsupported_choice_of_none_omits_the_tools() -> None:
    ledger = Ledger()
    options = {"tool_choice": ToolChoice("none")}
    body = render(tools=(Tool("f"),), options=options, to=manifest(tool_choice=("auto",)), ledger=ledger)
    assert "tools" not in body
    assert "tool_choice" not in body
    assert ledger.warnings


def test_tools_are_only_forced_while_thinking_is_off_if_the_host_requires_it() -> None:
    to = manifest("no_forced_tools_while_thinking", reasoning={"style": "thinking_type", "off": "disabled"})
    ledger = Ledger()
    options = {"tool_choice": ToolChoice("required")}
    assert render(tools=(Tool("f"),), options=options, to=to, ledger=ledger)["tool_choice"] == "auto"
    assert ledger.warnings
    off = {**options, "reasoning": Reasoning("none")}
    assert render(tools=(Tool("f"),), options=off, to=to)["tool_choice"] == "required"


def test_tool_options_are_omitted_from_a_request_without_tools() -> None:
    ledger = Ledger()
    body = render(options={"tool_choice": ToolChoice("auto"), "parallel_tool_calls": False}, ledger=ledger)
    assert set(body) == {"model", "messages"}
    assert len(ledger.warnings) == 2
    with_tools = render(tools=(Tool("f"),), options={"parallel_tool_calls": False})
    assert with_tools["parallel_tool_calls"] is False


def test_unsupported_strict_tools_give_a_warning() -> None:
    ledger = Ledger()
    tool = Tool("f", strict=True, extra={"cache_control": 1})
    body = render(tools=(tool,), to=manifest("no_strict_tools", "cache_control"), ledger=ledger)
    assert "strict" not in body["tools"][0]["function"]
    assert body["tools"][0]["cache_control"] == 1
    assert ledger.warnings == ["strict of a tool is not supported by Acme"]


SCHEMA = {"type": "object", "properties": {}}
SCHEMA_FORMAT = ResponseFormat("json_schema", SCHEMA, "thing")


@pytest.mark.parametrize(
    ("requested", "supported", "sent", "warning"),
    [
        (SCHEMA_FORMAT, ("text", "json", "json_schema"),
         {"type": "json_schema", "json_schema": {"name": "thing", "schema": SCHEMA, "strict": True}}, False),
        (SCHEMA_FORMAT, ("text", "json"), {"type": "json_object"}, True),
        (SCHEMA_FORMAT, ("text",), None, True),
        (ResponseFormat("json"), ("text", "json"), {"type": "json_object"}, False),
        (ResponseFormat("json"), ("json_schema",),
         {"type": "json_schema", "json_schema": {"name": "answer", "schema": {"type": "object"}}}, True),
        (ResponseFormat("text"), (), {"type": "text"}, False),
    ],
)  # fmt: skip
def test_response_format_falls_back_with_a_warning(
    requested: ResponseFormat, supported: tuple[str], sent: Any, warning: bool
) -> None:
    ledger = Ledger()
    body = render(options={"response_format": requested}, to=manifest(response_format=supported), ledger=ledger)
    assert body.get("response_format") == sent
    assert bool(ledger.warnings) == warning


EFFORT = {"style": "effort", "efforts": ["low", "high"], "off": "none"}
TYPED = {"style": "thinking_type", "off": "disabled"}
ENABLE = {"style": "enable_thinking", "off": False}
OBJECT = {"style": "reasoning_object", "efforts": ["low", "medium", "high"], "off": "none"}
KWARGS = {"style": "template_kwargs", "off": False}


@pytest.mark.parametrize(
    ("rules", "requested", "sent", "warnings"),
    [
        (None, Reasoning("low"), {}, 1),
        (EFFORT, Reasoning("high"), {"reasoning_effort": "high"}, 0),
        (EFFORT, Reasoning("medium"), {"reasoning_effort": "low"}, 1),
        (EFFORT, Reasoning("minimal"), {"reasoning_effort": "low"}, 1),
        (EFFORT, Reasoning("none"), {"reasoning_effort": "none"}, 0),
        (EFFORT, Reasoning(budget_tokens=0), {"reasoning_effort": "none"}, 0),
        (EFFORT, Reasoning(budget_tokens=20_000), {"reasoning_effort": "high"}, 1),
        ({"style": "effort", "efforts": ["none", "low"]}, Reasoning("minimal"), {"reasoning_effort": "low"}, 1),
        ({"style": "effort", "efforts": ["low"]}, Reasoning("none"), {}, 1),
        ({"style": "effort"}, Reasoning("xhigh"), {"reasoning_effort": "xhigh"}, 0),
        ({"style": "effort", "off": "low"}, Reasoning("none"), {"reasoning_effort": "low"}, 0),
        (TYPED, Reasoning(), {"thinking": {"type": "enabled"}}, 0),
        (TYPED, Reasoning("none"), {"thinking": {"type": "disabled"}}, 0),
        (TYPED, Reasoning("low"), {"thinking": {"type": "enabled"}}, 1),
        ({**TYPED, "efforts": ["low"]}, Reasoning("low"), {"thinking": {"type": "enabled"}, "reasoning_effort": "low"}, 0),
        ({**TYPED, "on": "adaptive"}, Reasoning(), {"thinking": {"type": "adaptive"}}, 0),
        ({**TYPED, "budget": "thinking.budget_tokens"}, Reasoning(budget_tokens=2048),
         {"thinking": {"type": "enabled", "budget_tokens": 2048}}, 0),
        (ENABLE, Reasoning(budget_tokens=100), {"enable_thinking": True, "thinking_budget": 100}, 0),
        (ENABLE, Reasoning("none"), {"enable_thinking": False}, 0),
        (OBJECT, Reasoning("medium"), {"reasoning": {"effort": "medium"}}, 0),
        (OBJECT, Reasoning(), {"reasoning": {"enabled": True}}, 0),
        (OBJECT, Reasoning("none"), {"reasoning": {"effort": "none"}}, 0),
        ({**OBJECT, "off": False}, Reasoning("none"), {"reasoning": {"enabled": False}}, 0),
        (OBJECT, Reasoning("low", 500), {"reasoning": {"max_tokens": 500}}, 1),
        ({**OBJECT, "hide": {"reasoning.exclude": True}}, Reasoning(visible=False),
         {"reasoning": {"enabled": True, "exclude": True}}, 0),
        (EFFORT, Reasoning("low", visible=False), {"reasoning_effort": "low"}, 1),
        (KWARGS, Reasoning(), {"chat_template_kwargs": {"enable_thinking": True}}, 0),
        ({**KWARGS, "switch": "chat_template_args.thinking"}, Reasoning("none"),
         {"chat_template_args": {"thinking": False}}, 0),
    ],
)  # fmt: skip
def test_reasoning_in_every_style(
    rules: dict[str, Any] | None, requested: Reasoning, sent: dict[str, Any], warnings: int
) -> None:
    ledger = Ledger()
    body = render(options={"reasoning": requested}, to=manifest(reasoning=rules), ledger=ledger)
    assert {key: value for key, value in body.items() if key not in ("model", "messages")} == sent
    assert len(ledger.warnings) == warnings
