"""Names of other libraries → names of this one, for the errors about attributes and arguments that do not exist here."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

#: Class → what to write here → names of other libraries for it.
_ATTRIBUTES = {
    "AiClient": {
        "client.chat().user('…').execute()": "completions completion complete messages responses generate generate_content "
        "invoke ask create_chat_completion message user execute run call",
        "client.chat().user('…').stream()": "stream stream_chat",
        "client.chat().system('…')": "system",
        "client.embed(texts)": "embeddings",
        "client.list_models()": "models",
        "client.retry": "max_retries",
        "builder.explain().url": "base_url url",
        "builder.timeout(…), or another AiClient(…)": "with_options",
        "response.usage": "usage",
    },
    "Completions": {"client.chat().user('…').execute(), or .stream()": "create parse stream with_raw_response"},
    "ChatBuilder": {
        "execute()": "send create run invoke call ask get go submit complete completion completions generate",
        "stream()": "stream_text create_stream execute_stream",
        "user(…)": "prompt human content text image",
        "message(…) or messages(…)": "add_message add history",
        "max_tokens(n)": "max_output_tokens max_completion_tokens",
        "tools(…)": "functions with_tools bind_tools tool",
        "reasoning(…)": "reasoning_effort thinking thinking_budget",
        "response_format('json'), or with a JSON Schema": "json json_mode response_schema",
        "AiClient(…, retry=n)": "max_retries retry retries",
        "AiClient(…, fallbacks=[…])": "fallbacks fallback",
        "header(name, value)": "headers extra_headers",
        "extra(name=value)": "extra_body options kwargs",
        "stop(…)": "stop_sequences stop_sequence",
        "system(…)": "system_prompt instructions",
        "count_tokens()": "tokens",
    },
    "ChatResponse": {
        "response.content, .message, .tool_calls and .finish_reason": "choices candidates",
        "response.content": "text output output_text completion answer delta",
        "response.thinking": "reasoning reasoning_content",
        "response.raw, the provider's JSON": "json dict to_dict model_dump model_dump_json",
        "response.tool_calls": "function_call tools",
        "response.finish_reason": "stop_reason done_reason",
        "response.usage": "usage_metadata tokens total_tokens token_usage",
        "response.request_id and .rate_limit": "headers",
        "response.message.role": "role",
    },
    "Usage": {
        "usage.prompt_tokens": "input_tokens prompt_token_count prompt_eval_count",
        "usage.completion_tokens": "output_tokens candidates_token_count eval_count",
        "usage.total_tokens": "total total_token_count tokens",
        "usage.cached_tokens": "cache_read_input_tokens prompt_tokens_details",
        "usage.cache_write_tokens": "cache_creation_input_tokens",
        "usage.reasoning_tokens": "completion_tokens_details",
    },
    "StreamingEvent": {
        "event.as_content_delta.text if event.is_content_delta; stream.text() yields the text alone": "choices delta "
        "content_block type data",
    },
    "ChatStream": {
        "stream.text()": "text_stream iter_text content choices delta",
        "stream.response, after the last event": "get_final_message get_final_completion result message",
    },
}

#: What to write here → arguments of other libraries' clients for it.
_ARGUMENTS = {
    "retry=3": "max_retries num_retries retries retry_policy",
    "base_url='https://…'": "api_base endpoint azure_endpoint host url api_url",
    "api_key='…'": "key token apikey auth",
    "http=…, a urllib3 pool": "http_client session pool",
    "headers={…}": "default_headers extra_headers",
    "the variable HTTPS_PROXY, or http=urllib3.ProxyManager(…)": "proxy proxies",
    "ca_bundle='…' or ssl_context=…": "verify cert verify_ssl",
    "headers={…} with the provider's own header": "organization project",
    "fallbacks=[…]": "fallback fallback_models",
    "limiter=Limiter(requests_per_minute=…)": "rate_limit rpm rate_limiter",
    "variables={…}": "region project_id location api_version",
    "a method of the builder, as in client.chat().temperature(0)": "temperature max_tokens top_p top_k seed stop tools system",
    "AiClient('provider/model')": "provider",
    "client.chat(messages)": "messages",
    "client.chat().user('…').stream()": "stream",
}


def _ours(table: Mapping[str, str], name: str) -> str:
    return next((f"; here it is {ours}" for ours, theirs in table.items() if name in theirs.split()), "")


def no_attribute(owner: object, name: str) -> AttributeError:
    """The error for an attribute that does not exist. If another library has it, the message says what to write here."""
    message = f"{type(owner).__name__!r} object has no attribute {name!r}"
    for cls in type(owner).__mro__:
        hint = _ours(_ATTRIBUTES.get(cls.__name__, {}), name)
        if hint:
            return AttributeError(message + hint)
    return AttributeError(message, name=name, obj=owner)


def no_argument(where: str, given: Mapping[str, object], known: Callable[..., object]) -> TypeError:
    """The error for keyword arguments that the function `known` does not have."""
    name = next(iter(given))
    hint = _ours(_ARGUMENTS, name)
    if not hint:
        from difflib import get_close_matches
        from inspect import signature

        hint = "".join(f"; did you mean {near}?" for near in get_close_matches(name, signature(known).parameters, 1))
    return TypeError(f"{where} has no argument {name!r}{hint}")
