"""Recorded exchanges of the other operations: embeddings, lists of models, token counts; whole, as the pipeline reads them."""

from __future__ import annotations

import base64
import json
from pathlib import Path
from typing import Any

import pytest

from ailib_sync.dialects.dialect import find
from ailib_sync.errors import RemoteError
from ailib_sync.pipeline.decode import error_response, parse_response
from ailib_sync.registry.listing import ModelListRequest
from ailib_sync.registry.manifest import Manifest
from ailib_sync.types.request import ChatRequest

from .recordings import PROVIDERS, ROOT, needs_conformance

pytestmark = needs_conformance


def recorded(*operations: str) -> list[dict[str, Any]]:
    """The recordings of these operations, sorted by id; none where the folder is absent."""
    files = sorted(Path(ROOT, "operations").glob("*.json")) if ROOT else []
    loaded = (json.loads(file.read_text(encoding="utf-8")) for file in files if file.name != "README.md")
    return [recording for recording in loaded if recording["operation"] in operations]


def by_id(recording: dict[str, Any]) -> str:
    return str(recording["id"])


def raw_body(recording: dict[str, Any]) -> bytes:
    body = recording["response_body"]
    if isinstance(body, dict) and body.keys() == {"base64"}:
        return base64.b64decode(body["base64"])
    return body.encode() if isinstance(body, str) else json.dumps(body).encode()


def read(recording: dict[str, Any], operation: str, request: Any) -> Any:
    """What the pipeline makes of the recorded response: a response, or the error as a value."""
    manifest = Manifest.load(PROVIDERS.get(recording["provider"], recording["provider"]))
    manifest = manifest.for_operation(operation, recording["model"] or "")
    dialect = find(manifest.dialect)
    headers = {name.lower(): value for name, value in recording["response_headers"].items()}
    if recording["status"] >= 400:
        return error_response(recording["status"], headers, raw_body(recording), dialect, manifest)
    return parse_response(dialect.operations[operation], request, headers, raw_body(recording), manifest)


def check_error(error: Any, expected: dict[str, Any]) -> None:
    assert isinstance(error, RemoteError)
    assert error.status_code == expected["status"]
    assert expected["message"] is None or expected["message"] in error.message or error.message in expected["message"]


@pytest.mark.parametrize("recording", recorded("models"), ids=by_id)
def test_a_list_of_models_has_the_recorded_ids(recording: dict[str, Any]) -> None:
    page = read(recording, "models", ModelListRequest())
    expected = recording["expected"]
    if expected["error"]:
        check_error(page, expected["error"])
        return
    assert [info.id for info in page.models] == [id.removeprefix("models/") for id in expected["ids"]]
    assert len(page.models) == expected["count"]
    for info in page.models:
        assert info.created is None or info.created > 0
        assert info.context_window is None or info.context_window > 0
        assert info.reported
    token = (expected.get("page") or {}).get("nextPageToken")
    assert page.next_page == token


@pytest.mark.parametrize("recording", recorded("model_get"), ids=by_id)
def test_one_model_has_the_recorded_id(recording: dict[str, Any]) -> None:
    response = read(recording, "model", ModelListRequest(recording["expected"]["id"]))
    (info,) = response.models
    assert info.id == recording["expected"]["id"]
    assert sorted(info.reported) == sorted(recording["expected"]["raw_keys"])


@pytest.mark.parametrize("recording", recorded("count_tokens"), ids=by_id)
def test_a_count_has_the_recorded_number_of_tokens(recording: dict[str, Any]) -> None:
    response = read(recording, "count_tokens", ChatRequest(recording["model"] or "m"))
    expected = recording["expected"]
    if expected["error"]:
        check_error(response, expected["error"])
        return
    assert response.tokens == expected["input_tokens"]
