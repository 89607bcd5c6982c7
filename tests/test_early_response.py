"""A response that comes before the request is sent completely is read, over TLS too, and its connection is not reused."""

from __future__ import annotations

import socket
import ssl
from contextlib import suppress
from typing import Any

import pytest

from ailib_sync import AiClient, Timeout
from ailib_sync.errors import ConnectionLost, RequestTooLarge, WriteTimeout

from . import wire
from .faults.certificates import bundle, server_context
from .local_server import LocalServer, Peer, Request
from .time_limits import scaled

BIG = "x" * (8 << 20)
TRANSPORTS = ["plain", "TLS 1.2", "TLS 1.3"]
MODELS = ["openai/gpt-4o", "anthropic/claude-sonnet-4-5", "gemini/gemini-2.5-flash"]


def too_large(peer: Peer) -> None:
    peer.send(wire.reply(413, wire.error_body("body too large"), {"Connection": "close"}))


def then_closes(peer: Peer, request: Request) -> bool:
    too_large(peer)
    return False


def then_closes_its_side(peer: Peer, request: Request) -> bool:
    too_large(peer)
    peer.fin()
    peer.server.over.wait(scaled(0.3))
    return False


def then_stops_reading(peer: Peer, request: Request) -> bool:
    too_large(peer)
    peer.server.over.wait(scaled(10))
    return False


def then_reads_on(peer: Peer, request: Request) -> bool:
    """The connection could be reused after this one: everything that was sent is read."""
    peer.send(wire.reply(413, wire.error_body("body too large")))
    left = int(request.headers["content-length"]) - peer.take_rest()
    while left > 0:
        left -= len(peer.sock.recv(min(left, 1 << 20)))
    return True


def serve(transport: str, play: Any, tmp_path: Any) -> tuple[LocalServer, dict[str, Any]]:
    if transport == "plain":
        return LocalServer(play, reads_bodies=False), {}
    context = server_context("good")
    assert context is not None
    version = ssl.TLSVersion.TLSv1_2 if transport == "TLS 1.2" else ssl.TLSVersion.TLSv1_3
    context.minimum_version = context.maximum_version = version
    return LocalServer(play, reads_bodies=False, tls=context), {"ca_bundle": bundle(tmp_path)}


@pytest.mark.parametrize("stream", [False, True], ids=["complete", "stream"])
@pytest.mark.parametrize("transport", TRANSPORTS)
@pytest.mark.parametrize(
    "play", [then_closes, then_closes_its_side, then_stops_reading, then_reads_on], ids=lambda p: p.__name__
)
def test_an_early_error_response_is_raised(play, transport, stream, tmp_path):
    server, options = serve(transport, play, tmp_path)
    with server:
        options["timeout"] = Timeout(connect=scaled(0.5), read=scaled(5))
        client = AiClient("openai/gpt-4o", base_url=server.url, api_key="k", retry=0, **options)
        chat = client.chat().user(BIG)
        with pytest.raises(RequestTooLarge, match="body too large"):
            chat.stream() if stream else chat.execute()
        server.heal()
        assert client.chat().user("echo next").execute().content == "echo next"
        assert server.requests[-1].connection == (1 if play is then_reads_on else 2)


@pytest.mark.parametrize("model", MODELS)
@pytest.mark.parametrize("transport", TRANSPORTS)
def test_an_early_error_response_is_raised_for_each_dialect(model, transport, tmp_path):
    server, options = serve(transport, then_closes, tmp_path)
    with server:
        client = AiClient(model, base_url=server.url, api_key="k", retry=0, **options)
        with pytest.raises(RequestTooLarge, match="body too large"):
            client.chat().user(BIG).execute()


@pytest.mark.parametrize("transport", TRANSPORTS)
def test_without_a_response_a_broken_upload_is_a_lost_connection(transport, tmp_path):
    server, options = serve(transport, lambda peer, request: False, tmp_path)
    with server:
        client = AiClient("openai/gpt-4o", base_url=server.url, api_key="k", retry=0, **options)
        with pytest.raises(ConnectionLost):
            client.chat().user(BIG).execute()


@pytest.mark.parametrize("transport", TRANSPORTS)
def test_without_a_response_a_stalled_upload_is_a_write_timeout(transport, tmp_path):
    server, options = serve(transport, lambda peer, request: peer.server.over.wait(scaled(10)) and None, tmp_path)
    with server:
        options["timeout"] = Timeout(connect=scaled(0.4))
        client = AiClient("openai/gpt-4o", base_url=server.url, api_key="k", retry=0, **options)
        with pytest.raises(WriteTimeout):
            client.chat().user(BIG).execute()


def test_an_early_success_is_a_response_too(tmp_path):
    """For example a cached one, from a proxy that does not need the whole request."""

    def play(peer: Peer, request: Request) -> bool:
        peer.send(wire.reply(200, wire.completion("early")))
        peer.sock.shutdown(socket.SHUT_RD)
        return False

    with LocalServer(play, reads_bodies=False) as server:
        client = AiClient("openai/gpt-4o", base_url=server.url, api_key="k", retry=0)
        with suppress(ConnectionLost):  # the reset may overtake the response
            assert client.chat().user(BIG).execute().content == "early"
