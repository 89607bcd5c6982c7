"""Connects: the addresses of a host share one time limit, and a cancelled call stops waiting."""

from __future__ import annotations

import socket
import threading
from time import monotonic, sleep
from types import SimpleNamespace

import pytest
from urllib3 import exceptions as u3

from ailib_sync import Cancelled
from ailib_sync.http.connect import connect
from ailib_sync.http.timeouts import CallClock, Timeout

from . import wire
from .local_server import LocalServer
from .time_limits import scaled

SECONDS = scaled(1.0)


def connection_to(host, port, seconds=SECONDS, **more):
    made = {"host": host, "_dns_host": host, "port": port, "timeout": seconds, "socket_options": None, "source_address": None}
    return SimpleNamespace(**{**made, **more})


def clock():
    return CallClock(Timeout(), stream=False)


@pytest.fixture
def server():
    with LocalServer(wire.healthy) as server:
        yield server


@pytest.fixture
def dead():
    """A port that drops every SYN."""
    with LocalServer(wire.healthy, backlog=0) as server:
        yield server.port


@pytest.fixture
def refused():
    """A port without a listener."""
    with LocalServer(wire.healthy, listens=False) as server:
        yield server.port


@pytest.fixture
def names(monkeypatch):
    """Host names for ports of this machine: `names["example.com"] = [1, 2]`, or a function that is called for the name."""
    known = {}

    def look_up(host, port, *rest):
        found = known.get(host, [port])
        if callable(found):
            return found()
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", ("127.0.0.1", each)) for each in found]

    monkeypatch.setattr(socket, "getaddrinfo", look_up)
    return known


def test_after_a_rejected_address_the_next_is_tried(server, refused, names):
    names["example.com"] = [refused, server.port]
    with connect(connection_to("example.com", 80), clock()) as sock:
        assert sock.getpeername()[1] == server.port
        assert 0 < sock.gettimeout() <= SECONDS


def test_an_unresponsive_address_uses_only_its_share_of_the_limit(server, dead, names):
    names["example.com"] = [dead, server.port]
    started = monotonic()
    with connect(connection_to("example.com", 80, scaled(0.6)), clock()) as sock:
        assert sock.getpeername()[1] == server.port
    assert scaled(0.3) <= monotonic() - started < scaled(0.5)


def test_unresponsive_addresses_share_one_limit(dead, names):
    names["example.com"] = [dead] * 3
    started = monotonic()
    with pytest.raises(u3.ConnectTimeoutError):
        connect(connection_to("example.com", 80, scaled(0.4)), clock())
    assert scaled(0.4) <= monotonic() - started < scaled(0.6)


@pytest.mark.parametrize("found", [[], None], ids=["no address", "refused"])
def test_without_a_reachable_address_there_is_no_connection(found, refused, names):
    names["example.com"] = [refused] if found is None else found
    with pytest.raises(u3.NewConnectionError, match=r"refused|no address"):
        connect(connection_to("example.com", 80), clock())


@pytest.mark.parametrize("error", [socket.gaierror(socket.EAI_NONAME, "unknown"), UnicodeError("label too long")], ids=repr)
def test_an_unknown_host_name_is_reported(error, names):
    def fail():
        raise error

    names["example.com"] = fail
    with pytest.raises(u3.NameResolutionError, match=r"example\.com"):
        connect(connection_to("example.com", 80), clock())


def test_a_slow_look_up_is_within_the_limit(names):
    over = threading.Event()
    names["example.com"] = lambda: over.wait(scaled(5)) and []
    started = monotonic()
    with pytest.raises(u3.ConnectTimeoutError, match="not resolved"):
        connect(connection_to("example.com", 80, scaled(0.2)), clock())
    assert monotonic() - started < scaled(0.4)
    over.set()


@pytest.mark.parametrize("message", ["can't start new thread", "can't create new thread at interpreter shutdown"])
def test_where_no_thread_can_start_the_name_is_looked_up_in_this_one(message, server, names, monkeypatch):
    start = threading.Thread.start

    def fail(thread):
        if thread.name == "ailib-sync look-up":
            raise RuntimeError(message)
        start(thread)

    names["example.com"] = [server.port]
    monkeypatch.setattr(threading.Thread, "start", fail)
    with connect(connection_to("example.com", 80), clock()) as sock:
        assert sock.getpeername()[1] == server.port


@pytest.mark.parametrize("where", ["look-up", "connect"])
def test_a_cancelled_call_stops_waiting(where, dead, names):
    over = threading.Event()
    names["example.com"] = (lambda: over.wait(scaled(5)) and []) if where == "look-up" else [dead]
    call = clock()
    at = []

    def cancel():
        sleep(scaled(0.1))
        at.append(monotonic())
        call.cancel()

    thread = threading.Thread(target=cancel)
    thread.start()
    with pytest.raises(Cancelled):
        connect(connection_to("example.com", 80, scaled(5.0)), call)
    assert monotonic() - at[0] < scaled(0.2)
    thread.join()
    over.set()


def test_a_connection_without_a_limit_has_none(server):
    with connect(connection_to("127.0.0.1", server.port, None), clock()) as sock:
        assert sock.gettimeout() is None


def test_the_socket_gets_the_requested_options(server):
    requested = {"socket_options": [(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)], "source_address": ("127.0.0.2", 0)}
    with connect(connection_to("127.0.0.1", server.port, **requested), clock()) as sock:
        assert sock.getsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE)
        assert sock.getsockname()[0] == "127.0.0.2"
