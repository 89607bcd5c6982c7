"""The tree of exceptions, their messages and attributes, and how an error response is classified."""

from __future__ import annotations

import pickle
import re

import pytest

from ailib_sync import errors
from ailib_sync.errors import (
    CLASSES,
    MAX_MESSAGE_CHARACTERS,
    STATUSES,
    AiLibError,
    Attempt,
    ConfigurationError,
    ErrorDetails,
    InvalidRequest,
    ProtocolError,
    RateLimited,
    RemoteError,
    RequestTooLarge,
    ServerError,
    TransportError,
    classify,
    printable,
)
from ailib_sync.types.messages import Message
from ailib_sync.types.response import ChatResponse


def _tree(root: type[AiLibError]) -> list[type[AiLibError]]:
    return [root, *(cls for child in root.__subclasses__() for cls in _tree(child))]


TREE = [cls for cls in _tree(AiLibError) if cls.__module__ == "ailib_sync.errors"]


# --- The tree ---------------------------------------------------------------------------------------------------------


def test_the_tree_in_the_docstring_matches_the_classes() -> None:
    drawn: list[tuple[int, str]] = []
    for line in (errors.__doc__ or "").splitlines():
        match = re.match(r"([│├└─ ]*)([A-Z]\w+)", line)
        if match and match[2] in vars(errors):
            drawn.append((len(match[1]) // 4, match[2]))
    parents: dict[str, str] = {}
    path: list[str] = []
    for depth, name in drawn:
        path[depth:] = [name]
        if depth:
            parents[name] = path[depth - 1]
    assert parents == {cls.__name__: cls.__bases__[0].__name__ for cls in TREE if cls is not AiLibError}


def test_standard_codes_are_ai_protocols() -> None:
    codes = {
        "invalid_request": "E1001", "authentication": "E1002", "permission_denied": "E1003", "not_found": "E1004",
        "request_too_large": "E1005", "rate_limited": "E2001", "quota_exhausted": "E2002", "server_error": "E3001",
        "overloaded": "E3002", "timeout": "E3003", "conflict": "E4001", "unknown": "E9999",
    }  # fmt: skip
    assert {name: cls.standard_code for name, cls in CLASSES.items()} == codes
    assert errors.Cancelled.standard_code == "E4002"


def test_which_errors_are_retried_and_which_fall_back() -> None:
    """As in AI-Protocol's table, for the classes it defines."""
    retried = {"rate_limited", "server_error", "overloaded", "timeout", "conflict"}
    falls_back = {"authentication", "rate_limited", "quota_exhausted", "server_error", "overloaded", "timeout"}
    assert {name for name, cls in CLASSES.items() if cls.retryable} == retried
    assert {name for name, cls in CLASSES.items() if cls.fallbackable} == falls_back


def test_errors_are_subclasses_of_the_builtin_exceptions() -> None:
    assert issubclass(ConfigurationError, ValueError)
    assert issubclass(errors.ReadTimeout, TimeoutError)
    assert issubclass(RequestTooLarge, InvalidRequest)
    assert not issubclass(RemoteError, TransportError)


# --- Messages ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("error", "message"),
    [
        (AiLibError("wrong"), "wrong"),
        (AiLibError("wrong", provider="openai", model="gpt-4o"), "openai: wrong"),
        (AiLibError(), ""),
        (RemoteError("no", provider="openai", status_code=500), "openai: no (500)"),
        (RemoteError("no", status_code=429, error_type="rate_limit_error"), "no (429, rate_limit_error)"),
        (RemoteError("no", status_code=429, error_type="t", error_code="c"), "no (429, c)"),
        (RemoteError("no", status_code=400, error_type="INVALID", error_code="400"), "no (400, INVALID)"),
        (RemoteError("no", request_id="req_1"), "no (request req_1)"),
        (RemoteError("no", status_code=429, retry_after=90.0), "no (429, retry after 90 s)"),
        (RemoteError("no\r\nX: y\x1b[31m", request_id="a\nb"), "no\\r\\nX: y\\x1b[31m (request a\\nb)"),
    ],
)
def test_a_message_names_provider_error_and_request(error: AiLibError, message: str) -> None:
    assert str(error) == message


def test_a_message_lists_the_attempts_if_there_were_several() -> None:
    error = ServerError("no", provider="acme", status_code=500)
    error.attempts = (
        Attempt("openai", "gpt-4o", 0.0, 0.1, "ConnectError: refused", None, 0.5),
        Attempt("acme", "m-1", 0.6, 0.1, "ServerError: no", 500, None),
    )
    assert str(error) == "acme: no (500) after 2 attempts (openai/gpt-4o ConnectError, acme/m-1 500)"
    error.attempts = error.attempts[:1]
    assert str(error) == "acme: no (500)"


@pytest.mark.parametrize("cls", TREE)
def test_a_message_has_at_most_2000_printable_characters(cls: type[AiLibError]) -> None:
    error = cls("\x00" * 5000, provider="openai")
    error.attempts = tuple(Attempt("p" * 60, "m" * 500, 0.0, 0.0, "E") for _ in range(50))
    assert len(str(error)) <= MAX_MESSAGE_CHARACTERS
    assert str(error).isprintable()
    assert len(error.args[0]) <= MAX_MESSAGE_CHARACTERS


@pytest.mark.parametrize(
    ("text", "limit", "shown"),
    [
        ("plain äöü 世界", 100, "plain äöü 世界"),
        ("a\nb\tc", 100, "a\\nb\\tc"),
        ("\u202eevil", 100, "\\u202eevil"),
        ("\ud800", 100, "\\ud800"),
        ("abcdef", 4, "abc…"),
        ("\n\n\n\n", 5, "\\n\\n…"),
        (7, 100, "7"),
    ],
)
def test_control_characters_are_escaped(text: object, limit: int, shown: str) -> None:
    assert printable(text, limit) == shown


# --- Attributes -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("cls", TREE)
def test_every_error_pickles_with_its_attributes(cls: type[AiLibError]) -> None:
    error = cls("wrong", provider="openai", model="gpt-4o")
    error.partial = ChatResponse(Message.assistant("so far"))
    error.attempts = (Attempt("openai", "gpt-4o", 0.0, 1.0, "E: wrong", 500, 0.5),)
    copy = pickle.loads(pickle.dumps(error))
    assert type(copy) is cls
    assert (str(copy), copy.args, vars(copy)) == (str(error), error.args, vars(error))


def test_a_remote_error_pickles_with_its_facts() -> None:
    error = RateLimited(
        "slow down", status_code=429, error_type="t", error_code="c", request_id="r", retry_after=1.5, body="{}", provider="p"
    )
    assert vars(pickle.loads(pickle.dumps(error))) == vars(error)


def test_a_protocol_error_keeps_the_body() -> None:
    assert ProtocolError("no JSON", body="<html>").body == "<html>"
    assert ProtocolError("no JSON").body is None


# --- Classifying ------------------------------------------------------------------------------------------------------

WORDS = {"insufficient_quota": "quota_exhausted", "rate_limit_error": "rate_limited", "DAILY": "quota_exhausted"}


@pytest.mark.parametrize(
    ("status", "details", "statuses", "name"),
    [
        (429, ErrorDetails("", code="insufficient_quota"), {}, "quota_exhausted"),
        (429, ErrorDetails("", type="rate_limit_error", reason="DAILY"), {}, "quota_exhausted"),
        (400, ErrorDetails("", type="rate_limit_error", code="odd"), {}, "rate_limited"),
        (429, ErrorDetails("", code="insufficient_quota"), {429: "overloaded"}, "quota_exhausted"),
        (429, ErrorDetails("", code="odd"), {429: "overloaded"}, "overloaded"),
        (429, ErrorDetails(""), {}, "rate_limited"),
        (413, ErrorDetails(""), {}, "request_too_large"),
        (418, ErrorDetails(""), {}, "invalid_request"),
        (599, ErrorDetails(""), {}, "server_error"),
        (None, ErrorDetails(""), {}, "server_error"),
        (None, ErrorDetails("", type="rate_limit_error"), {}, "rate_limited"),
    ],
    ids=[
        "the body's code comes before the status",
        "the reason comes before the type",
        "the type decides if the code is unknown",
        "the body comes before the manifest's status",
        "the manifest's status comes before the standard",
        "the standard meaning of 429",
        "the standard meaning of 413",
        "an unknown 4xx",
        "an unknown 5xx",
        "no status, as in a stream",
        "the type, without a status",
    ],
)
def test_the_most_specific_fact_decides_the_class(
    status: int | None, details: ErrorDetails, statuses: dict[int, str], name: str
) -> None:
    assert classify(status, details, WORDS, statuses) == name


def test_every_status_has_a_class() -> None:
    assert set(STATUSES.values()) <= set(CLASSES)
    assert all(400 <= status < 600 for status in STATUSES)
