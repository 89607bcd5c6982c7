"""OpenAI Responses: `POST /responses`, at OpenAI and the hosts that speak its format. The record and its tables."""

from __future__ import annotations

from ..dialect import Dialect, Streaming, chat
from .errors import ERROR_WORDS, parse_error
from .options import PARAMETERS, render_body
from .response import parse_body
from .stream import delta_of, is_end_mark, parse_stream

DIALECT = Dialect(
    name="openai_responses",
    operations={
        "chat": chat(
            "openai_responses",
            render_body,
            parse_body,
            Streaming(parse_stream, is_end_mark=is_end_mark, delta_of=delta_of),
            PARAMETERS,
            path="/responses",
        )
    },
    parse_error=parse_error,
    error_words=ERROR_WORDS,
)
