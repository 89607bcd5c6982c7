"""Token counts in Anthropic's format: `POST /messages/count_tokens`.

https://platform.claude.com/docs/en/api/messages-count-tokens
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

FIELDS = frozenset(
    (
        "model",
        "messages",
        "system",
        "tools",
        "tool_choice",
        "thinking",
        "output_config",
        "cache_control",
        "mcp_servers",
        "speed",
    )
)


def render_count(request: ChatRequest, manifest: Manifest, ledger: Ledger) -> dict[str, Any]:
    return chosen(render_body(request, manifest, ledger), FIELDS)


def parse_count(received: Received, manifest: Manifest) -> TokenCount:
    body = received.body
    return read_count(body.get("input_tokens") if isinstance(body, dict) else None, manifest, body)


COUNT_TOKENS = Operation("count_tokens", render_count, parse_count, PARAMETERS, "/messages/count_tokens")
