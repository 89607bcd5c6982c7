"""`Reasoning` → `reasoning`, `store` and `include` of OpenAI Responses.

What `reasoning` in a manifest may say for this dialect (style "effort"):

    efforts        the words `reasoning.effort` takes
    off            the word that turns thinking off; none where it cannot be
    default        the effort that holds where none is asked for
    no_sampling    true: temperature and top_p are refused while the model thinks
    encrypted      true: the model's thoughts can be had encrypted; false: the host knows nothing of that

A model that thinks is told to keep nothing (`store: false`) and to hand out its thoughts encrypted instead, so that a history
is whole wherever it is kept (https://platform.openai.com/docs/guides/reasoning#encrypted-reasoning-items). `extra(store=True)`
leaves them with the provider. Where `encrypted` is absent, this is done for a request that asks for thinking.
"""

from __future__ import annotations

from ..reasoning import nearest_effort
from .messages import NAME

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

    from ...registry.manifest import Manifest
    from ...types.request import ChatRequest, Ledger, Reasoning

#: The effort that stands for a number of thinking tokens, where a caller counts them: up to this many, this effort.
BUDGETS: Mapping[str, int] = {"minimal": 1024, "low": 4096, "medium": 12288, "high": 24576, "xhigh": 49152}


ENCRYPTED = "reasoning.encrypted_content"


def render_reasoning(asked: Reasoning, manifest: Manifest, ledger: Ledger) -> dict[str, Any]:
    """`{"effort", "summary"}` as far as the request asks for them and the model takes them."""
    if manifest.reasoning is None:
        ledger.dropped("reasoning", f"is not supported by {manifest.name} for this model", f"{manifest.id}: reasoning")
        return {}
    rendered: dict[str, Any] = {}
    effort = _effort(asked, manifest, ledger)
    if effort is not None:
        rendered["effort"] = effort
        ledger.note("reasoning", "sent", f"reasoning.effort = {effort}", f"{NAME}: parameters.reasoning")
    if asked.visible and not asked.off:
        rendered["summary"] = "auto"
        ledger.note("reasoning", "sent", "reasoning.summary = auto", f"{NAME}: parameters.reasoning")
    elif asked.visible is False:
        ledger.note("reasoning", "sent", "nothing: thoughts are hidden unless asked for", f"{NAME}: parameters.reasoning")
    return rendered


def _effort(asked: Reasoning, manifest: Manifest, ledger: Ledger) -> str | None:
    """The word to send: the asked one where the model takes it, else the nearest; None where nothing was asked."""
    rules, source = manifest.reasoning or {}, f"{manifest.id}: reasoning"
    efforts = tuple(rules.get("efforts") or ())
    if asked.off:
        off: str | None = rules.get("off") if efforts and "none" not in efforts else "none"
        if off is None:
            off = nearest_effort("none", efforts)
            ledger.changed("reasoning", f"cannot be turned off for this model; its effort is {off}", source)
        return off
    effort: str | None = asked.effort
    if effort is None and asked.budget_tokens is not None:
        effort = next((word for word, most in BUDGETS.items() if asked.budget_tokens <= most), "xhigh")
        effort = nearest_effort(effort, efforts) or effort
        ledger.changed("reasoning", f"is sent as effort {effort}: this format takes no number of tokens", source)
    elif effort is not None and efforts and effort not in efforts:
        nearest = nearest_effort(effort, efforts)
        if nearest is None:
            ledger.dropped("reasoning", f"effort {effort!r} is not supported by this model", source)
        else:
            ledger.changed("reasoning", f"effort {effort} is sent as {nearest}, the nearest this model takes", source)
        effort = nearest
    return effort


def render_storage(reasoning: dict[str, Any], request: ChatRequest, manifest: Manifest, ledger: Ledger) -> dict[str, Any]:
    """`store` and `include` for a model that thinks; nothing for others, which refuse to encrypt."""
    if not (manifest.reasoning or {}).get("encrypted", bool(reasoning)) or request.extra.get("store"):
        return {}
    ledger.note("store", "defaulted", "store = false", f"{NAME}: thoughts come back encrypted")
    return {"store": False, "include": [ENCRYPTED]}
