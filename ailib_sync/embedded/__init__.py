"""A provider that needs no key and no network: a stand-in for a model behind the wire formats of the real services.

`EmbeddedPool` has the shape of urllib3's `PoolManager` and gives real `urllib3.HTTPResponse`s, whose bodies are what a real
service would have sent. Behind it `service.answer` is a pure function, with two modules a dialect: `demands_*` says what the
service refuses, `speak_*` reads its requests and writes its answers (small dialects are one module, the largest is three).
"""

from __future__ import annotations

from .exchange import Refused, Reply, Rules, ServerCall
from .service import answer, dialect_of, refusal

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

    from urllib3 import HTTPResponse

    from .service import Model

__all__ = ["EmbeddedPool", "Refused", "Reply", "Rules", "ServerCall", "answer", "dialect_of", "refusal"]

#: The one model there is.
MODEL = "echo"


class EmbeddedPool:
    """Answers inside this process. Holds no state, so any number of threads may share one; `model` replaces the echo."""

    def __init__(self, model: Model | None = None) -> None:
        self.model = model

    def urlopen(
        self, method: str, url: str, body: bytes | str | None = None, headers: Mapping[str, str] | None = None, **ignored: Any
    ) -> HTTPResponse:
        """The answer, with `read1` giving one event of a stream at a time. What concerns connections is ignored."""
        from .http_response import response_of

        call = server_call(method, url, body, headers or {})
        rules = _rules(dialect_of(call.path) or "openai_chat", call.path)
        reply = answer(call, rules, self.model) if self.model else answer(call, rules)
        return response_of(reply, method, url)


def server_call(method: str, url: str, body: bytes | str | None, headers: Mapping[str, str]) -> ServerCall:
    """A request as a client makes it → as a server sees it."""
    from urllib.parse import urlsplit

    parts = urlsplit(url)
    raw = body.encode() if isinstance(body, str) else bytes(body or b"")
    return ServerCall(method, parts.path, parts.query, {name.lower(): value for name, value in headers.items()}, raw)


def _rules(dialect: str, path: str) -> Rules:
    from dataclasses import replace

    from ..registry.manifest import Manifest
    from .rules import manifest_at, rules_of

    rules = rules_of(manifest_at(Manifest.load("embedded"), path, MODEL, dialect), MODEL, shows_thinking=True)
    return replace(rules, models=(MODEL,))
