"""Writes docs/faults.md from the tables that the fault tests run: `python docs/make_faults.py`, or `--check`."""

from __future__ import annotations

import sys
from pathlib import Path

ROOT = Path(__file__).parents[1]
PAGE = ROOT / "docs" / "faults.md"


def page() -> str:
    sys.path.insert(0, str(ROOT))
    from tests.faults import table

    return "\n".join((*table.page(), ""))


def main() -> int:
    if "--check" in sys.argv:
        return int(PAGE.read_text(encoding="utf-8") != page())
    PAGE.write_text(page(), encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
