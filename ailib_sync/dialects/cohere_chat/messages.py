"""Messages → the `messages` of a request to Cohere.

https://docs.cohere.com/reference/chat
"""

from __future__ import annotations

import json

from ...errors import ConfigurationError
from ...types.json_values import parse_arguments
from ...types.messages import Image, MessageRole, Opaque, Text, Thinking, ToolResult
from ...types.tools import ToolCall
from .reasoning import render_thinking

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from typing import Any

    from ...registry.manifest import Manifest
    from ...types.messages import Block, Message

NAME = "cohere_chat"


def render_messages(messages: Iterable[Message], manifest: Manifest) -> list[dict[str, Any]]:
    return [entry for message in messages for entry in _render_message(message, manifest)]


def _render_message(message: Message, manifest: Manifest) -> Iterator[dict[str, Any]]:
    """One entry, or several: each tool result is an entry of its own."""
    own = message.origin in (None, NAME)
    extra = message.extra if own else {}
    if message.role == MessageRole.ASSISTANT:
        fields = _render_assistant(message, own, manifest)
        if any(fields.values()):  # "invalid request: all elements in history must have a message."
            yield {"role": "assistant", **fields, **extra}
        return
    for block in message.blocks:
        if isinstance(block, ToolResult):
            yield {"role": "tool", "tool_call_id": block.tool_call_id, "content": _render_result(block), **block.extra}
    rest = [block for block in message.blocks if not isinstance(block, ToolResult)]
    if rest or not message.blocks:
        role = "system" if message.role == MessageRole.SYSTEM else "user"
        yield {"role": role, "content": _render_content(rest, own, manifest), **extra}


def _render_assistant(message: Message, own: bool, manifest: Manifest) -> dict[str, Any]:
    """The content and the tool calls of an assistant message. Thinking is only sent if a model of this format wrote it, and the
    model thinks."""
    thinks = message.origin == NAME and manifest.reasoning is not None
    rest = [
        block
        for block in message.blocks
        if not isinstance(block, ToolCall | ToolResult) and (thinks or not isinstance(block, Thinking))
    ]
    calls = [_render_call(call) for call in message.tool_calls]
    fields: dict[str, Any] = {}
    if rest or not calls:
        fields["content"] = _render_content(rest, own, manifest)
    if calls:
        fields["tool_calls"] = calls
    return fields


def _render_call(call: ToolCall) -> dict[str, Any]:
    raw = call.arguments_raw
    parsed = None if raw is None else parse_arguments(raw)
    if raw is not None and parsed is None:
        raw = json.dumps({"INVALID_JSON": raw}, ensure_ascii=False)  # as in the other formats: a request needs an object
    elif not parsed:  # "" in a stream
        raw = json.dumps(call.arguments or {}, ensure_ascii=False)
    return {"id": call.id, "type": "function", "function": {"name": call.name, "arguments": raw}}


def _render_content(blocks: Sequence[Block], own: bool, manifest: Manifest) -> str | list[dict[str, Any]]:
    """One string if the content is one text, otherwise a list of parts."""
    if not blocks:
        return ""
    if len(blocks) == 1 and isinstance(blocks[0], Text) and not (own and blocks[0].extra):
        return blocks[0].text
    return [part for block in blocks if (part := _render_part(block, own, manifest)) is not None]


def _render_part(block: Block, own: bool, manifest: Manifest) -> dict[str, Any] | None:
    if isinstance(block, Text):
        return {"type": "text", "text": block.text, **(block.extra if own else {})}
    if isinstance(block, Thinking):
        return render_thinking(block)
    if isinstance(block, Image):
        detail = {"detail": block.detail} if block.detail else {}
        return {"type": "image_url", "image_url": {"url": block.data_url(), **detail}, **block.extra}
    if isinstance(block, Opaque):
        return block.data if own else None
    raise ConfigurationError(
        f"{manifest.name} does not support {type(block).__name__} in a message, only text and images. "
        'Send the text of documents with extra={"documents": [...]}'
    )


def _render_result(result: ToolResult) -> str | list[dict[str, Any]]:
    """The text of a result, or a list of parts of type text and document (an `Opaque` with the part)."""
    if isinstance(result.content, str):
        return result.content
    parts: list[dict[str, Any]] = []
    for block in result.content:
        if isinstance(block, Text):
            parts.append({"type": "text", "text": block.text, **block.extra})
        elif isinstance(block, Opaque):
            parts.append(block.data)
        else:
            raise ConfigurationError(f"Cohere supports text and documents in a tool result, not {type(block).__name__}")
    return parts if parts else ""
