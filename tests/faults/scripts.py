"""Small programs in their own processes, with the fault server in this process. Each prints one line with its result."""

from __future__ import annotations

import os
import subprocess
import sys
import textwrap
import time
from dataclasses import dataclass
from pathlib import Path

from ..interrupts import INTERRUPTIBLE
from ..time_limits import scaled

ROOT = Path(__file__).parents[2]
PRELUDE = f"""
import os, signal, sys, threading, time
from ailib_sync import AiClient, Timeout
def client(**options):
    limits = Timeout(connect={scaled(2)}, read={scaled(5)}, total={scaled(20)})
    return AiClient("openai/gpt-4o", api_key="sk-canary-Zq81", base_url=sys.argv[1], retry=2, timeout=limits, **options)
def after(seconds, do):
    timer = threading.Timer(seconds, do); timer.daemon = True; timer.start()
"""


@dataclass
class Ended:
    """How a program ended. `seconds` counts from its start."""

    out: str
    err: str
    status: int
    seconds: float


def environment() -> dict[str, str]:
    """Development mode, in which every unclosed socket is an error."""
    return {**os.environ, "PYTHONPATH": str(ROOT), "PYTHONDEVMODE": "1", "PYTHONWARNINGS": "error::ResourceWarning"}


def run(program: str, url: str, prelude: str = PRELUDE) -> Ended:
    started = time.monotonic()
    command = [sys.executable, "-c", INTERRUPTIBLE + prelude + textwrap.dedent(program), url]
    ended = subprocess.run(command, capture_output=True, text=True, timeout=scaled(60), env=environment(), check=False)
    return Ended(ended.stdout.strip(), ended.stderr, ended.returncode, time.monotonic() - started)
