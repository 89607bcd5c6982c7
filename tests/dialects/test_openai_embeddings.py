"""Embeddings in OpenAI's format: what is sent, what is read, and what is refused; vectors from recordings of real services."""

from __future__ import annotations

import base64
import json
import struct
from typing import Any

import pytest

from ailib_sync import AiClient, ConfigurationError, NotFound, ProtocolError
from ailib_sync.dialects.dialect import Received
from ailib_sync.dialects.openai_chat.embeddings import parse_embeddings, render_embeddings
from ailib_sync.registry.manifest import Manifest
from ailib_sync.types.embeddings import EmbeddingOptions, EmbeddingRequest
from ailib_sync.types.request import Ledger
from tests.scripted import Pool


def manifest(**entry: Any) -> Manifest:
    data = {"id": "acme", "name": "Acme", "dialect": "openai_chat", "base_url": "https://acme.example/v1"}
    return Manifest.from_dict({**data, "operations": {"embeddings": entry}})


def packed(*numbers: float) -> str:
    return base64.b64encode(struct.pack(f"<{len(numbers)}f", *numbers)).decode()


def item(index: int, embedding: Any) -> dict[str, Any]:
    return {"object": "embedding", "index": index, "embedding": embedding}


def response(*items: dict[str, Any], **more: Any) -> dict[str, Any]:
    usage = {"prompt_tokens": 3, "total_tokens": 3}
    return {"object": "list", "data": list(items), "model": "m-1-v2", "usage": usage, **more}


def parse(body: Any, *texts: str) -> Any:
    request = EmbeddingRequest("m-1", texts or ("a", "b"))
    return parse_embeddings(Received(body, {}, request), manifest())


def test_the_body_holds_the_texts_the_options_and_extra_last() -> None:
    ledger = Ledger()
    request = EmbeddingRequest("m-1", ("a", "b"), EmbeddingOptions(dimensions=64), extra={"user": "u"})
    body = render_embeddings(request, manifest(), ledger)
    assert body == {"model": "m-1", "input": ["a", "b"], "dimensions": 64, "user": "u"}
    assert [(entry.option, entry.action) for entry in ledger.entries] == [("dimensions", "sent")]


def test_a_manifest_renames_drops_and_bounds_options() -> None:
    request = EmbeddingRequest("m-1", ("a",), EmbeddingOptions(dimensions=64))
    renamed = manifest(parameters={"dimensions": "output_dimension"}).for_operation("embeddings", "m-1")
    assert render_embeddings(request, renamed, Ledger())["output_dimension"] == 64
    ledger = Ledger()
    without = manifest(models={"m-*": {"parameters": {"dimensions": None}}}).for_operation("embeddings", "m-1")
    assert "dimensions" not in render_embeddings(request, without, ledger)
    assert ledger.warnings[0].startswith("dimensions is not ")
    bounded = manifest(limits={"dimensions": [1, 32]}).for_operation("embeddings", "m-1")
    with pytest.raises(ConfigurationError, match="dimensions must "):
        render_embeddings(request, bounded, Ledger())
    few = manifest(limits={"texts": 1}).for_operation("embeddings", "m-1")
    with pytest.raises(ConfigurationError, match="at most 1 texts in a request, not 2"):
        render_embeddings(EmbeddingRequest("m-1", ("a", "b")), few, Ledger())


def test_vectors_come_in_the_order_of_the_texts_whatever_their_order_on_the_wire() -> None:
    read = parse(response(item(1, [3, 4.5]), item(0, packed(0.5, -2.0))))
    assert read.vectors == [[0.5, -2.0], [3.0, 4.5]]
    assert (read.model, read.usage.prompt_tokens, read.usage.total_tokens) == ("m-1-v2", 3, 3)
    assert read.usage.completion_tokens is None


@pytest.mark.parametrize(
    "body",
    [
        [],
        {"object": "list"},
        response(item(0, [1.0])),
        response(item(0, [1.0]), item(0, [2.0])),
        response(item(0, [1.0]), item(2, [2.0])),
        response(item(0, [1.0]), item(1, "not base64!")),
        response(item(0, [1.0]), item(1, base64.b64encode(b"12345").decode())),
        response(item(0, [1.0]), item(1, None)),
        response(item(0, [1.0]), item(1, ["x"])),
    ],
)
def test_a_response_without_a_vector_for_each_text_is_a_protocol_error(body: Any) -> None:
    with pytest.raises(ProtocolError, match=r"the (answer|response) is not what openai_chat says"):
        parse(body)


@pytest.mark.parametrize(
    ("texts", "options", "says"),
    [
        ([], {}, "pass at least one text"),
        ([""], {}, r"texts\[0\] is empty"),
        (["a", 7], {}, r"texts\[1\] must be a text, not int"),
        (7, {}, r"texts\[0\] must be a text, not int"),
        ("a", {"dimensions": 0}, "dimensions must be a whole number of at least 1, not 0"),
        ("a", {"dimensions": True}, "dimensions must be a whole number of at least 1, not True"),
    ],
)
def test_bad_input_is_rejected_before_anything_is_sent(texts: Any, options: Any, says: str) -> None:
    with pytest.raises(ConfigurationError, match=says):
        AiClient("openai/text-embedding-3-small", api_key="k").embed(texts, **options)


def test_one_text_is_a_list_of_one_vector_and_the_client_asks_for_base64() -> None:
    pool = Pool((200, {"content-type": "application/json"}, json.dumps(response(item(0, packed(0.25, 1.0)))).encode()))
    client = AiClient("openai/text-embedding-3-small", api_key="k", http=pool)
    read = client.embed("a", dimensions=2)
    assert read.vectors == [[0.25, 1.0]]
    assert read.provider == "openai"
    assert pool.sent[0][1] == "https://api.openai.com/v1/embeddings"
    assert pool.body == {
        "model": "text-embedding-3-small", "input": ["a"], "dimensions": 2, "encoding_format": "base64",
    }  # fmt: skip
    assert read.raw is not None


def test_a_model_without_dimensions_warns_and_strict_raises() -> None:
    reply = (200, {"content-type": "application/json"}, json.dumps(response(item(0, [1.0]))).encode())
    client = AiClient("openai/text-embedding-ada-002", api_key="k", http=Pool(reply))
    assert "dimensions" in client.embed("a", dimensions=8).warnings[0]
    with pytest.raises(ConfigurationError, match="strict: dimensions"):
        AiClient("openai/text-embedding-ada-002", api_key="k", http=Pool(reply), strict=True).embed("a", dimensions=8)


def test_an_error_response_is_a_remote_error_and_fallbacks_do_not_apply() -> None:
    error = {"error": {"message": "no such model", "type": "invalid_request_error", "param": None, "code": None}}
    pool = Pool((400, {"content-type": "application/json"}, json.dumps(error).encode()))
    client = AiClient("openai/m", api_key="k", http=pool, fallbacks=["embedded/echo"])
    with pytest.raises(NotFound, match="no such model"):
        client.embed("a")
    assert len(pool.sent) == 1


def test_a_provider_without_embeddings_says_what_it_has() -> None:
    with pytest.raises(ConfigurationError, match="has no operation embeddings here; it has chat"):
        AiClient("groq/x", api_key="k").embed("a")


def test_a_provider_of_embeddings_alone_can_be_requested_them() -> None:
    data = {
        "id": "acme", "name": "Acme", "dialect": "openai_chat", "base_url": "https://acme.example/v1",
        "status": "not_chat", "retired": {"use": "It makes vectors."}, "operations": {"embeddings": {}},
    }  # fmt: skip
    pool = Pool((200, {"content-type": "application/json"}, json.dumps(response(item(0, [1.0]))).encode()))
    client = AiClient("acme/x", manifest=data, api_key="k", http=pool)
    assert client.embed("a").vectors == [[1.0]]
    with pytest.raises(ConfigurationError, match=r"Acme is not a chat service\. It makes vectors."):
        client.chat().user("Hi").execute()
