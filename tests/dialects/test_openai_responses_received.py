"""What comes in in the OpenAI Responses format: whole answers, streams in all the ways hosts tell them, errors."""

from __future__ import annotations

import json
from typing import Any

import pytest

from ailib_sync.dialects.accumulator import Accumulator
from ailib_sync.dialects.openai_responses.dialect import DIALECT
from ailib_sync.errors import (
    Overloaded,
    ProtocolError,
    QuotaExhausted,
    RateLimited,
    RemoteError,
    ServerError,
    StreamInterrupted,
)
from ailib_sync.registry.manifest import Manifest
from ailib_sync.types.events import (
    ContentDelta,
    Metadata,
    PartialToolCall,
    StreamEnd,
    ThinkingDelta,
    ToolCallEnded,
    ToolCallStarted,
)
from ailib_sync.types.messages import Opaque, Text, Thinking
from ailib_sync.types.response import ChatResponse, Usage
from ailib_sync.types.tools import ToolCall
from tests.chat_values import parse_body, stream_events

MANIFEST = Manifest(id="acme", name="Acme", dialect="openai_responses", base_url="https://acme.example/v1")
USAGE = {
    "input_tokens": 10,
    "input_tokens_details": {"cached_tokens": 4, "cache_write_tokens": 1},
    "output_tokens": 6,
    "output_tokens_details": {"reasoning_tokens": 5},
    "total_tokens": 16,
}


def message(*parts: dict[str, Any], **keys: Any) -> dict[str, Any]:
    head = {"type": "message", "id": "msg_1", "role": "assistant", "status": "completed"}
    return {**head, "content": list(parts), **keys}


def said(text: str, *annotations: Any) -> dict[str, Any]:
    return {"type": "output_text", "text": text, "annotations": list(annotations)}


def call(id: str = "call_1", arguments: str = '{"city":"Rome"}', **keys: Any) -> dict[str, Any]:
    head = {"type": "function_call", "id": "fc_" + id, "call_id": id, "name": "weather"}
    return {**head, "arguments": arguments, "status": "completed", **keys}


def thought(*summary: str, **keys: Any) -> dict[str, Any]:
    return {"type": "reasoning", "id": "rs_1", "summary": [{"type": "summary_text", "text": t} for t in summary], **keys}


def answer(*output: dict[str, Any], **keys: Any) -> dict[str, Any]:
    head = {"id": "resp_1", "object": "response", "status": "completed", "model": "m-1", "error": None}
    return {**head, "output": list(output), "usage": USAGE, **keys}


# Whole answers


def parse(*output: dict[str, Any], **keys: Any) -> ChatResponse:
    return parse_body(DIALECT, answer(*output, **keys), MANIFEST)


def test_a_complete_response() -> None:
    item = thought("First.", "Second.", encrypted_content="gAAA==")
    response = parse(item, message(said("Well. ")), call(), message(said("Done.", {"url": "u"}), phase="final_answer"))
    assert response.message.blocks == [
        Thinking("First.\n\nSecond.", extra={"item": item}),
        Text("Well. ", {"id": "msg_1"}),
        ToolCall("call_1", "weather", {"city": "Rome"}, '{"city":"Rome"}', extra={"id": "fc_call_1"}),
        Text("Done.", {"id": "msg_1", "phase": "final_answer", "annotations": [{"url": "u"}]}),
    ]
    assert (response.content, response.thinking) == ("Well. Done.", "First.\n\nSecond.")
    assert (response.finish_reason, response.raw_finish_reason) == ("tool_use", "completed")
    assert (response.id, response.model) == ("resp_1", "m-1")
    assert response.usage == Usage(10, 6, 16, 4, 1, 5)
    assert response.usage.raw == USAGE


@pytest.mark.parametrize(
    ("keys", "finish", "raw"),
    [
        ({}, "end_turn", "completed"),
        ({"status": "incomplete", "incomplete_details": {"reason": "max_output_tokens"}}, "max_tokens", "incomplete"),
        ({"status": "incomplete", "incomplete_details": {"reason": "content_filter"}}, "content_filter", "incomplete"),
        ({"status": "incomplete", "incomplete_details": {"reason": "steered"}}, "steered", "incomplete"),
        ({"status": "incomplete", "incomplete_details": None}, "incomplete", "incomplete"),
    ],
)
def test_how_an_response_ended(keys: dict[str, Any], finish: str | None, raw: str | None) -> None:
    response = parse(message(said("Hi")), **keys)
    assert (response.finish_reason, response.raw_finish_reason) == (finish, raw)
    folded = stream(answer(message(said("Hi")), **keys))
    assert (folded.finish_reason, folded.raw_finish_reason) == (finish, raw)


def test_an_response_without_a_status_ended_as_its_last_frame_is_called() -> None:
    assert parse(message(said("Hi")), status=None).finish_reason is None
    assert stream(answer(message(said("Hi")), status=None)).finish_reason == "end_turn"


def test_a_refusal_is_kept_for_the_way_back_but_is_no_text() -> None:
    item = message({"type": "refusal", "refusal": "No."})
    response = parse(item)
    assert (response.content, response.refusal, response.finish_reason) == ("", "No.", "content_filter")
    assert response.message.blocks == [Opaque(item)]


def test_a_custom_call_has_text_in_place_of_arguments() -> None:
    response = parse({"type": "custom_tool_call", "id": "ctc_1", "call_id": "c", "name": "calc", "input": "4 + 4"})
    assert response.tool_calls == [ToolCall("c", "calc", None, "4 + 4", extra={"type": "custom_tool_call", "id": "ctc_1"})]
    assert response.finish_reason == "tool_use"


def test_arguments_that_are_no_object_are_kept_as_text() -> None:
    [cut, empty] = parse(call("a", '{"city": "Ro'), call("b", "")).tool_calls
    assert (cut.arguments, cut.arguments_raw) == (None, '{"city": "Ro')
    assert (empty.arguments, empty.arguments_raw) == ({}, "")


def test_hosted_items_and_items_of_tomorrow_are_kept_complete() -> None:
    item = {"type": "web_search_call", "id": "ws_1", "action": {"type": "search"}}
    assert parse(item, {"type": "novelty"}).message.blocks == [Opaque(item), Opaque({"type": "novelty"})]


def test_missing_usage_is_unknown_not_zero() -> None:
    assert parse(message(said("Hi")), usage=None).usage == Usage()
    assert parse(usage={"input_tokens": 3, "input_tokens_details": None}).usage == Usage(prompt_tokens=3)


@pytest.mark.parametrize("body", [[], "text", {}, {"output": None}, {"output": ["text"]}, {"choices": []}])
def test_what_is_no_response_is_a_protocol_error(body: Any) -> None:
    with pytest.raises(ProtocolError):
        parse_body(DIALECT, body, MANIFEST)


@pytest.mark.parametrize(
    ("error", "kind"),
    [
        ({"code": "rate_limit_exceeded", "message": "Slow down"}, RateLimited),
        ({"code": "server_error", "message": "Oops"}, ServerError),
        ({"code": "insufficient_quota", "message": "Pay"}, QuotaExhausted),
        (None, ServerError),
    ],
)
def test_an_response_that_failed_raises(error: Any, kind: type[RemoteError]) -> None:
    failed = answer(status="failed", error=error)
    with pytest.raises(kind) as caught:
        parse_body(DIALECT, failed, MANIFEST)
    assert caught.value.error_code == (error or {}).get("code")
    with pytest.raises(kind):
        read(frame("response.created", response=answer(status="in_progress")), frame("response.failed", response=failed))


# Error bodies


@pytest.mark.parametrize(
    ("body", "message", "type_", "code"),
    [
        ({"error": {"message": "No.", "type": "invalid_request_error", "code": "bad"}}, "No.", "invalid_request_error", "bad"),
        ({"code": "permission", "error": "Not you."}, "Not you.", None, "permission"),
        ({"type": "error", "code": "server_error", "message": "Oops"}, "Oops", None, "server_error"),
        ({"error": {"message": "No.", "code": 400}}, "No.", None, "400"),
        ([{"error": {"message": "No."}}], "No.", None, None),
        (" plain text\n", "plain text", None, None),
        ({"detail": [{"msg": "x"}]}, '[{"msg": "x"}]', None, None),
        (None, "", None, None),
    ],
)
def test_error_bodies(body: Any, message: str, type_: str | None, code: str | None) -> None:
    details = DIALECT.parse_error(400, body)
    assert (details.message, details.type, details.code) == (message, type_, code)


# Streams


def frame(kind: str, **data: Any) -> bytes:
    return f"event: {kind}\ndata: {json.dumps({'type': kind, **data})}\n\n".encode()


def events(*frames: bytes) -> list[Any]:
    return [*stream_events(iter(frames), {"content-type": "text/event-stream"}, DIALECT, MANIFEST)]


def read(*frames: bytes) -> ChatResponse:
    fold = Accumulator()
    for event in stream_events(iter(frames), {"content-type": "text/event-stream"}, DIALECT, MANIFEST):
        fold.add(event)
    return fold.response("openai_responses")


def added(index: int, item: dict[str, Any]) -> bytes:
    begun = {key: value for key, value in item.items() if key not in ("content", "encrypted_content", "summary")}
    emptied = {key: "" for key in ("arguments", "input") if key in item}
    return frame("response.output_item.added", output_index=index, item={**begun, **emptied, "status": "in_progress"})


def done(index: int, item: dict[str, Any]) -> bytes:
    return frame("response.output_item.done", output_index=index, item=item)


def deltas(kind: str, index: int, text: str, **keys: Any) -> list[bytes]:
    return [frame(kind, output_index=index, delta=text[i : i + 3], **keys) for i in range(0, len(text), 3)]


def told(index: int, item: dict[str, Any]) -> list[bytes]:
    """An item the way the reference service tells it."""
    frames = [added(index, item)]
    if item["type"] == "message":
        for number, part in enumerate(item["content"]):
            at = {"content_index": number}
            text = part.get("text", part.get("refusal"))
            kind = part["type"]
            frames.append(frame("response.content_part.added", output_index=index, part={**part, "annotations": []}, **at))
            frames += deltas(f"response.{kind}.delta", index, text, **at)
            frames.append(frame(f"response.{kind}.done", output_index=index, **at))
            frames.append(frame("response.content_part.done", output_index=index, part=part, **at))
    if item["type"] == "reasoning":
        for number, part in enumerate(item["summary"]):
            frames += deltas("response.reasoning_summary_text.delta", index, part["text"], summary_index=number)
        for number, part in enumerate(item.get("content", ())):
            frames += deltas("response.reasoning_text.delta", index, part["text"], content_index=number)
    if item["type"] == "function_call":
        frames += deltas("response.function_call_arguments.delta", index, item["arguments"])
    if item["type"] == "custom_tool_call":
        frames += deltas("response.custom_tool_call_input.delta", index, item["input"])
    return [*frames, done(index, item)]


def ending(whole: dict[str, Any]) -> bytes:
    kind = "response.incomplete" if whole["status"] == "incomplete" else "response.completed"
    return frame(kind, response=whole)


def stream(whole: dict[str, Any]) -> ChatResponse:
    opened = frame("response.created", response={**whole, "output": [], "status": "in_progress"})
    return read(opened, *(f for i, item in enumerate(whole["output"]) for f in told(i, item)), ending(whole))


ANSWERS = {
    "text": [message(said("Hello, world"))],
    "thoughts": [thought("Head.", "Body.", encrypted_content="gAAA=="), message(said("Hi"))],
    "raw thoughts": [thought(content=[{"type": "reasoning_text", "text": "We count."}]), message(said("Hi"))],
    "bare thought": [thought(), call()],
    "parallel calls": [message(said("Both:")), call("a"), call("b", "{}")],
    "custom call": [{"type": "custom_tool_call", "id": "ctc_1", "call_id": "c", "name": "calc", "input": "4 + 4"}],
    "hosted": [{"type": "web_search_call", "id": "ws_1"}, message(said("It says", {"url": "u"}))],
    "two phases": [message(said("Wait"), phase="commentary"), message(said("Done"), id="msg_2", phase="final_answer")],
    "two parts": [message(said("One ", {"url": "u"}), said("Two", {"url": "v"}))],
    "refusal": [message({"type": "refusal", "refusal": "I cannot."})],
    "text and refusal": [message(said("Well, "), {"type": "refusal", "refusal": "no."})],
    "empty message": [message()],
    "nothing": [],
}


@pytest.mark.parametrize("output", ANSWERS.values(), ids=ANSWERS)
def test_a_stream_folds_to_what_the_complete_response_says(output: list[dict[str, Any]]) -> None:
    whole = answer(*output)
    folded, parsed = stream(whole), parse_body(DIALECT, whole, MANIFEST)
    parsed.raw = None
    assert folded == parsed


@pytest.mark.parametrize("output", ANSWERS.values(), ids=ANSWERS)
def test_items_reported_without_deltas_lose_nothing(output: list[dict[str, Any]]) -> None:
    whole = answer(*output)
    parsed = parse_body(DIALECT, whole, MANIFEST)
    only_done = read(*(done(i, item) for i, item in enumerate(output)), ending({**whole, "output": []}))
    only_the_end = read(ending(whole))
    assert only_done.message == only_the_end.message == parsed.message
    assert only_done.finish_reason == only_the_end.finish_reason == parsed.finish_reason


@pytest.mark.parametrize("output", ANSWERS.values(), ids=ANSWERS)
def test_a_last_frame_with_empty_output_takes_nothing_away(output: list[dict[str, Any]]) -> None:
    frames = [f for i, item in enumerate(output) for f in told(i, item)]
    assert read(*frames, ending(answer())).message == parse_body(DIALECT, answer(*output), MANIFEST).message


def test_the_events_of_a_stream_in_their_order() -> None:
    whole = answer(thought("Hm"), message(said("Hi")), call(arguments="{}"))
    created = frame("response.created", response={**whole, "output": []})
    got = events(created, *(f for i, item in enumerate(whole["output"]) for f in told(i, item)), ending(whole))
    item = whole["output"][0]
    assert got == [
        Metadata(id="resp_1", model="m-1"),
        ThinkingDelta("Hm", index=0),
        ThinkingDelta("", extra={"item": item}, index=0),
        ContentDelta("Hi", {"id": "msg_1"}, True),
        ToolCallStarted(0, "call_1", "weather"),
        PartialToolCall(0, "{}"),
        ToolCallEnded(0, ToolCall("call_1", "weather", {}, "{}", extra={"id": "fc_call_1"})),
        Metadata(Usage(10, 6, 16, 4, 1, 5), "resp_1", "m-1"),
        StreamEnd("tool_use", "completed"),
    ]


def test_a_thought_that_ends_after_the_text_has_begun_keeps_its_place() -> None:
    item, text = thought(content=[{"type": "reasoning_text", "text": "We add."}]), message(said("4", {"url": "u"}))
    thinking, saying = told(0, item), told(1, text)
    response = read(*thinking[:-1], *saying, thinking[-1], ending(answer()))
    assert response.message == parse_body(DIALECT, answer(item, text), MANIFEST).message


def test_a_message_that_ends_after_a_call_has_begun_makes_no_second_text() -> None:
    text, calling = told(0, message(said("Look: ", {"url": "u"}))), told(1, call())
    response = read(*text[:-2], *calling[:1], *text[-2:], *calling[1:], ending(answer()))
    assert [type(block) for block in response.message.blocks] == [Text, ToolCall]


def test_calls_reported_at_the_same_time_are_kept_apart() -> None:
    first, second = told(0, call("a", '{"n":1}')), told(1, call("b", '{"n":2}'))
    mixed = [first[0], second[0], *(f for pair in zip(first[1:-1], second[1:-1], strict=True) for f in pair)]
    response = read(*mixed, second[-1], first[-1], ending(answer()))
    assert [(c.id, c.arguments) for c in response.tool_calls] == [("a", {"n": 1}), ("b", {"n": 2})]


def test_items_are_distinguished_by_id_where_a_host_does_not_number_them() -> None:
    one, two = call("a", ""), call("b", "")
    frames = [frame("response.output_item.added", item=item) for item in (one, two)]
    for item, text in ((one, '{"n":1}'), (two, '{"n":2}')):
        frames.append(frame("response.function_call_arguments.delta", item_id=item["id"], delta=text))
    response = read(*frames, *(frame("response.output_item.done", item=item) for item in (one, two)), ending(answer()))
    assert [(c.id, c.arguments) for c in response.tool_calls] == [("a", {"n": 1}), ("b", {"n": 2})]


def test_arguments_that_come_complete_are_one_fragment() -> None:
    whole = frame("response.function_call_arguments.done", output_index=0, arguments="{}")
    got = events(added(0, call(arguments="{}")), whole, done(0, call(arguments="{}")), ending(answer()))
    assert [event.arguments for event in got if event.is_partial_tool_call] == ["{}"]


def test_a_call_that_the_token_limit_cut_keeps_its_text() -> None:
    cut = told(0, call(arguments='{"city": "Ro'))[:-1]
    response = read(*cut, ending(answer(status="incomplete", incomplete_details={"reason": "max_output_tokens"})))
    [broken] = response.tool_calls
    assert (broken.arguments, broken.arguments_raw, response.finish_reason) == (None, '{"city": "Ro', "max_tokens")


def test_text_without_any_frame_around_it_is_not_reported_twice() -> None:
    text = deltas("response.output_text.delta", 0, "Hello")
    assert read(*text, done(0, message(said("Hello"))), ending(answer())).content == "Hello"
    assert read(*text, ending(answer(message(said("Hello"))))).content == "Hello"


def test_a_call_without_an_id_of_its_own_takes_its_items() -> None:
    assert parse({"type": "function_call", "id": "fc_1", "name": "weather", "arguments": "{}"}).tool_calls[0].id == "fc_1"


def test_unknown_frames_and_marks_are_passed_over() -> None:
    noise = [b": ping\n\n", frame("response.audio.delta", delta="AAAA"), frame("response.novelty"), b"data: [DONE]\n\n"]
    frames = [f for item in told(0, message(said("Hi"))) for f in (*noise, item)]
    assert read(*frames, *noise, ending(answer()), *noise).content == "Hi"


def test_nothing_is_read_after_the_end() -> None:
    def chunks() -> Any:
        yield ending(answer())
        raise AssertionError("read on")

    assert [*stream_events(chunks(), {}, DIALECT, MANIFEST)][-1] == StreamEnd("end_turn", "completed")


@pytest.mark.parametrize(
    ("tail", "whole"),
    [
        (ending(answer())[:-1], True),
        (ending(answer())[:-2], True),
        (ending(answer())[:-3], False),
        (ending(answer())[:-40], False),
        (deltas("response.output_text.delta", 0, "x")[0][:-1], False),
        (b"data: [DONE]\n\n", False),
        (b"", False),
    ],
)
def test_only_a_complete_last_frame_ends_a_stream(tail: bytes, whole: bool) -> None:
    frames = (*told(0, message(said("Hi"))), tail)
    if whole:
        assert read(*frames).finish_reason == "end_turn"
    else:
        with pytest.raises(StreamInterrupted):
            read(*frames)


@pytest.mark.parametrize(
    ("last", "kind", "text"),
    [
        (frame("error", code="rate_limit_exceeded", message="Slow"), RateLimited, "Slow"),
        (frame("error", error={"type": "invalid_request_error", "message": "Bad"}), RemoteError, "Bad"),
        (b'event: error\ndata: {"type": "server_is_overloaded", "message": "Busy"}\n\n', Overloaded, "Busy"),
        (b'data: {"error": {"message": "Gone", "code": 503}}\n\n', ServerError, "Gone"),
        (b'data: {"error": "Gone"}\n\n', ServerError, "Gone"),
        (frame("response.failed", response={"error": {"code": "server_error", "message": "Oops"}}), ServerError, "Oops"),
        (frame("response.failed", response=None), ServerError, "failed"),
    ],
)
def test_an_error_in_a_stream_raises_and_what_came_before_is_kept(last: bytes, kind: type[RemoteError], text: str) -> None:
    fold = Accumulator()
    arriving = stream_events(iter([*told(0, message(said("Hi")))[:-1], last]), {}, DIALECT, MANIFEST)
    with pytest.raises(kind, match=text) as caught:
        [*map(fold.add, arriving)]
    assert fold.response().content == "Hi"
    assert caught.value.retryable is (kind is not RemoteError)


def test_a_failure_before_any_text_is_the_first_thing_a_reader_meets() -> None:
    created = frame("response.created", response=answer(status="in_progress"))
    with pytest.raises(ServerError):
        next(stream_events(iter([created, frame("error", message="Oops")]), {}, DIALECT, MANIFEST))


@pytest.mark.parametrize("data", [b"[]", b'"text"', b"1"])
def test_a_frame_that_is_no_object_is_a_protocol_error(data: bytes) -> None:
    with pytest.raises(ProtocolError):
        read(b"data: " + data + b"\n\n")


WRONG = (None, 1, "x", [], {}, [1], {"type": 1})


KINDS = ("output_item.added", "output_item.done", "content_part.added", "content_part.done", "created")


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("value", WRONG, ids=repr)
def test_frames_of_a_wrong_shape_break_nothing(kind: str, value: Any) -> None:
    nameless = f"data: {json.dumps({'type': value})}\n\n".encode()
    odd = frame(f"response.{kind}", item=value, part=value, response=value, output_index=value)
    item = frame(f"response.{kind}", item={"type": "message", "content": value}, part={"type": "output_text"})
    reasoning = frame(f"response.{kind}", item={"type": "reasoning", "summary": value, "content": value})
    calling = frame(f"response.{kind}", item={"type": "function_call", "arguments": value, "call_id": value, "name": value})
    hi = deltas("response.output_text.delta", 0, "Hi")
    assert read(*hi, nameless, odd, item, reasoning, calling, *hi, ending(answer(usage=value))).content == "HiHi"
