"""Recorded Messages bodies → `ChatRequest`, written against the public description of the format, not our dialect."""

from __future__ import annotations

import base64
from typing import Any

from ailib_sync.registry.manifest import Manifest
from ailib_sync.types.messages import Block, Document, Image, Message, Opaque, Text, Thinking, ToolResult
from ailib_sync.types.request import ChatRequest, Reasoning, ResponseFormat, ToolChoice
from ailib_sync.types.tools import Tool, ToolCall
from tests.chat_values import chat_request

PLAIN = ("temperature", "top_p", "top_k", "max_tokens")
STRUCTURE = ("model", "system", "messages", "tools", "stream", "stop_sequences", "tool_choice", "thinking", "output_config")
MODES = {"auto": "auto", "any": "required", "none": "none", "tool": "tool"}


def read(body: dict[str, Any]) -> ChatRequest:
    options: dict[str, Any] = {key: body[key] for key in PLAIN if body.get(key) is not None}
    if body.get("stop_sequences"):
        options["stop"] = tuple(body["stop_sequences"])
    choice = body.get("tool_choice")
    if choice:
        options["tool_choice"] = ToolChoice(MODES[choice["type"]], choice.get("name"))
        if "disable_parallel_tool_use" in choice:
            options["parallel_tool_calls"] = not choice["disable_parallel_tool_use"]
    config = body.get("output_config") or {}
    if "format" in config:
        options["response_format"] = ResponseFormat("json_schema", config["format"]["schema"])
    reasoning = _reasoning(body.get("thinking") or {}, config.get("effort"))
    if reasoning is not None:
        options["reasoning"] = reasoning
    system = [Message("system", _blocks(body["system"]))] if body.get("system") else []
    return chat_request(
        model=body.get("model", ""),
        messages=(*system, *(Message(message["role"], _blocks(message["content"])) for message in body["messages"])),
        tools=tuple(_tool(tool) for tool in body.get("tools") or ()),
        options=options,
        extra={key: value for key, value in body.items() if key not in PLAIN and key not in STRUCTURE},
        stream=bool(body.get("stream")),
    )


def _reasoning(thinking: dict[str, Any], effort: str | None) -> Reasoning | None:
    if thinking.get("type") == "disabled":
        return Reasoning("none")
    if not thinking and effort is None:
        return None
    visible = {"summarized": True, "omitted": False}.get(thinking.get("display", ""))
    return Reasoning(effort, thinking.get("budget_tokens"), visible)


def _tool(tool: dict[str, Any]) -> Tool:
    known = ("name", "description", "input_schema", "strict")
    extra = {key: value for key, value in tool.items() if key not in known}
    schema = tool.get("input_schema", {"type": "object", "properties": {}})
    return Tool(tool["name"], tool.get("description", ""), schema, tool.get("strict"), extra)


def _blocks(content: Any) -> list[Block]:
    return [Text(content)] if isinstance(content, str) else [_block(item) for item in content]


def _block(item: dict[str, Any]) -> Block:
    kind = item["type"]

    def extra(*known: str) -> dict[str, Any]:
        return {key: value for key, value in item.items() if key not in ("type", *known)}

    if kind == "text":
        return Text(item["text"], extra("text"))
    if kind in ("image", "document") and item["source"]["type"] in ("base64", "url", "text"):
        media_type, data, url = _source(item["source"])
        if kind == "image":
            return Image(media_type, data, url, extra("source"))
        return Document(media_type, data, url, extra("source", "title"), name=item.get("title"))
    if kind == "thinking":
        return Thinking(item["thinking"], item["signature"], extra=extra("thinking", "signature"))
    if kind == "redacted_thinking":
        return Thinking(redacted=item["data"], extra=extra("data"))
    if kind == "tool_use":
        return ToolCall(item["id"], item["name"], item["input"], extra=extra("id", "name", "input"))
    if kind == "tool_result":
        content, more = item.get("content", ""), extra("tool_use_id", "content", "is_error")
        blocks = content if isinstance(content, str) else _blocks(content)
        return ToolResult(item["tool_use_id"], blocks, is_error=item.get("is_error", False), extra=more)
    return Opaque(item)


def _source(source: dict[str, Any]) -> tuple[str | None, bytes | None, str | None]:
    if source["type"] == "url":
        return None, None, source["url"]
    data = source["data"].encode() if source["type"] == "text" else base64.b64decode(source["data"])
    return source["media_type"], data, None


def canonical(body: dict[str, Any], manifest: Manifest) -> dict[str, Any]:
    """One spelling for things that mean the same: a string = one text block, null and [] = absent, false where that is
    what an absent key means; neighbours of one role in one turn."""
    same = {key: value for key, value in body.items() if value not in (None, [], False, "")}
    if "system" in same:
        same["system"] = _canonical_content(same["system"])
    turns: list[dict[str, Any]] = []
    for message in same["messages"]:
        content = _canonical_content(message["content"])
        if turns and turns[-1]["role"] == message["role"]:
            turns[-1]["content"] += content
        else:
            turns.append({**message, "content": content})
    same["messages"] = turns
    for tool in same.get("tools", []):
        if not tool.get("description"):
            tool.pop("description", None)
        if "input_schema" in tool:
            tool["input_schema"].setdefault("type", "object")
    return same


def _canonical_content(content: Any) -> list[dict[str, Any]]:
    blocks = [{"type": "text", "text": content}] if isinstance(content, str) else [dict(block) for block in content]
    for block in blocks:
        if block["type"] == "tool_result":
            block["content"] = _canonical_content(block.get("content") or "")
            if block.get("is_error") is False:
                del block["is_error"]
    return blocks


EXPLAINED: dict[str, dict[str, str]] = {
    "bedrock.bedrock-invoke-anthropic.s.5c286a6d1172": {
        "thinking": "rendered with a bare manifest that says nothing of reasoning: we call Bedrock through Converse, not Invoke"
    },
}
