"""Which pool, proxy and TLS context serve an address. One `Pools` a process; loaded with the first request."""

from __future__ import annotations

import os
import socket
import ssl
import threading
from contextlib import suppress
from functools import lru_cache
from urllib.parse import unquote

import urllib3
from urllib3 import connection as u3connection
from urllib3 import exceptions as u3
from urllib3.util import parse_url

from ..errors import ProxyError, TlsError
from .connections import Pool, TlsPool
from .timeouts import FOREVER

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from .timeouts import CallClock


def timeout(clock: CallClock) -> urllib3.Timeout:
    """urllib3's own time-outs: they bound connecting and writing, and reading where a foreign pool is used."""
    left = max(clock.left(), 0.001)
    return _timeout(min(clock.timeout.connect or FOREVER, left), min(clock.timeout.read or FOREVER, left))


@lru_cache(maxsize=16)
def _timeout(connect: float, read: float) -> urllib3.Timeout:
    return urllib3.Timeout(connect=None if connect == FOREVER else connect, read=None if read == FOREVER else read)


#: What urllib3 makes of `retries=False` at each call.
NO_RETRIES = urllib3.Retry(False, redirect=False)


class Pools:
    """urllib3's pools of one process: one for each origin, behind a proxy where the environment names one."""

    def __init__(self, trust_env: bool, ca_bundle: str | None, size: int) -> None:
        self._trust_env = trust_env
        self._ca_bundle = ca_bundle
        self._size = size
        self._managers: dict[tuple[str | None, bool], urllib3.PoolManager] = {}
        self._found: dict[str, tuple[Any, str]] = {}
        self._context: ssl.SSLContext | None = None
        self._lock = threading.Lock()

    def find(self, url: str) -> tuple[Any, str]:
        """What to call `urlopen` on, and with which address: the origin's own pool with a path (cheaper than the manager),
        or the manager of a proxy with the whole address."""
        found = self._found.get(url)
        if found is None:
            with self._lock:
                found = self._found.get(url) or self._search(url)
                if len(self._found) > 1000:
                    self._found.clear()
                self._found[url] = found
        return found

    def _search(self, url: str) -> tuple[Any, str]:
        parsed = parse_url(url)
        proxy = self._proxy_for(parsed)
        tls = parsed.scheme == "https" or (proxy or "").startswith("https:")
        manager = self._managers.get((proxy, tls))
        if manager is None:
            manager = self._managers[proxy, tls] = self._manager(proxy, tls)
        if proxy is not None:
            return manager, url
        pool = manager.connection_from_host(parsed.host, parsed.port, parsed.scheme)
        return pool, parsed.request_uri

    def _proxy_for(self, parsed: Any) -> str | None:
        if not self._trust_env:
            return None
        from .proxies import proxy_for

        return proxy_for(parsed.scheme, parsed.host, parsed.port)

    def _manager(self, proxy: str | None, tls: bool) -> urllib3.PoolManager:
        keep_alive = (socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
        options: dict[str, Any] = {
            "num_pools": 100,
            "maxsize": self._size,
            "socket_options": [*u3connection.HTTPConnection.default_socket_options, keep_alive],
        }
        if tls:
            options["ssl_context"] = self._tls()
        if proxy is None:
            manager = urllib3.PoolManager(**options)
        elif proxy.startswith("socks"):
            from importlib.util import find_spec

            if find_spec("socks") is None:  # asked first: urllib3 warns before it fails
                raise ProxyError("a SOCKS proxy needs PySocks: pip install 'ailib-sync[socks]'")
            from urllib3.contrib.socks import SOCKSProxyManager

            return _proxied(SOCKSProxyManager, proxy, options)
        else:
            manager = _proxied(_proxy_manager, proxy, options)
        manager.pool_classes_by_scheme = {"http": Pool, "https": TlsPool}
        return manager

    def _tls(self) -> ssl.SSLContext:
        """One context for all connections: making one reads the whole CA bundle (20 ms)."""
        if self._context is None:
            self._context = tls_context(self._ca_bundle, self._trust_env)
        return self._context

    def close(self) -> None:
        """Closes what is idle now, and each connection in use when it comes back. (`clear` alone leaves that to the garbage
        collector.)"""
        for manager in self._managers.values():
            for key in list(manager.pools.keys()):  # a view that iterates only so
                pool = manager.pools.get(key)
                if pool is not None:
                    pool.close()
            manager.clear()


def _proxied(make: Callable[..., urllib3.PoolManager], proxy: str, options: dict[str, Any]) -> urllib3.PoolManager:
    """The manager for a proxy. What is wrong with its address is not told in urllib3's words, which hold its password."""
    with suppress(u3.HTTPError, ValueError):
        return make(proxy, **options)
    raise ProxyError("the proxy that the environment names is no address that can be used")


def _proxy_manager(proxy: str, **options: Any) -> urllib3.ProxyManager:
    parsed = parse_url(proxy)
    headers = urllib3.make_headers(proxy_basic_auth=unquote(parsed.auth)) if parsed.auth else None
    address = parsed._replace(auth=None).url
    return urllib3.ProxyManager(address, proxy_headers=headers, proxy_ssl_context=options.get("ssl_context"), **options)


def tls_context(ca_bundle: str | None, trust_env: bool) -> ssl.SSLContext:
    """TLS 1.2 or later. A bundle, given or named by the environment, is all that is trusted; without one, what the system
    trusts, or certifi where it has nothing."""
    bundle = ca_bundle
    if bundle is None and trust_env:
        bundle = os.environ.get("REQUESTS_CA_BUNDLE") or os.environ.get("CURL_CA_BUNDLE") or None
    try:
        where: dict[str, Any] = {} if bundle is None else {"capath" if os.path.isdir(bundle) else "cafile": bundle}
        context = ssl.create_default_context(**where)
    except OSError as error:
        raise TlsError(f"the CA bundle {bundle} cannot be read: {error}") from None
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    if bundle is None and not context.get_ca_certs() and not _has_ca_folder():
        try:
            import certifi
        except ImportError:
            return context
        context.load_verify_locations(certifi.where())
    return context


def _has_ca_folder() -> bool:
    folder = ssl.get_default_verify_paths().capath
    return bool(folder and os.path.isdir(folder) and os.listdir(folder))
