"""Messages → `instructions` and the items of `input` of OpenAI Responses. Values in, JSON values out.

A conversation is a flat list of items: messages, calls, outputs of calls and thoughts
(https://platform.openai.com/docs/api-reference/responses/create). A response of this dialect is sent back unchanged:

    Thinking     `extra["item"]` is the complete item
    Text         `extra` has the other fields of its message item (`id`, `phase`), and the text's `annotations`
    ToolCall     `extra` has the other fields of its item (`id`), and its `type` if that is `custom_tool_call`
    Opaque       the item itself (a call that the provider runs, a refusal), or a part of one of the caller's messages
"""

from __future__ import annotations

import json

from ...errors import ConfigurationError
from ...types.messages import Audio, Document, Image, MessageRole, Opaque, Text, Thinking, ToolResult
from ...types.tools import ToolCall

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any

    from ...registry.manifest import Manifest
    from ...types.messages import Block, Message

NAME = "openai_responses"

CALLS = ("function_call", "custom_tool_call")


def render_input(messages: Sequence[Message], manifest: Manifest, stored: bool) -> tuple[str | None, list[dict[str, Any]]]:
    """(instructions, items). The instructions are the system messages at the beginning; later ones keep their position.

    `stored`: the provider stores its responses, so a thought may be sent back as a reference only.
    """
    leading = 0
    while leading < len(messages) and _is_plain_system(messages[leading]):
        leading += 1
    if leading == len(messages):  # the service rejects an empty `input`
        leading = 0
    instructions = "\n\n".join(message.text for message in messages[:leading]) or None
    renderer = _InputRenderer(manifest, stored)
    for message in messages[leading:]:
        renderer.add(message)
    return instructions, renderer.items


def _is_plain_system(message: Message) -> bool:
    texts = (isinstance(block, Text) and not block.extra for block in message.blocks)
    return message.role is MessageRole.SYSTEM and not message.extra and all(texts)


class _InputRenderer:
    """The items so far, and the ids of their calls, which later messages need."""

    __slots__ = ("_custom", "_manifest", "_open_calls", "_stored", "_used_ids", "items")

    def __init__(self, manifest: Manifest, stored: bool) -> None:
        self.items: list[dict[str, Any]] = []
        self._manifest = manifest
        self._stored = stored
        self._custom: set[str] = set()
        self._used_ids: set[str] = set()
        self._open_calls: dict[str, list[str]] = {}

    def add(self, message: Message) -> None:
        if message.role is MessageRole.ASSISTANT:
            items = self._assistant_items(message)
            if self._manifest.has("calls_last"):
                items.sort(key=lambda item: item.get("type") in CALLS)
            self.items += items
            return
        results = [block for block in message.blocks if isinstance(block, ToolResult)]
        self.items += map(self._result, results)
        rest = [block for block in message.blocks if not isinstance(block, ToolResult)]
        if message.role is MessageRole.TOOL:
            if rest or not results:
                raise ConfigurationError("a message of role tool holds tool results only; see Message.tool(tool_call_id, …)")
        elif rest or not results:
            role = "user"
            if message.role is MessageRole.SYSTEM:
                role = "developer" if self._manifest.has("developer_role") else "system"
            self.items.append({"type": "message", "role": role, "content": render_content(rest), **message.extra})

    def _assistant_items(self, message: Message) -> list[dict[str, Any]]:
        """An assistant's turn. The ids of its items are sent only with the thoughts they belong to: the service rejects one
        without the other (https://github.com/langchain-ai/langchainjs/pull/9082)."""
        own = message.origin in (None, NAME)
        self._open_calls = {}
        ids = own and any(self._is_replayable(block) for block in message.blocks)
        items: list[dict[str, Any]] = []
        texts: list[Text] = []
        fields: dict[str, Any] = {}
        for block in message.blocks:
            if isinstance(block, Text):
                block_fields = _message_fields(block, message, own, ids)
                if texts and block_fields != fields:
                    items.append(_message_item(texts, fields))
                    texts = []
                texts.append(block)
                fields = block_fields
                continue
            if texts:
                items.append(_message_item(texts, fields))
                texts = []
            if isinstance(block, ToolCall):
                items.append(self._call(block, own, ids))
            elif isinstance(block, Opaque):
                items += [dict(block.data)] if own else []
            elif isinstance(block, Thinking):
                items += [block.extra["item"]] if own and self._is_replayable(block) else []
            else:
                raise ConfigurationError(f"{NAME}: an assistant's message holds no {type(block).__name__}")
        if texts:
            items.append(_message_item(texts, fields))
        # A thought that was cut has no item after it, and the service rejects such a thought:
        # "Item 'rs_…' of type 'reasoning' was provided without its required following item."
        while items and items[-1].get("type") == "reasoning":
            items.pop()
        return items

    def _is_replayable(self, block: Block) -> bool:
        """Whether this is a thought that the provider can read again: it has content, or the provider stored it."""
        item = block.extra.get("item") if isinstance(block, Thinking) else None
        if not isinstance(item, dict):
            return False
        encrypted = item.get("encrypted_content")
        if encrypted is not None and not isinstance(encrypted, str):
            return False
        return self._stored or bool(encrypted or item.get("content") or item.get("summary"))

    def _call(self, call: ToolCall, own: bool, ids: bool) -> dict[str, Any]:
        extra = {key: value for key, value in call.extra.items() if key != "type" and (ids or key != "id")} if own else {}
        raw = call.arguments_raw
        if raw is None:
            raw = json.dumps(call.arguments or {}, ensure_ascii=False)
        id = self._unused_id(call.id)
        if own and call.extra.get("type") == "custom_tool_call":
            self._custom.add(id)
            return {"type": "custom_tool_call", "call_id": id, "name": call.name, "input": raw, **extra}
        return {"type": "function_call", "call_id": id, "name": call.name, "arguments": raw, **extra}

    def _unused_id(self, id: str) -> str:
        """The call's id, or another one if an earlier turn has it: some hosts count from `call_0` in each response."""
        unused, number = id, 1
        while unused in self._used_ids:
            number += 1
            unused = f"{id}_{number}"
        self._used_ids.add(unused)
        self._open_calls.setdefault(id, []).append(unused)
        return unused

    def _result(self, result: ToolResult) -> dict[str, Any]:
        waiting = self._open_calls.get(result.tool_call_id)
        id = waiting.pop(0) if waiting else result.tool_call_id
        kind = "custom_tool_call_output" if id in self._custom else "function_call_output"
        content = result.content
        output = content if isinstance(content, str) else render_content(content)
        return {"type": kind, "call_id": id, "output": output, **result.extra}


def _message_fields(block: Text, message: Message, own: bool, ids: bool) -> dict[str, Any]:
    """The other fields of the message item that contains this text."""
    if not own:
        return {}
    fields = {key: value for key, value in block.extra.items() if key != "annotations" and (ids or key != "id")}
    return {**fields, **message.extra}


def _message_item(texts: list[Text], fields: dict[str, Any]) -> dict[str, Any]:
    """The texts as one message: in the complete form if it has an id, otherwise in the short form that every host supports."""
    item: dict[str, Any] = {"type": "message", "role": "assistant"}
    if "id" not in fields:
        return {**item, "content": "".join(text.text for text in texts), **fields}
    parts = [{"type": "output_text", "text": text.text, "annotations": text.extra.get("annotations", [])} for text in texts]
    return {**item, "status": "completed", "content": parts, **fields}


def render_content(blocks: Sequence[Block]) -> str | list[dict[str, Any]]:
    """The content of a message of a user, a system or a tool: a single text as a string, anything else as parts."""
    if all(isinstance(block, Text) and not block.extra for block in blocks) and len(blocks) < 2:
        return "".join(block.text for block in blocks if isinstance(block, Text))
    return [_render_part(block) for block in blocks]


def _render_part(block: Block) -> dict[str, Any]:
    if isinstance(block, Text):
        return {"type": "input_text", "text": block.text, **block.extra}
    if isinstance(block, Image):
        part: dict[str, Any] = {"type": "input_image", "image_url": block.data_url()}
        if block.detail is not None:
            part["detail"] = block.detail
        return {**part, **block.extra}
    if isinstance(block, Document):
        return {**_render_file(block), **block.extra}
    if isinstance(block, Opaque):
        return dict(block.data)
    if isinstance(block, Audio):
        raise ConfigurationError(f"{NAME}: this format has no audio; send a transcript, or use a chat model that accepts audio")
    raise ConfigurationError(f"{NAME}: {type(block).__name__} belongs to an assistant's message only")


def _render_file(block: Document) -> dict[str, Any]:
    if block.url is not None:
        return {"type": "input_file", "file_url": block.url}
    from mimetypes import guess_extension

    # `file_data` requires a file name, whose extension shows the format:
    # https://platform.openai.com/docs/guides/pdf-files#base64-encoded-files
    name = block.name or "document" + (guess_extension((block.media_type or "").partition(";")[0]) or "")
    return {"type": "input_file", "filename": name, "file_data": block.data_url()}
