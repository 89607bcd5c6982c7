"""Cache marks: where a prompt may be cached up to, as each format has it. Pure functions.

https://platform.claude.com/docs/en/build-with-claude/prompt-caching,
https://docs.aws.amazon.com/bedrock/latest/userguide/prompt-caching.html,
https://platform.openai.com/docs/guides/prompt-caching
"""

from __future__ import annotations

from .._dataclass import dataclass
from ..types.messages import Audio, Document, Image, Text, ToolResult
from ..types.tools import Tool

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

    from ..registry.manifest import Manifest
    from ..types.request import Ledger

#: The services that have marks support four in a request.
MAX_MARKS = 4
#: The names of cache marks in `extra`, in any format.
CACHE_KEYS = ("cache_control", "cachePoint", "prompt_cache_breakpoint")


@dataclass(frozen=True, slots=True)
class CacheMark:
    """The mark of one format: the field `key` of a part of these `kinds`. `ttls` are the lifetimes that it can have."""

    key: str
    value: Mapping[str, Any]
    kinds: tuple[type, ...]
    ttls: tuple[str, ...] = ()

    def field(self, ttl: object) -> dict[str, Any]:
        return {self.key: {**self.value, "ttl": ttl} if ttl in self.ttls else dict(self.value)}


EPHEMERAL = {"type": "ephemeral"}
MARKS: Mapping[str, CacheMark] = {
    "anthropic_messages": CacheMark("cache_control", EPHEMERAL, (Text, Image, Document, ToolResult, Tool), ("5m", "1h")),
    "bedrock_converse": CacheMark(
        "cachePoint", {"type": "default"}, (Text, Image, Audio, Document, ToolResult, Tool), ("5m", "1h")
    ),
}
IN_OPENAI_PARTS = CacheMark("cache_control", EPHEMERAL, (Text, Image, Audio, Document, Tool), ("5m", "1h"))
BREAKPOINT = CacheMark("prompt_cache_breakpoint", {"mode": "explicit"}, (Text, Image, Audio, Document))


def mark_of(manifest: Manifest) -> CacheMark | None:
    """The mark of this service; None if it has none."""
    if manifest.has("cache_control"):
        return IN_OPENAI_PARTS
    if manifest.has("cache_breakpoints"):
        return BREAKPOINT
    return None if manifest.has("no_cache_points") else MARKS.get(manifest.dialect)


@dataclass(slots=True)
class MarkedPart:
    """A part with a mark: a copy of it, whose `extra` is its own. `rank`: 0 for tools, 1 for system messages, 2 for others.

    `ttl` is True or a lifetime. `is_native`: the mark is in `extra` already, under the service's own key.
    """

    part: Any
    rank: int
    ttl: Any
    is_native: bool

    @property
    def label(self) -> str:
        text = getattr(self.part, "name", None) or getattr(self.part, "text", None) or ""
        return f"{type(self.part).__name__} {text[:20]!r}" if text else f"a block of type {type(self.part).__name__}"


def settle_marks(marks: list[MarkedPart], taken: int, manifest: Manifest, ledger: Ledger) -> None:
    """Writes the marks into the `extra` of their parts. `taken`: the marks that the body has besides them.

    Of too many, those of tools and system messages are kept first, then the last ones: they are where a longer prefix ends.
    """
    mark, source = mark_of(manifest), f"{manifest.dialect}: cache"
    if not marks:
        return
    if mark is None:
        detail = f"is left out: {manifest.name} has no cache marks for this model (it may cache prompts without them)"
        ledger.dropped("cache", detail, source)
        return
    marks.sort(key=lambda marked: marked.rank)
    able = [marked for marked in marks if isinstance(marked.part, mark.kinds)]
    room = max(MAX_MARKS - taken, 0)
    first = [marked for marked in able if marked.rank < 2][-room:] if room else []
    later = [marked for marked in able if marked.rank == 2]
    kept = first + (later[-(room - len(first)) :] if room > len(first) else [])
    left = [marked for marked in marks if not any(marked is other for other in kept)]
    for marked in left:
        if marked.is_native:
            del marked.part.extra[mark.key]
    if left:
        reason = f"{manifest.name} supports at most {MAX_MARKS} marks, on {', '.join(kind.__name__ for kind in mark.kinds)}"
        ledger.changed("cache", f"is left out of {', '.join(marked.label for marked in left)}: {reason}", source)
    _write(kept, mark, manifest, ledger)


def _write(kept: list[MarkedPart], mark: CacheMark, manifest: Manifest, ledger: Ledger) -> None:
    source = f"{manifest.dialect}: cache"
    ledger.sent("cache", mark.key, source)
    is_short = False
    for marked in kept:
        ttl = marked.ttl
        if ttl is not True and ttl not in mark.ttls:
            ledger.changed("cache", f"is sent without its TTL of {ttl}, which {manifest.name} does not support", source)
        elif ttl == "1h" and is_short:
            # "cache entries with longer TTL must appear before shorter TTLs":
            # https://platform.claude.com/docs/en/build-with-claude/prompt-caching#mixing-different-ttls
            ledger.changed("cache", "is sent with a TTL of 5m, because a mark with 5m is before it", source)
            ttl, marked.is_native = "5m", False
        is_short = is_short or ttl != "1h"
        if not marked.is_native:
            marked.part.extra.update(mark.field(ttl))
