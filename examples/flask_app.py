"""A Flask application that streams: flask --app examples/flask_app run

curl -N -d "Tell me a story" http://127.0.0.1:5000/ask
"""

import os
from collections.abc import Iterator

from flask import Flask, Response, request

from ailib_sync import AiClient, AiLibError, ChatStream, ConfigurationError, RateLimited

app = Flask(__name__)
#: One for the process: threads share its connections, a forked worker opens its own.
ai = AiClient(os.environ.get("AILIB_MODEL", "embedded/echo"), timeout=120)


@app.post("/ask")
def ask() -> Response:
    """The answer as it is written. What goes wrong before its first word is still an HTTP status."""
    return Response(pieces(ai.chat().user(request.get_data(as_text=True)).stream()), mimetype="text/plain")


def pieces(stream: ChatStream) -> Iterator[str]:
    """When the browser leaves, Flask closes this generator, and `with` the stream."""
    with stream:
        try:
            yield from stream.text()
        except AiLibError as error:
            yield f"\n[broken off: {error}]"


@app.errorhandler(AiLibError)
def failed(error: AiLibError) -> tuple[str, int]:
    status = 400 if isinstance(error, ConfigurationError) else 429 if isinstance(error, RateLimited) else 502
    return str(error), status
