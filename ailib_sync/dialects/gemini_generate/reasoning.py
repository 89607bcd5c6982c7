"""Reasoning in Gemini: the option `reasoning` → `thinkingConfig`, and thoughts in messages.

Gemini 2.5 has a budget of tokens, Gemini 3 and later have levels; the manifest's `reasoning` names the style.
https://ai.google.dev/gemini-api/docs/thinking
"""

from __future__ import annotations

from ...types.events import ThinkingDelta
from ...types.json_values import text_or_none
from ..reasoning import nearest_effort

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from typing import Any

    from ...registry.manifest import Manifest
    from ...types.messages import Thinking
    from ...types.request import Ledger, Reasoning

#: Lets the model choose. https://ai.google.dev/gemini-api/docs/thinking
DYNAMIC = -1
#: What Google's own OpenAI endpoint makes of an effort. https://ai.google.dev/gemini-api/docs/openai#thinking
BUDGETS = {"minimal": 1024, "low": 1024, "medium": 8192, "high": 24576, "xhigh": 32768, "max": 32768}


def render_reasoning(wanted: Reasoning, manifest: Manifest, ledger: Ledger) -> dict[str, Any]:
    """The thinkingConfig, {} where the model does not think."""
    table = manifest.reasoning
    source = f"{manifest.id}: reasoning"
    style = STYLES.get(table["style"]) if table else None
    if table is None or style is None:
        ledger.dropped("reasoning", f"is not supported by {manifest.name} for this model", source)
        return {}
    config = style(wanted, table, ledger, source)
    if wanted.visible is not None and not wanted.off:
        config["includeThoughts"] = wanted.visible
        ledger.note("reasoning", "renamed", f"includeThoughts = {wanted.visible}", source)
    return config


def _budget(wanted: Reasoning, table: Mapping[str, Any], ledger: Ledger, source: str) -> dict[str, Any]:
    """`off` is the budget that switches thinking off (absent: it cannot be), `budget` the least and the most it may be."""
    least, most = table.get("budget") or (1, BUDGETS["max"])
    if wanted.off:
        if table.get("off") is not None:
            ledger.note("reasoning", "renamed", f"thinkingBudget = {table['off']}", source)
            return {"thinkingBudget": table["off"]}
        ledger.changed("reasoning", f"cannot be switched off for this model; the smallest budget, {least}, is sent", source)
        return {"thinkingBudget": least}
    asked = wanted.budget_tokens
    if asked is None and wanted.effort is not None:
        asked = BUDGETS.get(wanted.effort, DYNAMIC)
    elif asked is None:
        return {} if wanted.visible is False else {"thinkingBudget": DYNAMIC}
    sent = asked if asked == DYNAMIC else max(least, min(most, asked))
    if wanted.budget_tokens not in (None, sent):
        ledger.changed("reasoning", f"is sent with a budget of {sent} tokens: the model takes {least} to {most}", source)
    else:
        ledger.note("reasoning", "renamed", f"thinkingBudget = {sent}", source)
    return {"thinkingBudget": sent}


def _level(wanted: Reasoning, table: Mapping[str, Any], ledger: Ledger, source: str) -> dict[str, Any]:
    """`efforts` are the levels the model takes, `off` the level that switches thinking off (absent: it cannot be)."""
    levels = table.get("efforts") or ()
    if wanted.off and table.get("off") is not None:
        ledger.note("reasoning", "renamed", f"thinkingLevel = {table['off']}", source)
        return {"thinkingLevel": table["off"]}
    asked: str | None = "none" if wanted.off else wanted.effort
    if asked is None and wanted.budget_tokens is not None and wanted.budget_tokens != DYNAMIC:
        asked = next((word for word, tokens in BUDGETS.items() if wanted.budget_tokens <= tokens), "high")
    if asked is None:
        return {}
    level = nearest_effort(asked, levels)
    if level is None:
        ledger.dropped("reasoning", f"{asked!r} is not among the levels of this model ({', '.join(levels)})", source)
        return {}
    if level != wanted.effort:
        ledger.changed("reasoning", f"is sent as thinkingLevel {level!r}; the model takes {', '.join(levels)}", source)
    else:
        ledger.note("reasoning", "renamed", f"thinkingLevel = {level}", source)
    return {"thinkingLevel": level}


STYLES: dict[str, Callable[[Reasoning, Mapping[str, Any], Ledger, str], dict[str, Any]]] = {"budget": _budget, "level": _level}


def render_thought(block: Thinking) -> dict[str, Any] | None:
    """A thinking block as a part. None without a signature: such a thought is a summary for people, which the service ignores.

    https://ai.google.dev/gemini-api/docs/thought-signatures
    """
    if block.signature is None:
        return None
    return {"text": block.text, "thought": True, "thoughtSignature": block.signature, **block.extra}


def parse_thought(part: dict[str, Any], *, starts: bool) -> ThinkingDelta | None:
    """The thought in a part, None if it has none. `starts` means that the thought begins a new block."""
    text = text_or_none(part.get("text"))
    if text is None or not part.get("thought"):
        return None
    return ThinkingDelta(text, text_or_none(part.get("thoughtSignature")), starts=starts)
