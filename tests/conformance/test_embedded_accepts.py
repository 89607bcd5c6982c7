"""The embedded services accept what the real ones accepted: every recorded request of a format's own host with a response."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

from ailib_sync.embedded import Rules, ServerRequest, respond
from ailib_sync.embedded.rules import rules_of
from ailib_sync.embedded.service import service_of

from .recordings import DIALECTS, ROOT, manifest_of, needs_conformance, recordings

#: The hosts that the embedded services imitate; other hosts of a format support more or less.
OF_RECORD = ("openai", "anthropic", "google", "google-vertex", "cohere", "bedrock", "ollama")
FORMATS = ("openai-chat", "anthropic-messages", "gemini", "cohere-v2", "bedrock-converse", "ollama", "openai-responses")
#: Not checked: bytes that the recording leaves out, and tokens that only the service which signed them can check.
UNKNOWABLE = ("CUT(len=", '"signature"', '"thoughtSignature"', '"thought_signature"', '"encrypted_content"')


def _accepted() -> list[Any]:
    found = []
    for recording in recordings(*FORMATS):
        body = recording["request_body"]
        is_ours = recording["provider"] in OF_RECORD and DIALECTS[recording["dialect"]] == manifest_of(recording).dialect
        third_party = recording["provider"] == "ollama" and recording["dialect"] != "ollama"
        if recording["status"] != 200 or not is_ours or third_party or not isinstance(body, dict):
            continue
        if not any(word in json.dumps(body) for word in UNKNOWABLE):
            found.append(pytest.param(recording, id=recording["id"]))
    return found


@needs_conformance
def test_there_are_enough_recordings() -> None:
    assert len(_accepted()) > 40


@needs_conformance
@pytest.mark.parametrize("recording", _accepted())
def test_a_request_that_had_a_response_is_accepted_and_read(recording: dict[str, Any]) -> None:
    manifest = manifest_of(recording)
    chat, rules = service_of(manifest.dialect).operations["chat"], rules_of(manifest, recording["model"] or "")
    address = urlsplit(recording["url"])
    headers = {name.lower(): value for name, value in recording["request_headers"].items()}
    headers.setdefault("anthropic-version", "2023-06-01")
    body = recording["request_body"]
    if rules.model_outside_body is not None:
        body = {"model": rules.model_outside_body, **body}
    received = ServerRequest("POST", address.path, address.query, headers)
    chat.check(received, body, rules)
    request = chat.read(received, body, rules)
    assert request.messages or "prompt" in body  # a prompt that is stored with the service
    assert request.stream in (recording["stream"], recording["stream_requested"])


def _embeddings() -> list[Any]:
    """The recorded embedding requests of OpenAI and Azure that have a response."""
    files = sorted(Path(ROOT, "operations").glob("*.embeddings.openai-embeddings.*.json")) if ROOT else []
    loaded = [json.loads(path.read_text(encoding="utf-8")) for path in files]
    found = [recording for recording in loaded if recording["status"] == 200 and recording["provider"] in ("openai", "azure")]
    return [pytest.param(recording, id=recording["id"]) for recording in found]


@needs_conformance
@pytest.mark.parametrize("recording", _embeddings())
def test_a_recorded_embedding_request_is_accepted_and_its_response_has_the_same_form(recording: dict[str, Any]) -> None:
    address = urlsplit(recording["url"])
    body = json.dumps({"model": "deployment", **recording["request_body"]}).encode()
    received = ServerRequest("POST", address.path, address.query, {"content-type": "application/json"}, body)
    response = respond(received, Rules("openai_chat", "embeddings"))
    ours, real = json.loads(b"".join(response.chunks)), json.loads(recording["response_body"])
    assert response.status == 200
    assert ours.keys() == real.keys() - {"id"}
    assert [item.keys() for item in ours["data"]] == [item.keys() for item in real["data"]]
    assert [item["index"] for item in ours["data"]] == [item["index"] for item in real["data"]]
    assert ours["usage"].keys() == real["usage"].keys() - {"completion_tokens"}
