"""Messages and their content blocks. Values only: nothing here opens a URL or knows a provider."""

from __future__ import annotations

from enum import Enum

from .._dataclass import dataclass, field
from ..errors import ConfigurationError
from .json_values import parse_data_url
from .tools import ToolCall

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from os import PathLike
    from typing import Any, TypeAlias


class MessageRole(str, Enum):
    """The author of a message. Also a `str`: `"user" == MessageRole.USER`."""

    SYSTEM = "system"
    USER = "user"
    ASSISTANT = "assistant"
    TOOL = "tool"

    def __str__(self) -> str:
        return self.value


@dataclass(slots=True)
class Text:
    """Plain text.

    `cache` marks the end of a prompt prefix that the provider may cache: True, or a lifetime (`5m`, `1h`). The fields of
    `extra` are merged into the provider's block unchanged. Under the name of a dialect or a provider, they are for that one
    only: `{"anthropic_messages": {"citations": {…}}}`. All blocks that a caller sends have both.
    """

    text: str
    extra: dict[str, Any] = field(default_factory=dict)
    cache: bool | str = False


@dataclass(slots=True)
class _Media:
    """Bytes or a URL: exactly one of `data` (raw bytes) and `url` is set. A base64 `data:` URL is decoded into `data`. Other
    URLs are sent to the provider, never opened here."""

    media_type: str | None = None
    data: bytes | None = None
    url: str | None = None
    extra: dict[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if (self.data is None) == (self.url is None):
            raise ConfigurationError(f"{type(self).__name__}: pass either data or url")
        if self.url is not None:
            self._decode_data_url(self.url)
        if self.data is not None and not self.media_type:
            raise ConfigurationError(f"{type(self).__name__}: data needs a media_type, such as {self._example()}")
        if self.media_type:
            from .media_types import standard_name

            self.media_type = standard_name(self.media_type)

    def _decode_data_url(self, url: str) -> None:
        """Replaces a base64 `data:` URL by its bytes."""
        try:
            found = parse_data_url(url, base64_only=True)
        except ValueError as error:
            raise ConfigurationError(f"{type(self).__name__}: {error}") from None
        if found is not None:
            media_type, self.data = found
            self.url = None
            self.media_type = self.media_type or media_type

    def base64(self) -> str:
        """The data as base64 text (RFC 4648, section 4), without line breaks."""
        from binascii import b2a_base64

        assert self.data is not None
        return b2a_base64(self.data, newline=False).decode("ascii")

    def data_url(self) -> str:
        """`data:<media type>;base64,…` for bytes, otherwise the URL."""
        return self.url if self.url is not None else f"data:{self.media_type};base64,{self.base64()}"

    def format(self) -> str:
        """The subtype of the media type (`png`, `mpeg`), without parameters."""
        return (self.media_type or "").partition("/")[2].partition(";")[0]

    @classmethod
    def _example(cls) -> str:
        return '"application/octet-stream"'

    @classmethod
    def from_url(cls, url: str, media_type: str | None = None) -> Any:
        """A block with a URL, which the provider opens."""
        return cls(media_type=media_type, url=url)

    @classmethod
    def from_bytes(cls, data: bytes, media_type: str) -> Any:
        """A block with the bytes themselves."""
        return cls(media_type=media_type, data=bytes(data))

    @classmethod
    def from_path(cls, path: str | PathLike[str], media_type: str | None = None) -> Any:
        """A block with the bytes of a file. The media type is that of the content, or else of the file's name, unless given."""
        from mimetypes import guess_type
        from pathlib import Path

        from .media_types import media_type_of

        data = Path(path).read_bytes()
        media_type = media_type or media_type_of(data) or guess_type(str(path))[0]
        if not media_type:
            raise ConfigurationError(f"{cls.__name__}.from_path: no media type is known for {path}; pass media_type=")
        return cls(media_type=media_type, data=data)


@dataclass(slots=True)
class Image(_Media):
    """An image. `detail` is `low`, `high` or `auto`, for providers that support it."""

    detail: str | None = None
    cache: bool | str = False

    @classmethod
    def _example(cls) -> str:
        return '"image/png"'


@dataclass(slots=True)
class Audio(_Media):
    """An audio recording."""

    cache: bool | str = False

    @classmethod
    def _example(cls) -> str:
        return '"audio/wav"'


@dataclass(slots=True)
class Document(_Media):
    """A document, usually a PDF. `name` is the file's name; a few providers require it."""

    name: str | None = None
    cache: bool | str = False

    @classmethod
    def _example(cls) -> str:
        return '"application/pdf"'


@dataclass(slots=True)
class Thinking:
    """The model's thinking before its response.

    `signature` and `redacted` are opaque tokens of the provider (`redacted` replaces the text), sent back unchanged. `extra`
    contains other fields that must be sent back with the block.
    """

    text: str = ""
    signature: str | None = None
    redacted: str | None = None
    extra: dict[str, Any] = field(default_factory=dict)


@dataclass(slots=True)
class ToolResult:
    """The result of a tool call. `content` is text or blocks; `name` is the tool's name, which some formats need."""

    tool_call_id: str
    content: str | list[Block] = ""
    name: str | None = None
    is_error: bool = False
    extra: dict[str, Any] = field(default_factory=dict)
    cache: bool | str = False

    @property
    def text(self) -> str:
        """The text blocks of the content, joined."""
        return _text_of(self.content)


@dataclass(slots=True)
class Opaque:
    """A provider-specific block without a common form (a call of a hosted tool, a citation). It is sent back unchanged, to the
    dialect that it came from."""

    data: dict[str, Any]


Block: TypeAlias = "Text | Image | Audio | Document | Thinking | ToolCall | ToolResult | Opaque"
BLOCKS = (Text, Image, Audio, Document, Thinking, ToolCall, ToolResult, Opaque)


def _text_of(content: str | Sequence[Block]) -> str:
    if isinstance(content, str):
        return content
    return "".join(block.text for block in content if isinstance(block, Text))


@dataclass(slots=True)
class Message:
    """One turn. `content` is text or a list of blocks.

    `origin` is the dialect that an assistant message came from: its opaque parts (signatures, `Opaque`, `extra`) are sent back
    to that dialect only. `extra` is merged into the provider's message as that of a block is.
    """

    role: MessageRole
    content: str | list[Block]
    name: str | None = None
    origin: str | None = None
    extra: dict[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        try:
            if self.role.__class__ is not MessageRole:
                self.role = MessageRole(self.role)
        except ValueError:
            allowed = ", ".join(role.value for role in MessageRole)
            raise ConfigurationError(f"Message: role must be one of {allowed}, not {self.role!r}") from None
        if isinstance(self.content, str):
            return
        if isinstance(self.content, BLOCKS):
            self.content = [self.content]
        elif not isinstance(self.content, (list, tuple)):
            raise ConfigurationError(f"Message: content must be text or a list of blocks, not {type(self.content).__name__}")
        self.content = [Text(block) if isinstance(block, str) else block for block in self.content]
        for block in self.content:
            if not isinstance(block, BLOCKS):
                raise ConfigurationError(f"Message: {type(block).__name__} is not a content block")

    @classmethod
    def system(cls, content: str | list[Block]) -> Message:
        return cls(MessageRole.SYSTEM, content)

    @classmethod
    def user(cls, content: str | list[Block]) -> Message:
        return cls(MessageRole.USER, content)

    @classmethod
    def assistant(cls, content: str | list[Block] = "", tool_calls: Sequence[ToolCall] = ()) -> Message:
        """An assistant message; `tool_calls` follow the content."""
        if not tool_calls:
            return cls(MessageRole.ASSISTANT, content)
        blocks: list[Block] = [Text(content)] if isinstance(content, str) and content else list(content or ())
        return cls(MessageRole.ASSISTANT, [*blocks, *tool_calls])

    @classmethod
    def tool(cls, tool_call_id: str, content: str | list[Block], name: str | None = None, is_error: bool = False) -> Message:
        """The result of the tool call with this id."""
        return cls(MessageRole.TOOL, [ToolResult(tool_call_id, content, name, is_error)])

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Message:
        """A message from OpenAI's form, `{"role": …, "content": …}`, with text or a list of parts (`text`, `image_url`, …),
        `tool_calls` and `tool_call_id`. Raises ConfigurationError if the form is wrong."""
        from .openai_messages import message_from_dict

        return message_from_dict(data)

    @property
    def blocks(self) -> list[Block]:
        """The content as blocks, also if it is text; empty text is no block."""
        if isinstance(self.content, str):
            return [Text(self.content)] if self.content else []
        return self.content

    @property
    def text(self) -> str:
        """The text blocks of the content, joined."""
        return _text_of(self.content)

    @property
    def tool_calls(self) -> list[ToolCall]:
        return [block for block in self.blocks if isinstance(block, ToolCall)]
