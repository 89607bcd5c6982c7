"""What OpenAI's Responses take and refuse: the shape of the body and the rules between its items.

https://platform.openai.com/docs/api-reference/responses/create
"""

from __future__ import annotations

from ...echo import signature_of
from ...exchange import Refused, known_fields
from ...json_checks import (
    Bad,
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
from ..strict_schema import breach

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from ...exchange import Rules, ServerCall
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
_FACTS = {"id": string(1), "status": nullable(choice("in_progress", "completed", "incomplete"))}
_ASKED = record({"content": union(string=string(), array=array(_INPUT_PART))}, _FACTS)
_MESSAGE = tagged(
    "role",
    {
        "user": _ASKED,
        "system": _ASKED,
        "developer": _ASKED,
        "assistant": record(
            {"content": union(string=string(), array=array(_OUTPUT_PART))},
            {**_FACTS, "phase": nullable(choice("commentary", "final_answer"))},
        ),
    },
)
_OUTPUT = record({"call_id": string(1), "output": union(string=string(), array=array(_INPUT_PART, 1))}, _FACTS)
_ITEMS: dict[str, Check] = {
    "message": _MESSAGE,
    "function_call": record(
        {"call_id": string(1), "name": string(1, None, NAME), "arguments": string()}, {**_FACTS, "namespace": anything}
    ),
    "function_call_output": _OUTPUT,
    "custom_tool_call": record({"call_id": string(1), "name": string(1), "input": string()}, _FACTS),
    "custom_tool_call_output": _OUTPUT,
    "reasoning": record(
        {"summary": array(is_object)},
        {**_FACTS, "content": nullable(array(is_object)), "encrypted_content": nullable(string())},
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


def check_call(call: ServerCall, body: dict[str, Any], rules: Rules) -> None:
    """Raises Bad or Refused for the first thing the service would refuse."""
    body = known_fields(body, rules, BODY)
    BODY(body, ())
    if not body.get("model") and not body.get("prompt"):
        raise Bad("missing", ("model",))
    if not any(body.get(name) for name in ("input", "previous_response_id", "prompt", "conversation")):
        raise Refused(
            "One of \"input\" or \"previous_response_id\" or 'prompt' or 'conversation_id' must be provided.",
            code="missing_required_parameter",
        )
    _check_tools(body)
    form = (body.get("text") or {}).get("format") or {}
    if form.get("type") == "json_schema" and form.get("strict"):
        wrong = breach(form["schema"])
        if wrong:
            message = f"Invalid schema for response_format '{form['name']}': {wrong}"
            raise Refused(message, code="invalid_json_schema", param="text.format.schema")
    if form.get("type") == "json_object" and "json" not in f"{body.get('input')}{body.get('instructions')}".lower():
        message = (
            "Response input messages must contain the word 'json' in some form to use 'text.format' of type 'json_object'."
        )
        raise Refused(message, param="input")
    items = body["input"] if isinstance(body.get("input"), list) else []
    for index, item in enumerate(items):
        _check_item(index, item)
    if not body.get("previous_response_id") and not body.get("conversation"):
        _check_pairs(items)


def _check_tools(body: dict[str, Any]) -> None:
    tools = body.get("tools") or []
    for index, tool in enumerate(tools):
        if tool["type"] != "function":
            continue
        place, lead = f"tools[{index}].parameters", f"Invalid schema for function '{tool['name']}': "
        parameters = tool.get("parameters")
        if parameters is None:
            raise Bad("missing", ("tools", index, "parameters"))
        if parameters and parameters.get("type") != "object":
            message = f"{lead}schema must be a JSON Schema of 'type: \"object\"', got 'type: \"{parameters.get('type')}\"'."
            raise Refused(message, code="invalid_function_parameters", param=place)
        wrong = breach(parameters) if tool.get("strict") else None
        if wrong:
            raise Refused(lead + wrong, code="invalid_function_parameters", param=place)
    chosen = body.get("tool_choice")
    if isinstance(chosen, dict) and "name" in chosen and chosen["name"] not in [tool.get("name") for tool in tools]:
        raise Refused(f"Tool choice '{chosen['name']}' not found in 'tools' parameter.", param="tool_choice")
    if chosen == "required" and not tools:
        raise Refused("Tool choice 'required' must be specified with 'tools' parameter.", param="tool_choice")


def _check_item(index: int, item: dict[str, Any]) -> None:
    place = f"input[{index}]"
    if item.get("type") == "reasoning":
        said = "".join(part.get("text", "") for part in item["summary"])
        sealed = item.get("encrypted_content")
        if sealed and not sealed.startswith("gAAAA"):
            message = f"The encrypted content for item {item.get('id')} could not be verified."
            raise Refused(message, code="invalid_encrypted_content", param=place)
        if sealed and said and sealed != seal(said):
            raise Refused(f"The encrypted content for item {item.get('id')} does not match its summary.", param=place)
        return
    content = item.get("content")
    for position, part in enumerate(content if isinstance(content, list) else ()):
        url = part.get("image_url") or part.get("file_data")
        found = split_data_url(url) if url else None
        if found and decode(found[1]) is None:
            raise Refused("Invalid base64 data.", param=f"{place}.content[{position}]", code="invalid_base64")
        if "file_data" in part and "filename" not in part:
            raise Bad("missing", ("input", index, "content", position, "filename"))


def seal(thought: str) -> str:
    """The `encrypted_content` that stands for this thought."""
    return f"gAAAAA{signature_of(thought)}"


def _check_pairs(items: list[dict[str, Any]]) -> None:
    made: list[str] = []
    for item in items:
        kind = item.get("type")
        if kind in ("function_call", "custom_tool_call"):
            if item["call_id"] in made:
                raise Refused(f"Duplicate item found with call_id {item['call_id']}.", param="input")
            made.append(item["call_id"])
        elif kind in ("function_call_output", "custom_tool_call_output") and item["call_id"] not in made:
            raise Refused(f"No tool call found for function call output with call_id {item['call_id']}.", param="input")
    given = {item["call_id"] for item in items if str(item.get("type")).endswith("_output")}
    missing = [id for id in made if id not in given]
    if missing:
        raise Refused(f"No tool output found for function call {missing[0]}.", param="input")
