"""Anthropic's token counts, the server's side.

https://platform.claude.com/docs/en/api/messages-count-tokens
"""

from __future__ import annotations

from re import compile

from ...exchange import ServiceOperation
from ..token_counts import check_fields
from .checks import check_request

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from ....types.request import ChatRequest
    from ....types.token_count import TokenCount
    from ...exchange import Rules, ServerRequest

    Read = Callable[[ServerRequest, dict[str, Any], Rules], ChatRequest]

FIELDS = (
    "model", "messages", "system", "tools", "tool_choice", "thinking", "output_config", "cache_control", "mcp_servers", "speed",
)  # fmt: skip


def check_count(received: ServerRequest, body: dict[str, Any], rules: Rules) -> None:
    """A chat that is counted has no `max_tokens`."""
    check_fields(body, (*FIELDS, *rules.fields))
    check_request(received, {**body, "max_tokens": 1_000_000}, rules)


def write_count(request: ChatRequest, response: TokenCount, rules: Rules) -> dict[str, Any]:
    return {"input_tokens": response.tokens}


def count_tokens(read: Read) -> ServiceOperation:
    return ServiceOperation(compile(r"/messages/count_tokens$"), check_count, read, write_count)
