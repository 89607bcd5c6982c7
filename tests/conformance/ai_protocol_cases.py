"""AI-Protocol's compliance cases: where they are, and which of them do not concern this library, each with its reason."""

from __future__ import annotations

import json
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from .recordings import ROOT

yaml = pytest.importorskip("yaml")

FOLDER = Path(ROOT or "", "aiprotocol", "compliance")
DIST = Path(ROOT or "", "aiprotocol", "dist")

Case = dict[str, Any]
Key = tuple[str, int]


@cache
def cases() -> dict[Key, Case]:
    """All cases by (file without its ending, place in it): ids repeat. Empty where the folder is absent."""
    found: dict[Key, Case] = {}
    if ROOT:
        for path in sorted((FOLDER / "cases").glob("*/*.yaml")):
            documents = [document for document in yaml.safe_load_all(path.read_text(encoding="utf-8")) if document]
            name = path.relative_to(FOLDER / "cases").with_suffix("").as_posix()
            found |= {(name, place): document for place, document in enumerate(documents)}
    return found


def manifest_data(path: str) -> dict[str, Any]:
    """The manifest a case names: a fixture, or one of the published files (which are stored as JSON)."""
    if path.startswith("fixtures/"):
        return yaml.safe_load((FOLDER / path).read_text(encoding="utf-8"))
    version = Path(path).parent.parent.name
    return json.loads((DIST / version / "providers" / f"{Path(path).stem}.json").read_text(encoding="utf-8"))


def published() -> Iterator[tuple[str, dict[str, Any]]]:
    """Every published manifest, as ("v1/openai", content)."""
    for path in sorted(DIST.glob("v*/providers/*.json")) if ROOT else []:
        yield f"{path.parent.parent.name}/{path.stem}", json.loads(path.read_text(encoding="utf-8"))


def _all(file: str, places: range, reason: str) -> dict[Key, str]:
    return {(file, place): reason for place in places}


_CAPABILITY_PROFILE = "capability_profile is no part of a chat call and is not read; the report says so"
_NOT_STORED = "the v2-alpha tree is not among the published files"
_GUARD = "MCP, computer use and video are no part of a chat; reasoning is a chat option, and its lack a warning"
_ENDPOINTS = "addresses of other services than chat are not read"
_ECHO = "compares the case's own request and answer with themselves; no implementation takes part"
_TEXT_TOOLS = "tool calls written as text are not read out of an answer: native calls are"
_DEFAULT = "wants a manifest's default temperature sent; newer models refuse it, so an option that is not set is absent"
_QUERY_KEY = "wants the key in the URL, where proxies log it; a key travels in headers only"
_CONTRACT = "checks the specification's own contract files against its own schema"

NOT_APPLICABLE: dict[Key, str] = {
    **_all("01-protocol-loading/load-v2-capability-profile-ios", range(7), _CAPABILITY_PROFILE),
    **_all("01-protocol-loading/load-v2alpha-metadata-capacity", range(3), _NOT_STORED),
    ("05-request-building/parameter-mapping", 2): _DEFAULT,
    **_all("07-advanced-capabilities/capability-and-endpoint", range(4), _GUARD),
    **_all("07-advanced-capabilities/capability-and-endpoint", range(4, 8), _ENDPOINTS),
    **_all("07-advanced-capabilities/capability-and-endpoint", range(12, 16), _ECHO),
    ("08-generative-capabilities/generative-capabilities", 0): "wants capabilities that its own fixture does not declare",
    ("08-generative-capabilities/generative-capabilities", 6): "MCP is no part of a chat call",
    ("09-credential-resolution/credential-chain", 6): _QUERY_KEY,
    ("09-credential-resolution/credential-chain", 9): "concerns WebAssembly hosts without an environment",
    **_all("10-text-tool-call/text-tool-parse", range(9), _TEXT_TOOLS),
    **_all("11-content-block-encoding/contract-schema-validation", range(3), _CONTRACT),
}


def applicable(*kinds: str) -> list[Any]:
    """The cases that concern this library, of these input types or all, as parameters of a test."""
    return [
        pytest.param(case, id=f"{key[0].split('/')[1]}-{key[1]}-{case['id']}")
        for key, case in cases().items()
        if key not in NOT_APPLICABLE and (not kinds or case["input"]["type"] in kinds)
    ]
