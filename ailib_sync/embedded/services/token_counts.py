"""Token counts, the server's side: the number of tokens of a chat's prompt, as the echo counts them."""

from __future__ import annotations

from ...types.token_count import TokenCount
from ..echo import ECHO
from ..exchange import EmbeddedModel
from ..json_checks import Invalid
from ..tokens import prompt_tokens

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Collection
    from typing import Any

    from ...types.request import ChatRequest
    from ...types.response import Usage


def respond(request: ChatRequest, digest: str) -> TokenCount:
    return TokenCount(prompt_tokens(request))


def _no_usage(request: ChatRequest, response: TokenCount) -> Usage:
    return response.usage


TOKEN_COUNT = EmbeddedModel(respond, _no_usage, ECHO.request_of)


def check_fields(body: dict[str, Any], fields: Collection[str], path: tuple[str, ...] = ()) -> None:
    """Raises Invalid for a field that a count does not have, although a chat may."""
    for name in body:
        if name not in fields:
            raise Invalid("unknown", (*path, name), (), body[name])
