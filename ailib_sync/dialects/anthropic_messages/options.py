"""The body of Anthropic Messages: options, tools, tool choice and response format.

https://platform.claude.com/docs/en/api/messages
"""

from __future__ import annotations

from ..options import allows, join, place, render_options, settle_format
from ..portable import with_portable_parts
from ..strict_schema import closed_form, settle_closed_format, settle_strict
from ..tools import settle_parallel, settle_tools, with_sendable_names
from .messages import NAME, open_container, render_messages, shortest
from .reasoning import render_reasoning

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

    from ...registry.manifest import Manifest
    from ...types.request import ChatRequest, Ledger, ToolChoiceMode
    from ...types.tools import Tool

#: Standard option → wire name.
PARAMETERS: Mapping[str, str] = {
    "temperature": "temperature",
    "max_tokens": "max_tokens",
    "top_p": "top_p",
    "top_k": "top_k",
    "stop": "stop_sequences",
    "tool_choice": "tool_choice",
    "parallel_tool_calls": "tool_choice.disable_parallel_tool_use",
    "response_format": "output_config.format",
    "reasoning": "thinking",
}

#: For models without a number in the manifest's `defaults`: the service rejects a body without max_tokens.
MAX_TOKENS = 4096

CHOICES: Mapping[ToolChoiceMode, str] = {"auto": "auto", "none": "none", "required": "any", "tool": "tool"}


def render_body(request: ChatRequest, manifest: Manifest, ledger: Ledger) -> dict[str, Any]:
    """The body of a request; `request.extra` is added last."""
    request = with_portable_parts(with_sendable_names(request), manifest, ledger)
    options = request.options
    # Hosts with the model in the URL (Google Cloud, Amazon) reject it in the body.
    body: dict[str, Any] = {} if "{model}" in manifest.paths.get("chat", "") else {"model": request.model}
    body |= render_options(request, manifest, PARAMETERS, ledger)
    if "max_tokens" not in body:
        body["max_tokens"] = MAX_TOKENS
        ledger.note("max_tokens", "defaulted", f"max_tokens = {MAX_TOKENS}", f"{NAME}: max_tokens is required")
    system, body["messages"] = render_messages(request.messages, manifest, ledger)
    if system:
        body["system"] = shortest(system)
    container = open_container(request.messages)
    if container is not None:
        body["container"] = container
    if options.reasoning is not None and allows("reasoning", manifest, PARAMETERS, ledger):
        is_limited = options.max_tokens is not None
        render_reasoning(options.reasoning, body, manifest, ledger, is_limited=is_limited)
    _render_tools(request, body, manifest, ledger)
    form = settle_format(request, manifest, PARAMETERS, ledger, kinds=("json_schema",))
    if form is not None:
        schema = settle_closed_format(form.schema or {}, manifest, ledger)
        if schema is not None:
            place(body, "output_config.format", {"type": "json_schema", "schema": dict(schema)})
    if request.stream:
        body["stream"] = True
    join(body, request.extra)
    return body


def _render_tools(request: ChatRequest, body: dict[str, Any], manifest: Manifest, ledger: Ledger) -> None:
    tools, choice = settle_tools(request, manifest, PARAMETERS, ledger)
    parallel = settle_parallel(request, manifest, PARAMETERS, ledger)
    if tools:
        body["tools"] = [render_tool(tool, manifest, ledger) for tool in tools]
    if choice is None and parallel is None:
        return
    rendered: dict[str, Any] = {"type": CHOICES[choice.mode if choice else "auto"]}
    if choice is not None and choice.mode == "tool":
        rendered["name"] = choice.name
    if parallel is not None:
        rendered["disable_parallel_tool_use"] = not parallel
    body["tool_choice"] = rendered


def render_tool(tool: Tool, manifest: Manifest, ledger: Ledger) -> dict[str, Any]:
    """A tool of the caller. A `type` in its `extra` makes it one that the provider runs (`web_search_…`), without a schema."""
    if tool.extra.get("type", "custom") != "custom":
        return {"name": tool.name, **tool.extra}
    entry: dict[str, Any] = {"name": tool.name}
    if tool.description:
        entry["description"] = tool.description
    entry["input_schema"] = {"type": "object", **tool.parameters}
    if tool.strict is not None:
        if manifest.has("no_strict_tools"):
            ledger.dropped(f"tool {tool.name}: strict", f"is not supported by {manifest.name}", f"{manifest.id}: quirks")
        else:
            schema, entry["strict"] = settle_strict(
                f"tool {tool.name}", entry["input_schema"], tool.strict, manifest, ledger, closed_form
            )
            entry["input_schema"] = dict(schema)
    return entry | dict(tool.extra)
