"""Recorded Converse bodies → `ChatRequest`, written against the public description of the format, not our dialect."""

from __future__ import annotations

import base64
import copy
import json
from typing import Any

from ailib_sync.registry.manifest import Manifest
from ailib_sync.types.messages import Audio, Block, Document, Image, Message, Opaque, Text, Thinking, ToolResult
from ailib_sync.types.request import ChatRequest, Reasoning, ResponseFormat, ToolChoice
from ailib_sync.types.tools import Tool, ToolCall
from tests.chat_values import chat_request

CONFIG = {"temperature": "temperature", "topP": "top_p", "maxTokens": "max_tokens"}
MODES = {"auto": "auto", "any": "required", "tool": "tool"}


def read(body: dict[str, Any]) -> ChatRequest:
    extra = copy.deepcopy({key: value for key, value in body.items() if key not in ("messages", "system")})
    config = extra.pop("inferenceConfig", {})
    options: dict[str, Any] = {ours: config[theirs] for theirs, ours in CONFIG.items() if theirs in config}
    if config.get("stopSequences"):
        options["stop"] = tuple(config["stopSequences"])
    tools, more = _tools(extra, options)
    _reasoning(extra, options)
    text_format = extra.get("outputConfig", {}).pop("textFormat", None)
    if text_format:
        definition = text_format["structure"]["jsonSchema"]
        options["response_format"] = ResponseFormat("json_schema", json.loads(definition["schema"]), definition["name"])
    system = [Message("system", [_block(part) for part in body["system"]])] if body.get("system") else []
    said = [Message(message["role"], [_block(part) for part in message["content"]]) for message in body["messages"]]
    return chat_request("", (*system, *said), tuple(tools), options, {**extra, **more})


def _tools(extra: dict[str, Any], options: dict[str, Any]) -> tuple[list[Tool], dict[str, Any]]:
    """The tools of the caller's; hosted ones have no common form, so with them `tools` goes as it is."""
    config = extra.pop("toolConfig", {})
    choice = config.get("toolChoice")
    if choice:
        ((mode, named),) = choice.items()
        options["tool_choice"] = ToolChoice(MODES[mode], named.get("name"))
    tools: list[Tool] = []
    for item in config.get("tools", ()):
        if "toolSpec" in item:
            spec = item["toolSpec"]
            tools.append(Tool(spec["name"], spec.get("description", ""), spec["inputSchema"]["json"], spec.get("strict")))
        elif "cachePoint" in item:
            tools[-1].extra = item
    hosted = any("systemTool" in item for item in config.get("tools", ()))
    return tools, {"toolConfig": {"tools": config["tools"]}} if hosted else {}


def _reasoning(extra: dict[str, Any], options: dict[str, Any]) -> None:
    fields = extra.get("additionalModelRequestFields", {})
    thinking = fields.pop("thinking", None)
    if thinking:
        visible = {"summarized": True, "omitted": False}.get(thinking.get("display", ""))
        options["reasoning"] = Reasoning(None, thinking.get("budget_tokens"), visible)
    elif isinstance(fields.get("reasoning_config"), str):
        options["reasoning"] = Reasoning(fields.pop("reasoning_config"))
    if "topK" in fields.get("inferenceConfig", {}):
        options["top_k"] = fields["inferenceConfig"].pop("topK")


def _block(part: dict[str, Any]) -> Block:
    ((kind, said),) = part.items()
    if kind == "text":
        return Text(said)
    if kind == "toolUse":
        return ToolCall(said["toolUseId"], said["name"], said["input"])
    if kind == "toolResult":
        content = [_block(item) for item in said["content"]]
        return ToolResult(said["toolUseId"], content, is_error=said.get("status") == "error")
    if kind == "reasoningContent" and "reasoningText" in said:
        return Thinking(said["reasoningText"]["text"], said["reasoningText"].get("signature"))
    if kind in MEDIA and "bytes" in said["source"]:
        media, prefix = MEDIA[kind]
        return media(f"{prefix}/{said['format']}", base64.b64decode(said["source"]["bytes"]))
    return Opaque(part)


MEDIA: dict[str, tuple[Any, str]] = {"image": (Image, "image"), "audio": (Audio, "audio"), "video": (Document, "video")}


def canonical(body: dict[str, Any], manifest: Manifest) -> dict[str, Any]:
    """An empty object or list = absent; neighbours of one role in one turn."""
    same = {key: _filled(value) for key, value in body.items() if key != "messages"}
    turns: list[dict[str, Any]] = []
    for message in body["messages"]:
        if turns and turns[-1]["role"] == message["role"]:
            turns[-1]["content"] = turns[-1]["content"] + message["content"]
        else:
            turns.append(dict(message))
    return {**{key: value for key, value in same.items() if value not in ({}, [])}, "messages": turns}


def _filled(value: Any) -> Any:
    if isinstance(value, dict):
        filled = {key: _filled(item) for key, item in value.items()}
        return {key: item for key, item in filled.items() if item != [] and (item != {} or value[key] == {})}
    return value


EXPLAINED: dict[str, dict[str, str]] = {}
