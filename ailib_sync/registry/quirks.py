"""The quirks that a manifest may list, and the tolerances of every decoder, each with its reason and a source. Data only.

A quirk changes how a dialect renders or parses for one provider or model; code checks `manifest.has("name")`. A tolerance is
applied for every provider, because the bytes alone show it. A test fails if no dialect checks a quirk, or if a checked one is
not listed here.
"""

from __future__ import annotations

from .._dataclass import dataclass


@dataclass(frozen=True, slots=True)
class Quirk:
    """One quirk or tolerance: how it is handled and why, with a page that documents it."""

    reason: str
    link: str


QUIRKS: dict[str, Quirk] = {
    # OpenAI format: messages of a request.
    "developer_role": Quirk(
        "Reasoning models expect instructions with the role `developer`; older models and most other hosts only know `system`.",
        "https://platform.openai.com/docs/guides/text#message-roles-and-instruction-following",
    ),
    "system_first": Quirk(
        "The chat template allows one system message, at the start: all system messages are merged and moved there.",
        "https://docs.vllm.ai/en/latest/serving/openai_compatible_server.html#chat-template",
    ),
    "merge_adjacent_roles": Quirk(
        "User and assistant messages must alternate, so adjacent messages with the same role are merged.",
        "https://docs.vllm.ai/en/latest/serving/openai_compatible_server.html#chat-template",
    ),
    "string_content": Quirk(
        "Content that is only text must be one string; a list of text parts is rejected.",
        "https://developers.cloudflare.com/workers-ai/configuration/open-ai-compatibility/",
    ),
    "empty_tool_content": Quirk(
        'An assistant message that only has tool calls needs `"content": ""`; null is rejected.',
        "https://developers.cloudflare.com/workers-ai/configuration/open-ai-compatibility/",
    ),
    "tool_result_name": Quirk(
        "A tool's result contains the name of the tool, in addition to the id of the call.",
        "https://docs.mistral.ai/capabilities/function_calling/",
    ),
    "assistant_after_tool": Quirk(
        "A user message must not follow a tool's result (error 3230), and an assistant's turn must not be empty.",
        "https://docs.mistral.ai/capabilities/function_calling/",
    ),
    "nine_character_ids": Quirk(
        "Tool call ids must be exactly nine letters or digits; others are replaced by a digest, the same in call and result.",
        "https://docs.mistral.ai/capabilities/function_calling/",
    ),
    "prefill_prefix": Quirk(
        "An assistant message may only be the last one with `prefix: true`; the model then continues it.",
        "https://docs.mistral.ai/capabilities/completion/usage/",
    ),
    "no_file_parts": Quirk(
        "Parts of type `file` are rejected, so a document is an error before anything is sent (text documents become text).",
        "https://learn.microsoft.com/azure/ai-foundry/openai/reference",
    ),
    "audio_data_uri": Quirk(
        "`input_audio.data` contains a data URI or a URL, not plain base64.",
        "https://help.aliyun.com/zh/model-studio/qwen-omni",
    ),
    "cache_control": Quirk(
        "A part of a message and a tool may have Anthropic's `cache_control`, which the host gives to models that support it.",
        "https://openrouter.ai/docs/features/prompt-caching",
    ),
    "cache_breakpoints": Quirk(
        "A part of a message may have a `prompt_cache_breakpoint`.",
        "https://platform.openai.com/docs/guides/prompt-caching",
    ),
    "no_strict_tools": Quirk(
        "`strict` in a tool is rejected or ignored, so it is omitted with a warning.",
        "https://platform.moonshot.ai/docs/api/tool-use",
    ),
    "no_stream_usage": Quirk(
        "`stream_options` is rejected or ignored; the last chunk of a stream contains the usage without it, or never does.",
        "https://docs.mistral.ai/api/",
    ),
    "no_forced_tools_while_thinking": Quirk(
        "`tool_choice` can only force a call if thinking is off; otherwise it becomes `auto`, with a warning.",
        "https://api-docs.deepseek.com/guides/thinking_mode",
    ),
    # Bedrock's format.
    "no_cache_points": Quirk(
        "The model supports no `cachePoint`, so cache marks are left out with a warning.",
        "https://docs.aws.amazon.com/bedrock/latest/userguide/prompt-caching.html",
    ),
    # Anthropic format: messages of a request.
    "mid_conversation_system": Quirk(
        "A system message may follow a user message inside the conversation; other models need all of them at the top.",
        "https://platform.claude.com/docs/en/build-with-claude/mid-conversation-system-messages",
    ),
    # OpenAI format: thinking in the history.
    "replay_reasoning_content": Quirk(
        "If thinking is on, an assistant message with tool calls must contain its `reasoning_content`, even if it is empty.",
        "https://api-docs.deepseek.com/guides/thinking_mode",
    ),
    "replay_reasoning": Quirk(
        "Thinking is sent back in the field `reasoning` of the assistant message.",
        "https://inference-docs.cerebras.ai/capabilities/reasoning",
    ),
    "replay_reasoning_details": Quirk(
        "`reasoning_details` (signed or encrypted thinking) is sent back unchanged, so that the model can continue.",
        "https://openrouter.ai/docs/use-cases/reasoning-tokens#preserving-reasoning-blocks",
    ),
    "replay_thinking_blocks": Quirk(
        "`thinking_blocks` (thinking with Anthropic's signatures) is sent back unchanged.",
        "https://docs.litellm.ai/docs/reasoning_content",
    ),
    "replay_thinking_parts": Quirk(
        "Thinking is sent back as a content part of the same type (`thinking` or `reasoning`), before the text.",
        "https://docs.mistral.ai/capabilities/reasoning/",
    ),
    "replay_think_tags": Quirk(
        "Thinking is sent back in the content, between `<think>` and `</think>`.",
        "https://inference-docs.cerebras.ai/capabilities/reasoning",
    ),
    "replay_extra_content": Quirk(
        "Additional fields of a message or a tool call (`extra_content` with a thought signature) are sent back.",
        "https://ai.google.dev/gemini-api/docs/openai#thought-signatures",
    ),
    "replay_audio": Quirk(
        "An audio response of the assistant is sent back as the id of its audio.",
        "https://platform.openai.com/docs/guides/audio",
    ),
    # Responses format: items of a request.
    "calls_last": Quirk(
        "The calls of a message must be adjacent, directly before their outputs, so they follow its text and thinking.",
        "https://github.com/deepseek-ai/awesome-deepseek-integration/issues/740",
    ),
    # OpenAI format: responses.
    "think_tags": Quirk(
        "Thinking is at the start of the content, between `<think>` and `</think>`; it is separated from the text.",
        "https://platform.minimax.io/docs/guides/text-m2-function-call",
    ),
    "reasoning_not_in_completion": Quirk(
        "`completion_tokens` does not include the reasoning tokens, so they are added.",
        "https://docs.x.ai/docs/guides/reasoning",
    ),
    # Gemini and Cohere formats.
    "thought_signatures_required": Quirk(
        "A message of the model is rejected if its first function call has no thought signature; a call of another model "
        "gets the documented placeholder.",
        "https://ai.google.dev/gemini-api/docs/thought-signatures",
    ),
    "media_in_function_response": Quirk(
        "Images and files of a tool's result are sent inside its functionResponse; older models need them after it.",
        "https://ai.google.dev/gemini-api/docs/function-calling#multimodal",
    ),
    "no_function_call_ids": Quirk(
        "The service rejects `id` in functionCall and functionResponse, so calls and results are matched by name and order.",
        "https://github.com/BerriAI/litellm/pull/34603",
    ),
    "system_in_first_user": Quirk(
        "The model has no system instruction; it is put at the start of the first user message.",
        "https://ai.google.dev/gemma/docs/core/prompt-structure#system-instructions",
    ),
    "no_response_format_with_tools": Quirk(
        "A JSON response format is rejected together with tools, so it is omitted with a warning.",
        "https://docs.cohere.com/docs/structured-outputs",
    ),
    "streams_only": Quirk(
        "The model rejects requests that are not streamed, so a complete response is read from a stream.",
        "https://www.alibabacloud.com/help/en/model-studio/deep-thinking",
    ),
    "json_word": Quirk(
        "JSON mode is rejected if no message has the word `json`, so a system message with it is added, with a warning.",
        "https://api-docs.deepseek.com/guides/json_mode",
    ),
    "strict_schemas": Quirk(
        "A strict schema must have closed objects with all properties required, and no other keywords; others are adapted.",
        "https://platform.openai.com/docs/guides/structured-outputs#supported-schemas",
    ),
    # Anthropic's format.
    "signed_thinking": Quirk(
        "Each block of thinking has a signature. One without it was cut, and is rejected when it is sent back.",
        "https://platform.claude.com/docs/en/build-with-claude/extended-thinking#thinking-encryption",
    ),
    # Token counts.
    "flat_count_tokens": Quirk(
        "A token count has the fields of a chat in its body, not in `generateContentRequest`.",
        "https://cloud.google.com/vertex-ai/generative-ai/docs/model-reference/count-tokens",
    ),
    # Embeddings.
    "int8_vectors": Quirk(
        "The base64 of a vector holds signed bytes, not float32 values.",
        "https://docs.perplexity.ai/api-reference/embeddings-post",
    ),
}

#: What every decoder accepts, for every provider.
TOLERANCES: dict[str, Quirk] = {
    # OpenAI format: text and thinking.
    "reasoning_in_four_places": Quirk(
        "Thinking is read from `reasoning_content`, `reasoning`, `reasoning_text` or `reasoning_details`, the first that has "
        "text; hosts that send two of them send the same text twice.",
        "https://openrouter.ai/docs/use-cases/reasoning-tokens",
    ),
    "content_parts": Quirk(
        "Content may be a list of typed parts; `thinking` and `reasoning` parts are thinking, unknown ones are kept.",
        "https://docs.mistral.ai/capabilities/reasoning/",
    ),
    "content_object": Quirk(
        "Content may be a JSON object if JSON was requested; it becomes JSON text.",
        "https://developers.cloudflare.com/workers-ai/features/json-mode/",
    ),
    "message_missing": Quirk(
        "A choice that a content filter blocked may have no message.",
        "https://learn.microsoft.com/azure/ai-foundry/openai/concepts/content-filter",
    ),
    "empty_choices": Quirk(
        "Chunks without choices contain usage, filter results or nothing, at the start and the end of a stream.",
        "https://learn.microsoft.com/azure/ai-foundry/openai/concepts/content-streaming",
    ),
    "first_id_wins": Quirk(
        "A router may send another id or model in its last chunks; the first ones are used.",
        "https://openrouter.ai/docs/api-reference/streaming",
    ),
    # OpenAI format: tool calls.
    "tool_index_missing": Quirk(
        "Fragments without an index belong to the call with their id, otherwise to the last call.",
        "https://docs.mistral.ai/capabilities/function_calling/",
    ),
    "tool_index_shared": Quirk(
        "A new id with a name begins a new call, even with the index of an earlier one.",
        "https://github.com/NousResearch/hermes-agent/pull/12930",
    ),
    "tool_id_repeated_empty": Quirk(
        "Later fragments may repeat the id as an empty string.",
        "https://www.alibabacloud.com/help/en/model-studio/qwen-function-calling",
    ),
    "tool_id_missing": Quirk(
        "A call without an id gets a generated one, from the response's id and the call's number.",
        "https://ai.google.dev/gemini-api/docs/openai",
    ),
    "tool_arguments_object": Quirk(
        "Arguments may be an object instead of JSON text.",
        "https://docs.ollama.com/capabilities/tool-calling",
    ),
    "legacy_function_call": Quirk(
        "`function_call`, the predecessor of `tool_calls`, is read as one tool call.",
        "https://platform.openai.com/docs/api-reference/chat/object",
    ),
    # OpenAI format: end of a stream, usage and errors.
    "finish_reason_empty": Quirk(
        'A finish reason of "" means the same as null.',
        "https://github.com/sgl-project/sglang/issues/3912",
    ),
    "stop_after_tool_calls": Quirk(
        "A finish reason of `stop` after tool calls means `tool_calls`.",
        "https://docs.x.ai/docs/guides/function-calling",
    ),
    "done_or_finish_reason": Quirk(
        "A stream is complete with `[DONE]` or with a finish reason, because hosts omit one or the other. A connection that "
        "breaks after the finish reason is not an error.",
        "https://github.com/pydantic/pydantic-ai/issues/2996",
    ),
    "usage_elsewhere": Quirk(
        "Usage is in the last chunk, its choice, or `x_groq`; the last one is used. Cached tokens are in one of five fields.",
        "https://console.groq.com/docs/api-reference",
    ),
    "error_with_status_200": Quirk(
        "A response or a chunk may contain an error, with or without a choice; a status in it is read as the HTTP status.",
        "https://openrouter.ai/docs/api-reference/errors#error-handling-during-streaming",
    ),
}
