"""`Reasoning` → `thinking` and `output_config.effort` of Anthropic Messages, by the manifest's rules for the model.

What a manifest's `reasoning` may contain for this dialect
(https://platform.claude.com/docs/en/build-with-claude/adaptive-thinking, .../extended-thinking, .../effort):

    style        "budget": a number of tokens turns thinking on; "adaptive": the model decides, an effort guides it
    efforts      the supported values of `output_config.effort`; absent: none
    off          the `thinking.type` that turns thinking off ("disabled", or true), or reduces it most; absent: it stays on
    budget       true: an adaptive model that supports a number of tokens too
    display      whether `thinking.display` is supported (default: by adaptive models)
    no_sampling  true: temperature, top_p and top_k are rejected while the model thinks
"""

from __future__ import annotations

from ..options import place
from ..reasoning import CLAUDE_BUDGETS, MIN_BUDGET, effort_for, fitting_budget, nearest_effort

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

    from ...registry.manifest import Manifest
    from ...types.request import Ledger, Reasoning


def render_reasoning(
    requested: Reasoning, body: dict[str, Any], manifest: Manifest, ledger: Ledger, *, is_limited: bool
) -> None:
    """Adds the fields for the requested reasoning to the body. `is_limited`: the request sets `max_tokens` itself."""
    rules, source = manifest.reasoning, f"{manifest.id}: reasoning"
    if not rules:
        ledger.dropped("reasoning", f"is not supported by {manifest.name} for this model", source)
        return
    if requested.off:
        _turn_off(body, rules, ledger, source)
        return
    if requested.hides_only:
        # Thinking that is not turned on is not shown, and models that think by default show it only on request.
        ledger.note("reasoning", "sent", "nothing: thinking is hidden by default", source)
        return
    if rules.get("style") == "budget" or (requested.budget_tokens and rules.get("budget")):
        if not _render_budget(requested, body, manifest, is_limited, ledger, source):
            return
        if requested.effort and rules.get("efforts"):
            _render_effort(requested.effort, body, rules, ledger, source)
    else:
        _render_adaptive(requested, body, rules, ledger, source)
    if requested.visible is not None:
        _render_display(requested.visible, body, rules, ledger, source)


def _turn_off(body: dict[str, Any], rules: Mapping[str, Any], ledger: Ledger, source: str) -> None:
    kind = "disabled" if rules.get("off") is True else rules.get("off")
    if kind:
        body["thinking"] = {"type": kind}
        ledger.note("reasoning", "sent", f"thinking.type = {kind}", source)
        return
    lowest = nearest_effort("minimal", rules.get("efforts") or ())
    if lowest is None:
        ledger.dropped("reasoning", "cannot be turned off for this model", source)
    else:
        place(body, "output_config.effort", lowest)
        ledger.changed("reasoning", f"cannot be turned off for this model; its effort is {lowest}", source)


def _render_budget(
    requested: Reasoning, body: dict[str, Any], manifest: Manifest, is_limited: bool, ledger: Ledger, source: str
) -> bool:
    """Turns thinking on with a number of tokens below max_tokens; False if there is none."""
    budget = requested.budget_tokens or CLAUDE_BUDGETS.get(requested.effort or "medium")
    if budget is None:
        ledger.dropped("reasoning", f"effort {requested.effort!r} is not known", source)
        return False
    if budget < MIN_BUDGET:
        ledger.changed("reasoning", f"is sent as {MIN_BUDGET} tokens, the fewest that are supported", source)
        budget = MIN_BUDGET
    if budget >= body["max_tokens"] and not is_limited:
        _raise_max_tokens(budget, body, manifest, ledger, source)
    max_tokens = body["max_tokens"]
    fitting = fitting_budget(budget, MIN_BUDGET, max_tokens)
    if fitting is None:
        ledger.dropped("reasoning", f"needs max_tokens above {MIN_BUDGET}, not {max_tokens}", source)
        return False
    if fitting != budget:
        detail = f"is sent as {fitting} tokens, because it must stay below max_tokens ({max_tokens})"
        ledger.changed("reasoning", detail, source)
    body["thinking"] = {"type": "enabled", "budget_tokens": fitting}
    ledger.note("reasoning", "sent", f"thinking.budget_tokens = {fitting}", source)
    return True


def _raise_max_tokens(budget: int, body: dict[str, Any], manifest: Manifest, ledger: Ledger, source: str) -> None:
    """Adds the budget to a default max_tokens, which counts thinking too, up to the model's limit."""
    raised = budget + body["max_tokens"]
    limit = manifest.limits.get("max_tokens")
    if isinstance(limit, list) and limit[1] is not None:
        raised = min(raised, limit[1])
    body["max_tokens"] = raised
    ledger.note("max_tokens", "defaulted", f"max_tokens = {raised}, thinking counts too", source)


def _render_adaptive(requested: Reasoning, body: dict[str, Any], rules: Mapping[str, Any], ledger: Ledger, source: str) -> None:
    body["thinking"] = {"type": "adaptive"}
    ledger.note("reasoning", "sent", "thinking.type = adaptive", source)
    effort = requested.effort
    if requested.budget_tokens:
        effort = effort or effort_for(requested.budget_tokens, CLAUDE_BUDGETS)
        ledger.changed("reasoning", f"is sent as effort {effort}: this model supports no number of tokens", source)
    if effort is not None:
        _render_effort(effort, body, rules, ledger, source)


def _render_effort(requested: str, body: dict[str, Any], rules: Mapping[str, Any], ledger: Ledger, source: str) -> None:
    efforts = rules.get("efforts") or ()
    effort = requested if requested in efforts else nearest_effort(requested, efforts)
    if effort is None:
        ledger.dropped("reasoning", f"effort {requested!r} is not supported by this model", source)
        return
    place(body, "output_config.effort", effort)
    if effort == requested:
        ledger.note("reasoning", "sent", f"output_config.effort = {effort}", source)
    else:
        ledger.changed("reasoning", f"effort {requested} is sent as {effort}, the nearest this model supports", source)


def _render_display(visible: bool, body: dict[str, Any], rules: Mapping[str, Any], ledger: Ledger, source: str) -> None:
    if rules.get("display", rules.get("style") == "adaptive"):
        body["thinking"]["display"] = "summarized" if visible else "omitted"
    elif not visible:
        ledger.dropped("reasoning", "cannot be hidden for this model", source)
