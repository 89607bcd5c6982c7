"""Which proxy the environment names for a URL. No I/O.

The variables are those of curl and requests, in lower or upper case: `https_proxy`, `http_proxy`, `all_proxy`, and `no_proxy`
(https://curl.se/docs/manpage.html#NOPROXY: hosts, domains, `host:port`, CIDR networks, `*`). There is no standard for them.
Unlike requests, loopback never goes through a proxy.
"""

from __future__ import annotations

import os


def proxy_for(scheme: str, host: str, port: int | None) -> str | None:
    """The URL of the proxy, or None for a direct connection."""
    # HTTP_PROXY in upper case is not read under CGI: there, a request header `Proxy:` sets it (https://httpoxy.org).
    upper_case = not (scheme == "http" and "REQUEST_METHOD" in os.environ)
    proxy = _variable(f"{scheme}_proxy", upper_case) or _variable("all_proxy", True)
    if not proxy or is_loopback(host) or _is_excluded(host, port or {"http": 80, "https": 443}[scheme]):
        return None
    return proxy if "://" in proxy else f"http://{proxy}"


def is_loopback(host: str) -> bool:
    """Whether a host name or address is this machine (RFC 6761 6.3, RFC 1122 3.2.1.3)."""
    host = host.strip("[]").lower().rstrip(".")
    if host == "localhost":  # not its subdomains: a resolver that does not follow RFC 6761 asks a name server for them
        return True
    if not (host[:1].isdigit() or ":" in host):
        return False
    from ipaddress import ip_address

    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False


def _variable(name: str, upper_case: bool) -> str:
    value = os.environ.get(name)
    return os.environ.get(name.upper(), "") if value is None and upper_case else value or ""


def _is_excluded(host: str, port: int) -> bool:
    host = host.strip("[]").lower()
    for entry in (os.environ.get("no_proxy") or os.environ.get("NO_PROXY", "")).split(","):
        entry = entry.strip().lower()
        if not entry:
            continue
        if (
            entry == "*"
            or any(_matches_domain(entry, name) for name in (host, f"{host}:{port}"))
            or _is_network_of(entry, host)
        ):
            return True
    return False


def _matches_domain(entry: str, host: str) -> bool:
    domain = entry.lstrip("*").lstrip(".")
    return host == domain or host.endswith("." + domain)


def _is_network_of(entry: str, host: str) -> bool:
    if "/" not in entry:
        return False
    from ipaddress import ip_address, ip_network

    try:
        return ip_address(host) in ip_network(entry, strict=False)
    except ValueError:
        return False
