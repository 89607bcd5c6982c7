"""OpenAI's embeddings, the server's side: what they reject, and the response.

https://platform.openai.com/docs/api-reference/embeddings/create
"""

from __future__ import annotations

import sys
from array import array as packed
from binascii import b2a_base64
from re import compile

from ...exchange import ServiceOperation, known_fields
from ...json_checks import Bad, array, choice, integer, record, string, union
from ...tokens import count
from ...vectors import DIMENSIONS, vector_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from ...exchange import Rules

MAX_TEXTS = 2048
MAX_TOKENS = 300_000

_TOKENS = array(integer(0), 1, MAX_TEXTS)
_BODY = record(
    {
        "model": string(1),
        "input": union(string=string(1), array=array(union(string=string(1), integer=integer(0), array=_TOKENS), 1, MAX_TEXTS)),
    },
    {"dimensions": integer(1), "encoding_format": choice("float", "base64"), "user": string()},
)


def check(body: dict[str, Any], rules: Rules) -> None:
    """Raises Bad for a body that the service rejects."""
    _BODY(known_fields(body, rules, _BODY), ())
    texts = _texts(body)
    if sum(count(text) for text in texts) > MAX_TOKENS:
        raise Bad("long", ("input",), MAX_TOKENS, texts)


def respond(body: dict[str, Any], rules: Rules) -> dict[str, Any]:
    """A list of vectors in the order of the texts, as numbers or as base64 of little-endian float32 values."""
    texts = _texts(body)
    vectors = [vector_of(text, body.get("dimensions") or DIMENSIONS) for text in texts]
    as_base64 = body.get("encoding_format") == "base64"
    data = [
        {"object": "embedding", "index": index, "embedding": _base64(vector) if as_base64 else vector}
        for index, vector in enumerate(vectors)
    ]
    tokens = sum(count(text) for text in texts)
    usage = {"prompt_tokens": tokens, "total_tokens": tokens}
    return {"object": "list", "data": data, "model": body.get("model", "echo"), "usage": usage}


def _texts(body: dict[str, Any]) -> list[str]:
    """The texts of `input`; a list of tokens counts as one text, each token as a word."""
    given = body.get("input") or []
    items = [given] if isinstance(given, str) or not given or isinstance(given[0], int) else given
    return [item if isinstance(item, str) else " ".join(map(str, item)) for item in items]


def _base64(vector: list[float]) -> str:
    numbers = packed("f", vector)
    if sys.byteorder == "big":
        numbers.byteswap()
    return b2a_base64(numbers.tobytes(), newline=False).decode("ascii")


EMBEDDINGS = ServiceOperation("embeddings", compile(r"/embeddings$"), check, respond)
