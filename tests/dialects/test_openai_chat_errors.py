"""Chat Completions, errors: error bodies, errors inside responses, and JSON that is no response."""

from __future__ import annotations

from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ailib_sync.dialects.accumulator import Accumulator
from ailib_sync.dialects.openai_chat.dialect import DIALECT
from ailib_sync.errors import (
    AiLibError,
    AuthenticationError,
    InvalidRequest,
    Overloaded,
    ProtocolError,
    QuotaExhausted,
    RateLimited,
    RemoteError,
    RequestTooLarge,
    ServerError,
)
from tests.chat_values import parse_body, stream_events

from .openai_chat_bytes import COUNTS, SSE, chunk, events, from_stream, manifest


@pytest.mark.parametrize(
    ("body", "message", "type", "code"),
    [
        ({"error": {"message": "No", "type": "t", "code": "c"}}, "No", "t", "c"),
        ({"error": {"message": "No", "code": 400}}, "No", None, "400"),
        ({"error": "No", "code": "c"}, "No", None, "c"),
        ({"object": "error", "message": "No", "type": "t", "code": None}, "No", "t", None),
        ({"object": "error", "message": {"detail": [{"loc": ["body"], "msg": "No"}]}, "type": "t"}, "No", "t", None),
        ({"detail": "No"}, "No", None, None),
        ({"detail": [{"msg": "A", "type": "missing"}, {"msg": "B"}]}, "A; B", None, None),
        ({"detail": {"error": "No"}}, "No", None, None),
        ({"errors": [{"code": 7, "message": "No"}], "success": False}, "No", None, "7"),
        ({"error_code": "BAD", "message": "No"}, "No", None, "BAD"),
        ({"base_resp": {"status_code": 1004, "status_msg": "No"}}, "No", None, "1004"),
        ({"status": 404, "title": "Gone", "detail": "No"}, "No", None, None),
        ([{"error": {"message": "No", "code": 404}}], "No", None, "404"),
        ("  plain text ", "plain text", None, None),
        ({}, "", None, None),
        ([], "", None, None),
        (None, "", None, None),
    ],
)
def test_every_known_shape_of_an_error_body_is_read(body: Any, message: str, type: str | None, code: str | None) -> None:
    details = DIALECT.parse_error(400, body)
    assert (details.message, details.type, details.code) == (message, type, code)


@pytest.mark.parametrize(
    ("status", "error", "kind"),
    [
        (429, {"code": "insufficient_quota"}, QuotaExhausted),
        (429, {"code": "rate_limit_exceeded"}, RateLimited),
        (413, {"code": "rate_limit_exceeded"}, RequestTooLarge),
        (400, {"code": "context_length_exceeded"}, RequestTooLarge),
        (401, {"type": "authentication_error", "code": "invalid_request_error"}, AuthenticationError),
        (400, {"code": "invalid_api_key"}, AuthenticationError),
        (429, {"type": "engine_overloaded_error"}, Overloaded),
        (400, {"type": "invalid_request_error"}, InvalidRequest),
    ],
)
def test_error_words_count_before_the_status_if_they_are_more_exact(
    status: int, error: dict[str, Any], kind: type[RemoteError]
) -> None:
    details = DIALECT.parse_error(status, {"error": {"message": "No", **error}})
    assert type(manifest().error(status, details, DIALECT.error_words)) is kind


#: Errors inside a response with status 200: (chunk, class, status).
IN_RESPONSE = [
    ({"error": {"message": "No", "type": "server_error"}}, ServerError, None),
    ({"error": {"message": "No", "type": "invalid_request_error"}}, InvalidRequest, None),
    ({"error": {"message": "No", "code": "rate_limit_exceeded"}}, RateLimited, None),
    ({"error": {"message": "No", "code": 502}}, ServerError, 502),
    ({"error": {"message": "No", "code": "429"}}, RateLimited, 429),
    ({"error": {"message": "No", "type": "invalid_request_error", "code": 429}}, RateLimited, 429),
    ({**chunk({"content": "b"}), "error": {"message": "No"}}, ServerError, None),
    ({"error": {"message": "No", "code": "tool_use_failed", "status_code": 400}}, InvalidRequest, 400),
    ({"error": "No"}, ServerError, None),
    ({"object": "error", "message": "No", "code": 400}, InvalidRequest, 400),
    ({"base_resp": {"status_code": 1008, "status_msg": "No"}}, ServerError, None),
    ({"choices": [], "x_groq": {"error": "No"}}, ServerError, None),
    ({"detail": "No"}, ServerError, None),
    ({"choices": [{"index": 0, "delta": {}, "finish_reason": "error", "error": {"message": "No", "code": 502}}]},
     ServerError, 502),
    ({"choices": [{"index": 0, "delta": {"content": "b"}, "finish_reason": "error"}], "error": {"message": "No", "code": 502}},
     ServerError, 502),
]  # fmt: skip


@pytest.mark.parametrize(("body", "kind", "status"), IN_RESPONSE)
def test_an_error_in_a_stream_is_raised(body: Any, kind: type[RemoteError], status: Any) -> None:
    with pytest.raises(kind) as caught:
        events(chunk({"content": "a"}), body)
    assert type(caught.value) is kind
    assert caught.value.status_code == status
    assert caught.value.message == "No"


@pytest.mark.parametrize(("body", "kind", "status"), IN_RESPONSE)
def test_an_error_in_a_complete_response_is_raised(body: Any, kind: type[RemoteError], status: Any) -> None:
    with pytest.raises(kind) as caught:
        parse_body(DIALECT, body, manifest())
    assert caught.value.status_code == status
    assert "No" in (caught.value.body or "")


def test_events_before_and_with_an_error_are_delivered() -> None:
    body = {**chunk({"content": "c"}, "error"), "error": {"message": "No"}}
    frames = [("message", one) for one in (chunk({"content": "a"}), chunk({"content": "b"}), body)]
    accumulator = Accumulator()
    with pytest.raises(RemoteError):
        any(accumulator.add(event) for event in DIALECT.chat.stream.parse(frames, manifest()))
    assert accumulator.response().content == "abc"


def test_an_event_named_error_is_an_error_with_any_content() -> None:
    with pytest.raises(RemoteError, match="went wrong"):
        list(stream_events([b'event: error\ndata: {"message": "went wrong"}\n\n'], SSE, DIALECT, manifest()))


@pytest.mark.parametrize(
    "body",
    [
        [], 5, "x", {}, {"choices": []}, {"choices": "x"}, {"choices": [5]}, {"choices": [{"index": 0}]},
        {"choices": [{"message": "x"}]}, {"choices": [{"message": {"tool_calls": [5]}}]},
        {"choices": [{"message": {"tool_calls": [{"function": "f"}]}}]}, {"choices": [{"message": {"tool_calls": "f"}}]},
        {"choices": [{"message": {"function_call": "f"}}]}, {"choices": [{"message": {"content": [5]}}]},
    ],
)  # fmt: skip
def test_json_that_is_no_response_is_a_protocol_error(body: Any) -> None:
    with pytest.raises(ProtocolError, match="is not what openai_chat says"):
        parse_body(DIALECT, body, manifest())


NOTHING = [{"type": "ping"}, {"choices": []}, {"choices": None}, {}, {"choices": [{"index": 0, "delta": None}]}]


@pytest.mark.parametrize("odd", NOTHING)
def test_chunks_without_content_are_ignored(odd: dict[str, Any]) -> None:
    assert from_stream(odd, chunk({"content": "a"}), odd, chunk({"content": "b"}), odd, chunk({}, "stop"), odd).content == "ab"


FULL = {
    **chunk(
        {
            "content": [{"type": "text", "text": "a"}, {"type": "thinking", "thinking": [{"type": "text", "text": "t"}]}],
            "reasoning_details": [{"type": "reasoning.text", "text": "t", "index": 0}],
            "refusal": "r",
            "tool_calls": [{"index": 0, "id": "a", "type": "function", "function": {"name": "f", "arguments": "{}"}}],
            "function_call": {"name": "f", "arguments": "{}"},
            "audio": {"id": "au"},
        },
        "stop",
        usage={**COUNTS, "prompt_tokens_details": {"cached_tokens": 1}},
    ),
    "x_groq": {"usage": COUNTS},
    "base_resp": {"status_code": 0},
    "error": None,
}
JUNK = st.sampled_from(
    [None, True, -1, 5, 1e99, float("inf"), "", "x", [], [5], [[]], {}, {"type": 5}, {"x": [None]}, [{"index": "x"}]]
)


def paths_of(node: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    inner = node.items() if isinstance(node, dict) else enumerate(node) if isinstance(node, list) else ()
    return [path, *(deeper for key, value in inner for deeper in paths_of(value, (*path, key)))]


def replaced(node: Any, path: tuple[Any, ...], value: Any) -> Any:
    if not path:
        return value
    if isinstance(node, dict):
        return {**node, path[0]: replaced(node[path[0]], path[1:], value)}
    return [replaced(item, path[1:], value) if index == path[0] else item for index, item in enumerate(node)]


@pytest.mark.slow
@settings(max_examples=400)
@given(st.lists(st.tuples(st.sampled_from(paths_of(FULL)), JUNK), min_size=1, max_size=3))
def test_junk_anywhere_in_a_response_only_raises_our_errors(changes: list[tuple[tuple[Any, ...], Any]]) -> None:
    chunks = [replaced(FULL, path, junk) for path, junk in changes]
    for of in (manifest(), manifest("think_tags", "reasoning_not_in_completion")):
        with suppress(AiLibError):
            from_stream(FULL, *chunks, FULL, of=of)
        for junk in chunks:
            with suppress(AiLibError):
                parse_body(DIALECT, junk, of)
            DIALECT.parse_error(400, junk)
