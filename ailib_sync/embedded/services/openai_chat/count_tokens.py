"""The token counts of llama.cpp and vLLM, the server's side: of one text.

https://github.com/ggml-org/llama.cpp/blob/master/tools/server/README.md
"""

from __future__ import annotations

from re import compile

from ....types.messages import Message
from ....types.request import ChatRequest
from ...exchange import ServiceOperation
from ...json_checks import boolean, record, string
from ...tokens import fragments

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from ....types.token_count import TokenCount
    from ...exchange import Rules, ServerRequest

#: llama.cpp names the text `content`, vLLM `prompt`.
_CONTENT = record({"content": string(1)}, {"model": string(1), "add_special": boolean, "with_pieces": boolean})
_PROMPT = record({"model": string(1), "prompt": string(1)}, {"add_special_tokens": boolean})


def check_count(received: ServerRequest, body: dict[str, Any], rules: Rules) -> None:
    (_CONTENT if "content" in body else _PROMPT)(body, ())


def read_count(received: ServerRequest, body: dict[str, Any], rules: Rules) -> ChatRequest:
    content = "content" in body
    return ChatRequest(
        body.get("model", "echo"), (Message.user(body["content" if content else "prompt"]),), extra={"content": content}
    )


def write_count(request: ChatRequest, response: TokenCount, rules: Rules) -> dict[str, Any]:
    tokens = list(range(len(fragments(request.messages[0].text))))
    return {"tokens": tokens, **({} if request.extra["content"] else {"count": len(tokens), "max_model_len": 4096})}


COUNT_TOKENS = ServiceOperation(compile(r"/tokenize$"), check_count, read_count, write_count)
