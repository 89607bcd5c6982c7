"""All faults in one list, as docs/faults.md shows them and as they are compared with the acceptance matrix."""

from __future__ import annotations

from typing import TYPE_CHECKING

from . import answers, connecting, register, streams, test_callers, test_processes

if TYPE_CHECKING:
    from collections.abc import Iterator

    from .register import Fault, Told

#: The parts of the register, under the headings of the page. The test modules fill the last by being imported.
GROUPS: tuple[tuple[str, tuple[Fault, ...]], ...] = (
    ("Names, connections, TLS, proxies, sending", connecting.FAULTS),
    ("The head of the answer", answers.HEADS),
    ("Statuses with a meaning of their own", answers.PARTICULAR),
    ("Whole answers", answers.BODIES),
    ("Streams", streams.FAULTS),
)
FAULTS = {fault.id: fault for _, faults in GROUPS for fault in faults}


def told() -> dict[str, Told]:
    """The faults with tests of their own, in the order of the files."""
    assert test_callers.__doc__
    assert test_processes.__doc__
    return register.TOLD


def page() -> Iterator[str]:
    """The lines of docs/faults.md."""
    yield from HEAD.splitlines()
    for heading, faults in GROUPS:
        yield from (
            "",
            f"## {heading}",
            "",
            "| what goes wrong | what the caller gets | requests | connection |",
            "|---|---|---|---|",
        )
        for fault in faults:
            cells = (f"{fault.what} <!-- {fault.id} -->", outcome(fault), requests(fault), CONNECTION[fault.connection])
            yield f"| {' | '.join(cells)} |"
    yield from ("", "## The program itself", "", "| what happens | what comes of it |", "|---|---|")
    for fault in told().values():
        yield f"| {fault.what} <!-- {fault.id} --> | {fault.then} |"


def outcome(fault: Fault) -> str:
    if fault.raises is None:
        said = "the answer"
    else:
        kinds = fault.raises if isinstance(fault.raises, tuple) else (fault.raises,)
        said = " or ".join(f"`{kind.__name__}`" for kind in kinds)
        if fault.text and fault.modes == register.STREAM:
            said += ", `partial`"
    return f"{said}; {fault.note}" if fault.note else said


def requests(fault: Fault) -> str:
    if isinstance(fault.requests, tuple):
        return f"{fault.requests[0]} to {fault.requests[1]}"
    return str(fault.requests)


CONNECTION = {"reuse": "kept", "discard": "dropped", "either": "either"}
COLUMNS = ("| what goes wrong | what the caller gets | requests | connection |", "|---|---|---|---|")
HEAD = """\
# What can go wrong, and what comes of it

Made by `docs/make_faults.py` from the tables that the tests run (`tests/faults`). Each row is played by a server of ours with
raw sockets, against a real client with two retries, in streams and in whole answers where both can meet it. Beside what the row
says, each test holds that the call ends in time (limits are met at most 0.25 s late), that what a stream had yielded is in
`error.partial`, that the next call on the same client works, that no socket and no thread is left, and that neither the key nor
the prompt shows in the exception, its traceback with all local values (the key), its pickle (the key), or the logs of any
library at DEBUG.

*Requests* is how many reach the provider, retries included. *Connection* is whether the next call finds it kept.
The classes stand in [errors.md](errors.md), the limits in [timeouts.md](timeouts.md)."""
