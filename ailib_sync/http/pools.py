"""Which pool, proxy and TLS context are used for a URL. Loaded with the first request."""

from __future__ import annotations

import os
import socket
import ssl
import threading
from contextlib import suppress
from functools import lru_cache, partial
from urllib.parse import unquote

import urllib3
from urllib3 import connection as u3connection
from urllib3 import exceptions as u3
from urllib3.util import parse_url

from ..errors import ProxyError
from .idle import Pool, TlsPool
from .timeouts import NO_LIMIT
from .tls import tls_context

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from .timeouts import CallClock


def timeout(clock: CallClock) -> urllib3.Timeout:
    """urllib3's time limits. They bound connects and writes; with a pool of the user's also reads."""
    left = max(clock.remaining(), 0.001)
    return _timeout(min(clock.timeout.connect or NO_LIMIT, left), min(clock.timeout.read or NO_LIMIT, left))


class FixedTimeout(urllib3.Timeout):
    """Limits without a start time: urllib3 copies and checks its own twice for each request, because they may have one."""

    def clone(self) -> FixedTimeout:
        return self

    def start_connect(self) -> float:
        return 0.0


@lru_cache(maxsize=16)
def _timeout(connect: float, read: float) -> urllib3.Timeout:
    return FixedTimeout(connect=None if connect == NO_LIMIT else connect, read=None if read == NO_LIMIT else read)


#: The kernel probes a peer that has been silent for a minute, and ends the connection if four probes get no reply. The probes
#: also keep NATs and balancers from forgetting a connection that waits for a long response (AWS forgets after 350 s).
KEEP_ALIVE: list[tuple[int, int, int]] = [(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)]
for _name, _value in (("TCP_KEEPIDLE", 60), ("TCP_KEEPALIVE", 60), ("TCP_KEEPINTVL", 15), ("TCP_KEEPCNT", 4)):
    # TCP_KEEPALIVE is what macOS calls TCP_KEEPIDLE.
    if hasattr(socket, _name):
        KEEP_ALIVE.append((socket.IPPROTO_TCP, getattr(socket, _name), _value))

#: The object that urllib3 would make of `retries=False` for each call.
NO_RETRIES = urllib3.Retry(False, redirect=False)


class Pools:
    """urllib3's pools in one process: one for each origin, through a proxy if the environment names one.

    `plain`: urllib3's own pools and connections, not ours, for a recorder that has replaced urllib3's connection classes.
    """

    def __init__(
        self,
        trust_env: bool,
        ca_bundle: str | None,
        size: int,
        max_age: float | None = None,
        context: ssl.SSLContext | None = None,
        plain: bool = False,
    ) -> None:
        #: A forked child must not use the connections of its parent.
        self.owner = os.getpid()
        self._plain = plain
        self._max_age = max_age
        self._trust_env = trust_env
        self._ca_bundle = ca_bundle
        self._size = size
        self._managers: dict[tuple[str | None, bool], urllib3.PoolManager] = {}
        self._found: dict[str, tuple[Any, str]] = {}
        self._context = context
        self._lock = threading.Lock()

    def find(self, url: str) -> tuple[Any, str]:
        """The object to call `urlopen` on, and the URL to give it.

        It is the pool of the origin with a path (cheaper than the manager), or the manager of a proxy with the full URL.
        """
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
            manager = self._managers[proxy, tls] = self._manager(proxy, tls, parsed.scheme or "")
        if manager.proxy is not None:
            return manager, url
        pool = manager.connection_from_host(parsed.host, parsed.port, parsed.scheme)
        return pool, parsed.request_uri

    def _proxy_for(self, parsed: Any) -> str | None:
        if not self._trust_env:
            return None
        from .proxies import proxy_for

        return proxy_for(parsed.scheme, parsed.host, parsed.port)

    def _manager(self, proxy: str | None, tls: bool, scheme: str) -> urllib3.PoolManager:
        options: dict[str, Any] = {
            "num_pools": 100,
            "maxsize": self._size,
            "socket_options": [*u3connection.HTTPConnection.default_socket_options, *KEEP_ALIVE],
        }
        if tls:
            options["ssl_context"] = context = self._tls()
            if not context.check_hostname:
                options["assert_hostname"] = False  # else urllib3 checks the name itself
        classes: tuple[Any, Any] = (Pool, TlsPool)
        if proxy is None:
            manager = urllib3.PoolManager(**options)
        elif proxy.startswith("socks"):
            from importlib.util import find_spec

            if find_spec("socks") is None:  # checked first: urllib3 warns before it fails
                raise ProxyError("a SOCKS proxy needs PySocks: pip install 'ailib-sync[socks]'")
            from urllib3.contrib.socks import SOCKSProxyManager

            from .socks import SocksPool, SocksTlsPool

            manager = _proxied(SOCKSProxyManager, proxy, options, scheme)
            classes = (SocksPool, SocksTlsPool)
        else:
            manager = _proxied(_proxy_manager, proxy, options, scheme)
        if not self._plain:
            http, https = (partial(pool, max_age=self._max_age) for pool in classes)
            manager.pool_classes_by_scheme = {"http": http, "https": https}  # type: ignore[dict-item]
        return manager

    def _tls(self) -> ssl.SSLContext:
        """One context for all connections: to make one takes 20 ms."""
        if self._context is None:
            self._context = tls_context(self._ca_bundle, self._trust_env)
        return self._context

    def close(self) -> None:
        """Closes the idle connections now, and those in use when their calls end. The pools can still be used."""
        for manager in list(self._managers.values()):
            pools = [manager.pools.get(key) for key in list(manager.pools.keys())]  # it supports no other iteration
            if self._plain:
                manager.clear()  # urllib3's own pools cannot be used after `close`
            for pool in pools:
                if pool is not None:
                    pool.close()


def _proxied(make: Callable[..., urllib3.PoolManager], proxy: str, options: dict[str, Any], scheme: str) -> urllib3.PoolManager:
    """The manager for a proxy. Raises ProxyError without urllib3's message, which would contain the proxy's password."""
    with suppress(u3.HTTPError, ValueError):
        return make(proxy, **options)
    from .proxies import proxy_variable

    raise ProxyError(f"{proxy_variable(scheme)[0]} is not a valid proxy URL")


def _proxy_manager(proxy: str, **options: Any) -> urllib3.ProxyManager:
    parsed = parse_url(proxy)
    headers = urllib3.make_headers(proxy_basic_auth=unquote(parsed.auth)) if parsed.auth else None
    address = parsed._replace(auth=None).url
    return urllib3.ProxyManager(address, proxy_headers=headers, proxy_ssl_context=options.get("ssl_context"), **options)
