"""Inside a running asyncio loop, under gevent's monkey patching, in a process pool.

    python -m tests.heavy.loops asyncio
    python -m tests.heavy.loops gevent      # where gevent is installed
    python -m tests.heavy.loops processes
"""

from __future__ import annotations

import sys

if __name__ == "__main__" and "gevent" in sys.argv:
    from gevent import monkey

    monkey.patch_all()  # before anything else is imported, as gevent wants it

import os
from time import monotonic
from typing import TYPE_CHECKING

from ..time_limits import scaled
from .ground import serving

if TYPE_CHECKING:
    from ailib_sync import AiClient, ChatBuilder


def client_of(url: str) -> AiClient:
    from ailib_sync import AiClient

    return AiClient("openai/gpt-4o", base_url=url, api_key=key, timeout=scaled(30))


def key() -> str:
    return "k"


def ask(client: AiClient, number: int) -> bool:
    prompt = f"echo {number}"
    chat = client.chat().user(prompt)
    return ("".join(chat.stream().text()) if number % 2 else chat.execute().content) == prompt


def in_asyncio(url: str, calls: int) -> None:
    """In the loop's own thread (where it blocks the loop, as any call does), and in threads of the loop's."""
    import asyncio

    client = client_of(url)

    async def main() -> list[bool]:
        direct = [ask(client, number) for number in range(calls)]
        threaded = await asyncio.gather(*(asyncio.to_thread(ask, client, number) for number in range(calls)))
        return direct + threaded

    assert all(asyncio.run(main()))


def in_gevent(url: str, calls: int) -> None:
    """Greenlets wait together, not one after the other; and a stream can be closed by another greenlet."""
    import gevent

    from ailib_sync import Cancelled

    client = client_of(url)
    jobs = [gevent.spawn(ask, client, number) for number in range(calls)]
    gevent.joinall(jobs, raise_error=True)
    assert all(job.value for job in jobs)

    slow = [gevent.spawn(client.chat().user(f"echo {number}: slow").execute) for number in range(20)]
    started = monotonic()
    gevent.joinall(slow, raise_error=True)
    seconds = monotonic() - started
    assert seconds < 20 * 0.2 / 2, f"20 waits of 0.2 s took {seconds:.2f} s"

    def read() -> float | None:
        try:
            list(stream)
        except Cancelled:
            return monotonic()
        return None

    stream = client.chat().user("echo x: stalled").stream()
    reader = gevent.spawn(read)
    gevent.sleep(0.1)
    closed = monotonic()
    stream.close()
    woken = reader.get(timeout=scaled(5))
    assert woken is not None
    assert woken - closed < scaled(0.1)


def run(chat: ChatBuilder) -> tuple[str, int]:
    return chat.execute().content, os.getpid()


def in_processes(url: str, calls: int) -> None:
    """Builders travel to a process pool."""
    from concurrent.futures import ProcessPoolExecutor
    from multiprocessing import get_context

    client = client_of(url)
    ask(client, 0)
    with ProcessPoolExecutor(2, mp_context=get_context("spawn")) as pool:
        found = list(pool.map(run, [client.chat().user(f"echo {number}") for number in range(calls)]))
    assert [answer for answer, _ in found] == [f"echo {number}" for number in range(calls)]
    assert os.getpid() not in {pid for _, pid in found}


KINDS = {"asyncio": in_asyncio, "gevent": in_gevent, "processes": in_processes}


def main() -> None:
    kind = sys.argv[1]
    with serving() as url:
        started = monotonic()
        KINDS[kind](url, 200)
        print(f"{kind}: 200 calls each way in {monotonic() - started:.1f} s, every answer the caller's own")


if __name__ == "__main__":
    main()
