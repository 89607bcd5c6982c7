"""What the embedded services reject, with the errors of the real ones: one table for each format. Each row changes a request
that is accepted."""

from __future__ import annotations

import copy
import json
from collections.abc import Callable
from typing import Any

import pytest

from ailib_sync.dialects.dialect import NAMES, find
from ailib_sync.dialects.errors import with_google_details
from ailib_sync.embedded import Rejected, Rules, ServerRequest, respond
from ailib_sync.embedded.echo import signature_of
from ailib_sync.embedded.json_checks import Invalid
from ailib_sync.embedded.rules import rules_of
from ailib_sync.embedded.service import service_of
from ailib_sync.errors import classify
from ailib_sync.registry.manifest import Manifest

SCHEMA = {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"], "additionalProperties": False}
PATHS = {
    "openai_chat": "/v1/chat/completions",
    "anthropic_messages": "/v1/messages",
    "gemini_generate": "/v1beta/models/gemini-3-pro:generateContent",
    "cohere_chat": "/v2/chat",
    "bedrock_converse": "/model/m/converse",
    "ollama_chat": "/api/chat",
    "openai_responses": "/v1/responses",
    "embeddings": "/v1/embeddings",
}
HEADERS = {"content-type": "application/json"}


def send(dialect: str, body: Any, headers: dict[str, str] | None = None, **rules: Any) -> tuple[int, dict[str, str], Any]:
    """(status, headers, JSON) of the response."""
    path = PATHS[rules.get("operation", dialect)]
    call_headers = {**HEADERS, **({"anthropic-version": "2023-06-01"} if dialect == "anthropic_messages" else {})}
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    received = ServerRequest("POST", path, headers={**call_headers, **(headers or {})}, body=raw)
    response = respond(received, Rules(dialect, **rules))
    return response.status, response.headers, json.loads(b"".join(response.chunks))


def changed(valid: dict[str, Any], changes: dict[str, Any]) -> dict[str, Any]:
    """The body with the value at each dotted path; `...` removes the key."""
    body = copy.deepcopy(valid)
    for dotted, value in changes.items():
        *path, last = [int(step) if step.isdigit() else step for step in dotted.split(".")]
        at: Any = body
        for step in path:
            at = at[step]
        if value is ...:
            del at[last]
        else:
            at[last] = value
    return body


# --- OpenAI chat --------------------------------------------------------------------------------------------------------

CALL = {"id": "call_1", "type": "function", "function": {"name": "get_weather", "arguments": '{"city": "Paris"}'}}
OPENAI: dict[str, Any] = {
    "model": "gpt-5.4",
    "messages": [
        {"role": "system", "content": "Be kind."},
        {"role": "user", "content": [{"type": "text", "text": "Hi"}]},
        {"role": "assistant", "content": None, "tool_calls": [CALL]},
        {"role": "tool", "tool_call_id": "call_1", "content": "rain"},
        {"role": "user", "content": "And?"},
    ],
    "tools": [{"type": "function", "function": {"name": "get_weather", "parameters": SCHEMA, "strict": True}}],
    "temperature": 0.5,
}
DATA_URL = {"type": "image_url", "image_url": {"url": "data:image/png;base64,@@@"}}
OPENAI_REJECTED: list[tuple[dict[str, Any], str, str | None]] = [
    # the changes, a part of the message, the code
    ({"model": ...}, "Missing required parameter: 'model'.", "missing_required_parameter"),
    ({"messages": ...}, "Missing required parameter: 'messages'.", "missing_required_parameter"),
    ({"messages": []}, "Invalid 'messages': empty array.", "empty_array"),
    ({"max_output_tokens": 9}, "Unknown parameter: 'max_output_tokens'.", "unknown_parameter"),
    ({"top_k": 9}, "Unknown parameter: 'top_k'.", "unknown_parameter"),
    ({"thinking": {"type": "enabled"}}, "Unknown parameter: 'thinking'.", "unknown_parameter"),
    ({"messages.0.cache_control": {}}, "Unknown parameter: 'messages[0].cache_control'.", "unknown_parameter"),
    ({"messages.2.reasoning_content": "x"}, "Unknown parameter: 'messages[2].reasoning_content'.", "unknown_parameter"),
    ({"temperature": "hot"}, "expected a decimal number, but got a string instead", "invalid_type"),
    ({"temperature": True}, "expected a decimal number, but got a boolean instead", "invalid_type"),
    ({"temperature": 2.5}, "Expected a value <= 2, but got 2.5 instead", "decimal_above_max_value"),
    ({"presence_penalty": -3}, "Expected a value >= -2, but got -3 instead", "integer_below_min_value"),
    ({"max_tokens": 0}, "Expected a value >= 1, but got 0 instead", "integer_below_min_value"),
    ({"max_tokens": 1.5}, "expected an integer", "invalid_type"),
    ({"stop": ["a", "b", "c", "d", "e"]}, "with maximum length 4, but got an array with length 5", "array_above_max_length"),
    ({"stop": []}, "Invalid 'stop': empty array", "empty_array"),
    ({"seed": "1"}, "Invalid type for 'seed'", "invalid_type"),
    ({"reasoning_effort": "max"},
     "Supported values are: 'none', 'minimal', 'low', 'medium', 'high', and 'xhigh'.", "invalid_value"),
    ({"stream_options": {"include_usage": True}}, "only allowed when 'stream' is enabled", None),
    ({"max_tokens": 9, "max_completion_tokens": 9}, "at the same time is not supported", "invalid_parameter_combination"),
    ({"messages.1.role": "human"}, "Invalid value: 'human'. Supported values are: 'system', 'assistant'", "invalid_value"),
    ({"messages.1.role": ...}, "Missing required parameter: 'messages[1].role'", "missing_required_parameter"),
    ({"messages.1.content": None}, "expected a string or an array, but got null", "invalid_type"),
    ({"messages.1.content": []}, "Invalid 'messages[1].content': empty array", "empty_array"),
    ({"messages.1.content": [{"type": "text"}]},
     "Missing required parameter: 'messages[1].content[0].text'", "missing_required_parameter"),
    ({"messages.1.content": [{"type": "input_text", "text": "x"}]}, "Invalid value: 'input_text'", "invalid_value"),
    ({"messages.1.content": [DATA_URL]}, "Invalid base64 image_url.", "invalid_base64"),
    ({"messages.1.content": [{"type": "image_url", "image_url": {"url": "cat.png"}}]},
     "expected a URL or base64", "invalid_image_url"),
    ({"messages.1.content": [{"type": "file", "file": {"file_data": "data:application/pdf;base64,AAAA"}}]},
     "Missing required parameter: 'file.filename'", "missing_required_parameter"),
    ({"messages.1.content": [{"type": "file", "file": {"file_data": "AAAA", "filename": "a.pdf"}}]},
     "Expected a base64-encoded data URL", "invalid_value"),
    ({"messages.2.tool_calls": ...}, "expected a string, got null", None),
    ({"messages.2.tool_calls.0.function.arguments": {}}, "expected a string, but got an object", "invalid_type"),
    ({"messages.2.tool_calls.0.type": ...},
     "Missing required parameter: 'messages[2].tool_calls[0].type'", "missing_required_parameter"),
    ({"messages.3": {"role": "user", "content": "no"}}, "did not have response messages: call_1", None),
    ({"messages.4": {"role": "tool", "tool_call_id": "call_2", "content": "x"}},
     "must be a response to a preceeding message with 'tool_calls'", None),
    ({"messages.3.tool_call_id": ...}, "Missing required parameter: 'messages[3].tool_call_id'", "missing_required_parameter"),
    ({"messages.2": {"role": "assistant", "content": "x"}}, "must be a response to a preceeding message", None),
    ({"tools": []}, "Invalid 'tools': empty array", "empty_array"),
    ({"tools.0.function.name": "get weather"}, "string does not match pattern", "invalid_value"),
    ({"tools.0.function.parameters": {"type": "string"}}, "got 'type: \"string\"'", "invalid_function_parameters"),
    ({"tools.0.function.parameters.additionalProperties": ...},
     "'additionalProperties' is required to be supplied and to be false", "invalid_function_parameters"),
    ({"tools.0.function.parameters.required": []}, "Missing 'city'", "invalid_function_parameters"),
    ({"tools.0.name": "x"}, "Unknown parameter: 'tools[0].name'", "unknown_parameter"),
    ({"tool_choice": "any"}, "Invalid value: 'any'", "invalid_value"),
    ({"tool_choice": {"type": "function", "function": {"name": "f"}}}, "Tool choice 'f' not found", None),
    ({"tools": ..., "tool_choice": "auto"}, "'tool_choice' is only allowed when 'tools' are specified", None),
    ({"tools": ..., "parallel_tool_calls": True}, "'parallel_tool_calls' is only allowed when 'tools' are specified", None),
    ({"response_format": {"type": "json_object"}}, "'messages' must contain the word 'json'", None),
    ({"response_format": {"type": "json"}}, "Invalid value: 'json'", "invalid_value"),
    ({"response_format": {"type": "json_schema", "json_schema": {"schema": SCHEMA}}},
     "json_schema.name'", "missing_required_parameter"),
    ({"response_format": {"type": "json_schema", "json_schema": {"name": "x", "strict": True, "schema": {"type": "object"}}}},
     "Invalid schema for response_format 'x'", None),
]  # fmt: skip


@pytest.mark.parametrize(("changes", "words", "code"), OPENAI_REJECTED)
def test_openai_chat_rejects(changes: dict[str, Any], words: str, code: str | None) -> None:
    status, headers, body = send("openai_chat", changed(OPENAI, changes))
    assert (status, headers["content-type"]) == (400, "application/json")
    error = body["error"]
    assert words in error["message"]
    assert (error["type"], error["code"]) == ("invalid_request_error", code)


# --- OpenAI embeddings --------------------------------------------------------------------------------------------------

EMBEDDINGS: dict[str, Any] = {"model": "text-embedding-3-small", "input": ["a b", "c"], "dimensions": 3, "user": "u"}
WORDS = " ".join(["word"] * 5000)
EMBEDDINGS_REJECTED: list[tuple[dict[str, Any], str, str | None]] = [
    ({"model": ...}, "Missing required parameter: 'model'.", "missing_required_parameter"),
    ({"model": 7}, "Invalid type for 'model'", "invalid_type"),
    ({"input": ...}, "Missing required parameter: 'input'.", "missing_required_parameter"),
    ({"input": ""}, "Invalid 'input': empty string.", "empty_string"),
    ({"input": []}, "Invalid 'input': empty array.", "empty_array"),
    ({"input": [[]]}, "Invalid 'input[0]': empty array.", "empty_array"),
    ({"input.1": ""}, "Invalid 'input[1]': empty string.", "empty_string"),
    ({"input.1": None}, "Invalid type for 'input[1]'", "invalid_type"),
    ({"input": {"text": "a"}}, "Invalid type for 'input': expected a string or an array", "invalid_type"),
    ({"input": ["a", 7]}, "'$.input' is invalid", None),
    ({"input": ["a"] * 2049}, "with maximum length 2048, but got an array with length 2049", "array_above_max_length"),
    ({"input": f"{WORDS} {WORDS}"}, "maximum context length is 8192 tokens, however you requested 10000 tokens", None),
    ({"input": [WORDS] * 61}, "Requested 305000 tokens, max 300000 tokens per request", "max_tokens_per_request"),
    ({"dimensions": 0}, "Expected a value >= 1, but got 0 instead", "integer_below_min_value"),
    ({"dimensions": "3"}, "Invalid type for 'dimensions'", "invalid_type"),
    ({"encoding_format": "int8"}, "Supported values are: 'float', and 'base64'.", "invalid_value"),
    ({"input_type": "query"}, "Unknown parameter: 'input_type'.", "unknown_parameter"),
    ({"stream": True}, "Unknown parameter: 'stream'.", "unknown_parameter"),
]


@pytest.mark.parametrize(("changes", "words", "code"), EMBEDDINGS_REJECTED, ids=[row[1] for row in EMBEDDINGS_REJECTED])
def test_openai_embeddings_rejects(changes: dict[str, Any], words: str, code: str | None) -> None:
    status, _, body = send("openai_chat", changed(EMBEDDINGS, changes), operation="embeddings")
    assert status == 400
    assert words in body["error"]["message"]
    assert body["error"]["code"] == code


def test_an_option_that_a_model_does_not_support_is_rejected_for_embeddings_too() -> None:
    _, _, body = send("openai_chat", EMBEDDINGS, operation="embeddings", unsupported={"dimensions": ""})
    assert body["error"]["message"] == "Unsupported parameter: 'dimensions' is not supported with this model."
    status, _, body = send("openai_chat", EMBEDDINGS, operation="embeddings", models=("text-embedding-3-large",))
    assert (status, body["error"]["code"]) == (404, "model_not_found")


def test_embeddings_that_are_not_strict_respond_to_anything() -> None:
    for raw in (b"", b"[]", b'{"input": 3}', b'{"model": 7, "input": [], "stream": true}', json.dumps(EMBEDDINGS).encode()):
        response = respond(ServerRequest("PUT", "/any", body=raw), Rules("openai_chat", "embeddings", strict=False, key="k"))
        assert response.status == 200
        assert json.loads(b"".join(response.chunks))["object"] == "list"


# --- Anthropic ----------------------------------------------------------------------------------------------------------

ANTHROPIC: dict[str, Any] = {
    "model": "claude-opus-5",
    "max_tokens": 4000,
    "system": [{"type": "text", "text": "Be kind.", "cache_control": {"type": "ephemeral"}}],
    "messages": [
        {"role": "user", "content": "Hi"},
        {"role": "assistant", "content": [
            {"type": "thinking", "thinking": "hm", "signature": signature_of("hm")},
            {"type": "tool_use", "id": "toolu_1", "name": "get_weather", "input": {"city": "Paris"}},
        ]},
        {"role": "user", "content": [
            {"type": "tool_result", "tool_use_id": "toolu_1", "content": "rain"},
            {"type": "text", "text": "And?"},
        ]},
    ],
    "tools": [{"name": "get_weather", "input_schema": SCHEMA}],
}  # fmt: skip
TEXT_FIRST = [{"type": "text", "text": "x"}, {"type": "tool_result", "tool_use_id": "toolu_1"}]
ENABLED = {"type": "enabled", "budget_tokens": 1024}
ANTHROPIC_REJECTED: list[tuple[dict[str, Any], str]] = [
    ({"max_tokens": ...}, "max_tokens: Field required"),
    ({"max_tokens": 0}, "max_tokens: Input should be greater than or equal to 1"),
    ({"model": ...}, "model: Field required"),
    ({"messages": []}, "messages: at least one message is required"),
    ({"stop": ["x"]}, "stop: Extra inputs are not permitted"),
    ({"seed": 1}, "seed: Extra inputs are not permitted"),
    ({"temperature": 1.5}, "temperature: Input should be less than or equal to 1"),
    ({"temperature": "x"}, "temperature: Input should be a valid number"),
    ({"messages.0.role": "tool"}, "messages.0.role: Input should be 'user', 'assistant' or 'system'"),
    ({"messages.0.role": "system"}, 'messages.0: Unexpected role "system"'),
    ({"messages.0.content": ""}, "messages.0: all messages must have non-empty content"),
    ({"messages.0.content": " "}, "text content blocks must contain non-whitespace text"),
    ({"messages.0.name": "Ada"}, "messages.0.name: Extra inputs are not permitted"),
    ({"messages.0.content": [{"type": "image_url"}]}, "messages.0.content.0.type: Input should be 'text', 'image'"),
    ({"messages.0.content": [{"type": "image", "source": {"type": "base64", "media_type": "image/bmp", "data": "AAAA"}}]},
     "media_type: Input should be 'image/jpeg', 'image/png', 'image/gif' or 'image/webp'"),
    ({"messages.0.content": [{"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": "@"}}]},
     "invalid base64 data"),
    ({"messages.0.content": [{"type": "image", "source": {"type": "url", "url": "http://a.example/b.png"}}]},
     "Only HTTPS URLs"),
    ({"messages.0": {"role": "assistant", "content": "x"}}, 'first message must use the "user" role'),
    ({"messages.1.content.0.signature": "made up"}, "Invalid `signature` in `thinking` block"),
    ({"messages.1.content.0.signature": ...}, "messages.1.content.0.signature: Field required"),
    ({"messages.1.content.1.id": "call:1"}, "String should match pattern"),
    ({"messages.1.content.1.input": "{}"}, "messages.1.content.1.input: Input should be a valid dictionary"),
    ({"messages.2.content.0.tool_use_id": "toolu_2"}, "unexpected `tool_use_id` found in `tool_result` blocks: toolu_2"),
    ({"messages.2.content": "no result"},
     "messages.1: `tool_use` ids were found without `tool_result` blocks immediately after: toolu_1"),
    ({"messages.2.content": TEXT_FIRST}, "without `tool_result` blocks immediately after: toolu_1"),
    ({"messages.2.content.1": {"type": "tool_use", "id": "a", "name": "b", "input": {}}},
     "can only be in `assistant` messages"),
    ({"messages.2": ...}, "does not support assistant message prefill"),
    ({"tools.0.input_schema": ...}, "tools.0.input_schema: Field required"),
    ({"tools.0.input_schema.type": ...}, "tools.0.custom.input_schema.type: Field required"),
    ({"tools.0.name": "get weather"}, "tools.0.name: String should match pattern"),
    ({"tools.0.parameters": SCHEMA}, "tools.0.parameters: Extra inputs are not permitted"),
    ({"tools": [{"name": "a", "input_schema": SCHEMA}] * 2}, "Tool names must be unique"),
    ({"tool_choice": "auto"}, "tool_choice: Input should be a valid dictionary"),
    ({"tool_choice": {"type": "required"}}, "tool_choice.type: Input should be 'auto', 'any', 'none' or 'tool'"),
    ({"tool_choice": {"type": "tool", "name": "f"}}, "Tool 'f' not found in provided tools"),
    ({"tools": ..., "tool_choice": {"type": "auto"}}, "may only be specified while providing `tools`"),
    ({"thinking": {"type": "enabled"}}, "thinking.budget_tokens: Field required"),
    ({"thinking": {"type": "enabled", "budget_tokens": 100}}, "Input should be greater than or equal to 1024"),
    ({"thinking": {"type": "enabled", "budget_tokens": 4000}}, "must be greater than `thinking.budget_tokens`"),
    ({"thinking": ENABLED, "temperature": 0.5}, "may only be set to 1 when thinking is enabled"),
    ({"thinking": ENABLED, "tool_choice": {"type": "any"}}, "Thinking may not be enabled when tool_choice forces tool use"),
    ({"output_config": {"format": {"type": "json_schema", "schema": {"type": "object"}}}},
     "'additionalProperties' must be explicitly set to false"),
    ({"output_format": {}}, "output_format: Extra inputs are not permitted"),
    ({"system.0.text": ""}, "system.0: text content blocks must be non-empty"),
    ({"system": [{"type": "text", "text": "x", "cache_control": {"type": "ephemeral"}}] * 5},
     "A maximum of 4 blocks with cache_control"),
]  # fmt: skip


@pytest.mark.parametrize(("changes", "words"), ANTHROPIC_REJECTED)
def test_anthropic_messages_rejects(changes: dict[str, Any], words: str) -> None:
    status, headers, body = send("anthropic_messages", changed(ANTHROPIC, changes))
    assert (status, headers["x-should-retry"]) == (400, "false")
    assert body["type"] == "error"
    assert body["error"]["type"] == "invalid_request_error"
    assert words in body["error"]["message"]
    assert body["request_id"] == headers["request-id"]


def test_anthropic_requires_a_version() -> None:
    received = ServerRequest("POST", "/v1/messages", headers=HEADERS, body=json.dumps(ANTHROPIC).encode())
    assert b"anthropic-version: header is required" in b"".join(respond(received, Rules("anthropic_messages")).chunks)
    assert "not a valid version" in str(send("anthropic_messages", ANTHROPIC, {"anthropic-version": "2024-01-01"}))


def test_anthropic_supports_the_key_as_a_bearer_token() -> None:
    auth = {"scheme": "header", "header": "x-api-key"}
    for token, status in (("k", 200), ("other", 401)):
        headers = {"authorization": f"Bearer {token}", "anthropic-version": "2026-10-21"}
        assert send("anthropic_messages", ANTHROPIC, headers, key="k", auth=auth)[0] == status


@pytest.mark.parametrize("arguments", ["{nope", "[1]"])
def test_cohere_rejects_arguments_that_are_no_json_object(arguments: str) -> None:
    call = {"id": "c1", "type": "function", "function": {"name": "f", "arguments": arguments}}
    messages = [
        {"role": "user", "content": "hi"},
        {"role": "assistant", "tool_calls": [call]},
        {"role": "tool", "tool_call_id": "c1", "content": "s"},
    ]
    assert send("cohere_chat", {"model": "m", "messages": messages})[0] == 400


def test_responses_reads_any_text_as_arguments() -> None:
    call = {"type": "function_call", "call_id": "c1", "name": "f", "arguments": "{nope"}
    result = {"type": "function_call_output", "call_id": "c1", "output": "s"}
    assert send("openai_responses", {"model": "m", "input": [call, result]})[0] == 200


def test_the_newer_version_of_anthropic_rejects_sampling() -> None:
    body = {**ANTHROPIC, "temperature": 1.0}
    assert send("anthropic_messages", body)[0] == 200
    status, _, rejected = send("anthropic_messages", body, {"anthropic-version": "2026-10-21"})
    assert (status, rejected["error"]["message"]) == (400, "temperature: Extra inputs are not permitted")


@pytest.mark.parametrize("model", ["claude-3-5-sonnet-20241022", "claude-sonnet-4-5", "claude-opus-4-1-20250805"])
def test_older_claude_models_continue_a_prefill(model: str) -> None:
    messages = [{"role": "user", "content": "Hi"}, {"role": "assistant", "content": "{"}]
    body = {"model": model, "max_tokens": 9, "messages": messages}
    assert send("anthropic_messages", body)[0] == 200
    messages[1]["content"] = "{ "
    assert "cannot end with trailing whitespace" in str(send("anthropic_messages", body))


def test_a_host_may_support_system_messages_in_the_conversation() -> None:
    body = changed(ANTHROPIC, {"messages": [{"role": "user", "content": "a"}, {"role": "system", "content": "b"}]})
    assert send("anthropic_messages", body)[0] == 400
    assert send("anthropic_messages", body, mid_conversation_system=True)[0] == 200


# --- Gemini -------------------------------------------------------------------------------------------------------------

GEMINI: dict[str, Any] = {
    "contents": [
        {"role": "user", "parts": [{"text": "Hi"}, {"inlineData": {"mimeType": "image/png", "data": "AAAA"}}]},
        {"role": "model", "parts": [
            {"functionCall": {"name": "get_weather", "args": {"city": "Paris"}},
             "thoughtSignature": signature_of("get_weather")},
        ]},
        {"role": "user", "parts": [{"functionResponse": {"name": "get_weather", "response": {"result": "rain"}}}]},
    ],
    "systemInstruction": {"parts": [{"text": "Be kind."}]},
    "tools": [{"functionDeclarations": [{"name": "get_weather", "parametersJsonSchema": SCHEMA}]}],
    "generationConfig": {"temperature": 1.0},
}  # fmt: skip
TURN = "function call turn comes immediately after a user turn"
GEMINI_REJECTED: list[tuple[dict[str, Any], str]] = [
    ({"contents": ...}, "contents is not specified"),
    ({"contents": []}, "contents is not specified"),
    ({"messages": []}, 'Unknown name "messages": Cannot find field.'),
    ({"max_tokens": 1}, 'Unknown name "max_tokens": Cannot find field.'),
    ({"generationConfig.max_tokens": 1}, "Unknown name \"max_tokens\" at 'generation_config': Cannot find field."),
    ({"generationConfig.temperature": "hot"}, "Invalid value at 'generation_config.temperature' (TYPE_FLOAT), \"hot\""),
    ({"generationConfig.temperature": 1000}, "has a temperature value of 1000 but the supported range is"),
    ({"generationConfig.stopSequences": ["a"] * 6}, "generation_config.stop_sequences"),
    ({"generationConfig.responseJsonSchema": SCHEMA}, "only allowed when response_mime_type is application/json"),
    ({"generationConfig.thinkingConfig": {"thinkingBudget": 1, "thinkingLevel": "low"}},
     "only set one of thinking budget and thinking level"),
    ({"generationConfig.thinkingConfig": {"thinkingLevel": "max"}}, "generation_config.thinking_config.thinking_level"),
    ({"contents.0.role": "assistant"}, "Please use a valid role: user, model."),
    ({"contents.0.role": "system"}, "Please use a valid role: user, model."),
    ({"contents.0.parts": []}, "contents[0].parts: contents.parts must not be empty"),
    ({"contents.0.parts.0": {}}, "required oneof field 'data' must have one initialized field"),
    ({"contents.0.parts.0.type": "text"}, "Unknown name \"type\" at 'contents[0].parts[0]'"),
    ({"contents.0.parts.1.inlineData.data": "@@@"}, "Base64 decoding failed"),
    ({"contents.0.parts.1.inlineData.mimeType": ...}, "mime_type"),
    ({"contents.0.parts.1": {"functionCall": {"name": "f"}}}, TURN),
    ({"contents.1.parts.0.thoughtSignature": "made up"}, "Thought signature is not valid."),
    ({"contents.1.parts.0.functionCall.name": "get weather"}, "Invalid function name"),
    ({"contents.1.parts.0.functionCall.args": "{}"}, "contents[1].parts[0].function_call.args"),
    ({"contents.2.parts": [{"text": "no"}]}, "number of function response parts is equal to the number of function call parts"),
    ({"contents.2.parts.0.functionResponse.name": "other"}, "names match"),
    ({"contents.2.parts.0.functionResponse.response": "rain"}, "function_response.response"),
    ({"contents.1": {"role": "model", "parts": [{"text": "x"}]}},
     "function response turn comes immediately after a function call turn"),
    ({"contents.0": {"role": "model", "parts": [{"functionCall": {"name": "f"}}]}}, TURN),
    ({"systemInstruction.parts": []}, "system_instruction.parts"),
    ({"tools.0.functionDeclarations.0.parameters": {"type": "object", "$schema": "x"}}, 'Unknown name "$schema"'),
    ({"tools.0.functionDeclarations.0.parameters": {"type": "object", "additionalProperties": False}},
     'Unknown name "additionalProperties"'),
    ({"tools.0.functionDeclarations": [{"name": "a"}, {"name": "a"}]}, "Duplicate function declaration found: a"),
    ({"toolConfig": {"functionCallingConfig": {"mode": "REQUIRED"}}}, "tool_config.function_calling_config.mode"),
    ({"toolConfig": {"functionCallingConfig": {"mode": "AUTO", "allowedFunctionNames": ["get_weather"]}}}, "mode is ANY"),
    ({"toolConfig": {"functionCallingConfig": {"mode": "ANY", "allowedFunctionNames": ["f"]}}}, "'f' is not among"),
    ({"tools": ..., "toolConfig": {"functionCallingConfig": {"mode": "ANY"}}}, "without function_declarations"),
]  # fmt: skip


@pytest.mark.parametrize(("changes", "words"), GEMINI_REJECTED)
def test_gemini_generate_rejects(changes: dict[str, Any], words: str) -> None:
    status, _, body = send("gemini_generate", changed(GEMINI, changes))
    assert (status, body["error"]["code"], body["error"]["status"]) == (400, 400, "INVALID_ARGUMENT")
    assert words in body["error"]["message"]


def test_gemini_3_requires_the_signatures_of_its_calls() -> None:
    unsigned = changed(GEMINI, {"contents.1.parts.0.thoughtSignature": ...})
    assert send("gemini_generate", unsigned)[0] == 200
    status, _, body = send("gemini_generate", unsigned, requires_signed_calls=True)
    assert (status, "missing a thought_signature" in body["error"]["message"]) == (400, True)
    stand_in = changed(GEMINI, {"contents.1.parts.0.thoughtSignature": "skip_thought_signature_validator"})
    assert send("gemini_generate", stand_in, requires_signed_calls=True)[0] == 200


def test_a_gemini_host_may_have_no_ids_of_calls() -> None:
    numbered = changed(GEMINI, {"contents.1.parts.0.functionCall.id": "a1"})
    assert send("gemini_generate", numbered)[0] == 200
    assert 'Unknown name "id"' in str(send("gemini_generate", numbered, has_call_ids=False))


# --- Cohere, Bedrock, Ollama, Responses ---------------------------------------------------------------------------------

COHERE: dict[str, Any] = {
    "model": "command-a",
    "messages": [
        {"role": "user", "content": "Hi"},
        {"role": "assistant", "tool_calls": [CALL], "tool_plan": "I look."},
        {"role": "tool", "tool_call_id": "call_1", "content": "rain"},
    ],
    "tools": [{"type": "function", "function": {"name": "get_weather", "parameters": SCHEMA}}],
}
COHERE_REJECTED: list[tuple[dict[str, Any], str]] = [
    ({"top_p": 0.5}, "unknown field: parameter 'top_p' is not a valid field."),
    ({"stop": ["a"]}, "unknown field: parameter 'stop'"),
    ({"model": ...}, "model is required"),
    ({"messages": []}, "messages must be"),
    ({"temperature": "x"}, "parameter 'temperature' is of type string but should be of type number"),
    ({"p": 1}, "p must be at most 0.99, received 1"),
    ({"k": 501}, "k must be at most 500"),
    ({"stop_sequences": ["a"] * 6}, "stop_sequences has too many elements"),
    ({"tool_choice": "AUTO"}, "tool_choice must be one of REQUIRED, NONE"),
    ({"messages.0.role": "developer"}, "messages.0.role must be one of"),
    ({"messages.0.content": ""}, "messages.0.content must be"),
    ({"messages.1": {"role": "assistant", "content": ""}, "messages.2": {"role": "user", "content": "x"}},
     "must have a message"),
    ({"messages.2.tool_call_id": "call_2"}, "tool call id call_2 not found in previous tool calls"),
    ({"messages.2": {"role": "user", "content": "x"}}, "missing tool result for tool call id call_1"),
    ({"messages.2": ...}, "missing tool result for tool call id call_1"),
    ({"tools": ..., "tool_choice": "REQUIRED"}, "only be specified when tools are provided"),
    ({"response_format": {"type": "json_object"}}, "response_format is not supported with tools"),
    ({"tools": ..., "response_format": {"type": "json_object", "json_schema": {"type": "array"}}},
     "top-level type must be 'object'"),
    ({"thinking": {"type": "adaptive"}}, "thinking.type must be one of enabled, disabled"),
]  # fmt: skip

USE = {"toolUse": {"toolUseId": "tooluse_1", "name": "get_weather", "input": {"city": "Paris"}}}
BEDROCK: dict[str, Any] = {
    "messages": [
        {"role": "user", "content": [{"text": "Hi"}]},
        {"role": "assistant", "content": [USE]},
        {"role": "user", "content": [{"toolResult": {"toolUseId": "tooluse_1", "content": [{"text": "rain"}]}}]},
    ],
    "system": [{"text": "Be kind."}],
    "inferenceConfig": {"maxTokens": 9, "temperature": 0.5},
    "toolConfig": {"tools": [{"toolSpec": {"name": "get_weather", "inputSchema": {"json": SCHEMA}}}]},
}
PDF = {"document": {"format": "pdf", "name": "report", "source": {"bytes": "AAAA"}}}
BEDROCK_REJECTED: list[tuple[dict[str, Any], str]] = [
    ({"max_tokens": 1}, "extraneous key [max_tokens] is not permitted"),
    ({"model": "x"}, "extraneous key [model] is not permitted"),
    ({"inferenceConfig.temperature": 1.5},
     "'1.5' at 'inferenceConfig.temperature' failed to satisfy constraint: Member must have value less than or equal to 1"),
    ({"inferenceConfig.maxTokens": "9"}, "expected type: integer"),
    ({"messages": ...}, "must start with a user message"),
    ({"messages.0.role": "assistant"}, "must start with a user message"),
    ({"messages.0.role": "tool"}, "Member must satisfy enum value set: [user, assistant, system]"),
    ({"messages.0.content": []}, "The content field in the Message object at messages.0 is empty"),
    ({"messages.0.content.0.text": " "}, "The text field in the ContentBlock object at messages.0.content.0 is blank"),
    ({"messages.0.content.0.type": "text"}, "extraneous key [type]"),
    ({"messages.0.content": [PDF]}, "A text block is required in a message with documents"),
    ({"messages.0.content": [{"text": "x"}, changed(PDF, {"document.name": "a_b.pdf"})]}, "regular expression pattern"),
    ({"messages.0.content": [{"text": "x"}, PDF, PDF]}, "document names must be unique"),
    ({"messages.0.content": [{"text": "x"}, changed(PDF, {"document.source.bytes": "@"})]}, "is not valid base64"),
    ({"messages.0.content": [{"image": {"format": "bmp", "source": {"bytes": "AAAA"}}}]}, "[png, jpeg, gif, webp]"),
    ({"messages.0.content": [USE]}, "not allowed in a message of role user"),
    ({"messages.1.content.0.toolUse.toolUseId": "a b"}, "regular expression pattern"),
    ({"messages.1.content": [{"reasoningContent": {"reasoningText": {"text": "hm", "signature": "x"}}}, USE]},
     "Invalid `signature`"),
    ({"messages.2.content": [{"text": "no"}]},
     "Expected toolResult blocks at messages.2.content for the following Ids: tooluse_1"),
    ({"messages.1.content": [{"text": "x"}]}, "exceeds the number of toolUse blocks of previous turn"),
    ({"toolConfig": ...}, "The toolConfig field must be defined"),
    ({"toolConfig.tools": []}, "Member must have length greater than or equal to 1"),
    ({"toolConfig.toolChoice": {"none": {}}}, "extraneous key [none]"),
    ({"toolConfig.toolChoice": {"tool": {"name": "f"}}}, "Tool 'f' not found"),
    ({"toolConfig.tools.0.toolSpec.inputSchema.json.type": "string"}, "must be one of the following: object"),
]  # fmt: skip

OLLAMA: dict[str, Any] = {
    "model": "llama3.2",
    "messages": [{"role": "user", "content": "Hi"}],
    "stream": False,
    "options": {"temperature": 0.5},
}
OLLAMA_REJECTED: list[tuple[dict[str, Any], str]] = [
    ({"model": ...}, "model is required"),
    ({"temperature": 1}, 'json: unknown field "temperature"'),
    ({"options.max_tokens": 1}, 'json: unknown field "options.max_tokens"'),
    ({"options.temperature": "x"}, "cannot unmarshal"),
    ({"messages.0.role": "developer"}, 'invalid messages.0.role: "developer"'),
    ({"messages.0.content": [{"type": "text"}]}, "of type string"),
    ({"messages.0.images": ["@"]}, "illegal base64 data"),
    ({"think": "extreme"}, "invalid think"),
    ({"format": "xml"}, "invalid format"),
    ({"tool_choice": "auto"}, 'json: unknown field "tool_choice"'),
]  # fmt: skip

RESPONSES: dict[str, Any] = {
    "model": "gpt-5.4",
    "instructions": "Be kind.",
    "input": [
        {"role": "user", "content": [{"type": "input_text", "text": "Hi"}]},
        {"type": "function_call", "call_id": "call_1", "name": "get_weather", "arguments": "{}"},
        {"type": "function_call_output", "call_id": "call_1", "output": "rain"},
    ],
    "tools": [{"type": "function", "name": "get_weather", "parameters": SCHEMA, "strict": True}],
}
NESTED = {"type": "function", "function": {"name": "get_weather", "parameters": SCHEMA}}
RESPONSES_REJECTED: list[tuple[dict[str, Any], str]] = [
    ({"messages": []}, "Unknown parameter: 'messages'."),
    ({"max_tokens": 9}, "Unknown parameter: 'max_tokens'."),
    ({"stop": ["x"]}, "Unknown parameter: 'stop'."),
    ({"response_format": {}}, "Unknown parameter: 'response_format'."),
    ({"input": ...}, "must be provided"),
    ({"max_output_tokens": 8}, "Expected a value >= 16"),
    ({"tools.0": NESTED}, "Missing required parameter: 'tools[0].name'."),
    ({"tools.0.parameters.required": []}, "Missing 'city'"),
    ({"tool_choice": {"type": "function", "function": {"name": "x"}}}, "Missing required parameter: 'tool_choice.name'."),
    ({"tool_choice": {"type": "function", "name": "x"}}, "Tool choice 'x' not found"),
    ({"tools": [], "tool_choice": "required"}, "must be specified with 'tools'"),
    ({"input.0.role": "tool"}, "Invalid value: 'tool'"),
    ({"input.0.content.0.type": "text"}, "Invalid value: 'text'. Supported values are: 'input_text'"),
    ({"input.0.content": [{"type": "input_image", "image_url": "data:image/png;base64,@"}]}, "Invalid base64 data"),
    ({"input.0.content": [{"type": "input_file", "file_data": "data:application/pdf;base64,AAAA"}]}, "content[0].filename'"),
    ({"input.1.arguments": {}}, "expected a string, but got an object"),
    ({"input.2": {"role": "user", "content": "x"}}, "No tool output found for function call call_1."),
    ({"input.2.call_id": "call_2"}, "No tool call found for function call output with call_id call_2."),
    ({"input.1": {"type": "reasoning", "id": "rs_1", "summary": [], "encrypted_content": "made up"}}, "could not be verified"),
    ({"text": {"format": {"type": "json_object"}}}, "must contain the word 'json'"),
    ({"text": {"format": {"type": "json_schema", "name": "x", "strict": True, "schema": {"type": "object"}}}},
     "Invalid schema for response_format 'x'"),
    ({"reasoning": {"effort": "extreme"}}, "Invalid value: 'extreme'"),
]  # fmt: skip

TABLES: dict[str, tuple[dict[str, Any], list[tuple[dict[str, Any], str]], Callable[[Any], str]]] = {
    "cohere_chat": (COHERE, COHERE_REJECTED, lambda body: str(body["message"])),
    "bedrock_converse": (BEDROCK, BEDROCK_REJECTED, lambda body: str(body["message"])),
    "ollama_chat": (OLLAMA, OLLAMA_REJECTED, lambda body: str(body["error"])),
    "openai_responses": (RESPONSES, RESPONSES_REJECTED, lambda body: str(body["error"]["message"])),
}
LINES = [(dialect, changes, words) for dialect, (_, lines, _) in TABLES.items() for changes, words in lines]


@pytest.mark.parametrize(("dialect", "changes", "words"), LINES)
def test_the_other_formats_reject(dialect: str, changes: dict[str, Any], words: str) -> None:
    valid, _, message = TABLES[dialect]
    status, headers, body = send(dialect, changed(valid, changes))
    assert status == 400
    assert words in message(body)
    if dialect == "bedrock_converse":
        assert headers["x-amzn-errortype"].startswith("ValidationException:")


# --- For all formats -------------------------------------------------------------------------------------------------

VALID = {
    "openai_chat": OPENAI,
    "anthropic_messages": ANTHROPIC,
    "gemini_generate": GEMINI,
    **{dialect: table[0] for dialect, table in TABLES.items()},
}


@pytest.mark.parametrize("dialect", NAMES)
def test_the_request_that_the_tables_change_is_accepted(dialect: str) -> None:
    assert send(dialect, VALID[dialect])[0] == 200


@pytest.mark.parametrize("dialect", NAMES)
@pytest.mark.parametrize("raw", [b"", b"{", b"[]", b'"x"', b'{"a": NaN}', b"\xff", b"[" * 100_000])
def test_a_body_that_is_not_an_object_is_rejected(dialect: str, raw: bytes) -> None:
    assert send(dialect, raw)[0] == 400


@pytest.mark.parametrize("dialect", NAMES)
def test_another_content_type_is_rejected(dialect: str) -> None:
    assert send(dialect, VALID[dialect], {"content-type": "text/plain"})[0] == 415


@pytest.mark.parametrize("dialect", NAMES)
def test_a_service_that_is_not_strict_responds_to_anything(dialect: str) -> None:
    for raw in (b"", b"[]", b'{"model": 7, "messages": "x", "contents": 3}', json.dumps(VALID[dialect]).encode()):
        assert respond(ServerRequest("PUT", "/any", body=raw), Rules(dialect, strict=False, key="k")).status == 200


KEYS = {"bearer": ("authorization", "Bearer k"), "header": ("x-key", "k")}


@pytest.mark.parametrize("dialect", NAMES)
@pytest.mark.parametrize(
    ("scheme", "headers", "query", "is_accepted"),
    [
        ("bearer", {"authorization": "Bearer k"}, "", True),
        ("bearer", {"authorization": "Bearer x"}, "", False),
        ("bearer", {"authorization": "k"}, "", False),
        ("bearer", {"x-api-key": "k"}, "", False),
        ("bearer", {}, "", False),
        ("bearer", {"authorization": "Bearer k"}, "key=k", False),
        ("header", {"x-key": "k"}, "", True),
        ("header", {"authorization": "Bearer k"}, "", False),
        ("aws", {"authorization": "Bearer k"}, "", True),
    ],
)
def test_the_key_must_be_correct_and_in_its_header(
    dialect: str, scheme: str, headers: dict[str, str], query: str, is_accepted: bool
) -> None:
    auth = {"scheme": scheme, **({"header": "x-key"} if scheme == "header" else {})}
    every = {**HEADERS, "anthropic-version": "2023-06-01", **headers}
    received = ServerRequest("POST", PATHS[dialect], query, every, json.dumps(VALID[dialect]).encode())
    response = respond(received, Rules(dialect, key="k", auth=auth))
    body = json.loads(b"".join(response.chunks))
    assert (response.status == 200) is is_accepted
    if not is_accepted:
        # Read by the dialect, which is independent of this service: it must see an authentication error.
        reader = find(dialect)
        details = with_google_details(reader.parse_error(response.status, body), body)
        if dialect == "bedrock_converse":
            assert response.headers["x-amzn-errortype"].split("Exception")[0] in (
                "UnrecognizedClient",
                "MissingAuthenticationToken",
            )
        elif dialect != "gemini_generate" or "no_key" not in str(body):
            words = reader.error_words
            assert classify(response.status, details, words, {}) in ("authentication", "permission_denied")


def test_the_form_of_an_aws_signature_is_checked() -> None:
    good = (
        "AWS4-HMAC-SHA256 Credential=AKID/20261123/us-east-1/bedrock/aws4_request, "
        f"SignedHeaders=content-type;host;x-amz-date, Signature={'0a' * 32}"
    )
    for value, status in ((good, 200), (good.replace("bedrock", "s3"), 403), (good[:-1], 403)):
        got, _, _ = send("bedrock_converse", BEDROCK, {"authorization": value}, key="k", auth={"scheme": "aws"})
        assert got == status


@pytest.mark.parametrize("dialect", [name for name in NAMES if name not in ("gemini_generate", "bedrock_converse")])
def test_a_model_with_the_providers_prefix_or_an_unknown_one_is_not_found(dialect: str) -> None:
    body = {**VALID[dialect], "model": "acme/m"}
    assert send(dialect, body)[0] == 200
    for rules in ({"forbidden_model_prefix": "acme/"}, {"models": ("m",)}):
        status, _, rejected = send(dialect, body, **rules)
        assert (status, "acme/m" in str(rejected)) == (404, True)


@pytest.mark.parametrize("dialect", NAMES)
def test_another_path_and_another_method_are_rejected(dialect: str) -> None:
    raw = json.dumps(VALID[dialect]).encode()
    assert respond(ServerRequest("POST", "/elsewhere", headers=HEADERS, body=raw), Rules(dialect)).status == 404
    assert respond(ServerRequest("GET", PATHS[dialect], headers=HEADERS, body=raw), Rules(dialect)).status == 405


def test_gemini_streams_server_sent_events_only_with_alt_sse() -> None:
    path, raw = PATHS["gemini_generate"].replace("generate", "streamGenerate"), json.dumps(GEMINI).encode()
    events, items = (respond(ServerRequest("POST", path, q, HEADERS, raw), Rules("gemini_generate")) for q in ("alt=sse", ""))
    assert (events.headers["content-type"], items.headers["content-type"]) == ("text/event-stream", "application/json")
    listed = json.loads(b"".join(items.chunks))
    assert [f"data: {json.dumps(i)}" for i in listed] == [f"data: {json.dumps(json.loads(e[6:]))}" for e in events.chunks]


def test_gemini_accepts_snake_case_and_null() -> None:
    body = {
        "contents": [{"role": "user", "parts": [{"inline_data": {"mime_type": "image/png", "data": "AAAA"}}, {"text": "x"}]}],
        "generation_config": {"max_output_tokens": 40, "top_p": None},
        "system_instruction": None,
    }
    status, _, answered = send("gemini_generate", body)
    assert (status, "1 image (image/png)" in str(answered)) == (200, True)
    rejected = send("gemini_generate", {**body, "max_tokens": 1})[2]
    assert rejected["error"]["message"] == 'Invalid JSON payload received. Unknown name "max_tokens": Cannot find field.'


def test_a_host_supports_its_own_fields_and_efforts() -> None:
    own = changed(OPENAI, {"enable_thinking": True, "messages.2.reasoning_content": "hm", "reasoning_effort": "max"})
    fields: dict[str, Any] = {"fields": frozenset(("enable_thinking",)), "message_fields": frozenset(("reasoning_content",))}
    assert send("openai_chat", own, **fields)[0] == 400
    assert send("openai_chat", own, **fields, efforts=frozenset(("max",)))[0] == 200


def test_a_host_rejects_an_unsupported_field_and_names_the_supported_one() -> None:
    _, _, body = send("openai_chat", {**OPENAI, "max_tokens": 9}, unsupported={"max_tokens": "max_completion_tokens"})
    assert body["error"]["message"] == (
        "Unsupported parameter: 'max_tokens' is not supported with this model. Use 'max_completion_tokens' instead."
    )
    assert body["error"]["code"] == "unsupported_parameter"


@pytest.mark.parametrize(
    ("model", "rule", "value"),
    [
        ("gemini/gemini-3-pro", "requires_signed_calls", True),
        ("gemini/gemini-2.5-pro", "requires_signed_calls", False),
        ("vertex/gemini-2.5-pro", "has_call_ids", False),
        ("anthropic/claude-opus-5", "mid_conversation_system", True),
        ("anthropic/claude-sonnet-4-5", "mid_conversation_system", False),
        ("openai/gpt-5.4", "thinking_field", None),
        ("deepseek/deepseek-chat", "thinking_field", "reasoning_content"),
        ("watsonx/ibm/granite", "model_outside_body", "ibm/granite"),
        ("openai/gpt-5.4", "model_outside_body", None),
        ("openai/gpt-5.4", "forbidden_model_prefix", "openai/"),
    ],
)
def test_the_rules_of_a_host_follow_from_its_manifest(model: str, rule: str, value: Any) -> None:
    provider, _, name = model.partition("/")
    assert getattr(rules_of(Manifest.load(provider).for_model(name), name), rule) == value


@pytest.mark.parametrize("dialect", NAMES)
def test_every_option_of_a_service_is_a_field_of_its_schema(dialect: str) -> None:
    """A manifest may declare each of these fields unsupported, so the dialect must have it."""
    chat = service_of(dialect).operations["chat"]
    for wire in chat.options.values():
        body = copy.deepcopy(VALID[dialect])
        *path, last = wire.split(".")
        at: Any = body
        for step in path:
            at = at.setdefault(step, {})
        at[last] = object  # not a JSON type: the check must reject the value, not the name
        received = ServerRequest("POST", PATHS[dialect], headers={"anthropic-version": "2023-06-01"})
        with pytest.raises((Invalid, Rejected)) as caught:
            chat.check(received, body, Rules(dialect))
        assert getattr(caught.value, "kind", None) != "unknown" or wire == "top_k", wire


def test_gemini_reads_both_alphabets_of_base64_and_snake_case_in_schemas() -> None:
    signature = signature_of("get_weather").replace("+", "-").replace("/", "_")
    schema = {"type": "OBJECT", "properties": {"a": {"type": "STRING"}}, "property_ordering": ["a"]}
    config = {"response_mime_type": "application/json", "response_schema": schema}
    body = changed(GEMINI, {"contents.1.parts.0.thoughtSignature": signature, "generationConfig": config})
    assert send("gemini_generate", body)[0] == 200


def test_gemini_ignores_an_empty_end_of_a_function_call_turn() -> None:
    contents = copy.deepcopy(GEMINI["contents"])
    contents.insert(2, {"role": "model", "parts": [{"text": ""}]})  # google-genai appends each chunk of a stream
    assert send("gemini_generate", {**GEMINI, "contents": contents})[0] == 200


def test_a_host_with_a_constant_version_supports_the_newer_one() -> None:
    headers = {**HEADERS, "anthropic-version": "2026-10-21"}
    received = ServerRequest("POST", "/v1/messages", headers=headers, body=json.dumps(ANTHROPIC).encode())
    rules = Rules("anthropic_messages", headers={"anthropic-version": "2023-06-01"})
    assert respond(received, rules).status == 200
