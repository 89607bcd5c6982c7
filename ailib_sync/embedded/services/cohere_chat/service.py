"""Cohere's chat, version 2, the server's side: requests in, responses and events out.

https://docs.cohere.com/reference/chat
"""

from __future__ import annotations

import json
from re import compile

from ....types.json_values import parse_arguments
from ....types.messages import Image, Message, MessageRole, Text, Thinking
from ....types.request import ChatOptions, ChatRequest, Reasoning, ResponseFormat, ToolChoice
from ....types.tools import Tool, ToolCall
from ...exchange import STATUS_OF, Rejected, Service, ServiceOperation
from ...frames import arguments_of, sse
from ...json_checks import dotted, type_name
from ...media import medium
from ...tokens import fragments
from .checks import check_request
from .count_tokens import COUNT_TOKENS
from .models import MODEL, MODELS

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any

    from ....types.messages import Block
    from ....types.response import ChatResponse, Usage
    from ...exchange import Rules, ServerRequest
    from ...json_checks import Invalid

#: Standard option → the field with the same value.
_OPTIONS = {
    "temperature": "temperature",
    "max_tokens": "max_tokens",
    "top_p": "p",
    "top_k": "k",
    "seed": "seed",
    "frequency_penalty": "frequency_penalty",
    "presence_penalty": "presence_penalty",
}
FINISH_REASONS = {"end_turn": "COMPLETE", "stop_sequence": "STOP_SEQUENCE", "max_tokens": "MAX_TOKENS", "tool_use": "TOOL_CALL"}


def read_request(received: ServerRequest, body: dict[str, Any], rules: Rules) -> ChatRequest:
    options: dict[str, Any] = {name: body[wire] for name, wire in _OPTIONS.items() if wire in body}
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
        raw = function["arguments"]
        blocks.append(ToolCall(call["id"], function["name"], parse_arguments(raw) or {}, raw))
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


def write_response(request: ChatRequest, response: ChatResponse, rules: Rules) -> dict[str, Any]:
    message: dict[str, Any] = {"role": "assistant"}
    content = [{"type": kind, kind: text} for kind, text in _texts(response)]
    if content:
        message["content"] = content
    if response.tool_calls:
        message["tool_plan"] = response.content or TOOL_PLAN
        message["tool_calls"] = [_write_call(call) for call in response.tool_calls]
    return {
        "id": _id(response),
        "message": message,
        "finish_reason": _finish_reason(response),
        "usage": write_usage(response.usage),
    }


def _texts(response: ChatResponse) -> list[tuple[str, str]]:
    """(type, text) of each part of the content. If there are calls, the text is not content but their plan."""
    texts = [("thinking", response.thinking)] if response.thinking else []
    return texts if response.tool_calls else [*texts, ("text", response.content)]


TOOL_PLAN = "I will use the tools."


def _id(response: ChatResponse) -> str:
    raw = (response.id or "").ljust(32, "0")
    return f"{raw[:8]}-{raw[8:12]}-{raw[12:16]}-{raw[16:20]}-{raw[20:32]}"


def _finish_reason(response: ChatResponse) -> str:
    return FINISH_REASONS.get(response.finish_reason or "end_turn") or (response.finish_reason or "COMPLETE")


def _write_call(call: ToolCall) -> dict[str, Any]:
    raw = arguments_of(call)
    return {"id": f"{call.name}_{call.id[-12:]}", "type": "function", "function": {"name": call.name, "arguments": raw}}


def write_usage(usage: Usage) -> dict[str, Any]:
    figures = {"input_tokens": usage.prompt_tokens, "output_tokens": usage.completion_tokens}
    tokens = {**figures, "reasoning_tokens": usage.reasoning_tokens} if usage.reasoning_tokens else figures
    return {"billed_units": figures, "tokens": tokens, "cached_tokens": usage.cached_tokens or 0}


def write_stream(request: ChatRequest, response: ChatResponse, rules: Rules) -> Iterator[bytes]:
    start = {"role": "assistant", "content": [], "tool_plan": "", "tool_calls": [], "citations": []}
    yield _event("message-start", id=_id(response), delta={"message": start})
    for index, (kind, text) in enumerate(_texts(response)):
        yield from _content_events(index, kind, text)
    for fragment in fragments(response.content or TOOL_PLAN) if response.tool_calls else ():
        yield _event("tool-plan-delta", delta={"message": {"tool_plan": fragment}})
    for index, call in enumerate(response.tool_calls):
        yield from _call_events(index, call)
    yield _event("message-end", delta={"finish_reason": _finish_reason(response), "usage": write_usage(response.usage)})
    yield sse("[DONE]")


def _event(kind: str, **fields: Any) -> bytes:
    return sse({"type": kind, **fields}, kind)


def _content_events(index: int, kind: str, text: str) -> Iterator[bytes]:
    yield _event("content-start", index=index, delta={"message": {"content": {"type": kind, kind: ""}}})
    for fragment in fragments(text):
        yield _event("content-delta", index=index, delta={"message": {"content": {kind: fragment}}})
    yield _event("content-end", index=index)


def _call_events(index: int, call: ToolCall) -> Iterator[bytes]:
    """A call without arguments has no fragment."""
    complete = _write_call(call)
    start = {**complete, "function": {"name": call.name, "arguments": ""}}
    yield _event("tool-call-start", index=index, delta={"message": {"tool_calls": start}})
    for fragment in fragments(complete["function"]["arguments"]) if call.arguments != {} else ():
        yield _event("tool-call-delta", index=index, delta={"message": {"tool_calls": {"function": {"arguments": fragment}}}})
    yield _event("tool-call-end", index=index)


def rejection_of(invalid: Invalid) -> Rejected:
    field = dotted(invalid.path)
    if invalid.kind in ("unknown", "unsupported"):
        return Rejected(f"unknown field: parameter '{field}' is not a valid field.")
    if invalid.kind == "missing":
        return Rejected(f"invalid request: {field} is required.")
    if invalid.kind == "type":
        given = type_name(invalid.value)
        return Rejected(f"invalid type: parameter '{field}' is of type {given} but should be of type {invalid.expected}.")
    if invalid.kind in ("low", "high"):
        side = "at least" if invalid.kind == "low" else "at most"
        return Rejected(f"invalid request: {field} must be {side} {invalid.expected}, received {invalid.value}.")
    if invalid.kind == "choice":
        return Rejected(f"invalid request: {field} must be one of {', '.join(invalid.expected)}.")
    side = {"short": "must be at least 1 token long or 1 element", "long": "has too many elements"}.get(
        invalid.kind, "is not valid"
    )
    return Rejected(f"invalid request: {field} {side}.")


def _message_of(rejected: Rejected) -> str:
    if rejected.kind == "authentication" and not rejected.message:
        wrong = "Incorrect API key provided: ***. You can find your API key at https://dashboard.cohere.com/api-keys."
        return "no api key supplied" if rejected.code == "no_key" else wrong
    if rejected.kind == "not_found" and rejected.param == "model":
        advice = "make sure the correct model ID was used and that you have access to the model."
        return f"model '{rejected.message}' not found, {advice}"
    return rejected.message


def write_error(rejected: Rejected, digest: str) -> tuple[int, dict[str, str], Any]:
    body = {
        "id": f"{digest[:8]}-{digest[8:12]}-{digest[12:16]}-{digest[16:20]}-{digest[20:32]}",
        "message": _message_of(rejected),
    }
    if rejected.code and rejected.kind != "authentication":
        body["error_type"] = rejected.code
    return rejected.status or STATUS_OF.get(rejected.kind, 400), {}, body


def write_stream_error(rejected: Rejected) -> bytes:
    """A failed stream ends with `message-end` and the finish reason ERROR."""
    delta = {"finish_reason": "ERROR", "usage": {}, "error": _message_of(rejected)}
    if rejected.code:
        delta["error_type"] = rejected.code
    return _event("message-end", delta=delta) + sse("[DONE]")


SERVICE = Service(
    operations={
        "chat": ServiceOperation(
            path=compile(r"/v2/chat$"),
            check=check_request,
            read=read_request,
            write=write_response,
            write_stream=write_stream,
            options={**_OPTIONS, "stop": "stop_sequences", "reasoning": "thinking"},
        ),
        "models": MODELS,
        "model": MODEL,
        "count_tokens": COUNT_TOKENS,
    },
    rejection_of=rejection_of,
    write_error=write_error,
    write_stream_error=write_stream_error,
    auth={"scheme": "bearer"},
    stream_type="text/event-stream",
    request_id_header="x-debug-trace-id",
)
