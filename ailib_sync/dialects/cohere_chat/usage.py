"""Cohere's `usage` → `Usage`.

https://docs.cohere.com/reference/chat
"""

from __future__ import annotations

from ...types.json_values import child, count, total, total_if_known
from ...types.response import Usage

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any


def parse_usage(usage: Any) -> Usage | None:
    """`tokens` counts all text that the model read and wrote, and images separately. `billed_units` is used if it is absent; it
    does not count the preamble of the service."""
    if not isinstance(usage, dict):
        return None
    tokens = child(usage, "tokens") or child(usage, "billed_units")
    prompt = total(tokens.get("input_tokens"), tokens.get("image_tokens"))
    completion = count(tokens.get("output_tokens"))
    return Usage(
        prompt_tokens=prompt,
        completion_tokens=completion,
        total_tokens=total_if_known(prompt, completion),
        cached_tokens=count(usage.get("cached_tokens")),
        reasoning_tokens=count(tokens.get("reasoning_tokens")),
        raw=usage,
    )
