"""Reasoning options: the rules that all dialects share."""

from __future__ import annotations

from ..types.request import EFFORTS

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from ..registry.manifest import Manifest
    from ..types.request import ChatRequest, Effort

#: Claude models: effort → tokens of thinking, where a model counts tokens; and the way back. At least 1024 tokens are required
#: (https://platform.claude.com/docs/en/build-with-claude/extended-thinking); no provider documents the other figures.
CLAUDE_BUDGETS: Mapping[Effort, int] = {
    "minimal": 1024,
    "low": 2048,
    "medium": 8192,
    "high": 16384,
    "xhigh": 32768,
    "max": 49152,
}

#: OpenAI's formats: effort → the most tokens of thinking that it is used for, if a caller gives a number of tokens. The formats
#: have no such number, and OpenAI documents no figures (https://platform.openai.com/docs/guides/reasoning).
OPENAI_BUDGETS: Mapping[Effort, int] = {"minimal": 1024, "low": 4096, "medium": 12288, "high": 24576, "xhigh": 49152}


#: The fewest tokens of thinking that Claude models accept.
MIN_BUDGET = CLAUDE_BUDGETS["minimal"]


def thinks(request: ChatRequest, manifest: Manifest, *, unknown: bool = False) -> bool:
    """Whether the model will think: as the request says, else as the manifest's `reasoning.default` says.

    `unknown` is the result if neither says it.
    """
    rules, requested = manifest.reasoning or {}, request.options.reasoning
    default = rules["default"] not in (None, rules.get("off")) if "default" in rules else unknown
    if requested is not None and requested.off:
        return default and bool(rules) and rules.get("off") is None
    if requested is None or not rules:
        return default
    if rules.get("style") == "budget" and (request.options.max_tokens or MIN_BUDGET + 1) <= MIN_BUDGET:
        return default  # the budget has no room below max_tokens: see `fitting_budget`
    if requested.effort is None and requested.budget_tokens is None:
        # Where thinking has a switch, a request that does not only hide it switches it on. An effort is no such switch.
        return default or (not requested.hides_only and rules.get("style", "effort") != "effort")
    return True


def fitting_budget(budget: int, least: int, max_tokens: int) -> int | None:
    """A budget below `max_tokens`, which counts thinking and text: the given one, or a smaller one that leaves room for text.
    None if `least` does not fit.

    https://platform.claude.com/docs/en/build-with-claude/extended-thinking: "budget_tokens must be less than max_tokens".
    """
    if budget < max_tokens:
        return budget
    smaller = max(least, max_tokens * 3 // 4)
    return smaller if smaller < max_tokens else None


def nearest_effort(requested: str, allowed: Sequence[str]) -> str | None:
    """The allowed effort nearest to the requested one, the lower of two equally near; None if none is allowed."""
    scale: Sequence[str] = EFFORTS
    if not allowed or requested not in scale:
        return None
    at = scale.index(requested)
    return min((word for word in allowed if word in scale), key=lambda word: abs(scale.index(word) - at), default=None)


def effort_for(tokens: int, budgets: Mapping[Effort, int]) -> Effort:
    """The lowest effort whose budget is at least this number of tokens; the highest if none is."""
    return next((effort for effort, most in budgets.items() if tokens <= most), [*budgets][-1])
