"""A sample value for a JSON Schema, with words of a text where possible. Deterministic; it validates nothing."""

from __future__ import annotations

from re import escape, findall, search

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

#: From this depth on, only required properties have values, so that a recursive schema ends.
OPTIONAL_DEPTH = 3
MAX_DEPTH = 12


class Hints:
    """The words and numbers of a text, used one after another; then placeholders."""

    def __init__(self, text: str) -> None:
        self.text = text
        quoted = findall(r"\"([^\"]+)\"|“([^”]+)”|(?<!\w)'([^']+)'(?!\w)", text)
        names = findall(r"(?<=[a-z,:] )[A-Z][\w-]*(?: [A-Z][\w-]*)*", text)
        self.words = [next(filter(None, groups)) for groups in quoted] + names
        self.numbers = [float(word) for word in findall(r"(?<![\w.])-?\d+(?:\.\d+)?(?![\w.])", text)]

    def word(self, name: str) -> str:
        """The text's value for the property `name` (`city=Paris`, `city: "Paris"`), otherwise its next name or quotation."""
        found = name and search(rf"(?i)\b{escape(name)}\s*[=:]\s*(?:\"([^\"]+)\"|([\w.-]+))", self.text)
        if found:
            return str(found[1] or found[2])
        return self.words.pop(0) if self.words else (name or "echo")

    def number(self) -> float:
        return self.numbers.pop(0) if self.numbers else 1.0


def sample_of(schema: Mapping[str, Any], text: str = "") -> Any:
    """A value that matches `schema`. References into the schema itself are followed; types may be in upper case (Gemini)."""
    return _sample(schema, schema, Hints(text), "", 0)


def _sample(schema: Any, root: Mapping[str, Any], hints: Hints, name: str, depth: int) -> Any:
    if not isinstance(schema, dict) or depth > MAX_DEPTH:
        return hints.word(name) if schema is True else None
    schema = _resolved(schema, root)
    for fixed in ("const", "default"):
        if fixed in schema:
            return schema[fixed]
    if schema.get("enum"):
        return _chosen(schema["enum"], hints)
    kind = _kind(schema)
    if kind == "object":
        return _object(schema, root, hints, depth)
    if kind == "array":
        return _array(schema, root, hints, name, depth)
    if kind in ("integer", "number"):
        return _number(schema, hints, kind)
    return {"boolean": True, "null": None}[kind] if kind in ("boolean", "null") else _string(schema, hints, name)


def _resolved(schema: Mapping[str, Any], root: Mapping[str, Any]) -> Mapping[str, Any]:
    """The schema with `$ref`, `allOf` and the first of `anyOf`/`oneOf` that is not null merged in."""
    for _ in range(MAX_DEPTH):
        rest = {key: value for key, value in schema.items() if key not in ("$ref", "allOf", "anyOf", "oneOf")}
        parts: list[Any] = list(schema.get("allOf", ()))
        if "$ref" in schema:
            parts.append(_pointed_at(str(schema["$ref"]), root))
        for key in ("anyOf", "oneOf"):
            options = [option for option in schema.get(key, ()) if isinstance(option, dict) and option.get("type") != "null"]
            parts += options[:1]
        if not parts:
            break
        for part in parts:
            rest = {**part, **rest, **_merged(part, rest)}
        schema = rest
    return schema


def _pointed_at(reference: str, root: Mapping[str, Any]) -> Any:
    """The part of the schema that a `#/…` reference names (RFC 6901); {} if there is none."""
    target: Any = root
    for step in filter(None, reference.lstrip("#").split("/")):
        target = target.get(step.replace("~1", "/").replace("~0", "~"), {}) if isinstance(target, dict) else {}
    return target


def _merged(one: Mapping[str, Any], other: Mapping[str, Any]) -> dict[str, Any]:
    merged: dict[str, Any] = {}
    if "properties" in one and "properties" in other:
        ours, theirs = one["properties"], other["properties"]
        both = {key: {"allOf": [ours[key], theirs[key]]} for key in ours if key in theirs}
        merged["properties"] = {**ours, **theirs, **both}
    if "required" in one and "required" in other:
        merged["required"] = [*one["required"], *other["required"]]
    return merged


def _kind(schema: Mapping[str, Any]) -> str:
    kind = schema.get("type")
    if isinstance(kind, list):
        kind = next((word for word in kind if word != "null"), "null")
    if kind is None:
        kind = "object" if "properties" in schema else "array" if "items" in schema else "string"
    return str(kind).lower()


def _chosen(options: list[Any], hints: Hints) -> Any:
    """The option that the text names, otherwise the first one."""
    text = hints.text.lower()
    return next((option for option in options if str(option).lower() in text), options[0])


def _object(schema: Mapping[str, Any], root: Mapping[str, Any], hints: Hints, depth: int) -> dict[str, Any]:
    properties: Mapping[str, Any] = schema.get("properties") or {}
    required = schema.get("required") or []
    chosen = [key for key in properties if key in required or depth < OPTIONAL_DEPTH]
    filled = {key: _sample(properties[key], root, hints, key, depth + 1) for key in chosen}
    for key in required:
        filled.setdefault(key, hints.word(key))
    return filled


def _array(schema: Mapping[str, Any], root: Mapping[str, Any], hints: Hints, name: str, depth: int) -> list[Any]:
    fixed = schema.get("prefixItems") or []
    values = [_sample(item, root, hints, name, depth + 1) for item in fixed]
    least = max(int(schema.get("minItems") or 0), 1 if depth < OPTIONAL_DEPTH and schema.get("maxItems") != 0 else 0)
    while len(values) < least:
        value = _sample(schema.get("items", True), root, hints, name, depth + 1)
        if schema.get("uniqueItems") and value in values:
            value = f"{value} {len(values) + 1}" if isinstance(value, str) else (value or 0) + len(values)
        values.append(value)
    return values


def _number(schema: Mapping[str, Any], hints: Hints, kind: str) -> float:
    is_integer = kind == "integer"
    value = hints.number()
    low, high = schema.get("minimum"), schema.get("maximum")
    if "exclusiveMinimum" in schema:
        low = schema["exclusiveMinimum"] + (1 if is_integer else 0.5)
    if "exclusiveMaximum" in schema:
        high = schema["exclusiveMaximum"] - (1 if is_integer else 0.5)
    step = schema.get("multipleOf")
    if step:
        value = round(value / step) * step
    if low is not None and value < low:
        value = low if not step else -(-low // step) * step
    if high is not None and value > high:
        value = high if not step else high // step * step
    return int(value) if is_integer or value == int(value) else value


_FORMATS = {
    "date": "2026-11-23",
    "time": "12:00:00Z",
    "date-time": "2026-11-23T12:00:00Z",
    "email": "echo@example.com",
    "uri": "https://example.com/echo",
    "uuid": "00000000-0000-4000-8000-000000000000",
    "ipv4": "127.0.0.1",
}


def _string(schema: Mapping[str, Any], hints: Hints, name: str) -> str:
    if schema.get("format") in _FORMATS:
        return _FORMATS[schema["format"]]
    value = hints.word(name).ljust(int(schema.get("minLength") or 0), "x")
    return value[: schema["maxLength"]] if schema.get("maxLength") is not None else value
