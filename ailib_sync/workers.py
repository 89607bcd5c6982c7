"""Threads that run jobs, for calls at the same time. What a job has returned is never lost.

Standard library executors are not used: they cannot start threads when the interpreter is about to exit, and a job whose thread
cannot be started would stay in their queue.
"""

from __future__ import annotations

from .http.timeouts import CancelToken

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from queue import SimpleQueue
    from threading import Thread
    from typing import Any

    #: Runs with its position, from 0, and a token that ends it. An error is part of what it returns. It raises only
    #: KeyboardInterrupt, SystemExit and their like, when a function of the caller's does.
    Job = Callable[[int, CancelToken], Any]

#: Seconds that cancelled calls have to close their connections before the caller continues.
CLOSE_GRACE_SECONDS = 1.0


class _Raised:
    """What a job raised, in place of its result."""

    __slots__ = ("error",)

    def __init__(self, error: BaseException) -> None:
        self.error = error


class Workers:
    """At most `most` threads, started as they are needed. `token` ends what they run; `finished` has all results so far."""

    def __init__(self, most: int) -> None:
        from queue import SimpleQueue  # C code that a signal handler cannot leave locked

        self.running = 0
        self.finished: list[Any] = []
        self.token = CancelToken()
        self._most = most
        self._count = 0
        self._threads: list[Thread] = []
        self._jobs: SimpleQueue[tuple[int, Job] | None] = SimpleQueue()
        self._results: SimpleQueue[Any] = SimpleQueue()

    def submit(self, job: Job) -> None:
        """Runs the job in a thread, or here if none can be started."""
        index, self._count = self._count, self._count + 1
        if len(self._threads) <= self.running and len(self._threads) < self._most:
            self._start_thread()
        self.running += 1
        if self._threads:
            self._jobs.put((index, job))
        else:
            self._run(index, job)

    def next_result(self) -> Any:
        """The next result. Waits for it. Raises what a job raised in its thread."""
        result = self._results.get()
        self.running -= 1
        if not isinstance(result, _Raised):
            return result
        try:
            raise result.error
        finally:
            del result  # no cycle of the exception and this frame

    def stop(self) -> None:
        """Cancels what runs and gives it a second to close its connections. Idle threads end."""
        from time import monotonic

        self.token.cancel()
        for _ in self._threads:
            self._jobs.put(None)
        until = monotonic() + CLOSE_GRACE_SECONDS
        for thread in self._threads:
            thread.join(max(0.0, until - monotonic()))

    def _start_thread(self) -> None:
        from threading import Thread

        thread = Thread(target=self._work, name=f"ailib_sync {len(self._threads)}", daemon=True)
        try:
            thread.start()
        except RuntimeError:  # the system allows no more threads, or the interpreter is about to exit
            return
        self._threads.append(thread)

    def _work(self) -> None:
        while (item := self._jobs.get()) is not None:
            try:
                self._run(*item)
            except BaseException as error:  # noqa: BLE001  it ends the caller, who waits for this result, and not this thread
                self._results.put(_Raised(error))

    def _run(self, index: int, job: Job) -> None:
        result = job(index, self.token)
        self.finished.append(result)
        self._results.put(result)
