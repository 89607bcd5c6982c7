"""Recorded OpenAI Responses bodies → `ChatRequest`, written against the public description of the format, not our dialect."""

from __future__ import annotations

import base64
import json
from typing import Any

from ailib_sync.registry.manifest import Manifest
from ailib_sync.types.messages import Block, Document, Image, Message, Opaque, Text, Thinking
from ailib_sync.types.request import ChatRequest, Reasoning, ResponseFormat, ToolChoice
from ailib_sync.types.tools import Tool, ToolCall
from tests.chat_values import chat_request

PLAIN = ("temperature", "top_p", "parallel_tool_calls")
STRUCTURE = ("model", "input", "instructions", "tools", "stream", "max_output_tokens", "tool_choice", "reasoning")


def read(body: dict[str, Any]) -> ChatRequest:
    options: dict[str, Any] = {key: body[key] for key in PLAIN if body.get(key) is not None}
    taken = {*PLAIN, *STRUCTURE}
    if body.get("max_output_tokens") is not None:
        options["max_tokens"] = body["max_output_tokens"]
    if body.get("tool_choice") is not None:
        choice = body["tool_choice"]
        options["tool_choice"] = ToolChoice(choice) if isinstance(choice, str) else ToolChoice("tool", _named(choice))
    if body.get("reasoning"):
        asked = body["reasoning"]
        options["reasoning"] = Reasoning(asked.get("effort"), visible="summary" in asked or None)
    if set(body.get("text", {})) == {"format"}:
        options["response_format"] = _format(body["text"]["format"])
        taken.add("text")
    messages = [Message.system(body["instructions"])] if body.get("instructions") else []
    asked = body.get("input") or []  # a stored prompt may stand in its place
    return chat_request(
        model=body.get("model", ""),
        messages=(*messages, *([Message.user(asked)] if isinstance(asked, str) else _messages(asked))),
        tools=tuple(_tool(tool) for tool in body.get("tools") or ()),
        options=options,
        extra={key: value for key, value in body.items() if key not in taken},
        stream=bool(body.get("stream")),
    )


def _named(choice: dict[str, Any]) -> str:
    inner = choice.get("function", choice)
    return inner["name"]


def _format(format: dict[str, Any]) -> ResponseFormat:
    kind = {"json_object": "json"}.get(format["type"], format["type"])
    return ResponseFormat(kind, format.get("schema"), format.get("name", "answer"), format.get("strict"))


def _tool(tool: dict[str, Any]) -> Tool:
    if tool["type"] != "function" or "name" not in tool:
        return Tool(tool.get("name", tool["type"]), tool.get("description") or "", extra=tool)
    extra = {key: value for key, value in tool.items() if key not in ("name", "description", "parameters", "strict")}
    return Tool(tool["name"], tool.get("description") or "", tool["parameters"], tool.get("strict"), extra)


def _messages(items: list[dict[str, Any]]) -> list[Message]:
    """A thought and what follows it, a text and the calls that follow it, are one turn of the assistant's."""
    messages: list[Message] = []
    turn: list[Block] = []
    for item in items:
        blocks = _said(item)
        if turn and (blocks is None or all(isinstance(block, Text) for block in (*turn, *blocks))):
            messages.append(Message("assistant", turn, origin="openai_responses"))
            turn = []
        if blocks is not None:
            turn += blocks
        elif item.get("type") == "function_call_output":
            messages.append(Message.tool(item["call_id"], _content(item["output"])))
        else:
            messages.append(Message("system" if item["role"] == "developer" else item["role"], _content(item["content"])))
    return [*messages, *([Message("assistant", turn, origin="openai_responses")] if turn else [])]


def _said(item: dict[str, Any]) -> list[Block] | None:
    kind = item.get("type", "message")
    if kind == "reasoning":
        return [Thinking(extra={"item": item})]
    if kind == "function_call":
        extra = {"id": item["id"]} if "id" in item else {}
        return [ToolCall(item["call_id"], item["name"], json.loads(item["arguments"]), item["arguments"], extra=extra)]
    if kind == "message" and item["role"] == "assistant":
        extra = {key: item[key] for key in ("id", "phase") if key in item}
        content = item["content"]
        return [Text(content, extra)] if isinstance(content, str) else [Text(part["text"], extra) for part in content]
    return None


def _content(content: str | list[dict[str, Any]]) -> str | list[Block]:
    return content if isinstance(content, str) else [_part(part) for part in content]


def _part(part: dict[str, Any]) -> Block:
    kind = part["type"]
    if kind == "input_text":
        return Text(part["text"])
    if kind == "input_image" and "image_url" in part:
        return Image(*_source(part["image_url"]), detail=part.get("detail"))
    if kind == "input_file" and "file_data" in part:
        return Document(*_source(part["file_data"]), name=part.get("filename"))
    if kind == "input_file" and "file_url" in part:
        return Document.from_url(part["file_url"])
    return Opaque(part)


def _source(url: str) -> tuple[str | None, bytes | None, str | None]:
    if not url.startswith("data:"):
        return None, None, url
    head, _, data = url[5:].partition(",")
    return head.partition(";")[0], base64.b64decode(data), None


def canonical(body: dict[str, Any], manifest: Manifest) -> dict[str, Any]:
    """One spelling for things that mean the same: null = absent, system messages at the start = instructions, a text part
    alone = its text, the items' ids (we send them beside thoughts only) and states, defaults said all the same."""
    same = {key: value for key, value in body.items() if value not in (None, [], "")}
    given = same.pop("input", [])
    items = [_canonical_item(item) for item in ([{"role": "user", "content": given}] if isinstance(given, str) else given)]
    instructions = [same.pop("instructions")] if "instructions" in same else []
    while items and items[0].get("role") == "system" and isinstance(items[0]["content"], str):
        instructions.append(items.pop(0)["content"])
    same["instructions"] = "\n\n".join(instructions)
    same["input"] = [item for item in items if item.get("content") != []]
    if same.get("stream") is False:
        del same["stream"]
    for key, default in (("store", False), ("include", ["reasoning.encrypted_content"])):
        if same.get(key) == default:  # we ask for this where a model thinks, clients where they like
            del same[key]
    for tool in same.get("tools", []):
        tool.setdefault("description", "")
        if not tool.get("strict"):
            tool.pop("strict", None)
    return same


def _canonical_item(item: dict[str, Any]) -> dict[str, Any]:
    if item.get("type") == "reasoning":
        return item
    same = {key: value for key, value in item.items() if key not in ("id", "status")}
    same.setdefault("type", "message")
    for key in ("content", "output"):
        parts = same.get(key)
        if isinstance(parts, list) and len(parts) == 1 and parts[0]["type"] in ("input_text", "output_text"):
            same[key] = parts[0]["text"]
    if same.get("role") == "developer":
        same["role"] = "system"
    return same


EXPLAINED: dict[str, dict[str, str]] = {
    "openai.openai-responses.n.75eb36c7708a": {
        "text": "the recorded strict schema is not closed, and was rejected for it; ours is closed",
    },
    "openai.openai-responses.n.2b37a3954c61": {
        "tools": "the recorded tool has the form of Chat Completions, and was refused for it",
        "tool_choice": "this too has the other format's form",
    },
}
