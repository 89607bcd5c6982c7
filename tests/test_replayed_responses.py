"""A provider's own response, appended to the history as README says, never makes the next request fail."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest

from ailib_sync import AiClient, Message, ProtocolError, Thinking, Tool, ToolCall
from ailib_sync.dialects.dialect import NAMES, find
from ailib_sync.dialects.snapshots import merged
from ailib_sync.registry.manifest import Manifest
from ailib_sync.types.openai_messages import message_to_dict

from . import chat_values
from .scripted import Pool

SENDABLE = re.compile(r"[a-zA-Z0-9_-]{1,64}")


def body_of(model: str, *messages: Any, tools: tuple[Tool, ...] = (), **options: Any) -> Any:
    client = AiClient(model, api_key="k", http=Pool(), **options)
    return client.chat().messages(messages).tools(*tools).explain().body


def parse_body(dialect: str, body: Any) -> Any:
    return chat_values.parse_body(find(dialect), body, Manifest.load("embedded").for_dialect(dialect))


def names_in(value: Any) -> list[str]:
    """The names of all calls in a body, in any format."""
    if isinstance(value, list):
        return [name for item in value for name in names_in(item)]
    if not isinstance(value, dict):
        return []
    found = []
    for key in ("toolUse", "function", "functionCall", "functionResponse"):
        if isinstance(value.get(key), dict):
            found.append(value[key]["name"])
    if value.get("type") in ("tool_use", "function_call"):
        found.append(value["name"])
    return found + [name for item in value.values() for name in names_in(item)]


@pytest.mark.parametrize("dialect", [name for name in NAMES if name != "ollama_chat"])
@pytest.mark.parametrize("name", ["browser.tabs.open", "$lookup", "x" * 140, "", "größe", "a b"])
def test_a_name_that_the_service_rejects_is_changed(dialect: str, name: str) -> None:
    call = Message.assistant("", [ToolCall("t1", name, {})])
    history = [Message.user("Hi"), call, Message.tool("t1", "no such tool"), Message.user("Go on")]
    body = body_of(f"embedded/echo?dialect={dialect}", *history, tools=(Tool("open_tab"),))
    sent = names_in(body.get("messages") or body.get("contents") or body.get("input"))
    assert sent
    assert all(SENDABLE.fullmatch(each) for each in sent)
    assert call.tool_calls[0].name == name  # the caller's message is not changed


def test_the_name_of_a_declared_tool_stays() -> None:
    history = [Message.user("Hi"), Message.assistant("", [ToolCall("t1", "files.read", {})]), Message.tool("t1", "x")]
    body = body_of("vllm/m", *history, tools=(Tool("files.read"),))
    assert names_in(body["messages"]) == ["files.read"]


@pytest.mark.parametrize("container", [{"id": "container_1", "expires_at": "2026-12-01T00:00:00Z"}, None, "odd"])
def test_the_container_of_the_last_response_is_named_again(container: Any) -> None:
    first = Message("assistant", "a", origin="anthropic_messages", extra={"container": {"id": "older"}})
    last = Message("assistant", "b", origin="anthropic_messages", extra={} if container is None else {"container": container})
    body = body_of("anthropic/claude-opus-4-8", Message.user("1"), first, Message.user("2"), last, Message.user("3"))
    assert body.get("container") == {"odd": None}.get(str(container), "older" if container is None else "container_1")
    foreign = Message("assistant", "b", origin="openai_chat", extra={"container": container})
    assert "container" not in body_of("anthropic/claude-opus-4-8", Message.user("1"), foreign, Message.user("2"))


def test_thinking_that_was_cut_is_not_sent_to_a_host_that_signs() -> None:
    cut = Message("assistant", [Thinking("Let me see", "")], origin="anthropic_messages")
    body = body_of("anthropic/claude-sonnet-4-5", Message.user("1"), cut, Message.user("2"))
    assert [turn["role"] for turn in body["messages"]] == ["user"]
    kept = body_of("moonshot/kimi?dialect=anthropic_messages", Message.user("1"), cut, Message.user("2"))
    assert kept["messages"][1]["content"][0]["thinking"] == "Let me see"


def test_a_lone_thought_of_responses_is_not_sent() -> None:
    item = {"id": "rs_1", "type": "reasoning", "summary": [], "encrypted_content": "ENC"}
    thought = Thinking("", extra={"item": item})
    lone = Message("assistant", [thought], origin="openai_responses")
    model = "openai/gpt-5.5?dialect=openai_responses"
    sent = body_of(model, Message.user("1"), lone, Message.user("2"))["input"]
    assert [item.get("type") for item in sent] == ["message", "message"]
    called = Message("assistant", [thought, ToolCall("c1", "f", {})], origin="openai_responses")
    sent = body_of(model, Message.user("1"), called, Message.tool("c1", "r"))["input"]
    assert [item.get("type") for item in sent] == ["message", "reasoning", "function_call", "function_call_output"]


def test_turns_are_in_an_order_that_the_host_accepts() -> None:
    call = Message.assistant("", [ToolCall("abcdefghi", "f", {})])
    history = [Message.user("1"), call, Message.tool("abcdefghi", "cancelled"), Message.user("stop"), Message.assistant("")]
    roles = [entry["role"] for entry in body_of("mistral/mistral-large-latest", *history, Message.user("2"))["messages"]]
    assert roles == ["user", "assistant", "tool", "assistant", "user", "user"]
    assert [entry["role"] for entry in body_of("openai/gpt-4o", *history)["messages"]][3:] == ["user", "assistant"]


def test_histories_in_openais_form_keep_everything_of_a_call() -> None:
    call = {
        "id": "call_1",
        "type": "function",
        "function": {"name": "f", "arguments": "{}"},
        "extra_content": {"google": {"thought_signature": "SIG"}},
    }
    custom = {"id": "call_2", "type": "custom", "custom": {"name": "sql", "input": "select 1"}}
    history = [
        {"role": "user", "content": "x"},
        {"role": "assistant", "content": None, "tool_calls": [call, custom]},
        {"role": "tool", "tool_call_id": "call_1", "content": "1"},
        {"role": "tool", "tool_call_id": "call_2", "content": "2"},
    ]
    assert body_of("gemini/gemini-3-flash?dialect=openai_chat", *history)["messages"][1]["tool_calls"] == [call, custom]
    assert message_to_dict(Message.from_dict(history[1]))["tool_calls"] == [call, custom]


@pytest.mark.parametrize(
    ("arguments", "parsed", "raw"),
    [
        ('{"city": "Rome"}', {"city": "Rome"}, '{"city": "Rome"}'),
        ('{"city": ', None, '{"city": '),
        (["Rome"], None, '["Rome"]'),
        (7, None, "7"),
        ({"a": 1}, {"a": 1}, None),
        (None, {}, None),
    ],
)
def test_arguments_that_are_no_object_are_not_lost(arguments: Any, parsed: Any, raw: Any) -> None:
    call = {"function": {"name": "f", "arguments": arguments}}
    message = {"role": "assistant", "content": "", "tool_calls": [call]}
    body = {"model": "m", "done": True, "done_reason": "stop", "message": message}
    (read,) = parse_body("ollama_chat", body).tool_calls
    assert (read.arguments, read.arguments_raw) == (parsed, raw)


@pytest.mark.parametrize(
    ("choice", "text"),
    [
        ({"messages": [{"role": "tool", "content": "x"}, {"role": "assistant", "content": "Rome"}]}, "Rome"),
        ({"text": "Rome"}, "Rome"),
        ({"message": None}, None),
        ({"messages": []}, None),
        ({}, None),
    ],
)
def test_a_choice_without_a_message_is_no_success(choice: Any, text: str | None) -> None:
    body = {"id": "x", "choices": [{"index": 0, "finish_reason": "stop", **choice}]}
    if text is None:
        with pytest.raises(ProtocolError, match="no choice with a message"):
            parse_body("openai_chat", body)
    else:
        assert parse_body("openai_chat", body).content == text


def test_later_counts_take_nothing_back() -> None:
    first = {"prompt_tokens": 100, "details": {"cached": 80, "audio": 0}, "extra": None}
    assert merged(first, {"prompt_tokens": 0, "details": {"cached": None}}) == first
    assert merged(first, {"prompt_tokens": 120, "details": {"audio": 3}, "extra": 1}) == {
        "prompt_tokens": 120, "details": {"cached": 80, "audio": 3}, "extra": 1,
    }  # fmt: skip
    assert merged({}, first) == first
    assert json.dumps(first)  # not changed
