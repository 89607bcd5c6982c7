"""A deterministic estimate of tokens: a word with the space before it; a long word has one token for each 16 characters."""

from __future__ import annotations

import json
from re import compile

from ..types.messages import Audio, Document, Image, Text, Thinking, ToolResult
from ..types.tools import ToolCall

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from ..types.messages import Block
    from ..types.request import ChatRequest

_TOKEN = compile(r"\s*\S{1,16}|\s+\Z")
#: Tokens of a message or a tool, in addition to its text.
PER_MESSAGE = 4
#: Tokens of an image, a sound or a document.
PER_MEDIUM = 258


def fragments(text: str) -> list[str]:
    """The tokens of the text; joined, they are the text. Each is a fragment of a stream."""
    return _TOKEN.findall(text)


def count(text: str) -> int:
    """The number of tokens of a text."""
    return len(fragments(text))


def prompt_tokens(request: ChatRequest) -> int:
    """The tokens of the complete prompt, tools included."""
    total = sum(PER_MESSAGE + count_blocks(message.blocks) for message in request.messages)
    for tool in request.tools:
        total += PER_MESSAGE + count(f"{tool.name} {tool.description} {json.dumps(tool.parameters)}")
    return total


def count_blocks(blocks: Sequence[Block]) -> int:
    """The tokens of these blocks."""
    total = 0
    for block in blocks:
        if isinstance(block, (Text, Thinking)):
            total += count(block.text)
        elif isinstance(block, ToolCall):
            total += count_call(block)
        elif isinstance(block, ToolResult):
            total += count(block.text)
        elif isinstance(block, (Image, Audio, Document)):
            total += PER_MEDIUM
    return total


def count_call(call: ToolCall) -> int:
    """The tokens of a tool call."""
    return count(call.name) + count(json.dumps(call.arguments))
