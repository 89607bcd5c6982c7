"""The named habits a manifest may list, and what every decoder tolerates unasked: each with its reason and a source. Data only.

A quirk changes how a dialect writes or reads for one provider or model; code asks `manifest.has("name")`. A tolerance is
read by every decoder, for every provider, because it can be told from the bytes alone. A quirk that no dialect asks for,
or one asked for that is not listed here, fails a test.
"""

from __future__ import annotations

from dataclasses import dataclass


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
    "no_encrypted_reasoning": Quirk(
        "`store` and `include: reasoning.encrypted_content` are refused, so neither is sent when a model thinks.",
        "https://platform.openai.com/docs/guides/reasoning#encrypted-reasoning-items",
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

TOLERANCES: dict[str, Quirk] = {}
