"""Manifests: where a provider is and which habits it has. JSON in, one frozen `Manifest` out. No network, no conditions.

A manifest of ours is one file in `manifests/`, proven by tests against `schema.json` and loaded without further checks. A
manifest from outside (a dict, a path, a file in the folder `AILIB_MANIFESTS`) is checked by `manifest_check` first.
"""

from __future__ import annotations

import os
from functools import lru_cache

from .._dataclass import dataclass, field, replace
from ..errors import CLASSES, ConfigurationError, ErrorDetails, ManifestError, RemoteError, classify
from .files import builtin_path, extended, is_id, unknown_provider
from .files import index as index
from .files import provider_ids as provider_ids
from .files import read_json as read_json

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from typing import Any

    from .ai_protocol import Report


@dataclass(frozen=True, slots=True)
class Manifest:
    """One provider. The keys are described in `manifests/schema.json`; `for_model` applies what `models` says.

    `trusted` is False for a manifest from outside; `source` is the file or "a dict", for messages.
    """

    id: str
    name: str
    dialect: str
    base_url: str
    aliases: tuple[str, ...] = ()
    docs: str | None = None
    status: str = "documented"
    retired: Mapping[str, str] | None = None
    dialects: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    paths: Mapping[str, str] = field(default_factory=dict)
    variables: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    auth: Mapping[str, Any] = field(default_factory=lambda: {"scheme": "bearer"})
    headers: Mapping[str, str] = field(default_factory=dict)
    body: Mapping[str, Any] = field(default_factory=dict)
    parameters: Mapping[str, str | None] = field(default_factory=dict)
    defaults: Mapping[str, Any] = field(default_factory=dict)
    limits: Mapping[str, Any] = field(default_factory=dict)
    models: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    operations: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    quirks: tuple[str, ...] = ()
    reasoning: Mapping[str, Any] | None = None
    tool_choice: tuple[str, ...] = ("auto", "none", "required", "tool")
    response_format: tuple[str, ...] = ("text", "json", "json_schema")
    stream_end: tuple[str, ...] = ()
    finish_reasons: Mapping[str, str] = field(default_factory=dict)
    errors: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    request_id: tuple[str, ...] = ("x-request-id", "request-id")
    idempotency_header: str | None = None
    capabilities: Mapping[str, bool | None] = field(default_factory=dict)
    trusted: bool = True
    source: str = ""

    @classmethod
    def from_dict(cls, data: Mapping[str, Any], *, source: str = "a dict", trusted: bool = False) -> Manifest:
        """A manifest from its JSON form. Raises ManifestError naming the key and what is allowed."""
        data = extended(data)
        if not trusted:
            from .check import check  # only manifests from outside need it

            check(data, source)
        known = _field_names()
        values: dict[str, Any] = {
            key: tuple(value) if isinstance(value, list) else value
            for key, value in data.items()
            if key in known and key not in ("trusted", "source")
        }
        return cls(**values, trusted=trusted, source=source)

    @classmethod
    def from_path(cls, path: str | os.PathLike[str]) -> Manifest:
        """A manifest from a JSON file of the user's."""
        return cls.from_dict(read_json(os.fspath(path)), source=os.fspath(path))

    @classmethod
    def from_ai_protocol(
        cls, data: Mapping[str, Any], *, source: str = "a dict", trusted: bool = False
    ) -> tuple[Manifest, Report]:
        """A manifest from AI-Protocol's form (v1 or v2), with a report of the fields used and those that could not be.

        `trusted` vouches for the file: the keys it names may go to the address it names, whoever's they are.
        """
        from .ai_protocol import translate

        translated, report = translate(data)
        return cls.from_dict(translated, source=source, trusted=trusted), report

    @classmethod
    def load(cls, provider: str) -> Manifest:
        """The manifest with this id or alias: the user's folder `AILIB_MANIFESTS` first, then ours."""
        folder = os.environ.get("AILIB_MANIFESTS")
        if folder and is_id(provider):
            path = os.path.join(folder, f"{provider}.json")
            if os.path.exists(path):
                return cls.from_path(path)
        return _builtin(provider)

    def for_model(self, model: str, dialect: str | None = None) -> Manifest:
        """This manifest with every override whose glob matches `model`, in the file's order; later ones win.

        It speaks `dialect` where that is given, else the one that `models` names for a model which works in no other.
        """
        rules = [rule for pattern, rule in self.models.items() if matches(pattern, model)]
        wanted = dialect or next((rule["dialect"] for rule in reversed(rules) if "dialect" in rule), self.dialect)
        if wanted != self.dialect:
            return self.for_dialect(wanted).for_model(model, wanted)
        merged = self
        for rule in rules:
            merged = merged._over({key: value for key, value in rule.items() if key != "dialect"})
        return merged

    def for_dialect(self, dialect: str) -> Manifest:
        """This manifest for another of the formats it speaks. Raises ManifestError where it does not speak it.

        Who and where are inherited; the names and habits of the first format are not, but for those the second `keeps`.
        """
        if dialect == self.dialect:
            return self
        if dialect not in self.dialects:
            spoken = ", ".join((self.dialect, *self.dialects))
            raise ManifestError(f"{self.id} does not speak {dialect!r}; it speaks {spoken}")
        entry = dict(self.dialects[dialect])
        kept = entry.pop("keeps", ())
        fresh = {key: value for key, value in HABITS.items() if key not in kept}
        return replace(self, dialect=dialect, **fresh)._over(entry)

    def operation_names(self) -> tuple[str, ...]:
        """What the provider can be asked for. The keys at the top of a manifest describe its chat, `operations` the others."""
        return (*(() if self.status == "not_chat" else ("chat",)), *self.operations)

    def for_operation(self, operation: str, model: str) -> Manifest:
        """This manifest, resolved for a model, as it is for one operation.

        Who and where are inherited; the names and habits of the chat are not. Raises ConfigurationError where the provider has
        been retired or has no such operation.
        """
        facts = self.retired or {}
        if self.status == "retired":
            reason = f"{self.name} has been retired since {facts.get('since', '?')}. Use instead: {facts.get('use', '?')}"
            raise ConfigurationError(reason, provider=self.id)
        names = self.operation_names()
        if operation not in names:
            if operation == "chat":
                reason = f"{self.name} is not a chat service. {facts.get('use', '')}".rstrip()
            else:
                reason = f"{self.name} has no operation {operation} here; it has {', '.join(names) or 'none'}"
            raise ConfigurationError(reason, provider=self.id)
        if operation == "chat":
            return self
        entry = dict(self.operations[operation])
        rules = entry.pop("models", {})
        merged = replace(self, **HABITS, defaults={}, limits={})._over(_with_path(entry, operation))
        for pattern, rule in rules.items():
            if matches(pattern, model):
                merged = merged._over(_with_path(rule, operation))
        return merged

    def complete(self, body: dict[str, Any], values: Mapping[str, str]) -> dict[str, Any]:
        """`body` with the constants of this manifest's `body`; what stands there already wins, null takes a field out.

        `values` holds `model` and the variables, which the constants may name in braces.
        """
        for key, value in self.body.items():
            if value is None:
                body.pop(key, None)
            else:
                body.setdefault(key, filled(value, values) if isinstance(value, str) else value)
        return body

    def has(self, quirk: str) -> bool:
        return quirk in self.quirks

    def finish_reason(self, word: str | None, table: Mapping[str, str]) -> str | None:
        """The normalised finish reason for the provider's `word`; its own word where nobody knows it."""
        if word is None:
            return None
        return self.finish_reasons.get(word) or table.get(word) or word

    def error(
        self,
        status: int | None,
        details: ErrorDetails,
        words: Mapping[str, str],
        *,
        body: str | None = None,
        request_id: str | None = None,
        retry_after: float | None = None,
    ) -> RemoteError:
        """The exception for a provider's error answer (`status` None: met in a stream). `words` is the dialect's table."""
        statuses = {int(code): name for code, name in self.errors.get("statuses", {}).items()}
        name = classify(status, details, {**words, **self.errors.get("codes", {})}, statuses)
        return CLASSES[name](
            details.message or f"the provider answered {status} without a message",
            status_code=status,
            error_type=details.type,
            error_code=details.code,
            request_id=request_id,
            retry_after=retry_after if retry_after is not None else details.retry_after,
            body=body,
            provider=self.id,
        )

    def _over(self, overrides: Mapping[str, Any]) -> Manifest:
        """`overrides` on top of this: objects are merged by key (a `reasoning` with another style is not), quirks added."""
        values: dict[str, Any] = {}
        for key, value in overrides.items():
            old = getattr(self, key)
            if isinstance(value, dict) and isinstance(old, dict) and "style" not in value:
                values[key] = {**old, **value}
            elif key == "quirks":
                values[key] = tuple(dict.fromkeys((*old, *value)))
            else:
                values[key] = tuple(value) if isinstance(value, list) else value
        return replace(self, **values)


#: The keys that hold habits of one format, as they are where nothing is said.
HABITS: dict[str, Any] = {
    "paths": {},
    "body": {},
    "parameters": {},
    "reasoning": None,
    "tool_choice": ("auto", "none", "required", "tool"),
    "response_format": ("text", "json", "json_schema"),
    "quirks": (),
    "stream_end": (),
    "models": {},
}


def _with_path(entry: Mapping[str, Any], operation: str) -> dict[str, Any]:
    """The entry of one operation with its `path` under `paths`."""
    values = dict(entry)
    if "path" in values:
        values["paths"] = {operation: values.pop("path")}
    return values


def _field_names() -> frozenset[str]:
    return frozenset(Manifest.__match_args__)


def filled(template: str, values: Mapping[str, str]) -> str:
    """Names in braces replaced, where `values` has them. Not str.format, which would follow attributes that a manifest from
    outside may name."""
    text, *pieces = template.split("{")
    for piece in pieces:
        name, brace, rest = piece.partition("}")
        text += values[name] + rest if brace and name in values else "{" + piece
    return text


def matches(patterns: str, model: str) -> bool:
    """Whether one of the globs, parted by `|`, fits: `*` stands for anything, `?` for one character, the rest for itself."""
    return any(_fits(pattern, model) for pattern in patterns.split("|"))


def _fits(pattern: str, text: str) -> bool:
    # Without `re`: compiling the globs of one manifest takes longer than everything else at the making of a client.
    head, *pieces = pattern.split("*")
    if not pieces:
        return len(text) == len(head) and _begins(text, head, 0)
    tail = pieces.pop()
    end = len(text) - len(tail)
    if end < len(head) or not _begins(text, head, 0) or not _begins(text, tail, end):
        return False
    at = len(head)
    for piece in pieces:
        while not (found := at + len(piece) <= end and _begins(text, piece, at)) and at < end:
            at += 1
        if not found:
            return False
        at += len(piece)
    return True


def _begins(text: str, piece: str, at: int) -> bool:
    """Whether `piece` stands at this place of `text`, which is long enough."""
    if "?" not in piece:
        return text.startswith(piece, at)
    return len(text) - at >= len(piece) and all(a in ("?", b) for a, b in zip(piece, text[at:], strict=False))


@lru_cache(maxsize=256)
def _builtin(provider: str) -> Manifest:
    path = builtin_path(provider)
    if path is not None:
        return Manifest.from_dict(read_json(path), source=f"manifests/{provider}.json", trusted=True)
    if provider in index()["aliases"]:
        return _builtin(index()["aliases"][provider])
    if not is_id(provider):
        raise ManifestError(f"{provider!r} is not a provider's id; a model is written provider/model, as in openai/gpt-4o")
    raise unknown_provider(provider)


def builtin_manifests() -> Iterator[Manifest]:
    """Every built-in manifest; reads a hundred files, so for lists and tests only."""
    return map(_builtin, provider_ids())
