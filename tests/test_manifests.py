"""Every built-in manifest: its form, names, URLs and keys. Adding a provider is one file; these tests review it."""

from __future__ import annotations

import json
import os
import re
from importlib import import_module

import jsonschema
import pytest

from ailib_sync.dialects.dialect import NAMES
from ailib_sync.errors import CLASSES, ManifestError
from ailib_sync.pipeline.auth import SCHEMES, key_variables
from ailib_sync.registry.check import find_problems, hosts, schema
from ailib_sync.registry.files import FOLDER, read_json
from ailib_sync.registry.manifest import FORMAT_DEFAULTS, Manifest, builtin_manifests, index, provider_ids
from ailib_sync.registry.quirks import QUIRKS
from ailib_sync.types.request import OPTIONS
from tests.dialects.samples import ALL

IDS = provider_ids()
MANIFESTS = {manifest.id: manifest for manifest in builtin_manifests()}
LIVE = [manifest for manifest in MANIFESTS.values() if manifest.status not in ("retired", "not_chat")]
CONFORMANCE = os.environ.get("AILIB_CONFORMANCE")
needs_conformance = pytest.mark.skipif(not CONFORMANCE, reason="AILIB_CONFORMANCE is not set")

#: Key variables of vendors that end neither in _KEY nor in _TOKEN.
ODD_KEYS = {"AWS_BEARER_TOKEN_BEDROCK", "SNOWFLAKE_CORTEX_PAT", "SNOWFLAKE_PAT", "SPARK_API_PASSWORD"}

AI_PROTOCOL_V1 = [
    "ai21",
    "anthropic",
    "anyscale",
    "azure",
    "baichuan",
    "baidu",
    "cerebras",
    "cohere",
    "deepinfra",
    "deepseek",
    "doubao",
    "fireworks",
    "gemini",
    "groq",
    "huggingface",
    "hunyuan",
    "jina",
    "lepton",
    "minimax",
    "mistral",
    "moonshot",
    "nvidia",
    "openai",
    "openrouter",
    "perplexity",
    "qwen",
    "replicate",
    "sensenova",
    "siliconflow",
    "spark",
    "stability",
    "tiangong",
    "together",
    "writer",
    "xai",
    "yi",
    "zhipu",
]

#: Provider → its name in the index of recordings, if it differs.
RECORDED_AS = {
    "qwen": "alibaba",
    "gemini": "google",
    "vertex": "google-vertex",
    "zhipu": "zai",
    "litellm": "litellm-proxy",
    "vercel": "vercel-gateway",
    "ollama-cloud": "ollama",
}


def raw(provider: str) -> dict[str, object]:
    return read_json(os.path.join(FOLDER, f"{provider}.json"))


def all_dialects(manifest: Manifest) -> list[Manifest]:
    return [manifest, *(manifest.for_dialect(dialect) for dialect in manifest.dialects)]


def resolved(manifest: Manifest) -> list[Manifest]:
    """The manifest in each of its dialects, and for one model of each of its rules."""
    found = all_dialects(manifest)
    for part in list(found):
        for pattern in part.models:
            name = pattern.split("|")[0].replace("*", "x").replace("?", "5")
            found.append(part.for_model(name, part.dialect))
    return found


# --- each file --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("provider", IDS)
def test_matches_the_schema(provider: str) -> None:
    jsonschema.Draft202012Validator(schema()).validate(raw(provider))


@pytest.mark.parametrize("provider", [provider for provider in IDS if not ODD_KEYS & set(key_variables(MANIFESTS[provider]))])
def test_passes_the_checks_of_users_manifests(provider: str) -> None:
    assert find_problems(raw(provider), provider) == []


@pytest.mark.parametrize("provider", IDS)
def test_has_the_name_of_its_file_and_only_valid_references(provider: str) -> None:
    manifest = MANIFESTS[provider]
    assert manifest.id == provider
    for part in resolved(manifest):
        assert part.dialect in NAMES
        assert set(part.quirks) <= set(QUIRKS), part.quirks
        assert set(part.parameters) | set(part.defaults) | set(part.limits) <= set(OPTIONS)
        assert set(part.errors.get("codes", {}).values()) | set(part.errors.get("statuses", {}).values()) <= set(CLASSES)
        assert part.auth["scheme"] in SCHEMES
    for rule in manifest.models.values():
        assert rule.get("dialect", manifest.dialect) in (manifest.dialect, *manifest.dialects)


@pytest.mark.parametrize("provider", IDS)
def test_reasoning_style_is_supported_by_the_dialect(provider: str) -> None:
    for part in resolved(MANIFESTS[provider]):
        if part.reasoning:
            assert part.reasoning["style"] in ALL[part.dialect].reasoning_styles, (part.dialect, part.reasoning)


@pytest.mark.parametrize("dialect", ["openai_chat", "gemini_generate"])
def test_the_styles_match_the_code(dialect: str) -> None:
    assert ALL[dialect].reasoning_styles == set(import_module(f"ailib_sync.dialects.{dialect}.reasoning").STYLES)


def test_the_styles_of_bedrock_match_the_code() -> None:
    places = import_module("ailib_sync.dialects.bedrock_converse.reasoning").EFFORT_FIELDS
    assert ALL["bedrock_converse"].reasoning_styles == {"budget", *places}


def test_the_schema_lists_every_style() -> None:
    listed = schema()["$defs"]["reasoning"]["anyOf"][1]["properties"]["style"]["enum"]
    assert set(listed) == set().union(*(samples.reasoning_styles for samples in ALL.values()))


@pytest.mark.parametrize("provider", IDS)
def test_sends_keys_only_over_https_or_to_this_machine(provider: str) -> None:
    for part in all_dialects(MANIFESTS[provider]):
        url = part.base_url
        assert url.startswith("https://") or re.match(r"http://(localhost:|embedded\.invalid/)|\{base_url\}$", url), url
        assert "@" not in url
        assert not url.endswith("/")


@pytest.mark.parametrize("provider", IDS)
def test_puts_no_key_into_a_url(provider: str) -> None:
    for part in resolved(MANIFESTS[provider]):
        for template in (part.base_url, *part.paths.values()):
            assert not re.search(r"[?&](api_?key|key|token)=", template, re.IGNORECASE)
            assert set(re.findall(r"\{(\w+)\}", template)) <= {"model", *part.variables}
            assert not set(re.findall(r"\{(\w+)\}", template)) & set(key_variables(part))


@pytest.mark.parametrize("provider", IDS)
def test_reads_keys_from_variables_with_the_name_of_a_key(provider: str) -> None:
    for part in all_dialects(MANIFESTS[provider]):
        for name in part.auth.get("env", ()):
            assert name.endswith(("_KEY", "_TOKEN")) or name in ODD_KEYS, name
    for variable in MANIFESTS[provider].variables.values():
        assert variable.get("env") or "default" in variable
        assert not any(name.endswith(("_KEY", "_TOKEN", "_SECRET")) for name in variable.get("env", ()))


@pytest.mark.parametrize("manifest", [m for m in MANIFESTS.values() if m.status in ("retired", "not_chat")], ids=lambda m: m.id)
def test_a_provider_without_chat_says_what_to_use_instead(manifest: Manifest) -> None:
    assert manifest.retired
    assert len(manifest.retired["use"]) > 5
    assert manifest.status == "not_chat" or "since" in manifest.retired


@pytest.mark.parametrize(
    "manifest", [m for m in LIVE if not m.models and not m.dialects and not m.variables], ids=lambda m: m.id
)
def test_a_simple_provider_has_at_most_25_lines(manifest: Manifest) -> None:
    with open(os.path.join(FOLDER, f"{manifest.id}.json"), encoding="utf-8") as file:
        assert len(file.read().splitlines()) <= 25


@pytest.mark.parametrize("provider", IDS)
def test_keys_are_ordered_and_have_no_default_values(provider: str) -> None:
    order = ["extends", *(key for key in schema()["properties"] if key not in ("$schema", "extends"))]
    data = raw(provider)
    keys = [key for key in data if key not in ("extends",)]
    head = [key for key in ("id", "name", "aliases", "docs", "status", "retired", "dialect", "base_url") if key in data]
    assert set(keys) <= set(order)
    assert keys[: len(head)] == head
    if "extends" not in data:
        for key in set(FORMAT_DEFAULTS) & set(data):
            default = FORMAT_DEFAULTS[key]
            assert data[key] != (list(default) if isinstance(default, tuple) else default), key


# --- all manifests ----------------------------------------------------------------------------------------------------


def test_there_are_at_least_sixty_providers() -> None:
    assert len(LIVE) >= 60


def test_ids_and_aliases_are_unique() -> None:
    names = [*IDS, *(alias for manifest in MANIFESTS.values() for alias in manifest.aliases)]
    assert sorted(names) == sorted(set(names))


@pytest.mark.parametrize("provider", AI_PROTOCOL_V1)
def test_has_every_provider_of_ai_protocol(provider: str) -> None:
    assert Manifest.load(provider).id == provider


@pytest.mark.parametrize(
    ("alias", "provider"),
    [
        ("google", "gemini"),
        ("kimi", "moonshot"),
        ("glm", "zhipu"),
        ("ernie", "baidu"),
        ("qianfan", "baidu"),
        ("claude", "anthropic"),
    ],
)
def test_resolves_aliases(alias: str, provider: str) -> None:
    assert Manifest.load(alias).id == provider


@needs_conformance
def test_resolves_aliases_like_ai_protocol() -> None:
    with open(os.path.join(CONFORMANCE or "", "aiprotocol", "alias-resolve.golden.json"), encoding="utf-8") as file:
        vectors = json.load(file)["vectors"]
    assert len(vectors) > 5
    for vector in vectors:
        word, canonical = vector["input"], vector["canonical"]
        if canonical is not None:
            assert Manifest.load(word).id == canonical
        else:  # not an alias: an id or unknown
            assert word not in index()["aliases"]
            if word not in IDS:
                with pytest.raises(ManifestError):
                    Manifest.load(word)


@needs_conformance
def test_only_recorded_providers_are_verified() -> None:
    with open(os.path.join(CONFORMANCE or "", "recordings-index.json"), encoding="utf-8") as file:
        recorded = {entry["provider"] for entry in json.load(file)}
    for manifest in LIVE:
        if manifest.status == "verified":
            assert RECORDED_AS.get(manifest.id, manifest.id) in recorded, manifest.id


def test_an_unknown_id_gets_suggestions() -> None:
    with pytest.raises(ManifestError, match="did you mean anthropic"):
        Manifest.load("antropic")


@pytest.mark.parametrize("provider", ["OpenAI", "../openai", "schema", "index", "", "a/b"])
def test_only_an_id_loads_a_manifest(provider: str) -> None:
    with pytest.raises(ManifestError):
        Manifest.load(provider)


# --- generated files --------------------------------------------------------------------------------------------------


def committed(name: str) -> str:
    with open(os.path.join(os.path.dirname(FOLDER), "..", *name.split("/")), encoding="utf-8") as file:
        return file.read()


def test_the_index_is_up_to_date() -> None:
    make = import_make_providers()
    assert committed("ailib_sync/manifests/index.json") == make.make_index(list(builtin_manifests()))


def test_the_page_of_providers_is_up_to_date() -> None:
    make = import_make_providers()
    assert committed("docs/providers.md") == make.make_page(list(builtin_manifests()))


def import_make_providers():  # type: ignore[no-untyped-def]
    from importlib.util import module_from_spec, spec_from_file_location

    path = os.path.join(os.path.dirname(FOLDER), "..", "docs", "make_providers.py")
    spec = spec_from_file_location("make_providers", path)
    assert spec is not None
    assert spec.loader is not None
    module = module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_no_key_of_the_index_may_be_sent_to_any_host() -> None:
    unlimited = {env for env, owners in index()["keys"].items() if "*" in owners}
    assert unlimited <= {"OPENAI_COMPATIBLE_API_KEY"}
    assert hosts("https://{host}/v1", {}, {"host": {"env": ["X"]}}) == {"*"}
