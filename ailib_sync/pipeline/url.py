"""URLs: a manifest's templates and variables → a URL that a key may be sent to. No network."""

from __future__ import annotations

import os

from ..errors import ConfigurationError
from ..http.secret_headers import REDACTED
from ..registry.manifest import filled, matches

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

    from ..registry.manifest import Manifest

#: The host that means the provider inside this package (RFC 6761 6.4: no name under `invalid` ever exists).
EMBEDDED = "embedded.invalid"
#: RFC 3986 2.3.
_UNRESERVED = frozenset("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~")
_IPV6_CHARACTERS = frozenset("0123456789abcdefABCDEF:.")
_HOST_CHARACTERS = _UNRESERVED - {"~"}
_VARIABLE_CHARACTERS = _UNRESERVED | {":"}


class Url(str):
    """A URL whose `repr` shows it only if nothing is wrong with it: a part that is wrong can be a password, and tracebacks show
    values."""

    __slots__ = ()

    @classmethod
    def of(cls, url: str | None) -> Url | None:
        return None if url is None else cls(url)

    def __repr__(self) -> str:
        return REDACTED if _host_and_problem(self)[1] else str.__repr__(self)


def variables_of(manifest: Manifest, given: Mapping[str, str], needed: bool) -> dict[str, str]:
    """The values of the manifest's variables: the given ones, from the environment, or their defaults.

    `needed`: raise ConfigurationError if one has no value.
    """
    unknown = [name for name in given if name not in manifest.variables]
    if unknown:
        known = ", ".join(manifest.variables) or "none"
        raise ConfigurationError(f"{manifest.id} has no variable {unknown[0]!r}; it has {known}", provider=manifest.id)
    values: dict[str, str] = {}
    for name, spec in manifest.variables.items():
        value = _chosen(name, spec, given) or _dependent(spec, values) or spec.get("default")
        if value is not None:
            values[name] = _checked(name, value, spec, manifest)
        elif needed:
            where = " or ".join(spec.get("env", ())) or "nothing in the environment"
            raise ConfigurationError(
                f"{name} is needed: set {where}, or pass variables={{{name!r}: …}}", provider=manifest.id
            )  # fmt: skip
    return values


def warned_defaults(manifest: Manifest, values: Mapping[str, str], given: Mapping[str, str]) -> tuple[tuple[str, str], ...]:
    """(name, value) of each variable whose default decides where prompts are processed, and should be chosen by the caller."""
    return tuple(
        (name, values[name])
        for name, spec in manifest.variables.items()
        if spec.get("warns") and name in values and _chosen(name, spec, given) is None
    )


def _chosen(name: str, spec: Mapping[str, Any], given: Mapping[str, str]) -> str | None:
    """The value that the caller, the environment or a profile gives."""
    value = given.get(name) or next((os.environ[env] for env in spec.get("env", ()) if os.environ.get(env)), None)
    return value or _profile_setting(spec)


def _dependent(spec: Mapping[str, Any], values: Mapping[str, str]) -> str | None:
    """The value that follows from another variable, such as the host of a location."""
    rule = spec.get("by")
    known = values.get(rule["variable"]) if rule else None
    if rule is None or known is None:
        return None
    return next((filled(value, values) for pattern, value in rule["values"].items() if matches(pattern, known)), None)


def _profile_setting(spec: Mapping[str, Any]) -> str | None:
    """A setting of the AWS profile, from the file that all AWS SDKs read.

    https://docs.aws.amazon.com/sdkref/latest/guide/file-format.html
    """
    setting = spec.get("aws_profile")
    if setting is None:
        return None
    from configparser import ConfigParser, Error

    path = os.environ.get("AWS_CONFIG_FILE") or os.path.join("~", ".aws", "config")
    profile = os.environ.get("AWS_PROFILE") or os.environ.get("AWS_DEFAULT_PROFILE") or "default"
    parser = ConfigParser(interpolation=None, strict=False)
    try:
        parser.read(os.path.expanduser(path), encoding="utf-8")
    except (Error, OSError, UnicodeError):
        return None  # the file is for other programs too, and its faults are theirs to report
    section = "default" if profile == "default" else f"profile {profile}"
    return parser.get(section, setting, fallback=None)


def _checked(name: str, value: str, spec: Mapping[str, Any], manifest: Manifest) -> str:
    """The value, if the manifest allows it. A host often has its scheme in it (`DATABRICKS_HOST`), which is removed.

    Without `allowed` the value is one part of a URL: a slash in it would send the key to another host. Only a variable that is
    the whole URL may have any value; `checked_url` checks it.
    """
    allowed = spec.get("allowed")
    if allowed is None:
        if isinstance(value, str) and (
            manifest.base_url == f"{{{name}}}" or (_VARIABLE_CHARACTERS.issuperset(value) and value.strip("."))
        ):
            return value
        rule = "letters, digits, dots, hyphens and underscores"
    else:
        host = value.removeprefix("https://").rstrip("/")
        if any(_is_host(host, pattern) for pattern in allowed):
            return host
        rule = f"like {' or '.join(allowed)}"
    shown = f", not {value[:100]!r}" if "@" not in str(value) and "%" not in str(value) else ""
    raise ConfigurationError(f"{name} must be {rule}{shown}", provider=manifest.id)


def _is_host(host: str, pattern: str) -> bool:
    """`*` matches letters, digits, dots and hyphens: a value cannot be more than a host."""
    from re import escape, fullmatch  # few manifests need it

    return fullmatch(escape(pattern).replace(r"\*", "[A-Za-z0-9.-]+"), host) is not None


def quoted(segment: str) -> str:
    """Percent-encoded as one segment of a path (RFC 3986 3.3): a model's name cannot change the rest of the URL."""
    if _UNRESERVED.issuperset(segment):
        return segment
    return "".join(c if c in _UNRESERVED else "".join(f"%{b:02X}" for b in c.encode("utf-8", "replace")) for c in segment)


def moved_url(given: str, base: str, own: str) -> str:
    """The URL of an operation, if the caller gives another base URL for the provider. `own` is that of the operation.

    The end of the path that `given` shares with the provider's base URL is replaced by the operation's path:
    `http://proxy/cohere/v2` for `https://api.cohere.com/v2` is `http://proxy/cohere/v1` for `https://api.cohere.com/v1`.
    """
    path, own_path = ("/" + url.partition("://")[2].partition("/")[2].rstrip("/") for url in (base, own))
    given = given.rstrip("/")
    if path == own_path or not given.endswith(path):
        return given
    return given.removesuffix(path) + own_path


def with_query(url: str, query: Mapping[str, str]) -> str:
    """The URL with these parameters added to its query (RFC 3986 3.4)."""
    parameters = "&".join(f"{quoted(name)}={quoted(value)}" for name, value in query.items())
    return f"{url}{'&' if '?' in url else '?'}{parameters}" if parameters else url


def base_url_in_environment(manifest: Manifest) -> tuple[str, str] | None:
    """(variable, base URL) for the first variable of the manifest's `base_url_env` that is set, as the provider's SDK reads it.

    The manifest says what comes after the value. The address of a local server may lack its scheme and its port.
    """
    for name, path in manifest.base_url_env.items():
        value = os.environ.get(name, "").strip().rstrip("/")
        if value:
            if "://" not in value and manifest.base_url.startswith("http://"):
                value = _local_address(value, manifest.base_url)
            return name, value if path and value.endswith(path) else value + path
    return None


def _local_address(value: str, base_url: str) -> str:
    """`host`, `host:port` or `:port` as a URL. Without a port, it is that of the server's usual address."""
    authority, slash, rest = value.partition("/")
    host, colon, port = authority.rpartition(":")
    if not colon or authority.endswith("]"):
        host, port = authority, base_url.rpartition(":")[2].partition("/")[0]
    if host in ("", "0.0.0.0"):  # noqa: S104  the address that a server listens on, for one that a client can connect to
        host = "127.0.0.1"
    return f"http://{host}:{port}{slash}{rest}"


def checked_url(url: str, manifest: Manifest, name: str = "base_url") -> tuple[str, str]:
    """The base URL and its host. Raises ConfigurationError, which does not show the URL: a part of a URL that is wrong can be a
    password. `name` says where the URL comes from."""
    host, problem = _host_and_problem(url)
    if problem is not None:
        raise ConfigurationError(problem.replace("base_url", name, 1), provider=manifest.id)
    return str(url), host


def check_plain_http(host: str, manifest: Manifest) -> None:
    """Called before a key is sent over plain http. Raises ConfigurationError for a public host.

    For a host in a private network it warns, once in this process; not for this machine.
    """
    from ..http.hosts import is_loopback, is_private

    if not is_private(host):
        raise ConfigurationError(
            f"http://{host} is plain http, where a key would travel in the clear; use https, or allow_http=True",
            provider=manifest.id,
        )
    if not is_loopback(host) and host not in _warned_of:
        from warnings import warn

        _warned_of.add(host)
        text = f"{manifest.id}: the key is sent over plain http to {host}; allow_http=True says that this is intended"
        warn(text, stacklevel=2)


_warned_of: set[str] = set()


def _host_and_problem(url: str) -> tuple[str, str | None]:
    """The host of a URL and None, or "" and what is wrong with the URL."""
    scheme, _, rest = url.partition("://")
    authority = rest.partition("?")[0].partition("/")[0]
    _, at, address = authority.rpartition("@")
    host = host_of(address) or ("{" if "{" in address else "")
    if at or ("@" in url and not host):
        return "", "base_url must not hold a user name or password"
    if scheme not in ("http", "https"):
        return "", "base_url is not an http or https address: it must begin with https://"
    if not (url.isascii() and url.isprintable()) or " " in url or "#" in url:
        return "", "base_url is not an http or https address: it must be ASCII without spaces and '#'"
    if not host:
        return "", "base_url is not an http or https address: its host or port is wrong"
    if "{" in url:  # a variable that has no value
        name, brace, _ = url.partition("{")[2].partition("}")
        return "", f"base_url needs {'{' + name + '}' if brace else '{…}'}"
    return host, None


def host_of(address: str) -> str:
    """The host of `host`, `host:port` or `[host]:port` (RFC 3986 3.2.2); "" for anything else."""
    host, colon, port = address.rpartition(":")
    if not colon or address.endswith("]"):
        host, port = address, "0"
    if not (port.isascii() and port.isdigit() and len(port) <= 5):
        return ""
    if host[:1] == "[" and host[-1:] == "]":
        return host if host[1:-1] and _IPV6_CHARACTERS.issuperset(host[1:-1]) else ""
    return host if _HOST_CHARACTERS.issuperset(host) else ""
