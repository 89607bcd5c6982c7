"""Embeddings in OpenAI's format: `POST /embeddings`. Pure functions.

https://platform.openai.com/docs/api-reference/embeddings
"""

from __future__ import annotations

import sys
from array import array

from ...errors import ConfigurationError
from ...types.embeddings import EmbeddingResponse
from ...types.json_values import child, children, count, parse_base64, word
from ...types.response import Usage
from ..dialect import Operation, Received, wrong_shape
from ..options import join, place_options

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

    from ...registry.manifest import Manifest
    from ...types.embeddings import EmbeddingRequest
    from ...types.request import Ledger

PARAMETERS: Mapping[str, str] = {"dimensions": "dimensions"}


def render_embeddings(request: EmbeddingRequest, manifest: Manifest, ledger: Ledger) -> dict[str, Any]:
    """The body. Raises ConfigurationError where there are more texts than one request may carry (`limits.texts`)."""
    most = manifest.limits.get("texts")
    if most is not None and len(request.texts) > most:
        raise ConfigurationError(f"embed: {manifest.name} accepts at most {most} texts in a request, not {len(request.texts)}")
    body: dict[str, Any] = {"model": request.model, "input": list(request.texts)}
    join(body, place_options(request.options.given(), manifest, PARAMETERS, ledger))
    join(body, request.extra)
    return body


def parse_embeddings(received: Received, manifest: Manifest) -> EmbeddingResponse:
    """The vectors in the order of the texts: each item says by `index` which text it belongs to, and items come in any order.

    Raises ProtocolError where a text has no vector, or the errors of a status 200 that holds an error.
    """
    body = received.body
    if not isinstance(body, dict):
        raise wrong_shape(manifest, "it is not an object", body)
    vectors: list[list[float] | None] = [None] * len(received.request.texts)
    for position, item in enumerate(children(body, "data")):
        index = count(item.get("index", position))
        if index is None or not 0 <= index < len(vectors) or vectors[index] is not None:
            raise wrong_shape(manifest, f"data[{position}].index is not that of a text", body)
        vectors[index] = _vector(item.get("embedding"), f"data[{position}].embedding", manifest, body)
    complete = [vector for vector in vectors if vector is not None]
    if len(complete) < len(vectors):
        raise wrong_shape(manifest, f"it has {len(complete)} vectors for {len(vectors)} texts", body)
    usage = child(body, "usage")
    return EmbeddingResponse(
        complete,
        id=word(body.get("id")),
        model=word(body.get("model")),
        usage=Usage(count(usage.get("prompt_tokens")), None, count(usage.get("total_tokens")), raw=usage or None),
    )


def _vector(value: Any, path: str, manifest: Manifest, body: Any) -> list[float]:
    """A list of numbers, or base64 of float32 values, little-endian; a host that ignores `encoding_format` sends the list."""
    if isinstance(value, list) and all(isinstance(number, (int, float)) for number in value):
        return list(map(float, value))
    floats = array("f")
    try:
        floats.frombytes(parse_base64(value))
    except ValueError:
        raise wrong_shape(manifest, f"{path} is neither a list of numbers nor base64 of float32 values", body) from None
    if sys.byteorder == "big":
        floats.byteswap()
    return floats.tolist()


EMBEDDINGS = Operation("embeddings", render_embeddings, parse_embeddings, PARAMETERS, path="/embeddings")
