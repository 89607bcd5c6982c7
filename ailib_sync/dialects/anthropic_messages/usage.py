"""The `usage` of Anthropic Messages → `Usage`."""

from __future__ import annotations

from ...types.json_values import count
from ...types.response import Usage

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any


def parse_usage(raw: Any) -> Usage:
    """`input_tokens` counts only tokens that were neither read from the cache nor written to it; the others are added.

    https://platform.claude.com/docs/en/build-with-claude/prompt-caching#tracking-cache-performance
    """
    if not isinstance(raw, dict):
        return Usage()
    cached, written = count(raw.get("cache_read_input_tokens")), count(raw.get("cache_creation_input_tokens"))
    prompt, completion = count(raw.get("input_tokens")), count(raw.get("output_tokens"))
    if prompt is not None:
        prompt += (cached or 0) + (written or 0)
    details = raw.get("output_tokens_details")
    return Usage(
        prompt_tokens=prompt,
        completion_tokens=completion,
        total_tokens=None if prompt is None or completion is None else prompt + completion,
        cached_tokens=cached,
        cache_write_tokens=written,
        reasoning_tokens=count(details.get("thinking_tokens")) if isinstance(details, dict) else None,
        raw=raw,
    )
