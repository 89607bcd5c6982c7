"""What all tests share: time limits that fit the machine, and the marker `quick`.

`quick` is on every test, except those in SLOW, those marked `slow`, and Hypothesis's, which try many inputs. So a new file is
quick until somebody says otherwise. Where the quick tests take too long together, the end of the run says which ones.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, is_hypothesis_test, settings

from . import time_limits
from .sent_bodies import SentBodies, is_invalid_on_purpose
from .time_limits import scaled

TESTS = Path(__file__).parent
#: Folders and files of tests that wait, start processes, or try many random inputs.
SLOW: tuple[str, ...] = (
    "conformance/",
    "faults/",
    "fuzz/",
    "properties/",
    "security/test_bounds.py",
    "security/test_redaction_places.py",
    "security/test_tls.py",
    "servers/",
    "test_design_snippets.py",
    "test_desync.py",
    "test_early_response.py",
    "test_every_provider.py",
    "test_fastpath.py",
    "test_idle.py",
    "test_limiter.py",
    "test_packaging.py",
    "test_session_http.py",
    "test_under_load.py",
)
#: The promise of README.md: `pytest -m quick` takes less than this on an idle machine.
QUICK_SECONDS = 30.0

# Hypothesis limits each example to 200 ms, and so does its health check: too little for the first one on a busy machine.
settings.register_profile("tests", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("tests")


@pytest.hookimpl(tryfirst=True)  # before pytest-timeout reads its options
def pytest_configure(config: pytest.Config) -> None:
    config.pluginmanager.register(QuickTime())
    if time_limits.VARIABLE not in os.environ:
        workers = config.getoption("numprocesses", None) or 1
        crowded = max(workers / (os.cpu_count() or 1), 1.0)
        os.environ[time_limits.VARIABLE] = str(min(time_limits.FACTOR * crowded, time_limits.LARGEST))
    if config.getoption("timeout", 0) is None:
        config.option.timeout = scaled(float(config.getini("timeout")))


@pytest.fixture(scope="session")
def _sent_bodies() -> SentBodies:
    bodies = SentBodies()
    bodies.watch()
    return bodies


@pytest.fixture(autouse=True)
def _services_accept_what_is_rendered(request: pytest.FixtureRequest, _sent_bodies: SentBodies) -> Iterator[None]:
    if is_invalid_on_purpose(request.node.nodeid):
        yield
        return
    with _sent_bodies.during_test():
        yield


def pytest_report_header() -> str:
    return f"time limits: × {os.environ[time_limits.VARIABLE]} ({time_limits.VARIABLE})"


def pytest_ignore_collect(collection_path: Path, config: pytest.Config) -> bool | None:
    """With `-m quick`, the files that are all slow are not even imported."""
    return True if config.option.markexpr == "quick" and in_slow(collection_path) else None


@pytest.hookimpl(tryfirst=True)  # before `-m` selects
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if not is_slow(item):
            item.add_marker("quick")


def is_slow(item: pytest.Item) -> bool:
    random = is_hypothesis_test(getattr(item, "obj", None))
    return random or in_slow(item.path) or item.get_closest_marker("slow") is not None


def in_slow(path: Path) -> bool:
    return f"{path.relative_to(TESTS).as_posix()}/".startswith(SLOW)


class QuickTime:
    """Says at the end of a run when the quick tests take longer than they should, and which ones do."""

    def __init__(self) -> None:
        self.seconds: dict[str, float] = {}

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        if "quick" in report.keywords:
            self.seconds[report.nodeid] = self.seconds.get(report.nodeid, 0.0) + report.duration

    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> None:
        total, most = sum(self.seconds.values()), scaled(QUICK_SECONDS)
        if total > most:
            terminalreporter.section(f"quick tests took {total:.0f} s, not {most:.0f} s: mark the slowest `slow`")
            for name in sorted(self.seconds, key=self.seconds.__getitem__, reverse=True)[:10]:
                terminalreporter.line(f"{self.seconds[name]:6.2f} s  {name}")
