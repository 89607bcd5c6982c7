"""OpenAI's Responses, the server's side: requests in, responses and typed events out."""

from __future__ import annotations

from re import compile

from ....types.json_values import parse_arguments
from ....types.messages import Document, Image, Message, MessageRole, Opaque, Text, Thinking, ToolResult
from ....types.request import ChatOptions, ChatRequest, Reasoning, ResponseFormat, ToolChoice
from ....types.tools import Tool, ToolCall
from ...exchange import Service, ServiceOperation
from ...frames import arguments_of, sse
from ...media import medium
from ...tokens import fragments
from ..openai_errors import error_object, rejection_of, write_error
from ..openai_models import MODEL, MODELS
from .checks import check_request, encrypted_content_of
from .count_tokens import count_tokens

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any

    from ....types.messages import Block
    from ....types.response import ChatResponse, Usage
    from ...exchange import Rejected, Rules, ServerRequest

CREATED = 1_790_000_000
#: Standard option → the field with the same value.
_OPTIONS = {
    "temperature": "temperature",
    "top_p": "top_p",
    "max_tokens": "max_output_tokens",
    "parallel_tool_calls": "parallel_tool_calls",
}


def read_request(received: ServerRequest, body: dict[str, Any], rules: Rules) -> ChatRequest:
    options: dict[str, Any] = {name: body[wire] for name, wire in _OPTIONS.items() if body.get(wire) is not None}
    if "tool_choice" in body:
        options["tool_choice"] = _read_choice(body["tool_choice"])
    form = (body.get("text") or {}).get("format")
    if form:
        kind = {"json_object": "json"}.get(form["type"], form["type"])
        options["response_format"] = ResponseFormat(kind, form.get("schema"), form.get("name", "answer"), form.get("strict"))
    reasoning = body.get("reasoning")
    if reasoning:
        options["reasoning"] = Reasoning(reasoning.get("effort") or "medium", visible=bool(reasoning.get("summary")))
    input = body.get("input") or []
    items = [{"role": "user", "content": input}] if isinstance(input, str) else input
    messages = [Message.system(body["instructions"])] if body.get("instructions") else []
    messages += [_read_item(item) for item in items]
    return ChatRequest(
        model=body.get("model") or "gpt",  # a stored prompt may name the model
        messages=tuple(messages),
        tools=tuple(_read_tool(tool) for tool in body.get("tools") or () if "name" in tool),
        options=ChatOptions(**options),
        extra={"body": body, "encrypted": "reasoning.encrypted_content" in (body.get("include") or ())},
        stream=bool(body.get("stream")),
    )


def _read_tool(tool: dict[str, Any]) -> Tool:
    parameters = tool.get("parameters") or {"type": "object", "properties": {}}
    return Tool(tool["name"], tool.get("description") or "", parameters, tool.get("strict"))


def _read_choice(choice: Any) -> ToolChoice:
    if not isinstance(choice, dict):
        return ToolChoice(choice)
    return ToolChoice("tool", choice["name"]) if "name" in choice else ToolChoice("required")


def _read_item(item: dict[str, Any]) -> Message:
    kind = item.get("type", "message")
    if kind == "message":
        role = MessageRole.SYSTEM if item["role"] == "developer" else MessageRole(item["role"])
        return Message(role, _read_content(item["content"]))
    if kind in ("function_call", "custom_tool_call"):
        raw = item.get("arguments", "{}")
        return Message.assistant("", [ToolCall(item["call_id"], item["name"], parse_arguments(raw) or {}, raw)])
    if kind.endswith("_output"):
        return Message(MessageRole.TOOL, [ToolResult(item["call_id"], _read_content(item["output"]))])
    if kind == "reasoning":
        text = "".join(part.get("text", "") for part in item["summary"])
        return Message(MessageRole.ASSISTANT, [Thinking(text, item.get("encrypted_content"))])
    return Message(MessageRole.ASSISTANT, [Opaque(item)])


def _read_content(content: str | list[dict[str, Any]]) -> list[Block]:
    if isinstance(content, str):
        return [Text(content)] if content else []
    return [_READ_PART[part["type"]](part) for part in content]


def _read_file(part: dict[str, Any]) -> Document:
    url = part.get("file_data") or part.get("file_url") or f"file:{part.get('file_id')}"
    document: Document = medium(Document, url, None, None)
    document.name = part.get("filename")
    return document


_READ_PART: dict[str, Any] = {
    "input_text": lambda part: Text(part["text"]),
    "output_text": lambda part: Text(part["text"]),
    "refusal": lambda part: Text(part["refusal"]),
    "input_image": lambda part: medium(Image, part.get("image_url") or f"file:{part.get('file_id')}", None, None),
    "input_file": _read_file,
}


def write_response(request: ChatRequest, response: ChatResponse, rules: Rules) -> dict[str, Any]:
    is_incomplete = response.finish_reason in ("max_tokens", "content_filter") and not response.refusal
    return {
        **_head(request, response),
        "status": "incomplete" if is_incomplete else "completed",
        "completed_at": None if is_incomplete else CREATED + 1,
        "incomplete_details": {"reason": _INCOMPLETE_REASONS[response.finish_reason or ""]} if is_incomplete else None,
        "output": _items(request, response),
        "usage": write_usage(response.usage),
    }


_INCOMPLETE_REASONS = {"max_tokens": "max_output_tokens", "content_filter": "content_filter"}


def _head(request: ChatRequest, response: ChatResponse) -> dict[str, Any]:
    """The fields that every snapshot of a response has; many repeat the request."""
    body = request.extra["body"]
    return {
        "id": f"resp_{response.id}",
        "object": "response",
        "created_at": CREATED,
        "status": "in_progress",
        "background": False,
        "completed_at": None,
        "error": None,
        "incomplete_details": None,
        "instructions": body.get("instructions"),
        "max_output_tokens": body.get("max_output_tokens"),
        "model": response.model,
        "output": [],
        "parallel_tool_calls": body.get("parallel_tool_calls", True),
        "previous_response_id": body.get("previous_response_id"),
        "reasoning": {"effort": None, "summary": None, **(body.get("reasoning") or {})},
        "service_tier": "default",
        "store": body.get("store", True),
        "temperature": body.get("temperature", 1.0),
        "text": {"format": {"type": "text"}, "verbosity": "medium", **(body.get("text") or {})},
        "tool_choice": body.get("tool_choice", "auto"),
        "tools": body.get("tools") or [],
        "top_p": body.get("top_p", 1.0),
        "truncation": "disabled",
        "usage": None,
        "metadata": body.get("metadata") or {},
    }


def _items(request: ChatRequest, response: ChatResponse) -> list[dict[str, Any]]:
    """The complete items, in order."""
    items: list[dict[str, Any]] = []
    if response.thinking:
        is_visible = request.options.reasoning.visible if request.options.reasoning is not None else True
        summary = [{"type": "summary_text", "text": response.thinking}] if is_visible else []
        item: dict[str, Any] = {"id": f"rs_{response.id}", "type": "reasoning", "summary": summary}
        if request.extra["encrypted"]:
            item["encrypted_content"] = encrypted_content_of(response.thinking)
        items.append(item)
    if response.content or response.refusal or not response.tool_calls:
        part = {"type": "output_text", "annotations": [], "logprobs": [], "text": response.content}
        content = [{"type": "refusal", "refusal": response.refusal}] if response.refusal else [part]
        head = {"id": f"msg_{response.id}", "type": "message", "status": "completed"}
        items.append({**head, "content": content, "role": "assistant"})
    for call in response.tool_calls:
        raw = arguments_of(call)
        facts = {"arguments": raw, "call_id": f"call_{call.id}", "name": call.name}
        items.append({"id": f"fc_{call.id}", "type": "function_call", "status": "completed", **facts})
    return items


def write_usage(usage: Usage) -> dict[str, Any]:
    return {
        "input_tokens": usage.prompt_tokens,
        "input_tokens_details": {"cache_write_tokens": 0, "cached_tokens": usage.cached_tokens or 0},
        "output_tokens": usage.completion_tokens,
        "output_tokens_details": {"reasoning_tokens": usage.reasoning_tokens or 0},
        "total_tokens": usage.total_tokens,
    }


def write_stream(request: ChatRequest, response: ChatResponse, rules: Rules) -> Iterator[bytes]:
    for number, event in enumerate(_events(request, response, rules)):
        yield sse({**event, "sequence_number": number}, event["type"])


def _events(request: ChatRequest, response: ChatResponse, rules: Rules) -> Iterator[dict[str, Any]]:
    head = _head(request, response)
    yield {"type": "response.created", "response": head}
    yield {"type": "response.in_progress", "response": head}
    for index, item in enumerate(_items(request, response)):
        yield from _ITEM_EVENTS[item["type"]](item, index)
    complete = write_response(request, response, rules)
    yield {"type": f"response.{complete['status']}", "response": complete}


def _framed(
    item: dict[str, Any], index: int, empty: dict[str, Any], inner: Iterator[dict[str, Any]]
) -> Iterator[dict[str, Any]]:
    """The events of an item, between its beginning and its end; each has the id of the item."""
    yield {"type": "response.output_item.added", "output_index": index, "item": {**item, **empty}}
    for event in inner:
        yield {**event, "item_id": item["id"], "output_index": index}
    yield {"type": "response.output_item.done", "output_index": index, "item": item}


def _message_events(item: dict[str, Any], index: int) -> Iterator[dict[str, Any]]:
    part = item["content"][0]
    key = "refusal" if part["type"] == "refusal" else "text"
    kind = f"response.{part['type']}"

    def inner() -> Iterator[dict[str, Any]]:
        at = {"content_index": 0}
        yield {"type": "response.content_part.added", **at, "part": {**part, key: ""}}
        for fragment in fragments(part[key]):
            yield {"type": f"{kind}.delta", **at, "delta": fragment, "logprobs": []}
        yield {"type": f"{kind}.done", **at, key: part[key]}
        yield {"type": "response.content_part.done", **at, "part": part}

    return _framed(item, index, {"status": "in_progress", "content": []}, inner())


def _call_events(item: dict[str, Any], index: int) -> Iterator[dict[str, Any]]:
    def inner() -> Iterator[dict[str, Any]]:
        for fragment in fragments(item["arguments"]):
            yield {"type": "response.function_call_arguments.delta", "delta": fragment}
        yield {"type": "response.function_call_arguments.done", "arguments": item["arguments"]}

    return _framed(item, index, {"status": "in_progress", "arguments": ""}, inner())


def _reasoning_events(item: dict[str, Any], index: int) -> Iterator[dict[str, Any]]:
    def inner() -> Iterator[dict[str, Any]]:
        for number, part in enumerate(item["summary"]):
            at = {"summary_index": number}
            yield {"type": "response.reasoning_summary_part.added", **at, "part": {**part, "text": ""}}
            for fragment in fragments(part["text"]):
                yield {"type": "response.reasoning_summary_text.delta", **at, "delta": fragment}
            yield {"type": "response.reasoning_summary_text.done", **at, "text": part["text"]}
            yield {"type": "response.reasoning_summary_part.done", **at, "part": part}

    return _framed(item, index, {"summary": []}, inner())


_ITEM_EVENTS: dict[str, Any] = {
    "message": _message_events,
    "function_call": _call_events,
    "reasoning": _reasoning_events,
}


def write_stream_error(rejected: Rejected) -> bytes:
    error = error_object(rejected)
    event = {"type": "error", "code": error["code"] or error["type"], "message": error["message"], "param": error["param"]}
    return sse({**event, "sequence_number": 0}, "error")


SERVICE = Service(
    operations={
        "chat": ServiceOperation(
            path=compile(r"/responses$"),
            check=check_request,
            read=read_request,
            write=write_response,
            write_stream=write_stream,
            options={**_OPTIONS, "reasoning": "reasoning"},
        ),
        "models": MODELS,
        "model": MODEL,
        "count_tokens": count_tokens(read_request),
    },
    rejection_of=rejection_of,
    write_error=write_error,
    write_stream_error=write_stream_error,
    auth={"scheme": "bearer"},
    indent=2,
)
