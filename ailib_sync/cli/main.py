"""The command line: ask a model, list providers, check and show manifests. Results go to stdout, all else to stderr."""

from __future__ import annotations

import argparse
import json
import os
import sys

from ..errors import AiLibError, ConfigurationError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from ..builder import ChatBuilder
    from ..registry.manifest import Manifest
    from ..types.response import CallStats, ChatResponse

USAGE = """\
python -m ailib_sync [options] "prompt"          ask a model; without a prompt, or with "-", it is read from stdin
       python -m ailib_sync providers                   list the providers and the environment variables of their keys
       python -m ailib_sync manifest check FILE         list the problems of a manifest
       python -m ailib_sync manifest show ID[/MODEL]    print a manifest, or the settings of one model"""


def main(argv: Sequence[str] | None = None) -> int:
    """Runs one command. Returns the exit status: 0, 1 after a failed call, 2 for a wrong command line, 130 after Ctrl-C."""
    words = list(sys.argv[1:] if argv is None else argv)
    try:
        if words[:1] == ["providers"]:
            return list_providers(words[1:])
        if words[:1] == ["manifest"]:
            return manifest_command(words[1:])
        return ask(words)
    except AiLibError as error:
        print(f"error: {error}", file=sys.stderr)
        return 2 if isinstance(error, ConfigurationError) else 1
    except BrokenPipeError:
        # The reader closed the pipe. At exit, Python flushes stdout and would report the error again:
        # https://docs.python.org/3/library/signal.html#note-on-sigpipe
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
    except KeyboardInterrupt:
        print(file=sys.stderr)
        return 130


def ask(words: list[str]) -> int:
    parser = argparse.ArgumentParser(prog="python -m ailib_sync", usage=USAGE, add_help=True)
    parser.add_argument("prompt", nargs="*")
    parser.add_argument("--model", help="provider/model; default: AILIB_MODEL, otherwise the first provider whose key is set")
    parser.add_argument("--system", help="a system message")
    parser.add_argument("--temperature", type=float)
    parser.add_argument("--max-tokens", type=int)
    parser.add_argument("--no-stream", action="store_true", help="print the response when it is complete")
    parser.add_argument("--json", action="store_true", help="print the response, its usage and its time as one JSON object")
    parser.add_argument("--explain", action="store_true", help="print the request without sending it")
    options = parser.parse_args(words)
    prompt = " ".join(options.prompt)
    if prompt in ("", "-"):
        if not prompt and sys.stdin.isatty():
            parser.print_usage(sys.stderr)
            return 2
        prompt = sys.stdin.read()
    builder = _chat(options.model, options.system, options.temperature, options.max_tokens).user(prompt)
    if options.explain:
        print(builder.explain(stream=not options.no_stream))
        return 0
    if options.json or options.no_stream:
        response, stats = builder.execute_with_stats()
        print(_as_json(response, stats) if options.json else response.content)
    else:
        response, stats = _print_stream(builder)
    _report(response, stats)
    return 0


def _chat(model: str | None, system: str | None, temperature: float | None, max_tokens: int | None) -> ChatBuilder:
    from ..client import AiClient

    name, reason = choose_model(model)
    print(f"{name} ({reason})", file=sys.stderr)
    builder = AiClient(name).chat()
    if system:
        builder = builder.system(system)
    if temperature is not None:
        builder = builder.temperature(temperature)
    if max_tokens is not None:
        builder = builder.max_tokens(max_tokens)
    return builder


#: Provider → its default model. The order of the providers is the order in which their keys are checked.
DEFAULT_MODELS = os.path.join(os.path.dirname(os.path.dirname(__file__)), "data", "default_models.json")


def choose_model(requested: str | None) -> tuple[str, str]:
    """(model, reason): the requested one, AILIB_MODEL, the first provider whose key is set, or the embedded provider."""
    if requested:
        return requested, "from --model"
    if os.environ.get("AILIB_MODEL"):
        return os.environ["AILIB_MODEL"], "from AILIB_MODEL"
    from ..pipeline.auth import key_variables
    from ..registry.files import read_json
    from ..registry.manifest import Manifest

    for provider, model in read_json(DEFAULT_MODELS).items():
        for name in key_variables(Manifest.load(provider)):
            if os.environ.get(name):
                return f"{provider}/{model}", f"{name} is set; use --model or AILIB_MODEL for another one"
    return "embedded/echo", "no API key is set, so the embedded provider responds; it is not a language model"


def _print_stream(builder: ChatBuilder) -> tuple[ChatResponse, CallStats]:
    with builder.stream() as stream:
        for text in stream.text():
            print(text, end="", flush=True)
        print()
        return stream.response, stream.stats


def _as_json(response: ChatResponse, stats: CallStats) -> str:
    from dataclasses import asdict

    facts = {
        "content": response.content,
        "thinking": response.thinking,
        "tool_calls": [{"id": c.id, "name": c.name, "arguments": c.arguments} for c in response.tool_calls],
        "finish_reason": response.finish_reason,
        "warnings": response.warnings,
        **asdict(stats),
        "attempts": len(stats.attempts),
    }
    return json.dumps(facts, ensure_ascii=False, indent=2)


def _report(response: ChatResponse, stats: CallStats) -> None:
    for warning in response.warnings:
        print(f"warning: {warning}", file=sys.stderr)
    counts = ((stats.prompt_tokens, "prompt"), (stats.completion_tokens, "completion"))
    known = [f"{count} {name}" for count, name in counts if count is not None]
    tokens = f"{' + '.join(known)} tokens, " if known else ""
    first = stats.time_to_first_token_ms
    timing = f"{stats.latency_ms:.0f} ms" + (f", first token after {first:.0f} ms" if first is not None else "")
    print(f"[{response.finish_reason}: {tokens}{timing}]", file=sys.stderr)


def list_providers(words: list[str]) -> int:
    """One line for each provider: id, dialects, key variable, status."""
    parser = argparse.ArgumentParser(prog="python -m ailib_sync providers")
    parser.add_argument("--all", action="store_true", help="also list retired providers and those without chat")
    options = parser.parse_args(words)
    from ..registry.manifest import builtin_manifests

    rows = [("ID", "DIALECTS", "KEY", "STATUS")]
    for manifest in builtin_manifests():
        if options.all or manifest.status not in ("retired", "not_chat"):
            rows.append((manifest.id, " ".join((manifest.dialect, *manifest.dialects)), _keys(manifest), manifest.status))
    widths = [max(len(row[i]) for row in rows) for i in range(4)]
    for row in rows:
        print("  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip())
    return 0


def _keys(manifest: Manifest) -> str:
    from ..pipeline.auth import key_variables

    if manifest.auth.get("scheme") == "none":
        return "no key needed"
    names = key_variables(manifest)
    return next((f"{name} (set)" for name in names if os.environ.get(name)), names[0])


def manifest_command(words: list[str]) -> int:
    if len(words) == 2 and words[0] == "check":
        return check_manifest(words[1])
    if len(words) == 2 and words[0] == "show":
        return show_manifest(words[1])
    print(f"usage: {USAGE}", file=sys.stderr)
    return 2


def check_manifest(path: str) -> int:
    from ..registry.check import find_problems
    from ..registry.files import read_json
    from ..registry.manifest import Manifest

    problems = find_problems(read_json(path, unique_keys=True), path)
    for problem in problems:
        print(problem)
    if problems:
        return 1
    manifest = Manifest.from_path(path)
    print(f"{path}: valid: {manifest.name}, {manifest.dialect}, {manifest.base_url}")
    return 0


def show_manifest(name: str) -> int:
    from dataclasses import asdict

    from ..registry.manifest import Manifest

    provider, _, model = name.partition("/")
    manifest = Manifest.load(provider)
    if model:
        manifest = manifest.for_model(model)
    defaults = asdict(Manifest("", "", "", ""))
    internal = ("trusted", "source")
    keys = {key: value for key, value in asdict(manifest).items() if value != defaults[key] and key not in internal}
    print(json.dumps(keys, indent=2, ensure_ascii=False))
    return 0
