"""Connections through a SOCKS proxy, with the same limits and reuse as all our connections. Needs PySocks; loaded on use."""

from __future__ import annotations

import socket
from time import monotonic

import socks  # type: ignore[import-untyped]
import urllib3
from urllib3 import exceptions as u3
from urllib3.contrib.socks import SOCKSConnection

from .._signals import raised_by_signal_handler
from .connect import addresses_of, connect
from .connections import _Connection
from .idle import _Pool
from .sockets import waker_for
from .timeouts import NO_LIMIT

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from .timeouts import CallClock


class _ConnectedSocket(socks._BaseSocket):  # type: ignore[misc]
    """A socket that is connected to the proxy already. `until`, in seconds of the monotonic clock, bounds all its reads."""

    until = NO_LIMIT

    def connect(self, address: Any) -> None:
        pass

    def recv_into(self, *arguments: Any) -> int:
        if self.until != NO_LIMIT:
            left = self.until - monotonic()
            if left <= 0:
                raise TimeoutError
            super().settimeout(left)
        count: int = super().recv_into(*arguments)
        return count


class _Negotiator(socks.socksocket, _ConnectedSocket):  # type: ignore[misc]
    """PySocks' socket. Its `connect` calls that of `_ConnectedSocket`, and then negotiates with the proxy."""


class _SocksConnection(_Connection):
    timeout: Any
    port: int
    _dns_host: str
    _socks_options: Any

    def open_socket(self, clock: CallClock) -> socket.socket:
        """Name look-ups, the connection to the proxy and the negotiation share the connect limit. A cancel ends each."""
        options = self._socks_options
        until = monotonic() + self.timeout if isinstance(self.timeout, (int, float)) else NO_LIMIT
        version, proxy, port = options["socks_version"], options["proxy_host"], options["proxy_port"]
        host = self._dns_host.strip("[]")
        if not options["rdns"]:  # else PySocks would look it up, without a limit
            addresses = addresses_of(self, host, self.port, until, clock)
            host = min(addresses, key=lambda each: version == socks.SOCKS4 and each[0] != socket.AF_INET)[4][0]
        tunnel = connect(self, clock, _Negotiator, (proxy.strip("[]"), port or socks.DEFAULT_PORTS[version]), until)
        failure: Exception | None = None
        try:
            clock.waker = waker_for(tunnel)
            clock.check()
            tunnel.until = until
            tunnel.set_proxy(version, proxy, port, options["rdns"], options["username"], options["password"])
            tunnel.connect((host, self.port))
            tunnel.until = NO_LIMIT
            tunnel.settimeout(None if until == NO_LIMIT else max(until - monotonic(), 0.001))
        except OSError as error:
            tunnel.close()
            if raised_by_signal_handler(error):
                raise
            if isinstance(getattr(error, "socket_err", error), TimeoutError):
                failure = u3.ConnectTimeoutError(self, "the SOCKS proxy did not reply in time")
            else:
                failure = u3.NewConnectionError(self, f"the SOCKS proxy gave no connection: {error}")  # type: ignore[arg-type]
        except BaseException:
            tunnel.close()
            raise
        if failure is not None:
            try:
                raise failure
            finally:
                del failure  # no cycle: it refers to this connection
        return tunnel  # type: ignore[no-any-return]


class SocksConnection(_SocksConnection, SOCKSConnection):
    pass


class SocksTlsConnection(_SocksConnection, SOCKSConnection, urllib3.connection.HTTPSConnection):
    pass


class SocksPool(_Pool, urllib3.HTTPConnectionPool):
    ConnectionCls = SocksConnection


class SocksTlsPool(_Pool, urllib3.HTTPSConnectionPool):
    ConnectionCls = SocksTlsConnection
