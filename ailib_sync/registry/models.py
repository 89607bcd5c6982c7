"""Facts about models: limits, prices, capabilities, retirements. A dated list, read at its first use; no network.

Calls do not use it: a model that is not in the list can be called too, and its `cost` is None.
"""

from __future__ import annotations

import os
from functools import lru_cache
from re import compile

from .._dataclass import dataclass, field
from ..errors import ConfigurationError
from .manifest import index, read_json
from .retirements import retirement_warning

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import date
    from typing import Any

    from ..types.response import Usage

PATH = os.path.join(os.path.dirname(os.path.dirname(__file__)), "data", "models.json")
CAPABILITIES = ("tools", "vision", "audio", "video", "documents", "json_schema", "reasoning", "prompt_caching")


@dataclass(frozen=True, slots=True)
class Prices:
    """US dollars per million tokens. None: unknown, or no separate price."""

    input: float
    output: float
    cache_read: float | None = None
    cache_write: float | None = None


@dataclass(frozen=True, slots=True)
class ModelInfo:
    """One model of one provider. `context_window` and `max_output` are in tokens.

    `models()` and `client.model_info()` return the facts of this package's list, as of its date (`as_of()`).
    `client.list_models()` returns what the provider reports, with `created` (seconds since 1970), `owner` and `reported` (the
    provider's own JSON), and adds facts of the list; `added` names the fields that have them.

    `tiers` are (prompt tokens, prices) pairs: for a longer prompt, these prices apply to all tokens. `disputed` is True if the
    sources of the prices differ by more than one per cent. `capabilities` omits the unknown ones. `temperature_supported` is
    None if it is unknown or depends on the reasoning effort. `status` is `live`, `beta`, `deprecated` (a retirement is
    announced), `shutdown` or `unknown`; `retires` is the announced day.
    """

    provider: str
    id: str
    name: str
    context_window: int | None = None
    max_output: int | None = None
    prices: Prices | None = None
    tiers: tuple[tuple[int, Prices], ...] = ()
    disputed: bool = False
    capabilities: Mapping[str, bool] = field(default_factory=dict)
    temperature_supported: bool | None = None
    knowledge_cutoff: str | None = None
    released: str | None = None
    retires: date | None = None
    status: str = "unknown"
    created: int | None = None
    owner: str | None = None
    added: tuple[str, ...] = ()
    reported: Mapping[str, Any] = field(default_factory=dict, repr=False, compare=False)

    def cost(self, usage: Usage) -> float | None:
        """The cost of these tokens in US dollars; None if a price or a number of tokens is unknown.

        Cached and cache-written tokens have their own prices. If these are unknown, the input price is used, which is an upper
        bound for cached tokens. Prices for longer caching, batches and priority processing are not in the list.
        """
        if self.prices is None or usage.prompt_tokens is None or usage.completion_tokens is None:
            return None
        prices = self._prices_at(self.prices, usage.prompt_tokens)
        read, written = usage.cached_tokens or 0, usage.cache_write_tokens or 0
        plain = max(usage.prompt_tokens - read - written, 0)
        dollars = plain * prices.input + usage.completion_tokens * prices.output
        dollars += read * (prices.input if prices.cache_read is None else prices.cache_read)
        dollars += written * (prices.input if prices.cache_write is None else prices.cache_write)
        return dollars / 1_000_000

    def _prices_at(self, prices: Prices, prompt_tokens: int) -> Prices:
        for above, tier in self.tiers:
            if prompt_tokens > above:
                prices = tier
        return prices

    def retirement_warning(self, today: date | None = None) -> str | None:
        """A warning if the model is retired or will be within 30 days, otherwise None."""
        end = self.retires.isoformat() if self.retires else "shutdown" if self.status == "shutdown" else None
        return retirement_warning(f"{self.provider}/{self.id}", end, today) if end else None


def models(
    provider: str | None = None, *, capability: str | None = None, min_context: int = 0, shutdown: bool = False
) -> list[ModelInfo]:
    """The known models of all providers, or of one (an id or an alias), sorted by provider and id.

    `capability`, one of `CAPABILITIES`, selects the models that are known to support it. `min_context` is in tokens. Models
    that were shut down are omitted unless `shutdown` is true.
    """
    if capability is not None and capability not in CAPABILITIES:
        raise ConfigurationError(f"unknown capability {capability!r}; the capabilities are {', '.join(CAPABILITIES)}")
    tables = _models()
    chosen = tables.values() if provider is None else [tables.get(_canonical(provider), {})]
    return [
        info
        for table in chosen
        for info in table.values()
        if (capability is None or info.capabilities.get(capability))
        and (info.context_window or 0) >= min_context
        and (shutdown or info.status != "shutdown")
    ]


def model_info(provider: str, model: str) -> ModelInfo | None:
    """The facts about this model; None if it is not in the list. It is found by its id, an alias, or its id without the version
    at its end (a date, `latest` or `default`).

    >>> model_info("openai", "gpt-4o-2024-08-06").id
    'gpt-4o'
    """
    provider = _canonical(provider)
    table = _models().get(provider, {})
    model = _data()["aliases"].get(provider, {}).get(model, model)
    if model in table:
        return table[model]
    name = _without_version(model)
    if name in table:
        return table[name]
    versions = [info for id, info in table.items() if _without_version(id) == name]
    return versions[-1] if versions else None


def with_provider(model: str) -> list[str]:
    """At most two `provider/model` that a name without a provider can mean: from the list, or by the first word of the name.

    >>> with_provider("gpt-4o"), with_provider("openai:gpt-4o"), with_provider("claude-1")
    (['openai/gpt-4o'], ['openai/gpt-4o'], ['anthropic/claude-1'])
    """
    from .files import provider_ids

    known = {*provider_ids(), *index()["aliases"]}
    first, colon, rest = model.partition(":")
    if colon and rest and _canonical(first) in known:
        return [f"{first}/{rest}"]
    listed = [f"{provider}/{model}" for provider, table in _models().items() if model in table]
    if listed:
        return listed[:2]
    from difflib import get_close_matches

    ids = {id: provider for provider, table in reversed(_models().items()) for id in table}
    similar = [f"{ids[id]}/{id}" for id in get_close_matches(model, ids, 2, 0.9)]
    family = _FIRST_WORD.match(model.lower())
    return similar or ([f"{_canonical(family[0])}/{model}"] if family and family[0] in known else [])


_FIRST_WORD = compile(r"[a-z]+")


def as_of() -> str:
    """The date of the list (2026-01-31)."""
    day: str = _data()["generated"]
    return day


#: The version at the end of a model's id: a date, `latest` or `default`.
_VERSION = compile(r"[-@](20\d\d-?[01]\d-?[0-3]\d|latest|default)")


def _without_version(model: str) -> str:
    match = _VERSION.search(model)
    return model[: match.start()] if match and match.end() == len(model) else model


def _canonical(provider: str) -> str:
    aliases: dict[str, str] = index()["aliases"]
    return aliases.get(provider, provider)


@lru_cache(maxsize=1)
def _data() -> dict[str, Any]:
    return read_json(PATH)


@lru_cache(maxsize=1)
def _models() -> dict[str, dict[str, ModelInfo]]:
    return {
        provider: {id: _info(provider, id, row) for id, row in table.items()} for provider, table in _data()["models"].items()
    }


def _info(provider: str, id: str, row: Mapping[str, Any]) -> ModelInfo:
    from datetime import date

    known = dict.fromkeys(row.get("can", ()), True) | dict.fromkeys(row.get("cannot", ()), False)
    return ModelInfo(
        provider=provider,
        id=id,
        name=row.get("name", id),
        context_window=row.get("context"),
        max_output=row.get("output"),
        prices=Prices(*row["price"]) if "price" in row else None,
        tiers=tuple((above, Prices(*price)) for above, *price in row.get("tiers", ())),
        disputed=row.get("disputed", False),
        capabilities=known,
        temperature_supported=row.get("temperature"),
        knowledge_cutoff=row.get("cutoff"),
        released=row.get("released"),
        retires=date.fromisoformat(row["retires"]) if "retires" in row else None,
        status=row.get("status", "live"),
    )
