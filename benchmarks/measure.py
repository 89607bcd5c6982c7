"""Measures one client in this process: `measure.py SUITE CLIENT URL`. Prints one line of JSON."""

from __future__ import annotations

import sys
import time


def cpu_of(code: str) -> dict[str, float]:
    """CPU and memory of a process that has executed only this code."""
    began = time.process_time()
    exec(code, {})
    milliseconds = (time.process_time() - began) * 1000
    import resource

    return {"cpu_ms": milliseconds, "rss_mib": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024}


def cold(client: type, url: str) -> dict[str, float]:
    """The CPU time from the start of the interpreter to the first text of a stream."""
    text = next(iter(client(url + "/stream-10").stream()))
    assert text
    return {"cpu_ms": time.process_time() * 1000}


def call(client: type, url: str) -> dict[str, float]:
    target = client(url + "/json")
    assert target.ask() == text_of(40), "the text is wrong"
    once = _timed(target.ask, 5)[1]
    rounds = max(5, min(300, int(0.5 / once)))
    seconds, wall = _timed(target.ask, rounds)
    return {"cpu_us": seconds * 1e6, "calls_per_second": 1 / wall}


def stream(client: type, url: str, kind: str, number: int) -> dict[str, float]:
    target = client(f"{url}/{kind}-{number}")
    texts = {"thought": target.thoughts, "arguments": target.arguments}.get(kind, target.stream)
    assert "".join(texts()) == text_of(number), "the text is wrong"

    def read() -> None:
        for _ in texts():
            pass

    once = _timed(read, 1)[0]
    seconds, wall = _timed(read, max(1, min(12, int(1 / once))))
    return {"cpu_us": seconds / number * 1e6, "events_per_second": number / wall}


def paced(client: type, url: str, streams: int, number: int = 200, interval: int = 5) -> dict[str, float]:
    """Streams in threads, each with one event every 5 ms: the delay from sending to reading an event, and how many are lost."""
    import threading

    reader = client(f"{url}/paced-{number}x{interval}")
    late: list[int] = []

    def read() -> None:
        seen = []
        for text in reader.stream():
            now = time.monotonic_ns()
            seen += [now - int(sent) for sent in text.split()]
        late.extend(seen)

    read()  # imports and connects
    late.clear()
    threads = [threading.Thread(target=read) for _ in range(streams)]
    began = time.process_time()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    seconds = time.process_time() - began
    late.sort()
    wanted = streams * number
    if not late:
        return {"lost": wanted}
    return {
        "lost": wanted - len(late),
        "lag_us": late[len(late) // 2] / 1000,
        "lag_p99_us": late[int(len(late) * 0.99)] / 1000,
        "cpu_us": seconds / wanted * 1e6,
    }


def memory(client: type, url: str, number: int = 200_000) -> dict[str, float]:
    """How much the peak memory grows during a long stream whose texts are discarded."""
    import resource

    for _ in client(f"{url}/stream-1000").stream():
        pass
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    count = sum(1 for _ in client(f"{url}/stream-{number}").stream())
    grown = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) / 1024
    return {"grown_mib": grown, "text_mib": len(text_of(number)) / 2**20, "events": count}


def parse(number: int = 10_000) -> dict[str, float]:
    """Only `json.loads` of each event."""
    import json

    lines = [openai(word(i))[6:] for i in range(number)]

    def read() -> None:
        for line in lines:
            json.loads(line)

    return {"cpu_us": _timed(read, 10)[0] / number * 1e6}


def _timed(work: object, rounds: int) -> tuple[float, float]:
    """CPU and wall seconds of one run."""
    cpu, wall = time.process_time(), time.perf_counter()
    for _ in range(rounds):
        work()  # type: ignore[operator]
    return (time.process_time() - cpu) / rounds, (time.perf_counter() - wall) / rounds


def main() -> dict[str, float]:
    suite, name, url = sys.argv[1:4]
    if suite == "code":
        return cpu_of(name)
    global openai, text_of, word
    from clients import CLIENTS

    client = CLIENTS.get(name)
    if suite == "cold" and client is not None:
        return cold(client, url)
    from server import openai, text_of, word

    if suite == "parse" or client is None:
        return parse()
    kind, _, size = suite.partition("-")
    if kind in ("stream", "varied", "plain", "thought", "arguments", "block"):
        return stream(client, url, kind, int(size))
    if kind == "paced":
        return paced(client, url, int(size))
    return memory(client, url) if kind == "memory" else call(client, url)


if __name__ == "__main__":
    measured = main()
    import json
    import os

    print(json.dumps(measured), flush=True)
    os._exit(0)  # some clients leave threads running
