"""What would be sent, and why: the request without its key, and the ledger of its options. A value that prints well."""

from __future__ import annotations

import json

from .._dataclass import dataclass

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from ..types.request import LedgerEntry


@dataclass(frozen=True, slots=True)
class Explanation:
    """The exact request a builder would send. `headers` has the key's header redacted; `ledger` says which options were sent,
    renamed, defaulted, changed or dropped, by which line of which manifest (or by the dialect)."""

    provider: str
    model: str
    dialect: str
    method: str
    url: str
    headers: dict[str, str]
    body: dict[str, Any]
    ledger: tuple[LedgerEntry, ...]

    def __str__(self) -> str:
        head = [f"{self.provider} speaks {self.dialect}", f"{self.method} {self.url}"]
        head += [f"{name}: {value}" for name, value in self.headers.items()]
        rows = [(entry.option, entry.action, entry.detail, entry.source) for entry in self.ledger]
        widths = [max((len(row[i]) for row in rows), default=0) for i in range(3)]
        table = ["  ".join([*(cell.ljust(width) for cell, width in zip(row, widths, strict=False)), row[3]]) for row in rows]
        body = json.dumps(_short(self.body), indent=2, ensure_ascii=False)
        return "\n".join([*head, "", body, *([""] if table else []), *table])


def _short(value: Any) -> Any:
    """The body with long strings (base64 data above all) cut for reading."""
    if isinstance(value, dict):
        return {key: _short(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_short(item) for item in value]
    if isinstance(value, str) and len(value) > 500:
        return f"{value[:200]}… ({len(value)} characters)"
    return value
