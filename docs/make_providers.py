"""Writes `docs/providers.md` and `ailib_sync/manifests/index.json` from the manifests.

Run it after a change of a manifest: `python docs/make_providers.py`. A test compares both files with its output.
"""

from __future__ import annotations

import json
import os
import sys

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
sys.path.insert(0, ROOT)

from ailib_sync.pipeline.auth import key_variables  # noqa: E402
from ailib_sync.registry.check import hosts  # noqa: E402
from ailib_sync.registry.files import FOLDER  # noqa: E402
from ailib_sync.registry.manifest import Manifest, builtin_manifests  # noqa: E402

PAGE = os.path.join(ROOT, "docs", "providers.md")
INDEX = os.path.join(FOLDER, "index.json")
CAPABILITIES = ("tools", "vision", "audio", "documents", "json_schema", "reasoning")
EVIDENCE = {
    "verified": "the tests parse recorded responses of the service",
    "documented": "written from the vendor's documentation",
    "unverified": "from an older source; it is not known whether the service still exists",
    "retired": "retired",
    "not_chat": "no chat service",
}


def make_index(manifests: list[Manifest]) -> str:
    """`aliases`: alias → id. `keys`: environment variable → hosts of its key. `variables`: name → environment variables."""
    aliases = {alias: manifest.id for manifest in manifests for alias in manifest.aliases}
    keys: dict[str, set[str]] = {}
    variables: dict[str, set[str]] = {}
    for manifest in manifests:
        if manifest.auth["scheme"] != "none":
            for variable in key_variables(manifest):
                parts = {**manifest.dialects, **manifest.operations}
                keys.setdefault(variable, set()).update(hosts(manifest.base_url, parts, manifest.variables))
        for name, variable in manifest.variables.items():
            variables.setdefault(name, set()).update(variable.get("env", ()))
    tables: dict[str, dict[str, object]] = {
        "aliases": {alias: aliases[alias] for alias in sorted(aliases)},
        "keys": {env: sorted(keys[env]) for env in sorted(keys)},
        "variables": {name: sorted(variables[name]) for name in sorted(variables)},
    }
    return "{\n" + ",\n".join(_lines(name, table) for name, table in tables.items()) + "\n}\n"


def _lines(name: str, table: dict[str, object]) -> str:
    entries = ",\n".join(f"    {json.dumps(key)}: {json.dumps(value)}" for key, value in table.items())
    return f"  {json.dumps(name)}: {{\n{entries}\n  }}"


def make_page(manifests: list[Manifest]) -> str:
    """The page of providers, as Markdown."""
    chat = [manifest for manifest in manifests if manifest.status not in ("retired", "not_chat")]
    unavailable = [manifest for manifest in manifests if manifest.status in ("retired", "not_chat")]
    return "\n".join((*_head(len(chat)), *map(_row, chat), *_legend(), *_unavailable(unavailable)))


def _head(count: int) -> list[str]:
    return [
        "# Providers",
        "",
        "<!-- Written by docs/make_providers.py from ailib_sync/manifests; do not edit. -->",
        "",
        f"{count} providers. A model is written `id/model`, for example `openai/gpt-4o`; an alias can replace the id.",
        "The key is read from the first variable in the list that is set, otherwise from `<ID>_API_KEY`.",
        "",
        "| id | name | aliases | formats | key | supports | status |",
        "|---|---|---|---|---|---|---|",
    ]


def _row(manifest: Manifest) -> str:
    name = f"[{manifest.name}]({manifest.docs})" if manifest.docs else manifest.name
    aliases = ", ".join(f"`{alias}`" for alias in manifest.aliases)
    formats = ", ".join(f"`{dialect}`" for dialect in (manifest.dialect, *manifest.dialects))
    supported = ", ".join(word.replace("_", " ") for word in CAPABILITIES if manifest.capabilities.get(word))
    return f"| `{manifest.id}` | {name} | {aliases} | {formats} | {_key(manifest)} | {supported} | {manifest.status} |"


def _key(manifest: Manifest) -> str:
    if manifest.auth["scheme"] == "none":
        return "none needed"
    names = ", ".join(f"`{name}`" for name in manifest.auth.get("env", ()) or key_variables(manifest))
    needed = (variable for variable in manifest.variables.values() if "default" not in variable)
    settings = ", ".join(f"`{env}`" for variable in needed for env in variable.get("env", ())[:1])
    optional = " (optional)" if manifest.auth.get("optional") else ""
    return names + optional + (f"; also {settings}" if settings else "")


def _legend() -> list[str]:
    lines = [f"- **{status}**: {EVIDENCE[status]}." for status in ("verified", "documented", "unverified")]
    return ["", "Status:", "", *lines]


def _unavailable(manifests: list[Manifest]) -> list[str]:
    rows = [f"| `{m.id}` | {m.name} | {m.status} | {_sentence(m)} |" for m in manifests]
    columns = "| id | name | status | reason, and what to use instead |"
    head = ["", "## Known, but not available for chat", "", columns, "|---|---|---|---|"]
    return [*head, *rows, ""]


def _sentence(manifest: Manifest) -> str:
    facts = manifest.retired or {}
    if manifest.status == "not_chat":
        return facts.get("use", "")
    return f"Since {facts.get('since', '?')}. Use {facts.get('use', '?')}."


def main() -> None:
    manifests = list(builtin_manifests())
    for path, text in ((INDEX, make_index(manifests)), (PAGE, make_page(manifests))):
        with open(path, "w", encoding="utf-8") as file:
            file.write(text)


if __name__ == "__main__":
    main()
