"""The command line: stdout and stderr, the choice of a model, and the exit status."""

from __future__ import annotations

import io
import json
import os
import runpy
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from ailib_sync import _version
from ailib_sync.cli.main import DEFAULT_MODELS, choose_model, main
from ailib_sync.pipeline.auth import key_variables
from ailib_sync.registry.files import provider_ids, read_json
from ailib_sync.registry.manifest import Manifest, builtin_manifests
from ailib_sync.testing import FakeProvider, offline

from .interrupts import INTERRUPTIBLE
from .time_limits import scaled

ROOT = Path(__file__).parent.parent
INTRODUCTION = "This is the embedded stand-in of ailib_sync, not a language model. You said: "
ACME = {"id": "acme", "name": "Acme", "dialect": "openai_chat", "base_url": "https://api.acme.invalid/v1"}

Run = Callable[..., tuple[int, str, str]]


@pytest.fixture(autouse=True)
def clean_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """No keys and no model from the environment of the tests."""
    names = {name for manifest in builtin_manifests() for name in key_variables(manifest)}
    for name in {*names, "AILIB_MODEL", "AILIB_MANIFESTS"} & set(os.environ):
        monkeypatch.delenv(name)


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Run:
    """Runs a command: (status, stdout, stderr)."""

    def call(*words: str, stdin: str = "") -> tuple[int, str, str]:
        monkeypatch.setattr("sys.stdin", io.StringIO(stdin))
        try:
            status = main(words)
        except SystemExit as error:  # argparse
            status = int(error.code or 0)
        out, err = capsys.readouterr()
        return status, out, err

    return call


def _process(*words: str, start: tuple[str, ...] = ("-m", "ailib_sync"), **options: Any) -> subprocess.Popen[str]:
    command = [sys.executable, *start, *words]
    return subprocess.Popen(
        command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, encoding="utf-8", **options
    )


# --- Requests ---------------------------------------------------------------------------------------------------------


def test_a_response_is_streamed_to_stdout_and_all_else_goes_to_stderr(run: Run) -> None:
    status, out, err = run("Tell me a story")
    assert (status, out) == (0, INTRODUCTION + "Tell me a story\n")
    first, last = err.splitlines()
    assert first == "embedded/echo (no API key is set, so the embedded provider responds; it is not a language model)"
    assert last.startswith("[end_turn: ")
    assert " prompt + " in last
    assert " completion tokens, " in last
    assert " ms, first token after " in last


def test_words_without_quotes_are_joined_to_one_prompt(run: Run) -> None:
    assert run("Tell", "me", "a", "story")[1] == INTRODUCTION + "Tell me a story\n"


@pytest.mark.parametrize("words", [(), ("-",)])
def test_the_prompt_is_read_from_stdin(run: Run, words: tuple[str, ...]) -> None:
    assert run(*words, stdin="From a pipe\n")[:2] == (0, INTRODUCTION + "From a pipe\n\n")


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_a_terminal_without_a_prompt_prints_the_usage(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("sys.stdin", Terminal("not read"))
    assert main([]) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert "manifest check FILE" in err


def test_no_stream_prints_the_complete_response(run: Run) -> None:
    status, out, err = run("--no-stream", "Hello")
    assert (status, out) == (0, INTRODUCTION + "Hello\n")
    assert "first token" not in err


def test_json_is_one_object(run: Run) -> None:
    status, out, _ = run("--json", "Hello")
    facts = json.loads(out)
    assert status == 0
    assert (facts["content"], facts["finish_reason"], facts["tool_calls"]) == (INTRODUCTION + "Hello", "end_turn", [])
    assert facts["total_tokens"] == facts["prompt_tokens"] + facts["completion_tokens"]
    assert (facts["provider"], facts["attempts"], facts["warnings"]) == ("embedded", 1, [])
    assert facts["latency_ms"] > 0
    assert {"thinking", "cached_tokens", "reasoning_tokens", "request_id", "time_to_first_token_ms"} <= set(facts)


def test_options_reach_the_request(run: Run) -> None:
    options = ("--model", "openai/gpt-4o", "--system", "Be brief.", "--temperature", "0.5", "--max-tokens", "7")
    status, out, err = run(*options, "--explain", "Hi")
    assert (status, err) == (0, "openai/gpt-4o (from --model)\n")
    assert out.startswith("openai, dialect openai_chat\nPOST https://api.openai.com/v1/chat/completions\n")
    body, _ = json.JSONDecoder().raw_decode(out[out.index("{") :])
    assert body == {
        "model": "gpt-4o",
        "messages": [{"role": "system", "content": "Be brief."}, {"role": "user", "content": "Hi"}],
        "stream": True,
        "stream_options": {"include_usage": True},
        "temperature": 0.5,
        "max_completion_tokens": 7,
    }


def test_explain_with_no_stream_shows_a_request_without_streaming(run: Run) -> None:
    assert '"stream"' not in run("--explain", "--no-stream", "Hi")[1]


def test_warnings_go_to_stderr(run: Run) -> None:
    with offline():
        status, out, err = run("--model", "xai/grok-4.3", "--json", "Hi")
        assert (status, json.loads(out)["warnings"]) == (0, [])
        status, out, err = run("--model", "anthropic/claude-sonnet-5-5", "--temperature", "0.5", "Hi")
    assert status == 0
    assert "warning: temperature is not supported by Anthropic for this model\n" in err


def test_a_failed_call_has_status_1_and_names_the_provider(run: Run, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    with FakeProvider("openai") as fake:
        (tmp_path / "acme.json").write_text(json.dumps({**ACME, "base_url": fake.base_url}))
        monkeypatch.setenv("AILIB_MANIFESTS", str(tmp_path))
        monkeypatch.setenv("ACME_API_KEY", fake.api_key)
        fake.fail(400, message="Not like this.")
        status, out, err = run("--model", "acme/m-1", "--no-stream", "Hi")
        assert (status, out) == (1, "")
        assert "error: acme: " in err
        fake.fault("close_mid_stream", after=4, text="one two three four five six")
        status, out, err = run("--model", "acme/m-1", "Hi")
        assert (status, out.startswith("one")) == (1, True)
        assert "error: acme: the stream" in err


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("--model", "nowhere/x", "Hi"), "error: unknown provider 'nowhere'"),
        (("--model", "gpt-4o", "Hi"), "error: a model is written provider/model"),
        (("--model", "openai/gpt-4o", "Hi"), "error: openai: no API key. Set OPENAI_API_KEY or pass api_key=…"),
        (("--temperature", "5", "Hi"), "error: temperature must be a number between 0 and 2"),
        (("--temperature", "warm", "Hi"), "invalid float value: 'warm'"),
        (("--max-tokens", "1.5", "Hi"), "invalid int value: '1.5'"),
        (("--nonsense", "Hi"), "unrecognized arguments: --nonsense"),
        (("manifest",), "usage: "),
        (("manifest", "frobnicate", "x"), "usage: "),
        (("manifest", "check"), "usage: "),
        (("manifest", "check", "no-such-file.json"), "error: no-such-file.json: No such file or directory"),
        (("manifest", "show", "nowhere"), "error: unknown provider 'nowhere'"),
        (("providers", "extra"), "unrecognized arguments: extra"),
    ],
)
def test_a_wrong_command_has_status_2_and_prints_the_reason(run: Run, words: tuple[str, ...], message: str) -> None:
    status, out, err = run(*words)
    assert (status, out) == (2, "")
    assert message in err


@pytest.mark.parametrize("word", ["-h", "--help"])
def test_help_lists_every_command(run: Run, word: str) -> None:
    status, out, _ = run(word)
    assert status == 0
    for part in ("--model", "--system", "--no-stream", "--json", "--explain", "providers", "manifest check", "manifest show"):
        assert part in out


# --- Choice of a model ------------------------------------------------------------------------------------------------


def test_the_option_comes_before_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    assert choose_model(None)[0] == "embedded/echo"
    monkeypatch.setenv("MISTRAL_API_KEY", "k")
    model, reason = choose_model(None)
    assert model == f"mistral/{read_json(DEFAULT_MODELS)['mistral']}"
    assert reason.startswith("MISTRAL_API_KEY is set")
    monkeypatch.setenv("ANTHROPIC_API_KEY", "k")
    assert choose_model(None)[0].startswith("anthropic/")
    monkeypatch.setenv("AILIB_MODEL", "groq/x")
    assert choose_model(None) == ("groq/x", "from AILIB_MODEL")
    assert choose_model("xai/y") == ("xai/y", "from --model")


def test_an_empty_variable_is_ignored(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "")
    monkeypatch.setenv("AILIB_MODEL", "")
    assert choose_model(None)[0] == "embedded/echo"


@pytest.mark.parametrize("provider", read_json(DEFAULT_MODELS))
def test_each_default_model_works(provider: str, monkeypatch: pytest.MonkeyPatch, run: Run) -> None:
    monkeypatch.setenv(key_variables(Manifest.load(provider))[0], "k")
    with offline():
        status, out, err = run("Hello")
    assert (status, out.endswith("You said: Hello\n")) == (0, True)
    assert err.startswith(f"{provider}/{read_json(DEFAULT_MODELS)[provider]} (")


def test_the_model_can_come_from_the_environment(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AILIB_MODEL", "embedded/echo?dialect=anthropic_messages")
    status, _, err = run("Hello")
    assert status == 0
    assert err.startswith("embedded/echo?dialect=anthropic_messages (from AILIB_MODEL)\n")


# --- Lists and manifests ----------------------------------------------------------------------------------------------


def test_providers_are_listed_with_their_keys(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GOOGLE_API_KEY", "k")
    status, out, err = run("providers")
    rows = {line.split()[0]: line for line in out.splitlines()}
    assert (status, err) == (0, "")
    available = {m.id for m in builtin_manifests() if m.status not in ("retired", "not_chat")}
    assert set(rows) == {"ID", *available}
    assert "openai_chat openai_responses" in rows["openai"]
    assert "OPENAI_API_KEY" in rows["openai"]
    assert "(set)" not in rows["openai"]
    assert "GOOGLE_API_KEY (set)" in rows["gemini"]
    assert "no key needed" in rows["embedded"]
    assert rows["openai"].endswith("verified")


def test_all_also_lists_retired_providers(run: Run) -> None:
    _, out, _ = run("providers", "--all")
    assert {line.split()[0] for line in out.splitlines()[1:]} == set(provider_ids())


def test_a_valid_manifest_is_reported_as_valid(run: Run, tmp_path: Path) -> None:
    path = tmp_path / "acme.json"
    path.write_text(json.dumps(ACME))
    assert run("manifest", "check", str(path)) == (
        0, f"{path}: valid: Acme, openai_chat, https://api.acme.invalid/v1\n", "",
    )  # fmt: skip


def test_every_problem_of_a_manifest_is_listed_with_its_path(run: Run, tmp_path: Path) -> None:
    path = tmp_path / "acme.json"
    path.write_text(json.dumps({**ACME, "parametres": {}, "limits": {"temperature": "high"}}))
    status, out, _ = run("manifest", "check", str(path))
    assert status == 1
    lines = out.splitlines()
    assert len(lines) == 2
    assert all(line.startswith(f"{path}: ") for line in lines)
    assert any("parametres" in line and "parameters" in line for line in lines)
    assert any("limits.temperature" in line for line in lines)


def test_a_manifest_is_shown_without_its_defaults(run: Run) -> None:
    status, out, _ = run("manifest", "show", "claude")
    shown = json.loads(out)
    assert (status, shown["id"], shown["auth"]["header"]) == (0, "anthropic", "x-api-key")
    assert not {"trusted", "source", "variables"} & set(shown)


def test_a_manifest_is_shown_resolved_for_a_model(run: Run) -> None:
    assert json.loads(run("manifest", "show", "openai")[1])["parameters"] == {"max_tokens": "max_completion_tokens"}
    resolved = json.loads(run("manifest", "show", "openai/o3")[1])
    assert resolved["parameters"]["temperature"] is None
    assert json.loads(run("manifest", "show", "openai/gpt-5-pro")[1])["dialect"] == "openai_responses"


# --- Processes --------------------------------------------------------------------------------------------------------


def test_it_runs_as_a_module_and_reads_a_pipe() -> None:
    process = _process("--model", "embedded/echo")
    out, err = process.communicate("Grüße, 世界")
    assert (process.returncode, out) == (0, INTRODUCTION + "Grüße, 世界\n"), err


def test_the_module_exits_with_the_status_of_the_command(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.argv", ["ailib_sync", "manifest"])
    with pytest.raises(SystemExit) as caught:
        runpy.run_module("ailib_sync", run_name="__main__")
    assert caught.value.code == 2


def test_a_closed_pipe_prints_no_traceback() -> None:
    process = _process("--model", "embedded/echo", "word " * 20000)
    assert process.stdout is not None
    assert process.stdin is not None
    assert process.stderr is not None
    process.stdout.read(10)
    process.stdout.close()
    process.stdin.close()
    err = process.stderr.read()
    process.stderr.close()
    assert process.wait(timeout=scaled(60)) == 1
    assert "Traceback" not in err
    assert "BrokenPipe" not in err


@pytest.mark.skipif(os.name == "nt", reason="POSIX signals")
def test_ctrl_c_exits_with_130_and_no_traceback(tmp_path: Path) -> None:
    with FakeProvider("openai") as fake:
        fake.delay(between_events=0.2)
        (tmp_path / "acme.json").write_text(json.dumps({**ACME, "base_url": fake.base_url}))
        env = {**os.environ, "AILIB_MANIFESTS": str(tmp_path), "ACME_API_KEY": fake.api_key}
        start = "import runpy; runpy.run_module('ailib_sync', run_name='__main__', alter_sys=True)"
        process = _process("--model", "acme/m-1", "Tell me a long story", start=("-c", INTERRUPTIBLE + start), env=env)
        assert process.stdout is not None
        assert process.stdout.read(4) == "This"
        process.send_signal(signal.SIGINT)
        _, err = process.communicate(timeout=scaled(30))
    assert process.returncode == 130
    assert "Traceback" not in err


def test_ctrl_c_in_process(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupted(words: list[str]) -> int:
        raise KeyboardInterrupt

    monkeypatch.setattr("ailib_sync.cli.main.ask", interrupted)
    assert run("Hi") == (130, "", "\n")


def test_a_broken_pipe_in_process(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    def broken(words: list[str]) -> int:
        raise BrokenPipeError

    monkeypatch.setattr("ailib_sync.cli.main.list_providers", broken)
    with (tmp_path / "out").open("w") as out:
        monkeypatch.setattr("sys.stdout", out)
        assert main(["providers"]) == 1
        out.write("discarded")
    assert (tmp_path / "out").read_text() == ""


def test_there_is_one_version() -> None:
    code = "import ailib_sync; print(ailib_sync.__version__)"
    run = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert run.stdout.strip() == _version.__version__
