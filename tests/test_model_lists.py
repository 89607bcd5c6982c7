"""Lists of models over real sockets: pages, facts that are added, hosts with other shapes, errors."""

from __future__ import annotations

import json
from typing import Any

import pytest

from ailib_sync import AiClient, AuthenticationError, ConfigurationError, InvalidRequest, NotFound, ProtocolError, RetryPolicy
from ailib_sync.dialects.dialect import NAMES
from ailib_sync.testing import FakeProvider, offline

from . import wire
from .local_server import LocalServer

FAST = RetryPolicy(base_delay=0.001)


def reply(body: Any) -> Any:
    """A play that answers every request with this JSON."""
    return lambda peer, request: peer.send(wire.reply(200, json.dumps(body).encode())) or True


def list_of(body: Any, provider: str = "openai") -> Any:
    with LocalServer(reply(body)) as server:
        return AiClient(f"{provider}/x", base_url=server.url, api_key="k", retry=0).list_models()


@pytest.mark.parametrize("dialect", NAMES)
def test_a_list_and_a_model_in_every_format(dialect: str) -> None:
    with FakeProvider(dialect, models=["first", "second", "third"]) as fake:
        client = fake.client("first")
        models = client.list_models()
        assert [info.id for info in models] == ["first", "second", "third"]
        assert client.fetch_model("second").id == "second"
        assert client.fetch_model().id == "first"
        with pytest.raises((NotFound, InvalidRequest)):  # Bedrock has no error of its own for an unknown model
            client.fetch_model("fourth")
        assert {request.method for request in fake.requests} <= {"GET", "POST"}
        assert fake.requests[0].method == "GET"


@pytest.mark.parametrize("dialect", ["openai_chat", "anthropic_messages", "gemini_generate", "cohere_chat"])
def test_all_pages_are_read(dialect: str) -> None:
    names = [f"model-{number}" for number in range(7)]
    with FakeProvider(dialect, models=names, page_size=3) as fake:
        assert [info.id for info in fake.client("model-0").list_models()] == names
        assert len(fake.requests) == 3


def test_a_page_may_be_empty_and_have_a_next_one() -> None:
    pages = [{"models": [], "nextPageToken": "2"}, {"nextPageToken": "3"}, {"models": [{"name": "models/a"}]}]
    with LocalServer(lambda peer, request: peer.send(wire.reply(200, pages[request.number - 1])) or True) as server:
        client = AiClient("gemini/x", base_url=server.url, api_key="k")
        assert [info.id for info in client.list_models()] == ["a"]
        assert [request.line.split()[1] for request in server.requests] == [
            "/v1/models?pageSize=1000",
            "/v1/models?pageSize=1000&pageToken=2",
            "/v1/models?pageSize=1000&pageToken=3",
        ]


def test_pages_that_repeat_are_an_error() -> None:
    with pytest.raises(ProtocolError, match="does not end"):
        list_of({"models": [{"name": "models/a"}], "nextPageToken": "again"}, "gemini")


def test_what_a_host_reports_comes_first_and_known_facts_are_added() -> None:
    known, other, twice = list_of(
        {
            "object": "list",
            "data": [
                {"id": "gpt-4o", "object": "model", "created": 1715367049, "owned_by": "system", "context_window": 5},
                {"id": "never-heard-of", "created": 0},
                {"id": "twice"},
                {"id": "twice", "owned_by": "later"},
            ],
        }
    )
    assert (known.created, known.owner, known.context_window) == (1715367049, "system", 5)
    assert known.prices is not None
    assert "prices" in known.added
    assert "context_window" not in known.added
    assert known.reported["owned_by"] == "system"
    assert (other.created, other.owner, other.prices, other.added) == (None, None, None, ())
    assert (other.status, other.capabilities) == ("unknown", {})
    assert twice.owner is None


@pytest.mark.parametrize(
    ("item", "expected"),
    [
        ({"id": "a", "context_length": 10, "top_provider": {"max_completion_tokens": 4}}, {"max_output": 4}),
        ({"id": "a", "context_length": 10}, {"context_window": 10}),
        ({"id": "a", "capabilities": {"vision": True}}, {"capabilities": {"vision": True}}),
        ({"id": "a", "capabilities": {"function_calling": False}}, {"capabilities": {"tools": False}}),
        (
            {"id": "a", "supported_parameters": ["tools"], "architecture": {"input_modalities": ["text", "image"]}},
            {"capabilities": {"tools": True, "json_schema": False, "reasoning": False, "vision": True, "audio": False,
                              "video": False, "documents": False}},
        ),
        ({"id": "a", "lifecycle": "deprecated", "retires_at": "2027-01-31T00:00:00Z"}, {"status": "deprecated"}),
        ({"id": "a", "modelLifecycle": {"status": "LEGACY"}}, {"status": "deprecated"}),
        ({"id": "a", "active": True}, {"status": "live"}),
        ({"id": "a", "is_deprecated": True}, {"status": "deprecated"}),
        ({"id": "a", "created_at": "2026-07-24T00:00:00Z"}, {"created": 1784851200}),
        ({"id": "a", "created_at": "1970-01-01T00:00:00Z"}, {"created": None}),
        ({"id": "a", "created_at": "soon", "max_tokens": "many", "context_window": -1}, {"created": None, "max_output": None}),
        ({"model_id": "a", "type": ["text-to-text"]}, {"id": "a"}),
    ],
    ids=str,
)  # fmt: skip
def test_facts_are_found_where_hosts_have_them(item: dict[str, Any], expected: dict[str, Any]) -> None:
    (info,) = list_of({"data": [item]})
    assert {name: getattr(info, name) for name in expected} == expected


def test_prices_of_hosts_are_dollars_for_a_million_tokens() -> None:
    (per_token,) = list_of({"data": [{"id": "a", "pricing": {"prompt": "0.0000025", "completion": "0.00001"}}]})
    assert (per_token.prices.input, per_token.prices.output) == (2.5, 10.0)
    pricing = {"input": 10, "output": 50, "unit": "usd_per_1m_tokens"}
    (per_million,) = list_of({"data": [{"id": "a", "pricing": pricing}]})
    assert (per_million.prices.input, per_million.prices.output) == (10.0, 50.0)
    (unknown,) = list_of({"data": [{"id": "a", "pricing": {"prompt": "-1", "completion": "-1"}}]})
    assert unknown.prices is None


@pytest.mark.parametrize(
    "body", [[{"id": "a"}], {"data": [{"id": "a"}]}, {"models": [{"model": "a"}]}, {"modelSummaries": [{"modelId": "a"}]}]
)
def test_the_list_is_found_in_every_shape(body: Any) -> None:
    assert [info.id for info in list_of(body)] == ["a"]


@pytest.mark.parametrize("body", [{"object": "list"}, {"data": [{"object": "model"}]}, "text", {"error_text": "no"}])
def test_a_response_without_a_list_is_a_protocol_error(body: Any) -> None:
    with pytest.raises(ProtocolError):
        list_of(body)


def test_a_list_is_retried_and_its_errors_are_those_of_a_chat() -> None:
    with FakeProvider("openai") as fake:
        fake.fail(503)
        assert [info.id for info in fake.client(retry=FAST).list_models()] == ["echo"]
        assert len(fake.requests) == 2
        with pytest.raises(AuthenticationError):
            fake.client(api_key="another-key").list_models()


def test_a_client_without_a_model_lists_but_does_not_chat() -> None:
    with offline():
        client = AiClient.for_provider("openai")
        assert [info.id for info in client.list_models()] == ["echo"]
        with pytest.raises(ConfigurationError, match="provider/model"):
            client.chat().user("Hi").execute()
        assert client.chat().model("gpt-4o").user("Hi").execute().content
    with pytest.raises(ConfigurationError, match="has no operation models here"):
        AiClient("jina/x", api_key="k").list_models()


def test_a_base_url_of_the_caller_is_used_for_an_operation_with_another_path() -> None:
    with LocalServer(reply({"models": [{"name": "command-a", "endpoints": ["chat"]}]})) as server:
        client = AiClient("cohere/command-a", base_url=f"{server.url}/proxy/v2/", api_key="k")
        client.list_models()
        assert server.requests[0].line.split()[1] == "/v1/proxy/v1/models?page_size=1000"
        assert json.loads(server.requests[0].body or b"null") is None
