"""A provider's own list of its models: the request, the response, and what this package adds to it. Values only."""

from __future__ import annotations

from .._dataclass import dataclass, field, replace
from ..types.response import Response
from .models import ModelInfo, model_info

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any


@dataclass(frozen=True, slots=True)
class ModelListRequest:
    """One page of the list, after the page that named the token `page`; or one model, if `model` is set."""

    model: str = ""
    page: str | None = None
    extra: Mapping[str, Any] = field(default_factory=dict)
    headers: Mapping[str, str] = field(default_factory=dict)

    @property
    def stream(self) -> bool:
        """A list is never streamed."""
        return False


@dataclass(slots=True)
class ModelList(Response):
    """One page. `next_page` is the token of the next one, None after the last."""

    models: list[ModelInfo] = field(default_factory=list)
    next_page: str | None = None


#: The fields of a `ModelInfo` that this package's list adds where the provider does not report them.
ADDED = (
    "name", "context_window", "max_output", "prices", "tiers", "capabilities", "temperature_supported", "knowledge_cutoff",
    "released", "retires", "status",
)  # fmt: skip


def with_known_facts(info: ModelInfo) -> ModelInfo:
    """A listed model with the facts of this package's list that the provider does not report; `added` names them."""
    known = model_info(info.provider, info.id)
    if known is None:
        return info
    changes: dict[str, Any] = {}
    for name in ADDED:
        reported, fact = getattr(info, name), getattr(known, name)
        if name == "capabilities":
            if missing := {key: value for key, value in fact.items() if key not in reported}:
                changes[name] = {**missing, **reported}
        elif fact not in (None, (), "unknown") and reported in (None, (), "unknown", info.id):
            changes[name] = fact
    return replace(info, **changes, disputed=known.disputed if "prices" in changes else False, added=tuple(changes))
