"""The request and the response of an embedding call. Values only."""

from __future__ import annotations

from .._arguments import whole
from .._dataclass import dataclass, field
from ..errors import ConfigurationError
from .response import CallStats, Response

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from typing import Any, Literal, TypeAlias

    InputType: TypeAlias = Literal[
        "query", "document", "classification", "clustering", "similarity", "code_query", "question", "fact_check"
    ]
    Truncation: TypeAlias = Literal["none", "start", "end"]

#: What the vectors are for. Providers have other words for them, and support some.
INPUT_TYPES: tuple[InputType, ...] = (
    "query", "document", "classification", "clustering", "similarity", "code_query", "question", "fact_check",
)  # fmt: skip
TRUNCATIONS: tuple[Truncation, ...] = ("none", "start", "end")


@dataclass(frozen=True, slots=True)
class EmbeddingOptions:
    """The options of an embedding; None is unset. `dimensions` is the length of each vector, `input_type` what the vectors are
    for, `truncate` which end of a text that is too long is cut off (`none`: such a text is an error)."""

    dimensions: int | None = None
    input_type: InputType | None = None
    truncate: Truncation | None = None

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
    """The vectors, in the order of the texts. If they came in several responses, `usage` is the sum, `raw` is None, and the
    ids are those of the last response."""

    vectors: list[list[float]] = field(default_factory=list)
    stats: CallStats = field(default_factory=CallStats)

    def numpy(self) -> Any:
        """The vectors as a numpy array of float32, one row for each text. Raises ConfigurationError without numpy."""
        try:
            import numpy
        except ImportError:
            raise ConfigurationError("EmbeddingResponse.numpy needs numpy: pip install numpy") from None
        return numpy.array(self.vectors, dtype=numpy.float32)


def checked_text(text: Any, position: int) -> str:
    """The text at this position of the input. Raises ConfigurationError if it is empty or not text."""
    if not isinstance(text, str):
        raise ConfigurationError(f"embed: texts[{position}] must be a text, not {type(text).__name__}")
    if not text:
        raise ConfigurationError(f"embed: texts[{position}] is empty, and an empty text has no vector")
    return text


def texts_of(texts: str | Iterable[str]) -> tuple[str, ...]:
    """One text or several. Raises ConfigurationError if there is none, or one is empty or not text."""
    given: Iterable[Any] = (texts,) if isinstance(texts, str) or not hasattr(texts, "__iter__") else texts
    checked = tuple(checked_text(text, position) for position, text in enumerate(given))
    if not checked:
        raise ConfigurationError("embed: pass at least one text")
    return checked


def options_of(dimensions: Any = None, input_type: Any = None, truncate: Any = None) -> EmbeddingOptions:
    """The options. `truncate` True is `end`, False is `none`. Raises ConfigurationError for any other wrong value."""
    if dimensions is not None:
        whole("embed: dimensions", dimensions, 1)
    if input_type is not None and input_type not in INPUT_TYPES:
        raise ConfigurationError(f"embed: input_type must be one of {', '.join(INPUT_TYPES)}, not {input_type!r}")
    if isinstance(truncate, bool):
        truncate = "end" if truncate else "none"
    if truncate is not None and truncate not in TRUNCATIONS:
        raise ConfigurationError(f"embed: truncate must be one of {', '.join(TRUNCATIONS)}, not {truncate!r}")
    return EmbeddingOptions(dimensions, input_type, truncate)
