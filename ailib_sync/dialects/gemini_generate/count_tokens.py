"""Token counts in Gemini's format: `POST /models/{model}:countTokens`.

https://ai.google.dev/api/tokens
"""

from __future__ import annotations

from ..dialect import Operation
from ..token_count import chosen, read_count
from .options import PARAMETERS, render_body

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from ...registry.manifest import Manifest
    from ...types.request import ChatRequest, Ledger
    from ...types.token_count import TokenCount
    from ..dialect import Received

#: The fields of a count on Vertex.
FIELDS = frozenset(("contents", "systemInstruction", "tools", "generationConfig"))


def render_count(request: ChatRequest, manifest: Manifest, ledger: Ledger) -> dict[str, Any]:
    """System instructions and tools are counted in a complete request only; Vertex has their fields next to `contents`."""
    body = render_body(request, manifest, ledger)
    if manifest.has("flat_count_tokens"):
        return chosen(body, FIELDS)
    return {"generateContentRequest": {"model": f"models/{request.model}", **body}}


def parse_count(received: Received, manifest: Manifest) -> TokenCount:
    body = received.body
    return read_count(body.get("totalTokens") if isinstance(body, dict) else None, manifest, body)


COUNT_TOKENS = Operation("count_tokens", render_count, parse_count, PARAMETERS, "/models/{model}:countTokens")
