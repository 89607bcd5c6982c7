"""What a fake provider sends next: a queue of scripted responses, errors and faults. No sockets."""

from __future__ import annotations

import threading
from collections import deque
from dataclasses import dataclass, field

from ..embedded import echo, vectors
from ..embedded.exchange import Rejected, kind_of
from ..errors import CLASSES, ConfigurationError
from ..types.response import Usage
from ..types.tools import ToolCall
from .faults import FAULTS

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from typing import Any

    from ..embedded.service import Model
    from ..types.embeddings import EmbeddingRequest, EmbeddingResponse
    from ..types.request import ChatRequest
    from ..types.response import ChatResponse

    #: A scripted call: a `ToolCall`, or (name, arguments).
    ScriptedCall = ToolCall | tuple[str, dict[str, Any]]


@dataclass(slots=True)
class Step:
    """One step of the script, for `times` requests.

    A step with an `operation` is for its requests only, and `model` responds to them. An `error` is sent without checking the
    request; `body` replaces its JSON. `options` are those of the `fault`.
    """

    times: int = 1
    operation: str | None = None
    model: Callable[[Any, str], Any] | None = None
    error: Rejected | None = None
    headers: dict[str, str] = field(default_factory=dict)
    body: Any = None
    fault: str | None = None
    options: dict[str, Any] = field(default_factory=dict)


class Queue:
    """The steps that are left. Thread-safe."""

    def __init__(self) -> None:
        self._steps: deque[Step] = deque()
        self._lock = threading.Lock()

    def add(self, step: Step) -> None:
        with self._lock:
            self._steps.append(step)

    def take(self, operation: str) -> Step | None:
        """The next step for a request of this operation, None if there is none.

        Steps for other operations are skipped, so that each operation has its own order. An error or a fault is for any
        request, but only after the steps before it.
        """
        with self._lock:
            for position, step in enumerate(self._steps):
                if step.operation == operation or (step.operation is None and position == 0):
                    step.times -= 1
                    if step.times <= 0:
                        del self._steps[position]
                    return step
                if step.operation is None:
                    break
            return None

    def put_back(self, step: Step) -> None:
        """Undoes a `take`: the request was rejected, so the step was not used."""
        with self._lock:
            step.times += 1
            if not any(other is step for other in self._steps):
                self._steps.appendleft(step)

    def __len__(self) -> int:
        with self._lock:
            return sum(step.times for step in self._steps)


def fixed_response(
    text: str = "",
    *,
    thinking: str = "",
    tool_calls: Sequence[ScriptedCall] = (),
    finish_reason: str | None = None,
    usage: Usage | Mapping[str, int] | None = None,
    refusal: str | None = None,
) -> Model:
    """A model that always responds with this. Neither stop sequences nor max_tokens cut the text."""

    def model(request: ChatRequest, digest: str) -> ChatResponse:
        calls = [_call(call, f"{digest[:20]}{index}") for index, call in enumerate(tool_calls)]
        response = echo.compose(request, digest, text, thinking, calls)
        if usage is not None:
            response.usage = usage if isinstance(usage, Usage) else _usage(usage)
        if refusal is not None:
            response.refusal, response.finish_reason = refusal, "content_filter"
        if finish_reason is not None:
            response.finish_reason = finish_reason
        return response

    return model


def fixed_vectors(given: Sequence[Sequence[float]]) -> Callable[[EmbeddingRequest, str], EmbeddingResponse]:
    """An embedding model that always responds with these vectors."""
    fixed = [list(map(float, vector)) for vector in given]

    def model(request: EmbeddingRequest, digest: str) -> EmbeddingResponse:
        return vectors.compose(request, digest, fixed)

    return model


def _call(call: ScriptedCall, id: str) -> ToolCall:
    if isinstance(call, ToolCall):
        return ToolCall(call.id or id, call.name, call.arguments, call.arguments_raw)
    name, arguments = call
    return ToolCall(id, name, arguments)


def _usage(counts: Mapping[str, Any]) -> Usage:
    usage = Usage(**counts)
    if usage.total_tokens is None and usage.prompt_tokens is not None and usage.completion_tokens is not None:
        usage.total_tokens = usage.prompt_tokens + usage.completion_tokens
    return usage


def scripted_error(status: int, code: str | None, type: str | None, message: str | None) -> Rejected:
    """The error with this status. A `code` that is a standard name (`quota_exhausted`) selects the service's own words."""
    kind = kind_of(status)
    if code is not None and code in CLASSES:
        kind, code = code, None
    if message is None:
        message = "" if kind == "authentication" else f"Scripted: {kind.replace('_', ' ')}."
    return Rejected(message, kind, status=status, code=code, type=type)


def check_fault(name: str) -> str:
    """The name of the fault. Raises ConfigurationError if there is no such fault."""
    if name not in FAULTS:
        from difflib import get_close_matches

        near = get_close_matches(name, FAULTS, 3) or sorted(FAULTS)
        raise ConfigurationError(f"there is no fault {name!r}; there is {', '.join(near)}")
    return name
