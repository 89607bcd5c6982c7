"""A manifest as a server: the paths of its operations, and the rules for a request to one of them. No sockets."""

from __future__ import annotations

import json
import threading
from dataclasses import replace
from re import compile, escape, search
from urllib.parse import unquote

from ..dialects.dialect import NAMES, find, path_of
from ..embedded.rules import rules_of
from ..embedded.service import service_of
from ..registry.manifest import Manifest

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from re import Pattern
    from typing import Any

    from ..embedded.exchange import Rules, ServerRequest


class Routes:
    """The rules of all operations of a provider, by the path and the model of a request. Thread-safe."""

    def __init__(
        self,
        manifest: Manifest,
        key: str,
        strict: bool,
        fields: frozenset[str],
        *,
        models: tuple[str, ...] | None,
        page_size: int | None,
        shows_thinking: bool,
    ) -> None:
        self._manifest = manifest
        self._key = key
        self._strict = strict
        self._fields = fields
        self._models = models
        self._page_size = page_size
        self._shows_thinking = shows_thinking
        self._rules: dict[str, list[Rules]] = {}
        self._lock = threading.Lock()

    def find(self, received: ServerRequest) -> Rules:
        """The rules of the operation with this path; if there is none, those of chat in the provider's first dialect."""
        target = f"{received.path}?{received.query}" if received.query else received.path
        model = _model_in_path(target, self._rules_of("")) or _model_in_body(received.body)
        rules = self._rules_of(model)
        fitting = [one for one in rules if any(pattern.fullmatch(target) for pattern in one.targets)]
        return next((one for one in fitting if _method(one) == received.method), (fitting or rules)[0])

    def _rules_of(self, model: str) -> list[Rules]:
        with self._lock:
            found = self._rules.get(model)
            if found is None:
                found = self._rules[model] = self._make_rules(model)
        return found

    def _make_rules(self, model: str) -> list[Rules]:
        """Rules for chat in each dialect, the model's own first, and for each other operation."""
        names = dict.fromkeys((self._manifest.for_model(model).dialect, self._manifest.dialect, *self._manifest.dialects))
        parts = [("chat", self._manifest.for_model(model, name)) for name in names]
        parts += [(name, self._manifest.for_operation(name, model)) for name in self._manifest.operations]
        made = []
        for operation, manifest in parts:
            rules = rules_of(
                manifest,
                model,
                operation=operation,
                key=self._key,
                targets=_targets(operation, manifest),
                strict=self._strict,
                shows_thinking=self._shows_thinking,
            )
            fields = rules.fields | self._fields
            made.append(replace(rules, fields=fields, models=self._models, page_size=self._page_size))
        return made


def _method(rules: Rules) -> str:
    return service_of(rules.dialect).operations[rules.operation].method


def manifest_of(provider: str | Mapping[str, Any] | Manifest) -> Manifest:
    """The manifest of a provider; for a dialect, that of the embedded provider in this dialect, with a key."""
    if isinstance(provider, Manifest):
        return provider
    if not isinstance(provider, str):
        return Manifest.from_dict(provider)
    if provider in NAMES:
        manifest = Manifest.load("embedded").for_dialect(provider)
        service = service_of(provider)
        # The operations of this dialect, and of those in others only embeddings, which need nothing of a chat.
        operations = {name: {} if name in service.operations else entry for name, entry in manifest.operations.items()}
        if "count_tokens" not in service.operations:
            del operations["count_tokens"]
        return replace(manifest, auth=service.auth, dialects={}, operations=operations)
    return Manifest.load(provider)


def variables_of(manifest: Manifest) -> dict[str, str]:
    """A value for each variable of the manifest: its default, or `test` in the required form."""
    return {
        name: str(spec.get("default") or (spec.get("allowed") or ["*"])[0].replace("*", "test"))
        for name, spec in manifest.variables.items()
    }


def _filled(template: str, manifest: Manifest) -> str:
    for name, value in variables_of(manifest).items():
        template = template.replace(f"{{{name}}}", value)
    return template


def base_path(manifest: Manifest) -> str:
    """The path of the manifest's base URL."""
    found = search(r"^https?://[^/]+(/[^?]*)?", _filled(manifest.base_url, manifest))
    return (found[1] or "").rstrip("/") if found else "/v1"


def _targets(name: str, manifest: Manifest) -> tuple[Pattern[str], ...]:
    """The paths of the requests of an operation; `manifest` must be resolved for it."""
    made = []
    operation = find(manifest.dialect).operations[name]
    for path in {path_of(operation, manifest), path_of(operation, manifest, stream=operation.stream is not None)}:
        template = escape(base_path(manifest) + _filled(path, manifest)).replace(escape("{model}"), r"(?P<model>[^/?]+)", 1)
        query = r"(\?.*)?" if operation.query is not None else ""
        made.append(compile(template.replace(escape("{model}"), r"[^/?]+") + query))
    return tuple(made)


def _model_in_path(target: str, known: Iterable[Rules]) -> str:
    """The model in the path of a request, "" if there is none: after a usual name, or at the position in a known path."""
    found = search(r"/(?:models?|deployments)/([^/:?]+)", target.partition("?")[0])
    if found:
        return unquote(found[1])
    matches = (pattern.fullmatch(target) for rules in known for pattern in rules.targets if "model" in pattern.groupindex)
    return next((unquote(match["model"]) for match in matches if match), "")


def _model_in_body(raw: bytes) -> str:
    """The model in the body of a request, "" if there is none."""
    try:
        body = json.loads(raw)
    except (ValueError, RecursionError):
        return ""
    names = [body.get(key) for key in ("model", "model_id")] if isinstance(body, dict) else []
    return next((name for name in names if isinstance(name, str)), "")
