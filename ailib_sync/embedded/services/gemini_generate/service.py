"""Gemini's generateContent, the server's side. demands_gemini_generate says what it refuses."""

from __future__ import annotations

from re import compile
from urllib.parse import unquote

from ....types.messages import Audio, Document, Image, Message, MessageRole, Text, Thinking, ToolResult
from ....types.request import ChatOptions, ChatRequest, Reasoning, ResponseFormat, ToolChoice
from ....types.tools import Tool, ToolCall
from ...echo import signature_of
from ...exchange import STATUS_OF, Refused, Speaker
from ...frames import compact
from ...json_checks import indexed
from ...media import medium
from ...tokens import pieces
from .checks import camel, check_call, snake

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any

    from ....types.messages import Block
    from ....types.request import ToolChoiceMode
    from ....types.response import ChatResponse, Usage
    from ...exchange import Rules, ServerCall
    from ...json_checks import Bad

_TAIL = compile(r"/models/(?P<model>[^/]+):(?P<verb>generateContent|streamGenerateContent)$")
_PLAIN = {
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
FINISH = {"max_tokens": "MAX_TOKENS", "content_filter": "SAFETY"}


def read_call(call: ServerCall, body: dict[str, Any], rules: Rules) -> ChatRequest:
    found = _TAIL.search(call.path)
    body = camel(body)
    config = body.get("generationConfig") or {}
    options: dict[str, Any] = {name: config[wire] for name, wire in _PLAIN.items() if wire in config}
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
        extra={} if "alt=sse" in call.query else {"stream_type": "application/json"},
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


def _read_result(given: dict[str, Any]) -> ToolResult:
    response = given["response"]
    error = response.get("error")
    inner = error if error is not None else response.get("result", response.get("output", response))
    text = inner if isinstance(inner, str) else compact(inner)
    return ToolResult(given.get("id") or given["name"], text, given["name"], is_error=error is not None)


def _read_tool(function: dict[str, Any]) -> Tool:
    schema = function.get("parametersJsonSchema") or function.get("parameters") or {"type": "object", "properties": {}}
    return Tool(function["name"], function.get("description", ""), schema)


def write_answer(asked: ChatRequest, answer: ChatResponse, rules: Rules) -> dict[str, Any]:
    parts = [part for block in answer.message.blocks for part in [_write_part(block, asked, answer, rules)] if part is not None]
    return _chunk(answer, parts, answer.usage, _finish(answer))


def _finish(answer: ChatResponse) -> str:
    reason = answer.finish_reason or "end_turn"
    return FINISH.get(reason) or ("STOP" if reason in ("end_turn", "tool_use", "stop_sequence") else reason)


def _chunk(answer: ChatResponse, parts: list[dict[str, Any]], usage: Usage, finish: str | None = None) -> dict[str, Any]:
    candidate: dict[str, Any] = {"content": {"parts": parts, "role": "model"}}
    if not parts:
        del candidate["content"]["parts"]
    if finish:
        candidate["finishReason"] = finish
    if answer.refusal:
        candidate["finishMessage"] = answer.refusal
    return {
        "candidates": [{**candidate, "index": 0}],
        "usageMetadata": write_usage(usage),
        "modelVersion": answer.model,
        "responseId": (answer.id or "")[:23],
    }


def _write_part(block: Block, asked: ChatRequest, answer: ChatResponse, rules: Rules) -> dict[str, Any] | None:
    if isinstance(block, Thinking):
        reasoning = asked.options.reasoning
        return {"text": block.text, "thought": True} if reasoning is None or reasoning.visible else None
    if isinstance(block, ToolCall):
        made = {"name": block.name, "args": block.arguments or {}, **({"id": block.id[-8:]} if rules.call_ids else {})}
        call = {"functionCall": made}
        signed = block is answer.tool_calls[0]
        return {**call, "thoughtSignature": signature_of(block.name)} if signed else call
    return {"text": block.text} if isinstance(block, Text) else None


def write_usage(usage: Usage) -> dict[str, Any]:
    thoughts = usage.reasoning_tokens or 0
    written = {
        "promptTokenCount": usage.prompt_tokens,
        "candidatesTokenCount": (usage.completion_tokens or 0) - thoughts,
        "totalTokenCount": usage.total_tokens,
        "promptTokensDetails": [{"modality": "TEXT", "tokenCount": usage.prompt_tokens}],
    }
    if usage.cached_tokens:
        written["cachedContentTokenCount"] = usage.cached_tokens
    if thoughts:
        written["thoughtsTokenCount"] = thoughts
    return {**written, "serviceTier": "standard"}


def write_stream(asked: ChatRequest, answer: ChatResponse, rules: Rules) -> Iterator[bytes]:
    """Server-sent events, or a JSON list that comes item by item where `alt=sse` was not asked for."""
    chunks = _chunks(asked, answer, rules)
    if "stream_type" not in asked.extra:
        yield from map(_sse, chunks)
        return
    for number, chunk in enumerate(chunks):
        yield (b",\r\n" if number else b"[") + compact(chunk).encode()
    yield b"]\n"


def _chunks(asked: ChatRequest, answer: ChatResponse, rules: Rules) -> Iterator[dict[str, Any]]:
    """Text in pieces, calls whole, each chunk with the usage; the last one has empty text and says why it ended."""
    for block in answer.message.blocks:
        part = _write_part(block, asked, answer, rules)
        if part is None:
            continue
        texts = pieces(part["text"]) if "text" in part else [None]
        for text in texts:
            yield _chunk(answer, [part if text is None else {**part, "text": text}], answer.usage)
    yield _chunk(answer, [{"text": ""}], answer.usage, _finish(answer))


def _sse(value: Any) -> bytes:
    return f"data: {compact(value)}\r\n\r\n".encode()


_TYPES = {"integer": "TYPE_INT32", "number": "TYPE_FLOAT", "string": "TYPE_STRING", "boolean": "TYPE_BOOL"}


def explain(bad: Bad) -> Refused:
    place = _place(bad.path)
    if bad.kind in ("unknown", "unsupported"):
        parent = f" at '{_place(bad.path[:-1])}'" if len(bad.path) > 1 else ""
        name = bad.path[-1]
        return Refused(f'Invalid JSON payload received. Unknown name "{name}"{parent}: Cannot find field.', param=place)
    if bad.kind == "missing" and bad.path == ("contents",):
        return Refused("* GenerateContentRequest.contents: contents is not specified\n")
    if bad.kind == "missing":
        return Refused(f"* GenerateContentRequest.{place}: {bad.path[-1]} is required.\n")
    if bad.kind in ("type", "choice"):
        kind = _TYPES.get(str(bad.want), "TYPE_ENUM")
        return Refused(f"Invalid value at '{place}' ({kind}), {compact(bad.value)}", param=place)
    if bad.kind in ("low", "high"):
        side = f"from {bad.want} on" if bad.kind == "low" else f"up to {bad.want}"
        message = (
            f"Unable to submit request because it has a {bad.path[-1]} value of {bad.value} but the supported range is {side}. "
            "Update the value and try again."
        )
        return Refused(message, param=place)
    if bad.kind == "pattern":
        return Refused(
            f"Invalid function name at '{place}'. Must start with a letter or an underscore. Must be alphameric (a-z, A-Z, "
            "0-9), underscores (_), dots (.), colons (:), or dashes (-), with a maximum length of 128."
        )
    if isinstance(bad.value, list) and bad.want == 1:
        return Refused(f"* GenerateContentRequest.{place}.data: required oneof field 'data' must have one initialized field\n")
    return Refused(f"* GenerateContentRequest.{place}: the number of items or characters must be {bad.want}.\n")


def _place(path: tuple[str | int, ...]) -> str:
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


def _error(refused: Refused) -> tuple[int, dict[str, Any]]:
    status = refused.status or STATUS_OF.get(refused.kind, 400)
    message, word, details = refused.message, refused.type or _STATUSES.get(refused.kind, "UNKNOWN"), []
    if refused.kind == "authentication" and refused.code == "no_key":
        status, message, word = 403, _NO_KEY, "PERMISSION_DENIED"
    elif refused.kind == "authentication":
        status, word = 400, "INVALID_ARGUMENT"
        message = message or "API key not valid. Please pass a valid API key."
        details = [_info("API_KEY_INVALID")]
    elif refused.kind == "not_found" and refused.param == "model":
        message = f"models/{message} is not found for API version v1beta, or is not supported for generateContent."
    elif refused.kind == "quota_exhausted":
        violation = {"quotaId": "GenerateRequestsPerDayPerProjectPerModel-FreeTier"}
        details = [{"@type": "type.googleapis.com/google.rpc.QuotaFailure", "violations": [violation]}]
    elif refused.param:
        violation = {"field": refused.param, "description": message}
        details = [{"@type": "type.googleapis.com/google.rpc.BadRequest", "fieldViolations": [violation]}]
    if refused.code and refused.kind != "authentication":
        details.append(_info(refused.code))
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


def write_error(refused: Refused, stamp: str) -> tuple[int, dict[str, str], Any]:
    status, body = _error(refused)
    return status, {}, body


def write_stream_error(refused: Refused) -> bytes:
    return _sse(_error(refused)[1])


SPEAKER = Speaker(
    check_call=check_call,
    read_call=read_call,
    write_answer=write_answer,
    write_stream=write_stream,
    explain=explain,
    write_error=write_error,
    write_stream_error=write_stream_error,
    tail=_TAIL,
    options={name: f"generationConfig.{wire}" for name, wire in {**_PLAIN, "stop": "stopSequences"}.items()},
    auth={"scheme": "header", "header": "x-goog-api-key"},
    stream_type="text/event-stream",
    request_id="",
    indent=2,
)
