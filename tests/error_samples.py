"""Error responses of providers, each with the class that it must be: rows for the test and for docs/provider-errors.md.

`source` is a recording's id (in the folder that AILIB_CONFORMANCE names), or the page where the response was seen.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator

#: The kinds of errors in the table → the class that each is, for every provider.
KINDS = {
    "too long": "RequestTooLarge",
    "unknown model": "NotFound",
    "wrong key": "AuthenticationError",
    "no credit": "QuotaExhausted",
    "rate limit": "RateLimited",
}

OVERFLOWS = "https://github.com/badlogic/pi-mono/blob/main/packages/ai/src/utils/overflow.ts"


@dataclass(frozen=True)
class Sample:
    """One error response. `target` is the provider, with `?dialect=` if it is not the provider's first format."""

    target: str
    kind: str
    status: int
    body: Any
    source: str
    headers: dict[str, str] = field(default_factory=dict)

    def __str__(self) -> str:
        return f"{self.target} {self.kind} {self.status}"


def _openai(message: str, code: Any = None, type: str | None = "invalid_request_error") -> dict[str, Any]:
    return {"error": {"message": message, "type": type, "param": None, "code": code}}


def _anthropic(message: str, type: str = "invalid_request_error") -> dict[str, Any]:
    return {"type": "error", "error": {"type": type, "message": message}}


def _google(status: int, message: str, word: str, *details: dict[str, Any]) -> dict[str, Any]:
    return {"error": {"code": status, "message": message, "status": word, "details": list(details)}}


def _aws(kind: str) -> dict[str, str]:
    return {"x-amzn-errortype": f"{kind}:http://internal.amazon.com/coral/com.amazon.bedrock/"}


_CONTEXT = "This model's maximum context length is 4096 tokens. However, you requested 4118 tokens."
_LLAMA = {
    "error": {
        "code": 400,
        "message": "the request exceeds the available context size. try increasing the context size or enable context shift",
        "type": "exceed_context_size_error",
        "n_prompt_tokens": 14429,
        "n_ctx": 8192,
    }
}
_INPUTS = "Input validation error: `inputs` tokens + `max_new_tokens` must be <= 8192. Given: 6204 `inputs` tokens and 2047"
_KEY_INVALID = {"@type": "type.googleapis.com/google.rpc.ErrorInfo", "reason": "API_KEY_INVALID"}
_PER_DAY = {"@type": "type.googleapis.com/google.rpc.QuotaFailure", "violations": [{"quotaId": "RequestsPerDayPerProject"}]}

TOO_LONG = (
    ("openai", 400, _openai(_CONTEXT, "context_length_exceeded"), "https://github.com/Chanzhaoyu/chatgpt-web/issues/372"),
    ("openai?dialect=openai_responses", 400, _openai("Your input exceeds the context window of this model."), OVERFLOWS),
    ("anthropic", 400, _anthropic("prompt is too long: 213462 tokens > 200000 maximum"), OVERFLOWS),
    ("gemini", 400,
     _google(400, "The input token count (81881) exceeds the maximum number of tokens allowed (65536).", "INVALID_ARGUMENT"),
     "https://github.com/googleapis/python-genai/issues/2466"),
    ("gemini?dialect=openai_chat", 400,
     [_google(400, "The input token count (81881) exceeds the maximum number of tokens allowed (65536).", "INVALID_ARGUMENT")],
     "https://github.com/google-gemini/gemini-cli/issues/6678"),
    ("cohere", 400,
     {"error_type": "TOO_MANY_TOKENS", "message": "too many tokens: size limit exceeded by 25836 tokens."},
     "cohere.cohere-v2.n.1d473e287cfb"),
    ("bedrock", 400, {"message": "Input is too long for requested model."},
     "https://github.com/aws-samples/assessment-generator/issues/2"),
    ("bedrock", 400, {"message": "The model returned the following errors: prompt is too long: 200049 tokens > 200000 maximum"},
     "https://github.com/daisuke-awaji/moca/issues/254"),
    ("deepseek", 400, _openai(_CONTEXT, "invalid_request_error"), "https://github.com/RooCodeInc/Roo-Code/issues/1767"),
    ("openrouter", 400,
     {"error": {"message": "This endpoint's maximum context length is 262000 tokens. However, you requested about 263390.",
                "code": 400, "metadata": {"provider_name": None}}},
     "https://github.com/earendil-works/pi/issues/6378"),
    ("openrouter", 400,
     {"error": {"message": "Provider returned error", "code": 400,
                "metadata": {"provider_name": "X", "raw": '{"error":{"message":"' + _CONTEXT + '"}}'}}},
     "https://github.com/truefoundry/models/pull/873"),
    ("litellm", 400, _openai(f"litellm.ContextWindowExceededError: OpenAIException - {_CONTEXT}", "400", None),
     "https://github.com/OpenHands/OpenHands/issues/8149"),
    ("xai", 400,
     {"code": "Client specified an invalid argument",
      "error": "This model's maximum prompt length is 131072 but the request contains 136973 tokens."},
     "https://github.com/cline/cline/issues/3120"),
    ("groq", 400, _openai("Please reduce the length of the messages or completion."), OVERFLOWS),
    ("mistral", 400,
     {"object": "error", "message": "Prompt contains 40000 tokens, too large for model with 32768 maximum context length",
      "type": "invalid_request_error"}, OVERFLOWS),
    ("moonshot", 400, _openai("Invalid request: Your request exceeded model token limit: 131072", None), OVERFLOWS),
    ("minimax", 400, {"error": {"message": "invalid params, context window exceeds limit (2013)", "type": "bad_request_error"}},
     OVERFLOWS),
    ("zhipu", 400, {"error": {"code": "1261", "message": "Prompt exceeds max length"}},
     "https://github.com/zeroclaw-labs/zeroclaw/issues/4124"),
    ("qwen", 400, _openai("Range of input length should be [1, 983616]", "invalid_parameter_error"),
     "https://github.com/QwenLM/qwen-code/issues/3652"),
    ("siliconflow", 400, {"code": 20015, "message": "length of prompt_tokens (57535) must be less than max_seq_len (32768)."},
     "https://github.com/langgenius/dify/issues/19394"),
    ("perplexity", 400,
     {"error": {"message": "The total length of all messages is too long.", "type": "too_many_prompt_tokens", "code": 400}},
     "perplexity.openai-chat.n.500c82c5c86b"),
    ("github-copilot", 400, {"error": {"message": "prompt token count of 154533 exceeds the limit of 128000",
                                       "code": "model_max_prompt_tokens_exceeded"}}, OVERFLOWS),
    ("cloudflare", 400, {"success": False, "errors": [{"code": 5021, "message": f"AiError: {_CONTEXT}"}]},
     "https://github.com/cloudflare/cloudflare-docs/issues/29731"),
    ("huggingface", 422, {"error": _INPUTS}, "https://github.com/huggingface/chat-ui/issues/1149"),
    ("vllm", 400, {"error": {"message": _CONTEXT, "type": "BadRequestError", "param": None, "code": 400}}, OVERFLOWS),
    ("sglang", 400,
     {"object": "error", "type": "BadRequestError", "code": 400,
      "message": "Requested token count exceeds the model's maximum context length of 131072 tokens."}, OVERFLOWS),
    ("lmstudio", 400, {"error": "The number of tokens to keep from the initial prompt is greater than the context length"},
     OVERFLOWS),
    ("ollama", 400, {"error": "the input length exceeds the context length"}, OVERFLOWS),
    ("ollama?dialect=openai_chat", 400, _openai("prompt too long; exceeded max context length by 9 tokens"), OVERFLOWS),
    ("llamacpp", 400, _LLAMA, "https://github.com/oobabooga/textgen/issues/7257"),
    ("llamacpp?dialect=anthropic_messages", 400, _LLAMA, "https://github.com/oobabooga/textgen/issues/7257"),
    ("llamacpp?dialect=openai_responses", 400, _LLAMA, "https://github.com/oobabooga/textgen/issues/7257"),
    ("llamacpp", 500, {"error": {**_LLAMA["error"], "code": 500, "type": "server_error"}},
     "https://github.com/ggml-org/llama.cpp/pull/15780"),
)  # fmt: skip

UNKNOWN_MODEL = (
    ("openai", 404, _openai("The model `x` does not exist or you do not have access to it.", "model_not_found"),
     "openai.openai-chat.n.ac557f0062c9"),
    ("anthropic", 404, _anthropic("model: there-is-no-such-model", "not_found_error"),
     "anthropic.anthropic-messages.n.4c416e93d613"),
    ("gemini", 404,
     _google(404, "models/x is not found for API version v1beta, or is not supported for countTokens.", "NOT_FOUND"),
     "google.count_tokens.gemini-count.0188cc636f47"),
    ("vertex", 404, _google(404, "Publisher Model `projects/p/models/x` not found.", "NOT_FOUND"),
     "google-vertex.gemini.n.ebd362c731ca"),
    ("cohere", 404, {"message": "model 'x' not found, make sure the correct model ID was used"},
     "cohere.cohere-v2.n.7d7a52c90b5a"),
    ("bedrock", 400, {"message": "The provided model identifier is invalid."}, "bedrock.bedrock-converse.n.e0eba3c88cc0"),
    ("ollama", 404, {"error": "model 'nonexistent-model:latest' not found"}, "ollama.ollama.n.b3d6309a63c7"),
    ("groq", 404, _openai("The model `x` does not exist or you do not have access to it.", "model_not_found"),
     "groq.openai-chat.n.cef56900cd10"),
    ("groq", 400, _openai("The model `x` has been decommissioned and is no longer supported.", "model_decommissioned"),
     "https://github.com/ItzCrazyKns/Vane/issues/771"),
    ("deepseek", 400, _openai("Model Not Exist", "invalid_request_error"), "https://github.com/deepwn/addi/issues/13"),
    ("mistral", 400,
     {"code": "1500", "message": "Invalid model: x", "object": "error", "param": None, "type": "invalid_model"},
     "mistral.embeddings.openai-embeddings.b3cbeb6078e9"),
    ("openrouter", 400, {"error": {"code": 400, "message": "Model no-such/embedding-model does not exist"}},
     "openrouter.embeddings.openai-embeddings.3c19756a82e4"),
    ("openrouter", 400, {"error": {"message": "google/gemini-2.0-pro-exp-02-05:free is not a valid model ID", "code": 400}},
     "https://github.com/maxnowack/anthropic-proxy/issues/4"),
    ("litellm", 400,
     _openai("400: {'error': '/chat/completions: Invalid model name passed in model=x. Call `/v1/models` …'}", 400, "None"),
     "https://github.com/BerriAI/litellm/issues/9663"),
    ("perplexity", 400, {"error": {"message": "Invalid model 'perplexity/sonar'. Permitted models can be found in …"}},
     "https://github.com/BerriAI/litellm/issues/37761"),
    ("huggingface", 400,
     _openai("The requested model 'x' is not supported by any provider you have enabled.", "model_not_supported"),
     "https://github.com/cline/cline/issues/5098"),
    ("siliconflow", 400, {"code": 20012, "message": "Model does not exist. Please check it carefully.", "data": None},
     "https://github.com/ErlichLiu/DeepClaude/issues/92"),
    ("venice", 404, {"error": "Specified model not found: venice-nonexistent-rig-test. Did you mean: …"},
     "venice.openai-chat.n.1aae31e5087a"),
)  # fmt: skip

WRONG_KEY = (
    ("openai?dialect=openai_responses", 401, _openai("Incorrect API key provided: <not-a-r****key>.", "invalid_api_key"),
     "openai.openai-responses.n.0fbc7cec1e05"),
    ("anthropic", 401, _anthropic("invalid x-api-key", "authentication_error"), "anthropic.anthropic-messages.n.192b6999004e"),
    ("gemini", 400, _google(400, "API key not valid. Please pass a valid API key.", "INVALID_ARGUMENT", _KEY_INVALID),
     "google.gemini.n.6ba78ce280dd"),
    ("gemini?dialect=openai_chat", 400,
     [_google(400, "API key not valid. Please pass a valid API key.", "INVALID_ARGUMENT", _KEY_INVALID)],
     "google.gemini.n.6ba78ce280dd"),
    ("gemini", 403,
     _google(403, "Method doesn't allow unregistered callers. Please use API Key or other form.", "PERMISSION_DENIED"),
     "google.gemini.n.55fa1abcdf47"),
    ("cohere", 401, {"message": "Incorrect API key provided: ***."}, "cohere.cohere-v2.n.c143ab90c59d"),
    ("bedrock", 403, {"message": "The security token included in the request is invalid."},
     "bedrock.bedrock-converse.n.7fc3c830033b"),
    ("deepseek", 401, _openai("Authentication Fails, Your api key: ****-key is invalid", "invalid_request_error"),
     "deepseek.openai-chat.n.aac2f8d697be"),
    ("mistral", 401, {"detail": "Invalid API Key"}, "mistral.openai-chat.n.2fc9de3f419d"),
    ("xai", 400, {"code": "Client specified an invalid argument", "error": "Incorrect API key provided: na***ys. You can …"},
     "https://github.com/continuedev/continue/issues/10778"),
    ("azure", 401,
     {"error": {"code": "401", "message": "Access denied due to invalid subscription key or wrong API endpoint."}},
     "azure.embeddings.openai-embeddings.010414b1c03a"),
)  # fmt: skip

NO_CREDIT = (
    ("openai", 429, _openai("You exceeded your current quota.", "insufficient_quota", "insufficient_quota"),
     "https://platform.openai.com/docs/guides/error-codes"),
    ("anthropic", 400, _anthropic("Your credit balance is too low to access the Anthropic API. Please go to Plans & Billing …"),
     "https://github.com/anthropics/claude-code/issues/66314"),
    ("gemini", 429, _google(429, "You exceeded your current quota.", "RESOURCE_EXHAUSTED", _PER_DAY),
     "https://ai.google.dev/gemini-api/docs/rate-limits"),
    ("xai", 403,
     {"code": "The caller does not have permission to execute the specified operation",
      "error": "Your team 8c268de0 has either used all available credits or reached its monthly spending limit."},
     "https://github.com/warpdotdev/warp/issues/14863"),
    ("xai", 429, {"error": "Your team 16f2151a has either used all available credits or reached its monthly spending limit."},
     "https://github.com/continuedev/continue/issues/10373"),
    ("fireworks", 412,
     {"error": {"message": "Account x is suspended, possibly due to reaching the monthly spending limit or failure to pay …",
                "param": None, "code": "PRECONDITION_FAILED", "type": "error"}},
     "https://github.com/pollinations/pollinations/issues/12136"),
)  # fmt: skip

RATE_LIMIT = (
    ("gemini", 429, _google(429, "Resource exhausted. Please try again later.", "RESOURCE_EXHAUSTED"),
     "google.gemini.n.21828995a608"),
    ("openrouter", 429, {"error": {"message": "Rate limit exceeded: limit_rpm/x. Please retry shortly.", "code": 429}},
     "openrouter.openai-chat.n.b0e85303391d"),
)  # fmt: skip

#: The types that Bedrock sends in a header.
_AWS_TYPES = {400: "ValidationException", 403: "UnrecognizedClientException"}


def samples() -> Iterator[Sample]:
    tables = zip(KINDS, (TOO_LONG, UNKNOWN_MODEL, WRONG_KEY, NO_CREDIT, RATE_LIMIT), strict=True)
    for kind, rows in tables:
        for target, status, body, source in rows:
            headers = _aws(_AWS_TYPES[status]) if target == "bedrock" else {}
            yield Sample(target, kind, status, body, source, headers)
