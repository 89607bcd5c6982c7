"""A service may repeat the key of a request in its error response. No part of it reaches the exception."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from ailib_sync import AiClient
from ailib_sync.errors import AiLibError

from .. import wire
from ..local_server import LocalServer, Play, replies
from .exposure import KEY, caught, no_part_shows

#: An error's message is cut to about 2000 characters: these end before the cut, across it, and after it.
LENGTHS = [0, 1940, 1960, 1975, 1990, 2100]


def error_of(play: Play, stream: bool) -> BaseException:
    with LocalServer(play) as server:
        client = AiClient("openai/m-1", api_key=lambda: KEY, base_url=server.url, retry=0)
        chat = client.chat().user("Hello")
        error = caught(lambda: chat.stream().collect() if stream else chat.execute())
        client.close()
        assert KEY.encode() in server.requests[0].raw  # it was sent, so it could have been shown
    assert isinstance(error, AiLibError), repr(error)
    return error


def in_message(length: int) -> dict[str, Any]:
    return wire.error_body("x" * length + f" {KEY} is not valid")


#: Error bodies that contain the key.
BODIES: dict[str, bytes | str | dict[str, Any]] = {
    **{f"message after {length}": in_message(length) for length in LENGTHS},
    "type": wire.error_body("no", type=KEY),
    "code": wire.error_body("no", code=KEY),
    "message that is a string": {"error": f"Bearer {KEY}"},
    "detail": {"detail": f"the key {KEY} is not valid"},
    "html": f"<html><body>Authorization: Bearer {KEY}</body></html>",
    "plain text": f"{KEY} is not valid",
    "not json": '{"error": {"message": "' + KEY,
}


@pytest.mark.parametrize("stream", [False, True], ids=["complete", "stream"])
@pytest.mark.parametrize("name", BODIES)
def test_a_key_in_an_error_body_is_not_in_the_exception(name: str, stream: bool) -> None:
    error: Any = error_of(replies(wire.reply(401, BODIES[name], close=True)), stream)
    no_part_shows(error, KEY)
    assert "<redacted>" in error.body  # the rest of the body is kept


@pytest.mark.parametrize("status", [400, 429])
def test_a_key_as_the_request_id_is_not_in_the_exception(status: int) -> None:
    no_part_shows(error_of(replies(wire.reply(status, wire.error_body(), {"x-request-id": KEY}, close=True)), False), KEY)


def event(error: dict[str, Any]) -> bytes:
    return wire.reply(200, wire.event(error), {"Content-Type": "text/event-stream"}, close=True)


@pytest.mark.parametrize("send", [lambda body: wire.reply(200, body, close=True), event], ids=["body", "event"])
@pytest.mark.parametrize("length", [0, 1940, 2100])
def test_a_key_in_an_error_with_status_200_is_not_in_the_exception(
    length: int, send: Callable[[dict[str, Any]], bytes]
) -> None:
    no_part_shows(error_of(replies(send(in_message(length))), send is event), KEY)


def test_the_parts_of_a_key_are_found() -> None:
    with pytest.raises(AssertionError):
        no_part_shows(AiLibError(f"the key begins with {KEY[:12]}"), KEY)
