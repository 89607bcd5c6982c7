"""The rules that the stream readers of all dialects share: when a response is complete, and when a growing value is repeated.

A response is complete after its finish reason. Only an end mark, or a count of tokens, may follow, so a connection that is lost
then loses nothing of the response. Without a finish reason, a response is complete after the end mark of the format; and where
the manifest's `stream_end` has `eof`, with the end of the body.
"""

from __future__ import annotations

from ..errors import CLASSES, Cancelled, RemoteError, StreamInterrupted, TransportError

TYPE_CHECKING = False
if TYPE_CHECKING:
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


class UntilFinished:
    """A context manager around the loop over the frames of a stream. `expected` names what the format ends a stream with.

    Raises StreamInterrupted if the frames end before the response is complete. A TransportError is raised before that,
    and ignored after it.
    """

    # A class: contextlib.contextmanager takes three times as long, and in Python 3.10 it leaves a reference cycle.
    __slots__ = ("_expected", "_manifest", "_reader")

    def __init__(self, reader: StreamReader, manifest: Manifest, expected: str) -> None:
        self._reader = reader
        self._manifest = manifest
        self._expected = expected

    def __enter__(self) -> None:
        pass

    def __exit__(self, kind: object, error: BaseException | None, traceback: object) -> bool:
        reader = self._reader
        if error is not None:
            return isinstance(error, TransportError) and not isinstance(error, Cancelled) and reader.finished
        if not reader.finished and not (reader.begun and "eof" in self._manifest.stream_end):
            raise interrupted(self._expected, self._manifest)
        return False


#: The provider's word for a generation that failed → the standard name of the error (errors.CLASSES), if not `server_error`.
FAILURES = {"insufficient_system_resource": "overloaded", "TIMEOUT": "timeout"}


def failed_generation(reason: str | None, word: str | None, provider: str | None) -> RemoteError | None:
    """The error for a response whose finish reason is `error`: what arrived is not a complete response. None for all others."""
    if reason != "error":
        return None
    kind = CLASSES[FAILURES.get(word or "", "server_error")]
    return kind(f"the generation failed, with the finish reason {word}", error_code=word, provider=provider)


def interrupted(expected: str, manifest: Manifest) -> StreamInterrupted:
    """The error for a stream that ended without `expected`. Dialects whose finish reason is in the end mark itself raise it."""
    return StreamInterrupted(f"the stream ended without {expected}", provider=manifest.id)
