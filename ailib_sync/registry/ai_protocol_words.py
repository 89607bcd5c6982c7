"""The vocabulary of AI-Protocol manifests: its words → ours, and why a field has no use here. Tables only."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

#: AI-Protocol's words for a format (adapter, payload format, decoder, API family) → dialect.
FORMATS: Mapping[str, str] = {
    "openai": "openai_chat",
    "openai_style": "openai_chat",
    "openai_chat": "openai_chat",
    "chat_completions": "openai_chat",
    "ai21_chat": "openai_chat",
    "ai21_style": "openai_chat",
    "anthropic": "anthropic_messages",
    "anthropic_style": "anthropic_messages",
    "anthropic_sse": "anthropic_messages",
    "anthropic_event_stream": "anthropic_messages",
    "messages": "anthropic_messages",
    "gemini": "gemini_generate",
    "gemini_style": "gemini_generate",
    "gemini_sse": "gemini_generate",
    "gemini_generate": "gemini_generate",
    "generate_content": "gemini_generate",
    "cohere_v2": "cohere_chat",
}

PATHS: Mapping[str, str] = {
    "/chat/completions": "openai_chat",
    "/messages": "anthropic_messages",
    ":generateContent": "gemini_generate",
}

#: The header a format's services take a key in, for files that would put it into the URL.
KEY_HEADERS: Mapping[str, str] = {"gemini_generate": "x-goog-api-key", "anthropic_messages": "x-api-key"}

#: AI-Protocol's option → ours. The structured ones (tools, response_format …) are each dialect's own.
OPTIONS: Mapping[str, str] = {
    "temperature": "temperature",
    "max_tokens": "max_tokens",
    "top_p": "top_p",
    "top_k": "top_k",
    "stop": "stop",
    "stop_sequences": "stop",
    "seed": "seed",
    "random_seed": "seed",
    "frequency_penalty": "frequency_penalty",
    "presence_penalty": "presence_penalty",
}

FINISH: Mapping[str, str] = {
    "end_turn": "end_turn",
    "completed": "end_turn",
    "max_tokens": "max_tokens",
    "tool_use": "tool_use",
    "stop_sequence": "stop_sequence",
    "refusal": "content_filter",
    "content_filter": "content_filter",
}

ERRORS: Mapping[str, str] = {"insufficient_quota": "quota_exhausted"}

CAPABILITIES: Mapping[str, str] = {
    "tools": "tools",
    "vision": "vision",
    "audio": "audio",
    "reasoning": "reasoning",
    "structured_output": "json_schema",
    "streaming_usage": "stream_usage",
}

MULTIMODAL: Mapping[str, str] = {
    "multimodal.input.vision.supported": "vision",
    "multimodal.input.audio.supported": "audio",
    "multimodal.input.vision.document_understanding": "documents",
}

_READING = "reading answers is the dialect's work"
_NOT_CHAT = "is no part of a chat call"

#: Why a field stays unused, by the longest part of its path that is listed.
REASONS: Mapping[str, str] = {
    "$schema": "names the specification's own schema",
    "api_families": "the format is told by the endpoint",
    "auth": "is not how this scheme carries a key",
    "auth.payload_format": "the format is told by the endpoint",
    "availability": "no health checks are made",
    "base_url_template": "endpoint.base_url is the address",
    "capabilities": "names nothing that `capabilities` knows",
    "capability_profile": _NOT_CHAT,
    "category": "says nothing about a call",
    "computer_use": _NOT_CHAT,
    "connection_vars": "{model} in a path is always the model",
    "default_api_family": "the format is told by the endpoint",
    "endpoint": _NOT_CHAT,
    "endpoint.auth": "is not how this scheme carries a key",
    "endpoint.protocol": "the address says it",
    "endpoint.timeout_ms": "time limits are the client's: Timeout",
    "endpoints": _NOT_CHAT,
    "error_classification.notes": "is for readers",
    "experimental_features": "says nothing about a call",
    "features": _READING,
    "mcp": _NOT_CHAT,
    "metadata": "the limits and prices of models are what models() tells",
    "multimodal": "what a model takes, its provider says when asked",
    "notes": "is for readers",
    "parameter_mappings": "the dialect fixes this name",
    "parameters": "defaults and bounds of this kind are a model's, and the provider applies them itself",
    "payload_format": "the format is told by the endpoint",
    "provider_id": "id is the name",
    "rate_limit_headers": "the known header names are read for every provider",
    "response_format": "the format is told by the endpoint",
    "response_paths": _READING,
    "retry_policy": "retries are the client's: RetryPolicy",
    "services": _NOT_CHAT,
    "status": "says nothing about a call",
    "streaming": _READING,
    "support_contact": "says nothing about a call",
    "termination": _READING,
    "tooling": _READING,
    "version": "says nothing about a call",
}


def reason(path: str) -> str:
    """Why the field at `path` stays unused."""
    parts = path.split(".")
    for length in range(len(parts), 0, -1):
        if found := REASONS.get(".".join(parts[:length])):
            return found
    return "is not a field this reader knows"
