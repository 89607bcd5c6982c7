"""Reasoning options: the rules that all dialects share."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ..registry.manifest import Manifest
    from ..types.request import ChatRequest


def thinks(request: ChatRequest, manifest: Manifest) -> bool:
    """Whether the model will think: as asked, else as the manifest's `reasoning.default` says."""
    rules = manifest.reasoning or {}
    asked = request.options.reasoning
    if asked is None or (asked.effort is None and asked.budget_tokens is None):
        return rules.get("default") not in (None, rules.get("off"))
    return not asked.off


def nearest_effort(asked: str, allowed: tuple[str, ...] | list[str]) -> str | None:
    """The allowed effort nearest to the asked one, the lower of two equally near; None where nothing is allowed."""
    scale = ("none", "minimal", "low", "medium", "high", "xhigh", "max")
    if not allowed or asked not in scale:
        return None
    at = scale.index(asked)
    return min((word for word in allowed if word in scale), key=lambda word: abs(scale.index(word) - at), default=None)
