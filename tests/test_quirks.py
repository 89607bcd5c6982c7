"""Every quirk has a reason and a source, is asked for in code, and every one asked for is listed."""

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


def test_every_quirk_code_asks_for_is_listed() -> None:
    asked = {name for text in SOURCES.values() for name in re.findall(r"""\.has\(["'](\w+)["']\)""", text)}
    assert asked
    assert asked <= set(QUIRKS)


@pytest.mark.parametrize("name", QUIRKS)
def test_every_listed_quirk_is_asked_for(name: str) -> None:
    assert any(f'"{name}"' in text for text in SOURCES.values()), f"no code knows {name}"


def test_a_habit_is_a_quirk_or_a_tolerance_but_not_both() -> None:
    assert not set(QUIRKS) & set(TOLERANCES)
