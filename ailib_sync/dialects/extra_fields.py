"""The `extra` fields of a request, for one service.

Fields are for every service, or under the name of a dialect or a provider for that one only:
`{"anthropic_messages": {"citations": {"enabled": True}}}`. See `portable`.
"""

from __future__ import annotations

from functools import lru_cache

from .._dataclass import replace
from ..errors import ConfigurationError
from ..registry.files import builtin_path, index
from ..types.messages import MessageRole, Opaque, Text, ToolResult
from .cache_marks import CACHE_KEYS, MarkedPart, mark_of, settle_marks
from .dialect import NAMES

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from typing import Any

    from ..registry.manifest import Manifest
    from ..types.messages import Block, Message
    from ..types.request import ChatRequest, Ledger

CACHE_VALUES = (True, "5m", "1h")
#: The types of tools that a caller runs; a service runs the others.
CALLER_TOOLS = ("function", "custom")


class Resolver:
    """Makes a request whose `extra` has what this service supports: its own fields, and cache marks in its form."""

    def __init__(self, manifest: Manifest, ledger: Ledger) -> None:
        self._manifest = manifest
        self._ledger = ledger
        self._mark = mark_of(manifest)
        self._marks: list[MarkedPart] = []
        self._left: dict[str, None] = {}

    def request(self, request: ChatRequest) -> ChatRequest:
        tools = tuple([self._part(tool, 0, True) for tool in request.tools])
        messages = tuple([self._message(message) for message in request.messages])
        # In the body, Anthropic's mark is one at the end of the prompt. It counts.
        is_marked = self._mark is not None and self._mark.key == "cache_control" and "cache_control" in request.extra
        extra, ttl = self._fields(request.extra)
        if is_marked:
            extra["cache_control"] = request.extra["cache_control"]
        elif ttl is not None:
            self._marks.append(MarkedPart(None, 2, ttl, False))
        settle_marks(self._marks, int(is_marked), self._manifest, self._ledger)
        if self._left:
            detail = f"for {', '.join(self._left)} is left out: the request is for {self._manifest.name}"
            self._ledger.dropped("extra", detail, f"{self._manifest.dialect}: extra")
        return replace(request, tools=tools, messages=messages, extra=extra)

    def _message(self, message: Message) -> Message:
        is_given = message.origin is None
        rank = 1 if message.role is MessageRole.SYSTEM else 2
        extra, ttl = self._fields(message.extra) if is_given else (message.extra, None)
        content: Any = message.content
        if ttl is not None:  # no format has a mark of a message
            content = _marked(message, ttl)
        if not isinstance(content, str):
            content = [self._part(block, rank, is_given) for block in content]
        return replace(message, content=content, extra=extra)

    def _part(self, part: Any, rank: int, is_given: bool) -> Any:
        """A block or a tool."""
        made, ttl, is_native = self._resolved(part, is_given)
        if ttl is not None:
            self._marks.append(MarkedPart(made, rank, ttl, is_native))
        return made

    def _resolved(self, part: Any, is_given: bool) -> tuple[Any, Any, bool]:
        """(a copy of the part without `cache`, its cache mark, whether `extra` has that mark in the service's form)."""
        if isinstance(part, Opaque):
            return part, None, False
        extra, ttl = self._fields(part.extra) if is_given else (dict(part.extra), None)
        is_native = ttl is not None and self._mark is not None and self._mark.key in part.extra
        if is_native and self._mark is not None:
            extra[self._mark.key] = part.extra[self._mark.key]
        changes: dict[str, Any] = {"extra": extra}
        cache = getattr(part, "cache", False)
        if cache is not False:
            if cache not in CACHE_VALUES:
                raise ConfigurationError(f'{type(part).__name__}: cache must be True, "5m" or "1h", not {cache!r}')
            ttl, changes["cache"] = ttl or cache, False
        if isinstance(part, ToolResult) and not isinstance(part.content, str):
            changes["content"], inner = self._inside_result(part, is_given)
            ttl = ttl or inner
        return replace(part, **changes), ttl, is_native

    def _inside_result(self, result: ToolResult, is_given: bool) -> tuple[list[Block], Any]:
        """(the blocks of a result, the mark of one of them). The mark becomes that of the result: Converse has none inside."""
        blocks, mark = [], None
        for block in result.content:
            made, ttl, is_native = self._resolved(block, is_given)
            if is_native and self._mark is not None:
                del made.extra[self._mark.key]
            blocks.append(made)
            mark = mark or ttl
        return blocks, mark

    def _fields(self, extra: Mapping[str, Any]) -> tuple[dict[str, Any], Any]:
        """(the fields to send, the cache mark in them: True, its lifetime or None)."""
        kept: dict[str, Any] = {}
        own: dict[str, Any] = {}
        ttl = None
        for key, value in extra.items():
            if key in CACHE_KEYS:
                ttl = (value.get("ttl") if isinstance(value, dict) else None) or True
            elif not is_tag(key, value, self._manifest):
                kept[key] = value
            elif key == self._manifest.dialect or _provider(key) == self._manifest.id or key == self._manifest.id:
                own.update(value)
            else:
                self._left[key] = None
        return {**kept, **own}, ttl


def _marked(message: Message, ttl: Any) -> list[Block]:
    """The blocks of a message, the last of which has the mark."""
    *others, last = message.blocks or [Text("")]
    return [*others, replace(last, cache=ttl) if hasattr(last, "cache") else last]


class Remover:
    """Makes a request without what belongs to another dialect: `extra` fields without a tag, opaque blocks, hosted tools."""

    def __init__(self, home: str, manifest: Manifest, ledger: Ledger) -> None:
        self._home = home
        self._manifest = manifest
        self._ledger = ledger
        self._left: dict[str, None] = {}

    def request(self, request: ChatRequest) -> ChatRequest:
        tools = [tool for tool in request.tools if tool.extra.get("type", "function") in CALLER_TOOLS]
        self._left.update((tool.name, None) for tool in request.tools if not any(tool is kept for kept in tools))
        made = replace(
            request,
            tools=tuple([replace(tool, extra=self._fields(tool.extra)) for tool in tools]),
            messages=tuple([self._message(message) if message.origin is None else message for message in request.messages]),
            extra=self._fields(request.extra),
        )
        if self._left:
            detail = f"for {self._home} is left out ({', '.join(self._left)}): the request is for {self._manifest.name}"
            self._ledger.dropped("extra", detail, f"{self._manifest.dialect}: extra")
        return made

    def _message(self, message: Message) -> Message:
        content = message.content
        if not isinstance(content, str):
            content = self._blocks(content)
        return replace(message, content=content, extra=self._fields(message.extra))

    def _blocks(self, blocks: Iterable[Block]) -> list[Block]:
        made: list[Block] = []
        for block in blocks:
            if isinstance(block, Opaque):
                self._left[f"a block of type {block.data.get('type')}"] = None
                continue
            changes: dict[str, Any] = {"extra": self._fields(block.extra)}
            if isinstance(block, ToolResult) and not isinstance(block.content, str):
                changes["content"] = self._blocks(block.content)
            made.append(replace(block, **changes))
        return made

    def _fields(self, extra: Mapping[str, Any]) -> dict[str, Any]:
        kept = {key: value for key, value in extra.items() if key in CACHE_KEYS or is_tag(key, value, self._manifest)}
        self._left.update((key, None) for key in extra if key not in kept)
        return kept


def is_tag(key: str, value: Any, manifest: Manifest) -> bool:
    """Whether this field has the fields of one dialect or provider."""
    return isinstance(value, dict) and (key in NAMES or key == manifest.id or _provider(key) is not None)


@lru_cache(maxsize=256)
def _provider(key: str) -> str | None:
    """The id of the built-in provider with this id or alias."""
    aliases: dict[str, str] = index()["aliases"]
    id = aliases.get(key, key)
    return id if builtin_path(id) else None
