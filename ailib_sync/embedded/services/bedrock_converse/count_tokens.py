"""Bedrock's token counts, the server's side: of the body of a Converse request.

https://docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_CountTokens.html
"""

from __future__ import annotations

from re import compile
from urllib.parse import unquote

from ...._dataclass import replace
from ...exchange import Rejected, ServiceOperation
from ...json_checks import is_object, record
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

_PATH = compile(r"/model/(?P<model>[^/]+)/count-tokens$")
_BODY = record({"input": record({"converse": is_object}, {})}, {})
FIELDS = ("messages", "system", "toolConfig", "additionalModelRequestFields")


def _model(received: ServerRequest) -> str:
    found = _PATH.search(received.path)
    return unquote(found["model"]) if found else ""


def check_count(received: ServerRequest, body: dict[str, Any], rules: Rules) -> None:
    _BODY(body, ())
    if _model(received).partition(".")[0] in ("us", "eu", "apac", "global"):
        raise Rejected("The provided model doesn't support counting tokens.")  # the id of an inference profile
    chat = body["input"]["converse"]
    check_fields(chat, FIELDS, ("input", "converse"))
    check_request(received, chat, rules)


def write_count(request: ChatRequest, response: TokenCount, rules: Rules) -> dict[str, Any]:
    return {"inputTokens": response.tokens}


def count_tokens(read: Read) -> ServiceOperation:
    def read_count(received: ServerRequest, body: dict[str, Any], rules: Rules) -> ChatRequest:
        return replace(read(received, body["input"]["converse"], rules), model=_model(received))

    return ServiceOperation(_PATH, check_count, read_count, write_count)
