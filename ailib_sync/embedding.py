"""Embeddings of any number of texts: split into requests, sent at the same time, and joined in order. Similarity of vectors."""

from __future__ import annotations

from array import array
from functools import partial
from itertools import count
from math import hypot
from operator import mul
from time import monotonic

from ._dataclass import dataclass, replace
from .errors import ConfigurationError
from .types.embeddings import EmbeddingResponse
from .types.json_values import total_if_known
from .types.response import Usage
from .workers import Workers

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
    from typing import Any

    from .http.timeouts import CancelToken
    from .types.embeddings import EmbeddingRequest

    #: Sends one request. The token ends it.
    Send = Callable[[EmbeddingRequest, CancelToken], EmbeddingResponse]

#: How many texts a request carries, if the manifest does not say how many it can.
TEXTS_IN_A_REQUEST = 256
#: How many requests may be ahead of the one whose vectors are next, for each worker: bounds the memory of `embed_iter`.
REQUESTS_AHEAD = 2


@dataclass(slots=True)
class Part:
    """The result of one request: `response` or `error`. `index` is the position of the request, from 0."""

    index: int
    size: int
    response: EmbeddingResponse | None = None
    error: Exception | None = None


def split(texts: Iterable[str], limits: Mapping[str, Any]) -> Iterator[tuple[str, ...]]:
    """The texts of each request: at most `limits.texts` texts and `limits.tokens` tokens.

    Tokens are not counted. A token is at least one byte, so a request of at most that many bytes is always small enough.
    """
    most, most_bytes = limits.get("texts") or TEXTS_IN_A_REQUEST, limits.get("tokens")
    group: list[str] = []
    size = 0
    for text in texts:
        length = len(text.encode("utf-8", "surrogatepass")) if most_bytes else 0
        if group and (len(group) == most or (most_bytes and size + length > most_bytes)):
            yield tuple(group)
            group, size = [], 0
        group.append(text)
        size += length
    if group:
        yield tuple(group)


def in_order(
    requests: Iterator[EmbeddingRequest], send: Send, max_workers: int, cancel: CancelToken | None = None
) -> Iterator[Part]:
    """The result of each request, in the order of the requests. After an error no further request is sent, but those that are
    running are completed, because they are paid for."""
    workers = Workers(max_workers)
    if cancel is not None:
        cancel.also_cancels(workers.token)
    early: dict[int, Part] = {}
    submitted, failed = 0, False
    try:
        for position in count():
            while not failed and workers.running < max_workers and submitted - position < REQUESTS_AHEAD * max_workers:
                request = next(requests, None)
                if request is None:
                    break
                workers.submit(partial(_send_part, send, request))
                submitted += 1
            if position == submitted:
                return
            while position not in early:
                part: Part = workers.next_result()
                early[part.index] = part
                failed = failed or part.error is not None
            yield early.pop(position)
    finally:
        workers.stop()


def _send_part(send: Send, request: EmbeddingRequest, index: int, token: CancelToken) -> Part:
    part = Part(index, len(request.texts))
    try:
        part.response = send(request, token)
    except Exception as error:  # noqa: BLE001  a key function of the caller's may raise anything; the other parts stay
        part.error = error
    return part


def embed_all(
    request: EmbeddingRequest,
    limits: Mapping[str, Any],
    send: Send,
    max_workers: int,
    on_progress: Callable[[int, int], object] | None = None,
    cancel: CancelToken | None = None,
) -> EmbeddingResponse:
    """The vectors of all texts. What arrived before an error, or before Ctrl-C, is in its attribute `vectors`."""
    started, total = monotonic(), len(request.texts)
    requests = (replace(request, texts=texts) for texts in split(request.texts, limits))
    vectors: list[list[float] | None] = []
    responses: list[EmbeddingResponse] = []
    failure: Exception | None = None
    try:
        for part in in_order(requests, send, max_workers, cancel):
            if part.response is None:
                failure = failure or part.error
                vectors += [None] * part.size
            else:
                responses.append(part.response)
                vectors += part.response.vectors
                if on_progress is not None:
                    on_progress(len(vectors), total)
        if failure is not None:
            raise failure
    except BaseException as error:
        error.vectors = vectors + [None] * (total - len(vectors))  # type: ignore[attr-defined]
        raise
    return joined(responses, started)


def joined(responses: Sequence[EmbeddingResponse], started: float) -> EmbeddingResponse:
    """One response of several. Raises ConfigurationError if the vectors of two responses have different lengths."""
    if len(responses) == 1:
        return responses[0]
    last = responses[-1]
    lengths = {len(response.vectors[0]) for response in responses}
    if len(lengths) > 1:
        raise ConfigurationError(f"embed: the vectors of the responses have different lengths: {sorted(lengths)}")
    usages = [response.usage for response in responses]
    usage = Usage(
        total_if_known(*(each.prompt_tokens for each in usages)), None, total_if_known(*(each.total_tokens for each in usages))
    )
    stats = replace(
        last.stats,
        prompt_tokens=usage.prompt_tokens,
        total_tokens=usage.total_tokens,
        latency_ms=(monotonic() - started) * 1000,
        attempts=tuple(attempt for response in responses for attempt in response.stats.attempts),
    )
    return replace(
        last,
        vectors=[vector for response in responses for vector in response.vectors],
        usage=usage,
        stats=stats,
        warnings=list(dict.fromkeys(warning for response in responses for warning in response.warnings)),
        raw=None,
    )


def flat_vectors(parts: Iterator[Part]) -> Iterator[array[float]]:
    """The vectors of all parts, one by one, as arrays of float32. Raises the error of the first part that failed."""
    for part in parts:
        if part.error is not None:
            raise part.error
        assert part.response is not None
        for vector in part.response.vectors:
            yield array("f", vector)


def note_dimensions(response: EmbeddingResponse, request: EmbeddingRequest) -> None:
    """Adds a warning if the provider ignored the requested length of the vectors without a word."""
    requested, length = request.options.dimensions, len(response.vectors[0])
    if requested not in (None, length) and not any(warning.startswith("dimensions ") for warning in response.warnings):
        response.warnings.append(f"dimensions were ignored by the provider: {requested} requested, {length} received")


def with_unit_length(response: EmbeddingResponse) -> EmbeddingResponse:
    """The response, each vector divided by its length. A vector of zeros stays as it is."""
    response.vectors = [[number / length for number in v] if (length := hypot(*v)) else v for v in response.vectors]
    return response


def similarity(a: Sequence[float], b: Sequence[float]) -> float:
    """The cosine similarity of two vectors, from -1 to 1. They may have any length but zero, and must have as many numbers.

    Raises ConfigurationError if they do not, or one has only zeros.
    """
    if len(a) != len(b):
        raise ConfigurationError(f"similarity: the vectors have {len(a)} and {len(b)} numbers; embed both with one model")
    length = hypot(*a) * hypot(*b)
    if not length:
        raise ConfigurationError("similarity: a vector of zeros has no direction")
    cosine: float = sum(map(mul, a, b)) / length
    return max(-1.0, min(1.0, cosine))  # rounding
