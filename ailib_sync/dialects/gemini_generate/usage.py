"""Gemini's `usageMetadata` → `Usage`.

https://ai.google.dev/api/generate-content#UsageMetadata
"""

from __future__ import annotations

from ...types.json_values import count, total
from ...types.response import Usage

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any


def parse_usage(usage: Mapping[str, Any]) -> Usage:
    """`candidatesTokenCount` does not include thoughts, `promptTokenCount` not the prompts of hosted tools; both are added."""
    return Usage(
        prompt_tokens=total(usage.get("promptTokenCount"), usage.get("toolUsePromptTokenCount")),
        completion_tokens=total(usage.get("candidatesTokenCount"), usage.get("thoughtsTokenCount")),
        total_tokens=count(usage.get("totalTokenCount")),
        cached_tokens=count(usage.get("cachedContentTokenCount")),
        reasoning_tokens=count(usage.get("thoughtsTokenCount")),
        raw=dict(usage),
    )
