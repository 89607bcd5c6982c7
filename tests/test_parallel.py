"""Many chats at the same time: the order of results, independent errors, and a fast and clean end."""

from __future__ import annotations

import itertools
import os
import signal
import subprocess
import sys
import textwrap
import threading
from time import monotonic, sleep

import pytest

from ailib_sync import AiClient, ConfigurationError, ConnectError, InvalidRequest, RetryPolicy
from ailib_sync.parallel import as_completed, run_all

from . import wire
from .interrupts import INTERRUPTIBLE
from .local_server import LocalServer
from .time_limits import scaled


def play(peer, request):
    """Echoes the prompt; `bad` is an error, `slow` takes 150 ms, `forever` never ends."""
    if "bad" in request.prompt:
        peer.send(wire.reply(400, wire.error_body("bad prompt")))
        return True
    if "slow" in request.prompt:
        sleep(scaled(0.15))
    if "forever" in request.prompt:
        peer.wait()
        return False
    return wire.healthy(peer, request)


@pytest.fixture
def server():
    with LocalServer(play) as server:
        yield server


@pytest.fixture
def ask(server):
    client = AiClient("openai/gpt-4o", base_url=server.url, api_key="k")
    return lambda prompt: client.chat().user(f"echo {prompt}")


def test_results_are_in_the_order_of_the_chats(ask):
    prompts = ["slow 0", *(str(number) for number in range(1, 40))]
    results = run_all(map(ask, prompts), max_workers=6)
    assert [result.content for result in results] == [f"echo {prompt}" for prompt in prompts]
    assert [result.index for result in results] == list(range(40))
    assert all(result.stats.total_tokens == 8 for result in results)


def test_one_error_does_not_affect_the_others(ask):
    results = run_all([ask("1"), ask("bad"), ask("3")])
    assert [type(result.error) for result in results] == [type(None), InvalidRequest, type(None)]
    assert (results[0].content, results[2].content) == ("echo 1", "echo 3")
    assert results[1].response is None
    with pytest.raises(InvalidRequest):
        _ = results[1].content


def test_raise_raises_the_first_error_and_cancels_the_rest(ask, server):
    started = monotonic()
    with pytest.raises(InvalidRequest):
        run_all([ask("forever"), ask("bad"), *(ask(f"slow {n}") for n in range(30))], max_workers=2, on_error="raise")
    assert monotonic() - started < scaled(1.0)
    assert len(server.requests) < 8


def test_as_completed_yields_results_as_they_are_complete(ask):
    seen = [result.index for result in as_completed([ask("slow"), ask("1"), ask("2")], max_workers=3)]
    assert seen[-1] == 0
    assert sorted(seen) == [0, 1, 2]


def test_chats_are_read_as_workers_become_free_and_leaving_the_loop_cancels_the_rest(ask, server):
    counter = itertools.count()
    chats = (ask(str(next(counter))) for _ in itertools.count())
    for number, _ in enumerate(as_completed(chats, max_workers=4)):
        if number == 20:
            break
    assert 21 <= next(counter) <= 21 + 8


def test_leaving_the_loop_closes_the_connections(ask, server):
    results = as_completed([ask("1"), ask("forever"), ask("forever")], max_workers=3)
    assert next(results).content == "echo 1"
    results.close()
    waiting = {request.connection for request in server.requests if "forever" in request.prompt}
    assert all(server.saw_close(connection) for connection in waiting)


def test_it_works_from_any_thread(ask):
    found = []
    thread = threading.Thread(target=lambda: found.extend(run_all([ask("1"), ask("2")])))
    thread.start()
    thread.join(scaled(10))
    assert [result.content for result in found] == ["echo 1", "echo 2"]


def test_no_chats_give_no_results():
    assert run_all([]) == []


@pytest.mark.parametrize("options", [{"max_workers": 0}, {"max_workers": True}, {"on_error": "ignore"}], ids=str)
def test_invalid_options_are_errors(ask, options):
    with pytest.raises(ConfigurationError, match=next(iter(options))):
        run_all([ask("1")], **options)


def test_ctrl_c_is_raised_within_a_second_and_starts_no_calls(server):
    source = f"""
        import os
        from ailib_sync import AiClient
        from ailib_sync.parallel import run_all
        client = AiClient("openai/gpt-4o", base_url={server.url!r}, api_key="k")
        try:
            run_all((client.chat().user("echo forever") for _ in range(100)), max_workers=8)
        except KeyboardInterrupt:
            print("interrupted")
        print(len([fd for fd in os.listdir("/proc/self/fd") if "socket" in os.path.realpath("/proc/self/fd/" + fd)]))
    """
    process = subprocess.Popen(
        [sys.executable, "-X", "dev", "-W", "error", "-c", INTERRUPTIBLE + textwrap.dedent(source)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        cwd=os.path.dirname(os.path.dirname(os.path.abspath(__file__))),
    )
    until = monotonic() + scaled(10)
    while len(server.requests) < 8 and monotonic() < until:
        sleep(0.01)
    at = monotonic()
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=scaled(10))
    assert (out.split(), err, process.returncode) == (["interrupted", "0"], "", 0)
    assert monotonic() - at < scaled(1.0)
    assert len(server.requests) == 8


def test_an_exception_of_the_callers_function_is_the_error_of_its_result(ask, server):
    def hook(error, attempt, wait):
        raise ValueError("a mistake in the hook")  # is a note of the call's own error

    def broken_key():
        raise RuntimeError("the vault is sealed")

    hooked = AiClient("openai/gpt-4o", api_key="k", base_url="http://127.0.0.1:9/v1", on_retry=hook, retry=RetryPolicy(1, 0.0))
    sealed = AiClient("openai/gpt-4o", api_key=broken_key, base_url=server.url)
    results = run_all([ask("1"), hooked.chat().user("x"), sealed.chat().user("x"), "not a chat", ask("2")], max_workers=2)
    kinds = [type(result.error) for result in results]
    assert kinds == [type(None), ConnectError, RuntimeError, ConfigurationError, type(None)]
    assert "chats[3] must be a chat" in str(results[3].error)


@pytest.mark.parametrize("where", ["hook", "key"])
@pytest.mark.parametrize("kind", [KeyboardInterrupt, SystemExit])
def test_a_function_of_the_caller_can_end_the_program(ask, kind, where):
    """In whichever thread it runs; the calls that run are cancelled."""

    def ends(*_: object) -> str:
        finished.wait(scaled(10))
        raise kind("the end")

    def chats():
        yield ask("1")
        yield from [client.chat().user("x"), ask("forever")]
        sleep(scaled(0.3))
        finished.set()

    finished = threading.Event()
    options = {"api_key": "k", "on_retry": ends} if where == "hook" else {"api_key": ends}
    client = AiClient("openai/gpt-4o", base_url="http://127.0.0.1:9/v1", retry=RetryPolicy(1, 0.0), **options)
    started = monotonic()
    with pytest.raises(kind, match="the end") as caught:
        run_all(chats(), max_workers=4)
    assert monotonic() - started < scaled(5)
    assert [result.content for result in caught.value.results] == ["echo 1"]


def test_an_exception_of_the_iterable_is_raised_with_everything_that_was_finished(ask):
    def chats():
        yield ask("1")
        yield ask("slow 2")
        raise LookupError("no more rows")

    with pytest.raises(LookupError) as caught:
        run_all(chats(), max_workers=4)
    assert [result.content for result in caught.value.results] == ["echo 1", "echo slow 2"]
    results = as_completed(chats(), max_workers=4)
    assert sorted(result.index for result in itertools.islice(results, 2)) == [0, 1]
    with pytest.raises(LookupError):
        next(results)


def test_the_first_error_is_raised_with_the_results_before_it(ask):
    with pytest.raises(InvalidRequest) as caught:
        run_all([ask("1"), ask("bad")], max_workers=1, on_error="raise")
    assert [result.index for result in caught.value.results] == [0, 1]


def test_ctrl_c_carries_the_finished_results(ask):
    def chats():
        yield ask("1")
        yield ask("2")
        yield ask("forever")
        sleep(scaled(0.3))
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt) as caught:
        run_all(chats(), max_workers=4)
    assert [result.content for result in caught.value.results] == ["echo 1", "echo 2"]


def test_chats_run_in_the_callers_thread_where_none_can_be_started(ask, monkeypatch):
    start = threading.Thread.start

    def no_more(thread):
        if thread.name.startswith("ailib_sync"):
            raise RuntimeError("can't start new thread")
        start(thread)

    monkeypatch.setattr(threading.Thread, "start", no_more)
    assert [result.content for result in run_all([ask("1"), ask("2")])] == ["echo 1", "echo 2"]
