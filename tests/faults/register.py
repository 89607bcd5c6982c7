"""What a fault is, and how it must be handled: the register from which the tests and docs/faults.md are made."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from ailib_sync.http.timeouts import Limits, Timeout

from .. import wire

if TYPE_CHECKING:
    from collections.abc import Callable

    from ailib_sync.errors import AiLibError

    from ..local_server import Greeting, Play

BOTH = ("stream", "plain")
STREAM = ("stream",)
PLAIN = ("plain",)
QUICK = Timeout(connect=0.5, read=0.4, content=30, total=3)


@dataclass(frozen=True)
class Fault:
    """A fault of the network or the provider.

    `raises`: the exception; None: the call succeeds with `text`. `requests`: how many reach the server; `connections`: how many
    it accepts. `connection`: whether the next call reuses the last one. `text`: what the caller of a stream has received when
    it ends or fails ("*": any text). `took`: the seconds of the call, from and to. `tls`: the name of a certificate.
    `padding`: bytes of prompt. `pause`: seconds that the caller takes for each event. `calls`: the number of calls; the outcome
    is that of the last one. `check` is called with the exception or the response. `note` is a note for the page.
    """

    id: str
    what: str
    play: Play
    raises: type[AiLibError] | tuple[type[AiLibError], ...] | None = None
    requests: int | tuple[int, int] = 1
    connection: str = "discard"
    modes: tuple[str, ...] = BOTH
    text: str = ""
    took: tuple[float, float] = (0.0, 1.5)
    timeout: Timeout = QUICK
    limits: Limits | None = None
    connections: int | None = None
    greet: Greeting | None = None
    tls: str | None = None
    server: dict[str, Any] = field(default_factory=dict)
    resolver: Callable[..., Any] | None = None
    proxied: bool = False
    model: str = "openai/gpt-4o"
    padding: int = 0
    pause: float = 0.0
    calls: int = 1
    retries: int = 2
    note: str = ""
    check: Callable[[Any], bool] | None = None

    @property
    def expected_text(self) -> str:
        return self.text or (wire.TEXT if self.raises is None else "")


def first(count: int, play: Play, then: Play = wire.healthy) -> Play:
    """`play` for the first `count` requests, then healthy responses."""
    return lambda peer, request: (play if request.number <= count else then)(peer, request)


def says(response: bytes, keeps: bool = True) -> Play:
    """Sends these bytes, after which the connection is kept or closed."""

    def play(peer: Any, request: Any) -> bool:
        peer.send(response)
        return keeps

    return play


def streams(*blocks: bytes, end: bytes = wire.LAST_CHUNK) -> Play:
    """An event stream of these blocks."""
    return lambda peer, request: wire.stream(peer, blocks, end)


@dataclass(frozen=True)
class FaultTest:
    """A fault that has its own test."""

    id: str
    what: str
    then: str


#: Filled by `fault_test`, when the test modules are imported.
FAULT_TESTS: dict[str, FaultTest] = {}


def fault_test(id: str, what: str, then: str) -> Callable[[Any], Any]:
    """Registers a test function as the test of a fault."""
    FAULT_TESTS[id] = FaultTest(id, what, then)
    return lambda test: test
