"""Answers of every format as its services write them: whole, streamed and refused, and the bytes of a stream."""

from __future__ import annotations

import json
import struct
from typing import Any
from zlib import crc32

#: A stream is a list of (event name, JSON value); a value of None is the `[DONE]` mark.
Frames = list[tuple[str, Any]]


def chat(delta: Any, finish: str | None = None, **keys: Any) -> tuple[str, Any]:
    choice = {"index": 0, "delta": delta, "finish_reason": finish, "logprobs": None}
    return "message", {
        "id": "c-1",
        "object": "chat.completion.chunk",
        "created": 7,
        "model": "m-1",
        "choices": [choice],
        **keys,
    }


def call(index: int, arguments: str, **head: Any) -> dict[str, Any]:
    function = {"arguments": arguments, **({"name": head.pop("name")} if "name" in head else {})}
    return {"tool_calls": [{"index": index, "function": function, **head}]}


CHAT_USAGE = {
    "prompt_tokens": 10,
    "completion_tokens": 4,
    "total_tokens": 14,
    "prompt_tokens_details": {"cached_tokens": 2},
    "completion_tokens_details": {"reasoning_tokens": 1},
}
CHAT_CALL = {"id": "call_1", "type": "function", "function": {"name": "weather", "arguments": '{"city":"Ulm"}'}}
CHAT_MESSAGE = {
    "role": "assistant",
    "content": "Grüße",
    "reasoning_content": "hm",
    "reasoning_details": [{"type": "reasoning.text", "text": "hm", "signature": "s"}],
    "refusal": None,
    "tool_calls": [CHAT_CALL],
    "annotations": [{"type": "url_citation", "url_citation": {"url": "https://a.example", "title": "A"}}],
    "audio": None,
}
BLOCKS = [
    {"type": "thinking", "thinking": "hm", "signature": "sig"},
    {"type": "redacted_thinking", "data": "xx"},
    {"type": "text", "text": "Grüße", "citations": [{"type": "char_location", "cited_text": "G"}]},
    {"type": "tool_use", "id": "toolu_1", "name": "weather", "input": {"city": "Ulm"}},
    {"type": "server_tool_use", "id": "srv_1", "name": "web_search", "input": {"query": "q"}},
    {"type": "web_search_tool_result", "tool_use_id": "srv_1", "content": [{"type": "web_search_result", "url": "u"}]},
]
ANTHROPIC_USAGE = {"input_tokens": 5, "output_tokens": 3, "cache_read_input_tokens": 2, "cache_creation_input_tokens": 1}


def anthropic(kind: str, **keys: Any) -> tuple[str, Any]:
    return kind, {"type": kind, **keys}


def anthropic_block(index: int, start: dict[str, Any], *deltas: dict[str, Any]) -> Frames:
    return [
        anthropic("content_block_start", index=index, content_block=start),
        *(anthropic("content_block_delta", index=index, delta=delta) for delta in deltas),
        anthropic("content_block_stop", index=index),
    ]


def gemini(*parts: Any, finish: str | None = None, **keys: Any) -> dict[str, Any]:
    candidate: dict[str, Any] = {"content": {"role": "model", "parts": list(parts)}, "index": 0}
    if finish:
        candidate |= {"finishReason": finish, "safetyRatings": [{"category": "HARM", "probability": "LOW"}]}
    usage = {"promptTokenCount": 4, "candidatesTokenCount": 2, "totalTokenCount": 6, "thoughtsTokenCount": 1}
    return {"candidates": [candidate], "usageMetadata": usage, "modelVersion": "g-1", "responseId": "r-1", **keys}


def cohere(kind: str, **keys: Any) -> tuple[str, Any]:
    return kind, {"type": kind, **keys}


def typed(kind: str, **keys: Any) -> tuple[str, Any]:
    return kind, {"type": kind, "sequence_number": 1, **keys}


COHERE_USAGE = {"billed_units": {"input_tokens": 3, "output_tokens": 2}, "tokens": {"input_tokens": 9, "output_tokens": 2}}
RESPONSES_OUTPUT = [
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
RESPONSES_WHOLE = {
    "id": "resp_1",
    "object": "response",
    "status": "completed",
    "model": "m-1",
    "error": None,
    "incomplete_details": None,
    "output": RESPONSES_OUTPUT,
    "usage": {
        "input_tokens": 9,
        "output_tokens": 5,
        "total_tokens": 14,
        "input_tokens_details": {"cached_tokens": 2},
        "output_tokens_details": {"reasoning_tokens": 1},
    },
}
CONVERSE_USAGE = {"inputTokens": 9, "outputTokens": 3, "totalTokens": 12, "cacheReadInputTokens": 1}
OLLAMA_END = {
    "model": "m",
    "created_at": "2026-01-01T00:00:00Z",
    "message": {"role": "assistant", "content": ""},
    "done": True,
    "done_reason": "stop",
    "prompt_eval_count": 9,
    "eval_count": 3,
}


def ollama(message: dict[str, Any]) -> tuple[str, Any]:
    return "message", {"model": "m", "message": {"role": "assistant", **message}, "done": False}


WHOLE: dict[str, list[Any]] = {
    "openai_chat": [
        {
            "id": "c-1",
            "object": "chat.completion",
            "model": "m-1",
            "choices": [{"index": 0, "message": CHAT_MESSAGE, "finish_reason": "tool_calls"}],
            "usage": CHAT_USAGE,
        },
        {
            "choices": [
                {"message": {"content": [{"type": "text", "text": "a"}, {"type": "thinking", "thinking": [{"text": "b"}]}]}}
            ]
        },
        {"choices": [{"message": {"content": "<think>hm</think>a", "function_call": {"name": "f", "arguments": "{}"}}}]},
    ],
    "anthropic_messages": [
        {
            "id": "msg_1",
            "type": "message",
            "role": "assistant",
            "model": "m-1",
            "content": BLOCKS,
            "stop_reason": "stop_sequence",
            "stop_sequence": "END",
            "usage": ANTHROPIC_USAGE,
        }
    ],
    "gemini_generate": [
        gemini(
            {"text": "hm", "thought": True, "thoughtSignature": "s"},
            {"text": "Grüße"},
            {"functionCall": {"id": "f1", "name": "weather", "args": {"city": "Ulm"}}},
            {"executableCode": {"language": "PYTHON", "code": "1"}},
            {"inlineData": {"mimeType": "image/png", "data": "AAAA"}},
            finish="STOP",
        ),
        {"promptFeedback": {"blockReason": "SAFETY"}, "usageMetadata": {"promptTokenCount": 3}},
    ],
    "cohere_chat": [
        {
            "id": "co-1",
            "finish_reason": "TOOL_CALL",
            "message": {
                "role": "assistant",
                "tool_plan": "I look.",
                "tool_calls": [CHAT_CALL],
                "content": [{"type": "thinking", "thinking": "hm"}, {"type": "text", "text": "Grüße"}],
                "citations": [{"start": 0, "end": 2, "text": "G", "sources": []}],
            },
            "usage": COHERE_USAGE,
        }
    ],
    "bedrock_converse": [
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
            "usage": CONVERSE_USAGE,
            "metrics": {"latencyMs": 9},
        }
    ],
    "ollama_chat": [
        {
            **OLLAMA_END,
            "message": {
                "role": "assistant",
                "content": "Grüße",
                "thinking": "hm",
                "tool_calls": [{"id": "c1", "function": {"index": 0, "name": "weather", "arguments": {"city": "Ulm"}}}],
            },
        }
    ],
    "openai_responses": [RESPONSES_WHOLE],
}

STREAMS: dict[str, list[Frames]] = {
    "openai_chat": [
        [
            chat({"role": "assistant", "content": ""}),
            chat({"reasoning_content": "hm"}),
            chat({"content": "Grü"}),
            chat({"content": "ße"}),
            chat(call(0, "", id="call_1", type="function", name="weather")),
            chat(call(0, '{"city":')),
            chat(call(0, '"Ulm"}')),
            chat(call(1, "{}", id="call_2", type="function", name="time")),
            chat({}, "tool_calls"),
            ("message", {"id": "c-1", "choices": [], "usage": CHAT_USAGE}),
            ("message", None),
        ],
        [
            chat({"content": "<think>hm</th"}),
            chat({"content": "ink>a", "reasoning_details": [{"type": "reasoning.text", "text": "b", "index": 0}]}),
            chat({"content": [{"type": "thinking", "thinking": [{"type": "text", "text": "c"}]}]}),
            chat({"refusal": "no", "annotations": [{"type": "url_citation"}]}, "stop", usage=CHAT_USAGE),
            ("message", None),
        ],
        [chat({"content": "a"}), ("error", {"error": {"message": "busy", "type": "overloaded_error", "code": 503}})],
    ],
    "anthropic_messages": [
        [
            anthropic("message_start", message={"id": "msg_1", "model": "m", "content": [], "usage": ANTHROPIC_USAGE}),
            ("ping", {"type": "ping"}),
            *anthropic_block(
                0,
                {"type": "thinking", "thinking": ""},
                {"type": "thinking_delta", "thinking": "hm"},
                {"type": "signature_delta", "signature": "sig"},
            ),
            *anthropic_block(1, {"type": "redacted_thinking", "data": "xx"}),
            *anthropic_block(
                2,
                {"type": "text", "text": ""},
                {"type": "text_delta", "text": "Grü"},
                {"type": "text_delta", "text": "ße"},
                {"type": "citations_delta", "citation": {"type": "char_location", "cited_text": "G"}},
            ),
            *anthropic_block(
                3,
                {"type": "tool_use", "id": "toolu_1", "name": "weather", "input": {}},
                {"type": "input_json_delta", "partial_json": ""},
                {"type": "input_json_delta", "partial_json": '{"city":"Ulm"}'},
            ),
            *anthropic_block(
                4,
                {"type": "server_tool_use", "id": "srv_1", "name": "web_search", "input": {}},
                {"type": "input_json_delta", "partial_json": '{"query":"q"}'},
            ),
            *anthropic_block(5, {"type": "web_search_tool_result", "tool_use_id": "srv_1", "content": []}),
            anthropic("message_delta", delta={"stop_reason": "tool_use", "stop_sequence": None}, usage={"output_tokens": 9}),
            ("message_stop", {"type": "message_stop"}),
        ],
        [
            anthropic("message_start", message={"id": "msg_1", "model": "m", "usage": ANTHROPIC_USAGE}),
            ("error", {"type": "error", "error": {"type": "overloaded_error", "message": "busy"}, "request_id": "req_1"}),
        ],
    ],
    "gemini_generate": [
        [
            ("message", gemini({"text": "hm", "thought": True})),
            ("message", gemini({"text": "Grü"})),
            ("message", gemini({"text": "ße"}, {"functionCall": {"name": "weather", "args": {"city": "Ulm"}}})),
            ("message", gemini({"text": "", "thoughtSignature": "s"}, finish="STOP")),
        ],
        [("message", gemini({"text": "a"})), ("message", {"error": {"code": 503, "message": "busy", "status": "UNAVAILABLE"}})],
    ],
    "cohere_chat": [
        [
            cohere("message-start", id="co-1", delta={"message": {"role": "assistant", "content": []}}),
            cohere("content-start", index=0, delta={"message": {"content": {"type": "thinking", "thinking": ""}}}),
            cohere("content-delta", index=0, delta={"message": {"content": {"thinking": "hm"}}}),
            cohere("content-end", index=0),
            cohere("content-start", index=1, delta={"message": {"content": {"type": "text", "text": ""}}}),
            cohere("content-delta", index=1, delta={"message": {"content": {"text": "Grüße"}}}),
            cohere("citation-start", index=0, delta={"message": {"citations": {"start": 0, "end": 1, "text": "G"}}}),
            cohere("citation-end", index=0),
            cohere("content-end", index=1),
            cohere("tool-plan-delta", delta={"message": {"tool_plan": "I look."}}),
            cohere(
                "tool-call-start",
                index=0,
                delta={"message": {"tool_calls": {**CHAT_CALL, "function": {"name": "weather", "arguments": ""}}}},
            ),
            cohere(
                "tool-call-delta", index=0, delta={"message": {"tool_calls": {"function": {"arguments": '{"city":"Ulm"}'}}}}
            ),
            cohere("tool-call-end", index=0),
            cohere("message-end", delta={"finish_reason": "TOOL_CALL", "usage": COHERE_USAGE}),
        ],
        [cohere("message-start", id="co-1"), cohere("message-end", delta={"finish_reason": "ERROR", "error": "busy"})],
    ],
    "bedrock_converse": [
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
            ("metadata", {"usage": CONVERSE_USAGE, "metrics": {"latencyMs": 3}}),
        ],
        [
            ("messageStart", {"role": "assistant"}),
            ("error", {"type": "error", "error": {"type": "throttlingException", "message": "slow"}}),
        ],
    ],
    "ollama_chat": [
        [
            ollama({"content": "", "thinking": "hm"}),
            ollama({"content": "Grü"}),
            ollama({"content": "ße"}),
            ollama({"content": "", "tool_calls": [{"function": {"name": "weather", "arguments": {"city": "Ulm"}}}]}),
            ("message", OLLAMA_END),
        ],
        [ollama({"content": "a"}), ("message", {"error": "out of memory"})],
    ],
    "openai_responses": [
        [
            typed("response.created", response={**RESPONSES_WHOLE, "status": "in_progress", "output": [], "usage": None}),
            typed("response.output_item.added", output_index=0, item={"type": "reasoning", "id": "rs_1", "summary": []}),
            typed(
                "response.reasoning_summary_part.added",
                item_id="rs_1",
                output_index=0,
                summary_index=0,
                part={"type": "summary_text"},
            ),
            typed("response.reasoning_summary_text.delta", item_id="rs_1", output_index=0, summary_index=0, delta="hm"),
            typed("response.output_item.done", output_index=0, item=RESPONSES_OUTPUT[0]),
            typed("response.output_item.added", output_index=1, item={"type": "message", "id": "msg_1", "content": []}),
            typed(
                "response.content_part.added", item_id="msg_1", output_index=1, content_index=0, part={"type": "output_text"}
            ),
            typed("response.output_text.delta", item_id="msg_1", output_index=1, content_index=0, delta="Grüße"),
            typed(
                "response.output_text.annotation.added",
                item_id="msg_1",
                output_index=1,
                content_index=0,
                annotation={"type": "x"},
            ),
            typed("response.output_text.done", item_id="msg_1", output_index=1, content_index=0, text="Grüße"),
            typed("response.refusal.delta", item_id="msg_1", output_index=1, content_index=1, delta="no"),
            typed("response.output_item.done", output_index=1, item=RESPONSES_OUTPUT[1]),
            typed("response.output_item.added", output_index=2, item={**RESPONSES_OUTPUT[2], "arguments": ""}),
            typed("response.function_call_arguments.delta", item_id="fc_1", output_index=2, delta='{"city":"Ulm"}'),
            typed("response.function_call_arguments.done", item_id="fc_1", output_index=2, arguments='{"city":"Ulm"}'),
            typed("response.output_item.done", output_index=2, item=RESPONSES_OUTPUT[2]),
            typed("response.output_item.done", output_index=3, item=RESPONSES_OUTPUT[3]),
            typed("response.completed", response=RESPONSES_WHOLE),
        ],
        [
            typed("response.created", response={"id": "resp_1"}),
            typed("response.failed", response={"status": "failed", "error": {"code": "server_error", "message": "oh"}}),
        ],
        [typed("error", code="rate_limit_exceeded", message="slow", param=None)],
    ],
}

ERRORS: list[Any] = [
    {"error": {"message": "bad", "type": "invalid_request_error", "param": "model", "code": "model_not_found"}},
    {"type": "error", "error": {"type": "overloaded_error", "message": "busy"}, "request_id": "req_1"},
    {
        "error": {
            "code": 429,
            "message": "quota",
            "status": "RESOURCE_EXHAUSTED",
            "details": [
                {"@type": "type.googleapis.com/google.rpc.RetryInfo", "retryDelay": "7s"},
                {"@type": "type.googleapis.com/google.rpc.ErrorInfo", "reason": "RATE_LIMIT_EXCEEDED", "metadata": {"a": "b"}},
            ],
        }
    },
    [{"error": {"code": 400, "message": "bad", "status": "INVALID_ARGUMENT"}}],
    {"message": "bad", "__type": "com.amazon#ValidationException"},
    {"error": "model not found"},
    {"detail": [{"loc": ["body", "model"], "msg": "field required", "type": "missing"}]},
    {"object": "error", "message": "bad", "code": 400},
    {"errors": [{"code": 10000, "message": "auth"}], "success": False},
    "<html>bad gateway</html>",
]


def aws_message(headers: dict[str, Any], payload: bytes) -> bytes:
    """One message of an AWS event stream, its checksums right."""
    block = b"".join(
        struct.pack(">B", len(name.encode())) + name.encode() + struct.pack(">BH", 7, len(value.encode())) + value.encode()
        for name, value in headers.items()
    )
    prelude = struct.pack(">II", 16 + len(block) + len(payload), len(block))
    head = prelude + struct.pack(">I", crc32(prelude)) + block + payload
    return head + struct.pack(">I", crc32(head))


def dumped(value: Any) -> str:
    """JSON text; an endless number is written as one that JSON allows."""
    return (
        json.dumps(value, ensure_ascii=True).replace("-Infinity", "-1e999").replace("Infinity", "1e999").replace("NaN", "1e999")
    )


def encoded(frames: Frames, framing: str) -> bytes:
    """The bytes of a stream in one of the three framings."""
    if framing == "ndjson":
        return "".join(dumped(value) + "\n" for _, value in frames).encode()
    if framing == "aws":
        return b"".join(
            aws_message(
                {
                    ":message-type": "exception",
                    ":exception-type": str(value["error"].get("type", "x")).encode("ascii", "replace").decode()[:99],
                },
                dumped(value["error"]).encode(),
            )
            if event == "error" and isinstance(value, dict) and isinstance(value.get("error"), dict)
            else aws_message(
                {":message-type": "event", ":event-type": event.encode("utf-8", "replace").decode()}, dumped(value).encode()
            )
            for event, value in frames
        )
    named = (
        (f"event: {event}\n" if event != "message" else "", "[DONE]" if value is None else dumped(value))
        for event, value in frames
    )
    return "".join(f"{name}data: {data}\n\n" for name, data in named).encode()
