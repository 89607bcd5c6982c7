"""The bytes of a response → values: chooses the framing, and gives the frames or the JSON to the operation. No I/O.

`parse(parse_sse_json(chunks))` is the whole of a stream. Most of this file is for responses of another kind than requested:
an error body, HTML with status 200, JSON instead of a stream.
"""

from __future__ import annotations

import json
from contextlib import suppress
from itertools import chain

from .._dataclass import replace
from ..dialects.dialect import Received
from ..dialects.errors import with_google_details
from ..errors import MAX_BODY_CHARACTERS, ProtocolError, RemoteError
from ..framing.fastpath.feed import template_events
from ..framing.json import load_json
from ..framing.sse import parse_normalized_json, parse_sse_json
from ..types.json_values import may_have_unpaired_surrogates, repaired
from ..types.response import ChatResponse
from .rate_limits import rate_limit

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping
    from typing import Any

    from ..dialects.dialect import Dialect, Operation, Streaming
    from ..framing.json import Frame
    from ..registry.manifest import Manifest
    from ..types.events import StreamingEvent
    from ..types.request import Request
    from ..types.response import Response

MAX_REQUEST_ID_CHARACTERS = 200


def parse_response(
    operation: Operation, request: Request, headers: Mapping[str, str], raw: bytes, manifest: Manifest
) -> Response:
    """A complete response with a success status. Raises ProtocolError if it is not what the operation expects, and RemoteError
    if it contains an error."""
    try:
        body = _json(raw, headers, manifest)
    except ProtocolError:
        streamed = _streamed_response(operation, headers, raw, manifest)
        if streamed is None:
            raise
        streamed.provider, streamed.request_id = manifest.id, request_id(headers, manifest)
        return streamed
    response = operation.parse(Received(body, headers, request), manifest)
    response.provider = manifest.id
    response.request_id = request_id(headers, manifest)
    if response.raw is None and isinstance(body, dict):
        response.raw = body
    return response


def _streamed_response(operation: Operation, headers: Mapping[str, str], raw: bytes, manifest: Manifest) -> Response | None:
    """A complete response that came as a stream although none was requested; None if the body is no stream."""
    stream = operation.stream
    is_ndjson = stream is not None and stream.framing == "ndjson" and raw.lstrip().startswith(b"{")
    if stream is None or not (is_ndjson or looks_like_sse(raw)):
        return None
    from ..dialects.accumulator import accumulate
    from ..dialects.stream import failed_generation

    framing = "ndjson" if is_ndjson else "sse"
    response = accumulate(stream.parse(frames_of([raw], stream, len(raw) + 1, framing), manifest), manifest.dialect)
    failure = failed_generation(response.finish_reason, response.raw_finish_reason, manifest.id)
    if failure is not None:
        failure.partial = response
        raise failure
    return response


def looks_like_sse(beginning: bytes) -> bool:
    """Whether a body begins like server-sent events. Some hosts send them with another media type."""
    return beginning.lstrip(_BEFORE_SSE).startswith((b"data:", b"event:", b"id:", b"retry:", b": "))


#: A byte order mark and white space.
_BEFORE_SSE = b"\xef\xbb\xbf \r\n\t"


def response_events(
    operation: Operation,
    request: Request,
    headers: Mapping[str, str],
    chunks: Iterable[bytes],
    manifest: Manifest,
    max_event: int,
) -> Iterator[StreamingEvent]:
    """The events of a streamed response. Raises ResponseTooLarge if one has more than `max_event` bytes.

    A response in JSON instead of a stream is read too: a list has the frames (Gemini without `alt=sse`), an object is a
    complete response (or an error), and becomes the events that it would have had. `Limits.response` bounds it.
    """
    stream = operation.stream
    assert stream is not None
    kind = _media_type(headers)
    if kind in ("application/json", "text/html", "") and stream.framing == "sse":
        beginning, chunks = _beginning_of(chunks)
        if not looks_like_sse(beginning):
            if kind == "text/html":
                raise _not_json(b"".join(chunks), headers, manifest)
            return _events_of_json(operation, request, headers, b"".join(chunks), manifest)
    elif kind == "text/html":
        raise _not_json(b"".join(chunks), headers, manifest)
    elif kind == "application/json" and stream.framing != "ndjson":
        return _events_of_json(operation, request, headers, b"".join(chunks), manifest)
    framing = _FRAMING_OF.get(kind, stream.framing)
    delta_of = stream.delta_of
    if framing == "sse" and delta_of is not None and FAST_PATH:
        return template_events(
            chunks,
            lambda blocks: stream.parse(parse_normalized_json(blocks, max_event, stream.is_end_mark), manifest),
            lambda value: delta_of(value, manifest),
            max_event,
        )
    return stream.parse(frames_of(chunks, stream, max_event, framing), manifest)


def _beginning_of(chunks: Iterable[bytes]) -> tuple[bytes, Iterable[bytes]]:
    """The beginning of a body, long enough for `looks_like_sse`, and all chunks."""
    source = iter(chunks)
    read: list[bytes] = []
    beginning = b""
    for chunk in source:
        read.append(chunk)
        beginning = b"".join(read)
        if len(beginning.lstrip(_BEFORE_SSE)) >= len(b"event:"):
            break
    return beginning, chain(read, source)


#: The switch of `framing/fastpath`: False gives the same events on the plain path alone.
FAST_PATH = True
#: A media type that decides the framing for all dialects: Bedrock's InvokeModelWithResponseStream sends the events of other
#: formats in it (https://docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_InvokeModelWithResponseStream.html).
_FRAMING_OF = {"application/vnd.amazon.eventstream": "aws"}


def frames_of(chunks: Iterable[bytes], stream: Streaming, max_event: int, framing: str | None = None) -> Iterator[Frame]:
    """The frames of a stream in the operation's framing, or in another one. Raises ResponseTooLarge: see `response_events`."""
    framing = framing or stream.framing
    if framing == "sse":
        return parse_sse_json(chunks, max_event, stream.is_end_mark)
    if framing == "ndjson":
        from ..framing.ndjson import parse_ndjson

        return (("message", value) for value in parse_ndjson(chunks, max_event))
    from ..framing.aws_eventstream import parse_frames

    return parse_frames(chunks, max_event)


def _events_of_json(
    operation: Operation, request: Request, headers: Mapping[str, str], raw: bytes, manifest: Manifest
) -> Iterator[StreamingEvent]:
    from ..dialects.replay import events_of

    body = _json(raw, headers, manifest)
    if isinstance(body, list):
        assert operation.stream is not None
        yield from operation.stream.parse((("message", item) for item in body), manifest)
    else:
        response = operation.parse(Received(body, headers, request), manifest)
        assert isinstance(response, ChatResponse)
        yield from events_of(response)


def error_response(status: int, headers: Mapping[str, str], raw: bytes, dialect: Dialect, manifest: Manifest) -> RemoteError:
    """The exception for a response with an error status. Its body may be JSON, HTML, plain text or empty.

    Texts are complete in it: secrets are removed from them before they are cut (`http/redaction.py`).
    """
    from .retry import should_retry_header
    from .retry_hints import retry_hint

    text = _text(raw)
    body: Any = text
    with suppress(ProtocolError):
        body = load_json(text)
    details = with_google_details(dialect.parse_error(status, body), body)
    if details.type is None and _TYPE_HEADER in headers:
        details = replace(details, type=headers[_TYPE_HEADER].partition(":")[0].rpartition("#")[2])
    error = manifest.error(
        status,
        details,
        dialect.error_words,
        body=text,
        request_id=request_id(headers, manifest),
        retry_after=retry_hint(status, headers, body, details),
    )
    error.rate_limit = rate_limit(headers)
    retryable = should_retry_header(headers)
    if retryable is not None:
        error.retryable = retryable
    return error


#: AWS sends the type of an error in this header, not in the body. A namespace and a URI may surround it.
#: https://smithy.io/2.0/aws/protocols/aws-restjson1-protocol.html#operation-error-serialization
_TYPE_HEADER = "x-amzn-errortype"


def request_id(headers: Mapping[str, str], manifest: Manifest) -> str | None:
    """The provider's id of this request, from the headers that the manifest names."""
    for name in manifest.request_id:
        if name in headers:
            return headers[name][:MAX_REQUEST_ID_CHARACTERS]
    return None


def _media_type(headers: Mapping[str, str]) -> str:
    """The media type without its parameters, in small letters (RFC 9110 8.3.1); "" if there is none."""
    return headers.get("content-type", "").partition(";")[0].strip().lower()


def _json(raw: bytes, headers: Mapping[str, str], manifest: Manifest) -> Any:
    if not raw.strip():
        raise ProtocolError("the response is empty", provider=manifest.id)
    try:
        value = load_json(raw)
    except ProtocolError as error:
        if _media_type(headers) in ("", "application/json"):
            error.provider = manifest.id
            raise
        raise _not_json(raw, headers, manifest) from None
    return repaired(value) if may_have_unpaired_surrogates(raw) else value


def _text(raw: bytes) -> str:
    """A body as text: UTF-8, or UTF-16 or UTF-32, whose zeros would hide a secret."""
    return raw.decode(json.detect_encoding(raw) if b"\0" in raw else "utf-8", "replace")


def _not_json(raw: bytes, headers: Mapping[str, str], manifest: Manifest) -> ProtocolError:
    kind = headers.get("content-type", "unknown type")
    message = f"the response is {kind}, not what an API sends (a proxy's or a login page?)"
    return ProtocolError(message, body=_text(raw[:MAX_BODY_CHARACTERS]), provider=manifest.id)
