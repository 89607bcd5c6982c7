"""The embedded provider: the responses of the echo, their bytes (read here by hand), and that every dialect reads them."""

from __future__ import annotations

import json
import re
import struct
from binascii import a2b_base64, crc32
from dataclasses import replace
from typing import Any

import jsonschema
import pytest
import urllib3

from ailib_sync import AiClient, Document, Image, Message, Text
from ailib_sync.dialects.dialect import NAMES, find, path_of
from ailib_sync.embedded import EmbeddedPool, ServerRequest, find_operation, respond
from ailib_sync.embedded.echo import ECHO
from ailib_sync.embedded.exchange import Rules, ServiceOperation
from ailib_sync.embedded.http_response import ChunkedBody
from ailib_sync.embedded.sample_json import sample_of
from ailib_sync.embedded.service import service_of
from ailib_sync.embedded.tokens import fragments
from ailib_sync.errors import NotFound
from ailib_sync.registry.manifest import Manifest
from ailib_sync.types.request import ChatRequest, Ledger, Reasoning, ResponseFormat, ToolChoice
from ailib_sync.types.tools import Tool, ToolCall
from tests.chat_values import chat_request

INTRODUCTION = "This is the embedded stand-in of ailib_sync, not a language model. "
WEATHER = Tool(
    "get_weather", "The weather", {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]}
)
CLOCK = Tool("get_time", "The time", {"type": "object", "properties": {"zone": {"type": "string"}}, "required": ["zone"]})
PING = Tool("ping", "Nothing", {"type": "object", "properties": {}})
PERSON = {
    "type": "object",
    "properties": {"name": {"type": "string"}, "age": {"type": "integer"}},
    "required": ["name", "age"],
    "additionalProperties": False,
}
PNG = b"\x89PNG\r\n\x1a\n0000"


def client(dialect: str) -> AiClient:
    return AiClient(f"embedded/echo?dialect={dialect}")


def post(path: str, body: dict[str, Any], **headers: str) -> urllib3.HTTPResponse:
    sent = {"Content-Type": "application/json", **{name.replace("_", "-"): value for name, value in headers.items()}}
    return EmbeddedPool().urlopen("POST", f"http://embedded.invalid{path}", json.dumps(body).encode(), sent)


def events(response: urllib3.HTTPResponse) -> list[bytes]:
    """The results of `read1` until the end of the body."""
    return list(iter(lambda: response.read1(1 << 16), b""))


def sse_data(blocks: list[bytes]) -> list[Any]:
    """The JSON of each block; `[DONE]` as text."""
    lines = [line[6:] for block in blocks for line in block.decode().splitlines() if line.startswith("data: ")]
    return [line if line == "[DONE]" else json.loads(line) for line in lines]


# --- The responses of the echo ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("dialect", NAMES)
def test_it_needs_no_key_and_no_network(dialect: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("socket.socket.connect", lambda *args: pytest.fail("a connection was made"))
    response = client(dialect).chat().system("Be kind.").user("Hello, world!").execute()
    assert response.content == f"{INTRODUCTION}You said: Hello, world!"
    assert response.finish_reason == "end_turn"


@pytest.mark.parametrize("dialect", NAMES)
def test_only_the_first_response_of_a_conversation_has_the_introduction(dialect: str) -> None:
    chat = client(dialect).chat().user("One")
    assert chat.message(chat.execute().message).user("Two").execute().content == "You said: Two"


@pytest.mark.parametrize("dialect", NAMES)
def test_the_same_request_has_the_same_response_and_another_request_another_id(dialect: str) -> None:
    ask = client(dialect).chat()
    first, again, other = (ask.user(text).execute() for text in ("Hi", "Hi", "Ho"))
    assert first == again
    if first.id is not None:
        assert first.id != other.id


@pytest.mark.parametrize("dialect", NAMES)
def test_the_tokens_of_prompt_and_completion_are_the_same_in_every_dialect(dialect: str) -> None:
    usage = client(dialect).chat().system("Be kind.").user("one two three").execute().usage
    # 4 for each message and one for each word; the introduction has eleven.
    assert (usage.prompt_tokens, usage.completion_tokens) == (4 + 2 + 4 + 3, 11 + 2 + 3)


@pytest.mark.parametrize("dialect", [name for name in NAMES if name != "openai_responses"])  # which has no stop
def test_a_response_ends_before_a_stop_sequence(dialect: str) -> None:
    response = client(dialect).chat().user("one two STOP three").stop("STOP").execute()
    assert response.content == f"{INTRODUCTION}You said: one two "
    assert response.finish_reason in ("stop_sequence", "end_turn")


@pytest.mark.parametrize("dialect", NAMES)
def test_max_tokens_cuts_the_response_and_is_the_finish_reason(dialect: str) -> None:
    response = client(dialect).chat().user("one two three four five").max_tokens(16).execute()
    assert response.content == f"{INTRODUCTION}You said: one two three"
    assert (response.finish_reason, response.usage.completion_tokens) == ("max_tokens", 16)


@pytest.mark.parametrize(
    ("text", "choice", "parallel", "called"),
    [
        ("Hello", None, None, []),
        ("What does get_weather say of Paris?", None, None, [("get_weather", {"city": "Paris"})]),
        ("Call both, please", None, None, [("get_weather", {"city": "city"}), ("get_time", {"zone": "zone"})]),
        ("Ask get_time and get_weather", None, None, [("get_weather", {"city": "city"}), ("get_time", {"zone": "zone"})]),
        ("Ask get_time and get_weather", None, False, [("get_weather", {"city": "city"})]),
        ("Please use the tool for city=Oslo", None, None, [("get_weather", {"city": "Oslo"})]),
        ("Hello", "required", None, [("get_weather", {"city": "city"})]),
        ("Hello", "get_time", None, [("get_time", {"zone": "zone"})]),
        ("Call both, please", "none", None, []),
    ],
)
@pytest.mark.parametrize("dialect", ["openai_chat", "anthropic_messages", "openai_responses"])
def test_tools_are_called_if_the_prompt_or_the_choice_requires_it(
    dialect: str, text: str, choice: str | None, parallel: bool | None, called: list[Any]
) -> None:
    chat = client(dialect).chat().user(text).tools(WEATHER, CLOCK, parallel=parallel)
    response = (chat.tool_choice(choice) if choice else chat).execute()
    assert [(call.name, call.arguments) for call in response.tool_calls] == called
    assert response.finish_reason == ("tool_use" if called else "end_turn")
    assert len({call.id for call in response.tool_calls}) == len(called)


@pytest.mark.parametrize("dialect", NAMES)
def test_it_reports_the_results_of_its_tools(dialect: str) -> None:
    chat = client(dialect).chat().user("Ask get_weather and get_time").tools(WEATHER, CLOCK)
    first = chat.execute()
    results = [Message.tool(call.id, f"result of {call.name}", call.name) for call in first.tool_calls]
    response = chat.message(first.message).messages(results).execute()
    assert response.content == "get_weather answered: result of get_weather get_time answered: result of get_time"
    assert response.tool_calls == []


@pytest.mark.parametrize("dialect", NAMES)
def test_the_response_is_json_if_the_request_requires_json(dialect: str) -> None:
    response = client(dialect).chat().user("json: name=Ada, aged 36").response_format(PERSON).execute()
    assert json.loads(response.content) == {"name": "Ada", "age": 36}


@pytest.mark.parametrize("dialect", NAMES)
def test_it_thinks_if_the_request_asks_it_to(dialect: str) -> None:
    chat = client(dialect).chat().user("Why?")
    thoughtful = chat.reasoning(effort="high", visible=True).execute()
    assert thoughtful.thinking == "The user wrote 1 token; I will repeat the same text."
    assert chat.reasoning(effort="none").execute().thinking is None
    assert thoughtful.usage.completion_tokens == chat.execute().usage.completion_tokens + 11  # type: ignore[operator]


@pytest.mark.parametrize("dialect", [name for name in NAMES if name not in ("cohere_chat", "ollama_chat")])
def test_it_reports_the_media_in_the_request(dialect: str) -> None:
    blocks = [
        Text("Look"),
        Image.from_bytes(PNG, "image/png"),
        Image.from_bytes(PNG, "image/png"),
        Document("application/pdf", b"%PDF-1.4", name="report"),
    ]
    response = client(dialect).chat().user(blocks).execute()
    named = "application/pdf" if dialect == "gemini_generate" else "report"  # whose documents have no name
    assert f"I was given 2 images (image/png, image/png) and 1 document ({named}). You said: Look" in response.content


# --- Streams ------------------------------------------------------------------------------------------------------------


CHATS: dict[str, Any] = {
    "text": lambda chat: chat.user("Say “grüße” 你好 and\n\nnew lines, a-very-long-word-of-more-than-sixteen-letters"),
    "thinking": lambda chat: chat.user("Why?").reasoning(effort="high", visible=True),
    "two calls": lambda chat: chat.user("Call both for Paris").tools(WEATHER, CLOCK),
    "thinking and calls": lambda chat: chat.user("both").tools(WEATHER, CLOCK).reasoning(effort="low", visible=True),
    "a call without arguments": lambda chat: chat.user("ping").tools(PING),
    "cut": lambda chat: chat.user("one two three four five").max_tokens(16),
    "cut before a call": lambda chat: chat.user("ping").tools(PING).max_tokens(16),
    "stopped": lambda chat: chat.user("one two three").stop("two"),
    "json": lambda chat: chat.user("json of Ada").response_format(PERSON),
}


@pytest.mark.parametrize("chat", CHATS)
@pytest.mark.parametrize("dialect", NAMES)
def test_an_accumulated_stream_is_the_complete_response(dialect: str, chat: str) -> None:
    complete = CHATS[chat](client(dialect).chat()).execute()
    accumulated = CHATS[chat](client(dialect).chat()).stream().collect()
    for response in (complete, accumulated):
        # Ids depend on the request, which has `stream`; in streams, arguments are text.
        for call in response.tool_calls:
            call.id, call.arguments_raw = "", None
        response.message.extra.clear()
    assert [(type(b), getattr(b, "text", None)) for b in accumulated.message.blocks] == [
        (type(b), getattr(b, "text", None)) for b in complete.message.blocks
    ]
    assert [(c.name, c.arguments) for c in accumulated.tool_calls] == [(c.name, c.arguments) for c in complete.tool_calls]
    facts = ("content", "thinking", "finish_reason", "raw_finish_reason", "stop_sequence", "usage", "model")
    for fact in facts:
        assert getattr(accumulated, fact) == getattr(complete, fact), fact


@pytest.mark.parametrize("dialect", NAMES)
def test_a_stream_has_one_event_for_each_word(dialect: str) -> None:
    stream = client(dialect).chat().user("Hello, world!").stream()
    assert list(stream.text()) == fragments(f"{INTRODUCTION}You said: Hello, world!")


@pytest.mark.parametrize("text", ["", " ", "a", "  two  words ", "x" * 40, "tab\tand\nline\n", "你好，世界"])
def test_the_fragments_of_a_text_are_the_text(text: str) -> None:
    assert "".join(fragments(text)) == text


def test_read1_returns_one_event_and_at_most_the_requested_size() -> None:
    body = {"model": "echo", "messages": [{"role": "user", "content": "Hi"}], "stream": True}
    blocks = events(post("/v1/chat/completions", body))
    assert all(block.startswith(b"data: ") and block.endswith(b"\n\n") for block in blocks)
    assert all(block.count(b"data: ") == 1 for block in blocks)
    again = post("/v1/chat/completions", body)
    small = list(iter(lambda: again.read1(7), b""))
    assert max(map(len, small)) == 7
    assert b"".join(small) == b"".join(blocks) == post("/v1/chat/completions", body).read()


def test_a_body_of_chunks_is_read_in_the_requested_size() -> None:
    body = ChunkedBody([b"abc", b"", b"defgh"])
    assert [body.read1(2), body.read1(2), body.read1(), body.read1(), body.read1()] == [b"ab", b"c", b"defgh", b"", b""]
    assert ChunkedBody([b"abc", b"def"]).read(4) == b"abcd"
    assert ChunkedBody([b"abc", b"def"]).read() == b"abcdef"
    assert ChunkedBody([b"abc"]).read(0) == b""


# --- The bytes, read by hand --------------------------------------------------------------------------------------------


def test_openai_chat_chunks() -> None:
    body: dict[str, Any] = {"model": "echo", "messages": [{"role": "user", "content": "Hi"}], "stream": True}
    response = post("/v1/chat/completions", {**body, "stream_options": {"include_usage": True}})
    assert response.headers["content-type"] == "text/event-stream; charset=utf-8"
    assert response.headers["x-request-id"].startswith("req_")
    *chunks, usage, done = sse_data(events(response))
    assert done == "[DONE]"
    assert usage["choices"] == []
    assert usage["usage"]["prompt_tokens"] == 5
    assert {chunk["object"] for chunk in chunks} == {"chat.completion.chunk"}
    assert len({chunk["id"] for chunk in chunks}) == 1
    assert all(chunk["usage"] is None for chunk in chunks)
    assert chunks[0]["choices"][0]["delta"] == {"role": "assistant", "content": "", "refusal": None}
    assert chunks[-1]["choices"][0] == {"index": 0, "delta": {}, "logprobs": None, "finish_reason": "stop"}
    assert "usage" not in sse_data(events(post("/v1/chat/completions", body)))[0]


def test_openai_chat_tool_call_chunks_name_the_call_once() -> None:
    tool = {"type": "function", "function": {"name": "ping", "parameters": {"type": "object", "properties": {}}}}
    body = {"model": "echo", "messages": [{"role": "user", "content": "ping"}], "tools": [tool], "stream": True}
    chunks = sse_data(events(post("/v1/chat/completions", body)))[:-1]
    fragments = [call for chunk in chunks for call in chunk["choices"][0]["delta"].get("tool_calls", ())]
    assert fragments[0]["function"] == {"name": "ping", "arguments": ""}
    assert fragments[0]["id"].startswith("call_")
    assert fragments[1:] == [{"index": 0, "function": {"arguments": "{}"}}]
    assert chunks[-1]["choices"][0]["finish_reason"] == "tool_calls"


def test_openai_chat_has_the_requested_number_of_choices() -> None:
    body = {"model": "echo", "messages": [{"role": "user", "content": "Hi"}], "n": 3}
    assert [choice["index"] for choice in post("/v1/chat/completions", body).json()["choices"]] == [0, 1, 2]


def test_openai_embeddings() -> None:
    body: dict[str, Any] = {"model": "echo", "input": ["a b", "c"]}
    response = post("/v1/embeddings", body)
    assert response.headers["x-request-id"].startswith("req_")
    listed = response.json()
    assert listed["usage"] == {"prompt_tokens": 3, "total_tokens": 3}
    assert (listed["object"], listed["model"]) == ("list", "echo")
    assert [(item["object"], item["index"], len(item["embedding"])) for item in listed["data"]] == [
        ("embedding", 0, 8),
        ("embedding", 1, 8),
    ]
    packed = post("/v1/embeddings", {**body, "encoding_format": "base64", "dimensions": 5}).json()
    plain = post("/v1/embeddings", {**body, "encoding_format": None, "dimensions": 5}).json()
    for one, other in zip(packed["data"], plain["data"], strict=True):
        numbers = struct.unpack("<5f", a2b_base64(one["embedding"]))
        assert numbers == pytest.approx(other["embedding"], rel=1e-6)
        assert sum(number * number for number in numbers) == pytest.approx(1, rel=1e-6)


def test_a_list_of_tokens_is_one_input() -> None:
    one = post("/v1/embeddings", {"model": "echo", "input": [1111, 2222]}).json()
    two = post("/v1/embeddings", {"model": "echo", "input": [[1111, 2222], [3333]]}).json()
    assert (len(one["data"]), len(two["data"]), two["usage"]["prompt_tokens"]) == (1, 2, 3)
    assert one["data"][0] == two["data"][0]


def test_the_order_of_anthropic_events() -> None:
    body = {
        "model": "echo",
        "max_tokens": 2000,
        "messages": [{"role": "user", "content": "ping"}],
        "thinking": {"type": "enabled", "budget_tokens": 1024},
        "tools": [{"name": "ping", "input_schema": {"type": "object", "properties": {}}}],
        "stream": True,
    }
    blocks = events(post("/v1/messages", body, anthropic_version="2023-06-01"))
    data = sse_data(blocks)
    assert [block.split(b"\n")[0].decode() for block in blocks] == [f"event: {item['type']}" for item in data]
    kinds = [item["type"] for item in data if item["type"] != "content_block_delta"]
    block = ["content_block_start", "content_block_stop"]
    assert kinds == ["message_start", *block, "ping", *block, "message_delta", "message_stop"]
    deltas = [item["delta"] for item in data if item["type"] == "content_block_delta"]
    assert [delta["type"] for delta in deltas] == [*["thinking_delta"] * 5, "signature_delta", "input_json_delta"]
    assert deltas[-1]["partial_json"] == ""  # a call without arguments
    assert data[-2]["delta"]["stop_reason"] == "tool_use"
    assert data[-2]["usage"]["output_tokens_details"] == {"thinking_tokens": 5}


def test_gemini_has_chunks_and_no_end_mark() -> None:
    body = {"contents": [{"role": "user", "parts": [{"text": "Hi"}]}]}
    response = post("/v1beta/models/echo:streamGenerateContent?alt=sse", body)
    chunks = sse_data(events(response))
    text = "".join(chunk["candidates"][0]["content"]["parts"][0]["text"] for chunk in chunks)
    assert text == f"{INTRODUCTION}You said: Hi"
    assert [chunk["candidates"][0].get("finishReason") for chunk in chunks[-2:]] == [None, "STOP"]
    assert chunks[-1]["usageMetadata"]["totalTokenCount"] == 5 + 14
    complete = post("/v1beta/models/echo:generateContent", body).json()
    assert complete["candidates"][0]["content"]["parts"] == [{"text": text}]


def test_cohere_events_and_their_end() -> None:
    body = {"model": "echo", "messages": [{"role": "user", "content": "Hi"}], "stream": True}
    *data, done = sse_data(events(post("/v2/chat", body)))
    assert done == "[DONE]"
    kinds = [item["type"] for item in data if item["type"] != "content-delta"]
    assert kinds == ["message-start", "content-start", "content-end", "message-end"]
    assert data[-1]["delta"]["finish_reason"] == "COMPLETE"
    assert data[-1]["delta"]["usage"]["tokens"] == {"input_tokens": 5, "output_tokens": 14}


def test_ollama_lines() -> None:
    body = {"model": "echo", "messages": [{"role": "user", "content": "Hi"}]}  # streams by default
    response = post("/api/chat", body)
    assert response.headers["content-type"] == "application/x-ndjson"
    lines = [json.loads(line) for line in events(response)]
    assert [line["done"] for line in lines] == [False] * (len(lines) - 1) + [True]
    assert lines[-1]["done_reason"] == "stop"
    assert lines[-1]["eval_count"] == 14
    assert post("/api/chat", {**body, "stream": False}).json()["message"]["content"] == f"{INTRODUCTION}You said: Hi"


def test_responses_events_are_numbered_and_end_with_the_complete_response() -> None:
    body = {"model": "echo", "input": "Hi", "stream": True}
    data = sse_data(events(post("/v1/responses", body)))
    assert [item["sequence_number"] for item in data] == list(range(len(data)))
    kinds = [item["type"].removeprefix("response.") for item in data if not item["type"].endswith(".delta")]
    assert kinds == [
        "created", "in_progress", "output_item.added", "content_part.added",
        "output_text.done", "content_part.done", "output_item.done", "completed",
    ]  # fmt: skip
    complete = post("/v1/responses", {**body, "stream": False}).json()
    last = data[-1]["response"]
    assert [item["content"] for item in last["output"]] == [item["content"] for item in complete["output"]]
    assert last["usage"] == complete["usage"]


def aws_frames(raw: bytes) -> list[tuple[dict[str, str], Any]]:
    """Event-stream messages by the specification: lengths, both CRCs, string headers, JSON."""
    found = []
    while raw:
        total, header_length, prelude = struct.unpack(">III", raw[:12])
        assert prelude == crc32(raw[:8])
        assert struct.unpack(">I", raw[total - 4 : total])[0] == crc32(raw[: total - 4])
        at, headers = 12, {}
        while at < 12 + header_length:
            size = raw[at]
            name = raw[at + 1 : at + 1 + size].decode()
            kind, length = struct.unpack(">BH", raw[at + 1 + size : at + 4 + size])
            assert kind == 7
            at += 4 + size
            headers[name] = raw[at : at + length].decode()
            at += length
        found.append((headers, json.loads(raw[at : total - 4])))
        raw = raw[total:]
    return found


def test_bedrock_frames_are_complete_and_have_correct_checksums() -> None:
    body = {"messages": [{"role": "user", "content": [{"text": "Hi"}]}]}
    response = post("/model/echo/converse-stream", body)
    assert response.headers["content-type"] == "application/vnd.amazon.eventstream"
    blocks = events(response)
    assert [len(aws_frames(block)) for block in blocks] == [1] * len(blocks)
    frames = aws_frames(b"".join(blocks))
    kinds = [headers[":event-type"] for headers, _ in frames if headers[":event-type"] != "contentBlockDelta"]
    assert kinds == ["messageStart", "contentBlockStop", "messageStop", "metadata"]
    assert {headers[":message-type"] for headers, _ in frames} == {"event"}
    assert frames[-1][1]["usage"]["totalTokens"] == 5 + 14


# --- Both directions ----------------------------------------------------------------------------------------------------


def test_a_service_reads_the_same_request_that_a_dialect_renders() -> None:
    """The reader of the service and the renderer of the dialect are independent; they must agree on the request."""
    messages = (
        Message.system("Be kind."),
        Message.user([Text("Look"), Image.from_bytes(PNG, "image/png")]),
        Message.assistant("I look.", [ToolCall("call_1", "get_weather", {"city": "Paris"})]),
        Message.tool("call_1", "rain", "get_weather"),
        Message.user("And now?"),
    )
    options = {
        "temperature": 0.5,
        "top_p": 0.9,
        "max_tokens": 2000,
        "tool_choice": ToolChoice("tool", "get_time"),
        "response_format": ResponseFormat("json_schema", PERSON),
    }
    request = chat_request("echo", messages, (WEATHER, CLOCK), options, stream=True)
    for name in ("openai_chat", "anthropic_messages", "gemini_generate", "bedrock_converse", "openai_responses"):
        manifest = Manifest.load("embedded").for_model("echo", name)
        dialect = find(name)
        body = dialect.chat.render(request, manifest, Ledger())
        path = path_of(dialect.chat, manifest, stream=True)
        path, _, query = path.replace("{model}", "echo").partition("?")
        headers = {"content-type": "application/json", "anthropic-version": "2023-06-01"}
        received = ServerRequest("POST", path, query, headers, json.dumps(body).encode())
        chat = service_of(name).operations["chat"]
        chat.check(received, body, Rules(name))
        read = chat.read(received, body, Rules(name))
        assert (read.model, read.stream) == ("echo", True), name
        for option, value in options.items():
            got = getattr(read.options, option)
            assert (got.schema == PERSON) if option == "response_format" else got == value, (name, option)
        assert [(tool.name, tool.parameters) for tool in read.tools] == [(t.name, t.parameters) for t in (WEATHER, CLOCK)]
        blocks = [block for message in read.messages for block in message.blocks]
        texts = [block.text for block in blocks if isinstance(block, Text)]
        assert texts == ["Be kind.", "Look", "I look.", "And now?"], name
        assert [block.data for block in blocks if isinstance(block, Image)] == [PNG], name
        calls = [(call.name, call.arguments) for message in read.messages for call in message.tool_calls]
        assert calls == [("get_weather", {"city": "Paris"})], name


@pytest.mark.parametrize("dialect", NAMES)
def test_reasoning_that_is_off_is_off_for_the_service(dialect: str) -> None:
    manifest = Manifest.load("embedded").for_model("echo", dialect)
    request = chat_request("echo", (Message.user("Hi"),), options={"reasoning": Reasoning("none"), "max_tokens": 99})
    body = find(dialect).chat.render(request, manifest, Ledger())
    path = path_of(find(dialect).chat, manifest).replace("{model}", "echo")
    read = service_of(dialect).operations["chat"].read(ServerRequest("POST", path), body, Rules(dialect))
    reasoning = read.options.reasoning
    assert reasoning is None or reasoning.off or dialect == "gemini_generate"  # whose level cannot be switched off


@pytest.mark.parametrize(
    ("path", "found"),
    [
        ("/v1/chat/completions", ("openai_chat", "chat")),
        ("/v1/messages", ("anthropic_messages", "chat")),
        ("/v1beta/models/gemini-3-pro:generateContent", ("gemini_generate", "chat")),
        ("/v2/chat", ("cohere_chat", "chat")),
        ("/model/us.anthropic.claude%3A0/converse-stream", ("bedrock_converse", "chat")),
        ("/api/chat", ("ollama_chat", "chat")),
        ("/openai/v1/responses", ("openai_responses", "chat")),
        ("/v1/embeddings", ("openai_chat", "embeddings")),
        ("/v1/audio/speech", None),
    ],
)
def test_a_path_identifies_the_dialect_and_the_operation(path: str, found: tuple[str, str] | None) -> None:
    assert find_operation(path) == found


def test_an_operation_may_have_another_method_and_no_body(monkeypatch: pytest.MonkeyPatch) -> None:
    service = service_of("openai_chat")
    models = ServiceOperation(
        path=re.compile("/models$"),
        check=lambda received, body, rules: None,
        read=lambda received, body, rules: ChatRequest("echo"),
        write=lambda request, response, rules: {"data": [{"id": response.model}]},
        method="GET",
    )
    operations = {**service.operations, "models": models}
    monkeypatch.setattr("ailib_sync.embedded.service.service_of", lambda dialect: replace(service, operations=operations))
    monkeypatch.setattr("ailib_sync.embedded.service.MODELS", {"models": ECHO})
    assert find_operation("/v1/models") == ("openai_chat", "models")
    rules = Rules("openai_chat", "models")
    response = respond(ServerRequest("GET", "/v1/models"), rules)
    assert (response.status, json.loads(b"".join(response.chunks))) == (200, {"data": [{"id": "echo"}]})
    assert respond(ServerRequest("POST", "/v1/models"), rules).status == 405


def test_echo_is_the_only_model() -> None:
    with pytest.raises(NotFound, match="`gpt-4o` does not exist"):
        AiClient("embedded/gpt-4o", retry=0).chat().user("Hi").execute()


# --- Sample values for a schema -------------------------------------------------------------------------------------------

SCHEMAS: dict[str, Any] = {
    "an object": PERSON,
    "nothing": {},
    "a type list": {"type": ["null", "string"]},
    "an enumeration": {"enum": ["red", "blue"]},
    "a constant": {"const": 7},
    "bounds": {"type": "integer", "minimum": 5, "exclusiveMaximum": 7},
    "a step": {"type": "number", "multipleOf": 0.5, "minimum": 3.2},
    "lengths": {"type": "string", "minLength": 12, "maxLength": 14},
    "a format": {"type": "string", "format": "date"},
    "items": {"type": "array", "items": {"type": "number"}, "minItems": 3, "maxItems": 4},
    "unique items": {"type": "array", "items": {"type": "string"}, "minItems": 3, "uniqueItems": True},
    "a tuple": {"type": "array", "prefixItems": [{"type": "string"}, {"type": "boolean"}], "minItems": 2},
    "a choice": {"anyOf": [{"type": "null"}, {"type": "object", "properties": {"a": {"type": "integer"}}, "required": ["a"]}]},
    "all of": {"allOf": [PERSON, {"properties": {"age": {"minimum": 40}}}]},
    "a reference": {"$defs": {"p": PERSON}, "type": "object", "properties": {"p": {"$ref": "#/$defs/p"}}, "required": ["p"]},
    "a recursion": {
        "$defs": {"node": {"type": "object", "properties": {"next": {"$ref": "#/$defs/node"}, "v": {"type": "integer"}}}},
        "$ref": "#/$defs/node",
    },
    "a required property without a schema": {"type": "object", "required": ["x"]},
}


@pytest.mark.parametrize("text", ["", 'Ada is 36, in Paris; "quoted words" and blue'])
@pytest.mark.parametrize("name", SCHEMAS)
def test_a_sample_value_is_valid(name: str, text: str) -> None:
    jsonschema.Draft202012Validator(SCHEMAS[name]).validate(sample_of(SCHEMAS[name], text))


def test_a_sample_value_has_words_of_the_text() -> None:
    schema = {
        "type": "object",
        "properties": {"city": {"type": "string"}, "days": {"type": "integer"}, "unit": {"enum": ["celsius", "fahrenheit"]}},
        "required": ["city", "days", "unit"],
    }
    assert sample_of(schema, "What will it be like in New York for 3 days, in Fahrenheit?") == {
        "city": "New York",
        "days": 3,
        "unit": "fahrenheit",
    }


def test_a_service_is_a_function_without_state() -> None:
    body = json.dumps({"model": "m", "messages": [{"role": "user", "content": "Hi"}]}).encode()
    received = ServerRequest("POST", "/chat/completions", headers={"content-type": "application/json"}, body=body)
    first, second = (b"".join(respond(received, Rules("openai_chat")).chunks) for _ in range(2))
    assert first == second
