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
import sys
import tempfile
import threading
from collections import Counter
from random import Random
from time import monotonic

from ailib_sync import AiClient, AiLibError, Cancelled, CancelToken

from .ground import Census, serving
from .interrupts import LIMIT_SECONDS, Interrupter, ask, clients_of, slots_in_use, span_of
from .soak import one


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
    with AiClient("openai/gpt-4o", base_url=url, api_key="k", timeout=LIMIT_SECONDS, retry=0) as client:
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
    clients = clients_of(urls)
    chats = [client.chat().user("echo x") for client in clients]
    interrupter = Interrupter(draw)
    spans = {(position, stream): span_of(chat, stream) for position, chat in enumerate(chats) for stream in (False, True)}
    until = monotonic() + seconds
    while monotonic() < until:
        faulthandler.dump_traceback_later(10 * LIMIT_SECONDS, exit=True)
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
            interrupter.call(chats[position], stream, spans[position, stream])
            counts["calls"] += 1
        counts["leaked slots"] += slots_in_use(clients[position])
        ask(chats[position], stream)  # the next call gets its own response
    counts.update(interrupter.counts)
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
    assert not counts["replaced"]
    assert not counts["leaked slots"]
    assert after.descriptors <= before.descriptors
    assert after.threads <= before.threads
    assert after.memory <= before.memory * 1.1 + 2


if __name__ == "__main__":
    main()
