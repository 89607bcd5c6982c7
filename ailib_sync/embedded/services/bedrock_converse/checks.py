"""What Bedrock's Converse rejects: the schema of the body and the rules between its parts.

https://docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_Converse.html
"""

from __future__ import annotations

from ...echo import signature_of
from ...exchange import Rejected
from ...json_checks import (
    anything,
    array,
    boolean,
    choice,
    dotted,
    integer,
    is_object,
    nullable,
    number,
    one_key,
    record,
    string,
)
from ...media import decode
from ...request_checks import without_host_fields

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from ...exchange import Rules, ServerRequest

NAME = r"[a-zA-Z0-9_-]+"
ID = r"[a-zA-Z0-9_.:-]+"
#: The documentation does not mention the underscore, but the service supports it.
DOCUMENT_NAME = r"(?!.*\s\s)[A-Za-z0-9_\s\-()\[\]]+"

_CACHE = record({"type": choice("default")}, {"ttl": choice("5m", "1h")})
_S3 = record({"uri": string(1)}, {"bucketOwner": string()})
_SOURCE = one_key({"bytes": string(1), "s3Location": _S3})
_IMAGE = record({"format": choice("png", "jpeg", "gif", "webp"), "source": _SOURCE})
_DOCUMENT = record(
    {
        "name": string(1, 200, DOCUMENT_NAME),
        "source": one_key({"bytes": string(1), "s3Location": _S3, "text": string(1), "content": array(is_object)}),
    },
    {
        "format": choice("pdf", "csv", "doc", "docx", "xls", "xlsx", "html", "txt", "md"),
        "citations": is_object,
        "context": string(),
    },
)
_MEDIUM = record({"format": string(1), "source": _SOURCE})
_RESULT = one_key(
    {
        "text": string(),
        "json": anything,
        "image": _IMAGE,
        "document": _DOCUMENT,
        "video": _MEDIUM,
        "searchResult": is_object,
    }
)
_BLOCK = one_key(
    {
        "text": string(),
        "image": _IMAGE,
        "document": _DOCUMENT,
        "video": _MEDIUM,
        "audio": _MEDIUM,
        "toolUse": record({"toolUseId": string(1, 64, ID), "name": string(1, 64, NAME), "input": anything}, {"type": string()}),
        "toolResult": record(
            {"toolUseId": string(1, 64, ID), "content": array(_RESULT)},
            {"status": choice("success", "error"), "type": string()},
        ),
        "reasoningContent": one_key(
            {"reasoningText": record({"text": string()}, {"signature": string()}), "redactedContent": string(1)}
        ),
        "cachePoint": _CACHE,
        "guardContent": is_object,
        "citationsContent": is_object,
        "searchResult": is_object,
        "toolAddition": is_object,
        "toolRemoval": is_object,
    }
)
_TOOL_SPEC = record(
    {"name": string(1, 64, NAME), "inputSchema": one_key({"json": is_object})}, {"description": string(1), "strict": boolean}
)
_TOOL_CONFIG = record(
    {"tools": array(one_key({"toolSpec": _TOOL_SPEC, "cachePoint": _CACHE, "systemTool": is_object}), 1)},
    {"toolChoice": one_key({"auto": record({}), "any": record({}), "tool": record({"name": string(1)})})},
)
_TEXT_FORMAT = record(
    {
        "type": choice("json_schema"),
        "structure": one_key({"jsonSchema": record({"schema": string(1)}, {"name": string(), "description": string()})}),
    }
)
BODY = record(
    {},
    {
        "messages": array(record({"role": choice("user", "assistant", "system"), "content": array(_BLOCK)})),
        "system": array(one_key({"text": string(1), "cachePoint": _CACHE, "guardContent": is_object})),
        "inferenceConfig": nullable(
            record(
                {},
                {
                    "maxTokens": integer(1),
                    "temperature": number(0, 1),
                    "topP": number(0, 1),
                    "stopSequences": array(string(1), 0, 2500),
                    "topK": integer(0),
                },
            )
        ),
        "toolConfig": nullable(_TOOL_CONFIG),
        "guardrailConfig": is_object,
        "additionalModelRequestFields": is_object,
        "additionalModelResponseFieldPaths": array(string(1), 0, 10),
        "requestMetadata": is_object,
        "performanceConfig": record({}, {"latency": choice("standard", "optimized")}),
        "serviceTier": is_object,
        "outputConfig": record({}, {"effort": string(1), "textFormat": _TEXT_FORMAT}),
        "promptVariables": is_object,
    },
)


_START = "A conversation must start with a user message. Try again with a conversation that starts with a user message."


def check_request(received: ServerRequest, body: dict[str, Any], rules: Rules) -> None:
    """Raises Invalid or Rejected for the first value that the service rejects."""
    body = without_host_fields(body, rules, BODY)
    BODY(body, ())
    messages = body.get("messages") or []
    if not messages:
        raise Rejected(_START)
    for index, message in enumerate(messages):
        _check_message(index, message)
    if messages[0]["role"] != "user":
        raise Rejected(_START)
    blocks = [block for message in messages for block in message["content"]]
    config = body.get("toolConfig")
    if config is None and any("toolUse" in block or "toolResult" in block for block in blocks):
        raise Rejected("The toolConfig field must be defined when using toolUse and toolResult content blocks.")
    _check_tools(config or {})
    names = [block["document"]["name"].lower() for block in blocks if "document" in block]
    if len(set(names)) < len(names):
        raise Rejected("The model returned the following errors: messages: document names must be unique.")
    _check_tool_results(messages)


def _check_message(index: int, message: dict[str, Any]) -> None:
    content = message["content"]
    if not content:
        raise Rejected(
            f"The content field in the Message object at messages.{index} is empty. "
            "Add a ContentBlock object to the content field and try again."
        )
    for position, block in enumerate(content):
        field = dotted(("messages", index, "content", position))
        if "text" in block and not block["text"].strip():
            raise Rejected(
                f"The text field in the ContentBlock object at {field} is blank. Add text to the text field, and try again."
            )
        for kind in ("image", "document", "video", "audio"):
            data = block.get(kind, {}).get("source", {}).get("bytes")
            if data is not None and decode(data) is None:
                raise Rejected(f"1 validation error detected: Value at '{field}.{kind}.source.bytes' is not valid base64.")
        thinking = block.get("reasoningContent", {}).get("reasoningText")
        if thinking and thinking.get("signature") != signature_of(thinking["text"]):
            raise Rejected(f"The model returned the following errors: {field}: Invalid `signature` in `thinking` block")
        is_assistant = message["role"] == "assistant"
        if ("toolUse" in block and not is_assistant) or ("toolResult" in block and is_assistant):
            kind = "toolUse" if "toolUse" in block else "toolResult"
            raise Rejected(f"The {kind} block at {field} is not allowed in a message of role {message['role']}.")
    if any("document" in block for block in content) and not any("text" in block for block in content):
        raise Rejected("A text block is required in a message with documents. Add a text block and try again.")


def _check_tools(config: dict[str, Any]) -> None:
    names = [tool["toolSpec"]["name"] for tool in config.get("tools", ()) if "toolSpec" in tool]
    if len(set(names)) < len(names):
        raise Rejected("The model returned the following errors: tools: Tool names must be unique.")
    for index, tool in enumerate(config.get("tools", ())):
        schema = tool.get("toolSpec", {}).get("inputSchema", {}).get("json")
        if schema is not None and schema.get("type") != "object":
            raise Rejected(
                f"The value at toolConfig.tools.{index}.toolSpec.inputSchema.json.type must be one of the following: object."
            )
    chosen = config.get("toolChoice", {}).get("tool")
    if chosen and chosen["name"] not in names:
        raise Rejected(f"The model returned the following errors: Tool '{chosen['name']}' not found in provided tools")


def _check_tool_results(messages: list[dict[str, Any]]) -> None:
    calls: list[str] = []
    for index, message in enumerate(messages):
        results = [block["toolResult"]["toolUseId"] for block in message["content"] if "toolResult" in block]
        if len(results) > len(calls):
            raise Rejected(
                f"The number of toolResult blocks at messages.{index}.content exceeds the number of toolUse blocks of "
                "previous turn."
            )
        missing = [id for id in calls if id not in results]
        if missing:
            _reject_without_results(index, missing)
        calls = [block["toolUse"]["toolUseId"] for block in message["content"] if "toolUse" in block]
    if calls:
        _reject_without_results(len(messages), calls)


def _reject_without_results(index: int, ids: list[str]) -> None:
    raise Rejected(f"Expected toolResult blocks at messages.{index}.content for the following Ids: {', '.join(ids)}")
