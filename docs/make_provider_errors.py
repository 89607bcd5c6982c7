"""Writes docs/provider-errors.md from tests/error_samples.py: `python docs/make_provider_errors.py`. A test compares them."""

from __future__ import annotations

import json
import sys
from pathlib import Path

ROOT = Path(__file__).parents[1]
PAGE = ROOT / "docs" / "provider-errors.md"
HEAD = """\
# Errors of each provider

<!-- Written by docs/make_provider_errors.py from tests/error_samples.py; do not edit. -->

An error has the same class at every provider. The status and the words in the body differ, as these samples show. The tests
read each of them, and check that the same texts and codes have the same class at every provider, in every format.

*Source* is a recording of the tests, or the page where the response was seen. [errors.md](errors.md) lists all classes.

"""


def page() -> str:
    sys.path.insert(0, str(ROOT))
    from tests.error_samples import KINDS, samples

    lines = [HEAD]
    for kind, name in KINDS.items():
        lines.append(f"## {kind.capitalize()}: `{name}`\n\n| provider | status | response | source |\n|---|---|---|---|\n")
        for sample in samples():
            if sample.kind == kind:
                provider, _, dialect = sample.target.partition("?dialect=")
                who = f"`{provider}`" + (f", `{dialect}`" if dialect else "")
                lines.append(f"| {who} | {sample.status} | {_shown(sample.body)} | {_linked(sample.source)} |\n")
        lines.append("\n")
    return "".join(lines).rstrip() + "\n"


def _shown(body: object, limit: int = 160) -> str:
    text = json.dumps(body, ensure_ascii=False)
    cut = text if len(text) <= limit else text[: limit - 1] + "…"
    return "`` " + cut.replace("|", "\\|") + " ``"


def _linked(source: str) -> str:
    return f"[{source.split('/')[2]}]({source})" if source.startswith("https://") else f"recording `{source}`"


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
