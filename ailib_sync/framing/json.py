"""JSON text to values, strictly as in RFC 8259: no NaN, limited nesting. No I/O, no meaning."""

from __future__ import annotations

import json

from .._signals import reraise_from_signal
from ..errors import MAX_BODY_CHARACTERS, ProtocolError
from ..types.json_values import MAX_DEPTH, is_too_deep

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    #: One step of a stream: the event's name ("message" if the format has none) and its JSON. None is the `[DONE]` mark.
    Frame = tuple[str, Any]


def load_json(text: str | bytes) -> Any:
    """The value of a JSON text. Raises ProtocolError if it is not JSON, is nested too deeply, or has a number that Python
    cannot convert."""
    try:
        if isinstance(text, bytes):
            text = text.decode(json.detect_encoding(text), "surrogatepass")
        value = _decode(text)
        too_deep = is_too_deep(text, value)
    except RecursionError:
        too_deep = True
    except ValueError as error:
        reraise_from_signal(error)
        shown = text[:MAX_BODY_CHARACTERS]
        shown = shown if isinstance(shown, str) else shown.decode(json.detect_encoding(shown), "replace")
        raise ProtocolError(f"the response is not JSON: {error}", body=shown) from None
    if too_deep:
        raise ProtocolError(f"the JSON of the response is nested deeper than {MAX_DEPTH} levels")
    return value


def complete_json(text: str) -> Any:
    """The value of a JSON text that may be incomplete; None if it is."""
    try:
        return load_json(text)
    except ProtocolError:
        return None


def _reject_constant(name: str) -> Any:
    # RFC 8259 section 6: numbers that the grammar cannot represent, such as Infinity and NaN, are not permitted.
    raise ValueError(f"{name} is not JSON")


#: One decoder for all calls: json.loads makes a new one at each call that has options.
_decoder = json.JSONDecoder(parse_constant=_reject_constant)
_decode = _decoder.decode
# raw_decode without its error text. The attribute exists since Python 3.0; typeshed does not list it.
scan_once: Callable[[str, int], tuple[Any, int]] = vars(_decoder)["scan_once"]
