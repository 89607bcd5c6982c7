"""Ollama's own chat API, the server's side: requests in, responses and lines of JSON out.

https://docs.ollama.com/api/chat
"""

from __future__ import annotations

import json
from re import compile

from ....types.messages import Image, Message, MessageRole, Text, Thinking, ToolResult
from ....types.request import ChatOptions, ChatRequest, Reasoning, ResponseFormat
from ....types.tools import Tool, ToolCall
from ...exchange import STATUS_OF, Rejected, Service, ServiceOperation
from ...frames import ndjson
from ...json_checks import dotted
from ...media import decode
from ...tokens import fragments
from .checks import check_request
from .models import MODEL, MODELS

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any

    from ....types.messages import Block
    from ....types.response import ChatResponse
    from ...exchange import Rules, ServerRequest
    from ...json_checks import Invalid

#: Standard option → the field with the same value.
_OPTIONS = {
    "temperature": "temperature",
    "top_p": "top_p",
    "top_k": "top_k",
    "seed": "seed",
    "frequency_penalty": "frequency_penalty",
    "presence_penalty": "presence_penalty",
}


def read_request(received: ServerRequest, body: dict[str, Any], rules: Rules) -> ChatRequest:
    sampling = body.get("options") or {}
    options: dict[str, Any] = {name: sampling[wire] for name, wire in _OPTIONS.items() if wire in sampling}
    if sampling.get("num_predict", -1) > 0:
        options["max_tokens"] = sampling["num_predict"]
    if sampling.get("stop"):
        options["stop"] = tuple(sampling["stop"])
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
    """Results have no ids: each belongs to the next call without a result, of the tool with its name if it has one."""
    open_calls: list[ToolCall] = []
    for index, message in enumerate(messages):
        text = message.get("content") or ""
        if message["role"] == "tool":
            named = message.get("tool_name")
            found = next((call for call in open_calls if named in (None, "", call.name)), None)
            if found is not None:
                open_calls.remove(found)
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
        open_calls = list(calls)
        yield Message(MessageRole(message["role"]), [*blocks, *calls])


CREATED = "2026-11-23T12:00:00.000000Z"
FINISH_REASONS = {"max_tokens": "length"}


def write_response(request: ChatRequest, response: ChatResponse, rules: Rules) -> dict[str, Any]:
    message: dict[str, Any] = {"role": "assistant", "content": response.content}
    if response.thinking:
        message["thinking"] = response.thinking
    if response.tool_calls:
        message["tool_calls"] = [_write_call(index, call) for index, call in enumerate(response.tool_calls)]
    return {**_line(response, message), "done": True, **_end(response)}


def _line(response: ChatResponse, message: dict[str, Any]) -> dict[str, Any]:
    return {"model": response.model, "created_at": CREATED, "message": message, "done": False}


def _end(response: ChatResponse) -> dict[str, Any]:
    usage = response.usage
    return {
        "done_reason": FINISH_REASONS.get(response.finish_reason or "", "stop"),
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


def write_stream(request: ChatRequest, response: ChatResponse, rules: Rules) -> Iterator[bytes]:
    for fragment in fragments(response.thinking or ""):
        yield ndjson(_line(response, {"role": "assistant", "content": "", "thinking": fragment}))
    for fragment in fragments(response.content):
        yield ndjson(_line(response, {"role": "assistant", "content": fragment}))
    for index, call in enumerate(response.tool_calls):
        yield ndjson(_line(response, {"role": "assistant", "content": "", "tool_calls": [_write_call(index, call)]}))
    yield ndjson({**_line(response, {"role": "assistant", "content": ""}), "done": True, **_end(response)})


def rejection_of(invalid: Invalid) -> Rejected:
    field = dotted(invalid.path)
    if invalid.kind == "missing" and invalid.path == ("model",):
        return Rejected("model is required")
    if invalid.kind == "unknown":
        return Rejected(f'json: unknown field "{field}"')
    if invalid.kind == "type":
        given = json.dumps(invalid.value)[:40]
        return Rejected(f"json: cannot unmarshal {given} into Go struct field ChatRequest.{field} of type {invalid.expected}")
    if invalid.kind == "choice":
        return Rejected(f'invalid {field}: "{invalid.value}" (must be one of {", ".join(invalid.expected)})')
    return Rejected(f"invalid value for {field}: {invalid.kind}, {invalid.expected}")


def _message_of(rejected: Rejected) -> str:
    if rejected.kind == "authentication":
        return rejected.message or "unauthorized"
    if rejected.kind == "not_found" and rejected.param == "model":
        return f"model '{rejected.message}' not found"
    return rejected.message


def write_error(rejected: Rejected, digest: str) -> tuple[int, dict[str, str], Any]:
    return rejected.status or STATUS_OF.get(rejected.kind, 400), {}, {"error": _message_of(rejected)}


def write_stream_error(rejected: Rejected) -> bytes:
    return ndjson({"error": _message_of(rejected)})


SERVICE = Service(
    operations={
        "chat": ServiceOperation(
            path=compile(r"/api/chat$"),
            check=check_request,
            read=read_request,
            write=write_response,
            write_stream=write_stream,
            options={
                "reasoning": "think",
                "response_format": "format",
                **{name: f"options.{wire}" for name, wire in _OPTIONS.items()},
            },
        ),
        "models": MODELS,
        "model": MODEL,
    },
    rejection_of=rejection_of,
    write_error=write_error,
    write_stream_error=write_stream_error,
    auth={"scheme": "bearer"},
    stream_type="application/x-ndjson",
    request_id_header="",
    ping=b"\n",
)
