"""Chat Completions, coming in: every way in which a compatible host's answer may differ, streamed and whole."""

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

from .chat_bytes import FIGURES, SSE, chunk, events, fold, manifest, render, sse, whole
from .pieces import Piece, outcome_of, pieces

# --- What comes in: text and thinking -----------------------------------------------------------------------------


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
def test_text_and_thinking_are_found_wherever_they_stand(
    message: dict[str, Any], text: str, thinking: str | None, refusal: str | None, streamed: bool
) -> None:
    got = fold(chunk(message), chunk({}, "stop")) if streamed else whole(message)
    assert (got.content, got.thinking, got.refusal) == (text, thinking, refusal)
    assert got.finish_reason == ("content_filter" if refusal else "end_turn")
    assert got.raw_finish_reason == "stop"


def test_details_that_repeat_earlier_thinking_are_not_counted_twice() -> None:
    details = [{"type": "reasoning.text", "text": "t1t2", "signature": "s", "index": 0}]
    got = fold(chunk({"reasoning": "t1"}), chunk({"reasoning": "t2"}), chunk({"reasoning_details": details}, "stop"))
    assert got.thinking == "t1t2"
    assert got.message.extra["reasoning_details"] == details


def test_fragments_of_reasoning_details_join_to_the_entries_a_whole_answer_has() -> None:
    def entry(**keys: Any) -> dict[str, Any]:
        return {"type": "reasoning.text", "index": 0, "format": "f", **keys}

    got = fold(
        chunk({"reasoning_details": [entry(text="a", signature=None)]}),
        chunk({"reasoning_details": [entry(text="b", signature="s")]}),
        chunk({"reasoning_details": [{"type": "reasoning.encrypted", "data": "x", "index": 1}]}, "stop"),
    )
    joined = [entry(text="ab", signature="s"), {"type": "reasoning.encrypted", "data": "x", "index": 1}]
    assert got.message.extra == {"reasoning_details": joined}
    assert got.thinking == "ab"
    apart = [entry(text="a", id="1"), entry(text="b", id="2")]
    got = fold(*(chunk({"reasoning_details": [piece]}) for piece in apart), chunk({}, "stop"))
    assert got.message.extra == {"reasoning_details": apart}
    two = [entry(text="a"), entry(text="b")]
    assert whole({"content": "x", "reasoning_details": two}).message.extra == {"reasoning_details": two}


def test_signed_thinking_parts_come_back_as_they_came() -> None:
    part = {"type": "thinking", "thinking": [{"type": "text", "text": "t"}], "signature": "s", "closed": True}
    got = whole({"content": [part, {"type": "text", "text": "a"}]})
    got.message.origin = "openai_chat"
    assert render(got.message, to=manifest("replay_thinking_parts"))["messages"][0]["content"] == [
        part, {"type": "text", "text": "a"},
    ]  # fmt: skip
    databricks = {"type": "reasoning", "summary": [{"type": "summary_text", "text": "t", "signature": "s"}]}
    got = whole({"content": [databricks]})
    assert render(got.message, to=manifest("replay_thinking_parts"))["messages"][0]["content"] == [databricks]


def test_unknown_parts_are_kept_and_sent_back() -> None:
    part = {"type": "reference", "reference_ids": [1]}
    got = whole({"content": [{"type": "text", "text": "a"}, part]})
    assert got.content == "a"
    assert got.message.blocks[1] == Opaque(part)
    assert render(got.message)["messages"][0]["content"] == [{"type": "text", "text": "a"}, part]


TAGGED = "\n<think>one\ntwo <b></think>\n\nHi <think>not</think>"


@given(st.lists(st.integers(0, len(TAGGED)), max_size=12))
def test_think_tags_are_parted_from_the_text_wherever_they_are_cut(points: list[int]) -> None:
    places = [0, *sorted(points), len(TAGGED)]
    pieces = [TAGGED[a:b] for a, b in pairwise(places)]
    got = fold(*(chunk({"content": piece}) for piece in pieces), chunk({}, "stop"), of=manifest("think_tags"))
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
def test_think_tags_at_their_borders(text: str, thinking: str | None, content: str) -> None:
    tagged = manifest("think_tags")
    letters = [chunk({"content": letter}) for letter in text]
    for got in (whole({"content": text}, of=tagged), fold(*letters, chunk({}, "stop"), of=tagged)):
        assert (got.thinking, got.content) == (thinking, content)
    assert whole({"content": text}).content == text


# --- What comes in: tool calls ------------------------------------------------------------------------------------


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
    "whole in one chunk, no index": (
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
def test_tool_calls_are_put_together_however_they_are_numbered(case: str) -> None:
    chunks, want = CALLS[case]
    got = fold(chunk({"content": None}), *(chunk({"tool_calls": part}) for part in chunks), chunk({}, "stop"))
    assert [(call.name, call.arguments) for call in got.tool_calls] == [(name, arguments) for _, name, arguments in want]
    assert [call.id for call, (id, _, _) in zip(got.tool_calls, want, strict=True) if id] == [id for id, _, _ in want if id]
    ids = [call.id for call in got.tool_calls]
    assert all(ids)
    assert len(set(ids)) == len(ids)
    # `stop` after tool calls means that they are to be called; the host's word is kept.
    assert (got.finish_reason, got.raw_finish_reason) == ("tool_use", "stop")


@pytest.mark.parametrize("case", ["by the book", "whole in one chunk, no index", "arguments as an object", "no arguments"])
def test_a_streamed_answer_folds_to_the_whole_one(case: str) -> None:
    chunks, want = CALLS[case]
    usage = {"prompt_tokens": 1, "completion_tokens": 1, "total_tokens": 2}
    message = {
        "content": "ab", "reasoning": "t",
        "tool_calls": [
            {"id": id, "type": "function", "function": {"name": name, **({"arguments": args} if args else {})}}
            for id, name, args in _whole_calls(chunks)
        ],
    }  # fmt: skip
    streamed = fold(chunk({"reasoning": "t"}), chunk({"content": "a"}), chunk({"content": "b"}),
                    *(chunk({"tool_calls": part}) for part in chunks), chunk({}, "tool_calls"), chunk(usage=usage))  # fmt: skip
    answer = whole(message, "tool_calls", usage=usage)
    answer.raw = None
    assert streamed == answer
    assert [(call.id, call.name, call.arguments) for call in answer.tool_calls] == want


def _whole_calls(chunks: list[list[dict[str, Any]]]) -> list[tuple[str, str, Any]]:
    calls: dict[Any, list[Any]] = {}
    for piece in (piece for part in chunks for piece in part):
        call = calls.setdefault(piece.get("index", piece.get("id")), [piece.get("id"), piece["function"].get("name"), ""])
        args = piece["function"].get("arguments", "")
        call[2] = args if isinstance(args, dict) else call[2] + args
    return [tuple(call) for call in calls.values()]  # type: ignore[misc]


def test_events_of_a_tool_call_carry_the_fragments_as_they_came() -> None:
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
def test_arguments_that_a_length_limit_cut_before_they_began_are_unknown(finish: str, arguments: Any) -> None:
    got = whole({"tool_calls": [fragment(0, "a", "f", "")]}, finish)
    assert got.tool_calls[0].arguments == arguments


def test_made_up_ids_differ_between_answers_and_are_the_same_streamed_or_whole() -> None:
    calls = {"tool_calls": [fragment(None, "", "f", "{}"), fragment(None, "", "g", "{}")]}
    one, other = whole(calls, id="c-1"), whole(calls, id="c-2")
    ids = [call.id for answer in (one, other) for call in answer.tool_calls]
    assert len(set(ids)) == 4
    assert all(len(id) <= 40 for id in ids)
    assert [call.id for call in fold(chunk(calls), chunk({}, "stop")).tool_calls] == ids[:2]


def test_legacy_function_call_and_custom_tools_are_tool_calls() -> None:
    legacy = fold(chunk({"function_call": {"name": "f", "arguments": '{"x"'}}), chunk({"function_call": {"arguments": ": 1}"}}),
                  chunk({}, "function_call"))  # fmt: skip
    assert (legacy.tool_calls[0].name, legacy.tool_calls[0].arguments, legacy.finish_reason) == ("f", {"x": 1}, "tool_use")
    sent = {"id": "a", "type": "custom", "custom": {"name": "sh", "input": "ls {}"}}
    got = whole({"content": None, "tool_calls": [sent]}, "tool_calls")
    assert (got.tool_calls[0].arguments, got.tool_calls[0].arguments_raw) == (None, "ls {}")
    got.message.origin = "openai_chat"
    assert render(got.message, Message.tool("a", "x"))["messages"][0]["tool_calls"] == [sent]


# --- What comes in: ends, usage ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("raw", "reason"),
    [
        ("stop", "end_turn"), ("length", "max_tokens"), ("content_filter", "content_filter"), ("eos", "end_turn"),
        ("model_length", "max_tokens"), ("sensitive", "content_filter"), ("network_error", "network_error"), ("odd", "mapped"),
    ],
)  # fmt: skip
def test_finish_reasons_are_normalised_and_kept(raw: str, reason: str) -> None:
    to = manifest(finish_reasons={"odd": "mapped"})
    for got in (whole({"content": "a"}, raw, of=to), fold(chunk({"content": "a"}), chunk({}, raw), of=to)):
        assert (got.finish_reason, got.raw_finish_reason) == (reason, raw)


@pytest.mark.parametrize("raw", ["", None])
def test_no_finish_reason_is_made_up(raw: str | None) -> None:
    got = whole({"content": "a", "tool_calls": [fragment(0, "a", "f", "{}")]}, raw)
    assert (got.finish_reason, got.raw_finish_reason) == (None, None)
    assert fold(chunk({"content": "a"}, raw)).finish_reason is None


def test_a_stream_is_complete_with_a_finish_reason_or_with_done() -> None:
    assert fold(chunk({"content": "a"}), chunk({}, "stop"), done=False).finish_reason == "end_turn"
    assert fold(chunk({"content": "a"}), chunk({"content": "b"}, "stop"), done=False).finish_reason == "end_turn"
    assert fold(chunk({"content": "a"}), done=True).content == "a"


def test_a_stream_that_just_ends_is_interrupted_unless_the_host_ends_them_so() -> None:
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
    for piece in chunks:
        yield "message", piece
    raise by


def test_what_breaks_after_the_finish_reason_has_broken_nothing() -> None:
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
        [chunk({}, "stop"), chunk(usage=FIGURES)],
        [chunk({}, "stop", usage=FIGURES)],
        [chunk({"content": "b"}, usage={**FIGURES, "completion_tokens": 1}), chunk({"content": "c"}, "stop", usage=FIGURES)],
        [chunk({"content": "b"}, usage=FIGURES), chunk({}, "stop")],
        [chunk({}, "stop", x_groq={"usage": FIGURES})],
        [{"choices": [{"index": 0, "delta": {}, "finish_reason": "stop", "usage": FIGURES}]}],
    ],
    ids=["a chunk of its own", "the last chunk", "every chunk", "a chunk of text", "x_groq", "the choice"],
)
def test_usage_is_found_wherever_it_stands(chunks: list[Any]) -> None:
    usage = fold(chunk({"content": "a"}), *chunks).usage
    assert (usage.prompt_tokens, usage.completion_tokens, usage.total_tokens) == (10, 4, 14)
    assert usage.raw == FIGURES


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
def test_parts_of_usage_are_found_and_never_made_up(keys: dict[str, Any], figure: str, value: int | None) -> None:
    assert getattr(whole({"content": "a"}, usage={**FIGURES, **keys}).usage, figure) == value


def test_reasoning_tokens_outside_the_completion_are_added_once() -> None:
    apart = {**FIGURES, "total_tokens": 19, "completion_tokens_details": {"reasoning_tokens": 5}}
    inside = {**FIGURES, "completion_tokens_details": {"reasoning_tokens": 2}}
    counts = [
        whole({"content": "a"}, of=manifest(*quirks), usage=usage).usage.completion_tokens
        for quirks in ((), ("reasoning_not_in_completion",))
        for usage in (apart, inside)
    ]
    assert counts == [4, 4, 9, 4]


def test_other_choices_are_left_in_raw() -> None:
    other = {"index": 1, "delta": {"content": "X"}, "finish_reason": None}
    got = fold(chunk({"content": "a"}), {"choices": [other]}, {"choices": [other, chunk({"content": "b"})["choices"][0]]},
               chunk({}, "stop"))  # fmt: skip
    assert got.content == "ab"


def test_the_first_id_and_model_stand_and_empty_ones_are_none() -> None:
    got = fold({"choices": [], "id": "", "model": ""}, chunk({"content": "a"}), chunk({}, "stop", id="other", model="other"))
    assert (got.id, got.model) == ("c-1", "m-1")


def test_a_blocked_answer_without_a_message_is_an_answer() -> None:
    got = whole(None, "content_filter")
    assert (got.content, got.finish_reason) == ("", "content_filter")


@pytest.mark.parametrize("key", KEPT_OF_CHUNK)
def test_what_first_comes_beside_a_later_text_is_kept(key: str) -> None:
    got = fold(chunk({"content": "a"}), chunk({"content": "b"}), chunk({"content": "c"}, **{key: ["u"]}), chunk({}, "stop"))
    assert (got.content, got.message.extra) == ("abc", {key: ["u"]})


#: What a chunk of text may hold besides, at its top and in its choice.
BESIDE = {
    "usage": FIGURES, "error": {"message": "No"}, "x_groq": {"usage": FIGURES}, "base_resp": {"status_code": 1008},
    "citations": ["u"], "search_results": [{"url": "u"}], "service_tier": "default",
}  # fmt: skip
IN_CHOICE = {"usage": FIGURES, "error": {"message": "No"}, "finish_reason": "stop", "index": 1, "logprobs": None}


#: Pieces of one thing, which are read fast, and what looks like one.
PIECES: list[dict[str, Any]] = [
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
@given(pieces(PIECES, BESIDE, IN_CHOICE))
def test_pieces_read_fast_are_what_they_are_read_with_care(others: list[Piece]) -> None:
    chunks = [chunk({"content": "a"})]
    for piece, beside, within in others:
        told = {**chunk(piece), **{key: BESIDE[key] for key in beside}}
        told["choices"][0].update({key: IN_CHOICE[key] for key in within})
        chunks.append(told)
    frames = [("message", told) for told in (*chunks, chunk({}, "stop"))]

    def carefully() -> Iterator[StreamingEvent]:
        reader = StreamReader(manifest())
        for event, told in frames:
            yield from reader.read(told, event)
            if reader.error is not None:
                raise reader.error
        yield from reader.end()

    assert outcome_of(DIALECT.chat.stream.parse(frames, manifest())) == outcome_of(carefully())


def test_extras_are_kept_for_the_reader() -> None:
    audio = {"id": "au", "data": "AA", "transcript": "hi"}
    got = fold(chunk({"audio": {"id": "au", "data": "A"}}), chunk({"audio": {"data": "A", "transcript": "hi"}}),
               chunk({"annotations": [{"type": "url_citation"}]}, "stop", citations=["u"]))  # fmt: skip
    assert got.message.extra == {"audio": audio, "annotations": [{"type": "url_citation"}], "citations": ["u"]}
    got.message.origin = "openai_chat"
    assert render(got.message, to=manifest("replay_audio"))["messages"][0]["audio"] == {"id": "au"}
    nothing = {"content": "a", "audio": {"id": "", "data": ""}, "annotations": None, "function_call": {"name": ""}}
    assert whole(nothing).message.extra == {}
    assert whole(nothing).tool_calls == []


@given(st.integers(1, 40))
def test_events_do_not_depend_on_how_the_bytes_are_cut(size: int) -> None:
    raw = sse(
        chunk({"role": "assistant", "content": "Grüße 🌍"}),
        chunk({"content": "x\u2028y"}),
        chunk({"tool_calls": [fragment(0, "a", "f", '{"ü": 1}')]}),
        chunk({}, "tool_calls"),
    )
    pieces = [raw[i : i + size] for i in range(0, len(raw), size)]
    assert list(stream_events(pieces, SSE, DIALECT, manifest())) == list(stream_events([raw], SSE, DIALECT, manifest()))


def test_thinking_and_text_deltas_are_events_of_their_own() -> None:
    got = events(chunk({"reasoning": "t"}), chunk({"content": "a", "reasoning": None}), chunk({}, "stop"))
    assert got[1:3] == [ThinkingDelta("t"), ContentDelta("a")]
