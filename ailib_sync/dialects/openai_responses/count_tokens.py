"""Token counts in the format of OpenAI's Responses: `POST /responses/input_tokens`.

https://platform.openai.com/docs/api-reference/responses/input-tokens
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

FIELDS = frozenset((
    "model", "input", "instructions", "tools", "tool_choice", "text", "reasoning", "previous_response_id", "conversation",
    "truncation", "parallel_tool_calls",
))  # fmt: skip


def render_count(request: ChatRequest, manifest: Manifest, ledger: Ledger) -> dict[str, Any]:
    return chosen(render_body(request, manifest, ledger), FIELDS)


def parse_count(received: Received, manifest: Manifest) -> TokenCount:
    body = received.body
    return read_count(body.get("input_tokens") if isinstance(body, dict) else None, manifest, body)


COUNT_TOKENS = Operation("count_tokens", render_count, parse_count, PARAMETERS, "/responses/input_tokens")
