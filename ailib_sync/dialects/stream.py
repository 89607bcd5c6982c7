"""When a streamed response is complete: the one place of this rule.

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
