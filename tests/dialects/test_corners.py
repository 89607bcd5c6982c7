"""Requests that few programs make, in every dialect: they give an error or a warning, or are sent."""

from __future__ import annotations

from typing import Any

import pytest

from ailib_sync.dialects.dialect import NAMES, find
from ailib_sync.errors import ConfigurationError
from ailib_sync.registry.manifest import Manifest
from ailib_sync.types.messages import Message, MessageRole, Opaque, Text, Thinking, ToolResult
from ailib_sync.types.request import OPTIONS, Ledger, Reasoning, ToolChoice
from ailib_sync.types.tools import Tool, ToolCall
from tests.chat_values import chat_request


def render(dialect: str, *messages: Message, manifest: dict[str, Any] | None = None, **request: Any) -> tuple[Any, Ledger]:
    ledger = Ledger()
    described = Manifest("acme", "Acme", dialect, "https://api.acme.invalid", **(manifest or {}))
    body = find(dialect).chat.render(chat_request("m-1", messages or (Message.user("x"),), **request), described, ledger)
    return body, ledger


def test_an_unknown_dialect_names_the_known_ones() -> None:
    with pytest.raises(ConfigurationError, match="unknown dialect 'morse'; the dialects are openai_chat, anthropic_messages"):
        find("morse")


@pytest.mark.parametrize("dialect", NAMES)
def test_an_option_that_the_manifest_removes_is_omitted_with_a_warning(dialect: str) -> None:
    """Tool choice too, which is different in each format."""
    none: dict[str, Any] = {"parameters": {"tool_choice": None, "temperature": None}}
    options = {"tool_choice": ToolChoice("required"), "temperature": 0.5}
    body, ledger = render(dialect, manifest=none, tools=(Tool("f"),), options=options)
    plain, _ = render(dialect, manifest=none, tools=(Tool("f"),))
    assert body == plain
    assert sorted(warning.split()[0] for warning in ledger.warnings) == ["temperature", "tool_choice"]


@pytest.mark.parametrize("dialect", NAMES)
def test_a_choice_of_none_omits_the_tools_or_gives_a_warning(dialect: str) -> None:
    """Without `none`, omitting the tools has the same effect; if they must be sent, there is a warning."""
    options = {"tool_choice": ToolChoice("none")}
    body, ledger = render(dialect, manifest={"tool_choice": ("auto",)}, tools=(Tool("my_tool"),), options=options)
    warned = any(warning.startswith("tool_choice ") for warning in ledger.warnings)
    assert warned or "my_tool" not in str(body)


@pytest.mark.parametrize("dialect", NAMES)
def test_a_tool_result_in_a_user_message_is_sent_with_the_other_blocks(dialect: str) -> None:
    """It should be a message of its own, but histories of other libraries have such messages."""
    turn = Message.assistant("", [ToolCall("call_1", "f", {})])
    mixed = Message(MessageRole.USER, [Text("Here:"), ToolResult("call_1", "RESULT", name="f"), Text("Go on.")])
    body, _ = render(dialect, Message.user("x"), turn, mixed)
    assert [word for word in ("Here:", "RESULT", "Go on.") if word not in str(body)] == []


@pytest.mark.parametrize("dialect", NAMES)
def test_a_block_of_another_provider_is_not_sent(dialect: str) -> None:
    blocks = [Opaque({"type": "secret_search"}), Thinking("hm", "sig-1"), Text("Hello")]
    foreign = Message(MessageRole.ASSISTANT, blocks, origin="other")
    body, _ = render(dialect, Message.user("x"), foreign, Message.user("y"))
    assert "Hello" in str(body)
    assert "secret_search" not in str(body)
    assert "sig-1" not in str(body)


@pytest.mark.parametrize("dialect", [name for name in NAMES if name != "openai_chat"])
def test_a_block_of_the_same_provider_is_sent_back(dialect: str) -> None:
    data = {"toolUse": {"x": 1}} if dialect == "bedrock_converse" else {"type": "own_search", "id": "s-1"}
    own = Message(MessageRole.ASSISTANT, [Opaque(data), Text("Hello")], origin=dialect)
    body, _ = render(dialect, Message.user("x"), own, Message.user("y"))
    assert (data in _values(body)) == (dialect not in ("ollama_chat",))


def _values(value: Any) -> list[Any]:
    inner = list(value.values()) if isinstance(value, dict) else value if isinstance(value, list) else []
    return [value, *(found for item in inner for found in _values(item))]


def test_the_name_of_an_author_is_sent_in_openais_format() -> None:
    message = Message(MessageRole.ASSISTANT, "Hello", name="ann")
    body, _ = render("openai_chat", Message.user("x"), message, Message(MessageRole.USER, "y", name="bob"))
    assert [entry.get("name") for entry in body["messages"]] == [None, "ann", "bob"]


@pytest.mark.parametrize(
    ("dialect", "style"), [("openai_responses", "effort"), ("bedrock_converse", "effort"), ("openai_chat", "effort")]
)
def test_an_effort_without_a_nearest_one_is_omitted_with_a_warning(dialect: str, style: str) -> None:
    rules = {"reasoning": {"style": style, "efforts": ["turbo"]}}
    body, ledger = render(dialect, manifest=rules, options={"reasoning": Reasoning("high")})
    assert "turbo" not in str(body)
    assert [warning.split()[0].partition(".")[0] for warning in ledger.warnings] == ["reasoning"]


def test_sampling_is_omitted_while_an_anthropic_model_thinks() -> None:
    rules = {"reasoning": {"style": "budget", "no_sampling": True}, "defaults": {"max_tokens": 8000}}
    options = {"reasoning": Reasoning(budget_tokens=2000), "temperature": 0.5, "top_k": 3}
    body, ledger = render("anthropic_messages", manifest=rules, options=options)
    assert body["thinking"]["budget_tokens"] == 2000
    assert not {"temperature", "top_k"} & set(body)
    assert sorted(warning.split()[0] for warning in ledger.warnings) == ["temperature", "top_k"]


@pytest.mark.parametrize("dialect", NAMES)
def test_a_model_that_thinks_keeps_the_one_temperature_it_supports(dialect: str) -> None:
    """One rule for every dialect: 1 is sent, another value is omitted with a warning."""
    style = {"gemini_generate": "budget", "ollama_chat": "think", "cohere_chat": "budget"}.get(dialect, "effort")
    rules = {"reasoning": {"style": style, "efforts": ["low", "high"], "default": "low", "off": "none", "no_sampling": True}}
    for options, warnings in (
        ({"temperature": 1.0, "top_p": 1}, []),
        ({"temperature": 0.5, "top_p": 0.9}, ["temperature", "top_p"]),
    ):
        for reasoning in (None, Reasoning("high")):
            body, ledger = render(dialect, manifest=rules, options={**options, "reasoning": reasoning})
            found = [entry for entry in ledger.entries if entry.option in options and entry.action != "dropped"]
            assert len(found) == len(options) - len(warnings)
            assert [warning.split()[0] for warning in ledger.warnings if not warning.startswith("reasoning")] == warnings
            assert (1.0 in _values(body)) == (not warnings)
    _, ledger = render(dialect, manifest=rules, options={"temperature": 0.5, "reasoning": Reasoning("none")})
    assert not [warning for warning in ledger.warnings if warning.startswith("temperature")]


@pytest.mark.parametrize("dialect", ["anthropic_messages", "bedrock_converse"])
def test_sampling_is_sent_if_max_tokens_leaves_no_thinking(dialect: str) -> None:
    """max_tokens counts thinking too, so a small one switches thinking off."""
    rules = {"reasoning": {"style": "budget", "budget": [1024, None], "off": "disabled", "no_sampling": True}}
    options = {"reasoning": Reasoning("low"), "temperature": 0.5, "max_tokens": 1024}
    body, ledger = render(dialect, manifest=rules, options=options)
    assert 0.5 in _values(body)
    assert [warning.split()[0] for warning in ledger.warnings] == ["reasoning"]


#: (requested mode, supported modes, what the warning names; "" = no warning).
CHOICES = [
    ("tool", ("auto", "required"), "required is sent"),
    ("tool", ("auto",), "auto is sent"),
    ("required", ("auto", "tool"), "auto is sent"),
    ("required", (), "'required' is not supported by Acme for this model"),
    ("auto", ("auto",), ""),
    ("none", ("auto",), "the tools are left out"),
]


@pytest.mark.parametrize("dialect", [name for name in NAMES if name != "ollama_chat"])
@pytest.mark.parametrize(("mode", "supported", "warning"), CHOICES)
def test_every_dialect_sends_the_nearest_tool_choice(dialect: str, mode: Any, supported: tuple[str, ...], warning: str) -> None:
    choice = ToolChoice(mode, "f" if mode == "tool" else None)
    body, ledger = render(
        dialect, manifest={"tool_choice": supported}, tools=(Tool("my_tool"), Tool("f")), options={"tool_choice": choice}
    )
    assert ("my_tool" in str(body)) == (mode != "none")
    if dialect == "bedrock_converse" and mode == "none":  # has no word for it: the tools are omitted
        assert ledger.warnings == []
    else:
        assert [warning in sentence for sentence in ledger.warnings] == ([True] if warning else [])


def test_every_option_has_a_name_in_some_format_and_no_format_has_another() -> None:
    tables = [find(name).chat.parameters for name in NAMES]
    assert set().union(*tables) == set(OPTIONS)
    assert all(name for table in tables for name in table.values())
