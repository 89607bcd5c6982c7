"""Samples of the Messages API."""

from __future__ import annotations

from typing import Any

from . import FastSamples, Frames, Samples, sse

BLOCKS = [
    {"type": "thinking", "thinking": "hm", "signature": "sig"},
    {"type": "redacted_thinking", "data": "xx"},
    {"type": "text", "text": "Grüße", "citations": [{"type": "char_location", "cited_text": "G"}]},
    {"type": "tool_use", "id": "toolu_1", "name": "weather", "input": {"city": "Ulm"}},
    {"type": "server_tool_use", "id": "srv_1", "name": "web_search", "input": {"query": "q"}},
    {"type": "web_search_tool_result", "tool_use_id": "srv_1", "content": [{"type": "web_search_result", "url": "u"}]},
]


USAGE = {"input_tokens": 5, "output_tokens": 3, "cache_read_input_tokens": 2, "cache_creation_input_tokens": 1}


def event(kind: str, **keys: Any) -> tuple[str, Any]:
    return kind, {"type": kind, **keys}


def block(index: int, start: dict[str, Any], *deltas: dict[str, Any]) -> Frames:
    return [
        event("content_block_start", index=index, content_block=start),
        *(event("content_block_delta", index=index, delta=delta) for delta in deltas),
        event("content_block_stop", index=index),
    ]


def text_frame(text: str) -> bytes:
    delta = {"type": "text_delta", "text": text}
    return sse({"type": "content_block_delta", "index": 0, "delta": delta}, "content_block_delta")


def thinking_frame(text: str) -> bytes:
    delta = {"type": "thinking_delta", "thinking": text}
    return sse({"type": "content_block_delta", "index": 0, "delta": delta}, "content_block_delta")


def arguments_frame(text: str) -> bytes:
    delta = {"type": "input_json_delta", "partial_json": text}
    return sse({"type": "content_block_delta", "index": 5, "delta": delta}, "content_block_delta")


SAMPLES = Samples(
    model="anthropic/claude-3-5-sonnet",
    path="/v1/messages",
    responses=[
        {
            "id": "msg_1",
            "type": "message",
            "role": "assistant",
            "model": "m-1",
            "content": BLOCKS,
            "stop_reason": "stop_sequence",
            "stop_sequence": "END",
            "usage": USAGE,
        }
    ],
    streams=[
        [
            event("message_start", message={"id": "msg_1", "model": "m", "content": [], "usage": USAGE}),
            ("ping", {"type": "ping"}),
            *block(
                0,
                {"type": "thinking", "thinking": ""},
                {"type": "thinking_delta", "thinking": "hm"},
                {"type": "signature_delta", "signature": "sig"},
            ),
            *block(1, {"type": "redacted_thinking", "data": "xx"}),
            *block(
                2,
                {"type": "text", "text": ""},
                {"type": "text_delta", "text": "Grü"},
                {"type": "text_delta", "text": "ße"},
                {"type": "citations_delta", "citation": {"type": "char_location", "cited_text": "G"}},
            ),
            *block(
                3,
                {"type": "tool_use", "id": "toolu_1", "name": "weather", "input": {}},
                {"type": "input_json_delta", "partial_json": ""},
                {"type": "input_json_delta", "partial_json": '{"city":"Ulm"}'},
            ),
            *block(
                4,
                {"type": "server_tool_use", "id": "srv_1", "name": "web_search", "input": {}},
                {"type": "input_json_delta", "partial_json": '{"query":"q"}'},
            ),
            *block(5, {"type": "web_search_tool_result", "tool_use_id": "srv_1", "content": []}),
            event("message_delta", delta={"stop_reason": "tool_use", "stop_sequence": None}, usage={"output_tokens": 9}),
            ("message_stop", {"type": "message_stop"}),
        ],
        [
            event("message_start", message={"id": "msg_1", "model": "m", "usage": USAGE}),
            ("error", {"type": "error", "error": {"type": "overloaded_error", "message": "busy"}, "request_id": "req_1"}),
        ],
    ],
    errors=[{"type": "error", "error": {"type": "overloaded_error", "message": "busy"}, "request_id": "req_1"}],
    wire_names={
        "temperature": {"temperature"},
        "max_tokens": {"max_tokens"},
        "top_p": {"top_p"},
        "top_k": {"top_k"},
        "stop": {"stop_sequences"},
        "tool_choice": {"tool_choice"},
        "parallel_tool_calls": {"disable_parallel_tool_use"},
        "response_format": {"output_config"},
    },
    extra={"metadata": {"user_id": "u-1"}},
    reasoning_styles={"budget", "adaptive"},
    unsupported={"audio"},
    recorded_as=(
        "anthropic-messages",
        "bedrock-invoke-anthropic",
    ),
    aimock=("anthropic/claude-sonnet-4-6", "/v1"),
    fast=FastSamples(
        text=text_frame,
        thinking=thinking_frame,
        arguments=arguments_frame,
        first=[
            sse({"type": "message_start", "message": {"id": "m1", "model": "m", "usage": {"input_tokens": 3}}}),
            sse({"type": "content_block_start", "index": 0, "content_block": {"type": "text", "text": ""}}),
            *(
                sse(
                    {
                        "type": "content_block_start",
                        "index": index,
                        "content_block": {"type": "tool_use", "id": "t", "name": "f"},
                    }
                )
                for index in (4, 5)
            ),
        ],
        between=[
            sse({"type": "content_block_stop", "index": 5}),
            sse({"type": "content_block_start", "index": 5, "content_block": {"type": "tool_use", "id": "u", "name": "g"}}),
            sse({"type": "ping"}, "ping"),
            sse({"type": "content_block_delta", "index": 0, "delta": {"type": "citations_delta", "citation": {"a": 1}}}),
            sse({"type": "content_block_delta", "index": 0, "delta": {"type": "signature_delta", "signature": "AA=="}}),
            sse({"type": "content_block_stop", "index": 0}),
            sse({"type": "content_block_start", "index": 0, "content_block": {"type": "thinking", "thinking": ""}}),
            sse({"type": "content_block_start", "index": 1, "content_block": {"type": "text", "text": "new"}}),
            sse({"type": "error", "error": {"type": "overloaded_error", "message": "busy"}}, "error"),
        ],
        last=[
            sse({"type": "message_delta", "delta": {"stop_reason": "end_turn"}, "usage": {"output_tokens": 9}}),
            sse({"type": "message_stop"}, "message_stop"),
        ],
    ),
)
