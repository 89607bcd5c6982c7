"""What the long runs stand on: a provider in a process of its own, and counts of what this process holds."""

from __future__ import annotations

import gc
import os
import subprocess
import sys
import threading
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from ..time_limits import scaled

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).parent.parent.parent


@contextmanager
def serving(*arguments: str) -> Iterator[str]:
    """The address of a provider that serves in another process until the block ends. `arguments` are those of provider.py."""
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    process = subprocess.Popen(
        [sys.executable, "-m", "tests.heavy.provider", *arguments],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        cwd=ROOT,
        env=environment,
    )
    assert process.stdin is not None
    assert process.stdout is not None
    try:
        yield process.stdout.readline().strip()
    finally:
        process.stdin.close()  # it ends when its input does, so it never outlives whoever started it
        process.wait(scaled(20))
        process.stdout.close()


@dataclass(frozen=True)
class Census:
    """What a process holds: open descriptors, how many of them are sockets, threads, and resident memory in MiB."""

    descriptors: int
    sockets: int
    threads: int
    memory: float

    @classmethod
    def take(cls) -> Census:
        gc.collect()
        targets = open_descriptors()
        sockets = sum(target.startswith("socket:") for target in targets)
        return cls(len(targets), sockets, threading.active_count(), resident())


def open_descriptors() -> list[str]:
    """What the descriptors of this process refer to; empty where there is no /proc."""
    folder = Path("/proc/self/fd")
    targets = []
    for entry in folder.iterdir() if folder.is_dir() else ():
        try:
            targets.append(os.readlink(entry))
        except OSError:  # the descriptor that listed the folder
            continue
    return targets


def resident() -> float:
    statm = Path("/proc/self/statm")
    return int(statm.read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE") / 2**20 if statm.exists() else 0.0
