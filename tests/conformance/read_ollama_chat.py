"""Recorded bodies of Ollama's chat format → `ChatRequest`, written against the format's public description, not our dialect."""

from __future__ import annotations

import base64
from typing import Any

from ailib_sync.registry.manifest import Manifest
from ailib_sync.types.messages import Block, Image, Message, Text, Thinking, ToolResult
from ailib_sync.types.request import ChatRequest, Reasoning, ResponseFormat
from ailib_sync.types.tools import Tool, ToolCall
from tests.chat_values import chat_request

OPTIONS = {"temperature": "temperature", "num_predict": "max_tokens", "top_p": "top_p", "top_k": "top_k", "seed": "seed"}
STRUCTURE = ("model", "messages", "stream", "tools", "format", "think", "options")


def read(body: dict[str, Any]) -> ChatRequest:
    given = body.get("options") or {}
    options: dict[str, Any] = {ours: given[theirs] for theirs, ours in OPTIONS.items() if theirs in given}
    rest = {key: value for key, value in given.items() if key not in OPTIONS}
    format, think = body.get("format"), body.get("think")
    if format:
        options["response_format"] = ResponseFormat("json") if format == "json" else ResponseFormat("json_schema", format)
    if think is not None:
        options["reasoning"] = Reasoning(None if think is True else think or "none")
    extra = {key: value for key, value in body.items() if key not in STRUCTURE and value is not None}
    return chat_request(
        model=body["model"],
        messages=tuple(_message(message) for message in body["messages"]),
        tools=tuple(_tool(tool) for tool in body.get("tools") or ()),
        options=options,
        extra={**extra, **({"options": rest} if rest else {})},
        stream=body.get("stream", True),
    )


def _tool(tool: dict[str, Any]) -> Tool:
    function = tool["function"]
    return Tool(function["name"], function.get("description", ""), function["parameters"])


def _message(message: dict[str, Any]) -> Message:
    if message["role"] == "tool":
        return Message("tool", [ToolResult(message.get("tool_call_id", ""), message["content"], message.get("tool_name"))])
    blocks: list[Block] = [Thinking(message["thinking"])] if message.get("thinking") else []
    blocks += [Text(message["content"])] if message["content"] else []
    blocks += [Image("image/png", base64.b64decode(image)) for image in message.get("images") or ()]
    for call in message.get("tool_calls") or ():
        function = call["function"]
        more = {key: value for key, value in call.items() if key not in ("id", "function")}
        blocks.append(ToolCall(call.get("id", ""), function["name"], function["arguments"], extra=more))
    return Message(message["role"], blocks)


def canonical(body: dict[str, Any], manifest: Manifest) -> dict[str, Any]:
    """An empty format, list or object, and null = absent; an absent `stream` = true."""
    same = {"stream": True, **{key: value for key, value in body.items() if value not in (None, "", [], {})}}
    same["messages"] = [
        {key: value for key, value in message.items() if value not in (None, [])} for message in body["messages"]
    ]
    return same


EXPLAINED: dict[str, dict[str, str]] = {
    "ollama.ollama.n.3b0180fa9140": {"messages": "of 2024, before results named their tool; ours name it, from the call"},
}
