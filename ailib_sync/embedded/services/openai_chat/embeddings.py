"""OpenAI's embeddings, the server's side: checks, requests in, vectors out.

https://platform.openai.com/docs/api-reference/embeddings/create
"""

from __future__ import annotations

import sys
from array import array as packed
from binascii import b2a_base64
from re import compile

from ....types.embeddings import EmbeddingOptions, EmbeddingRequest
from ...exchange import Rejected, ServiceOperation
from ...json_checks import array, choice, integer, nullable, record, string, union
from ...request_checks import without_host_fields
from ...tokens import count

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from ....types.embeddings import EmbeddingResponse
    from ...exchange import Rules, ServerRequest

#: The limits of a request: its inputs, the tokens of one input, the tokens of all inputs.
MAX_INPUTS = 2048
MAX_INPUT_TOKENS = 8192
MAX_TOKENS = 300_000

_TOKENS = array(integer(0), 1, MAX_INPUTS)
_INPUTS = array(union(string=string(1), integer=integer(0), array=_TOKENS), 1, MAX_INPUTS)
BODY = record(
    {"model": string(1), "input": union(string=string(1), array=_INPUTS)},
    {
        "dimensions": nullable(integer(1)),
        "encoding_format": nullable(choice("float", "base64")),
        "user": string(),
    },
)


def check_request(received: ServerRequest, body: dict[str, Any], rules: Rules) -> None:
    """Raises Invalid or Rejected for the first value that the service rejects."""
    BODY(without_host_fields(body, rules, BODY), ())
    if isinstance(body["input"], list) and len({type(item) for item in body["input"]}) > 1:
        message = "'$.input' is invalid. Please check the API reference: https://platform.openai.com/docs/api-reference."
        raise Rejected(message)
    counts = [count(text) for text in _texts(body["input"])]
    if max(counts) > MAX_INPUT_TOKENS:
        raise Rejected(
            f"This model's maximum context length is {MAX_INPUT_TOKENS} tokens, however you requested {max(counts)} tokens "
            f"({max(counts)} in your prompt; 0 for the completion). Please reduce your prompt; or completion length."
        )
    if sum(counts) > MAX_TOKENS:
        message = f"Requested {sum(counts)} tokens, max {MAX_TOKENS} tokens per request"
        raise Rejected(message, type="max_tokens_per_request", code="max_tokens_per_request")


def read_request(received: ServerRequest, body: dict[str, Any], rules: Rules) -> EmbeddingRequest:
    return EmbeddingRequest(
        model=body["model"],
        texts=_texts(body["input"]),
        options=EmbeddingOptions(dimensions=body.get("dimensions")),
        extra={"base64": body.get("encoding_format") == "base64"},
    )


def _texts(input: Any) -> tuple[str, ...]:
    """The inputs as texts. A list of tokens is one input; each token counts as a word."""
    inputs = [input] if isinstance(input, str) or isinstance(input[0], int) else input
    return tuple(item if isinstance(item, str) else " ".join(map(str, item)) for item in inputs)


def write_response(request: EmbeddingRequest, response: EmbeddingResponse, rules: Rules) -> dict[str, Any]:
    """The vectors in the order of the inputs, as lists of numbers or as base64."""
    write = _base64 if request.extra.get("base64") else list
    return {
        "object": "list",
        "data": [
            {"object": "embedding", "index": index, "embedding": write(vector)} for index, vector in enumerate(response.vectors)
        ],
        "model": response.model,
        "usage": {"prompt_tokens": response.usage.prompt_tokens, "total_tokens": response.usage.total_tokens},
    }


def _base64(vector: list[float]) -> str:
    """Base64 of float32 values, little-endian."""
    numbers = packed("f", vector)
    if sys.byteorder == "big":
        numbers.byteswap()
    return b2a_base64(numbers.tobytes(), newline=False).decode("ascii")


EMBEDDINGS = ServiceOperation(
    path=compile(r"/embeddings$"),
    check=check_request,
    read=read_request,
    write=write_response,
    options={"dimensions": "dimensions"},
)
