"""Events, the fold that adds them up, and the unfolding of a whole answer: what goes in comes out."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ailib_sync.dialects.accumulator import Accumulator
from ailib_sync.dialects.replay import events_of
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
from ailib_sync.types.messages import Block, Message, MessageRole, Opaque, Text, Thinking
from ailib_sync.types.response import ChatResponse, Usage
from ailib_sync.types.tools import ToolCall

CALL = ToolCall("call_1", "weather", {"city": "Rome"}, '{"city":"Rome"}')
KINDS: list[tuple[str, StreamingEvent]] = [
    ("content_delta", ContentDelta("a")),
    ("thinking_delta", ThinkingDelta("a")),
    ("tool_call_started", ToolCallStarted(0, "call_1", "weather")),
    ("partial_tool_call", PartialToolCall(0, "{")),
    ("tool_call_ended", ToolCallEnded(0, CALL)),
    ("metadata", Metadata(id="1")),
    ("stream_end", StreamEnd("end_turn")),
]


@pytest.mark.parametrize(("kind", "event"), KINDS, ids=[kind for kind, _ in KINDS])
def test_an_event_has_one_kind(kind: str, event: StreamingEvent) -> None:
    assert [other for other, _ in KINDS if getattr(event, f"is_{other}")] == [kind]
    assert getattr(event, f"as_{kind}") is event
    for other, _ in KINDS:
        if other != kind:
            with pytest.raises(TypeError, match=f"this event is a {type(event).__name__}, not a "):
                getattr(event, f"as_{other}")


def test_events_can_be_matched() -> None:
    match KINDS[2][1]:
        case ContentDelta(text):
            found = text
        case ToolCallStarted(index, id, name):
            found = f"{index} {id} {name}"
    assert found == "0 call_1 weather"


def test_a_content_delta_has_its_text_under_both_names() -> None:
    assert ContentDelta("a").content == ContentDelta("a").text == "a"


def fold(*events: StreamingEvent) -> ChatResponse:
    folded = Accumulator()
    for event in events:
        folded.add(event)
    return folded.response("openai_chat")


def blocks(*events: StreamingEvent) -> list[Block]:
    return fold(*events).message.blocks


# --- The fold -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("events", "made"),
    [
        ([], []),
        ([ContentDelta("a"), ContentDelta("b")], [Text("ab")]),
        ([ContentDelta("a"), ContentDelta("b", starts=True)], [Text("a"), Text("b")]),
        ([ContentDelta("")], []),
        ([ContentDelta("", {"signature": "s"})], [Text("", {"signature": "s"})]),
        ([ContentDelta("a", {"x": 1}), ContentDelta("b", {"y": 2})], [Text("ab", {"x": 1, "y": 2})]),
        ([ThinkingDelta("a"), ThinkingDelta("b"), ContentDelta("c")], [Thinking("ab"), Text("c")]),
        ([ThinkingDelta("a"), ThinkingDelta("b", starts=True)], [Thinking("a"), Thinking("b")]),
        ([ThinkingDelta("a", "s1"), ThinkingDelta("", "s2")], [Thinking("a", "s1s2")]),
        ([ThinkingDelta(redacted="r1"), ThinkingDelta(redacted="r2", extra={"k": 1})],
         [Thinking(redacted="r1r2", extra={"k": 1})]),
        ([ContentDelta("a"), ThinkingDelta("b"), ContentDelta("c")], [Text("a"), Thinking("b"), Text("c")]),
        (
            [ThinkingDelta("a", index=0), ThinkingDelta("b", index=1), ThinkingDelta("c", index=0),
             ThinkingDelta("d", index=1)],
            [Thinking("ac"), Thinking("bd")],
        ),
        ([ThinkingDelta("a", index=0), ContentDelta("x"), ThinkingDelta("b", index=0)], [Thinking("ab"), Text("x")]),
        (
            [ContentDelta("a"), ToolCallStarted(0, "call_1", "weather"), PartialToolCall(0, "{"), ToolCallEnded(0, CALL),
             ContentDelta("b")],
            [Text("a"), CALL, Text("b")],
        ),
        ([ContentDelta("a"), ToolCallEnded(0, CALL)], [Text("a"), CALL]),
        (
            [ToolCallStarted(0, "1", "f"), PartialToolCall(0, '{"a"'), PartialToolCall(0, ":1")],
            [ToolCall("1", "f", None, '{"a":1')],
        ),
        ([PartialToolCall(3, "{}")], []),
        ([Metadata(block=Opaque({"type": "search"})), ContentDelta("a")], [Opaque({"type": "search"}), Text("a")]),
    ],
)  # fmt: skip
def test_events_add_up_to_blocks(events: list[StreamingEvent], made: list[Block]) -> None:
    assert blocks(*events) == made


def test_calls_may_come_interleaved() -> None:
    other = ToolCall("call_2", "time", {})
    made = blocks(
        ToolCallStarted(0, "call_1", "weather"), ToolCallStarted(1, "call_2", "time"),
        PartialToolCall(1, "{}"), PartialToolCall(0, "{"), ToolCallEnded(1, other), ToolCallEnded(0, CALL),
    )  # fmt: skip
    assert made == [CALL, other]


def test_equal_calls_are_distinguished() -> None:
    """Two calls of the same name and arguments are equal as values; each end replaces its own start."""
    first, second = ToolCall("", "f", {"n": 1}), ToolCall("", "f", {"n": 2})
    made = blocks(ToolCallStarted(0, "", "f"), ToolCallStarted(1, "", "f"), ToolCallEnded(1, second), ToolCallEnded(0, first))
    assert made == [first, second]


def test_facts_are_kept_as_they_come() -> None:
    response = fold(
        Metadata(id="1", model="m"),
        Metadata(usage=Usage(3)),
        ContentDelta("a"),
        Metadata(usage=Usage(3, 2), message_extra={"audio": {"id": "x"}}),
        StreamEnd("stop_sequence", "stop", "END", "no"),
    )
    assert (response.id, response.model, response.usage) == ("1", "m", Usage(3, 2))
    assert (response.finish_reason, response.raw_finish_reason) == ("stop_sequence", "stop")
    assert (response.stop_sequence, response.refusal) == ("END", "no")
    assert response.message == Message(MessageRole.ASSISTANT, [Text("a")], origin="openai_chat", extra={"audio": {"id": "x"}})


def test_the_fold_may_be_asked_in_the_middle_and_goes_on() -> None:
    folded = Accumulator()
    folded.text_writer()("a")
    assert folded.response().content == "a"
    folded.text_writer()("b")
    folded.add(ThinkingDelta("c"))
    assert folded.response().finish_reason is None
    folded.add(ThinkingDelta("d"))
    assert (folded.response().content, folded.response().thinking) == ("ab", "cd")


def test_what_was_given_out_does_not_grow() -> None:
    folded = Accumulator()
    folded.add(ContentDelta("a"))
    early = folded.response()
    folded.add(ContentDelta("b", starts=True))
    assert len(early.message.blocks) == 1
    assert len(folded.response().message.blocks) == 2


# --- Unfolding ----------------------------------------------------------------------------------------------------------

words = st.text(max_size=8)
extras = st.dictionaries(st.sampled_from(["a", "b"]), st.integers(), max_size=1)
whole_blocks = st.one_of(
    st.builds(Text, words.filter(bool), extras),
    st.builds(Thinking, words, st.none() | words, st.none() | words, extras),
    st.builds(ToolCall, words, words, st.dictionaries(words, st.integers(), max_size=2)),
    st.builds(lambda n: Opaque({"type": "x", "n": n}), st.integers()),
)  # fmt: skip


@given(
    st.lists(whole_blocks, max_size=6),
    st.builds(Usage, st.none() | st.integers(0), st.none() | st.integers(0)),
    st.sampled_from(["end_turn", "tool_use", None]),
)
def test_a_complete_response_unfolds_to_the_events_that_fold_to_it(made: list[Block], usage: Usage, reason: str | None) -> None:
    whole = ChatResponse(
        Message(MessageRole.ASSISTANT, made, extra={"k": 1}), reason, "raw", "END", "no", usage=usage, id="1", model="m"
    )
    folded = Accumulator()
    events = list(events_of(whole))
    for event in events:
        folded.add(event)
    assert folded.response() == whole
    assert [event.is_stream_end for event in events].count(True) == 1
    assert events[-1].is_stream_end


# --- Answers ------------------------------------------------------------------------------------------------------------


def test_a_response_offers_its_parts() -> None:
    response = ChatResponse(Message(MessageRole.ASSISTANT, [Thinking("hm"), Thinking(""), Text("a"), CALL, Text("b")]))
    assert (response.content, response.thinking, response.tool_calls) == ("ab", "hm", [CALL])
    assert str(response) == response._repr_markdown_() == "ab"


def test_an_empty_response_claims_nothing() -> None:
    response = ChatResponse()
    assert (response.content, response.thinking, response.tool_calls) == ("", None, [])
    assert response.usage == Usage(None, None, None, None, None, None)
    assert response.finish_reason is None


def test_usage_compares_by_its_figures_alone() -> None:
    assert Usage(1, 2, raw={"a": 1}) == Usage(1, 2)
    assert "raw" not in repr(Usage(1, 2, raw={"a": 1}))


_TEXT = st.text(max_size=3)
_STEPS = st.one_of(
    st.builds(ContentDelta, _TEXT, extra=st.none() | st.just({"x": 1}), starts=st.booleans()),
    st.builds(ThinkingDelta, _TEXT, st.none() | _TEXT, index=st.none() | st.integers(0, 2), starts=st.booleans()),
    st.builds(ToolCallStarted, st.integers(0, 1), st.just("call"), st.just("tool")),
    st.builds(PartialToolCall, st.integers(0, 1), _TEXT),
    st.builds(ToolCallEnded, st.integers(0, 1), st.just(CALL)),
    st.builds(Metadata, id=_TEXT, block=st.none() | st.just(Opaque({"type": "x"}))),
)


@given(st.lists(_STEPS, max_size=12))
def test_asking_for_the_response_so_far_changes_nothing_of_the_rest(events: list[StreamingEvent]) -> None:
    watched, looks = Accumulator(), []
    for event in events:
        watched.add(event)
        look = watched.response()
        looks.append((look, look.content, len(look.message.blocks)))
    assert watched.response("openai_chat") == fold(*events)
    assert all((look.content, len(look.message.blocks)) == (content, count) for look, content, count in looks)
