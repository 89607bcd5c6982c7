"""Recorded requests, rebuilt with our values and rendered by our dialects, equal what their clients sent.

The reader of each dialect turns a recorded body into a `ChatRequest`; its `canonical` gives one spelling to things that mean
the same. What is still different is in `EXPLAINED`, with the reason.
"""

from __future__ import annotations

import json
from importlib import import_module
from typing import Any

import pytest

from ailib_sync.dialects.dialect import NAMES, find
from ailib_sync.types.request import Ledger

from .recordings import DIALECTS, manifest_of, needs_conformance, recordings

#: Dialect → its reader: `read`, a recorded body → a request; `canonical`, a body → one spelling for each thing; `EXPLAINED`.
READERS = {name: import_module(f"tests.conformance.read_{name}") for name in NAMES}
#: A recorded format without requests that can be read: the Invoke call of a provider that is not OpenAI.
WITHOUT_READER = ("bedrock-invoke-openai",)

#: Recording → {top-level key of the body: why ours is different}.
EXPLAINED: dict[str, dict[str, str]] = {id: keys for reader in READERS.values() for id, keys in reader.EXPLAINED.items()}

RECORDINGS = [
    recording
    for recording in recordings(*(name for name in DIALECTS if name not in WITHOUT_READER))
    if isinstance(recording["request_body"], dict)
]
pytestmark = needs_conformance


@pytest.mark.parametrize("recording", RECORDINGS, ids=lambda recording: recording["id"])
def test_rebuilt_request_renders_to_the_recorded_body(recording: dict[str, Any]) -> None:
    reader = READERS[DIALECTS[recording["dialect"]]]
    body = recording["request_body"]
    if "…CUT(" in json.dumps(body, ensure_ascii=False):
        pytest.skip("the recorder cut this request short")
    manifest = manifest_of(recording)
    rendered = find(manifest.dialect).chat.render(reader.read(body), manifest, Ledger())
    ours, theirs = reader.canonical(json.loads(json.dumps(rendered)), manifest), reader.canonical(body, manifest)
    different = {key for key in (*ours, *theirs) if ours.get(key, "absent") != theirs.get(key, "absent")}
    shown = "\n".join(f"{key}:\n  ours   {ours.get(key)}\n  theirs {theirs.get(key)}" for key in sorted(different))
    assert different == set(EXPLAINED.get(recording["id"], {})), shown


def test_explained_differences_name_recordings_and_give_reasons() -> None:
    ids = {recording["id"] for recording in RECORDINGS}
    for id, keys in EXPLAINED.items():
        assert id in ids
        assert all(len(why) > 20 for why in keys.values())
