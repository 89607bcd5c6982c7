"""What is shipped: metadata, dependencies, the wheel's files, and that Python 3.10 can read them all."""

from __future__ import annotations

import ast
import configparser
import os
import re
import shutil
import subprocess
import sys
import zipfile
from email import message_from_bytes
from email.message import Message
from pathlib import Path

import pytest

from ailib_sync._version import __version__

ROOT = Path(__file__).parent.parent
DATA = ("ailib_sync/manifests/*.json", "ailib_sync/data/*.json", "ailib_sync/py.typed")


@pytest.fixture(scope="module")
def setup_cfg() -> configparser.ConfigParser:
    parser = configparser.ConfigParser()
    parser.read(ROOT / "setup.cfg", encoding="utf-8")
    return parser


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> zipfile.ZipFile:
    """The wheel, built from a copy so that nothing is left in the checkout."""
    pytest.importorskip("setuptools", minversion="77")
    folder = tmp_path_factory.mktemp("wheel")
    source = folder / "source"
    ignored = shutil.ignore_patterns(".git", ".venv", "__pycache__", ".*_cache", "build", "dist", "*.egg-info", ".hypothesis")
    shutil.copytree(ROOT, source, ignore=ignored)
    build = "from setuptools.build_meta import build_wheel; build_wheel('..')"
    run = subprocess.run([sys.executable, "-c", build], cwd=source, capture_output=True, text=True, check=False)
    assert run.returncode == 0, run.stderr[-2000:]
    return zipfile.ZipFile(next(folder.glob("*.whl")))


@pytest.fixture(scope="module")
def metadata(wheel: zipfile.ZipFile) -> Message:
    name = next(name for name in wheel.namelist() if name.endswith(".dist-info/METADATA"))
    return message_from_bytes(wheel.read(name))


def test_the_changelog_begins_with_this_version(metadata: Message) -> None:
    heading = re.search(r"^## (\S+)", (ROOT / "CHANGELOG.md").read_text(encoding="utf-8"), re.MULTILINE)
    assert heading is not None
    assert heading[1] == __version__ == metadata["Version"]


def test_the_dependencies_are_two(metadata: Message) -> None:
    required = [line for line in metadata.get_all("Requires-Dist", []) if "extra ==" not in line]
    assert sorted(re.split(r"[<>=]", line)[0] for line in required) == ["typing-extensions", "urllib3"]
    assert "urllib3>=2.8.0" in required
    assert metadata["Requires-Python"] == ">=3.10"


def test_the_licence_is_named_and_shipped(metadata: Message, wheel: zipfile.ZipFile) -> None:
    assert metadata["License-Expression"] == "MIT OR Apache-2.0"
    shipped = {name.rpartition("/")[2] for name in wheel.namelist() if "/licenses/" in name}
    assert shipped == {"LICENSE", "LICENSE-MIT", "LICENSE-APACHE"}


def test_every_data_file_and_module_is_in_the_wheel(wheel: zipfile.ZipFile) -> None:
    modules = {path.relative_to(ROOT).as_posix() for path in (ROOT / "ailib_sync").rglob("*.py")}
    data = {path.relative_to(ROOT).as_posix() for pattern in DATA for path in ROOT.glob(pattern)}
    assert len(data) > 10
    assert (modules | data) - set(wheel.namelist()) == set()


def test_the_wheel_holds_nothing_else(wheel: zipfile.ZipFile) -> None:
    """No tests, no scripts, and above all no .pth file, which would run at every start of Python."""
    strangers = [name for name in wheel.namelist() if not re.match(r"(ailib_sync/.*\.(py|json)|ailib_sync/py\.typed)$", name)]
    assert [name for name in strangers if not re.match(r"ailib_sync-[^/]*\.dist-info/", name)] == []
    assert [name for name in wheel.namelist() if name.endswith(".pth")] == []


def test_every_package_folder_is_a_package() -> None:
    """`packages = find:` passes over a folder without `__init__.py` in silence."""
    folders = {path.parent for path in (ROOT / "ailib_sync").rglob("*.py")}
    assert [folder for folder in folders if not (folder / "__init__.py").exists()] == []


def test_the_command_line_entry_point_exists(setup_cfg: configparser.ConfigParser) -> None:
    from importlib import import_module

    for line in setup_cfg["options.entry_points"]["console_scripts"].split("\n"):
        if line.strip():
            module, _, function = line.partition("=")[2].strip().partition(":")
            assert callable(getattr(import_module(module), function))


@pytest.mark.parametrize("folder", ["ailib_sync", "tests", "tools", "docs", "examples", "benchmarks"])
def test_python_3_10_can_read_every_file(folder: str) -> None:
    for path in (ROOT / folder).rglob("*.py"):
        ast.parse(path.read_text(encoding="utf-8"), filename=str(path), feature_version=(3, 10))


def test_the_ci_runs_the_readmes_own_command() -> None:
    """The page's test command stands where `.ci/run` looks for it, and is one that a newcomer can paste."""
    page = (ROOT / "README.md").read_text(encoding="utf-8")
    block = re.search(r"^<!-- ci: test -->\n+```\w*\n(.*?)\n```", page, re.MULTILINE | re.DOTALL)
    assert block is not None
    assert "pip install" in block[1]
    assert "-m pytest" in block[1]
    assert os.access(ROOT / ".ci" / "run", os.X_OK)
