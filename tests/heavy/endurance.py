"""Minutes of everything at the same time: interrupts at random moments, cancels, forks, dropped clients and faults, plain and
over TLS. Descriptors, threads and memory end as they began.

    python -m tests.heavy.endurance [--minutes 30] [--threads 2] [--seed 1]

The main thread is interrupted by a timer while it makes calls with a limiter of one slot: a slot or a connection that an
interrupt does not release ends the run. The other threads make calls with faults (soak.py).
"""

from __future__ import annotations

import argparse
import faulthandler
import gc
import os
import signal
import sys
import tempfile
import threading
from collections import Counter
from random import Random
from time import monotonic, perf_counter

from ailib_sync import AiClient, AiLibError, Cancelled, CancelToken, Limiter

from ..time_limits import scaled
from .ground import Census, serving
from .soak import one


class Alarm(Exception):
    """Raised by the signal handler."""


#: What a signal handler may raise: also what looks like an exception of a socket.
RAISED = (KeyboardInterrupt, Alarm, SystemExit, GeneratorExit, TimeoutError, OSError)


class Interrupter:
    """Raises an exception at a random moment of a call."""

    def __init__(self, draw: Random) -> None:
        self.draw = draw
        self.armed = False
        signal.signal(signal.SIGALRM, self.handle)

    def handle(self, *_: object) -> None:
        if self.armed:
            self.armed = False
            raise self.draw.choice(RAISED)

    def call(self, chat, stream: bool, span: float) -> bool:
        """Whether the call was interrupted."""
        try:
            self.armed = True
            signal.setitimer(signal.ITIMER_REAL, self.draw.uniform(1e-6, 1.1 * span))
            ask(chat, stream)
            self.armed = False
        except RAISED as error:
            self.armed = False
            if isinstance(error, AiLibError):
                raise AssertionError(f"an interrupt became {error!r}") from error
            return True
        finally:
            self.armed = False
        return False


def ask(chat, stream: bool) -> None:
    content = chat.stream().collect().content if stream else chat.execute().content
    assert content == "echo x", content


def drop(url: str, ca_bundle: str | None, draw: Random) -> None:
    """A client that is used once and dropped, perhaps in the middle of a stream."""
    chat = AiClient("openai/gpt-4o", base_url=url, api_key="k", ca_bundle=ca_bundle, retry=0).chat().user("echo x")
    if draw.random() < 0.5:
        next(iter(chat.stream()))
    else:
        chat.execute()


def cancel(client: AiClient) -> None:
    token = CancelToken()
    timer = threading.Timer(0.01, token.cancel)
    timer.start()
    try:
        client.chat().user("echo x: stalled").stream(cancel=token).collect()
    except Cancelled:
        timer.join()
        return
    raise AssertionError("a stalled stream ended")


def fork(chat) -> None:
    """A child uses the client of its parent."""
    child = os.fork()
    if child == 0:
        code = 1
        try:
            ask(chat, False)
            ask(chat, True)
            code = 0
        finally:
            os._exit(code)
    assert os.waitpid(child, 0)[1] == 0, "a forked child failed"


def background(url: str, ended: threading.Event, seed: int, wrong: list[BaseException]) -> None:
    draw, number = Random(seed), 0
    with AiClient("openai/gpt-4o", base_url=url, api_key="k", timeout=scaled(20), retry=0) as client:
        while not ended.is_set():
            number += 1
            try:
                one(client, draw, seed * 10_000_000 + number, draw.random() < 0.3)
            except AiLibError:
                continue  # a stream that was to be left had a fault before its first event
            except AssertionError as error:
                wrong.append(error)


def run(seconds: float, urls: list[tuple[str, str | None]], draw: Random, counts: Counter[str]) -> None:
    """Interrupted calls, and everything else now and then, until the time is over."""
    limit = scaled(20)
    clients = [
        AiClient("openai/gpt-4o", base_url=url, api_key="k", ca_bundle=ca, retry=0, timeout=limit,
                 limiter=Limiter(max_in_flight=1, max_wait=limit))
        for url, ca in urls
    ]  # fmt: skip
    chats = [client.chat().user("echo x") for client in clients]
    interrupter = Interrupter(draw)
    spans = {}
    for position, chat in enumerate(chats):
        for stream in (False, True):
            ask(chat, stream)
            began = perf_counter()
            for _ in range(20):
                ask(chat, stream)
            spans[position, stream] = (perf_counter() - began) / 20
    until = monotonic() + seconds
    while monotonic() < until:
        faulthandler.dump_traceback_later(10 * limit, exit=True)
        position, stream = draw.randrange(len(chats)), draw.random() < 0.5
        way = draw.random()
        if way < 0.02:
            drop(*urls[position], draw)
            counts["dropped clients"] += 1
        elif way < 0.025:
            cancel(clients[position])
            counts["cancelled streams"] += 1
        elif way < 0.026:
            fork(chats[position])
            counts["forks"] += 1
        else:
            counts["interrupted calls"] += interrupter.call(chats[position], stream, spans[position, stream])
            counts["calls"] += 1
        ask(chats[position], stream)  # the next call gets its own response
    faulthandler.cancel_dump_traceback_later()
    for client in clients:
        client.close()


def main() -> None:
    parser = argparse.ArgumentParser()
    for name, default in (("minutes", 30.0), ("threads", 2), ("seed", 1)):
        parser.add_argument(f"--{name}", type=type(default), default=default)
    options = parser.parse_args()
    sys.unraisablehook = lambda _: None  # an interrupt in a finalizer is printed, and nothing else
    draw, counts, wrong = Random(options.seed), Counter[str](), []
    with tempfile.NamedTemporaryFile(suffix=".pem") as ca, serving() as plain, serving(ca.name) as tls:
        urls = [(plain, None), (tls, ca.name)]

        def round_of(seconds: float) -> Census:
            ended = threading.Event()
            workers = [
                threading.Thread(target=background, args=(plain, ended, options.seed * 100 + number, wrong))
                for number in range(options.threads)
            ]
            for worker in workers:
                worker.start()
            try:
                run(seconds, urls, draw, counts)
            finally:
                ended.set()
                for worker in workers:
                    worker.join()
            gc.collect()
            return Census.take()

        before = round_of(max(10.0, options.minutes * 2))
        counts.clear()
        after = round_of(options.minutes * 60)
    print(f"{options.minutes} minutes: {', '.join(f'{number} {name}' for name, number in sorted(counts.items()))}")
    print(f"before: {before}\nafter:  {after}")
    assert not wrong, f"{len(wrong)} ended wrong, the first: {wrong[0]}"
    assert after.sockets <= before.sockets
    assert after.threads <= before.threads
    assert after.memory <= before.memory * 1.1 + 2


if __name__ == "__main__":
    main()
