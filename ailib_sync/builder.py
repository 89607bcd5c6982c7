"""`ChatBuilder`: an immutable chat request. Checks values; its client sends the request."""

from __future__ import annotations

from ._arguments import no_attribute, number, whole
from ._dataclass import replace
from .errors import ConfigurationError
from .http.message import Headers, checked_headers
from .http.timeouts import CancelToken, Timeout
from .types.messages import BLOCKS, Message, MessageRole, Text
from .types.request import EFFORTS, ChatRequest, Reasoning, ResponseFormat, ToolChoice
from .types.tools import Tool

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from typing import Any, Literal

    from .client import AiClient
    from .pipeline.explanation import Explanation
    from .pipeline.stream import ChatStream
    from .types.messages import Block
    from .types.request import Effort, ResponseFormatKind, ToolChoiceMode
    from .types.response import CallStats, ChatResponse
    from .types.token_count import TokenCount

    Content = str | Block | list[str | Block]

_MODES: dict[str, ToolChoiceMode] = {"auto": "auto", "none": "none", "required": "required"}
_FORMATS: dict[str, ResponseFormatKind] = {"json": "json", "json_object": "json", "text": "text"}


class ChatBuilder:
    """Every method returns a new builder, so an unfinished chat can be kept, shared between threads and used again.

    `execute`, `execute_with_stats` and `stream` send it. An option that the provider or the model does not support is left out
    and named in `response.warnings`; a client with `strict=True` raises ConfigurationError instead.
    """

    __slots__ = ("_client", "_request", "_timeout")

    def __init__(self, client: AiClient, request: ChatRequest, timeout: Timeout | None = None) -> None:
        self._client = client
        self._request = request
        self._timeout = timeout

    def _with(self, **changes: Any) -> ChatBuilder:
        return ChatBuilder(self._client, replace(self._request, **changes), self._timeout)

    def _option(self, name: str, value: Any) -> ChatBuilder:
        return self._with(options=replace(self._request.options, **{name: value}))

    def _add(self, *messages: Message) -> ChatBuilder:
        return self._with(messages=(*self._request.messages, *messages))

    # messages

    def system(self, content: Content, *, cache: bool | str = False) -> ChatBuilder:
        """Adds a system message. `cache` marks its end as one of a prefix that the provider may cache; see `Text`."""
        return self._add(Message(MessageRole.SYSTEM, content_of("system", content, cache)))

    def user(self, content: Content, *, cache: bool | str = False) -> ChatBuilder:
        """Adds a user message: text, a block (`Image.from_path(…)`), or a list of both. `cache`: as in `system`."""
        return self._add(Message(MessageRole.USER, content_of("user", content, cache)))

    def assistant(self, content: Content) -> ChatBuilder:
        """Adds an assistant message."""
        return self._add(Message(MessageRole.ASSISTANT, content_of("assistant", content)))

    def message(self, message: Message | ChatResponse | Mapping[str, Any]) -> ChatBuilder:
        """Adds a message, or that of a response; a dict is read as `Message.from_dict` reads it."""
        return self._add(message_of(message))

    def messages(self, messages: Iterable[Message | ChatResponse | Mapping[str, Any]]) -> ChatBuilder:
        """Adds several messages. The caller's list is copied and never changed."""
        if isinstance(messages, (str, bytes, Message)) or not hasattr(messages, "__iter__"):
            raise ConfigurationError("messages: must be a list of Message; message() adds a single one")
        return self._add(*map(message_of, messages))

    def tool_result(
        self, tool_call_id: str, content: Content | Mapping[str, Any], *, name: str | None = None, is_error: bool = False
    ) -> ChatBuilder:
        """Adds the result of a tool call; a dict is sent as JSON text."""
        if not isinstance(tool_call_id, str) or not tool_call_id:
            raise ConfigurationError("tool_result: the id of the tool call comes first (tool_call.id)")
        if hasattr(content, "keys"):
            import json

            content = json.dumps(content, ensure_ascii=False)
        return self._add(Message.tool(tool_call_id, content_of("tool_result", content), name, is_error))

    # options

    def temperature(self, value: float) -> ChatBuilder:
        """From 0 to 2; the limit of some providers is lower."""
        return self._option("temperature", number("temperature", value, 0, 2))

    def top_p(self, value: float) -> ChatBuilder:
        """From 0 to 1."""
        return self._option("top_p", number("top_p", value, 0, 1))

    def top_k(self, value: int) -> ChatBuilder:
        """At least 1."""
        return self._option("top_k", whole("top_k", value, 1))

    def max_tokens(self, value: int) -> ChatBuilder:
        """The maximum number of tokens in the response, thinking included; at least 1."""
        return self._option("max_tokens", whole("max_tokens", value, 1))

    def stop(self, *sequences: str | Iterable[str]) -> ChatBuilder:
        """The sequences that end the response: `stop("END", "###")` or `stop(["END", "###"])`."""
        if len(sequences) == 1 and isinstance(sequences[0], (list, tuple)):
            sequences = tuple(sequences[0])
        for sequence in sequences:
            if not isinstance(sequence, str) or not sequence:
                raise ConfigurationError(f"stop: every stop sequence must be a non-empty string, not {sequence!r}")
        if not sequences:
            raise ConfigurationError("stop: give at least one stop sequence")
        return self._option("stop", sequences)

    def seed(self, value: int) -> ChatBuilder:
        """A whole number. The same seed tends to give the same response."""
        return self._option("seed", whole("seed", value, None))

    def frequency_penalty(self, value: float) -> ChatBuilder:
        """From -2 to 2."""
        return self._option("frequency_penalty", number("frequency_penalty", value, -2, 2))

    def presence_penalty(self, value: float) -> ChatBuilder:
        """From -2 to 2."""
        return self._option("presence_penalty", number("presence_penalty", value, -2, 2))

    def tools(self, *tools: Any, parallel: bool | None = None) -> ChatBuilder:
        """The tools that the model may call: `Tool`s, annotated functions, or dicts in OpenAI's format.

        `parallel=False`: at most one call in each response.
        """
        if len(tools) == 1 and isinstance(tools[0], (list, tuple)):
            tools = tuple(tools[0])
        made = tuple(map(tool_of, tools))
        names = [tool.name for tool in made]
        if len(set(names)) < len(names):
            raise ConfigurationError(f"tools: two tools have the same name in {', '.join(names)}")
        builder = self._with(tools=made)
        return builder if parallel is None else builder._option("parallel_tool_calls", bool(parallel))

    def tool_choice(self, choice: ToolChoiceMode | str | Tool) -> ChatBuilder:
        """`auto`, `none`, `required`, or the tool that must be called, or its name."""
        if isinstance(choice, Tool):
            return self._option("tool_choice", ToolChoice("tool", choice.name))
        if not isinstance(choice, str) or not choice:
            raise ConfigurationError(f"tool_choice: must be auto, none, required or a tool's name, not {choice!r}")
        mode = _MODES.get(choice)
        return self._option("tool_choice", ToolChoice(mode) if mode else ToolChoice("tool", choice))

    def response_format(
        self, format: Literal["json", "text"] | Mapping[str, Any], *, name: str = "answer", strict: bool | None = True
    ) -> ChatBuilder:
        """`json` for any JSON object, `text`, or a JSON Schema (a dict) that the response must match."""
        if isinstance(format, str):
            kind = _FORMATS.get(format)
            if kind is None:
                raise ConfigurationError(f'response_format: must be "json", "text" or a JSON Schema, not {format!r}')
            return self._option("response_format", ResponseFormat(kind))
        if not hasattr(format, "keys") or isinstance(format, type):
            raise ConfigurationError(f'response_format: must be "json", "text" or a JSON Schema, not {format!r}')
        inner = format.get("json_schema") if format.get("type") == "json_schema" else None
        if inner is not None:
            return self._option(
                "response_format",
                ResponseFormat("json_schema", inner.get("schema", {}), inner.get("name", name), inner.get("strict", strict)),
            )
        if format.get("type") in ("json_object", "text") and len(format) == 1:
            return self.response_format(format["type"])
        return self._option("response_format", ResponseFormat("json_schema", format, name, strict))

    def reasoning(
        self, effort: Effort | None = None, *, budget_tokens: int | None = None, visible: bool | None = None
    ) -> ChatBuilder:
        """How much the model thinks first: an `effort` from `none` to `max`, or a budget in tokens. `visible` requests the
        thinking, or its summary, if the provider shows it."""
        if effort is not None and effort not in EFFORTS:
            raise ConfigurationError(f"reasoning: effort must be one of {', '.join(EFFORTS)}, not {effort!r}")
        if budget_tokens is not None:
            whole("reasoning: budget_tokens", budget_tokens, 0)
        if effort is None and budget_tokens is None and visible is None:
            raise ConfigurationError("reasoning: give an effort, a budget_tokens or visible")
        return self._option("reasoning", Reasoning(effort, budget_tokens, visible))

    # everything else

    def extra(self, **fields: Any) -> ChatBuilder:
        """Fields of the provider's own body. They are sent unchanged and replace those of the builder."""
        return self._with(extra={**self._request.extra, **fields})

    def header(self, name: str, value: str) -> ChatBuilder:
        """A header of the request. It replaces one of the same name, except the one with the key."""
        header = Headers({name: value})
        del value  # it may be a key, and a traceback with local values would show it
        headers = Headers(self._request.headers)
        headers.put_all(checked_headers(header))
        return self._with(headers=headers)

    def timeout(self, value: float | Timeout) -> ChatBuilder:
        """Seconds for the call with all its attempts, or a `Timeout`."""
        return ChatBuilder(self._client, self._request, Timeout.of(value))

    def model(self, model: str) -> ChatBuilder:
        """Another model of the client's provider for this chat: its name, or `provider/model`."""
        return self._with(model=self._client.resolve_model(model))

    # sending

    def count_tokens(self, *, cancel: CancelToken | None = None) -> int:
        """The number of tokens of the prompt that `execute` would send, with tools and media, from the provider's endpoint.

        It may differ a little from the `usage` of the response. Raises ConfigurationError where the provider has no such
        endpoint, or one that counts text only and the chat has more: a number is never an estimate.
        """
        count: TokenCount = self._client._send("count_tokens", self._ready(), self._timeout, cancel, fallbacks=False)[0]
        return count.tokens

    def execute(self, *, cancel: CancelToken | None = None) -> ChatResponse:
        """Sends, and waits for the complete response. Raises AiLibError. `cancel.cancel()` works from any thread."""
        return self.execute_with_stats(cancel=cancel)[0]

    def execute_with_stats(self, *, cancel: CancelToken | None = None) -> tuple[ChatResponse, CallStats]:
        """The response and its figures: `stats.prompt_tokens`, `.completion_tokens`, `.total_tokens`, `.latency_ms`."""
        return self._client.send(self._ready(), self._timeout, cancel)

    def stream(self, *, cancel: CancelToken | None = None) -> ChatStream:
        """Sends, and returns when the first content has arrived. Iterate over the result for the events."""
        return self._client.open(self._ready(), self._timeout, cancel)

    def explain(self, *, stream: bool = False) -> Explanation:
        """The request that would be sent, with its secrets redacted, and how each option is handled. Uses no network."""
        return self._client.explain(self._ready(), stream=stream)

    def _ready(self) -> ChatRequest:
        if not self._request.messages:
            raise ConfigurationError("the conversation is empty: add a message, as in .user('Hello')")
        return self._request

    if not TYPE_CHECKING:
        __getattr__ = no_attribute

    def __repr__(self) -> str:
        r = self._request
        return f"ChatBuilder({r.model!r}, {len(r.messages)} messages, {', '.join(r.options.given()) or 'no options'})"


def content_of(where: str, content: Any, cache: bool | str = False) -> Any:
    """The content of a message; `cache` is that of its last block."""
    if cache is not False:
        *others, last = content_of(where, [content] if isinstance(content, str) else content) or [Text("")]
        if not hasattr(last, "cache"):
            raise ConfigurationError(f"{where}: cache: a {type(last).__name__} block has no cache mark")
        return [*others, replace(last, cache=cache)]
    if isinstance(content, str):
        return content
    if isinstance(content, BLOCKS):
        return [content]
    if isinstance(content, (list, tuple)):
        return [Text(part) if isinstance(part, str) else part for part in content]
    advice = ""
    if hasattr(content, "keys"):
        advice = "; a message as a dict goes into message(…)"
    elif hasattr(content, "__fspath__") or isinstance(content, bytes):
        advice = "; for a file: Image.from_path(…), Image.from_bytes(…), or the same of Document and Audio"
    elif isinstance(getattr(content, "message", None), Message):
        advice = "; a response goes into message(…)"
    kind = type(content).__name__
    raise ConfigurationError(f"{where}: must be text, a content block or a list of them, not {kind}{advice}")


def message_of(message: Any) -> Message:
    if isinstance(message, Message):
        return message
    if hasattr(message, "keys"):
        return Message.from_dict(message)
    if isinstance(getattr(message, "message", None), Message):  # a response
        return message.message  # type: ignore[no-any-return]
    advice = "; text is a message with user('…')" if isinstance(message, str) else ""
    raise ConfigurationError(f"messages: must be Message, ChatResponse or dict, not {type(message).__name__}{advice}")


def tool_of(tool: Any) -> Tool:
    if isinstance(tool, Tool):
        return tool
    if hasattr(tool, "keys"):
        function = tool.get("function", tool)
        if tool.get("type", "function") != "function" or "name" not in function:
            raise ConfigurationError("tools: a dict must be a function tool with a name; other kinds go through extra(tools=…)")
        parameters = function.get("parameters") or {"type": "object", "properties": {}}
        return Tool(function["name"], function.get("description") or "", parameters, function.get("strict"))
    if callable(tool):
        return Tool.from_function(tool)
    raise ConfigurationError(f"tools: must be Tool, an annotated function or a dict, not {type(tool).__name__}")
