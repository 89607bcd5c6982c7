"""The `usage` of OpenAI Responses → `Usage`."""

from __future__ import annotations

from ...types.json_values import count
from ...types.response import Usage

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any


def parse_usage(raw: Any) -> Usage:
    """`input_tokens` counts the cached ones too, `output_tokens` the reasoning: nothing to convert."""
    if not isinstance(raw, dict):
        return Usage()
    into, out = raw.get("input_tokens_details"), raw.get("output_tokens_details")
    into, out = into if isinstance(into, dict) else {}, out if isinstance(out, dict) else {}
    return Usage(
        prompt_tokens=count(raw.get("input_tokens")),
        completion_tokens=count(raw.get("output_tokens")),
        total_tokens=count(raw.get("total_tokens")),
        cached_tokens=count(into.get("cached_tokens")),
        cache_write_tokens=count(into.get("cache_write_tokens")),
        reasoning_tokens=count(out.get("reasoning_tokens")),
        raw=raw,
    )
