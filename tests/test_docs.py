"""The pages are correct: every snippet runs, every command works, every link exists, every generated page is up to date."""

from __future__ import annotations

import importlib.util
import os
import re
import shlex
import socket
import subprocess
import sys
import textwrap
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from ailib_sync.cli.main import main as command_line
from ailib_sync.dialects.dialect import NAMES
from ailib_sync.errors import CLASSES
from ailib_sync.registry.check import schema
from ailib_sync.registry.quirks import QUIRKS, TOLERANCES
from ailib_sync.testing import offline

from .test_words import IN_PROSE

ROOT = Path(__file__).parent.parent
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md")), ROOT / "CONTRIBUTING.md", ROOT / "SECURITY.md"]
GENERATED = ("providers.md", "manifests.md", "quirks.md", "faults.md", "provider-errors.md")
_FENCE = re.compile(r"^```(\w+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)


def _text(page: Path) -> str:
    return page.read_text(encoding="utf-8")


def _blocks(page: Path, *languages: str) -> list[str]:
    return [code for language, code in _FENCE.findall(_text(page)) if language in languages]


def _name(page: Path) -> str:
    return page.name


@pytest.fixture
def no_network(monkeypatch: pytest.MonkeyPatch) -> None:
    """Fails every connection to another machine, and every look-up of its name."""
    connect, look_up = socket.socket.connect, socket.getaddrinfo

    def local_connect(self: socket.socket, address: Any) -> None:
        assert address[0] in ("127.0.0.1", "::1"), f"a connection to {address}"
        connect(self, address)

    def local_look_up(host: Any, *args: Any, **kwargs: Any) -> Any:
        assert host in ("127.0.0.1", "localhost", "::1"), f"a look-up of {host}"
        return look_up(host, *args, **kwargs)

    monkeypatch.setattr(socket.socket, "connect", local_connect)
    monkeypatch.setattr(socket, "getaddrinfo", local_look_up)


# --- Snippets -----------------------------------------------------------------------------------------------------------


def _needs(code: str) -> list[str]:
    """The packages that a block names as needed: `# needs: flask`."""
    match = re.search(r"^# needs: (.*)$", code, re.MULTILINE)
    return match[1].split() if match else []


@pytest.mark.slow
@pytest.mark.usefixtures("no_network")
@pytest.mark.parametrize("page", [page for page in PAGES if _blocks(page, "python")], ids=_name)
def test_every_python_snippet_runs(page: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Runs the snippets of a page in their order, in one namespace, offline, with the files that the page shows."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("AILIB_MANIFESTS", "")
    _write_files(page, tmp_path)
    namespace: dict[str, Any] = {"__name__": "page"}
    with offline():
        for code in _blocks(page, "python"):
            if all(importlib.util.find_spec(name) for name in _needs(code)):
                lines = _text(page)[: _text(page).index(code)].count("\n")
                exec(compile("\n" * lines + code, str(page), "exec"), namespace)
    assert len(namespace) > 2


def _write_files(page: Path, folder: Path) -> None:
    """Writes the files that a page shows: a name in backquotes on its own line, then the content."""
    for name, content in re.findall(r"^`([\w./-]+)`\n\n```\w+\n(.*?)^```$", _text(page), re.MULTILINE | re.DOTALL):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(content, encoding="utf-8")


def test_the_readme_opens_with_six_lines_that_run(capsys: pytest.CaptureFixture[str]) -> None:
    first = _blocks(ROOT / "README.md", "python")[0]
    assert len([line for line in first.splitlines() if line.strip()]) == 6
    with offline():
        exec(first, {})
    shown = capsys.readouterr().out
    assert "You said: Hello, world!\n" in shown
    assert shown.endswith("You said: Tell me a story")


def test_the_readme_opens_with_two_commands() -> None:
    """One line each, for a machine that has only Python: they create their own environment."""
    commands = [block.strip() for block in _blocks(ROOT / "README.md", "sh")]
    assert len(commands) == 2
    run, test = commands
    assert "\n" not in run
    assert "\n" not in test
    begins = "python3 -m venv .venv && .venv/bin/pip install -q "
    assert run == begins + '. && .venv/bin/python -m ailib_sync "Tell me a story"'
    assert test == begins + "-e '.[test]' && .venv/bin/python -m pytest"


# --- Commands -----------------------------------------------------------------------------------------------------------


def _commands(page: Path) -> Iterator[str]:
    """The lines of shell blocks, and `python -m ailib_sync …` in the text."""
    for block in _blocks(page, "sh"):
        yield from (line.partition("  #")[0].strip() for line in block.splitlines())
    yield from re.findall(r"`(python -m ailib_sync [^`]*)`", " ".join(_FENCE.sub("", _text(page)).split()))


@pytest.mark.parametrize("page", PAGES, ids=_name)
def test_our_commands_work(
    page: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """`export` applies to the rest of the page, as in a shell. A command with a placeholder in capitals is not run."""
    monkeypatch.chdir(tmp_path)
    _write_files(page, tmp_path)
    for command in _commands(page):
        words = shlex.split(command.rpartition("&&")[2])
        if words[:1] == ["export"]:
            for name, _, value in (word.partition("=") for word in words[1:]):
                monkeypatch.setenv(name, value)
        elif "-m ailib_sync" in command and not re.search(r" [A-Z]{2,}$", command):
            with offline():
                assert command_line(words[words.index("ailib_sync") + 1 :]) == 0, capsys.readouterr().err
        elif words and words[0] == "python" and words[1].endswith(".py"):
            assert (ROOT / words[1]).exists(), command
        elif words and words[0] == ".ci/run":
            assert os.access(ROOT / ".ci" / "run", os.X_OK)


def test_a_provider_needs_a_file_of_25_lines_and_no_code(tmp_path: Path) -> None:
    """The tests above run all steps of the page; this one checks the size."""
    page = ROOT / "docs" / "add-a-provider.md"
    _write_files(page, tmp_path)
    assert (tmp_path / "manifests" / "acme.json").read_text(encoding="utf-8").count("\n") <= 25
    assert [words for words in _commands(page) if "manifest check" in words]
    assert "FakeProvider" in _blocks(page, "python")[0]


# --- Links and words ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("page", PAGES, ids=_name)
def test_every_link_into_the_repository_exists(page: Path) -> None:
    links = re.findall(r"\]\(([^)#\s]+)(?:#[^)]*)?\)", _FENCE.sub("", _text(page)))
    assert [link for link in links if "://" not in link and not (page.parent / link).exists()] == []


@pytest.mark.parametrize("page", PAGES, ids=_name)
def test_every_file_a_page_names_exists(page: Path) -> None:
    """`docs/x.md`, `ailib_sync/y.py`, `tests/z.py`, and bare names of modules."""
    named = re.findall(r"`((?:ailib_sync|docs|tests|tools|examples|benchmarks)/[\w./-]+\w)`", _text(page))
    modules = re.findall(r"`(\w+\.py)`", _text(page))
    assert [name for name in named if not (ROOT / name).exists()] == []
    assert [name for name in modules if not list(ROOT.glob(f"*/**/{name}"))] == []


@pytest.mark.parametrize("page", [page for page in PAGES if page.name not in GENERATED], ids=_name)
def test_pages_have_short_lines_and_no_filler_words(page: Path) -> None:
    lines = [line for line in _text(page).splitlines() if not line.startswith(("|", "```")) and "](http" not in line]
    assert [line for line in lines if len(line) > 140] == []
    assert not re.search(r"\b(simply|just|obviously|easily|powerful|seamless|robust|blazing)\b", _FENCE.sub("", _text(page)))


@pytest.mark.parametrize("page", [*PAGES, ROOT / "CHANGELOG.md"], ids=_name)
def test_pages_have_no_word_that_the_glossary_replaced(page: Path) -> None:
    prose = re.sub(r"`[^`]*`", "", _FENCE.sub("", _text(page)))
    found = {
        f"{match[0]} ({term})"
        for pattern, term in IN_PROSE.items()
        for match in re.finditer(rf"(?<![\w'-])(?:{pattern})(?![\w'-])", prose, re.IGNORECASE)
    }
    assert found == set()


def test_every_page_is_linked() -> None:
    readme = _text(ROOT / "README.md") + _text(ROOT / "docs" / "architecture.md")
    linked = set(re.findall(r"([\w-]+\.md)", readme))
    assert {page.name for page in PAGES} - linked - {"README.md"} == set()


# --- Generated pages ----------------------------------------------------------------------------------------------------


def _script(name: str) -> ModuleType:
    spec = importlib.util.spec_from_file_location(name, ROOT / "docs" / f"{name}.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_the_page_of_provider_errors_is_up_to_date() -> None:
    """After a change: python docs/make_provider_errors.py"""
    script = _script("make_provider_errors")
    assert _text(script.PAGE) == script.page()


def test_the_page_of_quirks_is_up_to_date() -> None:
    """After a change: python docs/make_quirks.py"""
    script = _script("make_quirks")
    page = _text(ROOT / "docs" / "quirks.md")
    assert page == script.make_page(list(script.builtin_manifests()))
    assert re.findall(r"^\| `(\w+)`", page, re.MULTILINE) == [*QUIRKS, *TOLERANCES]


def test_the_page_of_manifests_is_up_to_date_and_has_every_key() -> None:
    """After a change: python docs/make_manifests.py"""
    page = _text(ROOT / "docs" / "manifests.md")
    assert page == _script("make_manifests").make_page(schema())
    assert [key for key in schema()["properties"] if f"\n| `{key}` |" not in page] == []
    assert [line for line in page.splitlines() if line.endswith("|  |") and "---" not in line] == []


@pytest.mark.parametrize("name", ["dialects.md", "errors.md"])
def test_the_tables_are_up_to_date(name: str) -> None:
    """After a change: python docs/make_tables.py"""
    page = _text(ROOT / "docs" / name)
    assert page == _script("make_tables").filled(page)
    assert "<!-- table: " in page


def test_the_page_of_dialects_has_every_dialect() -> None:
    page = _text(ROOT / "docs" / "dialects.md")
    assert [name for name in NAMES if page.count(f"| `{name}` |") < 2] == []


def test_the_page_of_errors_names_every_class() -> None:
    page = _text(ROOT / "docs" / "errors.md")
    assert [cls.__name__ for cls in CLASSES.values() if f"`{cls.__name__}`" not in page] == []


# --- Examples -----------------------------------------------------------------------------------------------------------

OUTPUTS = {
    "hello": ["stand-in", "Explain closures in one sentence"],
    "stream": ["Tell me a story", "[end_turn]"],
    "tools": ["21 °C and sunny in Rome", "2750000"],
    "images": ["1 image (image/png)"],
    "structured": ["Rome has "],
    "parallel": ["good morning → ", "thank you took "],
    "conversation": ["It is 21 degrees in Ulm.", "user: How warm is it in Ulm?"],
    "fallbacks": ["anthropic answered after 3 attempts: Hello from the second!"],
}


@pytest.mark.slow
@pytest.mark.parametrize("name", OUTPUTS)
def test_an_example_runs(name: str, tmp_path: Path) -> None:
    env = {key: value for key, value in os.environ.items() if not key.endswith("_API_KEY")} | {"PYTHONPATH": str(ROOT)}
    command = [sys.executable, "-W", "error", "-X", "dev", str(ROOT / "examples" / f"{name}.py")]
    run = subprocess.run(command, cwd=tmp_path, env=env, capture_output=True, encoding="utf-8", check=False)
    assert run.returncode == 0, run.stderr
    assert [words for words in OUTPUTS[name] if words not in run.stdout] == []
    assert "Traceback" not in run.stderr


def test_the_flask_application_streams() -> None:
    pytest.importorskip("flask")
    app = _example("flask_app").app.test_client()
    response = app.post("/ask", data="Tell me a story")
    assert (response.status_code, response.text.endswith("You said: Tell me a story")) == (200, True)
    assert app.post("/ask", data="").status_code < 500


@pytest.mark.slow
def test_the_django_view_streams() -> None:
    pytest.importorskip("django")
    code = textwrap.dedent("""
        from django.conf import settings
        settings.configure(ALLOWED_HOSTS=["*"], ROOT_URLCONF="django_view", SECRET_KEY="x")
        import django
        django.setup()
        from django.test import Client
        response = Client().post("/ask", "Tell me a story", content_type="text/plain")
        print(b"".join(response.streaming_content).decode())
    """)
    env = {**os.environ, "PYTHONPATH": f"{ROOT}{os.pathsep}{ROOT / 'examples'}"}
    run = subprocess.run([sys.executable, "-c", code], env=env, capture_output=True, text=True, check=False)
    assert run.stdout.rstrip().endswith("You said: Tell me a story"), run.stderr


def _example(name: str) -> ModuleType:
    spec = importlib.util.spec_from_file_location(name, ROOT / "examples" / f"{name}.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_every_example_is_run_by_a_test() -> None:
    """Those that are not in the table above have their own tests."""
    others = {"flask_app", "django_view", "wsgi_app"}
    assert {path.stem for path in (ROOT / "examples").glob("*.py")} <= {*OUTPUTS, *others}
