"""Which certificates are trusted: the client's context or bundle, the variables of the environment, the system."""

from __future__ import annotations

import os
import pickle
import ssl
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import urllib3

from ailib_sync import AiClient
from ailib_sync.errors import AiLibError, ConfigurationError, TlsError
from ailib_sync.http.tls import tls_context

from .. import wire
from ..faults.certificates import authority, bundle, server_context
from ..local_server import LocalServer

VARIABLES = ("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "SSL_CERT_FILE", "SSL_CERT_DIR")


@pytest.fixture(autouse=True)
def _clean(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in VARIABLES:
        monkeypatch.delenv(name, raising=False)


def client_of(server: LocalServer, **options: Any) -> AiClient:
    return AiClient("openai/gpt-4o", base_url=server.url, api_key="k", retry=0, **options)


def outcome(server: LocalServer, **options: Any) -> str:
    try:
        return client_of(server, **options).chat().user("Hello").execute().content
    except AiLibError as error:
        return type(error).__name__


def trusting(tmp_path: Path) -> ssl.SSLContext:
    return ssl.create_default_context(cafile=bundle(tmp_path))


def test_a_context_of_the_caller_s_is_used(tmp_path):
    with LocalServer(wire.healthy, tls=server_context("good")) as server:
        assert outcome(server) == "TlsError"
        assert outcome(server, ssl_context=trusting(tmp_path)) == wire.TEXT


def test_a_client_certificate_is_sent(tmp_path):
    context = server_context("good")
    assert context is not None
    context.verify_mode = ssl.CERT_REQUIRED
    context.load_verify_locations(bundle(tmp_path))
    own = trusting(tmp_path)
    path = tmp_path / "client.pem"
    authority("ours").issue_cert("client@example.com").private_key_and_cert_chain_pem.write_to_path(str(path))
    own.load_cert_chain(str(path))
    with LocalServer(wire.healthy, tls=context) as server:
        assert outcome(server, ssl_context=trusting(tmp_path)) in ("TlsError", "ConnectionLost")
        assert outcome(server, ssl_context=own) == wire.TEXT


def test_a_context_of_the_caller_s_decides_about_host_names(tmp_path):
    own = trusting(tmp_path)
    own.check_hostname = False
    with LocalServer(wire.healthy, tls=server_context("wrong-host")) as server:
        assert outcome(server, ssl_context=trusting(tmp_path)) == "TlsError"
        assert outcome(server, ssl_context=own) == wire.TEXT


def test_a_context_of_the_caller_s_wins_over_the_variables(tmp_path, monkeypatch):
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(tmp_path / "none.pem"))
    with LocalServer(wire.healthy, tls=server_context("good")) as server:
        assert outcome(server, ssl_context=trusting(tmp_path)) == wire.TEXT


def test_fallbacks_that_are_named_get_the_context(tmp_path):
    context = trusting(tmp_path)
    client = AiClient("openai/gpt-4o", api_key="k", ssl_context=context, fallbacks=["anthropic/claude-sonnet-4-5"])
    assert client._fallbacks[0]._route.transport.ssl_context is context


@pytest.mark.parametrize("other", [{"ca_bundle": "ca.pem"}, {"http": urllib3.PoolManager()}], ids=["ca_bundle", "http"])
def test_a_context_and_another_source_of_trust_contradict_each_other(other):
    with pytest.raises(ConfigurationError, match=f"ssl_context and {next(iter(other))} cannot be given together"):
        AiClient("openai/gpt-4o", ssl_context=ssl.create_default_context(), **other)


def test_a_client_with_a_context_is_not_pickled_without_it():
    client = AiClient("openai/gpt-4o", ssl_context=ssl.create_default_context())
    with pytest.raises(ConfigurationError, match="ssl_context cannot be pickled"):
        pickle.dumps(client)


def hashed_folder(tmp_path: Path) -> str:
    """A folder as `openssl rehash` makes it."""
    folder = tmp_path / "certs"
    folder.mkdir()
    path = folder / "ca.pem"
    path.write_bytes(authority("ours").cert_pem.bytes())
    name = subprocess.run(
        ["openssl", "x509", "-noout", "-hash", "-in", str(path)], capture_output=True, text=True, check=True
    ).stdout.strip()
    path.rename(folder / f"{name}.0")
    return str(folder)


#: In the order in which they decide.
ORDER = ["ca_bundle", "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "SSL_CERT_FILE"]


@pytest.mark.parametrize("number", range(len(ORDER)))
def test_each_source_of_trust_wins_over_the_ones_after_it(number, tmp_path, monkeypatch):
    useless = tmp_path / "other.pem"
    useless.write_bytes(authority("stranger").cert_pem.bytes())
    options = {}
    for position, name in enumerate(ORDER[number:]):
        path = str(useless) if position else bundle(tmp_path)
        if name == "ca_bundle":
            options["ca_bundle"] = path
        else:
            monkeypatch.setenv(name, path)
    with LocalServer(wire.healthy, tls=server_context("good")) as server:
        assert outcome(server, **options) == wire.TEXT


@pytest.mark.parametrize("name", VARIABLES[:3])
def test_without_trust_in_the_environment_no_variable_counts(name, tmp_path, monkeypatch):
    monkeypatch.setenv(name, bundle(tmp_path))
    with LocalServer(wire.healthy, tls=server_context("good")) as server:
        assert outcome(server) == wire.TEXT
        assert outcome(server, trust_env=False) == "TlsError"


@pytest.mark.skipif(sys.platform == "win32", reason="needs the openssl program")
def test_a_folder_of_certificates_is_trusted_unless_the_environment_is_not(tmp_path, monkeypatch):
    folder = hashed_folder(tmp_path)
    with LocalServer(wire.healthy, tls=server_context("good")) as server:
        assert outcome(server, ca_bundle=folder) == wire.TEXT
        monkeypatch.setenv("SSL_CERT_DIR", folder)
        assert outcome(server) == wire.TEXT
        assert outcome(server, trust_env=False) == "TlsError"


def test_a_file_that_does_not_exist_is_an_error_not_ignored(tmp_path, monkeypatch):
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "none.pem"))
    with pytest.raises(TlsError, match=r"SSL_CERT_FILE names .*none\.pem, which is not a file"):
        tls_context(None, True)


def test_without_trust_in_the_environment_the_system_s_certificates_stay(monkeypatch):
    usual = tls_context(None, False).cert_store_stats()
    monkeypatch.setenv("SSL_CERT_FILE", os.devnull + "/none")
    assert tls_context(None, False).cert_store_stats() == usual
    context = tls_context(None, False)
    assert (context.verify_mode, context.check_hostname) == (ssl.CERT_REQUIRED, True)
    assert context.minimum_version == ssl.TLSVersion.TLSv1_2
