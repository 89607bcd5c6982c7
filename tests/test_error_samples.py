"""An error means the same at every provider, whatever code and status it has: see error_samples.py for the rows."""

from __future__ import annotations

import json
from pathlib import Path
from time import perf_counter
from typing import Any

import pytest

from ailib_sync.dialects.dialect import NAMES, find
from ailib_sync.errors import CLASSES, RemoteError
from ailib_sync.pipeline.decode import error_response
from ailib_sync.registry.error_messages import more_exact
from ailib_sync.registry.manifest import Manifest, builtin_manifests

from .conformance.recordings import ROOT, needs_conformance
from .error_samples import KINDS, TOO_LONG, Sample, samples
from .time_limits import scaled


def read(provider: str, dialect: str | None, status: int, body: Any, headers: dict[str, str] | None = None) -> RemoteError:
    manifest = Manifest.load(provider).for_model("m", dialect)
    raw = (body if isinstance(body, str) else json.dumps(body)).encode()
    return error_response(status, headers or {}, raw, find(manifest.dialect), manifest)


@pytest.mark.parametrize("sample", list(samples()), ids=str)
def test_each_sample_has_the_class_of_its_kind(sample: Sample) -> None:
    provider, _, dialect = sample.target.partition("?dialect=")
    error = read(provider, dialect or None, sample.status, sample.body, sample.headers)
    assert type(error).__name__ == KINDS[sample.kind], error
    assert error.status_code == sample.status
    assert error.message


#: Texts, and the class that they are at every provider, with a status of 400.
TEXTS = {
    "This model's maximum context length is 4096 tokens.": "RequestTooLarge",
    "prompt is too long: 213462 tokens > 200000 maximum": "RequestTooLarge",
    "the request exceeds the available context size, try increasing it": "RequestTooLarge",
    "The model `x` does not exist": "NotFound",
    "Incorrect API key provided: sk-***": "AuthenticationError",
}
EVERY_PROVIDER = [
    pytest.param(manifest.id, dialect, id=f"{manifest.id}-{dialect or manifest.dialect}")
    for manifest in builtin_manifests()
    if manifest.status not in ("retired", "not_chat")
    for dialect in (None, *manifest.dialects)
]


@pytest.mark.parametrize(("provider", "dialect"), EVERY_PROVIDER)
def test_a_text_means_the_same_at_every_provider_in_every_format(provider: str, dialect: str | None) -> None:
    for text, kind in TEXTS.items():
        for body in (text, {"error": text}, {"error": {"message": text, "type": "invalid_request_error"}}, {"message": text}):
            assert type(read(provider, dialect, 400, body)).__name__ == kind, body


@pytest.mark.parametrize(("provider", "dialect"), EVERY_PROVIDER)
def test_a_word_means_the_same_at_every_provider_in_every_format(provider: str, dialect: str | None) -> None:
    for word, kind in (
        ("context_length_exceeded", "RequestTooLarge"),
        ("exceed_context_size_error", "RequestTooLarge"),
        ("model_not_found", "NotFound"),
        ("invalid_api_key", "AuthenticationError"),
        ("insufficient_quota", "QuotaExhausted"),
    ):
        for key in ("code", "type"):
            error = {"message": "No.", key: word}
            if key == "code" and Manifest.load(provider).for_model("m", dialect).dialect in ("bedrock_converse", "cohere_chat"):
                continue  # these formats have no code
            if key == "type":
                error["error_type"] = word  # Cohere's name
            assert type(read(provider, dialect, 400, {"error": error})).__name__ == kind, error


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize(
    ("status", "text", "kind"),
    [
        (429, "Too many tokens, please wait before trying again. Reduce the length of the messages.", "RateLimited"),
        (429, "You exceeded your current quota, please check your plan and billing details.", "RateLimited"),
        (503, "The model x is not found on any server that is up", "Overloaded"),
        (401, "This model's maximum context length is 4096 tokens", "AuthenticationError"),
        (403, "You are not allowed to use this model", "PermissionDenied"),
        (400, "max_tokens is too large: 200000. This model supports at most 128000 completion tokens", "InvalidRequest"),
        (400, "The model could not read the image: file not found", "InvalidRequest"),
        (400, "Model grok-code-fast-1 does not support parameter reasoningEffort.", "InvalidRequest"),
        (400, "tools.0.name: is not a valid tool", "InvalidRequest"),
        (500, "Internal error while computing the response", "ServerError"),
    ],
)
def test_a_text_about_something_else_leaves_the_class_of_its_status(name: str, status: int, text: str, kind: str) -> None:
    manifest = Manifest.from_dict({"id": "acme", "name": "Acme", "dialect": name, "base_url": "https://acme.example"})
    error = error_response(status, {}, json.dumps({"message": text}).encode(), find(name), manifest)
    assert type(error).__name__ == kind


@pytest.mark.parametrize("text", ["model " * 9999, "model:" * 9999, "model'" * 9999, "`inputs` " * 9999, "invalid " * 9999])
def test_the_search_of_a_long_message_is_quick(text: str) -> None:
    more_exact("invalid_request", "")  # compiles the patterns
    started = perf_counter()
    assert more_exact("invalid_request", text) == "invalid_request"
    assert perf_counter() - started < scaled(0.2)


@pytest.mark.parametrize("name", NAMES)
def test_an_error_in_a_response_with_status_200_has_the_same_class(name: str) -> None:
    manifest = Manifest.from_dict({"id": "acme", "name": "Acme", "dialect": name, "base_url": "https://acme.example"})
    stream = find(name).chat.stream
    assert stream is not None
    for text, kind in TEXTS.items():
        body = {"type": "error", "error": {"message": text}, "message": text}
        with pytest.raises(RemoteError) as caught:
            list(stream.parse([("error", body)], manifest))
        assert type(caught.value).__name__ == kind, name


@needs_conformance
def test_each_recording_that_is_a_source_has_the_status_of_its_sample() -> None:
    for sample in samples():
        if not sample.source.startswith("https://"):
            (path,) = Path(str(ROOT)).glob(f"*/{sample.source}.json")
            assert json.loads(path.read_bytes())["status"] == sample.status, sample.source


def test_every_kind_is_a_class_and_every_source_is_named() -> None:
    names = {cls.__name__ for cls in CLASSES.values()}
    assert set(KINDS.values()) <= names
    assert all(sample.source.startswith("https://") or sample.source.count(".") >= 3 for sample in samples())
    assert len({target for target, *_ in TOO_LONG}) > 25
