"""Media that a model does not support, by the dated list of models: they are sent, and the ledger has an entry."""

from __future__ import annotations

from functools import lru_cache

from ..registry.models import as_of, model_info
from ..types.messages import Audio, Document, Image, ToolResult

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from ..registry.manifest import Manifest
    from ..types.messages import Block
    from ..types.request import ChatRequest, Ledger

#: The first word of a media type → the capability that it needs. Documents of other types need `documents`, text needs none.
CAPABILITIES = {"image": "vision", "audio": "audio", "video": "video", "text": ""}


def note_media(request: ChatRequest, manifest: Manifest, ledger: Ledger) -> None:
    """Notes each kind of media that the model is known not to support."""
    lacking = _lacking(manifest.id, request.model)
    if not lacking:
        return
    needed = dict.fromkeys(need for message in request.messages for need in _needs(message.blocks))
    for need in needed:
        if need in lacking:
            detail = f"needs {need}, which {request.model} does not have by the list of models of {as_of()}; it is sent"
            ledger.changed("media", detail, "models.json")


@lru_cache(maxsize=256)
def _lacking(provider: str, model: str) -> frozenset[str]:
    info = model_info(provider, model)
    return frozenset(name for name, has in info.capabilities.items() if not has) if info else frozenset()


def _needs(blocks: Iterable[Block]) -> Iterator[str]:
    for block in blocks:
        if isinstance(block, Image):
            yield "vision"
        elif isinstance(block, Audio):
            yield "audio"
        elif isinstance(block, Document):
            yield CAPABILITIES.get((block.media_type or "").partition("/")[0], "documents")
        elif isinstance(block, ToolResult) and not isinstance(block.content, str):
            yield from _needs(block.content)
