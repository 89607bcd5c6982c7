"""What the embedded services exchange: a request as a server sees it, its reply, a refusal, and the rules of one service."""

from __future__ import annotations

import json

from .._dataclass import dataclass, field
from ..errors import STATUSES

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping
    from re import Pattern
    from typing import Any

    from ..types.request import ChatRequest
    from ..types.response import ChatResponse
    from .json_checks import Bad, Record


@dataclass(slots=True)
class ServerCall:
    """A request that arrived. `path` is as on the wire, without the query; header names are in lower case."""

    method: str
    path: str
    query: str = ""
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""

    @property
    def stamp(self) -> str:
        """40 hexadecimal digits made of the request: where a real service draws its ids at random, the embedded ones derive
        them from it, so that the same request has the same answer."""
        from hashlib import blake2b

        digest = blake2b(self.path.encode("utf-8", "surrogateescape"), digest_size=20)
        digest.update(self.body)
        return digest.hexdigest()


@dataclass(slots=True)
class Reply:
    """An answer: each of `chunks` is one event of a stream, or the whole body."""

    status: int
    headers: dict[str, str]
    chunks: Iterable[bytes]
    is_stream: bool = False


class Refused(Exception):
    """The service says no.

    `kind` is a standard name (errors.CLASSES); `status`, `type` and `code` override the service's own words. An
    `authentication` without a message gets the service's sentence, and its code `no_key` says that no key was given; the
    `param` `model` says that `message` is the name of a model nobody knows.
    """

    def __init__(
        self,
        message: str,
        kind: str = "invalid_request",
        *,
        status: int | None = None,
        type: str | None = None,
        code: str | None = None,
        param: str | None = None,
    ) -> None:
        super().__init__(message)
        self.message = message
        self.kind = kind
        self.status = status
        self.type = type
        self.code = code
        self.param = param


#: Standard name → the status services answer with; a speaker may have its own.
STATUS_OF: Mapping[str, int] = {
    "invalid_request": 400,
    "authentication": 401,
    "permission_denied": 403,
    "not_found": 404,
    "request_too_large": 413,
    "rate_limited": 429,
    "quota_exhausted": 429,
    "server_error": 500,
    "overloaded": 503,
    "timeout": 504,
    "conflict": 409,
    "unknown": 500,
}


def kind_of(status: int) -> str:
    """The standard name a scripted status stands for."""
    return STATUSES.get(status) or ("server_error" if status >= 500 else "invalid_request")


@dataclass(frozen=True, slots=True)
class Rules:
    """What one service asks for beyond its dialect.

    key             the right key; None: no key is asked for. `auth` says where it stands, as in a manifest
    targets         the requests' allowed paths; none: any that ends as the dialect's do
    fields          fields of the body that this host takes beside the dialect's
    message_fields  such fields of messages, and of the calls in them
    part_types      such kinds of content
    efforts         its words for how much to think
    refused         fields of the dialect's that it does not take → the one to use instead, or ""
    prefix          what a model's name must not begin with
    models          the names of all its models; None: any will do
    model           the name that the body must not hold, because it stands elsewhere
    signed_calls    whether a Gemini-like host wants its function calls back signed; `call_ids`, whether it numbers them
    mid_system      whether an Anthropic-like host takes system messages in the conversation
    audio_uris      whether an OpenAI-like host takes sounds as addresses, data URIs among them, and not as bare base64
    unasked_usage   whether such a host ends its streams with usage unasked
    cool_thinking   whether an Anthropic-like host takes a temperature, top_p and top_k while its model thinks
    thinking_field  where an OpenAI-like host writes its thoughts; None: it keeps them
    strict          whether anything is checked at all
    """

    dialect: str
    key: str | None = None
    auth: Mapping[str, Any] = field(default_factory=lambda: {"scheme": "none"})
    headers: Mapping[str, str] = field(default_factory=dict)
    targets: tuple[Pattern[str], ...] = ()
    fields: frozenset[str] = frozenset()
    message_fields: frozenset[str] = frozenset()
    part_types: frozenset[str] = frozenset()
    efforts: frozenset[str] = frozenset()
    refused: Mapping[str, str] = field(default_factory=dict)
    prefix: str | None = None
    models: tuple[str, ...] | None = None
    model: str | None = None
    signed_calls: bool = False
    call_ids: bool = True
    mid_system: bool = False
    audio_uris: bool = False
    unasked_usage: bool = False
    cool_thinking: bool = False
    thinking_field: str | None = "reasoning_content"
    strict: bool = True


@dataclass(frozen=True, slots=True)
class ServiceOperation:
    """An operation of a service besides chat. `check` raises Refused or Bad for what the real services reject; `respond` gives
    the JSON of the response."""

    name: str
    #: The end of the path of its requests.
    tail: Pattern[str]
    check: Callable[[dict[str, Any], Rules], None]
    respond: Callable[[dict[str, Any], Rules], Any]


@dataclass(frozen=True, slots=True)
class Speaker:
    """One dialect as its services speak it.

    `check_call` raises Refused or Bad for what the real services refuse; `read_call` turns a request into the values of
    `ailib_sync.types.request`; `write_answer` and `write_stream` turn an answer into the format's own JSON and bytes; `explain`
    words a Bad as the service would; `write_error` gives (status, headers, JSON) for a refusal, `write_stream_error` the
    bytes of one met in mid-stream.
    """

    check_call: Callable[[ServerCall, dict[str, Any], Rules], None]
    read_call: Callable[[ServerCall, dict[str, Any], Rules], ChatRequest]
    write_answer: Callable[[ChatRequest, ChatResponse, Rules], Any]
    write_stream: Callable[[ChatRequest, ChatResponse, Rules], Iterator[bytes]]
    explain: Callable[[Bad], Refused]
    write_error: Callable[[Refused, str], tuple[int, dict[str, str], Any]]
    write_stream_error: Callable[[Refused], bytes]
    #: How the path of its requests ends.
    tail: Pattern[str]
    #: Standard option → the body's field, for options a manifest says are not taken.
    options: Mapping[str, str]
    auth: Mapping[str, Any]
    stream_type: str = "text/event-stream; charset=utf-8"
    request_id: str = "x-request-id"
    ping: bytes = b": keep-alive\n\n"
    indent: int | None = None
    operations: tuple[ServiceOperation, ...] = ()


def read_json(call: ServerCall) -> dict[str, Any]:
    """The body as a JSON object."""
    kind = call.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind != "application/json":
        message = f"Unsupported content type: '{kind}'. This API method only accepts 'application/json' requests."
        raise Refused(message, status=415)
    try:
        body = json.loads(call.body, parse_constant=_no_constant)
    except (ValueError, RecursionError):
        raise Refused("We could not parse the JSON body of your request: it is not valid JSON.") from None
    if not isinstance(body, dict):
        raise Refused("We could not parse the JSON body of your request: it is not an object.")
    return body


def _no_constant(word: str) -> Any:
    raise ValueError(word)


def known_fields(body: dict[str, Any], rules: Rules, shape: Record) -> dict[str, Any]:
    """The body without the fields that this service alone takes. Raises Bad for one it is said not to take."""
    from .json_checks import Bad

    for name, instead in rules.refused.items():
        path = tuple(name.split("."))
        value: Any = body
        for step in path:
            value = value.get(step) if isinstance(value, dict) else None
        if value is not None:
            raise Bad("unsupported", path, instead, value)
    return {name: value for name, value in body.items() if name in shape.known or name not in rules.fields}
