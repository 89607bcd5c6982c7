"""The fake provider over real sockets: scripts, faults, keep-alive, and that clients must follow its manifest."""

from __future__ import annotations

import json
import re
import socket
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
import urllib3

from ailib_sync import (
    AiClient,
    ChatResponse,
    ConfigurationError,
    InvalidRequest,
    Manifest,
    Message,
    Overloaded,
    QuotaExhausted,
    RateLimited,
    ServerError,
    Tool,
    ToolCall,
    Usage,
)
from ailib_sync.dialects.dialect import NAMES
from ailib_sync.errors import AuthenticationError, NotFound, RemoteError
from ailib_sync.registry.files import provider_ids
from ailib_sync.testing import FAULTS, FakeProvider
from ailib_sync.testing.certificate import PEM
from ailib_sync.types.request import ChatRequest

from .time_limits import scaled

PING = Tool("ping", "Nothing", {"type": "object", "properties": {}})


@pytest.fixture
def fake() -> Iterator[FakeProvider]:
    with FakeProvider("openai") as provider:
        yield provider


@pytest.fixture
def pool() -> Iterator[urllib3.PoolManager]:
    """Plain urllib3, without the package's own connections."""
    with urllib3.PoolManager(retries=False, timeout=urllib3.Timeout(scaled(2))) as manager:
        yield manager


def ask(pool: urllib3.PoolManager, fake: FakeProvider, stream: bool = False, **options: Any) -> urllib3.BaseHTTPResponse:
    body = {"model": "gpt-5.4", "messages": [{"role": "user", "content": "Hi"}], "stream": stream}
    headers = {"authorization": f"Bearer {fake.api_key}", "content-type": "application/json"}
    url = f"{fake.base_url}/chat/completions"
    return pool.urlopen("POST", url, body=json.dumps(body), headers=headers, preload_content=False, **options)


# --- Its address and its requests ---------------------------------------------------------------------------------------


def test_its_path_is_that_of_the_manifest(fake: FakeProvider) -> None:
    assert fake.url == f"http://127.0.0.1:{fake.port}"
    assert fake.base_url == f"{fake.url}/v1"
    with FakeProvider("anthropic") as other:
        assert other.port != fake.port


def test_it_has_no_address_before_it_runs() -> None:
    with pytest.raises(RuntimeError, match="not running"):
        _ = FakeProvider().url


def test_requests_are_recorded(fake: FakeProvider) -> None:
    before = time.monotonic()
    fake.client("gpt-5.4").chat().user("Grüße").temperature(0.5).execute()
    (request,) = fake.requests
    assert (request.method, request.path, request.status) == ("POST", "/v1/chat/completions", 200)
    assert request.json["messages"] == [{"role": "user", "content": "Grüße"}]
    assert json.loads(request.body) == request.json
    assert request.headers["authorization"] == "Bearer test-key"
    assert before <= request.time <= time.monotonic()


@pytest.mark.parametrize("dialect", NAMES)
def test_a_dialect_is_a_provider(dialect: str) -> None:
    with FakeProvider(dialect, api_key="k-1") as fake:
        fake.reply("Yes.", usage={"prompt_tokens": 5, "completion_tokens": 2})
        response = fake.client().chat().user("Do you?").execute()
        assert (response.content, response.usage.total_tokens) == ("Yes.", 7)
        with pytest.raises(RemoteError):
            fake.client(api_key="k-2", retry=0).chat().user("Do you?").execute()


def test_a_manifest_of_ones_own_is_served_too() -> None:
    manifest = {
        "id": "acme",
        "name": "Acme",
        "dialect": "openai_chat",
        "base_url": "https://{zone}.acme.example/api/{zone}/v3",
        "variables": {"zone": {"env": ["ACME_ZONE"]}},
        "auth": {"scheme": "header", "header": "x-acme-key", "env": ["ACME_API_KEY"]},
        "headers": {"x-acme-version": "7"},
        "parameters": {"max_tokens": "max_new_tokens", "seed": None},
    }
    with FakeProvider(manifest) as fake:
        assert fake.base_url == f"{fake.url}/api/test/v3"
        fake.client("m").chat().user("Hi").max_tokens(5).seed(1).execute()
        request = fake.requests[0]
        assert request.headers["x-acme-key"] == "test-key"
        assert (request.json["max_new_tokens"], "seed" in request.json) == (5, False)
        with pytest.raises(InvalidRequest, match="Use 'max_new_tokens' instead"):
            fake.client("m").chat().user("Hi").extra(max_tokens=5).execute()
        with pytest.raises(InvalidRequest, match=r"Unsupported parameter: 'seed'"):
            fake.client("m").chat().user("Hi").extra(seed=5).execute()
        with pytest.raises(InvalidRequest, match="x-acme-version"):
            fake.client("m", headers={"x-acme-version": "8"}).chat().user("Hi").execute()


# --- Scripts ------------------------------------------------------------------------------------------------------------


def test_responses_come_in_the_order_of_the_script_and_then_from_the_echo(fake: FakeProvider) -> None:
    fake.reply("One")
    fake.reply("Two", times=2)
    chat = fake.client().chat().user("Hi")
    assert fake.unused == 3
    assert [chat.execute().content for _ in range(3)] == ["One", "Two", "Two"]
    assert fake.unused == 0
    assert chat.execute().content.endswith("You said: Hi")


@pytest.mark.parametrize("dialect", NAMES)
@pytest.mark.parametrize("stream", [False, True])
def test_a_reply_has_everything_that_was_scripted(dialect: str, stream: bool) -> None:
    with FakeProvider(dialect) as fake:
        fake.reply(
            "" if dialect == "cohere_chat" else "I look.",  # whose calls have no text next to them
            thinking="Hm.",
            tool_calls=[("get_weather", {"city": "Zürich"}), ToolCall("", "ping", {})],
            usage=Usage(11, 5),
        )
        chat = fake.client().chat().user("Hi").reasoning(effort="high", visible=True)
        response = chat.stream().collect() if stream else chat.execute()
        assert response.content == ("" if dialect == "cohere_chat" else "I look.")
        assert response.thinking == "Hm."
        assert [(c.name, c.arguments) for c in response.tool_calls] == [("get_weather", {"city": "Zürich"}), ("ping", {})]
        assert response.finish_reason == "tool_use"
        assert (response.usage.prompt_tokens, response.usage.completion_tokens) == (11, 5)


@pytest.mark.parametrize("dialect", ["openai_chat", "anthropic_messages", "openai_responses"])
def test_a_refusal_of_the_model(dialect: str) -> None:
    with FakeProvider(dialect) as fake:
        fake.reply(refusal="I'm sorry.", times=2)
        chat = fake.client().chat().user("Hi")
        for response in (chat.execute(), chat.stream().collect()):
            assert response.finish_reason == "content_filter"


def test_a_finish_reason_is_the_normalized_one_or_the_providers_own(fake: FakeProvider) -> None:
    fake.reply("a", finish_reason="max_tokens")
    fake.reply("b", finish_reason="content_filter")
    fake.reply("c", finish_reason="odd_word")
    chat = fake.client().chat().user("Hi")
    found = [(response.finish_reason, response.raw_finish_reason) for response in (chat.execute() for _ in range(3))]
    assert found == [("max_tokens", "length"), ("content_filter", "content_filter"), ("odd_word", "odd_word")]


def test_arguments_that_are_not_json_arrive_unchanged(fake: FakeProvider) -> None:
    fake.reply(tool_calls=[ToolCall("c1", "ping", None, '{"a": ')])
    (call,) = fake.client().chat().user("Hi").execute().tool_calls
    assert (call.arguments, call.arguments_raw) == (None, '{"a": ')


def test_a_script_may_be_a_function_of_the_request() -> None:
    from ailib_sync.embedded.echo import compose

    with FakeProvider(
        script=lambda request, digest: compose(request, digest, request.messages[-1].text.upper(), "", [])
    ) as fake:
        assert fake.client().chat().user("louder").execute().content == "LOUDER"


@pytest.mark.parametrize("dialect", NAMES)
def test_such_a_function_may_leave_out_usage_and_id(dialect: str) -> None:
    def shout(request: ChatRequest, digest: str) -> ChatResponse:
        return ChatResponse(Message.assistant(request.messages[-1].text.upper()), finish_reason="end_turn")

    with FakeProvider(dialect, script=shout) as fake:
        response = fake.client().chat().user("quiet, please").execute()
    assert response.content == "QUIET, PLEASE"
    assert (response.usage.prompt_tokens, response.usage.completion_tokens) == (6, 2)
    assert response.id is None or "None" not in response.id  # two formats have no ids


def test_a_rejected_request_uses_no_scripted_response(fake: FakeProvider) -> None:
    fake.reply("Kept")
    with pytest.raises(InvalidRequest):
        fake.client().chat().user("Hi").extra(nonsense=1).execute()
    assert fake.unused == 1
    assert fake.client().chat().user("Hi").execute().content == "Kept"


def test_a_reply_waits_for_a_request_of_its_operation(fake: FakeProvider) -> None:
    fake.reply("One")
    fake.reply(vectors=[[3, 4]], times=2)
    fake.reply("Two")
    client = fake.client()
    assert client.embed("a").vectors == [[3.0, 4.0]]
    assert [client.chat().user("Hi").execute().content for _ in range(2)] == ["One", "Two"]
    assert fake.unused == 1
    response = client.embed("a b c")
    assert (response.vectors, response.usage.prompt_tokens) == ([[3.0, 4.0]], 3)
    assert len(client.embed("a").vectors[0]) == 8


def test_an_error_comes_after_the_replies_before_it(fake: FakeProvider) -> None:
    fake.reply("One")
    fake.fail(400, message="No.")
    client = fake.client(retry=0)
    assert client.embed("a").vectors
    assert client.chat().user("Hi").execute().content == "One"
    with pytest.raises(InvalidRequest, match=r"No\."):
        client.embed("a")


def test_a_rejected_embedding_keeps_its_reply(fake: FakeProvider) -> None:
    fake.reply("One")
    fake.reply(vectors=[[1.0]])
    client = fake.client(retry=0)
    body, headers = {"model": "m", "input": ""}, {"authorization": f"Bearer {fake.api_key}", "content-type": "application/json"}
    response = urllib3.request("POST", f"{fake.base_url}/embeddings", body=json.dumps(body), headers=headers)
    assert (response.status, fake.unused) == (400, 2)
    assert client.embed("a").vectors == [[1.0]]
    assert client.chat().user("Hi").execute().content == "One"


def test_an_operation_has_the_path_of_the_manifest() -> None:
    manifest = {
        "id": "acme",
        "name": "Acme",
        "dialect": "anthropic_messages",
        "dialects": {"openai_chat": {}},
        "base_url": "https://acme.example/v3",
        "operations": {"embeddings": {"dialect": "openai_chat", "path": "/vectors/{model}", "body": {"model": None}}},
        "auth": {"scheme": "bearer", "env": ["ACME_API_KEY"]},
    }
    with FakeProvider(manifest) as fake:
        assert fake.client("m").embed("a", dimensions=2).vectors
        assert fake.requests[0].target == "/v3/vectors/m"


@pytest.mark.parametrize(
    ("status", "options", "kind", "error_code", "retry_after"),
    [
        (429, {"retry_after": 1.5}, RateLimited, "rate_limit_exceeded", 1.5),
        (429, {"code": "insufficient_quota"}, QuotaExhausted, "insufficient_quota", None),
        (429, {"code": "quota_exhausted"}, QuotaExhausted, "insufficient_quota", None),
        (404, {"code": "model_not_found", "message": "gone"}, NotFound, "model_not_found", None),
        (401, {}, AuthenticationError, "invalid_api_key", None),
        (503, {"body": {"error": "busy"}}, Overloaded, None, None),
        (503, {"body": "<html>busy</html>", "headers": {"content-type": "text/html"}}, Overloaded, None, None),
    ],
)
def test_errors_are_the_providers_own(
    fake: FakeProvider, status: int, options: Any, kind: type[RemoteError], error_code: str | None, retry_after: float | None
) -> None:
    fake.fail(status, **options)
    with pytest.raises(kind) as caught:
        fake.client(retry=0).chat().user("Hi").execute()
    assert (caught.value.status_code, caught.value.error_code) == (status, error_code)
    assert caught.value.retry_after == retry_after
    assert options.get("message", "") in caught.value.message


@pytest.mark.parametrize("dialect", NAMES)
@pytest.mark.parametrize(
    ("status", "kind"),
    [(400, InvalidRequest), (404, NotFound), (429, RateLimited), (503, ServerError)],
)
def test_an_error_is_parsed_in_every_dialect(dialect: str, status: int, kind: type[RemoteError]) -> None:
    with FakeProvider(dialect) as fake:
        fake.fail(status, message="No.", times=2)
        chat = fake.client(retry=0).chat().user("Hi")
        for call in (chat.execute, chat.stream):
            with pytest.raises(kind, match=r"No\."):
                call()


def test_a_temporary_error_is_retried(fake: FakeProvider) -> None:
    fake.fail(429, retry_after=0, times=2)
    fake.reply("At last")
    assert fake.client(retry=2).chat().user("Hi").execute().content == "At last"
    assert [request.status for request in fake.requests] == [429, 429, 200]


@pytest.mark.slow
def test_delays_apply_to_the_head_and_the_events(fake: FakeProvider) -> None:
    fake.delay(first_byte=scaled(0.15), between_events=scaled(0.05))
    started = time.monotonic()
    arrivals = [time.monotonic() - started for _ in fake.client().chat().user("Hi").stream().text()]
    assert arrivals[0] >= scaled(0.15)
    assert arrivals[-1] - arrivals[0] >= scaled(0.05) * (len(arrivals) - 1) * 0.9
    fake.delay()
    started = time.monotonic()
    fake.client().chat().user("Hi").execute()
    assert time.monotonic() - started < scaled(0.15)


def test_fields_without_a_manifest_can_be_allowed() -> None:
    with FakeProvider("openrouter", fields=("provider",)) as fake:
        chat = fake.client("m", retry=0).chat().user("Hi")
        assert chat.extra(provider={"order": ["x"]}).execute().content
        with pytest.raises(InvalidRequest, match="Unknown parameter: 'plugins'"):
            chat.extra(plugins=[]).execute()


# --- Sockets ------------------------------------------------------------------------------------------------------------


def test_a_connection_serves_many_requests(fake: FakeProvider, pool: urllib3.PoolManager) -> None:
    for stream in (False, True, False):
        assert ask(pool, fake, stream).read()
    assert [request.connection for request in fake.requests] == [0, 0, 0]
    assert fake.connections == 1


def test_each_event_of_a_stream_is_a_chunk(fake: FakeProvider) -> None:
    raw = json.dumps({"model": "m", "messages": [{"role": "user", "content": "Hi"}], "stream": True})
    head = "POST /v1/chat/completions HTTP/1.1\r\nauthorization: Bearer test-key\r\ncontent-type: application/json\r\n"
    with socket.create_connection(("127.0.0.1", fake.port)) as sock:
        sock.sendall(f"{head}connection: close\r\ncontent-length: {len(raw)}\r\n\r\n{raw}".encode())
        with sock.makefile("rb") as reader:
            response = reader.read()
    top, _, body = response.partition(b"\r\n\r\n")
    assert top.startswith(b"HTTP/1.1 200 OK\r\n")
    assert b"transfer-encoding: chunked" in top
    chunks = []
    while body:
        size, _, rest = body.partition(b"\r\n")
        chunks.append(rest[: int(size, 16)])
        assert rest[int(size, 16) :][:2] == b"\r\n"
        body = rest[int(size, 16) + 2 :]
    assert chunks.pop() == b""
    assert all(re.fullmatch(rb"data: [^\n]+\n\n", chunk) for chunk in chunks)
    assert chunks[-1] == b"data: [DONE]\n\n"


def test_a_chunked_request_is_read(fake: FakeProvider, pool: urllib3.PoolManager) -> None:
    parts = iter([b'{"model": "m", "messages": [{"role": "user", ', b'"content": "Hi"}]}'])
    headers = {"authorization": "Bearer test-key", "content-type": "application/json"}
    response = pool.urlopen("POST", f"{fake.base_url}/chat/completions", body=parts, headers=headers, chunked=True)
    assert response.status == 200
    assert fake.requests[0].json["model"] == "m"


def test_many_threads_are_served_at_the_same_time(fake: FakeProvider) -> None:
    fake.delay(first_byte=scaled(0.1))
    chat = fake.client().chat()
    started = time.monotonic()
    with ThreadPoolExecutor(16) as executor:
        texts = list(executor.map(lambda n: chat.user(f"number {n}").execute().content, range(32)))
    assert time.monotonic() - started < scaled(32 * 0.1)
    assert all(text.endswith(f"number {n}") for n, text in enumerate(texts))
    assert fake.connections <= 32


def test_it_is_fast(fake: FakeProvider, pool: urllib3.PoolManager) -> None:
    ask(pool, fake)
    started = time.monotonic()
    for _ in range(100):
        ask(pool, fake)
    assert (time.monotonic() - started) / 100 < scaled(0.02)


def test_closing_it_ends_its_threads_also_those_that_wait() -> None:
    before = set(threading.enumerate())
    with socket.socket() as sock, socket.socket() as idle:
        with FakeProvider() as fake:
            fake.fault("no_response", seconds=60)
            sock.connect(("127.0.0.1", fake.port))
            sock.sendall(b"POST /v1/chat/completions HTTP/1.1\r\ncontent-length: 0\r\n\r\n")
            idle.connect(("127.0.0.1", fake.port))
            while not fake.requests:
                time.sleep(0.01)
            started = time.monotonic()
        while set(threading.enumerate()) - before and time.monotonic() < started + scaled(2):
            time.sleep(0.01)
    assert not set(threading.enumerate()) - before
    assert time.monotonic() - started < scaled(2)


def test_a_client_that_disconnects_is_noticed(fake: FakeProvider) -> None:
    fake.delay(between_events=0.02)
    stream = fake.client().chat().user("a long text " * 50).stream()
    next(iter(stream))
    stream.close()
    deadline = time.monotonic() + scaled(2)
    while not fake.requests[0].disconnected and time.monotonic() < deadline:
        time.sleep(0.01)
    assert fake.requests[0].disconnected


def test_it_serves_tls_with_a_certificate_that_only_tests_trust() -> None:
    import ssl

    with FakeProvider(tls=True) as fake:
        assert fake.base_url.startswith("https://")
        assert "You said" in fake.client().chat().user("Hi").execute().content
        strict = ssl.create_default_context(cafile=fake.ca_bundle)
        strict.verify_flags |= ssl.VERIFY_X509_STRICT
        for host in ("localhost", "127.0.0.1"):
            plain = socket.create_connection(("127.0.0.1", fake.port))
            with strict.wrap_socket(plain, server_hostname=host) as sock:
                assert sock.version() == "TLSv1.3"
        plain = socket.create_connection(("127.0.0.1", fake.port))
        with plain, pytest.raises(ssl.SSLCertVerificationError):
            strict.wrap_socket(plain, server_hostname="example.com")
    assert PEM.count("BEGIN") == 2


# --- Faults, with plain urllib3 --------------------------------------------------------------------------------------

SEEN: dict[str, Any] = {
    "close_before_response": urllib3.exceptions.ProtocolError,
    "reset_before_response": urllib3.exceptions.ProtocolError,
    "no_response": urllib3.exceptions.ReadTimeoutError,
    "garbage_status_line": urllib3.exceptions.ProtocolError,
    "close_after_headers": urllib3.exceptions.ProtocolError,
    "headers_drip": None,  # bytes arrive all the time, so no timeout of urllib3 expires
    "headers_endless": urllib3.exceptions.ProtocolError,
    "early_hints": None,  # for urllib3, 103 is the final response
    "redirect": 307,
    "wrong_content_length": urllib3.exceptions.ProtocolError,
    "two_content_lengths": urllib3.exceptions.InvalidHeader,
    "extra_bytes": 200,
    "bad_chunk_size": urllib3.exceptions.ProtocolError,
    "html": b"<!DOCTYPE html>",
    "empty": b"",
    "broken_json": b"{",
    "wrong_shape": b'{"hello"',
    "error_with_status_200": b'{"error":',
    "close_mid_stream": urllib3.exceptions.ProtocolError,
    "reset_mid_stream": urllib3.exceptions.ProtocolError,
    "truncate": 200,
    "cut_inside_event": 200,
    "no_end_mark": 200,
    "stall": urllib3.exceptions.ReadTimeoutError,
    "open_after_end": urllib3.exceptions.ReadTimeoutError,
    "drip": 200,
    "endless_pings": urllib3.exceptions.ProtocolError,  # when its seconds have passed
    "error_event": 200,
    "invalid_utf8": 200,
}


def test_every_fault_is_in_the_table_below() -> None:
    assert set(SEEN) == set(FAULTS)


@pytest.mark.slow
@pytest.mark.parametrize("name", [name for name, seen in SEEN.items() if seen is not None])
@pytest.mark.parametrize("stream", [True, False])
def test_a_fault_does_what_its_name_says(fake: FakeProvider, pool: urllib3.PoolManager, name: str, stream: bool) -> None:
    fake.fault(name, text="one two three", seconds=scaled(0.5), pause=0.001)
    timeout = urllib3.Timeout(scaled(0.2 if SEEN[name] is urllib3.exceptions.ReadTimeoutError else 2))
    expected = SEEN[name]
    if isinstance(expected, type):
        with pytest.raises(expected):
            ask(pool, fake, stream, timeout=timeout).read()
        return
    response = ask(pool, fake, stream, timeout=timeout, redirect=False)
    body = response.read()
    if isinstance(expected, bytes):
        assert body.startswith(expected)
        assert response.status == 200
    else:
        assert response.status == expected


STREAMED = 'data: {"id"'


def streamed(fake: FakeProvider, pool: urllib3.PoolManager, name: str, **options: Any) -> list[str]:
    fake.fault(name, text="one two three", **options)
    return ask(pool, fake, stream=True).read().decode("utf-8", "replace").split("\n\n")


def test_a_fault_in_a_stream_comes_after_the_requested_number_of_events(fake: FakeProvider, pool: urllib3.PoolManager) -> None:
    complete = streamed(fake, pool, "drip", pause=0)
    assert complete[-2:] == ["data: [DONE]", ""]
    assert streamed(fake, pool, "truncate", after=3) == [*complete[:3], ""]
    assert streamed(fake, pool, "no_end_mark") == [*complete[:-2], ""]
    *events, cut = streamed(fake, pool, "cut_inside_event", after=2)
    assert events == complete[:2]
    assert complete[2].startswith(cut)
    *events, error, end = streamed(fake, pool, "error_event", after=1, kind="rate_limited", message="Slow down.")
    assert (events, end) == (complete[:1], "")
    assert json.loads(error.removeprefix("data: "))["error"] == {
        "message": "Slow down.",
        "type": "requests",
        "param": None,
        "code": "rate_limit_exceeded",
    }
    fake.fault("endless_pings", after=1, seconds=0.1, pause=0.01)
    response = ask(pool, fake, stream=True)
    pings = [response.read1(65536) for _ in range(11)]
    assert b"".join(pings).split(b"\n\n")[1:] == [b": keep-alive"] * 10 + [b""]


@pytest.mark.slow
def test_headers_drip_and_early_hints_on_a_bare_socket(fake: FakeProvider) -> None:
    request = b"POST /v1/chat/completions HTTP/1.1\r\nauthorization: Bearer test-key\r\ncontent-type: application/json\r\n"
    body = b'{"model": "m", "messages": [{"role": "user", "content": "Hi"}]}'
    request += b"content-length: %d\r\nconnection: close\r\n\r\n%b" % (len(body), body)

    def receive() -> list[bytes]:
        with socket.create_connection(("127.0.0.1", fake.port)) as sock:
            sock.sendall(request)
            return list(iter(lambda: sock.recv(65536), b""))

    fake.fault("early_hints")
    heads = [line for line in b"".join(receive()).split(b"\r\n") if line.startswith(b"HTTP/1.1")]
    assert heads == [b"HTTP/1.1 100 Continue", b"HTTP/1.1 103 Early Hints", b"HTTP/1.1 200 OK"]
    fake.fault("headers_drip", seconds=0.2, pause=0.005)
    parts = receive()
    assert len(parts) > 20
    assert b"\r\n\r\n" not in b"".join(parts)


def test_an_unknown_fault_or_option_fails_immediately(fake: FakeProvider) -> None:
    with pytest.raises(ConfigurationError, match="truncate"):
        fake.fault("truncated")
    with pytest.raises(TypeError):
        fake.fault("truncate", afterwards=3)


# --- Every provider -----------------------------------------------------------------------------------------------------


def _live() -> list[tuple[str, str]]:
    manifests = [manifest for manifest in map(Manifest.load, provider_ids()) if manifest.status not in ("retired", "not_chat")]
    return [(manifest.id, dialect) for manifest in manifests for dialect in (manifest.dialect, *manifest.dialects)]


@pytest.mark.slow
@pytest.mark.parametrize(("provider", "dialect"), _live())
def test_every_provider_accepts_what_the_client_sends(provider: str, dialect: str, pool: urllib3.PoolManager) -> None:
    """Path, key, headers and every field, in each dialect of the provider, with all options and the result of a tool."""
    with FakeProvider(provider) as fake:
        # A plain pool: a client's own pool reads the CA bundle, which takes longer than everything else here.
        client: AiClient = fake.client("some-model", dialect=dialect, http=pool, retry=0)
        chat = client.chat().system("Be kind.").user("Please ping.").temperature(0.5).max_tokens(300).stop("###").seed(1)
        chat = chat.top_p(0.9).top_k(3).tools(PING).reasoning(effort="high")
        first = chat.stream().collect()
        results = [Message.tool(call.id, "pong", call.name) for call in first.tool_calls]
        assert "pong" in chat.message(first.message).messages(results).execute().content
        assert {request.status for request in fake.requests} == {200}
