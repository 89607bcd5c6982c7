"""A deterministic estimate of tokens: a word with the space before it, long words in pieces of 16 characters."""

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
PER_MESSAGE = 4
PER_MEDIUM = 258


def pieces(text: str) -> list[str]:
    """The text's tokens; joined they are the text. A stream sends one at a time."""
    return _TOKEN.findall(text)


def count(text: str) -> int:
    return len(pieces(text))


def prompt_tokens(asked: ChatRequest) -> int:
    """What the whole prompt costs, tools included."""
    total = sum(PER_MESSAGE + count_blocks(message.blocks) for message in asked.messages)
    for tool in asked.tools:
        total += PER_MESSAGE + count(f"{tool.name} {tool.description} {json.dumps(tool.parameters)}")
    return total


def count_blocks(blocks: Sequence[Block]) -> int:
    """What these blocks cost."""
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
    return count(call.name) + count(json.dumps(call.arguments))
