"""Messages → Gemini's `contents` and `systemInstruction`.

https://ai.google.dev/api/caching#Content
"""

from __future__ import annotations

from ...errors import ConfigurationError
from ...types.messages import Document, MessageRole, Opaque, Text, Thinking, ToolResult
from ...types.tools import ToolCall
from ..tools import GENERATED_ID
from .reasoning import render_thought

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable
    from typing import Any

    from ...registry.manifest import Manifest
    from ...types.messages import Audio, Block, Image, Message

    #: A role and the blocks of adjacent messages with that role; each block with whether its message is this dialect's own.
    Turn = tuple[str, list[tuple[Block, bool]]]

NAME = "gemini_generate"
#: Replaces the signature that a call of another model cannot have. https://ai.google.dev/gemini-api/docs/thought-signatures
NO_SIGNATURE = "skip_thought_signature_validator"


def generated_id(response_id: str | None, index: int) -> str:
    """The id of a call that has none: the same in a stream and a complete response, and different in each response."""
    return f"{GENERATED_ID}{response_id}_{index}" if response_id else f"{GENERATED_ID}{index}"


def render_contents(messages: Iterable[Message], manifest: Manifest) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """(contents, parts of the system instruction). Adjacent messages with the same role become one content."""
    system: list[dict[str, Any]] = []
    turns: list[Turn] = []
    calls: dict[str, ToolCall] = {}
    for message in messages:
        own = message.origin in (None, NAME)
        if message.role == MessageRole.SYSTEM:
            system += [part for block in message.blocks if (part := _render_part(block, own, manifest))]
            continue
        role = "model" if message.role == MessageRole.ASSISTANT else "user"
        if not turns or turns[-1][0] != role:
            turns.append((role, []))
        turns[-1][1].extend((block, own) for block in message.blocks)
        calls.update((call.id, call) for call in message.tool_calls)
    contents: list[dict[str, Any]] = []
    for role, blocks in turns:
        parts = _render_turn(role, blocks, calls, manifest)
        if parts and contents and contents[-1]["role"] == role:
            contents[-1]["parts"] += parts
        elif parts:
            contents.append({"role": role, "parts": parts})
    if system and manifest.has("system_in_first_user"):
        return _system_in_first_user(contents, system), []
    return contents, system


def _system_in_first_user(contents: list[dict[str, Any]], system: list[dict[str, Any]]) -> list[dict[str, Any]]:
    if contents and contents[0]["role"] == "user":
        return [{"role": "user", "parts": [*system, *contents[0]["parts"]]}, *contents[1:]]
    return [{"role": "user", "parts": system}, *contents]


def _render_turn(
    role: str, blocks: list[tuple[Block, bool]], calls: dict[str, ToolCall], manifest: Manifest
) -> list[dict[str, Any]]:
    parts = _render_results([block for block, _ in blocks if isinstance(block, ToolResult)], calls, manifest)
    for block, own in blocks:
        if not isinstance(block, ToolResult) and (part := _render_part(block, own, manifest)) is not None:
            parts.append(part)
    if role == "model" and manifest.has("thought_signatures_required"):
        # Of parallel calls only the first one is signed, so one signature is enough.
        calls_made = [part for part in parts if "functionCall" in part]
        if calls_made and not any("thoughtSignature" in part for part in calls_made):
            calls_made[0]["thoughtSignature"] = NO_SIGNATURE
    return parts


def _render_part(block: Block, own: bool, manifest: Manifest) -> dict[str, Any] | None:
    """The block as a part; None if it is not sent to this service."""
    if isinstance(block, Text):
        extra = block.extra if own else {}
        return {"text": block.text, **extra} if block.text or extra else None
    if isinstance(block, Thinking):
        return render_thought(block) if own else None
    if isinstance(block, ToolCall):
        return _render_call(block, own, manifest)
    if isinstance(block, Opaque):
        return block.data if own else None
    if isinstance(block, ToolResult):
        raise ConfigurationError("a tool's result must be a message of its own: use Message.tool(...)")
    return _render_media(block)


def _render_call(call: ToolCall, own: bool, manifest: Manifest) -> dict[str, Any]:
    arguments = call.arguments if call.arguments is not None else {"arguments": call.arguments_raw}
    part: dict[str, Any] = {"functionCall": {**_id(call.id, manifest), "name": call.name, "args": arguments}}
    if own:
        if call.signature is not None:
            part["thoughtSignature"] = call.signature
        part.update(call.extra)
    return part


def _id(call_id: str, manifest: Manifest) -> dict[str, str]:
    if not call_id or call_id.startswith(GENERATED_ID) or manifest.has("no_function_call_ids"):
        return {}
    return {"id": call_id}


def _render_results(results: list[ToolResult], calls: dict[str, ToolCall], manifest: Manifest) -> list[dict[str, Any]]:
    """The results in the order of their calls: without ids, only the order distinguishes results with the same name.

    Images and files of a result are sent inside it if the model supports that, otherwise after all results.
    """
    order = {call_id: position for position, call_id in enumerate(calls)}
    parts: list[dict[str, Any]] = []
    after: list[dict[str, Any]] = []
    for result in sorted(results, key=lambda result: order.get(result.tool_call_id, len(order))):
        call = calls.get(result.tool_call_id)
        name = result.name or (call.name if call else None)
        if name is None:
            raise ConfigurationError(
                f"the result of tool call {result.tool_call_id!r} needs the tool's name: no call with this id is in the "
                "messages before it. Pass name=… to Message.tool"
            )
        # The service gives a meaning to the keys "output" and "error". https://ai.google.dev/api/caching#FunctionResponse
        response = {"error" if result.is_error else "output": result.text}
        body: dict[str, Any] = {**_id(result.tool_call_id, manifest), "name": name, "response": response, **result.extra}
        media = [] if isinstance(result.content, str) else [block for block in result.content if not isinstance(block, Text)]
        rendered = [part for block in media if (part := _render_part(block, True, manifest))]
        if rendered and manifest.has("media_in_function_response"):
            body["parts"] = rendered
        else:
            after += rendered
        parts.append({"functionResponse": body})
    return parts + after


def _render_media(block: Image | Audio | Document) -> dict[str, Any]:
    if block.data is not None:
        return {"inlineData": {"mimeType": block.media_type, "data": block.base64()}, **block.extra}
    url = block.url or ""
    media_type = block.media_type or _guess(url)
    kind = {"mimeType": media_type} if media_type else {}
    return {"fileData": {**kind, "fileUri": url}, **block.extra}


def _guess(url: str) -> str | None:
    from mimetypes import guess_type  # reads the system's tables; only needed for URLs

    return guess_type(url.partition("?")[0])[0]
