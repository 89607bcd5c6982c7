"""A complete service as one pure function: a request on the server → its response, in the dialect of the rules. No I/O."""

from __future__ import annotations

import json
from functools import lru_cache

from ..dialects.dialect import NAMES
from .echo import ECHO
from .exchange import Rejected, Rules, ServerResponse
from .json_checks import Invalid
from .request_checks import check_head, read_json
from .services.model_lists import MODEL_LIST
from .services.token_counts import TOKEN_COUNT
from .vectors import VECTORS

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from typing import Any

    from ..types.request import ChatRequest
    from ..types.response import ChatResponse
    from .exchange import EmbeddedModel, ServerRequest, Service, ServiceOperation

    #: A model for chats: a request, and digits for the ids of its response, to a response. It may raise Rejected.
    Model = Callable[[ChatRequest, str], ChatResponse]

#: Operation → its model.
MODELS: Mapping[str, EmbeddedModel] = {
    "chat": ECHO,
    "embeddings": VECTORS,
    "models": MODEL_LIST,
    "model": MODEL_LIST,
    "count_tokens": TOKEN_COUNT,
}


@lru_cache(maxsize=16)
def service_of(dialect: str) -> Service:
    """The server's side of this dialect; imports its module on first use."""
    from importlib import import_module

    service: Service = import_module(f"{__package__}.services.{dialect}.service").SERVICE
    return service


def find_operation(path: str, method: str | None = None) -> tuple[str, str] | None:
    """(dialect, operation) of the requests whose path ends like this one, with this method or any; None if there is none."""
    for dialect in NAMES:
        for name, operation in service_of(dialect).operations.items():
            if method in (None, operation.method) and operation.path.search(path):
                return dialect, name
    return None


def respond(received: ServerRequest, rules: Rules, model: Callable[[Any, str], Any] | None = None) -> ServerResponse:
    """The response of the service with these rules. `model` replaces the operation's own model."""
    service = service_of(rules.dialect)
    operation, own = service.operations[rules.operation], MODELS[rules.operation]
    try:
        request = _read(received, rules, service, operation) if rules.strict else _read_leniently(received, rules, operation)
        response = (model or own.respond)(request, received.digest)
    except Rejected as rejected:
        return error_response(rejected, received, rules.dialect)
    _fill_in(response, own, request, received)
    headers = _headers(service, received)
    if request.stream and operation.write_stream is not None:
        headers["content-type"] = request.extra.get("stream_type", service.stream_type)
        return ServerResponse(200, headers, operation.write_stream(request, response, rules), is_stream=True)
    return ServerResponse(200, headers, [_json(operation.write(request, response, rules), service)])


def error_response(rejected: Rejected, received: ServerRequest, dialect: str) -> ServerResponse:
    """The error response in the dialect's own form."""
    service = service_of(dialect)
    status, headers, body = service.write_error(rejected, received.digest)
    return ServerResponse(status, {**_headers(service, received), **headers}, [_json(body, service)])


def _fill_in(response: Any, model: EmbeddedModel, request: Any, received: ServerRequest) -> None:
    """Adds the id, model and usage that a model of the user may leave out."""
    if response.usage.prompt_tokens is None and response.usage.completion_tokens is None:
        response.usage = model.usage_of(request, response)
    response.id = response.id or received.digest
    response.model = response.model or request.model


def _headers(service: Service, received: ServerRequest) -> dict[str, str]:
    headers = {"content-type": "application/json"}
    if service.request_id_header:
        headers[service.request_id_header] = f"req_{received.digest[:24]}"
    return headers


def _json(value: Any, service: Service) -> bytes:
    separators = None if service.indent else (",", ":")
    return json.dumps(value, ensure_ascii=False, indent=service.indent, separators=separators).encode()


def _read(received: ServerRequest, rules: Rules, service: Service, operation: ServiceOperation) -> Any:
    """The request, checked like in the real services: path, key, headers, body, model, in this order."""
    check_head(received, rules, operation)
    body = read_json(received) if operation.method == "POST" else {}
    try:
        if rules.model_outside_body is not None:
            if "model" in body:
                raise Invalid("unknown", ("model",), (), body["model"])
            body["model"] = rules.model_outside_body
        operation.check(received, body, rules)
    except Invalid as invalid:
        raise service.rejection_of(invalid) from None
    request = operation.read(received, body, rules)
    is_unknown = rules.models is not None and request.model not in rules.models and rules.operation != "models"
    if is_unknown or (rules.forbidden_model_prefix and request.model.startswith(rules.forbidden_model_prefix)):
        raise Rejected(request.model, "not_found", param="model")
    return request


def _read_leniently(received: ServerRequest, rules: Rules, operation: ServiceOperation) -> Any:
    """The request without any check; a body that cannot be read is the text of one."""
    try:
        return operation.read(received, json.loads(received.body), rules)
    except (ValueError, KeyError, TypeError, AttributeError, IndexError, StopIteration):
        return MODELS[rules.operation].request_of(received.body.decode("utf-8", "replace"))
