"""Embeddings over real sockets: the client, the pipeline and the double, with retries, faults and limits."""

from __future__ import annotations

from math import isclose, sqrt
from typing import Any

import pytest

from ailib_sync import (
    AiClient,
    AuthenticationError,
    CircuitBreaker,
    ConnectionLost,
    InvalidRequest,
    Limiter,
    ProtocolError,
    RateLimited,
    RedirectRefused,
    RequestTooLarge,
    RetryPolicy,
)
from ailib_sync.embedded import EmbeddedPool
from ailib_sync.testing import FakeProvider, offline
from ailib_sync.types.embeddings import EmbeddingRequest

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
