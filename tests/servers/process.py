"""Servers that others wrote, as processes of this test run: found, started on a free port, stopped."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
from contextlib import contextmanager
from pathlib import Path
from time import monotonic, sleep
from typing import TYPE_CHECKING

import pytest

from ..time_limits import scaled

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

#: The variable that names the folder in which servers are installed, each in a folder of its own.
FOLDER = "AILIB_SERVERS"


def installed(path: str, how: str) -> Path:
    """A file below the folder of servers. Skips the test, saying `how` it gets there, where it is not."""
    folder = os.environ.get(FOLDER)
    if not folder:
        pytest.skip(f"set {FOLDER} to a folder of servers; there: {how}")
    found = Path(folder) / path
    if not found.exists():
        pytest.skip(f"{found} is not there: {how}")
    return found


def program(name: str, how: str) -> str:
    """A program of the system's. Skips the test where it is not installed."""
    found = shutil.which(name, path=os.pathsep.join((os.environ.get("PATH", ""), "/usr/sbin", "/usr/local/sbin")))
    if found is None:
        pytest.skip(f"{name} is not installed: {how}")
    return found


@contextmanager
def running(
    command: list[str], port: int, log: Path, env: Mapping[str, str] | None = None, seconds: float = 20.0
) -> Iterator[None]:
    """The process, from when it listens on `port` until the end of the block; what it prints goes into `log`.

    It has `seconds` to begin, scaled for this machine."""
    with log.open("wb") as out:
        process = subprocess.Popen(command, stdout=out, stderr=subprocess.STDOUT, env={**os.environ, **(env or {})})
    try:
        _wait_until_open(process, port, log, seconds)
        yield
    finally:
        process.terminate()
        process.wait(scaled(10))


def _wait_until_open(process: subprocess.Popen[bytes], port: int, log: Path, seconds: float) -> None:
    end = monotonic() + scaled(seconds)
    while monotonic() < end and process.poll() is None:
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
        except OSError:
            sleep(0.05)
        else:
            return
    pytest.fail(f"{process.args!r} does not listen on {port}: {log.read_text(errors='replace')[-2000:]}")
