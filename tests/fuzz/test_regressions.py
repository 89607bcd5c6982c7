"""What fuzzing once found, as the wire bytes that led to it, and the seeds; every target is run on them."""

from __future__ import annotations

import pytest

from .targets import TARGETS

#: (target, wire bytes). The first two bytes of a dialect's are the way in and the manifest; see targets.py.
FOUND = [
    ("chunked", b"5\r\nhello\r\n\x95;x=y\r\n!\r\n0\r\nt: v\r\n\r\n"),  # what came before a bad chunk size was lost
    ("chunked", b"0\r\n" + b"x" * 1400),  # a dripping trailer was counted again with each piece
    ("openai_chat", b"\x04\x00" + b'{"error":' + b"[" * 300 + b"]" * 300 + b"}"),  # a message that lies deep
    (
        "openai_chat",
        b'\x02\x00{"choices":[{"message":{"content":[{"type":"thinking","thinking":"hm","signature":7}]}}]}',
    ),  # a signature that is none
    (
        "openai_chat",
        b"\x00\x00"
        + b'data: {"choices":[{"delta":{"reasoning_details":[{"type":"reasoning.text","id":[]}]}}]}\n\n' * 2
        + b"data: [DONE]\n\n",
    ),  # an id that cannot be looked up
    ("ollama_chat", b"\x02\x00" + b'{"message":{"content":["x"]},"model":9}'),  # text that is none
    ("ollama_chat", b"\x00\x00" + b'{"message":{"content":"x"},"done":true,"eval_count":1e999}\n'),  # counts that are none
    ("ollama_chat", b"\x04\x02" + b'{"error":{"type":["x"],"code":{}}}'),  # words that are none
    (
        "ollama_chat",
        b'\x02\x00{"created_at":"\\ud800","message":{"tool_calls":[{"function":{"name":"f"}}]}}',
    ),  # half a surrogate pair
    ("cohere_chat", b"\x02\x00" + b'{"message":{},"usage":{"tokens":{"input_tokens":1e999}}}'),
    ("gemini_generate", b"\x02\x00" + b'{"candidates":[{"finishReason":"STOP"}],"usageMetadata":{"totalTokenCount":"7"}}'),
    ("bedrock_converse", b"\x02\x00" + b'{"output":{"message":{"content":[{"toolUse":{"toolUseId":1,"name":[]}}]}}}'),
    ("bedrock_converse", b"\x02\x00" + b'{"output":{"message":{"content":[]}},"stopReason":[],"usage":{"inputTokens":"x"}}'),
]


@pytest.mark.parametrize(("target", "wire"), FOUND, ids=[f"{target}-{number}" for number, (target, _) in enumerate(FOUND)])
def test_what_was_found_is_mended(target: str, wire: bytes) -> None:
    TARGETS[target].check(wire)


@pytest.mark.parametrize("name", TARGETS)
def test_a_target_begins_with_seeds_that_keep_its_promises(name: str) -> None:
    target = TARGETS[name]
    seeds = target.seeds()
    assert seeds
    for seed in seeds:
        target.check(target.make(seed))


def test_a_broken_promise_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    """The checks can fail: a decoder that drops an event is caught."""
    monkeypatch.setattr("tests.fuzz.targets.parse_sse", lambda chunks, max_event: iter([]))
    with pytest.raises(AssertionError):
        TARGETS["sse"].check(b"data: a\n\n")
