"""The list of models: its values, lookup, costs and retirements."""

from __future__ import annotations

import importlib.util
import json
import re
import subprocess
import sys
from datetime import date
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from ailib_sync.errors import ConfigurationError
from ailib_sync.registry import models as models_module
from ailib_sync.registry.models import ModelInfo, Prices, model_info, models
from ailib_sync.types.response import Usage

ROOT = Path(__file__).parent.parent
PRICED = ModelInfo(
    "acme", "x-1", "X 1",
    prices=Prices(2.0, 10.0, 0.2, 2.5),
    tiers=((100_000, Prices(4.0, 20.0, 0.4, 5.0)), (200_000, Prices(8.0, 40.0))),
)  # fmt: skip


@pytest.mark.parametrize(
    ("usage", "dollars"),
    [
        (Usage(1_000_000 // 10, 0), 0.2),
        (Usage(1000, 500), 0.002 + 0.005),
        (Usage(1000, 0, cached_tokens=600), 0.4 * 0.002 + 0.6 * 0.0002),
        (Usage(1000, 0, cached_tokens=600, cache_write_tokens=400), 0.6 * 0.0002 + 0.4 * 0.0025),
        (Usage(1000, 500, reasoning_tokens=400), 0.002 + 0.005),
        (Usage(100_001, 1000), 0.400004 + 0.02),
        (Usage(300_000, 0, cached_tokens=100_000), 0.3 * 8),
        (Usage(0, 0), 0.0),
    ],
    ids=[
        "exactly at the limit of a tier",
        "plain",
        "cached tokens cost less",
        "writes to the cache cost more",
        "reasoning is not counted twice",
        "all tokens of a long prompt have the price of its tier",
        "cached tokens without a price have the input price",
        "no tokens cost nothing",
    ],
)
def test_cost(usage: Usage, dollars: float) -> None:
    assert PRICED.cost(usage) == pytest.approx(dollars)


@pytest.mark.parametrize("usage", [Usage(), Usage(10), Usage(None, 10)])
def test_cost_is_unknown_if_a_count_is(usage: Usage) -> None:
    assert PRICED.cost(usage) is None


def test_cost_is_unknown_if_the_price_is() -> None:
    assert ModelInfo("acme", "x-2", "X 2").cost(Usage(10, 10)) is None


@pytest.mark.parametrize(
    ("today", "warning"),
    [
        (date(2026, 5, 1), None),
        (date(2026, 5, 31), None),
        (date(2026, 6, 1), "acme/x-1 will be retired on 2026-07-01, in 30 days"),
        (date(2026, 6, 30), "acme/x-1 will be retired on 2026-07-01, in 1 day"),
        (date(2026, 7, 1), "acme/x-1 will be retired on 2026-07-01, in 0 days"),
        (date(2026, 7, 2), "acme/x-1 was retired on 2026-07-01, as its provider announced; use another model"),
    ],
)
def test_a_warning_is_given_from_thirty_days_before_the_retirement(today: date, warning: str | None) -> None:
    info = ModelInfo("acme", "x-1", "X 1", retires=date(2026, 7, 1), status="deprecated")
    assert info.retirement_warning(today) == warning


def test_a_shut_down_model_warns_without_a_date() -> None:
    assert ModelInfo("a", "b", "B", status="shutdown").retirement_warning() == "a/b was shut down; use another model"
    assert ModelInfo("a", "b", "B", status="live").retirement_warning() is None


@pytest.mark.parametrize(
    ("provider", "requested", "found"),
    [
        ("openai", "gpt-4o", "gpt-4o"),
        ("openai", "gpt-4o-2024-08-06", "gpt-4o"),
        ("anthropic", "claude-sonnet-4-5-20250929", "claude-sonnet-4-5"),
        ("deepseek", "deepseek-chat", "deepseek-flash"),
        ("gemini", "gemini-2.5-pro", "gemini-2.5-pro"),
        ("google", "gemini-2.5-pro", "gemini-2.5-pro"),
        ("openai", "gpt-4o-nano-of-nobody", None),
        ("openai", "gpt-4o-2024-08-06-extra", None),
        ("nobody", "gpt-4o", None),
    ],
)
def test_models_are_found_by_id_alias_and_dated_id(provider: str, requested: str, found: str | None) -> None:
    info = model_info(provider, requested)
    assert (info.id if info else None) == found


def test_an_undated_id_finds_the_latest_dated_one(monkeypatch: pytest.MonkeyPatch) -> None:
    table = {id: ModelInfo("acme", id, id) for id in ("m-2025-01-01", "m-2026-01-01", "m-mini-2026-02-02")}
    monkeypatch.setattr(models_module, "_models", lambda: {"acme": table})
    info = model_info("acme", "m")
    assert info is not None
    assert info.id == "m-2026-01-01"


def test_filters_select_models() -> None:
    with_vision = models("openai", capability="vision", min_context=200_000)
    assert with_vision
    assert all(m.provider == "openai" and m.capabilities["vision"] and (m.context_window or 0) >= 200_000 for m in with_vision)
    assert {m.status for m in models()}.isdisjoint({"shutdown"})
    assert len(models(shutdown=True)) > len(models())
    assert models("google") == models("gemini") != []
    with pytest.raises(ConfigurationError, match="unknown capability 'telepathy'"):
        models(capability="telepathy")


def test_every_entry_has_plausible_values() -> None:
    """The values of the data file: positive prices and limits, caching not more expensive than input, ascending tiers."""
    wrong = []
    for info in models(shutdown=True):
        checks = [
            info.context_window is None or info.context_window > 0,
            info.max_output is None or info.max_output > 0,
            set(info.capabilities) <= set(models_module.CAPABILITIES),
            info.status in ("live", "beta", "deprecated", "shutdown", "unknown"),
            re.fullmatch(r"20\d\d-\d\d(-\d\d)?", info.released or "2026-01") is not None,
            [above for above, _ in info.tiers] == sorted({above for above, _ in info.tiers}),
        ]
        for prices in [info.prices, *(tier for _, tier in info.tiers)]:
            if prices:
                checks.append(min(prices.input, prices.output) >= 0 and prices.output < 1000)
                checks.append((prices.cache_read or 0) <= prices.input)
        if not all(checks):
            wrong.append((info.provider, info.id, checks))
    assert wrong == []
    assert len(models(shutdown=True)) > 400


def test_every_provider_of_the_list_has_a_manifest() -> None:
    from ailib_sync.registry.manifest import index, provider_ids

    known = {*provider_ids(), *index()["aliases"]}
    assert {m.provider for m in models(shutdown=True)} <= known


def generator() -> ModuleType:
    spec = importlib.util.spec_from_file_location("make_models", ROOT / "tools" / "make_models.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


FACT: dict[str, Any] = {
    "provider": "acme",
    "id": "x-1",
    "name": "X 1",
    "context_window": 1000,
    "max_output": 100,
    "price_usd_per_1m": {"input": 1, "output": 2, "cache_read": None, "cache_write": 0},
    "price_tiers": [{"tier": {"size": 900}, "input": 2, "output": 4}, {"input_tokens_above": 500, "input": 1.5, "output": 3}],
    "price_conflicts": {"output": {"a": 2, "b": 3}},
    "capabilities": {"tools": True, "vision": False, "pdf_in": None},
    "temperature_supported": "only when effort is none",
    "dates": {"release": "2026-01 (a changelog)", "deprecation": "2027-01-01", "knowledge_cutoff": None},
    "status": "deprecated",
}


def test_the_generator_keeps_known_facts_only() -> None:
    assert generator().row(FACT) == {
        "name": "X 1",
        "context": 1000,
        "output": 100,
        "price": [1, 2],
        "tiers": [[500, 1.5, 3], [900, 2, 4]],
        "disputed": True,
        "can": ["tools"],
        "cannot": ["vision"],
        "released": "2026-01",
        "retires": "2027-01-01",
        "status": "deprecated",
    }


def test_a_price_list_of_zeros_counts_as_unknown() -> None:
    assert "price" not in generator().row({**FACT, "price_usd_per_1m": {"input": 0, "output": 0}})


def test_the_committed_list_is_formatted_by_the_generator() -> None:
    """A file edited by hand would differ from the next output of the generator."""
    text = Path(models_module.PATH).read_text(encoding="utf-8")
    assert generator().render(json.loads(text)) == text


def test_the_function_is_not_replaced_by_the_module() -> None:
    """`from ailib_sync import models` is the function, also after its module was imported."""
    import ailib_sync

    assert callable(ailib_sync.models)
    assert models_module.__name__ == "ailib_sync.registry.models"
    assert ailib_sync.models is models


def test_the_client_does_not_load_the_list() -> None:
    code = "import sys, ailib_sync, ailib_sync.client; print('ailib_sync.registry.models' in sys.modules)"
    run = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert run.stdout.strip() == "False"
