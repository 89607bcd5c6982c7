"""Requests out, answers in, over urllib3's pools, which are loaded with the first request.

`pools`, `connections`, `dial`, `bodies` and `translation` are its parts; no other module knows urllib3. Every exception of
urllib3, http.client, ssl and socket is translated before it leaves, and raised outside the `except` that caught it: what those
modules hold in their frames (headers, and so keys) does not travel with our exceptions.
"""

from __future__ import annotations

import os
from functools import lru_cache

from ..errors import AiLibError, ConnectionLost, ProtocolError, ResponseTooLarge, TransportError
from .message import HttpRequest, HttpResponse
from .timeouts import CallClock, Limits

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any, Protocol

    from urllib3 import BaseHTTPResponse

    class Http(Protocol):
        """Anything with the shape of urllib3's `PoolManager.urlopen`."""

        def urlopen(self, method: str, url: str, **kwargs: Any) -> BaseHTTPResponse: ...


ERROR_BODY_SECONDS = 2.0
DRAIN_SECONDS = 0.05
BLOCK = 65536


class Transport:
    """The connections of one client. Opened on first use, anew in a forked child; shared by any number of threads.

    `http` replaces our own pools: a `ProxyManager`, a SOCKS manager, a test's pool. `trust_env` honours the proxy and CA
    variables of the environment, `ca_bundle` names a CA file or folder, `max_connections` bounds the idle connections kept.
    """

    def __init__(
        self,
        http: Http | None = None,
        *,
        limits: Limits | None = None,
        trust_env: bool = True,
        ca_bundle: str | None = None,
        max_connections: int = 100,
    ) -> None:
        self.http = http
        self.limits = limits or Limits()
        self.trust_env = trust_env
        self.ca_bundle = ca_bundle
        self.max_connections = max_connections
        self._pools: Any = None
        self._pid = 0
        self._abandoned: list[Any] = []

    def __getstate__(self) -> dict[str, Any]:
        return {**self.__dict__, "_pools": None, "_pid": 0, "_abandoned": []}

    def send(self, request: HttpRequest, clock: CallClock) -> HttpResponse:
        """Sends, and returns as soon as the head of the answer is here. Raises TransportError or ProtocolError.

        A kept connection may have been closed by the provider in the very moment it was used: when nothing of an answer
        arrived on one, the request is sent again at once, on another.
        """
        response, error = self._open(request, clock)
        if isinstance(error, ConnectionLost) and clock.reused and not clock.answered:
            clock.begin_attempt()
            response, error = self._open(request, clock)
        if error is not None:
            raise error
        return response_of(response, clock, self.limits)

    def _open(self, request: HttpRequest, clock: CallClock) -> tuple[Any, BaseException | None]:
        parts = _parts()
        parts.current.clock = clock
        clock.connected = self.http is not None  # a pool of the user's does not say when it has connected
        try:
            target, url = (self.http, request.url) if self.http is not None else self._pool(request.url)
            return target.urlopen(
                request.method,
                url,
                body=request.body,
                headers=request.headers,
                retries=parts.no_retries if self.http is None else False,
                redirect=False,
                preload_content=False,
                timeout=parts.timeout(clock),
                pool_timeout=clock.write_patience(),  # a pool of the user's may block until a connection is free
            ), None
        except parts.foreign as error:
            return None, parts.translate(error, clock).with_traceback(None)
        except BaseException as error:  # whatever it is: it goes on without the frames of ours below, which hold headers
            if self.http is not None:
                raise
            return None, error.with_traceback(None)
        finally:
            parts.current.clock = None

    def _pool(self, url: str) -> tuple[Any, str]:
        """The pool for this address and the address as it wants it."""
        if self._pid != os.getpid():
            # A forked child must not speak on its parent's connections, nor close them: it forgets them, and keeps the
            # objects alive so that no finalizer runs.
            from .pools import Pools

            self._abandoned.append(self._pools)
            self._pools = Pools(self.trust_env, self.ca_bundle, self.max_connections)
            self._pid = os.getpid()
        return self._pools.find(url)  # type: ignore[no-any-return]

    def close(self) -> None:
        """Closes the idle connections. The transport can go on being used."""
        pools, self._pools, self._pid = self._pools, None, 0
        if pools is not None:
            pools.close()


class _Parts:
    """What an exchange needs of the modules that load urllib3, http.client, ssl and email: 70 ms that `import ailib_sync` must
    not cost. Looked up once, since an import in a function takes its time at each call too."""

    def __init__(self) -> None:
        from .bodies import body_of, inflated
        from .connections import current
        from .exceptions import FOREIGN, translate
        from .pools import NO_RETRIES, timeout

        self.body_of, self.inflated, self.current = body_of, inflated, current
        self.timeout, self.no_retries = timeout, NO_RETRIES
        self.foreign, self.translate = FOREIGN, translate


_parts = lru_cache(maxsize=1)(_Parts)


def response_of(response: Any, clock: CallClock, limits: Limits) -> HttpResponse:
    """urllib3's response as our record, its body read with our bounds."""
    body = _parts().body_of(response, clock)
    headers = body.fields()
    reader = BodyReader(body, headers.get("content-encoding", ""), clock, limits)
    return HttpResponse(
        response.status, headers, reader.read, reader.read_error, reader.chunks, reader.finish, reader.close
    )  # fmt: skip


class BodyReader:
    """Reads one body: decompressed, bounded in size and time, with the connection's fate decided at its end.

    `body` gives raw blocks (`blocks()`), and can be `released` to its pool or `discarded`; see bodies.py.
    """

    __slots__ = ("_body", "_clock", "_encoding", "_limits", "_over", "_source")

    def __init__(self, body: Any, encoding: str, clock: CallClock, limits: Limits) -> None:
        self._body = body
        self._encoding = encoding.strip().lower()
        self._clock = clock
        self._limits = limits
        self._source: Any = None  # the generator that reads
        self._over = False

    def chunks(self) -> Iterator[bytes]:
        """The pieces as they arrive. Closing the generator before its end discards the connection."""
        source, clock = self._blocks(), self._clock
        left = self._limits.response
        try:
            while True:
                try:
                    block = next(source)
                except StopIteration:
                    return
                left -= len(block)
                if left < 0:
                    raise ResponseTooLarge(f"the answer is larger than {self._limits.response} bytes (Limits.response)")
                clock.pause()
                yield block
        finally:
            if not self._over:
                self._body.discard()

    def read(self) -> bytes:
        """The whole body."""
        pieces: list[bytes] = []
        left = self._limits.response
        try:
            for block in self._blocks():
                left -= len(block)
                if left < 0:
                    raise ResponseTooLarge(f"the answer is larger than {self._limits.response} bytes (Limits.response)")
                pieces.append(block)
        finally:
            if not self._over:
                self._body.discard()
        return pieces[0] if len(pieces) == 1 else b"".join(pieces)

    def read_error(self) -> bytes:
        """The first 64 KiB of an error's body, as far as they come within 2 s; never raises for what is missing."""
        pieces: list[bytes] = []
        size = 0
        self._clock.allow(ERROR_BODY_SECONDS)
        try:
            for block in self._blocks():
                pieces.append(block)
                size += len(block)
                if size > self._limits.error_body:
                    # Not all of it is wanted, but a body that ends soon leaves a connection that can be used again.
                    if size > 8 * self._limits.error_body:
                        break
                    self._clock.allow(DRAIN_SECONDS)
        except (TransportError, ProtocolError):
            if self._clock.cancelled:
                raise
        finally:
            if not self._over:
                self._body.discard()
        return b"".join(pieces)[: self._limits.error_body]

    def finish(self) -> None:
        """No more of the body is wanted: kept if it ends within 50 ms and without another word of size, else dropped."""
        if self._over:
            return
        self._clock.allow(DRAIN_SECONDS)
        size = 0
        try:
            for block in self._blocks():
                size += len(block)
                if size > BLOCK:
                    break
        except (TransportError, ProtocolError):
            pass
        finally:
            if not self._over:
                self._body.discard()

    def close(self) -> None:
        """Ends the connection at once; a thread that waits on it wakes, and lets go of it itself. Takes no lock."""
        if self._over:
            return
        self._body.wake()
        if self._source is None or not self._source.gi_running:
            self._over = True
            self._source = None  # it holds this reader: without it nothing is left for the garbage collector
            self._body.discard()

    def _blocks(self) -> Iterator[bytes]:
        """One decoded sequence of blocks, however many of our methods read from it."""
        if self._over:
            return iter(())
        if self._source is None:
            raw = translated(self._body.blocks(), self._clock)
            self._source = self._to_end(self._decoded(raw))
        return self._source  # type: ignore[no-any-return]

    def _to_end(self, blocks: Iterator[bytes]) -> Iterator[bytes]:
        yield from blocks
        self._over = True
        self._source = None
        self._body.release()

    def _decoded(self, blocks: Iterator[bytes]) -> Iterator[bytes]:
        if self._encoding in ("", "identity") or self._body.decodes:
            return blocks
        if self._encoding in ("gzip", "x-gzip", "deflate"):
            return _parts().inflated(blocks, self._encoding, self._limits.response)
        raise ProtocolError(f"the answer has content-encoding {self._encoding!r}, which was not asked for")


def translated(blocks: Iterator[bytes], clock: CallClock) -> Iterator[bytes]:
    """The blocks, with whatever their source raises turned into our own exceptions."""
    parts = _parts()
    error: AiLibError | None = None
    try:
        yield from blocks
    except parts.foreign as met:
        error = parts.translate(met, clock)
    if error is not None:
        raise error
