"""Children forked from a parent with warm connections: all of them ask at once, and every answer is the asker's own.

    python -m tests.heavy.forks [--children 4] [--calls 24] [--bursts 250]
"""

from __future__ import annotations

import argparse
import os
import threading
import warnings
from time import monotonic

from ailib_sync import AiClient

from ..time_limits import scaled
from .ground import serving


def ask(client: AiClient, prompt: str) -> bool:
    chat = client.chat().user(prompt)
    return chat.execute().content == prompt and "".join(chat.stream().text()) == prompt


def burst(client: AiClient, children: int, calls: int) -> int:
    """Parent and children ask at the same time, `calls` of them in the children; how many got an answer not their own."""
    gate, open_gate = os.pipe()
    born = []
    for child in range(children):
        pid = os.fork()
        if pid == 0:
            os.close(open_gate)
            os.read(gate, 1)  # returns when the parent closes its end: all begin at once
            wrong = 0
            try:
                for number in range(child, calls, children):
                    wrong += not ask(client, f"echo child {os.getpid()} call {number}")
            except BaseException:
                wrong = 99
            os._exit(min(wrong, 99))
        born.append(pid)
    os.close(open_gate)
    wrong = sum(not ask(client, f"echo parent {number}") for number in range(calls // children))
    os.close(gate)
    return wrong + sum(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) for pid in born)


def warmed(url: str, threads: int = 4) -> AiClient:
    """A client with several idle connections."""
    client = AiClient("openai/gpt-4o", base_url=url, api_key="k", timeout=scaled(30))
    ready = threading.Barrier(threads)

    def work() -> None:
        stream = client.chat().user("echo warm").stream()
        ready.wait()  # all streams are open at once, so each has a connection of its own
        stream.collect()

    workers = [threading.Thread(target=work) for _ in range(threads)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    return client


def stream_survives(client: AiClient) -> bool:
    """Whether streams that were open at the fork end well in the parent, whatever the child does with its copies."""
    prompt = "echo open at the fork: paused"
    streams = [client.chat().user(prompt).stream() for _ in range(3)]
    next(streams[0])
    pid = os.fork()
    if pid == 0:
        next(iter(streams)).close()
        del streams
        client.close()
        os._exit(0 if ask(client, "echo child") else 1)
    child = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
    return child == 0 and all("".join(stream.text()).endswith(prompt) for stream in streams)


def main() -> None:
    warnings.simplefilter("ignore", DeprecationWarning)  # 3.12 and later warn of a fork while there are threads
    parser = argparse.ArgumentParser()
    for name, default in (("children", 4), ("calls", 24), ("bursts", 250)):
        parser.add_argument(f"--{name}", type=int, default=default)
    options = parser.parse_args()
    with serving() as url:
        client = warmed(url)
        started = monotonic()
        wrong = sum(burst(client, options.children, options.calls) for _ in range(options.bursts))
        total = options.bursts * options.calls
        print(
            f"{options.bursts} bursts of {options.calls} calls in {options.children} forked children, the parent asking too, "
            f"in {monotonic() - started:.1f} s: {total} calls, {wrong} wrong answers"
        )
        assert wrong == 0
        assert stream_survives(client)
        print("a stream that was open at the fork ended well")


if __name__ == "__main__":
    main()
