"""TCP connects that a cancelled call leaves at once, and that share one limit between all addresses of a name.

urllib3's own waits the whole time for each address in turn, and nothing can wake it. Looking up a name is the system's, which
cannot be interrupted either: a thread asks, and is left to itself where the answer takes too long.
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

from ..errors import Cancelled
from .timeouts import FOREVER

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from .timeouts import CallClock

#: Seconds between two looks at whether the call was cancelled.
STEP = 0.05
UNDER_WAY = (errno.EINPROGRESS, errno.EWOULDBLOCK, errno.EAGAIN, getattr(errno, "WSAEWOULDBLOCK", errno.EAGAIN))


def dial(connection: Any, clock: CallClock) -> socket.socket:
    """A connected socket for urllib3's `connection`. Raises what urllib3 raises there, or Cancelled."""
    seconds = connection.timeout
    until = monotonic() + seconds if isinstance(seconds, (int, float)) else FOREVER
    host, port = connection._dns_host.strip("[]"), connection.port
    try:
        addresses = _look_up(host, port, until, clock)
    except TimeoutError:
        raise u3.ConnectTimeoutError(connection, f"no address of {connection.host} in time") from None
    except (socket.gaierror, UnicodeError) as error:
        raise u3.NameResolutionError(connection.host, connection, error) from None  # type: ignore[arg-type]
    failure: OSError = OSError("the name has no address")
    for number, (family, kind, protocol, _, address) in enumerate(addresses):
        now = monotonic()
        share = until if until == FOREVER else now + (until - now) / (len(addresses) - number)
        sock = socket.socket(family, kind, protocol)
        try:
            for option in connection.socket_options or ():
                sock.setsockopt(*option)
            if connection.source_address:
                sock.bind(connection.source_address)
            _connect(sock, address, share, clock)
        except OSError as error:
            sock.close()
            failure = error
        except BaseException:
            sock.close()
            raise
        else:
            sock.settimeout(None if until == FOREVER else max(until - monotonic(), 0.001))
            sys.audit("http.client.connect", connection, connection.host, port)
            return sock
    if isinstance(failure, TimeoutError):
        raise u3.ConnectTimeoutError(connection, f"no connection to {connection.host} in time")
    raise u3.NewConnectionError(connection, f"no connection to {connection.host}: {failure}")


def _look_up(host: str, port: int, until: float, clock: CallClock) -> list[Any]:
    """The addresses of a name, within the limit. Raises what `getaddrinfo` raises, TimeoutError, or Cancelled."""
    answers: list[Any] = []
    answered = threading.Event()

    def ask() -> None:
        try:
            answers.append(socket.getaddrinfo(host, port, allowed_gai_family(), socket.SOCK_STREAM))
        except (OSError, UnicodeError) as error:
            answers.append(error)
        answered.set()

    if ":" in host or host.replace(".", "").isdigit():
        ask()  # an address: nobody is asked
    else:
        clock.waker = answered.set
        threading.Thread(target=ask, name="ailib-sync look-up", daemon=True).start()
        answered.wait(None if until == FOREVER else until - monotonic())
        clock.waker = None
    if clock.cancelled:
        raise Cancelled("the call was cancelled")
    if not answers:
        raise TimeoutError
    if isinstance(answers[0], Exception):
        raise answers[0]
    return answers[0]  # type: ignore[no-any-return]


def _connect(sock: socket.socket, address: Any, until: float, clock: CallClock) -> None:
    sock.setblocking(False)
    code = sock.connect_ex(address)
    if code in UNDER_WAY:
        while not wait_for_write(sock, max(min(STEP, until - monotonic()), 0.0)):
            if clock.cancelled:
                raise Cancelled("the call was cancelled")
            if monotonic() >= until:
                raise TimeoutError
        code = sock.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
    if code:
        raise OSError(code, os.strerror(code))
