"""The chat model "echo": a ChatRequest → a ChatResponse. Deterministic, no I/O, no format. Its text says what it is."""

from __future__ import annotations

import json
from re import escape, search

from ..types.messages import Audio, Document, Image, Message, MessageRole, Text, Thinking, ToolResult
from ..types.request import ChatRequest, ResponseFormat, ToolChoice
from ..types.response import ChatResponse, Usage
from ..types.tools import ToolCall
from .exchange import EmbeddedModel
from .sample_json import sample_of
from .tokens import count, count_blocks, count_call, fragments, prompt_tokens

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ..types.messages import Block
    from ..types.tools import Tool

INTRODUCTION = "This is the embedded stand-in of ailib_sync, not a language model. "


def respond(request: ChatRequest, digest: str) -> ChatResponse:
    """The echo's response; its ids are made from `digest`."""
    chosen = _chosen_tools(request)
    thinking = _thinking(request, chosen)
    text = "" if chosen else _text(request)
    calls = [_call(tool, _last_user_text(request), f"{digest[:20]}{index}") for index, tool in enumerate(chosen)]
    return _within_limits(request, digest, text, thinking, calls)


def _within_limits(request: ChatRequest, digest: str, text: str, thinking: str, calls: list[ToolCall]) -> ChatResponse:
    """A response with these parts, cut at a stop sequence and at max_tokens."""
    text, stop_sequence = _until_stop(text, request.options.stop or ())
    reason = "stop_sequence" if stop_sequence is not None else "tool_use" if calls else "end_turn"
    limit = request.options.max_tokens
    if limit is not None:
        thinking, text, calls, was_cut = _within_tokens(limit, thinking, text, calls)
        if was_cut:
            reason, stop_sequence = "max_tokens", None
    response = compose(request, digest, text, thinking, calls)
    response.finish_reason, response.stop_sequence = reason, stop_sequence
    return response


def compose(request: ChatRequest, digest: str, text: str, thinking: str, calls: list[ToolCall]) -> ChatResponse:
    """A response with exactly these parts, and its usage."""
    blocks: list[Block] = [Thinking(thinking, signature_of(thinking))] if thinking else []
    blocks += [Text(text)] if text else []
    blocks += calls
    response = ChatResponse(
        message=Message(MessageRole.ASSISTANT, blocks),
        finish_reason="tool_use" if calls else "end_turn",
        id=digest,
        model=request.model,
    )
    response.usage = usage_of(request, response)
    return response


def usage_of(request: ChatRequest, response: ChatResponse) -> Usage:
    """The tokens of a request and its response."""
    blocks = response.message.blocks
    prompt, completion = prompt_tokens(request), count_blocks(blocks)
    reasoning = count_blocks([block for block in blocks if isinstance(block, Thinking)])
    return Usage(prompt, completion, prompt + completion, cached_tokens=0, reasoning_tokens=reasoning)


def request_of(text: str) -> ChatRequest:
    """A request with this text as its user message."""
    return ChatRequest("echo", (Message.user(text),), extra={"usage": True, "n": 1, "body": {}, "encrypted": False})


def signature_of(thinking: str) -> str:
    """The signature of a thinking block: opaque base64, like in the real services, and derived from the text."""
    from binascii import b2a_base64
    from hashlib import blake2b

    return b2a_base64(blake2b(thinking.encode(), digest_size=48).digest(), newline=False).decode()


def _within_tokens(limit: int, thinking: str, text: str, calls: list[ToolCall]) -> tuple[str, str, list[ToolCall], bool]:
    """The first `limit` tokens of thinking, text and calls, in this order, and whether something was cut. A call is complete or
    absent."""
    kept_thinking = fragments(thinking)[:limit]
    limit -= len(kept_thinking)
    kept_text = fragments(text)[:limit]
    limit -= len(kept_text)
    kept_calls: list[ToolCall] = []
    for call in calls:
        limit -= count_call(call)
        if limit < 0:
            break
        kept_calls.append(call)
    shorter = "".join(kept_thinking), "".join(kept_text)
    return *shorter, kept_calls, shorter != (thinking, text) or len(kept_calls) < len(calls)


def _until_stop(text: str, stops: tuple[str, ...]) -> tuple[str, str | None]:
    """The text before the first stop sequence in it, and that sequence."""
    found = [(text.index(stop), stop) for stop in stops if stop and stop in text]
    if not found:
        return text, None
    position, stop = min(found)
    return text[:position], stop


def _text(request: ChatRequest) -> str:
    text = _last_user_text(request)
    format = request.options.response_format
    if isinstance(format, ResponseFormat) and format.kind != "text":
        return json.dumps(sample_of(format.schema, text) if format.schema else {"echo": text}, ensure_ascii=False)
    is_first = not any(message.role == MessageRole.ASSISTANT for message in request.messages)
    introduction = INTRODUCTION if is_first else ""
    last = request.messages[-1].blocks if request.messages else []
    if any(isinstance(block, ToolResult) for block in last):
        return introduction + " ".join(_report(request, result) for result in _trailing_results(request))
    return f"{introduction}{_media(last)}You said: {text}"


def _trailing_results(request: ChatRequest) -> list[ToolResult]:
    """The tool results since the last assistant message, in order."""
    results: list[ToolResult] = []
    for message in reversed(request.messages):
        if message.role == MessageRole.ASSISTANT:
            break
        results[:0] = [block for block in message.blocks if isinstance(block, ToolResult)]
    return results


def _report(request: ChatRequest, result: ToolResult) -> str:
    """One sentence on a tool result."""
    calls = {call.id: call.name for message in request.messages for call in message.tool_calls}
    name = result.name or calls.get(result.tool_call_id) or "The tool"
    media = sum(isinstance(block, (Image, Document)) for block in result.content) if isinstance(result.content, list) else 0
    shown = result.text or (f"{media} image or document" if media else "nothing")
    return f"{name} {'failed with' if result.is_error else 'answered'}: {shown}"


def _media(blocks: list[Block]) -> str:
    """One sentence on the images, sounds and documents among the blocks."""
    parts = []
    for noun, kind in (("image", Image), ("sound", Audio), ("document", Document)):
        found = [block for block in blocks if isinstance(block, kind)]
        if found:
            names = ", ".join(_medium_name(block) for block in found)
            parts.append(f"{len(found)} {noun}{'s' if len(found) > 1 else ''} ({names})")
    return f"I was given {' and '.join(parts)}. " if parts else ""


def _medium_name(block: Image | Audio | Document) -> str:
    name = block.name if isinstance(block, Document) else None
    return name or block.url or block.media_type or "no type"


def _last_user_text(request: ChatRequest) -> str:
    """The text of the last user message that has any."""
    texts = (message.text for message in reversed(request.messages) if message.role == MessageRole.USER and message.text)
    return next(texts, "")


def _chosen_tools(request: ChatRequest) -> list[Tool]:
    """The tools to call now: those that the choice forces or the text names. With `auto`, none after their results."""
    choice = request.options.tool_choice or ToolChoice("auto")
    if not request.tools or choice.mode == "none":
        return []
    if choice.mode == "tool":
        return [tool for tool in request.tools if tool.name == choice.name]
    if choice.mode == "auto" and _trailing_results(request):
        return []
    text = _last_user_text(request)
    chosen = [tool for tool in request.tools if search(rf"(?<!\w){escape(tool.name)}(?!\w)", text)]
    both = search(r"(?i)\bboth\b", text) is not None
    if not chosen and (both or choice.mode == "required" or search(r"(?i)\b(?:use|call) (?:the|a|your|my) tools?\b", text)):
        chosen = list(request.tools[:1])
    if both and len(chosen) < 2:
        others = [tool for tool in request.tools if tool not in chosen] or chosen
        chosen += others[:1]
    return chosen if request.options.parallel_tool_calls is not False else chosen[:1]


def _call(tool: Tool, text: str, id: str) -> ToolCall:
    """A call whose arguments match the tool's schema, with words of the text."""
    return ToolCall(id, tool.name, sample_of(tool.parameters, text.replace(tool.name, "")) or {})


def _thinking(request: ChatRequest, chosen: list[Tool]) -> str:
    """The thinking, if it is requested."""
    reasoning = request.options.reasoning
    if reasoning is None or reasoning.off:
        return ""
    if chosen:
        return f"The user wants {' and '.join(tool.name for tool in chosen)} called."
    tokens = count(_last_user_text(request))
    return f"The user wrote {tokens} token{'s' if tokens != 1 else ''}; I will repeat the same text."


ECHO = EmbeddedModel(respond, usage_of, request_of)
