"""Time limits that scale with the machine, so that a slow or busy one fails no test that is right.

    assert monotonic() - started < scaled(0.5)

`FACTOR` is 1 on a machine as fast as the reference, and more on a slower one. It is measured once for each run of pytest:
`conftest.py` hands it to xdist's workers and to child processes in the variable AILIB_TEST_PATIENCE. Set the variable to choose
the factor: `AILIB_TEST_PATIENCE=4 python -m pytest`.

Scale what a slow machine may exceed: upper limits, pauses that give another thread time, timeouts that a healthy response must
keep. Do not scale lower limits: a wait must never be too short.
"""

from __future__ import annotations

import os
import threading
from statistics import median
from time import perf_counter

VARIABLE = "AILIB_TEST_PATIENCE"
#: Seconds that one round of each measurement takes on the reference machine.
REFERENCE_LOOP_SECONDS = 0.020
REFERENCE_HAND_OFFS_SECONDS = 0.060
#: Slower than the reference by less than this is within what every limit allows for.
TOLERATED = 1.5
#: Waits that tests take from a header (`Retry-After: 40`) do not scale; a larger factor would reach them.
LARGEST = 10.0
ROUNDS = 7


def factor() -> float:
    """The factor in the variable, or the measured one."""
    given = os.environ.get(VARIABLE)
    if given is None:
        return measured()
    try:
        return min(max(float(given), 1.0), LARGEST)
    except ValueError:
        raise SystemExit(f"{VARIABLE} must be a number from 1 to {LARGEST:g}, not {given!r}") from None


def measured() -> float:
    """How much slower than the reference this machine is now, from 1 to LARGEST. Takes about half a second."""
    loop = median(loop_seconds() for _ in range(ROUNDS)) / REFERENCE_LOOP_SECONDS
    hand_offs = median(hand_off_seconds() for _ in range(ROUNDS)) / REFERENCE_HAND_OFFS_SECONDS
    slower = max(loop, hand_offs)
    return 1.0 if slower < TOLERATED else min(round(slower, 1), LARGEST)


def loop_seconds() -> float:
    """Seconds for a fixed amount of plain Python."""
    began = perf_counter()
    total = 0
    for number in range(200_000):
        total += number & 7
    return perf_counter() - began


def hand_off_seconds() -> float:
    """Seconds for a fixed number of switches between two threads."""
    mine, other = threading.Semaphore(0), threading.Semaphore(0)
    rounds = 500

    def partner() -> None:
        for _ in range(rounds):
            other.acquire()
            mine.release()

    thread = threading.Thread(target=partner)
    thread.start()
    began = perf_counter()
    for _ in range(rounds):
        other.release()
        mine.acquire()
    seconds = perf_counter() - began
    thread.join()
    return seconds


FACTOR = factor()


def scaled(seconds: float) -> float:
    """A time limit for this machine."""
    return seconds * FACTOR


#: Seconds by which a timeout of the package may be exceeded. A shared CI machine may stop for a while.
LATE = scaled(1.5 if os.environ.get("CI") else 0.25)
