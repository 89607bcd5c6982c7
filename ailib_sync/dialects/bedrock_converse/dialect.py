"""Amazon Bedrock's Converse API: the record of its functions.

https://docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_Converse.html
"""

from __future__ import annotations

from ..dialect import Dialect, Streaming, chat
from .count_tokens import COUNT_TOKENS
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
            Streaming(parse_stream, framing="aws", path="/model/{model}/converse-stream"),
            PARAMETERS,
            path="/model/{model}/converse",
        ),
        "models": MODELS,
        "model": MODEL,
        "count_tokens": COUNT_TOKENS,
    },
    parse_error=parse_error,
    error_words=ERROR_WORDS,
)
