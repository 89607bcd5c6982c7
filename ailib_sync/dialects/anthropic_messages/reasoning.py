"""`Reasoning` → `thinking` and `output_config.effort` of Anthropic Messages, by the manifest's rules for the model.

What `reasoning` in a manifest may say for this dialect
(https://platform.claude.com/docs/en/build-with-claude/adaptive-thinking, .../extended-thinking, .../effort):

    style        "budget": thinking is turned on with a number of tokens; "adaptive": the model decides, an effort guides it
    efforts      the words `output_config.effort` takes; none where absent
    off          the `thinking.type` that turns it off ("disabled", or true), or comes nearest to it; absent: nothing does
    budget       true: an adaptive model that takes a number of tokens all the same
    display      whether `thinking.display` is taken (default: by adaptive models)
    no_sampling  true: temperature, top_p and top_k are refused while the model thinks
"""

from __future__ import annotations

from ..options import place
from ..reasoning import nearest_effort

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

    from ...registry.manifest import Manifest
    from ...types.request import ChatRequest, Ledger, Reasoning

#: The service refuses fewer (extended-thinking, "budget_tokens").
MIN_BUDGET = 1024

#: How many tokens of thinking an effort stands for, where a model counts tokens; and the way back.
BUDGETS: Mapping[str, int] = {
    "minimal": 1024,
    "low": 2048,
    "medium": 8192,
    "high": 16384,
    "xhigh": 32768,
    "max": 49152,
}


def render_reasoning(request: ChatRequest, body: dict[str, Any], manifest: Manifest, ledger: Ledger) -> bool:
    """Adds to the body what the request asks of the model's thinking; True where it asks the model to think."""
    asked = request.options.reasoning
    assert asked is not None
    rules, source = manifest.reasoning, f"{manifest.id}: reasoning"
    if not rules:
        ledger.dropped("reasoning", f"is not supported by {manifest.name} for this model", source)
        return False
    if asked.off:
        return _turn_off(body, rules, ledger, source)
    if asked.visible is False and asked.effort is None and asked.budget_tokens is None:
        # What is not turned on shows nothing, and no model that thinks by default shows it unasked.
        ledger.note("reasoning", "sent", "nothing: thoughts are hidden unless asked for", source)
        return False
    if rules.get("style") == "budget" or (asked.budget_tokens and rules.get("budget")):
        if not _render_budget(asked, body, manifest, request.options.max_tokens is not None, ledger, source):
            return False
        if asked.effort and rules.get("efforts"):
            _render_effort(asked.effort, body, rules, ledger, source)
    else:
        _render_adaptive(asked, body, rules, ledger, source)
    if asked.visible is not None:
        _render_display(asked.visible, body, rules, ledger, source)
    return True


def _turn_off(body: dict[str, Any], rules: Mapping[str, Any], ledger: Ledger, source: str) -> bool:
    word = "disabled" if rules.get("off") is True else rules.get("off")
    if word:
        body["thinking"] = {"type": word}
        ledger.note("reasoning", "sent", f"thinking.type = {word}", source)
        return bool(word != "disabled")
    lowest = nearest_effort("minimal", rules.get("efforts") or ())
    if lowest is None:
        ledger.dropped("reasoning", "cannot be turned off for this model", source)
    else:
        place(body, "output_config.effort", lowest)
        ledger.changed("reasoning", f"cannot be turned off for this model; its effort is {lowest}", source)
    return True


def _render_budget(
    asked: Reasoning, body: dict[str, Any], manifest: Manifest, limited: bool, ledger: Ledger, source: str
) -> bool:
    """Turns thinking on with a number of tokens that fits; False where none does. `limited`: the caller set max_tokens."""
    budget = asked.budget_tokens or BUDGETS.get(asked.effort or "medium")
    if budget is None:
        ledger.dropped("reasoning", f"effort {asked.effort!r} is not known", source)
        return False
    if budget < MIN_BUDGET:
        ledger.changed("reasoning", f"is sent as {MIN_BUDGET} tokens, the fewest that are taken", source)
        budget = MIN_BUDGET
    if budget >= body["max_tokens"] and not limited:
        _make_room(budget, body, manifest, ledger, source)
    ceiling = body["max_tokens"]
    if budget >= ceiling:
        if ceiling <= MIN_BUDGET:
            ledger.dropped("reasoning", f"needs max_tokens above {MIN_BUDGET}, not {ceiling}", source)
            return False
        budget = max(MIN_BUDGET, ceiling * 3 // 4)
        ledger.changed("reasoning", f"is sent as {budget} tokens, because it must stay below max_tokens ({ceiling})", source)
    body["thinking"] = {"type": "enabled", "budget_tokens": budget}
    ledger.note("reasoning", "sent", f"thinking.budget_tokens = {budget}", source)
    return True


def _make_room(budget: int, body: dict[str, Any], manifest: Manifest, ledger: Ledger, source: str) -> None:
    """max_tokens counts thinking too: a default one is raised by what the thinking may take, as far as the model goes."""
    room = budget + body["max_tokens"]
    limit = manifest.limits.get("max_tokens")
    if isinstance(limit, list) and limit[1] is not None:
        room = min(room, limit[1])
    body["max_tokens"] = room
    ledger.note("max_tokens", "defaulted", f"max_tokens = {room}, thinking counts too", source)


def _render_adaptive(asked: Reasoning, body: dict[str, Any], rules: Mapping[str, Any], ledger: Ledger, source: str) -> None:
    body["thinking"] = {"type": "adaptive"}
    ledger.note("reasoning", "sent", "thinking.type = adaptive", source)
    effort: str | None = asked.effort
    if asked.budget_tokens:
        if effort is None:
            effort = next((word for word, budget in BUDGETS.items() if asked.budget_tokens <= budget), "max")
        detail = f"is sent as effort {effort}: this model takes no number of tokens"
        ledger.changed("reasoning", detail, source)
    if effort is not None:
        _render_effort(effort, body, rules, ledger, source)


def _render_effort(effort: str, body: dict[str, Any], rules: Mapping[str, Any], ledger: Ledger, source: str) -> None:
    efforts = rules.get("efforts") or ()
    word = effort if effort in efforts else nearest_effort(effort, efforts)
    if word is None:
        ledger.dropped("reasoning", f"effort {effort!r} is not supported by this model", source)
        return
    place(body, "output_config.effort", word)
    if word == effort:
        ledger.note("reasoning", "sent", f"output_config.effort = {word}", source)
    else:
        ledger.changed("reasoning", f"effort {effort} is sent as {word}, the nearest this model takes", source)


def _render_display(visible: bool, body: dict[str, Any], rules: Mapping[str, Any], ledger: Ledger, source: str) -> None:
    if rules.get("display", rules.get("style") == "adaptive"):
        body["thinking"]["display"] = "summarized" if visible else "omitted"
    elif not visible:
        ledger.dropped("reasoning", "cannot be hidden for this model", source)
