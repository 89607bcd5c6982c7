"""`Conversation`: a chat with a history, and Python functions that run the model's tool calls."""

from __future__ import annotations

import json

from ._arguments import whole
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
    """A history that grows with each successful turn. A turn that fails does not change it, but what its tools did is kept.

        talk = Conversation(client.chat().system("You are a tutor."))
        print(talk.say("What is recursion?"))
        print(talk.say("Can you show an example?"))

    `chat` is a client or a builder. The messages and options of the builder are part of every request. `tools` are annotated
    functions. They are called with the model's arguments until a response has no tool calls, for at most `max_rounds` responses
    per turn. An exception of a function ends the turn and reaches the caller. Invalid arguments are reported to the model.

    `messages` is the history of the turns; it can be changed between turns. `unfinished` is what a failed turn had reached when
    tools had run in it: the question, the model's calls and their results. `resume()` continues from there, and the next turn
    begins after it, so that no tool has to run twice; `unfinished.clear()` drops it. Not for concurrent use by several threads.
    """

    def __init__(
        self, chat: AiClient | ChatBuilder, *, tools: Iterable[Callable[..., Any]] = (), max_rounds: int = 8
    ) -> None:  # fmt: skip
        self._chat: ChatBuilder = chat.chat() if hasattr(chat, "chat") else chat
        functions = list(tools)
        self._functions = {function.__name__: function for function in functions}
        if functions:
            self._chat = self._chat.tools(functions)
        self._max_rounds = whole("max_rounds", max_rounds, 1)
        self.messages: list[Message] = []
        self.unfinished: list[Message] = []

    def say(self, content: Content, *, cancel: CancelToken | None = None) -> ChatResponse:
        """One turn. Returns the last response; the tool calls before it have been run."""
        return self._turn([*self.unfinished, Message(MessageRole.USER, content_of("say", content))], cancel)

    def resume(self, *, cancel: CancelToken | None = None) -> ChatResponse:
        """Continues the turn that failed after tools had run, without running them again."""
        if not self.unfinished:
            raise ConfigurationError("resume: no turn failed after a tool had run; say() begins a turn")
        return self._turn([*self.unfinished], cancel)

    def _turn(self, turn: list[Message], cancel: CancelToken | None) -> ChatResponse:
        response: ChatResponse | None = None
        for _ in range(self._max_rounds):
            try:
                response = self._chat.messages([*self.messages, *turn]).execute(cancel=cancel)
            except AiLibError as error:
                error.partial = error.partial or response
                raise
            turn.append(response.message)
            if not self._run_calls(response, turn):
                self._finish(turn)
                return response
        assert response is not None
        raise self._too_many_rounds(response)

    def stream(self, content: Content, *, cancel: CancelToken | None = None) -> Iterator[StreamingEvent]:
        """One turn as a stream: the events of all its responses, and one StreamEnd at the end.

        The history changes after the last event; leaving the loop earlier does not change it.
        """
        turn = [*self.unfinished, Message(MessageRole.USER, content_of("stream", content))]
        for _ in range(self._max_rounds):
            with self._chat.messages([*self.messages, *turn]).stream(cancel=cancel) as stream:
                for event in stream:
                    if event.is_stream_end:
                        end = event
                    else:
                        yield event
                response = stream.response
            turn.append(response.message)
            if not self._run_calls(response, turn):
                self._finish(turn)
                yield end
                return
        raise self._too_many_rounds(response)

    def _finish(self, turn: list[Message]) -> None:
        self.messages = [*self.messages, *turn]
        self.unfinished = []

    def dump(self) -> list[dict[str, Any]]:
        """The messages as values for `json.dumps`, without loss."""
        return dump_messages(self.messages)

    def load(self, data: Iterable[Mapping[str, Any]]) -> None:
        """Replaces the messages by those from `dump`."""
        self.messages = load_messages(data)

    def _run_calls(self, response: ChatResponse, turn: list[Message]) -> bool:
        """Runs the tool calls of a response and appends their results. False if there are none, or no functions for them.

        Every call gets a result, also when a function raises, so that the turn can be resumed from `unfinished`.
        """
        calls = response.tool_calls
        if not calls or not self._functions:
            return False
        results: list[Message] = []
        try:
            for call in calls:
                results.append(self._result(call))
        except BaseException as error:
            failed, *others = calls[len(results) :]
            results.append(Message.tool(failed.id, f"{type(error).__name__}: {error}", failed.name, True))
            results += [Message.tool(call.id, "not run: an earlier call failed", call.name, True) for call in others]
            raise
        finally:
            turn += results
            self.unfinished = list(turn)
        return True

    def _result(self, call: ToolCall) -> Message:
        function = self._functions.get(call.name)
        problem = f"there is no tool {call.name!r}" if function is None else _argument_problem(function, call)
        if function is None or problem:
            return Message.tool(call.id, problem, call.name, True)
        return Message.tool(call.id, _as_content(function(**(call.arguments or {}))), call.name)

    def _too_many_rounds(self, response: ChatResponse) -> AiLibError:
        message = f"the model still calls tools after {self._max_rounds} responses; raise max_rounds to allow more"
        error = AiLibError(message, provider=response.provider)
        error.partial = response
        return error

    def __repr__(self) -> str:
        return f"Conversation({len(self.messages)} messages)"


def _argument_problem(function: Callable[..., Any], call: ToolCall) -> str:
    """Why the function cannot be called with the model's arguments; "" if it can."""
    if call.arguments is None:
        return f"the arguments are not a JSON object: {(call.arguments_raw or '')[:200]}"
    from inspect import signature

    try:
        signature(function).bind(**call.arguments)
    except TypeError as error:
        return f"the arguments do not match the parameters: {error}"
    return ""


def _as_content(value: Any) -> Any:
    """A function's result as the content of a tool message: text and blocks unchanged, other values as JSON."""
    if isinstance(value, (str, *BLOCKS)) or (isinstance(value, list) and value and isinstance(value[0], BLOCKS)):
        return content_of("the tool's result", value)
    try:
        return json.dumps(value, ensure_ascii=False)
    except (TypeError, ValueError):
        return str(value)
