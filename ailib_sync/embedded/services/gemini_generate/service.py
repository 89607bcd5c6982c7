"""Gemini's generateContent, the server's side: requests in, responses and chunks out."""

from __future__ import annotations

from re import compile
from urllib.parse import unquote

from ....types.messages import Audio, Document, Image, Message, MessageRole, Text, Thinking, ToolResult
from ....types.request import ChatOptions, ChatRequest, Reasoning, ResponseFormat, ToolChoice
from ....types.tools import Tool, ToolCall
from ...echo import signature_of
from ...exchange import STATUS_OF, Rejected, Service, ServiceOperation
from ...frames import compact
from ...json_checks import indexed
from ...media import medium
from ...tokens import fragments
from .checks import camel, check_request, snake
from .count_tokens import count_tokens
from .models import MODEL, MODELS

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any

    from ....types.messages import Block
    from ....types.request import ToolChoiceMode
    from ....types.response import ChatResponse, Usage
    from ...exchange import Rules, ServerRequest
    from ...json_checks import Invalid

_PATH = compile(r"/models/(?P<model>[^/]+):(?P<verb>generateContent|streamGenerateContent)$")
#: Standard option → the field with the same value.
_OPTIONS = {
    "temperature": "temperature",
    "top_p": "topP",
    "top_k": "topK",
    "max_tokens": "maxOutputTokens",
    "seed": "seed",
    "presence_penalty": "presencePenalty",
    "frequency_penalty": "frequencyPenalty",
}
_MODES: dict[str, ToolChoiceMode] = {
    "AUTO": "auto",
    "VALIDATED": "auto",
    "MODE_UNSPECIFIED": "auto",
    "NONE": "none",
    "ANY": "required",
}
FINISH_REASONS = {"max_tokens": "MAX_TOKENS", "content_filter": "SAFETY"}


def read_request(received: ServerRequest, body: dict[str, Any], rules: Rules) -> ChatRequest:
    found = _PATH.search(received.path)
    body = camel(body)
    config = body.get("generationConfig") or {}
    options: dict[str, Any] = {name: config[wire] for name, wire in _OPTIONS.items() if wire in config}
    if config.get("stopSequences"):
        options["stop"] = tuple(config["stopSequences"])
    if config.get("responseMimeType") == "application/json":
        schema = config.get("responseJsonSchema") or config.get("responseSchema")
        options["response_format"] = ResponseFormat("json_schema" if schema else "json", schema)
    thinking = config.get("thinkingConfig")
    if thinking is not None:
        options["reasoning"] = _read_thinking(thinking)
    calling = (body.get("toolConfig") or {}).get("functionCallingConfig")
    if calling:
        options["tool_choice"] = _read_choice(calling)
    messages = [_read_content(content) for content in body["contents"]]
    if body.get("systemInstruction"):
        messages.insert(0, Message(MessageRole.SYSTEM, _read_parts(body["systemInstruction"]["parts"])))
    functions = [function for tool in body.get("tools", ()) for function in tool.get("functionDeclarations", ())]
    return ChatRequest(
        model=unquote(found["model"]) if found else "",
        messages=tuple(messages),
        tools=tuple(_read_tool(function) for function in functions),
        options=ChatOptions(**options),
        extra={} if "alt=sse" in received.query else {"stream_type": "application/json"},
        stream=bool(found and found["verb"] == "streamGenerateContent"),
    )


def _read_thinking(thinking: dict[str, Any]) -> Reasoning:
    budget = thinking.get("thinkingBudget")
    level = thinking.get("thinkingLevel")
    effort: Any = level.lower() if level else "none" if budget == 0 else "medium"
    return Reasoning(effort, budget if budget and budget > 0 else None, bool(thinking.get("includeThoughts")))


def _read_choice(calling: dict[str, Any]) -> ToolChoice:
    names: list[str] = calling.get("allowedFunctionNames") or []
    return ToolChoice("tool", names[0]) if len(names) == 1 else ToolChoice(_MODES[calling.get("mode", "AUTO")])


def _read_content(content: dict[str, Any]) -> Message:
    role = MessageRole.ASSISTANT if content.get("role") == "model" else MessageRole.USER
    return Message(role, _read_parts(content["parts"]))


def _read_parts(parts: list[dict[str, Any]]) -> list[Block]:
    blocks: list[Block] = []
    for part in parts:
        if part.get("thought"):
            blocks.append(Thinking(part.get("text", ""), part.get("thoughtSignature")))
        elif "text" in part:
            blocks += [Text(part["text"])] if part["text"] else []
        elif "functionCall" in part:
            call = part["functionCall"]
            blocks.append(ToolCall(call.get("id") or call["name"], call["name"], call.get("args") or {}))
        elif "functionResponse" in part:
            blocks.append(_read_result(part["functionResponse"]))
        elif "inlineData" in part:
            data = part["inlineData"]
            blocks.append(medium(_kind(data["mimeType"]), None, data["mimeType"], data["data"]))
        elif "fileData" in part:
            file = part["fileData"]
            blocks.append(_kind(file.get("mimeType", ""))(media_type=file.get("mimeType"), url=file["fileUri"]))
    return blocks


def _kind(media_type: str) -> type[Image] | type[Audio] | type[Document]:
    families: dict[str, type[Image] | type[Audio]] = {"image": Image, "audio": Audio}
    return families.get(media_type.partition("/")[0], Document)


def _read_result(result: dict[str, Any]) -> ToolResult:
    response = result["response"]
    error = response.get("error")
    inner = error if error is not None else response.get("result", response.get("output", response))
    text = inner if isinstance(inner, str) else compact(inner)
    return ToolResult(result.get("id") or result["name"], text, result["name"], is_error=error is not None)


def _read_tool(function: dict[str, Any]) -> Tool:
    schema = function.get("parametersJsonSchema") or function.get("parameters") or {"type": "object", "properties": {}}
    return Tool(function["name"], function.get("description", ""), schema)


def write_response(request: ChatRequest, response: ChatResponse, rules: Rules) -> dict[str, Any]:
    parts = [_write_part(block, request, response, rules) for block in response.message.blocks]
    return _chunk(response, [part for part in parts if part is not None], response.usage, _finish_reason(response))


def _finish_reason(response: ChatResponse) -> str:
    reason = response.finish_reason or "end_turn"
    return FINISH_REASONS.get(reason) or ("STOP" if reason in ("end_turn", "tool_use", "stop_sequence") else reason)


def _chunk(response: ChatResponse, parts: list[dict[str, Any]], usage: Usage, finish: str | None = None) -> dict[str, Any]:
    candidate: dict[str, Any] = {"content": {"parts": parts, "role": "model"}}
    if not parts:
        del candidate["content"]["parts"]
    if finish:
        candidate["finishReason"] = finish
    if response.refusal:
        candidate["finishMessage"] = response.refusal
    return {
        "candidates": [{**candidate, "index": 0}],
        "usageMetadata": write_usage(usage),
        "modelVersion": response.model,
        "responseId": (response.id or "")[:23],
    }


def _write_part(block: Block, request: ChatRequest, response: ChatResponse, rules: Rules) -> dict[str, Any] | None:
    if isinstance(block, Thinking):
        reasoning = request.options.reasoning
        return {"text": block.text, "thought": True} if reasoning is None or reasoning.visible else None
    if isinstance(block, ToolCall):
        id = {"id": block.id[-8:]} if rules.has_call_ids else {}
        part = {"functionCall": {"name": block.name, "args": block.arguments or {}, **id}}
        is_first = block is response.tool_calls[0]
        return {**part, "thoughtSignature": signature_of(block.name)} if is_first else part
    return {"text": block.text} if isinstance(block, Text) else None


def write_usage(usage: Usage) -> dict[str, Any]:
    thinking = usage.reasoning_tokens or 0
    counts = {
        "promptTokenCount": usage.prompt_tokens,
        "candidatesTokenCount": (usage.completion_tokens or 0) - thinking,
        "totalTokenCount": usage.total_tokens,
        "promptTokensDetails": [{"modality": "TEXT", "tokenCount": usage.prompt_tokens}],
    }
    if usage.cached_tokens:
        counts["cachedContentTokenCount"] = usage.cached_tokens
    if thinking:
        counts["thoughtsTokenCount"] = thinking
    return {**counts, "serviceTier": "standard"}


def write_stream(request: ChatRequest, response: ChatResponse, rules: Rules) -> Iterator[bytes]:
    """Server-sent events; without `alt=sse` in the query, a JSON list, one item after another."""
    chunks = _chunks(request, response, rules)
    if "stream_type" not in request.extra:
        yield from map(_sse, chunks)
        return
    for number, chunk in enumerate(chunks):
        yield (b",\r\n" if number else b"[") + compact(chunk).encode()
    yield b"]\n"


def _chunks(request: ChatRequest, response: ChatResponse, rules: Rules) -> Iterator[dict[str, Any]]:
    """Text in fragments, complete calls, each chunk with the usage; the last one has empty text and the finish reason."""
    for block in response.message.blocks:
        part = _write_part(block, request, response, rules)
        if part is None:
            continue
        texts = fragments(part["text"]) if "text" in part else [None]
        for text in texts:
            yield _chunk(response, [part if text is None else {**part, "text": text}], response.usage)
    yield _chunk(response, [{"text": ""}], response.usage, _finish_reason(response))


def _sse(value: Any) -> bytes:
    return f"data: {compact(value)}\r\n\r\n".encode()


_TYPES = {"integer": "TYPE_INT32", "number": "TYPE_FLOAT", "string": "TYPE_STRING", "boolean": "TYPE_BOOL"}


def rejection_of(invalid: Invalid) -> Rejected:
    field = _field(invalid.path)
    if invalid.kind in ("unknown", "unsupported"):
        parent = f" at '{_field(invalid.path[:-1])}'" if len(invalid.path) > 1 else ""
        name = invalid.path[-1]
        return Rejected(f'Invalid JSON payload received. Unknown name "{name}"{parent}: Cannot find field.', param=field)
    if invalid.kind == "missing" and invalid.path == ("contents",):
        return Rejected("* GenerateContentRequest.contents: contents is not specified\n")
    if invalid.kind == "missing":
        return Rejected(f"* GenerateContentRequest.{field}: {invalid.path[-1]} is required.\n")
    if invalid.kind in ("type", "choice"):
        kind = _TYPES.get(str(invalid.expected), "TYPE_ENUM")
        return Rejected(f"Invalid value at '{field}' ({kind}), {compact(invalid.value)}", param=field)
    if invalid.kind in ("low", "high"):
        side = f"from {invalid.expected} on" if invalid.kind == "low" else f"up to {invalid.expected}"
        message = (
            f"Unable to submit request because it has a {invalid.path[-1]} value of {invalid.value} "
            f"but the supported range is {side}. "
            "Update the value and try again."
        )
        return Rejected(message, param=field)
    if invalid.kind == "pattern":
        return Rejected(
            f"Invalid function name at '{field}'. Must start with a letter or an underscore. Must be alphameric (a-z, A-Z, "
            "0-9), underscores (_), dots (.), colons (:), or dashes (-), with a maximum length of 128."
        )
    if isinstance(invalid.value, list) and invalid.expected == 1:
        return Rejected(f"* GenerateContentRequest.{field}.data: required oneof field 'data' must have one initialized field\n")
    return Rejected(f"* GenerateContentRequest.{field}: the number of items or characters must be {invalid.expected}.\n")


def _field(path: tuple[str | int, ...]) -> str:
    return indexed(tuple(snake(step) if isinstance(step, str) else step for step in path))


_STATUSES = {
    "invalid_request": "INVALID_ARGUMENT",
    "authentication": "UNAUTHENTICATED",
    "permission_denied": "PERMISSION_DENIED",
    "not_found": "NOT_FOUND",
    "request_too_large": "INVALID_ARGUMENT",
    "rate_limited": "RESOURCE_EXHAUSTED",
    "quota_exhausted": "RESOURCE_EXHAUSTED",
    "server_error": "INTERNAL",
    "overloaded": "UNAVAILABLE",
    "timeout": "DEADLINE_EXCEEDED",
    "conflict": "ABORTED",
}
_NO_KEY = (
    "Method doesn't allow unregistered callers (callers without established identity). "
    "Please use API Key or other form of API consumer identity to call this API."
)


def _error(rejected: Rejected) -> tuple[int, dict[str, Any]]:
    status = rejected.status or STATUS_OF.get(rejected.kind, 400)
    message, word, details = rejected.message, rejected.type or _STATUSES.get(rejected.kind, "UNKNOWN"), []
    if rejected.kind == "authentication" and rejected.code == "no_key":
        status, message, word = 403, _NO_KEY, "PERMISSION_DENIED"
    elif rejected.kind == "authentication":
        status, word = 400, "INVALID_ARGUMENT"
        message = message or "API key not valid. Please pass a valid API key."
        details = [_info("API_KEY_INVALID")]
    elif rejected.kind == "not_found" and rejected.param == "model":
        message = f"models/{message} is not found for API version v1beta, or is not supported for generateContent."
    elif rejected.kind == "quota_exhausted":
        violation = {"quotaId": "GenerateRequestsPerDayPerProjectPerModel-FreeTier"}
        details = [{"@type": "type.googleapis.com/google.rpc.QuotaFailure", "violations": [violation]}]
    elif rejected.param:
        violation = {"field": rejected.param, "description": message}
        details = [{"@type": "type.googleapis.com/google.rpc.BadRequest", "fieldViolations": [violation]}]
    if rejected.code and rejected.kind != "authentication":
        details.append(_info(rejected.code))
    error: dict[str, Any] = {"code": status, "message": message, "status": word}
    if details:
        error["details"] = details
    return status, {"error": error}


def _info(reason: str) -> dict[str, Any]:
    return {
        "@type": "type.googleapis.com/google.rpc.ErrorInfo",
        "reason": reason,
        "domain": "googleapis.com",
        "metadata": {"service": "generativelanguage.googleapis.com"},
    }


def write_error(rejected: Rejected, digest: str) -> tuple[int, dict[str, str], Any]:
    status, body = _error(rejected)
    return status, {}, body


def write_stream_error(rejected: Rejected) -> bytes:
    return _sse(_error(rejected)[1])


SERVICE = Service(
    operations={
        "chat": ServiceOperation(
            path=_PATH,
            check=check_request,
            read=read_request,
            write=write_response,
            write_stream=write_stream,
            options={name: f"generationConfig.{wire}" for name, wire in {**_OPTIONS, "stop": "stopSequences"}.items()},
        ),
        "models": MODELS,
        "model": MODEL,
        "count_tokens": count_tokens(read_request),
    },
    rejection_of=rejection_of,
    write_error=write_error,
    write_stream_error=write_stream_error,
    auth={"scheme": "header", "header": "x-goog-api-key"},
    stream_type="text/event-stream",
    request_id_header="",
    indent=2,
)
