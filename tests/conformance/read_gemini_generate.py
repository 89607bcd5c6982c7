"""Recorded generateContent bodies → `ChatRequest`, written against the public description of the format, not our dialect."""

from __future__ import annotations

import base64
import re
from typing import Any

from ailib_sync.registry.manifest import Manifest
from ailib_sync.types.messages import Audio, Block, Document, Image, Message, Opaque, Text, Thinking, ToolResult
from ailib_sync.types.request import ChatRequest, Reasoning, ResponseFormat, ToolChoice
from ailib_sync.types.tools import Tool, ToolCall
from tests.chat_values import chat_request

PLAIN = {
    "temperature": "temperature",
    "topP": "top_p",
    "topK": "top_k",
    "maxOutputTokens": "max_tokens",
    "seed": "seed",
    "frequencyPenalty": "frequency_penalty",
    "presencePenalty": "presence_penalty",
}
MODES = {"AUTO": "auto", "NONE": "none", "ANY": "required"}
#: Objects of the user's own making, whose keys are no field names.
FREE = ("args", "response", "parametersJsonSchema", "responseJsonSchema")
SPELLINGS = {"parameters": "parametersJsonSchema", "responseSchema": "responseJsonSchema"}


def read(body: dict[str, Any]) -> ChatRequest:
    body = _canonical(body)
    config = dict(body.pop("generationConfig", {}))
    options: dict[str, Any] = {ours: config.pop(theirs) for theirs, ours in PLAIN.items() if theirs in config}
    if options.get("temperature", 0) > 2:  # asked for to see the refusal, which we would make ourselves
        config["temperature"] = options.pop("temperature")
    if "stopSequences" in config:
        options["stop"] = tuple(config.pop("stopSequences"))
    if config.pop("responseMimeType", None):
        schema = config.pop("responseJsonSchema", None)
        options["response_format"] = ResponseFormat("json_schema" if schema else "json", schema)
    if "thinkingConfig" in config:
        thinking = config.pop("thinkingConfig")
        effort, budget = thinking.get("thinkingLevel"), thinking.get("thinkingBudget")
        options["reasoning"] = Reasoning(effort, budget, thinking.get("includeThoughts"))
    calling = body.get("toolConfig", {}).get("functionCallingConfig", {})
    names = calling.get("allowedFunctionNames", [])
    if calling and len(names) < 2:
        del body["toolConfig"]["functionCallingConfig"]
        options["tool_choice"] = ToolChoice("tool", names[0]) if names else ToolChoice(MODES[calling["mode"]])
    tools = body.pop("tools", [])
    hosted = [tool for tool in tools if "functionDeclarations" not in tool]
    functions = [entry for tool in tools for entry in tool.get("functionDeclarations", ())]
    messages = [Message.system(_blocks(content)) for content in [body.pop("systemInstruction", None)] if content]
    messages += _messages(body.pop("contents"))
    extra = {**body, "generationConfig": config, "tools": hosted}
    return chat_request(
        "",
        tuple(messages),
        tuple(Tool(entry["name"], entry.get("description", ""), entry["parametersJsonSchema"]) for entry in functions),
        options,
        {key: value for key, value in extra.items() if value},
    )


def _blocks(content: dict[str, Any]) -> list[Block]:
    return [_part(part, "") for part in content["parts"]]


def _messages(contents: list[dict[str, Any]]) -> list[Message]:
    """Calls without an id get one of the kind our own dialect gives them; results go to the last call of their name."""
    messages, made = [], {}
    for at, content in enumerate(contents):
        blocks: list[Block] = []
        for place, part in enumerate(content["parts"]):
            call = part.get("functionCall")
            if call:
                made[call["name"]] = call.get("id", f"ailib_{at}_{place}")
            name = (call or part.get("functionResponse") or {}).get("name")
            blocks.append(_part(part, made.get(name, "")))
        messages.append(Message("assistant" if content.get("role") == "model" else "user", blocks))
    return messages


def _part(part: dict[str, Any], id: str) -> Block:
    signature = {"thoughtSignature": part["thoughtSignature"]} if "thoughtSignature" in part else {}
    if part.get("thought"):
        return Thinking(part["text"], part.get("thoughtSignature"))
    if "text" in part:
        return Text(part["text"], signature)
    if "functionCall" in part:
        call = part["functionCall"]
        return ToolCall(id, call["name"], call["args"], signature=part.get("thoughtSignature"))
    if "functionResponse" in part:
        answer = part["functionResponse"]
        extra = {key: answer[key] for key in ("response", "parts") if key in answer}
        return ToolResult(answer.get("id", id), "", answer["name"], extra=extra)
    if "inlineData" in part:
        kind, data = part["inlineData"]["mimeType"], base64.b64decode(part["inlineData"]["data"])
        return {"image": Image, "audio": Audio}.get(kind.partition("/")[0], Document)(kind, data)
    if "fileData" in part:
        return Document(part["fileData"].get("mimeType"), None, part["fileData"]["fileUri"])
    return Opaque(part)


def canonical(body: dict[str, Any], manifest: Manifest) -> dict[str, Any]:
    return _canonical(body)


def _canonical(body: dict[str, Any]) -> dict[str, Any]:
    """One spelling for things that mean the same: camel and snake case, null and false = absent, neighbours of one role =
    one content, OpenAPI's field for a schema = JSON Schema's, the order of tools, the model's name that the URL holds too."""
    same = _spelled(body)
    same.pop("model", None)
    if same.get("systemInstruction"):
        same["systemInstruction"].pop("role", None)
    contents: list[dict[str, Any]] = []
    for content in same["contents"]:
        if contents and contents[-1]["role"] == content["role"]:
            contents[-1]["parts"] += content["parts"]
        else:
            contents.append(content)
    same["contents"] = contents
    for tool in same.get("tools", []):
        for entry in tool.get("functionDeclarations", ()):
            entry.setdefault("description", "")
    if "tools" in same:
        same["tools"].sort(key=lambda tool: sorted(tool))
    return {key: value for key, value in same.items() if value}


def _spelled(value: Any) -> Any:
    if isinstance(value, list):
        return [_spelled(item) for item in value]
    if not isinstance(value, dict):
        return value
    spelled = {}
    for key, held in value.items():
        camel = re.sub("_([a-z])", lambda match: match[1].upper(), key)
        camel = SPELLINGS.get(camel, camel)
        if held is None or (camel == "thought" and held is False):
            continue
        spelled[camel] = held if camel in FREE else _spelled(held)
    return spelled


EXPLAINED: dict[str, dict[str, str]] = {
    "google.gemini.n.3479a88fd3f5": {
        "generationConfig": "read with the model's name of the answer, models/…, which no rule for a model matches",
    },
}
