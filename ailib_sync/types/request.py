"""`ChatRequest`, its options, and the ledger of how each option was handled. Values only."""

from __future__ import annotations

from .._dataclass import dataclass, field
from .messages import Message
from .tools import Tool

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any, Literal, Protocol, TypeAlias

    Effort: TypeAlias = Literal["none", "minimal", "low", "medium", "high", "xhigh", "max"]
    ToolChoiceMode: TypeAlias = Literal["auto", "none", "required", "tool"]
    ResponseFormatKind: TypeAlias = Literal["text", "json", "json_schema"]

    class Request(Protocol):
        """The attributes of every operation's request. `extra` is merged into the body last; `headers` are sent too."""

        @property
        def model(self) -> str: ...
        @property
        def extra(self) -> Mapping[str, Any]: ...
        @property
        def headers(self) -> Mapping[str, str]: ...
        @property
        def stream(self) -> bool: ...


#: The efforts of thinking, in ascending order.
EFFORTS: tuple[Effort, ...] = ("none", "minimal", "low", "medium", "high", "xhigh", "max")


@dataclass(frozen=True, slots=True)
class Reasoning:
    """How much the model should think. `effort` is `none`, `minimal`, `low`, `medium`, `high`, `xhigh` or `max`;
    `budget_tokens` limits the thinking, for providers with a token budget; `visible` requests the thinking or its summary."""

    effort: Effort | None = None
    budget_tokens: int | None = None
    visible: bool | None = None

    @property
    def off(self) -> bool:
        """Whether thinking is switched off explicitly."""
        return self.effort == "none" or self.budget_tokens == 0

    @property
    def hides_only(self) -> bool:
        """Whether the only request is to hide the thinking."""
        return self.visible is False and self.effort is None and self.budget_tokens is None


@dataclass(frozen=True, slots=True)
class ToolChoice:
    """`mode` is `auto`, `none`, `required`, or `tool`, which forces the tool with this `name`."""

    mode: ToolChoiceMode
    name: str | None = None


@dataclass(frozen=True, slots=True)
class ResponseFormat:
    """`kind` is `text`, `json` (any JSON object) or `json_schema` with `schema` and a `name` for it."""

    kind: ResponseFormatKind
    schema: Mapping[str, Any] | None = None
    name: str = "answer"
    strict: bool | None = True


@dataclass(frozen=True, slots=True)
class ChatOptions:
    """The options of a chat; None is unset. Providers have different names for them, and do not support all of them."""

    temperature: float | None = None
    max_tokens: int | None = None
    top_p: float | None = None
    stop: tuple[str, ...] | None = None
    seed: int | None = None
    top_k: int | None = None
    frequency_penalty: float | None = None
    presence_penalty: float | None = None
    tool_choice: ToolChoice | None = None
    parallel_tool_calls: bool | None = None
    response_format: ResponseFormat | None = None
    reasoning: Reasoning | None = None

    def given(self) -> dict[str, Any]:
        """The options that are set, by name."""
        if self is NO_OPTIONS:
            return {}
        return {name: value for name in OPTIONS if (value := getattr(self, name)) is not None}


#: The names of the options.
OPTIONS: tuple[str, ...] = ChatOptions.__match_args__
NO_OPTIONS = ChatOptions()


@dataclass(frozen=True, slots=True)
class ChatRequest:
    """A complete chat request, for any dialect. `extra` is merged into the body last; `headers` are sent too."""

    model: str
    messages: tuple[Message, ...] = ()
    tools: tuple[Tool, ...] = ()
    options: ChatOptions = NO_OPTIONS
    extra: Mapping[str, Any] = field(default_factory=dict)
    headers: Mapping[str, str] = field(default_factory=dict)
    stream: bool = False


@dataclass(frozen=True, slots=True)
class LedgerEntry:
    """How one option was handled: `action` is `sent`, `renamed`, `defaulted`, `changed` or `dropped`; `source` is the key of
    the manifest, or the dialect, that decided it."""

    option: str
    action: str
    detail: str
    source: str


@dataclass(slots=True)
class Ledger:
    """How a dialect handled each option of a request. Dropped and changed options become warnings."""

    entries: list[LedgerEntry] = field(default_factory=list)

    def note(self, option: str, action: str, detail: str, source: str) -> None:
        self.entries.append(LedgerEntry(option, action, detail, source))

    def sent(self, option: str, wire: str, source: str, detail: str = "") -> None:
        """`option` has the name `wire` in this format; `detail` is for what that name does not say."""
        self.note(option, "sent" if wire == option else "renamed", detail or wire, source)

    def dropped(self, option: str, detail: str, source: str) -> None:
        """`option` is not in the body; `detail` is the reason, as a clause ("is not supported by …")."""
        self.note(option, "dropped", detail, source)

    def changed(self, option: str, detail: str, source: str) -> None:
        """`option` is sent with a different value; `detail` is a clause ("is sent as …")."""
        self.note(option, "changed", detail, source)

    @property
    def warnings(self) -> list[str]:
        """One sentence for each option that is dropped or changed."""
        return [f"{entry.option} {entry.detail}" for entry in self.entries if entry.action in ("dropped", "changed")]
