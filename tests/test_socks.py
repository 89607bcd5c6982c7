"""The negotiation with a SOCKS proxy is within the limits of the call, and a cancel ends it."""

from __future__ import annotations

import threading
from time import monotonic
from typing import TYPE_CHECKING, Any

import pytest

from ailib_sync import AiClient, Cancelled, CancelToken, ConnectError, ConnectTimeout, DeadlineExceeded, Timeout

from . import wire
from .local_server import LocalServer
from .test_idle import relay
from .time_limits import LATE, scaled

if TYPE_CHECKING:
    from .local_server import Peer

pytest.importorskip("socks")


def silent(peer: Peer) -> bool:
    peer.wait()
    return False


def silent_after_the_method(peer: Peer) -> bool:
    peer.sock.recv(3)
    peer.send(b"\x05\x00")
    peer.wait()
    return False


def dripping(peer: Peer) -> bool:
    """A byte every 50 ms: no single read takes long. The name of the bound address is 255 bytes long (RFC 1928 6)."""
    peer.drip(b"\x05\x00\x05\x00\x00\x03\xff" + b"x" * 257, scaled(0.05))
    return False


def refuses(peer: Peer) -> bool:
    peer.sock.recv(3)
    peer.send(b"\x05\x00")
    peer.sock.recv(300)
    peer.send(b"\x05\x05\x00\x01" + b"\x00" * 6)  # RFC 1928 6: connection refused
    return False


def hangs_up(peer: Peer) -> bool:
    return False


def call(
    monkeypatch: pytest.MonkeyPatch, greet: Any, *, scheme: str = "socks5h", cancel: CancelToken | None = None, **timeout: float
) -> str:
    with LocalServer(wire.healthy) as server, LocalServer(wire.healthy, greet=greet) as proxy:
        # Not through the environment: loopback never goes through its proxy.
        url = f"{scheme}://127.0.0.1:{proxy.port}"
        monkeypatch.setattr("ailib_sync.http.proxies.proxy_for", lambda *address: url)
        base_url = server.url.replace("127.0.0.1", "localhost") if scheme == "socks5" else server.url
        client = AiClient("openai/gpt-4o", api_key="k", base_url=base_url, retry=0, timeout=Timeout(**timeout))
        return client.chat().user("echo Hello").execute(cancel=cancel).content


@pytest.mark.parametrize("greet", [silent, silent_after_the_method, dripping])
def test_a_cancel_ends_the_negotiation(monkeypatch, greet):
    token = CancelToken()
    cancelled: list[float] = []

    def cancel() -> None:
        cancelled.append(monotonic())
        token.cancel()

    timer = threading.Timer(scaled(0.3), cancel)
    timer.start()
    with pytest.raises(Cancelled):
        call(monkeypatch, greet, cancel=token, connect=scaled(20), total=scaled(20))
    assert monotonic() - cancelled[0] < scaled(1)
    timer.join()


@pytest.mark.parametrize("greet", [silent, silent_after_the_method, dripping])
@pytest.mark.parametrize(
    ("limits", "kind"), [({"connect": 0.4, "total": 20}, ConnectTimeout), ({"connect": 20, "total": 0.4}, DeadlineExceeded)]
)
def test_one_limit_bounds_the_negotiation(monkeypatch, greet, limits, kind):
    started = monotonic()
    with pytest.raises(kind):
        call(monkeypatch, greet, **{name: scaled(seconds) for name, seconds in limits.items()})
    assert scaled(0.4) - 0.02 <= monotonic() - started < scaled(0.4) + 4 * LATE


@pytest.mark.parametrize(("greet", "text"), [(refuses, "Connection refused"), (hangs_up, "SOCKS proxy")])
def test_a_proxy_that_gives_no_connection_is_a_connect_error(monkeypatch, greet, text):
    with pytest.raises(ConnectError, match=text):
        call(monkeypatch, greet)


@pytest.mark.parametrize("scheme", ["socks5", "socks5h"])
def test_the_name_is_looked_up_here_or_by_the_proxy(monkeypatch, scheme):
    assert call(monkeypatch, relay, scheme=scheme) == "echo Hello"
