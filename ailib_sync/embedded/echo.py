"""The model "echo": a ChatRequest → a ChatResponse. A stand-in that says so; deterministic, no I/O, no format."""

from __future__ import annotations

import json
from re import search

from ..types.messages import Audio, Document, Image, Message, MessageRole, Text, Thinking, ToolResult
from ..types.request import ResponseFormat, ToolChoice
from ..types.response import ChatResponse, Usage
from ..types.tools import ToolCall
from .sample_json import fit
from .tokens import count, count_blocks, count_call, pieces, prompt_tokens

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from ..types.messages import Block
    from ..types.request import ChatRequest
    from ..types.tools import Tool

INTRODUCTION = "This is the embedded stand-in of ailib_sync, not a language model. "


def reply(asked: ChatRequest, stamp: str) -> ChatResponse:
    """The echo's answer; `stamp` (hexadecimal) makes its ids."""
    chosen = _chosen_tools(asked)
    thinking = _thoughts(asked, chosen)
    if chosen:
        text = _last_user(asked)
        calls = [_call(tool, text, f"{stamp[:20]}{index}") for index, tool in enumerate(chosen)]
        return finish(asked, stamp, "", thinking, calls)
    return finish(asked, stamp, _text(asked), thinking, [])


def finish(asked: ChatRequest, stamp: str, text: str, thinking: str, calls: list[ToolCall]) -> ChatResponse:
    """An answer of these parts, cut where a stop sequence or max_tokens cuts it."""
    text, stop_sequence = _until_stop(text, asked.options.stop or ())
    reason = "stop_sequence" if stop_sequence is not None else "tool_use" if calls else "end_turn"
    left = asked.options.max_tokens
    if left is not None:
        thinking, text, calls, was_cut = _within(left, thinking, text, calls)
        if was_cut:
            reason, stop_sequence = "max_tokens", None
    answer = compose(asked, stamp, text, thinking, calls)
    answer.finish_reason, answer.stop_sequence = reason, stop_sequence
    return answer


def compose(asked: ChatRequest, stamp: str, text: str, thinking: str, calls: list[ToolCall]) -> ChatResponse:
    """An answer of these parts as they are, with its usage counted."""
    blocks: list[Block] = [Thinking(thinking, signature_of(thinking))] if thinking else []
    blocks += [Text(text)] if text else []
    blocks += calls
    return ChatResponse(
        message=Message(MessageRole.ASSISTANT, blocks),
        finish_reason="tool_use" if calls else "end_turn",
        usage=counted(asked, blocks),
        id=stamp,
        model=asked.model,
    )


def counted(asked: ChatRequest, blocks: Sequence[Block]) -> Usage:
    """The usage of a request that was answered with these blocks."""
    prompt, completion = prompt_tokens(asked), count_blocks(blocks)
    reasoning = count_blocks([block for block in blocks if isinstance(block, Thinking)])
    return Usage(prompt, completion, prompt + completion, cached_tokens=0, reasoning_tokens=reasoning)


def signature_of(thinking: str) -> str:
    """The opaque token the stand-in signs its thoughts with: base64, as the real ones, and bound to the text."""
    from binascii import b2a_base64
    from hashlib import blake2b

    return b2a_base64(blake2b(thinking.encode(), digest_size=48).digest(), newline=False).decode()


def _within(left: int, thinking: str, text: str, calls: list[ToolCall]) -> tuple[str, str, list[ToolCall], bool]:
    """As much as `left` tokens hold, in the order it would be written, and whether something was cut. A call is kept whole or
    left out."""
    thought = pieces(thinking)[:left]
    left -= len(thought)
    said = pieces(text)[:left]
    left -= len(said)
    kept: list[ToolCall] = []
    for call in calls:
        left -= count_call(call)
        if left < 0:
            break
        kept.append(call)
    shorter = "".join(thought), "".join(said)
    return *shorter, kept, shorter != (thinking, text) or len(kept) < len(calls)


def _until_stop(text: str, stops: tuple[str, ...]) -> tuple[str, str | None]:
    places = [(text.index(stop), stop) for stop in stops if stop and stop in text]
    if not places:
        return text, None
    place, stop = min(places)
    return text[:place], stop


def _text(asked: ChatRequest) -> str:
    said = _last_user(asked)
    form = asked.options.response_format
    if isinstance(form, ResponseFormat) and form.kind != "text":
        return json.dumps(fit(form.schema, said) if form.schema else {"echo": said}, ensure_ascii=False)
    results = [block for block in asked.messages[-1].blocks if isinstance(block, ToolResult)] if asked.messages else []
    first = not any(message.role == MessageRole.ASSISTANT for message in asked.messages)
    opening = INTRODUCTION if first else ""
    if results:
        return opening + " ".join(_retold(asked, result) for result in _trailing_results(asked))
    return f"{opening}{_media_seen(asked)}You said: {said}"


def _trailing_results(asked: ChatRequest) -> list[ToolResult]:
    """The tool results since the last assistant message, in order."""
    results: list[ToolResult] = []
    for message in reversed(asked.messages):
        if message.role == MessageRole.ASSISTANT:
            break
        results[:0] = [block for block in message.blocks if isinstance(block, ToolResult)]
    return results


def _retold(asked: ChatRequest, result: ToolResult) -> str:
    calls = {call.id: call.name for message in asked.messages for call in message.tool_calls}
    name = result.name or calls.get(result.tool_call_id) or "The tool"
    seen = sum(isinstance(block, (Image, Document)) for block in result.content) if isinstance(result.content, list) else 0
    shown = result.text or (f"{seen} image or document" if seen else "nothing")
    return f"{name} {'failed with' if result.is_error else 'answered'}: {shown}"


def _media_seen(asked: ChatRequest) -> str:
    """One sentence on the images, sounds and documents of the last user turn."""
    seen = []
    blocks = asked.messages[-1].blocks if asked.messages else []
    for what, kind in (("image", Image), ("sound", Audio), ("document", Document)):
        found = [block for block in blocks if isinstance(block, kind)]
        if found:
            shown = ", ".join(_shown(block) for block in found)
            seen.append(f"{len(found)} {what}{'s' if len(found) > 1 else ''} ({shown})")
    return f"I was given {' and '.join(seen)}. " if seen else ""


def _shown(block: Image | Audio | Document) -> str:
    name = block.name if isinstance(block, Document) else None
    return name or block.url or block.media_type or "no type"


def _last_user(asked: ChatRequest) -> str:
    """The text of the last user turn that has any."""
    texts = (message.text for message in reversed(asked.messages) if message.role == MessageRole.USER and message.text)
    return next(texts, "")


def _chosen_tools(asked: ChatRequest) -> list[Tool]:
    """The tools to call now: those forced, named or asked for; none once their results are there."""
    choice = asked.options.tool_choice or ToolChoice("auto")
    mode = choice.mode
    if not asked.tools or mode == "none":
        return []
    if mode == "tool":
        return [tool for tool in asked.tools if tool.name == choice.name]
    if mode == "auto" and _trailing_results(asked):
        return []
    text = _last_user(asked)
    chosen = [tool for tool in asked.tools if search(rf"(?<!\w){_plain(tool.name)}(?!\w)", text)]
    both = search(r"(?i)\bboth\b", text) is not None
    if not chosen and (both or mode == "required" or search(r"(?i)\b(?:use|call) (?:the|a|your|my) tools?\b", text)):
        chosen = list(asked.tools[:1])
    if both and len(chosen) < 2:
        others = [tool for tool in asked.tools if tool not in chosen] or chosen
        chosen += others[:1]
    return chosen if asked.options.parallel_tool_calls is not False else chosen[:1]


def _plain(name: str) -> str:
    from re import escape

    return escape(name)


def _call(tool: Tool, text: str, id: str) -> ToolCall:
    words = text.replace(tool.name, "")
    return ToolCall(id, tool.name, fit(tool.parameters, words) or {})


def _thoughts(asked: ChatRequest, chosen: list[Tool]) -> str:
    reasoning = asked.options.reasoning
    if reasoning is None or reasoning.off:
        return ""
    if chosen:
        return f"The user wants {' and '.join(tool.name for tool in chosen)} called."
    tokens = count(_last_user(asked))
    return f"The user wrote {tokens} token{'s' if tokens != 1 else ''}; I shall repeat what was said."
