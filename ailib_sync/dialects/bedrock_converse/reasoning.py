"""`Reasoning` → the fields with which a model of Bedrock's thinks. Converse has none of its own: a manifest names their form.

What a manifest's `reasoning` may contain for this dialect:

    style        a key of `EFFORT_FIELDS`, or "budget": a number of tokens turns thinking on (Claude up to 4.5)
    efforts      the efforts that the model supports, in ascending order
    off          the value that turns thinking off; absent: it stays on
    budget       [least, most] tokens, for "budget"; null: no limit
    no_sampling  true: temperature, top_p and top_k are rejected while the model thinks
"""

from __future__ import annotations

from ..options import place
from ..reasoning import CLAUDE_BUDGETS, effort_for, fitting_budget, nearest_effort

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

    from ...registry.manifest import Manifest
    from ...types.request import Ledger, Reasoning

FIELDS = "additionalModelRequestFields"

#: A manifest's `reasoning.style` → the field of the effort, and the fields that turn thinking on with it.
EFFORT_FIELDS: Mapping[str, tuple[str, Mapping[str, Any]]] = {
    "adaptive": ("outputConfig.effort", {f"{FIELDS}.thinking": {"type": "adaptive"}}),
    "effort": ("outputConfig.effort", {}),
    "reasoning_effort": (f"{FIELDS}.reasoning_effort", {}),
    "reasoning_object": (f"{FIELDS}.reasoning.effort", {}),
    "reasoning_config": (f"{FIELDS}.reasoning_config", {}),
    "max_reasoning_effort": (f"{FIELDS}.reasoningConfig.maxReasoningEffort", {f"{FIELDS}.reasoningConfig.type": "enabled"}),
}

#: The field that turns thinking off, if it is not the field of the effort.
OFF_FIELDS: Mapping[str, str] = {
    "budget": f"{FIELDS}.thinking.type",
    "adaptive": f"{FIELDS}.thinking.type",
    "max_reasoning_effort": f"{FIELDS}.reasoningConfig.type",
}


def render_reasoning(body: dict[str, Any], requested: Reasoning, manifest: Manifest, ledger: Ledger) -> None:
    """Adds the fields for the requested reasoning to the body, as near to it as the model supports."""
    rules, source = manifest.reasoning, f"{manifest.id}: reasoning"
    if not rules:
        ledger.dropped("reasoning", f"is not supported by {manifest.name} for this model", source)
    elif requested.off:
        if rules.get("off") is None:
            ledger.dropped("reasoning", "cannot be turned off for this model", source)
        else:
            place(body, OFF_FIELDS.get(rules["style"]) or EFFORT_FIELDS[rules["style"]][0], rules["off"])
            ledger.note("reasoning", "sent", "off", source)
    elif requested.hides_only:
        ledger.note("reasoning", "sent", "nothing: thinking that is not turned on is not shown", source)
    elif rules["style"] == "budget":
        _render_budget(body, requested, rules, ledger, source)
    else:
        _render_effort(body, requested, rules, ledger, source)


def _render_budget(body: dict[str, Any], requested: Reasoning, rules: Mapping[str, Any], ledger: Ledger, source: str) -> None:
    budget = requested.budget_tokens or CLAUDE_BUDGETS.get(requested.effort or "medium", CLAUDE_BUDGETS["medium"])
    least, most = rules.get("budget") or (None, None)
    least = least or 0
    sent: int | None = min(max(budget, least), most or budget + least)
    max_tokens = body.get("inferenceConfig", {}).get("maxTokens")
    if sent is not None and max_tokens is not None:
        sent = fitting_budget(sent, least, max_tokens)
        if sent is None:
            ledger.dropped("reasoning", f"needs max_tokens above {least}, not {max_tokens}", source)
            return
    place(body, f"{FIELDS}.thinking", {"type": "enabled", "budget_tokens": sent, **_display(requested, rules)})
    if sent == budget:
        ledger.note("reasoning", "sent", f"{sent} tokens", source)
    else:
        ledger.changed("reasoning", f"is sent as {sent} tokens: within the model's range, and below max_tokens", source)


def _render_effort(body: dict[str, Any], requested: Reasoning, rules: Mapping[str, Any], ledger: Ledger, source: str) -> None:
    field, switch = EFFORT_FIELDS[rules["style"]]
    for name, value in switch.items():
        place(body, name, {**value, **_display(requested, rules)} if isinstance(value, dict) else value)
    effort = requested.effort
    if requested.budget_tokens is not None:
        effort = effort or effort_for(requested.budget_tokens, CLAUDE_BUDGETS)
        ledger.changed("reasoning", f"is sent as effort {effort}: this model supports no number of tokens", source)
    if effort is None and rules["style"] == "adaptive":
        ledger.note("reasoning", "sent", "on; the model decides how much", source)
        return
    nearest = nearest_effort(effort or "medium", rules.get("efforts") or ())
    if nearest is None:
        ledger.dropped("reasoning", f"effort {effort!r} is not supported by this model", source)
        return
    place(body, field, nearest)
    if nearest == (effort or nearest):
        ledger.note("reasoning", "sent", f"effort {nearest}", source)
    else:
        ledger.changed("reasoning", f"effort {effort} is sent as {nearest}, the nearest this model supports", source)


def _display(requested: Reasoning, rules: Mapping[str, Any]) -> dict[str, str]:
    """Whether an adaptive model shows its thinking; if the request does not say it, the model's default applies."""
    if requested.visible is None or rules["style"] != "adaptive":
        return {}
    return {"display": "summarized" if requested.visible else "omitted"}
