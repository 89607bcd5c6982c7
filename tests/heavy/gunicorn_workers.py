"""gunicorn's sync and gthread workers with --preload, on a client that the parent has used: every answer is the asker's own,
a browser that goes away ends the request to the provider, and workers stop when they are told to.

    python -m tests.heavy.gunicorn_workers [--calls 400]      # where gunicorn is installed
"""

from __future__ import annotations

import argparse
import http.client
import os
import signal
import socket
import subprocess
import sys
import threading
from contextlib import contextmanager
from time import monotonic, sleep
from typing import TYPE_CHECKING
from urllib.parse import quote

from ..local_server import LocalServer, free_ports
from ..time_limits import scaled
from .ground import ROOT
from .provider import play

if TYPE_CHECKING:
    from collections.abc import Iterator

KINDS = {"sync": ["--workers", "4"], "gthread": ["--worker-class", "gthread", "--workers", "2", "--threads", "8"]}


@contextmanager
def workers(kind: str, provider: str) -> Iterator[tuple[int, subprocess.Popen[str]]]:
    """gunicorn with the example app, and its port."""
    (port,) = free_ports(1)
    command = [
        sys.executable, "-m", "gunicorn", "--chdir", str(ROOT / "examples"),
        "--preload", "--bind", f"127.0.0.1:{port}", "--log-level", "warning", *KINDS[kind], "wsgi_app:app",
    ]  # fmt: skip
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "MODEL": "openai/gpt-4o", "BASE_URL": provider, "OPENAI_API_KEY": "k"}
    process = subprocess.Popen(command, env=environment, cwd=ROOT, stderr=subprocess.PIPE, text=True)
    try:
        until = monotonic() + scaled(20)
        while True:
            try:
                socket.create_connection(("127.0.0.1", port), 1).close()
                break
            except OSError:
                assert monotonic() < until, "gunicorn does not listen"
                sleep(0.05)
        yield port, process
    finally:
        if process.poll() is None:
            process.terminate()
        process.wait(scaled(20))
        assert process.stderr is not None
        process.stderr.close()


def fetch(port: int, path: str) -> str:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=scaled(30))
    try:
        connection.request("GET", path)
        return connection.getresponse().read().decode()
    finally:
        connection.close()


def crossed(port: int, calls: int, threads: int = 16) -> list[str]:
    wrong: list[str] = []

    def work(worker: int) -> None:
        for number in range(worker, calls, threads):
            prompt = f"echo {number}"
            answer = fetch(port, f"/{'stream' if number % 2 else ''}?q={quote(prompt)}")
            if answer != prompt:
                wrong.append(f"{prompt!r} got {answer[:60]!r}")

    browsers = [threading.Thread(target=work, args=(number,)) for number in range(threads)]
    for browser in browsers:
        browser.start()
    for browser in browsers:
        browser.join()
    return wrong


def seconds_until_dropped(port: int, server: LocalServer) -> float:
    """A browser goes away in the middle of an answer in pieces; how long until the provider sees its request end."""
    browser = socket.create_connection(("127.0.0.1", port))
    browser.sendall(f"GET /stream?q={quote('echo x: dripping')} HTTP/1.1\r\nHost: x\r\n\r\n".encode())
    browser.recv(65536)
    number = next(request.connection for request in server.requests if request.prompt.endswith("dripping"))
    browser.close()
    gone = monotonic()
    assert server.saw_close(number, 5)
    return monotonic() - gone


def run(kind: str, calls: int) -> str:
    with LocalServer(play, backlog=512) as server, workers(kind, server.url) as (port, process):
        started = monotonic()
        wrong = crossed(port, calls)
        seconds = monotonic() - started
        assert not wrong, wrong[:5]
        dropped = seconds_until_dropped(port, server)
        process.send_signal(signal.SIGTERM)
        assert process.wait(scaled(20)) == 0
        assert process.stderr is not None
        complaints = process.stderr.read()
        assert not complaints, complaints
    return f"{kind}: {calls} requests in {seconds:.1f} s, 0 wrong answers; a left browser ends its request in {dropped:.2f} s"


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--calls", type=int, default=400)
    options = parser.parse_args()
    for kind in KINDS:
        print(run(kind, options.calls), flush=True)


if __name__ == "__main__":
    main()
