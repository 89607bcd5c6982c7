"""Cohere's token counts, the server's side: of one text.

https://docs.cohere.com/reference/tokenize
"""

from __future__ import annotations

from re import compile

from ....types.messages import Message
from ....types.request import ChatRequest
from ...exchange import ServiceOperation
from ...json_checks import record, string
from ...tokens import fragments

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from ....types.token_count import TokenCount
    from ...exchange import Rules, ServerRequest

_BODY = record({"model": string(1), "text": string(1)}, {})


def check_count(received: ServerRequest, body: dict[str, Any], rules: Rules) -> None:
    _BODY(body, ())


def read_count(received: ServerRequest, body: dict[str, Any], rules: Rules) -> ChatRequest:
    return ChatRequest(body["model"], (Message.user(body["text"]),))


def write_count(request: ChatRequest, response: TokenCount, rules: Rules) -> dict[str, Any]:
    words = fragments(request.messages[0].text)
    return {"tokens": list(range(len(words))), "token_strings": words, "meta": {"api_version": {"version": "1"}}}


COUNT_TOKENS = ServiceOperation(compile(r"/tokenize$"), check_count, read_count, write_count)
