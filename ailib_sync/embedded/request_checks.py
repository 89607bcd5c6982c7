"""The checks that all services share: path, method, key, headers, JSON, and the fields of a single host."""

from __future__ import annotations

import json
from re import fullmatch

from .exchange import Rejected
from .json_checks import Invalid

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from .exchange import Rules, ServerRequest, ServiceOperation
    from .json_checks import Record

#: Headers whose values are the client's own choice; the dialect checks the version, of which a service supports several.
_FREE_HEADERS = ("user-agent", "content-type", "anthropic-version")


def check_head(received: ServerRequest, rules: Rules, operation: ServiceOperation) -> None:
    """Raises Rejected for a wrong path, method, key or constant header; checked in this order."""
    _check_address(received, rules, operation)
    _check_key(received, rules)
    for name, value in rules.headers.items():
        if received.headers.get(name.lower()) != value and name.lower() not in _FREE_HEADERS:
            raise Rejected(f"{name.lower()}: header is required")


def read_json(received: ServerRequest) -> dict[str, Any]:
    """The body as a JSON object. NaN and Infinity are not JSON (RFC 8259, section 6)."""
    kind = received.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind != "application/json":
        message = f"Unsupported content type: '{kind}'. This API method only accepts 'application/json' requests."
        raise Rejected(message, status=415)
    try:
        body = json.loads(received.body, parse_constant=_reject_constant)
    except (ValueError, RecursionError):
        raise Rejected("We could not parse the JSON body of your request: it is not valid JSON.") from None
    if not isinstance(body, dict):
        raise Rejected("We could not parse the JSON body of your request: it is not an object.")
    return body


def _reject_constant(word: str) -> Any:
    raise ValueError(word)


def without_host_fields(body: dict[str, Any], rules: Rules, schema: Record) -> dict[str, Any]:
    """The body without the fields that only this host supports. Raises Invalid for a field that it does not support."""
    for name, instead in rules.unsupported.items():
        path = tuple(name.split("."))
        value: Any = body
        for step in path:
            value = value.get(step) if isinstance(value, dict) else None
        if value is not None:
            raise Invalid("unsupported", path, instead, value)
    return {name: value for name, value in body.items() if name in schema.known or name not in rules.fields}


def _check_address(received: ServerRequest, rules: Rules, operation: ServiceOperation) -> None:
    target = f"{received.path}?{received.query}" if received.query else received.path
    allowed = [pattern.fullmatch(target) for pattern in rules.targets] or [operation.path.search(received.path)]
    if not any(allowed):
        raise Rejected(f"Invalid URL ({received.method} {received.path})", "not_found")
    if received.method != operation.method:
        hint = f"(HINT: Perhaps you meant to make a {operation.method} request.)"
        raise Rejected(f"Not allowed to {received.method} on {received.path}. {hint}", status=405)


#: Services with this header also support `Authorization: Bearer`, which Anthropic's own SDKs send.
_ANTHROPIC_KEY = "x-api-key"


def _check_key(received: ServerRequest, rules: Rules) -> None:
    """The key must be correct, in the right header, and not in the URL."""
    if rules.key is None:
        return
    if rules.key in received.path or rules.key in received.query:
        raise Rejected("The key is in the URL, which logs and proxies record.", "authentication", code="key_in_url")
    given = received.headers.get(str(rules.auth.get("header", "authorization")).lower())
    if given is None and rules.auth.get("header") == _ANTHROPIC_KEY and "authorization" in received.headers:
        if received.headers["authorization"] != _bearer(rules, ""):
            raise Rejected("", "authentication")
        return
    if given is None:
        if rules.auth.get("optional"):
            return
        raise Rejected("", "authentication", code="no_key")
    if given != _CREDENTIALS.get(str(rules.auth.get("scheme", "bearer")), _bearer)(rules, given):
        raise Rejected("", "authentication")


def _bearer(rules: Rules, given: str) -> str:
    return f"Bearer {rules.key}"


def _header(rules: Rules, given: str) -> str:
    return f"{rules.auth.get('prefix', '')}{rules.key}"


# https://docs.aws.amazon.com/IAM/latest/UserGuide/create-signed-request.html
_SIGNATURE = (
    r"AWS4-HMAC-SHA256 Credential=[^/]+/\d{8}/[a-z0-9-]+/bedrock/aws4_request, "
    r"SignedHeaders=[a-z0-9;-]+, Signature=[0-9a-f]{64}"
)


def _aws(rules: Rules, given: str) -> str:
    """A bearer key, or a signature of the right form (its value cannot be checked without the secret)."""
    return given if fullmatch(_SIGNATURE, given) else _bearer(rules, given)


#: Auth scheme → the correct value of the header.
_CREDENTIALS: dict[str, Callable[[Rules, str], str]] = {"bearer": _bearer, "header": _header, "google": _header, "aws": _aws}
