"""Every recorded exchange parses to its expected values on the production path, however its bytes are cut."""

from __future__ import annotations

from typing import Any

import pytest

from ailib_sync.dialects.dialect import find
from ailib_sync.errors import AiLibError
from tests.chat_values import stream_events

from .known_mismatches import KNOWN
from .recordings import body_of, cuts, manifest_of, mismatches, needs_conformance, recordings, run

RECORDINGS = recordings()
STREAMS = [recording for recording in RECORDINGS if recording["stream"] and recording["status"] < 400]
pytestmark = needs_conformance


def _id(recording: dict[str, Any]) -> str:
    return recording["id"]


def _known(recording: dict[str, Any]) -> dict[str, str]:
    return {field: why for id, fields in KNOWN.items() if recording["id"].startswith(id) for field, why in fields.items()}


@pytest.mark.parametrize("recording", RECORDINGS, ids=_id)
def test_recording_parses_to_its_expected_values(recording: dict[str, Any]) -> None:
    for chunks in cuts(body_of(recording), recording["id"]):
        wrong = mismatches(recording, *run(recording, chunks))
        fields = {line.partition(":")[0] for line in wrong}
        assert fields == set(_known(recording)), "\n".join(wrong) or "known_mismatches.py lists what no longer mismatches"


@pytest.mark.parametrize("recording", STREAMS, ids=_id)
def test_events_do_not_depend_on_where_the_bytes_are_cut(recording: dict[str, Any]) -> None:
    whole, *others = ([*_events(recording, chunks)] for chunks in cuts(body_of(recording), recording["id"]))
    assert whole
    for events in others:
        assert events == whole


def _events(recording: dict[str, Any], chunks: list[bytes]) -> list[Any]:
    """The events of a recorded stream; an error that ends it stands last, as its text."""
    manifest = manifest_of(recording)
    headers = {name.lower(): value for name, value in recording["response_headers"].items()}
    events: list[Any] = []
    try:
        events.extend(stream_events(iter(chunks), headers, find(manifest.dialect), manifest))
    except AiLibError as error:
        events.append(repr(error))
    return events


def test_known_mismatches_name_recordings_and_give_reasons() -> None:
    ids = [recording["id"] for recording in RECORDINGS]
    for id, fields in KNOWN.items():
        assert any(known.startswith(id) for known in ids), f"no recording {id}"
        assert all(len(why) > 20 for why in fields.values()), f"{id}: say why"
