"""The `usage` of OpenAI Responses → `Usage`."""

from __future__ import annotations

from ...types.json_values import child, count
from ...types.response import Usage

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any


def parse_usage(raw: Any) -> Usage:
    """`input_tokens` includes cached tokens, `output_tokens` includes reasoning."""
    if not isinstance(raw, dict):
        return Usage()
    input_details, output_details = child(raw, "input_tokens_details"), child(raw, "output_tokens_details")
    return Usage(
        prompt_tokens=count(raw.get("input_tokens")),
        completion_tokens=count(raw.get("output_tokens")),
        total_tokens=count(raw.get("total_tokens")),
        cached_tokens=count(input_details.get("cached_tokens")),
        cache_write_tokens=count(input_details.get("cache_write_tokens")),
        reasoning_tokens=count(output_details.get("reasoning_tokens")),
        raw=raw,
    )
