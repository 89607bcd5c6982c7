"""A cancelled call ends within 100 ms whatever it waits for, and leaves no socket, thread or limiter slot."""

from __future__ import annotations

import gc
import os
import signal
import subprocess
import sys
import textwrap
import threading
from time import monotonic, sleep

import pytest

from ailib_sync import AiClient, Cancelled, CancelToken, Limiter, RetryPolicy, StreamConsumed

from . import wire
from .interrupts import INTERRUPTIBLE
from .local_server import LocalServer
from .time_limits import scaled

PROMPT = 0.1  # the promised time in seconds from cancel() to the exception
SLACK = 0.15  # for the thread that cancels


def client_of(server, **options):
    return AiClient("openai/gpt-4o", base_url=server.url, api_key="k", **options)


def chat_of(server, **options):
    return client_of(server, **options).chat().user("Hello")


@pytest.fixture(autouse=True, scope="module")
def _loaded():
    """What the first call of a process loads does not count as waiting."""
    import ailib_sync.pipeline.call
    from ailib_sync.http import bodies, exceptions, pools

    assert bodies, pools
    assert exceptions
    assert ailib_sync.pipeline.call


def cancelled_when(waits, cancel, call):
    """Runs `call`, and `cancel` from another thread a little after `waits()`. The exception, which must come promptly."""
    at = []

    def later():
        until = monotonic() + scaled(5)
        while not waits() and monotonic() < until:
            sleep(0.005)
        sleep(scaled(0.1))  # the call begins to wait
        at.append(monotonic())
        cancel()

    thread = threading.Thread(target=later)
    thread.start()
    with pytest.raises(Cancelled) as caught:
        call()
    late = monotonic() - at[0]
    thread.join()
    assert late < scaled(PROMPT + SLACK)
    return caught.value


def silent(peer, request):
    peer.wait()


def head_then_silence(peer, request):
    peer.send(wire.SSE_HEAD if request.streams else wire.JSON_CHUNKED_HEAD)
    peer.wait()


def half_then_silence(peer, request):
    peer.send(wire.SSE_HEAD)
    for block in wire.deltas(wire.TEXTS[:3]):
        peer.send(wire.chunk(block))
    peer.wait()


def overloaded(peer, request):
    peer.send(wire.reply(503, wire.error_body(), {"Retry-After": "30"}))
    return True


@pytest.mark.parametrize("send", ["execute", "stream"])
@pytest.mark.parametrize("play", [silent, head_then_silence, overloaded], ids=["headers", "body", "between retries"])
def test_a_token_cancels_a_call_that_waits(play, send):
    with LocalServer(play) as server:
        token = CancelToken()
        error = cancelled_when(
            lambda: server.requests, token.cancel, lambda: getattr(chat_of(server), send)(cancel=token)
        )  # fmt: skip
        assert error.standard_code == "E4002"
        assert not error.retryable
        assert len(server.requests) == 1
        assert play is overloaded or server.saw_close(1)


def test_a_token_cancels_while_connecting():
    with LocalServer(silent, backlog=0) as server:
        token = CancelToken()
        cancelled_when(lambda: True, token.cancel, lambda: chat_of(server).execute(cancel=token))


def test_a_token_cancels_a_tls_handshake():
    with LocalServer(silent, greet=lambda peer: peer.wait()) as server:  # never answers the TLS hello
        client = AiClient("openai/gpt-4o", base_url=server.url.replace("http:", "https:"), api_key="k")
        token = CancelToken()
        cancelled_when(lambda: True, token.cancel, lambda: client.chat().user("Hello").execute(cancel=token))


def test_a_call_with_a_cancelled_token_sends_nothing():
    with LocalServer(wire.healthy) as server:
        token = CancelToken()
        token.cancel()
        with pytest.raises(Cancelled):
            chat_of(server).execute(cancel=token)
        assert not server.requests


def test_a_token_cancels_all_its_calls_and_no_others():
    with LocalServer(half_then_silence) as server:
        client = client_of(server)
        token = CancelToken()
        doomed = [client.chat().user("Hello").stream(cancel=token) for _ in range(3)]
        other = client.chat().user("Hello").stream(cancel=CancelToken())
        seen = []
        threads = [threading.Thread(target=lambda s=s: seen.append(_end_of(s))) for s in doomed]
        for thread in threads:
            thread.start()
        sleep(scaled(0.1))
        token.cancel()
        for thread in threads:
            thread.join(scaled(2))
        assert [type(error) for error in seen] == [Cancelled] * 3
        assert next(other.text()) == wire.TEXTS[0]
        other.close()


def _end_of(stream):
    try:
        for _ in stream:
            pass
    except Exception as error:
        return error
    return None


def test_cancelling_a_finished_call_affects_no_other():
    """The call of the token has ended; its socket is back in the pool, and the next call uses it."""
    with LocalServer(wire.healthy) as server:
        client = client_of(server)
        token = CancelToken()
        client.chat().user("Hello").execute(cancel=token)
        server.play = half_then_silence
        stream = client.chat().user("Hello").stream()
        token.cancel()
        assert next(stream.text()) == wire.TEXTS[0]
        assert {request.connection for request in server.requests} == {1}
        stream.close()


@pytest.mark.parametrize("name", ["close", "cancel"])
def test_closing_from_another_thread_wakes_the_reader_with_what_has_arrived(name):
    with LocalServer(half_then_silence) as server:
        stream = chat_of(server).stream()
        texts = []

        def read():
            for text in stream.text():
                texts.append(text)

        error = cancelled_when(lambda: len(texts) == 3, getattr(stream, name), read)
        assert "".join(texts) == error.partial.content == wire.HALF
        assert server.saw_close(1)


def test_closing_from_another_thread_between_two_events_is_not_the_end_of_the_response():
    """The reader is busy at that moment: its loop must not end as if the response were complete."""
    with LocalServer(half_then_silence) as server:
        stream = chat_of(server).stream()
        loop = iter(stream)
        next(loop)
        thread = threading.Thread(target=stream.close)
        thread.start()
        thread.join()
        assert isinstance(_end_of(loop), Cancelled)


def test_reading_on_after_closing_is_an_error():
    with LocalServer(half_then_silence) as server:
        stream = chat_of(server).stream()
        next(stream.text())
        stream.close()
        stream.close()
        for read in (lambda: next(stream), lambda: list(stream), stream.collect):
            with pytest.raises(Cancelled):
                read()
        with pytest.raises(StreamConsumed):
            _ = stream.response
        assert stream.partial.content == wire.TEXTS[0]


def test_a_loop_can_be_continued_after_a_break():
    with LocalServer(wire.healthy) as server:
        stream = chat_of(server).stream()
        for text in stream.text():
            first = text
            break
        assert first + "".join(stream.text()) == wire.TEXT
        assert stream.response.content == wire.TEXT


def test_partial_does_not_consume_the_stream():
    with LocalServer(wire.healthy) as server:
        stream = chat_of(server).stream()
        seen = []
        for event in stream:
            if event.is_content_delta:
                seen.append(stream.partial.content)
        assert seen == ["".join(wire.TEXTS[:count]) for count in range(1, len(wire.TEXTS) + 1)]
        assert stream.response.content == wire.TEXT
        assert len(stream.response.message.blocks) == 1


def never_started(client):
    stream = client.chat().user("Hello").stream()
    del stream


def closed_unread(client):
    with client.chat().user("Hello").stream() as stream:
        pass
    assert stream.partial.content == ""


def dropped_in_the_loop(client):
    for _ in client.chat().user("Hello").stream():
        break


def raised_in_the_loop(client):
    def use():
        with client.chat().user("Hello").stream() as stream:
            for _ in stream:
                raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        use()


@pytest.mark.filterwarnings("error::ResourceWarning")
@pytest.mark.parametrize("abandon", [never_started, closed_unread, dropped_in_the_loop, raised_in_the_loop])
def test_an_abandoned_stream_closes_immediately_without_the_collector(abandon):
    with LocalServer(half_then_silence) as server:
        limiter = Limiter(max_in_flight=1)
        client = client_of(server, limiter=limiter)
        gc.disable()
        try:
            abandon(client)
            assert server.saw_close(1)
        finally:
            gc.enable()
        server.heal()
        # The only place in the limiter is free again, and the next call opens a connection of its own.
        assert client.chat().user("Hello").timeout(scaled(2)).execute().content == wire.TEXT
        assert server.requests[-1].connection == 2


def test_a_stream_read_to_its_end_returns_its_connection_to_the_pool():
    with LocalServer(wire.healthy) as server:
        client = client_of(server)
        for _ in range(3):
            assert client.chat().user("Hello").stream().collect().content == wire.TEXT
        assert {request.connection for request in server.requests} == {1}


def run(source, server, *, send_signal=None):
    """A script in an interpreter of its own, every warning an error: its output, its end, and seconds since the signal."""
    script = INTERRUPTIBLE + f"URL = {server.url!r}\n" + textwrap.dedent(source)
    process = subprocess.Popen(
        [sys.executable, "-X", "dev", "-W", "error", "-c", script],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        cwd=os.path.dirname(os.path.dirname(os.path.abspath(__file__))),
    )
    assert process.stdout is not None
    first = process.stdout.readline()
    seconds, at = scaled(10.0), monotonic()
    if send_signal is not None:
        while not server.requests and monotonic() < at + seconds:
            sleep(0.005)
        sleep(scaled(0.1))
        at = monotonic()
        process.send_signal(send_signal)
    out, err = process.communicate(timeout=seconds)
    return first + out, err, process.returncode, monotonic() - at


SIGNALLED = """
    import os, signal, sys
    from ailib_sync import AiClient
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(3))
    client = AiClient("openai/gpt-4o", base_url=URL, api_key="k")
    chat = client.chat().user("Hello")
    try:
        {call}
    except (KeyboardInterrupt, SystemExit) as error:
        print(type(error).__name__)
    print(len([fd for fd in os.listdir("/proc/self/fd") if "socket" in os.path.realpath("/proc/self/fd/" + fd)]))
"""


@pytest.mark.slow
@pytest.mark.skipif(not os.path.isdir("/proc/self/fd"), reason="counts sockets in /proc")
@pytest.mark.parametrize(
    ("number", "kind"), [(signal.SIGINT, "KeyboardInterrupt"), (signal.SIGTERM, "SystemExit")], ids=["ctrl-c", "exit"]
)
@pytest.mark.parametrize(
    ("play", "call"),
    [
        (silent, "print('waits', flush=True); chat.execute()"),
        (silent, "print('waits', flush=True); chat.stream()"),
        (half_then_silence, "[print(event, flush=True) for event in chat.stream()]"),
        (overloaded, "print('waits', flush=True); chat.execute()"),
    ],
    ids=["plain", "headers", "stream", "between retries"],
)
def test_an_interrupt_is_raised_unchanged_and_leaves_no_socket(play, call, number, kind):
    with LocalServer(play) as server:
        out, err, code, seconds = run(SIGNALLED.format(call=call), server, send_signal=number)
        assert err == ""
        assert out.split()[-2:] == [kind, "0"] if play is not overloaded else out.split()[-2] == kind
        assert code == 0
        assert seconds < scaled(1.0)
        assert len(server.requests) == 1


@pytest.mark.slow
@pytest.mark.parametrize(
    "call",
    ["stream = chat.stream(); next(stream)", "stream = chat.stream()", "iterator = iter(chat.stream()); next(iterator)"],
    ids=["half read", "unread", "iterator"],
)
def test_the_interpreter_exits_without_output_while_a_stream_is_open(call):
    source = """
        from ailib_sync import AiClient
        chat = AiClient("openai/gpt-4o", base_url=URL, api_key="k").chat().user("Hello")
        CALL
        print("ends", flush=True)
    """.replace("CALL", call)
    with LocalServer(half_then_silence) as server:
        out, err, code, seconds = run(source, server)
        assert (out, err, code) == ("ends\n", "", 0)
        assert seconds < scaled(1.5)


def test_there_is_no_retry_after_the_hook_cancelled_the_call():
    with LocalServer(overloaded) as server:
        token = CancelToken()
        chat = chat_of(server, retry=RetryPolicy(max_retries=3), on_retry=lambda error, attempt, wait: token.cancel())
        with pytest.raises(Cancelled):
            chat.execute(cancel=token)
        assert len(server.requests) == 1
