"""What an import, a client and its first call load: nothing that is not needed yet. Times are in `benchmarks/`, not here."""

from __future__ import annotations

import subprocess
import sys

import pytest

#: Each takes milliseconds to load, and no import of the package needs it.
HEAVY = {
    "urllib3", "ssl", "http", "http.client", "email", "email.message", "socket", "asyncio", "concurrent.futures", "logging",
    "importlib.metadata", "typing", "typing_extensions", "dataclasses", "inspect", "jsonschema", "unittest", "datetime",
}  # fmt: skip


def _loaded_by(code: str) -> set[str]:
    run = subprocess.run(
        [sys.executable, "-I", "-c", f"import sys; sys.path[:0] = {sys.path!r}; old = set(sys.modules)\n{code}\n"
         "print(*(set(sys.modules) - old))"],
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    return set(run.stdout.split())


def test_the_import_loads_nothing_but_the_package_itself() -> None:
    loaded = _loaded_by("import ailib_sync")
    assert {name for name in loaded if not name.startswith("ailib_sync")} <= {"__future__"}
    assert loaded >= {"ailib_sync"}
    assert len(loaded) <= 4


@pytest.mark.parametrize("code", ["from ailib_sync import AiClient", "from ailib_sync import AiClient; AiClient('openai/x')"])
def test_a_client_loads_neither_the_network_nor_a_format(code: str) -> None:
    loaded = _loaded_by(code)
    assert "ailib_sync.client" in loaded
    assert loaded & HEAVY == set()
    assert not {name for name in loaded if name.startswith("ailib_sync.dialects")}
    assert not loaded & {
        "ailib_sync.types.messages",
        "ailib_sync.types.events",
        "ailib_sync.pipeline.call",
        "ailib_sync.http.connections",
    }


def test_a_request_in_the_making_loads_one_format_and_no_network() -> None:
    loaded = _loaded_by("from ailib_sync import AiClient; AiClient('openai/x').chat().user('hi').explain()")
    formats = {name.split(".")[2] for name in loaded if name.startswith("ailib_sync.dialects.") and name.count(".") == 3}
    assert formats == {"openai_chat"}
    assert loaded & (HEAVY - {"datetime"}) == set()


def test_every_public_name_can_be_had() -> None:
    import ailib_sync

    assert [name for name in ailib_sync.__all__ if getattr(ailib_sync, name) is None] == []
    assert set(ailib_sync.__all__) <= set(dir(ailib_sync))
    with pytest.raises(AttributeError, match="has no attribute 'AsyncClient'"):
        ailib_sync.AsyncClient
