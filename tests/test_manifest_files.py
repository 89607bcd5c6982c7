"""Manifest files: errors contain the path, and `extends` merges two manifests."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest

from ailib_sync.errors import ManifestError
from ailib_sync.registry.files import FOLDER, MAX_BYTES, builtin_path, extended, provider_ids, read_json, unknown_provider
from ailib_sync.registry.manifest import Manifest


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "not JSON"),
        (b'{"id": "a", "models": {}, "models": {}}', "not JSON: the key 'models' is given twice"),
        (b"{", "not JSON"),
        (b"\xff\xfe", "not JSON"),
        (b'{"a": NaN}', "not JSON: NaN is not JSON"),
        (b"[]", "must be a JSON object"),
        (b"null", "must be a JSON object"),
        (b"[" * 200_000, "nested too deeply"),
        (b" " * (MAX_BYTES + 1), "larger than 1 MiB"),
    ],
    ids=["empty", "a key twice", "incomplete", "not UTF-8", "NaN", "a list", "null", "too deep", "too large"],
)
def test_an_invalid_file_is_an_error_with_its_path(tmp_path: Path, content: bytes, message: str) -> None:
    path = tmp_path / "acme.json"
    path.write_bytes(content)
    with pytest.raises(ManifestError, match=message) as caught:
        read_json(str(path), unique_keys=True)
    assert caught.value.message.startswith(str(path))


def test_an_unreadable_file_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(ManifestError, match="No such file"):
        read_json(str(tmp_path / "none.json"))
    with pytest.raises(ManifestError, match=r"directory|Permission denied"):
        read_json(str(tmp_path))


@pytest.mark.parametrize(
    ("data", "message"),
    [
        ([], "a manifest must be a JSON object, not list"),
        ({"extends": 7}, "extends must name a built-in manifest, not 7"),
        ({"extends": "opnai"}, "unknown provider 'opnai': did you mean openai"),
        ({"extends": "../openai"}, "unknown provider"),
        ({"extends": "schema"}, "unknown provider 'schema'"),
    ],
)
def test_an_invalid_extends_is_an_error(data: Any, message: str) -> None:
    with pytest.raises(ManifestError, match=message):
        extended(data)


def test_objects_are_merged_and_aliases_are_not_inherited() -> None:
    made = extended({"extends": "openai", "id": "acme", "limits": {"stop": 2}, "dialects": {"openai_responses": None}})
    ours = read_json(builtin_path("openai") or "")
    assert made["limits"] == {**ours["limits"], "stop": 2}
    assert made["models"] == ours["models"]
    assert (made["id"], made["dialects"]) == ("acme", {})
    assert not {"aliases", "docs", "status", "extends"} & set(made)


def test_null_removes_a_model_rule() -> None:
    pattern = next(iter(read_json(builtin_path("openai") or "")["models"]))
    assert pattern not in extended({"extends": "openai", "models": {pattern: None}})["models"]


def test_an_extended_manifest_works() -> None:
    data = {"extends": "openai", "id": "acme", "name": "Acme", "base_url": "https://api.acme.invalid/v1",
            "auth": {"scheme": "bearer", "env": ["ACME_API_KEY"]}}  # fmt: skip
    manifest = Manifest.from_dict(data)
    assert manifest.for_model("o3").parameters["temperature"] is None
    assert manifest.trusted is False


def test_other_files_in_the_folder_are_not_providers() -> None:
    assert builtin_path("schema") is builtin_path("index") is builtin_path("../setup") is None
    assert not {"schema", "index"} & set(provider_ids())


def test_without_a_similar_id_the_error_names_the_list() -> None:
    assert "`python -m ailib_sync providers` lists the known ones" in str(unknown_provider("zzzzzz"))


@pytest.mark.parametrize("name", sorted(name for name in os.listdir(FOLDER) if name.endswith(".json")))
def test_no_key_is_given_twice_in_our_files(name: str) -> None:
    assert read_json(os.path.join(FOLDER, name), unique_keys=True)
