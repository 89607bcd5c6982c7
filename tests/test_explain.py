"""`explain()` shows the request that is sent: every header, the body and the URL, of every dialect and way to authenticate."""

from __future__ import annotations

from typing import Any

import pytest

from ailib_sync import AiClient, ChatBuilder, Message
from ailib_sync.dialects.dialect import NAMES
from ailib_sync.http.secret_headers import REDACTED
from ailib_sync.pipeline import signing
from ailib_sync.testing import FakeProvider, RecordedRequest

from . import wire
from .local_server import LocalServer, Request, replies

KEY = "sk-0123456789abcdef"
BOTH_WAYS = pytest.mark.parametrize("stream", [False, True], ids=["complete", "streamed"])


def lookup(city: str) -> str:
    """Looks a city up."""
    return city


def plain(client: AiClient) -> ChatBuilder:
    return client.chat().user("Hello")


def rich(client: AiClient) -> ChatBuilder:
    """With as much as every format supports: options, tools, a conversation, headers and fields of the caller's."""
    chat = client.chat(
        [Message.system("Be short."), Message.user("Hello"), Message.assistant("Hi"), Message.user("Héllo \U0001f600")]
    )
    return chat.temperature(0.5).max_tokens(100).stop("END").tools(lookup).header("X-Trace", "1").extra(metadata={"a": "b"})


def sent(fake: FakeProvider, chat: ChatBuilder, stream: bool) -> RecordedRequest:
    fake.reply("Hi")
    chat.stream().collect() if stream else chat.execute()
    return fake.requests[-1]


def check_same(chat: ChatBuilder, fake: FakeProvider, stream: bool, secret: str | None) -> None:
    """`secret` is the header with the key; None: there is none."""
    explained = chat.explain(stream=stream)
    request = sent(fake, chat, stream)
    assert explained.method == request.method
    assert explained.url == fake.url + request.target
    assert explained.body == request.json
    shown = {name.lower(): value for name, value in explained.headers.items()}
    assert len(shown) == len(explained.headers)
    assert list(shown) == list(request.headers)
    secrets = {name for name, value in shown.items() if value == REDACTED}
    assert secrets == ({secret.lower()} if secret else set())
    assert {name: shown[name] for name in shown if name not in secrets} == {
        name: request.headers[name] for name in shown if name not in secrets
    }
    assert KEY not in str(explained)


@BOTH_WAYS
@pytest.mark.parametrize("make", [plain, rich])
@pytest.mark.parametrize("dialect", NAMES)
def test_explain_is_what_every_dialect_sends(dialect: str, make: Any, stream: bool) -> None:
    with FakeProvider(dialect, api_key=KEY, strict=False) as fake:
        auth = fake.manifest.auth
        secret = {"bearer": "Authorization", "aws": "Authorization", "none": None}.get(auth["scheme"], auth.get("header"))
        check_same(make(fake.client()), fake, stream, secret)


SCHEMES: dict[str, tuple[dict[str, Any], str | None]] = {
    "bearer": ({"scheme": "bearer"}, "Authorization"),
    "bearer in another header": ({"scheme": "bearer", "header": "cf-aig-authorization"}, "cf-aig-authorization"),
    "header": ({"scheme": "header", "header": "X-Gateway"}, "X-Gateway"),
    "header with a prefix": ({"scheme": "header", "header": "X-Gateway", "prefix": "Key "}, "X-Gateway"),
    "none": ({"scheme": "none"}, None),
    "aws with a key": ({"scheme": "aws"}, "Authorization"),
    "google with a key": ({"scheme": "google", "header": "x-goog-api-key"}, "x-goog-api-key"),
}


@BOTH_WAYS
@pytest.mark.parametrize("scheme", SCHEMES)
def test_explain_is_what_every_scheme_sends(scheme: str, stream: bool) -> None:
    auth, secret = SCHEMES[scheme]
    manifest = {
        "id": "own", "name": "Own", "dialect": "openai_chat", "base_url": "https://own.example/v1", "auth": auth,
        "headers": {"X-Version": "2026-01-01"}, "body": {"safe": True},
    }  # fmt: skip
    with FakeProvider(manifest, api_key=KEY, strict=False) as fake:
        check_same(rich(fake.client(headers={"X-Team": "a"})), fake, stream, secret)


@BOTH_WAYS
@pytest.mark.parametrize(("scheme", "names"), [("aws", {"authorization", "x-amz-date"}), ("google", {"authorization"})])
def test_explain_is_what_found_credentials_send(
    scheme: str, names: set[str], stream: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It does not look for them: that may need the network."""
    if scheme == "aws":
        pytest.importorskip("botocore")
        monkeypatch.setenv("AWS_ACCESS_KEY_ID", "AKIA")
        monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "secret-key")
        monkeypatch.delenv("AWS_SESSION_TOKEN", raising=False)
        signing._aws_credentials.cache_clear()
    else:
        monkeypatch.setattr(signing, "google_token", lambda *scopes: "token-of-google")
    manifest = {
        "id": "own", "name": "Own", "dialect": "openai_chat", "base_url": "https://own.example/v1",
        "auth": {"scheme": scheme, "header": "x-goog-api-key"}, "variables": {"region": {"default": "eu-west-1"}},
    }  # fmt: skip
    with FakeProvider(manifest, strict=False) as fake:
        chat = rich(fake.client(api_key=None))
        explained = chat.explain(stream=stream)
        request = sent(fake, chat, stream)
    shown = {name.lower(): value for name, value in explained.headers.items()}
    assert {name for name, value in shown.items() if value == REDACTED} == names
    assert set(shown) == set(request.headers)
    assert {**shown, **{name: request.headers[name] for name in names}} == request.headers
    assert explained.body == request.json
    signing._aws_credentials.cache_clear()


def test_explain_is_what_a_keyless_local_server_gets() -> None:
    with FakeProvider("openai", strict=False) as fake:
        check_same(rich(AiClient("openai/echo", base_url=fake.base_url)), fake, False, None)


# each header once


def names_of(request: Request) -> list[str]:
    lines = request.raw.partition(b"\r\n\r\n")[0].split(b"\r\n")[1:]
    return [line.partition(b":")[0].decode().lower() for line in lines]


HEADERS = {"authorization": "mine", "USER-AGENT": "mine/1", "content-type": "application/json; charset=utf-8", "x-team": "a"}


@BOTH_WAYS
@pytest.mark.parametrize("where", ["client", "chat", "both"])
def test_a_header_is_sent_once_whatever_its_case(where: str, stream: bool) -> None:
    """RFC 9110 5.1: names are case-insensitive; 5.3: most headers must not come twice. The caller's value is the one sent,
    except that of the key."""
    body = b"".join(wire.events()) if stream else wire.completion()
    kind = "text/event-stream" if stream else "application/json"
    with LocalServer(replies(wire.reply(200, body, {"Content-Type": kind}, close=True))) as server:
        given = {"headers": {"X-Team": "b", **HEADERS} if where == "both" else HEADERS} if where != "chat" else {}
        chat = AiClient("openai/m", api_key=KEY, base_url=server.url, **given).chat().user("Hi")
        if where != "client":
            for name, value in HEADERS.items():
                chat = chat.header(name.title(), "first").header(name, value)
        explained = chat.explain(stream=stream)
        chat.stream().collect() if stream else chat.execute()
    (request,) = server.requests
    names = names_of(request)
    assert len(set(names)) == len(names)
    assert request.headers["authorization"] == f"Bearer {KEY}"
    assert request.headers["user-agent"] == "mine/1"
    assert request.headers["content-type"] == "application/json; charset=utf-8"
    assert request.headers["x-team"] == "a"
    shown = {name.lower(): value for name, value in explained.headers.items()}
    assert {**shown, "authorization": f"Bearer {KEY}"} == request.headers
    assert [name.lower() for name in explained.headers] == names
