"""What OpenAI's chat completions reject: the schema of the body and the rules between its parts.

https://platform.openai.com/docs/api-reference/chat/create
"""

from __future__ import annotations

from ...exchange import Rejected
from ...json_checks import (
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
    from collections.abc import Iterator
    from typing import Any

    from ...exchange import Rules, ServerRequest

NAME = r"[a-zA-Z0-9_-]+"

_CACHE_CONTROL = frozenset(("cache_control",))
_CACHE = {"prompt_cache_breakpoint": is_object}
_TEXT = record({"text": string()}, _CACHE)
_USER_PARTS = tagged(
    "type",
    {
        "text": _TEXT,
        "image_url": record(
            {"image_url": record({"url": string(1)}, {"detail": choice("auto", "low", "high", "original")})}, _CACHE
        ),
        "input_audio": record({"input_audio": record({"data": string(1), "format": choice("wav", "mp3")})}, _CACHE),
        "file": record({"file": record({}, {"file_data": string(1), "file_id": string(1), "filename": string(1)})}, _CACHE),
    },
)
_TEXT_PARTS = tagged("type", {"text": _TEXT})
_ASSISTANT_PARTS = tagged("type", {"text": _TEXT, "refusal": record({"refusal": string()})})
_TEXT_CONTENT = union(string=string(), array=array(_TEXT_PARTS, 1))
_FUNCTION_CALL = record({"name": string(1, 64, NAME), "arguments": string()})
_TOOL_CALL = tagged(
    "type",
    {
        "function": record({"id": string(1), "function": _FUNCTION_CALL}),
        "custom": record({"id": string(1), "custom": record({"name": string(1), "input": string()})}),
    },
)
_SYSTEM = record({"content": _TEXT_CONTENT}, {"name": string()})
_MESSAGE = tagged(
    "role",
    {
        "system": _SYSTEM,
        "assistant": record(
            {},
            {
                "content": nullable(union(string=string(), array=array(_ASSISTANT_PARTS, 1))),
                "refusal": nullable(string()),
                "name": string(),
                "audio": nullable(is_object),
                "tool_calls": array(_TOOL_CALL, 1, 128),
                "function_call": nullable(_FUNCTION_CALL),
                "annotations": anything,
            },
        ),
        "user": record({"content": union(string=string(), array=array(_USER_PARTS, 1))}, {"name": string()}),
        "function": record({"name": string(1), "content": nullable(string())}),
        "tool": record({"content": _TEXT_CONTENT, "tool_call_id": string(1)}),
        "developer": _SYSTEM,
    },
)
_FUNCTION = record(
    {"name": string(1, 64, NAME)}, {"description": string(), "parameters": is_object, "strict": nullable(boolean)}
)
_TOOL = tagged("type", {"function": record({"function": _FUNCTION}), "custom": record({"custom": is_object})})
_NAMED = record({"name": string(1)})
_TOOL_CHOICE = union(
    string=choice("none", "auto", "required"),
    object=tagged(
        "type",
        {
            "function": record({"function": _NAMED}),
            "custom": record({"custom": _NAMED}),
            "allowed_tools": record({"allowed_tools": is_object}),
        },
    ),
)
_RESPONSE_FORMAT = tagged(
    "type",
    {
        "text": record({}),
        "json_object": record({}),
        "json_schema": record(
            {
                "json_schema": record(
                    {"name": string(1, 64, NAME)},
                    {"schema": is_object, "strict": nullable(boolean), "description": string()},
                )
            }
        ),
    },
)

BODY = record(
    {"model": string(1), "messages": array(_MESSAGE, 1)},
    {
        "stream": nullable(boolean),
        "stream_options": nullable(record({}, {"include_usage": boolean, "include_obfuscation": boolean})),
        "max_completion_tokens": nullable(integer(1)),
        "max_tokens": nullable(integer(1)),
        "temperature": nullable(number(0, 2)),
        "top_p": nullable(number(0, 1)),
        "n": nullable(integer(1, 128)),
        "stop": nullable(union(string=string(1), array=array(string(1), 1, 4))),
        "seed": nullable(integer()),
        "frequency_penalty": nullable(number(-2, 2)),
        "presence_penalty": nullable(number(-2, 2)),
        "logit_bias": nullable(is_object),
        "logprobs": nullable(boolean),
        "top_logprobs": nullable(integer(0, 20)),
        "response_format": _RESPONSE_FORMAT,
        "tools": array(_TOOL, 1, 128),
        "tool_choice": _TOOL_CHOICE,
        "parallel_tool_calls": boolean,
        "reasoning_effort": nullable(choice("none", "minimal", "low", "medium", "high", "xhigh")),
        "verbosity": nullable(choice("low", "medium", "high")),
        "service_tier": nullable(choice("auto", "default", "flex", "scale", "priority", "fast")),
        "store": nullable(boolean),
        "metadata": nullable(is_object),
        "modalities": nullable(array(choice("text", "audio"), 1)),
        "audio": nullable(is_object),
        "prediction": nullable(is_object),
        "web_search_options": is_object,
        "moderation": anything,
        "prompt_cache_key": nullable(string()),
        "prompt_cache_options": is_object,
        "prompt_cache_retention": nullable(choice("in_memory", "24h")),
        "safety_identifier": nullable(string()),
        "user": string(),
        "functions": array(is_object, 1, 128),
        "function_call": anything,
    },
)


def check_request(received: ServerRequest, body: dict[str, Any], rules: Rules) -> None:
    """Raises Invalid or Rejected for the first value that the service rejects."""
    body = without_host_fields(body, rules, BODY)
    BODY(_without_host_parts(body, rules), ())
    if body.get("stream_options") is not None and not body.get("stream"):
        raise Rejected("The 'stream_options' parameter is only allowed when 'stream' is enabled.", param="stream_options")
    if body.get("max_tokens") is not None and body.get("max_completion_tokens") is not None:
        message = "Setting 'max_tokens' and 'max_completion_tokens' at the same time is not supported."
        raise Rejected(message, code="invalid_parameter_combination")
    _check_tools(body, rules)
    _check_effort(body, rules)
    _check_format(body, rules)
    for index, message in enumerate(body["messages"]):
        _check_message(index, message, rules)
    _check_tool_results(body["messages"])


def _without_host_parts(body: dict[str, Any], rules: Rules) -> dict[str, Any]:
    """The body without the parts that only this host supports: fields of messages, types of content, efforts."""
    if body.get("reasoning_effort") in rules.efforts:
        body = {key: value for key, value in body.items() if key != "reasoning_effort"}
    if rules.cache_control and isinstance(body.get("tools"), list):
        body = {**body, "tools": [_without(tool, _CACHE_CONTROL) for tool in body["tools"]]}
    if not isinstance(body.get("messages"), list) or not (rules.message_fields or rules.part_types or rules.cache_control):
        return body
    return {**body, "messages": [_plain_message(message, rules) for message in body["messages"]]}


def _plain_message(message: Any, rules: Rules) -> Any:
    if not isinstance(message, dict):
        return message
    plain = _without(message, rules.message_fields)
    if isinstance(plain.get("tool_calls"), list):
        plain["tool_calls"] = [_without(call, rules.message_fields) for call in plain["tool_calls"]]
    content = plain.get("content")
    if isinstance(content, list):
        kept = [part for part in content if not (isinstance(part, dict) and part.get("type") in rules.part_types)]
        if rules.cache_control:
            kept = [_without(part, _CACHE_CONTROL) for part in kept]
        plain["content"] = kept if kept or not content else None
    return plain


def _without(value: Any, fields: frozenset[str]) -> Any:
    return {key: inner for key, inner in value.items() if key not in fields} if isinstance(value, dict) else value


def _check_tools(body: dict[str, Any], rules: Rules) -> None:
    for name in ("tool_choice", "parallel_tool_calls"):
        if name in body and "tools" not in body:
            raise Rejected(f"'{name}' is only allowed when 'tools' are specified.", param=name)
    names = []
    for index, tool in enumerate(body.get("tools", ())):
        function = tool.get("function")
        if function is None:
            continue
        names.append(function["name"])
        _check_parameters(function, f"tools[{index}].function.parameters", rules)
    chosen = body.get("tool_choice")
    if isinstance(chosen, dict) and "function" in chosen and chosen["function"]["name"] not in names:
        message = f"Tool choice '{chosen['function']['name']}' not found in 'tools' parameter."
        raise Rejected(message, param="tool_choice")


def _check_effort(body: dict[str, Any], rules: Rules) -> None:
    """https://github.com/openai/openai-openapi/issues/541"""
    if rules.effort_with_tools is None or not body.get("tools"):
        return
    if (body.get("reasoning_effort") or rules.effort_with_tools) != "none":
        message = (
            f"Function tools with reasoning_effort are not supported for {body['model']} in /v1/chat/completions. "
            "To use function tools, use /v1/responses or set reasoning_effort to 'none'."
        )
        raise Rejected(message, param="reasoning_effort")


def _check_parameters(function: dict[str, Any], field: str, rules: Rules) -> None:
    parameters = function.get("parameters")
    if parameters is None:
        return
    lead = f"Invalid schema for function '{function['name']}': "
    if parameters and parameters.get("type") != "object":
        message = f"{lead}schema must be a JSON Schema of 'type: \"object\"', got 'type: \"{parameters.get('type')}\"'."
        raise Rejected(message, code="invalid_function_parameters", param=field)
    wrong = violation(parameters) if function.get("strict") and rules.strict_schemas else None
    if wrong:
        raise Rejected(lead + wrong, code="invalid_function_parameters", param=field)


def _check_format(body: dict[str, Any], rules: Rules) -> None:
    form = body.get("response_format") or {}
    if form.get("type") == "json_schema" and form["json_schema"].get("strict") and rules.strict_schemas:
        wrong = violation(form["json_schema"].get("schema"))
        if wrong:
            message = f"Invalid schema for response_format '{form['json_schema']['name']}': {wrong}"
            raise Rejected(message, param="response_format")
    if form.get("type") == "json_object" and rules.json_word and "json" not in str(body["messages"]).lower():
        message = "'messages' must contain the word 'json' in some form, to use 'response_format' of type 'json_object'."
        raise Rejected(message, param="messages")


def _check_message(index: int, message: dict[str, Any], rules: Rules) -> None:
    field = f"messages.[{index}].content"
    if message["role"] == "assistant":
        has_content = any(message.get(key) for key in ("content", "tool_calls", "function_call", "refusal", "audio"))
        if not has_content and message.get("content") is None:
            raise Rejected("Invalid value for 'content': expected a string, got null.", param=field)
        return
    content = message["content"]
    for part in content if isinstance(content, list) else ():
        if part["type"] == "image_url":
            _check_image(part["image_url"]["url"], field)
        elif part["type"] == "input_audio" and not _is_audio(part["input_audio"]["data"], rules):
            raise Rejected("Invalid base64 audio data.", param=field, code="invalid_value")
        elif part["type"] == "file":
            _check_file(part["file"], field)


def _is_audio(data: str, rules: Rules) -> bool:
    if not rules.audio_urls:
        return decode(data) is not None
    found = split_data_url(data)
    return decode(found[1]) is not None if found else data.startswith(("https://", "http://"))


def _check_image(url: str, field: str) -> None:
    found = split_data_url(url)
    if found:
        if decode(found[1]) is None:
            raise Rejected("Invalid base64 image_url.", param=field, code="invalid_base64")
    elif not url.startswith(("https://", "http://")):
        message = f"Invalid 'image_url': expected a URL or base64 encoded data URL, but got '{url[:40]}'."
        raise Rejected(message, param=field, code="invalid_image_url")


def _check_file(file: dict[str, Any], field: str) -> None:
    if "file_id" in file:
        return
    if "file_data" not in file:
        raise Rejected("Missing required parameter: 'file.file_data' or 'file.file_id'.", param=field)
    if "filename" not in file:
        raise Rejected("Missing required parameter: 'file.filename'.", param=field, code="missing_required_parameter")
    found = split_data_url(file["file_data"])
    if not found or decode(found[1]) is None:
        message = "Invalid file data: 'file.file_data'. Expected a base64-encoded data URL with an application/pdf MIME type."
        raise Rejected(message, param=field, code="invalid_value")


def _check_tool_results(messages: list[dict[str, Any]]) -> None:
    """Directly after an assistant message with tool calls come the tool messages for all of them."""
    for index, message in enumerate(messages):
        if message["role"] == "tool" and message["tool_call_id"] not in _previous_call_ids(messages, index):
            text = "Invalid parameter: messages with role 'tool' must be a response to a preceeding message with 'tool_calls'."
            raise Rejected(text, param=f"messages.[{index}].role")
        calls = [call["id"] for call in message.get("tool_calls") or ()]
        results = set(_result_ids(messages, index + 1))
        missing = [id for id in calls if id not in results]
        if missing:
            text = (
                "An assistant message with 'tool_calls' must be followed by tool messages responding to each "
                f"'tool_call_id'. The following tool_call_ids did not have response messages: {', '.join(missing)}"
            )
            raise Rejected(text, param=f"messages.[{index + 1}].role")


def _result_ids(messages: list[dict[str, Any]], start: int) -> Iterator[str]:
    """The call ids of the tool messages from `start` to the next message of another role."""
    for message in messages[start:]:
        if message["role"] != "tool":
            return
        yield message["tool_call_id"]


def _previous_call_ids(messages: list[dict[str, Any]], index: int) -> set[str]:
    """The ids of the calls in the assistant message before the tool message at `index`."""
    while index > 0 and messages[index]["role"] == "tool":
        index -= 1
    return {call["id"] for call in messages[index].get("tool_calls") or ()}
