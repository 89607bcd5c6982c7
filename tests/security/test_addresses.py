"""Where a request, and with it a key, may go: hosts, paths, variables, redirects, manifests from outside."""

from __future__ import annotations

import json
import os
import warnings
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from urllib3.util import parse_url

from ailib_sync import AiClient, Image
from ailib_sync.errors import AuthenticationError, ConfigurationError, ManifestError, RedirectRefused
from ailib_sync.http.hosts import is_private
from ailib_sync.pipeline.endpoint import Endpoint
from ailib_sync.registry.manifest import Manifest, builtin_manifests
from ailib_sync.types.messages import Message

from .. import wire
from ..local_server import LocalServer, replies
from .exposure import caught

ACME: dict[str, Any] = {"id": "acme", "name": "Acme", "dialect": "openai_chat", "base_url": "https://api.acme.example/v1"}


def target(base_url: str) -> Endpoint:
    return AiClient("openai/m", api_key="k-1", base_url=base_url)._route.endpoints.find("m")


@pytest.mark.parametrize(
    "host", ["127.0.0.1", "localhost", "LOCALHOST", "localhost.", "[::1]", "127.8.9.1", "127.0.0.1:8000", "[::1]:1"]
)
def test_plain_http_may_go_to_this_machine(host: str) -> None:
    assert target(f"http://{host}/v1").url(False).startswith("http://")


@pytest.mark.parametrize(
    "host",
    [
        "api.example.com",
        "localhost.evil.com",
        "evil.localhost",  # a name server may answer for it
        "127.0.0.1.evil.com",
        "127.1",  # the system's resolver may take it for loopback, but need not
        "0x7f000001",
        "2130706433",
        "0177.0.0.1",
        "0.0.0.0",
        "[::]",
        "embedded.invalid.evil.com",
        "embedded.invalid@evil.com",
        "user:word@localhost",
        "localhost@evil.com",
        "localhost\\@evil.com",
        "localhost\\.evil.com",
        "evil.com#localhost",
        "evil.com?localhost",
        "localhost%2eevil.com",
        "localhost:80:80",
        "localhost:port",
        "ⅼocalhost",
        "local host",
        "",
    ],
)
def test_plain_http_may_go_nowhere_else(host: str) -> None:
    with pytest.raises(ConfigurationError):
        target(f"http://{host}/v1")


@pytest.mark.parametrize("host", ["10.0.0.1", "169.254.169.254", "[::ffff:10.0.0.1]", "[fe80::1]"])
def test_plain_http_to_a_private_network_warns(host: str) -> None:
    with pytest.warns(UserWarning, match="plain http"):
        target(f"http://{host}/v1")


def test_the_mapped_form_of_loopback_is_judged_by_what_it_maps_to() -> None:
    """The interpreter's versions differ on [::ffff:127.0.0.1]; whichever way, it never counts for another machine."""
    from ailib_sync.http.proxies import is_loopback

    assert not is_loopback("[::ffff:10.0.0.1]")
    assert is_loopback("[::ffff:127.0.0.1]") in (True, False)


@pytest.mark.parametrize(
    "url",
    [
        "ftp://x",
        "//x",
        "file:///etc/passwd",
        "https://a\r\nb",
        "https://a b",
        "https://user@x",
        "https://[::1",
        "https://",
        "x",
    ],
)
def test_what_is_no_address_is_rejected(url: str) -> None:
    with pytest.raises(ConfigurationError):
        target(url)


@given(st.text(max_size=12))
def test_whatever_the_host_is_it_is_the_host_that_is_reached(host: str) -> None:
    """What we judge and what urllib3 connects to are the same."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            url = target(f"http://{host}/v1").url(False)
    except ConfigurationError:
        return
    reached = (parse_url(url).host or "").strip("[]").rstrip(".")
    assert is_private(reached), (host, reached)


WITH_MODEL = [m for m in builtin_manifests() if m.status not in ("retired", "not_chat")]
NASTY = [
    "../../x",
    "..",
    "a/../../b",
    "a?key=b",
    "a#b",
    "a%2fb",
    "a\\b",
    "a;b",
    "a@b",
    "{region}",
    "a:b",
    "a b",
    "é",
    "a//b",
    "%2e%2e",
]


@pytest.mark.parametrize("model", NASTY)
def test_a_models_name_stays_in_its_segment_with_every_provider_that_has_it_in_a_path(model: str) -> None:
    seen = 0
    for manifest in WITH_MODEL:
        values = {name: "x1" for name, spec in manifest.variables.items() if "allowed" not in spec}
        values = {name: "https://x.example" if manifest.base_url == f"{{{name}}}" else value for name, value in values.items()}
        if any("allowed" in spec and "default" not in spec for spec in manifest.variables.values()):
            continue
        for dialect in (manifest.dialect, *manifest.dialects):
            plain = Endpoint("PLAIN", manifest, dialect=dialect, variables=values)
            if model in (".", ".."):
                continue
            there = Endpoint(model, manifest, dialect=plain.manifest.dialect, variables=values)
            for stream in (False, True):
                expected, got = parse_url(plain.url(stream)), parse_url(there.url(stream))
                if "PLAIN" not in (expected.path or ""):
                    continue
                seen += 1
                assert (got.host, got.port, got.query, got.fragment) == (expected.host, expected.port, expected.query, None)
                assert (got.path or "").count("/") == (expected.path or "").count("/"), got.path
    assert seen > 5 or model == ".."


@pytest.mark.parametrize(
    "model", [".", "..", "", " m", "m ", "a\nb", "a\rb", "a\0b", "a\x7fb", "a\u2028b", "a\u202eb", "x" * 513, "\ud800"]
)
def test_a_name_that_is_none_is_rejected(model: str) -> None:
    with pytest.raises(ConfigurationError):
        AiClient(f"openai/{model}", api_key="k-1")
    with pytest.raises(ConfigurationError):
        AiClient("openai/m", api_key="k-1").chat().model(f"openai/{model}")


CONTROLS = [*(chr(c) for c in range(32) if c != 9), "\x7f", "\x80", "\x85", "\x9f", "\u2028", "Ā"]


@pytest.mark.parametrize("control", CONTROLS, ids=lambda c: f"{ord(c):#x}")
def test_control_characters_are_rejected_in_headers_and_keys(control: str) -> None:
    with pytest.raises(ConfigurationError):
        AiClient("openai/m", headers={"X-A": f"a{control}b"})
    with pytest.raises(ConfigurationError):
        AiClient("openai/m").chat().header("X-A", f"a{control}b")
    with pytest.raises(ConfigurationError):
        AiClient("openai/m").chat().header(f"X{control}A", "b")
    client = AiClient("openai/m", api_key=f"k{control}1")
    with pytest.raises(ConfigurationError):
        client._route.endpoints.find("m").http_request(client.chat().user("Hi")._request, {})


@pytest.mark.parametrize(
    "name", ["Host", "content-length", "Transfer-Encoding", "Connection", "Content-Encoding", "a b", "a:b", "", "é"]
)
def test_headers_that_frame_a_message_are_not_the_callers(name: str) -> None:
    with pytest.raises(ConfigurationError):
        AiClient("openai/m").chat().header(name, "1")


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308, 304])
def test_a_redirect_is_rejected_and_not_followed(status: int) -> None:
    with LocalServer(wire.healthy) as elsewhere:
        with LocalServer(replies(wire.reply(status, b"", {"Location": elsewhere.url}, close=True))) as server:
            error = caught(lambda: AiClient("openai/m", api_key="k-1", base_url=server.url).chat().user("Hi").execute())
        assert isinstance(error, RedirectRefused)
        assert len(server.requests) == 1
        assert elsewhere.peers == []


def test_the_address_of_a_picture_is_sent_as_text_and_never_requested() -> None:
    picture_bytes = wire.reply(200, b"picture", {"Content-Type": "image/png"})
    with LocalServer(replies(picture_bytes)) as pictures, LocalServer(replies(wire.reply(200, wire.completion()))) as server:
        picture = Image.from_url(f"http://127.0.0.1:{pictures.port}/a.png")
        client = AiClient("openai/m", api_key="k-1", base_url=server.url)
        client.chat([Message.user([picture])]).execute()
        client.close()
        assert pictures.peers == []
        assert f"127.0.0.1:{pictures.port}/a.png".encode() in server.requests[0].body


@pytest.mark.parametrize(
    "value", ["evil.com/", "evil.com#", "evil.com?", "a/../..", "..", ".", "evil.com\\", "a@evil.com", "a%2f", "a b", "", "é"]
)
@pytest.mark.parametrize("way", ["given", "environment", "default"])
def test_a_variable_stays_in_its_part_of_an_address(value: str, way: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_BEARER_TOKEN_BEDROCK", "k-1")
    monkeypatch.setenv("AWS_CONFIG_FILE", os.devnull)
    manifest: Any = None
    given: dict[str, str] = {}
    model = "bedrock/m"
    if way == "given":
        given = {"region": value}
    elif way == "environment":
        monkeypatch.setenv("AWS_REGION", value)
    else:
        manifest, model = (
            {"extends": "bedrock", "id": "corp", "name": "Corp", "variables": {"region": {"default": value}}},
            "corp/m",
        )
    if value == "" and way != "default":  # the same as unset
        endpoints = AiClient(model, variables=given)._route.endpoints
        assert "bedrock-runtime.us-east-1.amazonaws.com" in endpoints.find("m").url(False)
        return
    with pytest.raises(ConfigurationError):
        AiClient(model, manifest=manifest, variables=given)


STOLEN = "k-stolen"


@pytest.mark.parametrize(
    "manifest",
    [
        {**ACME, "id": "openai"},
        {**ACME, "auth": {"scheme": "bearer", "env": ["OPENAI_API_KEY"]}},
        {"extends": "openai", "id": "acme", "base_url": "https://evil.example/v1"},
        {"extends": "openai", "id": "acme", "dialects": {"openai_responses": {"base_url": "https://evil.example/v1"}}},
        {**ACME, "base_url": "https://{x}", "variables": {"x": {"env": ["OPENAI_API_KEY"]}}},
        {**ACME, "paths": {"chat": "/{x}"}, "variables": {"x": {"env": ["OPENAI_API_KEY"]}}},
        {**ACME, "body": {"a": "{x}"}, "variables": {"x": {"env": ["DATABASE_PASSWORD"]}}},
        {**ACME, "headers": {"X-A": "{x}"}, "variables": {"x": {"env": ["HOME"]}}},
        {**ACME, "auth": {"scheme": "header", "header": "X-A", "env": ["GITHUB_TOKEN"]}},
        {**ACME, "models": {"*": {"auth": {"env": ["OPENAI_API_KEY"]}}}},
        {**ACME, "models": {"*": {"base_url": "https://evil.example"}}},
        {
            **ACME,
            "base_url": "https://{h}",
            "variables": {"h": {"default": "evil.example"}},
            "auth": {"env": ["OPENAI_API_KEY"]},
        },
    ],
)
def test_a_manifest_from_outside_reaches_no_key_of_another(manifest: dict[str, Any], monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("OPENAI_API_KEY", "DATABASE_PASSWORD", "GITHUB_TOKEN"):
        monkeypatch.setenv(name, STOLEN)
    with pytest.raises(ManifestError) as raised:
        AiClient(f"{manifest['id']}/m", manifest={"name": "Acme", **manifest})
    assert STOLEN not in str(raised.value)


def test_a_folder_of_manifests_may_not_lead_a_known_key_elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AILIB_MANIFESTS", str(tmp_path))
    monkeypatch.setenv("OPENAI_API_KEY", STOLEN)
    path = tmp_path / "openai.json"
    path.write_text(json.dumps({**ACME, "id": "openai", "base_url": "https://evil.example/v1"}))
    with pytest.raises(ManifestError, match=r"OPENAI_API_KEY.*must not be sent to evil\.example"):
        AiClient("openai/m")
    path.write_text(json.dumps({"extends": "openai", "id": "openai", "name": "Ours", "base_url": "https://api.openai.com/v9"}))
    assert AiClient("openai/m")._route.endpoints.find("m").url(False).startswith("https://api.openai.com/v9/")
    for outside in ("../openai", "/etc/passwd", "a/../openai"):
        with pytest.raises(ConfigurationError):
            Manifest.load(outside)


def test_another_address_takes_no_key_from_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", STOLEN)
    client = AiClient("openai/m", base_url="https://evil.example/v1")
    with pytest.raises(ConfigurationError, match="pass api_key="):
        client.chat().user("Hi").execute()
    with LocalServer(replies(wire.reply(401, wire.error_body(), close=True))) as server:
        error = caught(lambda: AiClient("openai/m", base_url=server.url).chat().user("Hi").execute())
    assert isinstance(error, AuthenticationError)
    assert not [request for request in server.requests if STOLEN.encode() in request.raw]


@settings(max_examples=200)
@given(st.text(alphabet=st.characters(codec="utf-8"), min_size=1, max_size=20))
def test_any_model_name_is_rejected_or_is_one_segment(model: str) -> None:
    manifest = Manifest(id="g", name="G", dialect="gemini_generate", base_url="https://g.example/v1")
    try:
        AiClient(f"g/{model}", api_key="k", manifest=manifest)
        url = Endpoint(model, manifest).url(False)
    except ConfigurationError:
        return
    if "?dialect=" not in model:
        assert url.startswith("https://g.example/v1/models/")
        assert url.count("/") == 5
        assert url.endswith(":generateContent")
        assert url.isascii()
