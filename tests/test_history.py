"""Histories as JSON: a round trip without loss, and errors with the path of the wrong value."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ailib_sync.errors import ConfigurationError
from ailib_sync.types.history import dump_messages, load_messages
from ailib_sync.types.messages import Audio, Document, Image, Message, MessageRole, Opaque, Text, Thinking, ToolResult
from ailib_sync.types.tools import ToolCall

HISTORY = [
    Message.system("You are a tutor."),
    Message.user([Text("Look:"), Image.from_bytes(b"\x00\xff", "image/png"), Document.from_url("https://x.example/a.pdf")]),
    Message(
        MessageRole.ASSISTANT,
        [
            Thinking("hm", "c2ln", extra={"item": {"id": "rs_1"}}),
            Thinking(redacted="gAAA"),
            Text("I will see.", {"phase": "commentary"}),
            ToolCall("call_1", "look", None, '{"at": ', extra={"id": "fc_1"}),
            ToolCall("call_2", "look", {}),
            Opaque({"type": "web_search_call", "data": "x"}),
        ],
        origin="openai_responses",
        extra={"reasoning_details": [{"signature": "s"}]},
    ),
    Message("tool", [ToolResult("call_1", [Text("a"), Image.from_url("https://x.example/b.png")], "look", True)]),
    Message.tool("call_2", "none"),
]


def test_a_history_survives_a_json_round_trip() -> None:
    assert load_messages(json.loads(json.dumps(dump_messages(HISTORY)))) == HISTORY


def test_default_values_are_omitted() -> None:
    assert dump_messages([Message.user("Hi"), Message.user([Image.from_bytes(b"\x00\xff", "image/png")])]) == [
        {"role": "user", "content": "Hi"},
        {"role": "user", "content": [{"type": "image", "media_type": "image/png", "data": "AP8="}]},
    ]
    assert dump_messages([HISTORY[4]]) == [
        {"role": "tool", "content": [{"type": "tool_result", "tool_call_id": "call_2", "content": "none"}]}
    ]


def test_a_dump_is_a_copy() -> None:
    message = Message.user([Text("Hi", {"a": {"b": 1}})])
    data = dump_messages([message])
    loaded = load_messages(data)
    message.content[0].extra["a"]["b"] = 2  # type: ignore[union-attr]
    assert data[0]["content"][0]["extra"] == {"a": {"b": 1}}
    data[0]["content"][0]["extra"]["a"]["b"] = 3
    assert loaded == [Message.user([Text("Hi", {"a": {"b": 1}})])]


def test_a_value_without_json_form_is_an_error() -> None:
    with pytest.raises(ConfigurationError, match=r"Text\.extra contains a set"):
        dump_messages([Message.user([Text("Hi", {"a": {1, 2}})])])


@pytest.mark.parametrize(
    ("data", "message"),
    [
        ("[]", "json.loads first"),
        ({"role": "user"}, "needs a list"),
        ([1], "message 0 must be an object"),
        ([{"role": "user", "content": "Hi"}, {"content": "Hi"}], "message 1: Message needs role, content"),
        ([{"role": "judge", "content": ""}], "role must be one of"),
        ([{"role": "user", "content": 5}], r"message 0.content must be str \| list\[Block\], not int"),
        ([{"role": "user", "content": "", "mood": 1}], "Message has no field 'mood'"),
        ([{"role": "user", "content": [{"type": "smell"}]}], r"content\[0\]: type must be one of text, image"),
        ([{"role": "user", "content": ["Hi"]}], r"content\[0\]: type must be one of"),
        ([{"role": "user", "content": [{"type": "text", "text": 1}]}], r"content\[0\].text must be str, not int"),
        ([{"role": "user", "content": [{"type": "text", "txt": ""}]}], "Text has no field 'txt'"),
        ([{"role": "user", "content": [{"type": "image", "media_type": "image/png", "data": "*"}]}], "not base64"),
        ([{"role": "user", "content": [{"type": "image"}]}], "either data or url"),
        ([{"role": "tool", "content": [{"type": "tool_result"}]}], "ToolResult needs tool_call_id"),
    ],
)
def test_an_error_contains_the_path_of_the_wrong_value(data: Any, message: str) -> None:
    with pytest.raises(ConfigurationError, match=message):
        load_messages(data)


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.text(), inner, max_size=2),
    max_leaves=4,
)
OBJECTS = st.dictionaries(st.text(), VALUES, max_size=2)
MAYBE = st.none() | st.text()


def media(cls: Any, **more: Any) -> st.SearchStrategy[Any]:
    embedded = st.builds(cls, media_type=st.text(min_size=1), data=st.binary(), extra=OBJECTS, **more)
    return embedded | st.builds(cls, media_type=MAYBE, url=st.text(), extra=OBJECTS, **more)


SIMPLE = st.one_of(
    st.builds(Text, st.text(), OBJECTS),
    media(Image, detail=MAYBE),
    media(Audio),
    media(Document, name=MAYBE),
    st.builds(Thinking, st.text(), MAYBE, MAYBE, OBJECTS),
    st.builds(ToolCall, st.text(), st.text(), st.none() | OBJECTS, MAYBE, MAYBE, OBJECTS),
    st.builds(Opaque, OBJECTS),
)
BLOCKS = SIMPLE | st.builds(ToolResult, st.text(), st.text() | st.lists(SIMPLE, max_size=2), MAYBE, st.booleans(), OBJECTS)
MESSAGES = st.builds(Message, st.sampled_from(MessageRole), st.text() | st.lists(BLOCKS, max_size=3), MAYBE, MAYBE, OBJECTS)


@given(st.lists(MESSAGES, max_size=3))
def test_any_history_survives_a_json_round_trip(history: list[Message]) -> None:
    assert load_messages(json.loads(json.dumps(dump_messages(history)))) == history
