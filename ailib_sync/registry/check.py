"""Manifests from outside: refused where their form is wrong, or where they would send a key to a place it does not belong.

The form is `manifests/schema.json`. What no schema can say is here, and is about trust: a manifest that somebody copied from
somewhere must not be able to read a secret of another service, or to send a provider's key to another host.
"""

from __future__ import annotations

import os
from fnmatch import fnmatchcase
from functools import lru_cache
from re import compile

from ..errors import ManifestError
from .files import FOLDER, extended, index, read_json
from .json_schema import at, is_json, nearest, problems
from .quirks import QUIRKS

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from typing import Any

#: Variables that no manifest from outside may read: secrets of other services, and what says who and where the user is.
NOT_OURS = compile(
    r"(AWS|AMAZON|GITHUB|GH|GITLAB|BITBUCKET|CI|NPM|PYPI|TWINE|UV|POETRY|CARGO|DOCKER|KUBE|SSH|GPG|VAULT|STRIPE|SLACK|TWILIO"
    r"|SENDGRID|SENTRY|DJANGO|FLASK|DATABASE|DB|PG|POSTGRES|MYSQL|REDIS|MONGO|SMTP|MAIL|JWT|SESSION|SECRET|ENCRYPTION|SIGNING)"
    r"_.*|HOME|PATH|USER|USERNAME|LOGNAME|SHELL|PWD|OLDPWD|HOSTNAME|TMPDIR|PYTHON.*|LD_.*|DATABASE_URL"
)
_SECRET = compile(r".*(KEY|TOKEN|SECRET|PASSWORD|PASSWD|PASS|CREDENTIALS?|PAT|JWT|AUTH)")
_LOOPBACK = frozenset(("localhost", "127.0.0.1", "[::1]"))
_HOST = compile(r"https?://(\[[^\]]*\]|[^/:]*)")
_NAMED = compile(r"\{([^{}]*)\}")

#: Headers that a manifest may not set: the key's own, and those that frame the message.
_RESERVED = frozenset(
    ("authorization", "proxy-authorization", "cookie", "host", "content-length", "content-encoding", "transfer-encoding",
     "connection", "upgrade", "te", "trailer", "expect")
)  # fmt: skip


def check(data: Mapping[str, Any], source: str) -> None:
    """Raises ManifestError with the first thing that is wrong: the file, the key, what is allowed."""
    found = explain(data, source)
    if found:
        more = f" (and {len(found) - 1} more: `python -m ailib_sync manifest check` lists them)" if len(found) > 1 else ""
        raise ManifestError(found[0] + more)


def explain(data: Mapping[str, Any], source: str) -> list[str]:
    """All that is wrong, each as `source: place: sentence`; [] where nothing is."""
    wrong = "must be a JSON object" if not isinstance(data, dict) else is_json(data)
    if wrong:
        return [f"{source}: {wrong}"]
    try:
        whole = extended(data)
    except ManifestError as error:
        return [f"{source}: extends: {error.message}"]
    found = list(problems(whole, schema()))
    if not found:  # the rules below rely on the form
        found = [*_references(whole), *_headers(whole), *_variables(whole), *_keys(whole)]
    return [f"{source}: {problem}" for problem in found]


@lru_cache(maxsize=1)
def schema() -> dict[str, Any]:
    """The form of a manifest as JSON Schema."""
    return read_json(os.path.join(FOLDER, "schema.json"))


def _references(data: Mapping[str, Any]) -> Iterator[str]:
    """Names that must stand elsewhere: quirks, dialects, variables in templates."""
    spoken = {data["dialect"], *data.get("dialects", {})}
    if data["dialect"] in data.get("dialects", {}):
        yield f"dialects.{data['dialect']}: is the manifest's own dialect; put it at the top"
    known = {"model", *data.get("variables", {})}
    for place, part in _parts(data):
        for number, quirk in enumerate(part.get("quirks", ())):
            if quirk not in QUIRKS:
                yield f"{at(at(place, 'quirks'), number)}: {quirk!r} is not a known quirk{nearest(quirk, list(QUIRKS))}"
        if part.get("dialect", data["dialect"]) not in spoken:
            yield f"{at(place, 'dialect')}: {part['dialect']} is not among the dialects of this manifest"
        for where, text in _templates(place, part):
            for name in _NAMED.findall(text):
                if name not in known:
                    yield f"{where}: {{{name}}} is not among the variables{nearest(name, sorted(known))}"
        if "{model}" in part.get("base_url", ""):
            yield f"{at(place, 'base_url')}: {{model}} may stand in paths only"


def _parts(data: Mapping[str, Any]) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """The manifest, each of its other formats and operations, and every rule for models in any of them."""
    others = [(at(key, name), entry) for key in ("dialects", "operations") for name, entry in data.get(key, {}).items()]
    for place, part in [("", data), *others]:
        yield place, part
        for pattern, rule in part.get("models", {}).items():
            yield at(at(place, "models"), pattern), rule or {}


def _templates(place: str, part: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    if "base_url" in part:
        yield at(place, "base_url"), part["base_url"]
    if "path" in part:
        yield at(place, "path"), part["path"]
    for key in ("paths", "body", "headers"):
        for name, text in part.get(key, {}).items():
            if isinstance(text, str):
                yield at(at(place, key), name), text


def _headers(data: Mapping[str, Any]) -> Iterator[str]:
    for place, part in _parts(data):
        for name in part.get("headers", {}):
            if name.lower() in _RESERVED:
                yield f"{at(at(place, 'headers'), name)}: may not be set by a manifest"


def _variables(data: Mapping[str, Any]) -> Iterator[str]:
    """A variable's value stands in an address, so it must not be a secret."""
    for name, variable in data.get("variables", {}).items():
        for number, env in enumerate(variable.get("env", ())):
            if (_SECRET.fullmatch(env) or NOT_OURS.fullmatch(env)) and not _is_builtin_variable(name, env):
                place = at(at(at("variables", name), "env"), number)
                yield f"{place}: {env} may hold a secret, which must not stand in an address or a body"


@lru_cache(maxsize=256)
def _is_builtin_variable(name: str, env: str) -> bool:
    """Whether a manifest of ours reads this variable for a value of this name (a region from AWS_REGION, for instance)."""
    return env in index()["variables"].get(name, ())


def _keys(data: Mapping[str, Any]) -> Iterator[str]:
    """Where keys come from and go to."""
    goals = hosts(data["base_url"], {**data.get("dialects", {}), **data.get("operations", {})}, data.get("variables", {}))
    if data.get("auth", {}).get("scheme") == "none":
        return
    own = f"{data['id'].upper().replace('-', '_').replace('.', '_')}_API_KEY"
    if NOT_OURS.fullmatch(own) and own not in index()["keys"]:
        yield f"id: {data['id']!r} makes {own} its key, which is another service's; use another id"
    yield from _belongs("id", own, goals, f"{data['id']!r} makes {own} its key, which")
    for place, part in _parts(data):
        for number, env in enumerate(part.get("auth", {}).get("env", ())):
            where = at(at(at(place, "auth"), "env"), number)
            if env in index()["keys"]:
                yield from _belongs(where, env, goals, env)
            elif NOT_OURS.fullmatch(env) or not env.endswith(("_KEY", "_TOKEN")):
                yield f"{where}: {env} may not be read: a key's variable ends in _KEY or _TOKEN and is not another service's"


def _belongs(place: str, env: str, goals: set[str], who: str) -> Iterator[str]:
    owners = index()["keys"].get(env)
    astray = [goal for goal in sorted(goals) if owners and not any(fnmatchcase(goal, owner) for owner in owners)]
    if owners and astray:
        yield f"{place}: {who} belongs to {', '.join(owners)} and may not be sent to {', '.join(astray)}; use another name"


def hosts(base_url: str, parts: Mapping[str, Any], variables: Mapping[str, Any]) -> set[str]:
    """The hosts that the addresses of a manifest and of its parts (formats, operations) lead to, this machine left out; `*`
    stands for a variable's value."""
    found: set[str] = set()
    for address in (base_url, *(entry["base_url"] for entry in parts.values() if "base_url" in entry)):
        match = _HOST.match(address)
        host = match[1].lower() if match else "*"
        named = _NAMED.fullmatch(host)
        if named and "allowed" in variables.get(named[1], {}):
            found.update(variables[named[1]]["allowed"])
        elif host not in _LOOPBACK:
            found.add(_NAMED.sub("*", host))
    return found
