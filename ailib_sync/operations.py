"""The operations of a client other than chat."""

from __future__ import annotations

from functools import partial

from ._arguments import whole
from ._dataclass import replace
from .errors import ProtocolError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from array import array
    from collections.abc import Callable, Iterable, Iterator, Mapping
    from typing import Any

    from .http.timeouts import CancelToken, Timeout
    from .pipeline.explanation import Explanation
    from .pipeline.route import Route
    from .registry.listing import ModelList
    from .registry.models import ModelInfo
    from .types.embeddings import EmbeddingRequest, EmbeddingResponse, InputType, Truncation
    from .types.request import Request


class Operations:
    """The part of `AiClient` that embeds texts and lists models."""

    if TYPE_CHECKING:
        model: str
        _route: Route

        def resolve_model(self, model: str) -> str: ...

        def _send(
            self,
            operation: str,
            request: Request,
            timeout: float | Timeout | None,
            cancel: CancelToken | None,
            *,
            fallbacks: bool = True,
        ) -> Any: ...

    def embed(
        self,
        texts: str | Iterable[str],
        *,
        dimensions: int | None = None,
        input_type: InputType | None = None,
        truncate: Truncation | bool | None = None,
        normalize: bool = False,
        model: str | None = None,
        extra: Mapping[str, Any] | None = None,
        max_workers: int = 4,
        on_progress: Callable[[int, int], object] | None = None,
        timeout: float | Timeout | None = None,
        cancel: CancelToken | None = None,
    ) -> EmbeddingResponse:
        """The vectors of one text or several, in the texts' order: `client.embed(["a", "b"]).vectors`.

        - `dimensions`: the length of each vector, for models that can shorten theirs.
        - `input_type`: what the vectors are for: `query`, `document`, `classification`, `clustering`, `similarity`,
          `code_query`, `question` or `fact_check`.
        - `truncate`: which end of a text that is too long is cut off, `start` or `end` (True), or `none` (False) for an error.
        - `normalize`: divide each vector by its length. `model`: another model of the provider. `extra`: merged into the body.

        An option that the provider does not support is not sent, and `warnings` says so. More texts than one request can carry
        are sent in several, at most `max_workers` at the same time, each with the `timeout` of a call;
        `on_progress(done, total)` is called after each. If one fails, its error has the vectors of the others in
        `error.vectors`. Fallbacks do not apply: the vectors of two models cannot be compared.

        Raises ConfigurationError if the provider has no embeddings, a text is empty, or an option is wrong.
        """
        from .embedding import embed_all
        from .types.embeddings import texts_of

        request = self._embedding_request(texts_of(texts), dimensions, input_type, truncate, model, extra)
        limits = self._route.endpoints.find(request.model, "embeddings").manifest.limits
        send = partial(self._embed, timeout=timeout, normalize=normalize)
        return embed_all(request, limits, send, whole("max_workers", max_workers, 1), on_progress, cancel)

    def embed_iter(
        self,
        texts: Iterable[str],
        *,
        dimensions: int | None = None,
        input_type: InputType | None = None,
        truncate: Truncation | bool | None = None,
        normalize: bool = False,
        model: str | None = None,
        extra: Mapping[str, Any] | None = None,
        max_workers: int = 4,
        timeout: float | Timeout | None = None,
        cancel: CancelToken | None = None,
    ) -> Iterator[array[float]]:
        """Like `embed`, for any number of texts in little memory: yields each vector, as an `array` of float32, in order.

        `texts` is read as requests are sent, a few requests ahead, so it can be infinite. The error of a request is raised
        after the vectors of the requests before it.
        """
        from .embedding import flat_vectors, in_order, split
        from .types.embeddings import checked_text

        first = self._embedding_request((), dimensions, input_type, truncate, model, extra)
        limits = self._route.endpoints.find(first.model, "embeddings").manifest.limits
        checked = (checked_text(text, position) for position, text in enumerate(texts))
        requests = (replace(first, texts=group) for group in split(checked, limits))
        send = partial(self._embed, timeout=timeout, normalize=normalize)
        return flat_vectors(in_order(requests, send, whole("max_workers", max_workers, 1), cancel))

    def explain_embed(
        self,
        texts: str | Iterable[str],
        *,
        dimensions: int | None = None,
        input_type: InputType | None = None,
        truncate: Truncation | bool | None = None,
        model: str | None = None,
        extra: Mapping[str, Any] | None = None,
    ) -> Explanation:
        """The first request that `embed` would send, with its secrets redacted. Needs no key."""
        from .embedding import split
        from .types.embeddings import texts_of

        request = self._embedding_request(texts_of(texts), dimensions, input_type, truncate, model, extra)
        endpoint = self._route.endpoints.find(request.model, "embeddings")
        return endpoint.explain(replace(request, texts=next(split(request.texts, endpoint.manifest.limits))))

    def list_models(self, *, timeout: float | Timeout | None = None, cancel: CancelToken | None = None) -> list[ModelInfo]:
        """The models that the provider lists for this key, all pages. Facts of this package's list are added, and
        `ModelInfo.added` names them.

        `AiClient.for_provider("openai").list_models()` needs no model. Some hosts ignore the key here, so a list does not show
        that the key is right. Raises ConfigurationError if the provider has no list.
        """
        from .registry.listing import ModelListRequest, with_known_facts

        found: dict[str, ModelInfo] = {}
        tokens: set[str] = set()
        request = ModelListRequest()
        while True:
            page: ModelList = self._send("models", request, timeout, cancel, fallbacks=False)[0]
            for info in page.models:
                found.setdefault(info.id, info)  # a host may list a model twice
            if page.next_page is None:
                return [with_known_facts(info) for info in found.values()]
            if page.next_page in tokens:
                raise ProtocolError("the list of models does not end: a page names an earlier page", provider=page.provider)
            tokens.add(page.next_page)
            request = replace(request, page=page.next_page)

    def fetch_model(
        self, model: str | None = None, *, timeout: float | Timeout | None = None, cancel: CancelToken | None = None
    ) -> ModelInfo:
        """What the provider reports about one model, with the facts of this package's list added, as in `list_models`.

        Raises NotFound if the provider does not know the model, ConfigurationError if it has no such endpoint.
        """
        from .registry.listing import ModelListRequest, with_known_facts

        request = ModelListRequest(self.resolve_model(model) if model else self.model)
        response: ModelList = self._send("model", request, timeout, cancel, fallbacks=False)[0]
        return with_known_facts(response.models[0])

    def _embedding_request(
        self,
        texts: tuple[str, ...],
        dimensions: int | None,
        input_type: InputType | None,
        truncate: Truncation | bool | None,
        model: str | None,
        extra: Mapping[str, Any] | None,
    ) -> EmbeddingRequest:
        from .types.embeddings import EmbeddingRequest, options_of

        name = self.resolve_model(model) if model else self.model
        return EmbeddingRequest(name, texts, options_of(dimensions, input_type, truncate), dict(extra or {}))

    def _embed(
        self, request: EmbeddingRequest, cancel: CancelToken, *, timeout: float | Timeout | None, normalize: bool
    ) -> EmbeddingResponse:
        """The response to one request."""
        response: EmbeddingResponse
        from .embedding import note_dimensions, with_unit_length

        response, response.stats = self._send("embeddings", request, timeout, cancel, fallbacks=False)
        note_dimensions(response, request)
        return with_unit_length(response) if normalize else response
