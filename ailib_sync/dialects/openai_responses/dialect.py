"""OpenAI Responses (`POST /responses`, also at other hosts): the record of its functions."""

from __future__ import annotations

from ..dialect import Dialect, Streaming, chat
from .count_tokens import COUNT_TOKENS
from .errors import ERROR_WORDS, parse_error
from .messages import NAME
from .models import MODEL, MODELS
from .options import PARAMETERS, render_body
from .response import parse_body
from .stream import delta_of, is_end_mark, parse_stream

DIALECT = Dialect(
    name=NAME,
    operations={
        "chat": chat(
            NAME,
            render_body,
            parse_body,
            Streaming(parse_stream, is_end_mark=is_end_mark, delta_of=delta_of),
            PARAMETERS,
            path="/responses",
        ),
        "models": MODELS,
        "model": MODEL,
        "count_tokens": COUNT_TOKENS,
    },
    parse_error=parse_error,
    error_words=ERROR_WORDS,
)
