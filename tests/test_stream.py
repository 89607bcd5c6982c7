"""`ChatStream`: read once, asked at the right time, its figures, and what is left when it breaks."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from contextlib import suppress

import pytest

from ailib_sync import Cancelled, ChatStream, ConfigurationError, ContentDelta, StreamConsumed, StreamInterrupted
from ailib_sync.testing import FakeProvider

from .scripted import chat_stream, client
from .time_limits import scaled


def opened(*texts: str, **options: str) -> ChatStream:
    ai, _ = client("openai/gpt-4o", chat_stream(*texts, **options))
    return ai.chat().user("x").stream()


def test_what_is_known_before_the_end() -> None:
    stream = opened("Hel", "lo")
    assert (stream.ended, stream.provider, stream.request_id, stream.warnings) == (False, "openai", "req_1", [])
    assert repr(stream) == "ChatStream(openai/gpt-4o, open)"
    for question in (lambda: stream.response, lambda: stream.stats):
        with pytest.raises(StreamConsumed, match="the stream has not ended"):
            question()
    next(stream)
    first = next(event for event in stream if event.is_content_delta)
    assert stream.partial.content.startswith(first.as_content_delta.text)
    stream.close()


def test_after_the_end_the_complete_is_there_and_nothing_more_to_read() -> None:
    stream = opened("Hel", "lo")
    assert stream.collect().content == "Hello"
    assert (stream.ended, repr(stream)) == (True, "ChatStream(openai/gpt-4o, ended)")
    response = stream.response
    assert (response.finish_reason, response.provider, response.request_id) == ("end_turn", "openai", "req_1")
    assert (stream.stats.model, stream.stats.completion_tokens, len(stream.stats.attempts)) == ("m-1", 2, 1)
    assert stream.stats.time_to_first_token_ms is not None
    assert stream.stats.time_to_first_token_ms <= stream.stats.latency_ms
    with pytest.raises(StreamConsumed, match=r"its response is in stream\.response") as caught:
        iter(stream)
    assert isinstance(caught.value, ConfigurationError)
    with pytest.raises(StreamConsumed):
        next(stream.text())
    stream.close()
    assert stream.response.content == "Hello"


def test_figures_stand_still_after_the_end() -> None:
    stream = opened("Hi")
    stream.collect()
    assert stream.stats.latency_ms == stream.stats.latency_ms


def test_two_ways_of_reading_share_one_stream() -> None:
    """`next` and `for` go on where the other left, and `collect` gives the whole."""
    stream = opened("a", "b", "c", "d")
    seen = [next(event for event in stream if event.is_content_delta)]
    for event in stream:
        if event.is_content_delta:
            seen.append(event)
            break
    assert seen == [ContentDelta("a"), ContentDelta("b")]
    assert stream.collect().content == "abcd"


def test_next_ends_as_iterators_do() -> None:
    stream = opened("a")
    events = []
    while True:
        try:
            events.append(next(stream))
        except StopIteration:
            break
    assert [event.is_stream_end for event in events].count(True) == 1
    assert events[-1].is_stream_end


def test_metadata_before_the_first_word_is_not_lost() -> None:
    stream = opened("a")
    kinds = [type(event).__name__ for event in stream]
    assert kinds[0] == "Metadata"
    assert kinds[-1] == "StreamEnd"
    assert stream.response.id == "chatcmpl-1"


def test_what_breaks_keeps_what_arrived() -> None:
    with FakeProvider("openai") as fake:
        fake.fault("reset_mid_stream", after=4, text="one two three four five")
        stream = fake.client("gpt-4o", retry=0).chat().user("x").stream()
        told = []
        with pytest.raises(StreamInterrupted, match="openai: the stream") as caught:
            told.extend(stream.text())
        assert caught.value.partial is not None
        assert caught.value.partial.content.startswith("one")
        assert (caught.value.provider, caught.value.model) == ("openai", "gpt-4o")
        assert (stream.ended, stream.partial.content) == (False, caught.value.partial.content)


def test_a_stream_has_one_reader() -> None:
    with FakeProvider("openai") as fake:
        fake.delay(between_events=scaled(0.3))
        stream = fake.client("gpt-4o").chat().user("x").stream()
        thread = threading.Thread(target=lambda: suppressed(stream.collect))
        thread.start()
        deadline = time.monotonic() + scaled(5)
        while not stream.partial.content and time.monotonic() < deadline:
            time.sleep(0.01)
        with pytest.raises(RuntimeError, match="another thread is reading this stream"):
            next(stream)  # the other waits for the next event
        stream.close()
        thread.join(scaled(10))
        assert not thread.is_alive()


def suppressed(read: Callable[[], object]) -> None:
    with suppress(Cancelled):
        read()
