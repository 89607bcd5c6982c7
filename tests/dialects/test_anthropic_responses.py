"""What comes back in the format of Anthropic Messages: whole answers, streams cut anywhere, and refusals."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import suppress
from copy import deepcopy
from dataclasses import asdict, replace
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ailib_sync.dialects.accumulator import Accumulator
from ailib_sync.dialects.dialect import find
from ailib_sync.errors import (
    AiLibError,
    AuthenticationError,
    Cancelled,
    ConnectionLost,
    InvalidRequest,
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
    StreamingEvent,
    ThinkingDelta,
    ToolCallStarted,
)
from ailib_sync.types.messages import Message, Opaque, Text, Thinking
from ailib_sync.types.request import ChatRequest, Ledger
from ailib_sync.types.response import ChatResponse
from ailib_sync.types.tools import ToolCall
from tests.chat_values import parse_body, read_response, stream_events

DIALECT = find("anthropic_messages")
MANIFEST = Manifest(id="host", name="Host", dialect="anthropic_messages", base_url="https://host.invalid/v1")
SSE = {"content-type": "text/event-stream; charset=utf-8"}

CITATION = {"type": "char_location", "cited_text": "Ulm is wet.", "document_index": 0}
OTHER = {"type": "char_location", "cited_text": "Wet.", "document_index": 1}
SEARCH = {"type": "server_tool_use", "id": "s1", "name": "web_search", "input": {"query": "Ulm"}}
FOUND = {"type": "web_search_tool_result", "tool_use_id": "s1", "content": [{"type": "web_search_result", "url": "u"}]}
CALLER = {"type": "direct"}
USAGE = {
    "input_tokens": 3,
    "cache_creation_input_tokens": 20,
    "cache_read_input_tokens": 100,
    "output_tokens": 40,
    "output_tokens_details": {"thinking_tokens": 9},
}

#: One answer with every kind of block, whole …
ANSWER: dict[str, Any] = {
    "id": "msg_1",
    "type": "message",
    "role": "assistant",
    "model": "m-1",
    "content": [
        {"type": "thinking", "thinking": "Rain? Grüß dich 🌧", "signature": "abc=="},
        {"type": "thinking", "thinking": "", "signature": "def"},
        {"type": "redacted_thinking", "data": "blob"},
        SEARCH,
        FOUND,
        {"type": "text", "text": "It is "},
        {"type": "text", "text": "wet 🌧\u2028", "citations": [CITATION, CITATION]},
        {"type": "text", "text": ".", "citations": [OTHER]},
        {"type": "tool_use", "id": "t1", "name": "umbrella", "input": {"size": "größer"}, "caller": CALLER},
        {"type": "tool_use", "id": "t2", "name": "home", "input": {}},
        {"type": "compaction", "content": "Short: wet."},
    ],
    "stop_reason": "tool_use",
    "stop_sequence": None,
    "container": {"id": "c1"},
    "usage": USAGE,
}


def delta(index: int, kind: str, **values: Any) -> dict[str, Any]:
    return {"type": "content_block_delta", "index": index, "delta": {"type": kind, **values}}


def block(index: int, start: dict[str, Any], *deltas: dict[str, Any]) -> list[dict[str, Any]]:
    return [
        {"type": "content_block_start", "index": index, "content_block": start},
        *({"type": "content_block_delta", "index": index, "delta": change} for change in deltas),
        {"type": "content_block_stop", "index": index},
    ]


START = {
    "type": "message_start",
    "message": {"id": "msg_1", "model": "m-1", "content": [], "usage": {**USAGE, "output_tokens": 1, "service_tier": None}},
}
STOP = {"type": "message_stop"}


def ending(reason: str | None = "end_turn", **values: Any) -> dict[str, Any]:
    return {"type": "message_delta", "delta": {"stop_reason": reason, **values}, "usage": {"output_tokens": 40}}


#: … and the same answer told as a stream.
TOLD: list[dict[str, Any]] = [
    START,
    *block(
        0,
        {"type": "thinking", "thinking": "", "signature": ""},
        {"type": "thinking_delta", "thinking": "Rain? Gr"},
        {"type": "thinking_delta", "thinking": "üß dich 🌧"},
        {"type": "signature_delta", "signature": "abc=="},
    ),
    {"type": "ping"},
    *block(1, {"type": "thinking", "thinking": "", "signature": ""}, {"type": "signature_delta", "signature": "def"}),
    *block(2, {"type": "redacted_thinking", "data": "blob"}),
    *block(
        3,
        {**SEARCH, "input": {}},
        {"type": "input_json_delta", "partial_json": ""},
        {"type": "input_json_delta", "partial_json": '{"query"'},
        {"type": "input_json_delta", "partial_json": ': "Ulm"}'},
    ),
    *block(4, FOUND),
    *block(5, {"type": "text", "text": ""}, {"type": "text_delta", "text": "It "}, {"type": "text_delta", "text": "is "}),
    *block(
        6,
        {"type": "text", "text": "", "citations": []},
        {"type": "citations_delta", "citation": CITATION},
        {"type": "text_delta", "text": "wet 🌧\u2028"},
        {"type": "citations_delta", "citation": CITATION},
    ),
    *block(
        7,
        {"type": "text", "text": ""},
        {"type": "text_delta", "text": "."},
        {"type": "citations_delta", "citation": OTHER},
    ),
    {"type": "news_of_2030", "index": 7},
    *block(
        8,
        {"type": "tool_use", "id": "t1", "name": "umbrella", "input": {}, "caller": CALLER},
        {"type": "input_json_delta", "partial_json": ""},
        {"type": "input_json_delta", "partial_json": '{"size": "gr'},
        {"type": "input_json_delta", "partial_json": 'ößer"}'},
    ),
    *block(9, {"type": "tool_use", "id": "t2", "name": "home", "input": {}}, {"type": "input_json_delta", "partial_json": ""}),
    *block(10, {"type": "compaction", "content": None}, {"type": "compaction_delta", "content": "Short: wet."}),
    ending("tool_use", stop_sequence=None, container={"id": "c1"}),
    STOP,
]


def sse(told: list[dict[str, Any]], end: str = "\n\n") -> bytes:
    blocks = (f"event: {event['type']}\ndata: {json.dumps(event, ensure_ascii=False)}" for event in told)
    return ("\n\n".join(blocks) + end).encode()


def events(*chunks: bytes, manifest: Manifest = MANIFEST) -> list[StreamingEvent]:
    return list(stream_events(iter(chunks), SSE, DIALECT, manifest))


def folded(told: list[StreamingEvent]) -> ChatResponse:
    fold = Accumulator()
    for event in told:
        fold.add(event)
    return fold.response("anthropic_messages")


def parse(body: Any) -> ChatResponse:
    return parse_body(DIALECT, body, MANIFEST)


def without_texts_of_arguments(response: ChatResponse) -> dict[str, Any]:
    """Everything but the texts of arguments and the JSON itself, which only one of the two ways has."""
    for call in response.tool_calls:
        call.arguments_raw = None
    return {key: value for key, value in asdict(response).items() if key != "raw"}


# Whole answers


def test_a_complete_response_is_read_block_by_block() -> None:
    response = parse(ANSWER)
    assert response.content == "It is wet 🌧\u2028."
    assert response.thinking == "Rain? Grüß dich 🌧"
    assert response.message.blocks == [
        Thinking("Rain? Grüß dich 🌧", "abc=="),
        Thinking("", "def"),
        Thinking(redacted="blob"),
        Opaque(SEARCH),
        Opaque(FOUND),
        Text("It is "),
        Text("wet 🌧\u2028", {"citations": [CITATION, CITATION]}),
        Text(".", {"citations": [OTHER]}),
        ToolCall("t1", "umbrella", {"size": "größer"}, extra={"caller": CALLER}),
        ToolCall("t2", "home", {}),
        Opaque({"type": "compaction", "content": "Short: wet."}),
    ]
    assert (response.id, response.model, response.finish_reason) == ("msg_1", "m-1", "tool_use")
    assert response.message.origin == "anthropic_messages"
    assert response.message.extra == {"container": {"id": "c1"}}
    assert response.raw == ANSWER


def test_a_stream_folds_to_what_the_complete_response_gives() -> None:
    assert without_texts_of_arguments(folded(events(sse(TOLD)))) == without_texts_of_arguments(parse(ANSWER))


def test_an_response_goes_back_as_it_came() -> None:
    for response in (parse(ANSWER), folded(events(sse(TOLD)))):
        request = ChatRequest("m-1", (Message.user("Ulm?"), response.message))
        body = DIALECT.chat.render(request, MANIFEST, Ledger())
        assert body["messages"][1] == {"role": "assistant", "content": ANSWER["content"]}


@pytest.mark.parametrize(
    ("raw", "figures"),
    [
        (USAGE, (123, 40, 163, 100, 20, 9)),
        ({"input_tokens": 5, "output_tokens": 2}, (5, 2, 7, None, None, None)),
        ({"output_tokens": 2, "cache_read_input_tokens": 0}, (None, 2, None, 0, None, None)),
        ({"input_tokens": "5", "output_tokens": True}, (None,) * 6),
        ({}, (None,) * 6),
        (None, (None,) * 6),
        ([1], (None,) * 6),
    ],
)
def test_usage_counts_the_complete_prompt_and_invents_nothing(raw: Any, figures: Any) -> None:
    usage = parse({**ANSWER, "usage": raw}).usage
    assert (
        usage.prompt_tokens,
        usage.completion_tokens,
        usage.total_tokens,
        usage.cached_tokens,
        usage.cache_write_tokens,
        usage.reasoning_tokens,
    ) == figures


@pytest.mark.parametrize(
    ("stop", "finish", "sequence", "refusal"),
    [
        ({"stop_reason": "end_turn"}, "end_turn", None, None),
        ({"stop_reason": "max_tokens"}, "max_tokens", None, None),
        ({"stop_reason": "model_context_window_exceeded"}, "max_tokens", None, None),
        ({"stop_reason": "stop_sequence", "stop_sequence": "END"}, "stop_sequence", "END", None),
        ({"stop_reason": "tool_use"}, "tool_use", None, None),
        ({"stop_reason": "pause_turn"}, "pause_turn", None, None),
        ({"stop_reason": "of_2030"}, "of_2030", None, None),
        ({"stop_reason": "refusal"}, "content_filter", None, None),
        ({"stop_reason": "refusal", "stop_details": {"category": "bio", "explanation": None}}, "content_filter", None, "bio"),
        (
            {"stop_reason": "refusal", "stop_details": {"category": "bio", "explanation": "No."}},
            "content_filter",
            None,
            "No.",
        ),
        ({"stop_reason": None}, None, None, None),
    ],
)
def test_stop_reasons_are_normalised_equally_in_responses_and_streams(
    stop: dict[str, Any], finish: Any, sequence: Any, refusal: Any
) -> None:
    whole = parse({"content": [], **stop})
    told = folded(events(sse([START, {"type": "message_delta", "delta": stop}, STOP])))
    for response in (whole, told):
        assert (response.finish_reason, response.raw_finish_reason) == (finish, stop["stop_reason"])
        assert (response.stop_sequence, response.refusal) == (sequence, refusal)
    assert whole.message.extra == told.message.extra


def test_texts_that_say_nothing_leave_no_block() -> None:
    assert parse({"content": [{"type": "text", "text": ""}, {"type": "text", "text": "a"}]}).message.blocks == [Text("a")]
    told = [*block(0, {"type": "text", "text": ""}), *block(1, {"type": "text", "text": "a"}), ending(), STOP]
    assert folded(events(sse(told))).message.blocks == [Text("a")]


@pytest.mark.parametrize("body", [None, [], "x", 7, {}, {"content": None}, {"content": "hi"}, {"content": ["hi"]}])
def test_what_is_no_response_is_a_protocol_error(body: Any) -> None:
    with pytest.raises(ProtocolError, match="host"):
        parse(body)


@pytest.mark.parametrize(
    ("given", "arguments", "raw"),
    [({"a": 1}, {"a": 1}, None), ({}, {}, None), (None, {}, None), ('{"a"', None, '{"a"'), ([1], None, "[1]")],
)
def test_the_input_of_a_call_is_kept_whatever_it_is(given: Any, arguments: Any, raw: Any) -> None:
    [call] = parse({"content": [{"type": "tool_use", "id": "t", "name": "f", "input": given}]}).tool_calls
    assert (call.arguments, call.arguments_raw) == (arguments, raw)


# Streams

WHOLE = events(sse(TOLD))


def test_a_stream_is_reported_step_by_step() -> None:
    told = [*block(0, {"type": "text", "text": ""}, {"type": "text_delta", "text": "Hi"})]
    told += block(
        1, {"type": "tool_use", "id": "t", "name": "f", "input": {}}, {"type": "input_json_delta", "partial_json": '{"a":1}'}
    )
    got = events(sse([START, *told, ending("tool_use"), STOP]))
    assert [type(event).__name__ for event in got] == [
        "Metadata",
        "ContentDelta",
        "ToolCallStarted",
        "PartialToolCall",
        "ToolCallEnded",
        "Metadata",
        "StreamEnd",
    ]
    first, _, started, partial, ended, last, _ = got
    assert (first.as_metadata.id, first.as_metadata.model) == ("msg_1", "m-1")
    assert started == ToolCallStarted(0, "t", "f")
    assert partial == PartialToolCall(0, '{"a":1}')
    assert ended.as_tool_call_ended.tool_call == ToolCall("t", "f", {"a": 1}, '{"a":1}')
    usage = last.as_metadata.usage
    assert usage is not None
    assert (usage.prompt_tokens, usage.completion_tokens) == (123, 40)
    assert usage.raw == USAGE


@given(st.lists(st.integers(0, len(sse(TOLD))), max_size=30))
def test_any_cut_of_the_bytes_gives_the_same_events(points: list[int]) -> None:
    raw, at = sse(TOLD), [0, *sorted(points), len(sse(TOLD))]
    assert events(*(raw[a:b] for a, b in pairwise(at))) == WHOLE


def test_reading_leaves_the_frames_as_they_were() -> None:
    frames = [(event["type"], event) for event in TOLD]
    assert list(DIALECT.chat.stream.parse(iter(frames), MANIFEST)) == WHOLE
    assert list(DIALECT.chat.stream.parse(iter(frames), MANIFEST)) == WHOLE


def test_one_byte_at_a_time_gives_the_same_events() -> None:
    raw = sse(TOLD)
    assert events(*(raw[i : i + 1] for i in range(len(raw)))) == WHOLE


@given(st.integers(0, len(sse(TOLD)) - 1))
def test_a_stream_that_stops_anywhere_is_interrupted_or_complete_and_keeps_what_came(point: int) -> None:
    raw = sse(TOLD)[:point]
    got: list[StreamingEvent] = []
    stream = stream_events(iter([raw]), SSE, DIALECT, MANIFEST)
    try:
        got.extend(stream)
    except StreamInterrupted:
        assert b"stop_reason" not in raw[: raw.rfind(b"\n\n") + 1]
        assert got == WHOLE[: len(got)]
    else:
        assert got == WHOLE


def test_the_end_mark_counts_without_its_blank_line_if_it_is_complete() -> None:
    told = [START, *block(0, {"type": "text", "text": ""}, {"type": "text_delta", "text": "Hi"}), STOP]
    assert events(sse(told, end=""))[-1] == StreamEnd()
    with pytest.raises(StreamInterrupted):
        events(sse(told, end="")[:-1])
    assert not DIALECT.chat.stream.is_end_mark("message", '{"type": "ping", "of": "message_stop"}')


def test_what_follows_the_end_mark_is_not_read() -> None:
    def chunks() -> Iterator[bytes]:
        yield sse([START, ending(), STOP])
        raise AssertionError("read on after message_stop")

    got = list(stream_events(chunks(), SSE, DIALECT, MANIFEST))
    assert got[-1].is_stream_end


def breaking(told: list[dict[str, Any]], error: Exception) -> Iterator[bytes]:
    yield sse(told)
    raise error


def test_a_connection_lost_after_the_stop_reason_takes_nothing_away() -> None:
    told = [START, *block(0, {"type": "text", "text": ""}, {"type": "text_delta", "text": "Hi"}), ending()]
    got = list(stream_events(breaking(told, ConnectionLost("gone")), SSE, DIALECT, MANIFEST))
    assert got[-1] == StreamEnd("end_turn", "end_turn")


@pytest.mark.parametrize(
    ("told", "error"),
    [
        ([START], ConnectionLost("gone")),
        ([START, ending(None)], ConnectionLost("gone")),
        ([START, ending()], Cancelled("by you")),
        ([START, ending()], ProtocolError("damaged")),
    ],
)
def test_any_other_break_is_raised(told: Any, error: AiLibError) -> None:
    with pytest.raises(type(error)):
        list(stream_events(breaking(told, error), SSE, DIALECT, MANIFEST))


def test_a_call_cut_by_the_end_of_tokens_keeps_the_text_of_its_arguments() -> None:
    start, *rest = block(
        0, {"type": "tool_use", "id": "t", "name": "f", "input": {}}, {"type": "input_json_delta", "partial_json": '{"a": "b'}
    )
    for told in ([start, *rest], [start, *rest[:-1]]):  # with its content_block_stop and without
        [call] = folded(events(sse([START, *told, ending("max_tokens"), STOP]))).tool_calls
        assert (call.arguments, call.arguments_raw) == (None, '{"a": "b')


def test_parallel_calls_are_kept_apart_by_their_index() -> None:
    def start(index: int, id: str) -> dict[str, Any]:
        call = {"type": "tool_use", "id": id, "name": "f", "input": {}}
        return {"type": "content_block_start", "index": index, "content_block": call}

    told = [start(1, "a"), start(2, "b")]
    told += [delta(2, "input_json_delta", partial_json='{"n"'), delta(1, "input_json_delta", partial_json='{"n":1}')]
    told += [{"type": "content_block_stop", "index": 1}, delta(2, "input_json_delta", partial_json=":2}")]
    calls = folded(events(sse([*told, ending("tool_use"), STOP]))).tool_calls
    assert [(call.id, call.arguments) for call in calls] == [("a", {"n": 1}), ("b", {"n": 2})]


def test_a_call_whose_input_stands_in_its_start_is_read() -> None:
    told = block(0, {"type": "tool_use", "id": "t", "name": "f", "input": {"a": 1}})
    [call] = folded(events(sse([*told, ending("tool_use"), STOP]))).tool_calls
    assert (call.arguments, call.arguments_raw) == ({"a": 1}, None)


@pytest.mark.parametrize(
    "odd",
    [
        {"type": "content_block_delta"},
        {"type": "content_block_delta", "index": 9, "delta": {"type": "input_json_delta", "partial_json": "x"}},
        {"type": "content_block_delta", "index": 0, "delta": {"type": "of_2030", "text": "x"}},
        {"type": "content_block_delta", "index": 0, "delta": {"type": "text_delta", "text": None}},
        {"type": "content_block_start", "index": 0},
        {"type": "content_block_stop"},
        {"type": "message_start"},
        {"type": "message_delta"},
        {"type": "ping"},
        {},
    ],
)
def test_odd_frames_are_passed_over(odd: dict[str, Any]) -> None:
    told = [START, odd, *block(0, {"type": "text", "text": ""}, {"type": "text_delta", "text": "Hi"}), ending(), STOP]
    stream = DIALECT.chat.stream.parse(((event.get("type", ""), event) for event in told), MANIFEST)
    assert folded(list(stream)).content == "Hi"


def damage(value: Any, rng: Any) -> None:
    """Puts something else, anywhere, in the place of one value."""
    places = list(value) if isinstance(value, dict) else range(len(value))
    if not places:
        return
    place = rng.choice(places)
    if isinstance(value[place], (dict, list)) and rng.random() < 0.8:
        damage(value[place], rng)
    else:
        value[place] = rng.choice([None, 1, "x", [], {}, ["a"], {"a": 1}, True, -1.5])


@given(st.randoms(use_true_random=False))
def test_damaged_responses_give_values_or_our_own_errors(rng: Any) -> None:
    told, whole = deepcopy(TOLD), deepcopy(ANSWER)
    damage(told, rng)
    damage(whole, rng)
    fold = Accumulator()
    with suppress(AiLibError):
        for event in DIALECT.chat.stream.parse((("message", frame) for frame in told), MANIFEST):
            fold.add(event)
    responses = [fold.response("anthropic_messages")]
    with suppress(AiLibError):
        responses.append(parse(whole))
    for response in responses:
        json.dumps(DIALECT.chat.render(ChatRequest("m-1", (response.message,)), MANIFEST, Ledger()))


def test_a_frame_that_is_no_object_is_a_protocol_error() -> None:
    with pytest.raises(ProtocolError, match="not an object"):
        list(DIALECT.chat.stream.parse(iter([("message", [1])]), MANIFEST))


def test_openais_done_mark_ends_a_stream_that_has_its_stop_reason() -> None:
    assert events(sse([START, ending()]) + b"data: [DONE]\n\n")[-1].is_stream_end
    with pytest.raises(StreamInterrupted):
        events(sse([START]) + b"data: [DONE]\n\n")


def test_a_host_that_never_says_why_it_stops_may_end_by_ending() -> None:
    assert events(sse([START]), manifest=replace(MANIFEST, stream_end=("eof",)))[-1] == StreamEnd()


def test_thinking_and_citations_are_events_of_their_own() -> None:
    deltas = [event for event in WHOLE if isinstance(event, ThinkingDelta)]
    assert [event.starts for event in deltas].count(True) == 3
    assert "".join(event.signature or "" for event in deltas) == "abc==def"
    assert [event.redacted for event in deltas if event.redacted] == ["blob"]
    assert [event.starts for event in WHOLE if isinstance(event, ContentDelta)].count(True) == 2
    cited = [event.extra for event in WHOLE if isinstance(event, ContentDelta) and event.extra]
    assert cited == [{"citations": [CITATION]}, {"citations": [CITATION, CITATION]}, {"citations": [OTHER]}]
    blocks = [event.block for event in WHOLE if isinstance(event, Metadata) and event.block]
    assert blocks[:2] == [Opaque(SEARCH), Opaque(FOUND)]


# Refusals


def refused(kind: str, **more: Any) -> dict[str, Any]:
    return {"type": "error", "error": {"type": kind, "message": "No.", **more}, "request_id": "req_1"}


SPENT = {"details": {"error_code": "enforced_spend_limit_reached"}}


@pytest.mark.parametrize(
    ("status", "body", "error", "retryable"),
    [
        (400, refused("invalid_request_error"), InvalidRequest, False),
        (401, refused("authentication_error"), AuthenticationError, False),
        (402, refused("billing_error"), QuotaExhausted, False),
        (429, refused("rate_limit_error"), RateLimited, True),
        (429, refused("rate_limit_error", **SPENT), QuotaExhausted, False),
        (500, refused("api_error"), ServerError, True),
        (529, refused("overloaded_error"), Overloaded, True),
        (529, refused("of_2030"), Overloaded, True),
    ],
)
def test_an_error_response_is_classified_by_its_own_word_first(status: int, body: Any, error: Any, retryable: bool) -> None:
    with pytest.raises(RemoteError) as caught:
        read_response(status, {"request-id": "req_1"}, json.dumps(body).encode(), DIALECT, MANIFEST)
    assert type(caught.value) is error
    assert caught.value.retryable is retryable
    assert caught.value.message == "No."
    assert caught.value.error_type == body["error"]["type"]
    assert caught.value.request_id == "req_1"


def test_every_documented_error_word_has_its_class() -> None:
    documented = {
        "invalid_request_error": 400,
        "authentication_error": 401,
        "billing_error": 402,
        "permission_error": 403,
        "not_found_error": 404,
        "request_too_large": 413,
        "rate_limit_error": 429,
        "api_error": 500,
        "timeout_error": 504,
        "overloaded_error": 529,
    }
    for word, status in documented.items():
        by_word = MANIFEST.error(None, DIALECT.parse_error(None, refused(word)), DIALECT.error_words)
        by_status = MANIFEST.error(status, DIALECT.parse_error(status, "No."), DIALECT.error_words)
        assert type(by_word) is type(by_status), word


def test_an_error_in_the_middle_of_a_stream_is_raised_after_what_came() -> None:
    text = block(0, {"type": "text", "text": ""}, {"type": "text_delta", "text": "Hi"})
    told = [START, *text[:2], refused("overloaded_error")]
    got: list[StreamingEvent] = []
    stream = stream_events(iter([sse(told)]), SSE, DIALECT, MANIFEST)
    with pytest.raises(Overloaded) as caught:
        got.extend(stream)
    assert got[-1] == ContentDelta("Hi")
    assert caught.value.provider == "host"
    assert json.loads(caught.value.body or "")["request_id"] == "req_1"


def test_an_error_in_an_response_with_status_200_is_raised() -> None:
    with pytest.raises(Overloaded):
        parse(refused("overloaded_error"))


@pytest.mark.parametrize(
    ("body", "message", "type", "code"),
    [
        (refused("api_error", **SPENT), "No.", "api_error", "enforced_spend_limit_reached"),
        ({"error": "No."}, "No.", None, None),
        ({"error": {"message": "No.", "code": 403, "status": "PERMISSION_DENIED"}}, "No.", "PERMISSION_DENIED", "403"),
        ([{"error": {"message": "No."}}], "No.", None, None),
        ({"message": "No."}, "No.", None, None),
        ({"detail": "No."}, "No.", None, None),
        ({"detail": [{"loc": ["body"]}]}, '[{"loc": ["body"]}]', None, None),
        (" No.\n", "No.", None, None),
        (None, "", None, None),
        ([], "", None, None),
    ],
)
def test_bodies_of_gateways_are_read_too(body: Any, message: str, type: Any, code: Any) -> None:
    details = DIALECT.parse_error(400, body)
    assert (details.message, details.type, details.code) == (message, type, code)
