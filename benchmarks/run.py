"""Compares the package with its baselines and with other clients: `python benchmarks/run.py [--peer openai=VENV/bin/python …]`.

Each figure comes from its own process. All clients take turns, round by round. A ratio compares two figures of the same round,
so a busy machine affects ratios less than figures. Prints tables and writes JSON, which `plot.py` draws. Results of suites that
are not run stay in the file.
"""

from __future__ import annotations

import argparse
import compileall
import json
import os
import platform
import statistics
import subprocess
import sys
from pathlib import Path

from clients import CLIENTS

HERE = Path(__file__).resolve().parent
OURS = "ailib-sync"
FLOOR = "urllib3"
#: suite → (title, the figure that is compared)
SUITES = {
    "import": ("A new process: import, and create a client", "cpu_ms"),
    "cold": ("From the start of the interpreter to the first text of a stream", "cpu_ms"),
    "call": ("A call on a warm connection", "cpu_us"),
    "stream-10000": ("A streamed event, one per HTTP chunk", "cpu_us"),
    "varied-10000": ("The same, if another field differs too, as in OpenAI's own streams", "cpu_us"),
    "plain-10000": ("The same, if all events have different keys: the plain path", "cpu_us"),
    "thought-10000": ("A fragment of thinking", "cpu_us"),
    "arguments-10000": ("A fragment of a tool call's arguments", "cpu_us"),
    "block-10000": ("A streamed event, many per HTTP chunk", "cpu_us"),
    "paced-1": ("One stream, one event every 5 ms: delay of an event", "lag_us"),
    "paced-32": ("32 such streams in threads", "lag_p99_us"),
    "paced-256": ("256 such streams in threads", "lag_p99_us"),
    "memory": ("200,000 events: growth of the peak memory", "grown_mib"),
}
IMPORTS = {
    "json + dataclasses": "import json, dataclasses",
    "ailib-sync, import": "import ailib_sync",
    "ailib-sync, client": "from ailib_sync import AiClient; AiClient('openai/x')",
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--suites", default=",".join(SUITES), help="which suites, separated by commas")
    parser.add_argument(
        "--peer", action="append", default=[], metavar="NAME=PYTHON", help="an interpreter in which the peer is installed"
    )
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--slow-rounds", type=int, default=3, help="rounds of peers, and of many threads or long streams")
    parser.add_argument("--out", default=str(HERE / "results.json"))
    options = parser.parse_args()
    pythons = dict(peer.split("=", 1) for peer in options.peer)
    compileall.compile_dir(HERE.parent / "ailib_sync", quiet=1)  # the installers of the peers do the same
    server = subprocess.Popen([*pinned(0), sys.executable, str(HERE / "server.py")], stdout=subprocess.PIPE, text=True)
    assert server.stdout is not None
    url = f"http://127.0.0.1:{server.stdout.readline().strip()}"
    out = Path(options.out)
    results = json.loads(out.read_text(encoding="utf-8"))["results"] if out.exists() else {}
    about = {"python": platform.python_version(), "machine": platform.machine(), "cpus": os.cpu_count()}
    try:
        for suite in options.suites.split(","):
            results[suite] = run_suite(suite, url, pythons, options.rounds, options.slow_rounds)
            print(table(suite, results[suite]), flush=True)
            out.write_text(json.dumps({"about": about, "results": results}, indent=1) + "\n", encoding="utf-8")
    finally:
        server.terminate()


def run_suite(
    suite: str, url: str, pythons: dict[str, str], rounds: int, slow_rounds: int
) -> dict[str, list[dict[str, float]]]:
    found: dict[str, list[dict[str, float]]] = {}
    for number in range(rounds):
        for name, python, arguments in jobs(suite, url, pythons):
            is_slow = name in pythons or suite in ("memory", "paced-256")
            if (is_slow and number >= slow_rounds) or found.get(name) == []:
                continue
            measured = measure(python, arguments)
            found.setdefault(name, []).extend([measured] if measured else [])
    return found


def jobs(suite: str, url: str, pythons: dict[str, str]) -> list[tuple[str, str, list[str]]]:
    """(name, interpreter, arguments of measure.py) of each client."""
    if suite == "import":
        peers = {name: f"import {CLIENTS[name].modules}" for name in ("urllib3", *pythons)}
        codes = {**IMPORTS, **peers}
        return [(name, pythons.get(name, sys.executable), ["code", code, url]) for name, code in codes.items()]
    names = [FLOOR, OURS]
    if suite.endswith("-10000"):
        names = ["json.loads", FLOOR, OURS, f"{FLOOR}, Anthropic", f"{OURS}, Anthropic"]
    elif suite.startswith("paced"):
        names = ["raw socket", FLOOR, OURS]
        pythons = {name: python for name, python in pythons.items() if CLIENTS[name].times_events}
    work = [(name, sys.executable, ["parse" if name == "json.loads" else suite, name, url]) for name in names]
    return work + [(name, python, [suite, name, url]) for name, python in pythons.items()]


def measure(python: str, arguments: list[str]) -> dict[str, float] | None:
    """The figures of one process; None, with a message, if it failed."""
    environment = {key: value for key, value in os.environ.items() if not key.lower().endswith("_proxy")}
    environment["OPENAI_API_KEY"] = "sk-not-a-key"
    if python != sys.executable:
        environment.pop("PYTHONPATH", None)
    else:
        environment["PYTHONPATH"] = str(HERE.parent)
    command = [*pinned(1), python, str(HERE / "measure.py"), *arguments]
    try:
        done = subprocess.run(command, capture_output=True, text=True, env=environment, timeout=300, check=False)
    except subprocess.TimeoutExpired:
        print(f"{arguments}: more than 300 s", file=sys.stderr)
        return None
    lines = [line for line in done.stdout.splitlines() if line.startswith("{")]
    if not lines:
        print(f"{arguments}: {(done.stderr.strip().splitlines() or ['no output'])[-1]}", file=sys.stderr)
        return None
    measured: dict[str, float] = json.loads(lines[-1])
    return measured


def pinned(cpu: int) -> list[str]:
    """The command that pins a process to one core, so that server and client do not share it; empty without `taskset`."""
    has_two = (os.cpu_count() or 1) > 1 and Path("/usr/bin/taskset").exists()
    return ["/usr/bin/taskset", "-c", str(cpu)] if has_two else []


def median(found: list[dict[str, float]], key: str) -> float | None:
    values = [measured[key] for measured in found if key in measured]
    return statistics.median(values) if values else None


def ratio(found: list[dict[str, float]], floor: list[dict[str, float]], key: str) -> float | None:
    """The median of the ratios, each of two figures of the same round."""
    pairs = [(a[key], b[key]) for a, b in zip(found, floor, strict=False) if key in a and b.get(key)]
    return statistics.median(a / b for a, b in pairs) if pairs else None


def table(suite: str, results: dict[str, list[dict[str, float]]]) -> str:
    title, key = SUITES[suite]
    floors = [name for name in ("json + dataclasses", "json.loads", "raw socket", FLOOR) if name in results]
    columns = sorted({column for found in results.values() for measured in found for column in measured})
    columns.sort(key=lambda column: column != key)
    lines = [f"\n### {title}\n"]
    lines.append("| " + " | ".join(["", *columns, *(f"× {floor}" for floor in floors)]) + " |")
    lines.append("|" + "---|" * (1 + len(columns) + len(floors)))
    for name, found in sorted(results.items(), key=lambda item: median(item[1], key) or 0.0):
        cells = [shown(median(found, column)) for column in columns]
        # A client is compared with the baseline in the same wire format.
        own = {FLOOR: results.get(f"{FLOOR}, Anthropic", []) if name.lower().endswith("anthropic") else []}
        cells += [shown(ratio(found, own.get(floor) or results[floor], key)) for floor in floors]
        lines.append("| " + " | ".join([name, *cells]) + " |")
    return "\n".join(lines)


def shown(value: float | None) -> str:
    if value is None:
        return ""
    return f"{value:,.0f}" if abs(value) >= 100 or value == int(value) else f"{value:.3g}"


if __name__ == "__main__":
    main()
