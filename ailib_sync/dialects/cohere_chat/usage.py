"""Cohere's `usage` → `Usage`."""

from __future__ import annotations

from ...types.json_values import child, total
from ...types.response import Usage

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any


def parse_usage(usage: Any) -> Usage | None:
    """`tokens` is what the model read and wrote, pictures apart; `billed_units` leaves out the service's own preamble."""
    if not isinstance(usage, dict):
        return None
    tokens = child(usage, "tokens") or child(usage, "billed_units")
    prompt = total(tokens.get("input_tokens"), tokens.get("image_tokens"))
    completion = total(tokens.get("output_tokens"))
    return Usage(
        prompt_tokens=prompt,
        completion_tokens=completion,
        total_tokens=prompt + completion if prompt is not None and completion is not None else None,
        cached_tokens=total(usage.get("cached_tokens")),
        reasoning_tokens=total(tokens.get("reasoning_tokens")),
        raw=usage,
    )
