"""JSON Schemas in the form that strict tools and response formats require. Pure functions.

OpenAI: every object is closed, every property is required, and some keywords do not exist
(https://platform.openai.com/docs/guides/structured-outputs#supported-schemas). Anthropic, and Converse: every object is closed,
and limits of values do not exist; Anthropic's own SDKs put these into the description
(https://platform.claude.com/docs/en/build-with-claude/structured-outputs#json-schema-limitations).
"""

from __future__ import annotations

import json

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from typing import Any

    from ..registry.manifest import Manifest
    from ..types.request import Ledger

#: Keywords that say nothing a strict schema could keep, and those without which it would mean something else.
DROPPED = frozenset(("default", "examples", "uniqueItems", "propertyNames", "minProperties", "maxProperties"))
ESSENTIAL = frozenset((
    "allOf", "not", "if", "then", "else", "patternProperties", "prefixItems", "contains", "dependentRequired",
    "dependentSchemas", "unevaluatedProperties", "unevaluatedItems",
))  # fmt: skip
#: The limits of values that Anthropic rejects. Of `minItems`, 0 and 1 are supported.
LIMITS = (
    "minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "multipleOf", "minLength", "maxLength", "minItems",
    "maxItems", "uniqueItems", "minProperties", "maxProperties",
)  # fmt: skip
NULL = {"type": "null"}


class _NotStrict(Exception):
    """The schema has no strict form: it allows any object, or has a keyword of `ESSENTIAL`."""


def strict_form(schema: Mapping[str, Any]) -> dict[str, Any] | None:
    """The schema with all its properties required; an optional one may be null then. None if there is no such form."""
    try:
        made: dict[str, Any] = _strict(dict(schema))
    except _NotStrict:
        return None
    return made


def closed_form(schema: Mapping[str, Any], *, limits: bool = False) -> dict[str, Any] | None:
    """The schema with `additionalProperties: false` in every object that does not say otherwise. None if one allows others.

    Limits of values are moved into descriptions, unless `limits`.
    """
    try:
        made: dict[str, Any] = _closed(dict(schema)) if limits else _closed(_without_limits(dict(schema)))
    except _NotStrict:
        return None
    return made


def _without_limits(node: Any) -> Any:
    if not isinstance(node, dict):
        return node
    limits = [key for key in LIMITS if key in node and not (key == "minItems" and node[key] in (0, 1))]
    made = {key: value for key, value in node.items() if key not in limits}
    if limits:
        text = "{" + ", ".join(f"{key}: {json.dumps(node[key])}" for key in limits) + "}"
        made["description"] = f"{node['description']}\n\n{text}" if node.get("description") else text
    if isinstance(node.get("properties"), dict):
        made["properties"] = {name: _without_limits(inner) for name, inner in node["properties"].items()}
    return {**made, **_definitions(node, _without_limits), **_inner(node, _without_limits)}


def _strict(node: Any) -> Any:
    if not isinstance(node, dict):
        return node
    if "$ref" in node:
        made = {"$ref": node["$ref"]}  # no keyword may be next to it
        return {**made, **_definitions(node, _strict)}
    if not ESSENTIAL.isdisjoint(node):
        raise _NotStrict
    made = {key: value for key, value in node.items() if key not in DROPPED}
    if node.get("type") == "object" or "properties" in node:
        _check_closed(node)
        required = node.get("required", ())
        made["properties"] = {
            name: _strict(inner) if name in required else _nullable(_strict(inner))
            for name, inner in node.get("properties", {}).items()
        }
        made["required"] = list(made["properties"])
        made["additionalProperties"] = False
    return {**made, **_definitions(node, _strict), **_inner(node, _strict)}


def _closed(node: Any) -> Any:
    if not isinstance(node, dict):
        return node
    made = dict(node)
    if node.get("type") == "object" or "properties" in node:
        _check_closed(node)
        made["properties"] = {name: _closed(inner) for name, inner in node.get("properties", {}).items()}
        made["additionalProperties"] = False
    return {**made, **_definitions(node, _closed), **_inner(node, _closed)}


def _check_closed(node: dict[str, Any]) -> None:
    """Raises for an object of any content."""
    is_any = "properties" not in node and "additionalProperties" not in node
    if is_any or node.get("additionalProperties", False) is not False:
        raise _NotStrict


def _definitions(node: dict[str, Any], form: Callable[[Any], Any]) -> dict[str, Any]:
    return {
        key: {name: form(inner) for name, inner in node[key].items()}
        for key in ("$defs", "definitions")
        if isinstance(node.get(key), dict)
    }


def _inner(node: dict[str, Any], form: Callable[[Any], Any]) -> dict[str, Any]:
    """The keywords that hold schemas, other than properties and definitions."""
    keys = ("anyOf", "oneOf", "allOf")
    made = {key: [form(inner) for inner in node[key]] for key in keys if isinstance(node.get(key), list)}
    return {**made, "items": form(node["items"])} if "items" in node else made


def _nullable(schema: Any) -> Any:
    kind = schema.get("type") if isinstance(schema, dict) else None
    if isinstance(kind, str) and "const" not in schema:
        enum = {"enum": [*schema["enum"], None]} if "enum" in schema and None not in schema["enum"] else {}
        return schema if kind == "null" else {**schema, "type": [kind, "null"], **enum}
    if isinstance(kind, list):
        return schema if "null" in kind else {**schema, "type": [*kind, "null"]}
    if isinstance(schema, dict) and isinstance(schema.get("anyOf"), list):
        return schema if NULL in schema["anyOf"] else {**schema, "anyOf": [*schema["anyOf"], NULL]}
    return {"anyOf": [schema, NULL]}


def settle_strict(
    name: str,
    schema: Mapping[str, Any],
    strict: bool | None,
    manifest: Manifest,
    ledger: Ledger,
    form: Callable[[Mapping[str, Any]], dict[str, Any] | None] = strict_form,
) -> tuple[Mapping[str, Any], bool | None]:
    """(the schema, `strict`) to send. `name`, an option or a tool, is for the ledger; to close an object is not noted there."""
    if not strict or (form is strict_form and not manifest.has("strict_schemas")):
        return schema, strict
    made, source = form(schema), f"{manifest.dialect}: strict"
    if made is None:
        detail = "is sent without strict: its schema allows any content, or has keywords without a strict form"
        ledger.changed(name, detail, source)
        return schema, False
    if made != schema and made != closed_form(schema, limits=True):
        how = "every property is required, and an optional one may be null"
        if form is not strict_form:
            how = "limits of values are in the descriptions"
        ledger.changed(name, f"has a schema that was adapted: {how}", source)
    return made, True


def settle_closed_format(schema: Mapping[str, Any], manifest: Manifest, ledger: Ledger) -> Mapping[str, Any] | None:
    """The closed schema of a response format; None, and an entry in the ledger, if the schema allows any object."""
    made = closed_form(schema)
    if made is None:
        detail = f"is left out: {manifest.name} supports no schema that allows any content; put it into the prompt"
        ledger.dropped("response_format", detail, f"{manifest.dialect}: strict")
        return None
    return settle_strict("response_format", schema, True, manifest, ledger, closed_form)[0]
