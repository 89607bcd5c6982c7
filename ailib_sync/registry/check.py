"""Checks users' manifests: their form (`manifests/schema.json`), and that they send no key to a foreign host.

A user may have copied a manifest from an untrusted source. It must not read the secrets of another service, and must not send
the key of a provider to another host.
"""

from __future__ import annotations

import os
from fnmatch import fnmatchcase
from functools import lru_cache
from re import compile

from ..errors import ManifestError
from ..types.request import OPTIONS
from .files import FOLDER, builtin_path, extended, index, read_json
from .json_schema import child_path, json_problem, problems, suggestion
from .quirks import QUIRKS

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from typing import Any

#: Environment variables that no user's manifest may read: secrets of other services, and facts about the user and the machine.
FOREIGN_VARIABLES = compile(
    r"(AWS|AMAZON|GITHUB|GH|GITLAB|BITBUCKET|CI|NPM|PYPI|TWINE|UV|POETRY|CARGO|DOCKER|KUBE|SSH|GPG|VAULT|STRIPE|SLACK|TWILIO"
    r"|SENDGRID|SENTRY|DJANGO|FLASK|DATABASE|DB|PG|POSTGRES|MYSQL|REDIS|MONGO|SMTP|MAIL|JWT|SESSION|SECRET|ENCRYPTION|SIGNING)"
    r"_.*|HOME|PATH|USER|USERNAME|LOGNAME|SHELL|PWD|OLDPWD|HOSTNAME|TMPDIR|PYTHON.*|LD_.*|DATABASE_URL"
)
#: Names of environment variables that probably contain a secret.
_SECRET = compile(r".*(KEY|TOKEN|SECRET|PASSWORD|PASSWD|PASS|CREDENTIALS?|PAT|JWT|AUTH)")
_LOOPBACK = frozenset(("localhost", "127.0.0.1", "[::1]"))
_HOST = compile(r"https?://(\[[^\]]*\]|[^/:]*)")
_PLACEHOLDER = compile(r"\{([^{}]*)\}")

#: Headers that a manifest must not set: credentials, and those that define the length or the connection of a message (RFC 9110,
#: RFC 9112).
_RESERVED = frozenset(
    ("authorization", "proxy-authorization", "cookie", "host", "content-length", "content-encoding", "transfer-encoding",
     "connection", "upgrade", "te", "trailer", "expect")
)  # fmt: skip


def check(data: Mapping[str, Any], source: str) -> None:
    """Raises ManifestError with the first problem: the file, the key and the allowed values."""
    found = find_problems(data, source)
    if found:
        more = f" (and {len(found) - 1} more: `python -m ailib_sync manifest check` lists them)" if len(found) > 1 else ""
        raise ManifestError(found[0] + more)


def find_problems(data: Mapping[str, Any], source: str) -> list[str]:
    """All problems of a manifest, each as `source: path: sentence`."""
    problem = "must be a JSON object" if not isinstance(data, dict) else json_problem(data)
    if problem:
        return [f"{source}: {problem}"]
    try:
        complete = extended(data)
    except ManifestError as error:
        return [f"{source}: extends: {error.message}"]
    found = list(problems(complete, schema()))
    if not found:  # the checks below rely on a valid form
        found = [*_references(complete), *_headers(complete), *_variables(complete), *_keys(complete)]
    return [f"{source}: {problem}" for problem in found]


@lru_cache(maxsize=1)
def schema() -> dict[str, Any]:
    """The JSON Schema of manifests. The names of the options are those of `ChatOptions`."""
    complete: dict[str, Any] = read_json(os.path.join(FOLDER, "schema.json"))
    complete["$defs"]["option"]["enum"] = list(OPTIONS)
    return complete


def _references(data: Mapping[str, Any]) -> Iterator[str]:
    """Names that must be defined: quirks, dialects, variables in templates."""
    dialects = {data["dialect"], *data.get("dialects", {})}
    if data["dialect"] in data.get("dialects", {}):
        yield f"dialects.{data['dialect']}: is the main dialect of the manifest; move its keys to the top level"
    known = {"model", *data.get("variables", {})}
    for path, part in _parts(data):
        for number, quirk in enumerate(part.get("quirks", ())):
            if quirk not in QUIRKS:
                hint = suggestion(quirk, list(QUIRKS))
                yield f"{child_path(path, 'quirks', number)}: {quirk!r} is not a known quirk{hint}"
        if part.get("dialect", data["dialect"]) not in dialects:
            yield f"{child_path(path, 'dialect')}: {part['dialect']} is not a dialect of this manifest"
        other = (part.get("reasoning") or {}).get("with_tools")
        if other is not None and other not in dialects:
            yield f"{child_path(path, 'reasoning', 'with_tools')}: {other} is not a dialect of this manifest"
        for template_path, text in _templates(path, part):
            for name in _PLACEHOLDER.findall(text):
                if name not in known:
                    yield f"{template_path}: {{{name}}} is not a variable of this manifest{suggestion(name, sorted(known))}"
        if "{model}" in part.get("base_url", ""):
            yield f"{child_path(path, 'base_url')}: {{model}} is only allowed in paths"


def _parts(data: Mapping[str, Any]) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """(path, object) of the manifest, of each of its other dialects and operations, and of every model rule in them."""
    keys = ("dialects", "operations")
    others = [(child_path(key, name), entry) for key in keys for name, entry in data.get(key, {}).items()]
    for path, part in [("", data), *others]:
        yield path, part
        for pattern, rule in part.get("models", {}).items():
            yield child_path(path, "models", pattern), rule or {}


def _templates(path: str, part: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    if "base_url" in part:
        yield child_path(path, "base_url"), part["base_url"]
    if "path" in part:
        yield child_path(path, "path"), part["path"]
    for key in ("paths", "body", "headers"):
        for name, text in part.get(key, {}).items():
            if isinstance(text, str):
                yield child_path(path, key, name), text


def _headers(data: Mapping[str, Any]) -> Iterator[str]:
    for path, part in _parts(data):
        for name in part.get("headers", {}):
            if name.lower() in _RESERVED:
                yield f"{child_path(path, 'headers', name)}: a manifest must not set this header"
        if part.get("auth", {}).get("scheme") == "header" and "header" not in part["auth"]:
            yield f"{child_path(path, 'auth')}: the scheme `header` needs `header`, the name of the header"


def _variables(data: Mapping[str, Any]) -> Iterator[str]:
    """The value of a variable becomes part of a URL or a body, so it must not be a secret."""
    for env in data.get("base_url_env", ()):
        if _SECRET.fullmatch(env) or FOREIGN_VARIABLES.fullmatch(env):
            yield f"{child_path('base_url_env', env)}: {env} may contain a secret, which must not be part of a URL"
    for name, variable in data.get("variables", {}).items():
        for number, env in enumerate(variable.get("env", ())):
            if (_SECRET.fullmatch(env) or FOREIGN_VARIABLES.fullmatch(env)) and not _is_builtin_variable(name, env):
                path = child_path("variables", name, "env", number)
                yield f"{path}: {env} may contain a secret, which must not be part of a URL or a body"


@lru_cache(maxsize=256)
def _is_builtin_variable(name: str, env: str) -> bool:
    """Whether a built-in manifest reads this environment variable for the same name (AWS_REGION for `region`, for example)."""
    return env in index()["variables"].get(name, ())


def _keys(data: Mapping[str, Any]) -> Iterator[str]:
    """Which environment variables the keys come from, and which hosts they are sent to."""
    targets = hosts(data["base_url"], {**data.get("dialects", {}), **data.get("operations", {})}, data.get("variables", {}))
    if not _is_builtin_address(data):
        targets.add("*")
    if data.get("auth", {}).get("scheme") == "none":
        return
    own = f"{data['id'].upper().replace('-', '_').replace('.', '_')}_API_KEY"
    if FOREIGN_VARIABLES.fullmatch(own) and own not in index()["keys"]:
        yield f"id: {data['id']!r} reads its key from {own}, which belongs to another service; use another id"
    yield from _foreign_hosts("id", own, targets, f"{data['id']!r} reads its key from {own}, which")
    for path, part in _parts(data):
        for number, env in enumerate(part.get("auth", {}).get("env", ())):
            key_path = child_path(path, "auth", "env", number)
            if env in index()["keys"]:
                yield from _foreign_hosts(key_path, env, targets, env)
            elif FOREIGN_VARIABLES.fullmatch(env) or not env.endswith(("_KEY", "_TOKEN")):
                yield f"{key_path}: {env} must not be read: use a variable of this provider that ends in _KEY or _TOKEN"


def _is_builtin_address(data: Mapping[str, Any]) -> bool:
    """Whether no variable names the base URL, or the same ones as in the built-in manifest, whose keys go there anyway."""
    variables, path = data.get("base_url_env"), builtin_path(data["id"])
    return not variables or (path is not None and read_json(path).get("base_url_env") == variables)


def _foreign_hosts(path: str, env: str, targets: set[str], subject: str) -> Iterator[str]:
    owners = index()["keys"].get(env)
    foreign = [host for host in sorted(targets) if owners and not any(fnmatchcase(host, owner) for owner in owners)]
    if owners and foreign:
        yield f"{path}: {subject} belongs to {', '.join(owners)} and must not be sent to {', '.join(foreign)}; use another name"


def hosts(base_url: str, parts: Mapping[str, Any], variables: Mapping[str, Any]) -> set[str]:
    """The hosts in the URLs of a manifest and its parts (dialects, operations), without this machine.

    `*` replaces the value of a variable.
    """
    found: set[str] = set()
    for url in (base_url, *(entry["base_url"] for entry in parts.values() if "base_url" in entry)):
        match = _HOST.match(url)
        host = match[1].lower() if match else "*"
        variable = _PLACEHOLDER.fullmatch(host)
        if variable and "allowed" in variables.get(variable[1], {}):
            found.update(variables[variable[1]]["allowed"])
        elif host not in _LOOPBACK:
            found.add(_PLACEHOLDER.sub("*", host))
    return found
