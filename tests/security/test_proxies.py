"""The environment's proxies and CA bundles: as requests reads them, but for a few differences that are argued here."""

from __future__ import annotations

import os
import ssl
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from requests.utils import get_environ_proxies, select_proxy

from ailib_sync import AiClient
from ailib_sync.errors import ProxyError, TlsError
from ailib_sync.http.pools import Pools
from ailib_sync.http.proxies import proxy_for
from ailib_sync.http.tls import tls_context

P, Q = "http://proxy.example:3128", "http://other.example:8080"

#: (environment, address, proxy), where requests and we agree.
SAME: list[tuple[dict[str, str], str, str | None]] = [
    ({}, "https://api.openai.com/v1", None),
    ({"HTTPS_PROXY": P}, "https://api.openai.com/v1", P),
    ({"https_proxy": P}, "https://api.openai.com/v1", P),
    ({"https_proxy": P, "HTTPS_PROXY": Q}, "https://api.openai.com/v1", P),
    ({"https_proxy": "", "HTTPS_PROXY": Q}, "https://api.openai.com/v1", None),
    ({"HTTP_PROXY": P}, "https://api.openai.com/v1", None),
    ({"HTTP_PROXY": P}, "http://api.openai.com/v1", P),
    ({"ALL_PROXY": P}, "https://api.openai.com/v1", P),
    ({"all_proxy": P, "https_proxy": Q}, "https://api.openai.com/v1", Q),
    ({"HTTPS_PROXY": P, "NO_PROXY": "api.openai.com"}, "https://api.openai.com/v1", None),
    ({"HTTPS_PROXY": P, "NO_PROXY": "openai.com"}, "https://api.openai.com/v1", None),
    ({"HTTPS_PROXY": P, "NO_PROXY": ".openai.com"}, "https://api.openai.com/v1", None),
    ({"HTTPS_PROXY": P, "NO_PROXY": "a.example, openai.com"}, "https://api.openai.com/v1", None),
    ({"HTTPS_PROXY": P, "NO_PROXY": "example.com"}, "https://api.openai.com/v1", P),
    ({"HTTPS_PROXY": P, "NO_PROXY": "openai.com"}, "https://notopenai.com/v1", P),
    ({"HTTPS_PROXY": P, "NO_PROXY": "*"}, "https://api.openai.com/v1", None),
    ({"HTTPS_PROXY": P, "no_proxy": "api.openai.com", "NO_PROXY": "x"}, "https://api.openai.com/v1", None),
    ({"HTTPS_PROXY": P, "no_proxy": "", "NO_PROXY": "api.openai.com"}, "https://api.openai.com/v1", None),
    ({"HTTPS_PROXY": P, "NO_PROXY": "api.corp:8443"}, "https://api.corp:8443/v1", None),
    ({"HTTPS_PROXY": P, "NO_PROXY": "api.corp:8443"}, "https://api.corp/v1", P),
    ({"HTTPS_PROXY": P, "NO_PROXY": "10.0.0.0/8"}, "https://10.1.2.3/v1", None),
    ({"HTTPS_PROXY": P, "NO_PROXY": "10.0.0.0/8"}, "https://11.1.2.3/v1", P),
    ({"HTTPS_PROXY": P, "NO_PROXY": "10.1.2.3"}, "https://10.1.2.3/v1", None),
    ({"HTTP_PROXY": P, "REQUEST_METHOD": "POST"}, "http://api.openai.com/v1", None),
    ({"http_proxy": P, "REQUEST_METHOD": "POST"}, "http://api.openai.com/v1", P),
    ({"HTTPS_PROXY": P, "NO_PROXY": "10.1.2.4"}, "https://10.1.2.3/v1", P),
    ({"HTTPS_PROXY": P, "NO_PROXY": ""}, "https://api.openai.com/v1", P),
    ({"HTTPS_PROXY": P, "NO_PROXY": ", ,"}, "https://api.openai.com/v1", P),
    ({"HTTPS_PROXY": P, "NO_PROXY": "API.OpenAI.com"}, "https://api.openai.com/v1", None),
    ({"HTTPS_PROXY": "socks5://proxy.example:1080"}, "https://api.openai.com/v1", "socks5://proxy.example:1080"),
]

#: (environment, address, our proxy, requests' proxy, why).
DIFFERENT: list[tuple[dict[str, str], str, str | None, str | None, str]] = [
    (
        {"HTTP_PROXY": P},
        "http://localhost:8000/v1",
        None,
        P,
        "a proxy cannot reach this machine, and is told no key of a local server",
    ),
    ({"HTTP_PROXY": P}, "http://127.0.0.1:8000/v1", None, P, "the same"),
    ({"HTTPS_PROXY": P, "NO_PROXY": "*.openai.com"}, "https://api.openai.com/v1", None, P, "people write it so, and mean it"),
    ({"HTTPS_PROXY": P, "NO_PROXY": "fd00::/8"}, "https://[fd00::1]/v1", None, P, "networks of IPv6 are networks too"),
    (
        {"HTTPS_PROXY": "proxy.example:3128"},
        "https://api.openai.com/v1",
        P,
        "proxy.example:3128",
        "completed here, there at its use",
    ),
]
#: (NO_PROXY, address, whether the proxy is used): curl's manual, `host:port` of requests, and each form of an IPv6 address.
CURL: list[tuple[str, str, bool]] = [
    ("a.example openai.com", "https://api.openai.com/v1", False),
    ("a.example,\topenai.com", "https://api.openai.com/v1", False),
    ("openai.com.", "https://api.openai.com/v1", False),
    ("openai.com", "https://api.openai.com./v1", False),
    (".", "https://api.openai.com/v1", True),
    ("enai.com", "https://api.openai.com/v1", True),
    ("1.2.3", "https://9.1.2.3/v1", True),
    ("192.168.0.1/32", "https://192.168.0.1/v1", False),
    ("192.168.0.1/24", "https://192.168.0.200/v1", False),
    ("192.168.0.0/33", "https://192.168.0.1/v1", True),
    ("[2001:db8::1]", "https://[2001:db8::1]/v1", False),
    ("2001:db8::1", "https://[2001:db8::1]/v1", False),
    ("2001:DB8:0:0::1", "https://[2001:db8::1]/v1", False),
    ("2001:db8::2", "https://[2001:db8::1]/v1", True),
    ("2001:db8::/32", "https://[2001:db8:1::1]/v1", False),
    ("[2001:db8::]/32", "https://[2001:db8:1::1]/v1", False),
    ("[2001:db8::/32]", "https://[2001:db8:1::1]/v1", False),
    ("2001:db8::/32", "https://[2001:db9::1]/v1", True),
    ("[2001:db8::1]:8443", "https://[2001:db8::1]:8443/v1", False),
    ("[2001:db8::1]:8443", "https://[2001:db8::1]/v1", True),
    ("10.1.2.3:8443", "https://10.1.2.3:8443/v1", False),
    ("10.1.2.3:8443", "https://10.1.2.3/v1", True),
    ("openai.com:443", "https://api.openai.com/v1", False),
    ("10.0.0.0/8", "https://[::ffff:10.1.2.3]/v1", False),
]
VARIABLES = (
    "HTTP_PROXY",
    "HTTPS_PROXY",
    "ALL_PROXY",
    "NO_PROXY",
    "http_proxy",
    "https_proxy",
    "all_proxy",
    "no_proxy",
    "REQUEST_METHOD",
)


@pytest.fixture(autouse=True)
def _clean(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in (*VARIABLES, "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "SSL_CERT_FILE", "SSL_CERT_DIR"):
        monkeypatch.delenv(name, raising=False)


def ours(url: str) -> str | None:
    parts = urlsplit(url)
    return proxy_for(parts.scheme, parts.hostname or "", parts.port)


def theirs(url: str) -> Any:
    return select_proxy(url, get_environ_proxies(url, no_proxy=None))


@pytest.mark.parametrize(("env", "url", "proxy"), SAME, ids=[f"{env} {url}" for env, url, _ in SAME])
def test_a_proxy_is_chosen_as_requests_chooses_it(
    env: dict[str, str], url: str, proxy: str | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in env.items():
        monkeypatch.setenv(name, value)
    assert ours(url) == proxy
    assert theirs(url) == proxy


@pytest.mark.parametrize(("env", "url", "here", "there", "why"), DIFFERENT, ids=[why for *_, why in DIFFERENT])
def test_the_differences_are_these(
    env: dict[str, str], url: str, here: str | None, there: str | None, why: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in env.items():
        monkeypatch.setenv(name, value)
    assert ours(url) == here
    assert theirs(url) == there


@pytest.mark.parametrize(("no_proxy", "url", "proxied"), CURL, ids=[f"{entry} {url}" for entry, url, _ in CURL])
def test_no_proxy_has_the_forms_of_curl_and_requests(
    no_proxy: str, url: str, proxied: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HTTPS_PROXY", P)
    monkeypatch.setenv("NO_PROXY", no_proxy)
    assert ours(url) == (P if proxied else None)


@pytest.mark.parametrize("variable", ["ALL_PROXY", "all_proxy", "HTTPS_PROXY"])
@pytest.mark.parametrize(
    ("value", "message"),
    [
        ("socks://user:hidden@proxy.example:1080/", r"{} begins with socks://, which names no version: write socks5h://"),
        ("SOCKS://proxy.example:1080", r"{} begins with socks://"),
        ("ftp://user:hidden@proxy.example", r"{} is not a proxy URL: it must begin with http://, https://, socks4://"),
        ("http://user:hidden@[::bad", r"{} is not a valid proxy URL"),
        ("socks5://user:hidden@[::bad", r"{} is not a valid proxy URL"),
    ],
)
def test_a_proxy_that_cannot_be_used_is_reported_with_its_variable(
    variable: str, value: str, message: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(variable, value)
    with pytest.raises(ProxyError, match=message.format(variable)) as caught:
        AiClient("openai/m", api_key="k", retry=0).chat().user("Hello").execute()
    assert "hidden" not in str(caught.value)


def test_proxies_can_be_turned_off(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTPS_PROXY", P)
    url = "https://api.openai.com/v1"
    trusting, distrusting = (AiClient("openai/m", trust_env=trust)._route.transport._pool(url)[0] for trust in (True, False))
    assert type(trusting).__name__ == "ProxyManager"
    assert type(distrusting).__name__ == "TlsPool"


def test_a_proxys_password_is_sent_decoded_and_kept_out_of_its_address(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTPS_PROXY", "http://us%40er:p%2Fw@proxy.example:3128")
    manager, _ = Pools(True, None, 1).find("https://api.openai.com/v1")
    assert manager.proxy_headers == {"proxy-authorization": "Basic dXNAZXI6cC93"}
    assert manager.proxy.url == "http://proxy.example:3128"


def trusted(context: ssl.SSLContext) -> int:
    return len(context.get_ca_certs())


@pytest.fixture
def bundle(tmp_path: Path) -> str:
    """A bundle of one certificate."""
    from ailib_sync.testing import certificate

    pem = next(value for value in vars(certificate).values() if isinstance(value, str) and "BEGIN CERTIFICATE" in value)
    start = pem.index("-----BEGIN CERTIFICATE")
    path = tmp_path / "ca.pem"
    path.write_text(pem[start : pem.index("-----END CERTIFICATE-----") + 26])
    return str(path)


@pytest.mark.parametrize("name", ["REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE"])
def test_a_bundle_of_the_environment_is_all_that_is_trusted(name: str, bundle: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """As with requests: who names a bundle means that one. `trust_env=False` turns it off, `ca_bundle` wins over it."""
    usual = trusted(tls_context(None, True))
    monkeypatch.setenv(name, bundle)
    assert _stats(tls_context(None, True)) == 1
    assert trusted(tls_context(None, False)) == usual
    monkeypatch.setenv(name, os.devnull + "/none")
    assert _stats(tls_context(bundle, True)) == 1


def _stats(context: ssl.SSLContext) -> int:
    return context.cert_store_stats()["x509"]


@pytest.mark.parametrize("content", [None, "", "no certificate"])
def test_a_bundle_that_cannot_be_read_is_reported_and_nothing_is_trusted_instead(content: str | None, tmp_path: Path) -> None:
    path = tmp_path / "ca.pem"
    if content is not None:
        path.write_text(content)
    with pytest.raises(TlsError, match=r"the CA bundle .*ca\.pem cannot be read"):
        tls_context(str(path), True)


def test_no_older_tls_than_1_2_is_spoken() -> None:
    context = tls_context(None, True)
    assert context.minimum_version == ssl.TLSVersion.TLSv1_2
    assert context.verify_mode == ssl.CERT_REQUIRED
    assert context.check_hostname
