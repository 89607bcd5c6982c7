"""The rules of strict JSON Schemas (structured outputs): no additional properties, every property required.

Here, not in a service's folder: three services have these rules.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any


def violation(schema: Any, context: tuple[str, ...] = ()) -> str | None:
    """The first violation in OpenAI's words, None if there is none
    (https://platform.openai.com/docs/guides/structured-outputs#supported-schemas)."""
    if not isinstance(schema, dict):
        return None
    if schema.get("type") == "object" or "properties" in schema:
        if schema.get("additionalProperties") is not False:
            return f"In context={context!r}, 'additionalProperties' is required to be supplied and to be false."
        missing = [key for key in schema.get("properties", {}) if key not in schema.get("required", ())]
        if missing:
            return (
                f"In context={context!r}, 'required' is required to be supplied and to be an array including every key "
                f"in properties. Missing '{missing[0]}'."
            )
    return next(filter(None, (violation(inner, (*context, *step)) for step, inner in _children(schema))), None)


def has_open_object(schema: Any) -> bool:
    """Whether an object of the schema lacks `additionalProperties: false`."""
    if not isinstance(schema, dict):
        return False
    if schema.get("type") == "object" and schema.get("additionalProperties") is not False:
        return True
    return any(has_open_object(inner) for _, inner in _children(schema))


def _children(schema: dict[str, Any]) -> list[tuple[tuple[str, ...], Any]]:
    found: list[tuple[tuple[str, ...], Any]] = []
    for key in ("properties", "$defs", "definitions"):
        found += [((key, name), inner) for name, inner in (schema.get(key) or {}).items()]
    for key in ("anyOf", "allOf", "oneOf", "prefixItems"):
        found += [((key, str(index)), inner) for index, inner in enumerate(schema.get(key) or ())]
    if "items" in schema:
        found.append((("items",), schema["items"]))
    return found
