"""Regions, locations and tokens of the clouds: from where their own SDKs read them."""

from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from ailib_sync import AiClient, ConfigurationError, ManifestError, ProtocolError
from ailib_sync.registry.manifest import Manifest

from .scripted import Pool

TOKEN = "eyJhbGci.entra.token"


@pytest.fixture(autouse=True)
def environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in list(os.environ):
        if name.startswith(("AWS_", "AZURE_", "GOOGLE_", "ANTHROPIC_")):
            monkeypatch.delenv(name)
    monkeypatch.setenv("AWS_CONFIG_FILE", os.devnull)


def url_of(model: str, **options: Any) -> str:
    return AiClient(model, **options).chat().user("x").explain().url


def headers_of(model: str, **options: Any) -> dict[str, str]:
    pool = Pool()
    with suppress(ProtocolError):  # the pool responds in one format only
        AiClient(model, http=pool, retry=0, **options).chat().user("x").execute()
    return {name.lower(): value for name, value in pool.sent[0][2].items()}


@pytest.mark.parametrize(
    ("location", "host"),
    [
        ("global", "aiplatform.googleapis.com"),
        ("eu", "aiplatform.eu.rep.googleapis.com"),
        ("us", "aiplatform.us.rep.googleapis.com"),
        ("europe-west3", "europe-west3-aiplatform.googleapis.com"),
    ],
)
@pytest.mark.parametrize("model", ["vertex/gemini-3-flash", "vertex/claude-sonnet-4-5?dialect=anthropic_messages"])
def test_the_location_decides_the_host(location: str, host: str, model: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GOOGLE_CLOUD_PROJECT", "p")
    assert url_of(model, api_key="k", variables={"location": location}).split("/")[2] == host
    monkeypatch.setenv("GOOGLE_CLOUD_LOCATION", location)
    assert url_of(model, api_key="k").split("/")[2] == host
    given = {"location": location, "host": "europe-west9-aiplatform.googleapis.com"}
    assert url_of(model, api_key="k", variables=given).split("/")[2] == "europe-west9-aiplatform.googleapis.com"


def test_a_location_cannot_be_more_than_a_host() -> None:
    with pytest.raises(ConfigurationError):
        url_of("vertex/g", api_key="k", variables={"project": "p", "location": "evil.example/x"})
    with pytest.raises(ConfigurationError, match="host must be like"):
        url_of("vertex/g", api_key="k", variables={"project": "p", "host": "evil.example"})


def test_the_region_is_that_of_the_profile_or_a_default_with_a_warning(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where prompts are processed is never decided silently."""
    for model in ("bedrock/m", "bedrock-mantle/m"):
        explained = AiClient(model, api_key="k").chat().user("x").explain()
        assert "us-east-1" in explained.url
        assert [entry.detail for entry in explained.ledger if entry.option == "region"] == ["is us-east-1, because none is set"]
        with pytest.raises(ConfigurationError, match="strict: region is us-east-1"):
            AiClient(model, api_key="k", strict=True).chat().user("x").execute()
    config = tmp_path / "config"
    config.write_text("[default]\nregion = eu-central-1\n[profile tokyo]\nregion=ap-northeast-1\n[profile none]\noutput=json\n")
    monkeypatch.setenv("AWS_CONFIG_FILE", str(config))
    assert "eu-central-1" in url_of("bedrock/m", api_key="k")
    assert "eu-central-1" in url_of("bedrock-mantle/m", api_key="k")
    monkeypatch.setenv("AWS_PROFILE", "tokyo")
    assert "ap-northeast-1" in url_of("bedrock/m", api_key="k")
    monkeypatch.setenv("AWS_REGION", "eu-west-1")
    assert "eu-west-1" in url_of("bedrock/m", api_key="k")
    monkeypatch.delenv("AWS_REGION")
    for profile in ("none", "unknown"):
        monkeypatch.setenv("AWS_PROFILE", profile)
        assert "us-east-1" in url_of("bedrock/m", api_key="k")
    config.write_bytes(b"\xff\xfe no ini")
    assert "us-east-1" in url_of("bedrock/m", api_key="k")
    assert url_of("bedrock/m", api_key="k", base_url="https://proxy.example").startswith("https://proxy.example/")


def test_a_token_is_sent_as_bearer_and_a_key_in_its_header(monkeypatch: pytest.MonkeyPatch) -> None:
    options: dict[str, Any] = {"variables": {"resource": "r"}}
    assert headers_of("azure/m", api_key="0123456789abcdef", **options)["api-key"] == "0123456789abcdef"
    sent = headers_of("azure/m", api_key=lambda: TOKEN, **options)
    assert sent["authorization"] == f"Bearer {TOKEN}"
    assert "api-key" not in sent
    monkeypatch.setenv("AZURE_OPENAI_AD_TOKEN", "opaque-token")
    assert headers_of("azure/m", **options)["authorization"] == "Bearer opaque-token"
    monkeypatch.setenv("ANTHROPIC_AUTH_TOKEN", "sk-auth")
    sent = headers_of("anthropic/claude-opus-4-5")
    assert sent["authorization"] == "Bearer sk-auth"
    assert "x-api-key" not in sent
    monkeypatch.setenv("ANTHROPIC_API_KEY", "sk-key")
    assert headers_of("anthropic/claude-opus-4-5")["x-api-key"] == "sk-key"


def test_azures_endpoint_is_the_base_url(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AZURE_OPENAI_ENDPOINT", "https://mine.openai.azure.com/")
    assert url_of("azure/gpt-4o", api_key="k") == "https://mine.openai.azure.com/openai/v1/chat/completions"


def test_another_scheme_replaces_the_authentication_of_the_manifest_it_extends() -> None:
    own = {"extends": "azure", "id": "corp", "name": "Corp", "auth": {"scheme": "bearer", "env": ["AZURE_OPENAI_AD_TOKEN"]}}
    sent = headers_of("corp/m", manifest=own, variables={"resource": "r"}, api_key="k")
    assert sent["authorization"] == "Bearer k"
    with pytest.raises(ManifestError):
        Manifest.from_dict({**own, "auth": {"scheme": "header", "env": ["AZURE_OPENAI_API_KEY"]}})
