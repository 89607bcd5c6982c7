"""OpenAI's chat completions, the server's side: requests in, responses and chunks out."""

from __future__ import annotations

import json
from re import compile

from ....types.messages import Audio, Document, Image, Message, Text
from ....types.request import ChatOptions, ChatRequest, Reasoning, ResponseFormat, ToolChoice
from ....types.tools import Tool, ToolCall
from ...exchange import Service, ServiceOperation
from ...frames import arguments_of, sse
from ...media import medium
from ...tokens import fragments
from ..openai_errors import rejection_of, write_error, write_stream_error
from ..openai_models import MODEL, MODELS
from .checks import check_request
from .count_tokens import COUNT_TOKENS
from .embeddings import EMBEDDINGS

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any

    from ....types.messages import Block
    from ....types.response import ChatResponse, Usage
    from ...exchange import Rules, ServerRequest

CREATED = 1_790_000_000
FINISH_REASONS = {"end_turn": "stop", "stop_sequence": "stop", "max_tokens": "length", "tool_use": "tool_calls"}
#: Standard option → the field with the same value.
_OPTIONS = {
    "temperature": "temperature",
    "top_p": "top_p",
    "seed": "seed",
    "frequency_penalty": "frequency_penalty",
    "presence_penalty": "presence_penalty",
    "parallel_tool_calls": "parallel_tool_calls",
}


def read_request(received: ServerRequest, body: dict[str, Any], rules: Rules) -> ChatRequest:
    options: dict[str, Any] = {name: body[wire] for name, wire in _OPTIONS.items() if body.get(wire) is not None}
    longest = body.get("max_completion_tokens") or body.get("max_tokens")
    if longest is not None:
        options["max_tokens"] = longest
    if body.get("stop"):
        options["stop"] = (body["stop"],) if isinstance(body["stop"], str) else tuple(body["stop"])
    if "tool_choice" in body:
        options["tool_choice"] = _read_choice(body["tool_choice"])
    if "response_format" in body:
        options["response_format"] = _read_format(body["response_format"])
    reasoning = _read_reasoning(body)
    if reasoning:
        options["reasoning"] = reasoning
    return ChatRequest(
        model=body["model"],
        messages=tuple(_read_message(message) for message in body["messages"]),
        tools=tuple(_read_tool(tool["function"]) for tool in body.get("tools", ()) if "function" in tool),
        options=ChatOptions(**options),
        extra={"usage": bool((body.get("stream_options") or {}).get("include_usage")), "n": body.get("n") or 1},
        stream=bool(body.get("stream")),
    )


def _read_message(message: dict[str, Any]) -> Message:
    role = message["role"]
    blocks = _read_content(message.get("content"))
    if role in ("tool", "function"):
        text = "".join(block.text for block in blocks if isinstance(block, Text))
        return Message.tool(message.get("tool_call_id") or message["name"], text)
    for call in message.get("tool_calls") or ():
        inner = call.get("function") or {"name": call["custom"]["name"], "arguments": "{}"}
        blocks.append(ToolCall(call["id"], inner["name"], _object(inner["arguments"]), inner["arguments"]))
    return Message("system" if role == "developer" else role, blocks)  # type: ignore[arg-type]


def _object(text: str) -> dict[str, Any] | None:
    try:
        value = json.loads(text or "{}")
    except ValueError:
        return None
    return value if isinstance(value, dict) else None


def _read_content(content: str | list[dict[str, Any]] | None) -> list[Block]:
    if not isinstance(content, list):
        return [Text(content)] if content else []
    return [_READ_PART[part["type"]](part) for part in content if part["type"] in _READ_PART]


def _read_file(part: dict[str, Any]) -> Document:
    file = part["file"]
    block: Document = medium(Document, file.get("file_data") or f"file:{file.get('file_id')}", None, None)
    block.name = file.get("filename")
    return block


_READ_PART: dict[str, Any] = {
    "text": lambda part: Text(part["text"]),
    "refusal": lambda part: Text(part["refusal"]),
    "image_url": lambda part: medium(Image, part["image_url"]["url"], None, None),
    "input_audio": lambda part: medium(Audio, None, f"audio/{part['input_audio']['format']}", part["input_audio"]["data"]),
    "file": _read_file,
}


def _read_tool(function: dict[str, Any]) -> Tool:
    parameters = function.get("parameters") or {"type": "object", "properties": {}}
    return Tool(function["name"], function.get("description") or "", parameters, function.get("strict"))


def _read_choice(choice: Any) -> ToolChoice:
    if not isinstance(choice, dict):
        return ToolChoice(choice)
    if "function" in choice:
        return ToolChoice("tool", choice["function"]["name"])
    return ToolChoice("required" if choice.get("allowed_tools", {}).get("mode") == "required" else "auto")


def _read_format(form: dict[str, Any]) -> ResponseFormat:
    if form["type"] == "json_schema":
        inner = form["json_schema"]
        return ResponseFormat("json_schema", inner.get("schema"), inner["name"], inner.get("strict"))
    return ResponseFormat("json" if form["type"] == "json_object" else "text")


def _read_reasoning(body: dict[str, Any]) -> Reasoning | None:
    """The requested thinking; hosts have different fields for it."""
    if body.get("reasoning_effort"):
        return Reasoning(effort=body["reasoning_effort"])
    reasoning = body.get("reasoning")
    if isinstance(reasoning, dict):
        on = reasoning.get("enabled", True) and reasoning.get("effort") != "none"
        return Reasoning(reasoning.get("effort") or ("medium" if on else "none"), reasoning.get("max_tokens"))
    switches = [body.get("enable_thinking"), *(body.get("chat_template_kwargs") or {}).values()]
    if isinstance(body.get("thinking"), dict):
        switches.append(body["thinking"].get("type") != "disabled")
    if not any(isinstance(switch, bool) for switch in switches):
        return None
    return Reasoning(effort="medium" if any(switch is True for switch in switches) else "none")


def write_response(request: ChatRequest, response: ChatResponse, rules: Rules) -> dict[str, Any]:
    message: dict[str, Any] = {"role": "assistant", "content": response.content or None, "refusal": response.refusal}
    if response.thinking and rules.thinking_field:
        message[rules.thinking_field] = response.thinking
    if response.tool_calls:
        message["tool_calls"] = [_write_call(call) for call in response.tool_calls]
    elif not response.refusal:
        message["content"] = response.content
    message["annotations"] = []
    choices = [
        {"index": index, "message": message, "logprobs": None, "finish_reason": _finish_reason(response)}
        for index in range(request.extra["n"])
    ]
    return {**_head(response, "chat.completion"), "choices": choices, "usage": write_usage(response.usage)}


def _head(response: ChatResponse, kind: str) -> dict[str, Any]:
    return {
        "id": f"chatcmpl-{response.id}",
        "object": kind,
        "created": CREATED,
        "model": response.model,
        "service_tier": "default",
        "system_fingerprint": "fp_embedded",
    }


def _finish_reason(response: ChatResponse) -> str:
    return FINISH_REASONS.get(response.finish_reason or "end_turn") or response.finish_reason or "stop"


def _write_call(call: ToolCall) -> dict[str, Any]:
    return {"id": f"call_{call.id}", "type": "function", "function": {"name": call.name, "arguments": arguments_of(call)}}


def write_usage(usage: Usage) -> dict[str, Any]:
    return {
        "prompt_tokens": usage.prompt_tokens,
        "completion_tokens": usage.completion_tokens,
        "total_tokens": usage.total_tokens,
        "prompt_tokens_details": {"cached_tokens": usage.cached_tokens or 0, "audio_tokens": 0},
        "completion_tokens_details": {
            "reasoning_tokens": usage.reasoning_tokens or 0,
            "audio_tokens": 0,
            "accepted_prediction_tokens": 0,
            "rejected_prediction_tokens": 0,
        },
    }


def write_stream(request: ChatRequest, response: ChatResponse, rules: Rules) -> Iterator[bytes]:
    head = _head(response, "chat.completion.chunk")
    with_usage = request.extra["usage"]

    def chunk(index: int, delta: dict[str, Any], finish: str | None = None, usage: Any = None) -> bytes:
        choices = [{"index": index, "delta": delta, "logprobs": None, "finish_reason": finish}]
        return sse({**head, "choices": choices, **({"usage": usage} if with_usage or usage else {})})

    for index in range(request.extra["n"]):
        yield chunk(
            index, {"role": "assistant", "content": None if response.tool_calls or response.refusal else "", "refusal": None}
        )
        for delta in _deltas(response, rules):
            yield chunk(index, delta)
        yield chunk(index, {}, _finish_reason(response), write_usage(response.usage) if rules.always_sends_usage else None)
    if with_usage:
        yield sse({**head, "choices": [], "usage": write_usage(response.usage)})
    yield sse("[DONE]")


def _deltas(response: ChatResponse, rules: Rules) -> Iterator[dict[str, Any]]:
    if rules.thinking_field:
        for fragment in fragments(response.thinking or ""):
            yield {rules.thinking_field: fragment}
    for fragment in fragments(response.content):
        yield {"content": fragment}
    for fragment in fragments(response.refusal or ""):
        yield {"refusal": fragment}
    for index, call in enumerate(response.tool_calls):
        complete = _write_call(call)
        start = {**complete, "index": index, "function": {"name": call.name, "arguments": ""}}
        yield {"tool_calls": [start]}
        for fragment in fragments(arguments_of(call)):
            yield {"tool_calls": [{"index": index, "function": {"arguments": fragment}}]}


SERVICE = Service(
    operations={
        "chat": ServiceOperation(
            path=compile(r"/chat/completions$"),
            check=check_request,
            read=read_request,
            write=write_response,
            write_stream=write_stream,
            options={**_OPTIONS, "max_tokens": "max_tokens", "stop": "stop", "top_k": "top_k", "reasoning": "reasoning_effort"},
        ),
        "embeddings": EMBEDDINGS,
        "models": MODELS,
        "model": MODEL,
        "count_tokens": COUNT_TOKENS,
    },
    rejection_of=rejection_of,
    write_error=write_error,
    write_stream_error=write_stream_error,
    auth={"scheme": "bearer"},
    indent=2,
)
