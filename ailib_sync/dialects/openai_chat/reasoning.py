"""The option `reasoning` of Chat Completions: each host has its own fields for it."""

from __future__ import annotations

from ..._dataclass import dataclass
from ..options import place
from ..reasoning import nearest_effort

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

    from ...registry.manifest import Manifest
    from ...types.request import Ledger, Reasoning


@dataclass(frozen=True, slots=True)
class Style:
    """Where one way of asking for thinking keeps its parts: dotted wire names, None = no such part.

    `implied` says that an effort or a budget switches thinking on by itself, and that only one of them may be sent.
    A manifest's `reasoning` may name other places under the same keys.
    """

    switch: str | None = None
    on: Any = True
    effort: str | None = "reasoning_effort"
    budget: str | None = None
    implied: bool = False


STYLES: Mapping[str, Style] = {
    "effort": Style(),
    "thinking_type": Style("thinking.type", "enabled"),
    "enable_thinking": Style("enable_thinking", budget="thinking_budget"),
    "reasoning_object": Style("reasoning.enabled", effort="reasoning.effort", budget="reasoning.max_tokens", implied=True),
    "template_kwargs": Style("chat_template_kwargs.enable_thinking"),
}

#: Efforts for a budget in tokens, where a model takes no budget: the lower bound of each.
_EFFORTS_OF_BUDGETS = ((16385, "high"), (4097, "medium"), (0, "low"))


def render_reasoning(body: dict[str, Any], wanted: Reasoning, manifest: Manifest, ledger: Ledger) -> None:
    """`reasoning` in the style of the manifest's `reasoning`: `style`, `efforts` (those allowed), `off` (what switches
    thinking off; absent = nothing does), and, over the style's own, `switch`, `on`, `effort`, `budget`, and `show` and
    `hide`, the fields that make the thoughts visible or not."""
    spec = manifest.reasoning
    if spec is None or spec.get("style") not in STYLES:
        ledger.dropped("reasoning", f"is not taken by {manifest.name} for this model", f"{manifest.id}: reasoning")
        return
    style = STYLES[spec["style"]]
    switch, effort = spec.get("switch", style.switch), spec.get("effort", style.effort)
    if wanted.off:
        _switch_off(body, spec, switch, effort, manifest, ledger)
        return
    sent = _render_depth(body, wanted, spec, style, effort, manifest, ledger)
    if switch and not (style.implied and sent):
        place(body, switch, spec.get("on", style.on))
        sent = True
    sent = _render_visible(body, wanted, spec, manifest, ledger) or sent
    if sent:
        ledger.note("reasoning", "sent", spec["style"], f"{manifest.id}: reasoning")
    elif wanted.visible is False:
        ledger.note("reasoning", "sent", "nothing: thoughts are hidden unless asked for", f"{manifest.id}: reasoning")


def _switch_off(
    body: dict[str, Any], spec: Mapping[str, Any], switch: str | None, effort: str | None, manifest: Manifest, ledger: Ledger
) -> None:
    source = f"{manifest.id}: reasoning.off"
    name = effort if switch is None or spec.get("off") == "none" else switch
    if spec.get("off") is None or not name:
        ledger.dropped("reasoning", f"cannot be switched off for this model by {manifest.name}", source)
        return
    place(body, name, spec["off"])
    ledger.note("reasoning", "sent", f"{name} = {spec['off']}", source)


def _render_depth(
    body: dict[str, Any],
    wanted: Reasoning,
    spec: Mapping[str, Any],
    style: Style,
    effort: str | None,
    manifest: Manifest,
    ledger: Ledger,
) -> bool:
    """The effort and the budget, each where there is a place for it; True if one is sent."""
    source, sent = f"{manifest.id}: reasoning", False
    budget_at = spec.get("budget", style.budget)
    asked: str | None = wanted.effort
    if wanted.budget_tokens is not None and budget_at:
        place(body, budget_at, wanted.budget_tokens)
        if asked and style.implied:
            ledger.dropped("reasoning.effort", "is left out: a budget is sent, and only one of them may be", source)
            return True
        sent = True
    elif wanted.budget_tokens is not None and not asked:
        asked = next(word for least, word in _EFFORTS_OF_BUDGETS if wanted.budget_tokens >= least)
        ledger.changed("reasoning.budget_tokens", f"has no form here; effort {asked} stands for it", source)
    if asked is None:
        return sent
    efforts = spec.get("efforts")
    has_effort = effort and (efforts is not None or style.switch is None)
    nearest = asked if has_effort and efforts is None else nearest_effort(asked, [e for e in efforts or () if e != "none"])
    if not has_effort or not effort or nearest is None:
        if asked == wanted.effort:
            ledger.changed("reasoning.effort", f"{asked} has no form here; thinking is left at its own depth", source)
        return sent
    if nearest != asked:
        ledger.changed("reasoning.effort", f"{asked} is not taken for this model; {nearest} is sent", f"{source}.efforts")
    place(body, effort, nearest)
    return True


def _render_visible(
    body: dict[str, Any], wanted: Reasoning, spec: Mapping[str, Any], manifest: Manifest, ledger: Ledger
) -> bool:
    if wanted.visible is None:
        return False
    fields = spec.get("show" if wanted.visible else "hide")
    if not fields:
        if not wanted.visible:
            ledger.dropped("reasoning.visible", f"cannot be chosen with {manifest.name}", f"{manifest.id}: reasoning")
        return False
    for name, value in fields.items():
        place(body, name, value)
    return True
