"""A WSGI application: `/?q=…` sends a complete response, `/stream?q=…` a stream. The client is used before the fork.

    pip install gunicorn
    gunicorn --chdir examples --preload --workers 2 --worker-class gthread --threads 8 --timeout 120 wsgi_app:app

`--timeout` must be longer than the longest wait for a response: gunicorn kills a sync worker after that time.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator
from urllib.parse import parse_qs

from ailib_sync import AiClient, AiLibError, ChatStream

client = AiClient(os.environ.get("MODEL", "embedded/echo"), base_url=os.environ.get("BASE_URL"), timeout=60)
client.chat().user("echo warm").execute()  # with --preload, the parent has a connection that no worker may use


def app(environ: dict[str, str], start_response: Callable[..., object]) -> Iterable[bytes]:
    question = parse_qs(environ.get("QUERY_STRING", "")).get("q", ["Hello"])[0]
    chat = client.chat().user(question)
    try:
        if environ.get("PATH_INFO") == "/stream":
            stream = chat.stream()  # raises before anything is sent to the browser
            start_response("200 OK", [("Content-Type", "text/plain; charset=utf-8")])
            return fragments(stream)
        body = chat.execute().content.encode()
    except AiLibError as error:
        start_response("502 Bad Gateway", [("Content-Type", "text/plain; charset=utf-8")])
        return [str(error).encode()]
    start_response("200 OK", [("Content-Type", "text/plain; charset=utf-8"), ("Content-Length", str(len(body)))])
    return [body]


def fragments(stream: ChatStream) -> Iterator[bytes]:
    """When the browser disconnects, the server closes this generator, and `with` closes the connection to the provider."""
    with stream:
        for text in stream.text():
            yield text.encode()
