"""A conversation remembers the turns that succeeded, and only those; its tools answer the model's calls."""

from __future__ import annotations

import json

import pytest

from ailib_sync import (
    AiClient,
    AiLibError,
    ConfigurationError,
    Image,
    InvalidRequest,
    MessageRole,
    StreamInterrupted,
    Text,
    ToolResult,
)
from ailib_sync.conversation import Conversation

from . import wire
from .local_server import LocalServer


def calls(*requested):
    """A response with tool calls: (name, arguments as text)."""
    tool_calls = [
        {"id": f"call_{number}", "type": "function", "function": {"name": name, "arguments": arguments}}
        for number, (name, arguments) in enumerate(requested)
    ]
    response = wire.completion("")
    response["choices"][0] = {
        "index": 0, "finish_reason": "tool_calls",
        "message": {"role": "assistant", "content": None, "tool_calls": tool_calls},
    }  # fmt: skip
    return response


def script(*responses):
    """These responses in turn (the last one repeatedly); an int is an error response with that status."""

    def play(peer, request):
        response = responses[min(request.number, len(responses)) - 1]
        if isinstance(response, int):
            peer.send(wire.reply(response, wire.error_body()))
        elif request.streams:
            wire.stream(peer, streamed(response))
        else:
            peer.send(wire.reply(200, response))
        return True

    return play


def streamed(response):
    """A complete response as the events of a stream."""
    choice = response["choices"][0]
    message = choice["message"]
    events = []
    if message.get("content"):
        events += wire.deltas(message["content"].split(" "))
    for number, call in enumerate(message.get("tool_calls", ())):
        delta = {"tool_calls": [{"index": number, **call}]}
        events.append(wire.event({"id": "c1", "choices": [{"index": 0, "delta": delta, "finish_reason": None}]}))
    end = {"id": "c1", "choices": [{"index": 0, "delta": {}, "finish_reason": choice["finish_reason"]}]}
    return [*events, wire.event(end), wire.DONE]


def temperature(city: str, unit: str = "C") -> dict:
    """The temperature in a city."""
    return {"city": city, "degrees": 21, "unit": unit}


def broken(city: str) -> str:
    """Always fails."""
    raise ZeroDivisionError(city)


@pytest.fixture
def serve():
    servers = []

    def start(*responses):
        server = LocalServer(script(*responses))
        servers.append(server)
        return server, AiClient("openai/gpt-4o", base_url=server.url, api_key="k", retry=0)

    yield start
    for server in servers:
        server.close()


def sent(server, number):
    """The messages of a request, counted from 0."""
    return json.loads(server.requests[number].body)["messages"]


def roles(talk):
    return [str(message.role) for message in talk.messages]


def test_each_turn_is_sent_with_all_earlier_ones(serve):
    server, client = serve(wire.completion("One"), wire.completion("Two"))
    talk = Conversation(client.chat().system("Be short.").temperature(0.5))
    assert talk.say("first").content == "One"
    assert "".join(event.text for event in talk.stream("second") if event.is_content_delta) == "Two"
    assert [message["content"] for message in sent(server, 1)] == ["Be short.", "first", "One", "second"]
    assert json.loads(server.requests[1].body)["temperature"] == 0.5
    assert repr(talk) == "Conversation(4 messages)"
    assert [message.text for message in talk.messages] == ["first", "One", "second", "Two"]


def test_a_client_is_enough(serve):
    _, client = serve(wire.completion("One"))
    talk = Conversation(client)
    talk.say([Text("look"), Image.from_url("https://example.com/x.png")])
    assert roles(talk) == ["user", "assistant"]


def test_a_failed_turn_does_not_change_the_history(serve):
    _, client = serve(wire.completion("One"), 400, 400, wire.completion("Two"))
    talk = Conversation(client)
    talk.say("first")
    before = list(talk.messages)
    with pytest.raises(InvalidRequest):
        talk.say("second")
    with pytest.raises(InvalidRequest):
        list(talk.stream("second"))
    assert talk.messages == before
    assert talk.say("second").content == "Two"
    assert roles(talk) == ["user", "assistant"] * 2


def test_an_incomplete_stream_does_not_change_the_history():
    def play(peer, request):
        if request.number == 1:
            return wire.stream(peer, wire.events())
        peer.send(wire.SSE_HEAD + wire.chunk(wire.delta("One ")))
        return False

    with LocalServer(play) as server:
        talk = Conversation(AiClient("openai/gpt-4o", base_url=server.url, api_key="k"))
        for event in talk.stream("first"):
            if event.is_content_delta:
                break
        assert talk.messages == []
        with pytest.raises(StreamInterrupted) as caught:
            list(talk.stream("second"))
        assert caught.value.partial.content == "One "
        assert talk.messages == []


def test_tools_are_called_until_a_response_has_no_tool_calls(serve):
    response = calls(("temperature", '{"city": "Ulm"}'), ("temperature", '{"city": "Bonn", "unit": "F"}'))
    server, client = serve(response, wire.completion("Warm."))
    talk = Conversation(client, tools=[temperature])
    assert talk.say("How warm?").content == "Warm."
    assert roles(talk) == ["user", "assistant", "tool", "tool", "assistant"]
    results = [message for message in sent(server, 1) if message["role"] == "tool"]
    assert [result["tool_call_id"] for result in results] == ["call_0", "call_1"]
    assert [json.loads(result["content"])["city"] for result in results] == ["Ulm", "Bonn"]
    assert json.loads(server.requests[0].body)["tools"][0]["function"]["name"] == "temperature"


def test_a_streamed_turn_runs_its_tools_and_has_one_end(serve):
    _, client = serve(calls(("temperature", '{"city": "Ulm"}')), wire.completion("It is warm."))
    talk = Conversation(client, tools=[temperature])
    events = list(talk.stream("How warm?"))
    assert [event.tool_call.name for event in events if event.is_tool_call_ended] == ["temperature"]
    assert [event.is_stream_end for event in events].count(True) == 1
    assert events[-1].is_stream_end
    assert events[-1].finish_reason == "end_turn"
    assert roles(talk) == ["user", "assistant", "tool", "assistant"]


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (("temperature", "{not json"), "not a JSON object: {not json"),
        (("temperature", '{"town": "Ulm"}'), "do not match the parameters: missing a required argument: 'city'"),
        (("temperature", '{"city": "Ulm", "x": 1}'), "do not match the parameters: got an unexpected keyword argument 'x'"),
        (("humidity", "{}"), "there is no tool 'humidity'"),
    ],
    ids=["json", "missing", "unknown", "tool"],
)
def test_an_invalid_call_is_reported_to_the_model(serve, call, message):
    _, client = serve(calls(call), wire.completion("Sorry."))
    talk = Conversation(client, tools=[temperature])
    talk.say("How warm?")
    (result,) = talk.messages[2].content
    assert isinstance(result, ToolResult)
    assert result.is_error
    assert message in result.content


def test_an_exception_of_a_function_reaches_the_caller_and_ends_the_turn(serve):
    _, client = serve(calls(("broken", '{"city": "Ulm"}')))
    talk = Conversation(client, tools=[broken])
    with pytest.raises(ZeroDivisionError, match="Ulm"):
        talk.say("How warm?")
    assert talk.messages == []


def test_the_number_of_rounds_is_limited(serve):
    server, client = serve(calls(("temperature", '{"city": "Ulm"}')))
    talk = Conversation(client, tools=[temperature], max_rounds=3)
    for turn in (lambda: talk.say("How warm?"), lambda: list(talk.stream("How warm?"))):
        with pytest.raises(AiLibError, match="after 3 responses") as caught:
            turn()
        assert caught.value.partial.tool_calls[0].name == "temperature"
        assert talk.messages == []
    assert len(server.requests) == 6


def test_calls_of_tools_without_functions_are_returned_to_the_caller(serve):
    _, client = serve(calls(("temperature", '{"city": "Ulm"}')), wire.completion("Warm."))
    talk = Conversation(client.chat().tools(temperature))
    response = talk.say("How warm?")
    assert response.tool_calls[0].arguments == {"city": "Ulm"}
    assert roles(talk) == ["user", "assistant"]


@pytest.mark.parametrize(
    ("value", "content"),
    [
        ("text", "text"),
        ({"a": "é"}, '{"a": "é"}'),
        ([1, 2], "[1, 2]"),
        (None, "null"),
        (3.5, "3.5"),
        ({1, }, "{1}"),
        (Text("t"), [Text("t")]),
        ([Text("a"), Text("b")], [Text("a"), Text("b")]),
    ],
    ids=["text", "dict", "list", "none", "number", "set", "block", "blocks"],
)  # fmt: skip
def test_a_function_can_return_any_value(serve, value, content):
    def thing() -> str:
        """A thing."""
        return value

    _, client = serve(calls(("thing", "{}")), wire.completion("Done."))
    talk = Conversation(client, tools=[thing])
    talk.say("Go")
    assert talk.messages[2].content[0].content == content


def test_a_conversation_continues_after_a_json_round_trip(serve):
    server, client = serve(calls(("temperature", '{"city": "Ulm"}')), wire.completion("Warm."), wire.completion("Yes."))
    talk = Conversation(client, tools=[temperature])
    talk.say("How warm?")
    again = Conversation(client, tools=[temperature])
    again.load(json.loads(json.dumps(talk.dump())))
    assert again.messages == talk.messages
    again.say("Really?")
    assert [message["role"] for message in sent(server, 2)] == ["user", "assistant", "tool", "assistant", "user"]
    assert again.messages[-1].role is MessageRole.ASSISTANT


@pytest.mark.parametrize("rounds", [0, True, 1.5])
def test_an_invalid_number_of_rounds_is_an_error(serve, rounds):
    _, client = serve(wire.completion("One"))
    with pytest.raises(ConfigurationError, match="max_rounds"):
        Conversation(client, max_rounds=rounds)


def test_what_tools_did_in_a_failed_turn_is_kept_to_resume_from(serve):
    server, client = serve(calls(("temperature", '{"city": "Ulm"}')), 400, wire.completion("21 degrees"))
    talk = Conversation(client, tools=[temperature])
    with pytest.raises(InvalidRequest) as caught:
        talk.say("How warm?")
    assert caught.value.partial.tool_calls[0].name == "temperature"
    assert talk.messages == []
    assert [message.role for message in talk.unfinished] == [MessageRole.USER, MessageRole.ASSISTANT, MessageRole.TOOL]
    assert "21" in talk.unfinished[-1].blocks[0].content
    assert talk.resume().content == "21 degrees"
    assert (len(talk.messages), talk.unfinished) == (4, [])
    assert len(server.requests) == 3


def test_the_next_turn_begins_after_the_unfinished_one(serve):
    server, client = serve(calls(("temperature", '{"city": "Ulm"}')), 400, wire.completion("21 degrees"))
    talk = Conversation(client, tools=[temperature])
    with pytest.raises(InvalidRequest):
        list(talk.stream("How warm?"))
    assert talk.say("Well?").content == "21 degrees"
    roles = [message["role"] for message in json.loads(server.requests[-1].body)["messages"]]
    assert roles == ["user", "assistant", "tool", "user"]
    assert len(talk.messages) == 5


def test_each_call_of_a_turn_that_a_function_ended_has_a_result(serve):
    both = calls(("temperature", '{"city": "Ulm"}'), ("broken", '{"city": "Bonn"}'), ("temperature", '{"city": "Kiel"}'))
    _, client = serve(both, wire.completion("21 degrees"))
    talk = Conversation(client, tools=[temperature, broken])
    with pytest.raises(ZeroDivisionError):
        talk.say("How warm?")
    results = [message.blocks[0] for message in talk.unfinished[2:]]
    assert [result.is_error for result in results] == [False, True, True]
    assert [result.tool_call_id for result in results] == ["call_0", "call_1", "call_2"]
    assert "ZeroDivisionError: Bonn" in str(results[1].content)
    assert talk.resume().content == "21 degrees"


def test_there_is_nothing_to_resume_after_a_turn_without_tools(serve):
    _, client = serve(400)
    talk = Conversation(client)
    with pytest.raises(InvalidRequest):
        talk.say("Hello")
    with pytest.raises(ConfigurationError, match="no turn failed after a tool had run"):
        talk.resume()
