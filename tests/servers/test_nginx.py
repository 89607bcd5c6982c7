"""Behind nginx, as a proxy may stand between this library and a provider: TLS, buffers, gzip, its own error pages."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from time import monotonic
from typing import TYPE_CHECKING, Any

import pytest

from ailib_sync import AiClient, RetryPolicy, Timeout, errors
from ailib_sync.testing import FakeProvider
from ailib_sync.testing.certificate import write_pem

from ..local_server import free_ports
from ..time_limits import scaled
from .process import program, running

if TYPE_CHECKING:
    from collections.abc import Iterator

#: What a server adds to passing requests on, by name.
SERVERS = {
    "tls": "listen 127.0.0.1:{port} ssl http2; location / {{ proxy_pass http://provider; proxy_buffering off; }}",
    "tls_buffered": "listen 127.0.0.1:{port} ssl; location / {{ proxy_pass http://provider; }}",
    "unbuffered": "listen 127.0.0.1:{port}; location / {{ proxy_pass http://provider; proxy_buffering off; }}",
    "gzip": (
        "listen 127.0.0.1:{port}; gzip on; gzip_types *; gzip_min_length 1; gzip_proxied any; "
        "location / {{ proxy_pass http://provider; }}"
    ),
    "dead": "listen 127.0.0.1:{port}; location / {{ proxy_pass http://127.0.0.1:{dead}; }}",
    "impatient": (
        "listen 127.0.0.1:{port}; "
        "location / {{ proxy_pass http://provider; proxy_read_timeout 1s; proxy_buffering off; proxy_next_upstream off; }}"
    ),
    "limited": "listen 127.0.0.1:{port}; location / {{ limit_req zone=few; proxy_pass http://provider; }}",
    "slow": "listen 127.0.0.1:{port}; location / {{ limit_rate 400; proxy_pass http://provider; }}",
    "moved": "listen 127.0.0.1:{port}; location / {{ return 307 http://127.0.0.1:{gzip}$request_uri; }}",
    "small": "listen 127.0.0.1:{port}; client_max_body_size 1k; location / {{ proxy_pass http://provider; }}",
}

CONFIGURATION = """
daemon off; master_process off; pid {folder}/pid; error_log {folder}/error.log warn;
events {{ worker_connections 64; }}
http {{
  access_log off; proxy_http_version 1.1; proxy_set_header Connection "";
  client_body_temp_path {folder}/body; proxy_temp_path {folder}/proxy; fastcgi_temp_path {folder}/fastcgi;
  uwsgi_temp_path {folder}/uwsgi; scgi_temp_path {folder}/scgi;
  limit_req_zone $binary_remote_addr zone=few:1m rate=1r/m;
  ssl_certificate {pem}; ssl_certificate_key {pem};
  upstream provider {{ server 127.0.0.1:{provider}; keepalive 4; }}
  {servers}
}}
"""

TEXT = "A few words that come one after the other, and in the end they are all there."


@dataclass
class Proxy:
    """A running nginx and the provider behind it."""

    fake: FakeProvider
    ports: dict[str, int]
    pem: str

    def client(self, server: str, **options: Any) -> AiClient:
        secure = server.startswith("tls")
        given: dict[str, Any] = {"api_key": self.fake.api_key, "retry": 0, "trust_env": False, "timeout": 20}
        if secure:
            given["ca_bundle"] = self.pem
        url = f"http{'s' if secure else ''}://localhost:{self.ports[server]}/v1"
        return AiClient("openai/gpt-4o", base_url=url, **{**given, **options})


@pytest.fixture(scope="module")
def running_proxy(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Proxy]:
    binary = program("nginx", "apt-get install nginx-light")
    folder = tmp_path_factory.mktemp("nginx")
    pem = write_pem()
    try:
        with FakeProvider("openai") as fake:
            dead, *numbers = free_ports(len(SERVERS) + 1)
            ports = dict(zip(SERVERS, numbers, strict=True))
            servers = [text.format(port=ports[name], dead=dead, gzip=ports["gzip"]) for name, text in SERVERS.items()]
            text = CONFIGURATION.format(
                folder=folder, pem=pem, provider=fake.port, servers="\n  ".join(f"server {{ {one} }}" for one in servers)
            )
            (folder / "nginx.conf").write_text(text, encoding="utf-8")
            with running([binary, "-c", str(folder / "nginx.conf"), "-p", str(folder)], numbers[-1], folder / "log"):
                yield Proxy(fake, ports, pem)
    finally:
        Path(pem).unlink()


@pytest.fixture
def proxy(running_proxy: Proxy) -> Iterator[Proxy]:
    running_proxy.fake.requests.clear()
    yield running_proxy
    running_proxy.fake.delay()


@pytest.mark.parametrize("server", ["tls", "tls_buffered", "unbuffered", "gzip"])
def test_an_response_and_a_stream_come_through(proxy: Proxy, server: str) -> None:
    proxy.fake.reply(TEXT, times=2)
    with proxy.client(server) as client:
        assert client.chat().user("Hi").execute().content == TEXT
        with client.chat().user("Hi").stream() as stream:
            answer = stream.collect()
    assert (answer.content, answer.finish_reason) == (TEXT, "end_turn")
    assert answer.usage.total_tokens


@pytest.mark.parametrize("server", ["tls", "unbuffered"])
def test_a_stream_is_read_as_it_comes(proxy: Proxy, server: str) -> None:
    proxy.fake.reply(TEXT)
    proxy.fake.delay(between_events=0.03)
    with proxy.client(server) as client, client.chat().user("Hi").stream() as stream:
        answer, stats = stream.collect(), stream.stats
    assert answer.content == TEXT
    assert stats.time_to_first_token_ms is not None
    assert stats.time_to_first_token_ms < stats.latency_ms / 2


def test_a_stream_that_was_compressed_all_the_same_is_read(proxy: Proxy) -> None:
    proxy.fake.reply(TEXT)
    with proxy.client("gzip") as client, client.chat().user("Hi").header("Accept-Encoding", "gzip").stream() as stream:
        assert stream.collect().content == TEXT


def test_a_certificate_that_nobody_signed_is_rejected(proxy: Proxy) -> None:
    with proxy.client("tls", ca_bundle=None) as client, pytest.raises(errors.TlsError):
        client.chat().user("Hi").execute()
    assert not proxy.fake.requests


@pytest.mark.parametrize("way", ["execute", "stream"])
def test_a_bad_gateway_is_the_servers_failure(proxy: Proxy, way: str) -> None:
    with proxy.client("dead") as client, pytest.raises(errors.ServerError) as caught:
        getattr(client.chat().user("Hi"), way)()
    assert caught.value.status_code == 502
    assert caught.value.retryable
    assert len(str(caught.value)) < 500


def test_a_provider_that_hangs_up_is_a_bad_gateway_too(proxy: Proxy) -> None:
    proxy.fake.fault("close_before_response")
    with proxy.client("unbuffered") as client, pytest.raises(errors.ServerError) as caught:
        client.chat().user("Hi").execute()
    assert caught.value.status_code == 502


def test_a_gateway_that_waits_no_longer_is_a_timeout_of_the_providers(proxy: Proxy) -> None:
    proxy.fake.delay(first_byte=3)
    with proxy.client("impatient") as client, pytest.raises(errors.ProviderTimeout) as caught:
        client.chat().user("Hi").execute()
    assert caught.value.status_code == 504


def test_a_stream_that_the_gateway_gives_up_keeps_what_had_arrived(proxy: Proxy) -> None:
    proxy.fake.fault("stall", text=TEXT, after=5)
    with (
        proxy.client("impatient") as client,
        client.chat().user("Hi").stream() as stream,
        pytest.raises(errors.TransportError) as caught,
    ):
        list(stream)
    assert isinstance(caught.value, (errors.StreamInterrupted, errors.ConnectionLost))
    assert caught.value.partial is not None
    assert caught.value.partial.content
    assert TEXT.startswith(caught.value.partial.content)


def test_a_limit_of_the_gateways_is_waited_for_like_any_other(proxy: Proxy) -> None:
    waits: list[float] = []
    with proxy.client("limited", retry=0) as client:
        client.chat().user("Hi").execute()
    policy = RetryPolicy(max_retries=1, base_delay=0.01)
    again = proxy.client("limited", retry=policy, on_retry=lambda error, attempt, wait: waits.append(wait))
    with again as client, pytest.raises(errors.Overloaded) as caught:
        client.chat().user("Hi").execute()
    assert caught.value.status_code == 503
    assert (len(waits), len(caught.value.attempts)) == (1, 2)


def test_a_slow_response_ends_at_the_deadline(proxy: Proxy) -> None:
    proxy.fake.reply(TEXT * 50)
    started = monotonic()
    with proxy.client("slow", timeout=Timeout(total=1.0)) as client, pytest.raises(errors.DeadlineExceeded):
        client.chat().user("Hi").execute()
    assert monotonic() - started < scaled(3)


def test_a_redirect_is_not_followed(proxy: Proxy) -> None:
    with proxy.client("moved") as client, pytest.raises(errors.RedirectRefused):
        client.chat().user("Hi").execute()
    assert not proxy.fake.requests


@pytest.mark.parametrize("words", [1_000, 2_000_000])
def test_a_request_that_is_too_large_for_the_gateway(proxy: Proxy, words: int) -> None:
    """The larger one is refused while it is still being written."""
    with proxy.client("small") as client, pytest.raises(errors.RequestTooLarge) as caught:
        client.chat().user("long " * words).execute()
    assert caught.value.status_code == 413
    assert not proxy.fake.requests
