"""One fault with a real client: checks what the caller got, what the server received, and that no secret is shown."""

from __future__ import annotations

import logging
import os
import pickle
import socket
import threading
import time
import traceback
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING, Any

from ailib_sync import AiClient
from ailib_sync.errors import AiLibError
from ailib_sync.http.timeouts import Timeout
from ailib_sync.pipeline.retry import RetryPolicy

from ..local_server import LocalServer
from ..time_limits import LATE, scaled
from . import certificates

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from .register import Fault

KEY = "sk-canary-Zq81"
PROMPT = "prompt-canary-Xw42"
RETRY = RetryPolicy(max_retries=2, base_delay=0.04, max_delay=0.1)


@dataclass
class Result:
    """What the caller of one call got."""

    text: str = ""
    response: Any = None
    error: BaseException | None = None
    seconds: float = 0.0


def call(client: AiClient, mode: str, prompt: str = PROMPT, pause: float = 0.0) -> Result:
    """One call, as a user makes it."""
    result = Result()
    chat = client.chat().user(prompt)
    started = time.monotonic()
    try:
        if mode == "plain":
            result.response = chat.execute()
            result.text = result.response.content
        else:
            with chat.stream() as stream:
                for event in stream:
                    if event.is_content_delta:
                        result.text += event.as_content_delta.text
                        time.sleep(scaled(pause))
                result.response = stream.response
    except BaseException as error:
        result.error = error
    result.seconds = time.monotonic() - started
    return result


def run(fault: Fault, mode: str, folder: Path) -> None:
    """Runs a fault. Raises AssertionError with the difference."""
    before = census()
    with recorded_logs() as logs, served(fault) as server, surroundings(fault, server):
        client = AiClient(
            fault.model,
            api_key=KEY,
            base_url=address(fault, server),
            timeout=scaled_timeout(fault.timeout),
            limits=fault.limits,
            retry=replace(RETRY, max_retries=fault.retries),
            ca_bundle=certificates.bundle(folder) if fault.tls else None,
        )
        for number in range(fault.calls):
            time.sleep(scaled(0.05) * (number > 0))  # what the server does to an idle connection has time to arrive
            result = call(client, mode, PROMPT + "x" * fault.padding, fault.pause)
        check_outcome(fault, mode, result)
        check_wire(fault, server)
        check_secrets(client, result, logs)
        if not fault.proxied:
            check_recovery(fault, server, client)
        client.close()
        assert not server.errors, server.errors
    del result, client, server
    check_census(before)


def check_outcome(fault: Fault, mode: str, result: Result) -> None:
    low, high = fault.took
    most = scaled(high) + LATE
    assert low - 0.02 <= result.seconds <= most, f"took {result.seconds:.2f} s, not {low} to {most}: {result.error!r}"
    if fault.raises is None:
        if result.error is not None:
            raise AssertionError("the call failed") from result.error
        assert fault.text == "*" or result.text == fault.expected_text
    else:
        assert isinstance(result.error, AiLibError), f"raised {result.error!r}, gave {result.text!r}"
        assert isinstance(result.error, fault.raises), f"raised {type(result.error).__name__}: {result.error}"
        if mode == "stream" and fault.text != "*":
            assert result.text == fault.expected_text
            partial_response = result.error.partial
            assert (partial_response.content if partial_response else "") == result.text
        assert len(str(result.error)) <= 2300
        assert str(result.error).isprintable()
    if fault.check is not None:
        assert fault.check(result.error or result.response), result.error or result.response


def check_wire(fault: Fault, server: LocalServer) -> None:
    low, high = fault.requests if isinstance(fault.requests, tuple) else (fault.requests, fault.requests)
    assert low <= len(server.requests) <= high, f"{len(server.requests)} requests on the wire"
    if fault.connections is not None:
        assert len(server.peers) == fault.connections, f"{len(server.peers)} connections"


def check_recovery(fault: Fault, server: LocalServer, client: AiClient) -> None:
    """The same client works as if nothing had happened, on the same connection or on a new one as the fault requires."""
    count, last = len(server.requests), server.requests[-1].connection if server.requests else 0
    server.heal()
    if fault.tls and fault.tls != "good":
        return  # its certificate is still wrong
    again = call(client, "plain", "echo healthy")
    if again.error is not None:
        raise AssertionError("the next call on the same client failed") from again.error
    assert again.text == "echo healthy"
    assert len(server.requests) == count + 1
    if fault.connection != "either" and last:
        kept = server.requests[-1].connection == last
        assert kept == (fault.connection == "reuse"), "the connection was " + ("kept" if kept else "discarded")
        assert kept or server.saw_close(last), "the server was left with an open connection"


def check_secrets(client: AiClient, result: Result, logs: list[str]) -> None:
    """The key is in no text; the prompt is only in values that the caller inspects."""
    texts = [repr(client), str(client), *logs]
    if (error := result.error) is not None:
        messages = [str(error), repr(error), repr(error.args), *traceback.format_exception(error)]
        shown = [*traceback.TracebackException.from_exception(error, capture_locals=True).format()]
        kept = [repr(vars(error)), pickle.dumps(error).decode("latin-1")]
        texts += messages
        assert not [text for text in (*shown, *kept) if KEY in text], "the key shows in the exception"
        copy = pickle.loads(pickle.dumps(error))
        assert (type(copy), str(copy)) == (type(error), str(error))
    assert not [text for text in texts if KEY in text], "the key shows"
    assert not [text for text in texts if PROMPT in text], "the prompt shows"


def scaled_timeout(timeout: Timeout) -> Timeout:
    """The same timeout, scaled for this machine."""
    limits = ((name, getattr(timeout, name)) for name in ("connect", "read", "content", "total"))
    return Timeout(**{name: None if limit is None else scaled(limit) for name, limit in limits})


@contextmanager
def served(fault: Fault) -> Iterator[LocalServer]:
    tls = certificates.server_context(fault.tls) if fault.tls else None
    with LocalServer(fault.play, greet=fault.greet, tls=tls, **fault.server) as server:
        yield server


def address(fault: Fault, server: LocalServer) -> str:
    if fault.proxied:
        return "https://api.example.test/v1"
    url = server.url
    if fault.resolver is not None:
        url = url.replace("127.0.0.1", "localhost")
    return url.replace("http:", "https:") if fault.tls == "plaintext" else url


@contextmanager
def surroundings(fault: Fault, server: LocalServer) -> Iterator[None]:
    """The environment of the call: proxy variables, and the resolver of host names."""
    real, environment = socket.getaddrinfo, dict(os.environ)
    if fault.resolver is not None:
        socket.getaddrinfo = partial(fault.resolver, real)
    if fault.proxied:
        os.environ["HTTPS_PROXY"] = f"http://user:{KEY}@127.0.0.1:{server.port}"
    try:
        yield
    finally:
        socket.getaddrinfo = real
        os.environ.clear()
        os.environ.update(environment)


@contextmanager
def recorded_logs() -> Iterator[list[str]]:
    """Every log record of any library, at DEBUG."""
    lines: list[str] = []
    handler = logging.Handler()
    handler.emit = lambda record: lines.append(f"{record.getMessage()} {record.exc_info}")  # type: ignore[method-assign]
    root = logging.getLogger()
    level = root.level
    root.addHandler(handler)
    root.setLevel(logging.DEBUG)
    try:
        yield lines
    finally:
        root.removeHandler(handler)
        root.setLevel(level)


def census() -> tuple[int, int]:
    """Open descriptors (where the system lists them) and threads."""
    return len(os.listdir("/proc/self/fd")) if os.path.isdir("/proc/self/fd") else 0, threading.active_count()


def check_census(before: tuple[int, int]) -> None:
    until = time.monotonic() + scaled(2)
    while (now := census()) > before and time.monotonic() < until:
        time.sleep(0.01)
    assert now[0] <= before[0], f"{now[0] - before[0]} descriptors leaked"
    assert now[1] <= before[1], f"{now[1] - before[1]} threads leaked"
