"""The shape of the house: layers, names, sizes, and that no code knows a provider. The rules stand in docs/architecture.md."""

from __future__ import annotations

import ast
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from graphlib import TopologicalSorter
from importlib.util import find_spec
from pathlib import Path

import pytest

import ailib_sync
from ailib_sync.dialects.dialect import NAMES
from ailib_sync.registry.files import index, provider_ids

ROOT = Path(__file__).parent.parent
PACKAGE = ROOT / "ailib_sync"
MODULES = {".".join(path.relative_to(PACKAGE).with_suffix("").parts): path for path in PACKAGE.rglob("*.py")}
TREES = {name: ast.parse(path.read_text(encoding="utf-8")) for name, path in MODULES.items()}


# --- Layers -------------------------------------------------------------------------------------------------------------


def _table() -> Iterator[tuple[int, list[str]]]:
    """(layer, the modules of one room), as the page of the architecture has them."""
    page = (ROOT / "docs" / "architecture.md").read_text(encoding="utf-8")
    for layer, cells in re.findall(r"^\| (\d) \| (.*?) \|", page, re.MULTILINE):
        for room in cells.split(" · "):
            yield int(layer), [name for cell in room.split(" + ") for name in _expanded(cell.strip("`"))]


def _expanded(name: str) -> list[str]:
    """`folder/*` as the modules in it."""
    if not name.endswith("/*"):
        return [name]
    return [module for module in MODULES if module.startswith(name[:-2] + ".")]


ROOMS = list(_table())
LAYER_OF = {module: layer for layer, room in ROOMS for module in room}
ROOM_OF = {module: number for number, (_, room) in enumerate(ROOMS) for module in room}

#: Imports inside functions that go up: a value made of another form, and a module found by its name.
UPWARD_WHEN_CALLED = {("tools", "schema"), ("messages", "message_dicts")}


def _imports(module: str, nodes: Iterator[ast.AST]) -> Iterator[str]:
    """The modules of ours that these nodes import, as dotted names inside the package."""
    package = module.split(".")[:-1]
    for node in nodes:
        if isinstance(node, ast.Import):
            yield from (alias.name.partition(".")[2] for alias in node.names if alias.name.split(".")[0] == "ailib_sync")
        if not isinstance(node, ast.ImportFrom):
            continue
        if node.level:
            base = [*package[: len(package) + 1 - node.level], *(node.module.split(".") if node.module else [])]
        elif node.module and node.module.split(".")[0] == "ailib_sync":
            base = node.module.split(".")[1:]
        else:
            continue
        for alias in node.names:
            full = ".".join([*base, alias.name])
            yield full if full in MODULES else ".".join(base) if ".".join(base) in MODULES else ".".join([*base, "__init__"])


def _is_for_types(node: ast.AST) -> bool:
    return isinstance(node, ast.If) and isinstance(node.test, ast.Name) and node.test.id == "TYPE_CHECKING"


def _at_top(tree: ast.Module) -> Iterator[ast.AST]:
    for node in tree.body:
        if not _is_for_types(node):
            yield from ast.walk(node) if isinstance(node, (ast.If, ast.Try)) else [node]


def _when_called(tree: ast.Module) -> Iterator[ast.AST]:
    for node in ast.walk(tree):
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda)):
            yield from ast.walk(node)


def _wrong(importer: str, imported: str) -> bool:
    if importer == imported or ROOM_OF[importer] == ROOM_OF[imported]:
        return False
    return LAYER_OF[imported] >= LAYER_OF[importer]


def test_every_module_has_one_place_in_the_table() -> None:
    assert sorted(module for _, room in ROOMS for module in room) == sorted(MODULES)


@pytest.mark.parametrize("module", MODULES)
def test_a_module_imports_only_from_layers_below_or_its_own_room(module: str) -> None:
    assert [name for name in _imports(module, _at_top(TREES[module])) if _wrong(module, name)] == []


@pytest.mark.parametrize("module", MODULES)
def test_an_import_inside_a_function_goes_down_too(module: str) -> None:
    upward = {(module, name) for name in _imports(module, _when_called(TREES[module])) if _wrong(module, name)}
    assert upward <= UPWARD_WHEN_CALLED


def test_each_exception_for_imports_that_go_up_is_needed() -> None:
    called = {(module, name) for module, tree in TREES.items() for name in _imports(module, _when_called(tree))}
    assert {(module, name) for module, name in called if _wrong(module, name)} == UPWARD_WHEN_CALLED


def test_no_import_at_the_top_of_a_file_is_part_of_a_circle() -> None:
    graph = {module: set(_imports(module, _at_top(tree))) - {module} for module, tree in TREES.items()}
    assert len(list(TopologicalSorter(graph).static_order())) == len(MODULES)


def test_each_part_of_a_dialect_belongs_to_one_dialect() -> None:
    def reached(module: str) -> set[str]:
        below = {name for name in _imports(module, _at_top(TREES[module])) if name.startswith("dialects.")}
        return below.union(*map(reached, below))

    dialects = {name: reached(f"dialects.{name}") for name in NAMES}
    parts = [part for found in dialects.values() for part in found]
    assert len(parts) == len(set(parts)), "a part is shared"
    assert {f"dialects.{name}" for name in NAMES}.isdisjoint(parts), "a dialect imports another"
    assert {*parts, *(f"dialects.{name}" for name in NAMES), "dialects.__init__"} == {
        module for module in MODULES if module.startswith("dialects.")
    }


TRANSPORT = {module for module in MODULES if module in ROOM_OF and ROOM_OF[module] == ROOM_OF["transport"]}


@pytest.mark.parametrize("module", sorted(set(MODULES) - TRANSPORT - {"signing"}))
def test_only_the_transport_knows_urllib3(module: str) -> None:
    """The stand-ins for the network give urllib3's responses, so they know it as well."""
    if module.startswith(("embedded.", "testing.")):
        return
    imported = {
        alias.name if isinstance(node, ast.Import) else node.module or ""
        for node in ast.walk(TREES[module])
        if isinstance(node, (ast.Import, ast.ImportFrom)) and not getattr(node, "level", 0)
        for alias in node.names
    }
    assert not {name for name in imported if name.split(".")[0] in ("urllib3", "http", "socket", "ssl", "requests")}


# --- Names --------------------------------------------------------------------------------------------------------------

PUBLIC = [
    "AiClient", "AiLibError", "Attempt", "Audio", "AuthenticationError", "CallStats", "CallTimeout", "CancelToken",
    "Cancelled", "ChatBuilder", "ChatResponse", "ChatStream", "CircuitBreaker", "CircuitOpen", "ConfigurationError",
    "Conflict", "ConnectError", "ConnectTimeout", "ConnectionLost", "ContentDelta", "ContentTimeout", "Conversation",
    "DeadlineExceeded", "Document", "Explanation", "Image", "InvalidRequest", "Limiter", "Limits", "Manifest",
    "ManifestError", "Message", "MessageRole", "Metadata", "ModelInfo", "NotFound", "Opaque", "Overloaded", "PartialToolCall",
    "PermissionDenied", "PoolTimeout", "ProtocolError", "ProviderTimeout", "ProxyError", "QuotaExhausted", "RateLimit",
    "RateLimited", "ReadTimeout", "RedirectRefused", "RemoteError", "RequestTooLarge", "ResponseTooLarge", "Result",
    "RetryPolicy", "ServerError", "StreamConsumed", "StreamEnd", "StreamInterrupted", "StreamingEvent", "Text", "Thinking",
    "ThinkingDelta", "Timeout", "TlsError", "Tool", "ToolCall", "ToolCallEnded", "ToolCallStarted", "ToolResult",
    "TransportError", "Usage", "WriteTimeout", "__version__", "as_completed", "dump_messages", "load_messages", "models",
    "run_all",
]  # fmt: skip


def test_the_public_names_are_these() -> None:
    assert sorted(ailib_sync.__all__) == sorted(PUBLIC)
    assert dir(ailib_sync) == sorted(PUBLIC)


@pytest.mark.parametrize("name", PUBLIC)
def test_a_public_name_leads_to_what_bears_it(name: str) -> None:
    value = getattr(ailib_sync, name)
    assert name == "__version__" or value.__name__ == name


def test_an_unknown_name_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="no attribute 'AsyncClient'"):
        _ = ailib_sync.AsyncClient  # type: ignore[attr-defined]


def test_type_checkers_see_the_same_names_in_the_same_places() -> None:
    block = next(node for node in TREES["__init__"].body if _is_for_types(node))
    seen = {alias.asname: node.module for node in ast.walk(block) if isinstance(node, ast.ImportFrom) for alias in node.names}
    assert seen == ailib_sync._HOME_OF


# --- No provider in code ------------------------------------------------------------------------------------------------

#: Ids and aliases that are words of their own in some format, and where.
HOMONYMS = {"custom": "the type of OpenAI's tools that take text in place of JSON"}


def _compared(tree: ast.AST) -> Iterator[str]:
    """The strings that code decides by: compared, matched, looked for in a collection or at an end of a string."""
    for node in ast.walk(tree):
        decided: list[ast.AST] = []
        if isinstance(node, ast.Compare):
            decided = [node.left, *node.comparators]
        elif isinstance(node, ast.MatchValue):
            decided = [node.value]
        elif isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
            decided = list(node.args) if node.func.attr in ("startswith", "endswith", "find", "fullmatch", "search") else []
        for part in decided:
            yield from (leaf.value for leaf in ast.walk(part) if isinstance(leaf, ast.Constant) and isinstance(leaf.value, str))


@pytest.mark.parametrize("module", MODULES)
def test_no_code_decides_by_a_provider(module: str) -> None:
    """What is particular to a provider is a manifest's key or a named quirk (quirks.py)."""
    providers = {*provider_ids(), *index()["aliases"]} - set(HOMONYMS)
    assert [word for word in _compared(TREES[module]) if word.strip("/.:- ").lower() in providers] == []


def test_the_check_above_sees_what_it_forbids() -> None:
    bad = ast.parse("if provider in ('groq', 'xai') or url.startswith('deepseek/') or name == 'openai': pass")
    assert {word.strip("/") for word in _compared(bad)} == {"groq", "xai", "deepseek", "openai"}


# --- Sizes and words ----------------------------------------------------------------------------------------------------

MAX_FILE, MAX_FUNCTION = 350, 45

LONG_FILES = {
    "errors": "one tree, drawn at its top, most of it class statements of three lines",
    "ai_protocol": "one translation, key by key",
}
LONG_FUNCTIONS = {
    "client.AiClient.__init__": "the options, one a line; nothing in it branches",
    "bodies.dechunked": "the hot loop below every stream: a call in it costs more than its work",
    "dialects._openai_chat_answer.parse_stream": "the hot loop of most streams: a call in it costs more than its work",
    "stream.relay": "the hot loop above every stream: a call in it costs more than its work",
}

FORBIDDEN_NAMES = re.compile(r"(^|_)(utils?|helpers?|base|core|common|managers?|misc)(_|$)")
FORBIDDEN_VERBS = re.compile(r"^_?(get|handle|process|do)_")


def _functions(module: str) -> Iterator[tuple[str, ast.FunctionDef]]:
    def within(node: ast.AST, path: str) -> Iterator[tuple[str, ast.FunctionDef]]:
        for child in ast.iter_child_nodes(node):
            if isinstance(child, ast.FunctionDef):
                yield f"{path}.{child.name}", child
            if isinstance(child, (ast.FunctionDef, ast.ClassDef)):
                yield from within(child, f"{path}.{child.name}")

    return within(TREES[module], module)


def _length(node: ast.FunctionDef) -> int:
    return (node.end_lineno or 0) - node.lineno + 1


def test_a_file_is_of_one_screenful_of_ideas() -> None:
    long = {module for module, path in MODULES.items() if path.read_text(encoding="utf-8").count("\n") > MAX_FILE}
    assert long == set(LONG_FILES)


def test_a_function_fits_on_a_screen() -> None:
    assert {name for m in MODULES for name, node in _functions(m) if _length(node) > MAX_FUNCTION} == set(LONG_FUNCTIONS)


@pytest.mark.parametrize("module", MODULES)
def test_a_module_says_its_one_job_first(module: str) -> None:
    doc = ast.get_docstring(TREES[module])
    assert doc is not None
    first = doc.splitlines()[0]
    assert len(first.split()) >= 3
    assert first.rstrip().endswith((".", ":", "?"))


@pytest.mark.parametrize("module", MODULES)
def test_names_say_what_a_thing_is(module: str) -> None:
    assert not FORBIDDEN_NAMES.search(module.rpartition(".")[2].strip("_"))
    assert [name for name, _ in _functions(module) if FORBIDDEN_VERBS.match(name.rpartition(".")[2])] == []


def test_no_file_names_a_place_of_one_machine() -> None:
    place = re.compile(r"(?<![\w.:/-])/(work|root|home|tmp|Users)/\w")
    kinds = ("*.py", "*.md", "*.json", "*.toml", "*.cfg")
    folders = ("ailib_sync", "benchmarks", "docs", "examples", "tests", "tools")
    files = [path for folder in folders for kind in kinds for path in (ROOT / folder).rglob(kind)]
    assert len(files) > 150
    assert [str(path) for path in files if place.search(path.read_text(encoding="utf-8"))] == []


# --- Tools --------------------------------------------------------------------------------------------------------------


def _run(*command: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, "-m", *command], cwd=ROOT, capture_output=True, text=True, check=False)


@pytest.mark.slow
@pytest.mark.timeout(300)
@pytest.mark.skipif(find_spec("mypy") is None, reason="mypy is not installed")
def test_the_types_are_complete() -> None:
    run = _run("mypy")
    assert run.returncode == 0, run.stdout


@pytest.mark.skipif(find_spec("ruff") is None and shutil.which("ruff") is None, reason="ruff is not installed")
def test_the_style_is_clean() -> None:
    run = _run("ruff", "check", "--no-cache", "--output-format=concise", ".")
    assert run.returncode == 0, run.stdout
