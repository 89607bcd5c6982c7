"""Where a host is: this machine, a private network, or anywhere. Decided from the name alone, without a name look-up."""

from __future__ import annotations

from .._signals import reraise_from_signal

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ipaddress import IPv4Address, IPv6Address

#: Names that no public name server resolves: mDNS (RFC 6762), ICANN's reserved private TLD, Kubernetes services, home networks
#: (RFC 8375).
PRIVATE_SUFFIXES = (".local", ".internal", ".svc", ".home.arpa")
#: Shared by the customers of a provider (RFC 6598), and used by VPNs such as Tailscale.
SHARED_NETWORK = "100.64.0.0/10"


def is_loopback(host: str) -> bool:
    """Whether a host name or address is this machine (RFC 6761 6.3, RFC 1122 3.2.1.3)."""
    host = host.strip("[]").lower().rstrip(".")
    if host == "localhost":  # not its subdomains: a resolver that does not follow RFC 6761 asks a name server for them
        return True
    address = _address(host)
    return address is not None and address.is_loopback


def is_private(host: str) -> bool:
    """Whether a host is this machine or in a private network.

    Private, link-local and unique local addresses (RFC 1918, RFC 3927, RFC 4193), also mapped ones (RFC 4291 2.5.5.2); names
    without a dot, and those of `PRIVATE_SUFFIXES`.
    """
    host = host.strip("[]").lower().rstrip(".")
    if is_loopback(host):
        return True
    address = _address(host)
    if address is not None:
        from ipaddress import ip_network

        mapped = getattr(address, "ipv4_mapped", None) or address
        if mapped.is_unspecified:
            return False
        return mapped.is_private or (mapped.version == 4 and mapped in ip_network(SHARED_NETWORK))
    if "." not in host:
        # Resolvers read a number without dots, also a hexadecimal one, as an address.
        return bool(host) and not host.isdigit() and not host.startswith("0x") and ":" not in host
    return host.endswith(PRIVATE_SUFFIXES)


def _address(host: str) -> IPv4Address | IPv6Address | None:
    if not (host[:1].isdigit() or ":" in host):
        return None
    from ipaddress import IPv4Address, IPv6Address
    from socket import AF_INET, AF_INET6, inet_pton

    # Not `ip_address`, which tries both versions in Python code, and would ignore a ValueError of a signal handler.
    is_version_6 = ":" in host
    try:
        packed = inet_pton(AF_INET6 if is_version_6 else AF_INET, host.partition("%")[0])
    except (OSError, ValueError) as error:
        reraise_from_signal(error)
        return None
    return IPv6Address(packed) if is_version_6 else IPv4Address(packed)
