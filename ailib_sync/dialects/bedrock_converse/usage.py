"""The `usage` of Bedrock's Converse API → `Usage`."""

from __future__ import annotations

from ...types.json_values import count
from ...types.response import Usage

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any


def parse_usage(raw: Any) -> Usage:
    """`inputTokens` excludes tokens read from the cache or written to it, `totalTokens` includes them: they are added here.

    A recorded response: inputTokens 10, cacheWriteInputTokens 7351, outputTokens 4, totalTokens 7365.
    """
    if not isinstance(raw, dict):
        return Usage()
    read, written = count(raw.get("cacheReadInputTokens")), count(raw.get("cacheWriteInputTokens"))
    uncached = count(raw.get("inputTokens"))
    return Usage(
        prompt_tokens=None if uncached is None else uncached + (read or 0) + (written or 0),
        completion_tokens=count(raw.get("outputTokens")),
        total_tokens=count(raw.get("totalTokens")),
        cached_tokens=read,
        cache_write_tokens=written,
        raw=raw,
    )
