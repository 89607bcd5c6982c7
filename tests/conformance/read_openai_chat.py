"""Recorded Chat Completions bodies → `ChatRequest`, written against the public description of the format, not our dialect."""

from __future__ import annotations

import base64
import json
from typing import Any

from ailib_sync.registry.manifest import Manifest
from ailib_sync.types.messages import Audio, Block, Document, Image, Message, Opaque, Text, Thinking, ToolResult
from ailib_sync.types.request import ChatRequest, Reasoning, ResponseFormat, ToolChoice
from ailib_sync.types.tools import Tool, ToolCall
from tests.chat_values import chat_request

PLAIN = ("temperature", "top_p", "seed", "frequency_penalty", "presence_penalty", "parallel_tool_calls")
STRUCTURE = ("model", "messages", "tools", "stream", "max_tokens", "max_completion_tokens", "stop", "tool_choice")


def read(body: dict[str, Any]) -> ChatRequest:
    options: dict[str, Any] = {key: body[key] for key in PLAIN if body.get(key) is not None}
    limit = body.get("max_tokens", body.get("max_completion_tokens"))
    if limit is not None:
        options["max_tokens"] = limit
    if body.get("stop") is not None:
        options["stop"] = tuple([body["stop"]] if isinstance(body["stop"], str) else body["stop"])
    if body.get("tool_choice") is not None:
        options["tool_choice"] = _choice(body["tool_choice"])
    taken = {*PLAIN, *STRUCTURE}
    format = body.get("response_format")
    if isinstance(format, dict) and not set(format.get("json_schema", {})) - {"name", "schema", "strict"}:
        options["response_format"] = _format(format)
        taken.add("response_format")
    reasoning = _reasoning(body)
    if reasoning is not None:
        options["reasoning"], used = reasoning
        taken.update(used)
    return chat_request(
        model=body.get("model", ""),  # Azure names the deployment in the URL
        messages=tuple(_message(message) for message in body["messages"]),
        tools=tuple(_tool(tool) for tool in body.get("tools") or ()),
        options=options,
        extra={key: value for key, value in body.items() if key not in taken},
        stream=bool(body.get("stream")),
    )


def _choice(choice: Any) -> ToolChoice:
    if choice == "any":  # Mistral's word for `required`
        return ToolChoice("required")
    return ToolChoice(choice) if isinstance(choice, str) else ToolChoice("tool", choice["function"]["name"])


def _format(format: dict[str, Any]) -> ResponseFormat:
    inner = format.get("json_schema", {})
    kind = {"json_object": "json"}.get(format["type"], format["type"])
    return ResponseFormat(kind, inner.get("schema"), inner.get("name", "answer"), inner.get("strict"))


def _reasoning(body: dict[str, Any]) -> tuple[Reasoning, set[str]] | None:
    """Every way of asking for thinking, as the one option it is for us."""
    effort = body.get("reasoning_effort")
    if isinstance(body.get("thinking"), dict):
        off = body["thinking"].get("type") == "disabled"
        return Reasoning("none" if off else effort, body["thinking"].get("budget_tokens")), {"thinking", "reasoning_effort"}
    if isinstance(body.get("enable_thinking"), bool):
        effort = None if body["enable_thinking"] else "none"
        return Reasoning(effort, body.get("thinking_budget")), {"enable_thinking", "thinking_budget"}
    asked = body.get("reasoning")
    if isinstance(asked, dict) and not set(asked) - {"effort", "max_tokens", "enabled"}:
        effort = "none" if asked.get("enabled") is False else asked.get("effort")
        return Reasoning(effort, asked.get("max_tokens")), {"reasoning"}
    return (Reasoning(effort), {"reasoning_effort"}) if effort else None


def _tool(tool: dict[str, Any]) -> Tool:
    function = tool["function"]
    extra = {key: value for key, value in tool.items() if key not in ("type", "function")}
    return Tool(function["name"], function.get("description") or "", function["parameters"], function.get("strict"), extra)


def _message(message: dict[str, Any]) -> Message:
    role, content = message["role"], message.get("content")
    taken = {"role", "content", "name", "tool_calls", "tool_call_id"}
    blocks: list[Block] = []
    for key in ("reasoning_content", "reasoning"):
        if message.get(key):
            blocks.append(Thinking(message[key]))
            taken.add(key)
    if isinstance(content, str):
        blocks += [Text(content)] if content else []
    else:
        blocks += [_part(part) for part in content or ()]
    blocks += [_call(call) for call in message.get("tool_calls") or ()]
    extra = {key: value for key, value in message.items() if key not in taken}
    if role == "tool":
        return Message("tool", [ToolResult(message["tool_call_id"], blocks, message.get("name"), extra=extra)])
    return Message("system" if role == "developer" else role, blocks, message.get("name"), extra=extra)


def _call(call: dict[str, Any]) -> ToolCall:
    raw = call["function"]["arguments"]
    extra = {key: value for key, value in call.items() if key not in ("id", "type", "function")}
    return ToolCall(call["id"], call["function"]["name"], json.loads(raw or "{}"), raw, extra=extra)


def _part(part: dict[str, Any]) -> Block:
    kind = part["type"]
    extra = {key: value for key, value in part.items() if key not in ("type", kind)}
    if kind == "text":
        return Text(part["text"], extra)
    if kind == "image_url":
        image = part["image_url"]
        return Image(*_source(image["url"]), extra, detail=image.get("detail"))
    if kind == "input_audio":
        sound = part["input_audio"]
        return Audio(f"audio/{sound['format']}", base64.b64decode(sound["data"]), extra=extra)
    if kind == "file" and "file_data" in part["file"]:
        return Document(*_source(part["file"]["file_data"]), extra, name=part["file"].get("filename"))
    return Opaque(part)


def _source(url: str) -> tuple[str | None, bytes | None, str | None]:
    if not url.startswith("data:"):
        return None, None, url
    head, _, data = url[5:].partition(",")
    return head.partition(";")[0], base64.b64decode(data), None


def canonical(body: dict[str, Any], manifest: Manifest) -> dict[str, Any]:
    """One spelling for things that mean the same: null = absent, one text part = its text, "" = null beside tool calls,
    one stop = a list of it, the old name of the token limit, defaults said all the same."""
    same = {key: value for key, value in body.items() if value not in (None, [], "")}
    if "max_completion_tokens" in same:
        same["max_tokens"] = same.pop("max_completion_tokens")
    if isinstance(same.get("stop"), str):
        same["stop"] = [same["stop"]]
    if not same.get("stream"):
        same.pop("stream", None)
    same.pop("stream_options", None)  # clients ask for a stream's usage or not; we always do where the host takes the question
    if same.get("tool_choice") == "any":
        same["tool_choice"] = "required"
    if not same.get("tools"):
        for needless in ("tool_choice", "parallel_tool_calls"):
            same.pop(needless, None)
    for tool in same.get("tools", []):
        tool["function"].setdefault("description", "")
        if tool["function"].get("strict") is False:
            del tool["function"]["strict"]
    same["messages"] = [_canonical_message(message, manifest) for message in same["messages"]]
    if manifest.has("nine_character_ids"):
        _number_ids(same["messages"])
    return same


def _canonical_message(message: dict[str, Any], manifest: Manifest) -> dict[str, Any]:
    same = {key: value for key, value in message.items() if value not in (None, [], "")}
    content = same.get("content")
    if isinstance(content, str) and "cache_control" in same and same["role"] != "tool":
        # The mark of a message with one text is that of its text.
        content = same["content"] = [{"type": "text", "text": content, "cache_control": same.pop("cache_control")}]
    if isinstance(content, list) and all(set(part) == {"type", "text"} for part in content):
        texts = [part["text"] for part in content]
        if len(texts) == 1 or same["role"] == "assistant":
            same["content"] = "".join(texts)
    if same["role"] == "developer":
        same["role"] = "system"
    # Clients send thinking back to any host; we do where the host wants it.
    for field in ("reasoning", "reasoning_content"):
        if not manifest.has(f"replay_{field}"):
            same.pop(field, None)
    if same["role"] == "tool" and not manifest.has("tool_result_name"):
        same.pop("name", None)
    if same.get("prefix") is False:
        del same["prefix"]
    return same


def _number_ids(messages: list[dict[str, Any]]) -> None:
    """Tool call ids → their numbers in order of appearance."""
    numbers: dict[str, int] = {}
    for message in messages:
        for call in message.get("tool_calls", []):
            call["id"] = numbers.setdefault(call["id"], len(numbers))
        if "tool_call_id" in message:
            message["tool_call_id"] = numbers[message["tool_call_id"]]


EXPLAINED: dict[str, dict[str, str]] = {
    "vercel-gateway.openai-chat.s.c6b40dfaa490": {
        "messages": "the mark of a tool call in the model's turn is not sent: calls have no cache mark in our form",
    },
    "gpustack.openai-chat.n.ec05a2a44c81": {
        "enable_thinking": "we have no manifest for this host, and a plain one names no way to ask for thinking",
    },
    "openrouter.openai-chat.s.c9f424a83de7": {
        "reasoning": "the host takes reasoning.effort, and reasoning_effort as an alias for it; we send the former",
        "reasoning_effort": "the alias that we do not use: see reasoning",
    },
    "zai.openai-chat.n.a760b636a25e": {
        "reasoning_effort": "this model has a switch for thinking and no depths; the host passes over the field",
        "thinking": "see reasoning_effort: what is sent instead is the switch",
    },
}
