"""Plain http: which hosts get a key, which are used without one, and base URLs from environment variables."""

from __future__ import annotations

import warnings
from typing import Any

import pytest

from ailib_sync import AiClient, ConfigurationError, ManifestError
from ailib_sync.http.hosts import is_loopback, is_private
from ailib_sync.pipeline import url as url_module
from ailib_sync.registry.manifest import Manifest

from . import wire
from .local_server import LocalServer
from .scripted import Pool

PRIVATE = [
    "10.0.0.1", "172.16.0.1", "172.31.255.255", "192.168.1.20", "169.254.1.1", "100.64.0.1", "100.127.255.255", "[fe80::1]",
    "[fd00::1]", "[fc00::1]", "[::ffff:10.0.0.1]", "ollama", "my-gpu-box", "gpu.local", "GPU.LOCAL", "gpu.local.",
    "models.internal", "host.docker.internal", "vllm.models.svc", "vllm.models.svc.cluster.local", "nas.home.arpa",
]  # fmt: skip
LOOPBACK = ["localhost", "LOCALHOST", "127.0.0.1", "127.9.9.9", "[::1]"]
PUBLIC = [
    "example.com", "8.8.8.8", "172.32.0.1", "172.15.0.1", "192.169.0.1", "100.63.255.255", "100.128.0.1", "[2606:4700::1]",
    "[::ffff:8.8.8.8]", "local.example.com", "internal.example.com", "127.0.0.1.example.com", "10.0.0.1.nip.io",
    "134744072", "0x08080808", "evil-internal.com", "svc.example.org", "a.localhost",
]  # fmt: skip


@pytest.fixture(autouse=True)
def unwarned(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(url_module, "_warned_of", set())
    for name in ("OPENAI_BASE_URL", "OLLAMA_HOST", "OPENAI_API_KEY", "OLLAMA_API_KEY"):
        monkeypatch.delenv(name, raising=False)


def at(host: str, model: str = "openai/m", **options: Any) -> AiClient:
    return AiClient(model, base_url=f"http://{host}:8000/v1", http=Pool(), **options)


@pytest.mark.parametrize("host", PRIVATE + LOOPBACK)
def test_a_private_server_needs_no_key(host: str) -> None:
    client = at(host)
    assert client.chat().user("Hi").execute().content
    sent = client._route.transport.http.sent[0]  # type: ignore[union-attr]
    assert "Authorization" not in sent[2]
    assert is_private(host)
    assert is_loopback(host) == (host in LOOPBACK)


@pytest.mark.parametrize("host", PUBLIC)
def test_a_key_is_not_sent_over_plain_http_to_a_public_host(host: str, monkeypatch: pytest.MonkeyPatch) -> None:
    assert not is_private(host)
    with pytest.raises(ConfigurationError, match="plain http, where a key would travel in the clear"):
        at(host, api_key="k")
    # A key in a header of the client or of the request is one too.
    for chat in (
        at(host, "ollama/m", headers={"Authorization": "Bearer k"}).chat(),
        at(host, "ollama/m").chat().header("X-Api-Key", "k"),
    ):
        with pytest.raises(ConfigurationError, match="plain http"):
            chat.user("Hi").execute()
    # Without a key there is nothing to protect.
    assert at(host, "ollama/m").chat().user("Hi").execute().content
    assert at(host, api_key="k", allow_http=True).chat().user("Hi").execute().content


@pytest.mark.parametrize("host", ["192.168.1.20", "gateway.internal"])
def test_a_key_for_a_private_host_warns_once(host: str) -> None:
    with pytest.warns(UserWarning, match=f"the key is sent over plain http to {host}"):
        client = at(host, api_key="k")
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        client.chat().user("Hi").execute()
        at(host, api_key="k").chat().user("Hi").execute()
        at("192.168.7.7", api_key="k", allow_http=True).chat().user("Hi").execute()
        at("127.0.0.1", api_key="k").chat().user("Hi").execute()


def test_a_manifest_can_allow_plain_http() -> None:
    data = {"id": "corp", "name": "Corp", "dialect": "openai_chat", "base_url": "https://llm.corp.example/v1"}
    with pytest.raises(ConfigurationError, match="plain http"):
        AiClient("corp/m", manifest=data, base_url="http://llm.corp.example/v1", api_key="k")
    client = AiClient(
        "corp/m", manifest={**data, "allow_http": True}, base_url="http://llm.corp.example/v1", api_key="k", http=Pool()
    )
    assert client.chat().user("Hi").execute().content


@pytest.mark.parametrize(
    ("value", "url"),
    [
        ("gpu", "http://gpu:11434/v1"),
        ("gpu:9000", "http://gpu:9000/v1"),
        (":9000", "http://127.0.0.1:9000/v1"),
        ("0.0.0.0", "http://127.0.0.1:11434/v1"),
        ("0.0.0.0:9000", "http://127.0.0.1:9000/v1"),
        ("http://gpu:9000", "http://gpu:9000/v1"),
        ("http://gpu:9000/", "http://gpu:9000/v1"),
        ("http://gpu:9000/v1", "http://gpu:9000/v1"),
        ("https://ollama.example.com", "https://ollama.example.com/v1"),
        ("gpu:9000/proxy", "http://gpu:9000/proxy/v1"),
        ("[fd00::7]", "http://[fd00::7]:11434/v1"),
        ("[fd00::7]:9000", "http://[fd00::7]:9000/v1"),
        ("  gpu  ", "http://gpu:11434/v1"),
        ("", "http://localhost:11434/v1"),
    ],
)
def test_the_address_of_a_local_server_from_its_variable(value: str, url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OLLAMA_HOST", value)
    shown = AiClient("ollama/llama3").chat().user("Hi").explain()
    assert shown.url == f"{url}/chat/completions"
    assert shown.url_source == ("OLLAMA_HOST" if value else "ollama: base_url")
    native = AiClient("ollama/llama3", dialect="ollama_chat").chat().user("Hi").explain()
    assert native.url == f"{url.removesuffix('/v1')}/api/chat"


@pytest.mark.parametrize(
    ("provider", "variable", "value", "url"),
    [
        ("openai", "OPENAI_BASE_URL", "https://gateway.example/v1", "https://gateway.example/v1/chat/completions"),
        ("anthropic", "ANTHROPIC_BASE_URL", "https://gateway.example", "https://gateway.example/v1/messages"),
        ("cohere", "CO_API_URL", "https://gateway.example", "https://gateway.example/v2/chat"),
        ("groq", "GROQ_BASE_URL", "https://gateway.example", "https://gateway.example/openai/v1/chat/completions"),
        ("together", "TOGETHER_BASE_URL", "https://gateway.example", "https://gateway.example/v1/chat/completions"),
        ("cerebras", "CEREBRAS_BASE_URL", "https://gateway.example", "https://gateway.example/v1/chat/completions"),
        ("writer", "WRITER_BASE_URL", "https://gateway.example", "https://gateway.example/v1/chat"),
        ("gemini", "GOOGLE_GEMINI_BASE_URL", "https://gateway.example", "https://gateway.example/v1beta/models/m:generateContent"),
    ],
)
def test_the_variable_of_the_providers_own_sdk_and_its_key(
    provider: str, variable: str, value: str, url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(variable, value)
    for name in Manifest.load(provider).auth["env"]:
        monkeypatch.setenv(name, "sk-from-the-environment")
    client = AiClient(f"{provider}/m", http=Pool())
    shown = client.chat().user("Hi").explain()
    assert (shown.url, shown.url_source) == (url, variable)
    assert f"(the base URL is from {variable})" in str(shown)
    assert any("<redacted>" in value for value in shown.headers.values())
    own = AiClient(f"{provider}/m", base_url="https://other.example/v9").chat().user("Hi").explain()
    assert own.url.startswith("https://other.example/v9/")
    assert own.url_source == "base_url"


def test_a_variable_is_not_inherited_and_may_be_wrong(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_BASE_URL", "gateway.example/v1")
    with pytest.raises(ConfigurationError, match="OPENAI_BASE_URL is not an http or https address"):
        AiClient("openai/m", api_key="k")
    assert AiClient("azure/m", api_key="k", variables={"resource": "corp"}).chat().user("Hi").explain().url.startswith(
        "https://corp.openai.azure.com/"
    )
    monkeypatch.setenv("OPENAI_BASE_URL", "http://gateway.example/v1")
    with pytest.raises(ConfigurationError, match="plain http"):
        AiClient("openai/m", api_key="k")


def test_other_operations_use_the_address_too(monkeypatch: pytest.MonkeyPatch) -> None:
    with LocalServer(lambda peer, request: peer.send(wire.reply(200, {"models": [{"name": "a"}]})) or True) as server:
        monkeypatch.setenv("OLLAMA_HOST", server.url.removesuffix("/v1"))
        assert [info.id for info in AiClient.for_provider("ollama").list_models()] == ["a"]
        assert server.requests[0].line.split()[1] == "/api/tags"


def test_a_manifest_of_a_user_cannot_read_a_secret_as_an_address() -> None:
    data = {"id": "corp", "name": "Corp", "dialect": "openai_chat", "base_url": "https://llm.corp.example/v1"}
    for name in ("GITHUB_TOKEN", "CORP_SECRET", "DATABASE_URL"):
        with pytest.raises(ManifestError, match="may contain a secret"):
            Manifest.from_dict({**data, "base_url_env": {name: ""}})
    key = {"scheme": "bearer", "env": ["OPENAI_API_KEY"]}
    with pytest.raises(ManifestError, match="must not be sent to"):
        Manifest.from_dict({**data, "base_url": "https://api.openai.com/v1", "auth": key, "base_url_env": {"CORP_URL": ""}})
    assert Manifest.from_dict({**data, "base_url_env": {"CORP_URL": ""}}).base_url_env == {"CORP_URL": ""}
