"""Messages in OpenAI's form: parsing, rendering, errors, and that both directions agree."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ailib_sync.errors import ConfigurationError
from ailib_sync.types.messages import Audio, Document, Image, Message, Opaque, Text, Thinking, ToolResult
from ailib_sync.types.openai_messages import message_from_dict, message_to_dict
from ailib_sync.types.tools import ToolCall

CALL = {"id": "call_1", "type": "function", "function": {"name": "look", "arguments": '{"at": 1}'}}


@pytest.mark.parametrize(
    ("data", "message"),
    [
        ({"role": "system", "content": "A"}, Message.system("A")),
        ({"role": "developer", "content": "A"}, Message.system("A")),
        ({"role": "user", "content": "Hi", "name": "Ann"}, Message("user", "Hi", "Ann")),  # type: ignore[arg-type]
        ({"role": "user", "content": ""}, Message.user("")),
        ({"role": "user", "content": ["Hi", {"type": "text", "text": "you"}]}, Message.user([Text("Hi"), Text("you")])),
        ({"role": "assistant", "content": None, "tool_calls": None}, Message.assistant("")),
        ({"role": "assistant", "content": "Hi", "annotations": [], "audio": None}, Message.assistant("Hi")),
        ({"role": "assistant", "content": None, "refusal": "No."}, Message.assistant([Text("No.")])),
        (
            {"role": "assistant", "content": "Wait", "reasoning_content": "hm", "tool_calls": [CALL]},
            Message.assistant([Thinking("hm"), Text("Wait"), ToolCall("call_1", "look", {"at": 1}, '{"at": 1}')]),
        ),
        (
            {"role": "assistant", "tool_calls": [{"id": "c", "function": {"name": "look", "arguments": {"at": 1}}}]},
            Message.assistant([ToolCall("c", "look", {"at": 1})]),
        ),
        (
            {"role": "assistant", "tool_calls": [{"id": "c", "function": {"name": "look", "arguments": '{"at'}}]},
            Message.assistant([ToolCall("c", "look", None, '{"at')]),
        ),
        ({"role": "tool", "tool_call_id": "call_1", "content": "ok"}, Message.tool("call_1", "ok")),
        ({"role": "tool", "tool_call_id": "c", "content": [{"type": "text", "text": "a"}]}, Message.tool("c", [Text("a")])),
        ({"role": "assistant", "content": "So", "prefix": True}, Message("assistant", "So", extra={"prefix": True})),  # type: ignore[arg-type]
    ],
)
def test_parses_messages(data: dict[str, Any], message: Message) -> None:
    assert message_from_dict(data) == message
    assert Message.from_dict(data) == message


@pytest.mark.parametrize(
    ("part", "block"),
    [
        ({"type": "text", "text": "a", "cache_control": {"ttl": "1h"}}, Text("a", {"cache_control": {"ttl": "1h"}})),
        (
            {"type": "image_url", "image_url": {"url": "https://x.example/a.png", "detail": "low"}},
            Image(url="https://x.example/a.png", detail="low"),
        ),
        ({"type": "image_url", "image_url": "https://x.example/a.png"}, Image.from_url("https://x.example/a.png")),
        ({"type": "image_url", "image_url": {"url": "data:image/png;base64,AP8="}}, Image.from_bytes(b"\x00\xff", "image/png")),
        ({"type": "image_url", "image_url": {"url": "DATA:text/plain,a%20b"}}, Image.from_bytes(b"a b", "text/plain")),
        ({"type": "image_url", "image_url": {"url": "data:,a"}}, Image.from_bytes(b"a", "text/plain")),
        ({"type": "input_image", "image_url": "https://x.example/a.png"}, Image.from_url("https://x.example/a.png")),
        ({"type": "input_audio", "input_audio": {"data": "AP8=", "format": "mp3"}}, Audio("audio/mpeg", b"\x00\xff")),
        ({"type": "audio_url", "audio_url": {"url": "https://x.example/a.mp3"}}, Audio.from_url("https://x.example/a.mp3")),
        (
            {"type": "file", "file": {"filename": "a.pdf", "file_data": "data:application/pdf;base64,AP8="}},
            Document("application/pdf", b"\x00\xff", name="a.pdf"),
        ),
        ({"type": "output_text", "text": "a"}, Text("a")),
        ({"type": "refusal", "refusal": "No."}, Text("No.")),
    ],
)
def test_parses_parts(part: dict[str, Any], block: Any) -> None:
    assert message_from_dict({"role": "user", "content": [part]}).content == [block]


@pytest.mark.parametrize(
    ("data", "message"),
    [
        ("Hi", "must be a dict"),
        ({"content": "Hi"}, "needs a role; this one has content"),
        ({}, "this one has no keys"),
        ({"role": "judge", "content": "Hi"}, "role must be one of system, user, assistant, tool, not 'judge'"),
        ({"role": "user"}, "needs content"),
        ({"role": "user", "content": 5}, "must be text or a list of parts, not int"),
        ({"role": "user", "content": [{"type": "imge_url"}]}, r"content\[0\]: type must be one of text, image_url.*'imge_url'"),
        ({"role": "user", "content": [5]}, r"content\[0\]: type"),
        ({"role": "user", "content": [{"type": "text"}]}, r"content\[0\].text must be text"),
        ({"role": "user", "content": [{"type": "image_url", "image_url": {}}]}, "needs a URL"),
        ({"role": "user", "content": [{"type": "image_url", "image_url": "data:image/png;base64"}]}, "comma"),
        ({"role": "user", "content": [{"type": "image_url", "image_url": "data:image/png;base64,*"}]}, "is not base64"),
        ({"role": "user", "content": [{"type": "image_url", "image_url": "data:;base64,é"}]}, "is not base64"),
        ({"role": "user", "content": [{"type": "input_audio", "input_audio": {"data": "AA=="}}]}, "needs a format"),
        ({"role": "user", "content": [{"type": "input_audio", "input_audio": {"data": 5, "format": "wav"}}]}, "not base64"),
        ({"role": "tool", "content": "ok"}, "needs tool_call_id"),
        ({"role": "assistant", "tool_calls": [{}]}, r"tool_calls\[0\] must be"),
        ({"role": "assistant", "tool_calls": [{"function": {"name": "x"}}]}, "needs an id"),
        ({"role": "assistant", "tool_calls": [{"id": "c", "function": {"name": "x", "arguments": 5}}]}, "JSON text or an"),
        ({"role": "assistant", "function_call": {"name": "x"}}, "deprecated"),
    ],
)
def test_an_error_names_the_wrong_value(data: Any, message: str) -> None:
    with pytest.raises(ConfigurationError, match=message):
        message_from_dict(data)


def test_renders_messages() -> None:
    assert message_to_dict(Message.system("A")) == {"role": "system", "content": "A"}
    rendered = message_to_dict(
        Message.assistant([Thinking("hm", "sig"), Text("Wait", {"x": 1}), ToolCall("c", "look", {"at": "Köln"}), Opaque({})])
    )
    assert rendered == {
        "role": "assistant",
        "content": [{"type": "text", "text": "Wait", "x": 1}],
        "reasoning_content": "hm",
        "tool_calls": [{"id": "c", "type": "function", "function": {"name": "look", "arguments": '{"at": "Köln"}'}}],
    }
    assert message_to_dict(Message.assistant(tool_calls=[ToolCall("c", "look", {})]))["content"] is None
    assert message_to_dict(Message.tool("c", [Text("ok")], "look")) == {
        "role": "tool",
        "tool_call_id": "c",
        "content": "ok",
        "name": "look",
    }


def test_a_message_with_several_tool_results_is_an_error() -> None:
    with pytest.raises(ConfigurationError, match="dump_messages"):
        message_to_dict(Message("tool", [ToolResult("a"), ToolResult("b")]))  # type: ignore[arg-type]


MAYBE = st.none() | st.text()
TEXTS = st.builds(Text, st.text())
MEDIA = st.one_of(
    st.builds(Image, st.just("image/png"), st.binary(), detail=st.sampled_from([None, "low", "high"])),
    st.builds(Audio, st.sampled_from(["audio/wav", "audio/mpeg", "audio/flac"]), st.binary()),
    st.builds(Document, st.just("application/pdf"), st.binary(), name=st.sampled_from([None, "a.pdf"])),
    st.builds(Image, url=st.sampled_from(["https://x.example/a.png"])),
    st.builds(Audio, url=st.sampled_from(["https://x.example/a.mp3"])),
    st.builds(Document, url=st.sampled_from(["https://x.example/a.pdf"])),
)
ARGUMENTS = st.dictionaries(st.text(), st.integers() | st.text(), max_size=2)
CALLS = st.builds(lambda id, name, args: ToolCall(id, name, args, json.dumps(args)), st.text(), st.text(), ARGUMENTS)
MESSAGES = st.one_of(
    st.builds(Message.system, st.text()),
    st.builds(Message, st.just("user"), st.lists(TEXTS | MEDIA, min_size=2, max_size=4), st.none() | st.text(min_size=1)),
    st.builds(Message.assistant, st.text(min_size=1)),
    st.builds(Message.assistant, st.lists(TEXTS, min_size=2, max_size=3), st.lists(CALLS, min_size=1, max_size=2)),
    st.builds(Message.tool, st.text(), st.text(), st.none() | st.text(min_size=1)),
)


@given(MESSAGES)
def test_a_rendered_message_parses_to_an_equal_one(message: Message) -> None:
    assert message_from_dict(json.loads(json.dumps(message_to_dict(message)))) == message
