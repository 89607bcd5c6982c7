"""AI-Protocol: its manifests load, its compliance cases pass, and they fail when production code is broken."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import replace
from typing import Any

import pytest

from ailib_sync import errors
from ailib_sync.dialects import dialect
from ailib_sync.errors import ConfigurationError, ManifestError
from ailib_sync.pipeline import auth, call, decode, retry
from ailib_sync.registry import manifest
from ailib_sync.registry.ai_protocol import translate
from ailib_sync.registry.manifest import Manifest
from ailib_sync.types.messages import Document, Message
from ailib_sync.types.request import ChatRequest, Ledger

from .ai_protocol_adapters import differences
from .ai_protocol_cases import NOT_APPLICABLE, Case, applicable, cases, published
from .recordings import needs_conformance


@needs_conformance
@pytest.mark.parametrize("case", applicable())
def test_compliance_case_passes(case: Case) -> None:
    assert differences(case) == []


@needs_conformance
def test_every_case_is_run_or_has_a_reason() -> None:
    assert len(cases()) == 116
    assert set(NOT_APPLICABLE) <= set(cases())
    assert len(applicable()) + len(NOT_APPLICABLE) == len(cases())


def failing(*kinds: str) -> int:
    """How many cases of these types fail, by a difference or an exception."""

    def fails(case: Case) -> bool:
        try:
            return bool(differences(case))
        except Exception:
            return True

    return sum(fails(parameter.values[0]) for parameter in applicable(*kinds))


def broken_classify(*_: Any) -> str:
    return "unknown"


def broken_allows(*_: Any) -> bool:
    return False


def broken_find_key(*_: Any, **__: Any) -> None:
    return None


def broken(*_: Any) -> Iterator[Any]:
    raise AssertionError("broken on purpose")


def break_parse_response(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(decode, "parse_response", broken)
    patch.setattr(call, "parse_response", broken)


def break_dialect(field: str) -> Callable[[pytest.MonkeyPatch], None]:
    """Breaks one function of every dialect."""

    def apply(patch: pytest.MonkeyPatch) -> None:
        for name in ("openai_chat", "anthropic_messages", "gemini_generate"):
            record = dialect.find(name)
            if field == "parse_error":
                record = replace(record, parse_error=broken)
            else:
                change = {field: replace(record.chat.stream, parse=broken) if field == "stream" else broken}
                record = replace(record, operations={"chat": replace(record.chat, **change)})
            patch.setattr(f"ailib_sync.dialects.{name}.dialect.DIALECT", record)

    return apply


BREAKAGES: dict[str, tuple[Callable[[pytest.MonkeyPatch], None], tuple[str, ...], int]] = {
    "classify": (lambda patch: patch.setattr(manifest, "classify", broken_classify), ("error_classification",), 21),
    "parse_error": (break_dialect("parse_error"), ("error_classification",), 21),
    "render": (
        break_dialect("render"),
        ("message_building", "parameter_mapping", "request_building", "content_block_encode"),
        10,
    ),
    "parse": (break_dialect("parse"), ("response_parsing",), 1),
    "parse_stream": (break_dialect("stream"), ("event_mapping", "stream_decode", "tool_accumulation"), 10),
    "RetryPolicy.allows": (lambda patch: patch.setattr(retry.RetryPolicy, "allows", broken_allows), ("retry_decision",), 2),
    "fallbackable": (lambda patch: patch.setattr(errors.ServerError, "fallbackable", False), ("fallback_decision",), 1),
    "parse_response": (break_parse_response, ("fallback_decision", "response_parsing"), 3),
    "find_key": (lambda patch: patch.setattr(auth, "find_key", broken_find_key), ("credential_resolution",), 5),
    "authorize": (lambda patch: patch.setattr(auth, "authorize", broken_find_key), ("auth_attachment",), 1),
    "translate": (lambda patch: patch.setattr("ailib_sync.registry.ai_protocol.translate", broken), ("protocol_loading",), 19),
}


@needs_conformance
@pytest.mark.parametrize("name", BREAKAGES)
def test_cases_fail_when_production_code_is_broken(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """The cases call the code they claim to; a suite that passes without it would prove nothing."""
    breakage, kinds, at_least = BREAKAGES[name]
    assert failing(*kinds) == 0
    breakage(monkeypatch)
    assert failing(*kinds) >= at_least


# --- the published manifests ------------------------------------------------------------------------------------------

PUBLISHED = [pytest.param(data, id=name) for name, data in published()]
NOT_CHAT = {"v1/baidu", "v1/huggingface", "v1/jina", "v1/sensenova", "v1/stability", "v2/jina"}


@needs_conformance
def test_all_published_manifests_are_present() -> None:
    assert len(PUBLISHED) == 37 + 21


#: Files whose host is not (or no longer) one of the hosts of the provider's key in the built-in manifests.
OTHER_HOST = {
    *("v1/anyscale", "v1/hunyuan", "v1/lepton", "v1/minimax", "v1/qwen", "v1/together"),
    *("v2/hunyuan", "v2/minimax", "v2/qwen"),
}


@needs_conformance
@pytest.mark.parametrize(("name", "data"), [pytest.param(name, data, id=name) for name, data in published()])
def test_published_manifest_loads(name: str, data: dict[str, Any]) -> None:
    """As a user's manifest, with all checks; sending a key to another host requires `trusted`."""
    if name in OTHER_HOST:
        with pytest.raises(ManifestError, match=r"_API_KEY.* belongs to"):
            Manifest.from_ai_protocol(data)
    loaded, report = Manifest.from_ai_protocol(data, trusted=name in OTHER_HOST)
    assert loaded.id == data["id"]
    assert report.version == data["protocol_version"]
    assert dialect.find(loaded.dialect)
    assert "${" not in loaded.base_url
    if loaded.status == "not_chat":
        assert "format" in loaded.retired["use"] or "no chat" in loaded.retired["use"]  # type: ignore[index]


@needs_conformance
def test_the_providers_without_chat() -> None:
    loaded = {name: translate(data)[0]["status"] for name, data in published()}
    assert {name for name, status in loaded.items() if status == "not_chat"} == NOT_CHAT


def leaves(value: Any, path: str = "") -> Iterator[str]:
    if isinstance(value, dict) and value:
        for key, item in value.items():
            yield from leaves(item, f"{path}.{key}" if path else key)
    else:
        yield path


@needs_conformance
@pytest.mark.parametrize("data", PUBLISHED)
def test_every_field_of_a_file_is_used_or_has_a_reason(data: dict[str, Any]) -> None:
    _, report = translate(data)
    reported = (*report.used, *(path for path, _ in report.unused))
    missing = [leaf for leaf in leaves(data) if not any(leaf == path or leaf.startswith(path + ".") for path in reported)]
    assert missing == []
    assert [path for path, reason in report.unused if reason == "is an unknown field"] == []


# --- cases of this package, without conformance data ------------------------------------------------------------------

SMALL: dict[str, Any] = {"id": "acme", "protocol_version": "2.0", "endpoint": {"base_url": "https://api.acme.example/v1/"}}


def small(**more: Any) -> dict[str, Any]:
    return translate({**SMALL, **more})[0]


@pytest.mark.parametrize(
    ("more", "dialect_name"),
    [
        ({"capabilities": ["chat"]}, "openai_chat"),
        ({"capabilities": {"streaming": True}}, "openai_chat"),
        ({"capabilities": {"required": ["text"]}}, "openai_chat"),
        ({"payload_format": "anthropic_style"}, "anthropic_messages"),
        ({"endpoints": {"chat": {"path": "/messages", "adapter": "anthropic"}}}, "anthropic_messages"),
        ({"endpoint": {"base_url": "https://a.example", "chat": "/models/{model}:generateContent"}}, "gemini_generate"),
        ({"streaming": {"decoder": {"format": "sse", "strategy": "cohere_v2"}}}, "cohere_chat"),
        ({"api_families": {"chat": {"request_format": "openai"}}}, "openai_chat"),
    ],
)
def test_the_format_is_found_in_the_file(more: dict[str, Any], dialect_name: str) -> None:
    made = small(**more)
    assert (made["dialect"], made["status"]) == (dialect_name, "unverified")


@pytest.mark.parametrize(
    ("more", "word"),
    [
        ({"payload_format": "acme_rpc"}, "acme_rpc"),
        ({"endpoints": {"chat": {"path": "/x", "adapter": "acme_rpc"}}}, "acme_rpc"),
        ({"endpoints": {"chat": {"path": "/x", "adapter": "acme_rpc"}}, "payload_format": "openai_style"}, "acme_rpc"),
        ({"capabilities": {"required": ["rerank"]}}, "no chat"),
    ],
)
def test_an_unsupported_format_is_reported(more: dict[str, Any], word: str) -> None:
    made = small(**more)
    assert made["status"] == "not_chat"
    assert made["auth"] == {"scheme": "none"}
    assert word in made["retired"]["use"]


def test_a_second_format_becomes_a_dialect_of_the_provider() -> None:
    endpoints = {
        "chat_openai": {"path": "/chat/completions", "adapter": "openai"},
        "chat_anthropic": {"path": "/anthropic/v1/messages", "adapter": "anthropic"},
    }
    made = small(endpoints=endpoints)
    assert made["dialect"] == "openai_chat"
    assert made["paths"] == {"chat": "/chat/completions", "stream": "/chat/completions"}
    assert made["dialects"]["anthropic_messages"]["paths"] == dict.fromkeys(("chat", "stream"), "/anthropic/v1/messages")


def test_variables_in_a_url_are_read_from_the_environment() -> None:
    made = small(endpoint={"base_url": "https://${ACME_REGION}.acme.example"}, capabilities=["chat"])
    assert made["base_url"] == "https://{acme_region}.acme.example"
    assert made["variables"] == {"acme_region": {"env": ["ACME_REGION"]}}


@pytest.mark.parametrize(
    ("block", "made"),
    [
        ({"type": "bearer", "token_env": "ACME_TOKEN"}, {"scheme": "bearer", "env": ["ACME_TOKEN"]}),
        (
            {"type": "api_key", "key_env": "ACME_KEY", "header_name": "api-key"},
            {"scheme": "header", "header": "api-key", "env": ["ACME_KEY"]},
        ),
        (
            {"type": "custom_header", "header": "X-Key", "prefix": "Key"},
            {"scheme": "header", "header": "X-Key", "env": [], "prefix": "Key "},
        ),
        ({"type": "query_param", "param_name": "key"}, {"scheme": "bearer", "env": []}),
        ({"type": "none"}, {"scheme": "none"}),
    ],
)
def test_keys_are_sent_in_headers(block: dict[str, Any], made: dict[str, Any]) -> None:
    assert small(auth=block, capabilities=["chat"])["auth"] == made


def test_a_key_for_a_url_is_sent_in_the_header_of_the_format() -> None:
    made, report = translate({**SMALL, "auth": {"type": "query_param", "param_name": "key"}, "payload_format": "gemini_style"})
    assert made["auth"] == {"scheme": "header", "header": "x-goog-api-key", "env": []}
    assert "x-goog-api-key" in dict(report.unused)["auth.param_name"]


def test_endpoint_auth_replaces_auth() -> None:
    endpoint: dict[str, Any] = {"base_url": "https://a.example", "chat": "/chat/completions"}
    endpoint |= {"auth": {"type": "bearer", "token_env": "NEW_TOKEN"}}
    made, report = translate({**SMALL, "endpoint": endpoint, "auth": {"type": "bearer", "key_env": "OLD_KEY"}})
    assert made["auth"]["env"] == ["NEW_TOKEN"]
    assert "OLD_KEY" in dict(report.unused)["auth"]


def test_unknown_words_are_reported() -> None:
    errors = {"by_http_status": {"402": "insufficient_quota", "499": "cancelled"}}
    termination = {"mapping": {"stop": "end_turn", "blocked": "refusal", "odd": "other"}}
    made, report = translate({**SMALL, "capabilities": ["chat"], "error_classification": errors, "termination": termination})
    assert made["errors"] == {"statuses": {"402": "quota_exhausted"}}
    assert made["finish_reasons"] == {"stop": "end_turn", "blocked": "content_filter"}
    assert {"error_classification.by_http_status.499", "termination.mapping.odd"} <= dict(report.unused).keys()


@pytest.mark.parametrize(
    ("data", "words"),
    [
        ({}, "id, protocol_version, endpoint.base_url"),
        ({"id": "a", "protocol_version": "2.0"}, "endpoint.base_url"),
        ({"id": "a", "protocol_version": 2.0, "endpoint": {"base_url": "https://a.example"}}, "protocol_version"),
        ({**SMALL, "protocol_version": "3.0"}, "'3.0'"),
        ([], "must be an object, not list"),
    ],
)
def test_an_invalid_file_is_an_error_with_the_missing_fields(data: Any, words: str) -> None:
    with pytest.raises(ManifestError, match=words):
        translate(data)


@pytest.mark.parametrize("field", ["auth", "endpoints", "parameters", "termination", "error_classification", "capabilities"])
@pytest.mark.parametrize("junk", [5, "text", [1], {"mapping": 5}, {"chat": 5}, {"by_http_status": 5}, {"temperature": 5}])
def test_invalid_values_raise_no_foreign_exception(field: str, junk: Any) -> None:
    with suppress(ConfigurationError):
        translate({**SMALL, field: junk})


def test_a_url_that_the_provider_cannot_open_is_an_error() -> None:
    """Case cbe-012 of the specification, without its files."""
    anthropic = dialect.find("anthropic_messages")
    acme = Manifest(id="acme", name="Acme", dialect=anthropic.name, base_url="https://api.acme.example")
    request = ChatRequest("m", (Message.user([Document.from_url("upload://abc", "application/pdf")]),))
    with pytest.raises(ConfigurationError, match="upload://abc"):
        anthropic.chat.render(request, acme, Ledger())
