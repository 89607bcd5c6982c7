"""Idle connections: when they are reused, when they are closed, and that nothing an interrupt does makes them unusable."""

from __future__ import annotations

import errno
import gc
import os
import random
import signal
import socket
import struct
import subprocess
import sys
import threading
from contextlib import suppress
from time import monotonic, sleep
from typing import Any

import pytest
import urllib3

from ailib_sync import AiClient, Timeout
from ailib_sync.errors import AiLibError, ConnectionLost, ReadTimeout
from ailib_sync.http import idle
from ailib_sync.http.exceptions import translate
from ailib_sync.http.timeouts import CallClock

from . import wire
from .faults.certificates import bundle, server_context
from .local_server import LocalServer, Peer, Request
from .time_limits import scaled


def error_response(peer: Peer, request: Request) -> bool:
    peer.send(wire.reply(400, wire.error_body()))
    return True


def closing(peer: Peer, request: Request) -> bool:
    """The server closes after the response, without announcing it: the client's socket is in CLOSE_WAIT."""
    wire.healthy(peer, request)
    return False


def half_then_silence(peer: Peer, request: Request) -> None:
    peer.send(wire.SSE_HEAD + wire.chunk(wire.delta("One")))
    peer.wait()


@pytest.fixture(params=[False, True], ids=["plain", "tls"])
def tls(request: Any, tmp_path: Any) -> dict[str, Any]:
    """Options for `AiClient` and `LocalServer`."""
    return {"context": server_context("good"), "ca_bundle": bundle(tmp_path)} if request.param else {}


def client_of(server: LocalServer, tls: dict[str, Any], **options: Any) -> AiClient:
    if tls:
        options["ca_bundle"] = tls["ca_bundle"]
    return AiClient("openai/gpt-4o", base_url=server.url, api_key="k", retry=0, **options)


def sockets() -> list[str]:
    """The open sockets of this process."""
    found = []
    for name in os.listdir("/proc/self/fd"):
        with suppress(OSError):
            target = os.readlink(f"/proc/self/fd/{name}")
            if target.startswith("socket"):
                found.append(target)
    return found


# Reuse


def test_a_connection_that_was_idle_for_too_long_is_not_reused(tls, monkeypatch):
    monkeypatch.setattr(idle, "MAX_IDLE_SECONDS", scaled(0.2))
    with LocalServer(wire.healthy, tls=tls.get("context")) as server:
        client = client_of(server, tls)
        for wait in (0.0, 0.0, scaled(0.25)):
            sleep(wait)
            client.chat().user("Hello").execute()
        assert [request.connection for request in server.requests] == [1, 1, 2]
        assert server.saw_close(1)


@pytest.mark.parametrize(("age", "connections"), [(scaled(0.2), [1, 1, 2]), (None, [1, 1, 1])])
def test_a_connection_that_is_too_old_is_not_reused(age, connections):
    with LocalServer(wire.healthy) as server:
        client = client_of(server, {}, max_connection_age=age)
        until = monotonic() + scaled(0.25)
        client.chat().user("Hello").execute()
        client.chat().user("Hello").execute()
        sleep(until - monotonic())
        client.chat().user("Hello").execute()
        assert [request.connection for request in server.requests] == connections


def test_a_call_does_not_wait_on_a_connection_that_was_forgotten_while_idle(monkeypatch):
    """A balancer forgets the connection: its packets lead nowhere, and nothing tells the client."""
    monkeypatch.setattr(idle, "MAX_IDLE_SECONDS", scaled(0.1))
    served = set()

    def play(peer: Peer, request: Request) -> bool:
        if request.connection in served:
            peer.wait()
            return False
        served.add(request.connection)
        return wire.healthy(peer, request)

    with LocalServer(play) as server:
        client = client_of(server, {}, timeout=Timeout(read=scaled(5)))
        client.chat().user("Hello").execute()
        sleep(scaled(0.15))
        started = monotonic()
        assert client.chat().user("Hello").execute().content == wire.TEXT
        assert monotonic() - started < scaled(1)


def test_connections_ask_the_kernel_to_check_the_peer():
    with LocalServer(wire.healthy) as server:
        client = client_of(server, {})
        client.chat().user("Hello").execute()
        pool, _ = client._route.transport._pool(server.url + "/chat/completions")
        connection = pool.pool.get()
        assert connection.sock.getsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE)
        if hasattr(socket, "TCP_KEEPIDLE"):
            assert connection.sock.getsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPIDLE) <= 60


# Dropped clients


def complete(client):
    client.chat().user("Hello").execute()


def streamed(client):
    client.chat().user("Hello").stream().collect()


def failed(client):
    with suppress(AiLibError):
        client.chat().user("Hello").execute()


def half_read(client):
    stream = client.chat().user("Hello").stream()
    next(stream)


def in_a_thread(client):
    thread = threading.Thread(target=complete, args=(client,))
    thread.start()
    thread.join()


def many_at_once(client):
    threads = [threading.Thread(target=complete, args=(client,)) for _ in range(5)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


DROPS = [
    (wire.healthy, complete),
    (wire.healthy, streamed),
    (error_response, failed),
    (closing, complete),
    (closing, streamed),
    (half_then_silence, half_read),
    (wire.healthy, in_a_thread),
    (wire.healthy, many_at_once),
]


@pytest.mark.filterwarnings("error::ResourceWarning", "error::pytest.PytestUnraisableExceptionWarning")
@pytest.mark.parametrize(("play", "use"), DROPS, ids=lambda value: value.__name__)
def test_a_dropped_client_closes_its_sockets_without_the_collector(play, use, tls):
    with LocalServer(play, tls=tls.get("context")) as server:
        gc.collect()
        gc.disable()
        try:
            client = client_of(server, tls)
            use(client)
            del client
            assert all(server.saw_close(peer.number) for peer in server.peers)
        finally:
            gc.enable()


def test_a_client_and_its_connections_are_in_no_reference_cycle(tls):
    with LocalServer(wire.healthy, tls=tls.get("context")) as server:
        complete(client_of(server, tls))
        gc.collect()
        gc.set_debug(gc.DEBUG_SAVEALL)
        try:
            client = client_of(server, tls)
            complete(client)
            streamed(client)
            for _ in client.chat().user("Hello").stream():
                break
            del client, _
            gc.collect()
            garbage = [
                item for item in gc.garbage if type(item).__module__.startswith(("ailib_sync", "urllib3", "http", "socket"))
            ]
        finally:
            gc.set_debug(0)
            gc.garbage.clear()
        assert not garbage


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork here")
@pytest.mark.filterwarnings("ignore:.*fork.*:DeprecationWarning")
def test_a_forked_child_closes_its_copies_and_the_parent_s_connections_stay(tls):
    with LocalServer(wire.healthy, tls=tls.get("context")) as server:
        client = client_of(server, tls)
        complete(client)
        before = len(sockets())
        child = os.fork()
        if child == 0:
            code = 1
            with suppress(BaseException):
                complete(client)
                inherited = len(sockets())
                del client
                code = 0 if len(sockets()) == inherited - 1 == before - 1 else 2
            os._exit(code)
        assert os.waitpid(child, 0)[1] == 0
        complete(client)
        assert [request.connection for request in server.requests] == [1, 2, 1]
        del client
        assert server.saw_close(1)


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork here")
@pytest.mark.filterwarnings("ignore:.*fork.*:DeprecationWarning")
def test_a_connection_ends_although_a_forked_child_has_a_copy_of_it(tls):
    with LocalServer(wire.healthy, tls=tls.get("context")) as server:
        client = client_of(server, tls)
        complete(client)
        child = os.fork()
        if child == 0:
            sleep(scaled(5))
            os._exit(0)
        try:
            client.close()
            assert server.saw_close(1)
        finally:
            os.kill(child, signal.SIGKILL)
            os.waitpid(child, 0)


# close() in another thread


def test_close_disturbs_no_call_that_begins_or_runs_meanwhile(tls):
    with LocalServer(wire.healthy, tls=tls.get("context")) as server:
        client = client_of(server, tls)
        until = monotonic() + 1.5
        seen: set[str] = set()

        def call() -> None:
            chat = client.chat().user("Hello")
            while monotonic() < until:
                try:
                    seen.add(chat.execute().content)
                    seen.add(chat.stream().collect().content)
                except BaseException as error:
                    seen.add(repr(error))

        interval = sys.getswitchinterval()
        sys.setswitchinterval(1e-6)
        try:
            threads = [threading.Thread(target=call) for _ in range(4)]
            for thread in threads:
                thread.start()
            while monotonic() < until:
                client.close()
                sleep(0.0005)
            for thread in threads:
                thread.join()
        finally:
            sys.setswitchinterval(interval)
        assert seen == {wire.TEXT}
        client.close()
        assert all(server.saw_close(peer.number) for peer in server.peers)


def test_close_closes_what_is_in_use_when_its_call_ends():
    with LocalServer(wire.healthy) as server:
        client = client_of(server, {})
        stream = client.chat().user("Hello").stream()
        client.close()
        assert stream.collect().content == wire.TEXT
        assert server.saw_close(1)
        assert client.chat().user("Hello").execute().content == wire.TEXT


# Interrupts

INTERRUPTED = """
import faulthandler, random, signal, sys, time
from ailib_sync import AiClient, Limiter, Timeout
sys.unraisablehook = lambda _: None
url, ca_bundle, seed, count, mode, wait = sys.argv[1:]
wait = float(wait)
client = AiClient("openai/gpt-4o", api_key="k", base_url=url, ca_bundle=ca_bundle or None, retry=0,
                  limiter=Limiter(max_in_flight=1, max_wait=wait), timeout=Timeout(total=1.6 * wait, read=1.6 * wait))
chat = client.chat().user("echo x")

def ask():
    content = (chat.stream().collect() if mode == "stream" else chat.execute()).content
    assert content == "echo x", content

class Alarm(Exception):
    pass

raised = [KeyboardInterrupt, Alarm, SystemExit, GeneratorExit]
draw = random.Random(int(seed))
armed = False

def interrupt(*_):
    if armed:
        raise draw.choice(raised)

ask()
began = time.perf_counter()
for _ in range(20):
    ask()
span = (time.perf_counter() - began) / 20
signal.signal(signal.SIGALRM, interrupt)
hits = 0
for _ in range(int(count)):
    faulthandler.dump_traceback_later(4 * wait, exit=True)
    try:
        armed = True
        signal.setitimer(signal.ITIMER_REAL, draw.uniform(1e-6, 1.1 * span))
        ask()
        armed = False
    except tuple(raised):
        armed = False
        hits += 1
    ask()
faulthandler.cancel_dump_traceback_later()
import gc, os
gc.collect()
sockets = [n for n in os.listdir("/proc/self/fd") if "socket" in os.path.realpath("/proc/self/fd/" + n)]
print(hits, len(sockets))
"""


@pytest.mark.skipif(not hasattr(signal, "setitimer") or not os.path.isdir("/proc/self/fd"), reason="needs timer signals")
@pytest.mark.parametrize("mode", ["complete", "stream"])
def test_an_interrupt_at_any_moment_leaves_the_client_and_its_limiter_usable(mode, tls):
    """Each next call gets its response, and at most one connection is left. `COUNT` sets how many interrupts are made."""
    count = int(os.environ.get("COUNT", "400"))
    with LocalServer(wire.healthy, tls=tls.get("context")) as server:
        arguments = [server.url, tls.get("ca_bundle", ""), str(random.randrange(1 << 30)), str(count), mode, str(scaled(5))]
        done = subprocess.run([sys.executable, "-c", INTERRUPTED, *arguments], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[-3000:]
    hits, left = map(int, done.stdout.split())
    assert hits > count / 20
    assert left <= 1


# SOCKS


def relay(peer: Peer) -> bool:
    """A SOCKS5 proxy without authentication (RFC 1928) that connects to loopback."""
    stream = peer.sock.makefile("rb", buffering=0)
    _, methods = stream.read(2)
    stream.read(methods)
    peer.send(b"\x05\x00")
    _, _, _, kind = stream.read(4)
    stream.read(stream.read(1)[0] if kind == 3 else 4)
    (port,) = struct.unpack(">H", stream.read(2))
    with socket.create_connection(("127.0.0.1", port)) as target:
        peer.send(b"\x05\x00\x00\x01" + b"\x00" * 6)
        back = threading.Thread(target=copy, args=(target, peer.sock), daemon=True)
        back.start()
        copy(peer.sock, target)
        back.join(scaled(5))
    return False


def copy(source: socket.socket, target: socket.socket) -> None:
    with suppress(OSError):
        while data := source.recv(65536):
            target.sendall(data)
    with suppress(OSError):
        target.shutdown(socket.SHUT_WR)


@pytest.fixture
def proxy(monkeypatch):
    pytest.importorskip("socks")
    with LocalServer(wire.healthy, greet=relay) as proxy:
        # Not through the environment: loopback never goes through its proxy.
        url = f"socks5h://127.0.0.1:{proxy.port}"
        monkeypatch.setattr("ailib_sync.http.proxies.proxy_for", lambda *address: url)
        yield proxy


@pytest.mark.parametrize("use", [complete, streamed])
def test_connections_through_a_socks_proxy_are_reused_and_closed_like_all_others(use, tls, proxy):
    with LocalServer(wire.healthy, tls=tls.get("context")) as server:
        client = client_of(server, tls)
        use(client)
        use(client)
        assert len(proxy.peers) == 1
        gc.disable()
        try:
            del client
            assert server.saw_close(1)
        finally:
            gc.enable()


def test_no_extra_bytes_become_the_next_response_through_a_socks_proxy(tls, proxy):
    def play(peer: Peer, request: Request) -> bool:
        extra = wire.reply(200, wire.completion("FORGED")) if request.prompt == "echo 1" else b""
        raw = wire.reply(200, wire.completion(request.prompt))
        head, _, body = raw.partition(b"\r\n\r\n")
        peer.send(head + b"\r\n\r\n")
        sleep(0.01)
        peer.send(body + extra)
        return True

    with LocalServer(play, tls=tls.get("context")) as server:
        client = client_of(server, tls)
        seen = [client.chat().user(f"echo {number}").execute().content for number in (1, 2, 3)]
    assert seen == ["echo 1", "echo 2", "echo 3"]


def replace_connections(monkeypatch: pytest.MonkeyPatch) -> None:
    """Replaces urllib3's connection classes, as recorders such as vcrpy do."""
    for pool in (urllib3.HTTPConnectionPool, urllib3.HTTPSConnectionPool):
        monkeypatch.setattr(pool, "ConnectionCls", type("Recording", (pool.ConnectionCls,), {}))


def test_close_closes_the_connections_of_a_recorder_too(tls, monkeypatch):
    with LocalServer(wire.healthy, tls=tls.get("context")) as server:
        client = client_of(server, tls)
        complete(client)
        with monkeypatch.context() as patch:
            replace_connections(patch)
            complete(client)
            complete(client)
        complete(client)
        assert [request.connection for request in server.requests] == [1, 2, 2, 1]
        client.close()
        assert server.saw_close(1)
        assert server.saw_close(2)
        complete(client)


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork here")
@pytest.mark.filterwarnings("ignore:.*fork.*:DeprecationWarning")
def test_a_forked_child_opens_its_own_connections_where_a_recorder_replaces_ours(tls, monkeypatch):
    replace_connections(monkeypatch)
    with LocalServer(wire.healthy, tls=tls.get("context")) as server:
        client = client_of(server, tls)
        complete(client)
        child = os.fork()
        if child == 0:
            code = 1
            with suppress(BaseException):
                complete(client)
                code = 0
            os._exit(code)
        assert os.waitpid(child, 0)[1] == 0
        complete(client)
        assert [request.connection for request in server.requests] == [1, 2, 1]


@pytest.mark.parametrize(
    ("version", "headers", "reused"),
    [
        ("1.1", b"", True),
        ("1.1", b"Connection: Keep-Alive\r\n", True),
        ("1.1", b"Connection: Close\r\n", False),
        ("1.1", b"Connection: close\r\nConnection: X-Other\r\n", False),
        ("1.0", b"", False),
        ("1.0", b"Connection: keep-alive\r\n", True),
    ],
)
def test_a_connection_persists_as_the_response_says(version: str, headers: bytes, reused: bool) -> None:
    """RFC 9112 9.3. The server itself keeps every connection."""
    head, _, body = wire.reply(200, wire.completion()).partition(b"\r\n\r\n")
    reply = head.replace(b"HTTP/1.1", f"HTTP/{version}".encode()) + b"\r\n" + headers + b"\r\n" + body
    with LocalServer(lambda peer, request: peer.send(reply) or True) as server, client_of(server, {}) as client:
        for _ in range(2):
            client.chat().user("Hello").execute()
        assert server.requests[1].connection == (1 if reused else 2)


@pytest.mark.skipif(not hasattr(signal, "setitimer"), reason="needs timer signals")
@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize("kind", [TimeoutError, OSError, ConnectionResetError, ValueError, LookupError])
def test_an_exception_of_a_signal_handler_is_raised_as_it_is(tls: dict[str, Any], kind: type[Exception], stream: bool) -> None:
    """A handler may raise TimeoutError for a limit of its own. It is neither translated nor retried."""

    def handler(*_: object) -> None:
        raise kind("the program's own limit")

    def play(peer: Peer, request: Request) -> Any:
        if request.number > 1:
            return wire.healthy(peer, request)
        return half_then_silence(peer, request) if stream else peer.wait()

    before = signal.signal(signal.SIGALRM, handler)
    try:
        with LocalServer(play, tls=tls.get("context")) as server, client_of(server, tls) as client:
            signal.setitimer(signal.ITIMER_REAL, scaled(0.3))
            chat = client.chat().user("Hello")
            with pytest.raises(kind, match="the program's own limit") as caught:
                list(chat.stream()) if stream else chat.execute()
            assert type(caught.value) is kind
            assert client.chat().user("Hello").execute().content
            assert len(server.requests) == 2
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)


@pytest.mark.parametrize("wrapped", [False, True])
def test_a_connection_that_the_kernel_gave_up_is_lost_not_late(wrapped: bool) -> None:
    """The peer did not reply to keepalive probes. No limit of the call has passed, so it is an error that is retried."""
    clock = CallClock(Timeout(), stream=False)
    clock.connected = True
    error: Exception = TimeoutError(errno.ETIMEDOUT, os.strerror(errno.ETIMEDOUT))
    if wrapped:
        error = urllib3.exceptions.ProtocolError("Connection aborted.", error)
    assert isinstance(translate(error, clock), ConnectionLost)
    assert isinstance(translate(TimeoutError("timed out"), clock), ReadTimeout)
