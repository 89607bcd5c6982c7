"""Reading a stream costs work that grows with its length, not with its square: counted in executed lines, not in time."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from types import FrameType
from typing import Any

import pytest

from ailib_sync.dialects.accumulator import Accumulator
from ailib_sync.dialects.dialect import NAMES, find
from ailib_sync.embedded import ServerRequest, respond
from ailib_sync.embedded.rules import rules_of
from ailib_sync.registry.manifest import Manifest
from ailib_sync.types.messages import Message, MessageRole, Text
from ailib_sync.types.request import ChatRequest, Ledger
from ailib_sync.types.response import ChatResponse
from ailib_sync.types.tools import Tool, ToolCall
from tests.chat_values import stream_events


def lines_run(work: Callable[[], object]) -> int:
    """How many lines of Python `work` executes; each step of a generator expression is one."""
    count = 0

    def trace(frame: FrameType, event: str, argument: Any) -> Any:
        nonlocal count
        count += event == "line"
        return trace

    sys.settrace(trace)
    try:
        work()
    finally:
        sys.settrace(None)
    return count


def stream_of(dialect: str, calls: int) -> tuple[list[bytes], str]:
    """The stream in which the embedded service calls this many tools."""
    manifest = Manifest.load("embedded").for_model("echo", dialect)
    request = ChatRequest("echo", (Message.user("Hi"),), (Tool("f"),), stream=True)
    body = find(dialect).chat.render(request, manifest, Ledger())
    blocks = [Text("so"), *(ToolCall(f"call_{n}", "f", {"n": n}) for n in range(calls))]
    response = ChatResponse(Message(MessageRole.ASSISTANT, blocks), finish_reason="tool_use")
    path = {"bedrock_converse": "/model/echo/converse-stream", "gemini_generate": "/models/echo:streamGenerateContent"}
    headers = {"content-type": "application/json"}
    paths = {"openai_chat": "/chat/completions", "anthropic_messages": "/messages", "openai_responses": "/responses"}
    received = ServerRequest("POST", path.get(dialect) or paths.get(dialect, "/chat"), "", headers, json.dumps(body).encode())
    sent = respond(received, rules_of(manifest, strict=False), lambda request, digest: response)
    return list(sent.chunks), sent.headers["content-type"]


def read(dialect: str, chunks: list[bytes], content_type: str) -> ChatResponse:
    collected = Accumulator()
    for event in stream_events(chunks, {"content-type": content_type}, find(dialect), Manifest.load("embedded")):
        collected.add(event)
    return collected.response()


@pytest.mark.parametrize("dialect", NAMES)
def test_four_times_the_tool_calls_are_four_times_the_work(dialect: str) -> None:
    few, many = (stream_of(dialect, calls) for calls in (100, 400))
    assert len(read(dialect, *many).tool_calls) == 400
    assert lines_run(lambda: read(dialect, *many)) < 5 * lines_run(lambda: read(dialect, *few))


def test_calls_that_have_ids_and_no_index() -> None:
    def chunks(calls: int) -> list[bytes]:
        call = '{"choices":[{"index":0,"delta":{"tool_calls":[{"id":"c%d","function":{"name":"f","arguments":"{}"}}]}}]}'
        end = '{"choices":[{"index":0,"delta":{},"finish_reason":"tool_calls"}]}'
        return [f"data: {line}\n\n".encode() for line in [*(call % n for n in range(calls)), end]]

    def work(calls: int) -> int:
        read("openai_chat", chunks(calls), "text/event-stream")
        return lines_run(lambda: read("openai_chat", chunks(calls), "text/event-stream"))

    assert work(400) < 5 * work(100)


def test_a_partial_response_of_many_open_calls() -> None:
    from ailib_sync.types.events import PartialToolCall, ThinkingDelta, ToolCallStarted

    def work(calls: int) -> int:
        collected = Accumulator()
        for index in range(calls):
            collected.add(ToolCallStarted(index, f"c{index}", "f"))
            collected.add(PartialToolCall(index, "{"))
        for index in range(calls):
            collected.add(ThinkingDelta("a", index=index))
        for index in range(calls):
            collected.add(ThinkingDelta("b", index=index))
        made: list[ChatResponse] = []
        lines = lines_run(lambda: made.append(collected.response()))
        assert (len(made[0].tool_calls), made[0].thinking) == (calls, "ab" * calls)
        return lines

    assert work(400) < 5 * work(100)
