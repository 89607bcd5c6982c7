"""Through the LiteLLM proxy, which translates each of three formats into each of three others: what it makes of them is read.

`python -m venv <servers>/litellm/venv`, and in it `pip install 'litellm[proxy]'`. Its upstreams are fakes on this machine, and
every address it might otherwise know is a closed port.
"""

from __future__ import annotations

import json
from contextlib import ExitStack
from typing import TYPE_CHECKING, Any

import pytest

from ailib_sync import AiClient, Tool, errors
from ailib_sync.testing import FakeProvider

from ..local_server import free_ports
from .process import installed, running

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

KEY = "sk-local-0123456789-abcdefghijklmnop"
#: What stands behind the proxy → (LiteLLM's name for the model, the path of its address).
UPSTREAMS = {
    "openai": ("openai/gpt-4o", "/v1"),
    "anthropic": ("anthropic/claude-sonnet-4-5", ""),
    "gemini": ("gemini/gemini-2.5-flash", "/v1beta"),
}
CLOSED = "http://127.0.0.1:9"
SURROUNDINGS = {
    **{f"{name}_API_BASE": CLOSED for name in ("OPENAI", "ANTHROPIC", "GEMINI", "COHERE")},
    "LITELLM_MASTER_KEY": KEY,
    "LITELLM_LOCAL_MODEL_COST_MAP": "True",
    "LITELLM_LOCAL_ANTHROPIC_BETA_HEADERS": "True",
    "LITELLM_TELEMETRY": "False",
    "DISABLE_ADMIN_UI": "True",
    "HF_HUB_OFFLINE": "1",
    "NO_PROXY": "*",
}
CITY = {"city": "Zürich"}
WEATHER = Tool("get_weather", "The weather.", {"type": "object", "properties": {"city": {"type": "string"}}})
BOTH = pytest.mark.parametrize("stream", [False, True], ids=["plain", "stream"])


@pytest.fixture(scope="module")
def fakes() -> Iterator[dict[str, FakeProvider]]:
    with ExitStack() as stack:
        yield {name: stack.enter_context(FakeProvider(name)) for name in UPSTREAMS}


@pytest.fixture(scope="module")
def proxy(fakes: dict[str, FakeProvider], tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of a running proxy."""
    binary = installed("litellm/venv/bin/litellm", "pip install 'litellm[proxy]' in a virtual environment there")
    folder: Path = tmp_path_factory.mktemp("litellm")
    models = [
        {"model_name": name, "litellm_params": {"model": model, "api_key": "test-key", "api_base": fakes[name].url + path}}
        for name, (model, path) in UPSTREAMS.items()
    ]
    settings = {"telemetry": False, "num_retries": 0, "drop_params": True}
    router, general = {"disable_cooldowns": True}, {"disable_spend_logs": True}
    everything = {"model_list": models, "litellm_settings": settings, "router_settings": router, "general_settings": general}
    text = json.dumps(everything)
    (folder / "config.yaml").write_text(text, encoding="utf-8")  # JSON is YAML
    (port,) = free_ports(1)
    command = [str(binary), "--config", str(folder / "config.yaml"), "--host", "127.0.0.1", "--port", str(port)]
    with running([*command, "--num_workers", "1", "--telemetry", "False"], port, folder / "log", SURROUNDINGS, seconds=90):
        yield f"http://127.0.0.1:{port}"


@pytest.fixture(params=UPSTREAMS)
def upstream(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture(params=["openai_chat", "anthropic_messages", "openai_responses"])
def client(request: pytest.FixtureRequest, proxy: str, upstream: str) -> Iterator[AiClient]:
    options: dict[str, Any] = {"dialect": request.param, "api_key": KEY, "retry": 0, "trust_env": False, "timeout": 30}
    with AiClient(f"litellm/{upstream}", base_url=f"{proxy}/v1", **options) as client:
        yield client


def _answer(chat: Any, stream: bool) -> Any:
    if not stream:
        return chat.execute()
    with chat.stream() as events:
        return events.collect()


@BOTH
def test_an_response(client: AiClient, upstream: str, fakes: dict[str, FakeProvider], stream: bool) -> None:
    fakes[upstream].reply("Grüße 👋, translated twice.")
    answer = _answer(client.chat().system("Be kind").user("Hi"), stream)
    assert answer.content == "Grüße 👋, translated twice."
    assert answer.finish_reason == "end_turn"


@BOTH
def test_a_tool_and_back(client: AiClient, upstream: str, fakes: dict[str, FakeProvider], stream: bool) -> None:
    fake = fakes[upstream]
    chat = client.chat().user("weather?").tools(WEATHER)
    fake.reply(tool_calls=[("get_weather", CITY)])
    answer = _answer(chat, stream)
    assert [(call.name, call.arguments) for call in answer.tool_calls] == [("get_weather", CITY)]
    assert answer.finish_reason == "tool_use"
    fake.reply("Sunny.")
    again = chat.message(answer.message).tool_result(answer.tool_calls[0].id, "sunny", name="get_weather")
    assert _answer(again, stream).content == "Sunny."
    assert not fake.unused


@BOTH
@pytest.mark.parametrize(("status", "expected"), [(429, errors.RateLimited), (400, errors.InvalidRequest)])
def test_an_error_response(
    client: AiClient,
    upstream: str,
    fakes: dict[str, FakeProvider],
    stream: bool,
    status: int,
    expected: type[errors.RemoteError],
) -> None:
    fakes[upstream].fail(status, message="Not today")
    with pytest.raises(expected) as caught:
        _answer(client.chat().user("Hi"), stream)
    assert "Not today" in str(caught.value)
