"""vcrpy records and replays calls made with our own connections, complete and streamed, without the key."""

from __future__ import annotations

from pathlib import Path

import pytest

from ailib_sync import AiClient
from ailib_sync.testing import FakeProvider

vcr = pytest.importorskip("vcr")

KEY = "sk-secret-0123456789"


@pytest.mark.parametrize("tls", [False, True], ids=["plain", "tls"])
def test_a_cassette_has_the_calls_and_not_the_key(tmp_path: Path, tls: bool) -> None:
    path = tmp_path / "cassette.yaml"
    recorder = vcr.VCR(filter_headers=["authorization"])
    with FakeProvider("openai", api_key=KEY, tls=tls) as fake:
        client = AiClient("openai/gpt-4o", api_key=KEY, base_url=fake.base_url, ca_bundle=fake.ca_bundle)

        def ask() -> tuple[str, str]:
            return client.chat().user("Hi").execute().content, "".join(client.chat().user("Tell").stream().text())

        with recorder.use_cassette(str(path)):
            recorded = ask()
        with recorder.use_cassette(str(path), record_mode="none"):
            assert ask() == recorded
        assert len(fake.requests) == 2
        cassette = path.read_text(encoding="utf-8")
        assert "User-Agent" in cassette
        assert KEY not in cassette
        assert client.chat().user("After").execute().content
        assert len(fake.requests) == 3
