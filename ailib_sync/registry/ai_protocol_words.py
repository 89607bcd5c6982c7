"""The vocabulary of AI-Protocol manifests → the words of this package, and why a field is unused. Tables only."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

#: AI-Protocol's names of a format (adapter, payload format, decoder, API family) → dialect.
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

#: End of a path → dialect.
PATHS: Mapping[str, str] = {
    "/chat/completions": "openai_chat",
    "/messages": "anthropic_messages",
    ":generateContent": "gemini_generate",
}

#: The header of the key in each format, for files that put the key into the URL.
KEY_HEADERS: Mapping[str, str] = {"gemini_generate": "x-goog-api-key", "anthropic_messages": "x-api-key"}

#: AI-Protocol's option → standard option. Options with a structure (tools, response_format …) are defined by each dialect.
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

#: AI-Protocol's finish reason → normalized finish reason.
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

_PARSING = "the dialect parses responses"
_NOT_CHAT = "is not used by chat"

#: Path, or the start of a path → why the field is unused. The longest match counts.
REASONS: Mapping[str, str] = {
    "$schema": "is the schema of the specification",
    "api_families": "the endpoint determines the format",
    "auth": "does not apply to this scheme",
    "auth.payload_format": "the endpoint determines the format",
    "availability": "no health checks are made",
    "base_url_template": "endpoint.base_url is used",
    "capabilities": "is not one of the known capabilities",
    "capability_profile": _NOT_CHAT,
    "category": "does not affect a call",
    "computer_use": _NOT_CHAT,
    "connection_vars": "{model} in a path is always the model",
    "default_api_family": "the endpoint determines the format",
    "endpoint": _NOT_CHAT,
    "endpoint.auth": "does not apply to this scheme",
    "endpoint.protocol": "the URL contains it",
    "endpoint.timeout_ms": "the client has its own time limits: Timeout",
    "endpoints": _NOT_CHAT,
    "error_classification.notes": "is for readers",
    "experimental_features": "does not affect a call",
    "features": _PARSING,
    "mcp": _NOT_CHAT,
    "metadata": "models() has the limits and prices of models",
    "multimodal": "the provider checks the input of a model",
    "notes": "is for readers",
    "parameter_mappings": "the dialect defines this name",
    "parameters": "the provider applies these defaults and ranges itself",
    "payload_format": "the endpoint determines the format",
    "provider_id": "id is used",
    "rate_limit_headers": "the known header names are read for every provider",
    "response_format": "the endpoint determines the format",
    "response_paths": _PARSING,
    "retry_policy": "the client has its own retry policy: RetryPolicy",
    "services": _NOT_CHAT,
    "status": "does not affect a call",
    "streaming": _PARSING,
    "support_contact": "does not affect a call",
    "termination": _PARSING,
    "tooling": _PARSING,
    "version": "does not affect a call",
}


def reason(path: str) -> str:
    """Why the field at `path` is unused."""
    parts = path.split(".")
    for length in range(len(parts), 0, -1):
        if found := REASONS.get(".".join(parts[:length])):
            return found
    return "is an unknown field"
