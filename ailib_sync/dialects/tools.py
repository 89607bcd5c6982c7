"""Tools and tool choice: the rules that all dialects share."""

from __future__ import annotations

from .._dataclass import replace
from ..types.messages import ToolResult
from ..types.request import ToolChoice
from ..types.tools import ToolCall
from .options import allows, place, unsupported, wire_name
from .reasoning import thinks

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from typing import Any

    from ..registry.manifest import Manifest
    from ..types.messages import Message
    from ..types.request import ChatRequest, Ledger, ToolChoiceMode
    from ..types.tools import Tool

MODES: tuple[ToolChoiceMode, ...] = ("auto", "none", "required", "tool")

#: A mode → the modes to send in its place, the nearest first. `none` is met by leaving out the tools.
FALLBACKS: Mapping[ToolChoiceMode, tuple[ToolChoiceMode, ...]] = {"tool": ("required", "auto"), "required": ("auto",)}

#: The prefix of the ids that dialects generate for calls without an id. Such an id is never sent.
GENERATED_ID = "ailib_"

NO_TOOLS = "is left out: the request has no tools"


def settle_tools(
    request: ChatRequest,
    manifest: Manifest,
    table: Mapping[str, str],
    ledger: Ledger,
    *,
    modes: Sequence[ToolChoiceMode] = MODES,
    declared: bool | None = None,
    keep_tools: bool = False,
    thinking: bool | None = None,
) -> tuple[tuple[Tool, ...], ToolChoice | None]:
    """The tools and the tool choice to send, as near to the requested choice as the provider supports.

    A choice of `none` that cannot be sent leaves out the tools instead: a model that sees no tools calls none.

    - `modes`: those that the wire format has.
    - `declared`: whether the body declares tools; default: whether the request or its `extra` has some.
    - `keep_tools`: the tools cannot be left out.
    - `thinking`: whether the model will think; default: see `thinks`.
    """
    choice = request.options.tool_choice
    if choice is None:
        return request.tools, None
    wire, source = wire_name("tool_choice", manifest, table)
    supported = [mode for mode in modes if mode in manifest.tool_choice] if wire else []
    if not (has_tools(request) if declared is None else declared):
        ledger.dropped("tool_choice", NO_TOOLS, source)
    elif choice.mode == "none" and "none" not in supported and not keep_tools:
        if wire and "none" in modes:
            detail = f"{unsupported('none', manifest)}; the tools are left out"
            ledger.changed("tool_choice", detail, f"{manifest.id}: tool_choice")
        else:
            ledger.note("tool_choice", "sent", "none: the tools are left out", source)
        return (), None
    elif choice.mode == "auto" and not wire:
        ledger.note("tool_choice", "sent", "nothing: auto is the default", source)
    elif allows("tool_choice", manifest, table, ledger):
        if manifest.has("no_forced_tools_while_thinking") and (thinks(request, manifest) if thinking is None else thinking):
            choice = _unforced(choice, manifest, ledger)
        return request.tools, settle_choice(choice, supported, wire, manifest, ledger)
    return request.tools, None


def settle_choice(
    choice: ToolChoice, supported: Sequence[ToolChoiceMode], wire: str, manifest: Manifest, ledger: Ledger
) -> ToolChoice | None:
    """The choice to send: the given one, the nearest supported one, or none."""
    source = f"{manifest.id}: tool_choice"
    if choice.mode in supported:
        ledger.sent("tool_choice", wire, source)
        return choice
    mode = next((mode for mode in FALLBACKS.get(choice.mode, ()) if mode in supported), None)
    if mode is None:
        ledger.dropped("tool_choice", unsupported(choice.mode, manifest), source)
        return None
    ledger.changed("tool_choice", f"{unsupported(choice.mode, manifest)}; {mode} is sent", source)
    return ToolChoice(mode)


def _unforced(choice: ToolChoice, manifest: Manifest, ledger: Ledger) -> ToolChoice:
    """`auto` in place of a choice that forces a call, for a model that thinks and so cannot be forced."""
    if choice.mode not in ("required", "tool"):
        return choice
    detail = f"{choice.mode!r} is not supported while the model thinks; auto is sent"
    ledger.changed("tool_choice", detail, f"{manifest.id}: quirks.no_forced_tools_while_thinking")
    return ToolChoice("auto")


def settle_parallel(request: ChatRequest, manifest: Manifest, table: Mapping[str, str], ledger: Ledger) -> bool | None:
    """`parallel_tool_calls` to send; None if it is unset, not supported, or the request has no tools."""
    parallel = request.options.parallel_tool_calls
    if parallel is None or not allows("parallel_tool_calls", manifest, table, ledger):
        return None
    wire, source = wire_name("parallel_tool_calls", manifest, table)
    if not has_tools(request):
        ledger.dropped("parallel_tool_calls", NO_TOOLS, source)
        return None
    if request.options.tool_choice is not None and request.options.tool_choice.mode == "none":
        ledger.note("parallel_tool_calls", "sent", "nothing: no tool is called", source)
        return None
    ledger.sent("parallel_tool_calls", wire, source)
    return parallel


def render_parallel(
    body: dict[str, Any], request: ChatRequest, manifest: Manifest, table: Mapping[str, str], ledger: Ledger
) -> None:
    """Writes `parallel_tool_calls` under its wire name."""
    parallel = settle_parallel(request, manifest, table, ledger)
    if parallel is not None:
        place(body, wire_name("parallel_tool_calls", manifest, table)[0], parallel)


#: What every service accepts in the name of a tool: https://platform.openai.com/docs/api-reference/chat/create,
#: https://docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_ToolUseBlock.html
NAME_CHARACTERS = frozenset("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-")
MAX_NAME_CHARACTERS = 64


def with_sendable_names(request: ChatRequest) -> ChatRequest:
    """The request, with names of earlier tool calls that a service accepts.

    A model sometimes calls a tool by a name that its own service rejects when it is sent back: with a dot, too long, empty.
    The names of the request's tools stay as they are.
    """
    messages = request.messages
    declared: set[str] | None = None
    changed: list[Message] | None = None
    for position, message in enumerate(messages):
        if isinstance(message.content, str):
            continue
        named = [block for block in message.content if isinstance(block, (ToolCall, ToolResult))]
        if all(_is_sendable(block.name) for block in named):
            continue
        declared = declared if declared is not None else {tool.name for tool in request.tools}
        content = [
            replace(block, name=_sendable(block.name))
            if isinstance(block, (ToolCall, ToolResult)) and block.name is not None and block.name not in declared
            else block
            for block in message.content
        ]
        changed = changed if changed is not None else list(messages)
        changed[position] = replace(message, content=content)
    return request if changed is None else replace(request, messages=tuple(changed))


def _is_sendable(name: str | None) -> bool:
    return name is None or (0 < len(name) <= MAX_NAME_CHARACTERS and NAME_CHARACTERS.issuperset(name))


def _sendable(name: str) -> str:
    return "".join(c if c in NAME_CHARACTERS else "_" for c in name)[:MAX_NAME_CHARACTERS] or "unnamed"


def parameters_of(tool: Tool) -> Mapping[str, Any]:
    """The schema of a tool's arguments. They are an object, and services reject a schema that does not say so."""
    parameters = tool.parameters
    return parameters if "type" in parameters or not parameters else {"type": "object", **parameters}


def has_tools(request: ChatRequest) -> bool:
    """Whether the request has tools, of its own or in `extra`."""
    return bool(request.tools or request.extra.get("tools"))
