"""Messages and blocks: constructors, properties and errors."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from ailib_sync import Audio, ConfigurationError, Document, Image, Message, MessageRole, Opaque, Text, Thinking, Tool, ToolCall
from ailib_sync.types.media_types import media_type_of
from ailib_sync.types.messages import ToolResult

PNG = b"\x89PNG\r\n\x1a\n"


def test_a_role_equals_its_name() -> None:
    assert MessageRole.USER == "user"
    assert str(MessageRole.TOOL) == "tool"
    assert f"{MessageRole.SYSTEM}" == "system"
    assert Message("assistant", "x").role is MessageRole.ASSISTANT  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("made", "role", "text"),
    [
        (Message.system("s"), MessageRole.SYSTEM, "s"),
        (Message.user("u"), MessageRole.USER, "u"),
        (Message.assistant("a"), MessageRole.ASSISTANT, "a"),
        (Message.assistant(), MessageRole.ASSISTANT, ""),
    ],
)
def test_plain_messages(made: Message, role: MessageRole, text: str) -> None:
    assert (made.role, made.text, made.content) == (role, text, text)
    assert made.blocks == ([Text(text)] if text else [])


@pytest.mark.parametrize(
    ("content", "blocks"),
    [
        (Text("a"), [Text("a")]),
        (["a", Image(url="u")], [Text("a"), Image(url="u")]),
        ((Thinking("t"), "a"), [Thinking("t"), Text("a")]),
        ([], []),
    ],
)
def test_content_becomes_a_list_of_blocks(content: Any, blocks: list[Any]) -> None:
    assert Message.user(content).content == blocks


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: Message("robot", "x"), "role must be one of system, user, assistant, tool, not 'robot'"),  # type: ignore[arg-type]
        (lambda: Message.user(7), "content must be text or a list of blocks, not int"),  # type: ignore[arg-type]
        (lambda: Message.user(["a", {"type": "text"}]), "dict is not a content block"),  # type: ignore[list-item]
        (lambda: Message.user(None), "not NoneType"),  # type: ignore[arg-type]
        (lambda: Image(), "Image: pass either data or url"),
        (lambda: Image("image/png", PNG, "https://x.invalid"), "Image: pass either data or url"),
        (lambda: Image(data=PNG), 'Image: data needs a media_type, such as "image/png"'),
        (lambda: Audio(data=b""), 'Audio: data needs a media_type, such as "audio/wav"'),
        (lambda: Document(data=b""), 'Document: data needs a media_type, such as "application/pdf"'),
        (lambda: Image.from_url("data:image/png;base64,???"), "Image: the data: URL is not base64"),
        (lambda: Image.from_url("data:image/png,abc"), "Image: the data: URL is not base64"),
        (lambda: Tool(""), "Tool: name must be a non-empty string"),
        (lambda: Tool("f", parameters=[]), "Tool f: parameters must be a JSON Schema as a dict"),  # type: ignore[arg-type]
    ],
)
def test_invalid_values_are_errors(make: Any, message: str) -> None:
    with pytest.raises(ConfigurationError, match=message):
        make()


def test_tool_calls_follow_the_text_of_an_assistant() -> None:
    call = ToolCall("1", "f")
    assert Message.assistant("Looking", [call]).blocks == [Text("Looking"), call]
    assert Message.assistant("", [call]).blocks == [call]
    assert Message.assistant([Thinking("t")], [call]).blocks == [Thinking("t"), call]
    assert Message.assistant([Thinking("t")], [call]).tool_calls == [call]


def test_a_tool_message_has_one_result() -> None:
    message = Message.tool("1", "rain", name="weather", is_error=True)
    assert message.role is MessageRole.TOOL
    assert message.blocks == [ToolResult("1", "rain", "weather", True)]


def test_text_joins_the_text_blocks_only() -> None:
    message = Message.assistant([Thinking("hm"), Text("a"), Opaque({"type": "x"}), Text("b"), ToolCall("1", "f")])
    assert message.text == "ab"
    assert ToolResult("1", [Text("a"), Image(url="u"), Text("b")]).text == "ab"


def test_empty_text_is_no_block() -> None:
    assert Message.user("").blocks == []
    assert Message.user("").tool_calls == []


@pytest.mark.parametrize("kind", [Image, Audio, Document])
def test_media_from_bytes_urls_and_data_urls(kind: Any) -> None:
    assert kind.from_bytes(bytearray(PNG), "image/png") == kind("image/png", PNG)
    assert kind.from_url("https://x.invalid/a.png") == kind(url="https://x.invalid/a.png")
    assert kind.from_url("https://x.invalid/a", "image/png").media_type == "image/png"
    assert kind.from_url("data:image/png;base64,iVBORw0KGgo=") == kind("image/png", PNG)
    assert kind(url="data:image/png;base64,iVBORw0KGgo=") == kind("image/png", PNG)
    assert kind.from_url("data:;base64,iVBORw0KGgo=", "image/png") == kind("image/png", PNG)


def test_media_as_base64_or_url() -> None:
    image = Image("image/png", PNG)
    assert image.base64() == "iVBORw0KGgo="
    assert image.data_url() == "data:image/png;base64,iVBORw0KGgo="
    assert Image(url="https://x.invalid/a.png").data_url() == "https://x.invalid/a.png"
    assert Audio("audio/wav; rate=8000", b"").format() == "wav"
    assert Image(url="u").format() == ""


def test_the_media_type_of_a_file_is_that_of_its_content_or_its_name(tmp_path: Path) -> None:
    path = tmp_path / "a.png"
    path.write_bytes(PNG)
    misnamed = tmp_path / "a.jpg"
    misnamed.write_bytes(PNG)
    assert Image.from_path(misnamed).media_type == "image/png"
    assert Image.from_path(path) == Image("image/png", PNG)
    assert Image.from_path(str(path), "image/x-odd") == Image("image/x-odd", PNG)
    unknown = tmp_path / "a.unknown-thing"
    unknown.write_bytes(b"?")
    with pytest.raises(ConfigurationError, match=r"no media type is known for .*; pass media_type="):
        Image.from_path(unknown)
    with pytest.raises(FileNotFoundError):
        Image.from_path(tmp_path / "none.png")


def test_defaults_are_not_shared() -> None:
    first, second = Message.user("a"), Message.user("b")
    first.extra["name"] = "x"
    assert second.extra == {}
    assert Tool("a").parameters is not Tool("b").parameters


def test_a_tool_has_the_name_of_its_function_or_the_given_one() -> None:
    def look(city: str, days: int = 1) -> str:
        """Looks at the sky,
        and reports.

        More text.
        """
        return city * days

    tool = Tool.from_function(look)
    assert (tool.name, tool.description, tool.strict) == ("look", "Looks at the sky, and reports.", None)
    assert tool.parameters["required"] == ["city"]
    assert Tool.from_function(look, name="see", strict=True).name == "see"
    assert Tool.from_function(lambda: None, name="f").description == ""


@pytest.mark.parametrize(
    ("data", "media_type"),
    [
        (b"\0\0\0\x18ftypheic", "image/heic"),
        (b"\0\0\0\x18ftypM4A ", "audio/mp4"),
        (b"\0\0\0\x18ftypisom", "video/mp4"),
        (b"\xff\xfb\x90d", "audio/mpeg"),
        (b"II*\0", "image/tiff"),
        (b"RIFF\0\0\0\0WEBP", "image/webp"),
        (b"RIFF\0\0\0\0AVI ", None),
        (b"text", None),
    ],
)
def test_the_beginning_of_content_shows_its_type(data: bytes, media_type: str | None) -> None:
    assert media_type_of(data) == media_type
