"""Ollama's token counts → `Usage`.

https://docs.ollama.com/api/usage
"""

from __future__ import annotations

from ...types.json_values import count, total_if_known
from ...types.response import Usage

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any


def parse_usage(body: dict[str, Any]) -> Usage:
    """`eval_count` includes thinking. `prompt_eval_count` is absent if the complete prompt was cached."""
    prompt, completion = count(body.get("prompt_eval_count")), count(body.get("eval_count"))
    return Usage(
        prompt_tokens=prompt,
        completion_tokens=completion,
        total_tokens=total_if_known(prompt, completion),
        raw={key: value for key, value in body.items() if key.endswith(("_count", "_duration"))} or None,
    )
