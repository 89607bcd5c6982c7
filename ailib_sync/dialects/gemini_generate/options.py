"""Gemini's request body: options, tools, tool choice and response format."""

from __future__ import annotations

from ..options import allows, join, place, render_options, settle_format
from .messages import render_contents
from .reasoning import render_reasoning

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from ...registry.manifest import Manifest
    from ...types.request import ChatRequest, Ledger
    from ...types.tools import Tool

PARAMETERS: dict[str, str | None] = {
    "temperature": "generationConfig.temperature",
    "max_tokens": "generationConfig.maxOutputTokens",
    "top_p": "generationConfig.topP",
    "top_k": "generationConfig.topK",
    "stop": "generationConfig.stopSequences",
    "seed": "generationConfig.seed",
    "frequency_penalty": "generationConfig.frequencyPenalty",
    "presence_penalty": "generationConfig.presencePenalty",
    "tool_choice": "toolConfig.functionCallingConfig",
    "parallel_tool_calls": None,
    "response_format": "generationConfig.responseMimeType",
    "reasoning": "generationConfig.thinkingConfig",
}

MODES = {"auto": "AUTO", "none": "NONE", "required": "ANY", "tool": "ANY"}


def render_body(request: ChatRequest, manifest: Manifest, ledger: Ledger) -> dict[str, Any]:
    """The body of a call; the model stands in the URL.

    `request.extra` joins the nested objects, last; hosted tools in it (`{"tools": [{"googleSearch": {}}]}`) stand beside
    the functions.
    """
    contents, system = render_contents(request.messages, manifest)
    body: dict[str, Any] = {"contents": contents}
    if system:
        body["systemInstruction"] = {"parts": system}
    body.update(render_options(request, manifest, PARAMETERS, ledger))
    if request.tools:
        body["tools"] = [{"functionDeclarations": [_render_tool(tool) for tool in request.tools]}]
    calling = _render_calling(request, manifest, ledger)
    if calling:
        place(body, "toolConfig.functionCallingConfig", calling)
    form = settle_format(request, manifest, PARAMETERS, ledger)
    if form is not None:
        place(body, "generationConfig.responseMimeType", "application/json")
        if form.kind == "json_schema":
            place(body, "generationConfig.responseJsonSchema", form.schema)
    if request.options.reasoning is not None and allows("reasoning", manifest, PARAMETERS, ledger):
        thinking = render_reasoning(request.options.reasoning, manifest, ledger)
        if thinking:
            place(body, "generationConfig.thinkingConfig", thinking)
    extra = dict(request.extra)
    if "tools" in body and isinstance(extra.get("tools"), list):
        body["tools"] += extra.pop("tools")
    join(body, extra)
    return body


def _render_tool(tool: Tool) -> dict[str, Any]:
    return {"name": tool.name, "description": tool.description, "parametersJsonSchema": tool.parameters, **tool.extra}


def _render_calling(request: ChatRequest, manifest: Manifest, ledger: Ledger) -> dict[str, Any]:
    """The functionCallingConfig, {} for the format's default. A strict tool asks for mode VALIDATED."""
    if request.options.parallel_tool_calls is not None:
        allows("parallel_tool_calls", manifest, PARAMETERS, ledger)
    choice = request.options.tool_choice
    source = f"{manifest.id}: tool_choice"
    if choice is not None and not request.tools:
        ledger.dropped("tool_choice", "is left out: the request has no tools", source)  # the service answers 400
        return {}
    if choice is not None and choice.mode not in manifest.tool_choice:
        ledger.dropped("tool_choice", f"{choice.mode!r} is not supported by {manifest.name} for this model", source)
        choice = None
    elif choice is not None and not allows("tool_choice", manifest, PARAMETERS, ledger):
        choice = None
    if choice is None or choice.mode == "auto":
        mode = "VALIDATED" if any(tool.strict for tool in request.tools) else "AUTO"
        if choice is None and mode == "AUTO":
            return {}
    else:
        mode = MODES[choice.mode]
    config: dict[str, Any] = {"mode": mode}
    if choice is not None:
        ledger.note("tool_choice", "renamed", f"functionCallingConfig.mode = {mode}", source)
        if choice.mode == "tool":
            config["allowedFunctionNames"] = [choice.name]
    return config
