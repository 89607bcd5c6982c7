"""`offline()`: clients that are made inside get their responses from this process, without a key or a socket.

with offline():
    response = app.test_client().get("/ask")            # a view that makes its own AiClient("openai/gpt-4o")
"""

from __future__ import annotations

from contextlib import contextmanager
from fnmatch import fnmatchcase
from functools import lru_cache

from ..client import ClientDefaults, replace_defaults
from ..embedded import Rules, find_operation, respond, server_request
from ..embedded.http_response import response_of
from ..embedded.rules import rules_at
from ..registry.check import hosts
from ..registry.manifest import Manifest, builtin_manifests

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from typing import Any

    from urllib3 import HTTPResponse

    from ..embedded.service import Model


@contextmanager
def offline(script: Model | None = None) -> Iterator[None]:
    """Clients that are made inside, with neither `http` nor `api_key`, get both from here.

    A built-in provider rejects what the real one rejects; a provider of your own rejects nothing. `script` replaces the echo,
    as in FakeProvider. It applies to the process: do not use it in two threads at the same time.
    """
    before = replace_defaults(ClientDefaults(OfflinePool(script), _key))
    try:
        yield
    finally:
        replace_defaults(before)


class OfflinePool:
    """urllib3's `urlopen`, with the responses of the provider that the URL belongs to."""

    def __init__(self, script: Model | None = None) -> None:
        self.model = script

    def urlopen(
        self, method: str, url: str, body: bytes | str | None = None, headers: Mapping[str, str] | None = None, **ignored: Any
    ) -> HTTPResponse:
        """The response; `read1` returns one event of a stream at a time. Arguments about connections are ignored."""
        from json import loads
        from urllib.parse import urlsplit

        received = server_request(method, url, body, headers or {})
        content = loads(received.body or b"{}")
        model = content.get("model") if isinstance(content, dict) else None
        rules = _rules(urlsplit(url).hostname or "", method, received.path, str(model))
        return response_of(respond(received, rules, self.model if rules.operation == "chat" else None), method, url)


def _key() -> str:
    return "test-key"


@lru_cache(maxsize=64)
def _rules(host: str, method: str, path: str, model: str) -> Rules:
    """The rules of the built-in provider that has this host and a dialect with such paths; otherwise nothing is checked."""
    dialect, _ = find_operation(path, method) or ("openai_chat", "chat")
    for manifest in builtin_manifests():
        has_dialect = dialect == manifest.dialect or dialect in manifest.dialects
        if has_dialect and any(fnmatchcase(host, pattern) for pattern in _hosts(manifest)):
            return rules_at(manifest, path, model, method=method)
    return rules_at(Manifest.load("embedded"), path, model, method=method, strict=False)


def _hosts(manifest: Manifest) -> set[str]:
    """The host patterns of the provider, without `*`, which is a host of the caller."""
    return hosts(manifest.base_url, {**manifest.dialects, **manifest.operations}, manifest.variables) - {"*"}
