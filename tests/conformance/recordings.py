"""Recorded exchanges: where they are, how one is run through the production path, how the outcome is compared."""

from __future__ import annotations

import base64
import json
import os
import random
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from ailib_sync.answer import answer_events, read_answer
from ailib_sync.dialect import Dialect, find
from ailib_sync.errors import AiLibError, RemoteError
from ailib_sync.fold import Fold
from ailib_sync.manifest import Manifest
from ailib_sync.response import ChatResponse

ROOT = os.environ.get("AILIB_CONFORMANCE")
needs_conformance = pytest.mark.skipif(not ROOT, reason="AILIB_CONFORMANCE does not name the conformance folder")

#: The recordings' name of a format → the dialect that reads it. Bedrock's older Invoke call carries other formats' bodies.
DIALECTS = {
    "openai-chat": "openai_chat",
    "anthropic-messages": "anthropic_messages",
    "gemini": "gemini_generate",
    "cohere-v2": "cohere_chat",
    "bedrock-converse": "bedrock_converse",
    "ollama": "ollama_chat",
    "openai-responses": "openai_responses",
    "bedrock-invoke-anthropic": "anthropic_messages",
    "bedrock-invoke-openai": "openai_chat",
}

#: The recordings' name of a provider → the manifest that reads it, where the two differ.
PROVIDERS = {"google": "gemini", "google-vertex": "vertex", "zai": "zhipu", "alibaba": "qwen"}


def recordings(*formats: str) -> list[dict[str, Any]]:
    """The recordings of these formats, sorted by id; none where the folder is absent."""
    if not ROOT:
        return []
    files = sorted(Path(ROOT, "recordings").glob("*.json"))
    loaded = (json.loads(path.read_text(encoding="utf-8")) for path in files)
    return [recording for recording in loaded if recording["dialect"] in (formats or DIALECTS)]


def manifest_of(recording: dict[str, Any]) -> Manifest:
    """The manifest the recording is read with, speaking its dialect; a plain one where we have none for the provider."""
    dialect = DIALECTS[recording["dialect"]]
    provider = PROVIDERS.get(recording["provider"], recording["provider"])
    try:
        manifest = Manifest.load(provider)
        if manifest.status in ("retired", "not_chat"):
            raise ValueError
        manifest = manifest.speaking(dialect)
    except ValueError:
        manifest = Manifest(id=provider, name=provider, dialect=dialect, base_url="https://example.invalid")
    return manifest.for_model(recording["model"] or "")


def body_of(recording: dict[str, Any]) -> bytes:
    if "response_body_b64" in recording:
        return base64.b64decode(recording["response_body_b64"])
    return recording["response_body"].encode("utf-8", "surrogatepass")


def cuts(raw: bytes, seed: str) -> Iterator[list[bytes]]:
    """The bytes whole, in pieces of 7, and cut at random."""
    yield [raw]
    yield [raw[i : i + 7] for i in range(0, len(raw), 7)]
    rng = random.Random(seed)
    points = sorted(rng.randrange(len(raw) + 1) for _ in range(min(40, len(raw))))
    yield [raw[a:b] for a, b in zip([0, *points], [*points, len(raw)], strict=True) if a != b]


def run(recording: dict[str, Any], chunks: list[bytes]) -> tuple[ChatResponse | None, AiLibError | None]:
    """The recording through the production path: (answer so far, error met)."""
    manifest = manifest_of(recording)
    dialect = find(manifest.dialect)
    headers = {name.lower(): value for name, value in recording["response_headers"].items()}
    if recording["status"] >= 400 or not recording["stream"]:
        return _run_plain(recording, b"".join(chunks), manifest, dialect, headers)
    fold = Fold()
    try:
        for event in answer_events(iter(chunks), headers, dialect, manifest):
            fold.add(event)
    except AiLibError as error:
        return fold.response(dialect.name), error
    return fold.response(dialect.name), None


def _run_plain(
    recording: dict[str, Any], raw: bytes, manifest: Manifest, dialect: Dialect, headers: dict[str, str]
) -> tuple[ChatResponse | None, AiLibError | None]:
    try:
        return read_answer(recording["status"], headers, raw, dialect, manifest), None
    except AiLibError as error:
        return None, error


def mismatches(recording: dict[str, Any], response: ChatResponse | None, error: AiLibError | None) -> list[str]:
    """What differs from the recording's expected values, one line each; [] means all of it agrees."""
    expected = recording["expected"]
    wrong: list[str] = []

    def compare(what: str, got: Any, want: Any) -> None:
        if (got or None) != (want or None):
            wrong.append(f"{what}: got {got!r}, expected {want!r}")

    want_error = expected.get("error")
    if want_error:
        if not isinstance(error, RemoteError):
            return [f"expected error {want_error}, got {error!r}"]
        compare("error.message", error.message[:200], _shown(want_error.get("message"))[:200])
        if not want_error.get("in_stream") and recording["status"] >= 400:
            compare("error.status", error.status_code, want_error.get("status"))
        if want_error.get("code") is not None:
            compare("error.code", error.error_code, str(want_error["code"]))
        if want_error.get("type") is not None:
            compare("error.type", error.error_type, want_error["type"])
        if response is None:
            return wrong
    elif error is not None:
        return [f"unexpected {type(error).__name__}: {error}"]
    assert response is not None
    text = response.content or response.refusal or ""
    compare("text", text, (expected.get("text") or "") or expected.get("refusal"))
    compare("reasoning", _squeezed(response.thinking), _squeezed(expected.get("reasoning")))
    compare("tool calls", [_call(call.id, call.name, call.arguments, call.arguments_raw) for call in response.tool_calls],
            [_call(c.get("id"), c["name"], c.get("arguments"), c.get("arguments_raw")) for c in expected["tool_calls"]])
    compare("raw finish reason", response.raw_finish_reason, expected.get("finish_reason"))
    compare("model", response.model, expected.get("model"))
    compare("id", response.id, expected.get("response_id"))
    wrong += _usage_mismatches(response, expected.get("usage") or {})
    return wrong


def _usage_mismatches(response: ChatResponse, expected: dict[str, Any]) -> list[str]:
    """The provider's raw usage object must be there as sent; the normalised figures are pinned by each dialect's own tests."""
    raw = expected.get("raw")
    got = response.usage.raw
    if raw and got != raw and not (isinstance(got, dict) and raw.items() <= got.items()):
        return [f"usage.raw: got {got!r}, expected {raw!r}"]
    return []


def _call(id: str | None, name: str, arguments: Any, raw: str | None) -> tuple[Any, ...]:
    # Where a provider sends no id we make one up; where the text is not JSON, the text itself is compared.
    return (id or None, name, arguments if arguments is not None else (raw or None))


def _squeezed(text: str | None) -> str:
    return "".join((text or "").split())


def _shown(text: Any) -> str:
    from ailib_sync.errors import printable

    return printable(text) if text is not None else ""
