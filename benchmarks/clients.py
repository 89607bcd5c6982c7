"""The measured clients: each class creates a client, makes a call, and streams text. Imports are done as late as possible."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

PROMPT = "Say hello."
KEY = "sk-not-a-key"
MESSAGES = [{"role": "user", "content": PROMPT}]


class Client:
    """`modules` is what a user imports. `url` ends with the path of the scenario."""

    modules = ""
    form = "openai"
    times_events = True

    def __init__(self, url: str) -> None:
        raise NotImplementedError

    def ask(self) -> str:
        raise NotImplementedError

    def stream(self) -> Iterator[str]:
        raise NotImplementedError

    def thoughts(self) -> Iterator[str]:
        """The same for thinking, and below for a tool call's arguments. Not measured for peers."""
        raise NotImplementedError

    def arguments(self) -> Iterator[str]:
        raise NotImplementedError


class Ailib(Client):
    modules = "ailib_sync"
    model = "openai/gpt-4o"

    def __init__(self, url: str) -> None:
        from ailib_sync import AiClient

        self.client = AiClient(self.model, api_key=KEY, base_url=url + "/v1", max_connections=512)

    def ask(self) -> str:
        return self.client.chat().user(PROMPT).execute().content

    def stream(self) -> Iterator[str]:
        for event in self.client.chat().user(PROMPT).stream():
            if event.is_content_delta:
                yield event.as_content_delta.text

    def thoughts(self) -> Iterator[str]:
        for event in self.client.chat().user(PROMPT).stream():
            if event.is_thinking_delta:
                yield event.as_thinking_delta.text

    def arguments(self) -> Iterator[str]:
        for event in self.client.chat().user(PROMPT).stream():
            if event.is_partial_tool_call:
                yield event.as_partial_tool_call.arguments


class AilibAnthropic(Ailib):
    model = "anthropic/claude-sonnet-4-5"
    form = "anthropic"


class Urllib3(Client):
    """The baseline: a pool, a loop over `stream()`, and `json.loads` of each line."""

    modules = "urllib3, json"

    def __init__(self, url: str) -> None:
        import urllib3

        self.pool = urllib3.PoolManager(maxsize=512)
        self.url = url + ("/v1/messages" if self.form == "anthropic" else "/v1/chat/completions")

    def post(self, stream: bool) -> Any:
        import json

        body = json.dumps({"model": "gpt-4o", "messages": MESSAGES, "stream": stream})
        headers = {"Content-Type": "application/json", "Authorization": f"Bearer {KEY}", "User-Agent": "floor"}
        return self.pool.request("POST", self.url, body=body, headers=headers, preload_content=not stream, retries=False)

    def ask(self) -> str:
        import json

        return json.loads(self.post(False).data)["choices"][0]["message"]["content"]

    def stream(self) -> Iterator[str]:
        return self.read(self.text)

    def thoughts(self) -> Iterator[str]:
        return self.read(self.thought)

    def arguments(self) -> Iterator[str]:
        return self.read(self.argument)

    def read(self, fragment_of: Callable[[Any], str | None]) -> Iterator[str]:
        import json

        response = self.post(True)
        rest = b""
        for block in response.stream(65536):
            *lines, rest = (rest + block).split(b"\n")
            for line in lines:
                if line.startswith(b"data: {"):
                    text = fragment_of(json.loads(line[6:]))
                    if text:
                        yield text
        response.release_conn()

    def text(self, event: Any) -> str | None:
        return event["choices"][0]["delta"].get("content")

    def thought(self, event: Any) -> str | None:
        return event["choices"][0]["delta"].get("reasoning_content")

    def argument(self, event: Any) -> str | None:
        calls = event["choices"][0]["delta"].get("tool_calls")
        return calls[0]["function"]["arguments"] if calls else None


class Urllib3Anthropic(Urllib3):
    form = "anthropic"

    def text(self, event: Any) -> str | None:
        return event["delta"].get("text") if event["type"] == "content_block_delta" else None

    def thought(self, event: Any) -> str | None:
        return event["delta"].get("thinking") if event["type"] == "content_block_delta" else None

    def argument(self, event: Any) -> str | None:
        return event["delta"].get("partial_json") if event["type"] == "content_block_delta" else None


class Raw(Client):
    """The other baseline: a socket and a search for the text. It parses nothing and depends on what the server sends."""

    modules = "socket"

    def __init__(self, url: str) -> None:
        self.host, _, self.path = url.removeprefix("http://").partition("/")

    def stream(self) -> Iterator[str]:
        import socket

        host, _, port = self.host.partition(":")
        sock = socket.create_connection((host, int(port)))
        path = f"/{self.path}/v1/chat/completions"
        sock.sendall(f"POST {path} HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n\r\n{{}}".encode())
        data = b""
        while b"[DONE]" not in data:
            data += sock.recv(65536)
            *frames, data = data.split(b"\n\n")
            for frame in frames:
                _, found, rest = frame.partition(b'"content":"')
                if found:
                    yield rest.partition(b'"')[0].decode()
            data = data if b"[DONE]" not in (frames[-1] if frames else b"") else b"[DONE]"
        sock.close()


class OpenAi(Client):
    modules = "openai"

    def __init__(self, url: str) -> None:
        import openai

        self.client = openai.OpenAI(api_key=KEY, base_url=url + "/v1", max_retries=0)

    def ask(self) -> str:
        return self.client.chat.completions.create(model="gpt-4o", messages=MESSAGES).choices[0].message.content

    def stream(self) -> Iterator[str]:
        for chunk in self.client.chat.completions.create(model="gpt-4o", messages=MESSAGES, stream=True):
            if chunk.choices and chunk.choices[0].delta.content:
                yield chunk.choices[0].delta.content


class Anthropic(Client):
    modules = "anthropic"
    form = "anthropic"

    def __init__(self, url: str) -> None:
        import anthropic

        self.client = anthropic.Anthropic(api_key=KEY, base_url=url, max_retries=0)

    def ask(self) -> str:
        return self.client.messages.create(model="claude-sonnet-4-5", max_tokens=99, messages=MESSAGES).content[0].text

    def stream(self) -> Iterator[str]:
        for event in self.client.messages.create(model="claude-sonnet-4-5", max_tokens=99, messages=MESSAGES, stream=True):
            if event.type == "content_block_delta" and event.delta.type == "text_delta":
                yield event.delta.text


class LiteLlm(Client):
    modules = "litellm"

    def __init__(self, url: str) -> None:
        import litellm

        self.complete = litellm.completion
        self.options = {"model": "openai/gpt-4o", "messages": MESSAGES, "api_key": KEY, "api_base": url + "/v1"}

    def ask(self) -> str:
        return self.complete(**self.options).choices[0].message.content

    def stream(self) -> Iterator[str]:
        for chunk in self.complete(**self.options, stream=True):
            if chunk.choices and chunk.choices[0].delta.content:
                yield chunk.choices[0].delta.content


class AiSuite(Client):
    modules = "aisuite"

    def __init__(self, url: str) -> None:
        import aisuite

        self.client = aisuite.Client({"openai": {"api_key": KEY, "base_url": url + "/v1", "max_retries": 0}})

    def ask(self) -> str:
        return self.client.chat.completions.create(model="openai:gpt-4o", messages=MESSAGES).choices[0].message.content

    def stream(self) -> Iterator[str]:
        for chunk in self.client.chat.completions.create(model="openai:gpt-4o", messages=MESSAGES, stream=True):
            if chunk.choices and chunk.choices[0].delta.content:
                yield chunk.choices[0].delta.content


class AnyLlm(Client):
    modules = "any_llm"

    def __init__(self, url: str) -> None:
        from any_llm import AnyLLM

        self.client = AnyLLM.create("openai", api_key=KEY, api_base=url + "/v1")

    def ask(self) -> str:
        return self.client.completion(model="gpt-4o", messages=MESSAGES).choices[0].message.content

    def stream(self) -> Iterator[str]:
        for chunk in self.client.completion(model="gpt-4o", messages=MESSAGES, stream=True):
            if chunk.choices and chunk.choices[0].delta.content:
                yield chunk.choices[0].delta.content


class LangChain(Client):
    modules = "langchain_openai"

    def __init__(self, url: str) -> None:
        from langchain_openai import ChatOpenAI

        self.model = ChatOpenAI(model="gpt-4o", api_key=KEY, base_url=url + "/v1", max_retries=0)

    def ask(self) -> str:
        return self.model.invoke(PROMPT).content

    def stream(self) -> Iterator[str]:
        for chunk in self.model.stream(PROMPT):
            if chunk.content:
                yield chunk.content


class PydanticAi(Client):
    modules = "pydantic_ai"

    def __init__(self, url: str) -> None:
        from pydantic_ai import Agent
        from pydantic_ai.models.openai import OpenAIChatModel
        from pydantic_ai.providers.openai import OpenAIProvider

        provider = OpenAIProvider(base_url=url + "/v1", api_key=KEY)
        self.agent = Agent(OpenAIChatModel("gpt-4o", provider=provider))

    def ask(self) -> str:
        return self.agent.run_sync(PROMPT).output

    def stream(self) -> Iterator[str]:
        with self.agent.run_stream_sync(PROMPT) as result:
            yield from result.stream_text(delta=True, debounce_by=None)


class AiLibPython(Client):
    """Asynchronous: a stream is read completely inside its event loop, so the delay of each event is not measured. It reads its
    manifest from the folder that AI_PROTOCOL_DIR names (a copy of the AI-Protocol repository)."""

    modules = "ai_lib_python"
    times_events = False

    def __init__(self, url: str) -> None:
        import asyncio

        from ai_lib_python import AiClient

        self.run = asyncio.new_event_loop().run_until_complete
        self.client = self.run(AiClient.create("openai/gpt-4o", api_key=KEY, base_url=url + "/v1"))

    async def ask_once(self) -> str:
        return (await self.client.chat().user(PROMPT).execute()).content

    async def texts(self) -> list[str]:
        events = self.client.chat().user(PROMPT).stream()
        return [event.as_content_delta.content async for event in events if event.is_content_delta]

    def ask(self) -> str:
        return self.run(self.ask_once())

    def stream(self) -> Iterator[str]:
        return iter(self.run(self.texts()))


CLIENTS: dict[str, type[Client]] = {
    "raw socket": Raw,
    "urllib3": Urllib3,
    "urllib3, Anthropic": Urllib3Anthropic,
    "ailib-sync": Ailib,
    "ailib-sync[speed]": Ailib,
    "ailib-sync, Anthropic": AilibAnthropic,
    "openai": OpenAi,
    "anthropic": Anthropic,
    "ai-lib-python": AiLibPython,
    "litellm": LiteLlm,
    "aisuite": AiSuite,
    "any-llm": AnyLlm,
    "langchain-openai": LangChain,
    "pydantic-ai": PydanticAi,
}
