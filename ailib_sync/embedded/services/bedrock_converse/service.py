"""Bedrock's Converse, the server's side: requests in, responses and a binary event stream out."""

from __future__ import annotations

import json
from re import compile
from urllib.parse import unquote

from ....types.messages import Audio, Document, Image, Message, MessageRole, Text, Thinking, ToolResult
from ....types.request import ChatOptions, ChatRequest, Reasoning, ResponseFormat, ToolChoice
from ....types.tools import Tool, ToolCall
from ...exchange import STATUS_OF, Rejected, Service, ServiceOperation
from ...frames import arguments_of, aws_event, compact
from ...json_checks import dotted
from ...media import decode
from ...tokens import fragments
from .checks import check_request
from .count_tokens import count_tokens
from .models import MODEL, MODELS

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any

    from ....types.messages import Block
    from ....types.response import ChatResponse, Usage
    from ...exchange import Rules, ServerRequest
    from ...json_checks import Invalid

_PATH = compile(r"/model/(?P<model>[^/]+)/(?P<verb>converse|converse-stream)$")
#: Standard option → the field with the same value.
_OPTIONS = {"temperature": "temperature", "top_p": "topP", "max_tokens": "maxTokens"}


def read_request(received: ServerRequest, body: dict[str, Any], rules: Rules) -> ChatRequest:
    found = _PATH.search(received.path)
    config = body.get("inferenceConfig") or {}
    options: dict[str, Any] = {name: config[wire] for name, wire in _OPTIONS.items() if wire in config}
    if config.get("stopSequences"):
        options["stop"] = tuple(config["stopSequences"])
    tools = body.get("toolConfig") or {}
    if "toolChoice" in tools:
        options["tool_choice"] = _read_choice(tools["toolChoice"])
    output = body.get("outputConfig") or {}
    if "textFormat" in output:
        schema = json.loads(output["textFormat"]["structure"]["jsonSchema"]["schema"])
        options["response_format"] = ResponseFormat("json_schema", schema)
    reasoning = _read_reasoning(body)
    if reasoning is not None:
        options["reasoning"] = reasoning
    messages = [Message(MessageRole(message["role"]), _read_blocks(message["content"])) for message in body["messages"]]
    if body.get("system"):
        messages.insert(0, Message(MessageRole.SYSTEM, _read_blocks(body["system"])))
    return ChatRequest(
        model=unquote(found["model"]) if found else "",
        messages=tuple(messages),
        tools=tuple(_read_tool(tool["toolSpec"]) for tool in tools.get("tools", ()) if "toolSpec" in tool),
        options=ChatOptions(**options),
        stream=bool(found and found["verb"] == "converse-stream"),
    )


def _read_choice(choice: dict[str, Any]) -> ToolChoice:
    if "tool" in choice:
        return ToolChoice("tool", choice["tool"]["name"])
    return ToolChoice("required" if "any" in choice else "auto")


def _read_reasoning(body: dict[str, Any]) -> Reasoning | None:
    """The requested thinking; each family of models has its own field for it."""
    fields = body.get("additionalModelRequestFields") or {}
    thinking = fields.get("thinking") or fields.get("reasoning_config") or fields.get("reasoningConfig")
    if isinstance(thinking, dict):
        off = thinking.get("type") == "disabled"
        return Reasoning("none" if off else thinking.get("maxReasoningEffort") or "medium", thinking.get("budget_tokens"))
    word = thinking or fields.get("reasoning_effort") or (body.get("outputConfig") or {}).get("effort")
    return Reasoning(word) if word else None


def _read_tool(spec: dict[str, Any]) -> Tool:
    return Tool(spec["name"], spec.get("description", ""), spec["inputSchema"]["json"], spec.get("strict"))


def _read_blocks(parts: list[dict[str, Any]]) -> list[Block]:
    blocks: list[Block] = []
    for part in parts:
        kind = next(iter(part))
        if kind in _READ:
            blocks.append(_READ[kind](part[kind]))
    return blocks


def _read_medium(kind: type[Image] | type[Audio] | type[Document], family: str, value: dict[str, Any]) -> Any:
    source = value["source"]
    media_type = f"{family}/{value.get('format', 'octet-stream')}"
    if "s3Location" in source:
        return kind(media_type=media_type, url=source["s3Location"]["uri"])
    data = decode(source["bytes"]) if "bytes" in source else compact(source).encode()
    return kind(media_type=media_type, data=data or b"")


def _read_document(value: dict[str, Any]) -> Document:
    document: Document = _read_medium(Document, "application", value)
    document.name = value["name"]
    return document


def _read_result(value: dict[str, Any]) -> ToolResult:
    blocks: list[Block] = []
    for part in value["content"]:
        blocks += [Text(compact(part["json"]))] if "json" in part else _read_blocks([part])
    return ToolResult(value["toolUseId"], blocks, is_error=value.get("status") == "error")


def _read_thinking(value: dict[str, Any]) -> Thinking:
    if "redactedContent" in value:
        return Thinking(redacted=value["redactedContent"])
    return Thinking(value["reasoningText"]["text"], value["reasoningText"].get("signature"))


_READ: dict[str, Any] = {
    "text": Text,
    "image": lambda value: _read_medium(Image, "image", value),
    "audio": lambda value: _read_medium(Audio, "audio", value),
    "video": lambda value: _read_medium(Document, "video", value),
    "document": _read_document,
    "toolUse": lambda value: ToolCall(value["toolUseId"], value["name"], value["input"]),
    "toolResult": _read_result,
    "reasoningContent": _read_thinking,
}


def write_response(request: ChatRequest, response: ChatResponse, rules: Rules) -> dict[str, Any]:
    content = [_write_block(block) for block in _blocks(response)]
    return {
        "metrics": {"latencyMs": 2},
        "output": {"message": {"content": content, "role": "assistant"}},
        "stopReason": _finish_reason(response),
        "usage": write_usage(response.usage),
    }


def _blocks(response: ChatResponse) -> list[Block]:
    return [block for block in response.message.blocks if isinstance(block, (Text, Thinking, ToolCall))]


def _finish_reason(response: ChatResponse) -> str:
    return {"content_filter": "content_filtered"}.get(response.finish_reason or "") or response.finish_reason or "end_turn"


def _write_block(block: Block) -> dict[str, Any]:
    if isinstance(block, ToolCall):
        return {"toolUse": {"input": block.arguments or {}, "name": block.name, "toolUseId": f"tooluse_{block.id}"}}
    if isinstance(block, Thinking):
        return {"reasoningContent": {"reasoningText": {"signature": block.signature, "text": block.text}}}
    return {"text": block.text if isinstance(block, Text) else ""}


def write_usage(usage: Usage) -> dict[str, Any]:
    cached = usage.cached_tokens or 0
    return {
        "cacheReadInputTokens": cached,
        "cacheWriteInputTokens": 0,
        "inputTokens": (usage.prompt_tokens or 0) - cached,
        "outputTokens": usage.completion_tokens,
        "serverToolUsage": {},
        "totalTokens": usage.total_tokens,
    }


def write_stream(request: ChatRequest, response: ChatResponse, rules: Rules) -> Iterator[bytes]:
    """Each event has padding (`p`), as in the real service, to hide the length of its content."""
    yield _event("messageStart", 0, role="assistant")
    count = 1
    for index, block in enumerate(_blocks(response)):
        if isinstance(block, ToolCall):
            start = {"toolUse": {"name": block.name, "toolUseId": f"tooluse_{block.id}"}}
            yield _event("contentBlockStart", count, contentBlockIndex=index, start=start)
        for delta in _deltas(block):
            count += 1
            yield _event("contentBlockDelta", count, contentBlockIndex=index, delta=delta)
        yield _event("contentBlockStop", count, contentBlockIndex=index)
    yield _event("messageStop", count, stopReason=_finish_reason(response))
    yield _event("metadata", count, metrics={"latencyMs": 2}, usage=write_usage(response.usage))


def _deltas(block: Block) -> Iterator[dict[str, Any]]:
    if isinstance(block, ToolCall):
        for fragment in fragments(arguments_of(block)):
            yield {"toolUse": {"input": fragment}}
    elif isinstance(block, Thinking):
        for fragment in fragments(block.text):
            yield {"reasoningContent": {"text": fragment}}
        yield {"reasoningContent": {"signature": block.signature}}
    elif isinstance(block, Text):
        for fragment in fragments(block.text):
            yield {"text": fragment}


_PADDING = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"


def _event(kind: str, number: int, **fields: Any) -> bytes:
    return aws_event(kind, {**fields, "p": _PADDING[: 4 + number * 7 % 45]})


def rejection_of(invalid: Invalid) -> Rejected:
    field = dotted(invalid.path)
    lead = "1 validation error detected: Value"
    if invalid.kind in ("unknown", "unsupported"):
        key = invalid.path[-1]
        message = f"Malformed input request: extraneous key [{key}] is not permitted, please reformat your input and try again."
        return Rejected(message)
    if invalid.kind == "missing":
        return Rejected(f"{lead} null at '{field}' failed to satisfy constraint: Member must not be null")
    if invalid.kind == "type":
        return Rejected(f"{lead} at '{field}' failed to satisfy constraint: expected type: {invalid.expected}")
    constraint = {
        "low": f"Member must have value greater than or equal to {invalid.expected}",
        "high": f"Member must have value less than or equal to {invalid.expected}",
        "short": f"Member must have length greater than or equal to {invalid.expected}",
        "long": f"Member must have length less than or equal to {invalid.expected}",
        "choice": f"Member must satisfy enum value set: [{', '.join(invalid.expected) if invalid.kind == 'choice' else ''}]",
        "pattern": f"Member must satisfy regular expression pattern: {invalid.expected}",
    }[invalid.kind]
    return Rejected(f"{lead} '{invalid.value}' at '{field}' failed to satisfy constraint: {constraint}")


#: Standard name → the name of the exception. It begins with a capital letter in headers, with a small one in streams.
_EXCEPTIONS = {
    "invalid_request": "ValidationException",
    "authentication": "UnrecognizedClientException",
    "permission_denied": "AccessDeniedException",
    "not_found": "ResourceNotFoundException",
    "request_too_large": "ValidationException",
    "rate_limited": "ThrottlingException",
    "quota_exhausted": "ServiceQuotaExceededException",
    "server_error": "InternalServerException",
    "overloaded": "ServiceUnavailableException",
    "timeout": "ModelTimeoutException",
    "conflict": "ConflictException",
}
_STATUS = {**STATUS_OF, "authentication": 403, "timeout": 408, "quota_exhausted": 400}


def _exception(rejected: Rejected) -> tuple[str, str]:
    """(name of the exception, message)."""
    name, message = rejected.type or _EXCEPTIONS.get(rejected.kind, "InternalServerException"), rejected.message
    if rejected.kind == "authentication" and rejected.code == "no_key":
        return "MissingAuthenticationTokenException", "Missing Authentication Token"
    if rejected.kind == "authentication":
        return name, message or "The security token included in the request is invalid."
    if rejected.kind == "not_found" and rejected.param == "model":
        return "ValidationException", "The provided model identifier is invalid."
    return rejected.code or name, message


def write_error(rejected: Rejected, digest: str) -> tuple[int, dict[str, str], Any]:
    name, message = _exception(rejected)
    status = rejected.status or _STATUS.get(rejected.kind, 400)
    if rejected.kind == "not_found" and rejected.param == "model":
        status = 400
    header = f"{name}:http://internal.amazon.com/coral/com.amazon.bedrock/"
    return status, {"x-amzn-errortype": header}, {"message": message}


def write_stream_error(rejected: Rejected) -> bytes:
    name, message = _exception(rejected)
    return aws_event(name[0].lower() + name[1:], {"message": message}, "exception")


SERVICE = Service(
    operations={
        "chat": ServiceOperation(
            path=_PATH,
            check=check_request,
            read=read_request,
            write=write_response,
            write_stream=write_stream,
            options={name: f"inferenceConfig.{wire}" for name, wire in {**_OPTIONS, "stop": "stopSequences"}.items()},
        ),
        "models": MODELS,
        "model": MODEL,
        "count_tokens": count_tokens(read_request),
    },
    rejection_of=rejection_of,
    write_error=write_error,
    write_stream_error=write_stream_error,
    auth={"scheme": "bearer"},
    stream_type="application/vnd.amazon.eventstream",
    request_id_header="x-amzn-requestid",
    ping=aws_event("ping", {"p": "abcd"}),
)
