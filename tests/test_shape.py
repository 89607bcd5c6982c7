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


def _table() -> dict[str, set[str]]:
    """Package → the packages it may import, as the page of the architecture has them."""
    page = (ROOT / "docs" / "architecture.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| `([\w/]+)/?` \| (.*?) \|", page, re.MULTILINE)
    return {name.strip("/"): set(re.findall(r"`([\w/.]+)`", cell)) for name, cell in rows}


ALLOWED = _table()
#: The modules at the top of the package that everything may import.
BOTTOM = {"errors", "_arguments", "_other_names", "_version", "_dataclass", "_forks", "_signals"}


def _package_of(module: str) -> str:
    """The row of the table that this module belongs to; "" for an entry point, "errors" for the bottom."""
    if module in BOTTOM:
        return "errors"
    parts = module.split(".")
    folders = ["/".join(parts[:length]) for length in range(len(parts), 0, -1)]
    return next((folder for folder in folders if folder in ALLOWED), "")


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


def _allowed(importer: str, imported: str) -> bool:
    """Whether the table lets one module import another: of its own package, the bottom, or a package (or file) of its row."""
    package, other = _package_of(importer), _package_of(imported)
    if package in ("", other) or other == "errors":
        return True
    return package != "errors" and (other in ALLOWED[package] or imported.replace(".", "/") + ".py" in ALLOWED[package])


def test_every_folder_has_a_row_in_the_table() -> None:
    folders = {module.split(".")[0] for module in MODULES if "." in module}
    assert folders == {name.split("/")[0] for name in ALLOWED}


@pytest.mark.parametrize("module", MODULES)
def test_a_module_imports_only_what_the_table_allows(module: str) -> None:
    """Imports for type checkers and inside functions count too."""
    wrong = {name for name in _imports(module, ast.walk(TREES[module])) if not _allowed(module, name)}
    assert {(module, name) for name in wrong} == {pair for pair in EXCEPTIONS if pair[0] == module and pair[1] in wrong}


def _exceptions() -> set[tuple[str, str]]:
    """The cycles that docs/architecture.md lists, each with its reason, as (importer, imported)."""
    page = (ROOT / "docs" / "architecture.md").read_text(encoding="utf-8")
    return set(re.findall(r"^\| `([\w.]+)` → `([\w.]+)` \| \S", page, re.MULTILINE))


EXCEPTIONS = _exceptions()


def test_no_import_is_part_of_a_cycle_but_those_the_page_lists() -> None:
    """Imports for type checkers and inside functions count too."""
    graph = {m: {n for n in _imports(m, ast.walk(tree)) if n != m and (m, n) not in EXCEPTIONS} for m, tree in TREES.items()}
    assert len(list(TopologicalSorter(graph).static_order())) == len(MODULES)


def test_each_listed_exception_is_needed() -> None:
    arrows = {(m, n) for m, tree in TREES.items() for n in _imports(m, ast.walk(tree))}
    assert arrows >= EXCEPTIONS


def test_no_import_at_the_top_of_a_file_is_part_of_a_cycle() -> None:
    graph = {module: set(_imports(module, _at_top(tree))) - {module} for module, tree in TREES.items()}
    assert len(list(TopologicalSorter(graph).static_order())) == len(MODULES)


def test_a_package_imports_nothing_by_itself() -> None:
    """Its `__init__` is a docstring, so that using one of its modules costs that module alone."""
    for module, tree in TREES.items():
        if module.endswith(".__init__") and module.split(".")[0] not in ("testing", "embedded"):
            assert len(tree.body) == 1, module


DIALECT_FILES = {"dialect", "messages", "options", "reasoning", "response", "stream", "errors", "usage", "embeddings"}


def test_a_dialect_is_a_folder_that_knows_no_other_dialect() -> None:
    folders = {module.split(".")[1] for module in MODULES if module.startswith("dialects.") and module.count(".") == 2}
    assert folders == set(NAMES)
    for module, tree in TREES.items():
        if module.startswith("dialects.") and module.count(".") == 2:
            own = ".".join(module.split(".")[:2])
            others = {n for n in _imports(module, ast.walk(tree)) if n.startswith("dialects.") and n.count(".") == 2}
            assert all(name.startswith(own + ".") for name in others), module


#: The files of every dialect, and those of the operations that a dialect may have.
DIALECT_FILES = {"dialect", "errors", "messages", "options", "reasoning", "response", "stream", "usage"}
OPERATION_FILES = {"count_tokens", "embeddings", "models"}
#: The format of eighty hosts, each with deviations, has parts of its own.
OWN_FILES = {"openai_chat": {"content_parts", "kept_fields", "think_tags", "tool_calls"}}


@pytest.mark.parametrize("dialect", NAMES)
def test_every_dialect_has_the_same_files(dialect: str) -> None:
    prefix = f"dialects.{dialect}."
    files = {name.removeprefix(prefix) for name in MODULES if name.startswith(prefix)} - {"__init__"}
    assert files >= DIALECT_FILES
    assert files <= DIALECT_FILES | OPERATION_FILES | OWN_FILES.get(dialect, set())


def test_an_embedded_service_is_a_folder_that_knows_no_other_service() -> None:
    files: dict[str, set[str]] = {}
    for module, tree in TREES.items():
        if module.startswith("embedded.services.") and module.count(".") == 3:
            folder, file = module.split(".")[2:]
            files.setdefault(folder, set()).add(file)
            inside = {n for n in _imports(module, ast.walk(tree)) if n.startswith("embedded.services.") and n.count(".") == 3}
            assert all(name.startswith(f"embedded.services.{folder}.") for name in inside), module
    assert files.keys() == set(NAMES)
    assert all(found >= {"service", "checks"} for found in files.values())


@pytest.mark.parametrize("module", sorted(MODULES))
def test_only_http_knows_urllib3(module: str) -> None:
    """The other side of the wire (embedded, testing) gives urllib3's responses; signing needs botocore's requests."""
    if module.startswith(("http.", "embedded.", "testing.")) or module == "pipeline.signing":
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
    "DeadlineExceeded", "Document", "EmbeddingResponse", "Explanation", "Image", "InvalidRequest", "Limiter", "Limits",
    "Manifest", "ManifestError", "Message", "MessageRole", "Metadata", "ModelInfo", "NotFound", "Opaque", "Overloaded",
    "PartialToolCall", "PermissionDenied", "PoolTimeout", "ProtocolError", "ProviderTimeout", "ProxyError",
    "QuotaExhausted", "RateLimit", "RateLimited", "ReadTimeout", "RedirectRefused", "RemoteError", "RequestTooLarge",
    "ResponseTooLarge", "Result", "RetryPolicy", "ServerError", "StreamConsumed", "StreamEnd", "StreamInterrupted",
    "StreamingEvent", "Text", "Thinking", "ThinkingDelta", "Timeout", "TlsError", "Tool", "ToolCall", "ToolCallEnded",
    "ToolCallStarted", "ToolResult", "TransportError", "Usage", "WriteTimeout", "__version__", "as_completed",
    "dump_messages", "load_messages", "models", "run_all", "similarity",
]  # fmt: skip


def test_the_public_names_are_these() -> None:
    assert sorted(ailib_sync.__all__) == sorted(PUBLIC)
    assert dir(ailib_sync) == sorted(PUBLIC)


@pytest.mark.parametrize("name", PUBLIC)
def test_a_public_name_leads_to_what_has_it(name: str) -> None:
    value = getattr(ailib_sync, name)
    assert name == "__version__" or value.__name__ == name


def test_an_unknown_name_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="no attribute 'AsyncClient'"):
        _ = ailib_sync.AsyncClient  # type: ignore[attr-defined]


def test_type_checkers_see_the_same_names_in_the_same_places() -> None:
    block = next(node for node in TREES["__init__"].body if _is_for_types(node))
    seen = {alias.asname: node.module for node in ast.walk(block) if isinstance(node, ast.ImportFrom) for alias in node.names}
    assert seen == ailib_sync._MODULE_OF


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
    "registry.ai_protocol": "one translation, key by key",
}
LONG_FUNCTIONS = {
    "client.AiClient.__init__": "the options, one a line; nothing in it branches",
    "http.bodies.read_chunked": "the hot loop below every stream: a call in it costs more than its work",
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
