"""Faults that need their own process: signals, forks, the end of the interpreter, gunicorn, gevent, eventlet."""

from __future__ import annotations

import http.client
import importlib.util
import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING

import pytest

from .. import wire
from ..local_server import LocalServer, free_ports
from ..time_limits import LATE, scaled
from ..wire import healthy
from . import scripts
from .register import fault_test
from .streams import stall

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="signals and forks as on POSIX")

INTERRUPTED = """
    {handler}
    chat = client()
    stream = chat.chat().user("Hello").stream()
    after({pause}, lambda: os.kill(os.getpid(), {signal}))
    text, began = "", None
    try:
        for text_piece in stream.text():
            text += text_piece
            began = time.monotonic()
    except BaseException as error:
        late = time.monotonic() - began - {pause}
        print(type(error).__name__, repr(text), late < {late})
    time.sleep({pause})
    del stream
"""


def interrupted(number: str, handler: str = "") -> tuple[scripts.Ended, LocalServer, bool]:
    with LocalServer(stall) as server:
        pause = scaled(0.5)
        program = INTERRUPTED.format(signal=number, handler=handler, pause=pause, late=pause + LATE)
        ended = scripts.run(program, server.url)
        return ended, server, server.saw_close(1)


@fault_test("app-sigint", "Ctrl-C while a stream waits", "`KeyboardInterrupt` is raised immediately; nothing is sent again")
def test_ctrl_c_passes():
    ended, server, closed = interrupted("signal.SIGINT")
    assert (ended.out, ended.err, ended.status) == (f"KeyboardInterrupt {wire.HALF!r} True", "", 0)
    assert closed
    assert len(server.requests) == 1


@fault_test(
    "app-systemexit-in-read", "a signal handler ends the process while a stream waits", "`SystemExit` is raised immediately"
)
def test_system_exit_passes():
    ended, server, closed = interrupted("signal.SIGTERM", "signal.signal(signal.SIGTERM, lambda *_: sys.exit(3))")
    assert (ended.out, ended.err, ended.status) == (f"SystemExit {wire.HALF!r} True", "", 0)
    assert closed
    assert len(server.requests) == 1


@fault_test(
    "app-exit-with-open-stream",
    "the program ends before a stream was read to its end",
    "it ends immediately, with status 0 and nothing on stderr",
)
@fault_test("finalizing-drop", "a stream is garbage-collected while the interpreter shuts down", "the same")
@fault_test("resource-warning", "all of this in development mode, where an unclosed socket is an error", "no warning")
@pytest.mark.parametrize("keep", ["", "sys.kept = stream", "cycle = [stream]; cycle.append(cycle)"])
def test_a_program_may_end_with_an_open_stream(keep):
    with LocalServer(stall) as server:
        program = f"""
            stream = client().chat().user("Hello").stream()
            next(stream)
            {keep}
            print("end")
        """
        ended = scripts.run(program, server.url)
    assert (ended.out, ended.err, ended.status) == ("end", "", 0)


@fault_test(
    "exit-daemon-thread-stream",
    "the program ends while a daemon thread waits in a stream",
    "it ends immediately, with status 0 and nothing on stderr",
)
def test_a_program_may_end_with_a_reading_thread():
    with LocalServer(stall) as server:
        program = f"""
            threading.Thread(target=lambda: client().chat().user("Hello").stream().collect(), daemon=True).start()
            time.sleep({scaled(0.5)})
            print("end", flush=True)
        """
        ended = scripts.run(program, server.url)
    assert (ended.out, ended.err, ended.status) == ("end", "", 0)


@fault_test(
    "app-fork",
    "a client with open connections is used in a forked child and the parent at the same time",
    "the child opens its own connections; each gets its own responses",
)
def test_a_fork_gets_connections_of_its_own():
    with LocalServer(healthy) as server:
        program = """
            import warnings
            warnings.simplefilter("ignore", DeprecationWarning)
            chat = client()
            chat.chat().user("echo first").execute()
            children = []
            for number in range(3):
                children.append(os.fork())
                if children[-1] == 0:
                    break
            me = f"echo {os.getpid()}"
            wrong = 0
            for number in range(20):
                wrong += chat.chat().user(f"{me} {number}").execute().content != f"{me} {number}"
            chat.close()
            if children[-1] == 0:
                os._exit(wrong)
            print(wrong, [os.waitpid(child, 0)[1] for child in children])
        """
        ended = scripts.run(program, server.url)
        assert (ended.out, ended.err, ended.status) == ("0 [0, 0, 0]", "", 0)
        assert len(server.peers) == 4


#: Filled with what differs between gevent and eventlet.
GREEN = """
import {name}
{patch}
import os, sys, time
from ailib_sync import AiClient, Timeout, CallTimeout
limits = Timeout(connect={connect}, read={read}, total={total})
client = AiClient("openai/gpt-4o", api_key="k", base_url=sys.argv[1], retry=0, timeout=limits)
def talk(number):
    prompt = f"echo {{number}}"
    try:
        return client.chat().user(prompt).stream().collect().content == prompt
    except CallTimeout as error:
        return type(error).__name__
started = time.monotonic()
{spawn}
print(sorted(set(map(str, seen))), len(seen), time.monotonic() - started < {most})
"""
GEVENT = {
    "name": "gevent.monkey, gevent",
    "patch": "gevent.monkey.patch_all()",
    "spawn": "jobs = [gevent.spawn(talk, n) for n in range(100)]; gevent.joinall(jobs); seen = [job.value for job in jobs]",
}
EVENTLET = {
    "name": "eventlet",
    "patch": "eventlet.monkey_patch()",
    "spawn": "seen = list(eventlet.GreenPool(100).imap(talk, range(100)))",
}


def limits(read: float) -> dict[str, float]:
    return {"connect": scaled(10), "read": scaled(read), "total": scaled(30)}


def green(how: dict[str, str], library: str) -> None:
    """100 concurrent greenlets: each gets its own response, and all time limits work."""
    if importlib.util.find_spec(library) is None:  # not imported here: eventlet changes the process that does
        pytest.skip(f"{library} is not installed")
    with LocalServer(healthy) as server:
        ended = scripts.run("", server.url, GREEN.format(**how, **limits(10), most=scaled(30)))
        assert ended.out == "['True'] 100 True", ended.err[-2000:]
    with LocalServer(stall) as server:
        ended = scripts.run("", server.url, GREEN.format(**how, **limits(1), most=scaled(10)))
        assert ended.out == "['ReadTimeout'] 100 True", ended.err[-2000:]


@fault_test(
    "gevent-worker", "100 concurrent streams in greenlets, with gevent's patches", "responses are correct and time limits work"
)
def test_gevent():
    green(GEVENT, "gevent")


@fault_test("eventlet-worker", "the same under eventlet", "the same")
@pytest.mark.skipif(sys.version_info >= (3, 13), reason="eventlet is retired, and asks for an older Python")
def test_eventlet():
    green(EVENTLET, "eventlet")


HELPER = """
    from ailib_sync import run_all
    chat = client()
    after(PAUSE, lambda: os.kill(os.getpid(), signal.SIGINT))
    began = time.monotonic()
    try:
        run_all([chat.chat().user(f"echo {n}") for n in range(40)], max_workers=8)
    except KeyboardInterrupt:
        print("KeyboardInterrupt", time.monotonic() - began < PAUSE + LATE)
"""


@fault_test(
    "pool-helper-sigint",
    "Ctrl-C while eight workers wait for responses",
    "`KeyboardInterrupt` within a second; queued calls are not started",
)
def test_ctrl_c_ends_parallel_calls():
    with LocalServer(lambda peer, request: peer.wait()) as server:
        ended = scripts.run(HELPER.replace("PAUSE", str(scaled(1))).replace("LATE", str(scaled(1) + LATE)), server.url)
        assert (ended.out, ended.err, ended.status) == ("KeyboardInterrupt True", "", 0)
        assert len(server.requests) == 8


APP = """
import json, os
from ailib_sync import AiClient
client = AiClient("openai/gpt-4o", api_key="k", base_url=os.environ["UPSTREAM"])
client.chat().user("echo master").execute()  # with --preload: a connection of the master, which no worker may use
def app(environ, start):
    prompt = "echo " + environ["QUERY_STRING"]
    start("200 OK", [("Content-Type", "application/json")])
    return [json.dumps([client.chat().user(prompt).stream().collect().content, os.getpid()]).encode()]
"""


@contextmanager
def gunicorn(folder: Path, upstream: str, *options: str) -> Iterator[int]:
    """Starts gunicorn with our application; yields its port."""
    pytest.importorskip("gunicorn")
    (folder / "application.py").write_text(APP)
    (port,) = free_ports(1)
    command = [sys.executable, "-m", "gunicorn", "-b", f"127.0.0.1:{port}", "--chdir", str(folder), *options, "application:app"]
    process = subprocess.Popen(command, env={**scripts.environment(), "UPSTREAM": upstream}, stderr=subprocess.PIPE)
    try:
        until = time.monotonic() + scaled(20)
        while time.monotonic() < until:
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", port)) == 0:
                    break
            assert process.poll() is None, process.stderr.read().decode()
            time.sleep(0.05)
        yield port
    finally:
        process.send_signal(signal.SIGTERM)
        process.communicate(timeout=scaled(20))


def ask(port: int, query: str) -> list[object]:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=scaled(20))
    try:
        connection.request("GET", f"/?{query}")
        return json.loads(connection.getresponse().read())
    finally:
        connection.close()


def ask_in_vain(port: int) -> None:
    with suppress(OSError, http.client.HTTPException, ValueError):
        ask(port, "x")


@fault_test(
    "gunicorn-preload",
    "gunicorn forks four workers from a master process that has used the client",
    "each has its own connections and gets its own responses",
)
def test_gunicorn_preload(tmp_path):
    responses: dict[str, list[object]] = {}
    with LocalServer(healthy) as server, gunicorn(tmp_path, server.url, "--preload", "-w", "4", "-k", "sync") as port:

        def talk(name: int) -> None:
            for number in range(25):
                responses[f"{name}.{number}"] = ask(port, f"{name}.{number}")

        threads = [threading.Thread(target=talk, args=(name,)) for name in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert len(responses) == 200
        assert [response[0] for response in responses.values()] == [f"echo {query}" for query in responses]
        first = server.requests[0].connection
        assert [request.number for request in server.requests if request.connection == first] == [1]


@fault_test(
    "gunicorn-abort",
    "gunicorn aborts a worker whose stream has stalled",
    "`SystemExit` is raised, and the connection to the provider is closed",
)
def test_gunicorn_abort(tmp_path):
    def play(peer, request):
        return (healthy if request.prompt == "echo master" else stall)(peer, request)

    with LocalServer(play) as server, gunicorn(tmp_path, server.url, "-w", "1", "--timeout", str(round(scaled(2)))) as port:
        caller = threading.Thread(target=ask_in_vain, args=(port,))
        caller.start()
        until = time.monotonic() + scaled(15)
        while not any(request.prompt == "echo x" for request in server.requests):
            assert time.monotonic() < until
            time.sleep(0.02)
        stalled = next(request for request in server.requests if request.prompt == "echo x")
        assert server.saw_close(stalled.connection, 8)
        caller.join(scaled(10))
