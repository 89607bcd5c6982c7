"""AI-Protocol manifests (v1, v1.5, v2) → this package's form, and a report of the used fields. Dicts in, dicts out.

AI-Protocol describes the parsing of responses with paths and expressions. Here the dialects parse responses, so these fields
are unused and listed in the report. Specification: https://github.com/ailib-official/ai-protocol
"""

from __future__ import annotations

from re import sub

from .._dataclass import dataclass
from ..errors import CLASSES, ManifestError
from .ai_protocol_words import CAPABILITIES, ERRORS, FINISH, FORMATS, KEY_HEADERS, MULTIMODAL, OPTIONS, PATHS, reason

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from typing import Any


@dataclass(frozen=True, slots=True)
class Report:
    """The fields of an AI-Protocol file: the dotted paths that were `used`, and (path, reason) of the `unused` ones.

    `version` is the protocol version in the file.
    """

    version: str
    used: tuple[str, ...]
    unused: tuple[tuple[str, str], ...]


def translate(data: Mapping[str, Any]) -> tuple[dict[str, Any], Report]:
    """The provider's manifest in the form of this package, and the report.

    A provider without chat, or with a format that no dialect supports, gets the status `not_chat` and the reason. Raises
    ManifestError with every missing field.
    """
    source = _Source(data)
    version = _required(source)
    manifest: dict[str, Any] = {"id": source.take("id", str), "name": source.take("name", str) or source.take("id", str)}
    if aliases := source.take("aliases", list):
        manifest["aliases"] = aliases
    if (docs := source.take("official_url", str)) and docs.startswith("https://"):
        manifest["docs"] = docs
    dialect, paths, others = _formats(source)
    if dialect is None:
        manifest |= {"status": "not_chat", "retired": {"use": _no_chat_reason(source)}, "dialect": "openai_chat"}
    else:
        manifest |= {"status": "unverified", "dialect": dialect}
    manifest |= _urls(source, paths)
    auth, headers = _auth(source, dialect)
    manifest["auth"] = auth if dialect else {"scheme": "none"}  # nothing can be sent
    parts = {
        "headers": headers,
        "parameters": _parameters(source) if dialect == "openai_chat" else {},
        "defaults": _defaults(source),
        "limits": _limits(source),
        "reasoning": _reasoning(source) if dialect == "openai_chat" else {},
        "finish_reasons": _finish_reasons(source),
        "errors": _errors(source),
        "capabilities": _capabilities(source),
        "dialects": {name: {"paths": other} for name, other in others.items()},
    }
    manifest |= {key: part for key, part in parts.items() if part}
    return manifest, source.report(version)


class _Source:
    """The file, and a record of the paths that were used and the reasons why others were not."""

    def __init__(self, data: Mapping[str, Any]) -> None:
        if not hasattr(data, "keys"):
            raise ManifestError(f"an AI-Protocol manifest must be an object, not {type(data).__name__}")
        self.data = data
        self.used: dict[str, None] = {}  # an ordered set
        self.reasons: dict[str, str] = {}

    def take(self, path: str, *kinds: type) -> Any:
        """The value at a dotted path, marked as used; None if it is missing or of another type."""
        value = self.look(path)
        if value is None or (kinds and not isinstance(value, kinds)):
            return None
        self.used[path] = None
        return value

    def look(self, path: str) -> Any:
        """The value at a dotted path, not marked as used."""
        value: Any = self.data
        for key in path.split("."):
            value = value.get(key) if isinstance(value, dict) or value is self.data else None
            if value is None:
                return None
        return value

    def table(self, path: str) -> dict[str, Any]:
        """The object at a dotted path, not marked as used; {} if there is none."""
        value = self.look(path)
        return value if isinstance(value, dict) else {}

    def skip(self, path: str, reason: str) -> None:
        """Records why the field at `path` is not used."""
        self.reasons[path] = reason

    def report(self, version: str) -> Report:
        unused = {path: self.reasons.get(path) or reason(path) for path in self._unused(self.data, "")}
        return Report(version, tuple(self.used), tuple({**unused, **self.reasons}.items()))

    def _unused(self, value: Mapping[str, Any], prefix: str) -> Iterator[str]:
        for key, item in value.items():
            path = f"{prefix}{key}"
            if path in self.used:
                continue
            if isinstance(item, dict) and any(used.startswith(path + ".") for used in self.used):
                yield from self._unused(item, path + ".")
            else:
                yield path


def _required(source: _Source) -> str:
    """The protocol version. Raises ManifestError if a required field is missing or the version is not supported."""
    missing = [path for path in ("id", "protocol_version", "endpoint.base_url") if not isinstance(source.look(path), str)]
    if missing:
        raise ManifestError(f"not an AI-Protocol manifest: {', '.join(missing)} must be text")
    version: str = source.take("protocol_version", str)
    if not version.startswith(("1", "2")):
        raise ManifestError(f"AI-Protocol version {version!r} is not supported; 1.x and 2.x are")
    return version


# --- format and URLs --------------------------------------------------------------------------------------------------


#: Fields that contain the name of the format; the first one that is present decides.
FORMAT_FIELDS = ("api_families.chat.request_format", "payload_format", "response_format")


def _formats(source: _Source) -> tuple[str | None, dict[str, str], dict[str, dict[str, str]]]:
    """The dialect (None: no supported chat format), its paths, and other dialects with their paths."""
    found: dict[str, str] = {}
    streams: dict[str, str] = {}
    for name, endpoint in _chat_endpoints(source):
        dialect = FORMATS.get(source.take(f"endpoints.{name}.adapter", str) or "")
        path = source.take(f"endpoints.{name}.path", str)
        if dialect and path:
            table = streams if name.startswith("stream") else found
            table.setdefault(dialect, path)
        elif endpoint:
            source.skip(f"endpoints.{name}.adapter", f"no dialect supports the format {endpoint.get('adapter')}")
    own = source.take("endpoint.chat", str)
    main = next(iter(found), None)
    if main is None and not any(True for _ in _chat_endpoints(source)):
        main = _format_by_fields(source, own)
    if main is None:
        return None, {}, {}
    paths = _chat_paths(main, own or found.get(main), streams.get(main))
    return main, paths, {name: _chat_paths(name, path, streams.get(name)) for name, path in found.items() if name != main}


def _chat_paths(dialect: str, chat: str | None, stream: str | None) -> dict[str, str]:
    """`paths` of complete and of streamed responses, which differ in Gemini's format only; {}: the dialect's own."""
    if chat is None:
        return {}
    if dialect != "gemini_generate":
        return {"chat": chat, "stream": stream or chat}
    stream = stream or chat.replace(":generateContent", ":streamGenerateContent")
    # Without alt=sse the stream is one JSON array: https://ai.google.dev/api/generate-content
    return {"chat": chat, "stream": f"{stream}?alt=sse"}


def _chat_endpoints(source: _Source) -> list[tuple[str, dict[str, Any]]]:
    """The entries of `endpoints` for chat, `chat` itself first."""
    found = [(name, item) for name, item in source.table("endpoints").items() if "chat" in name and isinstance(item, dict)]
    return sorted(found, key=lambda pair: pair[0] != "chat")


def _format_by_fields(source: _Source, path: str | None) -> str | None:
    """The dialect by the format's name in the file, otherwise by the end of its path, otherwise by its chat capability."""
    for field in FORMAT_FIELDS:
        if word := source.take(field, str):
            return FORMATS.get(word)
    for field in ("streaming.decoder.strategy", "streaming.decoder.format", "default_api_family"):
        if source.look(field) in FORMATS:
            return FORMATS[source.take(field)]
    for suffix, dialect in PATHS.items():
        if path and path.endswith(suffix):
            return dialect
    words = _capability_words(source)
    return "openai_chat" if words.get("text", words.get("chat", words.get("streaming"))) else None


def _no_chat_reason(source: _Source) -> str:
    """Why the provider has no chat operation here, as a sentence."""
    adapters = [endpoint.get("adapter") for _, endpoint in _chat_endpoints(source)]
    words = [*adapters, *(source.look(field) for field in FORMAT_FIELDS)]
    unknown = next((word for word in words if isinstance(word, str) and word not in FORMATS), None)
    if unknown:
        return f"Its AI-Protocol file describes the format {unknown}, which no dialect supports."
    return "Its AI-Protocol file describes no chat."


def _urls(source: _Source, paths: Mapping[str, str]) -> dict[str, Any]:
    """`base_url`, `variables` for each `${VARIABLE}` in it, and `paths`."""
    base = source.take("endpoint.base_url", str).rstrip("/")
    variables = {}

    def name_of(match: Any) -> str:
        variables[match[1].lower()] = {"env": [match[1]]}
        return f"{{{match[1].lower()}}}"

    urls: dict[str, Any] = {"base_url": sub(r"\$\{([A-Z][A-Z0-9_]*)\}", name_of, base)}
    models = source.take("services.list_models.path", str)
    if models and models.startswith("/"):
        paths = {**paths, "models": models}
    if paths:
        urls["paths"] = dict(paths)
    if variables:
        urls["variables"] = variables
    return urls


# --- keys and headers -------------------------------------------------------------------------------------------------


def _auth(source: _Source, dialect: str | None) -> tuple[dict[str, Any], dict[str, str]]:
    """`auth` and constant headers. If a file has both, only `endpoint.auth` is used."""
    at = "endpoint.auth" if source.look("endpoint.auth") else "auth"
    if at == "endpoint.auth" and (shadowed := source.table("auth")):
        names = [str(shadowed[key]) for key in ("token_env", "key_env") if key in shadowed]
        source.skip("auth", f"only endpoint.auth is used; {' and '.join(names) or 'no key'} is not read")
    kind = source.take(f"{at}.type", str) or "bearer"
    env = [name for key in ("token_env", "key_env") if (name := source.take(f"{at}.{key}", str))]
    auth: dict[str, Any] = {"scheme": "bearer", "env": env}
    header = source.take(f"{at}.header", str) or source.take(f"{at}.header_name", str)
    prefix = source.take(f"{at}.prefix", str)
    if kind == "none":
        auth = {"scheme": "none"}
    elif kind == "query_param":
        parameter = source.take(f"{at}.param_name", str)
        header = KEY_HEADERS.get(dialect or "", "Authorization")
        source.skip(f"{at}.param_name", f"a key is never sent in a URL ({parameter}=…); it is sent in the header {header}")
        if header != "Authorization":
            auth = {"scheme": "header", "header": header, "env": env}
    elif kind != "bearer":
        auth = {"scheme": "header", "header": header or "Authorization", "env": env}
        if prefix:
            auth["prefix"] = prefix.rstrip() + " "
    headers = {
        str(item["name"]): str(item["value"])
        for item in source.take(f"{at}.extra_headers", list) or ()
        if str(item.get("name", "")).lower() not in ("content-type", "accept")
    }
    return auth, headers


# --- options ----------------------------------------------------------------------------------------------------------


def _parameters(source: _Source) -> dict[str, str]:
    """Names of options in the body. They depend on the provider in OpenAI's format only; other formats define them."""
    table: dict[str, str] = {}
    for word in source.table("parameter_mappings"):
        option = OPTIONS.get(word)
        if option and (wire := source.take(f"parameter_mappings.{word}", str)):
            table[option] = wire
    for word in source.table("parameters"):
        alias = source.look(f"parameters.{word}.alias")
        if alias in OPTIONS:
            source.take(f"parameters.{word}.alias")
            table[OPTIONS[alias]] = word
    return table


def _limits(source: _Source) -> dict[str, list[float]]:
    """Ranges of numeric options."""
    limits = {}
    for word, rule in source.table("parameters").items():
        option = OPTIONS.get(rule.get("alias", word)) if isinstance(rule, dict) else None
        if option and len(bounds := source.take(f"parameters.{word}.range", list) or ()) == 2:
            limits[option] = list(bounds)
    return limits


def _defaults(source: _Source) -> dict[str, int]:
    """`max_tokens`, if it is required and the file has a maximum."""
    if source.take("parameters.max_tokens.required", bool):
        maximum = source.take("parameters.max_tokens.max", int)
        return {"max_tokens": maximum} if maximum else {}
    return {}


def _reasoning(source: _Source) -> dict[str, Any]:
    efforts = source.take("parameters.reasoning_effort.enum", list)
    if efforts:
        return {"style": "effort", "efforts": efforts}
    if source.take("parameter_mappings.reasoning_effort", str):
        return {"style": "effort", "efforts": ["low", "medium", "high"]}
    return {}


# --- responses --------------------------------------------------------------------------------------------------------


def _finish_reasons(source: _Source) -> dict[str, str]:
    table = {}
    for word in source.table("termination.mapping"):
        path = f"termination.mapping.{word}"
        if normal := FINISH.get(str(source.look(path))):
            table[word] = normal
            source.take(path)
        else:
            source.skip(path, f"{source.look(path)} has no normalized reason; the provider's own word is kept")
    return table


def _errors(source: _Source) -> dict[str, dict[str, str]]:
    tables: dict[str, dict[str, str]] = {}
    for field, key in (("by_http_status", "statuses"), ("by_error_code", "codes"), ("by_error_status", "codes")):
        for word in source.table(f"error_classification.{field}"):
            path = f"error_classification.{field}.{word}"
            name = ERRORS.get(str(source.look(path)), str(source.look(path)))
            if name in CLASSES:
                tables.setdefault(key, {})[str(word)] = name
                source.take(path)
            else:
                source.skip(path, f"{name} is not one of the standard names {', '.join(CLASSES)}")
    return tables


def _capabilities(source: _Source) -> dict[str, bool]:
    words = _capability_words(source)
    found = {ours: words[theirs] for theirs, ours in CAPABILITIES.items() if theirs in words}
    for field, ours in MULTIMODAL.items():
        if isinstance(source.look(field), bool):
            found[ours] = source.take(field)
    return found


def _capability_words(source: _Source) -> dict[str, bool]:
    """Every capability in the file: a list (v1.5), an object of flags (v1), or `required` and `optional` (v2)."""
    if listed := source.take("capabilities", list):
        return dict.fromkeys(map(str, listed), True)
    words: dict[str, bool] = {}
    for word, value in source.table("capabilities").items():
        if isinstance(value, bool):
            words[word] = value
            if word in CAPABILITIES or word == "streaming":
                source.take(f"capabilities.{word}")
    for field in ("required", "optional"):
        words |= dict.fromkeys(map(str, source.take(f"capabilities.{field}", list) or ()), True)
    for word in ("structured_output", "streaming_usage"):
        if isinstance(flag := source.take(f"capabilities.feature_flags.{word}", bool), bool):
            words[word] = flag
    return words
