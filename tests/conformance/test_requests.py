"""Recorded requests, rebuilt with our values and rendered by our dialects, equal what their clients sent.

A reader for each format turns a recorded body into a `ChatRequest`; its `canonical` gives one spelling to things that mean
the same; what still differs stands in `EXPLAINED`, with the reason.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from ailib_sync.dialects.dialect import find
from ailib_sync.registry.manifest import Manifest
from ailib_sync.types.request import ChatRequest, Ledger

from . import (
    read_anthropic_messages,
    read_bedrock_converse,
    read_cohere,
    read_gemini,
    read_ollama_chat,
    read_openai_chat,
    read_openai_responses,
)
from .recordings import manifest_of, needs_conformance, recordings

Body = dict[str, Any]
#: Format → (recorded body → request, (body, manifest) → the body with one spelling for each thing).
READERS: dict[str, tuple[Callable[[Body], ChatRequest], Callable[[Body, Manifest], Body]]] = {
    "openai-chat": (read_openai_chat.read, read_openai_chat.canonical),
    "anthropic-messages": (read_anthropic_messages.read, read_anthropic_messages.canonical),
    "bedrock-invoke-anthropic": (read_anthropic_messages.read, read_anthropic_messages.canonical),
    "gemini": (read_gemini.read, read_gemini.canonical),
    "cohere-v2": (read_cohere.read, read_cohere.canonical),
    "openai-responses": (read_openai_responses.read, read_openai_responses.canonical),
    "bedrock-converse": (read_bedrock_converse.read, read_bedrock_converse.canonical),
    "ollama": (read_ollama_chat.read, read_ollama_chat.canonical),
}

#: Recording → {top-level key of the body: why ours differs}.
EXPLAINED: dict[str, dict[str, str]] = {
    **read_openai_chat.EXPLAINED,
    **read_anthropic_messages.EXPLAINED,
    **read_gemini.EXPLAINED,
    **read_cohere.EXPLAINED,
    **read_openai_responses.EXPLAINED,
    **read_bedrock_converse.EXPLAINED,
    **read_ollama_chat.EXPLAINED,
}

RECORDINGS = [recording for recording in recordings(*READERS) if isinstance(recording["request_body"], dict)]
pytestmark = needs_conformance


@pytest.mark.parametrize("recording", RECORDINGS, ids=lambda recording: recording["id"])
def test_rebuilt_request_renders_to_the_recorded_body(recording: dict[str, Any]) -> None:
    read, canonical = READERS[recording["dialect"]]
    body = recording["request_body"]
    if "…CUT(" in json.dumps(body, ensure_ascii=False):
        pytest.skip("the recorder cut this request short")
    manifest = manifest_of(recording)
    rendered = find(manifest.dialect).chat.render(read(body), manifest, Ledger())
    ours, theirs = canonical(json.loads(json.dumps(rendered)), manifest), canonical(body, manifest)
    different = {key for key in (*ours, *theirs) if ours.get(key, "absent") != theirs.get(key, "absent")}
    shown = "\n".join(f"{key}:\n  ours   {ours.get(key)}\n  theirs {theirs.get(key)}" for key in sorted(different))
    assert different == set(EXPLAINED.get(recording["id"], {})), shown


def test_explained_differences_name_recordings_and_give_reasons() -> None:
    ids = {recording["id"] for recording in RECORDINGS}
    for id, keys in EXPLAINED.items():
        assert id in ids
        assert all(len(why) > 20 for why in keys.values())
