"""What Ollama's chat rejects. The real service ignores unknown fields; this one rejects them, to find typing errors.

https://docs.ollama.com/api/chat
"""

from __future__ import annotations

from ...exchange import Rejected
from ...json_checks import (
    anything,
    array,
    boolean,
    choice,
    integer,
    is_object,
    nullable,
    number,
    record,
    string,
    tagged,
    union,
)
from ...media import decode
from ...request_checks import without_host_fields

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from ...exchange import Rules, ServerRequest

_CALL = record(
    {"function": record({"name": string(1), "arguments": is_object}, {"index": integer(0), "description": string()})},
    {"id": string(), "type": choice("function")},
)
_MESSAGE = record(
    {"role": choice("system", "user", "assistant", "tool")},
    {
        "content": string(),
        "thinking": string(),
        "images": nullable(array(string(1))),
        "tool_calls": nullable(array(_CALL)),
        "tool_name": string(),
        "tool_call_id": string(),
    },
)
_FUNCTION = record({"name": string(1), "parameters": is_object}, {"description": string()})
_SAMPLING = {
    **dict.fromkeys(("temperature", "top_p", "min_p", "typical_p", "repeat_penalty"), number(0)),
    **dict.fromkeys(("presence_penalty", "frequency_penalty"), number()),
    **dict.fromkeys(("top_k", "seed", "num_predict", "num_ctx", "num_keep", "num_batch", "num_gpu", "num_thread"), integer()),
    **dict.fromkeys(("repeat_last_n", "main_gpu", "draft_num_predict"), integer()),
    **dict.fromkeys(("use_mmap", "penalize_newline", "numa", "low_vram"), boolean),
    "stop": array(string()),
}
BODY = record(
    {"model": string(1)},
    {
        "messages": array(_MESSAGE),
        "stream": nullable(boolean),
        "format": union(string=choice("json", ""), object=is_object, null=anything),
        "tools": nullable(array(tagged("type", {"function": record({"function": _FUNCTION})}))),
        "think": nullable(union(boolean=boolean, string=choice("low", "medium", "high", "max"))),
        "options": nullable(record({}, _SAMPLING)),
        "keep_alive": union(string=string(), number=number(), null=anything),
        "logprobs": boolean,
        "top_logprobs": integer(0, 20),
        "truncate": boolean,
        "shift": boolean,
    },
)


def check_request(received: ServerRequest, body: dict[str, Any], rules: Rules) -> None:
    """Raises Invalid or Rejected for the first value that the service rejects."""
    body = without_host_fields(body, rules, BODY)
    BODY(body, ())
    for message in body.get("messages") or ():
        for image in message.get("images") or ():
            if decode(image) is None:
                raise Rejected("illegal base64 data at input byte 0")
