"""The embedding model "echo": a text → a vector of unit length. A stand-in; deterministic, no I/O, no format."""

from __future__ import annotations

from hashlib import blake2b
from math import sqrt

from .tokens import pieces

#: The length of a vector where the request names none.
DIMENSIONS = 8


def vector_of(text: str, dimensions: int = DIMENSIONS) -> list[float]:
    """The sum of a vector for each word, scaled to unit length: texts that share words have similar vectors."""
    total = [0.0] * dimensions
    for word in pieces(text.lower()):
        for position, number in enumerate(_word_vector(word.strip(), dimensions)):
            total[position] += number
    length = sqrt(sum(number * number for number in total)) or 1.0
    return [number / length for number in total]


def _word_vector(word: str, dimensions: int) -> list[float]:
    """Numbers from -1 to 1, drawn from the word's hash: a digest gives 64 of them."""
    data = word.encode("utf-8", "surrogatepass")
    blocks = range((dimensions + 63) // 64)
    drawn = b"".join(blake2b(data, salt=block.to_bytes(16, "big")).digest() for block in blocks)
    return [byte / 127.5 - 1.0 for byte in drawn[:dimensions]]
