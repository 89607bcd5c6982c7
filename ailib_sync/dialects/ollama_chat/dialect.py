"""Ollama's own chat API (`POST /api/chat`): the record of its functions.

https://docs.ollama.com/api/chat
"""

from __future__ import annotations

from ..dialect import Dialect, Streaming, chat
from .errors import ERROR_WORDS, parse_error
from .messages import NAME
from .models import MODEL, MODELS
from .options import PARAMETERS, render_body
from .response import parse_body
from .stream import parse_stream

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
        ),
        "models": MODELS,
        "model": MODEL,
    },
    parse_error=parse_error,
    error_words=ERROR_WORDS,
)
