"""What would be sent, and why: the request with its secrets redacted, and the ledger of its options. `print` shows both."""

from __future__ import annotations

import json

from .._dataclass import dataclass

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from ..types.request import LedgerEntry


@dataclass(frozen=True, slots=True)
class Explanation:
    """The request that a builder would send: what is different in the real one is only the value of each `<redacted>` header.

    `url_source` says where the base URL comes from: `base_url`, an environment variable, or the manifest. `ledger` lists which
    options are sent, renamed, defaulted, changed or dropped, and the line of the manifest, or the dialect, that decides it.
    """

    provider: str
    model: str
    dialect: str
    method: str
    url: str
    headers: dict[str, str]
    body: dict[str, Any]
    ledger: tuple[LedgerEntry, ...]
    url_source: str = ""

    def __str__(self) -> str:
        head = [f"{self.provider}, dialect {self.dialect}", f"{self.method} {self.url}"]
        if not self.url_source.startswith(f"{self.provider}:"):
            head.append(f"(the base URL is from {self.url_source})")
        head += [f"{name}: {value}" for name, value in self.headers.items()]
        rows = [(entry.option, entry.action, entry.detail, entry.source) for entry in self.ledger]
        widths = [max((len(row[i]) for row in rows), default=0) for i in range(3)]
        table = ["  ".join([*(cell.ljust(width) for cell, width in zip(row, widths, strict=False)), row[3]]) for row in rows]
        body = json.dumps(_short(self.body), indent=2, ensure_ascii=False)
        return "\n".join([*head, "", body, *([""] if table else []), *table])


def _short(value: Any) -> Any:
    """The body with long strings cut, such as data in base64."""
    if isinstance(value, dict):
        return {key: _short(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_short(item) for item in value]
    if isinstance(value, str) and len(value) > 500:
        return f"{value[:200]}… ({len(value)} characters)"
    return value
