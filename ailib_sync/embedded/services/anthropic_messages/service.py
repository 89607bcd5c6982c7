"""Anthropic's Messages API, the server's side: requests in, responses and events out."""

from __future__ import annotations

from re import compile

from ....types.messages import Document, Image, Message, MessageRole, Text, Thinking, ToolResult
from ....types.request import ChatOptions, ChatRequest, Reasoning, ResponseFormat, ToolChoice
from ....types.tools import Tool, ToolCall
from ...echo import signature_of
from ...exchange import STATUS_OF, Rejected, Service, ServiceOperation
from ...frames import arguments_of, sse
from ...json_checks import dotted
from ...media import medium
from ...tokens import fragments
from .checks import check_request
from .count_tokens import count_tokens
from .models import MODEL, MODELS
from .turns import blocks_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any

    from ....types.messages import Block
    from ....types.request import ToolChoiceMode
    from ....types.response import ChatResponse, Usage
    from ...exchange import Rules, ServerRequest
    from ...json_checks import Invalid

#: Standard option → the field with the same value.
_OPTIONS = {"temperature": "temperature", "top_p": "top_p", "top_k": "top_k", "max_tokens": "max_tokens"}
_CHOICES: dict[str, ToolChoiceMode] = {"auto": "auto", "any": "required", "none": "none"}


def read_request(received: ServerRequest, body: dict[str, Any], rules: Rules) -> ChatRequest:
    options: dict[str, Any] = {name: body[wire] for name, wire in _OPTIONS.items() if wire in body}
    if body.get("stop_sequences"):
        options["stop"] = tuple(body["stop_sequences"])
    choice = body.get("tool_choice")
    if choice:
        named = choice["type"] == "tool"
        options["tool_choice"] = ToolChoice("tool", choice["name"]) if named else ToolChoice(_CHOICES[choice["type"]])
        options["parallel_tool_calls"] = not choice.get("disable_parallel_tool_use", False)
    config = body.get("output_config") or {}
    if "format" in config:
        options["response_format"] = ResponseFormat("json_schema", config["format"]["schema"])
    thinking = body.get("thinking")
    if thinking:
        effort: Any = "none" if thinking["type"] == "disabled" else config.get("effort") or "high"
        options["reasoning"] = Reasoning(effort, thinking.get("budget_tokens"), thinking.get("display") != "omitted")
    system = body.get("system")
    parts: list[Block] = [Text(system)] if isinstance(system, str) else [Text(part["text"]) for part in system or ()]
    messages = [Message(MessageRole.SYSTEM, parts)] if system else []
    messages += [_read_message(message) for message in body["messages"]]
    return ChatRequest(
        model=body["model"],
        messages=tuple(messages),
        tools=tuple(_read_tool(tool) for tool in body.get("tools", ()) if "input_schema" in tool),
        options=ChatOptions(**options),
        stream=body.get("stream", False),
    )


def _read_message(message: dict[str, Any]) -> Message:
    blocks = [_READ[block["type"]](block) for block in blocks_of(message) if block["type"] in _READ]
    return Message(MessageRole(message["role"]), blocks)


def _read_medium(kind: type[Image] | type[Document], source: dict[str, Any]) -> Any:
    if source["type"] == "base64":
        return medium(kind, None, source["media_type"], source["data"])
    if source["type"] == "text":
        return kind(media_type="text/plain", data=source["data"].encode())
    return kind(url=source.get("url") or f"file:{source.get('file_id', 'content')}")


def _read_document(block: dict[str, Any]) -> Document:
    document: Document = _read_medium(Document, block["source"])
    document.name = block.get("title")
    return document


def _read_result(block: dict[str, Any]) -> ToolResult:
    content = block.get("content", "")
    if isinstance(content, list):
        content = [_READ[part["type"]](part) for part in content if part["type"] in _READ]
    return ToolResult(block["tool_use_id"], content, is_error=bool(block.get("is_error")))


_READ: dict[str, Any] = {
    "text": lambda block: Text(block["text"]),
    "image": lambda block: _read_medium(Image, block["source"]),
    "document": _read_document,
    "thinking": lambda block: Thinking(block["thinking"], block.get("signature")),
    "redacted_thinking": lambda block: Thinking(redacted=block["data"]),
    "tool_use": lambda block: ToolCall(block["id"], block["name"], block["input"]),
    "tool_result": _read_result,
}


def _read_tool(tool: dict[str, Any]) -> Tool:
    return Tool(tool["name"], tool.get("description", ""), tool["input_schema"], tool.get("strict"))


def write_response(request: ChatRequest, response: ChatResponse, rules: Rules) -> dict[str, Any]:
    return {
        **_head(response),
        "content": [_write_block(block, request) for block in _blocks(response)],
        **_end(response),
        "usage": write_usage(response.usage),
    }


def _head(response: ChatResponse) -> dict[str, Any]:
    id = f"msg_01{(response.id or '')[:22]}"
    return {"model": response.model, "id": id, "type": "message", "role": "assistant"}


def _end(response: ChatResponse) -> dict[str, Any]:
    reason = "refusal" if response.refusal else response.finish_reason or "end_turn"
    details = {"type": "refusal", "category": None, "explanation": response.refusal} if response.refusal else None
    return {"stop_reason": reason, "stop_sequence": response.stop_sequence, "stop_details": details}


def _blocks(response: ChatResponse) -> list[Block]:
    return [block for block in response.message.blocks if isinstance(block, (Text, Thinking, ToolCall))]


def _write_block(block: Block, request: ChatRequest) -> dict[str, Any]:
    if isinstance(block, Thinking):
        text = _thinking_text(block, request)
        return {"type": "thinking", "thinking": text, "signature": signature_of(text)}
    if isinstance(block, ToolCall):
        return {"type": "tool_use", "id": f"toolu_01{block.id}", "name": block.name, "input": block.arguments or {}}
    return {"type": "text", "text": block.text if isinstance(block, Text) else ""}


def _thinking_text(block: Thinking, request: ChatRequest) -> str:
    """The thinking, or nothing if the request has `display: omitted`."""
    reasoning = request.options.reasoning
    return "" if reasoning and reasoning.visible is False else block.text


def write_usage(usage: Usage) -> dict[str, Any]:
    cached = usage.cached_tokens or 0
    return {
        "input_tokens": (usage.prompt_tokens or 0) - cached,
        "cache_creation_input_tokens": 0,
        "cache_read_input_tokens": cached,
        "cache_creation": {"ephemeral_5m_input_tokens": 0, "ephemeral_1h_input_tokens": 0},
        "output_tokens": usage.completion_tokens,
        "output_tokens_details": {"thinking_tokens": usage.reasoning_tokens or 0},
        "service_tier": "standard",
        "inference_geo": "not_available",
    }


def write_stream(request: ChatRequest, response: ChatResponse, rules: Rules) -> Iterator[bytes]:
    usage = write_usage(response.usage)
    del usage["output_tokens_details"]
    start = {**_head(response), "content": [], "stop_reason": None, "stop_sequence": None, "stop_details": None}
    yield _event("message_start", message={**start, "usage": {**usage, "output_tokens": 1}})
    for index, block in enumerate(_blocks(response)):
        yield from _write_block_events(index, block, request)
        if index == 0:
            yield PING
    yield _event("message_delta", delta=_end(response), usage=write_usage(response.usage))
    yield _event("message_stop")


def _event(kind: str, **fields: Any) -> bytes:
    return sse({"type": kind, **fields}, kind)


_EMPTY: dict[str, dict[str, Any]] = {
    "text": {"text": ""},
    "thinking": {"thinking": "", "signature": ""},
    "tool_use": {"input": {}},
}


def _write_block_events(index: int, block: Block, request: ChatRequest) -> Iterator[bytes]:
    complete = _write_block(block, request)
    empty = _EMPTY[complete["type"]]
    yield _event("content_block_start", index=index, content_block={**complete, **empty})
    if complete["type"] == "tool_use":
        # The only fragment of a call without arguments is empty.
        raw = arguments_of(block) if isinstance(block, ToolCall) and block.arguments != {} else ""
        deltas = [{"type": "input_json_delta", "partial_json": fragment} for fragment in ["", *fragments(raw)]]
    elif complete["type"] == "thinking":
        deltas = [{"type": "thinking_delta", "thinking": fragment} for fragment in fragments(complete["thinking"])]
        deltas.append({"type": "signature_delta", "signature": complete["signature"]})
    else:
        deltas = [{"type": "text_delta", "text": fragment} for fragment in fragments(complete["text"])]
    for delta in deltas:
        yield _event("content_block_delta", index=index, delta=delta)
    yield _event("content_block_stop", index=index)


PING = b'event: ping\ndata: {"type": "ping"}\n\n'

_TYPES = {"array": "list", "object": "dictionary"}

_WORDS: dict[str, Any] = {
    "unknown": lambda invalid: "Extra inputs are not permitted",
    "missing": lambda invalid: "Field required",
    "type": lambda invalid: f"Input should be a valid {_TYPES.get(str(invalid.expected), str(invalid.expected))}",
    "low": lambda invalid: f"Input should be greater than or equal to {invalid.expected}",
    "high": lambda invalid: f"Input should be less than or equal to {invalid.expected}",
    "short": lambda invalid: (
        f"List should have at least {invalid.expected} item after validation, not {len(invalid.value)}"
        if isinstance(invalid.value, list)
        else f"String should have at least {invalid.expected} character"
    ),
    "long": lambda invalid: f"String should have at most {invalid.expected} characters",
    "choice": lambda invalid: f"Input should be {_listed(invalid.expected)}",
    "pattern": lambda invalid: f"String should match pattern '^{invalid.expected}$'",
    "unsupported": lambda invalid: "Extra inputs are not permitted",
}


def _listed(words: tuple[str, ...]) -> str:
    quoted = [f"'{word}'" for word in words]
    return quoted[0] if len(quoted) == 1 else f"{', '.join(quoted[:-1])} or {quoted[-1]}"


def rejection_of(invalid: Invalid) -> Rejected:
    if invalid.kind == "short" and invalid.path == ("messages",):
        return Rejected("messages: at least one message is required")
    return Rejected(f"{dotted(invalid.path)}: {_WORDS[invalid.kind](invalid)}")


#: Standard name → the service's own name.
_ERRORS = {
    "invalid_request": "invalid_request_error",
    "authentication": "authentication_error",
    "permission_denied": "permission_error",
    "not_found": "not_found_error",
    "conflict": "conflict_error",
    "request_too_large": "request_too_large",
    "rate_limited": "rate_limit_error",
    "quota_exhausted": "billing_error",
    "server_error": "api_error",
    "overloaded": "overloaded_error",
    "timeout": "timeout_error",
}
_STATUS = {**STATUS_OF, "overloaded": 529, "quota_exhausted": 402}


def _error(rejected: Rejected) -> dict[str, Any]:
    word = rejected.code if rejected.code in _ERRORS.values() else None
    message = rejected.message
    if rejected.kind == "authentication" and not message:
        message = "x-api-key header is required" if rejected.code == "no_key" else "invalid x-api-key"
    elif rejected.kind == "not_found" and rejected.param == "model":
        message = f"model: {rejected.message}"
    return {"type": rejected.type or word or _ERRORS.get(rejected.kind, "api_error"), "message": message}


def write_error(rejected: Rejected, digest: str) -> tuple[int, dict[str, str], Any]:
    status = rejected.status or _STATUS.get(rejected.kind, 400)
    headers = {"x-should-retry": "true" if status in (408, 409, 429) or status >= 500 else "false"}
    return status, headers, {"type": "error", "error": _error(rejected), "request_id": f"req_{digest[:24]}"}


def write_stream_error(rejected: Rejected) -> bytes:
    return sse({"type": "error", "error": _error(rejected)}, "error")


SERVICE = Service(
    operations={
        "chat": ServiceOperation(
            path=compile(r"/messages$"),
            check=check_request,
            read=read_request,
            write=write_response,
            write_stream=write_stream,
            options={**_OPTIONS, "stop": "stop_sequences"},
        ),
        "models": MODELS,
        "model": MODEL,
        "count_tokens": count_tokens(read_request),
    },
    rejection_of=rejection_of,
    write_error=write_error,
    write_stream_error=write_stream_error,
    auth={"scheme": "header", "header": "x-api-key"},
    request_id_header="request-id",
    ping=PING,
)
