"""Gemini's token counts, the server's side: of a complete request, or of fields next to each other, as Vertex has them.

https://ai.google.dev/api/tokens
"""

from __future__ import annotations

from re import compile
from urllib.parse import unquote

from ...._dataclass import replace
from ...exchange import Rejected, ServiceOperation
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

_PATH = compile(r"/models/(?P<model>[^/:]+):countTokens$")
FIELDS = ("contents", "systemInstruction", "tools", "generationConfig")


def _model(received: ServerRequest) -> str:
    found = _PATH.search(received.path)
    return unquote(found["model"]) if found else ""


def _chat(received: ServerRequest, body: dict[str, Any]) -> dict[str, Any]:
    """The body of the chat to count."""
    request = body.get("generateContentRequest")
    if request is None:
        return body
    if "contents" in body:
        raise Rejected("generate_content_request and contents must not be set together.")
    if not isinstance(request, dict) or request.get("model") != f"models/{_model(received)}":
        raise Rejected("* CountTokensRequest.generate_content_request.model: the model must be that of the path.")
    return {name: value for name, value in request.items() if name != "model"}


def check_count(received: ServerRequest, body: dict[str, Any], rules: Rules) -> None:
    if "generateContentRequest" not in body:
        check_fields(body, FIELDS)
    check_request(received, _chat(received, body), rules)


def write_count(request: ChatRequest, response: TokenCount, rules: Rules) -> dict[str, Any]:
    return {
        "totalTokens": response.tokens,
        "promptTokensDetails": [{"modality": "TEXT", "tokenCount": response.tokens}],
    }


def count_tokens(read: Read) -> ServiceOperation:
    def read_count(received: ServerRequest, body: dict[str, Any], rules: Rules) -> ChatRequest:
        return replace(read(received, _chat(received, body), rules), model=_model(received))

    return ServiceOperation(_PATH, check_count, read_count, write_count)
