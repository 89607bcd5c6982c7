"""A whole service as one pure function: a request as it arrives → the reply, in the dialect the rules name. No I/O."""

from __future__ import annotations

import json
from functools import lru_cache
from re import fullmatch

from ..dialects.dialect import NAMES
from .echo import counted, reply
from .exchange import Refused, Reply, Rules, read_json
from .json_checks import Bad

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from ..types.request import ChatRequest
    from ..types.response import ChatResponse
    from .exchange import ServerCall, ServiceOperation, Speaker

    #: What answers: a request and a stamp for its ids in, an answer out; it may raise Refused.
    Model = Callable[[ChatRequest, str], ChatResponse]


@lru_cache(maxsize=16)
def speaker_of(dialect: str) -> Speaker:
    """The server's side of this dialect; imports its module on first use."""
    from importlib import import_module

    speaker: Speaker = import_module(f"{__package__}.services.{dialect}.service").SPEAKER
    return speaker


def dialect_of(path: str) -> str | None:
    """The dialect whose requests end as this path does; None where none does."""
    return next((name for name in NAMES if speaker_of(name).tail.search(path)), None)


def operation_of(path: str, dialect: str) -> ServiceOperation | None:
    """The operation besides chat whose requests end as this path does; None where it is a chat's."""
    return next((operation for operation in speaker_of(dialect).operations if operation.tail.search(path)), None)


def answer(call: ServerCall, rules: Rules, model: Model = reply) -> Reply:
    """The reply of the service with these rules, `model` behind it."""
    speaker = speaker_of(rules.dialect)
    operation = operation_of(call.path, rules.dialect)
    if operation is not None:
        return _respond(operation, call, rules, speaker)
    try:
        asked = _understood(call, rules, speaker)
        said = _completed(model(asked, call.stamp), asked, call)
    except Refused as refused:
        return refusal(refused, call, rules.dialect)
    headers = _headers(speaker, call)
    if asked.stream:
        headers["content-type"] = asked.extra.get("stream_type", speaker.stream_type)
        return Reply(200, headers, speaker.write_stream(asked, said, rules), is_stream=True)
    return Reply(200, headers, [_json(speaker.write_answer(asked, said, rules), speaker)])


def _respond(operation: ServiceOperation, call: ServerCall, rules: Rules, speaker: Speaker) -> Reply:
    """The reply to a request of another operation than chat."""
    try:
        body = _checked(call, rules, speaker, operation)
        _check_model(str(body.get("model")), rules)
        return Reply(200, _headers(speaker, call), [_json(operation.respond(body, rules), speaker)])
    except Refused as refused:
        return refusal(refused, call, rules.dialect)


def _completed(said: ChatResponse, asked: ChatRequest, call: ServerCall) -> ChatResponse:
    """The answer of a model of the user's, with the id, model and usage that it may have left out."""
    if said.usage.prompt_tokens is None and said.usage.completion_tokens is None:
        said.usage = counted(asked, said.message.blocks)
    said.id = said.id or call.stamp
    said.model = said.model or asked.model
    return said


def refusal(refused: Refused, call: ServerCall, dialect: str) -> Reply:
    """The error answer in the dialect's own form."""
    speaker = speaker_of(dialect)
    status, headers, body = speaker.write_error(refused, call.stamp)
    return Reply(status, {**_headers(speaker, call), **headers}, [_json(body, speaker)])


def _headers(speaker: Speaker, call: ServerCall) -> dict[str, str]:
    headers = {"content-type": "application/json"}
    if speaker.request_id:
        headers[speaker.request_id] = f"req_{call.stamp[:24]}"
    return headers


def _json(value: Any, speaker: Speaker) -> bytes:
    separators = None if speaker.indent else (",", ":")
    return json.dumps(value, ensure_ascii=False, indent=speaker.indent, separators=separators).encode()


def _understood(call: ServerCall, rules: Rules, speaker: Speaker) -> ChatRequest:
    """The request, checked as the real service would: address, key, headers, body, model; in this order."""
    if not rules.strict:
        return _guessed(call, rules, speaker)
    asked = speaker.read_call(call, _checked(call, rules, speaker), rules)
    _check_model(asked.model, rules)
    return asked


def _checked(call: ServerCall, rules: Rules, speaker: Speaker, operation: ServiceOperation | None = None) -> dict[str, Any]:
    """The body of a request whose address, key, headers and body were checked, in this order."""
    if not rules.strict:
        return read_json(call)
    check_address(call, rules, operation or speaker)
    check_key(call, rules)
    for name, value in rules.headers.items():
        if call.headers.get(name.lower()) != value and name.lower() not in ("user-agent", "content-type"):
            raise Refused(f"{name.lower()}: header is required")
    body = read_json(call)
    try:
        if rules.model is not None:
            if "model" in body:
                raise Bad("unknown", ("model",), (), body["model"])
            body["model"] = rules.model
        if operation is None:
            speaker.check_call(call, body, rules)
        else:
            operation.check(body, rules)
    except Bad as bad:
        raise speaker.explain(bad) from None
    return body


def _check_model(model: str, rules: Rules) -> None:
    unknown = rules.models is not None and model not in rules.models
    if unknown or (rules.prefix and model.startswith(rules.prefix)):
        raise Refused(model, "not_found", param="model")


def _guessed(call: ServerCall, rules: Rules, speaker: Speaker) -> ChatRequest:
    """What can be understood of any request at all."""
    from ..types.messages import Message
    from ..types.request import ChatRequest

    try:
        body = json.loads(call.body)
        return speaker.read_call(call, body, rules)
    except (ValueError, KeyError, TypeError, AttributeError, IndexError, StopIteration):
        text = call.body.decode("utf-8", "replace")
        return ChatRequest("echo", (Message.user(text),), extra={"usage": True, "n": 1, "body": {}, "sealed": False})


def check_address(call: ServerCall, rules: Rules, speaker: Speaker | ServiceOperation) -> None:
    """Raises Refused for another method or another path than the service has."""
    target = f"{call.path}?{call.query}" if call.query else call.path
    found = any(pattern.fullmatch(target) for pattern in rules.targets) if rules.targets else speaker.tail.search(call.path)
    if not found:
        raise Refused(f"Invalid URL ({call.method} {call.path})", "not_found")
    if call.method != "POST":
        message = f"Not allowed to {call.method} on {call.path}. (HINT: Perhaps you meant to make a POST request.)"
        raise Refused(message, status=405)


def check_key(call: ServerCall, rules: Rules) -> None:
    """Raises Refused where the key is missing, wrong, in another header, or in the address."""
    if rules.key is None:
        return
    if rules.key in call.path or rules.key in call.query:
        raise Refused("The key stands in the URL, where logs and proxies see it.", "authentication", code="key_in_url")
    given = call.headers.get(str(rules.auth.get("header", "authorization")).lower())
    if given is None:
        if rules.auth.get("optional"):
            return
        raise Refused("", "authentication", code="no_key")
    if given != _CREDENTIALS.get(str(rules.auth.get("scheme", "bearer")), _bearer)(rules, given):
        raise Refused("", "authentication")


def _bearer(rules: Rules, given: str) -> str:
    return f"Bearer {rules.key}"


def _header(rules: Rules, given: str) -> str:
    return f"{rules.auth.get('prefix', '')}{rules.key}"


_SIGNATURE = (
    r"AWS4-HMAC-SHA256 Credential=[^/]+/\d{8}/[a-z0-9-]+/bedrock/aws4_request, "
    r"SignedHeaders=[a-z0-9;-]+, Signature=[0-9a-f]{64}"
)


def _aws(rules: Rules, given: str) -> str:
    """A bearer key, or a signature of the right form (its value cannot be checked without the secret)."""
    return given if fullmatch(_SIGNATURE, given) else _bearer(rules, given)


#: Auth scheme → the header's value that is right.
_CREDENTIALS: dict[str, Callable[[Rules, str], str]] = {"bearer": _bearer, "header": _header, "google": _header, "aws": _aws}
