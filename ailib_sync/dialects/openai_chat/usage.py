"""The `usage` of Chat Completions → `Usage`, wherever a host keeps its figures."""

from __future__ import annotations

from ...types.json_values import count
from ...types.response import Usage

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

    from ...registry.manifest import Manifest

# Where cached tokens stand, a holder and a key in it: OpenAI, DeepSeek, Kimi, Writer, hosts that pass Anthropic's figures on.
_CACHED = (
    ("prompt_tokens_details", "cached_tokens"),
    ("", "prompt_cache_hit_tokens"),
    ("", "cached_tokens"),
    ("prompt_token_details", "cached_tokens"),
    ("", "cache_read_input_tokens"),
)
_CACHE_WRITE = (
    ("prompt_tokens_details", "cache_write_tokens"),
    ("", "cache_write_tokens"),
    ("", "cache_creation_input_tokens"),
)
_REASONING = (("completion_tokens_details", "reasoning_tokens"), ("", "reasoning_tokens"))


def parse_usage(raw: dict[str, Any], manifest: Manifest) -> Usage:
    prompt, completion, total = (count(raw.get(key)) for key in ("prompt_tokens", "completion_tokens", "total_tokens"))
    reasoning = _first(raw, _REASONING)
    if manifest.has("reasoning_not_in_completion") and completion is not None and reasoning:
        # Where the host gives a total, it tells whether the habit still holds.
        apart = total is None or prompt is None or total == prompt + completion + reasoning
        completion += reasoning if apart else 0
    return Usage(prompt, completion, total, _first(raw, _CACHED), _first(raw, _CACHE_WRITE), reasoning, raw)


def _first(raw: Mapping[str, Any], places: tuple[tuple[str, str], ...]) -> int | None:
    for holder, key in places:
        details = raw.get(holder) if holder else raw
        if isinstance(details, dict) and key in details:
            figure = count(details[key])
            if figure is not None:
                return figure
    return None
