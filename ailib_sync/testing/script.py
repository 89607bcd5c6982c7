"""What a fake provider answers next: a queue of replies, refusals and faults. No sockets."""

from __future__ import annotations

import threading
from collections import deque
from dataclasses import dataclass, field

from ..embedded.echo import compose
from ..embedded.exchange import Refused, kind_of
from ..errors import CLASSES, ConfigurationError
from ..types.response import Usage
from ..types.tools import ToolCall
from .faults import FAULTS

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from typing import Any

    from ..embedded.service import Model
    from ..types.request import ChatRequest
    from ..types.response import ChatResponse

    #: A call to make: a `ToolCall`, or (name, arguments).
    Called = ToolCall | tuple[str, dict[str, Any]]


@dataclass(slots=True)
class Step:
    """One scripted answer, for `times` requests. A `refusal` is given whatever was asked; `body` replaces its JSON."""

    times: int = 1
    model: Model | None = None
    refusal: Refused | None = None
    headers: dict[str, str] = field(default_factory=dict)
    body: Any = None
    fault: str | None = None
    options: dict[str, Any] = field(default_factory=dict)


class Queue:
    """The steps that are left. Shared by the connections' threads."""

    def __init__(self) -> None:
        self._steps: deque[Step] = deque()
        self._lock = threading.Lock()

    def add(self, step: Step) -> None:
        with self._lock:
            self._steps.append(step)

    def take(self) -> Step | None:
        """The next step, None where the script is at its end."""
        with self._lock:
            if not self._steps:
                return None
            step = self._steps[0]
            step.times -= 1
            if step.times <= 0:
                self._steps.popleft()
            return step

    def give_back(self, step: Step) -> None:
        """The step was not used, since the request itself was refused."""
        with self._lock:
            step.times += 1
            if not self._steps or self._steps[0] is not step:
                self._steps.appendleft(step)

    def __len__(self) -> int:
        with self._lock:
            return sum(step.times for step in self._steps)


def said(
    text: str = "",
    *,
    thinking: str = "",
    tool_calls: Sequence[Called] = (),
    finish_reason: str | None = None,
    usage: Usage | Mapping[str, int] | None = None,
    refusal: str | None = None,
) -> Model:
    """A model that always says this. The text goes out as it stands: neither stop sequences nor max_tokens cut it."""

    def model(asked: ChatRequest, stamp: str) -> ChatResponse:
        calls = [_call(call, f"{stamp[:20]}{index}") for index, call in enumerate(tool_calls)]
        answer = compose(asked, stamp, text, thinking, calls)
        if usage is not None:
            answer.usage = usage if isinstance(usage, Usage) else _usage(usage)
        if refusal is not None:
            answer.refusal, answer.finish_reason = refusal, "content_filter"
        if finish_reason is not None:
            answer.finish_reason = finish_reason
        return answer

    return model


def _call(call: Called, id: str) -> ToolCall:
    if isinstance(call, ToolCall):
        return ToolCall(call.id or id, call.name, call.arguments, call.arguments_raw)
    name, arguments = call
    return ToolCall(id, name, arguments)


def _usage(figures: Mapping[str, Any]) -> Usage:
    usage = Usage(**figures)
    if usage.total_tokens is None and usage.prompt_tokens is not None and usage.completion_tokens is not None:
        usage.total_tokens = usage.prompt_tokens + usage.completion_tokens
    return usage


def refused(status: int, code: str | None, type: str | None, message: str | None) -> Refused:
    """The refusal for a status. A `code` that is a standard name (`quota_exhausted`) picks the service's own words for it."""
    kind = kind_of(status)
    if code is not None and code in CLASSES:
        kind, code = code, None
    if message is None:
        message = "" if kind == "authentication" else f"Scripted: {kind.replace('_', ' ')}."
    return Refused(message, kind, status=status, code=code, type=type)


def checked_fault(name: str) -> str:
    if name not in FAULTS:
        from difflib import get_close_matches

        near = get_close_matches(name, FAULTS, 3) or sorted(FAULTS)
        raise ConfigurationError(f"there is no fault {name!r}; there is {', '.join(near)}")
    return name
