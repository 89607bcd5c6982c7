"""Token counts of Cohere: `POST /tokenize`, in version 1 of the API, counts text only.

https://docs.cohere.com/reference/tokenize
"""

from __future__ import annotations

from ..dialect import Operation, wrong_shape
from ..token_count import only_text, read_count

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from ...registry.manifest import Manifest
    from ...types.request import ChatRequest, Ledger
    from ...types.token_count import TokenCount
    from ..dialect import Received


def render_count(request: ChatRequest, manifest: Manifest, ledger: Ledger) -> dict[str, Any]:
    return {"model": request.model, "text": only_text(request, manifest)}


def parse_count(received: Received, manifest: Manifest) -> TokenCount:
    body = received.body
    tokens = body.get("tokens") if isinstance(body, dict) else None
    if not isinstance(tokens, list):
        raise wrong_shape(manifest, "it has no list of tokens", body)
    return read_count(len(tokens), manifest, body)


COUNT_TOKENS = Operation("count_tokens", render_count, parse_count, {}, "/tokenize")
