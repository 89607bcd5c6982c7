"""What OpenAI's Responses reject: the schema of the body and the rules between its items.

https://platform.openai.com/docs/api-reference/responses/create
"""

from __future__ import annotations

from ...echo import signature_of
from ...exchange import Rejected
from ...json_checks import (
    Invalid,
    anything,
    array,
    boolean,
    choice,
    integer,
    is_object,
    nullable,
    number,
    record,
    string,
    tagged,
    union,
)
from ...media import decode, split_data_url
from ...request_checks import without_host_fields
from ..strict_schema import violation

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from ...exchange import Rules, ServerRequest
    from ...json_checks import Check

NAME = r"[a-zA-Z0-9_-]+"
_CACHE = {"prompt_cache_breakpoint": is_object}
_INPUT_PART = tagged(
    "type",
    {
        "input_text": record({"text": string()}, _CACHE),
        "input_image": record(
            {},
            {
                **_CACHE,
                "image_url": nullable(string(1)),
                "file_id": nullable(string(1)),
                "detail": nullable(choice("auto", "low", "high", "original")),
            },
        ),
        "input_file": record(
            {}, {**_CACHE, "file_data": string(1), "file_id": nullable(string(1)), "file_url": string(1), "filename": string(1)}
        ),
    },
)
_OUTPUT_PART = tagged(
    "type",
    {
        "output_text": record({"text": string()}, {"annotations": array(is_object), "logprobs": anything}),
        "refusal": record({"refusal": string()}),
    },
)
_ITEM_FIELDS = {"id": string(1), "status": nullable(choice("in_progress", "completed", "incomplete"))}
_INPUT_MESSAGE = record({"content": union(string=string(), array=array(_INPUT_PART))}, _ITEM_FIELDS)
_MESSAGE = tagged(
    "role",
    {
        "user": _INPUT_MESSAGE,
        "system": _INPUT_MESSAGE,
        "developer": _INPUT_MESSAGE,
        "assistant": record(
            {"content": union(string=string(), array=array(_OUTPUT_PART))},
            {**_ITEM_FIELDS, "phase": nullable(choice("commentary", "final_answer"))},
        ),
    },
)
_OUTPUT = record({"call_id": string(1), "output": union(string=string(), array=array(_INPUT_PART, 1))}, _ITEM_FIELDS)
_ITEMS: dict[str, Check] = {
    "message": _MESSAGE,
    "function_call": record(
        {"call_id": string(1), "name": string(1, None, NAME), "arguments": string()}, {**_ITEM_FIELDS, "namespace": anything}
    ),
    "function_call_output": _OUTPUT,
    "custom_tool_call": record({"call_id": string(1), "name": string(1), "input": string()}, _ITEM_FIELDS),
    "custom_tool_call_output": _OUTPUT,
    "reasoning": record(
        {"summary": array(is_object)},
        {**_ITEM_FIELDS, "content": nullable(array(is_object)), "encrypted_content": nullable(string())},
    ),
    "item_reference": record({"id": string(1)}),
    "compaction": is_object,
    "web_search_call": is_object,
    "file_search_call": is_object,
    "code_interpreter_call": is_object,
    "mcp_call": is_object,
}


def _item(value: Any, path: tuple[str | int, ...]) -> None:
    """An item; one without a type is a message."""
    is_object(value, path)
    tagged("type", _ITEMS)({"type": "message", **value}, path)


_FORMAT = tagged(
    "type",
    {
        "text": record({}),
        "json_object": record({}),
        "json_schema": record(
            {"name": string(1, 64, NAME), "schema": is_object}, {"strict": nullable(boolean), "description": string()}
        ),
    },
)
_TOOLS: dict[str, Check] = {
    "function": record(
        {"name": string(1, 128, NAME)},
        {
            "parameters": nullable(is_object),
            "strict": nullable(boolean),
            "description": nullable(string()),
            "defer_loading": boolean,
        },
    ),
    "custom": record({"name": string(1, 128, NAME)}, {"description": string(), "format": is_object}),
    **dict.fromkeys(("web_search", "web_search_preview", "file_search"), is_object),
    **dict.fromkeys(("code_interpreter", "image_generation", "mcp"), is_object),
}
_EFFORT = choice("none", "minimal", "low", "medium", "high", "xhigh", "max")
BODY = record(
    {},
    {
        "model": string(1),
        "input": union(string=string(1), array=array(_item, 1)),
        "instructions": nullable(string()),
        "max_output_tokens": nullable(integer(16)),
        "max_tool_calls": nullable(integer(1)),
        "temperature": nullable(number(0, 2)),
        "top_p": nullable(number(0, 1)),
        "top_logprobs": nullable(integer(0, 20)),
        "stream": nullable(boolean),
        "stream_options": nullable(record({}, {"include_obfuscation": boolean})),
        "store": nullable(boolean),
        "previous_response_id": nullable(string(1)),
        "conversation": anything,
        "include": nullable(array(string(1))),
        "reasoning": nullable(
            record(
                {},
                {
                    "effort": nullable(_EFFORT),
                    "summary": nullable(choice("auto", "concise", "detailed")),
                    "mode": nullable(choice("standard", "pro")),
                    "context": nullable(choice("auto", "current_turn", "all_turns")),
                },
            )
        ),
        "text": nullable(record({}, {"format": _FORMAT, "verbosity": nullable(choice("low", "medium", "high"))})),
        "tools": nullable(array(tagged("type", _TOOLS), 0, 128)),
        "tool_choice": union(
            string=choice("none", "auto", "required"),
            object=tagged(
                "type",
                {
                    "function": record({"name": string(1)}),
                    "custom": record({"name": string(1)}),
                    "allowed_tools": is_object,
                    "web_search": record({}),
                },
            ),
        ),
        "parallel_tool_calls": nullable(boolean),
        "truncation": nullable(choice("auto", "disabled")),
        "metadata": nullable(is_object),
        "service_tier": nullable(choice("auto", "default", "flex", "scale", "priority", "fast")),
        "prompt_cache_key": nullable(string()),
        "prompt_cache_options": is_object,
        "prompt_cache_retention": nullable(choice("in_memory", "24h")),
        "safety_identifier": nullable(string()),
        "user": string(),
        "background": nullable(boolean),
        "context_management": anything,
        "moderation": anything,
        "prompt": nullable(is_object),
    },
)


def check_request(received: ServerRequest, body: dict[str, Any], rules: Rules) -> None:
    """Raises Invalid or Rejected for the first value that the service rejects."""
    body = without_host_fields(body, rules, BODY)
    BODY(body, ())
    if not body.get("model") and not body.get("prompt"):
        raise Invalid("missing", ("model",))
    if not any(body.get(name) for name in ("input", "previous_response_id", "prompt", "conversation")):
        raise Rejected(
            "One of \"input\" or \"previous_response_id\" or 'prompt' or 'conversation_id' must be provided.",
            code="missing_required_parameter",
        )
    _check_tools(body, rules)
    form = (body.get("text") or {}).get("format") or {}
    if form.get("type") == "json_schema" and form.get("strict") and rules.strict_schemas:
        wrong = violation(form["schema"])
        if wrong:
            message = f"Invalid schema for response_format '{form['name']}': {wrong}"
            raise Rejected(message, code="invalid_json_schema", param="text.format.schema")
    prompt = f"{body.get('input')}{body.get('instructions')}".lower()
    if form.get("type") == "json_object" and rules.json_word and "json" not in prompt:
        message = (
            "Response input messages must contain the word 'json' in some form to use 'text.format' of type 'json_object'."
        )
        raise Rejected(message, param="input")
    items = body["input"] if isinstance(body.get("input"), list) else []
    for index, item in enumerate(items):
        _check_item(index, item)
    if not body.get("previous_response_id") and not body.get("conversation"):
        _check_tool_results(items)


def _check_tools(body: dict[str, Any], rules: Rules) -> None:
    tools = body.get("tools") or []
    for index, tool in enumerate(tools):
        if tool["type"] != "function":
            continue
        field, lead = f"tools[{index}].parameters", f"Invalid schema for function '{tool['name']}': "
        parameters = tool.get("parameters")
        if parameters is None:
            raise Invalid("missing", ("tools", index, "parameters"))
        if parameters and parameters.get("type") != "object":
            message = f"{lead}schema must be a JSON Schema of 'type: \"object\"', got 'type: \"{parameters.get('type')}\"'."
            raise Rejected(message, code="invalid_function_parameters", param=field)
        wrong = violation(parameters) if tool.get("strict") and rules.strict_schemas else None
        if wrong:
            raise Rejected(lead + wrong, code="invalid_function_parameters", param=field)
    chosen = body.get("tool_choice")
    if isinstance(chosen, dict) and "name" in chosen and chosen["name"] not in [tool.get("name") for tool in tools]:
        raise Rejected(f"Tool choice '{chosen['name']}' not found in 'tools' parameter.", param="tool_choice")
    if chosen == "required" and not tools:
        raise Rejected("Tool choice 'required' must be specified with 'tools' parameter.", param="tool_choice")


def _check_item(index: int, item: dict[str, Any]) -> None:
    field = f"input[{index}]"
    if item.get("type") == "reasoning":
        summary = "".join(part.get("text", "") for part in item["summary"])
        encrypted = item.get("encrypted_content")
        if encrypted and not encrypted.startswith("gAAAA"):
            message = f"The encrypted content for item {item.get('id')} could not be verified."
            raise Rejected(message, code="invalid_encrypted_content", param=field)
        if encrypted and summary and encrypted != encrypted_content_of(summary):
            raise Rejected(f"The encrypted content for item {item.get('id')} does not match its summary.", param=field)
        return
    content = item.get("content")
    for position, part in enumerate(content if isinstance(content, list) else ()):
        url = part.get("image_url") or part.get("file_data")
        found = split_data_url(url) if url else None
        if found and decode(found[1]) is None:
            raise Rejected("Invalid base64 data.", param=f"{field}.content[{position}]", code="invalid_base64")
        if "file_data" in part and "filename" not in part:
            raise Invalid("missing", ("input", index, "content", position, "filename"))


def encrypted_content_of(thinking: str) -> str:
    """The `encrypted_content` of this thinking."""
    return f"gAAAAA{signature_of(thinking)}"


def _check_tool_results(items: list[dict[str, Any]]) -> None:
    calls: list[str] = []
    for item in items:
        kind = item.get("type")
        if kind in ("function_call", "custom_tool_call"):
            if item["call_id"] in calls:
                raise Rejected(f"Duplicate item found with call_id {item['call_id']}.", param="input")
            calls.append(item["call_id"])
        elif kind in ("function_call_output", "custom_tool_call_output") and item["call_id"] not in calls:
            raise Rejected(f"No tool call found for function call output with call_id {item['call_id']}.", param="input")
    results = {item["call_id"] for item in items if str(item.get("type")).endswith("_output")}
    missing = [id for id in calls if id not in results]
    if missing:
        raise Rejected(f"No tool output found for function call {missing[0]}.", param="input")
