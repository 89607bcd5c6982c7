"""What a dialect is, and what all dialects share: the records, and the rules by which options find their wire names.

A dialect is a set of pure functions: no I/O, no clock, no provider's id. `manifest` is always the one resolved for the model.
"""

from __future__ import annotations

import json

from .._dataclass import dataclass
from ..errors import ConfigurationError, ErrorDetails, ProtocolError
from ..types.request import ResponseFormat

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping
    from typing import Any

    from ..framing.json import Frame
    from ..registry.manifest import Manifest
    from ..types.events import StreamingEvent
    from ..types.request import ChatRequest, Ledger
    from ..types.response import ChatResponse, Response

NAMES = (
    "openai_chat",
    "anthropic_messages",
    "gemini_generate",
    "cohere_chat",
    "bedrock_converse",
    "ollama_chat",
    "openai_responses",
)


@dataclass(frozen=True, slots=True)
class Received:
    """A complete response, as an operation parses it: its JSON, its headers (usage can be in one) and the request it is for."""

    body: Any
    headers: Mapping[str, str]
    request: Any


@dataclass(frozen=True, slots=True)
class Streaming:
    """How a streamed response of an operation is read.

    `parse` turns frames into events, ending with one `StreamEnd`, or raises StreamInterrupted where the frames end before the
    wire format's own end.
    """

    parse: Callable[[Iterable[Frame], Manifest], Iterator[StreamingEvent]]
    #: `sse`, `ndjson` or `aws`: how the bytes of a stream are split into frames.
    framing: str = "sse"
    #: Whether an unfinished last block (event name, data) is the format's end mark, and so counts. See framing.sse.parse_sse.
    is_end_mark: Callable[[str, str], bool] = lambda event, data: False
    #: Of a frame (its JSON) that holds a fragment of text, of thinking, or of a call's arguments, and nothing else that `parse`
    #: reads or remembers: that text, and whatever else makes its event (its kind, its block). None for any other frame. It is
    #: also called with made-up values ("", "error", 0, -7654321.5), so what it accepts must not matter. Absent where a
    #: frame never is one. See framing.fastpath.
    delta_of: Callable[[Any, Manifest], tuple[str, object] | None] | None = None
    #: The path of a streamed request, where it differs from the operation's.
    path: str | None = None


@dataclass(frozen=True, slots=True)
class Operation:
    """One thing a provider can be asked for in a wire format: two pure functions and where their request goes.

    `render` makes the JSON body (None: there is none) and notes in the ledger how each option was handled. `parse` reads a
    complete response; it raises ProtocolError on a wrong shape, and RemoteError where a status 200 holds an error.
    """

    name: str
    render: Callable[[Any, Manifest, Ledger], dict[str, Any] | None]
    parse: Callable[[Received, Manifest], Response]
    #: Standard option → wire name (dotted = nested), None = this format has no such option.
    parameters: Mapping[str, str | None]
    #: Added to the base URL; `{model}` is in it where the format wants the model in the URL. A manifest may name another.
    path: str
    method: str = "POST"
    stream: Streaming | None = None


@dataclass(frozen=True, slots=True)
class Dialect:
    """One wire format: its operations, and how it reports errors.

    `parse_error` reads an error body (parsed JSON, or text where it is none).
    """

    name: str
    operations: Mapping[str, Operation]
    parse_error: Callable[[int | None, Any], ErrorDetails]
    #: The provider's error words → standard names (see errors.CLASSES).
    error_words: Mapping[str, str]

    @property
    def chat(self) -> Operation:
        return self.operations["chat"]


def chat(
    name: str,
    render_body: Callable[[ChatRequest, Manifest, Ledger], dict[str, Any]],
    parse_body: Callable[[Any, Manifest], ChatResponse],
    stream: Streaming,
    parameters: Mapping[str, str | None],
    path: str,
) -> Operation:
    """The chat operation of the dialect `name`. A chat response is read from its body alone; its message notes the dialect."""

    def parse(received: Received, manifest: Manifest) -> ChatResponse:
        response = parse_body(received.body, manifest)
        response.message.origin = name
        return response

    return Operation("chat", render_body, parse, parameters, path, stream=stream)


def path_of(operation: Operation, manifest: Manifest, *, stream: bool = False) -> str:
    """The path of an operation's requests: the manifest's, else the wire format's. A stream has its own where one is named."""
    paths = manifest.paths
    if stream:
        own = paths.get("stream") or (operation.stream and operation.stream.path)
        if own:
            return own
    return paths.get(operation.name) or operation.path


def find(name: str) -> Dialect:
    """The dialect with this name; imports its module on first use."""
    if name not in NAMES:
        raise ConfigurationError(f"unknown dialect {name!r}; the dialects are {', '.join(NAMES)}")
    from importlib import import_module

    dialect: Dialect = import_module(f"ailib_sync.dialects.{name}.dialect").DIALECT
    return dialect


#: Options whose wire form is more than a name and a value: each dialect renders them itself, after `allows`.
STRUCTURED = frozenset(("tool_choice", "parallel_tool_calls", "response_format", "reasoning"))

#: What a manifest's `reasoning.no_sampling` says is refused while the model thinks.
SAMPLING = ("temperature", "top_p", "top_k")


def thinks(request: ChatRequest, manifest: Manifest) -> bool:
    """Whether the model will think: as asked, else as the manifest's `reasoning.default` says."""
    rules = manifest.reasoning or {}
    asked = request.options.reasoning
    if asked is None or (asked.effort is None and asked.budget_tokens is None):
        return rules.get("default") not in (None, rules.get("off"))
    return not asked.off


def render_options(request: ChatRequest, manifest: Manifest, table: Mapping[str, str | None], ledger: Ledger) -> dict[str, Any]:
    """The plain options of a chat under their wire names; see `place_options`. Structured ones are the dialect's own work."""
    given = {name: value for name, value in request.options.given().items() if name not in STRUCTURED}
    if (manifest.reasoning or {}).get("no_sampling") and thinks(request, manifest):
        for option in SAMPLING:
            if option in given and (given[option] != 1 or option == "top_k"):  # 1 is the temperature that models think at
                del given[option]
                ledger.dropped(option, "is not taken while the model thinks", f"{manifest.id}: reasoning.no_sampling")
    return place_options(given, manifest, table, ledger)


def place_options(
    given: Mapping[str, Any], manifest: Manifest, table: Mapping[str, str | None], ledger: Ledger
) -> dict[str, Any]:
    """Options under their wire names, nested where the name is dotted; the manifest's defaults filled in, limits checked.

    Raises ConfigurationError where a value is outside the manifest's `limits`.
    """
    body: dict[str, Any] = {}
    for option, value in given.items():
        if allows(option, manifest, table, ledger):
            _check_limit(option, value, manifest)
            wire, source = wire_name(option, manifest, table)
            place(body, wire, list(value) if isinstance(value, tuple) else value)
            action = "sent" if wire == option else "renamed"
            ledger.note(option, action, wire, source)
    for option, value in manifest.defaults.items():
        if option not in given:
            wire, _ = wire_name(option, manifest, table)
            place(body, wire, value)
            ledger.note(option, "defaulted", f"{wire} = {json.dumps(value)}", f"{manifest.id}: defaults.{option}")
    return body


def allows(option: str, manifest: Manifest, table: Mapping[str, str | None], ledger: Ledger) -> bool:
    """Whether the provider takes this option for this model; if not, the ledger says so."""
    wire, source = wire_name(option, manifest, table)
    if wire:
        return True
    ledger.dropped(option, f"is not taken by {manifest.name} for this model", source)
    return False


def wire_name(option: str, manifest: Manifest, table: Mapping[str, str | None]) -> tuple[str, str]:
    """The option's name on the wire ("" = not taken) and the line that says so."""
    if option in manifest.parameters:
        return manifest.parameters[option] or "", f"{manifest.id}: parameters.{option}"
    return table.get(option) or "", f"{manifest.dialect}: parameters.{option}"


def place(body: dict[str, Any], dotted: str, value: Any) -> None:
    """Sets `value` in `body` at a dotted name, making the objects on the way."""
    *path, last = dotted.split(".")
    for key in path:
        body = body.setdefault(key, {})
    body[last] = value


def join(body: dict[str, Any], extra: Mapping[str, Any]) -> None:
    """Puts `extra` over `body`; where both hold an object, their keys are joined, so one option never hides another."""
    for key, value in extra.items():
        held = body.get(key)
        if isinstance(held, dict) and isinstance(value, dict):
            body[key] = held = dict(held)
            join(held, value)
        else:
            body[key] = value


def _check_limit(option: str, value: Any, manifest: Manifest) -> None:
    limit = manifest.limits.get(option)
    if limit is None:
        return
    if isinstance(limit, list):
        low, high = limit
        if (low is not None and value < low) or (high is not None and value > high):
            raise ConfigurationError(f"{option} must lie between {low} and {high} for {manifest.name}, not {value}")
    elif isinstance(value, tuple) and len(value) > limit:
        raise ConfigurationError(f"{option}: {manifest.name} takes at most {limit}, not {len(value)}")


def nearest_effort(asked: str, allowed: tuple[str, ...] | list[str]) -> str | None:
    """The allowed effort nearest to the asked one, the lower of two equally near; None where nothing is allowed."""
    scale = ("none", "minimal", "low", "medium", "high", "xhigh", "max")
    if not allowed or asked not in scale:
        return None
    at = scale.index(asked)
    return min((word for word in allowed if word in scale), key=lambda word: abs(scale.index(word) - at), default=None)


def settle_format(
    request: ChatRequest,
    manifest: Manifest,
    table: Mapping[str, str | None],
    ledger: Ledger,
    kinds: tuple[str, ...] = ("json", "json_schema"),
) -> ResponseFormat | None:
    """The response format to send (kind `json` or `json_schema`), as near to the requested one as the provider supports; None
    for text. `kinds` are those that the wire format has."""
    wanted = request.options.response_format
    if wanted is None or not allows("response_format", manifest, table, ledger):
        return None
    source = f"{manifest.id}: response_format"
    if wanted.kind == "text":
        ledger.note("response_format", "sent", "text is what an answer is unless told otherwise", source)
        return None
    if request.tools and manifest.has("no_response_format_with_tools"):
        ledger.dropped("response_format", f"is left out: {manifest.name} does not take it together with tools", source)
        return None
    taken = [kind for kind in kinds if kind in manifest.response_format]
    if wanted.kind in taken:
        ledger.note("response_format", "renamed", table["response_format"] or "", source)
        return wanted
    if wanted.kind == "json_schema" and "json" in taken:
        ledger.changed("response_format", f"is sent without its schema: {manifest.name} takes none for this model", source)
        return ResponseFormat("json")
    ledger.dropped("response_format", f"{wanted.kind!r} is not taken by {manifest.name} for this model", source)
    return None


def wrong_shape(manifest: Manifest, what: str, body: Any) -> ProtocolError:
    """The error for an answer that is JSON but not the dialect's; `what` says what is missing."""
    shown = json.dumps(body, default=str)[:2000] if not isinstance(body, str) else body[:2000]
    return ProtocolError(f"the answer is not what {manifest.dialect} says: {what}", provider=manifest.id, body=shown)
