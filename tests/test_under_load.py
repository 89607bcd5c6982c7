"""The long runs of tests/heavy, each for a second or two: threads, forks, loops, processes, faults at random."""

from __future__ import annotations

import os
import pickle
import signal
import subprocess
import sys
from importlib import import_module
from importlib.util import find_spec

import pytest

from ailib_sync import AiClient, CircuitBreaker, ConfigurationError, Limiter

from .heavy import forks, loops, soak, threads
from .heavy.ground import ROOT, serving
from .time_limits import scaled

FORKS = pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork here")
FORK_WARNING = pytest.mark.filterwarnings("ignore:.*multi-threaded.*fork:DeprecationWarning")


@pytest.fixture(scope="module")
def url():
    with serving() as url:
        yield url


def test_threads_on_one_client_get_their_own_responses(url):
    assert threads.crossed(url, 32, 640) == []


@FORKS
@FORK_WARNING
def test_forked_children_of_a_warm_parent_get_their_own_responses(url):
    client = forks.warmed(url)
    assert sum(forks.burst(client, 4, 24) for _ in range(8)) == 0
    client.close()


@FORKS
@FORK_WARNING
def test_streams_open_at_a_fork_end_well_in_the_parent(url):
    client = forks.warmed(url)
    assert forks.stream_survives(client)
    client.close()


def test_calls_work_in_the_thread_of_a_running_loop_and_in_its_threads(url):
    loops.in_asyncio(url, 20)


def test_builders_travel_to_a_process_pool(url):
    loops.in_processes(url, 6)


@pytest.mark.skipif(find_spec("gevent") is None, reason="gevent is not installed")
def test_greenlets_wait_together():
    command = [sys.executable, "-m", "tests.heavy.loops", "gevent"]
    found = subprocess.run(command, capture_output=True, text=True, timeout=scaled(60))
    assert (found.returncode, found.stderr) == (0, "")


def test_faults_at_random_leave_nothing_behind():
    before, after, kept = soak.soak(400, 160, 8, seed=7)
    assert after.sockets <= before.sockets + 2
    assert after.threads <= before.threads
    assert kept < 2**20


@pytest.mark.slow
@pytest.mark.skipif(not hasattr(signal, "setitimer"), reason="needs timer signals")
def test_interrupts_at_any_moment_are_raised_as_they_are_and_leave_nothing_behind():
    """In a process of its own: signal handlers run in the main thread, and here it is pytest's."""
    command = [sys.executable, "-m", "tests.heavy.interrupts", "--hits", "400"]
    found = subprocess.run(command, capture_output=True, text=True, timeout=scaled(100), cwd=ROOT)
    assert (found.returncode, found.stderr) == (0, ""), found.stdout
    assert "0 hangs, 0 leaked slots" in found.stdout


def test_the_wsgi_application_responds_complete_and_in_fragments(monkeypatch):
    monkeypatch.syspath_prepend(str(ROOT / "examples"))
    app = import_module("wsgi_app").app
    heads = []
    for path in ("/", "/stream"):
        answer = app({"PATH_INFO": path, "QUERY_STRING": "q=Good%20day"}, lambda status, headers: heads.append(status))
        assert b"".join(answer).decode().endswith("You said: Good day")
    assert heads == ["200 OK", "200 OK"]


def test_a_client_and_its_builders_pickle_with_their_policies():
    client = AiClient(
        "openai/gpt-4o",
        api_key=loops.key,
        limiter=Limiter(max_in_flight=3),
        breaker=CircuitBreaker(failures=2),
        fallbacks=["anthropic/claude-x"],
    )
    again = pickle.loads(pickle.dumps(client.chat().user("Hello").temperature(0.5)))
    assert repr(again) == repr(client.chat().user("Hello").temperature(0.5))
    assert again.explain().body["temperature"] == 0.5
    assert repr(again._client.limiter) == "Limiter(max_in_flight=3)"
    assert again._client.breaker.failures == 2
    assert [str(fallback) for fallback in again._client._fallbacks] == ["AiClient('anthropic/claude-x')"]


@pytest.mark.parametrize("made", [lambda client: client, lambda client: client.chat().user("Hello")], ids=["client", "builder"])
def test_a_literal_key_never_travels(made):
    client = AiClient("openai/gpt-4o", api_key="sk-canary")
    with pytest.raises(ConfigurationError, match="cannot be pickled") as caught:
        pickle.dumps(made(client))
    assert "sk-canary" not in str(caught.value)


def test_a_key_of_the_environment_stays_there(monkeypatch):
    monkeypatch.setenv("OPENAI_API_KEY", "sk-canary")
    client = AiClient("openai/gpt-4o")
    client.chat().user("Hello").explain()
    assert b"sk-canary" not in pickle.dumps(client)
