"""A whole conversation with every provider, over a real socket, with a server that refuses what the provider would refuse."""

from __future__ import annotations

import json
from contextlib import ExitStack
from typing import TYPE_CHECKING, Any

import pytest

from ailib_sync import AiClient, ConfigurationError, Message, Tool, errors
from ailib_sync.embedded.exchange import STATUS_OF
from ailib_sync.registry.manifest import Manifest, builtin_manifests
from ailib_sync.testing import FakeProvider
from ailib_sync.types.messages import Audio, Document, Image, Thinking
from ailib_sync.types.request import OPTIONS

from .builder_steps import PLAIN_OPTIONS
from .provider_cases import PLAIN_MODEL, Case, Talk, cases, every_case, live_manifests, strings_of, values_named, wire_names
from .time_limits import scaled

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from ailib_sync.builder import ChatBuilder
    from ailib_sync.types.response import ChatResponse

PNG = b"\x89PNG\r\n\x1a\n" + bytes(16)
PDF = b"%PDF-1.4\n%%EOF\n"
WAV = b"RIFF\x24\x00\x00\x00WAVEfmt " + bytes(28)
WEATHER = Tool("get_weather", "The weather of a city.", {"type": "object", "properties": {"city": {"type": "string"}}})
TIME = Tool("get_time", "The time in a zone.", {"type": "object", "properties": {"zone": {"type": "string"}}})
PERSON = {
    "type": "object",
    "properties": {"name": {"type": "string"}, "age": {"type": "integer"}},
    "required": ["name", "age"],
    "additionalProperties": False,
}
CALLS = [("get_weather", {"city": "Zürich"}), ("get_time", {"zone": "CET"})]

#: For each model with rules of its own, or for each provider in each format.
EVERY_MODEL = pytest.mark.parametrize("line", cases(), ids=str, indirect=True, scope="module")
EVERY_FORMAT = pytest.mark.parametrize(
    "line", [case for case in cases() if case.model == PLAIN_MODEL], ids=str, indirect=True, scope="module"
)
BOTH = pytest.mark.parametrize("stream", [False, True], ids=["plain", "stream"])


@pytest.fixture(scope="module")
def fakes() -> Iterator[Callable[[str], FakeProvider]]:
    """One server for each provider, started when it is first talked to."""
    running: dict[str, FakeProvider] = {}
    with ExitStack() as stack:

        def fake(provider: str) -> FakeProvider:
            if provider not in running:
                running[provider] = stack.enter_context(FakeProvider(provider))
            return running[provider]

        yield fake


@pytest.fixture(scope="module")
def line(request: pytest.FixtureRequest, fakes: Callable[[str], FakeProvider]) -> Iterator[tuple[Case, FakeProvider, AiClient]]:
    """A case's client, with one connection for all its tests: they run one after the other."""
    case: Case = request.param
    fake = fakes(case.provider)
    with fake.client(case.model, dialect=case.dialect, retry=0, trust_env=False, timeout=scaled(20)) as client:
        yield case, fake, client


@pytest.fixture
def talk(line: tuple[Case, FakeProvider, AiClient]) -> Iterator[Talk]:
    case, fake, client = line
    yield Talk(case, fake, client, len(fake.requests))
    left = fake.unused
    while fake.unused:
        fake._queue.take()  # what a failed test left behind is no other test's answer
    assert not left


@EVERY_MODEL
@BOTH
def test_repeats_what_it_was_given_with_a_system_prompt(talk: Talk, stream: bool) -> None:
    answer = talk.execute(talk.client.chat().system("Be terse, Basil.").user("Grüße an alle 👋"), stream)
    assert "You said:" in answer.content
    assert "Grüße an alle 👋" in answer.content
    assert answer.finish_reason == "end_turn"
    assert talk.warnings(answer) == []
    assert answer.provider == talk.case.provider
    if talk.can("stream_usage") or not stream:
        assert answer.usage.prompt_tokens
        assert answer.usage.completion_tokens
        assert answer.usage.total_tokens == answer.usage.prompt_tokens + answer.usage.completion_tokens
    assert sum("Be terse, Basil." in text for text in strings_of(talk.body)) == 1


@EVERY_FORMAT
def test_streams_the_text_in_fragments_and_ends_once(talk: Talk) -> None:
    talk.fake.reply("One piece after the other, and then the end.")
    with talk.client.chat().user("Tell me").stream() as stream:
        events = list(stream)
    pieces = [event.as_content_delta.text for event in events if event.is_content_delta]
    assert "".join(pieces) == "One piece after the other, and then the end."
    assert len(pieces) > 1
    assert [event.is_stream_end for event in events].count(True) == 1
    assert events[-1].is_stream_end
    assert events[-1].as_stream_end.finish_reason == "end_turn"


def _results(chat: ChatBuilder, answer: ChatResponse, as_message: bool) -> ChatBuilder:
    """The chat with the answer's calls and a result for each."""
    chat = chat.message(answer.message)
    for call, said in zip(answer.tool_calls, ("21 °C", "13:37"), strict=True):
        if as_message:
            chat = chat.message(Message.tool(call.id, said, call.name))
        else:
            chat = chat.tool_result(call.id, {"said": said}, name=call.name)
    return chat


@EVERY_MODEL
@BOTH
def test_calls_two_tools_at_once_in_two_turns(talk: Talk, stream: bool) -> None:
    chat = talk.client.chat().user("How are things in Zürich?").tools(WEATHER, TIME)
    for turn in range(2):
        talk.fake.reply(tool_calls=CALLS)
        answer = talk.execute(chat, stream)
        assert [(call.name, call.arguments) for call in answer.tool_calls] == CALLS
        assert len({call.id for call in answer.tool_calls}) == 2
        assert answer.finish_reason == "tool_use"
        assert talk.warnings(answer) == []
        chat = _results(chat, answer, as_message=turn == 0)
    last = talk.execute(chat, stream)
    assert last.content == 'get_weather answered: {"said": "21 °C"} get_time answered: {"said": "13:37"}'
    assert last.finish_reason == "end_turn"


@EVERY_FORMAT
def test_says_text_and_calls_a_tool_in_one_turn(talk: Talk) -> None:
    chat = talk.client.chat().user("Weather?").tools(WEATHER)
    talk.fake.reply("Let me see.", tool_calls=CALLS[:1])
    answer = chat.execute()
    # Cohere's models say beside a call what they plan to do, and want that back.
    assert (answer.content or answer.message.extra["tool_plan"], len(answer.tool_calls)) == ("Let me see.", 1)
    again = chat.message(answer.message).tool_result(answer.tool_calls[0].id, "no such city", is_error=True).execute()
    assert "no such city" in again.content
    assert "Let me see." in strings_of(talk.body)


@EVERY_FORMAT
def test_sees_images(talk: Talk) -> None:
    if not talk.can("vision"):
        pytest.skip("takes no images")
    answer = talk.client.chat().user(["What is this?", Image.from_bytes(PNG, "image/png")]).execute()
    assert "I was given 1 image" in answer.content
    assert "iVBORw0KGgo" in json.dumps(talk.body)
    by_address = talk.client.chat().user(["And this?", Image.from_url("https://example.com/cat.png", "image/png")])
    if "image URLs" in talk.samples.unsupported:
        with pytest.raises(ConfigurationError):
            by_address.execute()
        assert len(talk.sent) == 1
    else:
        assert "https://example.com/cat.png" in by_address.execute().content


@EVERY_FORMAT
def test_reads_documents(talk: Talk) -> None:
    if not talk.can("documents"):
        pytest.skip("takes no documents")
    chat = talk.client.chat().user([Document(media_type="application/pdf", data=PDF, name="report.pdf"), "Summarize"])
    if talk.manifest.has("no_file_parts") or "documents" in talk.samples.unsupported:
        with pytest.raises(ConfigurationError):
            chat.execute()
        assert not talk.sent
    else:
        assert "I was given 1 document" in chat.execute().content


@EVERY_FORMAT
def test_hears_sounds(talk: Talk) -> None:
    if not talk.can("audio") or "audio" in talk.samples.unsupported:
        pytest.skip("takes no sounds")
    answer = talk.client.chat().user([Audio.from_bytes(WAV, "audio/wav"), "What is said?"]).execute()
    assert "I was given 1 sound" in answer.content


#: The names of `parallel_tool_calls` in all formats.
PARALLEL = frozenset({"parallel_tool_calls", "disable_parallel_tool_use"})


def _warned(answer: ChatResponse, option: str) -> bool:
    return any(warning.split()[0] == option for warning in answer.warnings)


@EVERY_MODEL
def test_sends_each_option_or_says_that_it_does_not(talk: Talk) -> None:
    for option in PLAIN_OPTIONS:
        answer = option(talk.client.chat().user("Hi")).execute()
        on_the_wire = option.value in values_named(talk.body, option.wire_names | wire_names(option.method))
        assert on_the_wire != _warned(answer, option.method), (option, answer.warnings, talk.body)
        assert len(talk.warnings(answer)) == (0 if on_the_wire else 1)


@EVERY_MODEL
def test_takes_every_option_at_once(talk: Talk) -> None:
    chat = talk.client.chat().user("Answer in JSON").tools(WEATHER, TIME, parallel=False).tool_choice("auto")
    chat = chat.response_format(PERSON).reasoning("low")
    for option in PLAIN_OPTIONS:
        chat = option(chat)
    assert set(chat._request.options.given()) == set(OPTIONS)
    answer = chat.execute()
    assert answer.content or answer.tool_calls
    for option in PLAIN_OPTIONS:
        sent = option.value in values_named(talk.body, option.wire_names | wire_names(option.method))
        assert sent != _warned(answer, option.method), (option, answer.warnings)


@EVERY_MODEL
def test_chooses_tools_as_requested_or_reports_that_it_cannot(talk: Talk) -> None:
    chat = talk.client.chat().tools(WEATHER, TIME)
    for choice, text, wanted in (
        ("auto", "Please run get_weather", ["get_weather"]),
        ("none", "Please run get_weather", []),
        ("required", "Hi", ["get_weather"]),
        ("get_time", "Please run get_weather", ["get_time"]),
    ):
        answer = chat.user(text).tool_choice(choice).execute()
        refused = choice not in talk.manifest.tool_choice and not (choice == "get_time" and "tool" in talk.manifest.tool_choice)
        if _warned(answer, "tool_choice"):
            assert refused or talk.manifest.has("no_forced_tools_while_thinking") or not talk.takes("tool_choice"), choice
        else:
            assert [call.name for call in answer.tool_calls] == wanted, choice


@EVERY_MODEL
def test_calls_one_tool_at_a_time_or_reports_that_it_cannot(talk: Talk) -> None:
    answer = talk.client.chat().user("Please run both").tools(WEATHER, TIME, parallel=False).execute()
    found = values_named(talk.body, wire_names("parallel_tool_calls"))
    assert len(answer.tool_calls) == (2 if _warned(answer, "parallel_tool_calls") else 1)
    assert bool(found) != _warned(answer, "parallel_tool_calls")


@EVERY_MODEL
@BOTH
def test_responds_in_the_requested_format_or_reports_that_it_cannot(talk: Talk, stream: bool) -> None:
    chat = talk.client.chat().user("Give me JSON on a person")
    answer = talk.execute(chat.response_format(PERSON), stream)
    if not _warned(answer, "response_format"):
        assert set(json.loads(answer.content)) == {"name", "age"}
    assert bool(talk.can("json_schema")) or _warned(answer, "response_format") or "json_schema" in talk.manifest.response_format
    answer = talk.execute(chat.response_format("json"), stream)
    if not _warned(answer, "response_format"):
        assert isinstance(json.loads(answer.content), dict)
    answer = talk.execute(chat.response_format("text"), stream)
    assert "You said:" in answer.content


@EVERY_MODEL
def test_takes_any_effort(talk: Talk) -> None:
    for effort in ("none", "minimal", "low", "medium", "high", "xhigh", "max"):
        answer = talk.client.chat().user("Think about it").reasoning(effort).execute()
        assert "You said:" in answer.content
        # "none" is what a model that does not think does anyway.
        assert effort == "none" or _warned(answer, "reasoning") or talk.manifest.reasoning is not None, effort


@EVERY_MODEL
def test_takes_a_budget_for_thinking(talk: Talk) -> None:
    answer = talk.client.chat().user("Think").max_tokens(4000).reasoning(budget_tokens=2000, visible=True).execute()
    assert "You said:" in answer.content
    assert _warned(answer, "reasoning") or talk.manifest.reasoning is not None


#: Quirk → the field of an assistant message that must hold the thoughts.
REPLAYED = {"replay_reasoning_content": "reasoning_content", "replay_reasoning": "reasoning"}


@EVERY_MODEL
@BOTH
def test_gives_thoughts_back_when_tools_are_called(talk: Talk, stream: bool) -> None:
    if talk.manifest.reasoning is None:
        pytest.skip("does not think, or does not let itself be told how much")
    chat = talk.client.chat().user("Think, then look").tools(WEATHER, TIME).reasoning("high", visible=True)
    for _ in range(2):
        talk.fake.reply(thinking="First the weather, then the time.", tool_calls=CALLS)
        answer = talk.execute(chat, stream)
        assert [call.name for call in answer.tool_calls] == ["get_weather", "get_time"]
        chat = _results(chat, answer, as_message=True)
    last = talk.execute(chat, stream)
    assert "21 °C" in last.content
    thoughts = [block for block in answer.message.blocks if isinstance(block, Thinking)]
    if talk.dialect != "openai_chat":
        assert thoughts
    for block in thoughts:
        if block.signature:
            assert list(strings_of(talk.body)).count(block.signature) >= 1
    for quirk, field in REPLAYED.items():
        if talk.manifest.has(quirk):
            replayed = [message[field] for message in talk.body["messages"] if message["role"] == "assistant"]
            assert replayed == ["First the weather, then the time."] * 2


#: Who is known to want thoughts back with the calls they led to, and how: the manifests are held to it, not only to themselves.
WANTED_BACK = {
    "deepseek": "replay_reasoning_content",
    "xiaomi": "replay_reasoning_content",
    "moonshot": "replay_reasoning_content",
    "zhipu": "replay_reasoning_content",
    "minimax": "replay_reasoning_details",
    "openrouter": "replay_reasoning_details",
    "cerebras": "replay_reasoning",
    "groq": "replay_reasoning",
    "mistral": "replay_thinking_parts",
}


@pytest.mark.parametrize(("provider", "quirk"), WANTED_BACK.items())
def test_who_wants_thoughts_back_says_so(provider: str, quirk: str) -> None:
    assert Case(provider, None, PLAIN_MODEL).manifest.has(quirk)


@EVERY_FORMAT
def test_passes_fields_of_the_providers_own(talk: Talk) -> None:
    assert talk.client.chat().user("Hi").extra(**talk.samples.extra).execute().content
    assert talk.samples.extra.items() <= talk.body.items()


@EVERY_FORMAT
def test_the_server_here_rejects_what_it_does_not_know(talk: Talk) -> None:
    with pytest.raises(errors.InvalidRequest):
        talk.client.chat().user("Hi").extra(no_such_field=1).execute()


@EVERY_FORMAT
def test_a_wrong_key_is_rejected(talk: Talk) -> None:
    if talk.manifest.auth.get("scheme") == "none":
        pytest.skip("has no keys")
    with (
        talk.fake.client(talk.case.model, dialect=talk.case.dialect, retry=0, api_key="wrong", trust_env=False) as client,
        pytest.raises(errors.AuthenticationError) as caught,
    ):
        client.chat().user("Hi").execute()
    assert "wrong" not in str(caught.value).replace("wrong key", "")


@EVERY_FORMAT
@BOTH
def test_raises_each_class_of_error(talk: Talk, stream: bool) -> None:
    for kind, expected in errors.CLASSES.items():
        if kind == "unknown":
            continue
        talk.fake.fail(STATUS_OF[kind], code=kind, message="No, since this is a test.")
        with pytest.raises(errors.RemoteError) as caught:
            talk.execute(talk.client.chat().user("Hi"), stream)
        error = caught.value
        assert type(error) is talk.samples.less_exact_errors.get(kind, expected), kind
        assert "No, since this is a test." in error.message
        assert (error.provider, error.model) == (talk.case.provider, talk.case.model)


@EVERY_FORMAT
def test_an_error_in_a_stream_keeps_what_had_arrived(talk: Talk) -> None:
    text = "This had arrived before it broke, and this had not."
    for kind in ("overloaded", "rate_limited", "server_error"):
        talk.fake.fault("error_event", text=text, after=6, kind=kind)
        with pytest.raises(errors.RemoteError) as caught, talk.client.chat().user("Hi").stream() as stream:
            list(stream)
        error = caught.value
        assert type(error) is talk.samples.less_exact_errors.get(f"stream {kind}", errors.CLASSES[kind]), kind
        assert error.retryable
        assert error.fallbackable
        assert error.partial is not None
        assert error.partial.content
        assert text.startswith(error.partial.content)


@EVERY_FORMAT
def test_a_stream_that_is_cut_is_no_success(talk: Talk) -> None:
    text = "This will be cut somewhere in the middle."
    talk.fake.fault("truncate", text=text, after=6)
    if "eof" in talk.manifest.stream_end:  # where the provider has no other end, nobody can tell, and no reason is made up
        assert talk.execute(talk.client.chat().user("Hi"), stream=True).finish_reason is None
        return
    with pytest.raises(errors.StreamInterrupted) as caught, talk.client.chat().user("Hi").stream() as stream:
        list(stream)
    assert caught.value.partial is not None
    assert caught.value.partial.content
    assert text.startswith(caught.value.partial.content)


# What is no case of the table


def test_every_rule_of_every_manifest_is_here() -> None:
    tried: dict[tuple[str, str | None], list[Manifest]] = {(case.provider, case.dialect): [] for case in cases()}
    for case in cases():
        tried[case.provider, case.dialect].append(case.manifest)
    for case in every_case():
        assert case.manifest in tried[case.provider, case.dialect], case


def test_every_live_provider_is_here() -> None:
    assert {case.provider for case in cases()} == {manifest.id for manifest in live_manifests()}
    assert len(live_manifests()) >= 90


GONE = [manifest for manifest in builtin_manifests() if manifest.status in ("retired", "not_chat")]


@pytest.mark.parametrize("manifest", GONE, ids=lambda manifest: manifest.id)
def test_where_there_is_nothing_to_call_one_sentence_says_so(manifest: Manifest) -> None:
    with pytest.raises(ConfigurationError) as caught:
        AiClient(f"{manifest.id}/any-model", api_key="k")
    sentence = str(caught.value)
    assert manifest.name in sentence
    assert "\n" not in sentence
    facts = manifest.retired or {}
    assert facts.get("use", "") in sentence
    if manifest.status == "retired":
        assert facts["since"] in sentence
        assert facts["use"]


ACME = """\
{
  "id": "acme",
  "name": "Acme",
  "docs": "https://acme.example/docs",
  "dialect": "openai_chat",
  "base_url": "https://api.acme.example/v1",
  "auth": {"scheme": "bearer", "env": ["ACME_API_KEY"]},
  "parameters": {"top_k": "top_k", "seed": null},
  "limits": {"temperature": [0, 1]},
  "reasoning": {"style": "effort", "efforts": ["low", "high"]},
  "quirks": ["no_stream_usage"],
  "capabilities": {"tools": true, "vision": true, "json_schema": true, "reasoning": true},
  "models": {
    "acme-1*": {"reasoning": null}
  }
}
"""


@pytest.mark.parametrize("way", ["dict", "path", "folder"])
def test_a_new_provider_is_one_short_file(way: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert len(ACME.splitlines()) <= 25
    path = tmp_path / "acme.json"
    path.write_text(ACME, encoding="utf-8")
    options: dict[str, Any] = {"dict": {"manifest": json.loads(ACME)}, "path": {"manifest": path}, "folder": {}}[way]
    if way == "folder":
        monkeypatch.setenv("AILIB_MANIFESTS", str(tmp_path))
    with (
        FakeProvider(json.loads(ACME)) as fake,
        AiClient("acme/acme-2", base_url=fake.base_url, api_key=fake.api_key, retry=0, trust_env=False, **options) as client,
    ):
        answer = client.chat().user("Hello").top_k(5).seed(1).execute()
        assert "You said: Hello" in answer.content
        assert answer.warnings == ["seed is not supported by Acme for this model"]
        assert fake.requests[0].json["top_k"] == 5
        assert "".join(client.chat().user("Hello").stream().text()).endswith("You said: Hello")
        call = client.chat().user("Use get_weather").tools(WEATHER).execute().tool_calls[0]
        assert call.name == "get_weather"


def test_a_plain_model_is_one_that_no_rule_is_about() -> None:
    assert all(Case(manifest.id, None, PLAIN_MODEL).manifest == manifest for manifest in live_manifests())
