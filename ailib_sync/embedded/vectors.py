"""The embedding model "echo": texts → vectors of unit length. Deterministic, no I/O, no format."""

from __future__ import annotations

from hashlib import blake2b
from math import sqrt

from ..types.embeddings import EmbeddingRequest, EmbeddingResponse
from ..types.response import Usage
from .exchange import EmbeddedModel
from .tokens import count, fragments

#: The length of a vector, if the request has no `dimensions`.
DIMENSIONS = 8


def respond(request: EmbeddingRequest, digest: str) -> EmbeddingResponse:
    """A vector for each text."""
    dimensions = request.options.dimensions or DIMENSIONS
    vectors = [vector_of(text, dimensions) for text in request.texts]
    return compose(request, digest, vectors)


def compose(request: EmbeddingRequest, digest: str, vectors: list[list[float]]) -> EmbeddingResponse:
    """A response with these vectors and the usage of the request."""
    response = EmbeddingResponse(vectors, id=digest, model=request.model)
    response.usage = usage_of(request, response)
    return response


def usage_of(request: EmbeddingRequest, response: EmbeddingResponse) -> Usage:
    """The tokens of the texts; an embedding has no completion."""
    tokens = sum(count(text) for text in request.texts)
    return Usage(tokens, None, tokens)


def request_of(text: str) -> EmbeddingRequest:
    """A request to embed the text."""
    return EmbeddingRequest("echo", (text,))


def vector_of(text: str, dimensions: int = DIMENSIONS) -> list[float]:
    """The sum of a vector for each word, scaled to unit length: texts with common words have similar vectors."""
    total = [0.0] * dimensions
    for word in fragments(text.lower()):
        for position, number in enumerate(_word_vector(word.strip(), dimensions)):
            total[position] += number
    length = sqrt(sum(number * number for number in total)) or 1.0
    return [number / length for number in total]


def _word_vector(word: str, dimensions: int) -> list[float]:
    """Numbers from -1 to 1, made from hashes of the word: each hash gives 64 of them."""
    data = word.encode("utf-8", "surrogatepass")
    blocks = range((dimensions + 63) // 64)
    hashes = b"".join(blake2b(data, salt=block.to_bytes(16, "big")).digest() for block in blocks)
    return [byte / 127.5 - 1.0 for byte in hashes[:dimensions]]


VECTORS = EmbeddedModel(respond, usage_of, request_of)
