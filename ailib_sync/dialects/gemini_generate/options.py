"""Gemini's request body: options, tools, tool choice and response format.

https://ai.google.dev/api/generate-content
"""

from __future__ import annotations

from ..options import allows, join, place, render_options, settle_format
from ..portable import with_portable_parts
from ..tools import parameters_of, render_parallel, settle_tools, with_sendable_names
from .messages import render_contents
from .reasoning import render_reasoning

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

    from ...registry.manifest import Manifest
    from ...types.request import ChatRequest, Ledger, ToolChoiceMode
    from ...types.tools import Tool

PARAMETERS: Mapping[str, str] = {
    "temperature": "generationConfig.temperature",
    "max_tokens": "generationConfig.maxOutputTokens",
    "top_p": "generationConfig.topP",
    "top_k": "generationConfig.topK",
    "stop": "generationConfig.stopSequences",
    "seed": "generationConfig.seed",
    "frequency_penalty": "generationConfig.frequencyPenalty",
    "presence_penalty": "generationConfig.presencePenalty",
    "tool_choice": "toolConfig.functionCallingConfig",
    "response_format": "generationConfig.responseMimeType",
    "reasoning": "generationConfig.thinkingConfig",
}

#: https://ai.google.dev/api/caching#FunctionCallingConfig
CHOICES: Mapping[ToolChoiceMode, str] = {"auto": "AUTO", "none": "NONE", "required": "ANY", "tool": "ANY"}


def render_body(request: ChatRequest, manifest: Manifest, ledger: Ledger) -> dict[str, Any]:
    """The JSON body of a request. The model is in the URL.

    `request.extra` is joined last, object by object. Hosted tools in it (`{"tools": [{"googleSearch": {}}]}`) follow the
    functions.
    """
    request = with_portable_parts(with_sendable_names(request), manifest, ledger)
    contents, system = render_contents(request.messages, manifest)
    body: dict[str, Any] = {"contents": contents}
    if system:
        body["systemInstruction"] = {"parts": system}
    body.update(render_options(request, manifest, PARAMETERS, ledger))
    render_parallel(body, request, manifest, PARAMETERS, ledger)
    _render_tools(body, request, manifest, ledger)
    response_format = settle_format(request, manifest, PARAMETERS, ledger)
    if response_format is not None:
        place(body, "generationConfig.responseMimeType", "application/json")
        if response_format.kind == "json_schema":
            place(body, "generationConfig.responseJsonSchema", response_format.schema)
    if request.options.reasoning is not None and allows("reasoning", manifest, PARAMETERS, ledger):
        thinking = render_reasoning(request.options.reasoning, manifest, ledger)
        if thinking:
            place(body, "generationConfig.thinkingConfig", thinking)
    extra = dict(request.extra)
    if "tools" in body and isinstance(extra.get("tools"), list):
        body["tools"] += extra.pop("tools")
    join(body, extra)
    return body


def _render_tools(body: dict[str, Any], request: ChatRequest, manifest: Manifest, ledger: Ledger) -> None:
    """`tools` and `toolConfig`. A strict tool needs the mode VALIDATED, in place of AUTO.

    The service rejects a functionCallingConfig in a request without functions (status 400).
    """
    tools, choice = settle_tools(request, manifest, PARAMETERS, ledger, declared=bool(request.tools))
    if tools:
        body["tools"] = [{"functionDeclarations": [_render_tool(tool) for tool in tools]}]
    mode = CHOICES[choice.mode] if choice is not None else "AUTO"
    if mode == "AUTO" and any(tool.strict for tool in tools):
        mode = "VALIDATED"
    if choice is None and mode == "AUTO":
        return
    config: dict[str, Any] = {"mode": mode}
    if choice is not None and choice.mode == "tool":
        config["allowedFunctionNames"] = [choice.name]
    place(body, "toolConfig.functionCallingConfig", config)


def _render_tool(tool: Tool) -> dict[str, Any]:
    return {"name": tool.name, "description": tool.description, "parametersJsonSchema": parameters_of(tool), **tool.extra}
