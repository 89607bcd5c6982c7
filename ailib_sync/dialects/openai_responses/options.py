"""`ChatRequest` → the body of OpenAI Responses: its options and tools. The items of `input` are rendered in `_responses_input`.

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

from ..options import allows, join, place, render_options
from ..reasoning import nearest_effort, thinks
from .messages import NAME, render_input

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

    from ...registry.manifest import Manifest
    from ...types.request import ChatRequest, Ledger, Reasoning
    from ...types.tools import Tool

#: Standard option → wire name.
PARAMETERS: Mapping[str, str | None] = {
    "temperature": "temperature",
    "max_tokens": "max_output_tokens",
    "top_p": "top_p",
    "top_k": None,
    "stop": None,
    "seed": None,
    "frequency_penalty": None,
    "presence_penalty": None,
    "tool_choice": "tool_choice",
    "parallel_tool_calls": "parallel_tool_calls",
    "response_format": "text.format",
    "reasoning": "reasoning",
}

#: The effort that stands for a number of thinking tokens, where a caller counts them: up to this many, this effort.
BUDGETS: Mapping[str, int] = {"minimal": 1024, "low": 4096, "medium": 12288, "high": 24576, "xhigh": 49152}

ENCRYPTED = "reasoning.encrypted_content"


def render_body(request: ChatRequest, manifest: Manifest, ledger: Ledger) -> dict[str, Any]:
    """The body; `request.extra` joins it last."""
    reasoning = _render_reasoning(request, manifest, ledger)
    body: dict[str, Any] = {"model": request.model}
    storage = _render_storage(reasoning, request, manifest, ledger)
    stored = request.extra.get("store", storage.get("store", True)) is not False
    instructions, body["input"] = render_input(request.messages, manifest, stored)
    if instructions is not None:
        body["instructions"] = instructions
    if request.tools:
        body["tools"] = [render_tool(tool, manifest, ledger) for tool in request.tools]
    _render_tool_options(request, body, manifest, ledger)
    _render_format(request, body, manifest, ledger)
    if reasoning:
        body["reasoning"] = reasoning
    body |= render_options(request, manifest, PARAMETERS, ledger)
    body |= storage
    if request.stream:
        body["stream"] = True
    join(body, request.extra)
    return body


# Thinking


def _render_reasoning(request: ChatRequest, manifest: Manifest, ledger: Ledger) -> dict[str, Any]:
    """`{"effort", "summary"}` as far as the request asks for them and the model takes them."""
    asked: Reasoning | None = request.options.reasoning
    if asked is None or not allows("reasoning", manifest, PARAMETERS, ledger):
        return {}
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


def _render_storage(reasoning: dict[str, Any], request: ChatRequest, manifest: Manifest, ledger: Ledger) -> dict[str, Any]:
    """`store` and `include` for a model that thinks; nothing for others, which refuse to encrypt."""
    if not (manifest.reasoning or {}).get("encrypted", bool(reasoning)) or request.extra.get("store"):
        return {}
    ledger.note("store", "defaulted", "store = false", f"{NAME}: thoughts come back encrypted")
    return {"store": False, "include": [ENCRYPTED]}


# Tools and formats


def render_tool(tool: Tool, manifest: Manifest, ledger: Ledger) -> dict[str, Any]:
    """A function of the caller's. A tool whose `extra` names another `type` is that: `custom` (free text in place of
    arguments), or one the provider runs itself (`web_search`), which has neither name nor schema."""
    kind = tool.extra.get("type", "function")
    if kind not in ("function", "custom"):
        return dict(tool.extra)
    entry: dict[str, Any] = {"type": kind, "name": tool.name}
    if tool.description:
        entry["description"] = tool.description
    if kind == "function":
        entry["parameters"] = dict(tool.parameters)
        if not manifest.has("no_strict_tools"):
            # Left out it means true here, and the service then rewrites the schema so that every parameter is required:
            # https://platform.openai.com/docs/guides/migrate-to-responses
            entry["strict"] = bool(tool.strict)
        elif tool.strict:
            ledger.dropped(f"tool {tool.name}: strict", f"is not supported by {manifest.name}", f"{manifest.id}: quirks")
    return entry | dict(tool.extra)


def _render_tool_options(request: ChatRequest, body: dict[str, Any], manifest: Manifest, ledger: Ledger) -> None:
    for option in ("tool_choice", "parallel_tool_calls"):
        value: Any = getattr(request.options, option)
        if value is None or not allows(option, manifest, PARAMETERS, ledger):
            continue
        if not request.tools and "tools" not in request.extra:
            ledger.dropped(option, "means nothing without tools", f"{NAME}: tools")
            continue
        if option == "tool_choice":
            value = _tool_choice(request, manifest, ledger)
        if value is not None:
            body[option] = value
            ledger.note(option, "sent", option, f"{NAME}: parameters.{option}")


def _tool_choice(request: ChatRequest, manifest: Manifest, ledger: Ledger) -> str | dict[str, Any] | None:
    choice = request.options.tool_choice
    assert choice is not None
    mode: str = choice.mode
    forced = mode in ("required", "tool")
    if forced and manifest.has("no_forced_tools_while_thinking") and thinks(request, manifest):
        detail = f"{mode!r} is not supported while the model thinks; auto is sent"
        ledger.changed("tool_choice", detail, f"{manifest.id}: quirks")
        return "auto"
    if mode not in manifest.tool_choice:
        detail, source = f"{mode!r} is not supported by {manifest.name} for this model", f"{manifest.id}: tool_choice"
        if forced and "auto" in manifest.tool_choice:
            ledger.changed("tool_choice", f"{detail}; auto is sent", source)
            return "auto"
        ledger.dropped("tool_choice", detail, source)
        return None
    if mode != "tool":
        return mode
    kinds = {tool.name: tool.extra.get("type", "function") for tool in request.tools}
    kind = kinds.get(choice.name or "", "function")
    return {"type": kind, "name": choice.name} if kind in ("function", "custom") else {"type": kind}


def _render_format(request: ChatRequest, body: dict[str, Any], manifest: Manifest, ledger: Ledger) -> None:
    wanted = request.options.response_format
    if wanted is None or not allows("response_format", manifest, PARAMETERS, ledger):
        return
    kind, source = wanted.kind, f"{manifest.id}: response_format"
    if kind not in manifest.response_format:
        detail = f"of kind {kind} is not supported by {manifest.name} for this model"
        if kind != "json_schema" or "json" not in manifest.response_format:
            ledger.dropped("response_format", detail, source)
            return
        ledger.changed("response_format", f"{detail}; any JSON is asked for", source)
        kind = "json"
    form: dict[str, Any] = {"type": "json_object" if kind == "json" else kind}
    if kind == "json_schema":
        form |= {"name": wanted.name, "schema": dict(wanted.schema or {})}
        if wanted.strict is not None:
            form["strict"] = wanted.strict
    place(body, "text.format", form)
    ledger.note("response_format", "sent", "text.format", f"{NAME}: parameters.response_format")
