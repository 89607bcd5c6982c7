"""AWS signatures against a second implementation of SigV4, Google tokens against a token service on a loopback port."""

from __future__ import annotations

import hashlib
import hmac
import json
import re
import sys
from base64 import b64decode
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from urllib.parse import parse_qs, quote, urlsplit

import pytest

from ailib_sync.errors import ConfigurationError, ConnectError
from ailib_sync.http.message import Headers, HttpRequest
from ailib_sync.pipeline import signing

from . import wire
from .local_server import LocalServer, Peer, Request

URL = "https://bedrock-runtime.eu-west-1.amazonaws.com/model/us.anthropic.claude-x-v1%3A0/converse"


@pytest.fixture(autouse=True)
def _no_credentials_of_this_machine(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[None]:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN", "AWS_PROFILE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "config"))
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(tmp_path / "credentials"))
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    signing._aws_credentials.cache_clear()
    signing._GOOGLE.clear()
    yield
    signing._aws_credentials.cache_clear()
    signing._GOOGLE.clear()


# --- AWS ------------------------------------------------------------------------------------------------------------------


def aws_request(**headers: str) -> HttpRequest:
    return HttpRequest("POST", URL, Headers({"content-type": "application/json", "X-Trace": "1", **headers}), b'{"a": 1}')


def signature(headers: dict[str, str], url: str, body: bytes, secret: str) -> tuple[str, str]:
    """(credential, signature) by https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-create-signed-request.html"""
    named = {name.lower(): value for name, value in headers.items()}
    named["host"] = urlsplit(url).netloc
    match = re.fullmatch(r"AWS4-HMAC-SHA256 Credential=(\S+), SignedHeaders=(\S+), Signature=\S+", headers["Authorization"])
    assert match is not None
    credential, signed = match.groups()
    scope = credential.partition("/")[2]
    day, region, service, _ = scope.split("/")
    canonical = "\n".join(
        [
            "POST",
            quote(urlsplit(url).path, safe="/"),  # a path that is encoded already is encoded once more, but for S3
            "",
            *(f"{name}:{named[name]}" for name in signed.split(";")),
            "",
            signed,
            hashlib.sha256(body).hexdigest(),
        ]
    )
    text = "\n".join(["AWS4-HMAC-SHA256", named["x-amz-date"], scope, hashlib.sha256(canonical.encode()).hexdigest()])
    key = ("AWS4" + secret).encode()
    for part in (day, region, service, "aws4_request"):
        key = hmac.new(key, part.encode(), hashlib.sha256).digest()
    return credential, hmac.new(key, text.encode(), hashlib.sha256).hexdigest()


@pytest.mark.parametrize("token", [None, "session-token"])
def test_the_signature_is_what_the_specification_says(monkeypatch: pytest.MonkeyPatch, token: str | None) -> None:
    pytest.importorskip("botocore", reason="botocore is an optional extra")
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "AKIDEXAMPLE")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "not-a-secret")
    if token:
        monkeypatch.setenv("AWS_SESSION_TOKEN", token)
    request = aws_request(Authorization="an older signature")
    headers = signing.sign_aws(request, "eu-west-1")
    credential, expected = signature(headers, URL, request.body, "not-a-secret")
    assert headers["Authorization"].endswith(f"Signature={expected}")
    assert credential.startswith("AKIDEXAMPLE/")
    assert credential.endswith("/eu-west-1/bedrock/aws4_request")
    assert headers.get("X-Amz-Security-Token") == token
    assert headers["X-Trace"] == "1"
    names = ["content-type", "host", "x-amz-date", *(["x-amz-security-token"] if token else [])]
    assert f"SignedHeaders={';'.join(names)}," in headers["Authorization"]  # a proxy may change what is not signed


def test_no_aws_credentials_is_reported_with_what_to_do() -> None:
    pytest.importorskip("botocore", reason="botocore is an optional extra")
    with pytest.raises(ConfigurationError, match="AWS_BEARER_TOKEN_BEDROCK"):
        signing.sign_aws(aws_request(), "eu-west-1")


def test_a_profile_that_is_not_there_is_reported(monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("botocore", reason="botocore is an optional extra")
    monkeypatch.setenv("AWS_PROFILE", "nobody")
    with pytest.raises(ConfigurationError, match="nobody"):
        signing.sign_aws(aws_request(), "eu-west-1")


@pytest.mark.parametrize(("module", "extra"), [("botocore.auth", "bedrock"), ("google.auth", "vertex")])
def test_a_missing_library_is_named_with_its_extra(monkeypatch: pytest.MonkeyPatch, module: str, extra: str) -> None:
    monkeypatch.setitem(sys.modules, module, None)
    with pytest.raises(ConfigurationError, match=rf"pip install 'ailib-sync\[{extra}\]'"):
        signing.sign_aws(aws_request(), "eu-west-1") if extra == "bedrock" else signing.google_token()


# --- Google ---------------------------------------------------------------------------------------------------------------


class TokenService(LocalServer):
    """An OAuth token endpoint: gives `token-1`, `token-2`, … each valid for `lifetime` seconds."""

    def __init__(self) -> None:
        super().__init__(self.give_token)
        self.lifetime = 3600
        self.status = 200
        self.asked: list[dict[str, list[str]]] = []

    def give_token(self, peer: Peer, request: Request) -> bool:
        self.asked.append(parse_qs(request.body.decode()))
        token = {"access_token": f"token-{len(self.asked)}", "expires_in": self.lifetime}
        peer.send(wire.reply(self.status, token if self.status == 200 else {"error": "invalid_grant"}))
        return True


@pytest.fixture
def tokens(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[TokenService]:
    pytest.importorskip("google.auth", reason="google-auth is an optional extra")
    from cryptography.hazmat.primitives import serialization
    from cryptography.hazmat.primitives.asymmetric import rsa

    private = rsa.generate_private_key(65537, 2048).private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    with TokenService() as service:
        account = {"type": "service_account", "client_email": "a@example.com", "private_key_id": "1", "token_uri": service.url}
        file = tmp_path / "adc.json"
        file.write_text(json.dumps({**account, "private_key": private.decode()}), encoding="utf-8")
        monkeypatch.setenv("GOOGLE_APPLICATION_CREDENTIALS", str(file))
        monkeypatch.setenv("GOOGLE_CLOUD_PROJECT", "p")
        yield service


def test_a_token_is_fetched_once_for_all_threads(tokens: TokenService) -> None:
    with ThreadPoolExecutor(8) as pool:
        got = set(pool.map(lambda _: signing.google_token(), range(40)))
    assert got == {"token-1"}
    (asked,) = tokens.asked
    claims = json.loads(b64decode(asked["assertion"][0].split(".")[1] + "=="))
    assert claims["scope"] == "https://www.googleapis.com/auth/cloud-platform"


def test_a_token_is_renewed_before_it_expires(tokens: TokenService) -> None:
    tokens.lifetime = 5
    assert [signing.google_token(), signing.google_token()] == ["token-1", "token-2"]


def test_a_rejected_refresh_is_a_configuration_error(tokens: TokenService) -> None:
    tokens.status = 400
    with pytest.raises(ConfigurationError, match="invalid_grant"):
        signing.google_token()


def test_an_unreachable_token_service_is_a_connect_error_and_may_be_tried_again(tokens: TokenService) -> None:
    tokens.close()
    with pytest.raises(ConnectError) as caught:
        signing.google_token()
    assert caught.value.retryable


def test_no_google_credentials_is_reported_with_what_to_do(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    pytest.importorskip("google.auth", reason="google-auth is an optional extra")
    monkeypatch.setenv("GOOGLE_APPLICATION_CREDENTIALS", str(tmp_path / "absent.json"))
    with pytest.raises(ConfigurationError, match="gcloud auth"):
        signing.google_token()
