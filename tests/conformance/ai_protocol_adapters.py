"""AI-Protocol's compliance cases, run: each adapter renames a case's input, calls production code and renames what came out.

An adapter decides nothing. It yields what differs from the case's `expected`, one line each.
"""

from __future__ import annotations

import base64
import json
import os
import pickle
from collections.abc import Callable, Iterator
from io import BytesIO
from typing import Any
from unittest.mock import patch

import urllib3

from ailib_sync.client import AiClient
from ailib_sync.dialects.accumulator import Accumulator
from ailib_sync.dialects.dialect import Dialect, find
from ailib_sync.errors import CLASSES, STATUSES, AiLibError, ConfigurationError, RemoteError, StreamInterrupted
from ailib_sync.http.message import Headers, HttpRequest
from ailib_sync.pipeline import auth, decode
from ailib_sync.pipeline.retry import RetryPolicy
from ailib_sync.registry.manifest import Manifest
from ailib_sync.types.events import ContentDelta, PartialToolCall, StreamEnd, StreamingEvent, ToolCallStarted
from ailib_sync.types.messages import Document, Message, Text, Thinking
from ailib_sync.types.request import ChatRequest, Ledger, ResponseFormat
from tests.chat_values import MAX_EVENT_BYTES, chat_request, stream_events

from .ai_protocol_cases import Case, manifest_data

Differences = Iterator[str]
JSON = {"content-type": "application/json"}
SSE = {"content-type": "text/event-stream"}


def _read(status: int, headers: dict[str, str], raw: bytes, dialect: Dialect, manifest: Manifest) -> Any:
    """A complete response, as the pipeline reads it."""
    if status >= 300:
        raise decode.error_response(status, headers, raw, dialect, manifest)
    return decode.parse_response(dialect.chat, ChatRequest("m"), headers, raw, manifest)


def differences(case: Case) -> list[str]:
    """What production code does otherwise than the case expects; [] means that the case passes. The environment holds the
    case's variables and no others."""
    with patch.dict(os.environ, case.get("setup", {}).get("env", {}), clear=True):
        return list(ADAPTERS[case["input"]["type"]](case["input"], case["expected"], case))


def compare(what: str, got: Any, want: Any) -> Differences:
    if got != want:
        yield f"{what}: got {got!r}, expected {want!r}"


def manifest_of(case: Case) -> tuple[Manifest, Any]:
    """The fixture's manifest. It is vouched for: fixtures give known providers' keys to example hosts."""
    path = case["setup"]["manifest_path"]
    return Manifest.from_ai_protocol(manifest_data(path), source=path, trusted=True)


def spoken(case: Case) -> tuple[Manifest, Dialect]:
    manifest = manifest_of(case)[0]
    return manifest, find(manifest.dialect)


def protocol_loading(given: Case, expected: Case, case: Case) -> Differences:
    data = manifest_data(given["manifest_path"])
    try:
        manifest, report = Manifest.from_ai_protocol(data, trusted=True)
    except ConfigurationError:
        yield from compare("valid", False, expected["valid"])
        return
    yield from compare("valid", True, expected["valid"])
    yield from compare("provider id", manifest.id, expected["provider_id"])
    yield from compare("protocol version", report.version, expected["protocol_version"])


def error_classification(given: Case, expected: Case, case: Case) -> Differences:
    manifest, dialect = spoken(case)
    body = json.dumps(given["response_body"]).encode()
    try:
        _read(given["http_status"], JSON, body, dialect, manifest)
    except RemoteError as error:
        name = next(name for name, kind in CLASSES.items() if kind is type(error))
        yield from compare("error code", error.standard_code, expected["error_code"])
        yield from compare("error name", name, expected.get("error_name", expected.get("error_type")))
        yield from compare("retryable", error.retryable, expected["retryable"])
        yield from compare("fallbackable", error.fallbackable, expected.get("fallbackable", error.fallbackable))
    else:
        yield "no error was raised"


def render(case: Case, **request: Any) -> dict[str, Any]:
    manifest, dialect = spoken(case)
    messages = tuple(
        Message(entry["role"], entry["content"], extra={k: v for k, v in entry.items() if k not in ("role", "content")})
        for entry in case["input"].get("messages", [{"role": "user", "content": "Hello"}])
    )
    return dialect.chat.render(chat_request("a-model", messages, **request), manifest, Ledger())


def message_building(given: Case, expected: Case, case: Case) -> Differences:
    body = render(case)
    yield from compare("messages", body["messages"], expected["normalized_body"]["messages"])
    yield from compare("message count", len(body["messages"]), expected["message_count"])


def parameter_mapping(given: Case, expected: Case, case: Case) -> Differences:
    body = render(case, options=given["standard_params"])
    wanted = expected["provider_params"]
    yield from compare("parameters", {name: body.get(name) for name in wanted}, wanted)


def request_building(given: Case, expected: Case, case: Case) -> Differences:
    kind = {"json_object": "json"}[given["parameters"]["response_format"]["type"]]
    body = render(case, options={"response_format": ResponseFormat(kind)})
    wanted = expected["request_contains"]
    yield from compare("request", {name: body.get(name) for name in wanted}, wanted)


def response_parsing(given: Case, expected: Case, case: Case) -> Differences:
    manifest, dialect = spoken(case)
    usage = _read(200, JSON, json.dumps(given["response_body"]).encode(), dialect, manifest).usage
    yield from compare("usage", {name: getattr(usage, name) for name in expected["usage"]}, expected["usage"])


# --- streams ----------------------------------------------------------------------------------------------------------


def heard(events: Iterator[StreamingEvent]) -> Iterator[StreamingEvent]:
    """The events of a fragment of a stream; that it ends without its end is the case's doing."""
    try:
        yield from events
    except StreamInterrupted:
        return


def event_mapping(given: Case, expected: Case, case: Case) -> Differences:
    manifest, dialect = spoken(case)
    events: list[dict[str, Any]] = []
    for event in heard(dialect.chat.stream.parse((("message", frame) for frame in given["frames"]), manifest)):
        if isinstance(event, ContentDelta):
            events.append({"type": "PartialContentDelta", "content": event.text})
        elif isinstance(event, ToolCallStarted):
            call = {"index": event.index, "id": event.id, "type": "function", "function": {"name": event.name, "arguments": ""}}
            events.append({"type": "PartialToolCall", "tool_calls": [call]})
        elif isinstance(event, PartialToolCall):
            events[-1]["tool_calls"][-1]["function"]["arguments"] += event.arguments
        elif isinstance(event, StreamEnd):
            events.append({"type": "StreamEnd", "finish_reason": event.raw_finish_reason})
    yield from compare("events", events, expected["events"])
    yield from compare("event count", len(events), expected.get("event_count", len(events)))


def fold(events: Iterator[StreamingEvent]) -> Any:
    folded = Accumulator()
    for event in heard(events):
        folded.add(event)
    return folded.response()


def calls_of(response: Any) -> list[dict[str, Any]]:
    return [
        {"id": call.id, "type": "function", "function": {"name": call.name, "arguments": call.arguments_raw}}
        for call in response.tool_calls
    ]


def tool_accumulation(given: Case, expected: Case, case: Case) -> Differences:
    manifest, dialect = spoken(case)
    deltas: list[dict[str, Any]] = [{"delta": {"tool_calls": [chunk]}} for chunk in given["partial_chunks"]]
    deltas.append({"delta": {}, "finish_reason": "tool_calls"})
    frames = (("message", {"choices": [{"index": 0, **delta}]}) for delta in deltas)
    response = fold(dialect.chat.stream.parse(frames, manifest))
    wanted = [{name: value for name, value in call.items() if name != "index"} for call in expected["assembled_tool_calls"]]
    yield from compare("tool calls", calls_of(response), wanted)
    yield from compare("complete", all(call.arguments is not None for call in response.tool_calls), expected["complete"])


def stream_decode(given: Case, expected: Case, case: Case) -> Differences:
    manifest, dialect = spoken(case)
    chunks = given.get("raw_chunks") or [event + "\n\n" for event in given["events"]]
    raw = [chunk.encode() for chunk in chunks]
    frames = list(decode.frames_of(iter(raw), dialect.chat.stream, MAX_EVENT_BYTES))
    events = list(dialect.chat.stream.parse(iter(frames), manifest))
    response = fold(stream_events(iter(raw), SSE, dialect, manifest))
    if count := expected.get("frame_count"):
        yield from compare("frame count in range", count["min"] <= len(frames) <= count["max"], True)
    for wanted in expected.get("events", []):
        yield from compare("frames", bool(frames), True)
        if wanted.get("has_content"):
            yield from compare("content", any(event.is_content_delta for event in events), True)
    yield from compare("completed", isinstance(events[-1], StreamEnd), expected.get("completed", True))
    if "done_received" in expected:
        yield from compare("done", any(data is None for _, data in frames), expected["done_received"])
    if "accumulated_tool_calls" in expected:
        yield from compare("tool calls", calls_of(response), expected["accumulated_tool_calls"])
    if usage := expected.get("usage"):
        yield from compare("usage", {name: getattr(response.usage, name) for name in usage}, usage)
    if blocks := expected.get("content_blocks"):
        yield from compare_blocks(response.message.blocks, blocks)
    if "finish_reason" in expected:
        yield from compare("finish reason", response.raw_finish_reason, expected["finish_reason"])


def compare_blocks(blocks: list[Any], expected: list[Case]) -> Differences:
    kinds = {"thinking": Thinking, "text": Text}
    yield from compare("blocks", [type(block) for block in blocks], [kinds[block["type"]] for block in expected])
    for block, wanted in zip(blocks, expected, strict=False):
        if "content" in wanted:
            yield from compare("block", block.text, wanted["content"])
        yield from compare("block holds", wanted.get("content_contains", "") in block.text, True)


# --- policies ---------------------------------------------------------------------------------------------------------


def retry_decision(given: Case, expected: Case, case: Case) -> Differences:
    policy = given["retry_policy"]
    fixture = manifest_data(case["setup"]["manifest_path"])["retry_policy"]
    shortest = policy.get("min_delay_ms", fixture["min_delay_ms"]) / 1000
    longest = policy.get("max_delay_ms", fixture["max_delay_ms"]) / 1000
    ours = RetryPolicy(policy["max_retries"], base_delay=shortest, min_delay=shortest, max_delay=longest)
    error = CLASSES[given["error"]["error_name"]]("refused")
    retries = given["attempt"] - 1
    yield from compare("error code", error.standard_code, given["error"]["error_code"])
    yield from compare("should retry", ours.allows(error, retries), expected["should_retry"])
    for end in (min, max) if expected["should_retry"] else ():
        delay = ours.delay(error, retries, end) * 1000
        bounds = expected["delay_ms"]
        yield from compare(f"{end.__name__} delay {delay} in range", bounds["min"] <= delay <= bounds["max"], True)


class Answers:
    """A pool of connections that always gives the same answer, and counts how often it was asked."""

    def __init__(self, status: int, body: dict[str, Any]) -> None:
        self.status, self.body, self.asked = status, json.dumps(body).encode(), 0

    def urlopen(self, method: str, url: str, **options: Any) -> urllib3.HTTPResponse:
        self.asked += 1
        return urllib3.HTTPResponse(BytesIO(self.body), JSON, self.status, preload_content=False)


ANSWER = {"choices": [{"index": 0, "message": {"role": "assistant", "content": "Here."}, "finish_reason": "stop"}]}


def fallback_decision(given: Case, expected: Case, case: Case) -> Differences:
    """The client is asked itself: whether the second provider is, when the first refuses so."""
    name = next(name for name, kind in CLASSES.items() if kind.standard_code == given["error_code"])
    status = next(status for status, meant in STATUSES.items() if meant == name)
    first, second = Answers(status, {"error": {"message": "No."}}), Answers(200, ANSWER)
    manifests = {id: Manifest(id=id, name=id, dialect="openai_chat", base_url=f"https://{id}.example") for id in ("one", "two")}
    other = AiClient("two/m", manifest=manifests["two"], api_key="k", http=second)
    with AiClient("one/m", manifest=manifests["one"], api_key="k", http=first, retry=0, fallbacks=[other]) as client:
        try:
            client.chat().user("Hello").execute()
        except RemoteError as error:
            yield from compare("error code", error.standard_code, given["error_code"])
    yield from compare("asked", (first.asked, second.asked), (1, int(expected["should_fallback"])))


# --- keys -------------------------------------------------------------------------------------------------------------


def find_key(case: Case) -> tuple[Manifest, auth.Secret | None, str, str]:
    """Manifest, key, and what was said: everything a key could be seen in, or the error."""
    manifest, report = manifest_of(case)
    explicit = case["input"].get("explicit_credential")
    try:
        secret = auth.find_key(manifest, auth.Secret.literal(explicit) if explicit else None)
    except ConfigurationError as error:
        return manifest, None, str(error), str(report)
    try:
        pickled = str(pickle.dumps(secret))
    except AiLibError as error:
        pickled = str(error)
    return manifest, secret, f"{secret!r} {secret} {pickled}", str(report)


def source_of(case: Case, manifest: Manifest, secret: auth.Secret | None) -> tuple[str, str | None]:
    """Where the key came from, told by its value."""
    if secret is None:
        return "none", None
    value = secret.reveal("the test")
    if value == case["input"].get("explicit_credential"):
        return "explicit", "explicit"
    name = next(name for name, there in case["setup"]["env"].items() if there == value)
    return ("manifest_env" if name in manifest.auth["env"] else "conventional_env"), name


def credential_resolution(given: Case, expected: Case, case: Case) -> Differences:
    manifest, secret, said, report = find_key(case)
    kind, name = source_of(case, manifest, secret)
    yield from compare("status", "available" if secret else "missing", expected["status"])
    yield from compare("source kind", kind, expected["source_kind"])
    yield from compare("source name", name, expected["source_name"])
    yield from compare("required", list(manifest.auth["env"]), expected["required"])
    conventional = [variable for variable in auth.key_variables(manifest) if variable not in manifest.auth["env"]]
    yield from compare("fallbacks", conventional, expected.get("conventional_fallbacks", conventional))
    yield from hidden(said, expected)
    for words in expected.get("diagnostic_contains", []):
        yield from compare(f"{words} is in {said!r}", words in said, True)
    for words in expected.get("diagnostic_should_mention", []):
        yield from compare(f"{words} is in the report", words in report, True)
    for variable in expected.get("shadowed_envs_must_not_resolve", []):
        yield from compare(f"{variable} is asked", variable in auth.key_variables(manifest), False)


def hidden(said: str, expected: Case) -> Differences:
    for secret in (*expected.get("must_not_contain", []), *expected.get("diagnostic_must_not_contain", [])):
        yield from compare(f"{secret} is in {said!r}", secret in said, False)


def auth_attachment(given: Case, expected: Case, case: Case) -> Differences:
    manifest, secret, said, _ = find_key(case)
    request = HttpRequest("POST", "https://api.example/v1/chat", Headers(), b"")
    auth.authorize(request, manifest, secret, {})
    kind, name = source_of(case, manifest, secret)
    assert secret is not None
    value = secret.reveal("the test")
    yield from compare("source", (kind, name), (expected["source_kind"], expected["source_name"]))
    redacted = {header: text.replace(value, "<redacted>") for header, text in request.headers.items()}
    yield from compare("headers", redacted, expected["headers"])
    yield from compare("key in the URL", value in request.url, bool(expected["query_params"]))
    yield from hidden(f"{said} {request!r}", expected)


# --- blocks -----------------------------------------------------------------------------------------------------------


def content_block_encode(given: Case, expected: Case, case: Case) -> Differences:
    dialect = find(given["api_style"])
    manifest = Manifest(id="acme", name="Acme", dialect=dialect.name, base_url="https://api.example")
    blocks = [block_of(block) for block in given["blocks"]]
    try:
        body = dialect.chat.render(chat_request("a-model", (Message.user(blocks),)), manifest, Ledger())
    except ConfigurationError:
        yield from compare("valid", False, not given.get("expect_error"))
        return
    yield from compare("valid", True, not given.get("expect_error"))
    encoded = body["messages"][0]["content"] if "messages" in body else body["contents"][0]["parts"]
    yield from compare("encoded", encoded, expected.get("encoded"))


def block_of(block: Case) -> Any:
    if block["block_type"] == "text":
        return Text(block["text"])
    if block["source_type"] == "base64":
        return Document.from_bytes(base64.b64decode(block["data"]), block["mime_type"])
    return Document.from_url(block["data"], block["mime_type"])


ADAPTERS: dict[str, Callable[[Case, Case, Case], Differences]] = {
    "protocol_loading": protocol_loading,
    "error_classification": error_classification,
    "message_building": message_building,
    "parameter_mapping": parameter_mapping,
    "request_building": request_building,
    "response_parsing": response_parsing,
    "event_mapping": event_mapping,
    "tool_accumulation": tool_accumulation,
    "stream_decode": stream_decode,
    "retry_decision": retry_decision,
    "fallback_decision": fallback_decision,
    "credential_resolution": credential_resolution,
    "auth_attachment": auth_attachment,
    "content_block_encode": content_block_encode,
}
