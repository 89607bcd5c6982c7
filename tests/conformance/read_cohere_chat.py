"""Recorded Cohere chat bodies → `ChatRequest`, written against the public description of the format, not our dialect."""

from __future__ import annotations

import base64
import json
from typing import Any

from ailib_sync.registry.manifest import Manifest
from ailib_sync.types.messages import Block, Image, Message, Opaque, Text, Thinking, ToolResult
from ailib_sync.types.request import ChatRequest, Reasoning, ResponseFormat, ToolChoice
from ailib_sync.types.tools import Tool, ToolCall
from tests.chat_values import chat_request

PLAIN = {
    "temperature": "temperature",
    "p": "top_p",
    "k": "top_k",
    "max_tokens": "max_tokens",
    "seed": "seed",
    "frequency_penalty": "frequency_penalty",
    "presence_penalty": "presence_penalty",
}


def read(body: dict[str, Any]) -> ChatRequest:
    body = dict(body)
    options: dict[str, Any] = {ours: body.pop(theirs) for theirs, ours in PLAIN.items() if theirs in body}
    if "stop_sequences" in body:
        options["stop"] = tuple(body.pop("stop_sequences"))
    if "tool_choice" in body:
        options["tool_choice"] = ToolChoice(body.pop("tool_choice").lower())
    if "response_format" in body:
        schema = body.pop("response_format").get("json_schema")
        options["response_format"] = ResponseFormat("json_schema" if schema else "json", schema)
    if "thinking" in body:
        thinking = body.pop("thinking")
        options["reasoning"] = Reasoning("none" if thinking["type"] == "disabled" else None, thinking.get("token_budget"))
    return chat_request(
        body.pop("model"),
        tuple(_message(message) for message in body.pop("messages")),
        tuple(_tool(tool) for tool in body.pop("tools", ())),
        options,
        stream=body.pop("stream", False),
        extra=body,
    )


def _tool(tool: dict[str, Any]) -> Tool:
    function = tool["function"]
    return Tool(function["name"], function.get("description", ""), function["parameters"])


def _message(message: dict[str, Any]) -> Message:
    content = message.get("content") or []
    blocks = [Text(content)] if isinstance(content, str) else [_part(part) for part in content]
    if message["role"] == "tool":
        return Message("tool", [ToolResult(message["tool_call_id"], content if isinstance(content, str) else blocks)])
    for call in message.get("tool_calls", ()):
        raw = call["function"]["arguments"]
        blocks.append(ToolCall(call["id"], call["function"]["name"], json.loads(raw), raw))
    extra = {key: message[key] for key in ("tool_plan", "citations") if key in message}
    return Message(message["role"], blocks, extra=extra)


def _part(part: dict[str, Any]) -> Block:
    if part["type"] == "text":
        return Text(part["text"])
    if part["type"] == "thinking":
        return Thinking(part["thinking"])
    if part["type"] == "image_url":
        url = part["image_url"]["url"]
        if not url.startswith("data:"):
            return Image(url=url)
        head, _, data = url[5:].partition(",")
        return Image(head.partition(";")[0], base64.b64decode(data))
    return Opaque(part)


def canonical(body: dict[str, Any], manifest: Manifest) -> dict[str, Any]:
    """One spelling for things that mean the same: an empty list = absent, one text part = its text, no text beside tool
    calls = no content, `stream: false` = absent."""
    same = {key: value for key, value in body.items() if value not in ([], False, None)}
    same["messages"] = [_canonical_message(message) for message in same["messages"]]
    return same


def _canonical_message(message: dict[str, Any]) -> dict[str, Any]:
    same = dict(message)
    content = same.get("content")
    if isinstance(content, list) and len(content) == 1 and set(content[0]) == {"type", "text"}:
        same["content"] = content[0]["text"]
    if same.get("tool_calls") and not same.get("content"):
        same.pop("content", None)
    return same


EXPLAINED: dict[str, dict[str, str]] = {}
