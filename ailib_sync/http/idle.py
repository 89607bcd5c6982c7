"""Idle connections of one origin: how they are kept, reused and closed. Loaded with the first request.

urllib3 keeps them in a `queue.LifoQueue`. If a signal handler raises while its lock is being taken, the lock stays locked and
every later call waits without end. Here they are in a deque, whose methods cannot be interrupted.
"""

from __future__ import annotations

import queue
from collections import deque
from contextlib import suppress
from time import monotonic

import urllib3

from .connections import Connection, TlsConnection

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from .connections import _Connection

#: A connection that was idle for longer is not reused: a balancer or NAT on the way may have forgotten it without a word, and a
#: request sent on it would get no response until `Timeout.read`. httpx uses the same number.
MAX_IDLE_SECONDS = 5.0


class IdleConnections:
    """The newest connection is reused first. Has the methods of `queue.LifoQueue` that urllib3's pools call.

    Invariant: a connection is either in here or in use by one call; only the atomic `append` and `pop` move it.
    """

    __slots__ = ("_connections", "_size")

    def __init__(self, size: int) -> None:
        self._connections: deque[_Connection] = deque()
        self._size = size

    def put(self, connection: _Connection | None, block: bool = False) -> None:
        """Keeps a connection. Closes the oldest if there are too many, and those that were idle for too long."""
        if connection is None:
            return
        connections = self._connections
        connections.append(connection)
        try:
            while len(connections) > self._size or connections[0].idle_since < monotonic() - MAX_IDLE_SECONDS:
                connections.popleft().close()
        except IndexError:  # another thread took the last one
            return

    def get(self, block: bool = False, timeout: float | None = None) -> _Connection:
        """Takes a connection. Raises `queue.Empty`; never waits."""
        try:
            return self._connections.pop()
        except IndexError:
            raise queue.Empty from None

    def qsize(self) -> int:
        return len(self._connections)


class _Pool:
    """What our pools change in urllib3's: a store without a lock, bounds on age and idle time, and a `close` that ends nothing.

    `max_age`: seconds after which a connection is not reused, None for no limit.
    """

    QueueCls: Any = IdleConnections
    pool: Any

    def __init__(self, *args: Any, max_age: float | None = None, **options: Any) -> None:
        self._max_age = max_age
        self._generation = object()
        super().__init__(*args, **options)

    def take(self, timeout: float | None = None) -> Any:
        """A connection for one call: an idle one if any can be reused, or a new one."""
        while True:
            try:
                connection = self.pool.get()
            except queue.Empty:
                connection = self._new_conn()  # type: ignore[attr-defined]
                break
            now = monotonic()
            is_young = self._max_age is None or connection.opened_at > now - self._max_age
            if is_young and connection.idle_since > now - MAX_IDLE_SECONDS and connection.is_connected:
                break
            connection.close()
        connection.generation = self._generation
        return connection

    def put_back(self, connection: Any) -> None:
        """Keeps a connection whose call has ended, unless it is closed or `close` ran in the meantime."""
        if connection is None or connection.sock is None:
            return
        if connection.generation is not self._generation or connection.send_error is not None:
            connection.close()
            return
        connection.idle_since = monotonic()
        self.pool.put(connection)
        if connection.generation is not self._generation:  # `close` ran between the check and `put`
            self._close_idle()

    #: The names that urllib3's `urlopen` calls.
    _get_conn = take
    _put_conn = put_back

    def close(self) -> None:
        """Closes the idle connections now, and those in use when their calls end. The pool can still be used."""
        self._generation = object()
        self._close_idle()

    def _close_idle(self) -> None:
        with suppress(queue.Empty):
            while True:
                self.pool.get().close()


class Pool(_Pool, urllib3.HTTPConnectionPool):
    ConnectionCls = Connection


class TlsPool(_Pool, urllib3.HTTPSConnectionPool):
    ConnectionCls = TlsConnection
