"""Faults of the program itself: abandoned, shared or forked streams, streams closed by other threads, invalid keys."""

from __future__ import annotations

import os
import pickle
import socket
import threading
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING

import pytest
import urllib3

from ailib_sync import AiClient, RetryPolicy, Timeout, run_all
from ailib_sync.errors import (
    Cancelled,
    ConfigurationError,
    DeadlineExceeded,
    InvalidRequest,
    PoolTimeout,
    RateLimited,
    ReadTimeout,
    RedirectRefused,
    StreamConsumed,
)

from .. import wire
from ..local_server import LocalServer
from ..time_limits import LATE, scaled
from ..wire import TEXTS, healthy
from .register import fault_test, first, says
from .responses import limited, refused, then_silence
from .runner import KEY, call, census, check_census, check_secrets, recorded_logs
from .streams import stall

if TYPE_CHECKING:
    from collections.abc import Iterator


def client_of(server: LocalServer, **options: object) -> AiClient:
    options = {"timeout": Timeout(connect=scaled(2), read=scaled(5), total=scaled(10)), "retry": 0, **options}
    return AiClient("openai/gpt-4o", api_key=KEY, base_url=server.url, **options)


@contextmanager
def stalled() -> Iterator[tuple[LocalServer, AiClient]]:
    """A provider that stalls after three events. Its users must leave no thread and no socket."""
    before = census()
    with LocalServer(stall) as server:
        client = client_of(server)
        yield server, client
        server.heal()
        assert call(client, "plain", "echo healthy").text == "echo healthy"
        client.close()
    check_census(before)


@fault_test(
    "app-break",
    "the caller leaves the loop and drops the stream",
    "the connection is closed immediately, without the garbage collector",
)
def test_leaving_the_loop_closes_the_connection():
    with stalled() as (server, client):
        for event in client.chat().user("Hello").stream():
            if event.is_content_delta:
                break
        del event
        assert server.saw_close(1, 0.5)


@fault_test("app-close", "the caller closes the stream before its end", "the connection is closed immediately")
def test_close_closes_the_connection():
    with stalled() as (server, client):
        stream = client.chat().user("Hello").stream()
        next(stream)
        stream.close()
        assert server.saw_close(1, 0.5)


def read_and_fail(client: AiClient) -> None:
    with client.chat().user("Hello").stream() as stream:
        for _ in stream:
            raise KeyError


@fault_test(
    "app-exception-in-loop",
    "the caller's own code fails inside `with stream`",
    "the exception is raised unchanged, and the connection is closed",
)
def test_an_exception_in_the_loop_closes_the_connection():
    with stalled() as (server, client):
        with pytest.raises(KeyError):
            read_and_fail(client)
        assert server.saw_close(1, 0.5)


@fault_test(
    "app-close-from-thread",
    "another thread closes a stream while its reader waits",
    "the reader raises `Cancelled` immediately",
)
def test_close_from_another_thread_wakes_the_reader():
    with stalled() as (server, client):
        stream = client.chat().user("Hello").stream()
        closer = threading.Timer(scaled(0.2), stream.close)
        closer.start()
        started = time.monotonic()
        with pytest.raises(Cancelled) as caught:
            for _ in stream:
                pass
        assert time.monotonic() - started < scaled(0.2) + LATE
        assert caught.value.partial.content == wire.HALF
        closer.join()
        assert server.saw_close(1, 0.5)


@fault_test(
    "two-threads-one-stream",
    "two threads read one stream",
    "RuntimeError in the second thread; no text is lost or duplicated",
)
def test_a_stream_has_one_reader():
    with stalled() as (_, client):
        stream = client.chat().user("Hello").stream()
        seen: list[str] = []

        def read() -> None:
            try:
                while True:
                    event = next(stream)
                    if event.is_content_delta:
                        seen.append(event.as_content_delta.text)
            except Cancelled:
                pass

        reader = threading.Thread(target=read)
        reader.start()
        time.sleep(scaled(0.2))
        with pytest.raises(RuntimeError, match="one reader"):
            next(stream)
        stream.close()
        reader.join(scaled(5))
        assert seen == list(TEXTS[:3])


@fault_test("stream-iterated-twice", "a stream is read again after its end", "`StreamConsumed`; nothing is sent again")
def test_a_stream_is_read_once():
    with LocalServer(healthy) as server:
        client = client_of(server)
        stream = client.chat().user("Hello").stream()
        assert "".join(stream.text()) == wire.TEXT
        with pytest.raises(StreamConsumed):
            list(stream)
        assert len(server.requests) == 1
        client.close()


@fault_test(
    "app-many-abandoned-streams",
    "300 streams are opened, read once and dropped",
    "no file descriptor and no thread is left, and nothing blocks",
)
def test_abandoned_streams_leave_nothing():
    before = census()
    with LocalServer(stall) as server:
        client = client_of(server)
        for _ in range(300):
            next(iter(client.chat().user("Hello").stream()))
        assert all(server.saw_close(number, 2) for number in range(1, 301))
        client.close()
    check_census(before)


@fault_test(
    "pool-exhaustion",
    "more concurrent streams than `max_connections`",
    "each gets a connection; only the number of idle connections is limited",
)
def test_open_streams_do_not_block_other_calls():
    with LocalServer(lambda peer, request: (stall if request.streams else healthy)(peer, request)) as server:
        client = client_of(server, max_connections=2)
        streams = [client.chat().user("Hello").stream() for _ in range(5)]
        assert client.chat().user("Hello").execute().content == wire.TEXT
        for stream in streams:
            stream.close()
        client.close()


@fault_test(
    "pool-exhaustion-own-pool", "the caller's own pool blocks because it is exhausted", "`PoolTimeout` after `connect` seconds"
)
def test_a_blocking_pool_is_waited_for_within_the_limit():
    with LocalServer(stall) as server:
        pool = urllib3.PoolManager(maxsize=1, block=True)
        client = client_of(server, http=pool, timeout=Timeout(connect=scaled(0.3), read=scaled(5)))
        stream = client.chat().user("Hello").stream()
        result = call(client, "plain")
        assert isinstance(result.error, PoolTimeout), result.error
        assert result.seconds < scaled(0.3) + LATE
        stream.close()
        pool.clear()


@fault_test(
    "app-threads-50",
    "50 threads make 4 calls each on one client",
    "each gets its own response; connections are shared and reused",
)
@fault_test(
    "free-threaded",
    "64 threads start at the same time and share a client, also on free-threaded Python",
    "each gets its own response",
)
def test_threads_share_a_client():
    wrong: list[str] = []
    with LocalServer(healthy) as server:
        client = client_of(server, timeout=scaled(60))
        barrier = threading.Barrier(64)

        def talk(name: int) -> None:
            barrier.wait()
            for number in range(6):
                prompt = f"echo {name}.{number}"
                result = call(client, ("plain", "stream")[number % 2], prompt)
                if result.text != prompt:
                    wrong.append(f"{prompt}: {result.error or result.text}")

        threads = [threading.Thread(target=talk, args=(name,)) for name in range(64)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert not wrong
        assert len(server.peers) <= 64
        client.close()


@fault_test(
    "app-pickle-exception", "an exception is pickled, as Celery and multiprocessing do", "the copy is complete, without the key"
)
def test_exceptions_pickle():
    with LocalServer(limited("86400")) as server:
        client = client_of(server)
        error = call(client, "plain").error
        copy = pickle.loads(pickle.dumps(error))
        assert isinstance(copy, RateLimited)
        assert (str(copy), copy.retry_after, copy.status_code, copy.attempts) == (str(error), 86400.0, 429, error.attempts)
        client.close()


@pytest.mark.parametrize("key", ["sk-test\r\nX-Evil: 1", "sk-test\u2011canary", "sk test", "sk\0test", ""])
@fault_test("app-key-crlf", "a key with a line end", "`ConfigurationError` that does not show it; nothing is sent")
@fault_test("app-key-nonlatin", "a key with a special hyphen, as pasted from a web page", "the same")
def test_a_key_that_cannot_be_sent_is_rejected(key):
    with LocalServer(healthy) as server:
        with pytest.raises(ConfigurationError) as caught:
            AiClient("openai/gpt-4o", api_key=key, base_url=server.url).chat().user("Hello").execute()
        assert not key or key not in f"{caught.value!s}{caught.value!r}"
        assert not server.peers


@fault_test(
    "app-key-in-repr",
    "everything that can be shown is shown: repr, tracebacks with local values, logs at DEBUG",
    "the key is in none of it",
)
@fault_test("prompt-in-exception", "the same, for the text of the prompt", "it is in no exception and no log")
@pytest.mark.parametrize("mode", ["plain", "stream"])
def test_the_key_and_the_prompt_show_nowhere(mode):
    """The runner checks the same for every fault of the matrix."""
    with recorded_logs() as logs, LocalServer(refused(401)) as server:
        client = client_of(server)
        check_secrets(client, call(client, mode), logs)
        assert logs, "urllib3 logs requests at DEBUG"
        client.close()


@fault_test("redirect-307-cross-host", "a redirect to another host", "`RedirectRefused`; nothing is sent to the other host")
@pytest.mark.parametrize("mode", ["plain", "stream"])
def test_no_redirect_is_followed_to_another_host(mode):
    with LocalServer(healthy) as other:
        with LocalServer(says(wire.reply(307, b"", {"Location": f"{other.url}/chat/completions"}))) as server:
            client = client_of(server)
            assert isinstance(call(client, mode).error, RedirectRefused)
            assert len(server.requests) == 1
            client.close()
        assert not other.peers


@fault_test(
    "app-proxy-env-dead",
    "HTTP_PROXY names a dead proxy, the provider is on this machine",
    "loopback never uses a proxy",
)
@fault_test("proxy-no-proxy", "HTTP_PROXY names a dead proxy, and NO_PROXY lists the host", "the proxy is not used")
@pytest.mark.parametrize("excepted", ["", "127.0.0.1"])
def test_a_dead_proxy_does_not_matter_where_it_is_not_used(excepted, monkeypatch):
    for name in ("HTTP_PROXY", "http_proxy"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    monkeypatch.setenv("NO_PROXY", excepted)
    with LocalServer(healthy) as server:
        client = client_of(server)
        assert call(client, "plain").text == wire.TEXT
        client.close()


@fault_test(
    "clock-jump",
    "the wall clock changes by an hour, forward or back, during a call",
    "no limit changes, because all use the monotonic clock",
)
@pytest.mark.parametrize("jump", [3600, -3600])
def test_a_jump_of_the_wall_clock_moves_no_limit(jump, monkeypatch):
    real = time.time
    with LocalServer(then_silence(b"")) as server:
        client = client_of(server, timeout=Timeout(read=scaled(0.4), total=scaled(3)))
        timer = threading.Timer(scaled(0.1), lambda: monkeypatch.setattr(time, "time", lambda: real() + jump))
        timer.start()
        result = call(client, "plain")
        timer.join()
        assert isinstance(result.error, ReadTimeout)
        assert scaled(0.4) - 0.02 <= result.seconds <= scaled(0.4) + LATE
        client.close()


@fault_test(
    "idempotency-key",
    "a request is sent three times",
    "every attempt sends the same body, without an idempotency key: no provider documents one",
)
def test_all_attempts_send_the_same_body():
    with LocalServer(first(2, refused(503))) as server:
        client = client_of(server, retry=RetryPolicy(2, base_delay=0.01))
        assert call(client, "plain").text == wire.TEXT
        assert len(server.requests) == 3
        assert len({request.body for request in server.requests}) == 1
        assert not [name for request in server.requests for name in request.headers if "idempotency" in name]
        client.close()


@fault_test(
    "duplicate-billing-note",
    "a request was sent, and no response arrives",
    "`ReadTimeout`, which says that the provider may charge for it; retried only with `on_read_timeout=True`",
)
@pytest.mark.parametrize(("asked", "requests"), [(False, 1), (True, 3)])
def test_a_silent_provider_is_asked_again_only_on_request(asked, requests):
    with LocalServer(then_silence(b"")) as server:
        policy = RetryPolicy(2, base_delay=0.01, on_read_timeout=asked)
        client = client_of(server, timeout=Timeout(read=scaled(0.2), total=scaled(5)), retry=policy)
        error = call(client, "plain").error
        assert isinstance(error, ReadTimeout)
        assert "charge" in str(error)
        assert len(server.requests) == requests
        client.close()


@fault_test(
    "fork-during-stream",
    "a process with an open stream forks, and the child exits normally",
    "the parent can read the rest; the child does not use its connection",
)
@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork on this system")
@pytest.mark.filterwarnings("ignore:.*multi-threaded.*:DeprecationWarning")
def test_a_child_leaves_its_parents_stream_alone():
    goes_on = threading.Event()

    def play(peer, request):
        peer.send(wire.SSE_HEAD + wire.chunk(wire.delta("One ")))
        goes_on.wait(scaled(5))
        for block in wire.events(TEXTS[1:]):
            peer.send(wire.chunk(block))
        peer.send(wire.LAST_CHUNK)
        return True

    with LocalServer(play) as server:
        client = client_of(server)
        stream = client.chat().user("Hello").stream()
        child = os.fork()
        if child == 0:
            try:
                stream.close()
                del stream
                client.close()
            finally:
                os._exit(0)
        assert os.waitpid(child, 0)[1] == 0
        goes_on.set()
        assert "".join(stream.text()) == wire.TEXT
        client.close()


@fault_test(
    "http-key-plaintext",
    "plain http to another machine",
    "`ConfigurationError` before a name look-up; loopback is allowed",
)
def test_plain_http_is_for_this_machine_only(monkeypatch):
    monkeypatch.setattr(socket, "getaddrinfo", lambda *args: pytest.fail("a name was looked up"))
    with pytest.raises(ConfigurationError, match="https"):
        AiClient("openai/gpt-4o", api_key=KEY, base_url="http://api.example.test/v1")


@fault_test("url-userinfo", "a URL that contains a password", "`ConfigurationError` that does not show it")
def test_an_address_holds_no_password():
    with pytest.raises(ConfigurationError) as caught:
        AiClient("openai/gpt-4o", api_key="k", base_url=f"https://user:{KEY}@api.example.test/v1")
    assert KEY not in str(caught.value)


@fault_test("extra-header-crlf", "a header with a line end or NUL in its value, or a space in its name", "`ConfigurationError`")
@pytest.mark.parametrize(("name", "value"), [("X-A", "a\r\nX-Evil: 1"), ("X-A", "a\0b"), ("X A", "a"), ("", "a")])
def test_a_header_that_cannot_be_sent_is_rejected(name, value):
    with pytest.raises(ConfigurationError, match="header"):
        AiClient("openai/gpt-4o", api_key="k", headers={name: value})


@fault_test(
    "model-id-traversal",
    "a model name that would leave its path segment in the URL",
    "percent-encoded as one segment, or rejected",
)
@pytest.mark.parametrize(
    ("model", "segment"),
    [
        ("../../admin", "..%2F..%2Fadmin"),
        ("a/b?x=1#y", "a%2Fb%3Fx%3D1%23y"),
        ("%2e%2e%2f", "%252e%252e%252f"),
        ("a\r\nX: y", None),
        ("m" * 500_000, None),
    ],
)
def test_a_models_name_stays_in_its_segment(model, segment):
    with LocalServer(healthy) as server:
        if segment is None:
            with pytest.raises(ConfigurationError):
                AiClient(f"gemini/{model}", api_key=KEY, base_url=server.url)
            return
        client = AiClient(f"gemini/{model}", api_key=KEY, base_url=server.url)
        assert call(client, "plain").error is None
        assert server.requests[0].line == f"POST /v1/models/{segment}:generateContent HTTP/1.1"
        client.close()


@fault_test(
    "image-url-ssrf",
    "images with file:, link-local and loopback URLs",
    "the URL is sent as text or rejected; nothing is fetched",
)
@pytest.mark.parametrize("url", ["file:///etc/passwd", "http://169.254.169.254/latest", "http://[::1]/x.png"])
def test_no_picture_is_fetched(url, monkeypatch):
    from ailib_sync import Image, Text

    with LocalServer(healthy) as server:
        client = client_of(server)
        opened: list[object] = []
        real = socket.getaddrinfo
        monkeypatch.setattr(socket, "getaddrinfo", lambda host, *args: opened.append(host) or real(host, *args))
        try:
            client.chat().user([Text("What is this?"), Image.from_url(url)]).execute()
        except ConfigurationError:
            assert not server.requests
        assert set(opened) <= {"127.0.0.1"}
        client.close()


EVIL = {
    "id": "openai",
    "name": "OpenAI",
    "dialect": "openai_chat",
    "base_url": "https://evil.example/v1",
    "auth": {"scheme": "bearer", "env": ["OPENAI_API_KEY"]},
}
DEEP: dict[str, object] = {}
for _ in range(10_000):
    DEEP = {"a": DEEP}


@fault_test(
    "manifest-exfil",
    "a manifest that sends a known provider's key to another host",
    "`ManifestError`; a key is sent only to its own hosts",
)
@fault_test("manifest-env-name", "a manifest that names another service's secret as its key", "`ManifestError`")
@fault_test("manifest-bomb", "a manifest with 10,000 levels, with NaN, or with unknown keys", "`ManifestError`")
@pytest.mark.parametrize(
    "manifest",
    [
        EVIL,
        *(
            {**EVIL, "id": "acme", "auth": {"scheme": "bearer", "env": [name]}}
            for name in ("AWS_SECRET_ACCESS_KEY", "GITHUB_TOKEN", "HOME", "OPENAI_API_KEY")
        ),
        {**EVIL, "id": "acme", "auth": {"scheme": "bearer"}, "nonsense": 1},
        {**EVIL, "id": "acme", "auth": {"scheme": "bearer"}, "limits": {"temperature": [0, float("nan")]}},
        {**EVIL, "id": "acme", "auth": {"scheme": "bearer"}, "body": DEEP},
    ],
    ids=["other-host", "aws", "github", "home", "known-key", "unknown-key", "nan", "deep"],
)
def test_a_manifest_from_outside_is_checked(manifest, monkeypatch):
    monkeypatch.setenv("OPENAI_API_KEY", KEY)
    with pytest.raises(ConfigurationError) as caught:
        AiClient(f"{manifest['id']}/x", manifest=manifest)
    assert KEY not in str(caught.value)


@fault_test("manifest-huge", "a manifest of more than a megabyte", "`ManifestError`, before it is read")
def test_a_huge_manifest_is_not_read(tmp_path):
    path = tmp_path / "acme.json"
    path.write_text('{"id": "acme", "name": "' + "a" * (2 << 20) + '"}')
    with pytest.raises(ConfigurationError):
        AiClient("acme/x", manifest=str(path))


@fault_test(
    "total-over-attempts",
    "every attempt fails quickly, and there is time for only some of them",
    "the last failure is raised within the total",
)
def test_the_total_bounds_all_attempts_together():
    with LocalServer(refused(503, {"Retry-After": "0.4"})) as server:
        client = client_of(server, timeout=Timeout(total=1.0), retry=50)
        result = call(client, "plain")
        assert result.error is not None
        assert not isinstance(result.error, DeadlineExceeded)
        assert result.seconds <= 1.0 + LATE
        assert 2 <= len(server.requests) <= 3
        client.close()


@fault_test(
    "pool-helper-one-fails",
    "one prompt of a hundred fails, after all retries",
    "99 responses and the exception, each at its index",
)
def test_one_failure_loses_no_other_response():
    def play(peer, request):
        return (refused(400) if request.prompt == "echo 37" else healthy)(peer, request)

    with LocalServer(play) as server:
        client = client_of(server)
        results = run_all([client.chat().user(f"echo {number}") for number in range(100)], max_workers=8)
        assert [result.response.content for result in results if result.error is None] == [
            f"echo {n}" for n in range(100) if n != 37
        ]
        assert isinstance(results[37].error, InvalidRequest)
        client.close()
