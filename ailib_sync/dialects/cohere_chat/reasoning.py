"""Reasoning in Cohere: the option `reasoning` → `thinking`, and thinking in messages.

https://docs.cohere.com/docs/reasoning
"""

from __future__ import annotations

from ...types.events import ThinkingDelta
from ...types.json_values import text_or_none

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from ...registry.manifest import Manifest
    from ...types.messages import Thinking
    from ...types.request import Ledger, Reasoning


def render_reasoning(reasoning: Reasoning, manifest: Manifest, ledger: Ledger) -> dict[str, Any]:
    """`thinking`: on or off, with a budget in tokens. An effort only switches it on."""
    source = f"{manifest.id}: reasoning"
    if manifest.reasoning is None:
        ledger.dropped("reasoning", f"is not supported by {manifest.name} for this model", source)
        return {}
    if reasoning.off:
        word = manifest.reasoning.get("off")
        if word is None:
            ledger.dropped("reasoning", "cannot be switched off for this model", source)
            return {}
        ledger.note("reasoning", "renamed", f"thinking.type = {word}", source)
        return {"thinking": {"type": word}}
    thinking: dict[str, Any] = {"type": "enabled"}
    if reasoning.budget_tokens is not None:
        thinking["token_budget"] = reasoning.budget_tokens
    if reasoning.effort is not None and reasoning.budget_tokens is None:
        detail = f"effort {reasoning.effort!r} is not supported by {manifest.name}: thinking is switched on"
        ledger.changed("reasoning", detail, source)
    else:
        ledger.note("reasoning", "renamed", "thinking.type = enabled", source)
    return {"thinking": thinking}


def render_thinking(block: Thinking) -> dict[str, Any]:
    """A thinking block as a content part."""
    return {"type": "thinking", "thinking": block.text}


def parse_thinking(part: dict[str, Any]) -> ThinkingDelta | None:
    """The thinking in a content part, or in a fragment of one; None if it has none."""
    text = text_or_none(part.get("thinking"))
    return ThinkingDelta(text) if text else None
