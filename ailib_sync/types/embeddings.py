"""The request and the response of an embedding call. Values only."""

from __future__ import annotations

from .._arguments import whole
from .._dataclass import dataclass, field
from ..errors import ConfigurationError
from .response import Response

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from typing import Any


@dataclass(frozen=True, slots=True)
class EmbeddingOptions:
    """The options of an embedding; None is unset. `dimensions` is the length of each vector."""

    dimensions: int | None = None

    def given(self) -> dict[str, Any]:
        """The options that are set, by name."""
        return {name: value for name in EMBEDDING_OPTIONS if (value := getattr(self, name)) is not None}


#: The names of the options.
EMBEDDING_OPTIONS: tuple[str, ...] = EmbeddingOptions.__match_args__
NO_OPTIONS = EmbeddingOptions()


@dataclass(frozen=True, slots=True)
class EmbeddingRequest:
    """Texts to embed. `extra` is merged into the body last; `headers` are sent too."""

    model: str
    texts: tuple[str, ...]
    options: EmbeddingOptions = NO_OPTIONS
    extra: Mapping[str, Any] = field(default_factory=dict)
    headers: Mapping[str, str] = field(default_factory=dict)

    @property
    def stream(self) -> bool:
        """An embedding is never streamed."""
        return False


@dataclass(slots=True)
class EmbeddingResponse(Response):
    """The vectors, in the order of the texts."""

    vectors: list[list[float]] = field(default_factory=list)


def texts_of(texts: str | Iterable[str]) -> tuple[str, ...]:
    """One text or several. Raises ConfigurationError if there is none, or one is empty or not text."""
    given: tuple[Any, ...] = (texts,) if isinstance(texts, str) or not hasattr(texts, "__iter__") else tuple(texts)
    if not given:
        raise ConfigurationError("embed: pass at least one text")
    for position, text in enumerate(given):
        if not isinstance(text, str):
            raise ConfigurationError(f"embed: texts[{position}] must be a text, not {type(text).__name__}")
        if not text:
            raise ConfigurationError(f"embed: texts[{position}] is empty, and an empty text has no vector")
    return given


def options_of(dimensions: Any) -> EmbeddingOptions:
    """The options. Raises ConfigurationError if `dimensions` is not a positive whole number."""
    if dimensions is not None:
        whole("embed: dimensions", dimensions, 1)
    return EmbeddingOptions(dimensions)
