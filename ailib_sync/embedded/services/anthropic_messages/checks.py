"""What Anthropic's Messages API rejects: the schema of the body and the rules of its options. `turns` has those of messages.

https://platform.claude.com/docs/en/api/messages
"""

from __future__ import annotations

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
from ...request_checks import without_host_fields
from ..strict_schema import has_open_object
from .turns import blocks_of, check_tool_results, check_turns

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from ...exchange import Rules, ServerRequest

VERSIONS = ("2023-01-01", "2023-06-01", "2026-10-21")
#: Fields that are known only with an `anthropic-beta` header.
BETA_FIELDS = frozenset(("context_management", "mcp_servers", "fallbacks"))
NAME = r"[a-zA-Z0-9_-]{1,128}"
ID = r"[a-zA-Z0-9_-]+"

_CACHE = {"cache_control": nullable(tagged("type", {"ephemeral": record({}, {"ttl": choice("5m", "1h")})}))}
_TEXT = record({"text": string()}, {**_CACHE, "citations": nullable(array(is_object))})
_IMAGE_TYPE = choice("image/jpeg", "image/png", "image/gif", "image/webp")
_URL = record({"url": string(1)})
_FILE = record({"file_id": string(1)})
_IMAGE = record(
    {"source": tagged("type", {"base64": record({"media_type": _IMAGE_TYPE, "data": string(1)}), "url": _URL, "file": _FILE})},
    _CACHE,
)
_DOCUMENT = record(
    {
        "source": tagged(
            "type",
            {
                "base64": record({"media_type": choice("application/pdf"), "data": string(1)}),
                "text": record({"media_type": choice("text/plain"), "data": string(1)}),
                "content": record({"content": anything}),
                "url": _URL,
                "file": _FILE,
            },
        )
    },
    {**_CACHE, "title": nullable(string()), "context": nullable(string()), "citations": nullable(is_object)},
)
_SEARCH_RESULT = record(
    {"source": string(), "title": string(), "content": array(is_object)}, {**_CACHE, "citations": is_object}
)
_RESULT_BLOCKS = tagged("type", {"text": _TEXT, "image": _IMAGE, "document": _DOCUMENT, "search_result": _SEARCH_RESULT})
_TOOL_RESULT = record(
    {"tool_use_id": string(1, None, ID)},
    {**_CACHE, "content": union(string=string(), array=array(_RESULT_BLOCKS)), "is_error": nullable(boolean)},
)
_TOOL_USE = record({"id": string(1, None, ID), "name": string(1, 200), "input": is_object}, {**_CACHE, "caller": anything})
_BLOCK = tagged(
    "type",
    {
        "text": _TEXT,
        "image": _IMAGE,
        "document": _DOCUMENT,
        "search_result": _SEARCH_RESULT,
        "thinking": record({"thinking": string()}, {"signature": string()}),
        "redacted_thinking": record({"data": string(1)}),
        "tool_use": _TOOL_USE,
        "tool_result": _TOOL_RESULT,
        "server_tool_use": is_object,
        "web_search_tool_result": is_object,
        "web_fetch_tool_result": is_object,
        "code_execution_tool_result": is_object,
        "bash_code_execution_tool_result": is_object,
        "text_editor_code_execution_tool_result": is_object,
        "tool_search_tool_result": is_object,
        "mcp_tool_use": is_object,
        "mcp_tool_result": is_object,
        "container_upload": record({"file_id": string(1)}, _CACHE),
        "compaction": is_object,
    },
)
_TOOL = record(
    {"name": string(1, None, NAME), "input_schema": is_object},
    {
        **_CACHE,
        "type": choice("custom"),
        "description": string(),
        "strict": nullable(boolean),
        "eager_input_streaming": nullable(boolean),
        "input_examples": array(is_object),
    },
)


def _tool(value: Any, path: tuple[str | int, ...]) -> None:
    """A tool of the caller, or one of the service, which has a type such as `web_search_20250305`."""
    is_object(value, path)
    if value.get("type", "custom") == "custom":
        _TOOL(value, path)
    else:
        record({"type": string(1), "name": string(1)}, dict.fromkeys(value, anything))(value, path)


_ONE_AT_A_TIME = {"disable_parallel_tool_use": boolean}
_FORMAT = tagged("type", {"json_schema": record({"schema": is_object})})
BODY = record(
    {
        "model": string(1),
        "max_tokens": integer(1),
        "messages": array(
            record({"role": choice("user", "assistant", "system"), "content": union(string=string(), array=array(_BLOCK))}), 1
        ),
    },
    {
        "system": union(string=string(), array=array(tagged("type", {"text": _TEXT}))),
        "stop_sequences": array(string(1)),
        "stream": boolean,
        "temperature": number(0, 1),
        "top_p": number(0, 1),
        "top_k": integer(0),
        "tools": array(_tool),
        "tool_choice": tagged(
            "type",
            {
                "auto": record({}, _ONE_AT_A_TIME),
                "any": record({}, _ONE_AT_A_TIME),
                "none": record({}),
                "tool": record({"name": string(1)}, _ONE_AT_A_TIME),
            },
        ),
        "thinking": tagged(
            "type",
            {
                "enabled": record({"budget_tokens": integer(1024)}, {"display": choice("summarized", "omitted")}),
                "adaptive": record({}, {"display": choice("summarized", "omitted")}),
                "between_tools": record({}, {"display": choice("summarized", "omitted")}),
                "disabled": record({}),
            },
        ),
        "output_config": record({}, {"effort": choice("low", "medium", "high", "xhigh", "max"), "format": _FORMAT}),
        "metadata": record({}, {"user_id": nullable(string(0, 256))}),
        "service_tier": choice("auto", "standard_only"),
        "speed": choice("standard", "fast"),
        "inference_geo": string(1),
        "container": anything,
        "cache_control": _CACHE["cache_control"],
        "diagnostics": is_object,
    },
)


def check_request(received: ServerRequest, body: dict[str, Any], rules: Rules) -> None:
    """Raises Invalid or Rejected for the first value that the service rejects."""
    version = _version(received, body, rules)
    body = without_host_fields(body, rules, BODY)
    if "anthropic-beta" in received.headers:
        body = {name: value for name, value in body.items() if name not in BETA_FIELDS}
    BODY(body, ())
    if version == VERSIONS[-1]:
        for name in ("temperature", "top_p", "top_k"):
            if name in body:
                raise Invalid("unknown", (name,))
    _check_tools(body)
    _check_thinking(body, rules)
    schema = (body.get("output_config") or {}).get("format", {}).get("schema")
    if has_open_object(schema):
        message = "output_config.format.schema: For 'object' type, 'additionalProperties' must be explicitly set to false"
        raise Rejected(message)
    check_turns(body, rules)
    check_tool_results(body["messages"])
    _check_cache(body)


def _version(received: ServerRequest, body: dict[str, Any], rules: Rules) -> str | None:
    """The requested version: from the header, or None if the host requires one in the body."""
    if "anthropic_version" in rules.fields:
        if "anthropic_version" not in body:
            raise Invalid("missing", ("anthropic_version",))
        return None
    version = received.headers.get("anthropic-version")
    if version is None:
        raise Rejected("anthropic-version: header is required")
    if version not in VERSIONS:
        raise Rejected(f'anthropic-version: "{version}" is not a valid version')
    return version


def _check_tools(body: dict[str, Any]) -> None:
    names = [tool["name"] for tool in body.get("tools", ())]
    if len(set(names)) < len(names):
        raise Rejected("tools: Tool names must be unique.")
    for index, tool in enumerate(body.get("tools", ())):
        if tool.get("type", "custom") != "custom":
            continue
        field = f"tools.{index}.custom.input_schema"
        if "type" not in tool["input_schema"]:
            raise Rejected(f"{field}.type: Field required")
        if tool["input_schema"]["type"] != "object":
            raise Rejected(f"{field}.type: Input should be 'object'")
    chosen = body.get("tool_choice")
    if chosen is None:
        return
    if not names:
        raise Rejected("tool_choice: `tool_choice` may only be specified while providing `tools`.")
    if chosen["type"] == "tool" and chosen["name"] not in names:
        raise Rejected(f"Tool '{chosen['name']}' not found in provided tools")


def _check_thinking(body: dict[str, Any], rules: Rules) -> None:
    thinking = body.get("thinking") or {}
    if thinking.get("type") != "enabled":
        return
    if thinking["budget_tokens"] >= body["max_tokens"]:
        raise Rejected("`max_tokens` must be greater than `thinking.budget_tokens`.")
    if rules.sampling_while_thinking:
        return
    if body.get("temperature", 1) != 1:
        raise Rejected("`temperature` may only be set to 1 when thinking is enabled.")
    if "top_k" in body:
        raise Rejected("`top_k` must be unset when thinking is enabled.")
    if body.get("top_p", 1) < 0.95:
        raise Rejected("`top_p` must be greater than or equal to 0.95 or unset when thinking is enabled.")
    if body.get("tool_choice", {}).get("type") in ("any", "tool"):
        raise Rejected("Thinking may not be enabled when tool_choice forces tool use.")


def _check_cache(body: dict[str, Any]) -> None:
    blocks = [*body.get("tools", ()), *(body["system"] if isinstance(body.get("system"), list) else ())]
    blocks += [block for message in body["messages"] for block in blocks_of(message)]
    marked = sum(bool(block.get("cache_control")) for block in blocks) + bool(body.get("cache_control"))
    if marked > 4:
        raise Rejected(f"A maximum of 4 blocks with cache_control may be provided. Found {marked}.")
