"""The token counts of OpenAI's Responses, the server's side.

https://platform.openai.com/docs/api-reference/responses/input-tokens
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
    "model", "input", "instructions", "tools", "tool_choice", "text", "reasoning", "previous_response_id", "conversation",
    "truncation", "parallel_tool_calls", "personality",
)  # fmt: skip


def check_count(received: ServerRequest, body: dict[str, Any], rules: Rules) -> None:
    check_fields(body, FIELDS)
    check_request(received, body, rules)


def write_count(request: ChatRequest, response: TokenCount, rules: Rules) -> dict[str, Any]:
    return {"object": "response.input_tokens", "input_tokens": response.tokens}


def count_tokens(read: Read) -> ServiceOperation:
    return ServiceOperation(compile(r"/responses/input_tokens$"), check_count, read, write_count)
