"""The tree of exceptions, what an exception says and carries, and how a refusal is classified."""

from __future__ import annotations

import pickle
import re

import pytest

from ailib_sync import errors
from ailib_sync.errors import (
    CLASSES,
    MAX_MESSAGE,
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


# --- The tree -----------------------------------------------------------------------------------------------------------


def test_the_tree_drawn_at_the_top_is_the_tree() -> None:
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


def test_codes_are_ai_protocols() -> None:
    codes = {
        "invalid_request": "E1001", "authentication": "E1002", "permission_denied": "E1003", "not_found": "E1004",
        "request_too_large": "E1005", "rate_limited": "E2001", "quota_exhausted": "E2002", "server_error": "E3001",
        "overloaded": "E3002", "timeout": "E3003", "conflict": "E4001", "unknown": "E9999",
    }  # fmt: skip
    assert {name: cls.standard_code for name, cls in CLASSES.items()} == codes
    assert errors.Cancelled.standard_code == "E4002"


def test_what_may_succeed_elsewhere_or_later() -> None:
    """As AI-Protocol's table has it, for the classes that it knows."""
    retried = {"rate_limited", "server_error", "overloaded", "timeout", "conflict"}
    falls_back = {"authentication", "rate_limited", "quota_exhausted", "server_error", "overloaded", "timeout"}
    assert {name for name, cls in CLASSES.items() if cls.retryable} == retried
    assert {name for name, cls in CLASSES.items() if cls.fallbackable} == falls_back


def test_python_programs_catch_what_they_know() -> None:
    assert issubclass(ConfigurationError, ValueError)
    assert issubclass(errors.ReadTimeout, TimeoutError)
    assert issubclass(RequestTooLarge, InvalidRequest)
    assert not issubclass(RemoteError, TransportError)


# --- What one says ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("error", "says"),
    [
        (AiLibError("wrong"), "wrong"),
        (AiLibError("wrong", provider="openai", model="gpt-4o"), "openai: wrong"),
        (AiLibError(), ""),
        (RemoteError("no", provider="openai", status_code=500), "openai: no (500)"),
        (RemoteError("no", status_code=429, error_type="rate_limit_error"), "no (429, rate_limit_error)"),
        (RemoteError("no", status_code=429, error_type="t", error_code="c"), "no (429, c)"),
        (RemoteError("no", status_code=400, error_type="INVALID", error_code="400"), "no (400, INVALID)"),
        (RemoteError("no", request_id="req_1"), "no (request req_1)"),
        (RemoteError("no", status_code=429, retry_after=90.0), "no (429, asks to wait 90 s)"),
        (RemoteError("no\r\nX: y\x1b[31m", request_id="a\nb"), "no\\r\\nX: y\\x1b[31m (request a\\nb)"),
    ],
)
def test_an_error_says_who_what_and_which_request(error: AiLibError, says: str) -> None:
    assert str(error) == says


def test_an_error_after_several_attempts_tells_of_each() -> None:
    error = ServerError("no", provider="acme", status_code=500)
    error.attempts = (
        Attempt("openai", "gpt-4o", 0.0, 0.1, "ConnectError: refused", None, 0.5),
        Attempt("acme", "m-1", 0.6, 0.1, "ServerError: no", 500, None),
    )
    assert str(error) == "acme: no (500) after 2 attempts (openai/gpt-4o ConnectError, acme/m-1 500)"
    error.attempts = error.attempts[:1]
    assert str(error) == "acme: no (500)"


@pytest.mark.parametrize("cls", TREE)
def test_no_text_is_longer_than_2000_characters(cls: type[AiLibError]) -> None:
    error = cls("\x00" * 5000, provider="openai")
    error.attempts = tuple(Attempt("p" * 60, "m" * 500, 0.0, 0.0, "E") for _ in range(50))
    assert len(str(error)) <= MAX_MESSAGE
    assert str(error).isprintable()
    assert len(error.args[0]) <= MAX_MESSAGE


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
def test_foreign_text_is_made_safe_to_show(text: object, limit: int, shown: str) -> None:
    assert printable(text, limit) == shown


# --- What one carries ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("cls", TREE)
def test_every_error_pickles_whole(cls: type[AiLibError]) -> None:
    error = cls("wrong", provider="openai", model="gpt-4o")
    error.partial = ChatResponse(Message.assistant("so far"))
    error.attempts = (Attempt("openai", "gpt-4o", 0.0, 1.0, "E: wrong", 500, 0.5),)
    copy = pickle.loads(pickle.dumps(error))
    assert type(copy) is cls
    assert (str(copy), copy.args, vars(copy)) == (str(error), error.args, vars(error))


def test_a_refusal_pickles_with_its_facts() -> None:
    error = RateLimited(
        "slow down", status_code=429, error_type="t", error_code="c", request_id="r", retry_after=1.5, body="{}", provider="p"
    )
    assert vars(pickle.loads(pickle.dumps(error))) == vars(error)


def test_a_broken_answer_keeps_its_body() -> None:
    assert ProtocolError("no JSON", body="<html>").body == "<html>"
    assert ProtocolError("no JSON").body is None


# --- Classifying --------------------------------------------------------------------------------------------------------

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
        "the body's code goes before the status",
        "a finer reason goes before the type",
        "an unknown code leaves it to the type",
        "the body goes before the manifest's status",
        "the manifest's status goes before the standard's",
        "the standard's status",
        "another of them",
        "an unknown 4xx",
        "an unknown 5xx",
        "in a stream there is no status",
        "in a stream the type counts",
    ],
)
def test_a_refusal_is_classified_by_the_finest_word(
    status: int | None, details: ErrorDetails, statuses: dict[int, str], name: str
) -> None:
    assert classify(status, details, WORDS, statuses) == name


def test_every_status_has_a_class() -> None:
    assert set(STATUSES.values()) <= set(CLASSES)
    assert all(400 <= status < 600 for status in STATUSES)
