"""Reasoning in Ollama: the option `reasoning` → `think`.

https://docs.ollama.com/capabilities/thinking
"""

from __future__ import annotations

import json

from ..reasoning import nearest_effort

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

    from ...registry.manifest import Manifest
    from ...types.request import Ledger, Reasoning


#: What all models that think support; used if the manifest has no `reasoning`.
DEFAULT_RULES: Mapping[str, Any] = {"efforts": ("low", "medium", "high"), "off": False}


def render_reasoning(body: dict[str, Any], reasoning: Reasoning, manifest: Manifest, ledger: Ledger) -> None:
    """Writes `think`: true, false, or an effort."""
    rules, source = manifest.reasoning or DEFAULT_RULES, f"{manifest.id}: reasoning"
    if reasoning.off:
        if rules.get("off") is None:
            ledger.dropped("reasoning", "cannot be switched off for this model", source)
            return
        body["think"] = rules["off"]
    elif reasoning.effort is None:
        body["think"] = True
    else:
        effort = nearest_effort(reasoning.effort, rules.get("efforts") or ())
        body["think"] = effort or True
        if effort != reasoning.effort:
            ledger.changed("reasoning", f"effort {reasoning.effort} is sent as {json.dumps(body['think'])}", source)
    if reasoning.budget_tokens:
        ledger.changed("reasoning", "is sent without its number of tokens, which Ollama does not support", source)
    ledger.note("reasoning", "sent", f"think = {json.dumps(body['think'])}", source)
