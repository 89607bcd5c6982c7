"""Samples of the Responses API."""

from __future__ import annotations

from typing import Any

from ailib_sync.errors import ServerError

from . import FastSamples, Samples, sse


def event(kind: str, **keys: Any) -> tuple[str, Any]:
    return kind, {"type": kind, "sequence_number": 1, **keys}


OUTPUT = [
    {"type": "reasoning", "id": "rs_1", "summary": [{"type": "summary_text", "text": "hm"}], "encrypted_content": "x"},
    {
        "type": "message",
        "id": "msg_1",
        "role": "assistant",
        "status": "completed",
        "content": [{"type": "output_text", "text": "Grüße", "annotations": []}, {"type": "refusal", "refusal": "no"}],
    },
    {"type": "function_call", "id": "fc_1", "call_id": "call_1", "name": "weather", "arguments": '{"city":"Ulm"}'},
    {"type": "web_search_call", "id": "ws_1", "status": "completed", "action": {"type": "search", "query": "q"}},
]


RESPONSE = {
    "id": "resp_1",
    "object": "response",
    "status": "completed",
    "model": "m-1",
    "error": None,
    "incomplete_details": None,
    "output": OUTPUT,
    "usage": {
        "input_tokens": 9,
        "output_tokens": 5,
        "total_tokens": 14,
        "input_tokens_details": {"cached_tokens": 2},
        "output_tokens_details": {"reasoning_tokens": 1},
    },
}


def text_frame(text: str) -> bytes:
    return sse({"type": "response.output_text.delta", "item_id": "i", "output_index": 0, "delta": text})


def thinking_frame(text: str) -> bytes:
    path = {"item_id": "rs", "output_index": 7, "summary_index": 0}
    return sse({"type": "response.reasoning_summary_text.delta", **path, "delta": text})


def arguments_frame(text: str) -> bytes:
    return sse({"type": "response.function_call_arguments.delta", "item_id": "fc", "output_index": 5, "delta": text})


SAMPLES = Samples(
    model="openai/gpt-4o",
    path="/v1/responses",
    responses=[RESPONSE],
    streams=[
        [
            event("response.created", response={**RESPONSE, "status": "in_progress", "output": [], "usage": None}),
            event("response.output_item.added", output_index=0, item={"type": "reasoning", "id": "rs_1", "summary": []}),
            event(
                "response.reasoning_summary_part.added",
                item_id="rs_1",
                output_index=0,
                summary_index=0,
                part={"type": "summary_text"},
            ),
            event("response.reasoning_summary_text.delta", item_id="rs_1", output_index=0, summary_index=0, delta="hm"),
            event("response.output_item.done", output_index=0, item=OUTPUT[0]),
            event("response.output_item.added", output_index=1, item={"type": "message", "id": "msg_1", "content": []}),
            event(
                "response.content_part.added", item_id="msg_1", output_index=1, content_index=0, part={"type": "output_text"}
            ),
            event("response.output_text.delta", item_id="msg_1", output_index=1, content_index=0, delta="Grüße"),
            event(
                "response.output_text.annotation.added",
                item_id="msg_1",
                output_index=1,
                content_index=0,
                annotation={"type": "x"},
            ),
            event("response.output_text.done", item_id="msg_1", output_index=1, content_index=0, text="Grüße"),
            event("response.refusal.delta", item_id="msg_1", output_index=1, content_index=1, delta="no"),
            event("response.output_item.done", output_index=1, item=OUTPUT[1]),
            event("response.output_item.added", output_index=2, item={**OUTPUT[2], "arguments": ""}),
            event("response.function_call_arguments.delta", item_id="fc_1", output_index=2, delta='{"city":"Ulm"}'),
            event("response.function_call_arguments.done", item_id="fc_1", output_index=2, arguments='{"city":"Ulm"}'),
            event("response.output_item.done", output_index=2, item=OUTPUT[2]),
            event("response.output_item.done", output_index=3, item=OUTPUT[3]),
            event("response.completed", response=RESPONSE),
        ],
        [
            event("response.created", response={"id": "resp_1"}),
            event("response.failed", response={"status": "failed", "error": {"code": "server_error", "message": "oh"}}),
        ],
        [event("error", code="rate_limit_exceeded", message="slow", param=None)],
    ],
    errors=[],
    wire_names={
        "temperature": {"temperature"},
        "max_tokens": {"max_output_tokens"},
        "top_p": {"top_p"},
        "tool_choice": {"tool_choice"},
        "parallel_tool_calls": {"parallel_tool_calls"},
        "response_format": {"text"},
    },
    extra={"metadata": {"who": "u-1"}},
    reasoning_styles={"effort"},
    unsupported={"audio", "stop"},
    less_exact_errors={"stream overloaded": ServerError},
    recorded_as=("openai-responses",),
    aimock=("openai/gpt-4o", "/v1"),
    fast=FastSamples(
        text=text_frame,
        thinking=thinking_frame,
        arguments=arguments_frame,
        first=[
            sse({"type": "response.output_item.added", "output_index": 0, "item": {"type": "message", "id": "i"}}),
            *(
                sse(
                    {
                        "type": "response.output_item.added",
                        "output_index": index,
                        "item": {"type": "function_call", "id": "fc", "call_id": "t", "name": "f", "arguments": ""},
                    }
                )
                for index in (4, 5)
            ),
        ],
        between=[
            sse(
                {
                    "type": "response.output_item.done",
                    "output_index": 5,
                    "item": {"type": "function_call", "id": "fc", "call_id": "t", "name": "f", "arguments": "{}"},
                }
            ),
            sse({"type": "response.content_part.added", "output_index": 0, "part": {"type": "output_text", "text": ""}}),
            thinking_frame("another paragraph").replace(b'"summary_index": 0', b'"summary_index": 1'),
            thinking_frame("another thought").replace(b'"output_index": 7', b'"output_index": 8'),
            sse({"type": "response.output_item.done", "output_index": 7, "item": {"type": "reasoning", "id": "rs"}}),
        ],
        last=[sse({"type": "response.completed", "response": {"id": "r1", "status": "completed", "output": []}})],
    ),
)
