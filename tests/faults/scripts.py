"""Small programs run in a process of their own, against a fault server in this one. Each prints one line: what it saw."""

from __future__ import annotations

import os
import subprocess
import sys
import textwrap
import time
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[2]
PRELUDE = """
import os, signal, sys, threading, time
from ailib_sync import AiClient, Timeout
def client(**options):
    return AiClient("openai/gpt-4o", api_key="sk-canary-Zq81", base_url=sys.argv[1], retry=2,
                    timeout=Timeout(connect=2, read=5, total=20), **options)
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
    """Development mode, and every unclosed socket an error."""
    return {**os.environ, "PYTHONPATH": str(ROOT), "PYTHONDEVMODE": "1", "PYTHONWARNINGS": "error::ResourceWarning"}


def run(program: str, url: str, prelude: str = PRELUDE, limit: float = 60) -> Ended:
    started = time.monotonic()
    command = [sys.executable, "-c", prelude + textwrap.dedent(program), url]
    ended = subprocess.run(command, capture_output=True, text=True, timeout=limit, env=environment(), check=False)
    return Ended(ended.stdout.strip(), ended.stderr, ended.returncode, time.monotonic() - started)
