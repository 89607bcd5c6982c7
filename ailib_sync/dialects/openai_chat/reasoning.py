"""Reasoning in Chat Completions: the option `reasoning`, for which hosts have different fields, and thinking in messages."""

from __future__ import annotations

from ..._dataclass import dataclass, replace
from ...types.events import ThinkingDelta
from ...types.json_values import objects, word
from ...types.request import Reasoning
from ..options import place
from ..reasoning import OPENAI_BUDGETS, effort_for, nearest_effort, thinks

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

    from ...registry.manifest import Manifest
    from ...types.messages import Thinking
    from ...types.request import ChatRequest, Ledger

#: The fields of a message that hosts put thinking in. Tolerance reasoning_in_four_places.
THINKING_KEYS = ("reasoning_content", "reasoning", "reasoning_text")


@dataclass(frozen=True, slots=True)
class Style:
    """One way to request thinking: the wire names (dotted = nested) of its fields. None = the style has no such field.

    `implied` means that an effort or a budget switches thinking on by itself, and that only one of the two may be sent.
    A manifest's `reasoning` may have other wire names under the same keys.
    """

    switch: str | None = None
    on: Any = True
    effort: str | None = "reasoning_effort"
    budget: str | None = None
    implied: bool = False


STYLES: Mapping[str, Style] = {
    # https://platform.openai.com/docs/guides/reasoning
    "effort": Style(),
    # https://docs.bigmodel.cn/cn/guide/capabilities/thinking
    "thinking_type": Style("thinking.type", "enabled"),
    # https://www.alibabacloud.com/help/en/model-studio/deep-thinking
    "enable_thinking": Style("enable_thinking", budget="thinking_budget"),
    # https://openrouter.ai/docs/use-cases/reasoning-tokens
    "reasoning_object": Style("reasoning.enabled", effort="reasoning.effort", budget="reasoning.max_tokens", implied=True),
    # https://docs.vllm.ai/en/stable/features/reasoning_outputs/
    "template_kwargs": Style("chat_template_kwargs.enable_thinking"),
}


def without_thinking_for_tools(request: ChatRequest, manifest: Manifest, ledger: Ledger) -> ChatRequest:
    """The request with thinking switched off, if it has tools and the model does not support both in this format.

    Such a request is sent in the dialect that `reasoning.with_tools` names, unless the caller named this one.
    """
    rules = manifest.reasoning or {}
    effort = str(rules.get("effort") or "reasoning_effort")
    if not rules.get("with_tools") or rules.get("off") is None or not request.tools or effort in request.extra:
        return request
    if not thinks(request, manifest):
        return request
    ledger.changed(
        "reasoning",
        f"is switched off: {manifest.name} supports thinking with tools only in the dialect {rules['with_tools']}",
        f"{manifest.id}: reasoning.with_tools",
    )
    return replace(request, options=replace(request.options, reasoning=Reasoning(effort="none")))


def render_reasoning(body: dict[str, Any], reasoning: Reasoning, manifest: Manifest, ledger: Ledger) -> None:
    """Writes the option `reasoning` as the manifest's `reasoning` describes it.

    Its keys: `style` (of `STYLES`), `efforts` (those allowed), `off` (the value that switches thinking off; absent = nothing
    does), `show` and `hide` (the fields that make the thoughts visible or not), and wire names that replace the style's.
    """
    rules = manifest.reasoning
    if rules is None or rules.get("style") not in STYLES:
        ledger.dropped("reasoning", f"is not supported by {manifest.name} for this model", f"{manifest.id}: reasoning")
        return
    style = STYLES[rules["style"]]
    switch, effort = rules.get("switch", style.switch), rules.get("effort", style.effort)
    if reasoning.off:
        _switch_off(body, rules, switch, effort, manifest, ledger)
        return
    sent = _render_depth(body, reasoning, rules, style, effort, manifest, ledger)
    if switch and not (style.implied and sent):
        place(body, switch, rules.get("on", style.on))
        sent = True
    sent = _render_visible(body, reasoning, rules, manifest, ledger) or sent
    if sent:
        ledger.note("reasoning", "sent", rules["style"], f"{manifest.id}: reasoning")
    elif reasoning.visible is False:
        ledger.note("reasoning", "sent", "nothing: thoughts are hidden unless requested", f"{manifest.id}: reasoning")


def _switch_off(
    body: dict[str, Any], rules: Mapping[str, Any], switch: str | None, effort: str | None, manifest: Manifest, ledger: Ledger
) -> None:
    source = f"{manifest.id}: reasoning.off"
    name = effort if switch is None or rules.get("off") == "none" else switch
    if rules.get("off") is None or not name:
        ledger.dropped("reasoning", f"cannot be switched off for this model by {manifest.name}", source)
        return
    place(body, name, rules["off"])
    ledger.note("reasoning", "sent", f"{name} = {rules['off']}", source)


def _render_depth(
    body: dict[str, Any],
    reasoning: Reasoning,
    rules: Mapping[str, Any],
    style: Style,
    effort_name: str | None,
    manifest: Manifest,
    ledger: Ledger,
) -> bool:
    """Writes the effort and the budget, if the host has a field for them. True if one is sent."""
    source, sent = f"{manifest.id}: reasoning", False
    budget_name = rules.get("budget", style.budget)
    effort: str | None = reasoning.effort
    if reasoning.budget_tokens is not None and budget_name:
        place(body, budget_name, reasoning.budget_tokens)
        if effort and style.implied:
            ledger.dropped("reasoning.effort", "is omitted: a budget is sent, and only one of the two may be", source)
            return True
        sent = True
    elif reasoning.budget_tokens is not None and not effort:
        effort = effort_for(reasoning.budget_tokens, OPENAI_BUDGETS)
        ledger.changed("reasoning.budget_tokens", f"is not supported for this model; effort {effort} is sent", source)
    if effort is None:
        return sent
    efforts = rules.get("efforts")
    has_effort = effort_name and (efforts is not None or style.switch is None)
    nearest = effort if has_effort and efforts is None else nearest_effort(effort, [e for e in efforts or () if e != "none"])
    if not has_effort or not effort_name or nearest is None:
        if effort == reasoning.effort:
            ledger.changed("reasoning.effort", f"{effort} is not supported; the model uses its default depth", source)
        return sent
    if nearest != effort:
        ledger.changed("reasoning.effort", f"{effort} is not supported for this model; {nearest} is sent", f"{source}.efforts")
    place(body, effort_name, nearest)
    return True


def _render_visible(
    body: dict[str, Any], reasoning: Reasoning, rules: Mapping[str, Any], manifest: Manifest, ledger: Ledger
) -> bool:
    if reasoning.visible is None:
        return False
    fields = rules.get("show" if reasoning.visible else "hide")
    if not fields:
        if not reasoning.visible:
            ledger.dropped("reasoning.visible", f"cannot be chosen with {manifest.name}", f"{manifest.id}: reasoning")
        return False
    for name, value in fields.items():
        place(body, name, value)
    return True


def render_thinking_part(block: Thinking) -> dict[str, Any]:
    """A thinking block as a `thinking` part, or as a `reasoning` part if the host sent one. Quirk replay_thinking_parts."""
    signature = {"signature": block.signature} if block.signature else {}
    if block.extra.get("type") == "reasoning":
        return {"type": "reasoning", "summary": [{"type": "summary_text", "text": block.text, **signature}]}
    return {"type": "thinking", "thinking": [{"type": "text", "text": block.text}], **signature, **block.extra}


def parse_thinking_part(part: dict[str, Any]) -> ThinkingDelta:
    """A content part of type `thinking` or `reasoning`.

    https://docs.mistral.ai/capabilities/reasoning/ (thinking),
    https://learn.microsoft.com/azure/databricks/machine-learning/model-serving/query-reason-models (reasoning)
    """
    inner = part.get("summary" if part["type"] == "reasoning" else "thinking")
    items = inner if isinstance(inner, list) else [inner]
    entries = [item if isinstance(item, dict) else {"text": item} for item in items]
    text = "".join(str(entry.get("text") or "") for entry in entries)
    signature = part.get("signature") or next((entry["signature"] for entry in entries if entry.get("signature")), None)
    extra = {key: value for key, value in part.items() if key not in ("thinking", "summary", "signature")}
    return ThinkingDelta(text, word(signature), extra=extra)


def text_of_details(details: Any) -> str:
    """The text of `reasoning_details`. https://openrouter.ai/docs/use-cases/reasoning-tokens"""
    return "".join(str(entry.get("text") or entry.get("summary") or "") for entry in objects(details))
