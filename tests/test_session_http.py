"""`session_http`: a `requests.Session` instead of our pools, with the `responses` library or over real sockets."""

from __future__ import annotations

import gzip
import io
import json
from collections.abc import Iterator
from typing import Any

import pytest
import requests
import responses
from responses import matchers

from ailib_sync import AiClient, ConnectError, RateLimited, Timeout
from ailib_sync.errors import AiLibError, CallTimeout, ConnectionLost, RedirectRefused, StreamInterrupted, TlsError
from ailib_sync.testing import FakeProvider, session_http

from .time_limits import scaled

URL = "https://api.openai.com/v1/chat/completions"
RESPONSE = {
    "id": "chatcmpl-1",
    "object": "chat.completion",
    "model": "gpt-4o",
    "choices": [{"index": 0, "message": {"role": "assistant", "content": "Hello!"}, "finish_reason": "stop"}],
    "usage": {"prompt_tokens": 3, "completion_tokens": 2, "total_tokens": 5},
}


def chunk(**choice: Any) -> bytes:
    return f"data: {json.dumps({'id': 'c', 'model': 'm', 'choices': [{'index': 0, **choice}]})}\n\n".encode()


STREAM = [
    chunk(delta={"role": "assistant", "content": ""}),
    chunk(delta={"content": "Hel"}),
    chunk(delta={"content": "lo — grüße!"}),
    chunk(delta={}, finish_reason="stop"),
    b"data: [DONE]\n\n",
]


class Slow(io.RawIOBase):
    """Reads at most `size` bytes at a time, as a socket does."""

    def __init__(self, data: bytes, size: int) -> None:
        self._source = io.BytesIO(data)
        self._size = size

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        return self._source.readinto(memoryview(buffer)[: self._size])


@pytest.fixture
def mock() -> Iterator[responses.RequestsMock]:
    with responses.RequestsMock() as mock:
        yield mock


@pytest.fixture
def client() -> Iterator[AiClient]:
    with requests.Session() as session:
        yield AiClient("openai/gpt-4o", api_key="sk-test", http=session_http(session), retry=0)


def test_the_responses_library_matches_the_request_and_responds(mock: responses.RequestsMock, client: AiClient) -> None:
    mock.post(
        URL,
        json=RESPONSE,
        match=[
            matchers.header_matcher({"Authorization": "Bearer sk-test", "Content-Type": "application/json"}),
            matchers.json_params_matcher({"messages": [{"role": "user", "content": "Hi"}]}, strict_match=False),
        ],
    )
    response = client.chat().user("Hi").execute()
    assert (response.content, response.usage.total_tokens) == ("Hello!", 5)
    assert len(mock.calls) == 1


@pytest.mark.parametrize("size", [1, 7, 100_000])
def test_the_responses_library_responds_with_a_stream(mock: responses.RequestsMock, client: AiClient, size: int) -> None:
    body = io.BufferedReader(Slow(b"".join(STREAM), size))
    mock.post(URL, body=body, content_type="text/event-stream")
    stream = client.chat().user("Hi").stream()
    assert "".join(stream.text()) == "Hello — grüße!"
    assert stream.response.finish_reason == "end_turn"


def test_a_stream_given_as_bytes_is_complete(mock: responses.RequestsMock, client: AiClient) -> None:
    mock.post(URL, body=b"".join(STREAM), content_type="text/event-stream")
    assert client.chat().user("Hi").stream().collect().content == "Hello — grüße!"


def test_a_cut_stream_is_an_error(mock: responses.RequestsMock, client: AiClient) -> None:
    mock.post(URL, body=b"".join(STREAM[:2]), content_type="text/event-stream")
    with pytest.raises(StreamInterrupted) as caught:
        client.chat().user("Hi").stream().collect()
    assert caught.value.partial is not None
    assert caught.value.partial.content == "Hel"


def test_a_compressed_response_is_read(mock: responses.RequestsMock, client: AiClient) -> None:
    body = gzip.compress(json.dumps(RESPONSE).encode())
    mock.post(URL, body=body, headers={"content-encoding": "gzip"}, content_type="application/json")
    assert client.chat().user("Hi").execute().content == "Hello!"


def test_an_error_response_and_its_retry(mock: responses.RequestsMock) -> None:
    error = {"error": {"message": "slow down", "type": "requests", "code": "rate_limit_exceeded", "param": None}}
    mock.post(URL, json=error, status=429, headers={"retry-after": "0"})
    mock.post(URL, json=RESPONSE)
    client = AiClient("openai/gpt-4o", api_key="k", http=session_http(requests.Session()), retry=1)
    assert client.chat().user("Hi").execute().content == "Hello!"
    mock.post(URL, json=error, status=429)
    with pytest.raises(RateLimited, match="slow down"):
        AiClient("openai/gpt-4o", api_key="k", http=session_http(requests.Session()), retry=0).chat().user("Hi").execute()


def test_a_redirect_is_not_followed(mock: responses.RequestsMock, client: AiClient) -> None:
    mock.post(URL, status=307, headers={"location": "https://elsewhere.example/"})
    with pytest.raises(RedirectRefused):
        client.chat().user("Hi").execute()


@pytest.mark.parametrize(
    ("raised", "kind"),
    [
        (requests.ConnectionError("refused"), ConnectError),
        (requests.exceptions.ConnectTimeout("slow"), AiLibError),
        (requests.exceptions.ReadTimeout("slow"), AiLibError),
        (requests.exceptions.SSLError("bad certificate"), TlsError),
        (requests.exceptions.ProxyError("407"), AiLibError),
        (requests.exceptions.InvalidHeader("odd"), AiLibError),
    ],
)
def test_an_exception_of_requests_is_one_of_our_errors(
    mock: responses.RequestsMock, client: AiClient, raised: Exception, kind: type[AiLibError]
) -> None:
    mock.post(URL, body=raised)
    with pytest.raises(kind) as caught:
        client.chat().user("Hi").execute()
    assert not isinstance(caught.value.__cause__, requests.RequestException)
    assert caught.value.__context__ is None or not isinstance(caught.value.__context__, requests.RequestException)
    assert "sk-test" not in repr(caught.value)


@responses.activate
def test_a_request_that_no_mock_expects_cannot_connect(client: AiClient) -> None:
    with pytest.raises(ConnectError, match="Connection refused by Responses"):
        client.chat().user("Hi").execute()


def test_a_password_in_netrc_does_not_replace_the_key(
    mock: responses.RequestsMock, client: AiClient, monkeypatch: pytest.MonkeyPatch, tmp_path: Any
) -> None:
    netrc = tmp_path / "netrc"
    netrc.write_text("machine api.openai.com login eve password secret\n")
    monkeypatch.setenv("NETRC", str(netrc))
    mock.post(URL, json=RESPONSE)
    client.chat().user("Hi").execute()
    assert mock.calls[0].request.headers["Authorization"] == "Bearer sk-test"


# Over real sockets


@pytest.mark.parametrize("dialect", ["openai_chat", "bedrock_converse", "ollama_chat"])
def test_a_session_sends_and_streams_over_real_connections(dialect: str) -> None:
    with FakeProvider(dialect) as fake, requests.Session() as session:
        fake.delay(between_events=0.001)
        chat = fake.client(http=session_http(session)).chat().user("Hi")
        complete = chat.execute()
        assert chat.stream().collect().content == complete.content
        assert [request.connection for request in fake.requests] == [0, 0]


@pytest.mark.parametrize(
    ("fault", "kind"),
    [
        ("close_before_response", ConnectionLost),
        ("reset_before_response", ConnectionLost),
        ("no_response", CallTimeout),
        ("wrong_content_length", ConnectionLost),
    ],
)
def test_broken_connections_raise_the_same_errors_as_without_a_session(fault: str, kind: type[AiLibError]) -> None:
    timeout = Timeout(connect=scaled(2), read=scaled(0.3), total=scaled(5))
    with FakeProvider() as fake, requests.Session() as session:
        variants: list[dict[str, Any]] = [{"http": session_http(session)}, {}]
        for options in variants:
            fake.fault(fault, seconds=scaled(2))
            with pytest.raises(kind):
                fake.client(retry=0, timeout=timeout, **options).chat().user("Hi").execute()


def test_a_server_that_does_not_listen() -> None:
    with FakeProvider() as fake, requests.Session() as session:
        client = fake.client(http=session_http(session), retry=0)
        fake.close()
        with pytest.raises(ConnectError):
            client.chat().user("Hi").execute()
