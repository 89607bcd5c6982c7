"""Embeddings over real sockets: the client, the pipeline and the double, with retries, faults and limits."""

from __future__ import annotations

import json
import sys
from array import array
from collections.abc import Iterator
from itertools import count
from math import isclose, sqrt
from pathlib import Path
from threading import Timer
from time import monotonic
from typing import Any

import pytest

from ailib_sync import (
    AiClient,
    AuthenticationError,
    Cancelled,
    CancelToken,
    CircuitBreaker,
    ConfigurationError,
    ConnectionLost,
    InvalidRequest,
    Limiter,
    ProtocolError,
    RateLimited,
    RedirectRefused,
    RequestTooLarge,
    RetryPolicy,
    ServerError,
    similarity,
)
from ailib_sync.embedded import EmbeddedPool
from ailib_sync.embedding import split
from ailib_sync.testing import FakeProvider, offline
from ailib_sync.types.embeddings import EmbeddingRequest

from . import wire
from .local_server import LocalServer, Peer, Request
from .time_limits import scaled

ROOT = Path(__file__).parents[1]
FAST = RetryPolicy(base_delay=0.001)
MODEL = "text-embedding-3-small"


@pytest.fixture
def fake():
    with FakeProvider("openai") as provider:
        yield provider


def test_vectors_come_over_a_socket_in_the_order_of_the_texts(fake: FakeProvider) -> None:
    client = fake.client(MODEL)
    texts = ["the cat sat", "the cat slept", "quantum fields"]
    response = client.embed(texts)
    assert [len(vector) for vector in response.vectors] == [8, 8, 8]
    assert all(isclose(sqrt(sum(x * x for x in vector)), 1.0, rel_tol=1e-6) for vector in response.vectors)
    assert [client.embed(text).vectors[0] for text in texts] == response.vectors
    near, far = (sum(a * b for a, b in zip(response.vectors[0], other, strict=True)) for other in response.vectors[1:])
    assert near > far
    assert (response.provider, response.usage.prompt_tokens) == ("openai", 8)
    request = fake.requests[0]
    assert request.target == "/v1/embeddings"
    assert request.json == {"model": MODEL, "input": texts, "encoding_format": "base64"}


def test_numbers_and_base64_give_the_same_vectors(fake: FakeProvider) -> None:
    client = fake.client(MODEL)
    packed = client.embed("a b c", dimensions=100).vectors[0]
    request = EmbeddingRequest(MODEL, ("a b c",), extra={"encoding_format": "float", "dimensions": 100})
    plain = client._send("embeddings", request, None, None)[0].vectors[0]
    assert len(packed) == 100
    assert all(isclose(a, b, rel_tol=1e-6, abs_tol=1e-7) for a, b in zip(packed, plain, strict=True))


def test_an_embedding_is_retried_limited_and_counted_as_a_chat_is(fake: FakeProvider) -> None:
    fake.fail(529)
    fake.fail(429)
    breaker = CircuitBreaker(failures=3, cooldown=60)
    client = fake.client(MODEL, retry=FAST, limiter=Limiter(max_in_flight=1), breaker=breaker)
    assert client.embed("a").vectors
    assert len(fake.requests) == 3
    assert client.embed("b").vectors
    fake.fail(429, times=3)
    with pytest.raises(RateLimited) as caught:
        client.embed("c")
    assert len(caught.value.attempts) == 3


@pytest.mark.parametrize(
    ("fault", "kind"),
    [
        ("close_before_response", ConnectionLost),
        ("wrong_content_length", ConnectionLost),
        ("html", ProtocolError),
        ("empty", ProtocolError),
        ("broken_json", ProtocolError),
        ("redirect", RedirectRefused),
        ("garbage_status_line", ProtocolError),
    ],
)
def test_a_fault_of_the_network_is_the_error_it_is_for_a_chat(fake: FakeProvider, fault: str, kind: type[Exception]) -> None:
    fake.fault(fault, times=3)
    with pytest.raises(kind):
        fake.client(MODEL, retry=FAST).embed("a")


@pytest.mark.parametrize(
    ("extra", "message"),
    [
        ({"input": ""}, "empty string"),
        ({"input": []}, "empty array"),
        ({"input": ["a", ""]}, "empty string"),
        ({"input": ["a"] * 2049}, "array too long"),
        ({"input": {"text": "a"}}, "Invalid type for 'input'"),
        ({"dimensions": 0}, "below minimum"),
        ({"dimensions": "8"}, "Invalid type for 'dimensions'"),
        ({"encoding_format": "int8"}, "Invalid value: 'int8'"),
        ({"nonsense": 1}, "Unknown parameter: 'nonsense'"),
    ],
    ids=str,
)
def test_the_double_rejects_what_the_service_rejects(fake: FakeProvider, extra: dict[str, Any], message: str) -> None:
    request = EmbeddingRequest(MODEL, ("a",), extra=extra)
    with pytest.raises((InvalidRequest, RequestTooLarge), match=message):
        fake.client(MODEL)._send("embeddings", request, None, None)


def test_a_wrong_key_is_an_authentication_error(fake: FakeProvider) -> None:
    with pytest.raises(AuthenticationError):
        fake.client(MODEL, api_key="another-key").embed("a")


def test_the_embedded_provider_and_offline_clients_embed() -> None:
    embedded = AiClient("embedded/echo")
    assert len(embedded.embed(["a", "b"], dimensions=3).vectors[1]) == 3
    with offline():
        assert AiClient(f"openai/{MODEL}").embed("a").vectors == embedded.embed("a").vectors
    assert isinstance(embedded._route.transport.http, EmbeddedPool)


def test_the_endpoint_of_an_operation_is_its_own(fake: FakeProvider) -> None:
    endpoints = fake.client(MODEL)._route.endpoints
    assert endpoints.find(MODEL, "embeddings").url() == f"{fake.url}/v1/embeddings"
    assert endpoints.find(MODEL).url() == f"{fake.url}/v1/chat/completions"


def in_two_requests(**options: Any) -> dict[str, Any]:
    """Options of a client that can send two texts in a request."""
    manifest = json.loads((ROOT / "ailib_sync" / "manifests" / "openai.json").read_text(encoding="utf-8"))
    manifest["operations"]["embeddings"]["limits"]["texts"] = 2
    return {"manifest": manifest, "retry": FAST, **options}


def test_more_texts_than_a_request_carries_are_split_and_joined_in_order(fake: FakeProvider) -> None:
    client = fake.client(MODEL, **in_two_requests())
    texts = [f"text {number}" for number in range(7)]
    seen: list[tuple[int, int]] = []
    response = client.embed(texts, on_progress=lambda done, total: seen.append((done, total)))
    assert response.vectors == [fake.client(MODEL).embed(text).vectors[0] for text in texts]
    assert sorted(len(request.json["input"]) for request in fake.requests[:4]) == [1, 2, 2, 2]
    assert seen == [(2, 7), (4, 7), (6, 7), (7, 7)]
    assert response.usage.prompt_tokens == response.usage.total_tokens == 14
    assert (len(response.stats.attempts), response.stats.prompt_tokens, response.raw) == (4, 14, None)
    assert response.stats.latency_ms > 0


def test_texts_are_split_by_their_tokens_too() -> None:
    limits = {"texts": 10, "tokens": 8}
    assert [*split(["aaaa", "bbbb", "c", "ü" * 9, "d"], limits)] == [("aaaa", "bbbb"), ("c",), ("ü" * 9,), ("d",)]
    assert [*split([], limits)] == []
    assert [len(group) for group in split(["a"] * 600, {})] == [256, 256, 88]


def test_the_error_of_one_request_has_the_vectors_of_the_others(fake: FakeProvider) -> None:
    fake.fail(400, times=1)
    client = fake.client(MODEL, **in_two_requests())
    with pytest.raises(InvalidRequest) as caught:
        client.embed(["a", "b", "c", "d", "e"], max_workers=1)
    assert caught.value.vectors == [None] * 5  # nothing is sent after an error
    assert len(fake.requests) == 1
    served: list[int] = []

    def second_fails(peer: Peer, request: Request) -> bool:
        served.append(request.number)
        status, body = (500, wire.error_body()) if "c" in request.json["input"] else (200, embedding(request.json["input"]))
        peer.send(wire.reply(status, body))
        return True

    with LocalServer(second_fails) as server:
        client = AiClient(f"openai/{MODEL}", base_url=server.url, api_key="k", **in_two_requests(retry=0))
        with pytest.raises(ServerError) as failed:
            client.embed(["a", "b", "c", "d", "e"], max_workers=3)
    assert failed.value.vectors == [[1.0], [1.0], None, None, [1.0]]


def test_ctrl_c_is_raised_with_the_vectors_that_arrived(fake: FakeProvider) -> None:
    def interrupt(done: int, total: int) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt) as caught:
        fake.client(MODEL, **in_two_requests()).embed(["a", "b", "c"], max_workers=1, on_progress=interrupt)
    vectors = caught.value.vectors  # type: ignore[attr-defined]
    assert [vector is not None for vector in vectors] == [True, True, False]


def test_a_token_cancels_all_requests(fake: FakeProvider) -> None:
    fake.delay(first_byte=30)
    token = CancelToken()
    client = fake.client(MODEL, **in_two_requests())
    Timer(0.2, token.cancel).start()
    started = monotonic()
    with pytest.raises(Cancelled):
        client.embed(["a", "b", "c", "d"], cancel=token)
    assert monotonic() - started < scaled(5)
    with pytest.raises(Cancelled):
        client.embed(["a"], cancel=token)


def test_vectors_are_yielded_one_by_one_as_texts_are_read(fake: FakeProvider) -> None:
    client = fake.client(MODEL, **in_two_requests())
    read: list[int] = []

    def texts() -> Iterator[str]:
        for number in count():
            read.append(number)
            yield f"text {number}"

    vectors = client.embed_iter(texts(), max_workers=2)
    first = [next(vectors) for _ in range(9)]
    assert all(isinstance(vector, array) and vector.typecode == "f" for vector in first)
    assert len(read) < 40
    vectors.close()  # type: ignore[attr-defined]
    expected = client.embed([f"text {number}" for number in range(9)]).vectors
    assert [vector.tolist() for vector in first] == expected
    fake.fail(400)
    with pytest.raises(InvalidRequest):
        next(client.embed_iter(["a"]))
    with pytest.raises(ConfigurationError, match=r"texts\[1\] is empty"):
        list(client.embed_iter(["a", ""]))
    assert list(client.embed_iter([])) == []


@pytest.mark.slow
def test_ten_thousand_texts_arrive_in_order_through_faults(fake: FakeProvider) -> None:
    """100 requests, of which 5 % fail first. No request is sent again after it succeeded."""
    manifest = in_two_requests()["manifest"]
    manifest["operations"]["embeddings"]["limits"]["texts"] = 100
    for _ in range(3):
        fake.fail(429)
    for _ in range(2):
        fake.fault("close_before_response")
    client = fake.client(MODEL, manifest=manifest, retry=RetryPolicy(max_retries=6, base_delay=0.001))
    texts = [f"text {number}" for number in range(10_000)]
    response = client.embed(texts, dimensions=4, max_workers=8)
    expected = AiClient("embedded/echo").embed(texts, dimensions=4).vectors
    assert response.vectors == expected
    assert len(fake.requests) == 105
    assert 103 <= len(response.stats.attempts) <= 105  # the transport repeats a request itself if a kept connection was closed


def test_options_have_the_words_of_the_provider() -> None:
    entry = {
        "parameters": {"input_type": "task", "truncate": "truncation"},
        "values": {"input_type": {"query": "retrieval.query"}, "truncate": {"none": False, "end": True}},
        "defaults": {"input_type": "retrieval.passage"},
    }
    manifest = {"id": "acme", "name": "Acme", "dialect": "openai_chat", "base_url": "https://acme.example/v1",
                "operations": {"embeddings": entry}}  # fmt: skip
    client = AiClient("acme/m", manifest=manifest, api_key="k")
    shown = client.explain_embed(["a"], input_type="query", truncate=True, extra={"user": "u"})
    assert shown.body == {"model": "m", "input": ["a"], "task": "retrieval.query", "truncation": True, "user": "u"}
    assert shown.url == "https://acme.example/v1/embeddings"
    assert client.explain_embed("a").body == {"model": "m", "input": ["a"], "task": "retrieval.passage"}
    unsupported = client.explain_embed("a", input_type="clustering", truncate="start")
    dropped = [entry.option for entry in unsupported.ledger if entry.action == "dropped"]
    assert dropped == ["input_type", "truncate"]
    assert "task" not in unsupported.body


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"input_type": "search"}, "input_type must be one of query, document"),
        ({"truncate": "middle"}, "truncate must be one of none, start, end"),
        ({"dimensions": 0}, "dimensions must be a whole number"),
        ({"max_workers": 0}, "max_workers must be a whole number"),
    ],
)
def test_a_wrong_option_is_an_error_before_anything_is_sent(fake: FakeProvider, options: Any, message: str) -> None:
    with pytest.raises(ConfigurationError, match=message):
        fake.client(MODEL).embed("a", **options)
    assert not fake.requests


def test_a_length_that_was_ignored_is_a_warning() -> None:
    with LocalServer(lambda peer, request: peer.send(wire.reply(200, embedding(request.json["input"]))) or True) as server:
        client = AiClient(f"openai/{MODEL}", base_url=server.url, api_key="k")
        response = client.embed(["a"], dimensions=2)
    assert response.warnings == ["dimensions were ignored by the provider: 2 requested, 1 received"]


def test_vectors_can_be_scaled_to_unit_length_and_compared(fake: FakeProvider) -> None:
    fake.reply(vectors=[[3.0, 4.0], [0.0, 0.0]])
    assert fake.client(MODEL).embed(["a", "b"], normalize=True).vectors == [pytest.approx([0.6, 0.8]), [0.0, 0.0]]
    assert similarity([1, 0], [2, 0]) == 1.0
    assert similarity([1, 0], [0, 3]) == 0.0
    assert similarity([1.0, 2.0], [-1.0, -2.0]) == pytest.approx(-1.0)
    with pytest.raises(ConfigurationError, match="2 and 3 numbers"):
        similarity([1, 2], [1, 2, 3])
    with pytest.raises(ConfigurationError, match="has no direction"):
        similarity([0, 0], [1, 2])


def test_the_vectors_as_a_numpy_array(fake: FakeProvider) -> None:
    numpy = pytest.importorskip("numpy")
    rows = fake.client(MODEL).embed(["a", "b"]).numpy()
    assert rows.shape == (2, 8)
    assert rows.dtype == numpy.float32


def test_without_numpy_the_error_says_what_to_install(fake: FakeProvider, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "numpy", None)
    with pytest.raises(ConfigurationError, match="pip install numpy"):
        fake.client(MODEL).embed("a").numpy()


def embedding(texts: list[str]) -> dict[str, Any]:
    """A response with the vector [1.0] for each text."""
    return {"data": [{"index": index, "embedding": [1.0]} for index in range(len(texts))], "usage": {"prompt_tokens": 1}}
