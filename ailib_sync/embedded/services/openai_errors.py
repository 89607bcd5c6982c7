"""How OpenAI words what is wrong with a request, and writes an error. Shared by its two formats."""

from __future__ import annotations

from ..exchange import STATUS_OF, Refused
from ..frames import compact
from ..json_checks import indexed, type_name

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from ..json_checks import Bad

_A = {
    "string": "a string",
    "number": "a decimal number",
    "integer": "an integer",
    "boolean": "a boolean",
    "array": "an array",
    "object": "an object",
    "null": "null",
}


def explain(bad: Bad) -> Refused:
    """The refusal for a body that has not the right shape."""
    place = indexed(bad.path)
    message, code = _WORDS[bad.kind](bad, place)
    return Refused(message, code=code, param=place)


def _type(bad: Bad, place: str) -> tuple[str, str]:
    wanted = " or ".join(_A.get(name, name) for name in str(bad.want).split(" or "))
    given = type_name(bad.value)
    return f"Invalid type for '{place}': expected {wanted}, but got {_A.get(given, given)} instead.", "invalid_type"


def _bound(bad: Bad, place: str) -> tuple[str, str]:
    what = "integer" if isinstance(bad.value, int) else "decimal"
    below = bad.kind == "low"
    side, sign = ("below minimum", ">=") if below else ("above maximum", "<=")
    message = f"Invalid '{place}': {what} {side} value. Expected a value {sign} {bad.want}, but got {bad.value} instead."
    return message, f"{what}_{'below_min' if below else 'above_max'}_value"


def _length(bad: Bad, place: str) -> tuple[str, str]:
    what, size = ("array", len(bad.value)) if isinstance(bad.value, list) else ("string", len(bad.value or ""))
    if bad.kind == "short" and size == 0:
        message = (
            f"Invalid '{place}': empty {what}. Expected {_A[what]} with minimum length {bad.want}, "
            f"but got an empty {what} instead."
        )
        return message, f"empty_{what}"
    bound, edge = ("minimum", "below_min") if bad.kind == "short" else ("maximum", "above_max")
    words = "too short" if bad.kind == "short" else "too long"
    message = (
        f"Invalid '{place}': {what} {words}. Expected {_A[what]} with {bound} length {bad.want}, "
        f"but got {_A[what]} with length {size} instead."
    )
    return message, f"{what}_{edge}_length"


def _choice(bad: Bad, place: str) -> tuple[str, str]:
    words = [f"'{word}'" for word in bad.want]
    listed = words[0] if len(words) == 1 else f"{', '.join(words[:-1])}, and {words[-1]}"
    return f"Invalid value: '{bad.value}'. Supported values are: {listed}.", "invalid_value"


def _unsupported(bad: Bad, place: str) -> tuple[str, str]:
    instead = f" Use '{bad.want}' instead." if bad.want else ""
    return f"Unsupported parameter: '{place}' is not supported with this model.{instead}", "unsupported_parameter"


_WORDS: dict[str, Any] = {
    "unknown": lambda bad, place: (f"Unknown parameter: '{place}'.", "unknown_parameter"),
    "missing": lambda bad, place: (f"Missing required parameter: '{place}'.", "missing_required_parameter"),
    "type": _type,
    "low": _bound,
    "high": _bound,
    "short": _length,
    "long": _length,
    "choice": _choice,
    "pattern": lambda bad, place: (
        f"Invalid '{place}': string does not match pattern. Expected a string that matches the pattern '{bad.want}'.",
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


def error_object(refused: Refused) -> dict[str, Any]:
    """The object that stands under `error`."""
    kind, code = _TYPES.get(refused.kind, ("server_error", None))
    message = refused.message
    if refused.kind == "authentication" and refused.code == "no_key":
        message = (
            "You didn't provide an API key. You need to provide your API key in an Authorization header using Bearer auth "
            "(i.e. Authorization: Bearer YOUR_KEY). You can obtain an API key from https://platform.openai.com/account/api-keys."
        )
        code = None
    elif refused.kind == "authentication" and not message:
        message = "Incorrect API key provided: ***. You can find your API key at https://platform.openai.com/account/api-keys."
    elif refused.code is not None:
        code = refused.code
        kind = next((kind for kind, word in _TYPES.values() if word == code), kind)
    if refused.kind == "not_found" and refused.param == "model":
        message = f"The model `{message}` does not exist or you do not have access to it."
        return {"message": message, "type": kind, "param": None, "code": code}
    return {"message": message, "type": refused.type or kind, "param": refused.param, "code": code}


def write_error(refused: Refused, stamp: str) -> tuple[int, dict[str, str], Any]:
    status = refused.status or STATUS_OF.get(refused.kind, 400)
    return status, {}, {"error": error_object(refused)}


def write_stream_error(refused: Refused) -> bytes:
    return f"data: {compact({'error': error_object(refused)})}\n\n".encode()
