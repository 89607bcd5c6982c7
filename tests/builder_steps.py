"""Every method of the builder that returns a builder, with valid arguments. A new option needs one row here.

For an option that is sent under a name, the row also has its value in the body, and its names there. A new format adds its
names in its samples (tests/dialects/samples).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from ailib_sync import Message, Tool
from ailib_sync.builder import ChatBuilder


@dataclass(frozen=True)
class Step:
    method: str
    args: tuple[Any, ...] = ()
    kwargs: Mapping[str, Any] = field(default_factory=dict)
    #: In the body. A value that no default equals.
    value: Any = None
    wire_names: frozenset[str] = frozenset()

    def __call__(self, builder: ChatBuilder) -> ChatBuilder:
        result = getattr(builder, self.method)(*self.args, **self.kwargs)
        assert isinstance(result, ChatBuilder)
        return result


def option(name: str, value: Any, *wire_names: str) -> Step:
    """A plain option: its method, and its value and names in a body."""
    return Step(name, (value,), {}, value, frozenset({name, *wire_names}))


PLAIN_OPTIONS = (
    option("temperature", 0.4),
    option("max_tokens", 2345, "max_completion_tokens", "max_output_tokens", "maxOutputTokens", "maxTokens", "num_predict"),
    option("top_p", 0.93, "topP", "p"),
    option("top_k", 7, "topK", "k"),
    Step("stop", ("qqq",), {}, ["qqq"], frozenset({"stop", "stop_sequences", "stopSequences"})),
    option("seed", 4711, "random_seed"),
    option("frequency_penalty", 0.25, "frequencyPenalty"),
    option("presence_penalty", 0.75, "presencePenalty"),
)
#: Options with a form of their own, which each format renders in its own way.
STRUCTURED_OPTIONS = (
    Step("tools", (Tool("weather"),), {"parallel": False}),
    Step("tool_choice", ("auto",)),
    Step("response_format", ("json",)),
    Step("reasoning", ("low",)),
)
STEPS = (
    Step("system", ("Be brief.",)),
    Step("user", ("Hello",)),
    Step("assistant", ("Hi",)),
    Step("message", (Message.user("Hello"),)),
    Step("messages", ([Message.user("Hello")],)),
    Step("tool_result", ("call_1", {"a": 1})),
    *PLAIN_OPTIONS,
    *STRUCTURED_OPTIONS,
    Step("extra", (), {"service_tier": "flex"}),
    Step("header", ("x-trace", "1")),
    Step("timeout", (5,)),
    Step("model", ("gpt-4.1",)),
)
