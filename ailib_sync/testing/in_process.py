"""`offline()`: every client made inside is answered in this process, as its provider would answer. No key, no socket.

with offline():
    response = client_app.test_client().get("/ask")     # a view that makes its own AiClient("openai/gpt-4o")
"""

from __future__ import annotations

from contextlib import contextmanager
from fnmatch import fnmatchcase
from functools import lru_cache

from ..client import ClientDefaults, replace_defaults
from ..embedded import Rules, answer, dialect_of, server_call
from ..embedded.echo import reply as echo
from ..embedded.http_response import response_of
from ..embedded.rules import manifest_at, rules_of
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
    """Clients that are made inside, and given neither `http` nor `api_key`, get both from here.

    A built-in provider refuses what it would refuse in earnest; one of your own takes anything. `script` replaces the echo, as
    in FakeProvider. For a whole process: do not use it in two threads at once.
    """
    before = replace_defaults(ClientDefaults(OfflinePool(script), _key))
    try:
        yield
    finally:
        replace_defaults(before)


class OfflinePool:
    """urllib3's `urlopen`, answered by the provider whose address it is."""

    def __init__(self, script: Model | None = None) -> None:
        self.model: Model = script or echo

    def urlopen(
        self, method: str, url: str, body: bytes | str | None = None, headers: Mapping[str, str] | None = None, **ignored: Any
    ) -> HTTPResponse:
        """The answer, with `read1` giving one event of a stream at a time. What concerns connections is ignored."""
        from json import loads
        from urllib.parse import urlsplit

        call = server_call(method, url, body, headers or {})
        asked = loads(call.body or b"{}")
        model = asked.get("model") if isinstance(asked, dict) else None
        host = urlsplit(url).hostname or ""
        rules = _rules(host, dialect_of(call.path) or "openai_chat", str(model), call.path)
        return response_of(answer(call, rules, self.model), method, url)


def _key() -> str:
    return "test-key"


@lru_cache(maxsize=64)
def _rules(host: str, dialect: str, model: str, path: str) -> Rules:
    for manifest in builtin_manifests():
        known = hosts(manifest.base_url, {**manifest.dialects, **manifest.operations}, manifest.variables) - {
            "*"
        }  # the caller's own, wherever it is
        speaks = dialect == manifest.dialect or dialect in manifest.dialects
        if speaks and any(fnmatchcase(host, pattern) for pattern in known):
            return rules_of(manifest_at(manifest, path, model, dialect))
    return rules_of(manifest_at(Manifest.load("embedded"), path, model, dialect), strict=False)
