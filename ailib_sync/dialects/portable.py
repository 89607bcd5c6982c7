"""What a chat has for some services only: cache marks, and `extra` fields of one dialect or provider. Pure functions.

A dialect sends what is in `extra` unchanged. So fields for others are removed before, and each cache mark becomes what the
dialect has for it. The ledger names what is not sent.
"""

from __future__ import annotations

from ..types.messages import Audio, Document, Image, Opaque, ToolResult

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable

    from ..registry.manifest import Manifest
    from ..types.messages import Block
    from ..types.request import ChatRequest, Ledger

MEDIA = frozenset((Image, Audio, Document))


def with_portable_parts(request: ChatRequest, manifest: Manifest, ledger: Ledger) -> ChatRequest:
    """The request with the `extra` fields and the cache marks that this service supports. Notes media that it does not."""
    if _has_media(request):
        from .media_facts import note_media  # reads the list of models

        note_media(request, manifest, ledger)
    if not _has_parts(request):
        return request
    from .extra_fields import Resolver  # few requests have such parts

    return Resolver(manifest, ledger).request(request)


def without_foreign_extra(request: ChatRequest, home: str, manifest: Manifest, ledger: Ledger) -> ChatRequest:
    """The request that a fallback sends in another dialect than `home`, for which it was made, without what `home` only has:
    `extra` fields without a tag, opaque blocks, hosted tools. Cache marks are kept."""
    if manifest.dialect == home:
        return request
    from .extra_fields import Remover

    return Remover(home, manifest, ledger).request(request)


def _has_media(request: ChatRequest) -> bool:
    for message in request.messages:
        if message.content.__class__ is str:
            continue
        for block in message.blocks:
            if block.__class__ in MEDIA or (isinstance(block, ToolResult) and not isinstance(block.content, str)):
                return True
    return False


def _has_parts(request: ChatRequest) -> bool:
    if request.extra or any(tool.extra or tool.cache for tool in request.tools):
        return True
    for message in request.messages:
        if message.extra and message.origin is None:
            return True
        if message.content.__class__ is not str and _in_blocks(message.blocks, message.origin is None):
            return True
    return False


def _in_blocks(blocks: Iterable[Block], is_given: bool) -> bool:
    """Whether a block has such parts. The `extra` of a response (not `is_given`) is sent back to its own dialect only."""
    for block in blocks:
        if block.__class__ is Opaque:
            continue
        if (is_given and block.extra) or getattr(block, "cache", False):  # type: ignore[union-attr]  # only Opaque has none
            return True
        if block.__class__ is ToolResult and not isinstance(block.content, str) and _in_blocks(block.content, is_given):
            return True
    return False
