"""Messages and their blocks → `messages` and `system` of Bedrock's Converse API. Values in, JSON values out.

A block is an object with one key (https://docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_ContentBlock.html). The
`extra` of a block is merged into the value of that key. `cachePoint` in it becomes a block of its own after it.
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
    """(`system`, `messages`). Adjacent messages of one role become one message: Converse requires user and assistant in turn.

    System messages are moved to the top, in order; with `system_in_place` only those at the beginning of the conversation.
    """
    system: list[dict[str, Any]] = []
    rendered: list[dict[str, Any]] = []
    names: set[str] = set()
    for message in messages:
        content = [part for block in message.blocks for part in render_block(block, _is_own(message), names)]
        if not content:
            continue
        role = _ROLES[message.role]
        if role == "system" and not (system_in_place and rendered):
            system += content
        elif rendered and rendered[-1]["role"] == role:
            rendered[-1]["content"] += content
        else:
            rendered.append({"role": role, "content": content, **(message.extra if _is_own(message) else {})})
    for turn in rendered:
        _add_text(turn["content"])
    return system, rendered


def _add_text(content: list[dict[str, Any]]) -> None:
    """A text for documents without one: "If you include a document, you must also include a text block".

    https://docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_Message.html
    """
    names = [block["document"]["name"] for block in content if "document" in block]
    if names and not any("text" in block for block in content):
        content.append({"text": f"Documents: {', '.join(names)}"})


_ROLES = {
    MessageRole.SYSTEM: "system",
    MessageRole.USER: "user",
    MessageRole.ASSISTANT: "assistant",
    MessageRole.TOOL: "user",
}


def _is_own(message: Message) -> bool:
    return message.origin in (None, NAME)


def render_block(block: Block, own: bool, names: set[str]) -> list[dict[str, Any]]:
    """The block, and a cache point after it if its `extra` has one; [] for a block that cannot be sent.

    `own`: opaque parts of it belong to this dialect. `names`: the document names used so far.
    """
    if isinstance(block, Opaque):
        return [block.data] if own else []
    extra = dict(block.extra) if own else {}
    point = cache_point(extra)
    if isinstance(block, Thinking):
        return _thinking(block, extra) if own else []
    rendered = _RENDER[type(block)](block, extra, names)
    return rendered + point if rendered else []


def cache_point(extra: dict[str, Any]) -> list[dict[str, Any]]:
    """The cache point that a block's `extra` has, which is removed from it; [] if there is none."""
    point = extra.pop("cachePoint", None)
    return [{"cachePoint": point}] if point else []


def _text(block: Text, extra: dict[str, Any], names: set[str]) -> list[dict[str, Any]]:
    citations = extra.pop("citations", None)
    if citations:
        return [{"citationsContent": {"content": [{"text": block.text}], "citations": citations, **extra}}]
    # A text of white space only is an error: "The text field in the ContentBlock object … is blank".
    # https://github.com/boto/botocore/issues/3525
    return [{"text": block.text, **extra}] if block.text.strip() else []


def _thinking(block: Thinking, extra: dict[str, Any]) -> list[dict[str, Any]]:
    """Thinking is sent back only with a signature or redacted: a model rejects other thinking."""
    if block.redacted is not None:
        return [{"reasoningContent": {"redactedContent": block.redacted, **extra}}]
    if block.signature:
        return [{"reasoningContent": {"reasoningText": {"text": block.text, "signature": block.signature}, **extra}}]
    return []


def _tool_use(block: ToolCall, extra: dict[str, Any], names: set[str]) -> list[dict[str, Any]]:
    arguments = block.arguments
    if arguments is None:
        # `input` must be an object. Anthropic documents this wrapper for invalid JSON:
        # https://platform.claude.com/docs/en/agents-and-tools/tool-use/fine-grained-tool-streaming
        arguments = {"INVALID_JSON": block.arguments_raw} if block.arguments_raw else {}
    return [{"toolUse": {"toolUseId": tool_use_id(block.id), "name": block.name, "input": arguments, **extra}}]


def _tool_result(block: ToolResult, extra: dict[str, Any], names: set[str]) -> list[dict[str, Any]]:
    blocks = [Text(block.content)] if isinstance(block.content, str) else block.content
    content = [part for inner in blocks for part in render_block(inner, True, names)]
    # Only Claude and Nova support `status`, so it is sent only for an error:
    # https://docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_ToolResultBlock.html
    status = {"status": "error"} if block.is_error else {}
    return [{"toolResult": {"toolUseId": tool_use_id(block.tool_call_id), "content": content, **status, **extra}}]


def tool_use_id(id: str) -> str:
    """An id that Converse accepts: at most 64 of [a-zA-Z0-9_.:-]. Ids of other providers may be longer and contain more."""
    return re.sub(r"[^a-zA-Z0-9_.:-]", "_", id)[-64:] or "_"


def _image(block: Image, extra: dict[str, Any], names: set[str]) -> list[dict[str, Any]]:
    return [{"image": {"format": _format(block, IMAGES), "source": _source(block), **extra}}]


def _audio(block: Audio, extra: dict[str, Any], names: set[str]) -> list[dict[str, Any]]:
    return [{"audio": {"format": _format(block, AUDIO), "source": _source(block), **extra}}]


def _document(block: Document, extra: dict[str, Any], names: set[str]) -> list[dict[str, Any]]:
    """A document, or a video: that is a Document with a `video/` media type, because messages have no block for videos."""
    if (block.media_type or "").startswith("video/"):
        return [{"video": {"format": _format(block, VIDEO), "source": _source(block), **extra}}]
    name = _document_name(block.name or "document", names)
    return [{"document": {"format": _format(block, DOCUMENTS), "name": name, "source": _source(block), **extra}}]


def _document_name(given: str, names: set[str]) -> str:
    """A name that Converse accepts: at most 200 letters, digits, single spaces, hyphens and brackets; unique in the request.

    https://docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_DocumentBlock.html. The extension is left out, because
    `format` contains it. Underscores are not listed there, but they are accepted (a recorded request has one).
    """
    stem = re.sub(r"\.[A-Za-z0-9]{1,5}$", "", given)
    name = base = " ".join(re.sub(r"[^A-Za-z0-9_\s\-()\[\]]", " ", stem).split())[:190] or "document"
    count = 1
    while name.lower() in names:
        count += 1
        name = f"{base}-{count}"
    names.add(name.lower())
    return name


def _source(block: Image | Audio | Document) -> dict[str, Any]:
    if block.data is not None:
        return {"bytes": block.base64()}
    url = block.url or ""
    if url.startswith("s3://"):
        return {"s3Location": {"uri": url}}
    kind = type(block).__name__
    raise ConfigurationError(f"{kind}: Converse supports bytes or an s3:// URL; read the data and use {kind}.from_bytes(…)")


def _format(block: Image | Audio | Document, formats: Mapping[str, str]) -> str:
    """The format's name in Converse, from the media type, or from the end of a URL without one."""
    word = (block.format() or (block.url or "").rpartition(".")[2]).lower()
    known = formats.get(word)
    if known is None and formats is DOCUMENTS and (block.media_type or "").startswith("text/"):
        known = "txt"
    if known is None:
        allowed = ", ".join(dict.fromkeys(formats.values()))
        what = block.media_type or block.url
        raise ConfigurationError(f"{type(block).__name__}: Converse does not support {what}; it supports {allowed}")
    return known


def _formats(same: str, **others: str) -> dict[str, str]:
    return {**{word: word for word in same.split()}, **others}


#: The subtype of a media type, or the extension of a file → the format's name in Converse.
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
