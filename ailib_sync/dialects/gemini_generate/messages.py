"""Messages → Gemini's `contents` and `systemInstruction`."""

from __future__ import annotations

from ...errors import ConfigurationError
from ...types.messages import Document, MessageRole, Opaque, Text, Thinking, ToolResult
from ...types.tools import ToolCall

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable
    from typing import Any

    from ...registry.manifest import Manifest
    from ...types.messages import Audio, Block, Image, Message

    #: A wire role and the blocks of adjacent messages with it, each with whether this dialect may have written it.
    Turn = tuple[str, list[tuple[Block, bool]]]

NAME = "gemini_generate"
#: Begins the ids we give to calls that came without one; such an id is never sent (see `own_id`).
OWN_ID = "ailib_"
#: Stands for a signature that another model's call cannot have. https://ai.google.dev/gemini-api/docs/thought-signatures
NO_SIGNATURE = "skip_thought_signature_validator"


def own_id(response_id: str | None, index: int) -> str:
    """An id for a call that came without one: the same for the same answer, streamed or not, and unlike those of others."""
    return f"{OWN_ID}{response_id}_{index}" if response_id else f"{OWN_ID}{index}"


def render_contents(messages: Iterable[Message], manifest: Manifest) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """(contents, parts of the system instruction). Adjacent messages of one role share a content."""
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
        return _with_system(contents, system), []
    return contents, system


def _with_system(contents: list[dict[str, Any]], system: list[dict[str, Any]]) -> list[dict[str, Any]]:
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
        # Of parallel calls only the first is signed, so one signature in a step is enough.
        made = [part for part in parts if "functionCall" in part]
        if made and not any("thoughtSignature" in part for part in made):
            made[0]["thoughtSignature"] = NO_SIGNATURE
    return parts


def _render_part(block: Block, own: bool, manifest: Manifest) -> dict[str, Any] | None:
    """The block as a part; None where nothing of it goes to this service."""
    if isinstance(block, Text):
        extra = block.extra if own else {}
        return {"text": block.text, **extra} if block.text or extra else None
    if isinstance(block, Thinking):
        # A thought without a signature is a summary for people; the service makes nothing of it.
        if not own or block.signature is None:
            return None
        return {"text": block.text, "thought": True, "thoughtSignature": block.signature, **block.extra}
    if isinstance(block, ToolCall):
        return _render_call(block, own, manifest)
    if isinstance(block, Opaque):
        return block.data if own else None
    if isinstance(block, ToolResult):
        raise ConfigurationError("a tool's result is a message of its own: Message.tool(...)")
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
    if not call_id or call_id.startswith(OWN_ID) or manifest.has("no_function_call_ids"):
        return {}
    return {"id": call_id}


def _render_results(results: list[ToolResult], calls: dict[str, ToolCall], manifest: Manifest) -> list[dict[str, Any]]:
    """The results in the order of their calls, which is all that tells results of one name apart where ids are absent.

    Pictures and files in a result go inside it where the model takes them there, else after all results.
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
        # "output" and "error" are the keys the service gives a meaning to. https://ai.google.dev/api/caching#FunctionResponse
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
    from mimetypes import guess_type  # reads the system's tables; only addresses need it

    return guess_type(url.partition("?")[0])[0]
