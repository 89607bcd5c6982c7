"""Many threads on one client, streams and whole answers mixed: every answer is the caller's own.

    python -m tests.heavy.threads [--threads 64] [--calls 10000]
"""

from __future__ import annotations

import argparse
import threading
from time import monotonic

from ailib_sync import AiClient

from ..time_limits import scaled
from .ground import Census, serving


def crossed(url: str, threads: int, calls: int) -> list[str]:
    """The answers that were not the caller's own, or not whole."""
    client = AiClient("openai/gpt-4o", base_url=url, api_key="k", timeout=scaled(60))
    wrong: list[str] = []
    ready = threading.Barrier(threads)

    def work(worker: int) -> None:
        ready.wait()
        for number in range(worker, calls, threads):
            prompt = f"echo {number} " + "x" * (number % 500)
            chat = client.chat().user(prompt)
            answer = "".join(chat.stream().text()) if number % 2 else chat.execute().content
            if answer != prompt:
                wrong.append(f"{prompt[:20]!r} got {answer[:20]!r}")

    workers = [threading.Thread(target=work, args=(number,)) for number in range(threads)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    client.close()
    return wrong


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--threads", type=int, default=64)
    parser.add_argument("--calls", type=int, default=10_000)
    options = parser.parse_args()
    with serving() as url:
        started = monotonic()
        wrong = crossed(url, options.threads, options.calls)
        print(f"{options.threads} threads, {options.calls} calls in {monotonic() - started:.1f} s: {len(wrong)} wrong answers")
    print(Census.take())
    assert not wrong, wrong[:5]


if __name__ == "__main__":
    main()
