"""What a caller asks for: `ChatRequest`, its options, and the ledger of what became of them. Values only."""

from __future__ import annotations

from .._dataclass import dataclass, field
from .messages import Message
from .tools import Tool

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

#: The options that every provider either takes, under some name, or is said not to take.
OPTIONS = (
    "temperature",
    "max_tokens",
    "top_p",
    "top_k",
    "stop",
    "seed",
    "frequency_penalty",
    "presence_penalty",
    "tool_choice",
    "parallel_tool_calls",
    "response_format",
    "reasoning",
)


@dataclass(frozen=True, slots=True)
class Reasoning:
    """How much the model shall think. `effort` is `none`, `minimal`, `low`, `medium`, `high`, `xhigh` or `max`;
    `budget_tokens` bounds the thinking where a provider counts it so; `visible` asks for the thoughts or their summary."""

    effort: str | None = None
    budget_tokens: int | None = None
    visible: bool | None = None

    @property
    def off(self) -> bool:
        return self.effort == "none" or self.budget_tokens == 0


@dataclass(frozen=True, slots=True)
class ToolChoice:
    """`mode` is `auto`, `none`, `required`, or `tool` with the `name` of the one to call."""

    mode: str
    name: str | None = None


@dataclass(frozen=True, slots=True)
class ResponseFormat:
    """`kind` is `text`, `json` (any JSON object) or `json_schema` with `schema` and a `name` for it."""

    kind: str
    schema: Mapping[str, Any] | None = None
    name: str = "answer"
    strict: bool | None = True


@dataclass(frozen=True, slots=True)
class ChatRequest:
    """A whole request, ready for any dialect. `options` holds only what was set, by the names in `OPTIONS`:
    `stop` a tuple of strings, `tool_choice` a `ToolChoice`, `response_format` a `ResponseFormat`, `reasoning` a `Reasoning`.
    `extra` goes into the body as given, last; `headers` onto the wire."""

    model: str
    messages: tuple[Message, ...] = ()
    tools: tuple[Tool, ...] = ()
    options: Mapping[str, Any] = field(default_factory=dict)
    extra: Mapping[str, Any] = field(default_factory=dict)
    headers: Mapping[str, str] = field(default_factory=dict)
    stream: bool = False


@dataclass(frozen=True, slots=True)
class LedgerEntry:
    """What became of one option: `action` is `sent`, `renamed`, `defaulted`, `changed` or `dropped`; `source` is the line
    of the manifest (or the dialect) that decided it."""

    option: str
    action: str
    detail: str
    source: str


@dataclass(slots=True)
class Ledger:
    """What a dialect did with each option, kept while it renders a body. Dropped and changed options become warnings."""

    entries: list[LedgerEntry] = field(default_factory=list)

    def note(self, option: str, action: str, detail: str, source: str) -> None:
        self.entries.append(LedgerEntry(option, action, detail, source))

    def dropped(self, option: str, detail: str, source: str) -> None:
        """`option` is left out of the body; `detail` says why, as a clause ("is not taken by …")."""
        self.note(option, "dropped", detail, source)

    def changed(self, option: str, detail: str, source: str) -> None:
        """`option` is sent with another value than was asked for."""
        self.note(option, "changed", detail, source)

    @property
    def warnings(self) -> list[str]:
        """One sentence for each thing the caller asked for that is not done as asked."""
        return [f"{entry.option} {entry.detail}" for entry in self.entries if entry.action in ("dropped", "changed")]
