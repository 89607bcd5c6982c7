"""Connections through a SOCKS proxy, with the same limits and reuse as all our connections. Needs PySocks; loaded on use."""

from __future__ import annotations

import urllib3
from urllib3.contrib.socks import SOCKSConnection

from .connections import _Connection
from .idle import _Pool

TYPE_CHECKING = False
if TYPE_CHECKING:
    import socket

    from .timeouts import CallClock


class _SocksConnection(_Connection):
    def open_socket(self, clock: CallClock) -> socket.socket:
        """PySocks looks up names and talks to the proxy, within the connect limit. A cancelled call waits for it."""
        sock: socket.socket = SOCKSConnection._new_conn(self)  # type: ignore[arg-type]
        return sock


class SocksConnection(_SocksConnection, SOCKSConnection):
    pass


class SocksTlsConnection(_SocksConnection, SOCKSConnection, urllib3.connection.HTTPSConnection):
    pass


class SocksPool(_Pool, urllib3.HTTPConnectionPool):
    ConnectionCls = SocksConnection


class SocksTlsPool(_Pool, urllib3.HTTPSConnectionPool):
    ConnectionCls = SocksTlsConnection
