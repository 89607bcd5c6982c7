"""What Gemini's generateContent rejects: the schema of the body and the rules between its parts.

https://ai.google.dev/api/generate-content
"""

from __future__ import annotations

from re import sub

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
    from ...json_checks import Check

NAME = r"[a-zA-Z_][a-zA-Z0-9_.:-]{0,127}"
#: For calls of other models, which have no signature (https://ai.google.dev/gemini-api/docs/thought-signatures).
PLACEHOLDER_SIGNATURES = ("skip_thought_signature_validator", "context_engineering_is_the_way_to_go")

_KINDS: dict[str, Check] = {
    "text": string(),
    "inlineData": record({"mimeType": string(1), "data": string(1)}, {"displayName": string()}),
    "fileData": record({"fileUri": string(1)}, {"mimeType": string(), "displayName": string()}),
    "functionCall": record({"name": string(1, None, NAME)}, {"args": is_object, "id": string(1)}),
    "functionResponse": record(
        {"name": string(1, None, NAME), "response": is_object}, {"id": string(1), "parts": array(is_object)}
    ),
    "executableCode": is_object,
    "codeExecutionResult": is_object,
}
_FLAGS: dict[str, Check] = {
    "thought": boolean,
    "thoughtSignature": string(),
    "mediaResolution": is_object,
    "videoMetadata": is_object,
    "partMetadata": is_object,
}
_PART = one_key(_KINDS, _FLAGS)
_CONTENT = record({"parts": array(_PART)}, {"role": string()})

_TYPES = ("STRING", "NUMBER", "INTEGER", "BOOLEAN", "ARRAY", "OBJECT", "NULL")


def _schema(value: Any, path: tuple[str | int, ...]) -> None:
    """The service's own subset of OpenAPI schemas (https://ai.google.dev/api/caching#Schema)."""
    _SCHEMA(value, path)


_SCHEMA = record(
    {},
    {
        "type": choice(*_TYPES, *map(str.lower, _TYPES)),
        "format": string(),
        "title": string(),
        "description": string(),
        "nullable": boolean,
        "enum": array(string()),
        "maxItems": anything,
        "minItems": anything,
        "properties": lambda value, path: _properties(value, path),
        "required": array(string()),
        "minProperties": anything,
        "maxProperties": anything,
        "minLength": anything,
        "maxLength": anything,
        "pattern": string(),
        "example": anything,
        "anyOf": array(_schema),
        "propertyOrdering": array(string()),
        "default": anything,
        "items": _schema,
        "minimum": number(),
        "maximum": number(),
    },
)


def _properties(value: Any, path: tuple[str | int, ...]) -> None:
    is_object(value, path)
    for name, inner in value.items():
        _schema(inner, (*path, name))


_FUNCTION = record(
    {"name": string(1, None, NAME)},
    {
        "description": string(),
        "parameters": _schema,
        "parametersJsonSchema": is_object,
        "response": _schema,
        "responseJsonSchema": is_object,
        "behavior": string(),
    },
)
_TOOL = record(
    {},
    {
        "functionDeclarations": array(_FUNCTION),
        "googleSearch": is_object,
        "codeExecution": is_object,
        "urlContext": is_object,
        "fileSearch": is_object,
        "googleMaps": is_object,
        "computerUse": is_object,
    },
)
_CALLING = record(
    {}, {"mode": choice("AUTO", "ANY", "NONE", "VALIDATED", "MODE_UNSPECIFIED"), "allowedFunctionNames": array(string(1))}
)
_THINKING = record(
    {},
    {
        "includeThoughts": boolean,
        "thinkingBudget": integer(-1, 65536),
        "thinkingLevel": choice("minimal", "low", "medium", "high", "MINIMAL", "LOW", "MEDIUM", "HIGH"),
    },
)
_GENERATION = record(
    {},
    {
        "temperature": number(0, 2),
        "topP": number(0, 1),
        "topK": number(1),
        "candidateCount": integer(1, 8),
        "maxOutputTokens": integer(1),
        "stopSequences": array(string(1), 0, 5),
        "seed": integer(),
        "presencePenalty": number(-2, 2),
        "frequencyPenalty": number(-2, 2),
        "responseLogprobs": boolean,
        "logprobs": integer(0, 20),
        "responseMimeType": choice("text/plain", "application/json", "text/x.enum"),
        "responseSchema": _schema,
        "responseJsonSchema": is_object,
        "responseModalities": array(choice("TEXT", "IMAGE", "AUDIO")),
        "mediaResolution": string(),
        "thinkingConfig": _THINKING,
        "speechConfig": is_object,
        "imageConfig": is_object,
        "enableEnhancedCivicAnswers": boolean,
    },
)
BODY = record(
    {"contents": array(_CONTENT)},
    {
        "model": string(1),
        "systemInstruction": nullable(_CONTENT),
        "tools": array(_TOOL),
        "toolConfig": nullable(
            record(
                {},
                {"functionCallingConfig": _CALLING, "retrievalConfig": is_object, "includeServerSideToolInvocations": boolean},
            )
        ),
        "safetySettings": nullable(array(record({"category": string(1), "threshold": string(1)}, {"method": string()}))),
        "generationConfig": nullable(_GENERATION),
        "cachedContent": string(1),
        "labels": is_object,
        "modelArmorConfig": is_object,
        "serviceTier": string(),
        "store": boolean,
    },
)


_CALL_TURN = "Please ensure that function call turn comes immediately after a user turn or after a function response turn."


def check_request(received: ServerRequest, body: dict[str, Any], rules: Rules) -> None:
    """Raises Invalid or Rejected for the first value that the service rejects."""
    body = without_host_fields(camel(body), rules, BODY)
    BODY(body, ())
    if not body["contents"]:
        raise Rejected("* GenerateContentRequest.contents: contents is not specified\n")
    for index, content in enumerate(body["contents"]):
        _check_content(index, content)
    system = body.get("systemInstruction")
    if system is not None and not any(part.get("text") for part in system["parts"]):
        raise Rejected("* GenerateContentRequest.system_instruction.parts: contents.parts must not be empty.\n")
    _check_config(body)
    _check_tool_results(body["contents"], rules)
    if not rules.has_call_ids:
        _check_no_ids(body["contents"])


def _check_content(index: int, content: dict[str, Any]) -> None:
    if content.get("role", "user") not in ("user", "model"):
        raise Rejected("Please use a valid role: user, model.")
    if not content["parts"]:
        raise Rejected(f"* GenerateContentRequest.contents[{index}].parts: contents.parts must not be empty.\n")
    for position, part in enumerate(content["parts"]):
        data = part.get("inlineData", {}).get("data")
        if data is not None and decode(data) is None:
            field = f"contents[{index}].parts[{position}].inline_data.data"
            raise Rejected(f"Invalid value at '{field}' (TYPE_BYTES), Base64 decoding failed for \"{data[:20]}\"")
        if ("functionResponse" if content.get("role") == "model" else "functionCall") in part:
            raise Rejected(_CALL_TURN)


def _check_config(body: dict[str, Any]) -> None:
    config = body.get("generationConfig") or {}
    schemas = [name for name in ("responseSchema", "responseJsonSchema") if name in config]
    if len(schemas) == 2:
        raise Rejected("Only one of response_schema and response_json_schema may be set.")
    if schemas and config.get("responseMimeType") not in ("application/json", "text/x.enum"):
        raise Rejected(
            f"GenerateContentRequest.generation_config.{snake(schemas[0])} is only allowed when response_mime_type is "
            "application/json."
        )
    thinking = config.get("thinkingConfig") or {}
    if "thinkingBudget" in thinking and "thinkingLevel" in thinking:
        raise Rejected("You can only set one of thinking budget and thinking level.")
    names = [function["name"] for tool in body.get("tools", ()) for function in tool.get("functionDeclarations", ())]
    doubled = [name for name in names if names.count(name) > 1]
    if doubled:
        raise Rejected(f"Duplicate function declaration found: {doubled[0]}")
    calling = (body.get("toolConfig") or {}).get("functionCallingConfig") or {}
    if calling and not names:
        raise Rejected("Function calling config is set without function_declarations.")
    allowed = calling.get("allowedFunctionNames", ())
    if allowed and calling.get("mode") not in ("ANY", "VALIDATED"):
        raise Rejected("Allowed function names should only be set when function calling mode is ANY or VALIDATED.")
    unknown = [name for name in allowed if name not in names]
    if unknown:
        raise Rejected(f"Allowed function name '{unknown[0]}' is not among the function_declarations.")


#: The values of these keys are the caller's own JSON.
_CALLERS_JSON = frozenset(("args", "response", "labels", "parametersJsonSchema", "responseJsonSchema", "properties"))


_RECORDS = (BODY, _CONTENT, _FUNCTION, _TOOL, _CALLING, _THINKING, _GENERATION, _SCHEMA)
_KNOWN = frozenset((*_KINDS, *_FLAGS, *(name for schema in _RECORDS for name in schema.known)))
_DATA = frozenset(("mimeType", "fileUri", "displayName", "functionCallingConfig", "retrievalConfig"))


def camel(value: Any) -> Any:
    """The body as the service reads it (protobuf's JSON format): names in snake_case are allowed too, null means absent."""
    if isinstance(value, list):
        return [camel(item) for item in value]
    if not isinstance(value, dict):
        return value
    named = {_named(key): inner for key, inner in value.items()}
    return {key: inner if key in _CALLERS_JSON else camel(inner) for key, inner in named.items() if inner is not None}


def _named(key: str) -> str:
    """The documented name of a field; an unknown name is unchanged."""
    name = sub(r"(?<=[a-z])_([a-z])", lambda match: match[1].upper(), key)
    return name if name in _KNOWN or name in _DATA else key


def snake(name: str) -> str:
    """The name in the service's error messages."""
    return "".join(f"_{letter.lower()}" if letter.isupper() else letter for letter in name)


def _check_tool_results(contents: list[dict[str, Any]], rules: Rules) -> None:
    """After a turn with function calls comes one with as many function responses; there are none after any other turn."""
    if contents[0].get("role") == "model" and any("functionCall" in part for part in contents[0]["parts"]):
        raise Rejected(_CALL_TURN)
    calls: list[dict[str, Any]] = []
    for index, content in enumerate(contents):
        if content.get("role") == "model" and all(part.get("text") == "" for part in content["parts"]):
            continue  # google-genai appends each chunk of a stream as a turn, also the empty last one
        results = [part["functionResponse"] for part in content["parts"] if "functionResponse" in part]
        if results and not calls:
            raise Rejected("Please ensure that function response turn comes immediately after a function call turn.")
        if len(results) != len(calls):
            raise Rejected(
                "Please ensure that the number of function response parts is equal to the number of function call parts of "
                "the function call turn."
            )
        if sorted(part["name"] for part in results) != sorted(part["name"] for part in calls):
            raise Rejected("Please ensure that the function response names match the function calls of the function call turn.")
        parts = [part for part in content["parts"] if "functionCall" in part]
        calls = [part["functionCall"] for part in parts]
        for position, part in enumerate(parts):
            _check_signature(index, position, part, rules)


def _check_no_ids(contents: list[dict[str, Any]]) -> None:
    for index, content in enumerate(contents):
        for position, part in enumerate(content["parts"]):
            for kind in ("functionCall", "functionResponse"):
                if "id" in part.get(kind, ()):
                    raise Invalid("unknown", ("contents", index, "parts", position, kind, "id"))


def _check_signature(index: int, position: int, part: dict[str, Any], rules: Rules) -> None:
    """Only the first call of a turn has a signature, so only this one is required."""
    signature = part.get("thoughtSignature")
    name = part["functionCall"]["name"]
    if signature is None:
        if rules.requires_signed_calls and position == 0:
            raise Rejected(
                "Function call is missing a thought_signature in functionCall parts. This is required for tools to work "
                f"correctly, and missing thought_signature may lead to degraded model performance. Function call `{name}`, "
                f"position {index + 1}."
            )
    elif signature not in PLACEHOLDER_SIGNATURES and _standard(signature) != _standard(signature_of(name)):
        raise Rejected("Thought signature is not valid.")


def _standard(signature: str) -> str:
    """Base64 in the standard alphabet, without padding: protobuf's JSON format reads both alphabets, with or without it."""
    return signature.replace("-", "+").replace("_", "/").rstrip("=")
