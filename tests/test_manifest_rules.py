"""The rules of manifests for models and dialects: the built-in manifests and an example."""

from __future__ import annotations

import json
import re

import pytest

from ailib_sync.dialects.dialect import find
from ailib_sync.pipeline.endpoint import Endpoint
from ailib_sync.registry.manifest import Manifest, builtin_manifests
from ailib_sync.types.messages import Message
from ailib_sync.types.request import Ledger, Reasoning, ResponseFormat, ToolChoice
from ailib_sync.types.tools import Tool
from tests.chat_values import chat_request

LIVE = [manifest for manifest in builtin_manifests() if manifest.status not in ("retired", "not_chat")]
EFFORTS = ["low", "medium", "high"]


@pytest.mark.parametrize(
    ("model", "efforts", "off", "dialect"),
    [
        ("openai/gpt-4o", None, None, "openai_chat"),
        ("openai/gpt-4.1-mini", None, None, "openai_chat"),
        ("openai/o3", EFFORTS, None, "openai_chat"),
        ("openai/o3-pro", EFFORTS, None, "openai_responses"),
        ("openai/gpt-5-mini", ["minimal", *EFFORTS], None, "openai_chat"),
        ("openai/gpt-5-pro", ["high"], None, "openai_responses"),
        ("openai/gpt-5.1", EFFORTS, "none", "openai_chat"),
        ("openai/gpt-5.2-pro", ["medium", "high", "xhigh"], None, "openai_chat"),
        ("openai/gpt-5.3-codex", [*EFFORTS, "xhigh"], "none", "openai_responses"),
        ("openai/gpt-5.6-terra", [*EFFORTS, "xhigh"], "none", "openai_chat"),
        ("openai/gpt-6.2-sol", [*EFFORTS, "xhigh"], None, "openai_chat"),
        ("openai/gpt-5.2-chat-latest", ["medium"], None, "openai_chat"),
        ("azure/gpt-5-pro", ["high"], None, "openai_responses"),
        ("anthropic/claude-3-5-sonnet-20241022", None, None, "anthropic_messages"),
        ("anthropic/claude-fable-5-2", [*EFFORTS, "xhigh", "max"], None, "anthropic_messages"),
        ("anthropic/claude-opus-4-5-20251101", EFFORTS, "disabled", "anthropic_messages"),
        ("anthropic/claude-opus-5", [*EFFORTS, "xhigh", "max"], "disabled", "anthropic_messages"),
        ("anthropic/claude-opus-5-5", [*EFFORTS, "xhigh", "max"], None, "anthropic_messages"),
        ("gemini/gemini-2.0-flash", None, None, "gemini_generate"),
        ("gemini/gemini-3.1-pro-preview", EFFORTS, None, "gemini_generate"),
        ("gemini/gemini-3.5-flash", ["minimal", *EFFORTS], None, "gemini_generate"),
        ("gemini/gemini-3.8-flash", EFFORTS, None, "gemini_generate"),
        ("moonshot/kimi-k3", ["low", "high", "max"], None, "openai_chat"),
        ("zhipu/glm-5.3-flash", ["low", "high", "max"], None, "openai_chat"),
        ("groq/openai/gpt-oss-120b", EFFORTS, None, "openai_chat"),
        ("xai/grok-4.3", EFFORTS, "none", "openai_chat"),
        ("bedrock/us.anthropic.claude-opus-4-7-v1:0", [*EFFORTS, "xhigh", "max"], "disabled", "bedrock_converse"),
        ("bedrock/meta.llama3-70b", None, None, "bedrock_converse"),
    ],
)
def test_the_reasoning_settings_of_models(model: str, efforts: list[str] | None, off: str | None, dialect: str) -> None:
    provider, _, name = model.partition("/")
    manifest = Manifest.load(provider).for_model(name)
    rules = manifest.reasoning or {}
    assert manifest.dialect == dialect
    assert rules.get("efforts") == efforts
    assert rules.get("off") == off


@pytest.mark.parametrize(
    ("model", "supported"),
    [
        ("openai/gpt-4o", True),
        ("openai/o3", False),
        ("openai/gpt-5-mini", False),
        ("openai/gpt-5.2", True),
        ("openai/gpt-6-astra", False),
        ("anthropic/claude-haiku-4-5", True),
        ("anthropic/claude-opus-4-6", True),
        ("anthropic/claude-opus-4-7", False),
        ("anthropic/claude-sonnet-5", False),
        ("moonshot/kimi-k3", False),
        ("vertex/gemini-2.5-pro", True),
    ],
)
def test_whether_models_support_temperature(model: str, supported: bool) -> None:
    provider, _, name = model.partition("/")
    manifest = Manifest.load(provider).for_model(name)
    assert (manifest.parameters.get("temperature", "temperature") is not None) is supported


def test_a_second_dialect_inherits_only_what_it_keeps() -> None:
    openai, gemini = Manifest.load("openai"), Manifest.load("gemini")
    responses = openai.for_model("gpt-5.6", "openai_responses")
    assert responses.parameters.get("max_tokens") is None
    assert "max_tokens" not in responses.parameters
    assert responses.reasoning == {
        "style": "effort", "efforts": [*EFFORTS, "xhigh", "max"], "off": "none", "default": "medium", "no_sampling": True,
        "encrypted": True, "with_tools": "openai_responses",
    }  # fmt: skip
    chat = gemini.for_model("gemini-2.5-flash", "openai_chat")
    assert chat.reasoning is not None
    assert chat.reasoning["style"] == "effort"
    assert chat.auth["header"] == "Authorization"
    assert chat.auth["env"] == gemini.auth["env"]


def test_a_rule_with_a_style_replaces_reasoning_and_others_are_merged() -> None:
    manifest = Manifest.from_dict(
        {
            "id": "acme", "name": "Acme", "dialect": "openai_chat", "base_url": "https://api.acme.example/v1",
            "reasoning": {"style": "effort", "efforts": ["low", "high"], "off": "none"},
            "models": {"a*": {"reasoning": {"efforts": ["low"]}}, "b*|c?": {"reasoning": {"style": "enable_thinking"}}},
        }
    )  # fmt: skip
    assert manifest.for_model("a1").reasoning == {"style": "effort", "efforts": ["low"], "off": "none"}
    assert manifest.for_model("c1").reasoning == {"style": "enable_thinking"}
    assert manifest.for_model("c12").reasoning == manifest.reasoning


def test_constants_do_not_replace_fields_and_null_removes_them() -> None:
    watsonx = Manifest.load("watsonx")
    body = watsonx.add_constants({"model": "m", "project_id": "mine"}, {"model": "m", "project_id": "theirs"})
    assert body == {"model_id": "m", "project_id": "mine"}


def test_templates_do_not_evaluate_attributes() -> None:
    manifest = Manifest.from_dict(
        {
            "id": "acme",
            "name": "Acme",
            "dialect": "openai_chat",
            "base_url": "https://a.example",
            "body": {"x": "{model.__class__}"},
        },
        trusted=True,
    )
    assert manifest.add_constants({}, {"model": "m"}) == {"x": "{model.__class__}"}


@pytest.mark.parametrize(
    ("model", "reasoning", "sent"),
    [
        ("openai/gpt-4o", None, True),
        ("openai/gpt-5.2", None, True),
        ("openai/gpt-5.2", Reasoning(effort="none"), True),
        ("openai/gpt-5.2", Reasoning(effort="high"), False),
        ("openai/gpt-5.5", None, False),
        ("openai/gpt-5.5", Reasoning(effort="none"), True),
        ("anthropic/claude-haiku-4-5", None, True),
        ("anthropic/claude-haiku-4-5", Reasoning(effort="low"), False),
    ],
)
def test_temperature_is_omitted_while_thinking_if_a_model_rejects_both(
    model: str, reasoning: Reasoning | None, sent: bool
) -> None:
    provider, _, name = model.partition("/")
    manifest = Manifest.load(provider).for_model(name)
    options = {"temperature": 0.5} if reasoning is None else {"temperature": 0.5, "reasoning": reasoning}
    ledger = Ledger()
    body = find(manifest.dialect).chat.render(chat_request(name, (Message.user("Hi"),), options=options), manifest, ledger)
    assert ("temperature" in body) is sent
    assert any("temperature" in warning for warning in ledger.warnings) is not sent


DIALECTS = [(manifest.id, dialect) for manifest in LIVE for dialect in (manifest.dialect, *manifest.dialects)]


@pytest.mark.parametrize(("provider", "dialect"), DIALECTS, ids=[f"{provider}-{dialect}" for provider, dialect in DIALECTS])
def test_every_provider_renders_a_request_in_every_dialect(provider: str, dialect: str) -> None:
    """The URL is complete, the body is JSON, and the ledger has an entry for each option."""
    manifest = Manifest.load(provider)
    given = {name: "https://llm.corp.example/v1" if name == "base_url" else "eu-1" for name in manifest.variables}
    given |= {
        name: glob.replace("*", "eu-1") for name, spec in manifest.variables.items() for glob in spec.get("allowed", ())[:1]
    }
    target = Endpoint("some-model", manifest, dialect=dialect, variables=given)
    options = {
        "temperature": 0.5, "max_tokens": 2000, "top_p": 0.9, "top_k": 5, "stop": ("END",), "seed": 7, "frequency_penalty": 0.5,
        "presence_penalty": 0.5, "tool_choice": ToolChoice("required"), "parallel_tool_calls": True,
        "response_format": ResponseFormat("json_schema", {"type": "object"}), "reasoning": Reasoning(effort="high"),
    }  # fmt: skip
    messages = (Message.system("Be short."), Message.user("Hi"))
    tools = (Tool("look", "Looks.", {"type": "object", "properties": {}}),)
    for stream in (False, True):
        made = target.explain(chat_request("some-model", messages, tools=tools, options=options, stream=stream))
        assert re.fullmatch(r"https?://[a-z0-9.:-]+(/[^{}\s]*)", made.url), made.url
        json.dumps(made.body, allow_nan=False)
        assert {entry.option.split(".")[0].split(" ")[0] for entry in made.ledger} >= set(options), made.ledger
        assert made.headers.get("anthropic-version") or dialect != "anthropic_messages" or "anthropic_version" in made.body


@pytest.mark.parametrize("model", ["gpt-5.5", "gpt-5.2"])
def test_the_default_temperature_is_sent_while_thinking(model: str) -> None:
    manifest = Manifest.load("openai").for_model(model)
    options = {"temperature": 1.0, "reasoning": Reasoning(effort="high")}
    ledger = Ledger()
    body = find(manifest.dialect).chat.render(chat_request(model, (Message.user("Hi"),), options=options), manifest, ledger)
    assert body["temperature"] == 1.0
    assert ledger.warnings == []


@pytest.mark.parametrize("model", ["kimi-k2.5", "kimi-k2.6", "kimi-k2.7-code", "kimi-k3", "kimi-k3.1-pro"])
@pytest.mark.parametrize("provider", ["moonshot", "moonshot-cn"])
def test_kimi_models_with_fixed_sampling_get_none(provider: str, model: str) -> None:
    options = {"temperature": 0.5, "top_p": 0.5, "frequency_penalty": 0.5, "presence_penalty": 0.5}
    for dialect in ("openai_chat", "anthropic_messages"):
        manifest = Manifest.load(provider).for_model(model, dialect)
        ledger = Ledger()
        body = find(dialect).chat.render(chat_request(model, (Message.user("Hi"),), options=options), manifest, ledger)
        assert not options.keys() & body.keys()
        assert {warning.split()[0] for warning in ledger.warnings} == options.keys()


@pytest.mark.parametrize(
    ("model", "only"),
    [
        ("qwen/qwen3-235b-a22b", True),
        ("qwen/qwen3.5-122b-a10b", True),
        ("qwen-us/qwen3.6-27b", True),
        ("qwen-cn/qwq-plus", True),
        ("modelscope/Qwen/Qwen3.5-27B", True),
        ("qwen/qwen3.8-max", False),
        ("qwen/qwen-plus", False),
    ],
)
def test_open_models_that_think_are_streamed(model: str, only: bool) -> None:
    provider, _, name = model.partition("/")
    assert Manifest.load(provider).for_model(name).has("streams_only") is only


@pytest.mark.parametrize("dialect", ["anthropic_messages", "openai_responses"])
def test_a_server_that_ignores_a_schema_in_a_format_is_not_sent_one(dialect: str) -> None:
    """https://github.com/ggml-org/llama.cpp/issues/21922"""
    manifest = Manifest.load("llamacpp").for_model("m", dialect)
    options = {"response_format": ResponseFormat("json_schema", {"type": "object"})}
    ledger = Ledger()
    body = find(dialect).chat.render(chat_request("m", (Message.user("Hi"),), options=options), manifest, ledger)
    assert not {"text", "output_config"} & body.keys()
    assert [warning.split()[0] for warning in ledger.warnings] == ["response_format"]


def test_the_efforts_of_a_large_model() -> None:
    rules = Manifest.load("mistral").for_model("mistral-large-4-0").reasoning
    assert rules == {"style": "effort", "efforts": EFFORTS, "off": "none"}
    assert Manifest.load("mistral").for_model("mistral-large-2512").reasoning is None
