"""Token counts by an endpoint of the provider: the rules that all dialects share. Pure functions."""

from __future__ import annotations

from ..errors import ConfigurationError
from ..types.json_values import count
from ..types.messages import MessageRole
from ..types.token_count import TokenCount
from .dialect import wrong_shape

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from ..registry.manifest import Manifest
    from ..types.request import ChatRequest


def chosen(body: dict[str, Any], fields: frozenset[str]) -> dict[str, Any]:
    """The fields of a chat's body that a count accepts; the others do not change the prompt."""
    return {name: value for name, value in body.items() if name in fields}


def read_count(value: Any, manifest: Manifest, body: Any) -> TokenCount:
    """The count. Raises ProtocolError if there is none: it is never 0 by default."""
    tokens = count(value)
    if tokens is None:
        raise wrong_shape(manifest, "it has no number of tokens", body)
    return TokenCount(tokens)


def only_text(request: ChatRequest, manifest: Manifest) -> str:
    """The text of a chat with one user message of text alone. Raises ConfigurationError for any other chat.

    An endpoint that counts text knows neither roles nor tools, so it cannot count them.
    """
    messages = request.messages
    if len(messages) == 1 and messages[0].role == MessageRole.USER and not request.tools:
        blocks = messages[0].blocks
        if len(blocks) == 1 and messages[0].text:
            return messages[0].text
    raise ConfigurationError(
        f"count_tokens: {manifest.name} counts the tokens of one text only, and this chat has more than that",
        provider=manifest.id,
    )
