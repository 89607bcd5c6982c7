"""Messages and content blocks of Bedrock's Converse API, both ways. Options, tools and streams are its neighbours'.

A block is an object with one key (https://docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_ContentBlock.html). What
a block's `extra` holds joins the object behind that key; `cachePoint` (or Anthropic's `cache_control`, which means the same)
becomes the block that follows.
"""

from __future__ import annotations

import re

from ...errors import ConfigurationError
from ...types.messages import Audio, Document, Image, MessageRole, Opaque, Text, Thinking, ToolResult
from ...types.tools import ToolCall

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping
    from typing import Any

    from ...types.messages import Block, Message

NAME = "bedrock_converse"


def render_messages(messages: Iterable[Message], system_in_place: bool) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """(`system`, `messages`). Neighbours of one role become one message: Converse wants user and assistant in turn.

    System messages go to the front, in order; with `system_in_place` only those that open the conversation do.
    """
    system: list[dict[str, Any]] = []
    rendered: list[dict[str, Any]] = []
    taken: set[str] = set()
    for message in messages:
        content = [part for block in message.blocks for part in render_block(block, _is_own(message), taken)]
        if not content:
            continue
        role = _ROLES[message.role]
        if role == "system" and not (system_in_place and rendered):
            system += content
        elif rendered and rendered[-1]["role"] == role:
            rendered[-1]["content"] += content
        else:
            rendered.append({"role": role, "content": content, **(message.extra if _is_own(message) else {})})
    return system, rendered


_ROLES = {
    MessageRole.SYSTEM: "system",
    MessageRole.USER: "user",
    MessageRole.ASSISTANT: "assistant",
    MessageRole.TOOL: "user",
}


def _is_own(message: Message) -> bool:
    return message.origin in (None, NAME)


def render_block(block: Block, own: bool, taken: set[str]) -> list[dict[str, Any]]:
    """The block, and a cache point after it where one is asked for; [] for what cannot go there.

    `own` says that what is opaque in it is this dialect's; `taken` are the document names used so far.
    """
    if isinstance(block, Opaque):
        return [block.data] if own else []
    extra = dict(block.extra) if own else {}
    point = cache_point(extra)
    if isinstance(block, Thinking):
        return _thinking(block, extra) if own else []
    rendered = _RENDER[type(block)](block, extra, taken)
    return rendered + point if rendered else []


def cache_point(extra: dict[str, Any]) -> list[dict[str, Any]]:
    """The block that marks a cache point, taken out of what a block's `extra` holds; [] where it marks none."""
    point = extra.pop("cachePoint", None)
    control = extra.pop("cache_control", None)
    if control and not point:
        point = {"type": "default", **({"ttl": control["ttl"]} if "ttl" in control else {})}
    return [{"cachePoint": point}] if point else []


def _text(block: Text, extra: dict[str, Any], taken: set[str]) -> list[dict[str, Any]]:
    citations = extra.pop("citations", None)
    if citations:
        return [{"citationsContent": {"content": [{"text": block.text}], "citations": citations, **extra}}]
    # "The text field in the ContentBlock object … is blank" is a ValidationException, and white space is blank.
    # https://github.com/boto/botocore/issues/3525
    return [{"text": block.text, **extra}] if block.text.strip() else []


def _thinking(block: Thinking, extra: dict[str, Any]) -> list[dict[str, Any]]:
    """Thoughts go back signed or redacted, else not at all: a model refuses those it cannot prove to be its own."""
    if block.redacted is not None:
        return [{"reasoningContent": {"redactedContent": block.redacted, **extra}}]
    if block.signature:
        return [{"reasoningContent": {"reasoningText": {"text": block.text, "signature": block.signature}, **extra}}]
    return []


def _tool_use(block: ToolCall, extra: dict[str, Any], taken: set[str]) -> list[dict[str, Any]]:
    arguments = block.arguments
    if arguments is None:
        # `input` must be an object. The wrapper for broken JSON is Anthropic's advice, which no other model contradicts:
        # https://platform.claude.com/docs/en/agents-and-tools/tool-use/fine-grained-tool-streaming
        arguments = {"INVALID_JSON": block.arguments_raw} if block.arguments_raw else {}
    return [{"toolUse": {"toolUseId": tool_use_id(block.id), "name": block.name, "input": arguments, **extra}}]


def _tool_result(block: ToolResult, extra: dict[str, Any], taken: set[str]) -> list[dict[str, Any]]:
    blocks = [Text(block.content)] if isinstance(block.content, str) else block.content
    content = [part for inner in blocks for part in render_block(inner, True, taken)]
    # `status` is taken by Claude and Nova only, so it is sent only where it says something.
    status = {"status": "error"} if block.is_error else {}
    return [{"toolResult": {"toolUseId": tool_use_id(block.tool_call_id), "content": content, **status, **extra}}]


def tool_use_id(id: str) -> str:
    """An id Converse takes: at most 64 of [a-zA-Z0-9_.:-]; ids of other providers may be longer and hold more."""
    return re.sub(r"[^a-zA-Z0-9_.:-]", "_", id)[-64:] or "_"


def _image(block: Image, extra: dict[str, Any], taken: set[str]) -> list[dict[str, Any]]:
    return [{"image": {"format": _format(block, IMAGES), "source": _source(block), **extra}}]


def _audio(block: Audio, extra: dict[str, Any], taken: set[str]) -> list[dict[str, Any]]:
    return [{"audio": {"format": _format(block, AUDIO), "source": _source(block), **extra}}]


def _document(block: Document, extra: dict[str, Any], taken: set[str]) -> list[dict[str, Any]]:
    """A document, or a video: messages have no block for one, so it comes as a Document with a `video/` type."""
    if (block.media_type or "").startswith("video/"):
        return [{"video": {"format": _format(block, VIDEO), "source": _source(block), **extra}}]
    name = _document_name(block.name or "document", taken)
    return [{"document": {"format": _format(block, DOCUMENTS), "name": name, "source": _source(block), **extra}}]


def _document_name(wanted: str, taken: set[str]) -> str:
    """A name Converse takes: letters, digits, single spaces, hyphens, brackets, at most 200, and no two alike in a request.

    https://docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_DocumentBlock.html; underscores are not listed
    there and are taken (a recorded request has one). The format says what the extension said.
    """
    stem = re.sub(r"\.[A-Za-z0-9]{1,5}$", "", wanted)
    name = base = " ".join(re.sub(r"[^A-Za-z0-9_\s\-()\[\]]", " ", stem).split())[:190] or "document"
    count = 1
    while name.lower() in taken:
        count += 1
        name = f"{base}-{count}"
    taken.add(name.lower())
    return name


def _source(block: Image | Audio | Document) -> dict[str, Any]:
    if block.data is not None:
        return {"bytes": block.base64()}
    address = block.url or ""
    if address.startswith("s3://"):
        return {"s3Location": {"uri": address}}
    kind = type(block).__name__
    raise ConfigurationError(f"{kind}: Converse takes bytes or an s3:// address; read the data and use {kind}.from_bytes(…)")


def _format(block: Image | Audio | Document, formats: Mapping[str, str]) -> str:
    """The format's name in Converse, by the media type or, for an address without one, by its ending."""
    word = (block.format() or (block.url or "").rpartition(".")[2]).lower()
    known = formats.get(word)
    if known is None and formats is DOCUMENTS and (block.media_type or "").startswith("text/"):
        known = "txt"
    if known is None:
        allowed = ", ".join(dict.fromkeys(formats.values()))
        what = block.media_type or block.url
        raise ConfigurationError(f"{type(block).__name__}: Converse does not take {what}; it takes {allowed}")
    return known


def _formats(same: str, **others: str) -> dict[str, str]:
    return {**{word: word for word in same.split()}, **others}


#: The second half of a media type, or a file's ending → the format's name in Converse.
IMAGES = _formats("png jpeg gif webp", jpg="jpeg")
AUDIO = {
    **_formats("mp3 opus wav aac flac mp4 ogg mkv mka x-aac m4a mpga pcm webm", mpeg="mp3", wave="wav"),
    "x-wav": "wav",
    "vnd.wave": "wav",
    "x-m4a": "m4a",
    "x-flac": "flac",
    "x-matroska": "mka",
}
VIDEO = {
    **_formats("mkv mov mp4 webm flv mpeg mpg wmv three_gp", quicktime="mov"),
    "x-matroska": "mkv",
    "x-flv": "flv",
    "x-ms-wmv": "wmv",
    "3gpp": "three_gp",
    "3gp": "three_gp",
}
DOCUMENTS = {
    **_formats("pdf csv doc docx xls xlsx html txt md", plain="txt", markdown="md", msword="doc", htm="html", json="txt"),
    "x-markdown": "md",
    "vnd.ms-excel": "xls",
    "vnd.openxmlformats-officedocument.wordprocessingml.document": "docx",
    "vnd.openxmlformats-officedocument.spreadsheetml.sheet": "xlsx",
}

_RENDER: Mapping[type, Callable[[Any, dict[str, Any], set[str]], list[dict[str, Any]]]] = {
    Text: _text,
    Image: _image,
    Audio: _audio,
    Document: _document,
    ToolCall: _tool_use,
    ToolResult: _tool_result,
}
