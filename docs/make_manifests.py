"""Writes `docs/manifests.md` from schema.json: `python docs/make_manifests.py`. A test compares them."""

from __future__ import annotations

import os
import sys

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
sys.path.insert(0, ROOT)

from ailib_sync.registry.check import schema  # noqa: E402

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any

PAGE = os.path.join(ROOT, "docs", "manifests.md")
HEAD = """\
# Manifests

<!-- Written by docs/make_manifests.py from ailib_sync/manifests/schema.json; do not edit. -->

{description}

A manifest must have `id`, `name`, `dialect` and `base_url`, or `extends`; all other keys have a default. Pass a manifest as a
dict, a path or a `Manifest` (`AiClient("acme/x", manifest=…)`), or put it into the folder `AILIB_MANIFESTS` as `<id>.json`.
[Add a provider](add-a-provider.md) shows an example; `python -m ailib_sync manifest show openai/o3` prints one for a model.

| key | type | meaning |
|---|---|---|
"""
#: Keys with a section after the table → heading.
SECTIONS = {
    "auth": "`auth`",
    "variables": "`variables.<name>`",
    "reasoning": "`reasoning`",
    "capabilities": "`capabilities`",
    "retired": "`retired`",
    "paths": "`paths`",
    "errors": "`errors`",
}


def make_page(root: dict[str, Any]) -> str:
    lines = [HEAD.format(description=root["description"])]
    lines += [_row(key, spec, root) for key, spec in root["properties"].items()]
    for key, heading in SECTIONS.items():
        spec = _object(root["properties"][key], root)
        lines.append(f"\n## {heading}\n\n| key | type | meaning |\n|---|---|---|\n")
        lines += [_row(name, inner, root) for name, inner in spec["properties"].items()]
    rule = _resolved({"$ref": "#/$defs/rule"}, root)["properties"]
    dialect = _resolved({"$ref": "#/$defs/other_dialect"}, root)["properties"]
    lines.append(f"\n## `models.<pattern>`\n\nA rule may contain {_names(rule)}.\n")
    lines.append(f"\n## `dialects.<name>`\n\nAnother dialect may contain {_names(dialect)}.\n")
    return "".join(lines)


def _names(properties: dict[str, Any]) -> str:
    return ", ".join(f"`{name}`" for name in properties)


def _object(spec: dict[str, Any], root: dict[str, Any]) -> dict[str, Any]:
    """The schema of a key's object, or of each value in it."""
    spec = _resolved(spec, root)
    for option in spec.get("anyOf", ()):
        if "properties" in option:
            return dict(option)
    values = spec.get("additionalProperties")
    return spec if "properties" in spec else _object(values, root) if isinstance(values, dict) else spec


def _resolved(spec: dict[str, Any], root: dict[str, Any]) -> dict[str, Any]:
    """The schema, merged with the target of its `$ref`."""
    if "$ref" not in spec:
        return spec
    target: Any = root
    for part in spec["$ref"].removeprefix("#/").split("/"):
        target = target[part]
    return {**_resolved(target, root), **{key: value for key, value in spec.items() if key != "$ref"}}


def _row(name: str, spec: dict[str, Any], root: dict[str, Any]) -> str:
    spec = _resolved(spec, root)
    about = str(spec.get("description", "")).replace("|", "\\|")
    return f"| `{name}` | {' or '.join(dict.fromkeys(_types(spec, root)))} | {about} |\n"


def _types(spec: dict[str, Any], root: dict[str, Any]) -> Iterator[str]:
    spec = _resolved(spec, root)
    if "enum" in spec:
        yield "one of " + ", ".join(f"`{word}`" for word in spec["enum"])
    elif "anyOf" in spec and "type" not in spec:
        for option in spec["anyOf"]:
            yield from _types(option, root)
    elif spec.get("type") == "array":
        yield "list of " + " or ".join(_types(spec["items"], root))
    else:
        kinds = spec.get("type", "anything")
        yield from kinds if isinstance(kinds, list) else [kinds]


def main() -> None:
    with open(PAGE, "w", encoding="utf-8") as file:
        file.write(make_page(schema()))


if __name__ == "__main__":
    main()
