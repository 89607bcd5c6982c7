"""Interrupts at random moments of calls: each is raised as it is, and leaves nothing behind that the next call needs.

    python -m tests.heavy.interrupts [--hits 100000] [--seed 1]

Half of them come from a timer, half from another thread with `pthread_kill` or `kill`; half hit streams, half TLS. Each client
has a limiter of one slot. A hit is an interrupt that was raised by the call. After each, the next call on the same client must
get its own response: a lock, a slot or a connection that an interrupt did not release ends the run.
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
from time import monotonic, perf_counter, sleep

from ailib_sync import AiClient, Limiter

from ..time_limits import scaled
from .ground import Census, serving


class Alarm(Exception):
    """Raised by the signal handler."""


#: What a signal handler may raise: also what looks like an exception of a socket or of a parser.
RAISED = (KeyboardInterrupt, Alarm, SystemExit, GeneratorExit, TimeoutError, OSError, ConnectionResetError, ValueError)
LIMIT_SECONDS = scaled(20)


class Interrupter:
    """Raises an exception at a random moment of a call. The exception of SIGINT is always KeyboardInterrupt."""

    def __init__(self, draw: Random) -> None:
        #: Of the interrupts: raised by the call; replaced by another exception; ignored.
        self.counts: Counter[str] = Counter()
        self._draw = draw
        self._armed = False
        self._raised: BaseException | None = None
        signal.signal(signal.SIGALRM, self.handle)
        signal.signal(signal.SIGINT, self.handle)

    def handle(self, number: int, frame: object) -> None:
        if self._armed:
            self._armed = False
            self._raised = KeyboardInterrupt() if number == signal.SIGINT else self._draw.choice(RAISED)()
            raise self._raised

    def call(self, chat, stream: bool, span: float) -> bool:
        """Makes a call that takes about `span` seconds. Whether it was interrupted."""
        sender = None
        seconds = self._draw.uniform(1e-6, 1.1 * span)
        self._raised = None
        try:
            if self._draw.random() < 0.5:
                self._armed = True
                signal.setitimer(signal.ITIMER_REAL, seconds)
            else:
                sender = threading.Thread(target=interrupt_main, args=(seconds, self._draw.random() < 0.5), daemon=True)
                sender.start()
                self._armed = True
            ask(chat, stream)
            self._armed = False
        except BaseException as error:
            self._armed = False
            if self._raised is None:
                raise
            self.counts["replaced"] += error is not self._raised
            self.counts["hits"] += error is self._raised
            if error is not self._raised:
                print(f"{self._raised!r} became {error!r}", file=sys.stderr)
        else:
            self.counts["ignored by a finalizer"] += self._raised is not None
        finally:
            self._armed = False
            if sender is not None:
                sender.join()
        was_raised, self._raised = self._raised is not None, None
        return was_raised


def interrupt_main(seconds: float, whole_process: bool) -> None:
    sleep(seconds)
    if whole_process:
        os.kill(os.getpid(), signal.SIGINT)
    else:
        signal.pthread_kill(threading.main_thread().ident or 0, signal.SIGINT)


def ask(chat, stream: bool) -> None:
    content = chat.stream().collect().content if stream else chat.execute().content
    assert content == "echo x", content


def span_of(chat, stream: bool) -> float:
    """The seconds that a call takes."""
    ask(chat, stream)
    began = perf_counter()
    for _ in range(20):
        ask(chat, stream)
    return (perf_counter() - began) / 20


def clients_of(urls: list[tuple[str, str | None]]) -> list[AiClient]:
    """A client for each URL, with a limiter of one slot."""
    return [
        AiClient("openai/gpt-4o", base_url=url, api_key="k", ca_bundle=ca, retry=0, timeout=LIMIT_SECONDS,
                 limiter=Limiter(max_in_flight=1, max_wait=LIMIT_SECONDS))
        for url, ca in urls
    ]  # fmt: skip


def slots_in_use(client: AiClient) -> int:
    return sum(slot() is not None for slot in client.limiter._slots.values())


def run(urls: list[tuple[str, str | None]], hits: int, draw: Random) -> tuple[Counter[str], int]:
    """The counts of the interrupter, and how often a slot was still in use after a call."""
    clients = clients_of(urls)
    chats = [client.chat().user("echo x") for client in clients]
    interrupter, leaked, printed = Interrupter(draw), 0, 0
    spans = {(position, stream): span_of(chat, stream) for position, chat in enumerate(chats) for stream in (False, True)}
    while interrupter.counts["hits"] < hits:
        faulthandler.dump_traceback_later(4 * LIMIT_SECONDS, exit=True)
        position, stream = draw.randrange(len(chats)), draw.random() < 0.5
        interrupter.call(chats[position], stream, spans[position, stream])
        leaked += slots_in_use(clients[position])
        ask(chats[position], stream)
        interrupter.counts["calls"] += 1
        if interrupter.counts["hits"] >= printed + 10_000:
            printed += 10_000
            print(f"{printed} hits: {Census.take()}", flush=True)
    faulthandler.cancel_dump_traceback_later()
    for client in clients:
        client.close()
    return interrupter.counts, leaked


def main() -> None:
    parser = argparse.ArgumentParser()
    for name, default in (("hits", 100_000), ("seed", 1)):
        parser.add_argument(f"--{name}", type=int, default=default)
    options = parser.parse_args()
    sys.unraisablehook = lambda _: None  # an interrupt in a finalizer is printed, and nothing else
    draw, started = Random(options.seed), monotonic()
    with tempfile.NamedTemporaryFile(suffix=".pem") as ca, serving() as plain, serving(ca.name) as tls:
        urls = [(plain, None), (tls, ca.name)]
        run(urls, max(options.hits // 100, 100), draw)
        gc.collect()
        before = Census.take()
        counts, leaked = run(urls, options.hits, draw)
        gc.collect()
        after = Census.take()
    print(f"{', '.join(f'{number} {name}' for name, number in sorted(counts.items()))} in {monotonic() - started:.0f} s")
    print(f"0 hangs, {leaked} leaked slots\nbefore: {before}\nafter:  {after}")
    assert not leaked
    assert not counts["replaced"]
    assert after.descriptors <= before.descriptors
    assert after.threads <= before.threads
    assert after.memory <= before.memory * 1.1 + 2


if __name__ == "__main__":
    main()
