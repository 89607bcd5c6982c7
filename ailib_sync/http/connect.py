"""TCP connects that stop when the call is cancelled, and that share one time limit between all addresses of a host name.

urllib3 waits the full time for each address in turn, and nothing can wake it. The system's name look-up cannot be interrupted
either, so a daemon thread runs it; a look-up that takes too long is abandoned in that thread.
"""

from __future__ import annotations

import errno
import os
import socket
import sys
import threading
from time import monotonic

from urllib3 import exceptions as u3
from urllib3.util.connection import allowed_gai_family
from urllib3.util.wait import wait_for_write

from .._signals import raised_by_signal_handler
from ..errors import Cancelled
from .timeouts import NO_LIMIT

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from .timeouts import CallClock

#: How often a connect checks whether the call was cancelled.
CANCEL_CHECK_SECONDS = 0.05
IN_PROGRESS = (errno.EINPROGRESS, errno.EWOULDBLOCK, errno.EAGAIN, getattr(errno, "WSAEWOULDBLOCK", errno.EAGAIN))


def connect(
    connection: Any,
    clock: CallClock,
    make: Callable[..., Any] = socket.socket,
    proxy: tuple[str, int] | None = None,
    until: float | None = None,
) -> Any:
    """A connected socket for urllib3's `connection`. Raises what urllib3 raises for a connect, or Cancelled.

    `make`: the class of the socket. `proxy`: where to connect to instead of the connection's host. `until`: the limit in
    seconds of the monotonic clock, instead of the connection's own.
    """
    seconds = connection.timeout
    if until is None:
        until = monotonic() + seconds if isinstance(seconds, (int, float)) else NO_LIMIT
    host, port = proxy or (connection._dns_host.strip("[]"), connection.port)
    name = connection.host if proxy is None else f"the proxy {host}"
    addresses = addresses_of(connection, host, port, until, clock)
    failure: OSError = OSError("the host name has no address")
    for number, (family, kind, protocol, _, address) in enumerate(addresses):
        now = monotonic()
        deadline = now + (until - now) / (len(addresses) - number)
        sock = make(family, kind, protocol)
        try:
            for option in connection.socket_options or ():
                sock.setsockopt(*option)
            if connection.source_address:
                sock.bind(connection.source_address)
            _connect_to(sock, address, deadline, clock)
        except OSError as error:
            sock.close()
            if raised_by_signal_handler(error):
                raise
            failure = error
        except BaseException:
            sock.close()
            raise
        else:
            sock.settimeout(None if until == NO_LIMIT else max(until - monotonic(), 0.001))
            sys.audit("http.client.connect", connection, connection.host, port)
            return sock
    if isinstance(failure, TimeoutError):
        raise u3.ConnectTimeoutError(connection, f"no connection to {name} in time")
    raise u3.NewConnectionError(connection, f"no connection to {name}: {failure}")


def addresses_of(connection: Any, host: str, port: int, until: float, clock: CallClock) -> list[Any]:
    """The addresses of a host, as `getaddrinfo` returns them. Raises what urllib3 raises for a connect, or Cancelled."""
    try:
        return _resolve(host, port, until, clock)
    except TimeoutError as error:
        if raised_by_signal_handler(error):
            raise
        raise u3.ConnectTimeoutError(connection, f"{host} was not resolved in time") from None
    except (socket.gaierror, UnicodeError) as error:
        raise u3.NameResolutionError(host, connection, error) from None  # type: ignore[arg-type]


def _resolve(host: str, port: int, until: float, clock: CallClock) -> list[Any]:
    """The addresses of a host, as `getaddrinfo` returns them. Raises what `getaddrinfo` raises, TimeoutError, or Cancelled."""
    results: list[Any] = []
    finished = threading.Event()

    def query() -> None:
        try:
            results.append(socket.getaddrinfo(host, port, allowed_gai_family(), socket.SOCK_STREAM))
        except (OSError, UnicodeError) as error:
            results.append(error)
        finished.set()

    if ":" in host or host.replace(".", "").isdigit():
        query()  # a literal address needs no name server
    else:
        clock.waker = finished.set
        try:
            threading.Thread(target=query, name="ailib-sync look-up", daemon=True).start()
        except RuntimeError:
            query()  # no thread can start: at interpreter shutdown, or at the system's limit. The look-up has no limit then.
        finished.wait(None if until == NO_LIMIT else until - monotonic())
        clock.waker = None
    if clock.cancelled:
        raise Cancelled("the call was cancelled")
    if not results:
        raise TimeoutError
    if isinstance(results[0], Exception):
        raise results[0]
    return results[0]  # type: ignore[no-any-return]


def _connect_to(sock: socket.socket, address: Any, until: float, clock: CallClock) -> None:
    """Connects the socket. Leaves it non-blocking. Raises OSError, TimeoutError or Cancelled."""
    sock.setblocking(False)
    code = socket.socket.connect_ex(sock, address)  # not the method of PySocks' sockets, which negotiates
    if code in IN_PROGRESS:
        while not wait_for_write(sock, max(min(CANCEL_CHECK_SECONDS, until - monotonic()), 0.0)):
            if clock.cancelled:
                raise Cancelled("the call was cancelled")
            if monotonic() >= until:
                raise TimeoutError
        code = sock.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
    if code:
        raise OSError(code, os.strerror(code))
