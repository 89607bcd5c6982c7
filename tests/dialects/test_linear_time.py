"""The cost of a streamed response is linear in its size, whatever it has many of: `total` then bounds every call.

Time is only checked between reads, so a reader that needs the square of what it reads would work for minutes on one block of
bytes that arrives in time.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterable
from typing import Any

import pytest

from ailib_sync.dialects.accumulator import Accumulator
from ailib_sync.dialects.dialect import NAMES, find
from ailib_sync.dialects.stream import GrowingValue
from ailib_sync.embedded.frames import aws_event
from ailib_sync.pipeline.decode import response_events
from ailib_sync.registry.manifest import Manifest
from ailib_sync.types.request import ChatRequest
from ailib_sync.types.response import ChatResponse

KINDS = {"sse": "text/event-stream", "ndjson": "application/x-ndjson", "aws": "application/vnd.amazon.eventstream"}
MAX_EVENT_BYTES = 1 << 24


def read(dialect: str, body: bytes) -> ChatResponse:
    chat, manifest = find(dialect).chat, Manifest.load("embedded").for_dialect(dialect)
    assert chat.stream is not None
    headers = {"content-type": KINDS[chat.stream.framing]}
    accumulator = Accumulator()
    for event in response_events(chat, ChatRequest("m"), headers, [body], manifest, MAX_EVENT_BYTES):
        accumulator.add(event)
    return accumulator.response(dialect)


def sse(*events: Any) -> bytes:
    return b"".join(b"data: %s\n\n" % json.dumps(event).encode() for event in events)


def openai(*deltas: dict[str, Any]) -> bytes:
    end = {"choices": [{"index": 0, "delta": {}, "finish_reason": "stop"}]}
    return sse(*({"choices": [{"index": 0, "delta": delta}]} for delta in deltas), end) + b"data: [DONE]\n\n"


def call(index: int | None, arguments: str = "{}", **more: Any) -> dict[str, Any]:
    made = {"function": {"name": "f", "arguments": arguments}, **more}
    return {"tool_calls": [made if index is None else {"index": index, **made}]}


def anthropic(*events: dict[str, Any]) -> bytes:
    start = {"type": "message_start", "message": {"id": "m", "usage": {}}}
    return sse(start, *events, {"type": "message_delta", "delta": {"stop_reason": "end_turn"}}, {"type": "message_stop"})


def block(index: int, content: dict[str, Any], *deltas: dict[str, Any]) -> list[dict[str, Any]]:
    start = {"type": "content_block_start", "index": index, "content_block": content}
    inside = [{"type": "content_block_delta", "index": index, "delta": delta} for delta in deltas]
    return [start, *inside, {"type": "content_block_stop", "index": index}]


def gemini(*parts: dict[str, Any], **more: Any) -> bytes:
    events = [{"candidates": [{"content": {"role": "model", "parts": [part]}, **more}]} for part in parts]
    return sse(*events, {"candidates": [{"content": {"parts": []}, "finishReason": "STOP"}]})


def cohere(*events: tuple[str, int, dict[str, Any]]) -> bytes:
    made = [{"type": kind, "index": index, "delta": {"message": message}} for kind, index, message in events]
    return sse({"type": "message-start", "id": "m"}, *made, {"type": "message-end", "delta": {"finish_reason": "COMPLETE"}})


def ollama(*messages: dict[str, Any]) -> bytes:
    lines = [{"model": "m", "message": {"role": "assistant", **message}, "done": False} for message in messages]
    end = {"model": "m", "message": {"role": "assistant", "content": ""}, "done": True, "done_reason": "stop"}
    return b"".join(json.dumps(line).encode() + b"\n" for line in [*lines, end])


def responses(*events: dict[str, Any]) -> bytes:
    response = {"id": "r", "status": "completed", "output": [], "usage": {}}
    return sse(
        {"type": "response.created", "response": response}, *events, {"type": "response.completed", "response": response}
    )


def item(index: int, done: dict[str, Any], delta: dict[str, Any]) -> list[dict[str, Any]]:
    of = {"output_index": index, "item_id": f"i{index}"}
    added = {"type": "response.output_item.added", "item": {**done, "arguments": "", "content": []}, **of}
    return [added, {**delta, **of}, {"type": "response.output_item.done", "item": done, **of}]


def bedrock(*events: tuple[str, dict[str, Any]]) -> bytes:
    frames = [aws_event(name, data) for name, data in events]
    return b"".join(
        [aws_event("messageStart", {"role": "assistant"}), *frames, aws_event("messageStop", {"stopReason": "end_turn"})]
    )


def bedrock_call(index: int) -> list[tuple[str, dict[str, Any]]]:
    of = {"contentBlockIndex": index}
    return [
        ("contentBlockStart", {**of, "start": {"toolUse": {"toolUseId": f"t{index}", "name": "f"}}}),
        ("contentBlockDelta", {**of, "delta": {"toolUse": {"input": "{}"}}}),
        ("contentBlockStop", of),
    ]


def flat(lists: Iterable[list[Any]]) -> list[Any]:
    return [item for inner in lists for item in inner]


def detail(**fields: Any) -> dict[str, Any]:
    return {"reasoning_details": [{"type": "reasoning.text", "text": "a", **fields}]}


def citation(number: int) -> dict[str, Any]:
    return {"type": "citations_delta", "citation": {"a": number}}


def cohere_call(index: int) -> list[tuple[str, int, dict[str, Any]]]:
    made = {"id": f"t{index}", "function": {"name": "f", "arguments": "{}"}}
    return [("tool-call-start", index, {"tool_calls": made}), ("tool-call-end", index, {})]


def responses_call(index: int) -> list[dict[str, Any]]:
    made = {"type": "function_call", "id": f"f{index}", "call_id": "c", "name": "f", "arguments": "{}"}
    return item(index, made, {"type": "response.function_call_arguments.delta", "delta": "{}"})


def responses_message(index: int) -> list[dict[str, Any]]:
    made = {"type": "message", "id": f"m{index}", "content": [{"type": "output_text", "text": "a"}]}
    return item(index, made, {"type": "response.output_text.delta", "content_index": 0, "delta": "a"})


A = "a" * 100
SIGNATURE = {"type": "signature_delta", "signature": A}
UNKNOWN = {"type": "compaction_delta", "content": A}
OLLAMA_CALL = {"content": "", "tool_calls": [{"function": {"name": "f", "arguments": {}}}]}
BEDROCK_SIGNATURE = ("contentBlockDelta", {"contentBlockIndex": 0, "delta": {"reasoningContent": {"signature": A}}})

Body = Callable[[int], bytes]
OPENAI: dict[str, Body] = {
    "tool calls": lambda n: openai(*(call(i, id=f"c{i}") for i in range(n))),
    "tool calls without index": lambda n: openai(*(call(None, id=f"c{i}") for i in range(n))),
    "tool calls with one id": lambda n: openai(*(call(i, id="c") for i in range(n))),
    "interleaved arguments": lambda n: openai(*(call(i % 100, "1") for i in range(n))),
    "arguments": lambda n: openai(*[call(0, A)] * n),
    "turns of thinking": lambda n: openai(*[{"content": "a"}, {"reasoning": "b"}] * (n // 2)),
    "think tags": lambda n: openai(*({"content": text} for text in ["<think>", "a", "</think>", "b"] * (n // 4))),
    "annotations": lambda n: openai(*({"annotations": [{"type": "url_citation", "url": f"u{i}"}]} for i in range(n))),
    "reasoning details": lambda n: openai(*(detail(index=i) for i in range(n))),
    "reasoning details with ids": lambda n: openai(*(detail(id=f"d{i}") for i in range(n))),
    "one reasoning detail": lambda n: openai(*[detail(index=0, text=A)] * n),
    "audio": lambda n: openai(*[{"audio": {"id": "a", "data": A}}] * n),
    "refusal": lambda n: openai(*[{"refusal": A}] * n),
}
ANTHROPIC: dict[str, Body] = {
    "tool calls": lambda n: anthropic(*flat(block(i, {"type": "tool_use", "id": f"t{i}", "name": "f"}) for i in range(n))),
    "texts": lambda n: anthropic(*flat(block(i, {"type": "text", "text": "a"}) for i in range(n))),
    "citations": lambda n: anthropic(*block(0, {"type": "text", "text": "a"}, *(citation(i) for i in range(n)))),
    "signatures": lambda n: anthropic(*block(0, {"type": "thinking", "thinking": ""}, *[SIGNATURE] * n)),
    "unknown deltas": lambda n: anthropic(*block(0, {"type": "compaction", "content": ""}, *[UNKNOWN] * n)),
}
GEMINI: dict[str, Body] = {
    "tool calls": lambda n: gemini(*[{"functionCall": {"name": "f", "args": {}}}] * n),
    "turns of thinking": lambda n: gemini(*[{"text": "a"}, {"text": "b", "thought": True}] * (n // 2)),
    "signatures": lambda n: gemini(*[{"text": "a", "thoughtSignature": A}] * n),
    "grounding": lambda n: gemini(*[{"text": "a"}] * n, groundingMetadata={"groundingChunks": [{"web": {}}]}),
}
COHERE: dict[str, Body] = {
    "tool calls": lambda n: cohere(*flat(cohere_call(i) for i in range(n))),
    "citations": lambda n: cohere(*(("citation-start", i, {"citations": {"start": i}}) for i in range(n))),
    "plan": lambda n: cohere(*[("tool-plan-delta", 0, {"tool_plan": A})] * n),
}
OLLAMA: dict[str, Body] = {
    "tool calls": lambda n: ollama(*[OLLAMA_CALL] * n),
    "turns of thinking": lambda n: ollama(*[{"content": "a"}, {"content": "", "thinking": "b"}] * (n // 2)),
}
RESPONSES: dict[str, Body] = {
    "tool calls": lambda n: responses(*flat(responses_call(i) for i in range(n))),
    "messages": lambda n: responses(*flat(responses_message(i) for i in range(n))),
}
BEDROCK: dict[str, Body] = {
    "tool calls": lambda n: bedrock(*flat(bedrock_call(i) for i in range(n))),
    "signatures": lambda n: bedrock(*[BEDROCK_SIGNATURE] * n),
}
#: What a response can have many of, by dialect: the body with so many.
MANY: dict[str, dict[str, Body]] = {
    "openai_chat": OPENAI,
    "anthropic_messages": ANTHROPIC,
    "gemini_generate": GEMINI,
    "cohere_chat": COHERE,
    "ollama_chat": OLLAMA,
    "openai_responses": RESPONSES,
    "bedrock_converse": BEDROCK,
}


@pytest.mark.slow
@pytest.mark.parametrize(("dialect", "what"), [(dialect, what) for dialect in NAMES for what in MANY[dialect]])
def test_ten_times_as_many_take_ten_times_the_time(dialect: str, what: str) -> None:
    """What grows with the square takes a hundred times as long; the bound of 30 leaves room for a busy machine."""
    make = MANY[dialect][what]

    def seconds(number: int) -> float:
        body = make(number)
        best = float("inf")
        for _ in range(2):
            began = time.process_time()
            read(dialect, body)
            best = min(best, time.process_time() - began)
        return best

    seconds(10)  # imports
    assert seconds(10_000) <= 30 * max(seconds(1_000), 0.003)


@pytest.mark.parametrize("number", [1, 5, 9, 10, 11, 57, 300])
def test_nothing_is_lost_of_what_is_not_repeated_for_each_part(number: int) -> None:
    citations = [{"a": i} for i in range(number)]
    deltas = [{"type": "citations_delta", "citation": citation} for citation in citations]
    text = {"type": "text", "text": "a"}
    body = anthropic(*block(0, text, *deltas), *block(1, text), *block(2, text, *deltas[:1]))
    blocks: Any = read("anthropic_messages", body).message.blocks
    assert [each.extra for each in blocks] == [{"citations": citations}, {}, {"citations": citations[:1]}]
    starts = [("citation-start", i, {"citations": citation}) for i, citation in enumerate(citations)]
    plans = [("tool-plan-delta", 0, {"tool_plan": f"{i} "}) for i in range(number)]
    message = read("cohere_chat", cohere(*starts, *plans)).message
    assert message.extra == {"citations": citations, "tool_plan": "".join(f"{i} " for i in range(number))}


def test_a_growing_value_is_emitted_less_and_less_often() -> None:
    value = GrowingValue()
    sizes = [size for size in range(1, 1001) if value.grow()]
    assert sizes[:10] == [*range(1, 10), 11]
    assert len(sizes) < 60
    assert value.flush() is (sizes[-1] < 1000)
    assert not value.flush()


def test_signatures_in_fragments_are_joined_also_in_a_partial_response() -> None:
    deltas = [{"type": "signature_delta", "signature": letter} for letter in "abc"]
    accumulator = Accumulator()
    chat, manifest = find("anthropic_messages").chat, Manifest.load("embedded").for_dialect("anthropic_messages")
    body = anthropic(*block(0, {"type": "thinking", "thinking": "t"}, *deltas))
    seen = []
    for event in response_events(chat, ChatRequest("m"), {}, [body], manifest, MAX_EVENT_BYTES):
        accumulator.add(event)
        seen.append([getattr(each, "signature", None) for each in accumulator.response().message.blocks])
    assert seen[-1] == ["abc"]
    assert [signature for signature in seen if signature][:4] == [[None], ["a"], ["ab"], ["abc"]]
