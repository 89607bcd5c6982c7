"""The embedded provider: a stand-in for a model behind the wire formats of the real services, without a key or a network.

Internal: import public names from `ailib_sync`.

`EmbeddedPool` has the method of urllib3's `PoolManager` that the transport uses. It returns real `urllib3.HTTPResponse`s, whose
bodies have the format of a real service. `service.respond` is a pure function. Each dialect has a folder in `services/`:
`service.py` reads requests and writes responses, `checks.py` rejects what the real service rejects, and each other
operation has a file of its own. They are written independently of the client's dialects: neither imports the other.
"""

from __future__ import annotations

from .exchange import Rejected, Rules, ServerRequest, ServerResponse
from .service import error_response, find_operation, respond

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

    from urllib3 import HTTPResponse

    from .service import Model

__all__ = [
    "EmbeddedPool",
    "Rejected",
    "Rules",
    "ServerRequest",
    "ServerResponse",
    "error_response",
    "find_operation",
    "respond",
    "server_request",
]

#: The only model.
MODEL = "echo"


class EmbeddedPool:
    """Responds within this process. It has no state, so threads may share one; `model` replaces the echo for chats."""

    def __init__(self, model: Model | None = None) -> None:
        self.model = model

    def urlopen(
        self, method: str, url: str, body: bytes | str | None = None, headers: Mapping[str, str] | None = None, **ignored: Any
    ) -> HTTPResponse:
        """The response; `read1` returns one event of a stream at a time. Arguments about connections are ignored."""
        from .http_response import response_of

        received = server_request(method, url, body, headers or {})
        rules = _rules(received.path, received.method)
        model = self.model if rules.operation == "chat" else None
        return response_of(respond(received, rules, model), method, url)


def server_request(method: str, url: str, body: bytes | str | None, headers: Mapping[str, str]) -> ServerRequest:
    """A request of a client, as the server receives it."""
    from urllib.parse import urlsplit

    parts = urlsplit(url)
    raw = body.encode() if isinstance(body, str) else bytes(body or b"")
    return ServerRequest(method, parts.path, parts.query, {name.lower(): value for name, value in headers.items()}, raw)


def _rules(path: str, method: str) -> Rules:
    from dataclasses import replace

    from ..registry.manifest import Manifest
    from .rules import rules_at

    return replace(rules_at(Manifest.load("embedded"), path, MODEL, method=method, shows_thinking=True), models=(MODEL,))
