"""The template path yields exactly what the plain path yields, on any stream, cut anywhere, and never later.

The tests named `test_rule_…` are those of the contract in `ailib_sync/framing/fastpath/__init__.py`, under its numbers.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import product
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import ailib_sync
from ailib_sync.dialects.dialect import find
from ailib_sync.errors import ResponseTooLarge
from ailib_sync.framing.fastpath import feed as fastpath
from ailib_sync.framing.fastpath.templates import Template, split_values
from ailib_sync.framing.sse import normalize, parse_sse_json
from ailib_sync.registry.quirks import QUIRKS
from ailib_sync.types.events import ContentDelta, PartialToolCall, StreamingEvent, ThinkingDelta
from tests.chat_values import MAX_EVENT_BYTES
from tests.dialects.samples import FAST

from .conformance.recordings import DIALECTS, body_of, manifest_of, needs_conformance, recordings
from .fastpath_samples import (
    CALLS,
    WRITERS,
    manifest_with,
    openai_delta_of,
    openai_text,
    outcome,
    plain_path,
    streams,
    template_path,
    varied,
)

OPENAI = FAST["openai_chat"]
DELTAS = (ContentDelta, ThinkingDelta, PartialToolCall)


@pytest.fixture(autouse=True, scope="module")
def _immediately() -> Iterator[None]:
    """Templates are made from the first deltas: the streams of these tests are short."""
    before = fastpath.DELTAS_BEFORE_TEMPLATE, fastpath.DELTAS_BEFORE_WIDENING
    fastpath.DELTAS_BEFORE_TEMPLATE = fastpath.DELTAS_BEFORE_WIDENING = 0
    yield
    fastpath.DELTAS_BEFORE_TEMPLATE, fastpath.DELTAS_BEFORE_WIDENING = before


LIMITS = st.sampled_from((MAX_EVENT_BYTES, MAX_EVENT_BYTES, 100, 120, 140, 160, 180, 200, 400))


@settings(max_examples=600, deadline=None)
@given(streams(), st.booleans(), st.booleans(), LIMITS)
def test_both_paths_yield_the_same_after_the_same_chunks(
    stream: tuple[str, list[bytes]], cut: bool, tags: bool, limit: int
) -> None:
    dialect, chunks = stream
    manifest = manifest_with(dialect, *(("think_tags",) if tags else ()))
    plain = outcome(plain_path, chunks, manifest, cut=cut, max_event=limit)
    assert outcome(template_path, chunks, manifest, cut=cut, max_event=limit) == plain


@pytest.mark.parametrize("dialect", sorted(FAST))
@pytest.mark.parametrize("size", [1, 7, 64, 1000, 10_000_000])
def test_a_long_stream_is_the_same_in_blocks_of_any_size(dialect: str, size: int) -> None:
    fast = FAST[dialect]
    text, first, between, last = fast.text, fast.first, fast.between, fast.last
    words = [f"wörd {i}" if i % 7 else f'"{i}"\n' for i in range(200)]
    raw = b"".join([*first, *map(text, words), between[0], *map(text, words), *last])
    chunks = [raw[at : at + size] for at in range(0, len(raw), size)]
    manifest = manifest_with(dialect)
    assert outcome(template_path, chunks, manifest) == outcome(plain_path, chunks, manifest)


@pytest.fixture
def parsed(monkeypatch: pytest.MonkeyPatch) -> list[bytes]:
    """The blocks that take the plain path."""
    parsed: list[bytes] = []
    blocks_of = fastpath.Feed.blocks

    def watched(self: fastpath.Feed) -> Iterator[bytes]:
        for block in blocks_of(self):
            parsed.append(block)
            yield block

    monkeypatch.setattr(fastpath.Feed, "blocks", watched)
    return parsed


@pytest.mark.parametrize("dialect", sorted(FAST))
@pytest.mark.parametrize("together", [1, 2, 100])
@pytest.mark.parametrize("position", ["none", "first", "last", "padding", "line", "line ends"])
@pytest.mark.parametrize("writer", [0, 1, 2])
def test_templates_are_used(dialect: str, together: int, position: str, writer: int, parsed: list[bytes]) -> None:
    """Once there is a template, no frame of text takes the plain path, however many are in a block, and whatever differs."""
    first, last = FAST[dialect].first, FAST[dialect].last
    text = WRITERS[dialect][writer]
    frames = [varied(text(f"word {i}"), position, str(10 ** (i % 7))) for i in range(203)]
    needed = 2 if position in ("none", "line ends") else 3
    seen, frames = frames[:needed], frames[needed:]
    blocks = [*first, *seen, *(b"".join(frames[at : at + together]) for at in range(0, len(frames), together)), *last]
    if position == "line ends":
        blocks = [block.replace(b"\n", b"\r\n") for block in blocks]
    events = list(template_path(iter(blocks), manifest_with(dialect)))
    others = b"".join(parsed).removeprefix(b"".join([*first, *seen])).removesuffix(b"".join(last))
    assert others.count(b"data: ") == (text is CALLS.get(dialect))  # the arguments once more, in one frame
    assert sum(isinstance(event, DELTAS) for event in events) >= 202


@pytest.mark.parametrize("dialect", sorted(FAST))
def test_kinds_of_deltas_that_alternate_have_a_template_each(dialect: str, parsed: list[bytes]) -> None:
    first, last = FAST[dialect].first, FAST[dialect].last
    runs = [make(f"word {run} {n}") for run in range(30) for make in WRITERS[dialect] for n in range(20)]
    events = list(template_path(iter([*first, *runs, *last]), manifest_with(dialect)))
    assert events == list(plain_path(iter([*first, *runs, *last]), manifest_with(dialect)))
    assert sum(b"word" in block for block in parsed) < 300  # of 1800: two or three in each run


@pytest.mark.parametrize("position", ["none", "last"])
def test_templates_begin_when_they_pay(position: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fastpath, "DELTAS_BEFORE_TEMPLATE", 5)
    monkeypatch.setattr(fastpath, "DELTAS_BEFORE_WIDENING", 20)
    frames = [varied(openai_text(f"word {i}"), position, str(i)) for i in range(100)]
    read = 0

    def parse(blocks: Iterator[bytes]) -> Iterator[StreamingEvent]:
        for event in plain_path(blocks, manifest_with("openai_chat")):
            nonlocal read
            read += isinstance(event, ContentDelta)
            yield event

    chunks = iter([*frames, *OPENAI.last])
    events = list(fastpath.template_events(chunks, parse, openai_delta_of, MAX_EVENT_BYTES))
    assert sum(isinstance(event, ContentDelta) for event in events) == 100
    assert read == (7 if position == "none" else 22)


def test_it_stops_trying_if_every_frame_is_different() -> None:
    frames = [openai_text(f"word {i}", **{f"key{i}": 0}) for i in range(400)]
    made: list[fastpath.Feed] = []

    def read(blocks: Iterator[bytes]) -> Iterator[StreamingEvent]:
        made.append(blocks.gi_frame.f_locals["self"])  # type: ignore[attr-defined]
        return plain_path(blocks, manifest_with("openai_chat"))

    chunks = iter([*frames, *OPENAI.last])
    events = fastpath.template_events(chunks, read, openai_delta_of, MAX_EVENT_BYTES)
    assert sum(isinstance(event, ContentDelta) for event in events) == 400
    assert made[0].stopped


@pytest.mark.parametrize(
    "chunks",
    [
        pytest.param([openai_text("d")[:-4] + b"\r\r", openai_text("e")], id="a blank line of other line ends does not wait"),
        pytest.param([b"event: error\n", openai_text("d"), openai_text("e")], id="the name of an event came before"),
        pytest.param([b"data: 1\n", openai_text("d"), openai_text("e")], id="data of an event came before"),
        pytest.param(
            [openai_text("d" * 40_000)[:30_000], openai_text("d" * 40_000)[30_000:], openai_text("e")], id="huge text"
        ),
    ],
)
def test_frames_that_a_template_does_not_match(chunks: list[bytes]) -> None:
    chunks = [openai_text("a"), openai_text("b"), openai_text("c"), *chunks, *OPENAI.last]
    manifest = manifest_with("openai_chat")
    assert outcome(template_path, chunks, manifest) == outcome(plain_path, chunks, manifest)


def test_the_position_of_the_text_is_proven() -> None:
    """Here the id and the model have the same letters as the text."""
    template = Template.of(split_values(openai_text("c1")), "c1", openai_delta_of)
    assert template is not None
    assert template.texts_in(openai_text("x") + openai_text("y"))[0] == ["x", "y"]
    assert template.texts_in(openai_text("x", id="x"))[0] == []


def test_a_value_that_is_read_may_not_differ() -> None:
    """The index of the choice is a number like the others: only a trial shows that it is read."""
    template = Template.of(split_values(openai_text("a")), "a", openai_delta_of)
    assert template is not None
    other = openai_text("b").replace(b'"index": 0', b'"index": 1')
    assert template.widened(split_values(other), "b", openai_delta_of) is None
    numbered = template.widened(split_values(openai_text("b", id="c2")), "b", openai_delta_of)
    assert numbered is not None
    assert numbered.texts_in(openai_text("x", id="c3") + openai_text("y", id="c4") + other)[0] == ["x", "y"]


# --- the switch ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("dialect", sorted(FAST))
def test_one_switch_turns_it_off(dialect: str, monkeypatch: pytest.MonkeyPatch, parsed: list[bytes]) -> None:
    text, first, last = FAST[dialect].text, FAST[dialect].first, FAST[dialect].last
    chunks = [*first, *(text(f"word {n}") for n in range(50)), *last]
    events = list(template_path(iter(chunks), manifest_with(dialect)))
    assert 0 < len(parsed) < len(chunks)
    parsed.clear()
    monkeypatch.setattr("ailib_sync.pipeline.decode.FAST_PATH", False)
    assert list(template_path(iter(chunks), manifest_with(dialect))) == events
    assert parsed == []


def test_one_module_imports_it() -> None:
    package = Path(ailib_sync.__file__).parent
    modules = [path.relative_to(package).as_posix() for path in package.rglob("*.py") if "fastpath" not in path.parts]
    assert [name for name in modules if _imports_fastpath(package / name)] == ["pipeline/decode.py"]


def _imports_fastpath(module: Path) -> bool:
    lines = module.read_text("utf-8").splitlines()
    return any("fastpath" in line and line.lstrip().startswith(("from ", "import ")) for line in lines)


# --- the contract -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("dialect", sorted(FAST))
@pytest.mark.parametrize("writer", [0, 1, 2])
def test_rule_1_no_stage_reads_ahead(dialect: str, writer: int) -> None:
    first, last = FAST[dialect].first, FAST[dialect].last
    make = WRITERS[dialect][writer]
    chunks = [*first, *(make(f"word {n}") for n in range(40)), *last]
    seen = [
        (read, event) for read, event, *_ in outcome(plain_path, chunks, manifest_with(dialect)) if isinstance(event, DELTAS)
    ]
    assert [read for read, _ in seen][:40] == [len(first) + 1 + n for n in range(40)]


@pytest.mark.parametrize("dialect", sorted(FAST))
@pytest.mark.parametrize("writer", [0, 1])
def test_rule_2_readers_are_idempotent_over_deltas(dialect: str, writer: int) -> None:
    """The events after some deltas are the same, however many deltas there were."""
    first, between, last = FAST[dialect].first, FAST[dialect].between, FAST[dialect].last
    one, other = WRITERS[dialect][writer]("one"), WRITERS[dialect][1 - writer]("other")
    after = [[frame, *last] for frame in between] + [[other, one, *last], last]
    for frames, manifest in product(after, (manifest_with(dialect), manifest_with(dialect, *QUIRKS_WITHOUT_STATE))):
        few = _events([*first, one, *frames], manifest)
        many = _events([*first, *[one] * 20, *frames], manifest)
        (delta,) = {repr(event) for event in many if many.count(event) >= 19}
        dropped = 0
        for event in list(many):
            if repr(event) == delta and dropped < 19:
                many.remove(event)
                dropped += 1
        assert many == few


@pytest.mark.parametrize("dialect", sorted(CALLS))
def test_rule_2_arguments_may_come_in_other_fragments(dialect: str) -> None:
    """The reader of tool calls sees the same arguments in catch-up frames."""
    first, last = FAST[dialect].first, FAST[dialect].last
    make, manifest = CALLS[dialect], manifest_with(dialect)
    fragments = _events([*first, make('{"a": '), make("1"), make("2"), make("}"), *last], manifest)
    together = _events([*first, make('{"a": '), make("12}"), *last], manifest)
    others = [[event for event in events if not isinstance(event, PartialToolCall)] for events in (fragments, together)]
    assert others[0] == others[1]


@pytest.mark.parametrize("start", ["first", "<think>first"])
@pytest.mark.parametrize("quirk", ["none", *sorted(QUIRKS)])
@pytest.mark.parametrize("dialect", sorted(FAST))
def test_rule_3_no_delta_whose_events_depend_on_state(dialect: str, quirk: str, start: str) -> None:
    """Whatever deltas come before it: the events of a frame for which `delta_of` is not None are one delta with its text."""
    first = [*FAST[dialect].first, *(make(start) for make in WRITERS[dialect])]
    manifest = manifest_with(dialect, *([] if quirk == "none" else [quirk]))
    delta_of = find(dialect).chat.stream.delta_of
    assert delta_of is not None
    texts = ["a", "<think>", "b", "</think>", "<thi", "nk>", "\n\n", "c", "</thi", "nk>", "<think", "d"]
    frames = [make(text) for text in texts for make in WRITERS[dialect]]
    events = _by_frame([*first, *frames, *FAST[dialect].last], manifest)[len(first) : len(first) + len(frames)]
    for frame, made in zip(frames, events, strict=True):
        ((_, value),) = parse_sse_json([frame], MAX_EVENT_BYTES)
        delta = delta_of(value, manifest)
        if delta is not None:
            (event,) = made
            assert isinstance(event, DELTAS)
            assert delta[0] == (event.arguments if isinstance(event, PartialToolCall) else event.text)


@pytest.mark.parametrize("has_signature", [False, True])
def test_rule_4_equality_of_events_decides(has_signature: bool, parsed: list[bytes]) -> None:
    """No template is made from a frame whose event has more than the text."""

    def read(blocks: Iterator[bytes]) -> Iterator[StreamingEvent]:
        for event in plain_path(blocks, manifest_with("openai_chat")):
            if isinstance(event, ThinkingDelta):
                event.signature = "s" if has_signature else None
            yield event

    frames = [OPENAI.thinking(f"word {n}") for n in range(20)]
    chunks = iter([*frames, *OPENAI.last])
    events = list(fastpath.template_events(chunks, read, openai_delta_of, MAX_EVENT_BYTES))
    assert sum(isinstance(event, ThinkingDelta) for event in events) == 20
    assert (sum(b"word" in block for block in parsed) == 20) == has_signature


@pytest.mark.parametrize("dialect", sorted(FAST))
@pytest.mark.parametrize("writer", [0, 1, 2])
@pytest.mark.parametrize("together", [1, 3, 1000])
def test_rule_5_the_size_limit_counts_the_same(dialect: str, writer: int, together: int) -> None:
    """The largest frame matches the template, except for its size."""
    first, last = FAST[dialect].first, FAST[dialect].last
    make = WRITERS[dialect][writer]
    size = len(make(""))
    limit = max(size + 200, *map(len, [*first, *last]))
    for length, is_allowed in ((limit - size + 2, True), (limit - size + 3, False)):
        frames = [*(make(f"word {n}") for n in range(100)), make("x" * length), *(make("more") for _ in range(5))]
        chunks = [*first, *(b"".join(frames[at : at + together]) for at in range(0, len(frames), together)), *last]
        seen = outcome(template_path, chunks, manifest_with(dialect), max_event=limit)
        assert seen == outcome(plain_path, chunks, manifest_with(dialect), max_event=limit)
        failure = f"one event of the stream is larger than {limit} bytes (Limits.event)"
        assert (seen[-1][1:] == (ResponseTooLarge, failure)) == (not is_allowed)
        deltas = [event for _, event, *_ in seen if isinstance(event, DELTAS)]
        assert len(deltas) >= (105 if is_allowed else 100)


@pytest.mark.parametrize("dialect", sorted(CALLS))
def test_rule_5_long_arguments_are_caught_up_in_parts(dialect: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """In one frame they would be too large."""
    monkeypatch.setattr(fastpath, "MAX_UNSEEN_CHARACTERS", 100_000)
    first, last = FAST[dialect].first, FAST[dialect].last
    chunks = [*first, *(CALLS[dialect]("x" * 1000) for _ in range(1000)), *last]
    manifest = manifest_with(dialect)
    assert list(template_path(iter(chunks), manifest, 200_000)) == list(plain_path(iter(chunks), manifest, 200_000))


@pytest.mark.parametrize("dialect", sorted(CALLS))
@pytest.mark.parametrize("text", ["x", '"', "\n", "\x01", "é", "😀"])
def test_rule_5_catch_up_frames_are_within_the_limit(dialect: str, text: str, parsed: list[bytes]) -> None:
    """The limit is that of the largest frame of the stream."""
    first, last = FAST[dialect].first, FAST[dialect].last
    frames = [CALLS[dialect](text * 20) for _ in range(100)]
    chunks, manifest = [*first, *frames, *last], manifest_with(dialect)
    limit = max(map(len, chunks))
    assert list(template_path(iter(chunks), manifest, limit)) == list(plain_path(iter(chunks), manifest, limit))
    assert sum(block.count(b"\n\n") for block in parsed) > len(first) + len(last) + 5


@pytest.mark.parametrize("line_end", [b"\n", b"\r\n", b"\r"])
@pytest.mark.parametrize("mark", [b"", b"\xef\xbb\xbf"])
@pytest.mark.parametrize("size", [1, 2, 50, 1 << 20])
def test_rule_6_the_feed_sees_neither_mark_nor_cr(line_end: bytes, mark: bytes, size: int, parsed: list[bytes]) -> None:
    text, first, last = OPENAI.text, OPENAI.first, OPENAI.last
    plain = b"".join([*first, *(text(f"word {n}") for n in range(20)), *last])
    raw = mark + plain.replace(b"\n", line_end)
    chunks = [raw[at : at + size] for at in range(0, len(raw), size)]
    manifest = manifest_with("openai_chat")
    assert outcome(template_path, chunks, manifest) == outcome(plain_path, chunks, manifest)
    assert b"".join(normalize(chunks)) == plain
    assert not any(b"\r" in block or b"\xef\xbb\xbf" in block for block in parsed)


#: Quirks under which `delta_of` may be other than None; test_rule_3 finds one that is missing here.
QUIRKS_WITHOUT_STATE = tuple(sorted(set(QUIRKS) - {"think_tags"}))


def _events(chunks: list[bytes], manifest: Any) -> list[Any]:
    """The events of the plain path; an error's text last, if there is one."""
    return [seen[1] if len(seen) == 2 else seen[1:] for seen in outcome(plain_path, chunks, manifest)]


def _by_frame(chunks: list[bytes], manifest: Any) -> list[list[Any]]:
    """The events that the plain path yields after each chunk."""
    made: list[list[Any]] = [[] for _ in chunks]
    for read, event, *_ in outcome(plain_path, chunks, manifest):
        made[read - 1].append(event)
    return made


# --- recordings ---------------------------------------------------------------------------------------------------------

STREAMS = [r for r in recordings() if r["stream"] and r["status"] < 400 and DIALECTS[r["dialect"]] in FAST]


@needs_conformance
@pytest.mark.parametrize("size", [1, 100, 3000, 1 << 20])
def test_recordings_are_the_same_on_both_paths(size: int) -> None:
    assert len(STREAMS) > 80
    for recording in STREAMS:
        raw, manifest = body_of(recording), manifest_of(recording)
        chunks = [raw[at : at + size] for at in range(0, len(raw), size)]
        assert outcome(template_path, chunks, manifest) == outcome(plain_path, chunks, manifest), recording["id"]


@pytest.mark.parametrize("name", sorted(set(DIALECTS.values())))
def test_only_dialects_over_server_sent_events_have_templates(name: str) -> None:
    dialect = find(name)
    assert (dialect.chat.stream.delta_of is not None) == (dialect.chat.stream.framing == "sse")
