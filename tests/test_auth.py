"""Keys: where they are found, how they travel, and that nothing shows one."""

from __future__ import annotations

import copy
import pickle
from types import SimpleNamespace
from typing import Any

import pytest

from ailib_sync.errors import ConfigurationError
from ailib_sync.http.message import Headers, HttpRequest
from ailib_sync.pipeline.auth import SCHEMES, Secret, authorize, find_key, key_variables
from ailib_sync.registry.manifest import Manifest

CANARY = "sk-canary-1234567890"


def manifest(id: str = "acme", **auth: Any) -> Manifest:
    return Manifest(id, "Acme", "openai_chat", "https://api.acme.invalid/v1", auth=auth or {"scheme": "bearer"})


@pytest.fixture(autouse=True)
def no_keys(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("ACME_API_KEY", "ACME_KEY", "ACME_TOKEN", "MY_CO_AI_API_KEY"):
        monkeypatch.delenv(name, raising=False)


def signed(manifest: Manifest, key: Secret | None) -> dict[str, str]:
    request = HttpRequest("POST", "https://api.acme.invalid/v1/chat/completions", Headers({"Accept": "*/*"}), b"{}")
    authorize(request, manifest, key, {"region": "eu-west-1"})
    return {name: value for name, value in request.headers.items() if name != "Accept"}


# --- Finding ------------------------------------------------------------------------------------------------------------


def test_the_last_variable_is_always_the_ids_own() -> None:
    assert key_variables(manifest(env=["ACME_KEY"])) == ["ACME_KEY", "ACME_API_KEY"]
    assert key_variables(manifest("my-co.ai")) == ["MY_CO_AI_API_KEY"]
    assert key_variables(manifest(env=["ACME_API_KEY", "ACME_KEY"])) == ["ACME_API_KEY", "ACME_KEY"]


def test_the_first_variable_that_is_set_counts(monkeypatch: pytest.MonkeyPatch) -> None:
    ours = manifest(scheme="bearer", env=["ACME_KEY", "ACME_TOKEN"])
    monkeypatch.setenv("ACME_KEY", "")
    monkeypatch.setenv("ACME_TOKEN", "second")
    monkeypatch.setenv("ACME_API_KEY", "third")
    key = find_key(ours, None)
    assert key is not None
    assert key.reveal("acme") == "second"
    by_hand = Secret.literal("by-hand")
    assert find_key(ours, by_hand) is by_hand


def test_without_a_key_the_error_names_the_variables_and_what_a_key_is_here() -> None:
    ours = manifest(scheme="bearer", env=["ACME_KEY"], note="a token of the console")
    with pytest.raises(ConfigurationError) as caught:
        find_key(ours, None)
    said = "acme: no API key. Set ACME_KEY or ACME_API_KEY or pass api_key=… (it is a token of the console)"
    assert str(caught.value) == said


@pytest.mark.parametrize(
    "auth", [{"scheme": "none"}, {"scheme": "bearer", "optional": True}, {"scheme": "aws"}, {"scheme": "google", "header": "k"}]
)
def test_some_can_do_without(auth: dict[str, Any]) -> None:
    assert find_key(manifest(**auth), None) is None


def test_no_scheme_that_needs_no_key_looks_for_one(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ACME_API_KEY", CANARY)
    assert find_key(manifest(scheme="none"), None) is None


def test_the_environment_is_left_alone_for_another_address(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ACME_API_KEY", CANARY)
    with pytest.raises(ConfigurationError, match="pass api_key=… too"):
        find_key(manifest(), None, may_use_environment=False)
    assert find_key(manifest(scheme="bearer", optional=True), None, may_use_environment=False) is None


# --- Travelling ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("auth", "headers"),
    [
        ({"scheme": "bearer"}, {"Authorization": "Bearer k-1"}),
        ({}, {"Authorization": "Bearer k-1"}),
        ({"scheme": "bearer", "header": "x-auth"}, {"x-auth": "Bearer k-1"}),
        ({"scheme": "header", "header": "x-api-key"}, {"x-api-key": "k-1"}),
        ({"scheme": "header", "header": "Authorization", "prefix": "Key "}, {"Authorization": "Key k-1"}),
        ({"scheme": "none"}, {}),
        ({"scheme": "aws"}, {"Authorization": "Bearer k-1"}),
        ({"scheme": "google", "header": "x-goog-api-key"}, {"x-goog-api-key": "k-1"}),
    ],
)
def test_each_scheme_puts_the_key_into_one_header(auth: dict[str, Any], headers: dict[str, str]) -> None:
    assert signed(manifest(**auth), Secret.literal("k-1")) == headers


def test_every_scheme_is_in_the_table_above() -> None:
    assert set(SCHEMES) == {"bearer", "header", "none", "aws", "google"}


@pytest.mark.parametrize("auth", [{"scheme": "bearer"}, {"scheme": "header", "header": "x-api-key"}])
def test_without_a_key_nothing_is_added(auth: dict[str, Any]) -> None:
    assert signed(manifest(**auth), None) == {}


def test_aws_without_a_key_is_signed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(
        "ailib_sync.pipeline.signing.sign_aws", lambda request, region: {"Authorization": f"AWS4-HMAC-SHA256 {region}"}
    )
    assert signed(manifest(scheme="aws"), None) == {"Authorization": "AWS4-HMAC-SHA256 eu-west-1"}


def test_google_without_a_key_gets_a_token(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ailib_sync.pipeline.signing.google_token", lambda: "ya29.token")
    assert signed(manifest(scheme="google", header="x-goog-api-key"), None) == {"Authorization": "Bearer ya29.token"}


# --- Hiding -------------------------------------------------------------------------------------------------------------


def test_a_secret_shows_itself_to_nobody() -> None:
    secret = Secret.literal(CANARY)
    assert repr(secret) == str(secret) == f"{secret}" == "Secret(…)"
    assert not hasattr(secret, "__dict__")
    assert CANARY not in repr(SimpleNamespace(key=secret))


@pytest.mark.parametrize("copying", [pickle.dumps, copy.copy, copy.deepcopy])
def test_a_literal_does_not_leave_the_process(copying: Any) -> None:
    with pytest.raises(ConfigurationError, match="cannot be pickled"):
        copying(Secret.literal(CANARY))


def test_a_key_of_the_environment_pickles_as_the_variables_name(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ACME_API_KEY", CANARY)
    key = find_key(manifest(), None)
    data = pickle.dumps(key)
    assert CANARY.encode() not in data
    assert pickle.loads(data).reveal("acme") == CANARY


@pytest.mark.parametrize("key", ["two words", "line\nbreak", "t\tab", "naïve", "\x7f", "x" * 8193, None, b"bytes"])
def test_a_key_that_no_header_can_carry_is_rejected_without_being_shown(key: Any) -> None:
    with pytest.raises(ConfigurationError, match="acme: the API key must be printable ASCII") as caught:
        Secret(lambda: key).reveal("acme")
    assert not key or str(key) not in str(caught.value)


def test_what_the_callers_function_raises_comes_through() -> None:
    def fail() -> str:
        raise LookupError("the vault is closed")

    with pytest.raises(LookupError, match="the vault is closed"):
        Secret(fail).reveal("acme")
