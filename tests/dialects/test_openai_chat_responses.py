"""Chat Completions, responses: all differences between compatible hosts, in streams and in complete responses."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ailib_sync.dialects.openai_chat.dialect import DIALECT
from ailib_sync.dialects.openai_chat.kept_fields import KEPT_OF_CHUNK
from ailib_sync.dialects.openai_chat.stream import StreamReader
from ailib_sync.errors import Cancelled, ConnectionLost, StreamInterrupted
from ailib_sync.types.events import (
    ContentDelta,
    Metadata,
    PartialToolCall,
    StreamEnd,
    StreamingEvent,
    ThinkingDelta,
    ToolCallEnded,
    ToolCallStarted,
)
from ailib_sync.types.messages import Message, Opaque
from ailib_sync.types.tools import ToolCall
from tests.chat_values import stream_events

from .fragments import Fragment, fragments, outcome_of
from .openai_chat_bytes import COUNTS, SSE, chunk, events, from_body, from_stream, manifest, render, sse

# --- Text and thinking --------------------------------------------------------------------------------------------------


def test_a_plain_stream_gives_its_events_in_order() -> None:
    usage = {"prompt_tokens": 3, "completion_tokens": 2, "total_tokens": 5}
    got = events(chunk({"role": "assistant", "content": ""}), chunk({"content": "Hel"}), chunk({"content": "lo"}),
                 chunk({}, "stop"), chunk(usage=usage))  # fmt: skip
    assert got[:3] == [Metadata(id="c-1", model="m-1"), ContentDelta("Hel"), ContentDelta("lo")]
    assert isinstance(got[3], Metadata)
    assert (got[3].usage.prompt_tokens, got[3].usage.raw) == (3, usage)
    assert got[4:] == [StreamEnd("end_turn", "stop")]


#: Messages as hosts send them: (message, text, thinking, refusal).
MESSAGES = [
    ({"content": "a"}, "a", None, None),
    ({"content": None}, "", None, None),
    ({"content": "a", "reasoning_content": "t"}, "a", "t", None),
    ({"content": "a", "reasoning": "t"}, "a", "t", None),
    ({"content": "a", "reasoning_text": "t"}, "a", "t", None),
    ({"content": "a", "reasoning": "t", "reasoning_content": "t"}, "a", "t", None),
    ({"content": "a", "reasoning": "t", "reasoning_details": [{"type": "reasoning.text", "text": "t"}]}, "a", "t", None),
    ({"content": "a", "reasoning_details": [{"type": "reasoning.summary", "summary": "t"}]}, "a", "t", None),
    ({"content": "a", "reasoning_details": [{"type": "reasoning.encrypted", "data": "x"}]}, "a", None, None),
    ({"content": [{"type": "text", "text": "a"}, {"type": "text", "text": "b"}]}, "ab", None, None),
    ({"content": [{"type": "thinking", "thinking": [{"type": "text", "text": "t"}]}, {"type": "text", "text": "a"}]},
     "a", "t", None),
    ({"content": [{"type": "reasoning", "summary": [{"type": "summary_text", "text": "t", "signature": "s"}]}, "a"]},
     "a", "t", None),
    ({"content": {"x": 1}}, '{"x": 1}', None, None),
    ({"content": None, "refusal": "No."}, "", None, "No."),
    ({"content": [{"type": "refusal", "refusal": "No."}]}, "", None, "No."),
]  # fmt: skip


@pytest.mark.parametrize(("message", "text", "thinking", "refusal"), MESSAGES)
@pytest.mark.parametrize("streamed", [True, False])
def test_text_and_thinking_are_read_from_every_field(
    message: dict[str, Any], text: str, thinking: str | None, refusal: str | None, streamed: bool
) -> None:
    got = from_stream(chunk(message), chunk({}, "stop")) if streamed else from_body(message)
    assert (got.content, got.thinking, got.refusal) == (text, thinking, refusal)
    assert got.finish_reason == ("content_filter" if refusal else "end_turn")
    assert got.raw_finish_reason == "stop"


def test_details_that_repeat_earlier_thinking_are_not_counted_twice() -> None:
    details = [{"type": "reasoning.text", "text": "t1t2", "signature": "s", "index": 0}]
    got = from_stream(chunk({"reasoning": "t1"}), chunk({"reasoning": "t2"}), chunk({"reasoning_details": details}, "stop"))
    assert got.thinking == "t1t2"
    assert got.message.extra["reasoning_details"] == details


def test_fragments_of_reasoning_details_are_joined_to_the_entries_of_a_complete_response() -> None:
    def entry(**keys: Any) -> dict[str, Any]:
        return {"type": "reasoning.text", "index": 0, "format": "f", **keys}

    got = from_stream(
        chunk({"reasoning_details": [entry(text="a", signature=None)]}),
        chunk({"reasoning_details": [entry(text="b", signature="s")]}),
        chunk({"reasoning_details": [{"type": "reasoning.encrypted", "data": "x", "index": 1}]}, "stop"),
    )
    joined = [entry(text="ab", signature="s"), {"type": "reasoning.encrypted", "data": "x", "index": 1}]
    assert got.message.extra == {"reasoning_details": joined}
    assert got.thinking == "ab"
    separate = [entry(text="a", id="1"), entry(text="b", id="2")]
    got = from_stream(*(chunk({"reasoning_details": [one]}) for one in separate), chunk({}, "stop"))
    assert got.message.extra == {"reasoning_details": separate}
    two = [entry(text="a"), entry(text="b")]
    assert from_body({"content": "x", "reasoning_details": two}).message.extra == {"reasoning_details": two}


def test_signed_thinking_parts_are_sent_back_unchanged() -> None:
    part = {"type": "thinking", "thinking": [{"type": "text", "text": "t"}], "signature": "s", "closed": True}
    got = from_body({"content": [part, {"type": "text", "text": "a"}]})
    got.message.origin = "openai_chat"
    assert render(got.message, to=manifest("replay_thinking_parts"))["messages"][0]["content"] == [
        part, {"type": "text", "text": "a"},
    ]  # fmt: skip
    databricks = {"type": "reasoning", "summary": [{"type": "summary_text", "text": "t", "signature": "s"}]}
    got = from_body({"content": [databricks]})
    assert render(got.message, to=manifest("replay_thinking_parts"))["messages"][0]["content"] == [databricks]


def test_unknown_parts_are_kept_and_sent_back() -> None:
    part = {"type": "reference", "reference_ids": [1]}
    got = from_body({"content": [{"type": "text", "text": "a"}, part]})
    assert got.content == "a"
    assert got.message.blocks[1] == Opaque(part)
    assert render(got.message)["messages"][0]["content"] == [{"type": "text", "text": "a"}, part]


TAGGED = "\n<think>one\ntwo <b></think>\n\nHi <think>not</think>"


@given(st.lists(st.integers(0, len(TAGGED)), max_size=12))
def test_think_tags_are_separated_from_the_text_at_any_cut(points: list[int]) -> None:
    fragments = [TAGGED[a:b] for a, b in pairwise([0, *sorted(points), len(TAGGED)])]
    got = from_stream(*(chunk({"content": text}) for text in fragments), chunk({}, "stop"), of=manifest("think_tags"))
    assert (got.thinking, got.content) == ("one\ntwo <b>", "Hi <think>not</think>")


@pytest.mark.parametrize(
    ("text", "thinking", "content"),
    [
        ("<thinking>a</thinking>b", "a", "b"),
        ("<think></think>\n\nb", None, "b"),
        ("<think>cut of", "cut of", ""),
        ("<thi", None, "<thi"),
        ("a <think>b</think>", None, "a <think>b</think>"),
        ("", None, ""),
    ],
)
def test_think_tags_at_their_edges(text: str, thinking: str | None, content: str) -> None:
    tagged = manifest("think_tags")
    letters = [chunk({"content": letter}) for letter in text]
    for got in (from_body({"content": text}, of=tagged), from_stream(*letters, chunk({}, "stop"), of=tagged)):
        assert (got.thinking, got.content) == (thinking, content)
    assert from_body({"content": text}).content == text


# --- Tool calls ---------------------------------------------------------------------------------------------------------


def fragment(index: int | None = 0, id: str | None = None, name: str | None = None, args: Any = None) -> dict[str, Any]:
    function = {key: value for key, value in (("name", name), ("arguments", args)) if value is not None}
    given = {"index": index, "id": id}
    return {**{key: value for key, value in given.items() if value is not None}, "function": function}


#: Fragments, one list a chunk → (id, name, arguments) of each call; id None = of our making.
CALLS: dict[str, tuple[list[list[dict[str, Any]]], list[tuple[str | None, str, Any]]]] = {
    "by the book": (
        [[fragment(0, "a", "f", "")], [fragment(0, args='{"x"')], [fragment(0, args=": 1}")], [fragment(1, "b", "g", "{}")]],
        [("a", "f", {"x": 1}), ("b", "g", {})],
    ),
    "interleaved": (
        [[fragment(0, "a", "f", "")], [fragment(1, "b", "g", "")],
         [fragment(0, args='{"x": 1}'), fragment(1, args='{"y": 2}')]],
        [("a", "f", {"x": 1}), ("b", "g", {"y": 2})],
    ),
    "complete in one chunk, no index": (
        [[fragment(None, "a", "f", '{"x": 1}'), fragment(None, "b", "g", "{}")]],
        [("a", "f", {"x": 1}), ("b", "g", {})],
    ),
    "no index, later fragments by id or by position": (
        [[fragment(None, "a", "f", "")], [fragment(None, "a", args='{"x"')], [fragment(None, args=": 1}")]],
        [("a", "f", {"x": 1})],
    ),
    "all at index 0": (
        [[fragment(0, "a", "f", '{"x": 1}')], [fragment(0, "b", "f", '{"x": 2}')], [fragment(0, "c", "f", '{"x": 3}')]],
        [("a", "f", {"x": 1}), ("b", "f", {"x": 2}), ("c", "f", {"x": 3})],
    ),
    "all at index 0 without ids": (
        [[fragment(0, None, "f", '{"x": 1}')], [fragment(0, None, "g", '{"x": 2}')]],
        [(None, "f", {"x": 1}), (None, "g", {"x": 2})],
    ),
    "empty ids and repeated names later": (
        [[fragment(0, "a", "f", "")], [fragment(0, "", "", '{"x"')], [fragment(0, "", "f", ": 1}")]],
        [("a", "f", {"x": 1})],
    ),
    "another id without a name goes on": (
        [[fragment(0, "a", "f", '{"x"')], [fragment(0, "zz", None, ": 1}")]],
        [("a", "f", {"x": 1})],
    ),
    "name after arguments": ([[fragment(0, "a", None, '{"x"')], [fragment(0, None, "f", ": 1}")]], [("a", "f", {"x": 1})]),
    "arguments as an object": ([[fragment(0, "a", "f", {"x": 1})]], [("a", "f", {"x": 1})]),
    "no arguments": ([[fragment(0, "a", "f")]], [("a", "f", {})]),
    "arguments that are not JSON": ([[fragment(0, "a", "f", '{"x": ')]], [("a", "f", None)]),
    "arguments that are not an object": ([[fragment(0, "a", "f", "[1]")]], [("a", "f", None)]),
}  # fmt: skip


@pytest.mark.parametrize("case", CALLS)
def test_tool_calls_are_put_together_with_any_numbering(case: str) -> None:
    chunks, expected = CALLS[case]
    got = from_stream(chunk({"content": None}), *(chunk({"tool_calls": part}) for part in chunks), chunk({}, "stop"))
    assert [(call.name, call.arguments) for call in got.tool_calls] == [(name, arguments) for _, name, arguments in expected]
    assert [call.id for call, (id, _, _) in zip(got.tool_calls, expected, strict=True) if id] == [
        id for id, _, _ in expected if id
    ]
    ids = [call.id for call in got.tool_calls]
    assert all(ids)
    assert len(set(ids)) == len(ids)
    # `stop` after tool calls means `tool_use`; the host's word is kept.
    assert (got.finish_reason, got.raw_finish_reason) == ("tool_use", "stop")


@pytest.mark.parametrize("case", ["by the book", "complete in one chunk, no index", "arguments as an object", "no arguments"])
def test_a_stream_gives_the_same_as_a_complete_response(case: str) -> None:
    chunks, expected = CALLS[case]
    usage = {"prompt_tokens": 1, "completion_tokens": 1, "total_tokens": 2}
    message = {
        "content": "ab", "reasoning": "t",
        "tool_calls": [
            {"id": id, "type": "function", "function": {"name": name, **({"arguments": args} if args else {})}}
            for id, name, args in _calls_of(chunks)
        ],
    }  # fmt: skip
    streamed = from_stream(chunk({"reasoning": "t"}), chunk({"content": "a"}), chunk({"content": "b"}),
                    *(chunk({"tool_calls": part}) for part in chunks), chunk({}, "tool_calls"), chunk(usage=usage))  # fmt: skip
    response = from_body(message, "tool_calls", usage=usage)
    response.raw = None
    assert streamed == response
    assert [(call.id, call.name, call.arguments) for call in response.tool_calls] == expected


def _calls_of(chunks: list[list[dict[str, Any]]]) -> list[tuple[str, str, Any]]:
    calls: dict[Any, list[Any]] = {}
    for wire in (wire for part in chunks for wire in part):
        call = calls.setdefault(wire.get("index", wire.get("id")), [wire.get("id"), wire["function"].get("name"), ""])
        args = wire["function"].get("arguments", "")
        call[2] = args if isinstance(args, dict) else call[2] + args
    return [tuple(call) for call in calls.values()]  # type: ignore[misc]


def test_events_of_a_tool_call_have_its_fragments_unchanged() -> None:
    got = events(chunk({"tool_calls": [fragment(0, "a", "f", "")]}), chunk({"tool_calls": [fragment(0, args='{"x"')]}),
                 chunk({"tool_calls": [fragment(0, args=": 1}")]}), chunk({}, "tool_calls"))  # fmt: skip
    assert got[1:] == [
        ToolCallStarted(0, "a", "f"),
        PartialToolCall(0, '{"x"'),
        PartialToolCall(0, ": 1}"),
        ToolCallEnded(0, ToolCall("a", "f", {"x": 1}, '{"x": 1}')),
        StreamEnd("tool_use", "tool_calls"),
    ]


@pytest.mark.parametrize(("finish", "arguments"), [("length", None), ("tool_calls", {})])
def test_arguments_that_a_length_limit_cut_off_are_unknown(finish: str, arguments: Any) -> None:
    got = from_body({"tool_calls": [fragment(0, "a", "f", "")]}, finish)
    assert got.tool_calls[0].arguments == arguments


def test_generated_ids_differ_between_responses_and_are_the_same_in_a_stream() -> None:
    calls = {"tool_calls": [fragment(None, "", "f", "{}"), fragment(None, "", "g", "{}")]}
    one, other = from_body(calls, id="c-1"), from_body(calls, id="c-2")
    ids = [call.id for response in (one, other) for call in response.tool_calls]
    assert len(set(ids)) == 4
    assert all(len(id) <= 40 for id in ids)
    assert [call.id for call in from_stream(chunk(calls), chunk({}, "stop")).tool_calls] == ids[:2]


def test_legacy_function_call_and_custom_tools_are_tool_calls() -> None:
    fragments = [{"name": "f", "arguments": '{"x"'}, {"arguments": ": 1}"}]
    legacy = from_stream(*(chunk({"function_call": part}) for part in fragments), chunk({}, "function_call"))
    assert (legacy.tool_calls[0].name, legacy.tool_calls[0].arguments, legacy.finish_reason) == ("f", {"x": 1}, "tool_use")
    sent = {"id": "a", "type": "custom", "custom": {"name": "sh", "input": "ls {}"}}
    got = from_body({"content": None, "tool_calls": [sent]}, "tool_calls")
    assert (got.tool_calls[0].arguments, got.tool_calls[0].arguments_raw) == (None, "ls {}")
    got.message.origin = "openai_chat"
    assert render(got.message, Message.tool("a", "x"))["messages"][0]["tool_calls"] == [sent]


# --- Finish reasons, ends and usage -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("raw", "reason"),
    [
        ("stop", "end_turn"), ("length", "max_tokens"), ("content_filter", "content_filter"), ("eos", "end_turn"),
        ("model_length", "max_tokens"), ("sensitive", "content_filter"), ("odd", "mapped"),
    ],
)  # fmt: skip
def test_finish_reasons_are_normalised_and_kept(raw: str, reason: str) -> None:
    to = manifest(finish_reasons={"odd": "mapped"})
    for got in (from_body({"content": "a"}, raw, of=to), from_stream(chunk({"content": "a"}), chunk({}, raw), of=to)):
        assert (got.finish_reason, got.raw_finish_reason) == (reason, raw)


@pytest.mark.parametrize("raw", ["", None])
def test_no_finish_reason_is_invented(raw: str | None) -> None:
    got = from_body({"content": "a", "tool_calls": [fragment(0, "a", "f", "{}")]}, raw)
    assert (got.finish_reason, got.raw_finish_reason) == (None, None)
    assert from_stream(chunk({"content": "a"}, raw)).finish_reason is None


def test_a_stream_is_complete_with_a_finish_reason_or_with_done() -> None:
    assert from_stream(chunk({"content": "a"}), chunk({}, "stop"), done=False).finish_reason == "end_turn"
    assert from_stream(chunk({"content": "a"}), chunk({"content": "b"}, "stop"), done=False).finish_reason == "end_turn"
    assert from_stream(chunk({"content": "a"}), done=True).content == "a"


def test_a_stream_without_an_end_is_interrupted_unless_the_manifest_has_eof() -> None:
    with pytest.raises(StreamInterrupted, match=r"without \[DONE\]"):
        events(chunk({"content": "a"}), chunk({"content": "b"}), done=False)
    eof = manifest(stream_end=("eof",))
    got = events(chunk({"content": "a"}), chunk({"content": "b"}), done=False, of=eof)
    assert got[-1] == StreamEnd(None, None)
    with pytest.raises(StreamInterrupted):
        events(done=False, of=eof)


def test_done_without_its_blank_line_ends_the_stream() -> None:
    raw = sse(chunk({"content": "a"}), done=False) + b"data: [DONE]"
    assert list(stream_events([raw], SSE, DIALECT, manifest()))[-1] == StreamEnd(None, None)


def broken(*chunks: Any, by: Exception) -> Any:
    for one in chunks:
        yield "message", one
    raise by


def test_a_connection_lost_after_the_finish_reason_is_no_error() -> None:
    text, end = chunk({"content": "a"}), chunk({}, "stop")
    got = list(DIALECT.chat.stream.parse(broken(text, end, by=ConnectionLost("gone")), manifest()))
    assert got[-1] == StreamEnd("end_turn", "stop")
    with pytest.raises(ConnectionLost):
        list(DIALECT.chat.stream.parse(broken(text, by=ConnectionLost("gone")), manifest()))
    with pytest.raises(Cancelled):
        list(DIALECT.chat.stream.parse(broken(text, end, by=Cancelled("stop")), manifest()))


@pytest.mark.parametrize(
    "chunks",
    [
        [chunk({}, "stop"), chunk(usage=COUNTS)],
        [chunk({}, "stop", usage=COUNTS)],
        [chunk({"content": "b"}, usage={**COUNTS, "completion_tokens": 1}), chunk({"content": "c"}, "stop", usage=COUNTS)],
        [chunk({"content": "b"}, usage=COUNTS), chunk({}, "stop")],
        [chunk({}, "stop", x_groq={"usage": COUNTS})],
        [{"choices": [{"index": 0, "delta": {}, "finish_reason": "stop", "usage": COUNTS}]}],
    ],
    ids=["a chunk of its own", "the last chunk", "every chunk", "a chunk of text", "x_groq", "the choice"],
)
def test_usage_is_read_from_every_field(chunks: list[Any]) -> None:
    usage = from_stream(chunk({"content": "a"}), *chunks).usage
    assert (usage.prompt_tokens, usage.completion_tokens, usage.total_tokens) == (10, 4, 14)
    assert usage.raw == COUNTS


@pytest.mark.parametrize(
    ("keys", "figure", "value"),
    [
        ({"prompt_tokens_details": {"cached_tokens": 3}}, "cached_tokens", 3),
        ({"prompt_tokens_details": {"cached_tokens": 0}, "prompt_cache_hit_tokens": 7}, "cached_tokens", 0),
        ({"prompt_cache_hit_tokens": 3}, "cached_tokens", 3),
        ({"cached_tokens": 3}, "cached_tokens", 3),
        ({"prompt_token_details": {"cached_tokens": 3}}, "cached_tokens", 3),
        ({"prompt_tokens_details": None}, "cached_tokens", None),
        ({"prompt_tokens_details": {"cache_write_tokens": 2}}, "cache_write_tokens", 2),
        ({"completion_tokens_details": {"reasoning_tokens": 2}}, "reasoning_tokens", 2),
        ({"reasoning_tokens": 0}, "reasoning_tokens", 0),
        ({"completion_tokens": "many"}, "completion_tokens", None),
    ],
)
def test_counts_of_usage_are_read_and_never_invented(keys: dict[str, Any], figure: str, value: int | None) -> None:
    assert getattr(from_body({"content": "a"}, usage={**COUNTS, **keys}).usage, figure) == value


def test_reasoning_tokens_outside_the_completion_are_added_once() -> None:
    separate = {**COUNTS, "total_tokens": 19, "completion_tokens_details": {"reasoning_tokens": 5}}
    inside = {**COUNTS, "completion_tokens_details": {"reasoning_tokens": 2}}
    counts = [
        from_body({"content": "a"}, of=manifest(*quirks), usage=usage).usage.completion_tokens
        for quirks in ((), ("reasoning_not_in_completion",))
        for usage in (separate, inside)
    ]
    assert counts == [4, 4, 9, 4]


def test_other_choices_are_only_in_raw() -> None:
    other = {"index": 1, "delta": {"content": "X"}, "finish_reason": None}
    both = {"choices": [other, chunk({"content": "b"})["choices"][0]]}
    got = from_stream(chunk({"content": "a"}), {"choices": [other]}, both, chunk({}, "stop"))
    assert got.content == "ab"


def test_the_first_id_and_model_are_used_and_empty_ones_are_none() -> None:
    got = from_stream(
        {"choices": [], "id": "", "model": ""}, chunk({"content": "a"}), chunk({}, "stop", id="other", model="other")
    )
    assert (got.id, got.model) == ("c-1", "m-1")


def test_a_blocked_choice_without_a_message_is_a_response() -> None:
    got = from_body(None, "content_filter")
    assert (got.content, got.finish_reason) == ("", "content_filter")


@pytest.mark.parametrize("key", KEPT_OF_CHUNK)
def test_a_field_that_first_comes_with_a_later_text_is_kept(key: str) -> None:
    got = from_stream(
        chunk({"content": "a"}), chunk({"content": "b"}), chunk({"content": "c"}, **{key: ["u"]}), chunk({}, "stop")
    )
    assert (got.content, got.message.extra) == ("abc", {key: ["u"]})


#: Fields that a chunk of text may also have, in the chunk and in its choice.
IN_CHUNK = {
    "usage": COUNTS, "error": {"message": "No"}, "x_groq": {"usage": COUNTS}, "base_resp": {"status_code": 1008},
    "citations": ["u"], "search_results": [{"url": "u"}], "service_tier": "default",
}  # fmt: skip
IN_CHOICE = {"usage": COUNTS, "error": {"message": "No"}, "finish_reason": "stop", "index": 1, "logprobs": None}


#: Deltas with one fragment, which are read fast, and deltas that look like one.
FRAGMENTS: list[dict[str, Any]] = [
    {"content": "b"},
    {"role": "assistant", "content": "b"},
    {"content": "b", "reasoning_content": None, "tool_calls": []},
    {"content": [{"type": "text", "text": "b"}], "refusal": None},
    {"content": None, "reasoning_content": "t"},
    {"reasoning": "t", "content": ""},
    {"reasoning": "t", "content": "b"},
    {"reasoning": "t", "reasoning_details": [{"type": "reasoning.text", "text": "t"}]},
    {"reasoning": {"text": "t"}},
    {"refusal": "No"},
    *({"tool_calls": calls} for calls in [
        [{"index": 0, "id": "c", "type": "function", "function": {"name": "f", "arguments": ""}}],
        [{"index": 0, "function": {"arguments": "1"}}],
        [{"index": 0, "type": "function", "function": {"name": None, "arguments": "1"}}],
        [{"index": 0, "function": {"arguments": 1}}],
        [{"index": 0, "id": "c", "function": {"arguments": "1"}}],
        [{"index": 0, "function": {"name": "g", "arguments": "1"}}],
        [{"index": 0, "function": {"arguments": "1"}, "extra_content": {"a": 1}}],
        [{"index": 1, "function": {"arguments": "1"}}],
        [{"function": {"arguments": "1"}}],
        [{"index": 0, "function": {"arguments": "1"}}, {"index": 1, "id": "d", "function": {"name": "g", "arguments": "2"}}],
        [{"index": [], "function": {"arguments": "1"}}],
        {"index": 0, "function": {"arguments": "1"}},
        [1],
    ]),
    {"function_call": {"name": "f", "arguments": "1"}},
]  # fmt: skip


@pytest.mark.slow
@settings(max_examples=300)
@given(fragments(FRAGMENTS, IN_CHUNK, IN_CHOICE))
def test_the_fast_path_reads_fragments_like_the_slow_one(drawn: list[Fragment]) -> None:
    chunks = [chunk({"content": "a"})]
    for delta, in_chunk, in_choice in drawn:
        made = {**chunk(delta), **{key: IN_CHUNK[key] for key in in_chunk}}
        made["choices"][0].update({key: IN_CHOICE[key] for key in in_choice})
        chunks.append(made)
    frames = [("message", made) for made in (*chunks, chunk({}, "stop"))]

    def slow_path() -> Iterator[StreamingEvent]:
        reader = StreamReader(manifest())
        for event, made in frames:
            yield from reader.read(made, event)
            if reader.error is not None:
                raise reader.error
        yield from reader.end()

    assert outcome_of(DIALECT.chat.stream.parse(frames, manifest())) == outcome_of(slow_path())


def test_further_fields_are_kept_for_the_caller() -> None:
    audio = {"id": "au", "data": "AA", "transcript": "hi"}
    got = from_stream(chunk({"audio": {"id": "au", "data": "A"}}), chunk({"audio": {"data": "A", "transcript": "hi"}}),
               chunk({"annotations": [{"type": "url_citation"}]}, "stop", citations=["u"]))  # fmt: skip
    assert got.message.extra == {"audio": audio, "annotations": [{"type": "url_citation"}], "citations": ["u"]}
    got.message.origin = "openai_chat"
    assert render(got.message, to=manifest("replay_audio"))["messages"][0]["audio"] == {"id": "au"}
    nothing = {"content": "a", "audio": {"id": "", "data": ""}, "annotations": None, "function_call": {"name": ""}}
    assert from_body(nothing).message.extra == {}
    assert from_body(nothing).tool_calls == []


@given(st.integers(1, 40))
def test_events_do_not_depend_on_how_the_bytes_are_cut(size: int) -> None:
    raw = sse(
        chunk({"role": "assistant", "content": "Grüße 🌍"}),
        chunk({"content": "x\u2028y"}),
        chunk({"tool_calls": [fragment(0, "a", "f", '{"ü": 1}')]}),
        chunk({}, "tool_calls"),
    )
    cut = [raw[i : i + size] for i in range(0, len(raw), size)]
    assert list(stream_events(cut, SSE, DIALECT, manifest())) == list(stream_events([raw], SSE, DIALECT, manifest()))


def test_thinking_and_text_deltas_are_separate_events() -> None:
    got = events(chunk({"reasoning": "t"}), chunk({"content": "a", "reasoning": None}), chunk({}, "stop"))
    assert got[1:3] == [ThinkingDelta("t"), ContentDelta("a")]
