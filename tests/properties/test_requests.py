"""Any conversation with any options, for any provider: a body of JSON or a ConfigurationError; and builders never change."""

from __future__ import annotations

import copy
import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ailib_sync import AiClient, ChatBuilder
from ailib_sync.dialects.dialect import NAMES, find
from ailib_sync.errors import ConfigurationError
from ailib_sync.types.messages import Audio, Document, Image, Message, MessageRole, Opaque, Text, Thinking, ToolResult
from ailib_sync.types.request import Ledger, Reasoning, ResponseFormat, ToolChoice
from ailib_sync.types.tools import Tool, ToolCall
from tests.chat_values import chat_request

from ..builder_steps import STEPS
from .promises import speakers

TEXT = st.text(max_size=12)
WORD = st.sampled_from(["a", "call_1", "weather", "x" * 80, "ü", "a b", "a.b", ""])
EXTRA = st.dictionaries(st.sampled_from(["cache_control", "x", "citations"]), st.just({"type": "ephemeral"}), max_size=2)
MEDIA_TYPES = st.sampled_from(
    ["image/png", "image/tiff", "audio/wav", "audio/mpeg", "application/pdf", "text/plain", "video/mp4", "x"]
)


def media(kind: Any) -> st.SearchStrategy[Any]:
    held = st.builds(lambda data, type_: kind(type_, data=data), st.binary(max_size=4), MEDIA_TYPES)
    named = st.sampled_from(["https://a.example/b.png", "s3://b/c.pdf", "gs://b/c", "x"]).map(kind.from_url)
    return held | named


CALLS = st.builds(
    ToolCall, WORD, WORD, st.none() | st.dictionaries(WORD, st.none() | st.integers() | TEXT, max_size=2), st.none() | TEXT
)
SIMPLE = st.builds(Text, TEXT, EXTRA) | media(Image) | media(Audio) | media(Document)
BLOCK = (
    SIMPLE
    | st.builds(Thinking, TEXT, st.none() | TEXT, st.none() | TEXT, EXTRA)
    | CALLS
    | st.builds(ToolResult, WORD, TEXT | st.lists(SIMPLE, max_size=2), st.none() | WORD, st.booleans())
    | st.just(Opaque({"type": "x"}))
)
MESSAGE = st.builds(
    Message,
    st.sampled_from(MessageRole),
    TEXT | st.lists(BLOCK, max_size=4),
    st.none() | WORD,
    st.none() | st.sampled_from(NAMES),
    EXTRA,
)
SCHEMA = st.sampled_from([{"type": "object", "properties": {"a": {"type": "string"}}}, {"type": "string"}, {}])
TOOLS = st.lists(
    st.builds(Tool, WORD.filter(bool), TEXT, SCHEMA, st.sampled_from([None, True, False])),
    max_size=3,
    unique_by=lambda t: t.name,
)
OPTIONS = st.fixed_dictionaries(
    {},
    optional={
        "temperature": st.floats(0, 2),
        "max_tokens": st.integers(1, 10**6),
        "top_p": st.floats(0, 1),
        "top_k": st.integers(1, 500),
        "stop": st.lists(st.text(min_size=1, max_size=5), min_size=1, max_size=9).map(tuple),
        "seed": st.integers(),
        "frequency_penalty": st.floats(-2, 2),
        "presence_penalty": st.floats(-2, 2),
        "tool_choice": st.sampled_from(
            [ToolChoice("auto"), ToolChoice("none"), ToolChoice("required"), ToolChoice("tool", "weather")]
        ),
        "parallel_tool_calls": st.booleans(),
        "response_format": st.sampled_from(
            [ResponseFormat("text"), ResponseFormat("json"), ResponseFormat("json_schema", {"type": "object"})]
        ),
        "reasoning": st.builds(
            Reasoning,
            st.sampled_from([None, "none", "minimal", "low", "medium", "high", "xhigh", "max"]),
            st.none() | st.integers(0, 50_000),
            st.sampled_from([None, True, False]),
        ).filter(lambda wanted: wanted != Reasoning()),
    },
)
SPEAKERS = {name: speakers(name) for name in NAMES}


@pytest.mark.parametrize("name", NAMES)
@settings(max_examples=60, deadline=None)
@given(st.data())
def test_any_request_is_json_or_is_rejected_before_it_is_sent(name: str, data: st.DataObject) -> None:
    base = data.draw(st.sampled_from(SPEAKERS[name]))
    model = data.draw(st.sampled_from(["m", *(pattern.replace("*", "x").split("|")[0] for pattern in base.models)]))
    manifest = base.for_model(model, name)
    messages = tuple(data.draw(st.lists(MESSAGE, min_size=1, max_size=5)))
    request = chat_request(
        model, messages, tuple(data.draw(TOOLS)), data.draw(OPTIONS), data.draw(EXTRA), stream=data.draw(st.booleans())
    )
    before = copy.deepcopy(request)
    ledger = Ledger()
    try:
        body = find(name).chat.render(request, manifest, ledger)
    except ConfigurationError:
        return
    finally:
        assert request == before  # a dialect changes nothing of what it is given
    assert isinstance(body, dict)
    assert json.loads(json.dumps(body, allow_nan=False)) == json.loads(json.dumps(body))
    told = {entry.option.partition(".")[0] for entry in ledger.entries}
    assert set(request.options.given()) <= told  # what became of every option is told
    assert all(isinstance(sentence, str) and sentence for sentence in ledger.warnings)


CLIENT = AiClient("openai/m", api_key="k-1")


@settings(max_examples=150, deadline=None)
@given(st.lists(st.integers(0, len(STEPS) - 1), max_size=12))
def test_a_builder_never_changes_and_a_step_depends_on_nothing_else(steps: list[int]) -> None:
    builder = CLIENT.chat().user("Hi")
    made = [(builder, _facts(builder))]
    for step in steps:
        builder = STEPS[step](builder)
        assert builder is not made[-1][0]
        made.append((builder, _facts(builder)))
    for earlier, facts in made:
        assert _facts(earlier) == facts
    again = CLIENT.chat().user("Hi")
    for step in steps:
        again = STEPS[step](again)
    assert _facts(again) == made[-1][1]


def _facts(builder: ChatBuilder) -> str:
    """All that the builder holds, as text."""
    return repr((builder._request, builder._timeout, dict(builder._request.headers), builder.explain().body))
