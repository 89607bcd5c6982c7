"""Samples of generateContent."""

from __future__ import annotations

from typing import Any

from ailib_sync.errors import InvalidRequest

from . import FastSamples, Samples, sse


def response(*parts: Any, finish: str | None = None, **keys: Any) -> dict[str, Any]:
    candidate: dict[str, Any] = {"content": {"role": "model", "parts": list(parts)}, "index": 0}
    if finish:
        candidate |= {"finishReason": finish, "safetyRatings": [{"category": "HARM", "probability": "LOW"}]}
    usage = {"promptTokenCount": 4, "candidatesTokenCount": 2, "totalTokenCount": 6, "thoughtsTokenCount": 1}
    return {"candidates": [candidate], "usageMetadata": usage, "modelVersion": "g-1", "responseId": "r-1", **keys}


def text_frame(text: str) -> bytes:
    return sse({"candidates": [{"content": {"parts": [{"text": text}], "role": "model"}}], "modelVersion": "m"})


def thinking_frame(text: str) -> bytes:
    return sse({"candidates": [{"content": {"parts": [{"thought": True, "text": text}], "role": "model"}}]})


SAMPLES = Samples(
    model="gemini/gemini-2.0-flash",
    path="/v1beta/models/gemini-3-pro:generateContent",
    responses=[
        response(
            {"text": "hm", "thought": True, "thoughtSignature": "s"},
            {"text": "Grüße"},
            {"functionCall": {"id": "f1", "name": "weather", "args": {"city": "Ulm"}}},
            {"executableCode": {"language": "PYTHON", "code": "1"}},
            {"inlineData": {"mimeType": "image/png", "data": "AAAA"}},
            finish="STOP",
        ),
        {"promptFeedback": {"blockReason": "SAFETY"}, "usageMetadata": {"promptTokenCount": 3}},
    ],
    streams=[
        [
            ("message", response({"text": "hm", "thought": True})),
            ("message", response({"text": "Grü"})),
            ("message", response({"text": "ße"}, {"functionCall": {"name": "weather", "args": {"city": "Ulm"}}})),
            ("message", response({"text": "", "thoughtSignature": "s"}, finish="STOP")),
        ],
        [
            ("message", response({"text": "a"})),
            ("message", {"error": {"code": 503, "message": "busy", "status": "UNAVAILABLE"}}),
        ],
    ],
    errors=[
        {
            "error": {
                "code": 429,
                "message": "quota",
                "status": "RESOURCE_EXHAUSTED",
                "details": [
                    {"@type": "type.googleapis.com/google.rpc.RetryInfo", "retryDelay": "7s"},
                    {
                        "@type": "type.googleapis.com/google.rpc.ErrorInfo",
                        "reason": "RATE_LIMIT_EXCEEDED",
                        "metadata": {"a": "b"},
                    },
                ],
            }
        },
        [{"error": {"code": 400, "message": "bad", "status": "INVALID_ARGUMENT"}}],
    ],
    wire_names={
        "temperature": {"temperature"},
        "max_tokens": {"maxOutputTokens"},
        "top_p": {"topP"},
        "top_k": {"topK"},
        "stop": {"stopSequences"},
        "seed": {"seed"},
        "frequency_penalty": {"frequencyPenalty"},
        "presence_penalty": {"presencePenalty"},
        "tool_choice": {"toolConfig"},
        "response_format": {"responseJsonSchema", "responseMimeType"},
    },
    extra={"safetySettings": [{"category": "HARM_CATEGORY_HARASSMENT", "threshold": "OFF"}]},
    reasoning_styles={"budget", "level"},
    less_exact_errors={"request_too_large": InvalidRequest},
    recorded_as=("gemini",),
    aimock=("gemini/gemini-2.5-flash", "/v1beta"),
    fast=FastSamples(
        text=text_frame,
        thinking=thinking_frame,
        arguments=None,
        first=[],
        between=[
            sse({"candidates": [{"content": {"parts": [{"text": "s", "thoughtSignature": "AA=="}], "role": "model"}}]}),
            sse({"candidates": [{"content": {"parts": [{"text": "t", "thought": True}], "role": "model"}}]}),
            sse({"candidates": [{"content": {"parts": [{"thought": True, "text": "t", "thoughtSignature": "AA=="}]}}]}),
            sse({"candidates": [], "usageMetadata": {"promptTokenCount": 3}}),
        ],
        last=[sse({"candidates": [{"content": {"parts": [{"text": "."}]}, "finishReason": "STOP"}]})],
    ),
)
