"""Ollama's own chat API (`POST /api/chat`): requests out, whole answers and lines of NDJSON in.

https://github.com/ollama/ollama/blob/main/docs/api.md#generate-a-chat-completion. What only Ollama has (`keep_alive`,
`options.num_ctx`) goes through `extra`, whose objects join ours.
"""

from __future__ import annotations

import json

from ...errors import ErrorDetails, StreamInterrupted
from ...types.events import ContentDelta, Metadata, PartialToolCall, StreamEnd, ThinkingDelta, ToolCallEnded, ToolCallStarted
from ...types.json_values import child, count, required_text, word
from ...types.messages import Message, MessageRole, Text, Thinking
from ...types.response import ChatResponse, Usage
from ...types.tools import ToolCall
from ..dialect import Dialect, Streaming, allows, chat, join, nearest_effort, render_options, settle_format, wrong_shape
from .messages import NAME, own_id, render_messages

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping
    from typing import Any

    from ...framing.json import Frame
    from ...registry.manifest import Manifest
    from ...types.events import StreamingEvent
    from ...types.messages import Block
    from ...types.request import ChatRequest, Ledger, Reasoning
    from ...types.tools import Tool

PARAMETERS: Mapping[str, str | None] = {
    "temperature": "options.temperature",
    "max_tokens": "options.num_predict",
    "top_p": "options.top_p",
    "top_k": "options.top_k",
    "stop": "options.stop",
    "seed": "options.seed",
    "frequency_penalty": "options.frequency_penalty",
    "presence_penalty": "options.presence_penalty",
    "tool_choice": None,
    "parallel_tool_calls": None,
    "response_format": "format",
    "reasoning": "think",
}

FINISH_REASONS: Mapping[str, str] = {"stop": "end_turn", "length": "max_tokens"}


def render_body(request: ChatRequest, manifest: Manifest, ledger: Ledger) -> dict[str, Any]:
    body: dict[str, Any] = {
        "model": request.model,
        "messages": render_messages(request.messages),
        "stream": request.stream,  # absent means true
    }
    join(body, render_options(request, manifest, PARAMETERS, ledger))
    if request.options.parallel_tool_calls is not None:
        allows("parallel_tool_calls", manifest, PARAMETERS, ledger)
    if _sends_tools(request, manifest, ledger) and request.tools:
        body["tools"] = [_render_tool(tool) for tool in request.tools]
    form = settle_format(request, manifest, PARAMETERS, ledger)
    if form is not None:
        body["format"] = "json" if form.kind == "json" else form.schema
    if request.options.reasoning is not None and allows("reasoning", manifest, PARAMETERS, ledger):
        _render_think(body, request.options.reasoning, manifest, ledger)
    join(body, request.extra)
    return body


def _sends_tools(request: ChatRequest, manifest: Manifest, ledger: Ledger) -> bool:
    """There is no tool_choice: auto is what happens anyway, and none is met by leaving the tools out."""
    choice = request.options.tool_choice
    if choice is None:
        return True
    if not request.tools:
        ledger.note("tool_choice", "sent", "means nothing without tools", NAME)
    elif choice.mode in ("auto", "none"):
        ledger.note("tool_choice", "sent", "tools" if choice.mode == "auto" else "none: the tools are left out", NAME)
    else:
        allows("tool_choice", manifest, PARAMETERS, ledger)
    return bool(choice.mode != "none")


def _render_tool(tool: Tool) -> dict[str, Any]:
    function = {"name": tool.name, "description": tool.description, "parameters": tool.parameters}
    return {"type": "function", "function": function, **tool.extra}


def _render_think(body: dict[str, Any], reasoning: Reasoning, manifest: Manifest, ledger: Ledger) -> None:
    """`think`: a switch, or an effort. Without `reasoning` in the manifest the three efforts all models take are assumed."""
    rules, source = manifest.reasoning or {"efforts": ("low", "medium", "high"), "off": False}, f"{manifest.id}: reasoning"
    if reasoning.off:
        if rules.get("off") is None:
            ledger.dropped("reasoning", "cannot be turned off for this model", source)
            return
        body["think"] = rules["off"]
    elif reasoning.effort is None:
        body["think"] = True
    else:
        effort = nearest_effort(reasoning.effort, rules.get("efforts") or ())
        body["think"] = effort or True
        if effort != reasoning.effort:
            ledger.changed("reasoning", f"effort {reasoning.effort} is sent as {json.dumps(body['think'])}", source)
    if reasoning.budget_tokens:
        ledger.changed("reasoning", "is sent without its number of tokens, which Ollama does not take", source)
    ledger.note("reasoning", "sent", f"think = {json.dumps(body['think'])}", source)


def parse_body(body: Any, manifest: Manifest) -> ChatResponse:
    _raise_refusal(body, manifest)
    if not isinstance(body, dict) or not isinstance(body.get("message"), dict):
        raise wrong_shape(manifest, "no message", body)
    thoughts, content = _texts(body, manifest)
    blocks: list[Block] = [Thinking(thoughts)] if thoughts else []
    if content:
        blocks.append(Text(content))
    calls = _parse_calls(body, manifest, 0)
    return ChatResponse(
        message=Message(MessageRole.ASSISTANT, [*blocks, *calls], origin=NAME),
        finish_reason=_finish_reason(body, bool(calls), manifest),
        raw_finish_reason=word(body.get("done_reason")),
        usage=parse_usage(body),
        model=word(body.get("model")),
        raw=body,
    )


def parse_stream(frames: Iterable[Frame], manifest: Manifest) -> Iterator[StreamingEvent]:
    model = None
    calls = 0
    for _, line in frames:
        _raise_refusal(line, manifest)
        if not isinstance(line, dict):
            raise wrong_shape(manifest, "a line that is no object", line)
        if model is None and (model := word(line.get("model"))):
            yield Metadata(model=model)
        thoughts, content = _texts(line, manifest)
        if thoughts:
            yield ThinkingDelta(thoughts)
        if content:
            yield ContentDelta(content)
        for index, call in enumerate(_parse_calls(line, manifest, calls), calls):
            yield ToolCallStarted(index, call.id, call.name)
            yield PartialToolCall(index, json.dumps(call.arguments))  # calls arrive whole
            yield ToolCallEnded(index, call)
            calls = index + 1
        if line.get("done"):
            yield Metadata(usage=parse_usage(line))
            yield StreamEnd(_finish_reason(line, calls > 0, manifest), word(line.get("done_reason")))
            return
    raise StreamInterrupted('the stream ended without "done": true', provider=manifest.id)


def _texts(body: dict[str, Any], manifest: Manifest) -> tuple[str, str]:
    """The thoughts and the text of an answer or a line."""
    message = child(body, "message")
    try:
        return required_text(message.get("thinking") or ""), required_text(message.get("content") or "")
    except TypeError:
        raise wrong_shape(manifest, "a message whose content is no text", body) from None


def _parse_calls(body: dict[str, Any], manifest: Manifest, first: int) -> list[ToolCall]:
    """The calls of an answer or a line; `first` is the number of the first among the answer's."""
    try:
        return [
            ToolCall(
                word(call.get("id")) or own_id(body.get("created_at"), index),
                required_text(call["function"]["name"]),
                child(call["function"], "arguments"),
            )
            for index, call in enumerate(child(body, "message").get("tool_calls") or (), first)
        ]
    except (AttributeError, KeyError, TypeError):
        raise wrong_shape(manifest, "tool_calls that cannot be read", body) from None


def _finish_reason(body: dict[str, Any], called: bool, manifest: Manifest) -> str | None:
    """An answer that calls tools says "stop" like any other."""
    reason = word(body.get("done_reason"))
    return "tool_use" if called and reason in (None, "stop") else manifest.finish_reason(reason, FINISH_REASONS)


def parse_usage(body: dict[str, Any]) -> Usage:
    """`eval_count` counts thoughts too. `prompt_eval_count` is absent where the whole prompt was cached."""
    prompt, completion = count(body.get("prompt_eval_count")), count(body.get("eval_count"))
    return Usage(
        prompt_tokens=prompt,
        completion_tokens=completion,
        total_tokens=None if prompt is None or completion is None else prompt + completion,
        raw={key: value for key, value in body.items() if key.endswith(("_count", "_duration"))} or None,
    )


def _raise_refusal(body: Any, manifest: Manifest) -> None:
    """A refusal in the middle of a stream is a line of its own, with status 200 kept. https://docs.ollama.com/api/errors"""
    if isinstance(body, dict) and body.get("error"):
        raise manifest.error(None, parse_error(None, body), {}, body=json.dumps(body))


def parse_error(status: int | None, body: Any) -> ErrorDetails:
    """`{"error": "…"}`; gateways before it may write an object there."""
    error = body.get("error", body) if isinstance(body, dict) else body
    if isinstance(error, dict):
        return ErrorDetails(str(error.get("message", "")), word(error.get("type")), word(error.get("code")))
    return ErrorDetails(str(error).strip())


DIALECT = Dialect(
    name=NAME,
    operations={
        "chat": chat(
            NAME,
            render_body,
            parse_body,
            Streaming(parse_stream, framing="ndjson"),
            PARAMETERS,
            path="/chat",
        )
    },
    parse_error=parse_error,
    error_words={},
)
