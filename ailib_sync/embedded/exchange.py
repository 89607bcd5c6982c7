"""The records of the embedded services: a request and a response on the server, a rejection, a service, its rules."""

from __future__ import annotations

from .._dataclass import dataclass, field
from ..errors import STATUSES

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping
    from re import Pattern
    from typing import Any

    from ..types.response import Usage
    from .json_checks import Invalid


@dataclass(slots=True)
class ServerRequest:
    """A request as the server received it. `path` has no query and is not decoded; header names are in lower case."""

    method: str
    path: str
    query: str = ""
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""

    @property
    def digest(self) -> str:
        """40 hexadecimal digits, a hash of the request. A real service draws its ids at random; the embedded services derive
        them from this, so that the same request has the same response."""
        from hashlib import blake2b

        digest = blake2b(self.path.encode("utf-8", "surrogateescape"), digest_size=20)
        digest.update(self.body)
        return digest.hexdigest()


@dataclass(slots=True)
class ServerResponse:
    """A response of the server: each of `chunks` is one event of a stream, or the complete body."""

    status: int
    headers: dict[str, str]
    chunks: Iterable[bytes]
    is_stream: bool = False


class Rejected(Exception):
    """The service rejects the request, or fails.

    `kind` is a standard name (errors.CLASSES); `status`, `type` and `code` override the service's own words.
    An `authentication` without a message has the service's own sentence; its code `no_key` means that there was no key. If the
    `param` of a `not_found` is `model`, `message` is the name of an unknown model.
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


#: Standard name → the status that most services use; a service may have its own.
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
    """The standard name for a scripted status."""
    return STATUSES.get(status) or ("server_error" if status >= 500 else "invalid_request")


@dataclass(frozen=True, slots=True)
class Rules:
    """How one operation of one host differs from its dialect.

    operation                the name of the operation
    key                      the correct key; None: no key is required. `auth` is the manifest's: which header contains it
    headers                  headers with constant values that the host requires
    targets                  the allowed paths, with the query; (): every path that the operation has in this dialect
    fields                   fields of the body that only this host supports
    message_fields           fields of messages, and of the calls in them, that only this host supports
    part_types               types of content that only this host supports
    efforts                  reasoning efforts that only this host supports
    unsupported              fields of the dialect that this host does not support → the field to use instead, or ""
    forbidden_model_prefix   how the name of a model must not begin
    models                   the names of all models; None: every name is a model
    page_size                how many models are on a page of the list, at most; None: as many as the request allows
    model_outside_body       the model, if the path or another field names it; the body must not
    requires_signed_calls    Gemini: whether function calls in the conversation must have their signature
    has_call_ids             Gemini: whether function calls have ids
    mid_conversation_system  Anthropic: whether system messages are allowed in the conversation
    cache_control            OpenAI: whether parts of messages, and tools, may have Anthropic's cache mark
    json_word                OpenAI: whether JSON mode requires the word in a message
    effort_with_tools        OpenAI: the default effort, if tools need the effort `none`; None: they do not
    strict_schemas           OpenAI: whether the schemas of strict tools and formats are checked
    audio_urls               OpenAI: whether audio is a URL, `data:` included, and not base64 alone
    always_sends_usage       OpenAI: whether the last chunk of a stream has the usage even without the option for it
    signed_thinking          Anthropic: whether each block of thinking has the service's signature
    sampling_while_thinking  Anthropic: whether temperature, top_p, top_k and a forced tool are allowed with thinking
    thinking_field           OpenAI: the field of a message that contains the thinking; None: the host does not show it
    strict                   whether requests are checked at all
    """

    dialect: str
    operation: str = "chat"
    key: str | None = None
    auth: Mapping[str, Any] = field(default_factory=lambda: {"scheme": "none"})
    headers: Mapping[str, str] = field(default_factory=dict)
    targets: tuple[Pattern[str], ...] = ()
    fields: frozenset[str] = frozenset()
    message_fields: frozenset[str] = frozenset()
    part_types: frozenset[str] = frozenset()
    efforts: frozenset[str] = frozenset()
    unsupported: Mapping[str, str] = field(default_factory=dict)
    forbidden_model_prefix: str | None = None
    models: tuple[str, ...] | None = None
    page_size: int | None = None
    model_outside_body: str | None = None
    requires_signed_calls: bool = False
    has_call_ids: bool = True
    mid_conversation_system: bool = False
    signed_thinking: bool = True
    cache_control: bool = False
    json_word: bool = True
    effort_with_tools: str | None = None
    strict_schemas: bool = True
    audio_urls: bool = False
    always_sends_usage: bool = False
    sampling_while_thinking: bool = False
    thinking_field: str | None = "reasoning_content"
    strict: bool = True


@dataclass(frozen=True, slots=True)
class ServiceOperation:
    """One operation of a service, for instance chat or embeddings; its name is its key in `Service.operations`.

    `check` raises Rejected or Invalid for what the real services reject. `read` turns a request into a value of
    `ailib_sync.types`, which a model responds to; `write` turns the response into the format's JSON, `write_stream` into the
    bytes of one event after another (None: the operation has no streams).
    """

    #: How the path of its requests ends.
    path: Pattern[str]
    check: Callable[[ServerRequest, dict[str, Any], Rules], None]
    read: Callable[[ServerRequest, dict[str, Any], Rules], Any]
    write: Callable[[Any, Any, Rules], Any]
    write_stream: Callable[[Any, Any, Rules], Iterator[bytes]] | None = None
    #: Standard option → the body's field. A manifest may declare each of them unsupported.
    options: Mapping[str, str] = field(default_factory=dict)
    method: str = "POST"


@dataclass(frozen=True, slots=True)
class Service:
    """The server's side of one dialect: its operations, and what they share.

    `rejection_of` words an Invalid as the service does. `write_error` returns (status, headers, JSON) of an error response,
    `write_stream_error` the bytes of an error in a stream that has begun.
    """

    operations: Mapping[str, ServiceOperation]
    rejection_of: Callable[[Invalid], Rejected]
    write_error: Callable[[Rejected, str], tuple[int, dict[str, str], Any]]
    write_stream_error: Callable[[Rejected], bytes]
    auth: Mapping[str, Any]
    stream_type: str = "text/event-stream; charset=utf-8"
    #: The header with the id of the request; "": there is none.
    request_id_header: str = "x-request-id"
    #: An event without content, which keeps a stream alive.
    ping: bytes = b": keep-alive\n\n"
    #: Spaces for each level of the JSON; None: compact.
    indent: int | None = None


@dataclass(frozen=True, slots=True)
class EmbeddedModel:
    """The model for one operation of all services.

    `respond` returns the response to a request, with ids made from the digits of `ServerRequest.digest`; `usage_of` counts the
    tokens of a request and its response; `request_of` makes a request from a text, if a body cannot be read.
    """

    respond: Callable[[Any, str], Any]
    usage_of: Callable[[Any, Any], Usage]
    request_of: Callable[[str], Any]
