"""An answer's bytes → values: picks the framing, hands the frames to the dialect. No I/O.

`parse_stream(parse_sse_json(chunks))` is the whole of a stream; the rest of this file is for answers that are not
what was asked for: an error body, HTML with status 200, JSON where a stream was asked for.
"""

from __future__ import annotations

from contextlib import suppress

from .._dataclass import replace
from ..errors import ProtocolError, RemoteError
from ..framing.fastpath.feed import template_events
from ..framing.json import load_json
from ..framing.sse import parse_sse_json, with_lf

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping
    from typing import Any

    from ..dialects.dialect import Dialect
    from ..framing.json import Frame
    from ..registry.manifest import Manifest
    from ..types.events import StreamingEvent
    from ..types.response import ChatResponse


def read_answer(status: int, headers: Mapping[str, str], raw: bytes, dialect: Dialect, manifest: Manifest) -> ChatResponse:
    """A whole answer. Raises RemoteError for a refusal, ProtocolError for what is no answer at all."""
    if status >= 300:
        raise refusal(status, headers, raw, dialect, manifest)
    body = _json(raw, headers, manifest)
    response = dialect.parse_body(body, manifest)
    response.provider = manifest.id
    response.request_id = request_id(headers, manifest)
    response.message.origin = dialect.name
    if response.raw is None and isinstance(body, dict):
        response.raw = body
    return response


def answer_events(
    chunks: Iterable[bytes], headers: Mapping[str, str], dialect: Dialect, manifest: Manifest
) -> Iterator[StreamingEvent]:
    """The events of a streamed answer. An answer in JSON is read as what it is: a list holds the frames (Gemini without
    `alt=sse`), an object is a whole answer (or an error), given as the events it would have had."""
    kind = headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind == "application/json" and dialect.framing != "ndjson":
        return _events_of_json(b"".join(chunks), headers, dialect, manifest)
    if kind == "text/html":
        raise _not_json(b"".join(chunks), headers, manifest)
    framing = _FRAMING_OF.get(kind, dialect.framing)
    delta_of = dialect.delta_of
    if framing == "sse" and delta_of is not None:
        return template_events(
            with_lf(chunks),
            lambda blocks: dialect.parse_stream(frames_of(blocks, dialect), manifest),
            lambda value: delta_of(value, manifest),
        )
    return dialect.parse_stream(frames_of(chunks, dialect, framing), manifest)


#: A type that names its framing, whatever the dialect's own: Bedrock's Invoke call carries other formats' events in it.
_FRAMING_OF = {"application/vnd.amazon.eventstream": "aws"}


def frames_of(chunks: Iterable[bytes], dialect: Dialect, framing: str | None = None) -> Iterator[Frame]:
    """The frames of a stream in the dialect's framing, or another one."""
    framing = framing or dialect.framing
    if framing == "sse":
        return parse_sse_json(chunks, dialect.is_end_mark)
    if framing == "ndjson":
        from ..framing.ndjson import parse_ndjson

        return (("message", value) for value in parse_ndjson(chunks))
    from ..framing.aws_eventstream import parse_frames

    return parse_frames(chunks)


def _events_of_json(raw: bytes, headers: Mapping[str, str], dialect: Dialect, manifest: Manifest) -> Iterator[StreamingEvent]:
    from ..dialects.replay import events_of

    body = _json(raw, headers, manifest)
    if isinstance(body, list):
        yield from dialect.parse_stream((("message", item) for item in body), manifest)
    else:
        yield from events_of(dialect.parse_body(body, manifest))


def refusal(status: int, headers: Mapping[str, str], raw: bytes, dialect: Dialect, manifest: Manifest) -> RemoteError:
    """The exception for an answer with an error status; its body may be JSON, HTML, plain text or nothing."""
    from .retry import parse_retry_after

    text = raw.decode("utf-8", "replace")
    body: Any = text
    with suppress(ProtocolError):
        body = load_json(text)
    details = dialect.parse_error(status, body)
    if details.type is None and _TYPE_HEADER in headers:
        details = replace(details, type=headers[_TYPE_HEADER].partition(":")[0].rpartition("#")[2][:100])
    return manifest.error(
        status,
        details,
        dialect.error_words,
        body=text,
        request_id=request_id(headers, manifest),
        retry_after=parse_retry_after(headers),
    )


#: AWS puts an error's type here, not into the body; a namespace and a URI may surround it.
#: https://smithy.io/2.0/aws/protocols/aws-restjson1-protocol.html#operation-error-serialization
_TYPE_HEADER = "x-amzn-errortype"


def request_id(headers: Mapping[str, str], manifest: Manifest) -> str | None:
    """The provider's name for this exchange, at most 200 characters."""
    return next((headers[name][:200] for name in manifest.request_id if name in headers), None)


def _json(raw: bytes, headers: Mapping[str, str], manifest: Manifest) -> Any:
    if not raw.strip():
        raise ProtocolError("the answer is empty", provider=manifest.id)
    try:
        return load_json(raw)
    except ProtocolError as error:
        kind = headers.get("content-type", "").partition(";")[0].strip().lower()
        if kind in ("", "application/json"):
            error.provider = manifest.id
            raise
        raise _not_json(raw, headers, manifest) from None


def _not_json(raw: bytes, headers: Mapping[str, str], manifest: Manifest) -> ProtocolError:
    kind = headers.get("content-type", "unknown type")
    message = f"the answer is {kind}, not what an API sends (a proxy's or a login page?)"
    return ProtocolError(message, body=raw[:2000].decode("utf-8", "replace"), provider=manifest.id)
