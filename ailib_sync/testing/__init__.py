"""For tests: a scripted provider on a loopback port, clients without a network, and clients over a `requests.Session`.

with FakeProvider("anthropic") as fake:
    fake.reply("Hello!")
    fake.fail(429, retry_after=1)
    client = fake.client("claude-sonnet-4-5")
    assert client.chat().user("Hi").execute().content == "Hello!"
    assert fake.requests[0].json["messages"][0]["content"] == "Hi"
"""

from __future__ import annotations

from .faults import FAULTS
from .in_process import offline
from .provider import FakeProvider
from .server import RecordedRequest
from .sessions import session_http

__all__ = ["FAULTS", "FakeProvider", "RecordedRequest", "offline", "session_http"]
