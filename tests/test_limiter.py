"""The limiter's limits apply over all threads and clients, in order, and finalizers never wait for a lock."""

from __future__ import annotations

import gc
import os
import pickle
import threading
from contextlib import suppress
from time import monotonic, sleep

import pytest

from ailib_sync import (
    AiClient,
    Cancelled,
    CancelToken,
    ConfigurationError,
    ConnectionLost,
    InvalidRequest,
    Limiter,
    Overloaded,
    PoolTimeout,
    RetryPolicy,
    StreamInterrupted,
    Timeout,
)
from ailib_sync.http.timeouts import CallClock
from ailib_sync.pipeline import limiter as module

from . import wire
from .local_server import LocalServer, replies
from .time_limits import scaled

#: Seconds that a request may take from its start to the server.
DELAY = 0.1


@pytest.fixture
def minute(monkeypatch):
    """A minute of 0.4 seconds."""
    monkeypatch.setattr(module, "WINDOW_SECONDS", scaled(0.4))
    return scaled(0.4)


def clock(total=None, token=None):
    return CallClock(Timeout(total=scaled(5.0) if total is None else total), stream=False, token=token)


def client_of(server, limiter, **options):
    """A client whose calls end soon, so that a slot that is never released fails a test and does not stop it."""
    options = {"api_key": "k", "timeout": scaled(3), **options}
    return AiClient("openai/gpt-4o", base_url=server.url, limiter=limiter, **options)


def together(count, work):
    """`work(0)` … `work(count - 1)` in as many threads; their results."""
    results = [None] * count

    def run(number):
        results[number] = work(number)

    threads = [threading.Thread(target=run, args=(number,), daemon=True) for number in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(scaled(20))
    return results


def chat_of(client):
    return client.chat().user("Hello")


def complete(client, server):
    assert chat_of(client).execute().content == wire.TEXT


def read_to_the_end(client, server):
    assert chat_of(client).stream().collect().content == wire.TEXT


def closed_after_an_event(client, server):
    with chat_of(client).stream() as stream:
        next(stream)


def closed_unread(client, server):
    chat_of(client).stream().close()


def dropped(client, server):
    next(chat_of(client).stream())


def rejected(client, server):
    server.play = lambda peer, request: peer.send(wire.reply(400, wire.error_body(), close=True))
    for call in (chat_of(client).execute, chat_of(client).stream):
        with pytest.raises(InvalidRequest):
            call()


def retried(client, server):
    server.play = replies(wire.reply(503, wire.error_body()), wire.reply(200, wire.completion()), keep=True)
    assert chat_of(client).execute().content == wire.TEXT


def cut(client, server):
    server.play = lambda peer, request: peer.send(wire.SSE_HEAD + wire.chunk(wire.delta("One")))
    with pytest.raises(ConnectionLost):
        chat_of(client).execute()
    with pytest.raises(StreamInterrupted):
        chat_of(client).stream().collect()


def cancelled(client, server):
    token = CancelToken()
    stream = chat_of(client).stream(cancel=token)
    next(stream)
    token.cancel()
    with pytest.raises(Cancelled):
        stream.collect()


def interrupted(client, server):
    """By Ctrl-C, here while the key is looked up."""

    def key():
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        chat_of(client_of(server, client.limiter, api_key=key)).execute()


ENDS = [
    complete, read_to_the_end, closed_after_an_event, closed_unread, dropped, rejected, retried, cut, cancelled, interrupted
]  # fmt: skip


@pytest.mark.parametrize("end", ENDS, ids=lambda end: end.__name__)
def test_a_call_releases_its_slot_however_it_ends(end):
    """Fails immediately: a call that finds no slot raises PoolTimeout."""
    with LocalServer(wire.healthy) as server:
        client = client_of(server, Limiter(max_in_flight=1, max_wait=0.01), retry=RetryPolicy(1, base_delay=0.0))
        end(client, server)
        server.heal()
        complete(client, server)


class Gauge:
    """A healthy provider that counts how many requests are in flight at once."""

    def __init__(self, seconds):
        self.seconds = seconds
        self.now = self.most = 0
        self.begun = []
        self.lock = threading.Lock()

    def __call__(self, peer, request):
        with self.lock:
            self.begun.append(monotonic())
            self.now += 1
            self.most = max(self.most, self.now)
        sleep(self.seconds)
        with self.lock:
            self.now -= 1
        return wire.healthy(peer, request)


def test_no_more_requests_are_in_flight_than_allowed():
    gauge = Gauge(0.03)
    with LocalServer(gauge) as server:
        limiter = Limiter(max_in_flight=3)
        clients = [client_of(server, limiter), client_of(server, limiter)]

        def call(number):
            chat = clients[number % 2].chat().user(f"echo {number}")
            return (chat.execute() if number % 3 else chat.stream().collect()).content

        assert together(24, call) == [f"echo {number}" for number in range(24)]
        assert gauge.most == 3


@pytest.mark.slow
def test_no_more_requests_start_in_a_minute_than_allowed(minute):
    gauge = Gauge(0.0)
    with LocalServer(gauge) as server:
        client = client_of(server, Limiter(requests_per_minute=5))
        together(14, lambda number: client.chat().user("Hello").execute())
    begun = sorted(gauge.begun)
    # A request reaches the server a little after it started.
    assert all(begun[i + 5] - begun[i] > minute - scaled(DELAY) for i in range(len(begun) - 5))


@pytest.mark.slow
def test_a_retry_is_a_request_too(minute):
    gauge = []

    def play(peer, request):
        gauge.append(monotonic())
        peer.send(wire.reply(503, wire.error_body()))
        return True

    with LocalServer(play) as server, pytest.raises(Overloaded):
        client_of(server, Limiter(requests_per_minute=1), retry=RetryPolicy(base_delay=0.0)).chat().user("Hello").execute()
    first, second, third = gauge
    assert min(second - first, third - second) > minute - scaled(DELAY)


@pytest.mark.parametrize("stream", [False, True], ids=["plain", "stream"])
def test_used_tokens_delay_the_next_request(minute, stream):
    def play(peer, request):
        if request.streams:
            used = {"prompt_tokens": 3, "completion_tokens": 5, "total_tokens": 8}
            usage = wire.event({"id": "c1", "choices": [], "usage": used})
            return wire.stream(peer, [wire.delta("One"), wire.delta(None, "stop"), usage, wire.DONE])
        return wire.healthy(peer, request)

    with LocalServer(play) as server:
        client = client_of(server, Limiter(tokens_per_minute=16))
        chat = client.chat().user("Hello")
        call = (lambda: chat.stream().collect()) if stream else chat.execute
        started = monotonic()
        call()
        call()
        assert monotonic() - started < minute
        call()
        assert minute - scaled(DELAY) < monotonic() - started < minute + scaled(1.0)


def test_a_wait_that_cannot_end_in_time_fails_immediately():
    limiter = Limiter(requests_per_minute=1)
    limiter.acquire(clock()).release()
    started = monotonic()
    with pytest.raises(PoolTimeout, match=r"1 started .* the next may start in 60\.0 s \(requests_per_minute\)"):
        limiter.acquire(clock(total=30))
    assert monotonic() - started < scaled(0.1)


@pytest.mark.parametrize(("total", "most"), [(scaled(0.2), None), (30.0, scaled(0.2))], ids=["timeout.total", "max_wait"])
def test_a_slot_that_is_not_released_in_time_is_reported(total, most):
    limiter = Limiter(max_in_flight=1, max_wait=most)
    slot = limiter.acquire(clock())
    started = monotonic()
    with pytest.raises(PoolTimeout, match=r"1 requests are in flight \(max_in_flight\)"):
        limiter.acquire(clock(total=total))
    assert scaled(0.2) <= monotonic() - started < scaled(0.5)
    slot.release()
    limiter.acquire(clock()).release()


def test_a_limited_call_goes_to_its_fallback():
    with LocalServer(wire.healthy) as server:
        limiter = Limiter(max_in_flight=1, max_wait=0.05)
        fallback = AiClient("openai/gpt-4o", base_url=server.url, api_key="k")
        client = client_of(server, limiter, fallbacks=[fallback])
        with client.chat().user("Hello").stream():
            _, stats = client.chat().user("Hello").execute_with_stats()
        assert len(stats.attempts) == 2
        assert len(client.chat().user("Hello").execute_with_stats()[1].attempts) == 1


def test_a_waiting_call_can_be_cancelled():
    limiter = Limiter(max_in_flight=1)
    slot = limiter.acquire(clock())
    token = CancelToken()
    timer = threading.Timer(0.1, token.cancel)
    timer.start()
    started = monotonic()
    with pytest.raises(Cancelled):
        limiter.acquire(clock(token=token))
    assert monotonic() - started < 0.1 + scaled(0.15)
    timer.join()
    slot.release()
    limiter.acquire(clock()).release()


def waiting(limiter):
    """How many calls wait; those that have ended may stay in the queue for a while."""
    return sum(waiter is not None and not waiter.done for waiter in (entry() for entry in list(limiter._queue)))


def test_calls_start_in_the_order_in_which_they_came():
    limiter = Limiter(max_in_flight=1)
    slot = limiter.acquire(clock())
    order = []

    def work(number):
        mine = limiter.acquire(clock())
        order.append(number)
        mine.release()

    threads = []
    for number in range(8):
        threads.append(threading.Thread(target=work, args=(number,)))
        threads[-1].start()
        while waiting(limiter) <= number:
            sleep(0.001)
    slot.release()
    for thread in threads:
        thread.join(scaled(5))
    assert order == list(range(8))


def test_only_the_first_release_of_a_slot_counts():
    limiter = Limiter(max_in_flight=2)
    slot = limiter.acquire(clock())
    for _ in range(3):
        slot.release()
    held = [limiter.acquire(clock()), limiter.acquire(clock())]
    with pytest.raises(PoolTimeout):
        limiter.acquire(clock(total=0.05))
    assert held


def test_a_dropped_slot_is_released():
    """An interrupt can end a call between any two instructions. Its slot then goes with its frames."""
    limiter = Limiter(max_in_flight=1)
    limiter.acquire(clock())
    limiter.acquire(clock(total=0.05)).release()


def test_a_dropped_waiter_stops_nobody():
    limiter = Limiter(max_in_flight=1)
    limiter._queue.append(module.ref(module._Waiter()))
    limiter.acquire(clock(total=0.05)).release()


def test_the_tokens_of_the_last_minute_are_counted_exactly(minute):
    limiter = Limiter(tokens_per_minute=10)
    for tokens in (4, 5, 0):
        limiter.acquire(clock()).release(tokens)
    sleep(minute / 2)
    limiter.acquire(clock()).release(3)
    with pytest.raises(PoolTimeout, match="12 tokens"):
        limiter.acquire(clock(total=0.05))
    sleep(minute / 2)  # the first two are a minute old
    limiter.acquire(clock()).release(7)
    with pytest.raises(PoolTimeout, match="10 tokens"):
        limiter.acquire(clock(total=0.05))


def test_a_slot_can_be_released_while_the_same_thread_holds_the_lock():
    """As when the collector runs a dropped stream's finalizer inside `acquire`: with a lock it would wait for itself."""
    limiter = Limiter(max_in_flight=1)
    slot = limiter.acquire(clock())
    done = threading.Event()

    def work():
        with limiter._lock:
            slot.release()
        done.set()

    threading.Thread(target=work, daemon=True).start()
    assert done.wait(scaled(2))
    limiter.acquire(clock(total=scaled(1))).release()


# The collector finalizes a cycle's objects in any order: it may find the socket before the stream that would close it.
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning", "ignore::ResourceWarning")
def test_abandoned_streams_in_cycles_release_their_slots():
    """Many threads, one slot for two of them, and every stream is left to the cyclic collector, which runs at any point."""

    class Loop:
        pass

    def half(peer, request):
        peer.send(wire.SSE_HEAD + wire.chunk(wire.delta("One")))
        peer.wait()

    thresholds = gc.get_threshold()
    gc.set_threshold(50, 2, 2)
    try:
        with LocalServer(half) as server:
            client = client_of(server, Limiter(max_in_flight=4, max_wait=scaled(10)))

            def work(number):
                for _ in range(6):
                    stream = client.chat().user("Hello").stream()
                    next(stream)
                    loop = Loop()
                    loop.itself, loop.stream = loop, stream
                    del loop, stream
                    junk = [[] for _ in range(500)]  # something for the collector to count
                    for item in junk:
                        item.append(item)
                return "done"

            assert together(8, work) == ["done"] * 8
    finally:
        gc.set_threshold(*thresholds)


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork here")
@pytest.mark.filterwarnings("ignore:.*multi-threaded.*fork:DeprecationWarning")
def test_a_forked_child_has_all_its_slots_and_its_own_lock():
    limiter = Limiter(max_in_flight=1)
    slot = limiter.acquire(clock())
    limiter._lock.acquire()
    child = os.fork()
    if child == 0:
        code = 1
        with suppress(BaseException):
            limiter.acquire(clock(total=scaled(2))).release()
            code = 0
        os._exit(code)
    limiter._lock.release()
    assert os.waitpid(child, 0)[1] == 0
    with pytest.raises(PoolTimeout):
        limiter.acquire(clock(total=0.05))
    slot.release()


@pytest.mark.parametrize(
    "bounds",
    [
        {},
        {"max_wait": 3.0},
        {"max_in_flight": 0},
        {"max_in_flight": "3"},
        {"requests_per_minute": 1.5},
        {"tokens_per_minute": True},
    ],
    ids=str,
)
def test_invalid_limits_are_an_error(bounds):
    with pytest.raises(ConfigurationError, match="Limiter"):
        Limiter(**bounds)


def test_a_limiter_is_pickled_as_its_limits():
    limiter = Limiter(requests_per_minute=5, max_in_flight=1, max_wait=2.0)
    limiter.acquire(clock())
    again = pickle.loads(pickle.dumps(limiter))
    assert repr(again) == repr(limiter) == "Limiter(requests_per_minute=5, max_in_flight=1, max_wait=2.0)"
    again.acquire(clock(total=0.05)).release()
