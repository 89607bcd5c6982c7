"""Thousands of calls and streams with random faults: each ends as it should, and memory, sockets and threads stay as they were.

    python -m tests.heavy.soak [--calls 10000] [--streams 1000] [--threads 16] [--seed 1]
"""

from __future__ import annotations

import argparse
import threading
import tracemalloc
from random import Random
from time import monotonic

from ailib_sync import AiClient, AiLibError, Limiter

from ..time_limits import scaled
from .ground import Census, serving
from .provider import FAULTS


def one(client: AiClient, draw: Random, number: int, stream: bool) -> None:
    """A call with or without a fault; raises AssertionError where it does not end as it should."""
    prompt, fault = f"echo {number}", draw.choice([None, None, *FAULTS])
    if fault is not None:
        prompt += f": {fault}"
    chat = client.chat().user(prompt)
    kind = None if fault is None else FAULTS[fault].stream if stream else FAULTS[fault].plain
    texts: list[str] = []
    failure: AiLibError | None = None
    try:
        if not stream:
            texts.append(chat.execute().content)
        elif draw.random() < 0.2:
            leave(chat.stream(), draw)
            return
        else:
            for text in chat.stream().text():
                texts.append(text)
    except AiLibError as error:
        failure = error
    text = "".join(texts)
    if kind is None:
        assert failure is None, f"{prompt}: {failure!r}"
        assert text == prompt, f"{prompt!r} got another's answer: {text!r}"
    else:
        assert isinstance(failure, kind), f"{prompt}: {failure!r} is no {kind.__name__}"
        assert text == (failure.partial.content if failure.partial else ""), prompt
        assert text == (FAULTS[fault].partial if stream else ""), prompt


def leave(stream, draw: Random) -> None:
    """The ways out of a stream before its end."""
    way = draw.randrange(4)
    if way == 0:
        for _ in stream:
            break
    elif way == 1:
        with stream:
            next(stream)
    elif way == 2:
        threading.Timer(0.001, stream.close).start()
        try:
            for _ in stream:
                pass
        except AiLibError:
            return


def rounds(client: AiClient, calls: int, streams: int, threads: int, seed: int) -> list[BaseException]:
    """Makes them all; what did not end as it should."""
    wrong: list[BaseException] = []

    def work(worker: int) -> None:
        draw = Random(seed * 1000 + worker)
        mine = [False] * (calls // threads) + [True] * (streams // threads)
        draw.shuffle(mine)
        for number, stream in enumerate(mine):
            try:
                one(client, draw, worker * 1_000_000 + number, stream)
            except AssertionError as error:
                wrong.append(error)
            except AiLibError:
                continue  # a stream that was to be left had a fault before its first event

    workers = [threading.Thread(target=work, args=(number,)) for number in range(threads)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    return wrong


def soak(calls: int, streams: int, threads: int, seed: int, *, traced: bool = True) -> tuple[Census, Census, float]:
    """The counts before and after (with all idle connections closed), and the bytes tracemalloc found to have been kept."""
    with serving() as url:
        places = Limiter(max_in_flight=max(threads // 2, 1))  # a place that is not given back ends the run
        client = AiClient("openai/gpt-4o", base_url=url, api_key="k", timeout=scaled(20), retry=0, limiter=places)
        wrong = rounds(client, max(calls // 10, threads * 8), max(streams // 10, threads * 4), threads, seed + 1)
        client.close()
        if traced:
            tracemalloc.start()
        before = Census.take()
        kept = tracemalloc.get_traced_memory()[0]
        wrong += rounds(client, calls, streams, threads, seed)
        client.close()
        after = Census.take()
        kept = tracemalloc.get_traced_memory()[0] - kept
        tracemalloc.stop()
        assert not wrong, f"{len(wrong)} ended wrong, the first: {wrong[0]}"
        return before, after, kept


def main() -> None:
    parser = argparse.ArgumentParser()
    for name, default in (("calls", 10_000), ("streams", 1_000), ("threads", 16), ("seed", 1)):
        parser.add_argument(f"--{name}", type=int, default=default)
    options = parser.parse_args()
    started = monotonic()
    before, after, kept = soak(options.calls, options.streams, options.threads, options.seed)
    print(f"{options.calls} calls and {options.streams} streams in {monotonic() - started:.0f} s, {options.threads} threads")
    print(f"before: {before}\nafter:  {after}\ntracemalloc: {kept / 1024:+.0f} KiB")
    assert after.sockets <= before.sockets + 2
    assert after.threads <= before.threads
    assert kept < 2**20


if __name__ == "__main__":
    main()
