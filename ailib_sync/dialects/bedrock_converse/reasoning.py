"""`Reasoning` → the field a model of Bedrock's takes it in. Converse has no field for all, so a manifest names the form.

What `reasoning` in a manifest may say for this dialect:

    style        a key of `EFFORT_PLACES`, or "budget": thinking is turned on with a number of tokens (Claude up to 4.5)
    efforts      the words the model takes, low to high
    off          the word that turns thinking off; absent: nothing does
    budget       [least, most] tokens, for "budget"; null for no bound
    no_sampling  true: temperature, top_p and top_k are refused while the model thinks
"""

from __future__ import annotations

from ..._dataclass import replace
from ..options import SAMPLING, place
from ..reasoning import nearest_effort

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

    from ...registry.manifest import Manifest
    from ...types.request import ChatRequest, Ledger, Reasoning

FIELDS = "additionalModelRequestFields"

#: Tokens to think with where an effort was asked for and the model wants a number.
BUDGETS: Mapping[str, int] = {"minimal": 1024, "low": 2048, "medium": 8192, "high": 16384, "xhigh": 32768, "max": 49152}

#: A manifest's reasoning.style → where the effort goes, and what stands beside it while thinking is on.
EFFORT_PLACES: Mapping[str, tuple[str, Mapping[str, Any]]] = {
    "adaptive": ("outputConfig.effort", {f"{FIELDS}.thinking": {"type": "adaptive"}}),
    "effort": ("outputConfig.effort", {}),
    "reasoning_effort": (f"{FIELDS}.reasoning_effort", {}),
    "reasoning_object": (f"{FIELDS}.reasoning.effort", {}),
    "reasoning_config": (f"{FIELDS}.reasoning_config", {}),
    "max_reasoning_effort": (f"{FIELDS}.reasoningConfig.maxReasoningEffort", {f"{FIELDS}.reasoningConfig.type": "enabled"}),
}

#: Where the word that turns thinking off goes, if not where the effort goes.
OFF_PLACES: Mapping[str, str] = {
    "budget": f"{FIELDS}.thinking.type",
    "adaptive": f"{FIELDS}.thinking.type",
    "max_reasoning_effort": f"{FIELDS}.reasoningConfig.type",
}


def thinks(request: ChatRequest, manifest: Manifest) -> bool:
    """Whether the request asks the model to think, and it can."""
    reasoning: Reasoning | None = request.options.reasoning
    return bool(manifest.reasoning) and reasoning is not None and not reasoning.off and not _only_hides(reasoning)


def _only_hides(reasoning: Reasoning) -> bool:
    """What is not turned on shows nothing, and no model that thinks by default shows it unasked."""
    return reasoning.visible is False and reasoning.effort is None and reasoning.budget_tokens is None


def without_sampling(request: ChatRequest, manifest: Manifest, ledger: Ledger) -> ChatRequest:
    given = request.options.given()
    dropped = [option for option in SAMPLING if option in given]
    for option in dropped:
        ledger.dropped(option, "is left out, since the model does not take it while it thinks", f"{manifest.id}: reasoning")
    return replace(request, options=replace(request.options, **dict.fromkeys(dropped)))


def render_reasoning(body: dict[str, Any], reasoning: Reasoning, manifest: Manifest, ledger: Ledger) -> None:
    """Adds to the body what is asked of the model's thinking, as near as the model comes to it."""
    rules, source = manifest.reasoning, f"{manifest.id}: reasoning"
    if not rules:
        ledger.dropped("reasoning", f"is not supported by {manifest.name} for this model", source)
    elif reasoning.off:
        if rules.get("off") is None:
            ledger.dropped("reasoning", "cannot be turned off for this model", source)
        else:
            place(body, OFF_PLACES.get(rules["style"]) or EFFORT_PLACES[rules["style"]][0], rules["off"])
            ledger.note("reasoning", "sent", "off", source)
    elif _only_hides(reasoning):
        ledger.note("reasoning", "sent", "nothing: what is not turned on is not shown", source)
    elif rules["style"] == "budget":
        _render_budget(body, reasoning, rules, ledger, source)
    else:
        _render_effort(body, reasoning, rules, ledger, source)


def _render_budget(body: dict[str, Any], reasoning: Reasoning, rules: Mapping[str, Any], ledger: Ledger, source: str) -> None:
    asked = reasoning.budget_tokens or BUDGETS.get(reasoning.effort or "medium", BUDGETS["medium"])
    least, most = rules.get("budget") or (None, None)
    least = least or 0
    budget = min(max(asked, least), most or asked + least)
    max_tokens = body.get("inferenceConfig", {}).get("maxTokens")
    if max_tokens is not None and budget >= max_tokens:
        # The budget is a part of max_tokens, and must leave something for the answer.
        budget = max(least, max_tokens * 3 // 4)
        if budget >= max_tokens:
            ledger.dropped("reasoning", f"needs max_tokens above {least}, not {max_tokens}", source)
            return
    place(body, f"{FIELDS}.thinking", {"type": "enabled", "budget_tokens": budget, **_display(reasoning, rules)})
    if budget == asked:
        ledger.note("reasoning", "sent", f"{budget} tokens", source)
    else:
        ledger.changed("reasoning", f"is sent as {budget} tokens: within the model's range, and below max_tokens", source)


def _render_effort(body: dict[str, Any], reasoning: Reasoning, rules: Mapping[str, Any], ledger: Ledger, source: str) -> None:
    where, beside = EFFORT_PLACES[rules["style"]]
    for dotted, value in beside.items():
        place(body, dotted, {**value, **_display(reasoning, rules)} if isinstance(value, dict) else value)
    asked: str | None = reasoning.effort
    budget = reasoning.budget_tokens
    if budget is not None:
        asked = asked or next((word for word, tokens in BUDGETS.items() if budget <= tokens), "max")
        ledger.changed("reasoning", f"is sent as effort {asked}: this model takes no number of tokens", source)
    if asked is None and rules["style"] == "adaptive":
        ledger.note("reasoning", "sent", "on; how much is the model's own choice", source)
        return
    effort = nearest_effort(asked or "medium", rules.get("efforts") or ())
    if effort is None:
        ledger.dropped("reasoning", f"effort {asked!r} is not supported by this model", source)
        return
    place(body, where, effort)
    if effort == (asked or effort):
        ledger.note("reasoning", "sent", f"effort {effort}", source)
    else:
        ledger.changed("reasoning", f"effort {asked} is sent as {effort}, the nearest this model takes", source)


def _display(reasoning: Reasoning, rules: Mapping[str, Any]) -> dict[str, str]:
    """Whether an adaptive model shows its thoughts; without a wish the model's default holds."""
    if reasoning.visible is None or rules["style"] != "adaptive":
        return {}
    return {"display": "summarized" if reasoning.visible else "omitted"}
