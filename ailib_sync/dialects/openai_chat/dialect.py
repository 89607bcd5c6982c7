"""OpenAI's Chat Completions, as OpenAI and some eighty compatible hosts speak it. No I/O, no host's name.

The parts: `_openai_chat_messages` and `_openai_chat_options` render a body, `_openai_chat_answer` reads an answer whole or in
chunks, `_openai_chat_errors` reads refusals. What hosts do differently is a quirk (quirks.QUIRKS) or a tolerance.
"""

from __future__ import annotations

from ..dialect import Dialect, Streaming, chat, render_options
from .embeddings import EMBEDDINGS
from .errors import ERROR_WORDS, parse_error
from .messages import render_messages
from .options import PARAMETERS, render_choice, render_format, render_reasoning, render_tools
from .stream import delta_of, parse_body, parse_stream

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from ...registry.manifest import Manifest
    from ...types.request import ChatRequest, Ledger


def render_body(request: ChatRequest, manifest: Manifest, ledger: Ledger) -> dict[str, Any]:
    """The JSON body of a call."""
    reasoning = request.options.reasoning
    messages = render_messages(request.messages, manifest, thinks=not (reasoning and reasoning.off))
    body: dict[str, Any] = {"model": request.model, "messages": messages}
    if request.stream:
        body["stream"] = True
        if not manifest.has("no_stream_usage"):
            body["stream_options"] = {"include_usage": True}
    body.update(render_options(request, manifest, PARAMETERS, ledger))
    render_reasoning(body, request, manifest, ledger)
    render_tools(body, request, manifest, ledger)
    render_choice(body, request, manifest, ledger)
    render_format(body, request, manifest, ledger)
    body.update(request.extra)
    return body


DIALECT = Dialect(
    name="openai_chat",
    operations={
        "chat": chat(
            "openai_chat",
            render_body,
            parse_body,
            Streaming(parse_stream, is_end_mark=lambda event, data: data.strip() == "[DONE]", delta_of=delta_of),
            PARAMETERS,
            path="/chat/completions",
        ),
        "embeddings": EMBEDDINGS,
    },
    parse_error=parse_error,
    error_words=ERROR_WORDS,
)
