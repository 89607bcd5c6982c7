"""Cohere's chat format, version 2: the record and the way out. _cohere_answer reads answers.

Documents to answer from go beside the messages: `extra={"documents": [{"data": {...}}, ...]}`, as do `citation_options`
and `safety_mode`; the citations of an answer stand in its message's `extra`.
"""

from __future__ import annotations

import json

from ...errors import ConfigurationError
from ...framing.json import whole_json
from ...types.json_values import parse_arguments
from ...types.messages import Image, MessageRole, Opaque, Text, Thinking, ToolResult
from ...types.tools import ToolCall
from ..dialect import Dialect, Streaming, allows, chat, render_options, settle_format
from .response import ERROR_WORDS, NAME, delta_of, parse_body, parse_error, parse_stream

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from typing import Any

    from ...registry.manifest import Manifest
    from ...types.messages import Block, Message
    from ...types.request import ChatRequest, Ledger, Reasoning
    from ...types.tools import Tool

PARAMETERS: dict[str, str | None] = {
    "temperature": "temperature",
    "max_tokens": "max_tokens",
    "top_p": "p",
    "top_k": "k",
    "stop": "stop_sequences",
    "seed": "seed",
    "frequency_penalty": "frequency_penalty",
    "presence_penalty": "presence_penalty",
    "tool_choice": "tool_choice",
    "parallel_tool_calls": None,
    "response_format": "response_format",
    "reasoning": "thinking",
}


def render_body(request: ChatRequest, manifest: Manifest, ledger: Ledger) -> dict[str, Any]:
    messages = [wire for message in request.messages for wire in _render_message(message, manifest)]
    body: dict[str, Any] = {"model": request.model, "messages": messages}
    if request.stream:
        body["stream"] = True
    body.update(render_options(request, manifest, PARAMETERS, ledger))
    body.update(_render_tools(request, manifest, ledger))
    form = settle_format(request, manifest, PARAMETERS, ledger)
    if form is not None:
        body["response_format"] = {"type": "json_object"}
        if form.kind == "json_schema":
            body["response_format"]["json_schema"] = form.schema
    if request.options.reasoning is not None and allows("reasoning", manifest, PARAMETERS, ledger):
        body.update(_render_thinking(request.options.reasoning, manifest, ledger))
    body.update(request.extra)
    return body


def _render_message(message: Message, manifest: Manifest) -> Iterator[dict[str, Any]]:
    """The message as one, or as several where it holds tool results: each is a message of its own."""
    own = message.origin in (None, NAME)
    extra = message.extra if own else {}
    if message.role == MessageRole.ASSISTANT:
        yield {"role": "assistant", **_render_answer(message, own, manifest), **extra}
        return
    for block in message.blocks:
        if isinstance(block, ToolResult):
            yield {"role": "tool", "tool_call_id": block.tool_call_id, "content": _render_result(block), **block.extra}
    rest = [block for block in message.blocks if not isinstance(block, ToolResult)]
    if rest or not message.blocks:
        role = "system" if message.role == MessageRole.SYSTEM else "user"
        yield {"role": role, "content": _render_content(rest, own, manifest), **extra}


def _render_answer(message: Message, own: bool, manifest: Manifest) -> dict[str, Any]:
    """An assistant's content and tool calls. Thinking goes back to a model that thinks, if this format wrote it."""
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
    if raw is None or parse_arguments(raw) == {}:  # a call without arguments streams as "", and must return as an object
        raw = json.dumps(call.arguments or {}, ensure_ascii=False)
    return {"id": call.id, "type": "function", "function": {"name": call.name, "arguments": raw}}


def _render_content(blocks: Sequence[Block], own: bool, manifest: Manifest) -> str | list[dict[str, Any]]:
    """One string where the content is plain text, else its parts."""
    if not blocks:
        return ""
    if len(blocks) == 1 and isinstance(blocks[0], Text) and not (own and blocks[0].extra):
        return blocks[0].text
    return [part for block in blocks if (part := _render_part(block, own, manifest)) is not None]


def _render_part(block: Block, own: bool, manifest: Manifest) -> dict[str, Any] | None:
    if isinstance(block, Text):
        return {"type": "text", "text": block.text, **(block.extra if own else {})}
    if isinstance(block, Thinking):
        return {"type": "thinking", "thinking": block.text}
    if isinstance(block, Image):
        detail = {"detail": block.detail} if block.detail else {}
        return {"type": "image_url", "image_url": {"url": block.data_url(), **detail}, **block.extra}
    if isinstance(block, Opaque):
        return block.data if own else None
    raise ConfigurationError(
        f"{manifest.name} takes no {type(block).__name__} in a message: text and images only. "
        'Text to answer from goes in extra={"documents": [...]}'
    )


def _render_result(result: ToolResult) -> str | list[dict[str, Any]]:
    """A result is text, or parts of type text and document (an `Opaque` holding the part)."""
    if isinstance(result.content, str):
        return result.content
    parts: list[dict[str, Any]] = []
    for block in result.content:
        if isinstance(block, Text):
            parts.append({"type": "text", "text": block.text, **block.extra})
        elif isinstance(block, Opaque):
            parts.append(block.data)
        else:
            raise ConfigurationError(f"a tool result holds text or documents here, not {type(block).__name__}")
    return parts if parts else ""


def _render_tools(request: ChatRequest, manifest: Manifest, ledger: Ledger) -> dict[str, Any]:
    """`tools`, `strict_tools` and `tool_choice`. The one tool to call is the only one offered: its name has no form here."""
    if request.options.parallel_tool_calls is not None:
        allows("parallel_tool_calls", manifest, PARAMETERS, ledger)
    choice = request.options.tool_choice
    source = f"{manifest.id}: tool_choice"
    if choice is not None and not request.tools:
        ledger.dropped("tool_choice", "is left out: the request has no tools", source)
        return {}
    if choice is not None and choice.mode not in manifest.tool_choice:
        ledger.dropped("tool_choice", f"{choice.mode!r} is not taken by {manifest.name} for this model", source)
        choice = None
    elif choice is not None and not allows("tool_choice", manifest, PARAMETERS, ledger):
        choice = None
    if not request.tools:
        return {}
    tools = request.tools
    if choice is not None and choice.mode == "tool":
        tools = tuple(tool for tool in tools if tool.name == choice.name)
        if not tools:
            raise ConfigurationError(f"tool_choice names {choice.name!r}, which is not among the tools")
    fields: dict[str, Any] = {"tools": [_render_tool(tool) for tool in tools]}
    if any(tool.strict for tool in tools):
        fields["strict_tools"] = True
    if choice is not None:
        word = {"required": "REQUIRED", "tool": "REQUIRED", "none": "NONE"}.get(choice.mode)
        ledger.note("tool_choice", "renamed", word or "absent, which means auto", source)
        if word:
            fields["tool_choice"] = word
    return fields


def _render_tool(tool: Tool) -> dict[str, Any]:
    function = {"name": tool.name, "description": tool.description, "parameters": tool.parameters}
    return {"type": "function", "function": function, **tool.extra}


def _render_thinking(wanted: Reasoning, manifest: Manifest, ledger: Ledger) -> dict[str, Any]:
    """Thinking is on or off here, with a budget of tokens; an effort only switches it on."""
    source = f"{manifest.id}: reasoning"
    if manifest.reasoning is None:
        ledger.dropped("reasoning", f"is not taken by {manifest.name} for this model", source)
        return {}
    if wanted.off:
        word = manifest.reasoning.get("off")
        if word is None:
            ledger.dropped("reasoning", "cannot be switched off for this model", source)
            return {}
        ledger.note("reasoning", "renamed", f"thinking.type = {word}", source)
        return {"thinking": {"type": word}}
    thinking: dict[str, Any] = {"type": "enabled"}
    if wanted.budget_tokens is not None:
        thinking["token_budget"] = wanted.budget_tokens
    if wanted.effort is not None and wanted.budget_tokens is None:
        ledger.changed("reasoning", f"effort {wanted.effort!r} has no form here: thinking is switched on", source)
    else:
        ledger.note("reasoning", "renamed", "thinking.type = enabled", source)
    return {"thinking": thinking}


def is_end_mark(event: str, data: str) -> bool:
    """Whether an unfinished last block is a whole `message-end` or `[DONE]`."""
    return data.strip() == "[DONE]" or ('"message-end"' in data and whole_json(data) is not None)


DIALECT = Dialect(
    name=NAME,
    operations={
        "chat": chat(
            NAME,
            render_body,
            parse_body,
            Streaming(parse_stream, is_end_mark=is_end_mark, delta_of=delta_of),
            PARAMETERS,
            path="/chat",
        )
    },
    parse_error=parse_error,
    error_words=ERROR_WORDS,
)
