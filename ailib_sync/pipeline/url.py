"""Addresses: a manifest's templates and variables → a URL that a key may travel to. No network."""

from __future__ import annotations

import os

from ..errors import ConfigurationError
from ..http.redaction import REDACTED

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

    from ..registry.manifest import Manifest

#: The address that stands for the provider inside this package.
EMBEDDED = "embedded.invalid"
_UNRESERVED = frozenset("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~")
_HEX = frozenset("0123456789abcdefABCDEF:.")
_NAME = _UNRESERVED - {"~"}
_PART = _UNRESERVED | {":"}


def variables_of(manifest: Manifest, given: Mapping[str, str], needed: bool) -> dict[str, str]:
    """The manifest's variables: given by hand, from the environment, or their defaults."""
    unknown = [name for name in given if name not in manifest.variables]
    if unknown:
        known = ", ".join(manifest.variables) or "none"
        raise ConfigurationError(f"{manifest.id} has no variable {unknown[0]!r}; it has {known}", provider=manifest.id)
    values: dict[str, str] = {}
    for name, spec in manifest.variables.items():
        value = given.get(name) or next((os.environ[env] for env in spec.get("env", ()) if os.environ.get(env)), None)
        value = value or spec.get("default")
        if value is not None:
            values[name] = _checked(name, value, spec, manifest)
        elif needed:
            where = " or ".join(spec.get("env", ())) or "nothing in the environment"
            raise ConfigurationError(
                f"{name} is needed: set {where}, or pass variables={{{name!r}: …}}", provider=manifest.id
            )  # fmt: skip
    return values


def _checked(name: str, value: str, spec: Mapping[str, Any], manifest: Manifest) -> str:
    """The value, if the manifest allows it. A host often comes with its scheme (`DATABRICKS_HOST`), which goes.

    Where the manifest names no allowed values, it is one part of an address: a slash in it would lead the key to another
    host. Only a variable that is the whole address may be anything; `checked_url` looks at that.
    """
    allowed = spec.get("allowed")
    if allowed is None:
        if isinstance(value, str) and (manifest.base_url == f"{{{name}}}" or (_PART.issuperset(value) and value.strip("."))):
            return value
        raise ConfigurationError(
            f"{name} must be letters, digits, dots, hyphens and underscores, not {str(value)[:100]!r}", provider=manifest.id
        )
    host = value.removeprefix("https://").rstrip("/")
    if any(_is_host(host, pattern) for pattern in allowed):
        return host
    raise ConfigurationError(f"{name} must be like {' or '.join(allowed)}, not {value[:100]!r}", provider=manifest.id)


def _is_host(host: str, pattern: str) -> bool:
    """`*` stands for letters, digits, dots and hyphens: a value cannot leave the host of an address."""
    from re import escape, fullmatch  # few manifests need it

    return fullmatch(escape(pattern).replace(r"\*", "[A-Za-z0-9.-]+"), host) is not None


def quoted(segment: str) -> str:
    """Percent-encoded as one segment of a path: a model's name cannot leave its place in the URL."""
    if _UNRESERVED.issuperset(segment):
        return segment
    return "".join(c if c in _UNRESERVED else "".join(f"%{b:02X}" for b in c.encode("utf-8", "replace")) for c in segment)


def checked_url(url: str, manifest: Manifest) -> tuple[str, str]:
    """The base URL, if a key may travel to it, and its host. Raises ConfigurationError."""
    scheme, _, rest = url.partition("://")
    authority = rest.partition("?")[0].partition("/")[0]
    _, at, address = authority.rpartition("@")
    host = "{" if "{" in address else host_of(address)  # a variable that has no value is told below
    plain = url.isascii() and url.isprintable() and " " not in url and "#" not in url
    if scheme not in ("http", "https") or not host or not plain:
        raise ConfigurationError(f"{_shown(url)!r} is not an http or https address", provider=manifest.id)
    if at:
        raise ConfigurationError("base_url must not hold a user name or password", provider=manifest.id)
    if "{" in url:
        name, brace, _ = url.partition("{")[2].partition("}")
        raise ConfigurationError(f"base_url needs {'{' + name + '}' if brace else '{…}'}", provider=manifest.id)
    if scheme == "http" and host != EMBEDDED:
        from ..http.proxies import is_loopback

        if not is_loopback(host):
            raise ConfigurationError(
                f"{_shown(url)} is plain http, where a key would travel in the clear; use https (http goes to "
                "this machine only)",
                provider=manifest.id,
            )
    return url, host


def _shown(url: str) -> str:
    """The address for an error's text, without a user name and a password: whatever is before the last `@`."""
    before, at, after = url.rpartition("@")
    scheme, separator, _ = before.partition("://")
    return (f"{scheme if separator else ''}{separator}{REDACTED}@{after}" if at else url)[:200]


def host_of(address: str) -> str:
    """The host of `host`, `host:port` or `[host]:port`; "" where it is none of these."""
    host, colon, port = address.rpartition(":")
    if not colon or address.endswith("]"):
        host, port = address, "0"
    if not (port.isascii() and port.isdigit() and len(port) <= 5):
        return ""
    if host[:1] == "[" and host[-1:] == "]":
        return host if host[1:-1] and _HEX.issuperset(host[1:-1]) else ""
    return host if _NAME.issuperset(host) else ""
