"""The option `reasoning` → Cohere's `thinking`."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from ...registry.manifest import Manifest
    from ...types.request import Ledger, Reasoning


def render_reasoning(wanted: Reasoning, manifest: Manifest, ledger: Ledger) -> dict[str, Any]:
    """Thinking is on or off here, with a budget of tokens; an effort only switches it on."""
    source = f"{manifest.id}: reasoning"
    if manifest.reasoning is None:
        ledger.dropped("reasoning", f"is not supported by {manifest.name} for this model", source)
        return {}
    if wanted.off:
        word = manifest.reasoning.get("off")
        if word is None:
            ledger.dropped("reasoning", "cannot be switched off for this model", source)
            return {}
        ledger.note("reasoning", "renamed", f"thinking.type = {word}", source)
        return {"thinking": {"type": word}}
    thinking: dict[str, Any] = {"type": "enabled"}
    if wanted.budget_tokens is not None:
        thinking["token_budget"] = wanted.budget_tokens
    if wanted.effort is not None and wanted.budget_tokens is None:
        ledger.changed("reasoning", f"effort {wanted.effort!r} has no form here: thinking is switched on", source)
    else:
        ledger.note("reasoning", "renamed", "thinking.type = enabled", source)
    return {"thinking": thinking}
