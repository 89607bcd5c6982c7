"""A pool with urllib3's `urlopen` that answers from a list and keeps what it was sent: the seam `AiClient(http=…)`."""

from __future__ import annotations

import io
import json
from collections.abc import Mapping
from typing import Any

from urllib3 import HTTPResponse

from ailib_sync import AiClient

Answer = tuple[int, Mapping[str, str], bytes]


def chat(text: str = "Hi", model: str = "m-1", **message: Any) -> Answer:
    """A whole Chat Completions answer."""
    body = {
        "id": "chatcmpl-1",
        "model": model,
        "choices": [{"index": 0, "message": {"role": "assistant", "content": text, **message}, "finish_reason": "stop"}],
        "usage": {"prompt_tokens": 3, "completion_tokens": 2, "total_tokens": 5},
    }
    return 200, {"content-type": "application/json", "x-request-id": "req_1"}, json.dumps(body).encode()


def chat_stream(*texts: str, end: str = "data: [DONE]\n\n") -> Answer:
    """A streamed Chat Completions answer, one chunk a text."""
    chunks = [{"id": "chatcmpl-1", "model": "m-1", "choices": [{"index": 0, "delta": {"content": text}}]} for text in texts]
    chunks.append({"choices": [{"index": 0, "delta": {}, "finish_reason": "stop"}]})
    chunks.append({"choices": [], "usage": {"prompt_tokens": 3, "completion_tokens": len(texts)}})
    frames = "".join(f"data: {json.dumps(chunk)}\n\n" for chunk in chunks)
    return 200, {"content-type": "text/event-stream", "x-request-id": "req_1"}, (frames + end).encode()


def error_response(status: int, message: str = "no", **headers: str) -> Answer:
    """An error in OpenAI's form; headers are given with underscores for hyphens."""
    names = {name.replace("_", "-"): value for name, value in headers.items()}
    return status, {"content-type": "application/json", **names}, json.dumps({"error": {"message": message}}).encode()


class Pool:
    """Answers in order, the last one for ever. `sent` holds (method, url, headers, body as JSON), `timeouts` urllib3's."""

    def __init__(self, *answers: Answer | Exception) -> None:
        self.answers = list(answers) or [chat()]
        self.sent: list[tuple[str, str, dict[str, str], Any]] = []
        self.timeouts: list[Any] = []

    def urlopen(self, method: str, url: str, **kwargs: Any) -> HTTPResponse:
        self.sent.append((method, url, dict(kwargs["headers"]), json.loads(kwargs["body"])))
        self.timeouts.append(kwargs["timeout"])
        answer = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        if isinstance(answer, Exception):
            raise answer
        status, headers, body = answer
        return HTTPResponse(io.BytesIO(body), headers, status, preload_content=False, request_method=method)

    @property
    def url(self) -> str:
        return self.sent[-1][1]

    @property
    def headers(self) -> dict[str, str]:
        return self.sent[-1][2]

    @property
    def body(self) -> Any:
        return self.sent[-1][3]


def client(model: str = "openai/gpt-4o", *answers: Answer | Exception, **options: Any) -> tuple[AiClient, Pool]:
    """A client over such a pool. It waits for nothing between attempts."""
    from ailib_sync import RetryPolicy

    pool = Pool(*answers)
    options = {"api_key": "k-1", "retry": RetryPolicy(base_delay=0.0), **options}
    return AiClient(model, http=pool, **options), pool
