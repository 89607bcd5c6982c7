"""Ollama's own chat API, the server's side. The real one passes over unknown fields; this one refuses them, as a typing aid.

https://docs.ollama.com/api/chat
"""

from __future__ import annotations

import json
from re import compile

from ....types.messages import Image, Message, MessageRole, Text, Thinking, ToolResult
from ....types.request import ChatOptions, ChatRequest, Reasoning, ResponseFormat
from ....types.tools import Tool, ToolCall
from ...exchange import STATUS_OF, Refused, Speaker
from ...frames import ndjson
from ...json_checks import dotted
from ...media import decode
from ...tokens import pieces
from .checks import check_call

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any

    from ....types.messages import Block
    from ....types.response import ChatResponse
    from ...exchange import Rules, ServerCall
    from ...json_checks import Bad

_PLAIN = {
    "temperature": "temperature",
    "top_p": "top_p",
    "top_k": "top_k",
    "seed": "seed",
    "frequency_penalty": "frequency_penalty",
    "presence_penalty": "presence_penalty",
}


def read_call(call: ServerCall, body: dict[str, Any], rules: Rules) -> ChatRequest:
    given = body.get("options") or {}
    options: dict[str, Any] = {name: given[wire] for name, wire in _PLAIN.items() if wire in given}
    if given.get("num_predict", -1) > 0:
        options["max_tokens"] = given["num_predict"]
    if given.get("stop"):
        options["stop"] = tuple(given["stop"])
    form = body.get("format")
    if form:
        options["response_format"] = ResponseFormat("json") if form == "json" else ResponseFormat("json_schema", form)
    think = body.get("think")
    if think is not None:
        effort: Any = think if isinstance(think, str) else "medium" if think else "none"
        options["reasoning"] = Reasoning(effort)
    functions = [tool["function"] for tool in body.get("tools") or ()]
    return ChatRequest(
        model=body["model"],
        messages=tuple(_read_messages(body.get("messages") or [])),
        tools=tuple(Tool(function["name"], function.get("description", ""), function["parameters"]) for function in functions),
        options=ChatOptions(**options),
        stream=body.get("stream") is not False,
    )


def _read_messages(messages: list[dict[str, Any]]) -> Iterator[Message]:
    """Results come without ids, so each answers the next open call (of its own tool, where that is named)."""
    waiting: list[ToolCall] = []
    for index, message in enumerate(messages):
        text = message.get("content") or ""
        if message["role"] == "tool":
            named = message.get("tool_name")
            found = next((call for call in waiting if named in (None, "", call.name)), None)
            if found is not None:
                waiting.remove(found)
            id, name = (found.id, found.name) if found else (named or "", named)
            yield Message(MessageRole.TOOL, [ToolResult(id, text, name)])
            continue
        blocks: list[Block] = [Thinking(message["thinking"])] if message.get("thinking") else []
        blocks += [Text(text)] if text else []
        blocks += [Image("image/png", decode(image) or b"") for image in message.get("images") or ()]
        calls = [
            ToolCall(call.get("id") or f"{index}.{position}", call["function"]["name"], call["function"]["arguments"])
            for position, call in enumerate(message.get("tool_calls") or ())
        ]
        waiting = list(calls)
        yield Message(MessageRole(message["role"]), [*blocks, *calls])


CREATED = "2026-11-23T12:00:00.000000Z"
FINISH = {"max_tokens": "length"}


def write_answer(asked: ChatRequest, answer: ChatResponse, rules: Rules) -> dict[str, Any]:
    message: dict[str, Any] = {"role": "assistant", "content": answer.content}
    if answer.thinking:
        message["thinking"] = answer.thinking
    if answer.tool_calls:
        message["tool_calls"] = [_write_call(index, call) for index, call in enumerate(answer.tool_calls)]
    return {**_line(answer, message), "done": True, **_end(answer)}


def _line(answer: ChatResponse, message: dict[str, Any]) -> dict[str, Any]:
    return {"model": answer.model, "created_at": CREATED, "message": message, "done": False}


def _end(answer: ChatResponse) -> dict[str, Any]:
    usage = answer.usage
    return {
        "done_reason": FINISH.get(answer.finish_reason or "", "stop"),
        "total_duration": 2_000_000,
        "load_duration": 1_000_000,
        "prompt_eval_count": usage.prompt_tokens,
        "prompt_eval_duration": 500_000,
        "eval_count": usage.completion_tokens,
        "eval_duration": 500_000,
    }


def _write_call(index: int, call: ToolCall) -> dict[str, Any]:
    function = {"index": index, "name": call.name, "arguments": call.arguments or {}}
    return {"id": f"call_{call.id[-8:]}", "function": function}


def write_stream(asked: ChatRequest, answer: ChatResponse, rules: Rules) -> Iterator[bytes]:
    for piece in pieces(answer.thinking or ""):
        yield ndjson(_line(answer, {"role": "assistant", "content": "", "thinking": piece}))
    for piece in pieces(answer.content):
        yield ndjson(_line(answer, {"role": "assistant", "content": piece}))
    for index, call in enumerate(answer.tool_calls):
        yield ndjson(_line(answer, {"role": "assistant", "content": "", "tool_calls": [_write_call(index, call)]}))
    yield ndjson({**_line(answer, {"role": "assistant", "content": ""}), "done": True, **_end(answer)})


def explain(bad: Bad) -> Refused:
    place = dotted(bad.path)
    if bad.kind == "missing" and bad.path == ("model",):
        return Refused("model is required")
    if bad.kind == "unknown":
        return Refused(f'json: unknown field "{place}"')
    if bad.kind == "type":
        given = json.dumps(bad.value)[:40]
        return Refused(f"json: cannot unmarshal {given} into Go struct field ChatRequest.{place} of type {bad.want}")
    if bad.kind == "choice":
        return Refused(f'invalid {place}: "{bad.value}" (must be one of {", ".join(bad.want)})')
    return Refused(f"invalid value for {place}: {bad.kind}, {bad.want}")


def _message_of(refused: Refused) -> str:
    if refused.kind == "authentication":
        return refused.message or "unauthorized"
    if refused.kind == "not_found" and refused.param == "model":
        return f"model '{refused.message}' not found"
    return refused.message


def write_error(refused: Refused, stamp: str) -> tuple[int, dict[str, str], Any]:
    return refused.status or STATUS_OF.get(refused.kind, 400), {}, {"error": _message_of(refused)}


def write_stream_error(refused: Refused) -> bytes:
    return ndjson({"error": _message_of(refused)})


SPEAKER = Speaker(
    check_call=check_call,
    read_call=read_call,
    write_answer=write_answer,
    write_stream=write_stream,
    explain=explain,
    write_error=write_error,
    write_stream_error=write_stream_error,
    tail=compile(r"/api/chat$"),
    options={"reasoning": "think", "response_format": "format", **{name: f"options.{wire}" for name, wire in _PLAIN.items()}},
    auth={"scheme": "bearer"},
    stream_type="application/x-ndjson",
    request_id="",
    ping=b"\n",
)
