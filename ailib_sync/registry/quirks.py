"""The named habits a manifest may list, and what every decoder tolerates unasked: each with its reason and a source. Data only.

A quirk changes how a dialect writes or reads for one provider or model; code asks `manifest.has("name")`. A tolerance is
read by every decoder, for every provider, because it can be told from the bytes alone. A quirk that no dialect asks for,
or one asked for that is not listed here, fails a test.
"""

from __future__ import annotations

from .._dataclass import dataclass


@dataclass(frozen=True, slots=True)
class Quirk:
    """One habit: what we do about it and why, with a page that says so."""

    reason: str
    link: str


QUIRKS: dict[str, Quirk] = {
    # Messages of the OpenAI format, going out.
    "developer_role": Quirk(
        "Reasoning models take instructions as role `developer`; older models and nearly all other hosts know `system` only.",
        "https://platform.openai.com/docs/guides/text#message-roles-and-instruction-following",
    ),
    "system_first": Quirk(
        "The chat template allows one system message, at the front: all of them are merged and moved there.",
        "https://docs.vllm.ai/en/latest/serving/openai_compatible_server.html#chat-template",
    ),
    "merge_adjacent_roles": Quirk(
        "User and assistant must alternate, so neighbours with the same role become one message.",
        "https://docs.vllm.ai/en/latest/serving/openai_compatible_server.html#chat-template",
    ),
    "string_content": Quirk(
        "Content that is text alone must be one string; a list of text parts is refused.",
        "https://developers.cloudflare.com/workers-ai/configuration/open-ai-compatibility/",
    ),
    "empty_tool_content": Quirk(
        'An assistant message that only calls tools must say `"content": ""`; null is refused.',
        "https://developers.cloudflare.com/workers-ai/configuration/open-ai-compatibility/",
    ),
    "tool_result_name": Quirk(
        "A tool's result names the tool beside the call's id.",
        "https://docs.mistral.ai/capabilities/function_calling/",
    ),
    "nine_character_ids": Quirk(
        "Tool call ids must be exactly nine letters or digits; others are replaced by a digest, alike in call and result.",
        "https://docs.mistral.ai/capabilities/function_calling/",
    ),
    "prefill_prefix": Quirk(
        "An assistant message may come last only with `prefix: true`, and is then continued.",
        "https://docs.mistral.ai/capabilities/completion/usage/",
    ),
    "no_file_parts": Quirk(
        "Parts of type `file` are refused, so a document raises before anything is sent (text documents go as text).",
        "https://learn.microsoft.com/azure/ai-foundry/openai/reference",
    ),
    "audio_data_uri": Quirk(
        "Audio goes as a data URI or an address in `input_audio.data`, not as bare base64.",
        "https://help.aliyun.com/zh/model-studio/qwen-omni",
    ),
    "no_strict_tools": Quirk(
        "`strict` in a tool is refused or ignored, so it is left out with a warning.",
        "https://platform.moonshot.ai/docs/api/tool-use",
    ),
    "no_stream_usage": Quirk(
        "`stream_options` is refused or ignored; the last chunk of a stream carries usage unasked, or none does.",
        "https://docs.mistral.ai/api/",
    ),
    "no_forced_tools_while_thinking": Quirk(
        "`tool_choice` may demand a call only while thinking is off; otherwise it becomes `auto`, with a warning.",
        "https://api-docs.deepseek.com/guides/thinking_mode",
    ),
    # Messages of the Anthropic format, going out.
    "mid_conversation_system": Quirk(
        "The model takes a system message inside the conversation, after a user's turn; elsewhere all of them go to the top.",
        "https://platform.claude.com/docs/en/build-with-claude/mid-conversation-system-messages",
    ),
    # Thinking of the OpenAI format, sent back.
    "replay_reasoning_content": Quirk(
        "While the model thinks, an assistant turn with tool calls must return its `reasoning_content`, be it empty.",
        "https://api-docs.deepseek.com/guides/thinking_mode",
    ),
    "replay_reasoning": Quirk(
        "Thinking goes back in the assistant message's field `reasoning`.",
        "https://inference-docs.cerebras.ai/capabilities/reasoning",
    ),
    "replay_reasoning_details": Quirk(
        "`reasoning_details` (signed or encrypted thinking) goes back unchanged for the model to go on from it.",
        "https://openrouter.ai/docs/use-cases/reasoning-tokens#preserving-reasoning-blocks",
    ),
    "replay_thinking_blocks": Quirk(
        "`thinking_blocks` (thinking with Anthropic's signatures) goes back unchanged.",
        "https://docs.litellm.ai/docs/reasoning_content",
    ),
    "replay_thinking_parts": Quirk(
        "Thinking goes back as the content part it came in (`thinking` or `reasoning`), before the text.",
        "https://docs.mistral.ai/capabilities/reasoning/",
    ),
    "replay_think_tags": Quirk(
        "Thinking goes back inside the content, between `<think>` and `</think>`.",
        "https://inference-docs.cerebras.ai/capabilities/reasoning",
    ),
    "replay_extra_content": Quirk(
        "What stands in a message or a tool call beside the usual keys (`extra_content` with a thought signature) goes back.",
        "https://ai.google.dev/gemini-api/docs/openai#thought-signatures",
    ),
    "replay_audio": Quirk(
        "An assistant's spoken answer goes back as the id of its audio.",
        "https://platform.openai.com/docs/guides/audio",
    ),
    # Items of the Responses format, going out.
    "calls_last": Quirk(
        "A turn's calls must stand together, right before their outputs, so they follow its texts and thoughts.",
        "https://github.com/deepseek-ai/awesome-deepseek-integration/issues/740",
    ),
    # Answers of the OpenAI format, coming in.
    "think_tags": Quirk(
        "Thinking comes at the start of the content, between `<think>` and `</think>`; it is taken out of the text.",
        "https://platform.minimax.io/docs/guides/text-m2-function-call",
    ),
    "reasoning_not_in_completion": Quirk(
        "`completion_tokens` leaves out the reasoning tokens, so they are added.",
        "https://docs.x.ai/docs/guides/reasoning",
    ),
    # Gemini's format, and Cohere's.
    "thought_signatures_required": Quirk(
        "A step of the model's whose first function call has no thought signature is refused; a call that another model "
        "made gets the documented stand-in.",
        "https://ai.google.dev/gemini-api/docs/thought-signatures",
    ),
    "media_in_function_response": Quirk(
        "Pictures and files of a tool's result go inside its functionResponse; older models want them beside it.",
        "https://ai.google.dev/gemini-api/docs/function-calling#multimodal",
    ),
    "no_function_call_ids": Quirk(
        "The service refuses `id` in functionCall and functionResponse as an unknown field, so calls go by name and order.",
        "https://github.com/BerriAI/litellm/pull/34603",
    ),
    "system_in_first_user": Quirk(
        "The model knows no system instruction; it stands at the front of the first user turn.",
        "https://ai.google.dev/gemma/docs/core/prompt-structure#system-instructions",
    ),
    "no_response_format_with_tools": Quirk(
        "JSON as the answer's format is refused together with tools, so it is left out with a warning.",
        "https://docs.cohere.com/docs/structured-outputs",
    ),
}

#: What decoders read for every provider, unasked.
TOLERANCES: dict[str, Quirk] = {
    # Text and thinking of the OpenAI format.
    "reasoning_in_four_places": Quirk(
        "Thinking is read from `reasoning_content`, `reasoning`, `reasoning_text` or `reasoning_details`, the first that holds "
        "text; hosts that send two of them send the same text twice.",
        "https://openrouter.ai/docs/use-cases/reasoning-tokens",
    ),
    "content_parts": Quirk(
        "Content may be a list of typed parts; `thinking` and `reasoning` parts are thinking, unknown ones are kept.",
        "https://docs.mistral.ai/capabilities/reasoning/",
    ),
    "content_object": Quirk(
        "Content may be a JSON object where JSON was asked for; it is given as its text.",
        "https://developers.cloudflare.com/workers-ai/features/json-mode/",
    ),
    "message_missing": Quirk(
        "A choice that a filter blocked may have no message at all.",
        "https://learn.microsoft.com/azure/ai-foundry/openai/concepts/content-filter",
    ),
    "empty_choices": Quirk(
        "Chunks without choices carry usage, filter results or nothing, at the beginning and the end of a stream.",
        "https://learn.microsoft.com/azure/ai-foundry/openai/concepts/content-streaming",
    ),
    "first_id_stands": Quirk(
        "A router may give another id or model in its last chunks; the first ones stand.",
        "https://openrouter.ai/docs/api-reference/streaming",
    ),
    # Tool calls of the OpenAI format.
    "tool_index_missing": Quirk(
        "Fragments without an index belong to the call with their id, else to the last call.",
        "https://docs.mistral.ai/capabilities/function_calling/",
    ),
    "tool_index_shared": Quirk(
        "A new id with a name begins a new call, also under an index that is taken.",
        "https://github.com/NousResearch/hermes-agent/pull/12930",
    ),
    "tool_id_repeated_empty": Quirk(
        "Later fragments may repeat the id as an empty string.",
        "https://www.alibabacloud.com/help/en/model-studio/qwen-function-calling",
    ),
    "tool_id_missing": Quirk(
        "A call without an id gets one of our making, from the answer's id and the call's number.",
        "https://ai.google.dev/gemini-api/docs/openai",
    ),
    "tool_arguments_object": Quirk(
        "Arguments may be an object in place of its text.",
        "https://docs.ollama.com/capabilities/tool-calling",
    ),
    "legacy_function_call": Quirk(
        "`function_call`, the form before `tool_calls`, is read as one tool call.",
        "https://platform.openai.com/docs/api-reference/chat/object",
    ),
    # Ends, usage and errors of the OpenAI format.
    "finish_reason_empty": Quirk(
        'A finish reason of "" says as little as null.',
        "https://github.com/sgl-project/sglang/issues/3912",
    ),
    "stop_after_tool_calls": Quirk(
        "A finish reason of `stop` after tool calls means that the tools are to be called.",
        "https://docs.x.ai/docs/guides/function-calling",
    ),
    "done_or_finish_reason": Quirk(
        "A stream is complete with `[DONE]` or with a finish reason: hosts leave out either. What breaks after a finish reason "
        "has broken nothing.",
        "https://github.com/pydantic/pydantic-ai/issues/2996",
    ),
    "usage_elsewhere": Quirk(
        "Usage stands in the last chunk, in its choice, or in `x_groq`; the last one counts. Cached tokens have five places.",
        "https://console.groq.com/docs/api-reference",
    ),
    "error_with_status_200": Quirk(
        "An answer or a chunk may hold an error in place of a choice or beside one; a status that it names counts as one.",
        "https://openrouter.ai/docs/api-reference/errors#error-handling-during-streaming",
    ),
}
