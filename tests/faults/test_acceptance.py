"""Compares the register with the acceptance matrix (180 faults), and the generated page with the register."""

from __future__ import annotations

import importlib.util
import json
import os
from pathlib import Path

import pytest

from ailib_sync import errors as e

from . import table

MATRIX = Path(os.environ.get("AILIB_CONFORMANCE", "nowhere")) / "faults" / "faults.json"
PAGE = Path(__file__).parents[2] / "docs" / "make_faults.py"

#: The matrix's names of exceptions → our classes.
KINDS: dict[str, tuple[type[e.AiLibError], ...]] = {
    "APIError": (e.RemoteError,),
    "Authentication": (e.AuthenticationError,),
    "BadRequest": (e.InvalidRequest,),
    "BadRequest(413) or ConnectionError": (e.RequestTooLarge, e.ConnectionLost),
    "ConnectError": (e.ConnectError,),
    "ConnectError(DNS)": (e.ConnectError,),
    "ConnectTimeout": (e.ConnectTimeout,),
    "ConnectionError": (e.ConnectError, e.ConnectionLost),
    "ConnectionError(IncompleteBody)": (e.ConnectionLost,),
    "DeadlineExceeded": (e.DeadlineExceeded,),
    "DecodeError": (e.ProtocolError,),
    "DecodeError / StreamTruncated": (e.ProtocolError, e.StreamInterrupted),
    "NotFound": (e.NotFound,),
    "PaymentRequired": (e.QuotaExhausted,),
    "PermissionDenied": (e.PermissionDenied,),
    "ProtocolError": (e.ProtocolError,),
    "ProxyError(auth)": (e.ProxyError,),
    "RateLimit": (e.RateLimited, e.QuotaExhausted),
    "ReadTimeout": (e.ReadTimeout,),
    "Redirect": (e.RedirectRefused,),
    "ResponseTooLarge": (e.ResponseTooLarge,),
    "ResponseTooLarge / DeadlineExceeded": (e.ResponseTooLarge, e.DeadlineExceeded),
    "ResponseValidation": (e.ProtocolError,),
    "ServerError": (e.ServerError,),
    "StatusError": (e.RemoteError,),
    "StreamError": (e.RemoteError,),
    "StreamError(overloaded)": (e.Overloaded,),
    "StreamError(rate limit)": (e.RateLimited,),
    "StreamStalled": (e.ReadTimeout,),
    "StreamStalled (content) / DeadlineExceeded": (e.ContentTimeout, e.DeadlineExceeded),
    "StreamTruncated": (e.StreamInterrupted,),
    "TLSError": (e.TlsError,),
    "WriteTimeout": (e.WriteTimeout,),
}
#: Where a fault of the matrix is not one of ours under the same name: the names it has here.
RENAMED = {
    "status-424-498-499-52x": ("status-424-bedrock", "status-498-groq", "status-499", *(f"status-{n}" for n in range(520, 525)))
}
#: Where we do otherwise than the matrix says, and why.
OTHERWISE = {
    "redirect-307-cross-host": "has its own test, with the other host",
    "redirect-302-to-get": "after a redirect whose body has ended, the connection can be reused",
    "redirect-loop": "the same",
    "stream-multiline-100k": "the event is within the limit, so the response is complete and its connection can be reused",
    "stream-error-first-once": "the first connection is dropped; the second, which had the response, is kept",
    "stream-fin-before-first-event-once": "the same",
    "accept-rst-once": "the same",
    "close-before-response-once": "the same",
    "stale-keepalive-fin": "the same",
    "stale-keepalive-race": "the same",
    "unsolicited-bytes-keepalive": "the same",
    "extra-bytes-after-body": "the same",
}
NO_CONFORMANCE = pytest.mark.skipif(not MATRIX.is_file(), reason="AILIB_CONFORMANCE names no folder with the matrix")


def matrix() -> dict[str, dict]:
    return {fault["id"]: fault for fault in json.loads(MATRIX.read_text())["faults"]}


@NO_CONFORMANCE
def test_every_fault_of_the_matrix_has_a_test():
    ours = {*table.FAULTS, *table.fault_tests()}
    missing = [id for id in matrix() if not ours.issuperset(RENAMED.get(id, (id,)))]
    assert not missing
    assert set(OTHERWISE) | set(RENAMED) <= set(matrix())


@NO_CONFORMANCE
def test_the_register_expects_what_the_matrix_calls_correct():
    differences = []
    for id, theirs in matrix().items():
        fault = table.FAULTS.get(id)
        if fault is None:
            continue
        right = theirs["correct"]
        if (right["outcome"] == "ok") != (fault.raises is None) and right["outcome"] != "either":
            differences.append(f"{id}: {right['outcome']}")
        if fault.raises is not None and right["exception_kind"] is not None:
            kinds = fault.raises if isinstance(fault.raises, tuple) else (fault.raises,)
            if not all(issubclass(kind, KINDS[right["exception_kind"]]) for kind in kinds):
                differences.append(f"{id}: {right['exception_kind']}, ours {kinds}")
        low, high = fault.requests if isinstance(fault.requests, tuple) else (fault.requests, fault.requests)
        allowed = right["server_requests"] if theirs["executable"] else None
        if allowed and not allowed[0] <= low <= high <= allowed[1]:
            differences.append(f"{id}: requests {allowed}, ours {low} to {high}")
        if theirs.get("modes") and set(theirs["modes"]) - set(fault.modes):
            differences.append(f"{id}: modes {theirs['modes']}")
        wanted = right["connection"]
        if wanted in ("reuse", "discard") and fault.connection not in (wanted, "either") and id not in OTHERWISE:
            differences.append(f"{id}: connection {wanted}, ours {fault.connection}")
    assert not differences, "\n".join(differences)


def test_the_page_is_what_the_register_says():
    spec = importlib.util.spec_from_file_location("make_faults", PAGE)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    assert module.PAGE.read_text(encoding="utf-8") == module.page(), "run python docs/make_faults.py"


def test_no_fault_has_two_tests():
    ids = [fault.id for _, faults in table.GROUPS for fault in faults]
    assert len(ids) == len(set(ids))
    assert not set(ids) & set(table.fault_tests())
