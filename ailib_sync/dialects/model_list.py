"""Lists of models: the rules that all dialects share. Pure functions.

Hosts with one wire format for chats have different fields for the same facts about a model, so one reader knows them all.
"""

from __future__ import annotations

from datetime import date, datetime

from ..registry.listing import ModelList
from ..registry.models import ModelInfo, Prices
from ..types.json_values import child, count, objects, word
from .dialect import Operation, wrong_shape

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from typing import Any

    from ..registry.listing import ModelListRequest
    from ..registry.manifest import Manifest
    from ..types.request import Ledger
    from .dialect import Received

#: Where each fact is. A dot separates nested objects.
IDS = ("id", "model", "name", "modelId", "model_id")
NAMES = ("display_name", "displayName", "modelName", "model_spec.name", "name")
OWNERS = ("owned_by", "providerName", "vendor", "publisher")
CONTEXTS = (
    "context_window", "context_length", "max_context_length", "inputTokenLimit", "max_input_tokens", "max_model_len",
    "capabilities.limits.max_context_window_tokens", "model_spec.availableContextTokens", "meta.n_ctx",
)  # fmt: skip
OUTPUTS = (
    "max_completion_tokens", "outputTokenLimit", "max_tokens", "max_output_tokens", "top_provider.max_completion_tokens",
    "capabilities.limits.max_output_tokens", "model_spec.maxCompletionTokens", "converse.maxTokensMaximum",
)  # fmt: skip
RETIREMENTS = ("retires_at", "shutdown_date", "deprecation")
#: Capability → the paths that say whether a model has it: true, or an object with `supported`.
SUPPORT: Mapping[str, tuple[str, ...]] = {
    "tools": (
        "capabilities.function_calling", "capabilities.supports.tool_calls",
        "model_spec.capabilities.supportsFunctionCalling",
    ),
    "vision": (
        "capabilities.image_input", "capabilities.vision", "capabilities.supports.vision",
        "model_spec.capabilities.supportsVision",
    ),
    "audio": ("capabilities.audio", "model_spec.capabilities.supportsAudioInput"),
    "video": ("model_spec.capabilities.supportsVideoInput",),
    "documents": ("capabilities.pdf_input",),
    "json_schema": (
        "capabilities.structured_outputs", "capabilities.supports.structured_outputs",
        "model_spec.capabilities.supportsResponseSchema",
    ),
    "reasoning": ("capabilities.thinking", "capabilities.reasoning", "thinking", "model_spec.capabilities.supportsReasoning"),
}  # fmt: skip
#: Lists of words → the capability that each word means. The lists are complete: a capability without its word is absent.
WORDS: Mapping[str, Mapping[str, str]] = {
    "supported_parameters": {"tools": "tools", "structured_outputs": "json_schema", "reasoning": "reasoning"},
    "architecture.input_modalities": {"image": "vision", "audio": "audio", "video": "video", "file": "documents"},
    "inputModalities": {"IMAGE": "vision", "SPEECH": "audio", "VIDEO": "video"},
    "features": {"tools": "tools", "vision": "vision", "json_schema": "json_schema", "reasoning": "reasoning"},
    "capabilities": {"tools": "tools", "vision": "vision", "thinking": "reasoning"},
}
#: The provider's word for the state of a model, in lower case → ours.
STATES: Mapping[str, str] = {
    "active": "live", "available": "live", "live": "live", "legacy": "deprecated", "deprecated": "deprecated",
    "retired": "shutdown", "beta": "beta", "preview": "beta", "experimental": "beta",
}  # fmt: skip


def models_operation(
    path: str = "/models",
    query: Callable[[ModelListRequest], Mapping[str, str]] | None = None,
    next_page: Callable[[dict[str, Any]], Any] = lambda body: None,
) -> Operation:
    """The list of models. `next_page` finds the token of the next page in a body, `query` puts it into the next request."""

    def parse(received: Received, manifest: Manifest) -> ModelList:
        body = received.body
        token = word(next_page(body)) if isinstance(body, dict) else None
        return ModelList([read_model(item, manifest, body) for item in _items(body, manifest)], next_page=token or None)

    return Operation("models", _no_body, parse, {}, path, method="GET", query=query)


def model_operation(path: str = "/models/{model}", *, inside: str = "") -> Operation:
    """One model: the body, or the object under `inside` in it."""

    def parse(received: Received, manifest: Manifest) -> ModelList:
        body = received.body
        item = body.get(inside) if inside and isinstance(body, dict) else body
        if not isinstance(item, dict):
            raise wrong_shape(manifest, "it has no object with a model", body)
        return ModelList([read_model(item, manifest, body)])

    return Operation("model", _no_body, parse, {}, path, method="GET")


def _no_body(request: ModelListRequest, manifest: Manifest, ledger: Ledger) -> None:
    return None


def _items(body: Any, manifest: Manifest) -> list[dict[str, Any]]:
    """The models in a body: under `data`, otherwise `models` or `modelSummaries`, or the body itself is the list."""
    if isinstance(body, list):
        return objects(body)
    if isinstance(body, dict):
        for key in ("data", "models", "modelSummaries", "publisherModels"):
            if isinstance(body.get(key), list):
                return objects(body[key])
        if not body or body.keys() <= {"nextPageToken", "next_page_token", "has_more"}:
            return []  # an empty page, where the format omits empty lists
    raise wrong_shape(manifest, "it has no list of models", body)


def read_model(item: dict[str, Any], manifest: Manifest, body: Any) -> ModelInfo:
    """One model of a list. Raises ProtocolError if it has no id."""
    id = word(_first(item, IDS))
    if not id:
        raise wrong_shape(manifest, "a model has no id", body)
    id = id.removeprefix("models/").removeprefix("publishers/google/models/")
    retires = _day(_first(item, RETIREMENTS))
    return ModelInfo(
        provider=manifest.id,
        id=id,
        name=word(_first(item, NAMES)) or id,
        context_window=_positive(_first(item, CONTEXTS)),
        max_output=_positive(_first(item, OUTPUTS)),
        prices=_prices(item),
        capabilities=_capabilities(item),
        released=None,
        retires=retires,
        status=_status(item, retires),
        created=_created(item),
        owner=word(_first(item, OWNERS)),
        reported=item,
    )


def _first(item: dict[str, Any], paths: tuple[str, ...]) -> Any:
    """The first path's value that is not absent, null or empty."""
    for path in paths:
        value: Any = item
        for key in path.split("."):
            value = value.get(key) if isinstance(value, dict) else None
        if value not in (None, "", [], {}):
            return value
    return None


def _positive(value: Any) -> int | None:
    return count(value) or None


def _capabilities(item: dict[str, Any]) -> dict[str, bool]:
    """The capabilities that the provider says the model has or does not have."""
    found: dict[str, bool] = {}
    for path, meanings in WORDS.items():
        words = _first(item, (path,))
        if isinstance(words, list):
            found.update({capability: word in words for word, capability in meanings.items()})
    for capability, paths in SUPPORT.items():
        value = _first(item, paths)
        if isinstance(value, dict):
            value = value.get("supported")
        if isinstance(value, bool):
            found[capability] = value
    return found


def _status(item: dict[str, Any], retires: date | None) -> str:
    state = _first(item, ("lifecycle", "modelLifecycle.status", "lifecycle_status", "status", "state"))
    if item.get("is_deprecated") is True or item.get("deprecated_at") or retires:
        return "deprecated"
    if item.get("active") is True:
        return "live"
    return STATES.get(str(state).lower(), "unknown")


def _created(item: dict[str, Any]) -> int | None:
    """Seconds since 1970. Hosts that do not know the time send 0."""
    if _positive(item.get("created")):
        return count(item["created"])
    moment = _moment(item.get("created_at"))
    return (int(moment.timestamp()) or None) if moment else None


def _day(value: Any) -> date | None:
    moment = _moment(value)
    return moment.date() if moment else None


def _moment(value: Any) -> datetime | None:
    """An ISO 8601 time. Python 3.10 reads neither `Z` nor more than six digits of a second."""
    if not isinstance(value, str):
        return None
    try:
        return datetime.fromisoformat(value[:19] + "+00:00" if len(value) > 10 else f"{value}T00:00:00+00:00")
    except ValueError:
        return None


def _prices(item: dict[str, Any]) -> Prices | None:
    """US dollars per million tokens, where the list has them: per token under `prompt` and `completion`, or per million under
    `input` and `output`."""
    pricing = child(item, "pricing") or child(child(item, "model_spec"), "pricing")
    per_token, per_million = (_price(pricing, *names) for names in (("prompt", "completion"), ("input", "output")))
    if per_token is not None:
        return Prices(round(per_token[0] * 1e6, 6), round(per_token[1] * 1e6, 6))
    return Prices(*per_million) if per_million is not None and pricing.get("unit") == "usd_per_1m_tokens" else None


def _price(pricing: dict[str, Any], *names: str) -> tuple[float, float] | None:
    try:
        input, output = (float(pricing[name]) for name in names)
    except (KeyError, TypeError, ValueError):
        return None
    return (input, output) if input >= 0 and output >= 0 else None
