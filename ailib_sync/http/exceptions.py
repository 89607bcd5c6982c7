"""Exceptions of urllib3, http.client, ssl and socket → ours. The only place where they are translated."""

from __future__ import annotations

import http.client
import ssl
from errno import ETIMEDOUT

from urllib3 import exceptions as u3

from .._signals import raised_by_signal_handler
from ..errors import (
    AiLibError,
    Cancelled,
    ConnectError,
    ConnectionLost,
    ConnectTimeout,
    DeadlineExceeded,
    PoolTimeout,
    ProtocolError,
    ProxyError,
    TlsError,
    TransportError,
    WriteTimeout,
    printable,
)

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from .timeouts import CallClock

#: Everything that urllib3, http.client, ssl and socket raise; ValueError is "read of closed file".
FOREIGN = (u3.HTTPError, http.client.HTTPException, OSError, ValueError)


def translate(error: BaseException, clock: CallClock) -> BaseException:
    """Our exception for a foreign one. Ours, and those that a signal handler of the program raised, are returned unchanged.

    The messages taken over never contain headers.
    """
    if isinstance(error, AiLibError):
        return error
    raised = raised_by_signal_handler(error)
    if raised is not None:
        return raised
    if clock.cancelled:
        return Cancelled("the call was cancelled")
    if clock.remaining() <= 0:
        return clock.expired(DeadlineExceeded)
    for kind, make in TRANSLATIONS:
        if isinstance(error, kind):
            return make(error, clock)
    raise error


def _reason(error: BaseException) -> str:
    reason = getattr(error, "reason", None) or (error.args[-1] if error.args else error)
    text = reason if isinstance(reason, str) else f"{type(reason).__name__}: {reason}"
    return printable(text, 300)


def _connect(error: BaseException, clock: CallClock) -> AiLibError:
    # urllib3 puts the repr of the connection before its message.
    return ConnectError(f"cannot connect: {printable(getattr(error, '_message', None) or _reason(error), 300)}")


def _tls(error: BaseException, clock: CallClock) -> AiLibError:
    return TlsError(f"TLS failed: {_reason(error)}")


def _timed_out(error: BaseException, clock: CallClock) -> AiLibError:
    """A wait that exceeded its limit. urllib3 also raises a read time-out in the TLS handshake.

    With an `errno`, it is the kernel that gave the connection up (tcp(7), TCP_KEEPCNT): no limit of ours has passed.
    """
    if clock.connected and getattr(error, "errno", None) == ETIMEDOUT:
        return ConnectionLost("the connection broke: the peer does not reply to keepalive probes")
    return clock.expired() if clock.connected else clock.expired(ConnectTimeout)


def _broken(error: BaseException, clock: CallClock) -> AiLibError:
    """A connection that broke, or a response that is not HTTP; the innermost cause decides which."""
    cause: BaseException = error
    while isinstance(cause, u3.HTTPError):
        inner = next((a for a in reversed(cause.args) if isinstance(a, BaseException)), None)
        if inner is None:
            break
        cause = inner
    if isinstance(cause, AiLibError):
        return cause
    if isinstance(cause, TimeoutError):
        if clock.connected and cause.errno == ETIMEDOUT:
            return _timed_out(cause, clock)
        return clock.expired(WriteTimeout if clock.connected else ConnectTimeout)
    if isinstance(cause, (http.client.RemoteDisconnected, http.client.IncompleteRead)) or not isinstance(
        cause, (http.client.HTTPException, u3.HTTPError)
    ):
        return ConnectionLost(f"the connection broke: {_reason(cause)}")
    return ProtocolError(f"the response is not HTTP: {_reason(cause)}")


#: The first match decides: NewConnectionError and NameResolutionError are subclasses of ConnectTimeoutError.
TRANSLATIONS: tuple[tuple[Any, Callable[[BaseException, CallClock], AiLibError]], ...] = (
    (u3.ProxyError, lambda error, clock: ProxyError(f"the proxy failed: {_reason(error)}")),
    ((u3.SSLError, ssl.SSLError), _tls),
    ((u3.NewConnectionError, u3.NameResolutionError), _connect),
    (u3.ConnectTimeoutError, lambda error, clock: clock.expired(ConnectTimeout)),
    (u3.ClosedPoolError, lambda error, clock: ConnectError("the client was closed while the call began")),
    (u3.EmptyPoolError, lambda error, clock: PoolTimeout("no connection became free in time")),
    (u3.ReadTimeoutError, _timed_out),
    (u3.InvalidChunkLength, lambda error, clock: ProtocolError("a chunk of the response has an invalid size")),
    (u3.InvalidHeader, lambda error, clock: ProtocolError(f"the response headers contradict each other: {_reason(error)}")),
    (u3.DecodeError, lambda error, clock: ProtocolError("the compression of the response is broken")),
    (u3.LocationValueError, lambda error, clock: ConnectError(f"cannot connect: {_reason(error)}")),
    ((u3.ProtocolError, u3.HTTPError, http.client.HTTPException), _broken),
    (TimeoutError, _timed_out),
    (OSError, _broken),
    (ValueError, lambda error, clock: TransportError("the connection was closed while it was read")),
)
