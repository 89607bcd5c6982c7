"""Samples of Cohere's chat format."""

from __future__ import annotations

from typing import Any

from ailib_sync.errors import RateLimited, ServerError

from . import FastSamples, Samples, sse


def event(kind: str, **keys: Any) -> tuple[str, Any]:
    return kind, {"type": kind, **keys}


USAGE = {"billed_units": {"input_tokens": 3, "output_tokens": 2}, "tokens": {"input_tokens": 9, "output_tokens": 2}}


CALL = {"id": "call_1", "type": "function", "function": {"name": "weather", "arguments": '{"city":"Ulm"}'}}


def text_frame(text: str) -> bytes:
    return sse({"type": "content-delta", "index": 0, "delta": {"message": {"content": {"text": text}}}})


def thinking_frame(text: str) -> bytes:
    return sse({"type": "content-delta", "index": 0, "delta": {"message": {"content": {"thinking": text}}}})


def arguments_frame(text: str) -> bytes:
    message = {"tool_calls": {"function": {"arguments": text}}}
    return sse({"type": "tool-call-delta", "index": 5, "delta": {"message": message}})


SAMPLES = Samples(
    model="cohere/command-a-03-2025",
    path="/v2/chat",
    responses=[
        {
            "id": "co-1",
            "finish_reason": "TOOL_CALL",
            "message": {
                "role": "assistant",
                "tool_plan": "I look.",
                "tool_calls": [CALL],
                "content": [{"type": "thinking", "thinking": "hm"}, {"type": "text", "text": "Grüße"}],
                "citations": [{"start": 0, "end": 2, "text": "G", "sources": []}],
            },
            "usage": USAGE,
        }
    ],
    streams=[
        [
            event("message-start", id="co-1", delta={"message": {"role": "assistant", "content": []}}),
            event("content-start", index=0, delta={"message": {"content": {"type": "thinking", "thinking": ""}}}),
            event("content-delta", index=0, delta={"message": {"content": {"thinking": "hm"}}}),
            event("content-end", index=0),
            event("content-start", index=1, delta={"message": {"content": {"type": "text", "text": ""}}}),
            event("content-delta", index=1, delta={"message": {"content": {"text": "Grüße"}}}),
            event("citation-start", index=0, delta={"message": {"citations": {"start": 0, "end": 1, "text": "G"}}}),
            event("citation-end", index=0),
            event("content-end", index=1),
            event("tool-plan-delta", delta={"message": {"tool_plan": "I look."}}),
            event(
                "tool-call-start",
                index=0,
                delta={"message": {"tool_calls": {**CALL, "function": {"name": "weather", "arguments": ""}}}},
            ),
            event("tool-call-delta", index=0, delta={"message": {"tool_calls": {"function": {"arguments": '{"city":"Ulm"}'}}}}),
            event("tool-call-end", index=0),
            event("message-end", delta={"finish_reason": "TOOL_CALL", "usage": USAGE}),
        ],
        [event("message-start", id="co-1"), event("message-end", delta={"finish_reason": "ERROR", "error": "busy"})],
    ],
    errors=[],
    wire_names={
        "temperature": {"temperature"},
        "max_tokens": {"max_tokens"},
        "top_p": {"p"},
        "top_k": {"k"},
        "stop": {"stop_sequences"},
        "seed": {"seed"},
        "frequency_penalty": {"frequency_penalty"},
        "presence_penalty": {"presence_penalty"},
        "tool_choice": {"tool_choice"},
        "response_format": {"response_format"},
    },
    extra={"safety_mode": "STRICT"},
    reasoning_styles={"budget"},
    unsupported={"audio", "documents"},
    less_exact_errors={"quota_exhausted": RateLimited, "stream overloaded": ServerError, "stream rate_limited": ServerError},
    recorded_as=("cohere-v2",),
    aimock=("cohere/command-a-03-2025", "/v2"),
    fast=FastSamples(
        text=text_frame,
        thinking=thinking_frame,
        arguments=arguments_frame,
        first=[
            sse({"type": "message-start", "id": "r1", "delta": {"message": {"role": "assistant"}}}),
            *(
                sse(
                    {
                        "type": "tool-call-start",
                        "index": index,
                        "delta": {
                            "message": {
                                "tool_calls": {"id": "t", "type": "function", "function": {"name": "f", "arguments": ""}}
                            }
                        },
                    }
                )
                for index in (4, 5)
            ),
        ],
        between=[
            sse({"type": "tool-call-end", "index": 5}),
            sse({"type": "citation-start", "index": 0, "delta": {"message": {"citations": {"start": 0, "end": 2}}}}),
        ],
        last=[sse({"type": "message-end", "delta": {"finish_reason": "COMPLETE", "usage": {"tokens": {"output_tokens": 2}}}})],
    ),
)
