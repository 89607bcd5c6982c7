"""Sends requests and reads responses over urllib3's pools, which are loaded with the first request.

Every exception of urllib3, http.client, ssl and socket is translated before it leaves this module. It is raised outside the
`except` block that caught it, so that the frames of those modules, which hold headers and therefore keys, are not part of its
traceback.
"""

from __future__ import annotations

import os
from functools import lru_cache

from ..errors import ConfigurationError, ConnectionLost, ProtocolError, ResponseTooLarge, TransportError
from .message import Headers, HttpRequest, HttpResponse, ResponseHeaders
from .timeouts import CallClock, Limits

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from ssl import SSLContext as SSLContext
    from typing import Any, Protocol

    from urllib3 import BaseHTTPResponse

    class Http(Protocol):
        """Any object with the `urlopen` method of urllib3's `PoolManager`."""

        def urlopen(self, method: str, url: str, **kwargs: Any) -> BaseHTTPResponse: ...


ERROR_BODY_SECONDS = 2.0
DRAIN_SECONDS = 0.05
BLOCK_BYTES = 65536


class Transport:
    """The connections of one client. They are opened on first use, again in a forked child, and shared by all threads.

    - `http` replaces our own pools: a `ProxyManager`, a SOCKS manager, a pool of a test.
    - `trust_env`: whether the proxy and CA variables of the environment are read.
    - `ca_bundle`: a CA file or folder. `ssl_context`: a context to use instead, for example with a client certificate.
    - `max_connections`: how many idle connections are kept for each origin.
    - `max_connection_age`: a connection that is older, in seconds, is not reused. None: no limit.
    """

    def __init__(
        self,
        http: Http | None = None,
        *,
        limits: Limits | None = None,
        trust_env: bool = True,
        ca_bundle: str | None = None,
        ssl_context: SSLContext | None = None,
        max_connections: int = 100,
        max_connection_age: float | None = 60.0,
    ) -> None:
        self.http = http
        self.limits = limits or Limits()
        self.trust_env = trust_env
        self.ca_bundle = ca_bundle
        self.ssl_context = ssl_context
        if ssl_context is not None and (http is not None or ca_bundle is not None):
            other = "http" if http is not None else "ca_bundle"
            raise ConfigurationError(f"ssl_context and {other} cannot be given together")
        self.max_connections = max_connections
        self.max_connection_age = max_connection_age
        #: Whether urllib3's connection classes are replaced (see `are_replaced`) → the pools to use then.
        self._pools: dict[bool, Any] = {}

    def __getstate__(self) -> dict[str, Any]:
        if self.ssl_context is not None:
            raise ConfigurationError("a client with an ssl_context cannot be pickled")
        return {**self.__dict__, "_pools": {}}

    def send(self, request: HttpRequest, clock: CallClock) -> HttpResponse:
        """Sends the request and returns when the head of the response has arrived. Raises TransportError or ProtocolError.

        RFC 9112 9.3.1: a server may close an idle connection at the moment it is reused. If not one byte of a response arrived
        on a reused connection, the request is sent once more on a new one.
        """
        response, error = self._open(request, clock)
        if isinstance(error, ConnectionLost) and clock.reused and not clock.response_started:
            clock.begin_attempt()
            response, error = self._open(request, clock)
        if error is not None:
            try:
                raise error
            finally:
                del error  # an exception and a frame that refers to it are a cycle, and this one reaches the connections
        return response_from(response, clock, self.limits)

    def _open(self, request: HttpRequest, clock: CallClock) -> tuple[Any, BaseException | None]:
        modules = _modules()
        before = modules.current.clock  # of the call that a signal handler or a finalizer interrupts with this one
        modules.current.clock = clock
        replaced = modules.are_replaced()
        foreign = replaced or self.http is not None
        clock.connected = foreign  # pools that are not ours do not report when they have connected
        try:
            target, url = (self.http, request.url) if self.http is not None else self._pool(request.url, replaced)
            return target.urlopen(
                request.method,
                url,
                body=request.body,
                headers=request.headers,
                retries=False if foreign else modules.no_retries,
                redirect=False,
                preload_content=False,
                timeout=modules.timeout(clock),
                pool_timeout=clock.write_timeout(),  # a pool of the user's may block until a connection is free
            ), None
        except modules.foreign as error:
            return None, modules.translate(error, clock).with_traceback(None)
        except BaseException as error:  # for example KeyboardInterrupt: without the frames below, which hold headers
            if self.http is not None:
                raise
            return None, error.with_traceback(None)
        finally:
            modules.current.clock = before

    def _pool(self, url: str, replaced: bool = False) -> tuple[Any, str]:
        """The pool for this URL, and the URL as the pool expects it. `replaced`: urllib3's connection classes are."""
        pools = self._pools.get(replaced)
        if pools is None or pools.owner != os.getpid():
            # A forked child must not use the connections of its parent. It closes its copies of the descriptors, which does
            # not end the connections (`_Connection.close`).
            pools = self._pools[replaced] = self._new_pools(plain=replaced)
        return pools.find(url)  # type: ignore[no-any-return]

    def secrets(self, sent: Headers) -> list[str]:
        """The secrets in a request with these headers: the keys, and the credentials of the proxies it can go through."""
        from .proxies import credentials_in_environment
        from .secret_headers import secrets_in

        proxy_headers = getattr(self.http, "proxy_headers", None) or {}  # of a ProxyManager of the user's
        found = sent.secrets() + [secret for name, value in proxy_headers.items() for secret in secrets_in(name, value)]
        return found + credentials_in_environment() if self.trust_env else found

    def close(self) -> None:
        """Closes the idle connections, and those in use when their calls end. The transport can still be used."""
        for pools in list(self._pools.values()):
            if pools.owner == os.getpid():
                pools.close()

    def _new_pools(self, *, plain: bool = False) -> Any:
        return _modules().Pools(
            self.trust_env, self.ca_bundle, self.max_connections, self.max_connection_age, self.ssl_context, plain
        )


class _Modules:
    """Names from the modules that load urllib3, http.client, ssl and email: 70 ms that `import ailib_sync` must not cost.

    Looked up once: an import statement in a function takes time in each call.
    """

    def __init__(self) -> None:
        from .bodies import body_for, decompressed
        from .connections import are_replaced
        from .exceptions import FOREIGN, translate
        from .pools import NO_RETRIES, Pools, timeout
        from .responses import current

        self.body_for, self.decompressed, self.current = body_for, decompressed, current
        self.timeout, self.no_retries, self.Pools, self.are_replaced = timeout, NO_RETRIES, Pools, are_replaced
        self.foreign, self.translate = FOREIGN, translate


_modules = lru_cache(maxsize=1)(_Modules)


def response_from(response: Any, clock: CallClock, limits: Limits) -> HttpResponse:
    """Our record for a response of urllib3, with its body read within our limits."""
    body = _modules().body_for(response, clock)
    headers = ResponseHeaders(body.headers())
    reader = BodyReader(body, headers.get("content-encoding", ""), clock, limits)
    return HttpResponse(
        response.status, headers, reader.read, reader.read_error, reader.chunks, reader.finish, reader.close
    )  # fmt: skip


class BodyReader:
    """Reads one body: decompresses it, bounds its size and time, and releases or discards the connection at its end.

    Invariant: exactly one of `body.release()` and `body.discard()` is called, and `_ended` is set with it.
    """

    __slots__ = ("_body", "_clock", "_encoding", "_ended", "_limits", "_source")

    def __init__(self, body: Any, encoding: str, clock: CallClock, limits: Limits) -> None:
        self._body = body
        self._encoding = encoding.strip().lower()
        self._clock = clock
        self._limits = limits
        self._source: Any = None  # the generator that reads
        self._ended = False

    def chunks(self) -> Iterator[bytes]:
        """The fragments as they arrive. To close the generator before its end discards the connection."""
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
                    raise ResponseTooLarge(f"the response is larger than {self._limits.response} bytes (Limits.response)")
                clock.pause()
                yield block
        finally:
            self._discard()

    def read(self) -> bytes:
        """The complete body."""
        fragments: list[bytes] = []
        left = self._limits.response
        try:
            for block in self._blocks():
                left -= len(block)
                if left < 0:
                    raise ResponseTooLarge(f"the response is larger than {self._limits.response} bytes (Limits.response)")
                fragments.append(block)
        finally:
            self._discard()
        return fragments[0] if len(fragments) == 1 else b"".join(fragments)

    def read_error(self) -> bytes:
        """The first `Limits.error_body` bytes of an error response, as far as they arrive within 2 s. Raises only Cancelled."""
        fragments: list[bytes] = []
        size = 0
        self._clock.limit_to(ERROR_BODY_SECONDS)
        try:
            for block in self._blocks():
                fragments.append(block)
                size += len(block)
                if size > self._limits.error_body:
                    # The rest is not needed, but if the body ends soon the connection can be reused.
                    if size > 8 * self._limits.error_body:
                        break
                    self._clock.limit_to(DRAIN_SECONDS)
        except (TransportError, ProtocolError):
            if self._clock.cancelled:
                raise
        finally:
            self._discard()
        return b"".join(fragments)[: self._limits.error_body]

    def finish(self) -> None:
        """Ends the reading. The connection is kept if the body ends within 50 ms and 64 KiB, else discarded."""
        if self._ended:
            return
        self._clock.limit_to(DRAIN_SECONDS)
        size = 0
        try:
            for block in self._blocks():
                size += len(block)
                if size > BLOCK_BYTES:
                    break
        except (TransportError, ProtocolError):
            pass
        finally:
            self._discard()

    def close(self) -> None:
        """Closes the connection immediately. A thread that reads from it wakes and discards it itself. Takes no lock."""
        if self._ended:
            return
        self._body.wake()
        if self._source is None or not self._source.gi_running:
            self._discard()

    def _discard(self) -> None:
        """Closes the connection, unless the body has ended."""
        if self._ended:
            return
        self._source = None  # the generator refers to this reader: without this line they would be a reference cycle
        self._body.discard()
        self._ended = True  # last: after an interrupt before this line, a later call discards

    def _blocks(self) -> Iterator[bytes]:
        """The generator of decompressed blocks. One for all methods that read from it."""
        if self._ended:
            return iter(())
        if self._source is None:
            raw = with_translated_errors(self._body.blocks(), self._clock)
            self._source = self._to_end(self._decoded(raw))
        return self._source  # type: ignore[no-any-return]

    def _to_end(self, blocks: Iterator[bytes]) -> Iterator[bytes]:
        yield from blocks
        self._ended = True
        self._source = None
        self._body.release()

    def _decoded(self, blocks: Iterator[bytes]) -> Iterator[bytes]:
        if self._encoding in ("", "identity") or self._body.decodes:
            return blocks
        if self._encoding in ("gzip", "x-gzip", "deflate"):
            return _modules().decompressed(blocks, self._encoding, self._limits.response)
        raise ProtocolError(f"the response has content-encoding {self._encoding!r}, which was not requested")


def with_translated_errors(blocks: Iterator[bytes], clock: CallClock) -> Iterator[bytes]:
    """The blocks. Foreign exceptions of their source are raised as ours."""
    modules = _modules()
    error: BaseException | None = None
    try:
        yield from blocks
    except modules.foreign as foreign:
        error = modules.translate(foreign, clock)
    if error is not None:
        raise error
