"""Samples of Chat Completions."""

from __future__ import annotations

from typing import Any

from ailib_sync.errors import ServerError

from . import FastSamples, Samples, sse


def chunk(delta: Any, finish: str | None = None, **keys: Any) -> tuple[str, Any]:
    choice = {"index": 0, "delta": delta, "finish_reason": finish, "logprobs": None}
    return "message", {
        "id": "c-1",
        "object": "chat.completion.chunk",
        "created": 7,
        "model": "m-1",
        "choices": [choice],
        **keys,
    }


def call_delta(index: int, arguments: str, **head: Any) -> dict[str, Any]:
    function = {"arguments": arguments, **({"name": head.pop("name")} if "name" in head else {})}
    return {"tool_calls": [{"index": index, "function": function, **head}]}


USAGE = {
    "prompt_tokens": 10,
    "completion_tokens": 4,
    "total_tokens": 14,
    "prompt_tokens_details": {"cached_tokens": 2},
    "completion_tokens_details": {"reasoning_tokens": 1},
}


CALL = {"id": "call_1", "type": "function", "function": {"name": "weather", "arguments": '{"city":"Ulm"}'}}


MESSAGE = {
    "role": "assistant",
    "content": "Grüße",
    "reasoning_content": "hm",
    "reasoning_details": [{"type": "reasoning.text", "text": "hm", "signature": "s"}],
    "refusal": None,
    "tool_calls": [CALL],
    "annotations": [{"type": "url_citation", "url_citation": {"url": "https://a.example", "title": "A"}}],
    "audio": None,
}


def text_frame(text: str, **more: Any) -> bytes:
    choice = {"index": 0, "delta": {"content": text}, "finish_reason": None}
    return sse({"id": "c1", "object": "chat.completion.chunk", "model": "m", "choices": [choice], **more})


def thinking_frame(text: str) -> bytes:
    delta = {"content": None, "reasoning_content": text}
    return sse({"id": "c1", "model": "m", "choices": [{"index": 0, "delta": delta, "finish_reason": None}]})


def arguments_frame(text: str) -> bytes:
    delta = {"tool_calls": [{"index": 0, "function": {"arguments": text}}]}
    return sse({"id": "c1", "model": "m", "choices": [{"index": 0, "delta": delta, "finish_reason": None}]})


SAMPLES = Samples(
    model="openai/gpt-4o",
    path="/v1/chat/completions",
    responses=[
        {
            "id": "c-1",
            "object": "chat.completion",
            "model": "m-1",
            "choices": [{"index": 0, "message": MESSAGE, "finish_reason": "tool_calls"}],
            "usage": USAGE,
        },
        {
            "choices": [
                {"message": {"content": [{"type": "text", "text": "a"}, {"type": "thinking", "thinking": [{"text": "b"}]}]}}
            ]
        },
        {"choices": [{"message": {"content": "<think>hm</think>a", "function_call": {"name": "f", "arguments": "{}"}}}]},
    ],
    streams=[
        [
            chunk({"role": "assistant", "content": ""}),
            chunk({"reasoning_content": "hm"}),
            chunk({"content": "Grü"}),
            chunk({"content": "ße"}),
            chunk(call_delta(0, "", id="call_1", type="function", name="weather")),
            chunk(call_delta(0, '{"city":')),
            chunk(call_delta(0, '"Ulm"}')),
            chunk(call_delta(1, "{}", id="call_2", type="function", name="time")),
            chunk({}, "tool_calls"),
            ("message", {"id": "c-1", "choices": [], "usage": USAGE}),
            ("message", None),
        ],
        [
            chunk({"content": "<think>hm</th"}),
            chunk({"content": "ink>a", "reasoning_details": [{"type": "reasoning.text", "text": "b", "index": 0}]}),
            chunk({"content": [{"type": "thinking", "thinking": [{"type": "text", "text": "c"}]}]}),
            chunk({"refusal": "no", "annotations": [{"type": "url_citation"}]}, "stop", usage=USAGE),
            ("message", None),
        ],
        [chunk({"content": "a"}), ("error", {"error": {"message": "busy", "type": "overloaded_error", "code": 503}})],
    ],
    errors=[
        {"error": {"message": "bad", "type": "invalid_request_error", "param": "model", "code": "model_not_found"}},
        {"detail": [{"loc": ["body", "model"], "msg": "field required", "type": "missing"}]},
        {"object": "error", "message": "bad", "code": 400},
        {"errors": [{"code": 10000, "message": "auth"}], "success": False},
        "<html>bad gateway</html>",
    ],
    wire_names={
        "temperature": {"temperature"},
        "max_tokens": {"max_completion_tokens", "max_tokens"},
        "top_p": {"top_p"},
        "top_k": {"top_k"},
        "stop": {"stop"},
        "seed": {"random_seed", "seed"},
        "frequency_penalty": {"frequency_penalty"},
        "presence_penalty": {"presence_penalty"},
        "tool_choice": {"tool_choice"},
        "parallel_tool_calls": {"parallel_tool_calls"},
        "response_format": {"response_format"},
    },
    extra={"user": "u-1"},
    reasoning_styles={"effort", "thinking_type", "enable_thinking", "reasoning_object", "template_kwargs"},
    less_exact_errors={"stream overloaded": ServerError},
    recorded_as=(
        "openai-chat",
        "bedrock-invoke-openai",
    ),
    aimock=("openai/gpt-4o", "/v1"),
    fast=FastSamples(
        text=text_frame,
        thinking=thinking_frame,
        arguments=arguments_frame,
        first=[
            sse({"id": "c1", "choices": [{"index": 0, "delta": {"role": "assistant", "content": ""}}]}),
            *(
                sse(
                    {
                        "id": "c1",
                        "choices": [
                            {
                                "index": 0,
                                "delta": {
                                    "tool_calls": [
                                        {
                                            "index": index,
                                            "id": f"t{index}",
                                            "type": "function",
                                            "function": {"name": "f", "arguments": ""},
                                        }
                                    ]
                                },
                            }
                        ],
                    }
                )
                for index in (1, 0)
            ),
        ],
        between=[
            arguments_frame("1").replace(b'"index": 0, "function"', b'"index": 1, "function"'),
            arguments_frame("1").replace(b'"index": 0, "function"', b'"index": 2, "function"'),
            arguments_frame("1").replace(b'"function": {', b'"id": "u", "function": {"name": "g", '),
            text_frame("also", usage={"prompt_tokens": 3, "completion_tokens": 1}),
            text_frame("other", id="c2"),
            text_frame("cited", citations=["https://a.example"]),
            sse({"id": "c1", "choices": [{"index": 1, "delta": {"content": "second choice"}}]}),
            sse({"id": "c1", "choices": [{"index": 0, "delta": {"content": "a", "annotations": [{"type": "x"}]}}]}),
            sse({"id": "c1", "choices": [{"index": 0, "delta": {"reasoning_content": "hm"}}]}),
            sse({"id": "c1", "choices": [{"index": 0, "delta": {"reasoning": "hm", "reasoning_details": [{"text": "hm"}]}}]}),
            sse({"id": "c1", "choices": [{"index": 0, "delta": {"reasoning": "hm", "content": "a"}}]}),
            sse({"error": {"message": "overloaded", "type": "server_error"}}),
        ],
        last=[sse({"id": "c1", "choices": [{"index": 0, "delta": {}, "finish_reason": "stop"}]}), b"data: [DONE]\n\n"],
    ),
)
