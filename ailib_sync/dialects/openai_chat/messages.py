"""Messages → the `messages` of a Chat Completions request. What hosts need differently is a quirk."""

from __future__ import annotations

import json

from ..._dataclass import replace
from ...errors import ConfigurationError
from ...types.messages import Audio, Document, Image, Message, MessageRole, Opaque, Text, Thinking, ToolResult
from ...types.tools import ToolCall
from .kept_fields import KEPT
from .reasoning import render_thinking_part

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from typing import Any

    from ...registry.manifest import Manifest
    from ...types.messages import Block

NAME = "openai_chat"


def render_messages(messages: Sequence[Message], manifest: Manifest, thinks: bool = True) -> list[dict[str, Any]]:
    """The entries, in order. `thinks` means that thinking is not switched off; some hosts then require
    it in the history."""
    if manifest.has("system_first"):
        messages = _system_first(messages)
    entries: list[dict[str, Any]] = []
    # A tool message may only have text: other parts of results follow the tool messages, in a user message.
    # https://platform.openai.com/docs/api-reference/chat/create
    attachments: list[dict[str, Any]] = []
    for message in messages:
        results = [block for block in message.blocks if isinstance(block, ToolResult)]
        if attachments and not results:
            entries.append({"role": "user", "content": attachments})
            attachments = []
        for result in results:
            entry, media = _render_result(result, manifest)
            entries.append(entry)
            attachments += media
        if message.role == MessageRole.TOOL and not results:
            raise ConfigurationError("a tool message must have the id of its call: use Message.tool(tool_call_id, content)")
        if not results or len(results) < len(message.blocks):
            entries.append(_render_message(message, manifest, thinks))
    if attachments:
        entries.append({"role": "user", "content": attachments})
    if manifest.has("assistant_after_tool"):
        entries = _with_assistant_turns(entries)
    if manifest.has("prefill_prefix") and entries and entries[-1]["role"] == "assistant":
        entries[-1]["prefix"] = True
    return list(_merge_adjacent(entries)) if manifest.has("merge_adjacent_roles") else entries


def _with_assistant_turns(entries: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The entries without empty turns of the assistant, and with a short one between a tool's result and a user message."""
    kept: list[dict[str, Any]] = []
    for entry in entries:
        if entry["role"] == "assistant" and not entry.get("content") and not entry.get("tool_calls"):
            continue
        if entry["role"] == "user" and kept and kept[-1]["role"] == "tool":
            kept.append({"role": "assistant", "content": "OK."})
        kept.append(entry)
    return kept


def _system_first(messages: Sequence[Message]) -> list[Message]:
    systems = [message for message in messages if message.role == MessageRole.SYSTEM]
    others = [message for message in messages if message.role != MessageRole.SYSTEM]
    if len(systems) > 1:
        systems = [replace(systems[0], content="\n\n".join(message.text for message in systems))]
    return [*systems, *others]


def _render_message(message: Message, manifest: Manifest, thinks: bool) -> dict[str, Any]:
    """The entry of a message, without its tool results."""
    if message.role == MessageRole.ASSISTANT:
        return _render_assistant(message, manifest, thinks)
    role = message.role.value
    if message.role == MessageRole.SYSTEM and manifest.has("developer_role"):
        role = "developer"
    blocks = [block for block in message.blocks if not isinstance(block, ToolResult)]
    entry: dict[str, Any] = {"role": "user" if role == "tool" else role, "content": _render_content(blocks, manifest)}
    if message.name:
        entry["name"] = message.name
    return {**entry, **message.extra}


def _render_assistant(message: Message, manifest: Manifest, thinks: bool) -> dict[str, Any]:
    own = message.origin in (None, NAME)
    thoughts = [block for block in message.blocks if isinstance(block, Thinking)] if own else []
    thinking = "".join(block.text for block in thoughts)
    parts = [block for block in message.blocks if not isinstance(block, (ToolCall, ToolResult, Thinking))]
    content = _render_content([block for block in parts if own or not isinstance(block, Opaque)], manifest, "")
    if thinking and manifest.has("replay_think_tags") and isinstance(content, str):
        content = f"<think>{thinking}</think>\n\n{content}"
    if thinking and manifest.has("replay_thinking_parts"):
        text = [{"type": "text", "text": content}] if isinstance(content, str) and content else content or []
        content = [*map(render_thinking_part, thoughts), *text]
    calls = message.tool_calls
    entry: dict[str, Any] = {"role": "assistant", "content": content}
    if calls and not content and not manifest.has("empty_tool_content"):
        entry["content"] = None
    if message.name:
        entry["name"] = message.name
    if calls:
        entry["tool_calls"] = [_render_call(call, message.origin, manifest) for call in calls]
    if calls and (thinks or thinking) and manifest.has("replay_reasoning_content"):
        entry["reasoning_content"] = thinking
    if thinking and manifest.has("replay_reasoning"):
        entry["reasoning"] = thinking
    return {**entry, **(_render_extra(message, manifest) if own else {})}


def _render_extra(message: Message, manifest: Manifest) -> dict[str, Any]:
    """`extra` of an assistant message. Of a response, only the fields that this host needs again are sent back."""
    if message.origin is None:
        return message.extra
    extra = {key: value for key, value in message.extra.items() if key not in KEPT or manifest.has(KEPT[key])}
    if isinstance(extra.get("audio"), dict):
        extra["audio"] = {"id": extra["audio"].get("id")}  # quirk replay_audio
    return extra


def _render_call(call: ToolCall, origin: str | None, manifest: Manifest) -> dict[str, Any]:
    raw = call.arguments_raw
    text = raw if raw is not None and raw.strip() else json.dumps(call.arguments or {}, ensure_ascii=False)
    extra = dict(call.extra) if origin is None or origin == NAME else {}
    kind = extra.pop("type", "function")
    if origin is not None and not manifest.has("replay_extra_content"):
        extra = {}
    inner = {"name": call.name, "arguments" if kind == "function" else "input": text}
    return {"id": _render_id(call.id, manifest), "type": kind, kind: inner, **extra}


def _render_result(result: ToolResult, manifest: Manifest) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    """The tool message of one result, and the parts that a tool message cannot have.

    The format has no field for a failed call (`is_error`): the text of the result must describe the failure.
    """
    blocks = [Text(result.content)] if isinstance(result.content, str) else result.content
    texts: list[Block] = [block for block in blocks if isinstance(block, Text)]
    entry: dict[str, Any] = {"role": "tool", "tool_call_id": _render_id(result.tool_call_id, manifest)}
    if result.name and manifest.has("tool_result_name"):
        entry["name"] = result.name
    entry["content"] = _render_content(texts, manifest)
    media = [_render_part(block, manifest) for block in blocks if not isinstance(block, Text)]
    if media:
        label = f"This belongs to the result of tool call {entry['tool_call_id']}:"
        media.insert(0, {"type": "text", "text": label})
    return {**entry, **result.extra}, media


def _render_id(id: str, manifest: Manifest) -> str:
    if not manifest.has("nine_character_ids") or (len(id) == 9 and id.isascii() and id.isalnum()):
        return id
    from hashlib import sha256

    return sha256(id.encode("utf-8", "replace")).hexdigest()[:9]


def _render_content(blocks: Sequence[Block], manifest: Manifest, between: str = "\n\n") -> str | list[dict[str, Any]]:
    """One string if there is only text, otherwise a list of parts. `between` separates the texts: "" for an assistant, whose
    texts are one text that something else interrupted."""
    if manifest.has("string_content"):
        blocks = [Text(block.text) if isinstance(block, Text) else block for block in blocks]
        as_string = True
    else:
        as_string = len(blocks) < 2 or not between
    if as_string and all(isinstance(block, Text) and not block.extra for block in blocks):
        return between.join(block.text for block in blocks if isinstance(block, Text))
    return [_render_part(block, manifest) for block in blocks]


def _render_part(block: Block, manifest: Manifest) -> dict[str, Any]:
    if isinstance(block, Text):
        return {"type": "text", "text": block.text, **block.extra}
    if isinstance(block, Image):
        image = {"url": block.data_url(), **({"detail": block.detail} if block.detail else {})}
        return {"type": "image_url", "image_url": image, **block.extra}
    if isinstance(block, Audio):
        return {"type": "input_audio", "input_audio": _render_audio(block, manifest), **block.extra}
    if isinstance(block, Document):
        return {**_render_document(block, manifest), **block.extra}
    if isinstance(block, Opaque):
        return block.data
    raise ConfigurationError(f"a {type(block).__name__} block is not supported here in the OpenAI format")


def _render_audio(block: Audio, manifest: Manifest) -> dict[str, Any]:
    kind = block.format().removeprefix("x-")
    form = {"mpeg": "mp3", "wave": "wav", "vnd.wave": "wav", "mp4": "m4a"}.get(kind, kind)
    if manifest.has("audio_data_uri"):
        return {"data": block.data_url(), **({"format": form} if form else {})}
    if block.data is None:
        raise ConfigurationError("Audio: the OpenAI format supports the bytes of audio, not a URL; use Audio.from_bytes")
    return {"data": block.base64(), "format": form}


def _render_document(block: Document, manifest: Manifest) -> dict[str, Any]:
    if block.data is not None and (block.media_type or "").startswith("text/"):
        # Parts of type `file` support PDF. https://platform.openai.com/docs/guides/pdf-files
        named = f"{block.name}:\n\n" if block.name else ""
        return {"type": "text", "text": named + block.data.decode("utf-8", "replace")}
    if manifest.has("no_file_parts"):
        raise ConfigurationError(f"{manifest.name} does not support documents in the OpenAI format; send their text, or images")
    name = block.name or f"document.{block.format() or 'pdf'}"
    return {"type": "file", "file": {"filename": name, "file_data": block.data_url()}}


def _merge_adjacent(entries: list[dict[str, Any]]) -> Iterator[dict[str, Any]]:
    """Adjacent entries with the same role are joined. Tool messages are not: each belongs to a call of its own."""
    last: dict[str, Any] | None = None
    for entry in entries:
        if last is None or entry["role"] != last["role"] or entry["role"] == "tool":
            if last is not None:
                yield last
            last = entry
            continue
        joined = {**last, **entry, "content": _join_content(last["content"], entry["content"])}
        if "tool_calls" in last and "tool_calls" in entry:
            joined["tool_calls"] = last["tool_calls"] + entry["tool_calls"]
        last = joined
    if last is not None:
        yield last


def _join_content(first: Any, second: Any) -> Any:
    if not first or not second:
        return first or second
    if isinstance(first, str) and isinstance(second, str):
        return f"{first}\n\n{second}"
    as_parts = ([{"type": "text", "text": side}] if isinstance(side, str) else side for side in (first, second))
    return [part for side in as_parts for part in side]
