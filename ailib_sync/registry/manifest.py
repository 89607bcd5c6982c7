"""Manifests: a provider's URL, authentication and deviations from its dialect. JSON in, one frozen `Manifest` out. No network.

A built-in manifest is one file in `manifests/`. Tests check it against `schema.json`; it is loaded without further checks. A
user's manifest (a dict, a path, a file in the folder `AILIB_MANIFESTS`) is not trusted, and checked by `check` first.
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
    """One provider. `manifests/schema.json` describes the keys; `for_model` applies the rules in `models`.

    `trusted` is False for a user's manifest; `source` is the file or "a dict", for messages.
    """

    id: str
    name: str
    dialect: str
    base_url: str
    base_url_env: Mapping[str, str] = field(default_factory=dict)
    allow_http: bool = False
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
    values: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
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
    capabilities: Mapping[str, bool | None] = field(default_factory=dict)
    trusted: bool = True
    source: str = ""

    @classmethod
    def from_dict(cls, data: Mapping[str, Any], *, source: str = "a dict", trusted: bool = False) -> Manifest:
        """A manifest from its JSON form. Raises ManifestError with the wrong key and the allowed values."""
        data = extended(data)
        if not trusted:
            from .check import check  # only for users' manifests

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
        """A user's manifest from a JSON file."""
        return cls.from_dict(read_json(os.fspath(path), unique_keys=True), source=os.fspath(path))

    @classmethod
    def from_ai_protocol(
        cls, data: Mapping[str, Any], *, source: str = "a dict", trusted: bool = False
    ) -> tuple[Manifest, Report]:
        """A manifest from AI-Protocol's form (v1 or v2), and a report of the used and unused fields.

        `trusted=True` allows the file to send any API key that it names to any host that it names.
        """
        from .ai_protocol import translate

        translated, report = translate(data)
        return cls.from_dict(translated, source=source, trusted=trusted), report

    @classmethod
    def load(cls, provider: str) -> Manifest:
        """The manifest with this id or alias: from the user's folder `AILIB_MANIFESTS`, otherwise a built-in one."""
        folder = os.environ.get("AILIB_MANIFESTS")
        if folder and is_id(provider):
            path = os.path.join(folder, f"{provider}.json")
            if os.path.exists(path):
                return cls.from_path(path)
        return _builtin(provider)

    def for_model(self, model: str, dialect: str | None = None) -> Manifest:
        """This manifest, resolved for a model: with every matching rule of `models`, in the file's order; later ones win.

        Its dialect is `dialect` if given, otherwise the one that a rule requires for the model, otherwise the manifest's own.
        """
        rules = [rule for pattern, rule in self.models.items() if matches(pattern, model)]
        chosen = dialect or next((rule["dialect"] for rule in reversed(rules) if "dialect" in rule), self.dialect)
        if chosen != self.dialect:
            return self.for_dialect(chosen).for_model(model, chosen)
        merged = self
        for rule in rules:
            merged = merged._merged({key: value for key, value in rule.items() if key != "dialect"})
        return merged

    def for_dialect(self, dialect: str) -> Manifest:
        """This manifest for another dialect of the provider. Raises ManifestError if the provider does not have it.

        The settings of `FORMAT_DEFAULTS` are not inherited, except those that the entry `keeps`; all other settings are.
        """
        if dialect == self.dialect:
            return self
        if dialect not in self.dialects:
            names = ", ".join((self.dialect, *self.dialects))
            raise ManifestError(f"{self.id} has no dialect {dialect!r}; it has {names}")
        entry = dict(self.dialects[dialect])
        kept = entry.pop("keeps", ())
        defaults = {key: value for key, value in FORMAT_DEFAULTS.items() if key not in kept}
        return replace(self, dialect=dialect, **defaults)._merged(entry)

    def operation_names(self) -> tuple[str, ...]:
        """The operations of the provider. The top-level keys of a manifest describe chat, `operations` describes the others."""
        return (*(() if self.status == "not_chat" else ("chat",)), *self.operations)

    def for_operation(self, operation: str, model: str) -> Manifest:
        """This manifest for one operation: itself for chat, which `for_model` resolves.

        The settings of `FORMAT_DEFAULTS`, `defaults` and `limits` are not inherited from chat, except by operations that send
        the body of a chat (`OF_CHATS`); the operation's own rules for `model` are applied. Raises ConfigurationError if the
        provider is retired or does not have the operation.
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
        if operation in OF_CHATS:
            inherited = self.for_model(model, entry.pop("dialect", None))
        else:
            inherited = replace(self, **FORMAT_DEFAULTS, defaults={}, limits={})
        merged = inherited._merged(_with_path(entry, operation))
        for pattern, rule in rules.items():
            if matches(pattern, model):
                merged = merged._merged(_with_path(rule, operation))
        return merged

    def add_constants(self, body: dict[str, Any], values: Mapping[str, str]) -> dict[str, Any]:
        """`body`, with the constants of the manifest's `body` added. Existing fields are kept; null removes a field.

        `values` contains `model` and the variables, which the constants may name in braces.
        """
        for key, value in self.body.items():
            if value is None:
                body.pop(key, None)
            else:
                body.setdefault(key, filled(value, values) if isinstance(value, str) else value)
        return body

    def has(self, quirk: str) -> bool:
        """Whether the manifest lists this quirk (see `quirks`)."""
        return quirk in self.quirks

    def finish_reason(self, word: str | None, table: Mapping[str, str]) -> str | None:
        """The normalized finish reason for the provider's `word`; an unknown word is returned unchanged."""
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
        """The exception for an error response (`status` None: an error in a stream). `words` is the dialect's code table."""
        statuses = {int(code): name for code, name in self.errors.get("statuses", {}).items()}
        name = classify(status, details, {**words, **self.errors.get("codes", {})}, statuses)
        if name in ("invalid_request", "permission_denied", "rate_limited", "server_error"):
            from .error_messages import more_exact  # few calls fail

            name = more_exact(name, f"{details.message}\n{details.upstream}")
        return CLASSES[name](
            details.message or f"the provider responded with status {status} and no message",
            status_code=status,
            error_type=details.type,
            error_code=details.code,
            request_id=request_id,
            retry_after=retry_after if retry_after is not None else details.retry_after,
            body=body,
            provider=self.id,
        )

    def _merged(self, overrides: Mapping[str, Any]) -> Manifest:
        """This manifest with `overrides`: objects are merged by key, quirks are added, other values are replaced.

        A `reasoning` with a style replaces the earlier one, because the other keys have a meaning for one style only.
        """
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


#: The operations that send the body of a chat.
OF_CHATS = ("count_tokens",)
#: The settings that apply to one wire format only, and their defaults.
FORMAT_DEFAULTS: dict[str, Any] = {
    "paths": {},
    "body": {},
    "parameters": {},
    "values": {},
    "reasoning": None,
    "tool_choice": ("auto", "none", "required", "tool"),
    "response_format": ("text", "json", "json_schema"),
    "quirks": (),
    "stream_end": (),
    "models": {},
}


def _with_path(entry: Mapping[str, Any], operation: str) -> dict[str, Any]:
    """The entry of an operation, with its `path` moved into `paths`."""
    values = dict(entry)
    if "path" in values:
        values["paths"] = {operation: values.pop("path")}
    return values


def _field_names() -> frozenset[str]:
    return frozenset(Manifest.__match_args__)


def filled(template: str, values: Mapping[str, str]) -> str:
    """The template with every `{name}` replaced by its value; unknown names are kept.

    `str.format` is not safe for users' manifests: it evaluates attributes (`{model.__class__}`).
    """
    text, *parts = template.split("{")
    for part in parts:
        name, brace, rest = part.partition("}")
        text += values[name] + rest if brace and name in values else "{" + part
    return text


def matches(patterns: str, model: str) -> bool:
    """Whether one of the globs, separated by `|`, matches: `*` is any text, `?` one character; the rest is literal."""
    return any(_glob_matches(pattern, model) for pattern in patterns.split("|"))


def _glob_matches(pattern: str, text: str) -> bool:
    # Not with `re`: compiling the globs of one manifest would take longer than the rest of creating a client.
    head, *parts = pattern.split("*")
    if not parts:
        return len(text) == len(head) and _matches_at(text, head, 0)
    tail = parts.pop()
    end = len(text) - len(tail)
    if end < len(head) or not _matches_at(text, head, 0) or not _matches_at(text, tail, end):
        return False
    position = len(head)
    for part in parts:  # the first match of each part is enough: it leaves the most text for the next ones
        while not (found := position + len(part) <= end and _matches_at(text, part, position)) and position < end:
            position += 1
        if not found:
            return False
        position += len(part)
    return True


def _matches_at(text: str, part: str, position: int) -> bool:
    """Whether `part`, which has no `*`, matches at this position of `text`."""
    if "?" not in part:
        return text.startswith(part, position)
    return len(text) - position >= len(part) and all(a in ("?", b) for a, b in zip(part, text[position:], strict=False))


@lru_cache(maxsize=256)
def _builtin(provider: str) -> Manifest:
    path = builtin_path(provider)
    if path is not None:
        return Manifest.from_dict(read_json(path), source=f"manifests/{provider}.json", trusted=True)
    if provider in index()["aliases"]:
        return _builtin(index()["aliases"][provider])
    if not is_id(provider):
        raise ManifestError(f"{provider!r} is not a provider's id; a model is written provider/model, like openai/gpt-4o")
    raise unknown_provider(provider)


def builtin_manifests() -> Iterator[Manifest]:
    """Every built-in manifest. Reads a hundred files: for lists and tests only."""
    return map(_builtin, provider_ids())
