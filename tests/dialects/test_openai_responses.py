"""What goes out in the OpenAI Responses format: items, options, tools, and what a turn takes back to the model."""

from __future__ import annotations

import json
from typing import Any

import pytest

from ailib_sync.dialects.openai_responses.dialect import DIALECT
from ailib_sync.errors import ConfigurationError
from ailib_sync.registry.manifest import Manifest
from ailib_sync.types.messages import Audio, Document, Image, Message, Opaque, Text, Thinking, ToolResult
from ailib_sync.types.request import Ledger, Reasoning, ResponseFormat, ToolChoice
from ailib_sync.types.tools import Tool, ToolCall
from tests.chat_values import chat_request

THOUGHT = {"id": "rs_1", "type": "reasoning", "summary": [], "encrypted_content": "gAAA=="}
WEATHER = Tool("weather", "Tells the weather", {"type": "object", "properties": {"city": {"type": "string"}}})


def manifest(**keys: Any) -> Manifest:
    return Manifest(id="acme", name="Acme", dialect="openai_responses", base_url="https://acme.example/v1", **keys)


RULES = {"style": "effort", "efforts": ["low", "medium", "high"], "default": "medium", "encrypted": True}
THINKER = manifest(reasoning=RULES)


def render(*messages: Message, on: Manifest | None = None, ledger: Ledger | None = None, **request: Any) -> dict[str, Any]:
    asked = chat_request("m-1", messages or (Message.user("Hi"),), **request)
    body = DIALECT.chat.render(asked, on or manifest(), Ledger() if ledger is None else ledger)
    return json.loads(json.dumps(body))


def items(*messages: Message, on: Manifest | None = None, **request: Any) -> list[dict[str, Any]]:
    return render(*messages, on=on, **request)["input"]


def warnings(on: Manifest | None = None, **options: Any) -> list[str]:
    ledger = Ledger()
    render(on=on, ledger=ledger, options=options, tools=(WEATHER,))
    return ledger.warnings


# Messages


def test_a_plain_request_holds_nothing_that_was_not_requested() -> None:
    assert render() == {"model": "m-1", "input": [{"type": "message", "role": "user", "content": "Hi"}]}


def test_system_messages_at_the_start_become_instructions_and_later_ones_keep_their_place() -> None:
    body = render(Message.system("A"), Message.system("B"), Message.user("Hi"), Message.system("C"))
    assert body["instructions"] == "A\n\nB"
    assert [item["role"] for item in body["input"]] == ["user", "system"]


def test_the_developer_role_is_used_where_the_manifest_says_so() -> None:
    sent = items(Message.user("Hi"), Message.system("C"), on=manifest(quirks=("developer_role",)))
    assert sent[1] == {"type": "message", "role": "developer", "content": "C"}


def test_system_messages_alone_are_input_because_an_empty_input_is_rejected() -> None:
    body = render(Message.system("Say hello."))
    assert body["input"] == [{"type": "message", "role": "system", "content": "Say hello."}]
    assert "instructions" not in body


def test_user_parts() -> None:
    [sent] = items(
        Message.user(
            [
                Text("Look", {"note": 1}),
                Image.from_bytes(b"\x89PNG", "image/png"),
                Image(url="https://x.example/a.png", detail="low"),
                Document.from_bytes(b"%PDF", "application/pdf"),
                Document(data=b"a,b", media_type="text/csv", name="table.csv"),
                Document.from_url("https://x.example/a.pdf"),
                Opaque({"type": "input_image", "file_id": "file-1"}),
            ]
        )
    )
    assert sent["content"] == [
        {"type": "input_text", "text": "Look", "note": 1},
        {"type": "input_image", "image_url": "data:image/png;base64,iVBORw=="},
        {"type": "input_image", "image_url": "https://x.example/a.png", "detail": "low"},
        {"type": "input_file", "filename": "document.pdf", "file_data": "data:application/pdf;base64,JVBERg=="},
        {"type": "input_file", "filename": "table.csv", "file_data": "data:text/csv;base64,YSxi"},
        {"type": "input_file", "file_url": "https://x.example/a.pdf"},
        {"type": "input_image", "file_id": "file-1"},
    ]


@pytest.mark.parametrize(
    ("message", "said"),
    [
        (Message.user([Audio.from_bytes(b"RIFF", "audio/wav")]), "no audio"),
        (Message.user([Thinking("hm")]), "Thinking belongs to an assistant's message only"),
        (Message.assistant([Image.from_url("https://x.example/a.png")]), "holds no Image"),
        (Message("tool", "42"), "Message.tool"),  # type: ignore[arg-type]
    ],
)
def test_what_the_format_has_no_place_for_is_rejected_before_anything_is_sent(message: Message, said: str) -> None:
    with pytest.raises(ConfigurationError, match=said):
        render(message)


def test_extra_of_a_message_joins_its_item() -> None:
    message = Message.user("Hi")
    message.extra["id"] = "msg_9"
    assert items(message) == [{"type": "message", "role": "user", "content": "Hi", "id": "msg_9"}]


# What an assistant said, going back


def assistant(*blocks: Any, origin: str | None = "openai_responses") -> Message:
    message = Message.assistant(list(blocks))
    message.origin = origin
    return message


SAID = Text("Well", {"id": "msg_1", "phase": "commentary"})
CALL = ToolCall("call_1", "weather", {"city": "Rome"}, '{"city":"Rome"}', extra={"id": "fc_1"})


def test_a_turn_goes_back_item_by_item_with_its_ids_and_phases() -> None:
    sent = items(assistant(Thinking("", extra={"item": THOUGHT}), SAID, CALL))
    assert sent == [
        THOUGHT,
        {
            "type": "message",
            "role": "assistant",
            "status": "completed",
            "content": [{"type": "output_text", "text": "Well", "annotations": []}],
            "id": "msg_1",
            "phase": "commentary",
        },
        {"type": "function_call", "call_id": "call_1", "name": "weather", "arguments": '{"city":"Rome"}', "id": "fc_1"},
    ]


def test_without_its_thought_a_turn_goes_back_without_ids_because_the_service_looks_for_pairs() -> None:
    assert items(assistant(SAID, CALL)) == [
        {"type": "message", "role": "assistant", "content": "Well", "phase": "commentary"},
        {"type": "function_call", "call_id": "call_1", "name": "weather", "arguments": '{"city":"Rome"}'},
    ]


def test_what_another_dialect_returned_goes_out_as_plain_text_and_calls() -> None:
    foreign = assistant(
        Thinking("hm", "sig", extra={"item": THOUGHT}),
        Text("A", {"cache": 1}),
        Text("B", {"id": "x"}),
        Opaque({"type": "server_tool_use"}),
        ToolCall("toolu_1", "weather", {"city": "Köln"}, extra={"id": "zz"}),
        origin="anthropic_messages",
    )
    assert items(foreign) == [
        {"type": "message", "role": "assistant", "content": "AB"},
        {"type": "function_call", "call_id": "toolu_1", "name": "weather", "arguments": '{"city": "Köln"}'},
    ]


def test_texts_of_two_phases_stay_two_messages_and_parts_of_one_stay_one() -> None:
    answer = Text("Done", {"id": "msg_2", "phase": "final_answer", "annotations": [{"type": "url_citation"}]})
    more = Text("!", {"id": "msg_2", "phase": "final_answer"})
    sent = items(assistant(Thinking("", extra={"item": THOUGHT}), SAID, answer, more))
    assert [item.get("phase") for item in sent] == [None, "commentary", "final_answer"]
    assert sent[2]["content"] == [
        {"type": "output_text", "text": "Done", "annotations": [{"type": "url_citation"}]},
        {"type": "output_text", "text": "!", "annotations": []},
    ]


def test_a_bare_thought_goes_back_only_where_the_provider_kept_it() -> None:
    bare = Thinking("", extra={"item": {"id": "rs_1", "type": "reasoning", "summary": []}})
    turn = assistant(bare, CALL)
    assert [item["type"] for item in items(turn)] == ["reasoning", "function_call"]
    assert "id" not in items(turn, on=THINKER)[0]
    assert [item["type"] for item in items(turn, on=THINKER, extra={"store": True})] == ["reasoning", "function_call"]


def test_items_of_hosted_tools_go_back_as_they_came() -> None:
    search = {"type": "web_search_call", "id": "ws_1", "status": "completed", "action": {"type": "search"}}
    assert items(assistant(Opaque(search)))[0] == search


def test_calls_stand_last_for_a_host_that_wants_them_next_to_their_outputs() -> None:
    turn = assistant(Text("a"), CALL, Text("b"))
    assert [item["type"] for item in items(turn)] == ["message", "function_call", "message"]
    sent = items(turn, Message.tool("call_1", "ok"), on=manifest(quirks=("calls_last",)))
    assert [item["type"] for item in sent] == ["message", "message", "function_call", "function_call_output"]


def test_tool_results() -> None:
    sent = items(
        assistant(CALL, ToolCall("call_2", "weather", {})),
        Message.tool("call_1", "sunny"),
        Message.tool("call_2", [Text("see"), Image.from_url("https://x.example/a.png")]),
    )
    assert sent[2:] == [
        {"type": "function_call_output", "call_id": "call_1", "output": "sunny"},
        {
            "type": "function_call_output",
            "call_id": "call_2",
            "output": [
                {"type": "input_text", "text": "see"},
                {"type": "input_image", "image_url": "https://x.example/a.png"},
            ],
        },
    ]


def test_results_inside_a_user_message_become_items_before_it() -> None:
    sent = items(assistant(CALL), Message.user([Text("and now?"), ToolResult("call_1", "sunny")]))
    assert [item["type"] for item in sent] == ["function_call", "function_call_output", "message"]


def test_a_custom_tool_is_called_and_answered_in_its_own_items() -> None:
    call = ToolCall("call_1", "calc", None, "4 + 4", extra={"type": "custom_tool_call", "id": "ctc_1"})
    assert items(assistant(call), Message.tool("call_1", "8")) == [
        {"type": "custom_tool_call", "call_id": "call_1", "name": "calc", "input": "4 + 4"},
        {"type": "custom_tool_call_output", "call_id": "call_1", "output": "8"},
    ]


def test_call_ids_that_begin_anew_in_each_response_are_distinguished() -> None:
    first, second = ToolCall("call_0", "weather", {"city": "Rome"}), ToolCall("call_0", "weather", {"city": "Oslo"})
    sent = items(assistant(first), Message.tool("call_0", "hot"), assistant(second), Message.tool("call_0", "cold"))
    assert [item["call_id"] for item in sent] == ["call_0", "call_0", "call_0_2", "call_0_2"]


def test_arguments_that_are_no_json_go_back_as_the_model_wrote_them() -> None:
    assert items(assistant(ToolCall("c", "weather", None, '{"city": "Ro')))[0]["arguments"] == '{"city": "Ro'
    assert items(assistant(ToolCall("c", "weather", None)))[0]["arguments"] == "{}"


# Tools and options


def test_tools_are_flat_and_strict_only_when_asked() -> None:
    strict = Tool("other", parameters={"type": "object"}, strict=True)
    custom = Tool("calc", "Adds", extra={"type": "custom", "format": {"type": "text"}})
    hosted = Tool("search", extra={"type": "web_search"})
    assert render(tools=(WEATHER, strict, custom, hosted))["tools"] == [
        {
            "type": "function",
            "name": "weather",
            "description": "Tells the weather",
            "parameters": {"type": "object", "properties": {"city": {"type": "string"}}},
            "strict": False,
        },
        {"type": "function", "name": "other", "parameters": {"type": "object"}, "strict": True},
        {"type": "custom", "name": "calc", "description": "Adds", "format": {"type": "text"}},
        {"type": "web_search"},
    ]


def test_strict_is_left_out_with_a_warning_where_it_is_not_taken() -> None:
    ledger = Ledger()
    tools = (WEATHER, Tool("other", strict=True))
    body = render(on=manifest(quirks=("no_strict_tools",)), ledger=ledger, tools=tools)
    assert all("strict" not in tool for tool in body["tools"])
    assert ledger.warnings == ["tool other: strict is not supported by Acme"]


@pytest.mark.parametrize(
    ("option", "value", "sent"),
    [
        ("max_tokens", 50, {"max_output_tokens": 50}),
        ("temperature", 0.5, {"temperature": 0.5}),
        ("top_p", 0.9, {"top_p": 0.9}),
        ("parallel_tool_calls", False, {"parallel_tool_calls": False}),
        ("tool_choice", ToolChoice("required"), {"tool_choice": "required"}),
        ("tool_choice", ToolChoice("tool", "weather"), {"tool_choice": {"type": "function", "name": "weather"}}),
        ("response_format", ResponseFormat("json"), {"text": {"format": {"type": "json_object"}}}),
        (
            "response_format",
            ResponseFormat("json_schema", {"type": "object"}, "pet"),
            {"text": {"format": {"type": "json_schema", "name": "pet", "schema": {"type": "object"}, "strict": True}}},
        ),
    ],
)
def test_options_and_their_wire_forms(option: str, value: Any, sent: dict[str, Any]) -> None:
    plain = render(tools=(WEATHER,))
    body = render(tools=(WEATHER,), options={option: value})
    assert {key: value for key, value in body.items() if key not in plain} == sent
    assert warnings(**{option: value}) == []


@pytest.mark.parametrize("option", ["stop", "seed", "top_k", "frequency_penalty", "presence_penalty"])
def test_options_without_a_form_are_left_out_with_a_warning(option: str) -> None:
    assert render(options={option: 1}) == render()
    assert warnings(**{option: 1}) == [f"{option} is not supported by Acme for this model"]


def test_options_the_manifest_rejects_are_changed_or_left_out_with_a_warning() -> None:
    meek = manifest(tool_choice=("auto",), response_format=("text", "json"))
    assert warnings(meek, tool_choice=ToolChoice("required")) == [
        "tool_choice 'required' is not supported by Acme for this model; auto is sent"
    ]
    assert warnings(meek, tool_choice=ToolChoice("none")) == [
        "tool_choice 'none' is not supported by Acme for this model; the tools are left out"
    ]
    schema = ResponseFormat("json_schema", {})
    assert render(on=meek, options={"response_format": schema})["text"] == {"format": {"type": "json_object"}}
    assert warnings(meek, response_format=schema) == [
        "response_format is sent without its schema, which Acme does not support for this model: put it into the prompt"
    ]


def test_a_tool_choice_without_tools_is_left_out_with_a_warning() -> None:
    ledger = Ledger()
    assert "tool_choice" not in render(ledger=ledger, options={"tool_choice": ToolChoice("auto")})
    assert ledger.warnings == ["tool_choice is left out: the request has no tools"]


def test_extra_joins_last_and_does_not_hide_what_was_requested() -> None:
    body = render(
        options={"response_format": ResponseFormat("json")}, stream=True, extra={"text": {"verbosity": "low"}, "model": "x"}
    )
    assert body["text"] == {"format": {"type": "json_object"}, "verbosity": "low"}
    assert (body["model"], body["stream"]) == ("x", True)


# Thinking


@pytest.mark.parametrize(
    ("asked", "sent", "said"),
    [
        (Reasoning(effort="high"), {"effort": "high"}, []),
        (Reasoning(effort="high", visible=True), {"effort": "high", "summary": "auto"}, []),
        (Reasoning(visible=True), {"summary": "auto"}, []),
        (Reasoning(effort="xhigh"), {"effort": "high"}, ["effort xhigh is sent as high, the nearest this model supports"]),
        (Reasoning(effort="none"), {"effort": "low"}, ["cannot be turned off for this model; its effort is low"]),
        (Reasoning(budget_tokens=9000), {"effort": "medium"}, ["sent as effort medium: this format has no number"]),
    ],
)
def test_reasoning(asked: Reasoning, sent: dict[str, str], said: list[str]) -> None:
    assert render(on=THINKER, options={"reasoning": asked})["reasoning"] == sent
    got = warnings(THINKER, reasoning=asked)
    assert len(got) == len(said)
    assert all(part in sentence for part, sentence in zip(said, got, strict=True))


def test_reasoning_is_left_out_where_the_model_does_not_think() -> None:
    assert "reasoning" not in render(on=manifest(), options={"reasoning": Reasoning(effort="low")})
    assert warnings(manifest(), reasoning=Reasoning(effort="low")) == ["reasoning is not supported by Acme for this model"]


def test_reasoning_is_turned_off_by_the_word_the_manifest_names() -> None:
    rules = {"style": "effort", "efforts": ["low", "high"], "off": "none", "default": "low", "no_sampling": True}
    on = manifest(reasoning=rules)
    body = render(on=on, options={"reasoning": Reasoning(effort="none"), "temperature": 0.2})
    assert (body["reasoning"], body["temperature"]) == ({"effort": "none"}, 0.2)
    assert warnings(on, temperature=0.2) == ["temperature is not supported while the model thinks"]
    quiet = manifest(reasoning={**rules, "default": "none"})
    assert render(on=quiet, options={"temperature": 0.2})["temperature"] == 0.2


def test_a_tool_cannot_be_forced_while_the_model_thinks_where_the_manifest_says_so() -> None:
    on = manifest(reasoning=RULES, quirks=("no_forced_tools_while_thinking",))
    assert render(on=on, tools=(WEATHER,), options={"tool_choice": ToolChoice("required")})["tool_choice"] == "auto"


def test_a_model_that_thinks_keeps_nothing_and_hands_out_its_thoughts() -> None:
    stateless = {"store": False, "include": ["reasoning.encrypted_content"]}
    assert stateless.items() <= render(on=THINKER).items()
    unsaid = manifest(reasoning={"style": "effort"})
    assert stateless.items() <= render(on=unsaid, options={"reasoning": Reasoning(effort="low")}).items()
    assert "store" not in render(on=unsaid)
    never = manifest(reasoning={**RULES, "encrypted": False})
    assert "store" not in render(on=never, options={"reasoning": Reasoning(effort="low")})
    kept = render(on=THINKER, extra={"store": True})
    assert kept["store"] is True
    assert "include" not in kept
