"""All faults in one list, for docs/faults.md and for the comparison with the acceptance matrix."""

from __future__ import annotations

from typing import TYPE_CHECKING

from . import connecting, register, responses, streams, test_callers, test_processes

if TYPE_CHECKING:
    from collections.abc import Iterator

    from .register import Fault, FaultTest

#: The groups of the register, with their headings on the page. Importing the test modules fills the last group.
GROUPS: tuple[tuple[str, tuple[Fault, ...]], ...] = (
    ("Names, connections, TLS, proxies, sending", connecting.FAULTS),
    ("Status and headers", responses.HEADS),
    ("Statuses of single providers", responses.PARTICULAR),
    ("Complete responses", responses.BODIES),
    ("Streams", streams.FAULTS),
)
FAULTS = {fault.id: fault for _, faults in GROUPS for fault in faults}


def fault_tests() -> dict[str, FaultTest]:
    """The faults that have their own tests, in the order of the files."""
    assert test_callers.__doc__
    assert test_processes.__doc__
    return register.FAULT_TESTS


def page() -> Iterator[str]:
    """The lines of docs/faults.md."""
    yield from HEAD.splitlines()
    for heading, faults in GROUPS:
        yield from (
            "",
            f"## {heading}",
            "",
            "| fault | what the caller gets | requests | connection |",
            "|---|---|---|---|",
        )
        for fault in faults:
            cells = (f"{fault.what} <!-- {fault.id} -->", outcome(fault), requests(fault), CONNECTION[fault.connection])
            yield f"| {' | '.join(cells)} |"
    yield from ("", "## The program", "", "| what happens | how it is handled |", "|---|---|")
    for fault in fault_tests().values():
        yield f"| {fault.what} <!-- {fault.id} --> | {fault.then} |"


def outcome(fault: Fault) -> str:
    if fault.raises is None:
        result = "a response"
    else:
        kinds = fault.raises if isinstance(fault.raises, tuple) else (fault.raises,)
        result = " or ".join(f"`{kind.__name__}`" for kind in kinds)
        if fault.text and fault.modes == register.STREAM:
            result += ", `partial`"
    return f"{result}; {fault.note}" if fault.note else result


def requests(fault: Fault) -> str:
    if isinstance(fault.requests, tuple):
        return f"{fault.requests[0]} to {fault.requests[1]}"
    return str(fault.requests)


CONNECTION = {"reuse": "kept", "discard": "dropped", "either": "either"}
HEAD = """\
# Faults

Written by `docs/make_faults.py` from the tables of the tests (`tests/faults`). For each row, a test server with raw sockets
produces the fault, and a real client with two retries makes the call: a stream, a complete response, or both if the fault can
occur in both. Each test also checks that

- the call ends in time (limits are exceeded by at most 0.25 s),
- `error.partial` has everything that the stream had yielded,
- the next call on the same client works,
- no socket and no thread is left,
- the key is not in the exception, its traceback with all local values, its pickle, or the logs of any library at DEBUG; and the
  prompt is not in the exception or the logs.

*Requests* is the number of requests that reach the provider, retries included. *Connection* says whether the connection is kept
for the next call.
[errors.md](errors.md) lists the exceptions, [timeouts.md](timeouts.md) the limits."""
