"""Media that a model does not support, by the list of models, give a warning, and an error with `strict`."""

from __future__ import annotations

from typing import Any

import pytest

from ailib_sync import AiClient, Audio, ConfigurationError, Document, Image, Message, ToolCall

PNG, PDF = Image("image/png", b"\x89PNG\r\n\x1a\n"), Document("application/pdf", b"%PDF-1.4")


@pytest.mark.parametrize(
    ("model", "content", "lacking"),
    [
        ("groq/llama-3.3-70b-versatile", ["x", PNG], ["vision"]),
        ("groq/llama-3.3-70b-versatile", ["x", PNG, PNG, PDF], ["vision", "documents"]),
        ("groq/llama-3.3-70b-versatile", ["x", Document("text/plain", b"x")], []),
        ("openai/gpt-4o", ["x", PNG, PDF], []),
        ("openai/gpt-4o", ["x", Audio("audio/wav", b"RIFF....WAVE")], ["audio"]),
        ("anthropic/claude-sonnet-4-5", ["x", PNG, PDF], []),
        ("openai/a-model-that-nobody-knows", ["x", PNG], []),
    ],
)
def test_media_that_the_model_does_not_support_give_a_warning(model: str, content: Any, lacking: list[str]) -> None:
    shown = AiClient(model, api_key="k").chat().user(content).explain()
    details = [entry.detail.partition(",")[0] for entry in shown.ledger if entry.option == "media"]
    assert details == [f"needs {it}" for it in lacking]
    if lacking:
        with pytest.raises(ConfigurationError, match=f"strict: media needs {lacking[0]}, which"):
            AiClient(model, api_key="k", strict=True).chat().user(content).execute()


def test_media_in_the_result_of_a_tool_count_too() -> None:
    call = Message.assistant("", [ToolCall("a", "f")])
    chat = AiClient("groq/llama-3.3-70b-versatile", api_key="k").chat().user("x").message(call).tool_result("a", ["see", PNG])
    assert [entry.option for entry in chat.explain().ledger if entry.action == "changed"] == ["media"]
