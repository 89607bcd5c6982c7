"""A key, a prompt and a proxy's password driven through every way a call can fail: they are to be seen nowhere."""

from __future__ import annotations

import gzip
import http.client
import logging
import os
import pickle
import threading
import warnings
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from ailib_sync import AiClient, Message
from ailib_sync.errors import (
    AiLibError,
    AuthenticationError,
    Cancelled,
    ConfigurationError,
    ConnectError,
    ConnectionLost,
    DeadlineExceeded,
    InvalidRequest,
    ManifestError,
    ProtocolError,
    ProxyError,
    QuotaExhausted,
    RateLimited,
    ReadTimeout,
    RedirectRefused,
    RemoteError,
    ResponseTooLarge,
    ServerError,
    StreamInterrupted,
    TlsError,
)
from ailib_sync.http.timeouts import CancelToken, Limits, Timeout
from ailib_sync.pipeline.retry import RetryPolicy

from .. import wire
from ..local_server import LocalServer, Peer, Play, Request, free_ports, replies
from ..time_limits import scaled
from .exposure import KEY, PASSWORD, PROMPT, caught, leaks, shown

FAST = RetryPolicy(max_retries=1, base_delay=0.01)


@pytest.fixture(autouse=True)
def _everything_logged(caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """DEBUG for every logger, http.client's printing turned on, no variable of the machine's own."""
    for name in ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY", "http_proxy", "https_proxy", "all_proxy", "no_proxy"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(http.client.HTTPConnection, "debuglevel", 2)
    with caplog.at_level(logging.DEBUG), caplog.at_level(logging.DEBUG, "urllib3"):
        yield


def a_client(url: str, **options: Any) -> AiClient:
    return AiClient("openai/m-1", **{"api_key": lambda: KEY, "base_url": url, "retry": FAST, "timeout": scaled(3), **options})


def whole(client: AiClient, **options: Any) -> None:
    client.chat().user(PROMPT).execute(**options)


def streamed(client: AiClient) -> None:
    for _ in client.chat().user(PROMPT).stream():
        pass


def nothing_shows(error: BaseException, *texts: str) -> None:
    everything = {**shown(error), **{f"printed {number}": text for number, text in enumerate(texts)}}
    assert leaks(everything, KEY) == []
    assert leaks(everything, PASSWORD) == []
    said = {where: text for where, text in everything.items() if where.split()[-1] in ("str", "repr", "args")}
    assert leaks(said, PROMPT) == []
    assert all(len(text) <= 2048 for where, text in everything.items() if where.endswith("str"))


DELTA = b'data: {"choices":[{"index":0,"delta":{"content":"a"}}]}\n\n'
SSE = b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nConnection: close\r\n"


def answered(
    body: bytes | str | dict[str, Any], status: int = 200, kind: str = "application/json", headers: dict[str, str] | None = None
) -> bytes:
    """A complete response of this content type, after which the connection closes."""
    return wire.reply(status, body, {"Content-Type": kind, **(headers or {})}, close=True)


def echo(status: int) -> Play:
    """An error response that repeats the key of its request."""

    def play(peer: Peer, request: Request) -> None:
        key = request.headers["authorization"].rpartition(" ")[2]
        peer.send(answered(wire.error_body(f"wrong key {key} in Bearer {key}", type="x", code="y"), status))

    return play


#: Responses that are errors: (the bytes or the play, exception of a complete response, exception of a stream).
ANSWERS: dict[str, tuple[bytes | Play, type[Exception], type[Exception]]] = {
    "closed at once": (b"", ConnectionLost, ConnectionLost),
    "not HTTP": (b"SSH-2.0-x\r\n\r\n", ProtocolError, ProtocolError),
    "cut head": (b"HTTP/1.1 200 OK\r\nContent-", AiLibError, AiLibError),
    "cut body": (SSE + b"Content-Length: 900\r\n\r\n" + DELTA, ConnectionLost, StreamInterrupted),
    "bad chunk": (SSE + b"Transfer-Encoding: chunked\r\n\r\nxyz\r\n", ProtocolError, ProtocolError),
    "no end": (SSE + b"\r\n" + DELTA, StreamInterrupted, StreamInterrupted),
    "error in the stream": (SSE + b"\r\n" + DELTA + b'data: {"error":{"message":"x"}}\n\n', ServerError, ServerError),
    "html": (answered(b"<html>sign in</html>", kind="text/html"), ProtocolError, ProtocolError),
    "empty": (answered(b""), ProtocolError, ProtocolError),
    "not json": (answered(b"{"), ProtocolError, ProtocolError),
    "wrong shape": (answered(b'{"choices": 7}'), ProtocolError, ProtocolError),
    "error with 200": (echo(200), RemoteError, RemoteError),
    "redirect": (answered(b"", 307, headers={"Location": "http://127.0.0.1:9/"}), RedirectRefused, RedirectRefused),
    "broken gzip": (answered(b"\x1f\x8bxx", headers={"Content-Encoding": "gzip"}), ProtocolError, ProtocolError),
    "unknown coding": (answered(b"xx", headers={"Content-Encoding": "br"}), ProtocolError, ProtocolError),
    "too many headers": (answered(b"{}", headers={f"X-{number}": "b" for number in range(200)}), ProtocolError, ProtocolError),
    "too large": (answered(b"[" + b" " * 5000 + b"]"), ResponseTooLarge, ResponseTooLarge),
    "bomb": (
        answered(gzip.compress(b" " * 9000, mtime=0), headers={"Content-Encoding": "gzip"}),
        ResponseTooLarge,
        ResponseTooLarge,
    ),
}
STATUSES = {
    400: InvalidRequest, 401: AuthenticationError, 402: QuotaExhausted, 403: RemoteError, 404: RemoteError, 408: RemoteError,
    409: RemoteError, 413: RemoteError, 418: RemoteError, 422: InvalidRequest, 429: RateLimited, 500: ServerError,
    503: ServerError, 529: ServerError,
}  # fmt: skip
for _status, _kind in STATUSES.items():
    ANSWERS[f"status {_status}"] = (echo(_status), _kind, _kind)


@pytest.mark.parametrize("way", [whole, streamed])
@pytest.mark.parametrize("name", ANSWERS)
def test_no_response_brings_the_key_to_light(
    name: str, way: Callable[[AiClient], None], caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
) -> None:
    answer, kind, stream_kind = ANSWERS[name]
    play = replies(answer) if isinstance(answer, bytes) else answer
    with LocalServer(play) as server, warnings.catch_warnings(record=True) as warned:
        client = a_client(server.url, limits=Limits(response=4096))
        error = caught(lambda: way(client))
        client.close()
    assert isinstance(error, kind if way is whole else stream_kind), repr(error)
    assert KEY.encode() in server.requests[0].raw  # it was sent, so it could have been shown
    nothing_shows(error, caplog.text, *capfd.readouterr(), repr(warned), repr(error.__dict__))


def test_a_reset_brings_nothing_to_light(caplog: pytest.LogCaptureFixture) -> None:
    def play(peer: Peer, request: Request) -> None:
        peer.send(SSE + b"\r\n" + DELTA)
        peer.reset()

    with LocalServer(play) as server:
        error = caught(lambda: streamed(a_client(server.url)))
    assert isinstance(error, (ConnectionLost, StreamInterrupted))
    nothing_shows(error, caplog.text)


def silent(peer: Peer, request: Request) -> None:
    peer.wait()


SHORT = scaled(0.2)


@pytest.mark.parametrize(("timeout", "kind"), [(Timeout(read=SHORT), ReadTimeout), (Timeout(total=SHORT), DeadlineExceeded)])
def test_a_silent_server_brings_nothing_to_light(timeout: Timeout, kind: type[Exception]) -> None:
    with LocalServer(silent) as server:
        error = caught(lambda: whole(a_client(server.url, timeout=timeout)))
    assert isinstance(error, kind)
    nothing_shows(error)


def closed_port() -> int:
    (port,) = free_ports(1)
    return port


def test_no_connection_brings_nothing_to_light(caplog: pytest.LogCaptureFixture) -> None:
    error = caught(lambda: whole(a_client(f"http://127.0.0.1:{closed_port()}/v1")))
    assert isinstance(error, ConnectError)
    assert len(error.attempts) == 2
    nothing_shows(error, caplog.text)


def test_an_unknown_host_brings_nothing_to_light() -> None:
    error = caught(lambda: whole(a_client("https://no-such-host.invalid/v1")))
    assert isinstance(error, ConnectError)
    nothing_shows(error)


def test_a_server_without_tls_brings_nothing_to_light(caplog: pytest.LogCaptureFixture) -> None:
    def greet(peer: Peer) -> None:
        peer.sock.recv(65536)
        peer.send(b"HTTP/1.1 400 Bad Request\r\n\r\n")

    with LocalServer(wire.healthy, greet=greet) as server:
        error = caught(lambda: whole(a_client(f"https://127.0.0.1:{server.port}/v1")))
    assert isinstance(error, (TlsError, ConnectError, ConnectionLost)), repr(error)
    nothing_shows(error, caplog.text)


@pytest.mark.parametrize(
    "address",
    [
        f"http://user:{PASSWORD}@127.0.0.1:{closed_port()}",
        f"http://user:{PASSWORD}@[::bad",
        f"http://user:{PASSWORD}@host:port",
        f"ftp://user:{PASSWORD}@host:21",
        f"socks9://user:{PASSWORD}@host:21",
        f"user:{PASSWORD}@127.0.0.1:{closed_port()}",
    ],
    ids=["refused", "bad host", "bad port", "ftp", "socks9", "no scheme"],
)
def test_a_proxys_password_is_never_shown(
    address: str, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("HTTPS_PROXY", address)
    client = a_client("https://api.example.invalid/v1")
    del address
    error = caught(lambda: whole(client))
    assert isinstance(error, ProxyError), repr(error)
    nothing_shows(error, caplog.text, *capfd.readouterr(), repr(vars(client)), repr(vars(client._route.transport)))


def test_a_proxy_that_rejects_learns_no_key(monkeypatch: pytest.MonkeyPatch) -> None:
    with LocalServer(replies(answered(b"", 407, "text/plain"))) as proxy:
        monkeypatch.setenv("HTTPS_PROXY", f"http://us%65r:{PASSWORD}%40@127.0.0.1:{proxy.port}")
        error = caught(lambda: whole(a_client("https://api.example.invalid/v1")))
    assert isinstance(error, ProxyError)
    assert proxy.requests[0].line.startswith("CONNECT api.example.invalid:443 ")
    assert not [request for request in proxy.requests if KEY.encode() in request.raw]
    from base64 import b64encode

    assert b64encode(f"user:{PASSWORD}@".encode()) in proxy.requests[0].raw
    nothing_shows(error)


def test_a_cancelled_call_brings_nothing_to_light() -> None:
    token = CancelToken()
    with LocalServer(silent) as server:
        timer = threading.Timer(scaled(0.2), token.cancel)
        timer.start()
        error = caught(lambda: whole(a_client(server.url), cancel=token))
        timer.join()
    assert isinstance(error, Cancelled)
    nothing_shows(error)


def test_fallbacks_bring_nothing_to_light() -> None:
    with LocalServer(echo(500)) as one, LocalServer(echo(401)) as two:
        error = caught(lambda: whole(a_client(one.url, fallbacks=[a_client(two.url)])))
    assert isinstance(error, AuthenticationError)
    assert len(error.attempts) == 3
    nothing_shows(error, repr(error.attempts))


def test_a_hook_that_fails_brings_nothing_to_light() -> None:
    def hook(*_: object) -> None:
        raise ZeroDivisionError

    with LocalServer(echo(500)) as server:
        error = caught(lambda: whole(a_client(server.url, on_retry=hook)))
    assert isinstance(error, ServerError)
    nothing_shows(error, error.__notes__)


def test_an_interrupt_brings_nothing_to_light(monkeypatch: pytest.MonkeyPatch) -> None:
    """Ctrl-C in the moment a connection is made: http.client's frames hold the header with the key."""

    def interrupted(connection: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("ailib_sync.http.connections.Connection.connect", interrupted)
    error = caught(lambda: whole(a_client("http://127.0.0.1:9/v1")))
    assert isinstance(error, KeyboardInterrupt)
    nothing_shows(error)


NEEDY = {"id": "acme", "name": "Acme", "dialect": "openai_chat", "base_url": "https://acme.invalid"}
BAD_HEADER = {"X-Key": KEY + "\n"}

#: Calls that fail before anything is sent.
UNSENT: dict[str, Callable[[], Any]] = {
    "no model": lambda: AiClient("m-1", api_key=KEY),
    "no model, by create": lambda: AiClient.create("m-1", api_key=KEY, headers={"X-Key": KEY}),
    "unknown provider": lambda: AiClient("nobody-knows/m", api_key=KEY),
    "unknown option": lambda: AiClient("openai/m", api_key=KEY, timeout="soon"),
    "bad timeout": lambda: AiClient("openai/m", api_key=KEY, timeout=-1),
    "bad address": lambda: AiClient("openai/m", api_key=KEY, base_url="ftp://x"),
    "plain http": lambda: AiClient("openai/m", api_key=KEY, base_url="http://api.example.com"),
    "bad manifest": lambda: AiClient("acme/m", api_key=KEY, manifest={**NEEDY, "base_url": 7}),
    "bad header": lambda: AiClient("openai/m", headers=BAD_HEADER),
    "bad header, by create": lambda: AiClient.create("openai/m", headers=BAD_HEADER),
    "bad header on a chat": lambda: AiClient("openai/m").chat().header("X-Key", BAD_HEADER["X-Key"]),
    "bad key": lambda: whole(AiClient("openai/m", api_key=KEY + "\r\n")),
    "key with a hyphen of the press": lambda: whole(AiClient("openai/m", api_key=KEY + "\u2011x")),
    "key of bytes": lambda: whole(AiClient("openai/m", api_key=lambda: KEY.encode())),  # type: ignore[arg-type,return-value]
    "strict": lambda: AiClient("anthropic/m", api_key=KEY, strict=True).chat().user(PROMPT).seed(1).execute(),
    "out of range": lambda: AiClient("openai/m", api_key=KEY).chat().user(PROMPT).temperature(9),
    "not JSON": lambda: AiClient("openai/m", api_key=KEY).chat().user(PROMPT).extra(x={1, 2}).execute(),
    "no message": lambda: AiClient("openai/m", api_key=KEY).chat().execute(),
    "pickled": lambda: pickle.dumps(AiClient("openai/m", api_key=KEY)),
    "pickled builder": lambda: pickle.dumps(AiClient("openai/m", api_key=KEY).chat().user("x")),
    "pickled header": lambda: pickle.dumps(AiClient("openai/m", headers={"Authorization": KEY})),
    "pickled header of a chat": lambda: pickle.dumps(AiClient("openai/m").chat().header("x-api-key", KEY)),
}


@pytest.mark.parametrize("name", UNSENT)
def test_what_is_never_sent_is_never_shown(
    name: str, capfd: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture
) -> None:
    error = caught(UNSENT[name])
    assert isinstance(error, (ConfigurationError, ManifestError)), repr(error)
    nothing_shows(error, caplog.text, *capfd.readouterr())


def test_objects_show_no_key() -> None:
    literal = AiClient("openai/m", api_key=KEY, headers={"Authorization": "Bearer " + KEY, "X-Plain": "seen"})
    builder = literal.chat().user("Hi").header("x-api-key", KEY)
    target = literal._route.endpoints.find("m")
    request = target.http_request(builder._request, {"model": "m"})
    explained = builder.explain()
    objects = [
        literal,
        builder,
        target,
        request,
        builder._request,
        explained,
        literal._route.endpoints.key,
        request.headers,
        explained.headers,
    ]
    texts = {f"{type(thing).__name__} {how.__name__}": how(thing) for thing in objects for how in (repr, str, _vars, _slots)}
    assert leaks(texts, KEY) == []
    assert explained.headers["X-Plain"] == "seen"
    assert explained.headers["Authorization"] == explained.headers["x-api-key"] == "<redacted>"
    assert request.headers["x-api-key"] == KEY


def _vars(thing: Any) -> str:
    return repr(getattr(thing, "__dict__", None))


def _slots(thing: Any) -> str:
    names = [name for kind in type(thing).__mro__ for name in getattr(kind, "__slots__", ())]
    return repr([getattr(thing, name, None) for name in names])


def test_a_pickle_holds_the_name_of_a_variable_and_not_its_value(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", KEY)
    builder = AiClient("openai/m").chat().user("Hi").header("X-Plain", "1")
    builder.explain()
    raw = pickle.dumps(builder)
    assert KEY.encode() not in raw
    assert pickle.loads(raw).explain().headers["X-Plain"] == "1"


def test_a_key_repeated_by_the_service_is_left_out_of_the_body_that_is_kept() -> None:
    with LocalServer(echo(401)) as server:
        error = caught(lambda: whole(a_client(server.url)))
    assert isinstance(error, AuthenticationError)
    assert error.body is not None
    assert "wrong key <redacted> in Bearer <redacted>" in error.body
    assert "<redacted>" in str(error)


def test_a_prompt_is_in_no_warning_and_no_log(caplog: pytest.LogCaptureFixture) -> None:
    with LocalServer(wire.healthy) as server:
        client = a_client(server.url)
        response = client.chat([Message.system(PROMPT)]).user(PROMPT).top_k(3).execute()
        client.close()
    assert response.warnings
    assert leaks({"warnings": repr(response.warnings), "log": caplog.text}, PROMPT) == []
    assert leaks({"warnings": repr(response.warnings), "log": caplog.text}, KEY) == []


def test_a_key_in_the_environment_is_requested_at_each_request(monkeypatch: pytest.MonkeyPatch) -> None:
    """It is kept nowhere: when it is gone from the environment, it is gone."""
    monkeypatch.setenv("OPENAI_API_KEY", KEY)
    client = AiClient("openai/m")
    request = client._route.endpoints.find("m").http_request(client.chat().user("Hi")._request, {})
    assert request.headers["Authorization"] == "Bearer " + KEY
    del os.environ["OPENAI_API_KEY"]
    error = caught(lambda: whole(client))
    assert isinstance(error, ConfigurationError)
    nothing_shows(error)


def test_no_program_can_make_a_connection_print_its_headers() -> None:
    """Whatever it sets on http.client's class, as the fixture above does."""
    from ailib_sync.http.connections import Connection, TlsConnection

    assert http.client.HTTPConnection.debuglevel == 2
    assert Connection("localhost").debuglevel == TlsConnection("localhost").debuglevel == 0
