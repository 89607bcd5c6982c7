"""Samples of Converse."""

from __future__ import annotations

from ailib_sync.errors import InvalidRequest

from . import Samples

USAGE = {"inputTokens": 9, "outputTokens": 3, "totalTokens": 12, "cacheReadInputTokens": 1}


SAMPLES = Samples(
    model="bedrock/anthropic.claude-sonnet-4-5-v1:0",
    path="/model/m/converse",
    responses=[
        {
            "output": {
                "message": {
                    "role": "assistant",
                    "content": [
                        {"reasoningContent": {"reasoningText": {"text": "hm", "signature": "s"}}},
                        {"reasoningContent": {"redactedContent": "eHg="}},
                        {"text": "Grüße"},
                        {"toolUse": {"toolUseId": "t1", "name": "weather", "input": {"city": "Ulm"}}},
                        {"citationsContent": {"content": [{"text": "c"}], "citations": [{"title": "T"}]}},
                    ],
                }
            },
            "stopReason": "tool_use",
            "usage": USAGE,
            "metrics": {"latencyMs": 9},
        }
    ],
    streams=[
        [
            ("messageStart", {"role": "assistant"}),
            ("contentBlockDelta", {"contentBlockIndex": 0, "delta": {"reasoningContent": {"text": "hm"}}}),
            ("contentBlockDelta", {"contentBlockIndex": 0, "delta": {"reasoningContent": {"signature": "s"}}}),
            ("contentBlockStop", {"contentBlockIndex": 0}),
            ("contentBlockDelta", {"contentBlockIndex": 1, "delta": {"text": "Grüße"}}),
            ("contentBlockDelta", {"contentBlockIndex": 1, "delta": {"citation": {"title": "T"}}}),
            ("contentBlockStop", {"contentBlockIndex": 1}),
            ("contentBlockStart", {"contentBlockIndex": 2, "start": {"toolUse": {"toolUseId": "t1", "name": "weather"}}}),
            ("contentBlockDelta", {"contentBlockIndex": 2, "delta": {"toolUse": {"input": '{"city":"Ulm"}'}}}),
            ("contentBlockStop", {"contentBlockIndex": 2}),
            ("contentBlockStart", {"contentBlockIndex": 3, "start": {"toolResult": {"toolUseId": "t2", "type": "x"}}}),
            ("contentBlockDelta", {"contentBlockIndex": 3, "delta": {"toolResult": [{"text": "r"}]}}),
            ("contentBlockStop", {"contentBlockIndex": 3}),
            ("messageStop", {"stopReason": "tool_use", "additionalModelResponseFields": {"stop_sequence": "END"}}),
            ("metadata", {"usage": USAGE, "metrics": {"latencyMs": 3}}),
        ],
        [
            ("messageStart", {"role": "assistant"}),
            ("error", {"type": "error", "error": {"type": "throttlingException", "message": "slow"}}),
        ],
    ],
    errors=[{"message": "bad", "__type": "com.amazon#ValidationException"}],
    wire_names={
        "temperature": {"temperature"},
        "max_tokens": {"maxTokens"},
        "top_p": {"topP"},
        "stop": {"stopSequences"},
        "tool_choice": {"toolChoice"},
        "response_format": {"outputConfig"},
    },
    extra={"requestMetadata": {"who": "u-1"}},
    reasoning_styles={
        "budget",
        "adaptive",
        "effort",
        "reasoning_effort",
        "reasoning_object",
        "reasoning_config",
        "max_reasoning_effort",
    },
    unsupported={"image URLs"},
    less_exact_errors={"request_too_large": InvalidRequest},
    recorded_as=("bedrock-converse",),
    aimock=("bedrock/us.anthropic.claude-sonnet-4-6", ""),
)
