"""Messages and their blocks → the turns of Anthropic Messages. Values in, JSON values out.

A conversation is turns of `user` and `assistant`. System messages are in a field of their own, tool results at the beginning
of a user's turn (https://platform.claude.com/docs/en/api/messages).
"""

from __future__ import annotations

import re

from ...errors import ConfigurationError, printable
from ...types.json_values import text_or_none
from ...types.messages import Audio, Document, Image, MessageRole, Opaque, Text, Thinking, ToolResult
from ...types.tools import ToolCall

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping
    from typing import Any

    from ...registry.manifest import Manifest
    from ...types.messages import Block, Message
    from ...types.request import Ledger

NAME = "anthropic_messages"

#: Fields of a response that are kept in `Message.extra` and not sent back: no message of a request has them.
RESPONSE_FIELDS = ("container", "stop_details")


def render_messages(
    messages: Iterable[Message], manifest: Manifest, ledger: Ledger
) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """(system blocks, turns). Adjacent messages of one role become one turn.

    Some models support system messages inside the conversation: after a user's turn, and last or before an assistant's
    (https://platform.claude.com/docs/en/build-with-claude/mid-conversation-system-messages). Such a message is kept until the
    user's turn is complete. All others are moved to the top.
    """
    system: list[dict[str, Any]] = []
    turns: list[dict[str, Any]] = []
    pending: list[dict[str, Any]] = []
    for message in messages:
        if message.role is MessageRole.SYSTEM:
            (pending if turns else system).extend(_render_system(message))
            continue
        role = "assistant" if message.role is MessageRole.ASSISTANT else "user"
        if role == "assistant":
            _place_system(pending, system, turns, manifest, ledger)
        _add_turn(turns, role, message, is_lenient=not manifest.has("signed_thinking"))
    _place_system(pending, system, turns, manifest, ledger)
    for turn in turns:
        if turn["role"] == "user":
            # Tool results must come first. The sort is stable, so the other blocks keep their order.
            # https://platform.claude.com/docs/en/agents-and-tools/tool-use/handle-tool-calls
            turn["content"].sort(key=lambda block: block.get("type") != "tool_result")
        turn["content"] = shortest(turn["content"])
    return system, turns


def open_container(messages: Iterable[Message]) -> str | None:
    """The id of the container in which the last response left its files and its running code; None if there is none.

    https://platform.claude.com/docs/en/agents-and-tools/tool-use/code-execution-tool#container-reuse
    """
    containers = [message.extra["container"] for message in messages if message.origin == NAME and "container" in message.extra]
    return text_or_none(containers[-1].get("id")) if containers and isinstance(containers[-1], dict) else None


def _render_system(message: Message) -> list[dict[str, Any]]:
    for block in message.blocks:
        if not isinstance(block, (Text, Opaque)):
            raise ConfigurationError(f"{NAME}: a system message holds text only, not {type(block).__name__}")
    return _render_blocks(message.blocks, native=True)


def _place_system(
    pending: list[dict[str, Any]],
    system: list[dict[str, Any]],
    turns: list[dict[str, Any]],
    manifest: Manifest,
    ledger: Ledger,
) -> None:
    if not pending:
        return
    if manifest.has("mid_conversation_system") and turns[-1]["role"] == "user":
        turns.append({"role": "system", "content": list(pending)})
    else:
        system.extend(pending)
        detail = "contain a system message inside the conversation; this model supports it only at the top, where it is sent"
        ledger.changed("messages", detail, f"{NAME}: mid_conversation_system")
    pending.clear()


def _add_turn(turns: list[dict[str, Any]], role: str, message: Message, *, is_lenient: bool) -> None:
    native = message.origin in (None, NAME)
    content = _render_blocks(message.blocks, native, replay=message.origin == NAME and is_lenient)
    if not content:
        return  # the service rejects an empty turn
    if turns and turns[-1]["role"] == role:
        turns[-1]["content"].extend(content)
    else:
        turns.append({"role": role, "content": content})
    if native:
        turns[-1].update((key, value) for key, value in message.extra.items() if key not in RESPONSE_FIELDS)


def shortest(blocks: list[dict[str, Any]]) -> list[dict[str, Any]] | str:
    """A single plain text as a string, anything else as blocks."""
    if len(blocks) == 1 and blocks[0].keys() == {"type", "text"}:
        text: str = blocks[0]["text"]
        return text
    return blocks


def _render_blocks(blocks: Iterable[Block], native: bool, replay: bool = False) -> list[dict[str, Any]]:
    """The blocks of a message. `native`: also what only this dialect has (signatures, Opaque blocks, `extra`). `replay`: this
    dialect parsed the message."""
    rendered = []
    for block in blocks:
        entry = RENDERERS[type(block)](block, native, replay)
        if entry is not None:
            rendered.append(entry)
    return rendered


def _render_text(block: Text, native: bool, replay: bool) -> dict[str, Any] | None:
    # "text content blocks must contain non-whitespace text", although responses may contain such blocks:
    # https://github.com/anthropics/anthropic-sdk-python/issues/461
    if not block.text or block.text.isspace():
        return None
    return _with_extra({"type": "text", "text": block.text}, block.extra, native)


def _render_image(block: Image, native: bool, replay: bool) -> dict[str, Any]:
    return _with_extra({"type": "image", "source": _source(block)}, block.extra, native)


def _render_document(block: Document, native: bool, replay: bool) -> dict[str, Any]:
    source = _source(block)
    if block.data is not None and (block.media_type or "").startswith("text/"):
        source = {"type": "text", "media_type": "text/plain", "data": block.data.decode("utf-8", "replace")}
    entry: dict[str, Any] = {"type": "document", "source": source}
    if block.name:
        entry["title"] = block.name
    return _with_extra(entry, block.extra, native)


def _source(block: Image | Document) -> dict[str, Any]:
    if block.url is None:
        return {"type": "base64", "media_type": block.media_type, "data": block.base64()}
    if not block.url.startswith(("https://", "http://")):
        shown = printable(block.url, 80)
        raise ConfigurationError(f"{NAME}: a document or an image is an http(s) URL or data, not {shown}")
    return {"type": "url", "url": block.url}


def _render_thinking(block: Thinking, native: bool, replay: bool) -> dict[str, Any] | None:
    """Thinking of other dialects is left out. Without a signature it is sent only if this dialect parsed it so, and the host
    signs none (quirk signed_thinking): elsewhere a block without one was cut."""
    if not native:
        return None
    if block.redacted is not None:
        return _with_extra({"type": "redacted_thinking", "data": block.redacted}, block.extra, native)
    if not block.signature and not replay:
        return None
    entry: dict[str, Any] = {"type": "thinking", "thinking": block.text}
    if block.signature is not None:
        entry["signature"] = block.signature
    return _with_extra(entry, block.extra, native)


def _render_call(block: ToolCall, native: bool, replay: bool) -> dict[str, Any]:
    arguments = block.arguments
    if arguments is None:
        # `input` must be an object. The service documents this wrapper for invalid JSON:
        # https://platform.claude.com/docs/en/agents-and-tools/tool-use/fine-grained-tool-streaming
        arguments = {"INVALID_JSON": block.arguments_raw} if block.arguments_raw else {}
    entry = {"type": "tool_use", "id": _call_id(block.id), "name": block.name, "input": arguments}
    return _with_extra(entry, block.extra, native)


def _render_result(block: ToolResult, native: bool, replay: bool) -> dict[str, Any]:
    content: Any = block.content
    if not isinstance(content, str):
        content = shortest(_render_blocks(content, native, replay))
    entry: dict[str, Any] = {"type": "tool_result", "tool_use_id": _call_id(block.tool_call_id), "content": content}
    if block.is_error:
        entry["is_error"] = True
    return _with_extra(entry, block.extra, native)


def _call_id(id: str) -> str:
    """An id that the service accepts: letters, digits, `_` and `-`. Ids of other providers may contain more."""
    return re.sub(r"[^a-zA-Z0-9_-]", "_", id)


def _render_opaque(block: Opaque, native: bool, replay: bool) -> dict[str, Any] | None:
    return dict(block.data) if native else None


def _reject_audio(block: Audio, native: bool, replay: bool) -> dict[str, Any]:
    raise ConfigurationError(f"{NAME}: this format has no audio; send a transcript, or use a model that accepts audio")


def _with_extra(entry: dict[str, Any], extra: Mapping[str, Any], native: bool) -> dict[str, Any]:
    return entry | dict(extra) if native and extra else entry


RENDERERS: Mapping[type, Callable[[Any, bool, bool], dict[str, Any] | None]] = {
    Text: _render_text,
    Image: _render_image,
    Audio: _reject_audio,
    Document: _render_document,
    Thinking: _render_thinking,
    ToolCall: _render_call,
    ToolResult: _render_result,
    Opaque: _render_opaque,
}
