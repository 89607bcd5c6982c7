"""Writes the tables of `docs/dialects.md` and `docs/errors.md` from the code: `python docs/make_tables.py`. A test compares.

A table is between `<!-- table: NAME -->` and `<!-- end -->`; the text around it is not generated.
"""

from __future__ import annotations

import os
import re
import sys
from importlib import import_module

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
sys.path.insert(0, ROOT)

from ailib_sync import errors  # noqa: E402
from ailib_sync.dialects.dialect import NAMES, find  # noqa: E402
from ailib_sync.types.request import OPTIONS  # noqa: E402

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

PAGES = ("dialects.md", "errors.md")
_REGION = re.compile(r"(<!-- table: (\w+) -->\n).*?(<!-- end -->)", re.DOTALL)


def filled(page: str) -> str:
    """The page with every table replaced."""
    return _REGION.sub(lambda match: match[1] + "".join(TABLES[match[2]]()) + match[3], page)


def _table(head: Iterable[str], rows: Iterable[Iterable[str]]) -> Iterator[str]:
    head = list(head)
    for cells in (head, ["---"] * len(head), *rows):
        yield f"| {' | '.join(cells)} |\n"


def options() -> Iterator[str]:
    """Standard option → its name in each format."""
    tables = [find(name).chat.parameters for name in NAMES]
    rows = [[f"`{option}`", *(f"`{t[option]}`" if t.get(option) else "—" for t in tables)] for option in OPTIONS]
    return _table(["option", *(f"`{name}`" for name in NAMES)], rows)


def finish_reasons() -> Iterator[str]:
    """Normalized reason → the words for it in each format."""
    tables = [_finish_reasons(name) for name in NAMES]
    reasons = ("end_turn", "max_tokens", "tool_use", "stop_sequence", "content_filter")
    rows = [[f"`{reason}`", *(_words(table, reason) for table in tables)] for reason in reasons]
    return _table(["", *(f"`{name}`" for name in NAMES)], rows)


def _finish_reasons(dialect: str) -> dict[str, str]:
    """The table of the dialect, from the file that defines it."""
    folder = os.path.join(ROOT, "ailib_sync", "dialects", dialect)
    for name in sorted(os.listdir(folder)):
        if name.endswith(".py"):
            module = import_module(f"ailib_sync.dialects.{dialect}.{name.removesuffix('.py')}")
            if "FINISH_REASONS" in vars(module):
                return dict(module.FINISH_REASONS)
    raise LookupError(dialect)


def _words(table: dict[str, str], reason: str) -> str:
    return ", ".join(f"`{word}`" for word, meaning in table.items() if meaning == reason) or "—"


def remote_errors() -> Iterator[str]:
    """RemoteError and its subclasses."""
    rows = [
        [f"`{cls.__name__}`", f"`{name}`", cls.standard_code, _sentence(cls), _yes(cls.retryable), _yes(cls.fallbackable)]
        for name, cls in errors.CLASSES.items()
    ]
    return _table(["class", "standard name", "code", "means", "retried", "falls back"], rows)


def statuses() -> Iterator[str]:
    """HTTP status → standard name and class."""
    rows = [[str(status), f"`{name}`", f"`{errors.CLASSES[name].__name__}`"] for status, name in errors.STATUSES.items()]
    return _table(["status", "standard name", "class"], rows)


def transport() -> Iterator[str]:
    """TransportError, ProtocolError and their subclasses."""
    rows = [
        [f"`{cls.__name__}`", cls.standard_code, _sentence(cls), _yes(cls.retryable), _yes(cls.fallbackable)]
        for cls in _below(errors.TransportError, errors.ProtocolError)
    ]
    return _table(["class", "code", "means", "retried", "falls back"], rows)


def _below(*roots: type[errors.AiLibError]) -> Iterator[type[errors.AiLibError]]:
    for cls in roots:
        yield cls
        yield from _below(*cls.__subclasses__())


def _sentence(cls: type) -> str:
    return " ".join((cls.__doc__ or "").split("\n\n")[0].split())


def _yes(value: bool) -> str:
    return "yes" if value else "no"


TABLES: dict[str, Callable[[], Iterator[str]]] = {
    "options": options,
    "finish_reasons": finish_reasons,
    "errors": remote_errors,
    "statuses": statuses,
    "transport": transport,
}


def main() -> None:
    for name in PAGES:
        path = os.path.join(ROOT, "docs", name)
        with open(path, encoding="utf-8") as file:
            page = file.read()
        with open(path, "w", encoding="utf-8") as file:
            file.write(filled(page))


if __name__ == "__main__":
    main()
