"""`Conversation`: a chat that remembers its turns, and lets Python functions answer the model's tool calls."""

from __future__ import annotations

import json

from .builder import content_of
from .errors import AiLibError, ConfigurationError
from .types.history import dump_messages, load_messages
from .types.messages import BLOCKS, Message, MessageRole

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping
    from typing import Any

    from .builder import ChatBuilder, Content
    from .client import AiClient
    from .http.timeouts import CancelToken
    from .types.events import StreamingEvent
    from .types.response import ChatResponse
    from .types.tools import ToolCall


class Conversation:
    """A history that grows by a turn each time one succeeds; a turn that fails leaves it as it was.

        talk = Conversation(client.chat().system("You are a tutor."))
        print(talk.say("What is recursion?"))
        print(talk.say("Can you show an example?"))

    `chat` is a client or a builder: what the builder holds (a system message, options) goes with every turn. `tools` are
    annotated functions, called with the model's arguments until it answers in words, for at most `max_rounds` answers a turn.
    What a function raises ends the turn and reaches the caller; arguments that do not fit are told to the model.

    `messages` is the list of what was said since; it may be changed between turns. One thread at a time.
    """

    def __init__(
        self, chat: AiClient | ChatBuilder, *, tools: Iterable[Callable[..., Any]] = (), max_rounds: int = 8
    ) -> None:  # fmt: skip
        self._chat: ChatBuilder = chat.chat() if hasattr(chat, "chat") else chat
        functions = list(tools)
        self._functions = {function.__name__: function for function in functions}
        if functions:
            self._chat = self._chat.tools(functions)
        if isinstance(max_rounds, bool) or not isinstance(max_rounds, int) or max_rounds < 1:
            raise ConfigurationError(f"max_rounds must be a whole number of at least 1, not {max_rounds!r}")
        self._max_rounds = max_rounds
        self.messages: list[Message] = []

    def say(self, content: Content, *, cancel: CancelToken | None = None) -> ChatResponse:
        """A turn: the model's answer, after all the tool calls it made on the way."""
        said = [*self.messages, Message(MessageRole.USER, content_of("say", content))]
        for _ in range(self._max_rounds):
            response = self._chat.messages(said).execute(cancel=cancel)
            said.append(response.message)
            if not self._answer_calls(response, said):
                self.messages = said
                return response
        raise self._endless(response)

    def stream(self, content: Content, *, cancel: CancelToken | None = None) -> Iterator[StreamingEvent]:
        """A turn as it comes: the events of all its answers, with one StreamEnd, the last. The turn counts when that has been
        read; a loop that is left before leaves the history as it was."""
        said = [*self.messages, Message(MessageRole.USER, content_of("stream", content))]
        for _ in range(self._max_rounds):
            with self._chat.messages(said).stream(cancel=cancel) as stream:
                for event in stream:
                    if event.is_stream_end:
                        end = event
                    else:
                        yield event
                response = stream.response
            said.append(response.message)
            if not self._answer_calls(response, said):
                self.messages = said
                yield end
                return
        raise self._endless(response)

    def dump(self) -> list[dict[str, Any]]:
        """The messages as values for `json.dumps`, losing nothing."""
        return dump_messages(self.messages)

    def load(self, data: Iterable[Mapping[str, Any]]) -> None:
        """The messages as `dump` gave them, instead of those there are."""
        self.messages = load_messages(data)

    def _answer_calls(self, response: ChatResponse, said: list[Message]) -> bool:
        """Runs the calls of this answer and adds their results; False where there are none, or none that are ours to run."""
        calls = response.tool_calls
        if not calls or not self._functions:
            return False
        said.extend(self._result(call) for call in calls)
        return True

    def _result(self, call: ToolCall) -> Message:
        function = self._functions.get(call.name)
        trouble = f"there is no tool {call.name!r}" if function is None else _misfit(function, call)
        if function is None or trouble:
            return Message.tool(call.id, trouble, call.name, True)
        return Message.tool(call.id, _told(function(**(call.arguments or {}))), call.name)

    def _endless(self, response: ChatResponse) -> AiLibError:
        error = AiLibError(
            f"the model still calls tools after {self._max_rounds} answers (max_rounds)", provider=response.provider
        )  # fmt: skip
        error.partial = response
        return error

    def __repr__(self) -> str:
        return f"Conversation({len(self.messages)} messages)"


def _misfit(function: Callable[..., Any], call: ToolCall) -> str:
    """What is wrong with the model's arguments, "" where they can be given to the function."""
    if call.arguments is None:
        return f"the arguments are not a JSON object: {(call.arguments_raw or '')[:200]}"
    from inspect import signature

    try:
        signature(function).bind(**call.arguments)
    except TypeError as error:
        return f"the arguments do not fit: {error}"
    return ""


def _told(value: Any) -> Any:
    """A function's result as the content of a tool message: text and blocks as they are, other values as JSON."""
    if isinstance(value, (str, *BLOCKS)) or (isinstance(value, list) and value and isinstance(value[0], BLOCKS)):
        return content_of("the tool's result", value)
    try:
        return json.dumps(value, ensure_ascii=False)
    except (TypeError, ValueError):
        return str(value)
