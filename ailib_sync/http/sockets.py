"""Sockets below connections: how to wake a thread that is blocked on one, and whether a TLS layer has unread bytes."""

from __future__ import annotations

import os
import socket
import ssl

from urllib3.util.ssltransport import SSLTransport

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any


def has_decrypted_bytes(sock: Any) -> bool:
    """Whether bytes of the peer are inside a TLS layer, where a check of the socket does not see them.

    OpenSSL decrypts a whole record (16 KiB at most) and keeps what was not read.
    """
    if isinstance(sock, SSLTransport):  # TLS through a TLS proxy
        return sock.incoming.pending > 0 or sock.sslobj.pending() > 0 or has_decrypted_bytes(sock.socket)
    pending = getattr(sock, "pending", None)
    return pending is not None and pending() > 0


def waker_for(sock: Any) -> Any:
    """A function that wakes a thread blocked on the socket. Only a shutdown does; `close()` does not.

    It does nothing in a forked child, where a shutdown would end the parent's connection too.
    """
    owner = os.getpid()

    def wake() -> None:
        if os.getpid() != owner:
            return
        # Not SSLSocket.shutdown: it drops the TLS state that the blocked thread still uses. (Eventlet hides this method.)
        below = getattr(socket.socket, "shutdown", None) if isinstance(sock, ssl.SSLSocket) else None
        try:
            if below is None:
                sock.shutdown(socket.SHUT_RDWR)
            else:
                below(sock, socket.SHUT_RDWR)
        except OSError:
            pass

    return wake
