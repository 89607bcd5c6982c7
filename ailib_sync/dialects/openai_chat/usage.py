"""The `usage` of Chat Completions → `Usage`. Hosts have different fields for the same counts."""

from __future__ import annotations

from ...types.json_values import count
from ...types.response import Usage

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

    from ...registry.manifest import Manifest

# (object, key) of each count; "" is `usage` itself.

# OpenAI, DeepSeek, Kimi, Writer, and hosts that pass on the counts of Anthropic.
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
    prompt, completion = count(raw.get("prompt_tokens")), count(raw.get("completion_tokens"))
    total = count(raw.get("total_tokens"))
    reasoning = _first(raw, _REASONING)
    if manifest.has("reasoning_not_in_completion") and completion is not None and reasoning:
        # If the host reports a total, it shows whether the quirk is still right.
        separate = total is None or prompt is None or total == prompt + completion + reasoning
        completion += reasoning if separate else 0
    return Usage(prompt, completion, total, _first(raw, _CACHED), _first(raw, _CACHE_WRITE), reasoning, raw)


def _first(raw: Mapping[str, Any], paths: tuple[tuple[str, str], ...]) -> int | None:
    """The first path's value that is a count."""
    for name, key in paths:
        details = raw.get(name) if name else raw
        if isinstance(details, dict) and key in details and (number := count(details[key])) is not None:
            return number
    return None
