"""Every quirk has a reason and a source and is checked in code; every checked one is listed."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

import ailib_sync
from ailib_sync.registry.quirks import QUIRKS, TOLERANCES

SOURCES = {
    path: path.read_text(encoding="utf-8")
    for path in Path(ailib_sync.__file__).parent.rglob("*.py")
    if path.name != "quirks.py"
}


@pytest.mark.parametrize("name", [*QUIRKS, *TOLERANCES])
def test_each_has_a_sentence_and_a_public_source(name: str) -> None:
    quirk = QUIRKS.get(name) or TOLERANCES[name]
    assert re.fullmatch(r"[a-z0-9]+(_[a-z0-9]+)*", name)
    assert len(quirk.reason.split()) >= 6
    assert quirk.reason.endswith((".", ")"))
    assert re.fullmatch(r"https://\S+", quirk.link)


def test_every_checked_quirk_is_listed() -> None:
    checked = {name for text in SOURCES.values() for name in re.findall(r"""\.has\(["'](\w+)["']\)""", text)}
    assert checked
    assert checked <= set(QUIRKS)


@pytest.mark.parametrize("name", QUIRKS)
def test_every_listed_quirk_is_checked(name: str) -> None:
    assert any(f'"{name}"' in text for text in SOURCES.values()), f"no code checks {name}"


def test_nothing_is_both_a_quirk_and_a_tolerance() -> None:
    assert not set(QUIRKS) & set(TOLERANCES)
