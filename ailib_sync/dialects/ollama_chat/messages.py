"""Messages → the `messages` of a request to Ollama.

https://docs.ollama.com/api/chat. A message is one string, and a list of images. A tool result has the name of its tool, and the
id of its call if Ollama sent one.
"""

from __future__ import annotations

from zlib import crc32

from ...errors import ConfigurationError
from ...types.messages import Audio, Document, Image, Opaque, Text, Thinking, ToolResult
from ...types.tools import ToolCall
from ..tools import GENERATED_ID

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable
    from typing import Any

    from ...types.messages import Block, Message

NAME = "ollama_chat"


def generated_id(created_at: object, index: int) -> str:
    """The id of a call that has none. `created_at`, the response's time, keeps the ids of different responses apart."""
    return f"{GENERATED_ID}{crc32(str(created_at).encode('utf-8', 'replace')):08x}_{index}"


def render_messages(messages: Iterable[Message]) -> list[dict[str, Any]]:
    """The entries, in order. Each tool result is an entry of its own, before the rest of its message."""
    entries: list[dict[str, Any]] = []
    names: dict[str, str] = {}
    for message in messages:
        own = message.origin in (None, NAME)
        names.update((call.id, call.name) for call in message.tool_calls)
        rest = []
        for block in message.blocks:
            if isinstance(block, ToolResult):
                entries.append(_render_result(block, names))
            else:
                rest.append(block)
        if rest or not message.blocks:
            entries.append({"role": str(message.role), **_render_blocks(rest, own), **(message.extra if own else {})})
    return entries


def _render_blocks(blocks: Iterable[Block], own: bool) -> dict[str, Any]:
    fields: dict[str, Any] = {"content": ""}
    calls: list[dict[str, Any]] = []
    images: list[str] = []
    thinking = ""
    for block in blocks:
        if isinstance(block, Text):
            fields["content"] += block.text
        elif isinstance(block, Image):
            images.append(_render_image(block))
        elif isinstance(block, Thinking):
            thinking += block.text
        elif isinstance(block, ToolCall):
            calls.append(_render_call(block, own))
        elif isinstance(block, (Audio, Document)):
            raise ConfigurationError(f"{type(block).__name__}: Ollama's chat API only supports text and images")
        elif isinstance(block, Opaque) and own:
            fields.update(block.data)
    if thinking and own:
        fields["thinking"] = thinking
    if images:
        fields["images"] = images
    if calls:
        fields["tool_calls"] = calls
    return fields


def _render_image(block: Image) -> str:
    if block.data is None:
        raise ConfigurationError("Image: Ollama does not fetch URLs; read the data and use Image.from_bytes(…)")
    return block.base64()


def _render_call(call: ToolCall, own: bool) -> dict[str, Any]:
    # `arguments` must be an object. Text that is not JSON is put into one.
    arguments = call.arguments
    if arguments is None:
        arguments = {"INVALID_JSON": call.arguments_raw} if call.arguments_raw else {}
    entry: dict[str, Any] = {"function": {"name": call.name, "arguments": arguments}}
    if call.id and not call.id.startswith(GENERATED_ID):
        entry["id"] = call.id
    return {**entry, **(call.extra if own else {})}


def _render_result(result: ToolResult, names: dict[str, str]) -> dict[str, Any]:
    blocks = [Text(result.content)] if isinstance(result.content, str) else result.content
    entry = {"role": "tool", **_render_blocks(blocks, True)}
    name = result.name or names.get(result.tool_call_id)
    if name:
        entry["tool_name"] = name
    if result.tool_call_id and not result.tool_call_id.startswith(GENERATED_ID):
        entry["tool_call_id"] = result.tool_call_id
    return {**entry, **result.extra}
