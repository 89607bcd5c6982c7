"""Which proxy the environment names for an address. No I/O.

The variables are those that curl and requests read, in small letters or capitals: `https_proxy`, `http_proxy`, `all_proxy`,
and `no_proxy` (hosts, domains, `host:port`, CIDR networks, `*`). Unlike requests, loopback never goes through a proxy.
"""

from __future__ import annotations

import os


def proxy_for(scheme: str, host: str, port: int | None) -> str | None:
    """The proxy's address, or None for a direct connection."""
    # HTTP_PROXY in capitals is not read under CGI: a request header `Proxy:` sets it there (https://httpoxy.org).
    capitals = not (scheme == "http" and "REQUEST_METHOD" in os.environ)
    proxy = _variable(f"{scheme}_proxy", capitals) or _variable("all_proxy", True)
    if not proxy or is_loopback(host) or _is_excluded(host, port or {"http": 80, "https": 443}[scheme]):
        return None
    return proxy if "://" in proxy else f"http://{proxy}"


def is_loopback(host: str) -> bool:
    """Whether a host's name or address means this machine."""
    host = host.strip("[]").lower().rstrip(".")
    if host == "localhost":  # not its subdomains: where the resolver does not know RFC 6761, a name server answers for them
        return True
    if not (host[:1].isdigit() or ":" in host):
        return False
    from ipaddress import ip_address

    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False


def _variable(name: str, capitals: bool) -> str:
    value = os.environ.get(name)
    return os.environ.get(name.upper(), "") if value is None and capitals else value or ""


def _is_excluded(host: str, port: int) -> bool:
    host = host.strip("[]").lower()
    for entry in (os.environ.get("no_proxy") or os.environ.get("NO_PROXY", "")).split(","):
        entry = entry.strip().lower()
        if not entry:
            continue
        if entry == "*" or _names(entry, host) or _names(entry, f"{host}:{port}") or _holds(entry, host):
            return True
    return False


def _names(entry: str, host: str) -> bool:
    domain = entry.lstrip("*").lstrip(".")
    return host == domain or host.endswith("." + domain)


def _holds(entry: str, host: str) -> bool:
    if "/" not in entry:
        return False
    from ipaddress import ip_address, ip_network

    try:
        return ip_address(host) in ip_network(entry, strict=False)
    except ValueError:
        return False
