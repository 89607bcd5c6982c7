"""A Flask application that streams: flask --app examples/flask_app run

curl -N -d "Tell me a story" http://127.0.0.1:5000/ask
"""

import os
from collections.abc import Iterator

from flask import Flask, Response, request

from ailib_sync import AiClient, AiLibError, ChatStream, ConfigurationError, RateLimited

app = Flask(__name__)
#: One client for the process: threads share its connections, a forked worker opens new ones.
ai = AiClient(os.environ.get("AILIB_MODEL", "embedded/echo"), timeout=120)


@app.post("/ask")
def ask() -> Response:
    """Streams the response. An error before the first content becomes an HTTP status."""
    return Response(fragments(ai.chat().user(request.get_data(as_text=True)).stream()), mimetype="text/plain")


def fragments(stream: ChatStream) -> Iterator[str]:
    """When the browser disconnects, Flask closes this generator, and `with` closes the stream."""
    with stream:
        try:
            yield from stream.text()
        except AiLibError as error:
            yield f"\n[interrupted: {error}]"


@app.errorhandler(AiLibError)
def failed(error: AiLibError) -> tuple[str, int]:
    status = 400 if isinstance(error, ConfigurationError) else 429 if isinstance(error, RateLimited) else 502
    return str(error), status
