"""Embeddings in OpenAI's format: `POST /embeddings`. Pure functions.

https://platform.openai.com/docs/api-reference/embeddings
"""

from __future__ import annotations

from ...types.embeddings import EmbeddingResponse
from ...types.json_values import child, children, count, word
from ...types.response import Usage
from ..dialect import Operation, Received, wrong_shape
from ..options import join, place_options
from ..vectors import check_texts, checked_vectors, read_vector

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

    from ...registry.manifest import Manifest
    from ...types.embeddings import EmbeddingRequest
    from ...types.request import Ledger

PARAMETERS: Mapping[str, str] = {"dimensions": "dimensions"}


def render_embeddings(request: EmbeddingRequest, manifest: Manifest, ledger: Ledger) -> dict[str, Any]:
    """The body."""
    check_texts(request, manifest)
    body: dict[str, Any] = {"model": request.model, "input": list(request.texts)}
    join(body, place_options(request.options.given(), manifest, PARAMETERS, ledger))
    join(body, request.extra)
    return body


def parse_embeddings(received: Received, manifest: Manifest) -> EmbeddingResponse:
    """The vectors in the order of the texts: each item says by `index` which text it belongs to, and items come in any order.

    Raises ProtocolError where a text has no vector.
    """
    body = received.body
    if not isinstance(body, dict):
        raise wrong_shape(manifest, "it is not an object", body)
    vectors: list[list[float] | None] = [None] * len(received.request.texts)
    for position, item in enumerate(children(body, "data")):
        index = count(item.get("index", position))
        if index is None or not 0 <= index < len(vectors) or vectors[index] is not None:
            raise wrong_shape(manifest, f"data[{position}].index is not that of a text", body)
        vectors[index] = read_vector(item.get("embedding"), f"data[{position}].embedding", manifest, body)
    complete = checked_vectors(vectors, received.request, manifest, body)
    return EmbeddingResponse(complete, id=word(body.get("id")), model=word(body.get("model")), usage=parse_usage(body))


def parse_usage(body: dict[str, Any]) -> Usage:
    """The tokens of the texts. Voyage reports only their total; an embedding has no completion."""
    usage = child(body, "usage")
    total = count(usage.get("total_tokens"))
    prompt = count(usage.get("prompt_tokens"))
    return Usage(total if prompt is None else prompt, None, prompt if total is None else total, raw=usage or None)


EMBEDDINGS = Operation("embeddings", render_embeddings, parse_embeddings, PARAMETERS, path="/embeddings")
