"""Cohere's chat, version 2, the server's side: what it takes and refuses, requests in, answers out.

https://docs.cohere.com/reference/chat
"""

from __future__ import annotations

import json
from re import compile

from ....types.messages import Image, Message, MessageRole, Text, Thinking
from ....types.request import ChatOptions, ChatRequest, Reasoning, ResponseFormat, ToolChoice
from ....types.tools import Tool, ToolCall
from ...exchange import STATUS_OF, Refused, Speaker
from ...frames import arguments_of, sse
from ...json_checks import dotted, type_name
from ...media import medium
from ...tokens import pieces
from .checks import check_call

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any

    from ....types.messages import Block
    from ....types.response import ChatResponse, Usage
    from ...exchange import Rules, ServerCall
    from ...json_checks import Bad

_PLAIN = {
    "temperature": "temperature",
    "max_tokens": "max_tokens",
    "top_p": "p",
    "top_k": "k",
    "seed": "seed",
    "frequency_penalty": "frequency_penalty",
    "presence_penalty": "presence_penalty",
}
FINISH = {"end_turn": "COMPLETE", "stop_sequence": "STOP_SEQUENCE", "max_tokens": "MAX_TOKENS", "tool_use": "TOOL_CALL"}


def read_call(call: ServerCall, body: dict[str, Any], rules: Rules) -> ChatRequest:
    options: dict[str, Any] = {name: body[wire] for name, wire in _PLAIN.items() if wire in body}
    if body.get("stop_sequences"):
        options["stop"] = tuple(body["stop_sequences"])
    if "tool_choice" in body:
        options["tool_choice"] = ToolChoice("required" if body["tool_choice"] == "REQUIRED" else "none")
    form = body.get("response_format") or {}
    if form.get("type") == "json_object":
        schema = form.get("json_schema") or form.get("schema")
        options["response_format"] = ResponseFormat("json_schema" if schema else "json", schema)
    thinking = body.get("thinking")
    if thinking:
        options["reasoning"] = Reasoning("none" if thinking["type"] == "disabled" else "medium", thinking.get("token_budget"))
    functions = [tool["function"] for tool in body.get("tools", ())]
    return ChatRequest(
        model=body["model"],
        messages=tuple(_read_message(message) for message in body["messages"]),
        tools=tuple(Tool(function["name"], function.get("description", ""), function["parameters"]) for function in functions),
        options=ChatOptions(**options),
        stream=body.get("stream", False),
    )


def _read_message(message: dict[str, Any]) -> Message:
    content = message.get("content") or []
    parts = [{"type": "text", "text": content}] if isinstance(content, str) else content
    blocks: list[Block] = [_READ_PART[part["type"]](part) for part in parts]
    if message["role"] == "tool":
        return Message.tool(message["tool_call_id"], "".join(block.text for block in blocks if isinstance(block, Text)))
    for call in message.get("tool_calls") or ():
        function = call["function"]
        blocks.append(ToolCall(call["id"], function["name"], json.loads(function["arguments"] or "{}"), function["arguments"]))
    return Message(MessageRole(message["role"]), blocks)


def _read_document(part: dict[str, Any]) -> Text:
    data = part["document"].get("data", part["document"])
    return Text(data if isinstance(data, str) else json.dumps(data))


_READ_PART: dict[str, Any] = {
    "text": lambda part: Text(part["text"]),
    "thinking": lambda part: Thinking(part["thinking"]),
    "image_url": lambda part: medium(Image, part["image_url"]["url"], None, None),
    "document": _read_document,
}


def write_answer(asked: ChatRequest, answer: ChatResponse, rules: Rules) -> dict[str, Any]:
    message: dict[str, Any] = {"role": "assistant"}
    content = [{"type": kind, kind: text} for kind, text in _texts(answer)]
    if content:
        message["content"] = content
    if answer.tool_calls:
        message["tool_plan"] = answer.content or TOOL_PLAN
        message["tool_calls"] = [_write_call(call) for call in answer.tool_calls]
    return {"id": _id(answer), "message": message, "finish_reason": _finish(answer), "usage": write_usage(answer.usage)}


def _texts(answer: ChatResponse) -> list[tuple[str, str]]:
    """(kind, text) of each part of the content: beside calls, the text is their plan."""
    texts = [("thinking", answer.thinking)] if answer.thinking else []
    return texts if answer.tool_calls else [*texts, ("text", answer.content)]


TOOL_PLAN = "I will use the tools that were asked for."


def _id(answer: ChatResponse) -> str:
    raw = (answer.id or "").ljust(32, "0")
    return f"{raw[:8]}-{raw[8:12]}-{raw[12:16]}-{raw[16:20]}-{raw[20:32]}"


def _finish(answer: ChatResponse) -> str:
    return FINISH.get(answer.finish_reason or "end_turn") or (answer.finish_reason or "COMPLETE")


def _write_call(call: ToolCall) -> dict[str, Any]:
    raw = arguments_of(call)
    return {"id": f"{call.name}_{call.id[-12:]}", "type": "function", "function": {"name": call.name, "arguments": raw}}


def write_usage(usage: Usage) -> dict[str, Any]:
    figures = {"input_tokens": usage.prompt_tokens, "output_tokens": usage.completion_tokens}
    tokens = {**figures, "reasoning_tokens": usage.reasoning_tokens} if usage.reasoning_tokens else figures
    return {"billed_units": figures, "tokens": tokens, "cached_tokens": usage.cached_tokens or 0}


def write_stream(asked: ChatRequest, answer: ChatResponse, rules: Rules) -> Iterator[bytes]:
    start = {"role": "assistant", "content": [], "tool_plan": "", "tool_calls": [], "citations": []}
    yield _event("message-start", id=_id(answer), delta={"message": start})
    for index, (kind, text) in enumerate(_texts(answer)):
        yield from _content_events(index, kind, text)
    for piece in pieces(answer.content or TOOL_PLAN) if answer.tool_calls else ():
        yield _event("tool-plan-delta", delta={"message": {"tool_plan": piece}})
    for index, call in enumerate(answer.tool_calls):
        yield from _call_events(index, call)
    yield _event("message-end", delta={"finish_reason": _finish(answer), "usage": write_usage(answer.usage)})
    yield sse("[DONE]")


def _event(kind: str, **fields: Any) -> bytes:
    return sse({"type": kind, **fields}, kind)


def _content_events(index: int, kind: str, text: str) -> Iterator[bytes]:
    yield _event("content-start", index=index, delta={"message": {"content": {"type": kind, kind: ""}}})
    for piece in pieces(text):
        yield _event("content-delta", index=index, delta={"message": {"content": {kind: piece}}})
    yield _event("content-end", index=index)


def _call_events(index: int, call: ToolCall) -> Iterator[bytes]:
    """A call without arguments has no fragment at all."""
    whole = _write_call(call)
    start = {**whole, "function": {"name": call.name, "arguments": ""}}
    yield _event("tool-call-start", index=index, delta={"message": {"tool_calls": start}})
    for piece in pieces(whole["function"]["arguments"]) if call.arguments != {} else ():
        yield _event("tool-call-delta", index=index, delta={"message": {"tool_calls": {"function": {"arguments": piece}}}})
    yield _event("tool-call-end", index=index)


def explain(bad: Bad) -> Refused:
    place = dotted(bad.path)
    if bad.kind in ("unknown", "unsupported"):
        return Refused(f"unknown field: parameter '{place}' is not a valid field.")
    if bad.kind == "missing":
        return Refused(f"invalid request: {place} is required.")
    if bad.kind == "type":
        given = type_name(bad.value)
        return Refused(f"invalid type: parameter '{place}' is of type {given} but should be of type {bad.want}.")
    if bad.kind in ("low", "high"):
        side = "at least" if bad.kind == "low" else "at most"
        return Refused(f"invalid request: {place} must be {side} {bad.want}, received {bad.value}.")
    if bad.kind == "choice":
        return Refused(f"invalid request: {place} must be one of {', '.join(bad.want)}.")
    side = {"short": "must be at least 1 token long or 1 element", "long": "has too many elements"}.get(
        bad.kind, "is not valid"
    )
    return Refused(f"invalid request: {place} {side}.")


def _message_of(refused: Refused) -> str:
    if refused.kind == "authentication" and not refused.message:
        wrong = "Incorrect API key provided: ***. You can find your API key at https://dashboard.cohere.com/api-keys."
        return "no api key supplied" if refused.code == "no_key" else wrong
    if refused.kind == "not_found" and refused.param == "model":
        advice = "make sure the correct model ID was used and that you have access to the model."
        return f"model '{refused.message}' not found, {advice}"
    return refused.message


def write_error(refused: Refused, stamp: str) -> tuple[int, dict[str, str], Any]:
    body = {"id": f"{stamp[:8]}-{stamp[8:12]}-{stamp[12:16]}-{stamp[16:20]}-{stamp[20:32]}", "message": _message_of(refused)}
    if refused.code and refused.kind != "authentication":
        body["error_type"] = refused.code
    return refused.status or STATUS_OF.get(refused.kind, 400), {}, body


def write_stream_error(refused: Refused) -> bytes:
    """A stream that fails ends with `message-end` and the finish reason ERROR."""
    delta = {"finish_reason": "ERROR", "usage": {}, "error": _message_of(refused)}
    if refused.code:
        delta["error_type"] = refused.code
    return _event("message-end", delta=delta) + sse("[DONE]")


SPEAKER = Speaker(
    check_call=check_call,
    read_call=read_call,
    write_answer=write_answer,
    write_stream=write_stream,
    explain=explain,
    write_error=write_error,
    write_stream_error=write_stream_error,
    tail=compile(r"/v2/chat$"),
    options={**_PLAIN, "stop": "stop_sequences", "reasoning": "thinking"},
    auth={"scheme": "bearer"},
    stream_type="text/event-stream",
    request_id="x-debug-trace-id",
)
