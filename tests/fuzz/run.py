"""Runs the fuzz targets, each for a bounded time in a process of its own, and prints what was found.

    pip install 'ailib-sync[fuzz]'
    python -m tests.fuzz.run --seconds 300 --jobs 2

A find is printed as the wire bytes that led to it, made as short as a minute of trying allows: put it into
`test_regressions.py` with the correction. The process ends with 1 where there was one.
"""

from __future__ import annotations

import argparse
import re
import subprocess
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from time import monotonic


def fuzz(name: str, arguments: list[str]) -> None:
    """Runs one target in this process; atheris ends it."""
    import atheris

    with atheris.instrument_imports(include=["ailib_sync"]):
        import ailib_sync.http.connections  # noqa: F401  loaded here so that it is instrumented
        from tests.fuzz.targets import TARGETS
    target = TARGETS[name]

    def one(data: bytes) -> None:
        wire = target.make(data)
        try:
            target.check(wire)
        except BaseException:
            print(f"WIRE {wire!r}", flush=True)
            raise

    atheris.Setup([sys.argv[0], *arguments], one)
    atheris.Fuzz()


def run(name: str, seconds: int, corpus: Path) -> tuple[str, str, bool]:
    """One target in a process of its own: (name, a line of figures, whether anything was found)."""
    from tests.fuzz.targets import TARGETS
    from tests.properties.mutate import WORDS

    folder = corpus / name
    folder.mkdir(parents=True, exist_ok=True)
    for number, seed in enumerate(TARGETS[name].seeds()):
        (folder / f"seed-{number}").write_bytes(seed)
    words = corpus / "words.txt"
    words.write_text("".join(f'"{word}"\n' for word in WORDS if re.fullmatch(r"[\w.: -]+", word, re.ASCII)), encoding="ascii")
    started = monotonic()
    done = subprocess.run(
        [
            *(sys.executable, "-m", "tests.fuzz.run", "--target", name, str(folder), f"-dict={words}"),
            *(f"-max_total_time={seconds}", "-max_len=4096", "-timeout=20", "-rss_limit_mb=2048", "-print_final_stats=1"),
            f"-artifact_prefix={folder}/crash-",
        ],
        capture_output=True,
        text=True,
        check=False,
    )
    took = monotonic() - started
    runs = re.search(r"number_of_executed_units:\s*(\d+)", done.stderr)
    line = f"{name:20} {took:6.0f} s {int(runs[1]) if runs else 0:>12,} runs"
    found = done.returncode != 0
    if found:
        last = [text for text in done.stdout.splitlines() if text.startswith(("WIRE", " ", "Assert"))][-25:]
        line += "\n" + "\n".join(last) + "\n" + "\n".join(done.stderr.splitlines()[-8:])
    return name, line, found


def main() -> int:
    from tests.fuzz.targets import TARGETS

    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("targets", nargs="*", help=f"of {', '.join(TARGETS)}; all where none is named")
    parser.add_argument("--seconds", type=int, default=300, help="for each target")
    parser.add_argument("--jobs", type=int, default=1, help="targets at a time")
    parser.add_argument("--corpus", type=Path, help="a folder that keeps what was learnt; a passing one where none is named")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as passing, ThreadPoolExecutor(options.jobs) as pool:
        corpus = options.corpus or Path(passing)
        failed = []
        for name, line, found in pool.map(lambda name: run(name, options.seconds, corpus), options.targets or TARGETS):
            print(line, flush=True)
            failed += [name] * found
    print(f"{len(failed)} of the targets found something: {', '.join(failed)}" if failed else "nothing was found")
    return 1 if failed else 0


if __name__ == "__main__":
    if sys.argv[1:2] == ["--target"]:
        fuzz(sys.argv[2], sys.argv[3:])
    else:
        sys.exit(main())
