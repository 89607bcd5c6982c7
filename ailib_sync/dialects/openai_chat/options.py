"""The options of a Chat Completions request that are more than a name and a value: tools, formats, reasoning."""

from __future__ import annotations

from ..._dataclass import dataclass
from ..dialect import allows, nearest_effort, place, wire_name

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

    from ...registry.manifest import Manifest
    from ...types.request import ChatRequest, Ledger, Reasoning
    from ...types.tools import Tool

PARAMETERS: Mapping[str, str | None] = {
    "temperature": "temperature",
    "max_tokens": "max_tokens",
    "top_p": "top_p",
    "top_k": None,
    "stop": "stop",
    "seed": "seed",
    "frequency_penalty": "frequency_penalty",
    "presence_penalty": "presence_penalty",
    "tool_choice": "tool_choice",
    "parallel_tool_calls": "parallel_tool_calls",
    "response_format": "response_format",
    "reasoning": "reasoning",
}


def render_tools(body: dict[str, Any], request: ChatRequest, manifest: Manifest, ledger: Ledger) -> None:
    if not request.tools:
        return
    strict = not manifest.has("no_strict_tools")
    if not strict and any(tool.strict for tool in request.tools):
        ledger.dropped("strict", f"of a tool is not taken by {manifest.name}", f"{manifest.id}: quirks.no_strict_tools")
    body["tools"] = [_tool(tool, strict) for tool in request.tools]


def _tool(tool: Tool, strict: bool) -> dict[str, Any]:
    function: dict[str, Any] = {"name": tool.name}
    if tool.description:
        function["description"] = tool.description
    function["parameters"] = tool.parameters
    if strict and tool.strict is not None:
        function["strict"] = tool.strict
    return {"type": "function", "function": function, **tool.extra}


def render_choice(body: dict[str, Any], request: ChatRequest, manifest: Manifest, ledger: Ledger) -> None:
    """`tool_choice` and `parallel_tool_calls`; the service refuses both in a request without tools."""
    has_tools = "tools" in body or "tools" in request.extra
    for option in ("parallel_tool_calls", "tool_choice"):
        value = getattr(request.options, option)
        if value is None or not allows(option, manifest, PARAMETERS, ledger):
            continue
        if not has_tools:
            ledger.dropped(option, "is left out: the request has no tools", "openai_chat")
        elif option == "tool_choice":
            _render_tool_choice(body, request, manifest, ledger)
        else:
            place(body, wire_name(option, manifest, PARAMETERS)[0], value)
            ledger.note(option, "sent", option, "openai_chat")


def _render_tool_choice(body: dict[str, Any], request: ChatRequest, manifest: Manifest, ledger: Ledger) -> None:
    choice = request.options.tool_choice
    assert choice is not None
    mode: str = choice.mode
    source = f"{manifest.id}: tool_choice"
    allowed = manifest.tool_choice
    reasoning: Reasoning | None = request.options.reasoning
    if manifest.has("no_forced_tools_while_thinking") and not (reasoning and reasoning.off):
        allowed = tuple(word for word in allowed if word not in ("required", "tool"))
        source = f"{manifest.id}: quirks.no_forced_tools_while_thinking"
    if mode not in allowed:
        if mode == "none":
            body.pop("tools", None)
            ledger.changed("tool_choice", "none is not taken, so the tools are left out of the request", source)
            return
        mode = next((word for word in ("required", "auto") if word in allowed), "")
        if not mode:
            ledger.dropped("tool_choice", f"{choice.mode} is not taken by {manifest.name} for this model", source)
            return
        ledger.changed("tool_choice", f"{choice.mode} is not taken by {manifest.name} for this model; {mode} is sent", source)
    value = {"type": "function", "function": {"name": choice.name}} if mode == "tool" else mode
    place(body, wire_name("tool_choice", manifest, PARAMETERS)[0], value)
    if mode == choice.mode:
        ledger.note("tool_choice", "sent", mode, "openai_chat")


def render_format(body: dict[str, Any], request: ChatRequest, manifest: Manifest, ledger: Ledger) -> None:
    wanted = request.options.response_format
    if wanted is None or not allows("response_format", manifest, PARAMETERS, ledger):
        return
    source = f"{manifest.id}: response_format"
    kind: str = wanted.kind
    schema = wanted.schema
    if kind not in manifest.response_format and kind != "text":
        other = "json" if kind == "json_schema" else "json_schema"
        if other not in manifest.response_format:
            ledger.dropped("response_format", f"{kind} is not taken by {manifest.name} for this model", source)
            return
        detail = "put the schema into the prompt" if other == "json" else "with a schema that any object fits"
        ledger.changed("response_format", f"{kind} is not taken by {manifest.name}; {other} is sent: {detail}", source)
        kind, schema = other, {"type": "object"}
    else:
        ledger.note("response_format", "sent", kind, "openai_chat")
    value: dict[str, Any] = {"type": "json_object" if kind == "json" else kind}
    if kind == "json_schema":
        value["json_schema"] = {"name": wanted.name, "schema": schema}
        if wanted.strict is not None and wanted.kind == kind:
            value["json_schema"]["strict"] = wanted.strict
    place(body, wire_name("response_format", manifest, PARAMETERS)[0], value)


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


def render_reasoning(body: dict[str, Any], request: ChatRequest, manifest: Manifest, ledger: Ledger) -> None:
    """`reasoning` in the style of the manifest's `reasoning`: `style`, `efforts` (those allowed), `off` (what switches
    thinking off; absent = nothing does), and, over the style's own, `switch`, `on`, `effort`, `budget`, and `show` and
    `hide`, the fields that make the thoughts visible or not."""
    wanted: Reasoning | None = request.options.reasoning
    if wanted is None or not allows("reasoning", manifest, PARAMETERS, ledger):
        return
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
