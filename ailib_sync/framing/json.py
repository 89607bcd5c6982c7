"""JSON text to values, by the letter of RFC 8259: no NaN, bounded nesting. No I/O, no meaning."""

from __future__ import annotations

import json

from ..errors import ProtocolError
from ..types.json_values import MAX_DEPTH, is_too_deep

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    #: One step of a stream: the event's name ("message" where the format has none) and its JSON; None is the `[DONE]` mark.
    Frame = tuple[str, Any]


def load_json(text: str | bytes) -> Any:
    """JSON by the letter: no NaN, and any depth or number that Python cannot take is a ProtocolError too."""
    try:
        if isinstance(text, bytes):
            text = text.decode(json.detect_encoding(text), "surrogatepass")
        value = _decode(text)
        deep = is_too_deep(text, value)
    except RecursionError:
        deep = True
    except ValueError as error:
        shown = text[:2000] if isinstance(text, str) else text[:2000].decode("utf-8", "replace")
        raise ProtocolError(f"the answer is not JSON: {error}", body=shown) from None
    if deep:
        raise ProtocolError(f"the answer's JSON is nested deeper than {MAX_DEPTH} levels")
    return value


def whole_json(text: str) -> Any:
    """The JSON of a text that may be cut; None where it is."""
    try:
        return load_json(text)
    except ProtocolError:
        return None


def _refuse_constant(word: str) -> Any:
    raise ValueError(f"{word} is not JSON")


#: json.loads makes a decoder anew at each call, where it is told anything.
_decoder = json.JSONDecoder(parse_constant=_refuse_constant)
_decode = _decoder.decode
# raw_decode without its error text. The attribute has been there since Python 3.0; typeshed does not know it.
scan_once: Callable[[str, int], tuple[Any, int]] = vars(_decoder)["scan_once"]
