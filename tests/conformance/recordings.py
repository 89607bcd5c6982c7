"""Recorded exchanges: where they are, how one is run through the production path, how the outcome is compared."""

from __future__ import annotations

import base64
import json
import os
import random
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import pytest

from ailib_sync.dialects.accumulator import Accumulator
from ailib_sync.dialects.dialect import Dialect, find
from ailib_sync.errors import AiLibError, RemoteError
from ailib_sync.registry.manifest import Manifest
from ailib_sync.types.response import ChatResponse
from tests.chat_values import read_response, stream_events
from tests.dialects.samples import ALL

ROOT = os.environ.get("AILIB_CONFORMANCE")
needs_conformance = pytest.mark.skipif(not ROOT, reason="AILIB_CONFORMANCE does not name the conformance folder")

#: The recordings' name of a format → the dialect that reads it. Bedrock's older Invoke call has the bodies of other formats.
DIALECTS = {recorded: name for name, samples in ALL.items() for recorded in samples.recorded_as}

#: The recordings' name of a provider → the manifest that reads it, where the two differ.
PROVIDERS = {
    "google": "gemini",
    "google-vertex": "vertex",
    "zai": "zhipu",
    "alibaba": "qwen",
    "vercel-gateway": "vercel",
    "litellm-proxy": "litellm",
    "chatgpt-codex": "openai",
}


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
        manifest = manifest.for_dialect(dialect)
    except ValueError:
        manifest = Manifest(id=provider, name=provider, dialect=dialect, base_url="https://example.invalid")
    return manifest.for_model(model_of(recording))


def model_of(recording: dict[str, Any]) -> str:
    """The model's id; Bedrock has it in the path."""
    named = re.search(r"/model/([^/]+)/", recording["url"] or "")
    return unquote(named[1]) if named else recording["model"] or ""


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
    fold = Accumulator()
    try:
        for event in stream_events(iter(chunks), headers, dialect, manifest):
            fold.add(event)
    except AiLibError as error:
        return fold.response(dialect.name), error
    return fold.response(dialect.name), None


def _run_plain(
    recording: dict[str, Any], raw: bytes, manifest: Manifest, dialect: Dialect, headers: dict[str, str]
) -> tuple[ChatResponse | None, AiLibError | None]:
    try:
        return read_response(recording["status"], headers, raw, dialect, manifest), None
    except AiLibError as error:
        # A finish reason that means failure: the expected values are those of what arrived.
        return (error.partial, None) if error.partial is not None else (None, error)


def mismatches(recording: dict[str, Any], response: ChatResponse | None, error: AiLibError | None) -> list[str]:
    """What differs from the recording's expected values, one line each, "field: …"; [] means all of it agrees."""
    expected = recording["expected"]
    wrong: list[str] = []

    def compare(what: str, got: Any, want: Any) -> None:
        if (got or None) != (want or None):
            wrong.append(f"{what}: got {got!r}, expected {want!r}")

    want_error = expected.get("error")
    if want_error:
        if not isinstance(error, RemoteError):
            return [f"error: got {error!r}, expected {want_error}"]
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
        return [f"error: unexpected {type(error).__name__}: {error}"]
    assert response is not None
    compare("text", *_texts(recording, response))
    compare("tool calls", *_calls(response, expected))
    compare("model", response.model, expected.get("model"))
    compare("id", response.id, expected.get("response_id"))
    if not want_error:
        # An error raises at once: a finish reason and usage that the wire may hold in or after it belong to no answer.
        # A refused prompt has a reason for that instead (Gemini's blockReason).
        compare("raw finish reason", response.raw_finish_reason, expected.get("finish_reason") or expected.get("block_reason"))
        wrong += _usage_mismatches(recording, response)
    return wrong


def _texts(recording: dict[str, Any], response: ChatResponse) -> tuple[str, str]:
    """Text and thinking, got and expected, each as one string."""
    expected = recording["expected"]
    text = response.content or response.refusal or ""
    want = (expected.get("text") or "") or expected.get("refusal") or ""
    if expected.get("content_object") is not None:
        text, want = (json.dumps(value) for value in (json.loads(text), expected["content_object"]))
    thinking, want_thinking = response.thinking or "", expected.get("reasoning") or ""
    if manifest_of(recording).has("think_tags") and "<think" in want:
        # The expected text still holds the tags; we part the two.
        thinking, text = "", thinking + text
        want = re.sub("</?think(ing)?>", "", want)
        return _squeezed(text), _squeezed(want)
    return f"{text}\n[thinking] {_squeezed(thinking)}", f"{want}\n[thinking] {_squeezed(want_thinking)}"


def _calls(response: ChatResponse, expected: dict[str, Any]) -> tuple[list[Any], list[Any]]:
    """The tool calls, got and expected. Where the wire gives no id there must be one of our making, unlike the others."""
    wanted = [*expected["tool_calls"], *([expected["function_call"]] if expected.get("function_call") else [])]
    got = response.tool_calls
    ids = [call.id for call in got]
    assert all(ids), f"a call without an id: {got}"
    if not all(call.get("id") for call in wanted):
        assert len(set(ids)) == len(ids), f"ids repeat: {ids}"
    have = [_call(call.id, call.name, call.arguments, call.arguments_raw) for call in got]
    for at, call in enumerate(wanted[: len(have)]):
        if not call.get("id"):
            have[at] = (None, *have[at][1:])
    return have, [_call(c.get("id"), c["name"], c.get("arguments"), c.get("arguments_raw")) for c in wanted]


def _call(id: str | None, name: str, arguments: Any, raw: str | None) -> tuple[Any, ...]:
    """Arguments as an object, or the text where it is none; a call whose text is "" has none, which we read as {}."""
    if not arguments and raw is not None:
        try:
            arguments = json.loads(raw)
        except ValueError:
            arguments = raw or {}
    return (id or None, name, arguments)


#: (prompt, completion) from the figures as the provider reports them. Ours count the whole prompt and all that was
#: generated, for every format (see `Usage`).
USAGE_RULES: dict[str, Any] = {
    "openai-chat": lambda u, quirks: (u["input"], u["output"] + (u.get("reasoning") or 0 if _APART in quirks else 0)),
    "openai-responses": lambda u, quirks: (u["input"], u["output"]),
    "ollama": lambda u, quirks: (u["input"], u["output"]),
    # Pictures are counted apart from the text before them: 34 + 259 tokens of which 8 + 259 are billed, for one.
    "cohere-v2": lambda u, quirks: (u["input"] + u["raw"]["tokens"].get("image_tokens", 0), u["output"]),
    "anthropic-messages": lambda u, quirks: (_sum(u, "input", "cached_input", "cache_write"), u["output"]),
    "bedrock-converse": lambda u, quirks: (_sum(u, "input", "cached_input", "cache_write"), u["output"]),
    "gemini": lambda u, quirks: (
        u["input"] + (u["raw"].get("toolUsePromptTokenCount") or 0),
        _sum(u, "output", "reasoning") if u.get("output") is not None or u.get("reasoning") else None,
    ),
}
USAGE_RULES["bedrock-invoke-anthropic"] = USAGE_RULES["anthropic-messages"]
USAGE_RULES["bedrock-invoke-openai"] = USAGE_RULES["openai-chat"]
_APART = "reasoning_not_in_completion"


def _sum(figures: dict[str, Any], *names: str) -> int:
    return sum(figures.get(name) or 0 for name in names)


def _usage_mismatches(recording: dict[str, Any], response: ChatResponse) -> list[str]:
    """The provider's raw usage object must be there as sent, and our figures must follow from it."""
    expected = recording["expected"].get("usage") or {}
    usage, raw, wrong = response.usage, expected.get("raw"), []
    if raw and usage.raw != raw and not (isinstance(usage.raw, dict) and raw.items() <= usage.raw.items()):
        wrong.append(f"usage.raw: got {usage.raw!r}, expected {raw!r}")
    if not expected:
        figures = (usage.prompt_tokens, usage.completion_tokens, usage.total_tokens)
        return wrong if figures == (None, None, None) else [*wrong, f"usage: got {usage}, none was sent"]
    if expected.get("input") is not None and expected.get("output") is not None:
        want = USAGE_RULES[recording["dialect"]](expected, manifest_of(recording).quirks)
        if (usage.prompt_tokens, usage.completion_tokens) != want:
            wrong.append(f"usage.tokens: got {usage.prompt_tokens, usage.completion_tokens}, expected {want}")
    for ours, theirs in (("cached_tokens", "cached_input"), ("reasoning_tokens", "reasoning")):
        if expected.get(theirs) is not None and getattr(usage, ours) != expected[theirs]:
            wrong.append(f"usage.{ours}: got {getattr(usage, ours)}, expected {expected[theirs]}")
    return wrong


def _squeezed(text: str | None) -> str:
    return "".join((text or "").split())


def _shown(text: Any) -> str:
    from ailib_sync.errors import printable

    return printable(text) if text is not None else ""
