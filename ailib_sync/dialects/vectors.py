"""The vectors of an embedding response: the rules that all dialects share. Pure functions."""

from __future__ import annotations

import sys
from array import array

from ..errors import ConfigurationError
from ..types.json_values import parse_base64
from .dialect import wrong_shape

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable
    from typing import Any

    from ..registry.manifest import Manifest
    from ..types.embeddings import EmbeddingRequest


def check_texts(request: EmbeddingRequest, manifest: Manifest) -> None:
    """Raises ConfigurationError if there are more texts than one request can carry (`limits.texts`).

    `AiClient.embed` sends several requests then; it never makes a request that is too large.
    """
    most = manifest.limits.get("texts")
    if most is not None and len(request.texts) > most:
        raise ConfigurationError(f"embed: {manifest.name} accepts at most {most} texts in a request, not {len(request.texts)}")


def read_vector(value: Any, path: str, manifest: Manifest, body: Any) -> list[float]:
    """A list of numbers, or base64 of numbers. A host that ignores the request for base64 sends the list.

    The base64 holds float32 values, little-endian, or signed bytes where the manifest has the quirk `int8_vectors`. The length
    does not show which. Raises ProtocolError.
    """
    if isinstance(value, list):
        try:
            return array("d", value).tolist()  # the fastest check that every item is a number
        except TypeError:
            raise wrong_shape(manifest, f"{path} has an item that is not a number", body) from None
    numbers: array[float] | array[int] = array("b") if manifest.has("int8_vectors") else array("f")
    try:
        numbers.frombytes(parse_base64(value))
    except ValueError:
        raise wrong_shape(manifest, f"{path} is neither a list of numbers nor base64 of them", body) from None
    if sys.byteorder == "big":
        numbers.byteswap()
    return list(map(float, numbers)) if numbers.typecode == "b" else numbers.tolist()  # type: ignore[return-value]


def checked_vectors(
    vectors: Iterable[list[float] | None], request: EmbeddingRequest, manifest: Manifest, body: Any
) -> list[list[float]]:
    """The vectors, in the order of the texts, if there is one for each text and all are equally long. Raises ProtocolError."""
    complete = [vector for vector in vectors if vector]
    if len(complete) != len(request.texts):
        raise wrong_shape(manifest, f"it has {len(complete)} vectors for {len(request.texts)} texts", body)
    lengths = {len(vector) for vector in complete}
    if len(lengths) > 1:
        raise wrong_shape(manifest, f"its vectors have different lengths: {sorted(lengths)}", body)
    return complete
