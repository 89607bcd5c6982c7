"""Reasoning in Gemini: the option `reasoning` → `thinkingConfig`, and thoughts in messages.

Gemini 2.5 has a budget of tokens, Gemini 3 and later have levels; the manifest's `reasoning` names the style.
https://ai.google.dev/gemini-api/docs/thinking
"""

from __future__ import annotations

from ...types.events import ThinkingDelta
from ...types.json_values import text_or_none
from ..reasoning import effort_for, nearest_effort

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from typing import Any

    from ...registry.manifest import Manifest
    from ...types.messages import Thinking
    from ...types.request import Effort, Ledger, Reasoning

#: The budget with which the model chooses the budget. https://ai.google.dev/gemini-api/docs/thinking
DYNAMIC = -1
#: Effort → tokens of thinking, as Google's own OpenAI endpoint has them. https://ai.google.dev/gemini-api/docs/openai#thinking
BUDGETS: Mapping[Effort, int] = {
    "minimal": 1024,
    "low": 1024,
    "medium": 8192,
    "high": 24576,
    "xhigh": 32768,
    "max": 32768,
}


def render_reasoning(reasoning: Reasoning, manifest: Manifest, ledger: Ledger) -> dict[str, Any]:
    """The thinkingConfig; {} if the model does not think."""
    rules = manifest.reasoning
    source = f"{manifest.id}: reasoning"
    style = STYLES.get(rules["style"]) if rules else None
    if rules is None or style is None:
        ledger.dropped("reasoning", f"is not supported by {manifest.name} for this model", source)
        return {}
    config = style(reasoning, rules, ledger, source)
    if reasoning.visible is not None and not reasoning.off:
        config["includeThoughts"] = reasoning.visible
        ledger.note("reasoning", "renamed", f"includeThoughts = {reasoning.visible}", source)
    return config


def _render_budget(reasoning: Reasoning, rules: Mapping[str, Any], ledger: Ledger, source: str) -> dict[str, Any]:
    """Rules: `off` is the budget that switches thinking off (absent: nothing does), `budget` its minimum and maximum."""
    least, most = rules.get("budget") or (1, BUDGETS["max"])
    if reasoning.off:
        if rules.get("off") is not None:
            ledger.note("reasoning", "renamed", f"thinkingBudget = {rules['off']}", source)
            return {"thinkingBudget": rules["off"]}
        ledger.changed("reasoning", f"cannot be switched off for this model; the smallest budget, {least}, is sent", source)
        return {"thinkingBudget": least}
    budget = reasoning.budget_tokens
    if budget is None and reasoning.effort is not None:
        budget = BUDGETS.get(reasoning.effort, DYNAMIC)
    elif budget is None:
        return {} if reasoning.visible is False else {"thinkingBudget": DYNAMIC}
    sent = budget if budget == DYNAMIC else max(least, min(most, budget))
    if reasoning.budget_tokens not in (None, sent):
        ledger.changed("reasoning", f"is sent with a budget of {sent} tokens: the model supports {least} to {most}", source)
    else:
        ledger.note("reasoning", "renamed", f"thinkingBudget = {sent}", source)
    return {"thinkingBudget": sent}


def _render_level(reasoning: Reasoning, rules: Mapping[str, Any], ledger: Ledger, source: str) -> dict[str, Any]:
    """Rules: `efforts` are the levels of the model, `off` is the level that switches thinking off (absent: nothing does)."""
    levels = rules.get("efforts") or ()
    if reasoning.off and rules.get("off") is not None:
        ledger.note("reasoning", "renamed", f"thinkingLevel = {rules['off']}", source)
        return {"thinkingLevel": rules["off"]}
    effort: str | None = "none" if reasoning.off else reasoning.effort
    if effort is None and reasoning.budget_tokens not in (None, DYNAMIC):
        effort = effort_for(reasoning.budget_tokens, BUDGETS)
    if effort is None:
        return {}
    level = nearest_effort(effort, levels)
    if level is None:
        ledger.dropped("reasoning", f"{effort!r} is not a level of this model, which supports {', '.join(levels)}", source)
        return {}
    if level != reasoning.effort:
        ledger.changed("reasoning", f"is sent as thinkingLevel {level!r}; the model supports {', '.join(levels)}", source)
    else:
        ledger.note("reasoning", "renamed", f"thinkingLevel = {level}", source)
    return {"thinkingLevel": level}


STYLES: Mapping[str, Callable[[Reasoning, Mapping[str, Any], Ledger, str], dict[str, Any]]] = {
    "budget": _render_budget,
    "level": _render_level,
}


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
