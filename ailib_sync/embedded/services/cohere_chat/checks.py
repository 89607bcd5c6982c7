"""What Cohere's chat rejects: the schema of the body and the rules between its parts.

https://docs.cohere.com/reference/chat
"""

from __future__ import annotations

from ....types.json_values import parse_arguments
from ...exchange import Rejected
from ...json_checks import anything, array, boolean, choice, integer, is_object, number, record, string, tagged, union
from ...request_checks import without_host_fields

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from ...exchange import Rules, ServerRequest

_TEXT = record({"text": string()})
_IMAGE = record({"image_url": record({"url": string(1)}, {"detail": choice("auto", "low", "high")})})
_FUNCTION_CALL = record({"name": string(1), "arguments": string()})
_CALL = tagged("type", {"function": record({"id": string(1), "function": _FUNCTION_CALL})})
_ASSISTANT_CONTENT = union(
    string=string(), array=array(tagged("type", {"text": _TEXT, "thinking": record({"thinking": string()})}))
)
_MESSAGE = tagged(
    "role",
    {
        "system": record({"content": union(string=string(1), array=array(tagged("type", {"text": _TEXT}), 1))}),
        "user": record(
            {"content": union(string=string(1), array=array(tagged("type", {"text": _TEXT, "image_url": _IMAGE}), 1))}
        ),
        "assistant": record(
            {},
            {"content": _ASSISTANT_CONTENT, "tool_calls": array(_CALL), "tool_plan": string(), "citations": array(is_object)},
        ),
        "tool": record(
            {"tool_call_id": string(1)},
            {
                "content": union(
                    string=string(),
                    array=array(tagged("type", {"text": _TEXT, "document": record({"document": is_object})})),
                )
            },
        ),
    },
)
_FUNCTION = record({"name": string(1, None, r"[a-zA-Z0-9_-]+"), "parameters": is_object}, {"description": string()})
BODY = record(
    {"model": string(1), "messages": array(_MESSAGE, 1)},
    {
        "stream": boolean,
        "tools": array(tagged("type", {"function": record({"function": _FUNCTION})})),
        "tool_choice": choice("REQUIRED", "NONE"),
        "strict_tools": boolean,
        "documents": array(union(string=string(), object=is_object)),
        "citation_options": is_object,
        "response_format": tagged(
            "type", {"text": record({}), "json_object": record({}, {"json_schema": is_object, "schema": is_object})}
        ),
        "safety_mode": choice("CONTEXTUAL", "STRICT", "OFF"),
        "max_tokens": integer(1),
        "stop_sequences": array(string(1), 0, 5),
        "temperature": number(0, 1),
        "seed": integer(0),
        "frequency_penalty": number(0, 1),
        "presence_penalty": number(0, 1),
        "k": integer(0, 500),
        "p": number(0.01, 0.99),
        "logprobs": boolean,
        "thinking": record({"type": choice("enabled", "disabled")}, {"token_budget": integer(1)}),
        "priority": anything,
    },
)


def check_request(received: ServerRequest, body: dict[str, Any], rules: Rules) -> None:
    """Raises Invalid or Rejected for the first value that the service rejects."""
    body = without_host_fields(body, rules, BODY)
    BODY(body, ())
    if "tool_choice" in body and not body.get("tools"):
        raise Rejected("invalid request: tool_choice may only be specified when tools are provided.")
    form = body.get("response_format") or {}
    if form.get("type") == "json_object" and body.get("tools"):
        raise Rejected("invalid request: response_format is not supported with tools.")
    schema = form.get("json_schema")
    if schema is not None and schema.get("type") != "object":
        raise Rejected("invalid json schema provided for json_object response format: the top-level type must be 'object'.")
    open_calls: list[str] = []
    for message in body["messages"]:
        if message["role"] == "tool":
            if message["tool_call_id"] not in open_calls:
                raise Rejected(f"invalid request: tool call id {message['tool_call_id']} not found in previous tool calls.")
            open_calls.remove(message["tool_call_id"])
            continue
        if open_calls:
            raise Rejected(f"invalid request: missing tool result for tool call id {open_calls[0]}.")
        open_calls = [call["id"] for call in message.get("tool_calls") or ()]
        for call in message.get("tool_calls") or ():
            if parse_arguments(call["function"]["arguments"]) is None:
                raise Rejected("invalid request: the arguments of a tool call must be a JSON object.")
        if message["role"] == "assistant" and not (message.get("content") or open_calls):
            raise Rejected("invalid request: all elements in history must have a message.")
    if open_calls:
        raise Rejected(f"invalid request: missing tool result for tool call id {open_calls[0]}.")
    if body["messages"][-1]["role"] not in ("user", "tool"):
        raise Rejected("invalid request: the last message must be from the user or a tool.")
