"""Messages of Ollama's chat API, going out.

A message is one string, pictures beside it; a tool result names its tool, and its call where Ollama gave that an id.
https://github.com/ollama/ollama/blob/main/docs/api.md#generate-a-chat-completion
"""

from __future__ import annotations

from zlib import crc32

from ...errors import ConfigurationError
from ...types.messages import Audio, Document, Image, Opaque, Text, Thinking, ToolResult
from ...types.tools import ToolCall

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable
    from typing import Any

    from ...types.messages import Block, Message

NAME = "ollama_chat"
#: Begins the ids we give to calls that came without one; such an id is never sent.
OWN_ID = "ailib_"


def own_id(created_at: object, index: int) -> str:
    """An id for a call that came without one; the answer's time of creation keeps those of two answers apart."""
    moment = crc32(str(created_at).encode("utf-8", "replace"))
    return f"{OWN_ID}{moment:08x}_{index}"


def render_messages(messages: Iterable[Message]) -> list[dict[str, Any]]:
    """Each tool result becomes a message of its own, before what else its message says."""
    rendered: list[dict[str, Any]] = []
    names: dict[str, str] = {}
    for message in messages:
        own = message.origin in (None, NAME)
        names.update((call.id, call.name) for call in message.tool_calls)
        rest = []
        for block in message.blocks:
            if isinstance(block, ToolResult):
                rendered.append(_tool_result(block, names))
            else:
                rest.append(block)
        if rest or not message.blocks:
            entry = _message(rest, own)
            rendered.append({"role": str(message.role), **entry, **(message.extra if own else {})})
    return rendered


def _message(blocks: Iterable[Block], own: bool) -> dict[str, Any]:
    said: dict[str, Any] = {"content": ""}
    calls: list[dict[str, Any]] = []
    images: list[str] = []
    thoughts = ""
    for block in blocks:
        if isinstance(block, Text):
            said["content"] += block.text
        elif isinstance(block, Image):
            images.append(_image(block))
        elif isinstance(block, Thinking):
            thoughts += block.text
        elif isinstance(block, ToolCall):
            calls.append(_tool_call(block, own))
        elif isinstance(block, (Audio, Document)):
            raise ConfigurationError(f"{type(block).__name__}: Ollama's chat API takes text and images only")
        elif isinstance(block, Opaque) and own:
            said.update(block.data)
    if thoughts and own:
        said["thinking"] = thoughts
    if images:
        said["images"] = images
    if calls:
        said["tool_calls"] = calls
    return said


def _image(block: Image) -> str:
    if block.data is None:
        raise ConfigurationError("Image: Ollama fetches no addresses; read the data and use Image.from_bytes(…)")
    return block.base64()


def _tool_call(call: ToolCall, own: bool) -> dict[str, Any]:
    # `arguments` must be an object; a text that is none goes in one.
    arguments = call.arguments
    if arguments is None:
        arguments = {"INVALID_JSON": call.arguments_raw} if call.arguments_raw else {}
    entry: dict[str, Any] = {"function": {"name": call.name, "arguments": arguments}}
    if call.id and not call.id.startswith(OWN_ID):
        entry["id"] = call.id
    return {**entry, **(call.extra if own else {})}


def _tool_result(result: ToolResult, names: dict[str, str]) -> dict[str, Any]:
    inner = [Text(result.content)] if isinstance(result.content, str) else result.content
    entry = {"role": "tool", **_message(inner, True)}
    name = result.name or names.get(result.tool_call_id)
    if name:
        entry["tool_name"] = name
    if result.tool_call_id and not result.tool_call_id.startswith(OWN_ID):
        entry["tool_call_id"] = result.tool_call_id
    return {**entry, **result.extra}
