"""Token counts of servers with OpenAI's format: `POST /tokenize` counts text only. OpenAI itself counts for its Responses.

https://github.com/ggml-org/llama.cpp/blob/master/tools/server/README.md
https://docs.vllm.ai/en/latest/serving/openai_compatible_server.html
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
    """The manifest's parameter `text` names the field of the text."""
    return {"model": request.model, manifest.parameters.get("text") or "prompt": only_text(request, manifest)}


def parse_count(received: Received, manifest: Manifest) -> TokenCount:
    """vLLM reports the number, llama.cpp the tokens."""
    body = received.body
    if not isinstance(body, dict):
        raise wrong_shape(manifest, "it is not an object", body)
    tokens = body.get("tokens")
    return read_count(body.get("count", len(tokens) if isinstance(tokens, list) else None), manifest, body)


COUNT_TOKENS = Operation("count_tokens", render_count, parse_count, {}, "/tokenize")
