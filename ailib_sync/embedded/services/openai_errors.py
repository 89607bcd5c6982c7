"""The error responses of OpenAI and the messages in them. Here, not in a service's folder: both of its formats have them."""

from __future__ import annotations

from ..exchange import STATUS_OF, Rejected
from ..frames import compact
from ..json_checks import indexed, type_name

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from ..json_checks import Invalid

#: JSON type → its name in a message.
_TYPE_NAMES = {
    "string": "a string",
    "number": "a decimal number",
    "integer": "an integer",
    "boolean": "a boolean",
    "array": "an array",
    "object": "an object",
    "null": "null",
}


def rejection_of(invalid: Invalid) -> Rejected:
    """The rejection of a body that violates the schema."""
    field = indexed(invalid.path)
    message, code = _WORDS[invalid.kind](invalid, field)
    return Rejected(message, code=code, param=field)


def _type(invalid: Invalid, field: str) -> tuple[str, str]:
    expected = " or ".join(_TYPE_NAMES.get(name, name) for name in str(invalid.expected).split(" or "))
    given = type_name(invalid.value)
    return f"Invalid type for '{field}': expected {expected}, but got {_TYPE_NAMES.get(given, given)} instead.", "invalid_type"


def _bound(invalid: Invalid, field: str) -> tuple[str, str]:
    what = "integer" if isinstance(invalid.value, int) else "decimal"
    below = invalid.kind == "low"
    side, sign = ("below minimum", ">=") if below else ("above maximum", "<=")
    expected = f"Expected a value {sign} {invalid.expected}, but got {invalid.value} instead."
    return f"Invalid '{field}': {what} {side} value. {expected}", f"{what}_{'below_min' if below else 'above_max'}_value"


def _length(invalid: Invalid, field: str) -> tuple[str, str]:
    what, size = ("array", len(invalid.value)) if isinstance(invalid.value, list) else ("string", len(invalid.value or ""))
    if invalid.kind == "short" and size == 0:
        message = (
            f"Invalid '{field}': empty {what}. Expected {_TYPE_NAMES[what]} with minimum length {invalid.expected}, "
            f"but got an empty {what} instead."
        )
        return message, f"empty_{what}"
    bound, edge = ("minimum", "below_min") if invalid.kind == "short" else ("maximum", "above_max")
    words = "too short" if invalid.kind == "short" else "too long"
    message = (
        f"Invalid '{field}': {what} {words}. Expected {_TYPE_NAMES[what]} with {bound} length {invalid.expected}, "
        f"but got {_TYPE_NAMES[what]} with length {size} instead."
    )
    return message, f"{what}_{edge}_length"


def _choice(invalid: Invalid, field: str) -> tuple[str, str]:
    words = [f"'{word}'" for word in invalid.expected]
    listed = words[0] if len(words) == 1 else f"{', '.join(words[:-1])}, and {words[-1]}"
    return f"Invalid value: '{invalid.value}'. Supported values are: {listed}.", "invalid_value"


def _unsupported(invalid: Invalid, field: str) -> tuple[str, str]:
    instead = f" Use '{invalid.expected}' instead." if invalid.expected else ""
    return f"Unsupported parameter: '{field}' is not supported with this model.{instead}", "unsupported_parameter"


_WORDS: dict[str, Any] = {
    "unknown": lambda invalid, field: (f"Unknown parameter: '{field}'.", "unknown_parameter"),
    "missing": lambda invalid, field: (f"Missing required parameter: '{field}'.", "missing_required_parameter"),
    "type": _type,
    "low": _bound,
    "high": _bound,
    "short": _length,
    "long": _length,
    "choice": _choice,
    "pattern": lambda invalid, field: (
        f"Invalid '{field}': string does not match pattern. Expected a string that matches the pattern '{invalid.expected}'.",
        "invalid_value",
    ),
    "unsupported": _unsupported,
}

#: Standard name → (type, code).
_TYPES: dict[str, tuple[str, str | None]] = {
    "invalid_request": ("invalid_request_error", None),
    "authentication": ("invalid_request_error", "invalid_api_key"),
    "permission_denied": ("invalid_request_error", "unsupported_country_region_territory"),
    "not_found": ("invalid_request_error", "model_not_found"),
    "request_too_large": ("invalid_request_error", "context_length_exceeded"),
    "rate_limited": ("requests", "rate_limit_exceeded"),
    "quota_exhausted": ("insufficient_quota", "insufficient_quota"),
    "server_error": ("server_error", None),
    "overloaded": ("server_error", None),
    "timeout": ("server_error", None),
    "conflict": ("invalid_request_error", None),
}


def error_object(rejected: Rejected) -> dict[str, Any]:
    """The object in `error`."""
    kind, code = _TYPES.get(rejected.kind, ("server_error", None))
    message = rejected.message
    if rejected.kind == "authentication" and rejected.code == "no_key":
        message = (
            "You didn't provide an API key. You need to provide your API key in an Authorization header using Bearer auth "
            "(i.e. Authorization: Bearer YOUR_KEY). You can obtain an API key from https://platform.openai.com/account/api-keys."
        )
        code = None
    elif rejected.kind == "authentication" and not message:
        message = "Incorrect API key provided: ***. You can find your API key at https://platform.openai.com/account/api-keys."
    elif rejected.code is not None:
        code = rejected.code
        kind = next((kind for kind, word in _TYPES.values() if word == code), kind)
    if rejected.kind == "not_found" and rejected.param == "model":
        message = f"The model `{message}` does not exist or you do not have access to it."
        return {"message": message, "type": kind, "param": None, "code": code}
    return {"message": message, "type": rejected.type or kind, "param": rejected.param, "code": code}


def write_error(rejected: Rejected, digest: str) -> tuple[int, dict[str, str], Any]:
    status = rejected.status or STATUS_OF.get(rejected.kind, 400)
    return status, {}, {"error": error_object(rejected)}


def write_stream_error(rejected: Rejected) -> bytes:
    return f"data: {compact({'error': error_object(rejected)})}\n\n".encode()
