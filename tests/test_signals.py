"""An exception that a signal handler raises during a call is raised as it is, also where the code expects one of its kind."""

from __future__ import annotations

import functools
import http.client
import signal
import sys
from importlib import import_module
from ipaddress import ip_address
from typing import TYPE_CHECKING, Any

import pytest

from ailib_sync import AiClient
from ailib_sync._signals import raised_by_signal_handler
from ailib_sync.http.hosts import _address

from . import wire
from .local_server import LocalServer

if TYPE_CHECKING:
    from types import FrameType


class OwnLimit(ValueError):
    """What the program's handler raises."""


def raise_own_limit(*_: object) -> None:
    try:
        {}["key"]
    except KeyError as error:
        raise OwnLimit from error


class Handlers:
    def method(self, *_: object) -> None:
        raise_own_limit()

    def __call__(self, *_: object) -> None:
        raise_own_limit()


@pytest.fixture
def handler():
    """Sets the handler of SIGUSR1."""
    before = signal.getsignal(signal.SIGUSR1)
    yield functools.partial(signal.signal, signal.SIGUSR1)
    signal.signal(signal.SIGUSR1, before)


def interrupted(*_: object, **__: object) -> Any:
    """In place of a function: a signal arrives while it runs."""
    signal.raise_signal(signal.SIGUSR1)
    raise AssertionError("the handler did not run")


pytestmark = pytest.mark.skipif(not hasattr(signal, "SIGUSR1"), reason="needs POSIX signals")


@pytest.mark.parametrize(
    "made",
    [raise_own_limit, Handlers().method, Handlers(), functools.partial(raise_own_limit, "more"), lambda *_: raise_own_limit()],
    ids=["function", "method", "object", "partial", "lambda"],
)
def test_the_exception_of_any_handler_is_recognised(handler, made):
    handler(made)
    with pytest.raises(OwnLimit) as caught:
        interrupted()
    assert raised_by_signal_handler(caught.value) is caught.value


def test_the_exception_is_found_below_one_that_replaced_it(handler):
    handler(raise_own_limit)

    def read_status() -> None:
        try:
            interrupted()
        except ValueError:
            raise http.client.BadStatusLine("x")  # noqa: B904  as http.client does

    with pytest.raises(http.client.BadStatusLine) as caught:
        read_status()
    assert isinstance(raised_by_signal_handler(caught.value), OwnLimit)


def test_an_exception_that_the_program_handles_during_the_call_is_no_interrupt(handler):
    handler(raise_own_limit)

    def fails() -> None:
        raise OSError("of the network")

    def call() -> tuple[BaseException, BaseException | None]:
        try:
            fails()
        except OSError as error:
            return error, raised_by_signal_handler(error)
        raise AssertionError

    try:
        interrupted()
    except OwnLimit:
        error, raised = call()
    assert isinstance(error.__context__, OwnLimit)
    assert raised is None


#: Code that expects a ValueError, and whether a stream runs it.
PLACES = [
    ("ailib_sync.pipeline.endpoint._encode", False),
    ("ailib_sync.framing.json._decode", False),
    ("ailib_sync.framing.sse.scan_once", True),
    ("socket.inet_pton", False),
]


@pytest.mark.parametrize(("place", "stream"), PLACES)
def test_a_value_error_of_a_handler_is_neither_replaced_nor_ignored(handler, monkeypatch, place, stream):
    handler(raise_own_limit)
    with LocalServer(wire.healthy) as server:
        client = AiClient("openai/gpt-4o", api_key="k", base_url=server.url, retry=0)

        def call() -> None:
            chat = client.chat().user("Hello")
            events = chat.stream() if stream else chat.execute()
            while stream:
                next(events)

        with monkeypatch.context() as patch:
            module, _, name = place.rpartition(".")
            patch.setattr(import_module(module), name, interrupted, raising=False)
            with pytest.raises(OwnLimit):
                call()
        assert client.chat().user("Hello").execute().content


def test_a_value_error_of_a_handler_in_any_line_that_reads_the_status_is_raised(handler):
    handler(raise_own_limit)
    seen = 0

    def trace(frame: FrameType, event: str, _: object) -> Any:
        nonlocal seen
        if not frame.f_code.co_name.startswith("_read_status"):
            return None
        seen += event == "line"
        return interrupted() if seen == line else trace

    with LocalServer(wire.healthy) as server:
        chat = AiClient("openai/gpt-4o", api_key="k", base_url=server.url, retry=0).chat().user("Hello")
        for line in range(1, 100):
            seen, before = 0, sys.gettrace()
            sys.settrace(trace)
            try:
                chat.execute()
                was_raised = False
            except OwnLimit:
                was_raised = True
            finally:
                sys.settrace(before)
            if seen < line:
                break
            assert was_raised, line
    assert line > 5


@pytest.mark.parametrize(
    "host",
    ["127.0.0.1", "127.9.9.9", "10.1.2.3", "8.8.8.8", "127.1", "127.0.0.01", "10.1.2.3.4", "256.1.1.1", "1.2.3.4.example", "1",
     "::1", "::", "fd00::1", "fe80::1", "::ffff:10.0.0.1", "2001:4860::8888", ":::", "1:2:3", "g::1", ""],
)  # fmt: skip
def test_an_address_is_what_the_standard_library_calls_one(host):
    try:
        expected = ip_address(host)
    except ValueError:
        expected = None
    assert _address(host) == expected
