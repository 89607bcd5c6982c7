"""Which proxy the environment names for a URL. No I/O.

The variables are those of curl and requests, in lower or upper case: `https_proxy`, `http_proxy`, `all_proxy`, and `no_proxy`.
There is no standard for them. Unlike requests, loopback never goes through a proxy.
"""

from __future__ import annotations

import os

from ..errors import ProxyError
from .hosts import is_loopback

SCHEMES = ("http", "https", "socks4", "socks4a", "socks5", "socks5h")


def proxy_for(scheme: str, host: str, port: int | None) -> str | None:
    """The URL of the proxy, or None for a direct connection. Raises ProxyError for a scheme that no proxy has."""
    variable, proxy = proxy_variable(scheme)
    if not proxy or is_loopback(host) or _is_excluded(host, port or {"http": 80, "https": 443}[scheme]):
        return None
    kind, separator, address = proxy.partition("://")
    kind = kind.lower()
    if not separator:
        return f"http://{proxy}"
    if kind in SCHEMES:
        return f"{kind}://{address}"
    if kind == "socks":
        # GNOME and Clash write it. curl takes it for SOCKS 4, others for SOCKS 5.
        raise ProxyError(
            f"{variable} begins with socks://, which names no version: write socks5h:// (or socks5, socks4a, socks4)"
        )
    raise ProxyError(f"{variable} is not a proxy URL: it must begin with {', '.join(f'{name}://' for name in SCHEMES)}")


def proxy_variable(scheme: str) -> tuple[str, str]:
    """The name and the value of the variable that applies to URLs of this scheme, both "" if none is set."""
    # HTTP_PROXY in upper case is not read under CGI: there, a request header `Proxy:` sets it (https://httpoxy.org).
    cgi = scheme == "http" and "REQUEST_METHOD" in os.environ
    for name in (f"{scheme}_proxy", "all_proxy"):
        lower = os.environ.get(name)
        if lower:
            return name, lower
        # A lower-case variable that is empty switches the upper-case one off.
        upper = os.environ.get(name.upper()) if lower is None and not (cgi and name == "http_proxy") else None
        if upper:
            return name.upper(), upper
    return "", ""


def credentials_in_environment() -> list[str]:
    """The user and password of each proxy that the environment names: as they are in its URL, and as they are sent to it."""
    found: list[str] = []
    for name, value in os.environ.items():
        if name.lower() in ("http_proxy", "https_proxy", "all_proxy") and "@" in value:
            from binascii import b2a_base64
            from urllib.parse import unquote

            in_url = value.rpartition("@")[0].rpartition("//")[2]
            pair = unquote(in_url)
            sent = b2a_base64(pair.encode("utf-8", "replace"), newline=False).decode()  # Proxy-Authorization (RFC 7617)
            found += (in_url, pair, in_url.partition(":")[2], pair.partition(":")[2], sent)
    return found


def _is_excluded(host: str, port: int) -> bool:
    """Whether `no_proxy` lists the host.

    The entries are separated by commas or spaces. They are those of curl (https://curl.se/docs/manpage.html#--noproxy): a host
    or a domain, which includes its subdomains, with or without a leading dot; an IP address, IPv6 with or without brackets; a
    network (`10.0.0.0/8`); `*`. Also those of requests (`host:port`) and `*.domain`.
    """
    entries = os.environ.get("no_proxy") or os.environ.get("NO_PROXY", "")
    host = host.strip("[]").lower().rstrip(".")
    return any(_covers(entry, host, port) for entry in entries.lower().replace(",", " ").split())


def _covers(entry: str, host: str, port: int) -> bool:
    if entry == "*":
        return True
    entry, own_port = _split_port(entry)
    if own_port and own_port != str(port):
        return False
    if ":" in host or host.replace(".", "").isdigit():
        return _is_address_in(host, entry)
    domain = entry.removeprefix("*").strip(".")
    return host == domain or (domain != "" and host.endswith("." + domain))


def _split_port(entry: str) -> tuple[str, str]:
    """An entry without brackets, and its port: `host:1`, `[::1]:1`. An IPv6 address without brackets has no port."""
    if entry.startswith("["):
        address, _, rest = entry[1:].partition("]")
        # A network may have its length inside or after the brackets.
        return (address + rest, "") if rest.startswith("/") else (address, rest.removeprefix(":"))
    name, colon, port = entry.partition(":")
    return (name, port) if colon and port.isdigit() and ":" not in port else (entry, "")


def _is_address_in(host: str, entry: str) -> bool:
    from ipaddress import ip_address, ip_network

    try:
        address = ip_address(host.partition("%")[0])
        mapped = getattr(address, "ipv4_mapped", None)
        network = ip_network(entry.partition("%")[0], strict=False)
    except ValueError:
        return False
    return address in network or (mapped is not None and mapped in network)
