"""Certificates of an authority that lives for one test run."""

from __future__ import annotations

import ssl
import warnings
from datetime import datetime, timezone
from functools import lru_cache
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from pathlib import Path

    import trustme

PAST = datetime(2001, 1, 1, tzinfo=timezone.utc)


@lru_cache(maxsize=2)
def authority(name: str) -> trustme.CA:
    return pytest.importorskip("trustme").CA()


def bundle(folder: Path) -> str:
    """A file with the authority's certificate, for `ca_bundle`."""
    path = folder / "ca.pem"
    path.write_bytes(authority("ours").cert_pem.bytes())
    return str(path)


def server_context(kind: str) -> ssl.SSLContext | None:
    """The server's side: `good`, `untrusted`, `wrong-host`, `expired`, `old` (TLS 1.1 at most), `plaintext` (none at all)."""
    if kind == "plaintext":
        return None
    issuer = authority("stranger" if kind == "untrusted" else "ours")
    host = "elsewhere.example" if kind == "wrong-host" else "127.0.0.1"
    dates = {"not_before": PAST.replace(year=2000), "not_after": PAST} if kind == "expired" else {}
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    others = ("localhost", "::1") if kind == "good" else ()
    issuer.issue_cert(host, *others, **dates).configure_cert(context)
    if kind == "old":
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", DeprecationWarning)  # that is the point
            context.maximum_version = ssl.TLSVersion.TLSv1_1
        context.set_ciphers("ALL:@SECLEVEL=0")
    return context
