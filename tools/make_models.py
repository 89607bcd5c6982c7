"""Writes `ailib_sync/data/models.json` and its excerpt `retirements.json`: `python tools/make_models.py FACTS.json`.

The facts are a JSON object: `generated` (a day) and `models`, a list of objects with `provider`, `id`, `name`,
`context_window`, `max_output`, `price_usd_per_1m`, `price_tiers`, `price_conflicts`, `capabilities`,
`temperature_supported`, `dates` and `status`.
"""

from __future__ import annotations

import json
import re
import sys
from pathlib import Path
from typing import Any

DATA = Path(__file__).parent.parent / "ailib_sync" / "data"

#: The facts' name of a capability → ours.
CAPABILITIES = {
    "tools": "tools",
    "vision": "vision",
    "audio_in": "audio",
    "video_in": "video",
    "pdf_in": "documents",
    "json_schema": "json_schema",
    "reasoning": "reasoning",
    "prompt_caching": "prompt_caching",
}
#: Ids that a provider redirects to another model: https://api-docs.deepseek.com/quick_start/pricing
ALIASES = {"deepseek": {"deepseek-chat": "deepseek-flash", "deepseek-reasoner": "deepseek-flash"}}


def compact(facts: dict[str, Any]) -> dict[str, Any]:
    """The content of the data file: known facts only, models sorted by provider and id."""
    models: dict[str, dict[str, Any]] = {}
    for fact in sorted(facts["models"], key=lambda fact: (fact["provider"], fact["id"])):
        models.setdefault(fact["provider"], {})[fact["id"]] = row(fact)
    return {
        "generated": facts["generated"],
        "units": "US dollars per million tokens [input, output, cache read, cache write]; context and output in tokens",
        "aliases": {provider: table for provider, table in ALIASES.items() if provider in models},
        "models": models,
    }


def row(fact: dict[str, Any]) -> dict[str, Any]:
    """One model, without unknown values and without the status `live`."""
    capabilities = fact.get("capabilities") or {}
    dates = fact.get("dates") or {}
    temperature = fact.get("temperature_supported")
    entries = {
        "name": fact.get("name") if fact.get("name") != fact["id"] else None,
        "context": fact.get("context_window"),
        "output": fact.get("max_output"),
        "price": price(fact.get("price_usd_per_1m") or {}),
        "tiers": tiers(fact.get("price_tiers") or []),
        "disputed": bool({"input", "output"} & set(fact.get("price_conflicts") or {})) or None,
        "can": [ours for theirs, ours in CAPABILITIES.items() if capabilities.get(theirs) is True],
        "cannot": [ours for theirs, ours in CAPABILITIES.items() if capabilities.get(theirs) is False],
        "temperature": temperature if isinstance(temperature, bool) else None,
        "cutoff": day(dates.get("knowledge_cutoff")),
        "released": day(dates.get("release")),
        "retires": day(dates.get("deprecation")),
        "status": fact.get("status") if fact.get("status") != "live" else None,
    }
    if entries["price"] is None:
        entries["tiers"] = entries["disputed"] = None
    return {key: value for key, value in entries.items() if value not in (None, [])}


def day(text: str | None) -> str | None:
    """The day or month at the start of `text`, which may be followed by a comment."""
    match = re.match(r"20\d\d-\d\d(-\d\d)?", text or "")
    return match[0] if match else None


def price(table: dict[str, Any]) -> list[float | None] | None:
    """[input, output, cache read, cache write], without unknown prices at the end. A list of zeros usually means a missing
    price, so it is treated as unknown."""
    if table.get("input") is None or table.get("output") is None or not (table["input"] or table["output"]):
        return None
    prices = [table["input"], table["output"], table.get("cache_read") or None, table.get("cache_write") or None]
    while prices[-1] is None:
        prices.pop()
    return prices


def tiers(entries: list[dict[str, Any]]) -> list[list[float | None]]:
    """[prompt tokens, *prices] for longer prompts, in ascending order."""
    found = []
    for entry in entries:
        above = entry.get("input_tokens_above") or (entry.get("tier") or {}).get("size")
        prices = price(entry)
        if above and prices:
            found.append([above, *prices])
    return sorted(found)


def render(data: dict[str, Any]) -> str:
    """JSON with one model per line, for readable diffs."""
    lines = [f'  "{key}": {json.dumps(data[key], ensure_ascii=False)},' for key in ("generated", "units", "aliases")]
    lines.append('  "models": {')
    providers = []
    for provider, table in data["models"].items():
        rows = (f"      {json.dumps(id)}: {json.dumps(entry, ensure_ascii=False)}" for id, entry in table.items())
        providers.append(f"    {json.dumps(provider)}: {{\n" + ",\n".join(rows) + "\n    }")
    return "{\n" + "\n".join(lines) + "\n" + ",\n".join(providers) + "\n  }\n}\n"


def retirements(data: dict[str, Any]) -> dict[str, dict[str, str]]:
    """Provider → model → the day of its retirement, or `shutdown` if the day is unknown."""
    tables = {
        provider: {id: row.get("retires", "shutdown") for id, row in table.items() if retires(row)}
        for provider, table in data["models"].items()
    }
    return {provider: table for provider, table in tables.items() if table}


def retires(row: dict[str, Any]) -> bool:
    return "retires" in row or row.get("status") == "shutdown"


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    data = compact(json.loads(Path(sys.argv[1]).read_text(encoding="utf-8")))
    (DATA / "models.json").write_text(render(data), encoding="utf-8")
    (DATA / "retirements.json").write_text(json.dumps(retirements(data), indent=1) + "\n", encoding="utf-8")
