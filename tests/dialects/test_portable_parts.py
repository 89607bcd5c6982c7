"""Cache marks, and `extra` fields for one dialect or provider: each service gets its own, and the ledger names the rest."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ailib_sync import AiClient, RetryPolicy
from ailib_sync._dataclass import replace
from ailib_sync.dialects.dialect import NAMES, find
from ailib_sync.dialects.portable import without_foreign_extra
from ailib_sync.errors import ConfigurationError
from ailib_sync.registry.manifest import Manifest
from ailib_sync.testing import FakeProvider
from ailib_sync.types.history import dump_messages, load_messages
from ailib_sync.types.messages import Block, Document, Image, Message, Opaque, Text, ToolResult
from ailib_sync.types.request import Ledger
from ailib_sync.types.tools import Tool, ToolCall
from tests.chat_values import chat_request
from tests.sent_bodies import rejection

EPHEMERAL = {"type": "ephemeral"}
#: A dialect → a provider of it, and one of its models.
HOSTS = {
    "openai_chat": ("groq", "llama-3.3-70b-versatile"),
    "anthropic_messages": ("anthropic", "claude-sonnet-4-5"),
    "gemini_generate": ("gemini", "gemini-3.8-flash"),
    "cohere_chat": ("cohere", "command-a-03-2025"),
    "bedrock_converse": ("bedrock", "anthropic.claude-sonnet-4-5"),
    "ollama_chat": ("ollama", "llama3.3"),
    "openai_responses": ("openai", "gpt-5.1"),
}


def render(*messages: Message, to: str = "anthropic_messages", host: str = "", model: str = "", **fields: Any) -> Any:
    """(body, warnings)"""
    provider, usual = HOSTS[to]
    manifest = Manifest.load(host or provider).for_model(model or usual, to)
    ledger = Ledger()
    body = find(to).chat.render(chat_request(model or usual, messages, **fields), manifest, ledger)
    return json.loads(json.dumps(body)), ledger.warnings


def marks(value: Any) -> Iterator[str]:
    """The names of the cache marks in a body."""
    if isinstance(value, dict):
        for key, inner in value.items():
            if key in ("cache_control", "cachePoint", "prompt_cache_breakpoint", "cache"):
                yield key
            yield from marks(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from marks(inner)


CHAT = (Message.system([Text("Rules", cache=True)]), Message.user([Text("Long", cache="1h"), Text("Short")]))
TOOLS = (Tool("f", cache=True),)


def test_each_service_gets_its_own_mark() -> None:
    anthropic, _ = render(Message.system([Text("Rules", cache="1h")]), Message.user([Text("x", cache=True)]), tools=TOOLS[:0])
    assert anthropic["system"][0]["cache_control"] == {"type": "ephemeral", "ttl": "1h"}
    assert anthropic["messages"][0]["content"][0]["cache_control"] == EPHEMERAL
    bedrock, _ = render(*CHAT[:1], Message.user("x"), to="bedrock_converse", tools=TOOLS)
    assert bedrock["system"] == [{"text": "Rules"}, {"cachePoint": {"type": "default"}}]
    assert bedrock["toolConfig"]["tools"][1] == {"cachePoint": {"type": "default"}}
    router, _ = render(*CHAT[:1], Message.user("x"), to="openai_chat", host="openrouter", tools=TOOLS)
    assert router["messages"][0]["content"] == [{"type": "text", "text": "Rules", "cache_control": EPHEMERAL}]
    assert router["tools"][0]["cache_control"] == EPHEMERAL
    for dialect in ("openai_chat", "openai_responses"):
        openai, warnings = render(CHAT[1], to=dialect, host="openai", model="gpt-5.6")
        content = openai["messages" if dialect == "openai_chat" else "input"][0]["content"]
        assert [part.get("prompt_cache_breakpoint") for part in content] == [{"mode": "explicit"}, None]
        assert "without its TTL of 1h" in warnings[0]


@pytest.mark.parametrize("dialect", ["openai_chat", "gemini_generate", "cohere_chat", "ollama_chat", "openai_responses"])
def test_a_service_without_marks_gets_none_and_one_warning(dialect: str) -> None:
    body, warnings = render(*CHAT, to=dialect, tools=TOOLS)
    assert list(marks(body)) == []
    assert len(warnings) == 1
    assert warnings[0].startswith("cache is left out")


@pytest.mark.parametrize("name", ["cache_control", "cachePoint", "prompt_cache_breakpoint"])
@pytest.mark.parametrize("dialect", NAMES)
def test_a_mark_in_extra_is_translated(dialect: str, name: str) -> None:
    mark = {name: {"type": "default" if name == "cachePoint" else "ephemeral", "ttl": "5m"}}
    body, _ = render(Message.user([Text("a", dict(mark))]), to=dialect, tools=(Tool("f", extra=mark),))
    expected = {"anthropic_messages": "cache_control", "bedrock_converse": "cachePoint"}.get(dialect)
    assert list(marks(body)) == ([expected] * 2 if expected else [])


def test_a_mark_of_a_message_is_one_of_its_last_block() -> None:
    message = Message.user(["a", Text("b")])
    message.extra = {"cache_control": EPHEMERAL}
    body, _ = render(message)
    assert [block.get("cache_control") for block in body["messages"][0]["content"]] == [None, EPHEMERAL]
    assert "cache_control" not in body["messages"][0]


@pytest.mark.parametrize("count", [5, 9])
def test_of_too_many_marks_the_first_and_the_last_are_kept(count: int) -> None:
    users = [Message.user([Text(f"block {number}", cache=True)]) for number in range(count)]
    body, warnings = render(Message.system([Text("Rules", cache=True)]), *users, tools=TOOLS)
    assert len(list(marks(body))) == 4
    assert "cache_control" in body["tools"][0]
    assert "cache_control" in body["system"][0]
    marked = ["cache_control" in block for block in body["messages"][0]["content"]]
    assert marked == [False] * (count - 2) + [True] * 2
    assert len(warnings) == 1
    assert "Text 'block 0'" in warnings[0]
    assert "Text 'block 2'" in warnings[0]
    assert f"block {count - 1}" not in warnings[0]


def test_a_mark_of_the_body_counts() -> None:
    users = [Message.user([Text(f"block {number}", cache=True)]) for number in range(4)]
    body, warnings = render(*users, extra={"cache_control": EPHEMERAL})
    assert len(list(marks(body))) == 4
    assert len(warnings) == 1
    assert list(marks(render(*users[:1], extra={"cache_control": EPHEMERAL}, to="cohere_chat")[0])) == []


def test_a_longer_lifetime_after_a_shorter_one_becomes_the_shorter_one() -> None:
    body, warnings = render(Message.system([Text("a", cache=True)]), Message.user([Text("b", cache="1h")]))
    assert body["messages"][0]["content"][0]["cache_control"] == {"type": "ephemeral", "ttl": "5m"}
    assert "5m" in warnings[0]


@pytest.mark.parametrize("dialect", ["anthropic_messages", "bedrock_converse"])
def test_a_mark_inside_a_result_is_one_of_the_result(dialect: str) -> None:
    result = ToolResult("c", [Text("a", {"cache_control": EPHEMERAL}), Text("b", cache=True)])
    call = Message.assistant("", [ToolCall("c", "f")])
    body, warnings = render(Message.user("q"), call, Message("tool", [result]), to=dialect, tools=(Tool("f"),))  # type: ignore[arg-type]
    last = body["messages"][-1]["content"]
    assert len(list(marks(last))) == 1
    assert list(marks(last[-1]))
    assert warnings == []


def test_a_wrong_lifetime_is_an_error() -> None:
    with pytest.raises(ConfigurationError, match='must be True, "5m" or "1h", not 60'):
        render(Message.user([Text("a", cache=60)]))


#: The dialects for which a tag below is.
MEDIA = {"anthropic_messages": "anthropic_messages", "gemini_generate": "google"}
TAGGED: dict[str, Any] = {"anthropic_messages": {"citations": {"enabled": True}}, "google": {"videoMetadata": {"fps": 1}}}


@pytest.mark.parametrize("dialect", NAMES)
def test_fields_with_a_tag_are_for_that_dialect_or_provider(dialect: str) -> None:
    block = Document("application/pdf" if dialect == "anthropic_messages" else "text/plain", b"%PDF-", extra=dict(TAGGED))
    block = block if dialect in MEDIA else Text("a", dict(TAGGED))  # type: ignore[assignment]  # the others have no documents
    body, warnings = render(Message.user(["q", block]), to=dialect)
    text = json.dumps(body)
    assert ("citations" in text) == (dialect == "anthropic_messages")
    assert ("videoMetadata" in text) == (dialect == "gemini_generate")
    assert not any(tag in text for tag in TAGGED)
    others = [tag for tag in TAGGED if MEDIA.get(dialect) != tag]
    name = Manifest.load(HOSTS[dialect][0]).name
    assert warnings == [f"extra for {', '.join(others)} is left out: the request is for {name}"]


def test_the_body_and_a_manifest_of_ones_own_have_tags_too() -> None:
    body, warnings = render(Message.user("a"), extra={"anthropic": {"metadata": {"user_id": "u"}}, "openai": {"user": "u"}})
    assert body["metadata"] == {"user_id": "u"}
    assert "user" not in body
    assert warnings == ["extra for openai is left out: the request is for Anthropic"]
    own = Manifest.from_dict({"id": "acme", "name": "Acme", "dialect": "openai_chat", "base_url": "https://acme.invalid"})
    request = chat_request("m", (Message.user("a"),), extra={"acme": {"seed": 1}, "openai_chat": {"user": "u"}})
    sent = find("openai_chat").chat.render(request, own, Ledger())
    assert sent is not None
    assert (sent["seed"], sent["user"]) == (1, "u")


def test_marks_are_part_of_a_history() -> None:
    messages = [Message.user([Text("a", cache="1h"), Image(url="https://a.invalid", cache=True)])]
    assert load_messages(json.loads(json.dumps(dump_messages(messages)))) == messages


def test_the_builder_marks_the_last_block() -> None:
    chat = AiClient("anthropic/claude-sonnet-4-5", api_key="k").chat().system("Rules", cache="1h").user(["a", "b"], cache=True)
    body = chat.explain().body
    assert body["system"] == [{"type": "text", "text": "Rules", "cache_control": {"type": "ephemeral", "ttl": "1h"}}]
    assert [block.get("cache_control") for block in body["messages"][0]["content"]] == [None, EPHEMERAL]
    with pytest.raises(ConfigurationError, match="no cache mark"):
        chat.user(Opaque({}), cache=True)


FIELDS = st.fixed_dictionaries(
    {},
    optional={
        "cache_control": st.just(EPHEMERAL),
        "cachePoint": st.just({"type": "default"}),
        "citations": st.just({"enabled": True}),
        "mistral": st.just({"prefix": True}),
        "new_field": st.just(1),
    },
)
CACHE = st.sampled_from([False, True, "5m", "1h"])
PARTS: st.SearchStrategy[Block] = (
    st.builds(Text, st.just("json"), FIELDS, CACHE)
    | st.builds(lambda extra, cache: Image("image/png", b"\x89PNG\r\n\x1a\n", extra=extra, cache=cache), FIELDS, CACHE)
    | st.builds(lambda extra, cache: Document("text/plain", b"d", extra=extra, cache=cache), FIELDS, CACHE)
    | st.just(Opaque({"type": "search_result", "source": "s", "title": "t", "content": []}))
)


def test_a_fallback_in_another_dialect_gets_nothing_of_the_first_one() -> None:
    with FakeProvider("anthropic") as first, FakeProvider("openai") as second:
        first.fail(529)
        client = first.client("claude-sonnet-4-5", fallbacks=[second.client("gpt-4o")], retry=RetryPolicy(max_retries=0))
        document = Document("text/plain", b"d", extra={"citations": {"enabled": True}}, cache=True)
        chat = client.chat().system("Rules", cache=True).user(["a", document]).extra(metadata={"user_id": "u"})
        response = chat.tools(Tool("f", cache=True, extra={"eager_input_streaming": True})).execute()
        sent = second.requests[-1].json
    assert response.provider == "openai"
    assert list(marks(sent)) == []
    assert "citations" not in json.dumps(sent)
    assert "metadata" not in sent
    detail = "extra for anthropic_messages is left out (eager_input_streaming, citations, metadata): the request is for OpenAI"
    assert response.warnings[0] == detail
    assert [warning.startswith("cache is left out: OpenAI") for warning in response.warnings[:-1]] == [False, True]
    assert response.warnings[-1].startswith("anthropic/claude-sonnet-4-5 failed, so a fallback was used")


@given(st.sampled_from(NAMES), st.lists(PARTS, min_size=1, max_size=7), st.lists(PARTS, max_size=5), FIELDS, CACHE)
def test_no_fallback_rejects_what_a_chat_carries(
    home: str, system: list[Block], user: list[Block], fields: dict[str, Any], cache: bool | str
) -> None:
    texts = [Text("Rules"), *(block for block in system if isinstance(block, Text))]
    tools = (Tool("f", extra=fields, cache=cache), Tool("search", extra={"type": "web_search_20250305"}))
    messages = (Message.system(list(texts)), Message("user", ["json", *user], extra=fields))  # type: ignore[arg-type]
    request = chat_request("m", messages, tools, extra=fields)
    for dialect, (provider, model) in HOSTS.items():
        manifest = Manifest.load(provider).for_model(model, dialect)
        if dialect == home:
            continue
        ledger = Ledger()
        sent = without_foreign_extra(replace(request, model=model), home, manifest, ledger)
        with suppress(ConfigurationError):  # a document, where there are none
            body = find(dialect).chat.render(sent, manifest, ledger)
            assert body is not None
            assert rejection(body, sent, manifest) is None
