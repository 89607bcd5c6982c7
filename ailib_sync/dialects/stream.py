"""The rules that the stream readers of all dialects share: when a response is complete, and when a growing value is repeated.

A response is complete after its finish reason. Only an end mark, or a count of tokens, may follow, so a connection that is lost
then loses nothing of the response. Without a finish reason, a response is complete after the end mark of the format; and where
the manifest's `stream_end` has `eof`, with the end of the body.
"""

from __future__ import annotations

from contextlib import contextmanager

from ..errors import Cancelled, StreamInterrupted, TransportError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Protocol

    from ..registry.manifest import Manifest

    class StreamReader(Protocol):
        """What a dialect's reader reports about the stream so far."""

        @property
        def begun(self) -> bool:
            """Whether a part of the response has arrived."""

        @property
        def finished(self) -> bool:
            """Whether the finish reason or the end mark has arrived."""


class GrowingValue:
    """Decides when an event repeats a value that grows, such as the citations so far: when it has grown by an eighth.

    Then all the copies of it together take time linear in its size. The first nine sizes are all emitted.
    """

    __slots__ = ("emitted", "size")

    def __init__(self, size: int = 0) -> None:
        self.size = self.emitted = size

    def grow(self) -> bool:
        """Counts one more part; whether to emit the value now."""
        self.size += 1
        if 8 * self.size < 9 * self.emitted:
            return False
        self.emitted = self.size
        return True

    def flush(self) -> bool:
        """Whether parts have not been emitted yet. They count as emitted now."""
        pending, self.emitted = self.size > self.emitted, self.size
        return pending


@contextmanager
def until_finished(reader: StreamReader, manifest: Manifest, expected: str) -> Iterator[None]:
    """Surrounds the loop over the frames of a stream. `expected` names what the format ends a stream with.

    Raises StreamInterrupted where the frames end before the response is complete. A TransportError is raised again before that,
    and ignored after it.
    """
    try:
        yield
    except Cancelled:
        raise
    except TransportError:
        if not reader.finished:
            raise
    else:
        if not reader.finished and not (reader.begun and "eof" in manifest.stream_end):
            raise interrupted(expected, manifest)


def interrupted(expected: str, manifest: Manifest) -> StreamInterrupted:
    """The error for a stream that ended without `expected`. Dialects whose finish reason is in the end mark itself raise it."""
    return StreamInterrupted(f"the stream ended without {expected}", provider=manifest.id)
