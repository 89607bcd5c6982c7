"""Ollama's own chat API (`POST /api/chat`): the record of its functions.

https://github.com/ollama/ollama/blob/main/docs/api.md#generate-a-chat-completion
"""

from __future__ import annotations

from ..dialect import Dialect, Streaming, chat
from .errors import parse_error
from .messages import NAME
from .options import PARAMETERS, render_body
from .response import parse_body
from .stream import parse_stream

TYPE_CHECKING = False
if TYPE_CHECKING:
    pass

DIALECT = Dialect(
    name=NAME,
    operations={
        "chat": chat(
            NAME,
            render_body,
            parse_body,
            Streaming(parse_stream, framing="ndjson"),
            PARAMETERS,
            path="/chat",
        )
    },
    parse_error=parse_error,
    error_words={},
)
