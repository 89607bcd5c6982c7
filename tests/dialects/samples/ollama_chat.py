"""Samples of Ollama's chat format."""

from __future__ import annotations

from typing import Any

from ailib_sync.errors import RateLimited, ServerError

from . import Samples

END = {
    "model": "m",
    "created_at": "2026-01-01T00:00:00Z",
    "message": {"role": "assistant", "content": ""},
    "done": True,
    "done_reason": "stop",
    "prompt_eval_count": 9,
    "eval_count": 3,
}


def line(message: dict[str, Any]) -> tuple[str, Any]:
    return "message", {"model": "m", "message": {"role": "assistant", **message}, "done": False}


SAMPLES = Samples(
    model="ollama/llama3.3",
    path="/api/chat",
    responses=[
        {
            **END,
            "message": {
                "role": "assistant",
                "content": "Grüße",
                "thinking": "hm",
                "tool_calls": [{"id": "c1", "function": {"index": 0, "name": "weather", "arguments": {"city": "Ulm"}}}],
            },
        }
    ],
    streams=[
        [
            line({"content": "", "thinking": "hm"}),
            line({"content": "Grü"}),
            line({"content": "ße"}),
            line({"content": "", "tool_calls": [{"function": {"name": "weather", "arguments": {"city": "Ulm"}}}]}),
            ("message", END),
        ],
        [line({"content": "a"}), ("message", {"error": "out of memory"})],
    ],
    errors=[{"error": "model not found"}],
    wire_names={
        "temperature": {"temperature"},
        "max_tokens": {"num_predict"},
        "top_p": {"top_p"},
        "top_k": {"top_k"},
        "stop": {"stop"},
        "seed": {"seed"},
        "frequency_penalty": {"frequency_penalty"},
        "presence_penalty": {"presence_penalty"},
        "response_format": {"format"},
    },
    extra={"keep_alive": "5m"},
    reasoning_styles={"think"},
    unsupported={"audio", "documents", "image URLs"},
    less_exact_errors={"quota_exhausted": RateLimited, "stream overloaded": ServerError, "stream rate_limited": ServerError},
    recorded_as=("ollama",),
    aimock=("ollama/qwen3", "/api"),
)
