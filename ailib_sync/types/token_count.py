"""The response of a token count. Values only."""

from __future__ import annotations

from .._dataclass import dataclass
from .response import Response


@dataclass(slots=True)
class TokenCount(Response):
    """`tokens` is the number of tokens of the prompt, as the provider counts them."""

    tokens: int = 0
