"""`Reasoning` → `reasoning`, `store` and `include` of OpenAI Responses.

What a manifest's `reasoning` may contain for this dialect (style "effort"):

    efforts        the supported values of `reasoning.effort`
    off            the value that turns thinking off; absent: it stays on
    default        the effort if the request contains none
    no_sampling    true: temperature and top_p are rejected while the model thinks
    encrypted      whether the provider returns encrypted thinking; absent: if the request sets reasoning

A model that thinks stores nothing (`store: false`) and returns its thinking encrypted instead, so that a history is complete
without the provider (https://platform.openai.com/docs/guides/reasoning#encrypted-reasoning-items). With `extra(store=True)` the
provider stores it.
"""

from __future__ import annotations

from ..reasoning import OPENAI_BUDGETS, effort_for, nearest_effort
from .messages import NAME

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from ...registry.manifest import Manifest
    from ...types.request import ChatRequest, Ledger, Reasoning

ENCRYPTED = "reasoning.encrypted_content"


def render_reasoning(requested: Reasoning, manifest: Manifest, ledger: Ledger) -> dict[str, Any]:
    """`{"effort", "summary"}`, each if the request needs it and the model supports it."""
    source = f"{NAME}: parameters.reasoning"
    if manifest.reasoning is None:
        ledger.dropped("reasoning", f"is not supported by {manifest.name} for this model", f"{manifest.id}: reasoning")
        return {}
    rendered: dict[str, Any] = {}
    effort = _effort(requested, manifest, ledger)
    if effort is not None:
        rendered["effort"] = effort
        ledger.note("reasoning", "sent", f"reasoning.effort = {effort}", source)
    if requested.visible and not requested.off:
        rendered["summary"] = "auto"
        ledger.note("reasoning", "sent", "reasoning.summary = auto", source)
    elif requested.visible is False:
        ledger.note("reasoning", "sent", "nothing: thinking is hidden by default", source)
    return rendered


def _effort(requested: Reasoning, manifest: Manifest, ledger: Ledger) -> str | None:
    """The effort to send: the requested one, or the nearest that the model supports; None if there is none to send."""
    rules, source = manifest.reasoning or {}, f"{manifest.id}: reasoning"
    efforts = tuple(rules.get("efforts") or ())
    if requested.off:
        off: str | None = rules.get("off") if efforts and "none" not in efforts else "none"
        if off is None:
            off = nearest_effort("none", efforts)
            ledger.changed("reasoning", f"cannot be turned off for this model; its effort is {off}", source)
        return off
    if requested.effort is None and requested.budget_tokens is not None:
        effort = effort_for(requested.budget_tokens, OPENAI_BUDGETS)
        nearest = nearest_effort(effort, efforts) or effort
        ledger.changed("reasoning", f"is sent as effort {nearest}: this format has no number of tokens", source)
        return nearest
    if requested.effort is None or not efforts or requested.effort in efforts:
        return requested.effort
    nearest_supported = nearest_effort(requested.effort, efforts)
    if nearest_supported is None:
        ledger.dropped("reasoning", f"effort {requested.effort!r} is not supported by this model", source)
    else:
        detail = f"effort {requested.effort} is sent as {nearest_supported}, the nearest this model supports"
        ledger.changed("reasoning", detail, source)
    return nearest_supported


def render_storage(reasoning: dict[str, Any], request: ChatRequest, manifest: Manifest, ledger: Ledger) -> dict[str, Any]:
    """`store` and `include` for a model that thinks; {} for others, which reject encryption."""
    if not (manifest.reasoning or {}).get("encrypted", bool(reasoning)) or request.extra.get("store"):
        return {}
    ledger.note("store", "defaulted", "store = false", f"{NAME}: thinking is returned encrypted")
    return {"store": False, "include": [ENCRYPTED]}
