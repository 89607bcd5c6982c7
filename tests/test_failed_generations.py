"""Finish reasons that mean failure: such a response is an error with what arrived, never a short success."""

from __future__ import annotations

import json
from typing import Any

import pytest

from ailib_sync import AiClient, Overloaded, ProviderTimeout, RemoteError, ServerError

from . import wire
from .local_server import LocalServer


def openai_chat(word: str) -> tuple[Any, list[Any]]:
    choice = {"index": 0, "message": {"role": "assistant", "content": "Half"}, "finish_reason": word}
    deltas = [{"index": 0, "delta": {"content": "Half"}}, {"index": 0, "delta": {}, "finish_reason": word}]
    return {"choices": [choice], "usage": {"prompt_tokens": 1}}, [{"choices": [delta]} for delta in deltas]


def gemini_generate(word: str) -> tuple[Any, list[Any]]:
    whole = {"candidates": [{"content": {"role": "model", "parts": [{"text": "Half"}]}, "finishReason": word}]}
    return whole, [whole]


def cohere_chat(word: str) -> tuple[Any, list[Any]]:
    whole = {"id": "1", "finish_reason": word, "message": {"role": "assistant", "content": [{"type": "text", "text": "Half"}]}}
    delta = {"message": {"content": {"type": "text", "text": "Half"}}}
    return whole, [
        {"type": "message-start", "id": "1", "delta": {"message": {"role": "assistant"}}},
        {"type": "content-start", "index": 0, "delta": {"message": {"content": {"type": "text", "text": ""}}}},
        {"type": "content-delta", "index": 0, "delta": delta},
        {"type": "message-end", "delta": {"finish_reason": word}},
    ]


def bedrock_converse(word: str) -> tuple[Any, list[Any]]:
    return {"output": {"message": {"role": "assistant", "content": [{"text": "Half"}]}}, "stopReason": word}, []


@pytest.mark.parametrize(
    ("model", "make", "word", "kind"),
    [
        ("deepseek/x", openai_chat, "insufficient_system_resource", Overloaded),
        ("zhipu/x", openai_chat, "network_error", ServerError),
        ("mistral/x", openai_chat, "error", ServerError),
        ("vllm/x", openai_chat, "abort", ServerError),
        ("gemini/x", gemini_generate, "MALFORMED_FUNCTION_CALL", ServerError),
        ("gemini/x", gemini_generate, "UNEXPECTED_TOOL_CALL", ServerError),
        ("gemini/x", gemini_generate, "MALFORMED_RESPONSE", ServerError),
        ("cohere/x", cohere_chat, "TIMEOUT", ProviderTimeout),
        ("bedrock/x", bedrock_converse, "malformed_model_output", ServerError),
        ("bedrock/x", bedrock_converse, "malformed_tool_use", ServerError),
    ],
)
@pytest.mark.parametrize("stream", [False, True])
def test_a_finish_reason_that_means_failure_is_an_error(
    model: str, make: Any, word: str, kind: type[RemoteError], stream: bool
) -> None:
    body, events = make(word)
    if stream and not events:
        pytest.skip("streams of this format are tested in tests/dialects")
    sse = "".join(f"data: {json.dumps(event)}\n\n" for event in events).encode()
    reply = wire.reply(200, sse, {"Content-Type": "text/event-stream"}) if stream else wire.reply(200, body)
    with LocalServer(lambda peer, request: peer.send(reply) or True) as server:
        chat = AiClient(model, base_url=server.url, api_key="k", retry=0).chat().user("Hi")
        with pytest.raises(kind, match=f"the generation failed, with the finish reason {word}") as caught:
            list(chat.stream()) if stream else chat.execute()
    error = caught.value
    assert type(error) is kind
    assert (error.error_code, error.provider) == (word, model.partition("/")[0])
    assert error.partial is not None
    assert error.partial.content == "Half"
    assert error.partial.raw_finish_reason == word
    assert error.retryable


def test_a_failure_before_any_text_is_retried() -> None:
    failed = {"choices": [{"index": 0, "message": {"content": ""}, "finish_reason": "error"}]}
    bodies = [failed, wire.completion()]
    with LocalServer(lambda peer, request: peer.send(wire.reply(200, bodies[request.number - 1])) or True) as server:
        client = AiClient("mistral/x", base_url=server.url, api_key="k", retry=1)
        assert client.chat().user("Hi").execute().content
        assert len(server.requests) == 2
