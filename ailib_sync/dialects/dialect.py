"""What a dialect is: the records of its functions, and where the dialects are found.

A dialect is a set of pure functions: no I/O, no clock, no provider's id. `manifest` is always the one resolved for the model.
"""

from __future__ import annotations

import json

from .._dataclass import dataclass
from ..errors import MAX_BODY_CHARACTERS, ConfigurationError, ErrorDetails, ProtocolError
from .stream import failed_generation

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
    """A complete response for an operation's `parse`: its JSON, its headers (usage can be in one) and its request."""

    body: Any
    headers: Mapping[str, str]
    request: Any


@dataclass(frozen=True, slots=True)
class Streaming:
    """How a streamed response of an operation is read.

    `parse` turns frames into events, the last of which is a `StreamEnd`. It raises StreamInterrupted if the frames end before
    the response is complete (see dialects.stream).
    """

    parse: Callable[[Iterable[Frame], Manifest], Iterator[StreamingEvent]]
    #: `sse`, `ndjson` or `aws`: how the bytes of a stream are split into frames.
    framing: str = "sse"
    #: Whether an unfinished last block (event name, data) is the format's end mark: it is read then. See framing.sse.parse_sse.
    is_end_mark: Callable[[str, str], bool] = lambda event, data: False
    #: Reads a frame (its JSON) that contains a fragment of text, of thinking or of a call's arguments, and nothing else that
    #: `parse` reads or remembers: (the text, the other parts of its event, such as its kind and its block). None for any other
    #: frame. It is also called with invented values ("", "error", 0, -7654321.5), which may be in any key that it ignores.
    #: Absent if no frame is such a fragment. See framing.fastpath.
    delta_of: Callable[[Any, Manifest], tuple[str, object] | None] | None = None
    #: The path of a streamed request, if it differs from the operation's.
    path: str | None = None


@dataclass(frozen=True, slots=True)
class Operation:
    """One operation of a wire format: two pure functions, and where their request goes.

    `render` makes the JSON body (None: no body) and notes in the ledger how each option was handled. `parse` reads a complete
    response. It raises ProtocolError for a wrong shape, and RemoteError for an error in a response with status 200.
    """

    name: str
    render: Callable[[Any, Manifest, Ledger], dict[str, Any] | None]
    parse: Callable[[Received, Manifest], Response]
    #: Standard option → wire name (a dot separates nested objects). The format does not have the other options.
    parameters: Mapping[str, str]
    #: Added to the base URL. It contains `{model}` if the format has the model in the URL. A manifest may name another path.
    path: str
    method: str = "POST"
    stream: Streaming | None = None
    #: The query of the URL, for a request without a body.
    query: Callable[[Any], Mapping[str, str]] | None = None
    #: The name of the model in the path, where it differs from that of the request.
    model_in_path: Callable[[str], str] = lambda model: model


@dataclass(frozen=True, slots=True)
class Dialect:
    """One wire format: its operations, and how it reports errors.

    `parse_error` reads an error body: parsed JSON, or text if it is not JSON.
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
    parameters: Mapping[str, str],
    path: str,
) -> Operation:
    """The chat operation of the dialect `name`. A chat response is read from its body only; its message names the dialect."""

    def parse(received: Received, manifest: Manifest) -> ChatResponse:
        response = parse_body(received.body, manifest)
        response.message.origin = name
        failure = failed_generation(response.finish_reason, response.raw_finish_reason, manifest.id)
        if failure is not None:
            response.provider = manifest.id
            failure.partial = response
            raise failure
        return response

    return Operation("chat", render_body, parse, parameters, path, stream=stream)


def path_of(operation: Operation, manifest: Manifest, *, stream: bool = False) -> str:
    """The path of an operation's requests: the manifest's, otherwise the wire format's. A stream may have a path of its own."""
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


def wrong_shape(manifest: Manifest, what: str, body: Any) -> ProtocolError:
    """The error for JSON that is not a response of the dialect; `what` names the difference."""
    shown = (json.dumps(body, default=str) if not isinstance(body, str) else body)[:MAX_BODY_CHARACTERS]
    return ProtocolError(f"the response is not what {manifest.dialect} says: {what}", provider=manifest.id, body=shown)
