"""Importing the package touches nothing: no file outside it and the interpreter's, no network, no process, no environment."""

from __future__ import annotations

import json
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]

PROGRAM = """
import json, os, sys
import _collections_abc

class Watched(dict):
    '''The environment as it is behind os.environ, telling what is asked of it.'''

    def __getitem__(self, key):
        seen.append(["environment", os.fsdecode(key)])
        return super().__getitem__(key)

seen = []
os.environ._data = Watched(os.environ._data)

def hook(event, arguments):
    watched = ("socket.", "subprocess.", "os.system", "os.exec", "os.fork")
    if event in ("open", "os.listdir", "os.scandir", "ctypes.dlopen") or event.startswith(watched):
        seen.append([event, str(arguments[0]) if arguments else ""])

sys.addaudithook(hook)
import ailib_sync
for name in ailib_sync.__all__:
    if sys.argv[1] == "names":
        getattr(ailib_sync, name)
if sys.argv[1] == "client":
    ailib_sync.AiClient("openai/gpt-4o").chat().user("Hi").temperature(1)
found, seen = seen, []
print(json.dumps([found, sys.prefix, sys.base_prefix, os.path.dirname(os.__file__)]))
"""


@pytest.mark.parametrize(
    ("way", "environment"), [("nothing", set()), ("names", set()), ("client", {"AILIB_MANIFESTS", "OPENAI_BASE_URL"})]
)
def test_an_import_touches_nothing_outside_the_package(way: str, environment: set[str]) -> None:
    run = subprocess.run(
        [sys.executable, "-c", PROGRAM, way],
        capture_output=True,
        text=True,
        cwd=ROOT,
        check=True,
        env={"PYTHONPATH": str(ROOT)},
    )
    events, *interpreters = json.loads(run.stdout)
    allowed = tuple(str(Path(place)) for place in (ROOT / "ailib_sync", *interpreters))
    assert any(event == "open" and "ailib_sync" in where for event, where in events)
    for event, where in events:
        if event == "environment":
            assert where in environment, where
        else:
            assert event in ("open", "os.listdir", "os.scandir"), (event, where)
            # A number is a file that was opened by its name before.
            assert where.startswith(allowed) or where.isdigit() or Path(where) in (ROOT, Path()), (event, where)


def test_a_watched_environment_shows_what_is_read_from_it() -> None:
    """The measure itself: a program that reads a variable is seen."""
    program = PROGRAM.replace("import ailib_sync\n", "import ailib_sync\nos.environ.get('SEEN')\n")
    run = subprocess.run(
        [sys.executable, "-c", program, "nothing"],
        capture_output=True,
        text=True,
        cwd=ROOT,
        check=True,
        env={"PYTHONPATH": str(ROOT)},
    )
    assert ["environment", "SEEN"] in json.loads(run.stdout)[0]


@pytest.mark.slow
def test_the_wheel_holds_the_package_and_nothing_that_runs_by_itself(tmp_path: Path) -> None:
    """No `.pth` file (it would run at every start of the interpreter), no script, nothing beside the package."""
    copy = tmp_path / "source"
    names = ("ailib_sync", "pyproject.toml", "setup.cfg", "README.md", "LICENSE", "LICENSE-MIT", "LICENSE-APACHE")
    subprocess.run(["cp", "-r", *(str(ROOT / name) for name in names), str(_made(copy))], check=True)
    build = "from setuptools.build_meta import build_wheel; print(build_wheel('dist'))"
    (copy / "dist").mkdir()
    subprocess.run([sys.executable, "-c", build], cwd=copy, check=True, capture_output=True)
    (wheel,) = (copy / "dist").glob("*.whl")
    inside = zipfile.ZipFile(wheel).namelist()
    assert {name.partition("/")[0].partition("-")[0] for name in inside} == {"ailib_sync"}
    assert not [name for name in inside if name.endswith((".pth", ".so", ".sh", ".exe")) or "/scripts/" in name]


def _made(folder: Path) -> Path:
    folder.mkdir()
    return folder
